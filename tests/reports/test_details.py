"""The queries of the reports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kalshi.reports.candles import CANDLES
from kalshi.reports.catalog import CATALOG
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.reports.quality import QUALITY
from kalshi.reports.reconciliation import RECONCILIATION
from kalshi.reports.runs import RunPage
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.reports.snapshots import SNAPSHOTS
from kalshi.reports.trades import TRADES
from kalshi.warehouse import sql

PAGES: tuple[RunPage[Any], ...] = (CATALOG, TRADES, CANDLES, SNAPSHOTS, SETTLEMENTS, PORTFOLIO, QUALITY, RECONCILIATION)


def test_every_report_can_be_made_of_an_empty_warehouse(warehouse_on_both: sa.Engine) -> None:
    asked: list[str] = []
    sa.event.listen(warehouse_on_both, "before_cursor_execute", lambda *event: asked.append(event[2]))
    with warehouse_on_both.connect() as connection:
        for page in PAGES:
            built = page.build(connection, "manual__x", ["KXHIGHNY"])
            assert built.failed == ["KXHIGHNY"], "its task never started"
    for file in (sql.FOLDER / "reports").glob("*.sql"):
        beginning = sql.read("reports", file.stem).text.split(":")[0].replace("%", "%%")
        assert any(statement.startswith(beginning) for statement in asked), f"no report asks {file.name}"
