"""The whole exchange in one stream, ``*``: the same rows as series by series, and evidence that counts for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.evidence import Doubt, Reading, read_gap
from kalshi.sync.run import recorded_run
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse import checkpoints, gaps
from kalshi.warehouse.checkpoints import COMBO, EVERYTHING, Window, covered_until
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.ledger import RunKey
from scripts.content import content, contents
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.support.warehouses import forget

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
NOON = datetime(2026, 9, 20, 12, tzinfo=UTC)
NY = "KXHIGHNY"
AT_NOON = "bucket_start_utc >= '2026-09-20 12:00' AND bucket_start_utc < '2026-09-20 14:00'"
ALIVE = "open_time_utc < '2026-09-20 14:00' AND close_time_utc > '2026-09-20 12:00'"
Result = TypeVar("Result")


class Jobs:
    """Runs jobs of one exchange into one warehouse."""

    def __init__(self, exchange: Exchange, engine: sa.Engine) -> None:
        self.exchange, self.engine = exchange, engine
        cutoff = exchange.historical_cutoff()
        self.settled, self.traded = cutoff.markets_settled, cutoff.trades_created
        assert self.traded

    def catalog(self, scope: str = EVERYTHING, **others: Any) -> Any:
        request = CatalogRequest(scope, self.settled, include_historical=False, **others)
        return sync_catalog(self.exchange, self.engine, request)

    def settlements(self, scope: str = EVERYTHING, **others: Any) -> Any:
        return sync_settlements(self.exchange, self.engine, SettlementsRequest(scope, self.settled, **others))

    def trades(
        self, scope: str = EVERYTHING, start: datetime = SEP_20, end: datetime = SEP_20 + DAY, **others: Any
    ) -> Any:
        about = {"window_start": start, "window_end": end, **others}
        return sync_trades(self.exchange, self.engine, TradesRequest(scope, self.settled, self.traded, **about))

    def candles(
        self, scope: str = EVERYTHING, start: datetime = NOON, end: datetime = NOON + 2 * HOUR, **others: Any
    ) -> Any:
        about = {"window_start": start, "window_end": end, **others}
        return sync_candles(self.exchange, self.engine, CandlesRequest(scope, self.settled, self.traded, **about))

    def all_series(self) -> list[str]:
        return sorted(found.record.ticker for found in self.exchange.all_series().records)

    def covered(self, job: str, scope: str, start: datetime = SEP_20) -> datetime | None:
        with self.engine.connect() as connection:
            return covered_until(connection, job, scope, start)


@pytest.fixture(scope="module")
def _small_exchange() -> Iterator[ExchangeServer]:
    """That of other tests, with 120 markets in KXSANDBOXWIDE rather than 2,500: too many for one batch of candles."""
    with ExchangeServer("--since=2026-04-01", "--requests-per-second=0", "--wide-markets=120") as server:
        yield server


@pytest.fixture
def jobs(exchange: Exchange, warehouse: sa.Engine) -> Jobs:
    return Jobs(exchange, warehouse)


@pytest.fixture(scope="module")
def many_kinds() -> Iterator[ExchangeServer]:
    """Series of all kinds, most of which don't begin their markets' tickers with their own; combinations too."""
    options = ("--series=9", "--open-markets=60", "--trades-a-day=1500", "--wide-markets=0", "--live-days=7")
    with ExchangeServer("--since=2026-06-01", "--requests-per-second=0", *options) as server:
        yield server


@pytest.fixture
def some(many_kinds: ExchangeServer, warehouse: sa.Engine) -> Iterator[Jobs]:
    """Jobs of that exchange."""
    with Exchange(quick_config(many_kinds)) as exchange:
        yield Jobs(exchange, warehouse)
    many_kinds.faults()


def test_the_rows_are_those_of_a_run_series_by_series(exchange: Exchange, warehouse_on_both: sa.Engine) -> None:
    jobs = Jobs(exchange, warehouse_on_both)
    for scope in jobs.all_series():
        jobs.catalog(scope)
        jobs.trades(scope)
        jobs.candles(scope, end=NOON + 4 * HOUR, sources=("api_event", "trades"))
    by_series = contents(warehouse_on_both)
    forget(warehouse_on_both)
    assert jobs.catalog().state == jobs.trades().state == "success"
    assert jobs.candles(end=NOON + 4 * HOUR, sources=("api_event", "trades")).state == "success"
    assert contents(warehouse_on_both) == by_series
    assert by_series["kalshi_trade"][0] > 500
    assert by_series["kalshi_candle_1m"][0] > 5_000


def test_settlements_of_everything_are_those_of_the_live_tier(jobs: Jobs, exchange_server: ExchangeServer) -> None:
    report = jobs.settlements()
    listed = set()
    for series in jobs.all_series():
        answer = exchange_server.get("/markets", series_ticker=series, status="settled", limit=1000).json()
        listed |= {market["ticker"] for market in answer["markets"] if market["result"]}
    assert {row["market_ticker"] for row in select(jobs.engine, "SELECT * FROM kalshi_settlement")} == listed
    assert report.settled == len(listed) > 100
    again = jobs.settlements()
    assert (again.state, again.inserted, again.updated) == ("success", 0, 0)


def test_settlements_of_everything_are_those_of_each_series(jobs: Jobs) -> None:
    series = jobs.all_series()
    for scope in series:
        jobs.settlements(scope)
    forgotten = "SELECT market_ticker FROM kalshi_settlement WHERE settled_at_utc < :cutoff"
    with jobs.engine.connect() as connection:
        archived = {row[0] for row in connection.execute(sa.text(forgotten), {"cutoff": jobs.settled})}
    by_series = {row["market_ticker"]: row for row in select(jobs.engine, "SELECT * FROM kalshi_settlement")}
    forget(jobs.engine)
    jobs.settlements()
    everything = {row["market_ticker"]: row for row in select(jobs.engine, "SELECT * FROM kalshi_settlement")}
    assert everything.keys() == by_series.keys() - archived
    for ticker, row in everything.items():
        for column in ("event_ticker", "series_ticker", "result", "settlement_value", "settled_at_utc"):
            assert row[column] == by_series[ticker][column]


def test_what_was_read_of_everything_is_not_read_again_of_a_series(jobs: Jobs) -> None:
    jobs.catalog()
    jobs.trades()
    report = jobs.trades(NY)
    assert (report.requests, report.state) == (0, "success")
    assert jobs.covered("trades", NY) == jobs.covered("trades", EVERYTHING) == SEP_20 + DAY
    assert jobs.covered("trades", NY, SEP_20 - HOUR) is None


def test_a_series_continues_where_everything_was_settled_until(jobs: Jobs) -> None:
    jobs.settlements(NY)
    jobs.settlements()
    before = jobs.exchange.traffic.requests
    assert jobs.settlements(NY).inserted == 0
    assert jobs.exchange.traffic.requests - before <= 3, "incremental: settled, closed, overdue"


def test_trades_need_one_request_a_page_once_the_catalog_is_known(jobs: Jobs) -> None:
    jobs.catalog()
    report = jobs.trades()
    assert report.requests <= 1.05 * (report.trades / 1000) + 2


def test_the_tape_makes_its_markets_known_before_their_trades(jobs: Jobs) -> None:
    assert jobs.trades().state == "success"
    placeholders = "SELECT market_ticker FROM kalshi_market WHERE is_placeholder"
    assert select(jobs.engine, placeholders) == []
    assert select(jobs.engine, "SELECT DISTINCT series_ticker FROM kalshi_market") != []


def test_the_tape_of_a_window_across_the_cutoff_comes_from_both_tiers(jobs: Jobs) -> None:
    assert jobs.traded
    window: dict[str, Any] = {"start": jobs.traded - 2 * DAY, "end": jobs.traded + 2 * DAY}
    for scope in jobs.all_series():
        jobs.trades(scope, **window)
    by_series = content(jobs.engine, "kalshi_trade")
    forget(jobs.engine)
    jobs.trades(**window)
    assert content(jobs.engine, "kalshi_trade") == by_series


def test_a_killed_tape_resumes_at_the_time_that_it_had_come_down_to(
    jobs: Jobs, exchange_server: ExchangeServer
) -> None:
    jobs.catalog()
    window: dict[str, Any] = {"start": SEP_20 - 6 * DAY, "end": SEP_20 + DAY}
    whole = jobs.trades(**window)
    assert whole.pages > 4
    everything = content(jobs.engine, "kalshi_trade")
    forget(jobs.engine)
    jobs.catalog()
    exchange_server.faults({"kind": "http_500", "path": "/markets/trades", "skip": whole.pages - 2, "times": 99})
    with pytest.raises(ExchangeUnavailable):
        jobs.trades(**window)
    exchange_server.faults()
    rest = jobs.trades(**window)
    assert (rest.state, rest.pages) == ("success", 2)
    assert content(jobs.engine, "kalshi_trade") == everything
    assert jobs.covered("trades", NY, SEP_20 - 6 * DAY) == SEP_20 + DAY


def test_what_everything_lacks_of_one_market_is_missing_from_its_series_alone(
    jobs: Jobs, exchange_server: ExchangeServer
) -> None:
    jobs.catalog()
    exchange_server.faults({"kind": "malformed_trade", "path": "/markets/trades$", "times": 1})
    report = jobs.trades(tolerated_share=1)
    exchange_server.faults()
    assert report.state == "warning"
    assert report.rejected
    (gap,) = select(jobs.engine, "SELECT * FROM kalshi_gap")
    ticker, scope = gap["market_ticker"], gap["scope"]
    assert scope == ticker.partition("-")[0] != NY
    unresolved = "SELECT scope FROM kalshi_rejected_record WHERE resolved_at_utc IS NULL"
    assert [row["scope"] for row in select(jobs.engine, unresolved)] == [scope]
    assert f"{ticker} from 2026-09-20" in " ".join(report.warnings)
    assert (jobs.trades(NY).requests, jobs.covered("trades", NY)) == (0, SEP_20 + DAY), "it lacks nothing"
    healed = jobs.trades()
    assert (healed.state, healed.markets) == ("success", 1), "the rest isn't read again"
    assert select(jobs.engine, "SELECT * FROM kalshi_gap") == []
    assert select(jobs.engine, unresolved) == []


def test_a_series_reads_what_everything_lacks_of_its_market(jobs: Jobs, exchange_server: ExchangeServer) -> None:
    jobs.catalog()
    exchange_server.faults({"kind": "malformed_trade", "path": "/markets/trades$", "times": 1})
    jobs.trades(tolerated_share=1)
    exchange_server.faults()
    (gap,) = select(jobs.engine, "SELECT * FROM kalshi_gap")
    report = jobs.trades(gap["scope"])
    assert (report.state, report.markets) == ("success", 1)
    assert select(jobs.engine, "SELECT * FROM kalshi_gap") == []


def _failing(server: ExchangeServer, run: Callable[[], Result]) -> None:
    server.faults({"kind": "http_500", "path": "/markets/trades", "times": 99})
    with pytest.raises(ExchangeUnavailable):
        run()
    server.faults()


def test_a_run_of_everything_fills_the_gaps_that_runs_of_series_have_left(
    jobs: Jobs, exchange_server: ExchangeServer
) -> None:
    jobs.catalog()
    _failing(exchange_server, lambda: jobs.trades(NY, SEP_20 - DAY, SEP_20 + 2 * DAY))
    assert jobs.trades().state == "success"
    assert count(jobs.engine, "kalshi_gap") == 0
    assert jobs.covered("trades", NY, SEP_20 - DAY) == SEP_20 + 2 * DAY


def test_a_gap_that_is_noted_while_everything_is_read_stays(jobs: Jobs) -> None:
    jobs.catalog()
    jobs.trades()
    late = Gap(Window("trades", NY, SEP_20, SEP_20 + HOUR), f"{NY}-26SEP20-B70.5", "reopened")
    with jobs.engine.begin() as connection:
        gaps.note(connection, [late])
        gaps.close_everywhere(connection, "trades")
    assert count(jobs.engine, "kalshi_gap") == 1
    jobs.trades(force=True)
    assert count(jobs.engine, "kalshi_gap") == 0


def test_a_late_trade_on_the_tape_reopens_the_candles_of_its_series(jobs: Jobs) -> None:
    jobs.trades()
    (last,) = select(
        jobs.engine, "SELECT * FROM kalshi_trade WHERE market_ticker LIKE 'KXHIGHNY%' ORDER BY executed_at_utc LIMIT 1"
    )
    with jobs.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO kalshi_checkpoint (job, scope, window_start_utc, window_end_utc, state, run_id, attempts) "
                "VALUES ('candles_from_trades', :scope, :start, :end, 'COMPLETE', 1, 1)"
            ),
            {"scope": NY, "start": SEP_20.replace(tzinfo=None), "end": (SEP_20 + DAY).replace(tzinfo=None)},
        )
        connection.execute(sa.text("DELETE FROM kalshi_trade WHERE trade_id = :id"), {"id": last["trade_id"]})
    jobs.trades(force=True)
    (gap,) = select(jobs.engine, "SELECT * FROM kalshi_gap WHERE job = 'candles_from_trades'")
    assert (gap["scope"], gap["market_ticker"]) == (NY, last["market_ticker"])


def test_candles_of_everything_are_not_read_again_of_a_series(some: Jobs) -> None:
    some.catalog()
    whole = some.candles()
    assert whole.state == "success"
    assert whole.markets == count(some.engine, f"kalshi_market WHERE {ALIVE}") > whole.with_candles > 50
    report = some.candles(NY, dense=True)
    assert (report.requests, report.state) == (0, "success")
    assert report.dense_minutes > 0, "dense minutes are built for a series that is named"


def _ticker(server: ExchangeServer) -> str:
    """A market of New York that is open at noon."""
    ticker: str = server.get("/markets", event_ticker=f"{NY}-26SEP20").json()["markets"][0]["ticker"]
    return ticker


def test_a_market_whose_life_was_not_known_is_a_gap_of_its_series_that_everything_fills(
    some: Jobs, many_kinds: ExchangeServer
) -> None:
    ticker = _ticker(many_kinds)
    elsewhere = {"ticker": ticker, "open_time": "2026-09-28T00:00:00Z", "close_time": "2026-09-29T00:00:00Z"}
    many_kinds.faults({"kind": "set_market", "path": "/markets$", "times": 9999, "value": elsewhere})
    some.catalog()
    some.candles()
    many_kinds.faults()
    assert some.catalog(full=True).state == "success"
    (gap,) = select(some.engine, "SELECT * FROM kalshi_gap")
    assert (gap["job"], gap["scope"], gap["market_ticker"]) == ("candles", NY, ticker)
    assert some.covered("candles", "KXHIGHCHI", NOON) == NOON + 2 * HOUR, "nothing else is in doubt"
    assert some.candles(start=NOON + 2 * HOUR, end=NOON + 3 * HOUR).state == "success"
    assert count(some.engine, f"kalshi_candle_1m WHERE market_ticker = '{ticker}' AND {AT_NOON}") > 10
    assert count(some.engine, "kalshi_gap") == 0


def test_a_market_that_the_catalog_of_everything_could_not_read_is_missing_from_its_candles(
    some: Jobs, many_kinds: ExchangeServer
) -> None:
    ticker = _ticker(many_kinds)
    bad = {"ticker": ticker, "open_time": 7}
    many_kinds.faults({"kind": "set_market", "path": "/markets$", "times": 9999, "value": bad})
    some.catalog(tolerated_share=1)
    report = some.candles(tolerated_share=1)
    assert f"{ticker} from 2026-09-20" in " ".join(report.warnings)
    assert some.covered("candles", EVERYTHING, NOON) is None
    many_kinds.faults()
    some.catalog()
    assert some.candles().state == "success"
    assert count(some.engine, "kalshi_gap") == 0
    assert count(some.engine, f"kalshi_candle_1m WHERE market_ticker = '{ticker}' AND {AT_NOON}") > 10


def test_candles_from_before_the_cutoff_are_read_only_if_all_that_closed_since_is_known(some: Jobs) -> None:
    start = some.settled.replace(minute=0, second=0, microsecond=0) - 3 * HOUR
    window: dict[str, Any] = {"start": start, "end": start + 2 * HOUR}
    report = some.candles(**window)
    assert "name those that you need" in " ".join(report.warnings)
    assert some.covered("candles", EVERYTHING, start) is None
    assert count(some.engine, "kalshi_candle_1m") == 0
    some.settled = start - HOUR  # as if the catalog had been read since then
    some.catalog()
    sync_catalog(some.exchange, some.engine, CatalogRequest(NY, start + 3 * HOUR))
    some.settled = start + 3 * HOUR
    assert some.candles(**window).state == "success"
    assert count(some.engine, f"kalshi_candle_1m WHERE market_ticker LIKE '{NY}-%'") > 100


def test_killed_candles_of_everything_resume_behind_the_last_whole_event(
    some: Jobs, many_kinds: ExchangeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kalshi.sync.api_candles.ROWS_PER_TRANSACTION", 100)
    day: dict[str, Any] = {"start": SEP_20, "end": SEP_20 + DAY}
    some.catalog()
    whole = some.candles(**day)
    everything = content(some.engine)
    forget(some.engine)
    some.catalog()
    many_kinds.faults({"kind": "http_500", "path": "candlesticks", "skip": whole.candle_requests // 2, "times": 99})
    with pytest.raises(ExchangeUnavailable):
        some.candles(**day)
    many_kinds.faults()
    rest = some.candles(**day)
    assert rest.state == "success"
    assert rest.candle_requests < 0.8 * whole.candle_requests
    assert content(some.engine) == everything


def test_the_markets_of_everything_come_page_by_page(some: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    some.catalog()
    some.candles()
    everything = content(some.engine)
    monkeypatch.setattr("kalshi.sync.lives.MARKETS_PER_PAGE", 7)
    again = some.candles(force=True)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, everything[0])


def test_a_catalog_of_everything_reads_only_what_has_not_closed_long_ago(jobs: Jobs) -> None:
    first = jobs.catalog()
    again = jobs.catalog()
    assert again.markets < first.markets
    assert (again.inserted, again.updated, again.state) == (0, 0, "success")
    assert jobs.catalog(full=True).markets == first.markets
    with jobs.engine.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_sync_run SET ended_at_utc = ended_at_utc - INTERVAL 8 DAY"))
    assert jobs.catalog().markets == first.markets, "once a week it reads everything again"
    assert jobs.catalog().markets == again.markets


def test_a_market_without_times_is_a_gap_of_its_series_alone(jobs: Jobs, exchange_server: ExchangeServer) -> None:
    listed = exchange_server.get("/markets", series_ticker=NY, status="open").json()["markets"]
    ticker = listed[0]["ticker"]
    timeless = {"ticker": ticker, "open_time": "(missing)"}
    exchange_server.faults({"kind": "set_market", "path": "/markets$", "times": 999, "value": timeless})
    jobs.catalog()
    exchange_server.faults()
    (gap,) = select(jobs.engine, "SELECT * FROM kalshi_gap WHERE accepted_reason IS NULL")
    assert (gap["scope"], gap["market_ticker"]) == (NY, ticker)
    jobs.catalog()
    jobs.catalog()
    assert count(jobs.engine, "kalshi_gap") == 0


def test_series_of_every_kind_come_to_the_same_rows_at_once_and_one_by_one(some: Jobs) -> None:
    names = [found.record.ticker for found in some.exchange.all_series().records]
    single = sorted(name for name in names if not name.startswith(COMBO))
    assert any(name != name.upper() for name in single)
    requests = 0
    for scope in single:
        some.catalog(scope)
        some.trades(scope)
        requests += some.candles(scope).candle_requests
    tables = ("kalshi_event", "kalshi_market", "kalshi_trade", "kalshi_candle_1m")
    by_series = {table: content(some.engine, table) for table in tables}
    forget(some.engine)
    some.catalog()
    report = some.trades()
    assert some.candles().candle_requests < 0.6 * requests, "a request holds markets of several series"
    assert {table: content(some.engine, table) for table in by_series} == by_series
    assert by_series["kalshi_trade"][0] > 1000
    assert report.left_out > 0


def test_a_market_without_times_is_looked_up_by_everything_until_they_are_known(
    some: Jobs, many_kinds: ExchangeServer
) -> None:
    ticker = _ticker(many_kinds)
    timeless = {"ticker": ticker, "open_time": "(missing)"}
    many_kinds.faults({"kind": "set_market", "path": "/markets$", "times": 9999, "value": timeless})
    some.catalog()
    with some.engine.begin() as connection:  # it was noted so long ago that no window of everything covers it now
        connection.execute(
            sa.text("UPDATE kalshi_gap SET window_start_utc = '2026-09-16', window_end_utc = '2026-09-17'")
        )
    some.catalog()
    old = "SELECT reason FROM kalshi_gap WHERE window_start_utc = '2026-09-16'"
    assert [row["reason"] for row in select(some.engine, old)] == ["its open or close time isn't known"]
    many_kinds.faults()
    some.catalog()
    assert count(some.engine, "kalshi_gap") == 0


def test_a_trade_that_the_tape_lacks_is_asked_for_whatever_the_stored_life_of_its_market(some: Jobs) -> None:
    some.catalog()
    some.trades()
    ticker = select(some.engine, "SELECT * FROM kalshi_trade WHERE market_ticker LIKE 'KXHIGHNY%'")[0]["market_ticker"]
    with some.engine.begin() as connection:
        gaps.note(connection, [Gap(Window("trades", NY, SEP_20, SEP_20 + DAY), ticker, "rejected")])
        elsewhere = "UPDATE kalshi_market SET open_time_utc = '2026-06-01', close_time_utc = '2026-06-02'"
        connection.execute(sa.text(f"{elsewhere} WHERE market_ticker = :ticker"), {"ticker": ticker})
        connection.execute(sa.text("DELETE FROM kalshi_trade WHERE market_ticker = :ticker"), {"ticker": ticker})
    some.trades(NY)
    assert count(some.engine, f"kalshi_trade WHERE market_ticker = '{ticker}'") > 0


def test_a_gap_of_a_series_outlasts_a_reading_of_everything_whose_window_another_run_has_claimed(some: Jobs) -> None:
    window = Window("candles", EVERYTHING, NOON, NOON + HOUR)
    late = Gap(replace(window, scope=NY), f"{NY}-26SEP20-LATE", "listed after it was read")

    def read(reading: Reading) -> list[Doubt]:
        with some.engine.begin() as connection:
            number = gaps.note(connection, [late])
            checkpoints.claim(connection, window, 99)
            checkpoints.begin(connection, window, number)
        return []

    with recorded_run(some.engine, RunKey("candles", EVERYTHING), some.exchange.traffic) as run:
        read_gap(run, Gap(window), read)
    assert [row["market_ticker"] for row in select(some.engine, "SELECT * FROM kalshi_gap")] == [late.market]


def test_a_weekly_reading_that_fails_leaves_no_gap_that_could_not_be_filled(
    some: Jobs, many_kinds: ExchangeServer
) -> None:
    some.catalog()
    with some.engine.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_sync_run SET ended_at_utc = ended_at_utc - INTERVAL 8 DAY"))
    many_kinds.faults({"kind": "http_500", "path": "/markets$", "times": 99})
    with pytest.raises(ExchangeUnavailable):
        some.catalog()
    many_kinds.faults()
    starts = {row["window_start_utc"] for row in select(some.engine, "SELECT * FROM kalshi_gap")}
    assert min(starts) > some.settled.replace(tzinfo=None) + DAY
    some.settled += HOUR  # the exchange archives more meanwhile
    assert some.catalog().state == "success"
    assert count(some.engine, "kalshi_gap") == 0


def test_the_live_days_of_a_window_across_the_cutoff_are_read(some: Jobs) -> None:
    midnight = (some.settled + DAY - timedelta(seconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    report = some.candles(start=midnight - HOUR, end=midnight + HOUR)
    assert "name those that you need" in " ".join(report.warnings)
    assert some.covered("candles", EVERYTHING, midnight) == midnight + HOUR
    (gap,) = select(some.engine, "SELECT * FROM kalshi_gap")
    assert gap["window_end_utc"] == midnight.replace(tzinfo=None)
