"""Is anything wrong? Every trouble in the warehouse: what, since when, what it means, and where to do something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from fastapi import Request

from kalshi.cells import Link
from kalshi.operations.doctor import disk
from kalshi.settings import load_settings
from kalshi.text import counted, first_few, minutes, one_line
from kalshi.ui.airflow import form_address, report_address, run_address
from kalshi.ui.findings import Finding, Latest, by_weight, latest
from kalshi.ui.rendering import address
from kalshi.ui.warehouse import ask
from kalshi.warehouse import gaps
from kalshi.warehouse.ledger import PLAN, STALE_MINUTES

BAD_RUN = ("failed", "abandoned")
MOST_NAMED = 5
"""Series that are named in a sentence, and rules that have a line of their own."""


@dataclass(frozen=True)
class Trouble:
    """``since``: naive UTC; ``means``: what it means, in a sentence; ``doing``: where to do something about it."""

    is_red: bool
    what: str
    means: str
    doing: Sequence[Link]
    since: datetime | None = None


@dataclass(frozen=True)
class Status:
    """Everything that the banner counts, and the rows behind it."""

    troubles: Sequence[Trouble]
    acknowledged: Sequence[Finding]
    runs: dict[str, list[dict[str, Any]]]
    """The latest Airflow run of each job, by job, a row per scope."""
    freshness: Sequence[dict[str, Any]]
    quality: Latest
    gaps: Sequence[gaps.Count]
    proof: Sequence[dict[str, Any]]
    at: datetime
    """The server's time, UTC."""

    @property
    def red(self) -> int:
        return sum(trouble.is_red for trouble in self.troubles)

    @property
    def amber(self) -> int:
        return len(self.troubles) - self.red

    @property
    def color(self) -> str:
        return "red" if self.red else "amber" if self.amber else "green"

    @property
    def checked(self) -> str:
        """What the colour is based on, as counts."""
        asked = load_settings().series_tickers
        fresh = sum(row["verdict"] == "pass" for row in self.freshness)
        known = sum(series in self.quality.series for series in asked)
        proven, markets = (sum(row[name] for row in self.proof) for name in ("proven", "markets"))
        return (
            f"{fresh} of {len(self.freshness)} tables fresh, {known} of {len(asked)} series checked by data quality, "
            f"{counted(sum(count.left for count in self.gaps), 'gap')}, "
            f"{proven:,} of {markets:,} settled markets proven"
        )


def status(connection: sa.Connection, request: Request) -> Status:
    rows = ask(connection, "last_runs", stale_minutes=STALE_MINUTES)
    runs = {job: list(found) for job, found in groupby(rows, key=lambda run: str(run["job"]))}
    freshness, proof = ask(connection, "freshness"), ask(connection, "proof")
    quality, counts = latest(connection), gaps.counts(connection)
    troubles = [
        *_runs(request, runs),
        *_windows(request, ask(connection, "failed_windows")),
        *_freshness(request, freshness, runs),
        *_rules(request, quality),
        *_unchecked(request, quality),
        *_gaps(request, counts),
        *_proof(request, proof),
        *_disk(),
    ]
    return Status(
        troubles=sorted(troubles, key=lambda trouble: not trouble.is_red),
        acknowledged=[finding for finding in quality.findings if finding.acknowledged],
        runs=runs,
        freshness=freshness,
        quality=quality,
        gaps=counts,
        proof=proof,
        at=datetime.now(UTC).replace(tzinfo=None),
    )


def _runs(request: Request, runs: dict[str, list[dict[str, Any]]]) -> Iterator[Trouble]:
    """Jobs whose latest run failed or died, or warned. What data quality warns of has lines of its own."""
    for job, scopes in runs.items():
        bad = [run for run in scopes if run["state"] in BAD_RUN]
        warned = [run for run in scopes if run["state"] == "warning"]
        if not bad and (not warned or job == "quality"):
            continue
        first = (bad or warned)[0]
        names = _names(run["scope"] for run in (bad or warned))
        links = [
            Link("Open the run", run_address(request, job, first["dag_run_id"])),
            Link("Open the report", report_address(request, job, first["dag_run_id"])),
        ]
        if not bad:
            means = "Its data is stored; the report says what to look at."
            yield Trouble(False, f"{job} ended with a warning: {names}", means, _there(links), first["started_at_utc"])
            continue
        series = ",".join(run["scope"] for run in bad if run["scope"] != PLAN)
        links.append(Link("Run it again", _form(request, job, series)))
        verb = "failed" if any(run["state"] == "failed" for run in bad) else "died"
        good = [run["last_good_utc"] for run in bad if run["last_good_utc"]]
        since = min(good) if good else first["started_at_utc"]
        why = f" It said: {_short(first['error'])}" if first["error"] else ""
        means = f"Nothing new was read{' since its last good run' if good else ''}.{why}"
        yield Trouble(True, f"{job} {verb}: {names}", means, _there(links), since)


def _windows(request: Request, failed: list[dict[str, Any]]) -> Iterator[Trouble]:
    """Windows that a job gave up on."""
    for job, scopes in groupby(failed, key=lambda row: str(row["job"])):
        rows = list(scopes)
        first, end = min(row["first_utc"] for row in rows), max(row["last_utc"] for row in rows)
        number = sum(row["windows"] for row in rows)
        series = ",".join(row["scope"] for row in rows)
        yield Trouble(
            True,
            f"{job} gave up on {counted(number, 'window')}: {_names(row['scope'] for row in rows)}",
            f"Data from {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC is missing or incomplete until a run reads "
            f"it. The error: {_short(rows[0]['error'])}",
            _there([Link("Read it again", _form(request, job, series, first, end)), _gap_link(request, job)]),
            min(row["since_utc"] for row in rows),
        )


def _freshness(
    request: Request, freshness: list[dict[str, Any]], runs: dict[str, list[dict[str, Any]]]
) -> Iterator[Trouble]:
    """Tables that are late, or that nothing has filled yet."""
    for row in freshness:
        name, job, last = row["table"], row["job"], row["latest_successful_run_utc"]
        link = Link("Run it now", _form(request, job))
        if row["verdict"] == "pass":
            continue
        if job not in runs:
            words = f"{job} has never run, so nobody knows whether the rest is complete."
            yield Trouble(False, f"{name} is not filled yet", words, _there([link]))
            continue
        allowed = minutes(row["allowed_lag_minutes"])
        late = f"No run of {job} succeeded for {minutes(row['lag_minutes'])}" if last else f"No run of {job} succeeded"
        links = _there([link, Link("Open its runs", run_address(request, job, None))])
        words = f"{late}; {allowed} are allowed. Newer data is missing for at least one series."
        yield Trouble(row["verdict"] == "fail", f"{name} is late", words, links, last)


def _rules(request: Request, quality: Latest) -> Iterator[Trouble]:
    """Broken rules of data quality, each once, the worst first."""
    broken = {check: [f for f in found if f.is_trouble] for check, found in quality.by_rule.items()}
    rules = sorted(filter(None, broken.values()), key=by_weight)
    for findings in rules[:MOST_NAMED]:
        first = findings[0]
        rows = sum(f.violations for f in findings)
        problem = "the check itself couldn't run" if not rows else f"{counted(rows, 'row')} break it"
        yield Trouble(
            first.severity == "error",
            f"Rule {first.check} is broken: {_names(f.series for f in findings)}",
            f"{first.about} {problem[0].upper()}{problem[1:]}.",
            [Link("See the rows", address(request, "quality", first.check))],
            min((f.since for f in findings if f.since), default=None),
        )
    if more := rules[MOST_NAMED:]:
        yield Trouble(
            any(f.severity == "error" for findings in more for f in findings),
            f"{counted(len(more), 'more rule')} broken",
            "They are listed on the quality page, the worst first.",
            [Link("See all rules", address(request, "quality", state="failed"))],
        )


def _unchecked(request: Request, quality: Latest) -> Iterator[Trouble]:
    """Configured series that data quality never looked at."""
    asked = load_settings().series_tickers
    left = [series for series in asked if series not in quality.series]
    if left:
        yield Trouble(
            False,
            f"Data quality checked {len(asked) - len(left)} of {len(asked)} series",
            f"Never checked: {_names(left)}. Whatever is wrong with them isn't known.",
            [Link("Check them", form_address(request, "quality", ",".join(left)))],
        )


def _gaps(request: Request, counts: Sequence[gaps.Count]) -> Iterator[Trouble]:
    """What the jobs know to be missing."""
    for job, found in groupby(counts, key=lambda count: count.job):
        left = [count for count in found if count.left]
        if left:
            oldest = min((count.oldest for count in left if count.oldest), default=None)
            yield Trouble(
                False,
                f"{job} has {counted(sum(count.left for count in left), 'gap')}: {_names(c.scope for c in left)}",
                "Ordinary runs come back to what is missing, oldest first, until it is filled or a person accepts it.",
                [_gap_link(request, job)],
                oldest and oldest.replace(tzinfo=None),
            )


def _proof(request: Request, proof: Sequence[dict[str, Any]]) -> Iterator[Trouble]:
    """Settled markets whose trades or candles aren't proven."""
    left = [row for row in proof if row["proven"] < row["markets"]]
    if not proof:
        yield Trouble(
            False,
            "No settled market is proven yet",
            "Nobody has compared the stored trades and candles with the exchange's own volume.",
            [Link("Compare them", form_address(request, "reconciliation"))],
        )
    elif left:
        differing, unread = sum(row["differing"] for row in left), sum(row["unread"] for row in left)
        yield Trouble(
            False,
            f"{counted(sum(row['markets'] - row['proven'] for row in left), 'settled market')} not proven: "
            f"{_names(row['series'] for row in left)}",
            f"In {differing:,} the stored volume differs from the exchange's, {unread:,} were not read in full.",
            [
                Link("See the coverage", address(request, "coverage")),
                Link("Compare again", form_address(request, "reconciliation", ",".join(row["series"] for row in left))),
            ],
            min((row["since_utc"] for row in left if row["since_utc"]), default=None),
        )


def _disk() -> Iterator[Trouble]:
    for finding in disk():
        if finding.state != "ok":
            yield Trouble(finding.state == "fail", "The disk of the reports has a problem", finding.words, [])


def _form(request: Request, job: str, series: str = "", *window: datetime) -> str:
    """The form that runs a job; "" for a job that isn't ours."""
    try:
        return form_address(request, job, series, *window)
    except KeyError:
        return ""


def _gap_link(request: Request, job: str) -> Link:
    return Link("Open the gaps", address(request, "gaps", job=job))


def _there(links: Iterable[Link]) -> list[Link]:
    return [link for link in links if link.href]


def _names(scopes: Iterable[str]) -> str:
    """A few series; the plan of a run, which belongs to none, in words."""
    return first_few(["its plan" if scope == PLAN else scope for scope in scopes], MOST_NAMED).replace(";", ",")


def _short(words: str | None) -> str:
    text = one_line(words or "none was recorded")
    return text if len(text) <= 200 else f"{text[:199]}…"
