"""The overview: red, amber or green, and a line for everything that is wrong."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from kalshi.settings import load_settings
from kalshi.warehouse.catalog import expect_markets
from tests.ui.rows import RULE, SERIES, insert, record, result, run

CONFIGURED = load_settings().series_tickers
JOBS = ("catalog", "settlements", "trades", "snapshots", "candles")


@pytest.fixture
def healthy(warehouse: sa.Engine, warehouse_uri: str, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """A warehouse in which every job has just succeeded and everything that was asked is checked and proven."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    return make_healthy(warehouse)


@pytest.fixture
def healthy_on_both(
    warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch
) -> sa.Engine:
    """The same, on MariaDB and on a real MySQL."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)
    return make_healthy(warehouse_on_both)


def make_healthy(engine: sa.Engine) -> sa.Engine:
    record(engine, *(run(number, job, "KXHIGHNY", requests=7) for number, job in enumerate(JOBS, 1)))
    record(engine, *(run(number, "quality", series) for number, series in enumerate(CONFIGURED, 101)))
    insert(engine, "kalshi_quality_result", *(result(n, series) for n, series in enumerate(CONFIGURED, 101)))
    insert(engine, "kalshi_series", {"series_ticker": "KXHIGHNY", "run_id": 1})
    event = {"event_ticker": "KXHIGHNY-26SEP20", "series_ticker": "KXHIGHNY", "run_id": 1}
    insert(engine, "kalshi_event", event)
    for market in ("T1", "T2"):
        ticker = f"KXHIGHNY-26SEP20-{market}"
        insert(engine, "kalshi_market", {"market_ticker": ticker, **event})
        figures = dict.fromkeys(
            ("trade_volume", "block_trade_volume", "candle_volume", "trades", "candles", "run_id"), 1
        )
        verdicts = {"trades_verdict": "proven", "candles_verdict": "proven"}
        row = {"market_ticker": ticker, "series_ticker": "KXHIGHNY", **figures, **verdicts}
        insert(engine, "kalshi_reconciliation", row)
    return engine


def change(engine: sa.Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(statement))


def shown(client: TestClient) -> tuple[str, list[str]]:
    """The colour and words of the banner, and the lines below it, each with its links."""
    page = client.get("").text
    banner = re.search(r'<section class="status (\w+)">(.*?)</section>', page, re.DOTALL)
    assert banner
    lines = re.findall(r'<li class="(red|amber)">(.*?)</li>', page, re.DOTALL)
    return f"{banner[1]}: {_text(banner[2])}", [f"{color}: {_text(line)}" for color, line in lines]


def _text(markup: str) -> str:
    """What a person reads, with the addresses of links behind them."""
    linked = re.sub(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', r"[\2](\1) ", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", linked)).split())


def test_it_is_green_only_if_everything_that_was_asked_is_checked(
    client: TestClient, healthy_on_both: sa.Engine
) -> None:
    banner, lines = shown(client)
    assert lines == []
    assert banner.startswith("green: All is well")
    assert "6 of 6 tables fresh, 7 of 7 series checked by data quality, 0 gaps, 2 of 2 settled markets proven" in banner
    assert "As of 20" in banner


def test_it_refreshes_itself(client: TestClient, healthy: sa.Engine) -> None:
    assert '<main data-refresh="60">' in client.get("").text


def test_series_that_were_never_checked_are_amber_and_can_be_checked(client: TestClient, healthy: sa.Engine) -> None:
    left = ",".join(CONFIGURED[2:])
    change(healthy, "DELETE FROM kalshi_quality_result WHERE run_id > 102")
    change(healthy, "DELETE FROM kalshi_sync_run WHERE run_id > 102")
    banner, (line,) = shown(client)
    assert banner.startswith("amber: 1 warning")
    assert "2 of 7 series checked" in banner
    assert line.startswith("amber: Data quality checked 2 of 7 series")
    assert f"(/kalshi/run/kalshi_data_quality?series={left.replace(',', '%2C')})" in line


def test_a_failed_run_is_red_with_its_error_its_log_and_a_way_to_repeat_it(
    client: TestClient, healthy_on_both: sa.Engine
) -> None:
    report = '{"error": "the exchange answered <503>"}'
    record(
        healthy_on_both, run(201, "trades", "KXHIGHNY", "failed", minutes=0, dag_run_id="scheduled__x+1", report=report)
    )
    banner, (line,) = shown(client)
    assert banner.startswith("red: 1 problem")
    assert line.startswith("red: trades failed: KXHIGHNY since ")
    assert "It said: the exchange answered <503>" in line
    assert "[Open the run](/dags/kalshi_trades_sync/runs/scheduled__x%2B1)" in line
    assert "[Run it again](/kalshi/run/kalshi_trades_sync?series=KXHIGHNY)" in line


def test_an_attempt_that_was_repeated_with_success_is_no_problem(client: TestClient, healthy: sa.Engine) -> None:
    record(healthy, run(201, "trades", "KXHIGHNY", "abandoned"), run(202, "trades", "KXHIGHNY"))
    assert shown(client)[1] == []


def test_a_run_that_died_is_red(client: TestClient, healthy: sa.Engine) -> None:
    record(healthy, run(201, "trades", "KXHIGHNY", "running", minutes=30, dag_run_id="manual__2"))
    assert shown(client)[1][0].startswith("red: trades died: KXHIGHNY")
    change(healthy, "UPDATE kalshi_sync_run SET heartbeat_at_utc = UTC_TIMESTAMP(6) WHERE run_id = 201")
    assert shown(client)[1] == [], "it is alive"


@pytest.mark.parametrize(("minutes", "color"), [(20, "amber"), (50, "red")])
def test_a_late_table_says_how_late_it_is(client: TestClient, healthy: sa.Engine, minutes: int, color: str) -> None:
    change(
        healthy,
        f"UPDATE kalshi_sync_run SET started_at_utc = started_at_utc - INTERVAL {minutes - 1} MINUTE, "
        f"ended_at_utc = ended_at_utc - INTERVAL {minutes - 1} MINUTE WHERE job = 'snapshots'",
    )
    (line,) = shown(client)[1]
    assert line.startswith(f"{color}: kalshi_price_snapshot is late since ")
    assert f"No run of snapshots succeeded for {minutes} min; 15 min are allowed" in line
    assert "[Run it now](/kalshi/run/kalshi_price_snapshots)" in line


def test_a_broken_rule_is_one_line_for_all_its_series(client: TestClient, healthy_on_both: sa.Engine) -> None:
    change(
        healthy_on_both,
        "UPDATE kalshi_quality_result SET state = 'failed', violations = 600 WHERE run_id IN (101, 102)",
    )
    (line,) = shown(client)[1]
    assert line.startswith(f"red: Rule {RULE} is broken: {', '.join(sorted(CONFIGURED[:2]))} since ")
    assert "Candle prices are between 0 and 1 dollar. 1,200 rows break it." in line
    assert f"[See the rows](/kalshi/quality/{RULE})" in line


def test_a_rule_of_severity_warning_is_amber_and_one_for_information_is_nothing(
    client: TestClient, healthy: sa.Engine
) -> None:
    for severity, expected in (("warning", ["amber"]), ("info", [])):
        change(healthy, f"UPDATE kalshi_quality_result SET state = 'failed', severity = '{severity}'")
        assert [line.partition(":")[0] for line in shown(client)[1]] == expected


def test_many_broken_rules_are_a_few_lines_the_errors_first(client: TestClient, healthy: sa.Engine) -> None:
    for number in range(9):
        severity = "error" if number == 8 else "warning"
        insert(
            healthy,
            "kalshi_quality_result",
            result(101, CONFIGURED[0], f"rule_{number}", "failed", severity=severity),
        )
    lines = shown(client)[1]
    assert [line.partition(" is")[0] for line in lines[:2]] == ["red: Rule rule_8", "amber: Rule rule_0"]
    assert len(lines) == 6
    assert lines[-1].startswith("amber: 4 more rules broken")


def test_windows_that_a_job_gave_up_on_are_red_and_can_be_read_again(client: TestClient, healthy: sa.Engine) -> None:
    window = {"window_start_utc": "2026-09-18", "window_end_utc": "2026-09-20"}
    about = {"job": "candles", "state": "FAILED", "error": "half a page", "run_id": 5}
    insert(healthy, "kalshi_checkpoint", *({**about, **window, "scope": series} for series in SERIES))
    line = next(line for line in shown(client)[1] if "gave up" in line)
    assert line.startswith("red: candles gave up on 2 windows: KXHIGHCHI, KXHIGHNY since ")
    assert "from 2026-09-18 00:00 to 2026-09-20 00:00 UTC" in line
    assert "half a page" in line
    form = "run/kalshi_candles_backfill?series=KXHIGHCHI%2CKXHIGHNY&date_from=2026-09-18&date_to=2026-09-19"
    assert f"[Read it again](/kalshi/{form})" in line


def test_gaps_that_wait_are_amber_until_a_person_accepts_them(client: TestClient, healthy: sa.Engine) -> None:
    window = {"window_start_utc": "2026-09-18", "window_end_utc": "2026-09-19"}
    insert(healthy, "kalshi_gap", {"job": "trades", "scope": "KXHIGHNY", "reason": "no run came", **window})
    (line,) = shown(client)[1]
    assert line.startswith("amber: trades has 1 gap: KXHIGHNY since ")
    assert "[Open the gaps](/kalshi/gaps?job=trades)" in line
    change(healthy, "UPDATE kalshi_gap SET accepted_reason = 'deleted'")
    assert shown(client)[1] == []


def test_settled_markets_that_are_not_proven_are_amber(client: TestClient, healthy: sa.Engine) -> None:
    change(healthy, "UPDATE kalshi_reconciliation SET trades_verdict = 'short' WHERE market_ticker LIKE '%T1'")
    banner, (line,) = shown(client)
    assert "1 of 2 settled markets proven" in banner
    assert line.startswith("amber: 1 settled market not proven: KXHIGHNY since ")
    assert "In 1 the stored volume differs from the exchange's, 0 were not read in full." in line
    assert "[Compare again](/kalshi/run/kalshi_reconciliation?series=KXHIGHNY)" in line


def test_without_any_proof_it_is_not_green(client: TestClient, healthy: sa.Engine) -> None:
    change(healthy, "DELETE FROM kalshi_reconciliation")
    banner, (line,) = shown(client)
    assert banner.startswith("amber")
    assert line.startswith("amber: No settled market is proven yet")


def test_runs_lead_to_their_report_and_to_airflow_the_worst_first(
    client: TestClient, healthy: sa.Engine, reports_folder: Path
) -> None:
    record(healthy, run(201, "trades", "(plan)", "failed", dag_run_id="manual__2"))
    folder = reports_folder / "kalshi_candles_daily" / "manual__candles"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<h1>Report</h1>")
    page = client.get("").text
    runs = page.split("<h2>Last runs</h2>")[1].split("<h2>")[0]
    first = _text(runs.split("<tbody>")[1].split("</tr>")[0])
    assert first.startswith("[trades](/dags/kalshi_trades_sync) [failed](/dags/kalshi_trades_sync/runs/manual__2)")
    candles = next(row for row in map(_text, runs.split("</tr>")) if row.startswith("[candles]"))
    assert "/dags/kalshi_candles_daily/runs/manual__candles" in candles, "the DAG whose report is there"
    assert "[open](/kalshi/reports/kalshi_candles_daily/manual__candles)" in candles


def test_the_requests_used_are_a_share_of_what_the_connection_allows(
    client: TestClient, healthy: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = '{"conn_type": "kalshi", "host": "127.0.0.1:1", "extra": {"requests_per_second": 0.001}}'
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", extra)
    words = _text(client.get("").text.split("<h2>Requests to the exchange</h2>")[1].split("</section>")[0])
    assert words.startswith("In the last 24 hours: 35, 40.51 % of what 0.001 per second allow.")


def test_a_rule_has_bars_of_its_latest_runs(client: TestClient, healthy: sa.Engine) -> None:
    record(healthy, *(run(number, "quality", "KXHIGHNY", dag_run_id=f"m{number}") for number in range(301, 321)))
    for number in range(301, 321):
        insert(healthy, "kalshi_quality_result", result(number, "KXHIGHNY", state="failed", violations=number))
    assert '<svg class="bars"' in client.get("").text
    (row,) = client.get("", params={"csv": "rules"}).text.splitlines()[1:]
    assert row.rsplit(",", 1)[1] == " ".join(map(str, range(307, 321))), "the latest 14, oldest first"


MANY = 300


@pytest.fixture
def whole(healthy: sa.Engine) -> sa.Engine:
    """Besides, 300 series of three categories: in each one market, of every third proven; 250 break a rule."""
    names = [f"KX{number:03}" for number in range(MANY)]
    with healthy.begin() as connection:
        expect_markets(connection, [f"{name}-1-A" for name in names], 1)
        for number, category in enumerate(("Crypto", "Politics", "Sports")):
            update = (
                "UPDATE kalshi_series SET category = :category WHERE series_ticker REGEXP '^KX[0-9]' "
                "AND MOD(CAST(SUBSTRING(series_ticker, 3) AS UNSIGNED), 3) = :number"
            )
            connection.execute(sa.text(update), {"category": category, "number": number})
    figures = dict.fromkeys(("trade_volume", "block_trade_volume", "candle_volume", "trades", "candles", "run_id"), 1)
    insert(
        healthy,
        "kalshi_reconciliation",
        *(
            {"market_ticker": f"{name}-1-A", "series_ticker": name, **figures}
            | dict.fromkeys(("trades_verdict", "candles_verdict"), "unread" if number % 3 else "proven")
            for number, name in enumerate(names)
        ),
    )
    record(healthy, *(run(number, "quality", series) for number, series in enumerate(names, 201)))
    insert(
        healthy,
        "kalshi_quality_result",
        *(
            result(number, series, state="failed" if number < 451 else "passed")
            for number, series in enumerate(names, 201)
        ),
    )
    return healthy


def test_many_series_are_summed_up_by_category_and_none_is_left_out(client: TestClient, whole: sa.Engine) -> None:
    banner, lines = shown(client)
    assert "102 of 302 settled markets proven" in banner
    assert any("500 rows break it" in line for line in lines), "of all 250 series"
    page = client.get("/").text
    proof = page.partition("<h2>Proof</h2>")[2].partition("</table>")[0]
    categories = re.findall(r"(Crypto|Politics|Sports)</a>.*?([\d.]+) %", proof, re.DOTALL)
    assert categories == [("Politics", "0.0"), ("Sports", "0.0"), ("Crypto", "100.0")]
    assert "250 of 307" in page
    assert len(page) < 100_000
    runs = client.get("/quality").text.partition("Latest quality runs")[2]
    assert "The first 100 of 307." in runs
