"""Evidence: the only place that decides whether a window of a job is complete.

A window is a gap from before it is read until the reading has ended with nothing missing. Whatever the reading leaves
out — a record that was rejected, a market that neither tier knows, a list that was cut short — stays behind as a gap of
its own, together with the rows of its page, and later runs of the job come back to it.

A job may read one scope or, in one stream, EVERYTHING. A window of everything that lacks nothing counts for every
scope, and closes their gaps; while it lacks anything, it counts for none. What is missing from the data of a market
whose series is known is missing from that series, not from everything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError, ExchangeUnavailable
from kalshi.settings import load_settings
from kalshi.sync.run import SyncRun, TooManyRejected
from kalshi.text import counted, first_few
from kalshi.warehouse import catalog, checkpoints, gaps, ledger, retention
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.gaps import WHOLE, Gap
from kalshi.warehouse.server import in_transaction

log = logging.getLogger(__name__)
TOO_FRESH = "read so soon that the exchange may still publish records of this time"
DAY = timedelta(days=1)
MOST_NAMED = 3
"""How many gaps a warning names."""
LEAST_REQUESTS = 200
"""A run spends as many requests on older gaps as on its own window, but at least this many."""


@dataclass(frozen=True)
class Doubt:
    """What a reading could not prove to have read: a market (or WHOLE), and why."""

    market: str
    reason: str


@dataclass
class Reading:
    """One attempt to read what is missing: all of a window, or one market of it.

    ``began``: gaps noted since have higher numbers. ``until``: read up to here, which may be later than the end of the
    window, the time that the reading proves.
    ``reached``: the progress of an earlier attempt; ``seen`` and ``rejected`` count records, earlier attempts included.
    """

    gap: Gap
    began: int
    until: datetime
    reached: dict[str, Any] | None = None
    seen: int = 0
    rejected: int = 0

    @property
    def window(self) -> Window:
        return self.gap.window

    @property
    def market(self) -> str:
        return self.gap.market

    @property
    def is_whole(self) -> bool:
        """Whether all of the window is to be read, rather than one market of it: also if nobody knows which market."""
        return self.market in (WHOLE, gaps.UNREADABLE)

    def wants(self, market: str) -> bool:
        """Whether this reading is to read the market."""
        return self.is_whole or self.market == market

    def progress(self, reached: dict[str, Any], seen: int, rejected: int) -> str:
        """The progress to store together with a page of ``seen`` records, ``rejected`` ones included."""
        counts = {"seen": self.seen + seen, "rejected": self.rejected + rejected}
        return msgspec.json.encode({**reached, **counts}).decode()


Read = Callable[[Reading], Iterable[Doubt]]
"""Reads and writes what is missing, and returns what it could not read."""


def expect(run: SyncRun, *windows: Window, until: datetime | None = None, force: bool = False) -> None:
    """Note that these windows have to be read, unless all of one was begun before (or ``force``).

    Do this first of all in a run, and for all its windows at once: whatever fails afterwards, the gaps remain.
    ``until``: what lies between the end of a window and this time has to be read again, because it can't be proven yet.
    """

    def work(connection: sa.Connection) -> None:
        for window in windows:
            gaps.restate(connection, window.job, window.scope)
            fresh = replace(window, start=window.end, end=until or window.end)
            for part, reason, run_id in ((window, "not read yet", 0), (fresh, TOO_FRESH, run.run_id)):
                if part.start < part.end and (force or not checkpoints.was_begun(connection, part)):
                    gaps.expect(connection, Gap(part, reason=reason), run_id)

    in_transaction(run.engine, work)


def is_missing(run: SyncRun, window: Window, provable: datetime | None = None, *, anywhere: bool = False) -> bool:
    """Whether anything is left to read of the window's job and scope, or (``anywhere``) of any scope, in the time up to
    ``provable``."""
    return any(_next(run, window, provable, (), inside=inside, anywhere=anywhere) for inside in (True, False))


def read_missing(
    run: SyncRun,
    window: Window,
    read: Read,
    *,
    until: datetime | None = None,
    provable: datetime | None = None,
    older: bool = True,
    anywhere: bool = False,
    split_at: datetime | None = None,
    before_older: Callable[[Gap], None] = lambda _: None,
) -> bool:
    """Read what is missing of ``window``, then ``older`` gaps of its job and scope within a bounded number of requests.

    ``provable``: what is later than this stays missing, as the exchange may still publish records of that time
    (``provable_until``); by default a reading proves all that it reads. A gap outside the window that the exchange
    refuses to fill keeps its reason, and the next one is tried. Returns whether too many records of the window were
    rejected. ``anywhere``: the older gaps are those of every scope. ``split_at``: a window in which this time lies is
    read in two parts. ``before_older`` is called before an older gap is read: it reads what the gap depends on, or
    raises.

    Raises:
        ExchangeError: while reading the window; ExchangeUnavailable also while filling older gaps.
    """
    before, too_many = run.traffic.requests, False
    tried: set[Gap] = set()  # two runs that only looked at what the other has tried would never end
    while gap := _next(run, window, provable, tried, inside=True, split_at=split_at):
        tried.add(gap)
        too_many |= read_gap(run, gap, read, until=until)
    if older:
        limit = max(LEAST_REQUESTS, run.traffic.requests - before)
        which: dict[str, Any] = {"anywhere": anywhere, "split_at": split_at}
        _fill_older(run, window, read, provable, limit=limit, before_each=before_older, **which)
    return too_many


def _fill_older(
    run: SyncRun,
    window: Window,
    read: Read,
    provable: datetime | None,
    *,
    limit: int,
    before_each: Callable[[Gap], None],
    **which: Any,
) -> None:
    before = run.traffic.requests
    tried: set[Gap] = set()
    while run.traffic.requests - before < limit:
        if not (gap := _next(run, window, provable, tried, inside=False, **which)):
            return
        tried.add(gap)
        log.info("Filling a gap: %s (%s).", gap.name, gap.reason)
        with refusal_logged(gap.name):
            before_each(gap)
            read_gap(run, gap, read)


@contextmanager
def refusal_logged(name: str) -> Iterator[None]:
    """Log that the exchange refuses what is missing, or sends too much that can't be read, or that it is just being
    dropped on purpose, so that the next is tried. An unavailable one refuses nothing: ExchangeUnavailable is raised."""
    try:
        yield
    except ExchangeUnavailable:
        raise
    except (ExchangeError, TooManyRejected, retention.BeingDropped) as error:
        log.warning("Still missing: %s: %s", name, error)


def _next(
    run: SyncRun,
    window: Window,
    provable: datetime | None,
    tried: Collection[Gap],
    *,
    inside: bool,
    anywhere: bool = False,
    split_at: datetime | None = None,
) -> Gap | None:
    def work(connection: sa.Connection) -> Gap | None:
        which: dict[str, Any] = {"inside": inside, "anywhere": anywhere, "before": provable, "tried": tried}
        gap = gaps.next_to_fill(connection, window, run.run_id, **which)
        if gap and gap.window.scope != window.scope and gap.market == WHOLE and gap.window.end - gap.window.start > DAY:
            gap = gaps.split(connection, gap, gap.window.start + DAY)  # another scope's: only some of it in a run
        if gap and split_at and gap.market == WHOLE and gap.window.start < split_at < gap.window.end:
            return gaps.split(connection, gap, split_at)
        if gap and provable and gap.window.end > provable:
            return gaps.split(connection, gap, provable)
        return gap

    return in_transaction(run.engine, work)


def read_gap(run: SyncRun, gap: Gap, read: Read, *, until: datetime | None = None) -> bool:
    """Read exactly this gap. Returns whether too many of its records were rejected; raises what ``read`` raises."""
    reading = in_transaction(run.engine, _begin, gap, run.run_id)
    if until and gap.window.end < until and gap.market == WHOLE:
        reading.until = until
    try:
        doubts = list(read(reading))
    except BaseException as error:
        reason = str(error) or type(error).__name__
        # Never resume from a cursor that was refused or that loops.
        resumable = isinstance(error, ExchangeUnavailable) or not isinstance(error, ExchangeError)
        in_transaction(run.engine, _fail, gap, reason, resumable=resumable)
        raise
    too_many = gap.market == WHOLE and reading.rejected > run.tolerated_share * reading.seen
    if too_many:
        doubts.append(Doubt(WHOLE, f"{reading.rejected} of {reading.seen} records were rejected"))
    in_transaction(run.engine, _conclude, reading, doubts, run.run_id)
    return too_many


def _begin(connection: sa.Connection, gap: Gap, run_id: int) -> Reading:
    catalog.lock_series(connection, gap.window.scope)
    retention.check_not_being_dropped(connection, gap.window)
    if gap.market != WHOLE:
        return Reading(gap, gaps.begin(connection, gap, run_id), gap.window.end)
    progress, began = checkpoints.claim(connection, gap.window, run_id)
    if progress:
        gaps.try_again(connection, gap, run_id)
    else:
        began = gaps.begin(connection, gap, run_id)
        checkpoints.begin(connection, gap.window, began)
    gaps.restate(connection, gap.window.job, gap.window.scope)
    reached = msgspec.json.decode(progress) if progress else None
    counts = reached or {}
    return Reading(gap, began, gap.window.end, reached, counts.get("seen", 0), counts.get("rejected", 0))


def _fail(connection: sa.Connection, gap: Gap, reason: str, *, resumable: bool) -> None:
    gaps.blame(connection, gap, reason)
    if gap.market == WHOLE:
        checkpoints.fail(connection, gap.window, reason, resumable=resumable)


def _conclude(connection: sa.Connection, reading: Reading, doubts: list[Doubt], run_id: int) -> None:
    window = reading.window
    found = (Gap(window, doubt.market, doubt.reason) for doubt in doubts)
    gaps.note_of_series(connection, window, found, run_id)
    gaps.close(connection, reading.gap, reading.began)
    if reading.market == WHOLE:
        gaps.inherit(connection, window, run_id)
        checkpoints.begin(connection, window, reading.began)  # another run may have claimed the window meanwhile
        checkpoints.finish(connection, window)
    ledger.resolve(connection, window)
    gaps.restate(connection, window.job, window.scope)
    if reading.market == WHOLE:
        checkpoints.supersede(connection, window)
    if window.scope == EVERYTHING:
        for closed in gaps.close_everywhere(connection, window.job):
            ledger.resolve(connection, closed)


def warn_of_gaps(run: SyncRun, *jobs: str) -> None:
    """Warn of every gap that is left in the run's scope, by name."""
    for job in jobs:
        left = in_transaction(run.engine, gaps.open_gaps, job=job, scope=run.scope, run_id=run.run_id)
        if left:
            named = first_few([f"{gap.name} ({gap.reason})" for gap in left], MOST_NAMED)
            run.warn(
                f"{counted(len(left), 'gap')} left in the {job} of {run.scope}: {named}. Ordinary runs try again; "
                "kalshi_gap lists them all."
            )


def provable_until(exchange: Exchange) -> datetime:
    """Up to which full minute a reading proves anything: later records may still be published
    (``tolerances.grace_minutes`` in ``kalshi.toml``)."""
    return (exchange.now() - timedelta(minutes=load_settings().tolerances.grace_minutes)).replace(
        second=0, microsecond=0
    )
