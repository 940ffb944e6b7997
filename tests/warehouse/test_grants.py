"""include/sql/grants.sql: each user can do its work, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import sqlparse
from fastapi.testclient import TestClient
from pydantic import SecretStr

from kalshi.exchange import Exchange
from kalshi.settings import INCLUDE
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.portfolio import PortfolioRequest, sync_portfolio
from kalshi.sync.retention import RetentionRequest, drop_old_months
from kalshi.sync.snapshots import prune_snapshots
from kalshi.ui.app import app
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.months import AHEAD, PARTITIONED
from kalshi.warehouse.retention import MonthsNotDroppable
from kalshi.warehouse.server import ServerAddress, open_engine
from scripts.private_server import PrivateServer
from tests.support.account import AFTERNOON, account_at
from tests.support.api_key import make_key
from tests.support.exchange_server import quick_config
from tests.support.migrations import drop_months
from tests.support.quality import DAY, SEP_20, check, fill

USERS = ("kalshi_migrate", "kalshi_load", "kalshi_read")
DENIED = "1142"


@pytest.fixture
def granted(server_on_both: PrivateServer) -> Iterator[ServerAddress]:
    """The database ``kalshi`` with the users of the file, and nothing in it yet. Their password is their name."""
    with server_on_both.as_root() as cursor:
        cursor.execute("CREATE DATABASE kalshi CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        for user in USERS:
            cursor.execute(f"CREATE USER '{user}'@'%%' IDENTIFIED BY %s", (user,))
        for statement in sqlparse.split((INCLUDE / "sql" / "grants.sql").read_text(encoding="utf-8")):
            cursor.execute(statement)
    yield ServerAddress("127.0.0.1", "kalshi", "", port=server_on_both.port)
    with server_on_both.as_root() as cursor:
        cursor.execute("DROP DATABASE kalshi")
        for user in USERS:
            cursor.execute(f"DROP USER '{user}'@'%'")


@pytest.fixture
def users(granted: ServerAddress) -> Iterator[dict[str, sa.Engine]]:
    """An engine of each user, on a migrated warehouse."""
    engines = {user: open_engine(replace(granted, user=user, password=SecretStr(user)), loads=True) for user in USERS}
    migrate(engines["kalshi_migrate"])
    yield engines
    for engine in engines.values():
        engine.dispose()


def run(engine: sa.Engine, sql: str) -> list[sa.Row[tuple[object, ...]]]:
    with engine.begin() as connection:
        found = connection.exec_driver_sql(sql)
        return list(found.all()) if found.returns_rows else []


def test_a_loader_that_may_not_make_the_months_ahead_says_who_may(
    users: dict[str, sa.Engine], caplog: pytest.LogCaptureFixture
) -> None:
    drop_months(users["kalshi_migrate"], AHEAD)
    assert migrate(users["kalshi_load"])
    for table in PARTITIONED:
        assert f"{table} has no months after" in caplog.text
    assert "by the user that migrates" in caplog.text
    assert DENIED in caplog.text


def test_the_loader_runs_every_job_and_the_reader_sees_what_it_wrote_on_every_page(
    granted: ServerAddress,
    users: dict[str, sa.Engine],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loader, reader = users["kalshi_load"], users["kalshi_read"]
    key = make_key("ed25519", tmp_path_factory.mktemp("key"))
    with account_at(AFTERNOON, key, since="2026-08-15") as server:
        config = quick_config(server, key_id=key.id, private_key_pem=key.secret, timeout=(5.0, 20.0))
        with Exchange(config) as exchange:
            assert migrate(loader), "nothing to migrate, so nothing to be refused"
            fill(exchange, loader, SEP_20 - DAY, SEP_20 + DAY)
            fill(exchange, loader, SEP_20 - DAY, SEP_20 + DAY)
            cutoff = exchange.historical_cutoff()
            day = CandlesRequest(
                "KXHIGHNY", cutoff.markets_settled, window_start=SEP_20, window_end=SEP_20 + DAY, dense=True, force=True
            )
            assert sync_candles(exchange, loader, day).state == "success"
            money = PortfolioRequest("0", trades_cutoff=cutoff.trades_created)
            assert sync_portfolio(exchange, loader, money).state == "success"
        assert check(loader).state != "failed"
        assert prune_snapshots(loader, datetime.now(UTC) + DAY, dry_run=False) > 0
    names = [name for (name,) in run(reader, "SHOW TABLES")]
    filled = {str(name) for name in names if run(reader, f"SELECT 1 FROM {name} LIMIT 1")}
    assert {"kalshi_market", "kalshi_candle_1m_dense", "kalshi_fill", "kalshi_pnl_market", "kalshi_freshness"} < filled
    mine = f"mysql://kalshi_read:kalshi_read@127.0.0.1:{granted.port}/kalshi"
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", mine)
    (login,) = app.router.dependencies
    monkeypatch.setattr(app, "dependency_overrides", {login.dependency: lambda: None})
    client = TestClient(app)
    for page in ("/", "/coverage", "/event/KXHIGHNY-26SEP20", "/portfolio", "/reports"):
        assert client.get(page).status_code == 200, page


def test_the_loader_changes_no_table(users: dict[str, sa.Engine]) -> None:
    for statement in (
        "CREATE TABLE kalshi_more (n INT)",
        "ALTER TABLE kalshi_market ADD COLUMN n INT",
        "DROP TABLE kalshi_trade",
        "TRUNCATE TABLE kalshi_trade",
        "DROP VIEW kalshi_freshness",
    ):
        with pytest.raises(sa.exc.OperationalError, match=DENIED):
            run(users["kalshi_load"], statement)


def test_the_loader_drops_months_only_with_the_privileges_that_the_file_names_for_it(
    server_on_both: PrivateServer, users: dict[str, sa.Engine]
) -> None:
    loader = users["kalshi_load"]
    run(
        loader,
        "INSERT INTO kalshi_candle_1m_dense (market_ticker, bucket_start_utc, is_synthetic, has_trade, volume, run_id) "
        "VALUES ('A', '2024-05-01', TRUE, FALSE, 0, 1)",
    )
    request = RetentionRequest("kalshi_candle_1m_dense", keep_months=1, dry_run=False)
    with pytest.raises(MonthsNotDroppable, match="python -m kalshi grants"):
        drop_old_months(loader, request)
    assert run(loader, "SELECT * FROM kalshi_dropped_month") == []
    text = (INCLUDE / "sql" / "grants.sql").read_text(encoding="utf-8")
    optional = re.findall(r"^-- (GRANT ALTER, DROP .*);$", text, re.MULTILINE)
    assert len(optional) == len(PARTITIONED)
    with server_on_both.as_root() as cursor:
        for statement in optional:
            cursor.execute(statement)
    for table in PARTITIONED:
        assert drop_old_months(loader, replace(request, scope=table)).state == "success"
    assert run(loader, "SELECT * FROM kalshi_candle_1m_dense") == []


def test_the_reader_changes_no_row(users: dict[str, sa.Engine]) -> None:
    for statement in (
        "INSERT INTO kalshi_freshness_rule VALUES ('kalshi_x', 'x', 1)",
        "UPDATE kalshi_freshness_rule SET allowed_lag_minutes = 1",
        "DELETE FROM kalshi_freshness_rule",
    ):
        with pytest.raises(sa.exc.OperationalError, match=DENIED):
            run(users["kalshi_read"], statement)


def test_no_user_sees_another_database(users: dict[str, sa.Engine]) -> None:
    for engine in users.values():
        assert {str(name).lower() for (name,) in run(engine, "SHOW DATABASES")} <= {
            "kalshi",
            "information_schema",
            "performance_schema",
        }
