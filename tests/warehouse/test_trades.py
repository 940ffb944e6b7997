"""Public trades."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from kalshi.records import Found, Trade
from kalshi.warehouse import trades

NOON = datetime(2026, 9, 2, 12, tzinfo=UTC)


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
