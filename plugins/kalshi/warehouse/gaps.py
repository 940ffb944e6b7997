"""Gaps: what is known to be missing, ``kalshi_gap``. All times are aware UTC.

A gap is noted before a window is read and closed by the evidence of the reading, so a killed run leaves it behind.
Rows that arrive later reopen what was derived from their absence. ``kalshi.sync.evidence`` decides when a gap closes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from kalshi.warehouse import checkpoints, sql
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.ledger import STALE_MINUTES

WHOLE = ""
"""In place of a market's ticker: everything in the scope."""
UNREADABLE = "?"
"""In place of a market's ticker: some market whose record has no readable ticker."""
PARENTS = {
    "trades": ("catalog",),
    "candles": ("catalog",),
    "candles_from_trades": ("trades",),
    "candles_dense": ("candles", "candles_from_trades"),
}
"""The jobs that each job depends on, market by market: what a parent lacks, the child lacks too."""
TAPES = ("trades",)
"""The jobs that read the whole exchange in a stream that names every market itself, whatever the catalog knows."""
THIS = (
    "job = :job AND scope = :scope AND market_ticker = :market AND window_start_utc = :start AND window_end_utc = :end"
)
IS_EVERYTHING = f":scope = '{EVERYTHING}'"
IN_WINDOW = "job = :job AND scope = :scope AND window_start_utc < :end AND window_end_utc > :start"
OPEN = "accepted_reason IS NULL"
BEING_READ = (
    "EXISTS (SELECT 1 FROM kalshi_sync_run r WHERE r.run_id = g.run_id AND r.state = 'running' "
    f"AND r.heartbeat_at_utc > CURRENT_TIMESTAMP(6) - INTERVAL {STALE_MINUTES} MINUTE)"
)
"""SQL, also for the files that say ``{being_read}``: whether a living run reads the gap ``g`` at the moment."""
AWAITS_CANDLES = (
    f"g.job = 'candles_dense' AND EXISTS (SELECT 1 FROM kalshi_gap p WHERE p.job IN {PARENTS['candles_dense']} "
    "AND p.scope = g.scope AND p.market_ticker = '' AND p.accepted_reason IS NULL "
    "AND p.window_start_utc < g.window_end_utc AND p.window_end_utc > g.window_start_utc)"
)
"""SQL, also for the files that say ``{awaits_candles}``: whether the gap ``g`` is one of dense minutes in a time whose
candles are yet to be read. Built before they come, the minutes would have to be built again."""
DERIVED_OF_EVERYTHING = f"scope = '{EVERYTHING}' AND job NOT IN :tapes"
DAY = timedelta(days=1)
COMBOS = f"{checkpoints.COMBO}%"
CLOCKS = timedelta(minutes=1)
"""The server's clock, the exchange's and that of the schedule may differ by this much."""
READ_EARLY = "read so early that late records may be missing"
ALWAYS = (datetime(1970, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001  # naive UTC, as in the tables
Span = tuple[str, datetime, datetime]
"""A market, and the naive UTC start and end of a change."""


@dataclass(frozen=True)
class Gap:
    """What is missing: a window, of one market or of its whole scope, and why."""

    window: Window
    market: str = WHOLE
    reason: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """For messages: what is missing, from when to when."""
        return (
            f"{self.market or self.window.scope} from {self.window.start:%Y-%m-%d %H:%M} "
            f"to {self.window.end:%Y-%m-%d %H:%M} UTC"
        )


def note(connection: sa.Connection, gaps: Iterable[Gap], run_id: int = 0, *, since: datetime | None = None) -> int:
    """Store gaps, or note again those that are stored. Returns the number of the last one: numbers grow, clocks may
    stand or go back.

    With ``run_id``, that run has just tried to fill them and doesn't try again. ``since``: when they were first noted
    (naive UTC), by default now.
    """
    number = 0
    for gap in gaps:
        values = {**gap.window.values, "market": gap.market, "reason": gap.reason[:1000], "run_id": run_id}
        known = sql.run(
            connection, f"SELECT attempts, since_utc, accepted_reason FROM kalshi_gap WHERE {THIS} FOR UPDATE", **values
        ).one_or_none()
        kept = known._asdict() if known else {"attempts": 0, "since_utc": since, "accepted_reason": None}
        sql.run(connection, f"DELETE FROM kalshi_gap WHERE {THIS}", **values)
        noted = sql.run(
            connection,
            "INSERT INTO kalshi_gap (job, scope, market_ticker, window_start_utc, window_end_utc, reason, run_id, "
            "attempts, since_utc, accepted_reason) VALUES (:job, :scope, :market, :start, :end, :reason, :run_id, "
            ":attempts, COALESCE(:since_utc, CURRENT_TIMESTAMP(6)), :accepted_reason)",
            **values,
            **kept,
        )
        number = int(noted.lastrowid)
    return number


def expect(connection: sa.Connection, gap: Gap, run_id: int = 0) -> None:
    """Note a gap unless it is stored: noted again, it would outlast a reading that already began."""
    values = {**gap.window.values, "market": gap.market}
    if sql.run(connection, f"SELECT 1 FROM kalshi_gap WHERE {THIS} FOR UPDATE", **values).first() is None:
        note(connection, [gap], run_id)


def begin(connection: sa.Connection, gap: Gap, run_id: int) -> int:
    """Note that this run now reads what is missing. Returns a number: gaps noted from now on have higher ones, and
    this reading can't close them."""
    expect(connection, gap, run_id)
    try_again(connection, gap, run_id)
    return int(sql.run(connection, "SELECT MAX(number) FROM kalshi_gap").scalar_one())


def try_again(connection: sa.Connection, gap: Gap, run_id: int) -> None:
    """Count an attempt of this run to fill a gap."""
    sql.run(
        connection,
        f"UPDATE kalshi_gap SET attempts = attempts + 1, run_id = :run_id WHERE {THIS}",
        **gap.window.values,
        market=gap.market,
        run_id=run_id,
    )


def blame(connection: sa.Connection, gap: Gap, reason: str) -> None:
    """Store why the reading of a gap failed."""
    sql.run(
        connection,
        f"UPDATE kalshi_gap SET reason = :reason WHERE {THIS}",
        **gap.window.values,
        market=gap.market,
        reason=reason[:1000],
    )


def close(connection: sa.Connection, read: Gap, began: int) -> None:
    """Close what a reading has filled: all gaps in its window, or those of its market, unless they were noted after it
    ``began``. What reaches beyond the window stays."""
    found = sql.run(
        connection,
        "SELECT market_ticker, window_start_utc, window_end_utc, reason, since_utc FROM kalshi_gap "
        f"WHERE {IN_WINDOW} AND number <= :began AND {OPEN} "
        "AND (:market = '' OR market_ticker = :market) FOR UPDATE",
        **read.window.values,
        market=read.market,
        began=began,
    ).all()
    for market, start, end, reason, since in found:
        window = replace(read.window, start=start.replace(tzinfo=UTC), end=end.replace(tzinfo=UTC))
        _narrow(connection, Gap(window, market, reason), _outside(window, read.window), since)


def _narrow(connection: sa.Connection, gap: Gap, left: Iterable[Window], since: datetime) -> None:
    """Replace a gap by what is ``left`` of it."""
    sql.run(connection, f"DELETE FROM kalshi_gap WHERE {THIS}", **gap.window.values, market=gap.market)
    note(connection, (replace(gap, window=window) for window in left), since=since)


def close_everywhere(connection: sa.Connection, job: str) -> list[Window]:
    """Close, in every scope, what complete windows of the whole exchange cover, unless it was noted after their reading
    began. Returns the windows of the gaps that this changed."""
    rows = sql.run(connection, _read("covered_by_everything"), job=job, combos=COMBOS).all()
    closed: list[Window] = []
    for (scope, market, start, end, reason, since), spans in groupby(rows, key=lambda row: tuple(row[:6])):
        window = Window(job, scope, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
        left = [window]
        for *_, first, last in spans:
            read = replace(window, start=first.replace(tzinfo=UTC), end=last.replace(tzinfo=UTC))
            left = [part for each in left for part in _outside(each, read)]
        _narrow(connection, Gap(window, market, reason), left, since)
        closed.append(window)
    for scope in sorted({window.scope for window in closed}):
        restate(connection, job, scope)
    return closed


def _outside(window: Window, read: Window) -> Iterator[Window]:
    """What of ``window`` lies before and after ``read``."""
    if read.end <= window.start or read.start >= window.end:
        yield window
        return
    if window.start < read.start:
        yield replace(window, end=read.start)
    if window.end > read.end:
        yield replace(window, start=read.end)


def split(connection: sa.Connection, gap: Gap, at: datetime) -> Gap:
    """Store a gap as two, before and after ``at``. Returns the first."""
    values = {**gap.window.values, "market": gap.market}
    since = sql.run(connection, f"SELECT since_utc FROM kalshi_gap WHERE {THIS} FOR UPDATE", **values).scalar()
    sql.run(connection, f"DELETE FROM kalshi_gap WHERE {THIS}", **values)
    first, second = replace(gap.window, end=at), replace(gap.window, start=at)
    note(connection, (replace(gap, window=window) for window in (first, second)), since=since)
    return replace(gap, window=first)


def next_to_fill(
    connection: sa.Connection,
    window: Window,
    run_id: int,
    *,
    inside: bool,
    anywhere: bool = False,
    before: datetime | None = None,
    tried: Collection[Gap] = (),
) -> Gap | None:
    """The next gap of the window's job and scope that this run hasn't ``tried`` yet: of those that touch the window
    (``inside``) or of the others, the least tried and then the oldest, if it begins ``before`` this time. ``anywhere``:
    of every scope.

    A gap waits while its market is missing from the parent job, or while another run reads it; outside the window, one
    of dense minutes also waits for all candles of its time.
    """
    rows = sql.run(
        connection,
        _read("next_to_fill"),
        **window.values,
        run_id=run_id,
        inside=inside,
        anywhere=anywhere,
        combos=COMBOS,
        nameless=(WHOLE, UNREADABLE),
        parents=_parents(window),
        before=before,
        most=len(tried) + 1,
    )
    return next((gap for gap in _gaps(window.job, rows) if gap not in tried), None)


def _parents(window: Window) -> tuple[str, ...]:
    """The jobs that the window depends on."""
    return () if _is_tape(window.job, window.scope) else PARENTS.get(window.job, ())


def _is_tape(job: str, scope: str) -> bool:
    return scope == EVERYTHING and job in TAPES


def inherit(connection: sa.Connection, window: Window, run_id: int) -> None:
    """Note as missing from ``window`` the markets that are missing from its parent jobs; of EVERYTHING, those of any
    series, each as missing from its own."""
    for parent in _parents(window):
        # The catalog's own windows say when it was read, not when its markets trade.
        overlap = "" if parent == "catalog" else "AND window_start_utc < :end AND window_end_utc > :start "
        missing = sql.run(
            connection,
            "SELECT scope, market_ticker, MIN(reason) FROM kalshi_gap WHERE job = :parent AND "
            f"(scope = :scope OR {IS_EVERYTHING} AND scope NOT LIKE :combos) "
            f"AND market_ticker <> '' AND {OPEN} {overlap}GROUP BY scope, market_ticker",
            **window.values,
            parent=parent,
            combos=COMBOS,
        ).all()
        found = [Gap(replace(window, scope=scope), m, f"missing from {parent}: {why}") for scope, m, why in missing]
        note_of_series(connection, window, found, run_id)


def note_of_series(connection: sa.Connection, window: Window, found: Iterable[Gap], run_id: int) -> list[Gap]:
    """Note what a reading of ``window`` left out, and return it as it is noted. What it lacks of EVERYTHING is noted as
    missing from the market's own series, if that is known and the job's gaps are filled everywhere: the other series
    lack nothing."""
    noted = list(found)
    if window.scope == EVERYTHING and window.job in PARENTS:
        query = "SELECT market_ticker, series_ticker FROM kalshi_market WHERE market_ticker IN :tickers"
        series = dict(map(tuple, sql.run(connection, query, tickers=[gap.market for gap in noted])))
        noted = [
            replace(gap, window=replace(gap.window, scope=series[gap.market])) if gap.market in series else gap
            for gap in noted
        ]
    note(connection, noted, run_id)
    for scope in sorted({gap.window.scope for gap in noted} - {window.scope}):
        restate(connection, window.job, scope)
    return noted


def restate(connection: sa.Connection, job: str, scope: str) -> None:
    """Make the state of every window say whether gaps are left in it. RUNNING windows are left to their runs."""
    sql.run_file(connection, "gaps", "restate", job=job, scope=scope)


def open_gaps(
    connection: sa.Connection, job: str, scope: str, run_id: int = 0, *, being_read: bool = False
) -> list[Gap]:
    """The gaps that nobody has accepted, oldest first; those that another run than ``run_id`` reads at the moment, and
    dense minutes that wait for candles, only if ``being_read``. Of EVERYTHING, those of all series are among them."""
    rows = sql.run(
        connection,
        "SELECT g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason FROM kalshi_gap g "
        f"WHERE g.job = :job AND (g.scope = :scope OR {IS_EVERYTHING} AND g.scope NOT LIKE :combos) AND g.{OPEN} "
        f"AND (:being_read OR g.run_id = :run_id OR NOT ({BEING_READ} OR {AWAITS_CANDLES})) "
        "ORDER BY g.window_start_utc, g.market_ticker",
        job=job,
        scope=scope,
        combos=COMBOS,
        run_id=run_id,
        being_read=being_read,
    )
    return list(_gaps(job, rows))


def _gaps(job: str, rows: Iterable[Any]) -> Iterator[Gap]:
    for scope, market, start, end, reason in rows:
        yield Gap(Window(job, scope, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)), market, reason)


def hold(connection: sa.Connection, series: Iterable[str]) -> None:
    """Keep readings of these series from beginning before this transaction ends.

    A reading begins under ``catalog.lock_series``: so it either sees the rows of this transaction, or this
    transaction sees its window and reopens it.
    """
    query = "SELECT 1 FROM kalshi_series WHERE series_ticker IN :series LOCK IN SHARE MODE"
    sql.run(connection, query, series=sorted(series)).all()


def is_any_begun(connection: sa.Connection, series: Sequence[str]) -> bool:
    """Whether any window that was derived from the markets of these series was begun."""
    # A plain read could show the time before `hold` had to wait for the reading that began.
    found = sql.run(
        connection,
        f"SELECT 1 FROM kalshi_checkpoint WHERE job IN :jobs AND (scope IN :scopes OR {DERIVED_OF_EVERYTHING}) "
        "LIMIT 1 LOCK IN SHARE MODE",
        jobs=list(PARENTS),
        scopes=series,
        tapes=TAPES,
    )
    return found.first() is not None


def reopen(connection: sa.Connection, parent: str, series: Mapping[str, str], spans: Iterable[Span]) -> None:
    """Reopen what was derived from the parent's rows before they changed; ``series`` says which each market is of. Only
    windows that were begun count; the others will see the rows anyway."""
    children = [child for child, parents in PARENTS.items() if parent in parents]
    reason = f"{parent} changed later"
    _reopen(connection, [_Change(job, series[span[0]], span, reason) for span in spans for job in children])


class _Change(NamedTuple):
    """What a job has derived of a series is in doubt, for one market and time."""

    job: str
    scope: str
    span: Span
    reason: str


def _reopen(connection: sa.Connection, changes: Sequence[_Change]) -> None:
    if not changes:
        return
    begun: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    rows = sql.run(
        connection,
        "SELECT job, scope, window_start_utc, window_end_utc FROM kalshi_checkpoint WHERE job IN :jobs "
        f"AND (scope IN :scopes OR {DERIVED_OF_EVERYTHING}) "
        "AND window_start_utc < :end AND window_end_utc > :start LOCK IN SHARE MODE",
        jobs={change.job for change in changes},
        scopes={change.scope for change in changes},
        tapes=TAPES,
        start=min(change.span[1] for change in changes),
        end=max(change.span[2] for change in changes),
    )
    for job, scope, first, last in rows:
        begun[job, scope].append((first, last))
    found = []
    for job, scope, (market, start, end), reason in changes:
        everything = [] if scope.startswith(checkpoints.COMBO) else begun[job, EVERYTHING]
        windows = begun[job, scope] + everything
        touched = [(max(start, first), min(end, last)) for first, last in windows if first < end and last > start]
        if touched:
            edges = min(s for s, _ in touched).replace(tzinfo=UTC), max(e for _, e in touched).replace(tzinfo=UTC)
            found.append(Gap(Window(job, scope, *edges), market, reason))
    note(connection, found)
    for job, scope in sorted({(gap.window.job, gap.window.scope) for gap in found}):
        restate(connection, job, scope)


@dataclass(frozen=True)
class Life:
    """When a market opens and closes, naive UTC; None: not known."""

    series: str
    opens: datetime | None
    closes: datetime | None

    @property
    def span(self) -> tuple[datetime, datetime]:
        """What is not known counts as always."""
        return self.opens or ALWAYS[0], self.closes or ALWAYS[1]


@dataclass(frozen=True)
class LifeChange:
    """A market whose life changes; ``before`` is None for a market that is new."""

    market: str
    before: Life | None
    after: Life


def reopen_lives(connection: sa.Connection, lives: Iterable[LifeChange]) -> None:
    """Reopen the windows of markets that are new or whose life has changed: nobody asked for them there. Those of TAPES
    stay: they name every market themselves."""
    changes: list[_Change] = []
    for change in lives:
        old, new = change.before, change.after
        if old is None or old.series != new.series or old.opens is old.closes is None:
            span = (change.market, *new.span)
        else:
            span = (change.market, min(new.span[0], old.span[0]), max(new.span[1], old.span[1]))
            if not (new.span[0] < old.span[0] or new.span[1] > old.span[1]):
                changes.append(_Change("candles_dense", new.series, span, "the market's life became shorter"))
                continue
        changes += [_Change(job, new.series, span, "listed after it was read") for job in PARENTS]
    _reopen(connection, changes)


def begin_schedule(connection: sa.Connection, window: Window, remembered: timedelta, run_id: int) -> None:
    """Remember where scheduled runs begin, unless some came before: with ``window``, or with what was read by hand, if
    that ends within ``remembered`` before it. Whatever fails afterwards, the time from there on is missed."""
    sql.run(
        connection,
        "INSERT IGNORE INTO kalshi_schedule (job, scope, scheduled_until_utc, run_id) SELECT :job, :scope, "
        "LEAST(CAST(:start AS DATETIME(6)), COALESCE(MIN(window_start_utc), CAST(:start AS DATETIME(6)))), :run_id "
        "FROM kalshi_checkpoint WHERE job = :job AND scope = :scope AND window_end_utc > :oldest",
        **window.values,
        oldest=window.start - remembered,
        run_id=run_id,
    )


def note_unread(connection: sa.Connection, window: Window, overlap: timedelta) -> None:
    """Note, day by day, what lies unread between the last scheduled window and this one, and an ``overlap`` before
    it."""
    until = sql.run(
        connection,
        "SELECT scheduled_until_utc FROM kalshi_schedule WHERE job = :job AND scope = :scope",
        **window.values,
    ).scalar_one_or_none()
    if until is not None:
        unread = replace(window, start=until.replace(tzinfo=UTC), end=window.start)
        for hole in _not_begun(connection, unread):
            missed = replace(hole, start=hole.start - overlap)
            note(connection, (Gap(day, reason="no run came") for day in _days(missed)))


def doubt_edge(connection: sa.Connection, job: str, scope: str, edge: datetime, overlap: timedelta) -> None:
    """Note the ``overlap`` before ``edge`` if a window up to there was read before that time had passed: records of it
    may have been published since."""
    before = Window(job, scope, edge - overlap, edge)
    read_at = sql.run(
        connection,
        "SELECT MAX(r.started_at_utc) FROM kalshi_checkpoint w JOIN kalshi_sync_run r ON r.run_id = w.run_id "
        "WHERE w.job = :job AND w.scope = :scope AND w.window_start_utc < :end AND w.window_end_utc >= :end",
        **before.values,
    ).scalar()
    if read_at is not None and read_at.replace(tzinfo=UTC) < edge + overlap - CLOCKS:
        note(connection, [Gap(before, reason=READ_EARLY)])


def _not_begun(connection: sa.Connection, window: Window) -> Iterator[Window]:
    """The parts of the window that no reading was begun for."""
    start = window.start
    for first, last in checkpoints.begun(connection, window.job, window.scope, window.start):
        if first >= window.end:
            break
        if first > start:
            yield replace(window, start=start, end=first)
        start = max(start, last)
    if start < window.end:
        yield replace(window, start=start)


def schedule(connection: sa.Connection, window: Window, run_id: int) -> None:
    """Remember that a scheduled run asks for this window."""
    sql.run(
        connection,
        "INSERT INTO kalshi_schedule (job, scope, scheduled_until_utc, run_id) "
        "VALUES (:job, :scope, :end, :run_id) ON DUPLICATE KEY UPDATE "
        "scheduled_until_utc = GREATEST(scheduled_until_utc, :end), run_id = :run_id",
        **window.values,
        run_id=run_id,
    )


def _days(window: Window) -> Iterator[Window]:
    """The window in pieces of at most a UTC day, so that a run can fill some of them."""
    start = window.start
    while start < window.end:
        end = min(window.end, start.replace(hour=0, minute=0, second=0, microsecond=0) + DAY)
        yield replace(window, start=start, end=end)
        start = end


def oldest_whole(connection: sa.Connection, job: str, scope: str, after: datetime) -> datetime | None:
    """The start of the first gap of a whole scope from ``after`` on."""
    start = sql.run(
        connection,
        "SELECT MIN(window_start_utc) FROM kalshi_gap WHERE job = :job AND scope = :scope "
        f"AND market_ticker = '' AND window_start_utc >= :after AND {OPEN}",
        job=job,
        scope=scope,
        after=after,
    ).scalar()
    return start.replace(tzinfo=UTC) if start else None


def missing_markets(connection: sa.Connection, job: str, scope: str, began: int) -> list[str]:
    """The tickers of the markets that were missing when a reading ``began``, and haven't been noted again since."""
    rows = sql.run(
        connection,
        "SELECT market_ticker FROM kalshi_gap WHERE job = :job AND scope = :scope "
        f"AND market_ticker NOT IN :nameless AND {OPEN} "
        "GROUP BY market_ticker HAVING MAX(number) <= :began ORDER BY 1",
        job=job,
        scope=scope,
        nameless=(WHOLE, UNREADABLE),
        began=began,
    )
    return list(rows.scalars())


@dataclass(frozen=True)
class Count:
    """The gaps of a job and scope: how many are ``left`` (neither accepted nor being read at the moment), since when
    the oldest of those, and how many a person has ``accepted``."""

    job: str
    scope: str
    left: int
    oldest: datetime | None
    accepted: int


def counts(connection: sa.Connection) -> list[Count]:
    """A count for every job and scope that was ever read, by job and scope."""
    return [
        Count(job, scope, int(left), oldest and oldest.replace(tzinfo=UTC), int(accepted))
        for job, scope, left, oldest, accepted in sql.run(connection, _read("counts"))
    ]


def listed(
    connection: sa.Connection, job: str = "", scope: str = "", *, accepted: bool = False, most: int = 500
) -> list[dict[str, Any]]:
    """The newest gaps that are left, or the accepted ones: rows of ``kalshi_gap``, times naive UTC.

    ``job``, ``scope``: only theirs, unless empty.
    """
    which = "g.accepted_reason IS NOT NULL" if accepted else f"{OPEN} AND NOT {BEING_READ}"
    rows = sql.run(
        connection,
        "SELECT g.job, g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason, g.since_utc, "
        f"g.attempts, g.accepted_reason FROM kalshi_gap g WHERE {which} "
        "AND (:job = '' OR g.job = :job) AND (:scope = '' OR g.scope = :scope) "
        "ORDER BY g.since_utc DESC, g.job, g.scope, g.window_start_utc, g.market_ticker LIMIT :most",
        job=job,
        scope=scope,
        most=most,
    )
    return [dict(row) for row in rows.mappings()]


def accept(connection: sa.Connection, window: Window, market: str | None, reason: str) -> int:
    """Accept that what is missing within ``window`` stays missing, of one ``market`` or (None) of all of them.

    Only gaps that lie wholly within the window are accepted. Returns how many.
    """
    found = sql.run(
        connection,
        "UPDATE kalshi_gap SET accepted_reason = :reason WHERE job = :job AND scope = :scope "
        "AND (:market IS NULL OR market_ticker = :market) AND window_start_utc >= :start "
        f"AND window_end_utc <= :end AND {OPEN}",
        **window.values,
        market=market,
        reason=reason[:1000],
    )
    restate(connection, window.job, window.scope)
    return found.rowcount


def _read(name: str) -> str:
    """The statement of ``include/sql/gaps/<name>.sql``."""
    words = {"being_read": BEING_READ, "awaits_candles": AWAITS_CANDLES, "is_whole": checkpoints.IS_WHOLE}
    return sql.read("gaps", name).text.format(**words)
