"""Trades and settlements of unknown markets, the freshness view, and the printed backtest."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.records import Found, Market, Trade
from kalshi.settings import PROJECT, load_settings
from kalshi.sync.decisions import decided_at
from kalshi.warehouse import catalog, ledger, settlements, trades
from kalshi.warehouse.settlements import settled_at

NOON = datetime(2026, 9, 2, 12, tzinfo=UTC)
QUERIES = (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8")


def trade(number: int, ticker: str = "KXNEW-26SEP01-T72", price: str = "0.5600") -> Found[Trade]:
    return Found(Trade(trade_id=f"trade-{number}", ticker=ticker, executed=NOON, yes_price=price, count="1.50"), b"{}")


def test_trades_of_unknown_markets_get_placeholders_for_all_their_parents(warehouse_on_both: sa.Engine) -> None:
    with warehouse_on_both.begin() as connection:
        written = trades.write_trades(connection, [trade(1), trade(2, "KXODD")], 1)
        assert written.inserted == 2
        parents = connection.exec_driver_sql(
            "SELECT series_ticker, event_ticker, market_ticker, is_placeholder FROM kalshi_market ORDER BY 1"
        ).all()
    assert [tuple(p) for p in parents] == [
        ("KXNEW", "KXNEW-26SEP01", "KXNEW-26SEP01-T72", 1),
        ("KXODD", "KXODD", "KXODD", 1),
    ]


def test_a_price_with_more_decimals_than_the_column_is_set_apart(warehouse_on_both: sa.Engine) -> None:
    with warehouse_on_both.begin() as connection:
        written = trades.write_trades(connection, [trade(1, price="0.1234567"), trade(2)], 1)
    assert (written.inserted, len(written.misfits)) == (1, 1)


@pytest.mark.parametrize(
    ("times", "source"),
    [
        ({"settlement_time": NOON, "updated_time": NOON}, "settlement_ts"),
        ({"updated_time": NOON, "close_time": NOON - timedelta(hours=7)}, "updated_time"),
        ({"updated_time": NOON - timedelta(days=1), "close_time": NOON}, "close_time"),
        (
            {
                "updated_time": NOON + timedelta(days=99),
                "latest_expiration_time": NOON,
                "expected_expiration_time": NOON,
            },
            "expected_expiration_time",
        ),
        ({"expiration_time": NOON, "close_time": NOON - timedelta(hours=1)}, "expiration_time"),
        ({}, None),
    ],
)
def test_the_best_known_time_stands_for_the_settlement(times: dict[str, datetime], source: str | None) -> None:
    found = settled_at(Market(ticker="A-1-T1", event_ticker="A-1", **times))  # type: ignore[arg-type]
    assert (found and found[1]) == source


def verdicts(connection: sa.Connection) -> dict[str, str]:
    return {row.table_name: row.verdict for row in connection.execute(sa.text("SELECT * FROM kalshi_freshness"))}


def test_freshness_passes_warns_and_fails_by_the_age_of_the_last_good_run(warehouse_on_both: sa.Engine) -> None:
    finished = "UPDATE kalshi_sync_run SET state = :state, ended_at_utc = UTC_TIMESTAMP(6) - INTERVAL :m MINUTE"
    with warehouse_on_both.begin() as connection:
        assert set(verdicts(connection).values()) == {"fail"}, "nothing ever ran"
        ledger.start_run(connection, ledger.RunKey("trades", "KXHIGHNY"))
        for minutes, state, verdict in (
            (1, "success", "pass"),
            (119, "warning", "pass"),
            (130, "success", "warn"),
            (400, "success", "fail"),
            (1, "failed", "fail"),
        ):
            connection.execute(sa.text(finished), {"state": state, "m": minutes})
            assert verdicts(connection)["kalshi_trade"] == verdict, (minutes, state)
        assert verdicts(connection)["kalshi_market"] == "fail", "each table by its own job"


@pytest.mark.parametrize(
    ("series", "day", "decision", "utc"),
    [
        ("KXHIGHNY", "2026-09-23", "day_before_10", "2026-09-22T14:00"),
        ("KXHIGHNY", "2026-12-01", "day_before_10", "2026-11-30T15:00"),
        ("KXHIGHNY", "2026-11-01", "day_before_10", "2026-10-31T14:00"),
        ("KXHIGHNY", "2026-11-01", "day_10", "2026-11-01T15:00"),
        ("KXHIGHCHI", "2026-03-08", "day_before_10", "2026-03-07T16:00"),
        ("KXHIGHCHI", "2026-03-08", "day_10", "2026-03-08T15:00"),
        ("KXHIGHLAX", "2026-11-02", "day_before_10", "2026-11-01T18:00"),
    ],
)
def test_decision_times_follow_the_clock_changes_of_each_city(series: str, day: str, decision: str, utc: str) -> None:
    settings = load_settings()
    (when,) = [d for d in settings.decision_times if d.name == decision]
    zone = settings.time_zone(series)
    assert zone
    assert decided_at(datetime.fromisoformat(day).date(), when, zone) == datetime.fromisoformat(f"{utc}+00:00")


def fill(connection: sa.Connection) -> None:
    """Two events of three brackets, with candles around the decision at 14:00 UTC of the day before."""
    run: dict[str, Any] = {"run": 1}
    statements = [
        "INSERT INTO kalshi_series (series_ticker, run_id) VALUES ('KXHIGHNY', :run)",
        "INSERT INTO kalshi_event (event_ticker, series_ticker, event_date, run_id) VALUES "
        "('KXHIGHNY-26SEP02', 'KXHIGHNY', '2026-09-02', :run), ('KXHIGHNY-26SEP03', 'KXHIGHNY', '2026-09-03', :run)",
        "INSERT INTO kalshi_decision_time (event_ticker, decision, decided_at_utc, run_id) VALUES "
        "('KXHIGHNY-26SEP02', 'day_before_10', '2026-09-01 14:00:00', :run), "
        "('KXHIGHNY-26SEP03', 'day_before_10', '2026-09-02 14:00:00', :run)",
        "INSERT INTO kalshi_market (market_ticker, event_ticker, series_ticker, result, run_id) "
        "SELECT CONCAT(event_ticker, '-', name), event_ticker, series_ticker, 'no', :run FROM kalshi_event, "
        "(SELECT 'A' AS name UNION SELECT 'B' UNION SELECT 'C') names",
        "INSERT INTO kalshi_settlement (market_ticker, event_ticker, series_ticker, result, settlement_value, "
        "settled_at_utc, settled_at_source, run_id) SELECT market_ticker, event_ticker, series_ticker, "
        "IF(market_ticker LIKE '%A', 'yes', 'no'), IF(market_ticker LIKE '%02-A', 1, NULL), '2026-09-04', "
        "'settlement_ts', :run FROM kalshi_market",
        "INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, yes_ask_open, source, period_minutes, run_id) "
        "VALUES "
        "('KXHIGHNY-26SEP02-A', '2026-09-01 13:55:00', 0.10, 'api_event', 1, :run), "
        "('KXHIGHNY-26SEP02-A', '2026-09-01 14:00:00', 1.00, 'api_event', 1, :run), "
        "('KXHIGHNY-26SEP02-A', '2026-09-01 14:05:00', 0.40, 'api_event', 1, :run), "
        "('KXHIGHNY-26SEP02-A', '2026-09-01 14:10:00', 0.90, 'api_event', 1, :run), "
        "('KXHIGHNY-26SEP02-B', '2026-09-01 14:00:00', 0.25, 'api_event', 1, :run), "
        "('KXHIGHNY-26SEP03-A', '2026-09-02 14:00:00', 0.70, 'api_event', 1, :run)",
    ]
    for statement in statements:
        connection.execute(sa.text(statement), run)


def test_the_printed_backtest_gives_the_profit_of_buying_at_the_first_ask(warehouse_on_both: sa.Engine) -> None:
    (backtest,) = (query for query in re.findall(r"```sql\n(.*?)```", QUERIES, re.DOTALL) if "ROLLUP" in query)
    with warehouse_on_both.begin() as connection:
        fill(connection)
        rows = connection.exec_driver_sql(backtest.replace("%", "%%")).all()
    found = [(str(day), contracts, float(profit)) for day, contracts, _, _, profit in rows]
    assert found == [("2026-09-02", 2, 0.35), ("2026-09-03", 1, 0.30), ("None", 3, 0.65)]


def test_freshness_follows_the_series_that_is_furthest_behind(warehouse: sa.Engine) -> None:
    end = sa.text("UPDATE kalshi_sync_run SET state = :state, ended_at_utc = UTC_TIMESTAMP(6) WHERE run_id = :run_id")
    with warehouse.begin() as connection:
        for series, state in (("KXGOOD", "success"), ("KXBAD", "failed")):
            run_id = ledger.start_run(connection, ledger.RunKey("trades", series))
            connection.execute(end, {"run_id": run_id, "state": state})
        assert verdicts(connection)["kalshi_trade"] == "fail"
        connection.execute(end, {"run_id": run_id, "state": "warning"})
        assert verdicts(connection)["kalshi_trade"] == "pass"
        connection.exec_driver_sql(
            "INSERT INTO kalshi_sync_run (job, scope, state, started_at_utc) "
            "VALUES ('trades', 'KXGONE', 'failed', UTC_TIMESTAMP(6) - INTERVAL 9 DAY)"
        )
        assert verdicts(connection)["kalshi_trade"] == "pass", "a series that nobody asks for any more doesn't count"


def settled_market(result: str, updated: datetime | None, value: str) -> Found[Market]:
    market = Market(
        ticker="KXNEW-26SEP01-T72",
        event_ticker="KXNEW-26SEP01",
        status="finalized",
        result=result,
        settlement_value=value,
        settlement_time=updated or NOON,
        updated_time=updated,
    )
    return Found(market, b"{}")


def settle(engine: sa.Engine, run_id: int, found: Found[Market]) -> dict[str, Any]:
    """Write a settled market as a settlements sync does; the row of kalshi_settlement."""
    with engine.begin() as connection:
        catalog.write_markets(connection, [found], "KXNEW", run_id)
        settlements.write_settlements(connection, [found], "KXNEW", run_id)
        row = connection.execute(sa.text("SELECT * FROM kalshi_settlement")).mappings().one()
        return {name: value for name, value in row.items() if name != "updated_at_utc"}


def test_an_older_page_changes_no_settlement(warehouse_on_both: sa.Engine) -> None:
    newer = settle(warehouse_on_both, 1, settled_market("yes", NOON + timedelta(hours=2), "1.0000"))
    assert settle(warehouse_on_both, 2, settled_market("no", NOON, "0.0000")) == newer
    amended = settle(warehouse_on_both, 3, settled_market("no", NOON + timedelta(hours=3), "0.0000"))
    assert (amended["result"], amended["settlement_value"], amended["run_id"]) == ("no", 0, 3)


def test_an_older_page_changes_no_settlement_of_a_market_that_the_catalog_saw_later(
    warehouse_on_both: sa.Engine,
) -> None:
    first = settle(warehouse_on_both, 1, settled_market("yes", NOON, "1.0000"))
    amended = settled_market("no", NOON + timedelta(hours=4), "0.0000")
    with warehouse_on_both.begin() as connection:
        catalog.write_markets(connection, [amended], "KXNEW", 2)
    assert settle(warehouse_on_both, 3, settled_market("scalar", NOON + timedelta(hours=2), "0.5000")) == first
    assert settle(warehouse_on_both, 4, amended)["result"] == "no"


def test_a_record_without_its_update_time_does_not_open_the_door_for_older_ones(warehouse_on_both: sa.Engine) -> None:
    settle(warehouse_on_both, 1, settled_market("yes", NOON + timedelta(hours=2), "1.0000"))
    undated = settle(warehouse_on_both, 2, settled_market("scalar", None, "0.5000"))
    assert undated["result"] == "scalar", "it can't be shown to be older"
    assert settle(warehouse_on_both, 3, settled_market("no", NOON, "0.0000")) == undated
