"""What the coverage page knows of each series by day or month, read from the warehouse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa

from kalshi.ui import covered
from kalshi.ui.asked import end_of_month
from kalshi.ui.covered import Covered, Decided, State, days_of, missing, months_of, state
from kalshi.ui.warehouse import ask
from kalshi.warehouse import retention
from kalshi.warehouse.api_candles import CANDLE_1M

GAP_JOBS = ("candles", "candles_from_trades", "candles_dense", "trades")
Key = tuple[str, date]
"""A series, and the first day of a cell."""


@dataclass(frozen=True)
class Selection:
    """What was asked: a series, or those of a category, or all (""); from one day to another, inclusive."""

    series: str
    category: str
    first: date
    last: date
    by: Literal["day", "month"]
    show: str
    page: int = 1

    @cached_property
    def columns(self) -> list[date]:
        """The first day of each cell."""
        return (days_of if self.by == "day" else months_of)(self.first, self.last)

    def params(self, **others: Any) -> dict[str, Any]:
        """The parameters of this page's address."""
        chosen = {"series": self.series, "category": self.category, "date_from": self.first, "date_to": self.last}
        return {**chosen, "by": self.by, "show": self.show, **others}


@dataclass(frozen=True)
class Grid:
    """What is known of the series of a page: by cell, and by event (or month) for the list below. ``read``: the times
    whose prices were read, by series, naive UTC; ``dropped``: the months whose candles were dropped on purpose."""

    selection: Selection
    series: Sequence[str]
    now: datetime
    cells: Mapping[Key, Covered]
    events: Sequence[tuple[str, date, Covered]]
    read: Mapping[str, Sequence[tuple[datetime, datetime]]]
    listed: frozenset[str]
    dropped: frozenset[date]

    def why_not(self, series: str, first: date, known: Covered | None) -> State | None:
        """What is missing of a cell, or of one of its events."""
        last = first if self.selection.by == "day" else end_of_month(first)
        starts = known.opens if known and known.opens else datetime.combine(first, time())
        ends = known.closes if known and known.closes else datetime.combine(last, time.max)
        return missing(
            known,
            is_read=any(start < ends and end > starts for start, end in self.read.get(series, ())),
            is_listed=series in self.listed,
            is_over=ends <= self.now,
            is_dropped=self.dropped.issuperset(months_of(starts.date(), ends.date())),
        )

    def state(self, series: str, first: date) -> State:
        known = self.cells.get((series, first))
        return state(self.selection.show, known or Covered(), self.why_not(series, first, known))


def read_grid(connection: sa.Connection, selection: Selection, series: Sequence[str], max_spread: Any) -> Grid:
    """Everything that the page shows of these series."""
    now = datetime.now(UTC).replace(tzinfo=None)
    span = {"series": list(series), "first": selection.first, "last": selection.last, "by": selection.by, "now": now}
    found = covered.merged(ask(connection, "coverage_events", **span), ask(connection, "coverage_minutes", **span))
    decisions: dict[tuple[str, str, str], dict[str, Decided]] = defaultdict(dict)
    for row in ask(connection, "coverage_decided", **span):
        decisions[row["series"], row["day"], row["event"]][row["decision"]] = Decided(row["markets"])
    for key, row in found.items():
        decisions[key]["open"] = Decided(row.get("opened", 0))
    for row in ask(connection, "coverage_decisions", max_spread=max_spread, **span):
        at = decisions[row["series"], row["day"], row["event"]]
        markets = at.get(row["decision"], Decided()).markets
        at[row["decision"]] = Decided(markets, row["quoted"], row["fillable"])
    events = [
        (ticker, date.fromisoformat(day), _covered(row, decisions[ticker, day, event]))
        for (ticker, day, event), row in found.items()
    ]
    cells: dict[Key, Covered] = {}
    for ticker, day, known in events:
        cells[ticker, day] = cells.get((ticker, day), Covered()) + known
    for cell, gaps in _gaps(connection, selection, span).items():
        cells[cell] = replace(cells.get(cell, Covered()), gaps=tuple(gaps))
    read, listed = _read(connection, selection, span)
    dropped = frozenset(m.first_day for m in retention.dropped(connection, [CANDLE_1M.name]) if m.is_gone)
    return Grid(selection, series, now, cells, events, read, listed | {ticker for ticker, *_ in events}, dropped)


def _covered(row: dict[str, Any], decisions: dict[str, Decided]) -> Covered:
    known: dict[str, Any] = {name: row.get(name) or 0 for name in (*covered.COUNTS, "longest_gap")}
    known |= {"event": row["event"], "opens": row.get("opens"), "closes": row.get("closes")}
    return Covered(**known, decisions=decisions)


def _gaps(connection: sa.Connection, selection: Selection, span: dict[str, Any]) -> dict[Key, list[str]]:
    """What is known to be missing, by the cells that it touches."""
    found: dict[Key, list[str]] = defaultdict(list)
    for gap in ask(connection, "coverage_gaps", jobs=GAP_JOBS, **span):
        words = f"{gap['job']}{' of ' + gap['market'] if gap['market'] else ''} ({gap['reason']})"
        first, last = max(gap["first"], selection.first), min(gap["last"], selection.last)
        for day in days_of(first, last) if selection.by == "day" else months_of(first, last):
            found[gap["series"], day].append(words)
    return found


def _read(
    connection: sa.Connection, selection: Selection, span: dict[str, Any]
) -> tuple[dict[str, list[tuple[datetime, datetime]]], frozenset[str]]:
    """The windows whose prices were read, by series, and the series whose catalog was."""
    windows: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    listed = set()
    margin = 40  # days: an event may be read before and after its own month
    start = selection.first - timedelta(days=margin)
    end = date.fromordinal(min(selection.last.toordinal() + margin, date.max.toordinal()))
    for row in ask(connection, "coverage_read", series=span["series"], start=start, end=end):
        if row["job"] == "catalog":
            listed.add(row["series"])
        else:
            windows[row["series"]].append((row["start"], row["end"]))
    return windows, frozenset(listed)
