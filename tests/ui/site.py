"""All of Airflow with its pages, over a warehouse that the jobs filled, for the duration of a with-block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from tenacity import Retrying, stop_after_delay, wait_fixed

from kalshi.exchange import Exchange
from kalshi.quality.run import QualityRequest, check_series
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.reports.quality import QUALITY
from kalshi.settings import load_settings
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.cutoff import find_cutoff
from kalshi.sync.portfolio import PortfolioRequest, sync_portfolio
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.airflow_process import running
from scripts.private_server import free_port
from tests.support.account import account_at, connection
from tests.support.airflow_cli import PROJECT, airflow_in
from tests.support.api_key import ApiKey
from tests.support.exchange_server import quick_config

CLOCK = datetime(2026, 9, 22, 15, tzinfo=UTC)
SERIES = ("KXHIGHNY", "KXHIGHDEN")
DENSE = "KXHIGHNY"
"""The series that has kalshi_candle_1m_dense too."""
FIRST = datetime(2026, 9, 18, tzinfo=UTC)
LAST = datetime(2026, 9, 21, tzinfo=UTC)
DAY = timedelta(days=1)
EVENT = "KXHIGHNY-26SEP20"
TRADED = "KXHIGHNY-26SEP02-B78.5"
"""A market that the account traded."""
CRUEL_EVENT = "KX<b>/../HIGHDEN-26SEP21"
RUN = "manual__2026-09-22T15:00:00+00:00"
CRUEL = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"
"""What an exchange might send as a title."""
SECRET = "nothing but a test's secret, long enough for HS512 " * 2
SECONDS = 60_000
"""How long a page may take on a busy machine, in milliseconds."""
USERS = {"admin": "admin", "viewer": "viewer"}
"""Users of Airflow with their roles, which are also their passwords."""


@dataclass(frozen=True)
class Site:
    """A running Airflow: its address, its warehouse and the folder of its reports."""

    url: str
    engine: sa.Engine
    reports: Path

    def token(self, user: str) -> str:
        """What ``user`` gets for the password."""
        answer = requests.post(f"{self.url}/auth/token", json={"username": user, "password": USERS[user]}, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def finished_run(self, dag: str, run: str) -> dict[str, Any]:
        """The run of ``dag`` as Airflow's API gives it, once it has ended; AssertionError if that takes minutes."""
        headers = {"Authorization": f"Bearer {self.token('admin')}"}
        for attempt in Retrying(stop=stop_after_delay(180), wait=wait_fixed(1), reraise=True):
            with attempt:
                answer = requests.get(f"{self.url}/api/v2/dags/{dag}/dagRuns/{run}", headers=headers, timeout=60)
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                assert found["state"] in ("success", "failed"), found
        return found


@contextmanager
def site(folder: Path, database: str, key: ApiKey) -> Iterator[Site]:
    """Airflow on a free port: two series of four days, one planted fault, a portfolio and their reports."""
    reports = folder / "reports"
    engine = open_engine(address_of(database), loads=True)
    with account_at(CLOCK, key, since="2026-08-25") as server:
        config = quick_config(server, key_id=key.id, private_key_pem=key.secret, timeout=(5.0, 20.0))
        with Exchange(config) as exchange:
            fill(exchange, engine, reports)
        airflow = airflow_in(folder / "airflow")
        (airflow.home / "simple_auth_manager_passwords.json.generated").write_text(json.dumps(USERS))
        airflow.environment.update(
            PYTHONPATH=str(PROJECT / "plugins"),
            AIRFLOW_CONN_KALSHI_WAREHOUSE=database,
            AIRFLOW_CONN_KALSHI_DEFAULT=connection(server, key),
            KALSHI_REPORTS_FOLDER=str(reports),
            AIRFLOW__API_AUTH__JWT_SECRET=SECRET,
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=",".join(f"{user}:{role}" for user, role in USERS.items()),
        )
        done = airflow.run("pools", "set", "kalshi_api", "8", "Tasks that send requests to the exchange")
        assert done.returncode == 0, done.stdout
        with running(airflow.environment, free_port(), folder / "airflow.log") as (_, url):
            yield Site(url, engine, reports)
    engine.dispose()


def fill(exchange: Exchange, engine: sa.Engine, reports: Path) -> None:
    """What the DAGs would have read and found."""
    migrate(engine)
    cutoff = find_cutoff(exchange, engine, "catalog")
    settled, trades = cutoff.markets_settled, cutoff.trades_created
    window: dict[str, Any] = {"window_start": FIRST, "window_end": LAST + DAY}
    for series in SERIES:
        sync_catalog(exchange, engine, CatalogRequest(series, settled))
        sync_settlements(exchange, engine, SettlementsRequest(series, settled))
        sync_candles(exchange, engine, CandlesRequest(series, settled, dense=series == DENSE, **window))
        sync_trades(exchange, engine, TradesRequest(series, settled, trades, **window))
        snapshot_prices(exchange, engine, SnapshotRequest(series, datetime.now(UTC)))
    sync_portfolio(exchange, engine, PortfolioRequest("0", trades_cutoff=trades, dag_run_id=RUN))
    _plant_faults(engine)
    for series in SERIES:
        request = QualityRequest(series, dag_run_id=RUN, asked_at=CLOCK, **window)
        check_series(engine, request, load_settings().quality)
    _plant_cruelty(engine)
    _plant_gaps(engine)
    with engine.connect() as reading:
        QUALITY.write(QUALITY.build(reading, RUN, [*SERIES]), reports / "kalshi_data_quality")
        PORTFOLIO.write(PORTFOLIO.build(reading, RUN, ["0"]), reports / "kalshi_portfolio_sync")


def _plant_faults(engine: sa.Engine) -> None:
    """Ask prices above a dollar, and a day without candles."""
    with engine.begin() as planting:
        planting.execute(
            sa.text(
                "UPDATE kalshi_candle_1m SET yes_ask_high = 1.2 WHERE market_ticker LIKE :markets "
                "ORDER BY market_ticker, bucket_start_utc LIMIT 2"
            ),
            {"markets": f"{EVENT}-%"},
        )
        planting.execute(sa.text("DELETE FROM kalshi_candle_1m WHERE market_ticker LIKE 'KXHIGHDEN-26SEP19-%'"))


def _plant_gaps(engine: sa.Engine) -> None:
    """Days that no run read, one of a series whose name and reason mean harm; and one that a person accepted."""
    gap = (
        "INSERT INTO kalshi_gap (job, scope, market_ticker, window_start_utc, window_end_utc, reason, since_utc, "
        "accepted_reason) VALUES (:job, :scope, :market, :start, :end, :reason, :since, :accepted)"
    )
    long = f"{CRUEL} and so on" * 8
    for job, scope, market, day, reason, since, accepted in (
        ("trades", "KXHIGHNY", "", 17, "no run came", "2026-09-22 14:00", None),
        ("trades", CRUEL, "?", 16, CRUEL, "2026-09-21 09:00", None),
        ("trades", "KXHIGHDEN", CRUEL, 15, long, "2026-09-21 08:00", f"because {CRUEL}"),
        ("candles", "KXHIGHDEN", f"{CRUEL_EVENT}-T1", 14, "neither tier knows the market", "2026-09-20 09:00", None),
    ):
        values = {"job": job, "scope": scope, "market": market, "reason": reason, "since": since, "accepted": accepted}
        days = {"start": f"2026-09-{day}", "end": f"2026-09-{day + 1}"}
        with engine.begin() as planting:
            planting.execute(sa.text(gap), values | days)


def _plant_cruelty(engine: sa.Engine) -> None:
    """An event whose every word means harm, with the quotes of an honest market."""
    words = {"event": CRUEL_EVENT, "market": f"{CRUEL_EVENT}-T1", "cruel": CRUEL}
    with engine.begin() as planting:
        for statement in (
            "INSERT INTO kalshi_event (event_ticker, series_ticker, title, sub_title, event_date, run_id) "
            "VALUES (:event, 'KXHIGHDEN', :cruel, :cruel, '2026-09-21', 1)",
            "INSERT INTO kalshi_market (market_ticker, event_ticker, series_ticker, yes_sub_title, status, "
            "open_time_utc, close_time_utc, run_id) VALUES (:market, :event, 'KXHIGHDEN', :cruel, 'finalized', "
            "'2026-09-20 14:00', '2026-09-22 06:00', 1)",
            "INSERT INTO kalshi_candle_1m "
            "(market_ticker, bucket_start_utc, source, period_minutes, yes_bid_close, yes_ask_close, run_id) "
            "SELECT :market, bucket_start_utc, source, 1, yes_bid_close, yes_ask_close, 1 FROM kalshi_candle_1m "
            "WHERE market_ticker = (SELECT MIN(market_ticker) FROM kalshi_market "
            "WHERE event_ticker = 'KXHIGHDEN-26SEP21')",
        ):
            planting.execute(sa.text(statement), words)
