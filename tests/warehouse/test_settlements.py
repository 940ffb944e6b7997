"""Settlements: which time stands for one, and which record wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.records import Found, Market
from kalshi.warehouse import catalog, settlements
from kalshi.warehouse.settlements import settled_at

NOON = datetime(2026, 9, 2, 12, tzinfo=UTC)


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


def settled_market(result: str, updated: datetime | None, value: str | None) -> Found[Market]:
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


def test_an_answer_without_the_value_erases_no_known_one(warehouse_on_both: sa.Engine) -> None:
    settle(warehouse_on_both, 1, settled_market("yes", NOON, "1.0000"))
    later = settle(warehouse_on_both, 2, settled_market("yes", NOON + timedelta(hours=2), None))
    assert later["settlement_value"] == 1


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


def test_an_older_page_that_waited_for_a_newer_one_changes_no_settlement(warehouse_on_both: sa.Engine) -> None:
    settle(warehouse_on_both, 1, settled_market("yes", NOON, "1.0000"))
    older = settled_market("scalar", NOON + timedelta(hours=2), "0.5000")
    with warehouse_on_both.begin() as connection:
        connection.execute(sa.text("SELECT COUNT(*) FROM kalshi_market")).scalar()  # from now on it sees this moment
        amended = settle(warehouse_on_both, 2, settled_market("no", NOON + timedelta(hours=4), "0.0000"))
        catalog.write_markets(connection, [older], "KXNEW", 3)
        settlements.write_settlements(connection, [older], "KXNEW", 3)
    assert settle(warehouse_on_both, 4, older) == amended
