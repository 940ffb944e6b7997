"""The backtest that docs/queries.md prints."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from kalshi.settings import PROJECT

QUERIES = (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8")


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
