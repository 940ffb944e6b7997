"""The queries of the reports."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.reports.candles import CANDLES
from kalshi.reports.catalog import CATALOG
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.reports.quality import QUALITY
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.reports.snapshots import SNAPSHOTS
from kalshi.reports.trades import TRADES
from kalshi.warehouse import sql


def test_every_report_can_be_made_of_an_empty_warehouse(warehouse_on_both: sa.Engine) -> None:
    asked: list[str] = []
    sa.event.listen(warehouse_on_both, "before_cursor_execute", lambda *event: asked.append(event[2]))
    with warehouse_on_both.connect() as connection:
        for report in (CATALOG, TRADES, CANDLES, SNAPSHOTS, SETTLEMENTS, PORTFOLIO, QUALITY):
            built = report.build(connection, "manual__x", ["KXHIGHNY"])
            assert built["failed"] == ["KXHIGHNY"], "its task never started"
    for file in (sql.FOLDER / "reports").glob("*.sql"):
        beginning = sql.read("reports", file.stem).text.split(":")[0].replace("%", "%%")
        assert any(statement.startswith(beginning) for statement in asked), f"no report asks {file.name}"
