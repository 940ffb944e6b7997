"""Data Docs: their words and tables stay; whatever would run or lead elsewhere goes."""

from __future__ import annotations

import pytest

from kalshi.reports.data_docs import offline


@pytest.mark.parametrize(
    "part",
    [
        "<script>alert(1)</script>",
        "<SCRIPT\n>alert(1)</SCRIPT >",
        "<img src=x onerror=alert(1)>",
        "<p onclick='alert(1)'>",
        "<a href='javascript:alert(1)'>",
        "<a href='https://example.com/alert(1)'>",
        "<link rel=stylesheet href='https://example.com/alert(1)'>",
        "<style>@import 'https://example.com/alert(1)'</style>",
        "<p style='background: url(https://example.com/alert(1))'>",
        "<form action='https://example.com/alert(1)'><button formaction='alert(1)'></button></form>",
        "<iframe srcdoc='alert(1)'></iframe>",
        "<footer>alert(1)</footer>",
    ],
)
def test_nothing_runs_or_leads_elsewhere(part: str) -> None:
    page = offline(f"<html><head></head><body>{part}<p>9 rows</p></body></html>", "KXHIGHNY: kalshi_market")
    assert "alert(1)" not in page
    assert "<p>9 rows</p>" in page


def test_words_tables_and_links_within_the_page_stay() -> None:
    table = '<a href="#rows">rows</a><table id="rows"><tbody><tr><td class="x">1 &lt; 2</td></tr></tbody></table>'
    page = offline(f"<body>{table}</body>", "KXHIGHNY: <b>", "Synthetic")
    assert table in page
    assert "<title>KXHIGHNY: &lt;b&gt;</title>" in page
    assert page.index("Synthetic") < page.index("rows")
