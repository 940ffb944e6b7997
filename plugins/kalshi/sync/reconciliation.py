"""Settled markets of one series against the exchange's own volume; what differs is read again, market by market."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.settings import ReconciliationSettings
from kalshi.sync.evidence import MOST_NAMED
from kalshi.sync.report import Field, WindowReport
from kalshi.sync.rereading import Rereading
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.sync.verdicts import OVER, PROVEN, SHORT, UNREAD, Compared, Coverage, Verdict, judge, way
from kalshi.text import first_few
from kalshi.warehouse import ledger, reconciliation, retention
from kalshi.warehouse.reconciliation import SIDES, TRADES, Figures, Side
from kalshi.warehouse.retention import DroppedMonth
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "reconciliation"
MARKETS_PER_TRANSACTION = 50


@dataclass(frozen=True)
class ReconciliationRequest(JobRequest):
    """What to compare: the settled markets of one series that closed from ``window_start`` to ``window_end`` (None: at
    any time), except those that closed before ``expected_from`` if no job ever read them. ``settled_since``: only those
    that settled since then, or weren't proven when they were last compared.

    ``cutoff``: markets settled earlier are in the historical tier. ``repair``: read again what isn't proven.
    """

    cutoff: datetime
    repair: bool = True
    rules: ReconciliationSettings = field(default_factory=ReconciliationSettings)
    expected_from: datetime | None = None
    settled_since: datetime | None = None


class ProvenMonth(msgspec.Struct):
    """The settled markets of a month of closes."""

    series: Annotated[str, Field("series ticker")]
    month: Annotated[str, Field("`2026-09`")]
    settled: Annotated[int, Field("settled markets")]
    proven: Annotated[int, Field("those that are proven")]


class Kind(msgspec.Struct):
    """Markets with the same verdict; proven ones also by how block trades count."""

    series: Annotated[str, Field("series ticker", "series")]
    of: Annotated[str, Field("`trades` or `candles`", "of")]
    kind: Annotated[str, Field("verdict, and how block trades count", "verdict")]
    markets: Annotated[int, Field("markets", "markets")]
    contracts: Annotated[Decimal, Field("the difference of their volumes", "difference, contracts", unit="contracts")]


class NotProven(msgspec.Struct):
    """A market that isn't proven. Volumes are in contracts."""

    market: Annotated[str, Field("market ticker", "market")]
    close_time_utc: Annotated[datetime | None, Field("its close", "closed (UTC)")]
    exchange_volume: Annotated[Decimal | None, Field("the exchange's volume", "exchange's volume", unit="contracts")]
    trade_volume: Annotated[Decimal, Field("the volume of its trades", "trades", unit="contracts")]
    block_trade_volume: Annotated[Decimal, Field("of these, block trades", "of these, block trades", unit="contracts")]
    candle_volume: Annotated[Decimal, Field("the volume of its candles", "candles", unit="contracts")]
    trades_verdict: Annotated[str, Field("`proven`, `short`, `over` or `unread`", "trades are")]
    candles_verdict: Annotated[str, Field("the same of its candles", "candles are")]
    readings: Annotated[int, Field("how often it was read again", "read again")]
    reason: Annotated[str, Field("why it isn't proven", "why")]


class Disagreement(msgspec.Struct):
    """A market whose trades and candles, both as the exchange has them, differ."""

    market: Annotated[str, Field("market ticker", "market")]
    minutes: Annotated[int, Field("the number of minutes that differ", "minutes")]


class ReconciliationReport(WindowReport, kw_only=True):
    """How the reconciliation of one series went; the window is that of the closes."""

    settled: Annotated[int, Field("settled markets", "settled")] = 0
    proven: Annotated[int, Field("markets whose trades and candles are both proven", "proven")] = 0
    short: Annotated[int, Field("markets with a volume below the exchange's", "short")] = 0
    over: Annotated[int, Field("markets with a volume above it", "over")] = 0
    unread: Annotated[int, Field("markets that weren't read in full", "unread")] = 0
    read_again: Annotated[int, Field("markets read again", "read again")] = 0
    deleted: Annotated[int, Field("rows deleted that the exchange doesn't have", "deleted")] = 0
    waiting: Annotated[int, Field("markets postponed to a later run", "postponed")] = 0
    left_out: Annotated[int, Field("settled markets of which months were dropped on purpose")] = 0
    by_month: Annotated[list[ProvenMonth], Field("by month of close")] = msgspec.field(default_factory=list)
    by_kind: Annotated[list[Kind], Field("of trades and of candles, by verdict")] = msgspec.field(default_factory=list)
    not_proven: Annotated[list[NotProven], Field("every market that isn't proven")] = msgspec.field(
        default_factory=list
    )
    exchange_disagrees: Annotated[
        list[Disagreement], Field("proven markets whose trades and candles differ in some minutes")
    ] = msgspec.field(default_factory=list)


def reconcile(exchange: Exchange, engine: sa.Engine, request: ReconciliationRequest) -> ReconciliationReport:
    """Compare the settled markets of one series and return the report (see ``docs/reports.md``).

    What can't be proven doesn't raise: the run ends as a warning that names it.

    Raises:
        ExchangeUnavailable: while reading again; the verdicts so far are stored.
    """
    report = ReconciliationReport(from_utc=request.window_start, to_utc=request.window_end)
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:
        compared: list[Compared] = []
        again = Rereading(exchange, run, request.cutoff, request.rules)
        try:
            compared, report.left_out = _compare_all(run, request)
            if request.repair and (doubtful := _to_read_again(compared, request.rules, report)):
                again.read(doubtful)
                compared = _replaced(compared, _compare_all(run, request, [c.figures.ticker for c in doubtful])[0])
        finally:
            report.read_again, report.deleted = again.markets, again.deleted
            _describe(report, request, compared)
        _warn(run, request, report, compared)
        run.check_rejected(run.too_many_rejected)
    return report


def _replaced(compared: Iterable[Compared], newer: Iterable[Compared]) -> list[Compared]:
    again = {market.figures.ticker: market for market in newer}
    return [again.get(market.figures.ticker, market) for market in compared]


def _compare_all(
    run: SyncRun, request: ReconciliationRequest, tickers: Sequence[str] | None = None
) -> tuple[list[Compared], int]:
    """Compare these markets, by default all that the request is about, and store the verdicts. Returns also how many
    were left out, as months of theirs were dropped on purpose."""
    if tickers is None:
        start, end = request.window_start, request.window_end
        since = request.settled_since
        tickers = in_transaction(run.engine, reconciliation.settled_markets, run.scope, start, end, since)
    coverage = in_transaction(run.engine, lambda c: {side: Coverage(c, side, run.scope) for side in SIDES})
    dropped = in_transaction(run.engine, retention.dropped, [side.table.name for side in SIDES])
    compared: list[Compared] = []
    left_out = 0
    for first in range(0, len(tickers), MARKETS_PER_TRANSACTION):
        group = tickers[first : first + MARKETS_PER_TRANSACTION]
        some, without, written = in_transaction(
            run.engine, _compare, run=run, request=request, group=group, coverage=coverage, dropped=dropped
        )
        run.count("kalshi_reconciliation", written)
        compared += some
        left_out += without
    return compared, left_out


def _compare(
    connection: sa.Connection,
    run: SyncRun,
    request: ReconciliationRequest,
    group: Sequence[str],
    coverage: dict[Side, Coverage],
    dropped: Sequence[DroppedMonth],
) -> tuple[list[Compared], int, WriteCounts]:
    expected = [
        figures
        for figures in reconciliation.figures(connection, group)
        if _is_expected(figures, request) or any(covered.touches(figures) for covered in coverage.values())
    ]
    found = [figures for figures in expected if not _lacks_months(figures, dropped, coverage)]
    compared = judge(connection, found, coverage, request.rules)
    written = reconciliation.write(connection, (_row(run.scope, market) for market in compared), run.run_id)
    ledger.beat(connection, run.run_id)
    return compared, len(expected) - len(found), written


def _lacks_months(figures: Figures, dropped: Sequence[DroppedMonth], coverage: dict[Side, Coverage]) -> bool:
    """Whether rows of the market were dropped on purpose, and not read again since: the verdict stays what it was when
    they were there."""
    if not figures.life:
        return False
    opens, closes = figures.life
    touched = [month for month in dropped if month.start < closes and month.end > opens]
    if not all(month.is_gone for month in touched):
        return True  # it is going
    gone = {month.table for month in touched}
    return any(side.table.name in gone and not covered.contains(figures) for side, covered in coverage.items())


def _is_expected(figures: Figures, request: ReconciliationRequest) -> bool:
    return not request.expected_from or not figures.closes or figures.closes >= request.expected_from


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


def _to_read_again(
    compared: Iterable[Compared], rules: ReconciliationSettings, report: ReconciliationReport
) -> list[Compared]:
    """The markets to read again now: not those that were read again lately and haven't changed since."""
    lately = datetime.now(UTC) - timedelta(days=rules.wait_days)
    due = []
    for market in compared:
        figures = market.figures
        if not any(verdict.is_repairable for verdict in market.verdicts):
            continue
        is_recent = figures.read_again_at is not None and figures.read_again_at > lately
        if is_recent and figures.checksum == figures.read_again_checksum:
            report.waiting += 1
        else:
            due.append(market)
    due.sort(key=lambda market: market.figures.readings)
    report.waiting += len(due[rules.most_read_again :])
    return due[: rules.most_read_again]


def _describe(report: ReconciliationReport, request: ReconciliationRequest, compared: Sequence[Compared]) -> None:
    words = Counter(market.word for market in compared)
    report.settled = len(compared)
    report.proven, report.short, report.over, report.unread = (words[word] for word in (PROVEN, SHORT, OVER, UNREAD))
    report.by_month = _by_month(request.scope, compared)
    report.by_kind = _by_kind(request, compared)
    report.not_proven = [_named(market) for market in compared if market.word != PROVEN]
    report.exchange_disagrees = [
        Disagreement(market.figures.ticker, market.differing_minutes)
        for market in compared
        if market.word == PROVEN and market.differing_minutes
    ]


def _by_month(series: str, compared: Iterable[Compared]) -> list[ProvenMonth]:
    months: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for market in compared:
        if market.figures.closes:
            months[f"{market.figures.closes:%Y-%m}"][market.word] += 1
    return [ProvenMonth(series, month, found.total(), found[PROVEN]) for month, found in sorted(months.items())]


def _by_kind(request: ReconciliationRequest, compared: Iterable[Compared]) -> list[Kind]:
    """How many markets agree, by the way in which block trades count, and how many don't; contracts of difference."""
    markets: Counter[tuple[str, str]] = Counter()
    contracts: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for market in compared:
        figures = market.figures
        for side, verdict in zip(SIDES, market.verdicts, strict=True):
            kind = side.name, verdict.word
            if verdict.word == PROVEN and figures.exchange_volume is not None:
                kind = side.name, f"{PROVEN}, {way(side, figures, figures.exchange_volume, request.rules)}"
            markets[kind] += 1
            contracts[kind] += figures.stored(side).volume - (figures.exchange_volume or 0)
    return [
        Kind(request.scope, of, kind, number, contracts[of, kind])
        for (of, kind), number in sorted(markets.items(), key=lambda item: (item[0][0] != TRADES.name, item[0]))
    ]


def _named(market: Compared) -> NotProven:
    figures = market.figures
    return NotProven(
        market=figures.ticker,
        close_time_utc=figures.closes,
        exchange_volume=figures.exchange_volume,
        trade_volume=figures.trades.volume,
        block_trade_volume=figures.block_volume,
        candle_volume=figures.candles.volume,
        trades_verdict=market.trades.word,
        candles_verdict=market.candles.word,
        readings=figures.readings,
        reason=market.reason,
    )


def _warn(
    run: SyncRun, request: ReconciliationRequest, report: ReconciliationReport, compared: Sequence[Compared]
) -> None:
    if report.left_out and request.by_hand:
        run.warn(
            f"{report.left_out} settled markets of {run.scope} were left out, as months of theirs were dropped on "
            "purpose (kalshi_dropped_month): their verdicts are those of before."
        )
    elif not compared and request.by_hand and request.window_start and request.window_end:
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
