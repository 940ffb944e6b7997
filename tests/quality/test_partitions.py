"""A quality run reads only the rows of its window, and contacts nothing but the database."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.quality.scope import find_scope
from kalshi.quality.suites import SUITES
from kalshi.reports.quality import QUALITY
from kalshi.settings import load_settings
from kalshi.warehouse import sql
from tests.support.databases import select
from tests.support.quality import DAY, SEP_20, SERIES, check

RULES = load_settings().quality


def plan_of(engine: sa.Engine, statement: str, start: Any = SEP_20) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE TABLE kalshi_candle_1m, kalshi_trade, kalshi_price_snapshot")
        scope = find_scope(connection, 1, SERIES, start, start + DAY, start + DAY)
        rows = connection.execute(sql.bound(f"EXPLAIN FORMAT=TRADITIONAL {statement}", scope.values(RULES))).mappings()
        return [dict(row) for row in rows]


def test_the_candles_of_a_day_are_looked_up_and_those_beside_it_not(filled_on_both: sa.Engine) -> None:
    statement = sql.read("partitions", "candles")[1]
    (counted,) = select(
        filled_on_both,
        "SELECT COUNT(*) AS n, SUM(bucket_start_utc >= '2026-09-20') AS day FROM kalshi_candle_1m",
    )
    first, *_ = plan_of(filled_on_both, statement)
    assert (first["type"], first["key"]) == ("range", "PRIMARY")
    assert int(first["rows"]) < 1.3 * float(counted["day"]) < counted["n"]


@pytest.mark.parametrize("table", ["candle", "trade", "snapshot"])
def test_orphans_are_looked_for_among_tickers_and_not_among_rows(filled_on_both: sa.Engine, table: str) -> None:
    (plan, *_) = plan_of(filled_on_both, sql.read("partitions", f"{table}_tickers")[1])
    assert "Using index" in plan["Extra"]
    if table == "candle":
        assert "Using index for group-by" in plan["Extra"], "each ticker is looked up once"


def test_every_check_has_its_rule_and_its_file() -> None:
    names = [check.name for suite in SUITES for check in suite.checks]
    assert len(names) == len(set(names))
    assert {*names, "backtest_ready"} == set(RULES.checks)
    files = {file.stem for file in (sql.FOLDER / "checks").glob("*.sql")}
    assert files == {name for name in names if not name.endswith("_schema")}
    for suite in SUITES:
        for one in suite.checks:
            assert one.about.endswith("."), one.name


def test_only_the_database_is_queried_and_the_report_works_offline(
    filled: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        asked.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    check(filled, dag_run_id="manual__x")
    with filled.connect() as connection:
        report = QUALITY.build(connection, "manual__x", [SERIES])
    page = QUALITY.write(report, tmp_path)
    assert {address[0] for address in asked} <= {"127.0.0.1"}
    docs = {one.stem: one for one in (page.parent / "data_docs" / SERIES).glob("*.html")}
    assert set(docs) == {suite.table for suite in SUITES} | {"kalshi_readiness"}
    for one in (page, *docs.values()):
        text = one.read_text(encoding="utf-8").replace("http://www.w3.org/", "")  # the names of SVG's elements
        assert "http://" not in text
        assert "https://" not in text
        assert "<script" not in text
