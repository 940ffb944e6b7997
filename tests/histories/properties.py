"""What must hold in every history.

(a) Once the faults have ended and the ordinary runs have come round, the warehouse equals the exchange: its markets,
settlements and trades, the candles of every day that a run was asked for, and the dense minutes that follow from them.

(b) Until then, whatever is missing or different is named. A difference has to be named once

* a run was asked for its window, and the exchange shows the record within the grace after the record's own time, or
* a scheduled run of its job began when the exchange already showed the record, and had listed its market to us.

It is named by an open row in kalshi_gap, by a checkpoint over its time that isn't COMPLETE, or by the latest scheduled
run of its job if that failed, died or names the market or the day in a warning; a run that failed also names its own
window for as long as it is tried again. The last minutes before the latest run, as many as the grace, may also be just
unclaimed: no window over them is COMPLETE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from kalshi.sync.lookup import ARCHIVED
from tests.histories.history import History, Ran
from tests.histories.model import MINUTE, Market, Trade

GRACE = 10 * MINUTE
DATES = "%Y-%m-%d"
TABLES = {
    "trade": "kalshi_trade",
    "candle": "kalshi_candle_1m",
    "candle from trades": "kalshi_candle_1m",
    "dense minute": "kalshi_candle_1m_dense",
}
"""Where a record that differs should be."""
Key = tuple[str, datetime]
Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Difference:
    """``at``: the record's own time; None for markets and settlements. ``since``: from when on the exchange shows it.
    ``jobs``: whose gaps and checkpoints name it, the one that reads it first."""

    what: str
    market: Market
    at: datetime | None
    since: datetime
    jobs: tuple[str, ...]
    words: str

    def __str__(self) -> str:
        at = f" {self.at:%m-%d %H:%M:%S}" if self.at else ""
        return f"{self.what} {self.market.name}{at} (shown from {self.since:%m-%d %H:%M:%S} on): {self.words}"


@dataclass(frozen=True)
class Stored:
    """What the warehouse has of the series, by key; times are aware UTC. ``dense``: a line a market, see below."""

    markets: dict[str, Any]
    settlements: dict[str, Any]
    trades: dict[str, Any]
    candles: dict[Key, Any]
    from_trades: dict[Key, Any]
    dense: dict[str, str]


def _rows(connection: sa.Connection, sql: str, *values: Any) -> list[Any]:
    return list(connection.exec_driver_sql(sql, values))


def stored(history: History) -> Stored:
    of_series = f"{history.series}-%"
    with history.engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION group_concat_max_len = 10000000")
        markets = _rows(
            connection,
            "SELECT market_ticker, status, result, settlement_value, open_time_utc, close_time_utc, volume "
            "FROM kalshi_market WHERE series_ticker = %s AND NOT is_placeholder",
            history.series,
        )
        settlements = _rows(
            connection,
            "SELECT market_ticker, result, settlement_value, settled_at_utc FROM kalshi_settlement "
            "WHERE series_ticker = %s",
            history.series,
        )
        # One row a market, as text: most of it was read before, after the run before.
        trades = _rows(
            connection,
            "SELECT market_ticker, GROUP_CONCAT(CONCAT_WS('|', trade_id, executed_at_utc, yes_price, `count`)) "
            "FROM kalshi_trade WHERE market_ticker LIKE %s GROUP BY market_ticker",
            of_series,
        )
        candles = _rows(
            connection,
            "SELECT market_ticker, source, GROUP_CONCAT(CONCAT_WS('|', bucket_start_utc, COALESCE(yes_bid_close, '-'), "
            "COALESCE(trade_open, '-'), COALESCE(trade_close, '-'), volume)) "
            "FROM kalshi_candle_1m WHERE market_ticker LIKE %s GROUP BY market_ticker, source",
            of_series,
        )
        dense = _rows(
            connection,
            "SELECT market_ticker, GROUP_CONCAT(DATE_FORMAT(bucket_start_utc, '%%m-%%d %%H:%%i'), ' ', "
            "COALESCE(source, '-'), ' ', COALESCE(yes_bid_close, '-'), ' ', volume ORDER BY bucket_start_utc) "
            "FROM kalshi_candle_1m_dense WHERE market_ticker LIKE %s GROUP BY market_ticker",
            of_series,
        )
    rows: dict[str, list[list[Any]]] = {"api_event": [], "trades": []}
    for ticker, source, text in candles:
        rows[source] += ([ticker, *values] for values in _listed(text))
    return Stored(
        {row[0]: tuple(row[1:]) for row in markets},
        {row[0]: tuple(row[1:]) for row in settlements},
        {trade_id: (ticker, *values) for ticker, text in trades for trade_id, *values in _listed(text)},
        {(ticker, _utc(at)): tuple(values) for ticker, at, *values in rows["api_event"]},
        {(ticker, _utc(at)): tuple(values) for ticker, at, _, *values in rows["trades"]},
        dict(map(tuple, dense)),
    )


@lru_cache(maxsize=10_000)
def _listed(text: str) -> list[list[Any]]:
    """The values of each row in a GROUP_CONCAT of theirs."""
    return [[_value(value) for value in row.split("|")] for row in text.split(",")]


def _value(text: str) -> Any:
    if text == "-":
        return None
    if ":" in text:
        return datetime.fromisoformat(text)
    return text if "-" in text else Decimal(text)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


@dataclass(frozen=True)
class Dropped:
    """What was dropped on purpose: months by table, but for the time that was read again."""

    months: set[tuple[str, str]]
    windows: list[tuple[str, datetime, datetime]]

    def has(self, what: str, job: str, at: datetime) -> bool:
        # In most histories nothing is dropped, and this is asked for every minute of every market.
        if not self.months or (TABLES.get(what, ""), f"{at:%Y-%m}") not in self.months:
            return False
        return not any(job == of and _utc(start) <= at < _utc(end) for of, start, end in self.windows)


def dropped(history: History) -> Dropped:
    with history.engine.connect() as connection:
        months = _rows(connection, "SELECT table_name, DATE_FORMAT(month, '%%Y-%%m') FROM kalshi_dropped_month")
        query = "SELECT job, window_start_utc, window_end_utc FROM kalshi_checkpoint WHERE scope IN (%s, '*')"
        windows = _rows(connection, query, history.series)
    return Dropped({tuple(month) for month in months}, [tuple(window) for window in windows])


def differences(history: History) -> Iterator[Difference]:
    """Where the warehouse differs from what the exchange shows now, in the windows that runs were asked for, but for
    what was dropped on purpose."""
    gone = dropped(history)
    for found in _differences(history, gone):
        if not (found.at and found.jobs and gone.has(found.what, found.jobs[0], found.at)):
            yield found


def _differences(history: History, gone: Dropped) -> Iterator[Difference]:
    have = stored(history)
    days = [ran for ran in history.ran if ran.job == "candles" and ran.is_traced]
    hours = [ran for ran in history.ran if ran.job == "trades" and ran.is_traced]
    hourly = [ran for ran in hours if not ran.by_hand]
    trade_windows = [(ran.start, ran.end) for ran in hours]
    if hourly:
        trade_windows.append((min(ran.start for ran in hourly), max(ran.end for ran in hourly)))
    candle_windows = [(ran.start, ran.end) for ran in days]
    known = {m.ticker: m for m in history.model.markets}
    archived = _given_up(history) if "candles" in history.of_everything else []
    yield from _invented(history, have, known)
    for market in filter(history.model.knows, history.model.markets):
        # The whole exchange is read from the live tier: what was archived unseen belongs to the runs of its series.
        if not history.of_everything or market.ticker in have.settlements or not history.model.is_archived(market):
            yield from _market(history, have, market)
        if trade_windows:
            yield from _trades(history, have, market, trade_windows)
        is_unseen = history.model.is_archived(market) and market.ticker not in have.markets
        if candle_windows and not (history.of_everything and is_unseen):
            found = _candles(history, have, market, candle_windows, gone)
            yield from (each for each in found if not (each.at and _is_in(each.at, archived)))


def _given_up(history: History) -> list[Window]:
    """What was archived before the whole exchange was read; the warehouse says so, and whom to ask for it."""
    with history.engine.connect() as connection:
        query = "SELECT window_start_utc, window_end_utc FROM kalshi_gap WHERE scope = '*' AND reason = %s"
        return [(_utc(start), _utc(end)) for start, end in _rows(connection, query, ARCHIVED)]


def _invented(history: History, have: Stored, known: dict[str, Market]) -> Iterator[Difference]:
    """Records that the exchange never had; nothing excuses those."""
    trades = {t.trade_id for m in known.values() for t in m.trades}
    minutes = {(m.ticker, c.start) for m in known.values() for c in m.candles}
    for trade_id in have.trades.keys() - trades:
        yield Difference("trade", known[have.trades[trade_id][0]], None, history.model.now, (), f"{trade_id} made up")
    for ticker, minute in (have.candles.keys() | have.from_trades.keys()) - minutes:
        yield Difference("candle", known[ticker], minute, history.model.now, (), "made up")


def _market(history: History, have: Stored, market: Market) -> Iterator[Difference]:
    model = history.model
    found, settled = have.markets.get(market.ticker), model.is_settled(market)
    value = Decimal(market.result == "yes")
    outcome = (market.result, value) if settled else (None, None)
    if found is None:
        yield Difference("market", market, None, market.listed, ("catalog",), "missing")
    else:
        volume = Decimal(sum(t.count for t in model.trades(market)))
        expected = (model.status(market), *outcome, _naive(market.opens), _naive(market.closes), volume)
        if found != expected:
            yield Difference("fields of market", market, None, market.listed, ("catalog",), f"{found}, not {expected}")
    if settled and (row := have.settlements.get(market.ticker)) != (expected := (*outcome, _naive(market.settled))):
        since = max(market.settlement_published, market.listed)
        yield Difference("settlement", market, None, since, ("settlements", "catalog"), f"{row}, not {expected}")


def _trades(history: History, have: Stored, market: Market, windows: list[Window]) -> Iterator[Difference]:
    for trade in history.model.trades(market):
        expected = (market.ticker, _naive(trade.at), trade.price, Decimal(trade.count))
        row = have.trades.get(trade.trade_id)
        if row != expected and _is_in(trade.at, windows):
            since = max(trade.published, market.listed)
            yield Difference("trade", market, trade.at, since, ("trades",), f"{row}, not {expected}")


def _candles(
    history: History, have: Stored, market: Market, windows: list[Window], gone: Dropped
) -> Iterator[Difference]:
    jobs = ("candles",)
    for candle in history.model.candles(market):
        row = have.candles.get((market.ticker, candle.start))
        expected = (candle.bid, *(candle.price or (None, None)), Decimal(candle.volume))
        if row != expected and _is_in(candle.start, windows):
            since = max(candle.published, market.listed)
            yield Difference("candle", market, candle.start, since, jobs, f"{row}, not {expected}")
    if "trades" in history.sources:
        yield from _candles_from_trades(history, have, market, windows)
    if history.has_dense:
        yield from _dense(have, market, windows, gone)


def _candles_from_trades(history: History, have: Stored, market: Market, windows: list[Window]) -> Iterator[Difference]:
    by_minute: dict[datetime, list[Trade]] = {}
    for trade in history.model.trades(market):
        by_minute.setdefault(trade.at.replace(second=0, microsecond=0), []).append(trade)
    for minute, trades in by_minute.items():
        row = have.from_trades.get((market.ticker, minute))
        expected = (trades[0].price, trades[-1].price, Decimal(sum(t.count for t in trades)))
        if row != expected and _is_in(minute, windows):
            since = max(market.listed, *(t.published for t in trades))
            jobs = ("candles_from_trades", "candles", "trades")
            yield Difference("candle from trades", market, minute, since, jobs, f"{row}, not {expected}")


def _dense(have: Stored, market: Market, windows: list[Window], gone: Dropped) -> Iterator[Difference]:
    """Every minute of the market's life in the windows, from the candles that are stored; what is carried forward from
    candles that were dropped on purpose isn't known."""
    if market.ticker not in have.markets:
        return
    found = set((have.dense.get(market.ticker) or "").split(","))
    bid, wrong = "-", []
    spans = [(max(start, market.opens), end) for start, end in windows if end > market.opens and start < market.closes]
    for minute, name in market.minutes:
        key = (market.ticker, minute)
        candle, from_trades = have.candles.get(key), have.from_trades.get(key)
        bid = str(candle[0]) if candle else "?" if gone.has("candle", "candles", minute) else bid
        source = "api_event" if candle else "trades" if from_trades else "-"
        expected = f"{name} {source} {bid} {(candle or from_trades or ('0.00',))[-1]}"
        if expected not in found and bid != "?" and _is_in(minute, spans):
            wrong.append((minute, expected))
    for _, day in groupby(wrong, lambda pair: pair[0].date()):
        (minute, expected), *others = day  # one is enough: the rest of the day differs for the same reason
        line = next((line for line in found if line.startswith(f"{minute:%m-%d %H:%M}")), None)
        jobs = ("candles_dense", "candles")
        words = f"{line}, not {expected}, and {len(others)} later minutes of that day"
        yield Difference("dense minute", market, minute, max(minute, market.listed), jobs, words)


def _is_in(moment: datetime, windows: Iterable[Window]) -> bool:
    return any(start <= moment < end for start, end in windows)


@dataclass(frozen=True)
class Names:
    """What the warehouse itself says of the series: its gaps and its checkpoints, by their rows."""

    gaps: list[Any]
    checkpoints: list[Any]

    def has_gap(self, difference: Difference) -> bool:
        return any(self._is_of(difference, *gap) for gap in self.gaps)

    def _is_of(self, difference: Difference, job: str, ticker: str, start: datetime, end: datetime) -> bool:
        is_then = difference.at is None or _utc(start) <= difference.at < _utc(end)
        if ticker == difference.market.ticker and job == "catalog":
            return True
        return job in difference.jobs and ticker in ("", difference.market.ticker) and is_then

    def is_unfinished(self, difference: Difference) -> bool:
        return any(
            state != "COMPLETE" and (difference.at is None or _utc(start) <= difference.at < _utc(end))
            for job, start, end, state in self.checkpoints
            if job in difference.jobs
        )

    def is_complete(self, difference: Difference) -> bool:
        return difference.at is not None and any(
            state == "COMPLETE" and _utc(start) <= difference.at < _utc(end)
            for job, start, end, state in self.checkpoints
            if job in difference.jobs
        )


@lru_cache
def _has_gaps(engine: sa.Engine) -> bool:
    return sa.inspect(engine).has_table("kalshi_gap")


def names(history: History) -> Names:
    with history.engine.connect() as connection:
        gaps = []
        if _has_gaps(history.engine):
            gaps = _rows(
                connection,
                "SELECT job, COALESCE(market_ticker, ''), window_start_utc, window_end_utc FROM kalshi_gap "
                "WHERE scope IN (%s, '*')",
                history.series,
            )
        checkpoints = _rows(
            connection,
            "SELECT job, window_start_utc, window_end_utc, state FROM kalshi_checkpoint WHERE scope IN (%s, '*')",
            history.series,
        )
    return Names(gaps, checkpoints)


def is_owed(history: History, difference: Difference) -> bool:
    """Whether it must be named by now."""
    if not difference.jobs:
        return True
    if difference.what == "fields of market":
        return False  # they age until the next run; (a) is about them
    if difference.at and difference.since <= difference.at + MINUTE + GRACE:
        return True
    listed = history.exchange.shown.get(difference.market.ticker)
    latest = _latest(history, difference)
    # What was published at the moment when the run began may have been published after it.
    return bool(listed and latest and max(difference.since, listed) < latest.began)


def _latest(history: History, difference: Difference) -> Ran | None:
    job = READERS[difference.jobs[0]]
    return next((ran for ran in reversed(history.ran) if ran.job == job and not ran.by_hand), None)


READERS = {
    **{job: job for job in ("catalog", "settlements", "trades", "candles")},
    **dict.fromkeys(("candles_from_trades", "candles_dense"), "candles"),
}
"""The scheduled run that each job's data comes from."""


def is_named(history: History, difference: Difference, said: Names) -> bool:
    if said.has_gap(difference) or said.is_unfinished(difference):
        return True
    latest = _latest(history, difference)
    if latest and _says(latest, difference):
        return True
    reader = READERS[difference.jobs[0]] if difference.jobs else ""
    if any(
        ran.is_due and difference.at and ran.start <= difference.at < ran.end
        for ran in history.ran
        if ran.job == reader and not ran.by_hand
    ):
        return True
    last = next((ran for ran in reversed(history.ran) if ran.job == reader), None)
    is_last = last and difference.at and difference.at >= min(last.request.asked_at, last.began) - GRACE - MINUTE
    return bool(is_last) and not said.is_complete(difference)


def _says(ran: Ran, difference: Difference) -> bool:
    if ran.outcome in ("failed", "killed"):
        return True
    day = f"{difference.at:{DATES}}" if difference.at else difference.market.ticker
    return difference.market.ticker in ran.words or day in ran.words


def note_traces(history: History) -> None:
    """Whether the run that was just killed left its window in the warehouse; if not, nobody can come back to it."""
    ran = history.ran[-1]
    if ran.outcome != "killed":
        return
    said = names(history)
    windows = [(start, end) for job, start, end, state in said.checkpoints if job == ran.job and state != "COMPLETE"]
    windows += [(start, end) for job, _, start, end in said.gaps if job == ran.job]
    ran.is_traced = any(_utc(start) <= ran.start and _utc(end) >= ran.end for start, end in windows)


def unnamed(history: History) -> list[Difference]:
    """What violates (b) now."""
    owed = [difference for difference in differences(history) if is_owed(history, difference)]
    said = names(history) if owed else Names([], [])
    return [difference for difference in owed if not is_named(history, difference, said)]
