"""The doctor with real servers: healthy parts pass, and each fault is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.operations import doctor
from kalshi.operations.doctor import examine
from kalshi.settings import INCLUDE, load_settings
from kalshi.warehouse import exchanges
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer, free_port
from tests.support.account import AFTERNOON, account_at, connection
from tests.support.airflow_cli import PROJECT, Airflow
from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ApiKey:
    return make_key("ed25519", tmp_path_factory.mktemp("doctor-key"))


@pytest.fixture(scope="module")
def account(key: ApiKey) -> Iterator[ExchangeServer]:
    with account_at(AFTERNOON, key, since="2026-09-15") as server:
        yield server


@pytest.fixture
def well(
    monkeypatch: pytest.MonkeyPatch,
    warehouse_on_both: sa.Engine,
    warehouse_uri_on_both: str,
    exchange_server: ExchangeServer,
) -> sa.Engine:
    """Both connections lead to servers that are as they should be."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)
    monkeypatch.setenv(
        "AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps({"conn_type": "kalshi", "host": exchange_server.base_url})
    )
    return warehouse_on_both


def ask(state: str) -> dict[str, str]:
    """What the doctor finds to be in that state."""
    return {finding.check: finding.words for finding in examine() if finding.state == state}


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connected:
        for statement in statements:
            connected.exec_driver_sql(statement)


def test_all_is_well(well: sa.Engine) -> None:
    assert ask("fail") == {}
    assert set(ask("warn")) == {"alerts"}
    assert {"server", "TLS", "migrations", "rights", "server's clock", "exchange", "exchange's clock"} < set(ask("ok"))


def test_what_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", "kalshi://127.0.0.1:9/trade-api/v2")
    found = ask("fail")
    assert "AIRFLOW_CONN_KALSHI_WAREHOUSE" in found["kalshi_warehouse"]
    assert found["exchange"] == (
        "http://127.0.0.1:9/trade-api/v2 can't be reached (the connection was refused): check the network and the "
        "host of kalshi_default."
    )


def test_a_schema_that_is_missing_or_newer_than_the_code(well: sa.Engine) -> None:
    run(well, "UPDATE kalshi_schema_version SET version_num = '9999_of_tomorrow'")
    assert "upgrade the code" in ask("fail")["migrations"]
    run(well, "DELETE FROM kalshi_schema_version")
    assert "python -m kalshi migrate" in ask("warn")["migrations"]


def test_a_user_who_may_only_read(
    well: sa.Engine, server_on_both: PrivateServer, warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = warehouse_uri_on_both
    name = address_of(uri).database
    with server_on_both.as_root() as cursor:
        cursor.execute(f"CREATE USER reader_{name} IDENTIFIED BY %s", (server_on_both.password,))
        cursor.execute(f"GRANT SELECT ON {name}.* TO reader_{name}")
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", uri.replace(f"//{name}:", f"//reader_{name}:"))
    assert "grants.sql" in ask("fail")["kalshi_warehouse"]
    with server_on_both.as_root() as cursor:
        cursor.execute(f"DROP USER reader_{name}")


def test_settings_of_the_server_that_slow_it_down(
    well: sa.Engine, server_on_both: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKET_BYTES", 2**40)
    with server_on_both.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = 0")
        try:
            found = ask("warn")
        finally:
            cursor.execute("SET GLOBAL local_infile = 1")
    assert {"local_infile", "max_allowed_packet"} < set(found)


def test_stale_tables_of_the_jobs_that_run(well: sa.Engine) -> None:
    insert = "INSERT INTO kalshi_sync_run (job, scope, state, started_at_utc, ended_at_utc) VALUES "
    run(
        well,
        insert + "('catalog', 'KXHIGHNY', 'success', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
        insert
        + "('trades', 'KXHIGHNY', 'success', UTC_TIMESTAMP(6) - INTERVAL 9 HOUR, UTC_TIMESTAMP(6) - INTERVAL 9 HOUR)",
        insert + "('settlements', 'KXHIGHNY', 'failed', UTC_TIMESTAMP(6) - INTERVAL 9 HOUR, NULL)",
        insert + "('snapshots', 'KXHIGHNY', 'running', UTC_TIMESTAMP(6), NULL)",
    )
    found = ask("fail")
    assert set(found) == {"kalshi_trade", "kalshi_settlement"}
    assert "stale: no successful run since" in found["kalshi_trade"]
    assert "no successful run yet" in found["kalshi_settlement"]
    assert {"kalshi_market", "kalshi_price_snapshot"} < set(ask("ok")), "a first run under way isn't late"


def test_gaps_are_a_warning_by_job_and_scope_and_accepted_ones_are_not(well: sa.Engine) -> None:
    insert = (
        "INSERT INTO kalshi_gap (job, scope, market_ticker, window_start_utc, window_end_utc, reason, since_utc, "
        "accepted_reason, run_id) VALUES "
    )
    day = "'2026-09-20', '2026-09-21', 'no run came'"
    run(
        well,
        insert + f"('trades', 'KXHIGHNY', '', {day}, '2026-09-22 08:00', NULL, 0)",
        insert + f"('trades', 'KXHIGHNY', 'KXHIGHNY-26SEP20-T1', {day}, '2026-09-21 07:30', NULL, 0)",
        insert + f"('trades', 'KXHIGHDEN', '', {day}, '2026-09-21 06:00', NULL, 0)",
        insert + f"('candles', 'KXHIGHNY', '', {day}, '2026-09-22 08:00', 'the exchange lost it', 0)",
        insert + f"('catalog', 'KXHIGHNY', '', {day}, '2026-09-22 08:00', NULL, 77)",
        "INSERT INTO kalshi_sync_run (run_id, job, scope, state, heartbeat_at_utc) "
        "VALUES (77, 'catalog', 'KXHIGHNY', 'running', UTC_TIMESTAMP(6))",
    )
    found = ask("warn")
    assert set(found) == {"alerts", "gaps in trades"}
    assert found["gaps in trades"].startswith(
        "3, the oldest first: KXHIGHDEN: 1, since 2026-09-21 06:00 UTC; KXHIGHNY: 2, since 2026-09-21 07:30 UTC. "
    )
    assert ask("ok")["accepted gaps"] == "1: candles of KXHIGHNY: 1"
    run(well, "DELETE FROM kalshi_gap")
    assert ask("ok")["gaps"] == "none"


def test_many_series_with_gaps_are_a_few_words(well: sa.Engine) -> None:
    for number in range(9):
        run(
            well,
            "INSERT INTO kalshi_gap (job, scope, window_start_utc, window_end_utc, reason) "
            f"VALUES ('trades', 'SERIES{number}', '2026-09-20', '2026-09-21', 'no run came')",
        )
    words = ask("warn")["gaps in trades"]
    assert "and 4 more scopes" in words
    assert words.count("since") == 5


@pytest.mark.exchange
def test_a_key_and_what_its_account_allows(
    monkeypatch: pytest.MonkeyPatch, account: ExchangeServer, key: ApiKey, tmp_path: Path
) -> None:
    extra = {"requests_per_second": 20}
    parts = json.loads(connection(account, key))
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps({**parts, "extra": extra}))
    assert ask("ok")["key"] == "accepted; tier basic"
    assert ask("ok")["requests"] == "20 per second of 20 allowed"
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps({**parts, "extra": {"requests_per_second": 30}}))
    assert "lower extra.requests_per_second" in ask("fail")["requests"]
    other = make_key("ed25519", tmp_path)
    wrong = {**parts, "password": other.private_pem, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps(wrong))
    found = ask("fail")["kalshi_default"]
    assert "401" in found
    assert "PRIVATE" not in found


class _LateExchange(BaseHTTPRequestHandler):
    """Responds to any request, with a clock an hour behind."""

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True))
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def test_a_clock_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), _LateExchange) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"kalshi://127.0.0.1:{server.server_port}/trade-api/v2"
        monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", address)
        assert ask("fail")["exchange's clock"].startswith(("3,600 s behind", "3,599 s behind", "3,601 s behind"))
        server.shutdown()


def test_little_room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SPARE_BYTES", 2**60)
    assert "reports folder" in ask("fail")


@pytest.mark.parametrize(
    ("notifier", "message"),
    [
        ('notifier = "airflow.providers.nobody.Notifier"', "no attribute 'nobody'"),
        ('notifier = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"', "to"),
    ],
)
def test_a_notifier_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, notifier: str, message: str
) -> None:
    settings = tmp_path / "kalshi.toml"
    settings.write_text(f"{(INCLUDE / 'kalshi.toml').read_text()}\n[[alerts]]\n{notifier}\n")
    monkeypatch.setenv("KALSHI_SETTINGS", str(settings))
    load_settings.cache_clear()
    try:
        assert message in ask("fail")["alerts"]
    finally:
        load_settings.cache_clear()


def test_the_command_line_knows_the_connections_and_pools_of_airflow(
    airflow: Airflow, warehouse_uri: str, exchange_server: ExchangeServer
) -> None:
    assert airflow.run("pools", "set", "kalshi_api", "8", "for the doctor").returncode == 0
    environment = {
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": warehouse_uri,
        "AIRFLOW_CONN_KALSHI_DEFAULT": json.dumps({"conn_type": "kalshi", "host": exchange_server.base_url}),
        "PYTHONPATH": str(PROJECT / "plugins"),
    }
    done = airflow.python("-m", "kalshi", "doctor", **environment)
    assert done.returncode == 0, done.stdout
    assert "kalshi_api: 8 tasks at the same time" in done.stdout
    assert airflow.run("pools", "delete", "kalshi_api").returncode == 0
    done = airflow.python("-m", "kalshi", "doctor", **environment)
    assert done.returncode == 1
    assert "airflow pools set kalshi_api" in done.stdout


def test_the_command_line_accepts_a_new_key_and_no_synthetic_exchange_for_real_data(
    airflow: Airflow, warehouse: sa.Engine, warehouse_uri: str, account: ExchangeServer, key: ApiKey
) -> None:
    environment = {
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": warehouse_uri,
        "AIRFLOW_CONN_KALSHI_DEFAULT": connection(account, key),
        "PYTHONPATH": str(PROJECT / "plugins"),
    }
    with warehouse.begin() as c:
        exchanges.accept_key(c, "the key before", 1)
    done = airflow.python("-m", "kalshi", "accept", **environment)
    assert done.returncode == 0, done.stdout
    accepted = f"kalshi_warehouse accepts data of sandbox, seed 1, and portfolios read with the API key {key.id}."
    assert accepted in done.stdout
    with warehouse.begin() as c:
        assert exchanges.keys(c) == {"the key before", key.id}
        c.exec_driver_sql("UPDATE kalshi_exchange SET exchange = 'https://exchange.example', is_synthetic = FALSE")
    done = airflow.python("-m", "kalshi", "accept", **environment)
    assert done.returncode == 1
    assert "Synthetic and real data never mix" in done.stdout
    assert "Traceback" not in done.stdout


def test_airflow_on_mariadb_is_warned_of(airflow: Airflow, empty_database: str) -> None:
    environment = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": empty_database.replace("mysql://", "mysql+pymysql://"),
        "PYTHONPATH": str(PROJECT / "plugins"),
    }
    assert airflow.run("db", "migrate", **environment).returncode == 0
    done = airflow.python("-m", "kalshi", "doctor", **environment)
    assert "Airflow's scheduler crashes on MariaDB" in done.stdout


def test_a_server_that_keeps_all_tables_in_one_file_compresses_none(
    server_on_both: PrivateServer, empty_database_on_both: str, well: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "compression" in ask("ok")
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", empty_database_on_both)
    engine = open_engine(address_of(empty_database_on_both))
    with server_on_both.as_root() as cursor:
        cursor.execute("SET GLOBAL innodb_file_per_table = 0")
    try:
        migrate(engine)
    finally:
        with server_on_both.as_root() as cursor:
            cursor.execute("SET GLOBAL innodb_file_per_table = 1")
        engine.dispose()
    assert ask("warn")["compression"].startswith("off")


def test_months_without_a_partition_are_named_and_the_command_makes_them(
    empty_database_on_both: str, well: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", empty_database_on_both)
    engine = open_engine(address_of(empty_database_on_both))
    migrate(engine)
    assert ask("ok")["months"].startswith("a partition for each, until 20")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE kalshi_price_snapshot REMOVE PARTITIONING")
    assert ask("warn")["months"].startswith("kalshi_price_snapshot not partitioned")
    with engine.begin() as connection:
        old = "PARTITION p2021_07 VALUES LESS THAN ('2021-08-01'), PARTITION later VALUES LESS THAN (MAXVALUE)"
        connection.exec_driver_sql(
            f"ALTER TABLE kalshi_price_snapshot PARTITION BY RANGE COLUMNS (snapshot_at_utc) ({old})"
        )
    assert ask("warn")["months"].startswith("partitions end with 2021-07")
    migrate(engine, is_attended=True)
    assert "months" in ask("ok")
    engine.dispose()


def test_what_was_dropped_on_purpose_is_named(well: sa.Engine) -> None:
    with well.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO kalshi_dropped_month (table_name, month, state, row_count, run_id) VALUES "
            "('kalshi_trade', '2024-01-01', 'dropped', 700, 1), ('kalshi_trade', '2024-02-01', 'dropped', 1300, 2)"
        )
    assert ask("ok")["dropped of kalshi_trade"] == "2,000 rows in 2 months up to 2024-02, on purpose"


def test_a_copy_that_cannot_be_reached_is_named(
    well: sa.Engine, warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "copy" not in ask("ok")
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", f"{warehouse_uri_on_both}?read_port={free_port()}")
    assert ask("warn")["copy"] == "The copy of the warehouse can't be reached: this is from the primary."
