"""What a job reports: what each field means, how it is shown, and how the reports of a series' windows make one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, reduce
from operator import add
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec

from kalshi.cells import Cell, Unit, cell

State = Literal["success", "warning", "failed"]
STATES: tuple[State, ...] = ("success", "warning", "failed")
"""From best to worst."""
BEFORE_OWN = ("scope", "state")
"""The fields of every report that stand first in a table."""


def worst(states: Iterable[State]) -> State:
    """The worst of these states; "failed" of none at all."""
    return max(states, key=STATES.index, default="failed")


def first(one: Any, other: Any) -> Any:
    return one


def worse(one: State, other: State) -> State:
    return worst((one, other))


def union(one: list[Any], other: list[Any]) -> list[Any]:
    """Both lists, each element once."""
    return list(dict.fromkeys([*one, *other]))


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both dictionaries; what both have is added up."""
    return {key: one[key] + other[key] if key in one and key in other else (one | other)[key] for key in one | other}


@dataclass(frozen=True)
class Field:
    """What a field means (``about``, for docs/reports.md), and its heading in tables; without one it isn't shown.

    ``merge``: of its values in two windows, that of both together. ``unit``: what a number means, or how a time is
    shown.
    """

    about: str
    heading: str = ""
    merge: Callable[[Any, Any], Any] = add
    unit: Unit = ""


@cache
def fields_of(kind: type[msgspec.Struct]) -> dict[str, Field]:
    """The fields of a report or of a row in one, in their order.

    Raises:
        TypeError: a field has no description.
    """
    hints = get_type_hints(kind, include_extras=True)
    found = {name: _described(hints[name]) for name in kind.__struct_fields__}
    if missing := [name for name, described in found.items() if described is None]:
        raise TypeError(f"Describe {', '.join(missing)} of {kind.__name__}: Annotated[type, Field(…)].")
    return {name: described for name, described in found.items() if described}


def _described(hint: Any) -> Field | None:
    return next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Field)), None)


def columns(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The heading of each field that tables show, in their order: a job's own fields stand between how it ended and
    what it cost."""
    shown = {name: field.heading for name, field in fields_of(kind).items() if field.heading}
    if not issubclass(kind, JobReport):
        return shown
    common = [name for name in shown if name in JobReport.__struct_fields__ and name not in BEFORE_OWN]
    own = [name for name in shown if name not in (*BEFORE_OWN, *common)]
    return {name: shown[name] for name in (*BEFORE_OWN, *own, *common)}


def row_of(row: msgspec.Struct, names: Iterable[str]) -> list[Cell]:
    """These fields of a row as people see them."""
    fields = fields_of(type(row))
    return [cell(getattr(row, name), fields[name].unit) for name in names]


class RowCounts(msgspec.Struct):
    """What happened to the rows of a table."""

    inserted: Annotated[int, Field("new rows")] = 0
    updated: Annotated[int, Field("rows that changed")] = 0
    unchanged: Annotated[int, Field("rows that were the same")] = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged)


class Outcome(msgspec.Struct, kw_only=True):
    """How something ended, and why."""

    scope: Annotated[str, Field("series ticker (portfolio: the number of a subaccount)", "series", first)] = ""
    state: Annotated[State, Field("`success`, `warning` or `failed`", "state", worse)] = "failed"
    error: Annotated[str | None, Field("why it failed", merge=first)] = None
    warnings: Annotated[list[str], Field("what was left out or looks odd")] = msgspec.field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """The error and the warnings."""
        return [*([self.error] if self.error else []), *self.warnings]


class JobReport(Outcome, kw_only=True):
    """How one task went; stored in ``kalshi_sync_run.report``. A subclass adds what its job has to tell."""

    job: Annotated[str, Field("as in `kalshi_sync_run`", merge=first)] = ""
    run_id: Annotated[int | None, Field("the row in `kalshi_sync_run`; null: the task left no report", merge=min)] = (
        None
    )
    tables: Annotated[dict[str, RowCounts], Field("rows by table", merge=added)] = msgspec.field(default_factory=dict)
    pages: Annotated[int, Field("pages written")] = 0
    inserted: Annotated[int, Field("new rows, in all tables", "inserted")] = 0
    updated: Annotated[int, Field("rows that changed", "updated")] = 0
    unchanged: Annotated[int, Field("rows that were the same", "unchanged")] = 0
    rejected: Annotated[int, Field("records that could not be stored", "rejected")] = 0
    requests: Annotated[int, Field("requests sent, retries included", "requests")] = 0
    retries: Annotated[int, Field("requests sent again", "retries")] = 0
    throttled_seconds: Annotated[float, Field("time spent waiting for the request budget", "waited", unit="s")] = 0.0
    duration_seconds: Annotated[float, Field("time of the whole run", "took", unit="s")] = 0.0


class WindowReport(JobReport, kw_only=True):
    """The report of a job that reads a window."""

    from_utc: Annotated[datetime | None, Field("where the window begins; null: no limit", "from (UTC)", min)] = None
    to_utc: Annotated[datetime | None, Field("where it ends; null: no limit", "to (UTC)", max)] = None


Report = TypeVar("Report", bound=JobReport)


def together(reports: Sequence[Report]) -> Report:
    """One report from those of a series' windows. What isn't known of one window doesn't count."""

    def merge(one: Report, other: Report) -> Report:
        values = {}
        for name, field in fields_of(type(one)).items():
            known = [value for each in (one, other) if (value := getattr(each, name)) is not None]
            values[name] = reduce(field.merge, known) if known else None
        return msgspec.structs.replace(one, **values)

    return reduce(merge, reports)
