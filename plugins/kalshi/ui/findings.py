"""What the latest quality runs found, rule by rule and series by series, and what of it a person acknowledged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from kalshi.cells import Bar, Bars
from kalshi.settings import SEVERITIES
from kalshi.ui.warehouse import ask
from kalshi.warehouse.acknowledgements import covering, in_force

RUNS_SHOWN = 14
"""Of a rule's history."""
FAULTS = ("failed", "broken")


@dataclass(frozen=True)
class Finding:
    """A rule in a series that breaks it, in its latest quality run, or in all series in which it holds (passed) or has
    nothing to check (empty): ``series_count`` of them, ``series`` is empty then. ``state``: failed, broken (it couldn't
    run), passed or empty; ``acknowledged``: as in ``kalshi_quality_acknowledgement``; times are naive UTC."""

    check: str
    series: str
    table: str
    about: str
    severity: str
    state: str
    checked: int
    violations: int
    mostly: float
    broken_windows: int
    windows: int
    series_count: int = 1
    first_seen: datetime | None = None
    since: datetime | None = None
    acknowledged: Mapping[str, Any] | None = None

    @property
    def is_fault(self) -> bool:
        return self.state in FAULTS

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look at it."""
        return self.is_fault and not self.acknowledged and self.severity != "info"


@dataclass(frozen=True)
class Latest:
    """The latest quality run of each series. ``runs``: a row for each series and window, the worst first;
    ``findings``: by rule."""

    runs: Sequence[dict[str, Any]]
    findings: Sequence[Finding]

    @property
    def by_rule(self) -> dict[str, list[Finding]]:
        return {check: list(found) for check, found in groupby(self.findings, key=lambda finding: finding.check)}

    @property
    def series(self) -> set[str]:
        return {run["series"] for run in self.runs}


def latest(connection: sa.Connection, of_series: str = "") -> Latest:
    """``of_series``: only the findings of this series, unless empty."""
    runs = ask(connection, "quality_runs")
    ids = [run["run_id"] for run in runs]
    rules = ask(connection, "quality_rules", runs=ids, series=of_series)
    faults = [(rule["check"], rule["series"]) for rule in rules if rule["state"] in FAULTS]
    checks, series = {check for check, _ in faults}, {name for _, name in faults}
    times = {
        (row["check"], row["series"]): row
        for row in ask(connection, "quality_since", checks=checks, series=series, oldest=min(ids, default=0))
    }
    acknowledged = in_force(connection)
    return Latest(runs, [_finding(rule, times.get((rule["check"], rule["series"])), acknowledged) for rule in rules])


def _finding(rule: dict[str, Any], times: dict[str, Any] | None, acknowledged: Iterable[dict[str, Any]]) -> Finding:
    is_fault = rule["state"] in FAULTS
    return Finding(
        **rule,
        first_seen=times["first_seen_utc"] if times and is_fault else None,
        since=times["since_utc"] if times and is_fault else None,
        acknowledged=covering(acknowledged, rule["check"], rule["series"]) if is_fault else None,
    )


def worst(findings: Sequence[Finding]) -> Finding:
    """The worst of a rule's findings: what somebody should look at, then broken, then failed, then passed."""
    return min(
        findings, key=lambda f: (not f.is_trouble, FAULTS.index(f.state) if f.is_fault else 2, f.state != "passed")
    )


def by_weight(findings: Sequence[Finding]) -> tuple[int, int, int]:
    """A key that sorts rules: the worst first."""
    first = worst(findings)
    weight = SEVERITIES.index(first.severity)
    return (not first.is_trouble) + (not first.is_fault), weight, -sum(f.violations for f in findings)


def histories(connection: sa.Connection) -> dict[str, Bars]:
    """By rule, the rows that broke it in each of the latest quality runs."""
    rows = ask(connection, "quality_history", most=RUNS_SHOWN, check="")
    bars: dict[str, list[Bar]] = defaultdict(list)
    for row in rows:
        label = f"{row['at_utc']:%Y-%m-%d %H:%M} UTC: {row['violations']:,} rows"
        bars[row["check"]].append(Bar(row["violations"], label, bool(row["is_broken"])))
    return {check: Bars(found) for check, found in bars.items()}
