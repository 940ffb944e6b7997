"""Settled markets of one series against the exchange's own volume; what differs is read again, market by market."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Market, Trade
from kalshi.settings import ReconciliationSettings
from kalshi.sync.api_candles import ApiTally, read_api_candles
from kalshi.sync.derived_candles import build_dense, make_from_trades
from kalshi.sync.evidence import MOST_NAMED, Doubt, Read, Reading, read_gap, refusal_logged
from kalshi.sync.lookup import markets_of
from kalshi.sync.pages import write_pages
from kalshi.sync.run import SeriesRequest, SyncRun, recorded_run
from kalshi.sync.trades import TradesTally, read_trades
from kalshi.text import first_few
from kalshi.warehouse import catalog, gaps, ledger, reconciliation, sql
from kalshi.warehouse.api_candles import CANDLE_1M, CandleLines
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import WHOLE, Gap
from kalshi.warehouse.reconciliation import CANDLES, SIDES, TRADES, Figures, Side
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)
JOB = "reconciliation"
PROVEN, SHORT, OVER, UNREAD = "proven", "short", "over", "unread"
WORST_FIRST = (SHORT, OVER, UNREAD, PROVEN)
MARKETS_PER_TRANSACTION = 50
MARGIN = timedelta(days=1)
"""Trades are read from this long before a market's open to this long after its close."""
MINUTE = timedelta(minutes=1)
NULL = "\\N"
"""In a line of candles."""
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
DERIVED: dict[str, Callable[[SyncRun, Reading], list[Doubt]]] = {
    "candles_from_trades": make_from_trades,
    "candles_dense": build_dense,
}
"""What is built from trades and candles, in the order in which it is built again."""
READ_BY = {TRADES: "kalshi_trades_sync", CANDLES: "kalshi_candles_backfill"}


@dataclass(frozen=True)
class ReconciliationRequest(SeriesRequest):
    """What to compare: the settled markets of one series that closed from ``window_start`` to ``window_end`` (None: at
    any time), except those that closed before ``expected_from`` if no job ever read them.

    ``cutoff``: markets settled earlier are in the historical tier. ``repair``: read again what isn't proven.
    """

    cutoff: datetime
    repair: bool = True
    rules: ReconciliationSettings = field(default_factory=ReconciliationSettings)
    expected_from: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """``reason``: why it isn't proven; ``is_repairable``: whether reading this market again may help."""

    word: str
    reason: str | None = None
    is_repairable: bool = False


@dataclass(frozen=True)
class Compared:
    """A market with its figures and the verdicts on its trades and candles."""

    figures: Figures
    trades: Verdict
    candles: Verdict
    differing_minutes: int | None

    @property
    def verdicts(self) -> tuple[Verdict, Verdict]:
        return self.trades, self.candles

    @property
    def word(self) -> str:
        """The worse of the two verdicts."""
        return min((verdict.word for verdict in self.verdicts), key=WORST_FIRST.index)

    @property
    def reason(self) -> str:
        reasons = [f"{s.name}: {v.reason}" for s, v in zip(SIDES, self.verdicts, strict=True) if v.reason]
        return "; ".join(reasons)


@dataclass
class _Tally:
    read_again: int = 0
    deleted: int = 0
    waiting: int = 0


def reconcile(exchange: Exchange, engine: sa.Engine, request: ReconciliationRequest) -> dict[str, Any]:
    """Compare the settled markets of one series and return the report (see ``docs/reports.md``).

    What can't be proven doesn't raise: the run ends as a warning that names it.

    Raises:
        ExchangeUnavailable: while reading again; the verdicts so far are stored.
    """
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share) as run:
        tally = _Tally()
        compared: list[Compared] = []
        try:
            compared = _compare_all(run, request)
            if request.repair and (doubtful := _to_read_again(compared, request.rules, tally)):
                _read_all_again(exchange, run, request, doubtful, tally)
                compared = _replaced(compared, _compare_all(run, request, [c.figures.ticker for c in doubtful]))
        finally:
            run.report = _describe(run, request, compared, tally)
        _warn(run, request, compared)
        run.check_rejected(run.too_many_rejected)
    return run.report


def _replaced(compared: Iterable[Compared], newer: Iterable[Compared]) -> list[Compared]:
    again = {market.figures.ticker: market for market in newer}
    return [again.get(market.figures.ticker, market) for market in compared]


def _compare_all(run: SyncRun, request: ReconciliationRequest, tickers: Sequence[str] | None = None) -> list[Compared]:
    """Compare these markets, by default all that the request is about, and store the verdicts."""
    if tickers is None:
        start, end = request.window_start, request.window_end
        tickers = in_transaction(run.engine, reconciliation.settled_markets, run.scope, start, end)
    coverage = in_transaction(run.engine, lambda c: {side: _Coverage(c, side, run.scope) for side in SIDES})
    compared: list[Compared] = []
    for first in range(0, len(tickers), MARKETS_PER_TRANSACTION):
        group = tickers[first : first + MARKETS_PER_TRANSACTION]
        some, written = in_transaction(run.engine, _compare, run=run, request=request, group=group, of=coverage)
        run.count("kalshi_reconciliation", written)
        compared += some
    return compared


class _Coverage:
    """What a job has read of a series, and what it is known to lack."""

    def __init__(self, connection: sa.Connection, side: Side, scope: str) -> None:
        self._side = side
        self._spans = reconciliation.spans_begun(connection, side.name, scope)
        self._gaps: defaultdict[str, list[Gap]] = defaultdict(list)
        for gap in gaps.open_gaps(connection, side.name, scope, being_read=True):
            self._gaps[gap.market].append(gap)

    def hole(self, figures: Figures) -> Verdict | None:
        """Why the market wasn't read in full; None if it was."""
        if not figures.life:
            return Verdict(UNREAD, "its open or close time isn't known")
        opens, closes = figures.life
        if not any(start <= opens and closes <= end for start, end in self._spans):
            return Verdict(
                UNREAD,
                f"not all of its life, {opens:%Y-%m-%d} to {closes:%Y-%m-%d}, was ever read: run "
                f"{READ_BY[self._side]} for those days",
            )
        for market in (figures.ticker, WHOLE, gaps.UNREADABLE):
            for gap in self._gaps[market]:
                if gap.window.start < closes and gap.window.end > opens:
                    return Verdict(UNREAD, f"a gap: {gap.name} ({gap.reason})", market == figures.ticker)
        return None

    def touches(self, figures: Figures) -> bool:
        """Whether any part of the market's life was read."""
        if not figures.life:
            return True
        opens, closes = figures.life
        return any(start < closes and end > opens for start, end in self._spans)


def _compare(
    connection: sa.Connection,
    run: SyncRun,
    request: ReconciliationRequest,
    group: Sequence[str],
    of: dict[Side, _Coverage],
) -> tuple[list[Compared], WriteCounts]:
    found = [
        figures
        for figures in reconciliation.figures(connection, group)
        if _is_expected(figures, request) or any(coverage.touches(figures) for coverage in of.values())
    ]
    judged = {f.ticker: {side: _judge(side, f, of[side], request.rules) for side in SIDES} for f in found}
    to_check = [f.ticker for f in found if _is_to_check(f, judged[f.ticker].values())]
    differing = reconciliation.differing_minutes(connection, to_check, request.rules) if to_check else {}
    compared = []
    for figures in found:
        verdicts, minutes = judged[figures.ticker], differing.get(figures.ticker, [])
        if minutes and not _is_confirmed(figures):
            odd = Verdict(
                UNREAD, f"trades and candles disagree in {len(minutes)} minutes from {minutes[0]} UTC on", True
            )
            verdicts = dict.fromkeys(SIDES, odd)
        number = len(minutes) if figures.ticker in to_check else figures.differing_minutes
        compared.append(Compared(figures, verdicts[TRADES], verdicts[CANDLES], number))
    written = reconciliation.write(connection, (_row(run.scope, market) for market in compared), run.run_id)
    ledger.beat(connection, run.run_id)
    return compared, written


def _is_expected(figures: Figures, request: ReconciliationRequest) -> bool:
    return not request.expected_from or not figures.closes or figures.closes >= request.expected_from


def _is_confirmed(figures: Figures) -> bool:
    """Whether the rows are those that the exchange had: where they disagree, the exchange disagrees with itself."""
    return all(figures.stored(side).known == figures.stored(side).checksum for side in SIDES)


def _is_to_check(figures: Figures, verdicts: Iterable[Verdict]) -> bool:
    """Whether to compare trades and candles minute by minute: unless that was done with these rows before."""
    is_known = figures.was_proven and _is_confirmed(figures)
    return not is_known and all(verdict.word == PROVEN for verdict in verdicts)


def _judge(side: Side, figures: Figures, coverage: _Coverage, rules: ReconciliationSettings) -> Verdict:
    """The verdict on one side of a market, by its volume and by its checksum."""
    if hole := coverage.hole(figures):
        return hole
    if figures.exchange_volume is None:
        return Verdict(UNREAD, "the exchange's volume isn't known", True)
    stored = figures.stored(side)
    difference = _difference(side, stored.volume, figures.block_volume, figures.exchange_volume)
    if abs(difference) > _tolerance(side, rules):
        word, much = (SHORT, "fewer") if difference < 0 else (OVER, "more")
        return Verdict(word, f"{abs(difference)} contracts {much} than the exchange's {figures.exchange_volume}", True)
    if stored.has_changed:
        return Verdict(UNREAD, "rows were added, changed or deleted since it was proven", True)
    return Verdict(PROVEN)


def _tolerance(side: Side, rules: ReconciliationSettings) -> Decimal:
    return rules.trades_contracts if side is TRADES else rules.candles_contracts


def _ways(side: Side, blocks: Decimal) -> dict[str, Decimal]:
    """How block trades may count, each with what that adds to the stored volume."""
    if not blocks:
        return {"no block trades": Decimal(0)}
    ways = {"block trades counted": Decimal(0), "block trades not counted": -blocks}
    return ways if side is TRADES else {**ways, "counted by the exchange, not by its candles": blocks}


def _difference(side: Side, volume: Decimal, blocks: Decimal, exchange_volume: Decimal) -> Decimal:
    """How many contracts more than the exchange's, in whatever way of counting block trades comes closest."""
    return min((volume + more - exchange_volume for more in _ways(side, blocks).values()), key=abs)


def _row(scope: str, market: Compared) -> Sequence[Any]:
    figures = market.figures
    return (
        figures.ticker,
        scope,
        figures.exchange_volume,
        figures.trades.volume,
        figures.block_volume,
        figures.candles.volume,
        figures.trades.rows,
        figures.candles.rows,
        *(verdict.word for verdict in market.verdicts),
        *(verdict.reason and verdict.reason[:1000] for verdict in market.verdicts),
        market.differing_minutes,
        *(_known(figures, side, verdict) for side, verdict in zip(SIDES, market.verdicts, strict=True)),
    )


def _known(figures: Figures, side: Side, verdict: Verdict) -> int | None:
    stored = figures.stored(side)
    return stored.checksum if verdict.word == PROVEN else stored.known


def _to_read_again(compared: Iterable[Compared], rules: ReconciliationSettings, tally: _Tally) -> list[Compared]:
    """The markets to read again now: not those that were read again lately and haven't changed since."""
    lately = datetime.now(UTC) - timedelta(days=rules.wait_days)
    due = []
    for market in compared:
        figures = market.figures
        if not any(verdict.is_repairable for verdict in market.verdicts):
            continue
        is_recent = figures.read_again_at is not None and figures.read_again_at > lately
        if is_recent and figures.checksum == figures.read_again_checksum:
            tally.waiting += 1
        else:
            due.append(market)
    due.sort(key=lambda market: market.figures.readings)
    tally.waiting += len(due[rules.most_read_again :])
    return due[: rules.most_read_again]


def _read_all_again(
    exchange: Exchange, run: SyncRun, request: ReconciliationRequest, doubtful: Sequence[Compared], tally: _Tally
) -> None:
    """Read these markets again: first their own records, which hold the volume, then their trades and candles."""

    def write(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        return catalog.write_markets(connection, page.records, run.scope, run.run_id)

    write_pages(run, markets_of(exchange, [market.figures.ticker for market in doubtful]), write)
    for market in doubtful:
        log.info("Reading %s again: %s.", market.figures.ticker, market.reason)
        tally.read_again += 1
        with refusal_logged(market.figures.ticker):
            _read_again(exchange, run, request, market, tally)


def _read_again(
    exchange: Exchange, run: SyncRun, request: ReconciliationRequest, market: Compared, tally: _Tally
) -> None:
    figures = market.figures
    if not figures.life:
        return
    start, end = (edge.replace(second=0, microsecond=0) for edge in figures.life)
    end += MINUTE
    wide = Window(TRADES.name, run.scope, start - MARGIN, min(end + MARGIN, exchange.now()))
    life = Window(CANDLES.name, run.scope, start, end)
    is_definite = True
    for side, window, verdict in ((TRADES, wide, market.trades), (CANDLES, life, market.candles)):
        again = _Again(exchange, run, request, side, figures.ticker, tally)
        reason = verdict.reason or "read again together with the rest of its market"
        gap = Gap(window, figures.ticker, reason)
        in_transaction(run.engine, gaps.note, gaps=[gap], run_id=run.run_id)
        read_gap(run, gap, again.read)
        is_definite &= again.is_definite
    for job, build in DERIVED.items():
        for gap in in_transaction(run.engine, _gaps_of, job=job, scope=run.scope, ticker=figures.ticker):
            read_gap(run, gap, partial(build, run))
    if is_definite:
        in_transaction(run.engine, _note_reading, ticker=figures.ticker)


def _gaps_of(connection: sa.Connection, job: str, scope: str, ticker: str) -> list[Gap]:
    return [gap for gap in gaps.open_gaps(connection, job, scope, being_read=True) if gap.market == ticker]


def _note_reading(connection: sa.Connection, ticker: str) -> None:
    (found,) = reconciliation.figures(connection, [ticker])
    reconciliation.note_reading(connection, found)


class _Again:
    """One reading of a market's whole life from both tiers, after which its rows are those that the exchange has.

    Rows that the exchange doesn't list are deleted, but only if its answers were certain and add up to its own volume.
    """

    def __init__(
        self, exchange: Exchange, run: SyncRun, request: ReconciliationRequest, side: Side, ticker: str, tally: _Tally
    ) -> None:
        self._exchange, self._run, self._request = exchange, run, request
        self._side, self._ticker, self._tally = side, ticker, tally
        self._listed: dict[Any, Decimal] = {}
        self._blocks: dict[Any, Decimal] = {}
        self._untraded: set[datetime] = set()
        self.is_definite = False

    def read(self, reading: Reading) -> list[Doubt]:
        # What another job writes while we read is not ours to delete.
        there = in_transaction(self._run.engine, self._keys)
        read: Read = self._read_trades if self._side is TRADES else self._read_candles
        doubts = list(read(reading))
        if not doubts and not reading.rejected:
            self.is_definite = True
            self._tally.deleted += in_transaction(self._run.engine, self._settle, there=there)
        return doubts

    def _keys(self, connection: sa.Connection) -> dict[Any, datetime]:
        return reconciliation.keys(connection, self._side, self._ticker)

    def _read_trades(self, reading: Reading) -> Iterator[Doubt]:
        def see(page: Page[Trade]) -> None:
            for trade in (found.record for found in page.records):
                self._listed[trade.trade_id] = Decimal(trade.count)
                self._blocks[trade.trade_id] = Decimal(trade.count if trade.is_block_trade else 0)

        return read_trades(self._exchange, self._run, None, TradesTally(), reading, see)

    def _read_candles(self, reading: Reading) -> list[Doubt]:
        def see(lines: CandleLines) -> None:
            for line in lines.lines:
                values = dict(zip(CANDLE_1M.names, line.decode().split("\t"), strict=True))
                minute = datetime.fromisoformat(values["bucket_start_utc"])
                self._listed[minute] = Decimal(values["volume"])
                is_traded = any(values[f"trade_{price}"] != NULL for price in ("open", "close", "min", "max"))
                (traded if is_traded else self._untraded).add(minute)

        traded: set[datetime] = set()
        # The second reading begins with the market's own tier, whose values win.
        settled = in_transaction(self._run.engine, self._settled_at)
        tiers = (LATEST, EARLIEST) if settled is None or settled >= self._request.cutoff else (EARLIEST, LATEST)
        for cutoff in tiers:
            if doubts := read_api_candles(self._exchange, self._run, cutoff, ApiTally(), reading, see):
                return doubts
        self._untraded -= traded
        return []

    def _settled_at(self, connection: sa.Connection) -> datetime | None:
        query = "SELECT settlement_ts_utc FROM kalshi_market WHERE market_ticker = :ticker"
        settled: datetime | None = sql.run(connection, query, ticker=self._ticker).scalar()
        return settled and settled.replace(tzinfo=UTC)

    def _settle(self, connection: sa.Connection, there: dict[Any, datetime]) -> int:
        """Delete what the exchange doesn't list, and remember the rows if they are what it lists."""
        deleted, scope = 0, self._run.scope
        gaps.hold(connection, [scope])
        doomed = {key: time for key, time in there.items() if key not in self._listed}
        if doomed and self._adds_up(connection):
            deleted = reconciliation.delete(connection, self._side, scope, self._ticker, doomed)
        if self._side is TRADES:
            reconciliation.delete_built_without_trades(connection, scope, self._ticker)
        else:
            reconciliation.clear_extremes(connection, self._ticker, self._untraded)
        if self._keys(connection).keys() <= self._listed.keys():
            reconciliation.confirm(connection, self._side, self._ticker)
        return deleted

    def _adds_up(self, connection: sa.Connection) -> bool:
        """Whether the answers agree with the exchange's own volume. No candles at all prove nothing: a market that
        never traded has some, too."""
        (figures,) = reconciliation.figures(connection, [self._ticker])
        if figures.exchange_volume is None or (self._side is CANDLES and not self._listed):
            return False
        volume = sum(self._listed.values(), Decimal(0))
        blocks = sum(self._blocks.values(), Decimal(0)) if self._side is TRADES else figures.block_volume
        difference = _difference(self._side, volume, blocks, figures.exchange_volume)
        return abs(difference) <= _tolerance(self._side, self._request.rules)


def _describe(
    run: SyncRun, request: ReconciliationRequest, compared: Sequence[Compared], tally: _Tally
) -> dict[str, Any]:
    words = Counter(market.word for market in compared)
    months: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for market in compared:
        if market.figures.closes:
            months[f"{market.figures.closes:%Y-%m}"][market.word] += 1
    return {
        "from_utc": request.window_start,
        "to_utc": request.window_end,
        "settled": len(compared),
        **{word: words[word] for word in (PROVEN, *WORST_FIRST[:-1])},
        **vars(tally),
        "by_month": [
            {"series": run.scope, "month": month, "settled": found.total(), "proven": found[PROVEN]}
            for month, found in sorted(months.items())
        ],
        "by_kind": _by_kind(compared, request.rules),
        "not_proven": [_named(market) for market in compared if market.word != PROVEN],
        "exchange_disagrees": [
            {"market": m.figures.ticker, "minutes": m.differing_minutes}
            for m in compared
            if m.word == PROVEN and m.differing_minutes
        ],
    }


def _by_kind(compared: Iterable[Compared], rules: ReconciliationSettings) -> list[dict[str, Any]]:
    """How many markets agree, by the way in which block trades count, and how many don't; contracts of difference."""
    markets: Counter[tuple[str, str]] = Counter()
    contracts: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for market in compared:
        figures = market.figures
        for side, verdict in zip(SIDES, market.verdicts, strict=True):
            kind = side.name, verdict.word
            if verdict.word == PROVEN and figures.exchange_volume is not None:
                kind = side.name, f"{PROVEN}, {_way(side, figures, figures.exchange_volume, rules)}"
            markets[kind] += 1
            contracts[kind] += figures.stored(side).volume - (figures.exchange_volume or 0)
    return [
        {"of": of, "kind": kind, "markets": number, "contracts": contracts[of, kind]}
        for (of, kind), number in sorted(markets.items(), key=lambda item: (item[0][0] != TRADES.name, item[0]))
    ]


def _way(side: Side, figures: Figures, exchange_volume: Decimal, rules: ReconciliationSettings) -> str:
    volume = figures.stored(side).volume
    ways = _ways(side, figures.block_volume).items()
    return next(way for way, more in ways if abs(volume + more - exchange_volume) <= _tolerance(side, rules))


def _named(market: Compared) -> dict[str, Any]:
    figures = market.figures
    return {
        "market": figures.ticker,
        "close_time_utc": figures.closes,
        "exchange_volume": figures.exchange_volume,
        "trade_volume": figures.trades.volume,
        "block_trade_volume": figures.block_volume,
        "candle_volume": figures.candles.volume,
        "trades_verdict": market.trades.word,
        "candles_verdict": market.candles.word,
        "readings": figures.readings,
        "reason": market.reason,
    }


def _warn(run: SyncRun, request: ReconciliationRequest, compared: Sequence[Compared]) -> None:
    if not compared and request.by_hand and request.window_start and request.window_end:
        run.warn(
            f"No market of {run.scope} that closed from {request.window_start:%Y-%m-%d %H:%M} to "
            f"{request.window_end:%Y-%m-%d %H:%M} UTC is settled, so there was nothing to compare."
        )
    if open_ones := [market for market in compared if market.word != PROVEN]:
        named = first_few([f"{market.figures.ticker} ({market.reason})" for market in open_ones], MOST_NAMED)
        run.warn(
            f"{len(open_ones)} of {len(compared)} settled markets of {run.scope} are not proven: {named}. "
            "kalshi_reconciliation lists them all."
        )
