"""The message about a failed run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from kalshi.operations.alerts import Alert, alert_of
from kalshi.reports.files import folder_name
from kalshi.settings import INCLUDE, load_settings

RUN = "scheduled__2026-09-22T15:00:00+00:00"


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """What Airflow gives a callback, with a reports folder that a web server serves."""
    settings = tmp_path / "kalshi.toml"
    text = (INCLUDE / "kalshi.toml").read_text(encoding="utf-8")
    settings.write_text(text.replace('url = ""', 'url = "https://reports.example/kalshi/"'), encoding="utf-8")
    monkeypatch.setenv("KALSHI_SETTINGS", str(settings))
    monkeypatch.setenv("KALSHI_REPORTS_FOLDER", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/")
    load_settings.cache_clear()
    dag = SimpleNamespace(dag_id="kalshi_catalog_sync")
    yield {"dag": dag, "run_id": RUN, "reason": "task_failure", "ti": SimpleNamespace(task_id="plan")}
    load_settings.cache_clear()


def test_the_message_says_what_failed_and_links_to_the_report_and_the_run(context: Any, tmp_path: Path) -> None:
    folder = tmp_path / "kalshi_catalog_sync" / folder_name(RUN)
    folder.mkdir(parents=True)
    (folder / "index.html").touch()
    series = [{"scope": "KXHIGHNY", "error": "HTTP 500 for 10 minutes"}, {"scope": "KXHIGHLAX", "error": None}]
    (folder / "report.json").write_bytes(msgspec.json.encode({"failed": ["KXHIGHNY"], "series": series}))
    alert = alert_of(context)
    assert alert.subject == "kalshi_catalog_sync failed: KXHIGHNY"
    assert alert.text.splitlines() == [
        "kalshi_catalog_sync failed.",
        "KXHIGHNY: HTTP 500 for 10 minutes",
        f"Report: https://reports.example/kalshi/kalshi_catalog_sync/{folder.name}/index.html",
        "Run: https://airflow.example/dags/kalshi_catalog_sync/runs/scheduled__2026-09-22T15%3A00%3A00%2B00%3A00",
    ]


def test_without_a_report_the_task_is_named(context: Any) -> None:
    alert = alert_of(context)
    assert alert.subject == "kalshi_catalog_sync failed: plan"
    assert "plan: task failure; its log says why" in alert.text
    assert "Report" not in alert.text


def test_what_the_exchange_sent_is_escaped() -> None:
    html = Alert(
        "dag", (("KX<b>", "<script>alert(1)</script> & more"),), (("Run", "https://x.example/?a=1&b=<i>"),)
    ).html
    assert "<script>" not in html
    assert "<b>KX&lt;b&gt;</b>: &lt;script&gt;" in html
    assert 'href="https://x.example/?a=1&amp;b=&lt;i&gt;"' in html


def test_a_thousand_failures_are_still_one_readable_message() -> None:
    alert = Alert("dag", tuple((f"KX{n}", "x" * 10_000) for n in range(1000)), ())
    assert alert.subject == "dag failed: 1000 parts"
    assert len(alert.text.splitlines()) < 25
    assert len(alert.text) < 20_000
    assert "and: 980 more" in alert.text
