"""What is known about a series in a day or a month, and how a cell of the coverage page says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from kalshi.cells import number

ENOUGH = 0.8
"""Covered: a quote was known in at least this share of the minutes; below it, short."""
STEPS = (0.25, 0.5, ENOUGH, 0.95)
"""Where the colours of shares change."""


@dataclass(frozen=True)
class Decided:
    """At one decision: how many ``markets`` there were to decide about, how many had a known quote, and in how many
    the spread could be filled."""

    markets: int = 0
    quoted: int = 0
    fillable: int = 0

    def __add__(self, other: Decided) -> Decided:
        return Decided(self.markets + other.markets, self.quoted + other.quoted, self.fillable + other.fillable)


@dataclass(frozen=True)
class Covered:
    """The events of one series in a day or a month. ``event``: its ticker if it is one; ``minutes``: of all markets'
    lives up to now; ``checked``: events that a quality run has looked at, with the ``quoted`` minutes of their markets.

    ``settled`` markets have a result; ``compared`` ones were held against the exchange's own volume, and ``proven``
    ones agree with it; ``traded`` ones have stored trades. ``gaps``: what is known to be missing.
    """

    events: int = 0
    markets: int = 0
    minutes: int = 0
    opened: int = 0
    settled: int = 0
    compared: int = 0
    proven: int = 0
    traded: int = 0
    trades: int = 0
    checked: int = 0
    checked_minutes: int = 0
    present: int = 0
    quoted: int = 0
    longest_gap: int = 0
    event: str = ""
    opens: datetime | None = None
    closes: datetime | None = None
    decisions: Mapping[str, Decided] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()

    def __add__(self, other: Covered) -> Covered:
        """Of both together."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        names = {*self.decisions, *other.decisions}
        nothing = Decided()
        return Covered(
            **sums,
            longest_gap=max(self.longest_gap, other.longest_gap),
            event=self.event if not other.events else other.event if not self.events else "",
            opens=min(filter(None, (self.opens, other.opens)), default=None),
            closes=max(filter(None, (self.closes, other.closes)), default=None),
            decisions={n: self.decisions.get(n, nothing) + other.decisions.get(n, nothing) for n in names},
            gaps=tuple(dict.fromkeys((*self.gaps, *other.gaps))),
        )


COUNTS = tuple(name for name, kind in Covered.__annotations__.items() if kind == "int" and name != "longest_gap")


def total(all_of_them: Iterable[Covered]) -> Covered:
    return sum(all_of_them, Covered())


@dataclass(frozen=True)
class State:
    """What a cell shows. ``kind``: its colour, a class of the style sheet; ``text``: in the cell; ``word``: what that
    means, as in the legend; ``about``: in full. ``todo``: the DAG that would fill it, if one would."""

    kind: str
    text: str
    word: str
    about: str
    todo: str = ""
    share: float | None = None


NO_EVENT = State("none", "", "no event", "The exchange has no event on this day.")
NOT_LISTED = State(
    "unread",
    "✕",
    "not read",
    "Not read: the series' events were never listed.",
    "kalshi_catalog_sync",
)
NOT_READ = State("unread", "✕", "not read", "Not read: its prices were never asked for.", "kalshi_candles_backfill")
NOT_CHECKED = State("unchecked", "?", "not checked", "Read, but no quality run has checked it.", "kalshi_data_quality")
DROPPED = State("open", "-", "dropped", "Of a month that kalshi_retention dropped on purpose; not read since.")
OPEN = State("open", "…", "still open", "Still open, and not read yet: the daily runs will read it.")
UNSETTLED = State("open", "…", "not settled", "Not settled yet: only settled markets can be proven.")
NOT_COMPARED = State(
    "unchecked", "?", "not compared", "Settled, but never compared with the exchange.", "kalshi_reconciliation"
)
WORDS = {
    "quotes": "Quotes: in what share of the minutes of the markets' lives was a quote known?",
    "proof": "Proof: what share of the settled markets has all trades and candles, going by the exchange's own volume?",
    "gaps": "Gaps: how many holes do the jobs know of?",
    "trades": "Trades: what share of the settled markets has stored trades?",
}
"""What can be coloured, other than the decisions."""
RUNS_NEEDED = {"unread", "unchecked"}


def missing(known: Covered | None, *, is_read: bool, is_listed: bool, is_over: bool, is_dropped: bool) -> State | None:
    """Why there is no figure; None if there is one. ``is_listed``: whether the series' catalog was read;
    ``is_dropped``: whether the candles of all these days were dropped on purpose."""
    if known is None or not known.events:
        return NO_EVENT if is_listed else NOT_LISTED
    if known.checked:
        return None
    if is_read:
        return NOT_CHECKED
    if not is_over:
        return OPEN
    return DROPPED if is_dropped else NOT_READ


def state(show: str, known: Covered, why_not: State | None) -> State:
    """How the events of a cell are, in what ``show`` is about; ``why_not``: what is missing of their prices."""
    if show == "proof":
        return _proof(known, why_not)
    if show == "trades":
        return _trades(known, why_not)
    if show == "gaps":
        return _gaps(known, why_not)
    if why_not:
        return why_not
    return _quotes(known) if show == "quotes" else _decision(known.decisions.get(show, Decided()))


def _quotes(known: Covered) -> State:
    share = ratio(known.quoted, known.minutes)
    about = f"A quote was known in {known.quoted:,} of {known.minutes:,} minutes"
    if known.checked_minutes < known.minutes:
        about += f", of which {known.checked_minutes:,} were checked"
    unchecked = known.events - known.checked
    if unchecked:
        about += f"; {unchecked} of {known.events} events were never checked"
    return _shared(share, "covered" if (share or 0) >= ENOUGH else "short", f"{about}.")


def _decision(found: Decided) -> State:
    if not found.markets:
        return State("open", "…", "not decided", "This decision has not come yet.")
    about = (
        f"A quote was known in {found.quoted:,} of {found.markets:,} markets; the spread of "
        f"{found.fillable:,} could be filled."
    )
    share = ratio(found.quoted, found.markets)
    return _shared(share, "covered" if (share or 0) >= ENOUGH else "short", about)


def _proof(known: Covered, why_not: State | None) -> State:
    if not known.events:
        return why_not or NO_EVENT
    if not known.settled:
        return UNSETTLED if not why_not or why_not is OPEN else why_not
    if not known.compared:
        return why_not if why_not in (NOT_READ, DROPPED) else NOT_COMPARED
    share = ratio(known.proven, known.settled)
    about = f"{known.proven:,} of {known.settled:,} settled markets are proven to have all trades and candles."
    if known.compared < known.settled:
        about += f" {known.settled - known.compared:,} were never compared."
    return _shared(share, "proven" if share == 1 else "not proven", about)


def _trades(known: Covered, why_not: State | None) -> State:
    if not known.events:
        return why_not or NO_EVENT
    if not known.compared:
        return why_not if why_not is DROPPED else UNSETTLED if not known.settled else NOT_COMPARED
    about = f"{known.traded:,} of {known.compared:,} compared markets have trades, {known.trades:,} in all."
    share = ratio(known.traded, known.compared)
    return _shared(share, "traded" if known.traded else "no trades", about)


def _gaps(known: Covered, why_not: State | None) -> State:
    if known.gaps:
        many = len(known.gaps)
        return State("q0", f"{many:,}", "gaps", f"{many:,} known gap{'s' * (many > 1)}: {'; '.join(known.gaps[:3])}.")
    if why_not and why_not.kind == "unread":
        return why_not
    return State("q4", "0", "no gap", "No job knows of a gap.") if known.events else why_not or NO_EVENT


def _shared(share: float | None, word: str, about: str) -> State:
    if share is None:
        return replace(OPEN, about=about)
    step = sum(share >= limit for limit in STEPS)
    return State(f"q{step}", f"{int(100 * share)}", word, f"{number(share, 'share')}, {word}. {about}", share=share)


def ratio(part: int, whole: int) -> float | None:
    """At most 1: minutes are counted by the day, and a market may have been reopened since."""
    return min(1.0, part / whole) if whole else None


def merged(*statements: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The rows of several statements about the same events (or months), as one by series, day and event."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for rows in statements:
        for row in rows:
            found.setdefault((row["series"], row["day"], row["event"]), {}).update(row)
    return found


def days_of(first: date, last: date) -> list[date]:
    return [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]


def months_of(first: date, last: date) -> list[date]:
    """The first day of each."""
    months = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    return [date(month // 12, month % 12 + 1, 1) for month in months]
