"""The report of the data quality run: data held, missing and suspicious, and whether you could backtest on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.cells import Table, table
from kalshi.quality.report import QualityReport
from kalshi.reports.charts import CONFIG, PADDING, by_date, heat_map
from kalshi.reports.runs import MOST_ROWS, MOST_SERIES, RunPage, RunReport, Totals, rows_of, section, worst_of
from kalshi.settings import load_settings
from kalshi.sync.report import Field, State
from kalshi.warehouse import sql
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.ledger import changes_since

if TYPE_CHECKING:
    import altair as alt

MOST_MARKETS = 20
MOST_FAULTS = 10
"""Of each broken rule, the page has no more series and windows than this."""
HEAT_MAP_DAYS = 60


class CheckResult(msgspec.Struct):
    """What a check found in one series and window."""

    series: Annotated[str, Field("series ticker")]
    from_utc: Annotated[str, Field("where the window begins")]
    to_utc: Annotated[str, Field("where it ends")]
    check: Annotated[str, Field("name of the check")]
    table: Annotated[str, Field("the table it is about")]
    severity: Annotated[str, Field("`error`, `warning` or `info`")]
    state: Annotated[str, Field("`passed`, `failed`, `empty` (no rows to check) or `broken` (it could not run)")]
    about: Annotated[str, Field("what must hold")]
    checked: Annotated[int, Field("rows checked")]
    violations: Annotated[int, Field("failing rows")]
    mostly: Annotated[float, Field("the share of rows that must obey")]
    samples: Annotated[list[dict[str, Any]], Field("some of the failing rows")]
    days: Annotated[str, Field("the window in words, where a series has several")] = ""

    @property
    def sample_table(self) -> Table:
        return table("", list(self.samples[0]), [list(row.values()) for row in self.samples])


class Covered(msgspec.Struct):
    """The minutes in which a series' markets were open, and what is known of them."""

    series: Annotated[str, Field("series ticker", "series")]
    markets: Annotated[int, Field("markets", "markets")]
    expected: Annotated[int, Field("minutes open", "minutes open")]
    present: Annotated[int, Field("those with a candle", "with candle")]
    quoted: Annotated[int, Field("those with a known quote", "quote known")]
    longest_gap: Annotated[int | None, Field("minutes without a candle, at the longest", "longest gap")]
    empty_books: Annotated[int, Field("minutes in which nobody quoted", "empty books")]
    mean_spread: Annotated[Decimal | None, Field("mean spread in dollars", "mean spread", unit="price")]
    widest_spread: Annotated[Decimal | None, Field("widest spread in dollars", "widest", unit="price")]


class Category(msgspec.Struct):
    """What the run found in the series of one category."""

    category: Annotated[str, Field("category of the series", "category")]
    series: Annotated[int, Field("series that were checked", "series")]
    errors: Annotated[int, Field("those that break a rule of severity error", "with errors")]
    warnings: Annotated[int, Field("those that break one of severity warning", "with warnings")]
    rows: Annotated[int, Field("rows that break rules of these two severities", "rows")]
    expected: Annotated[int, Field("minutes in which markets were open", "minutes open")]
    quoted: Annotated[int, Field("those with a known quote", "quote known")]


class CoveredDay(Covered, kw_only=True):
    """The same of one UTC day."""

    day: Annotated[str, Field("UTC day")]


class WorstMarket(msgspec.Struct):
    """A market's day, in minutes."""

    market: Annotated[str, Field("market ticker", "market")]
    day: Annotated[str, Field("UTC day", "UTC day")]
    expected: Annotated[int, Field("minutes open", "minutes open")]
    missing: Annotated[int, Field("minutes without a candle", "without candle")]
    unquoted: Annotated[int, Field("minutes without a known quote", "no quote known")]
    longest_gap: Annotated[int | None, Field("minutes without a candle, at the longest", "longest gap")]
    open_to_first: Annotated[int | None, Field("from open to the first candle", "open to first")]
    last_to_close: Annotated[int | None, Field("from the last candle to close", "last to close")]


class DecisionQuotes(msgspec.Struct):
    """The quotes of an event at a decision time, as of the latest run."""

    series: Annotated[str, Field("series ticker")]
    day: Annotated[str, Field("event day")]
    decision: Annotated[str, Field("name of the decision time")]
    event: Annotated[str, Field("event ticker")]
    markets: Annotated[int, Field("markets")]
    quoted: Annotated[int, Field("those with a known quote")]
    with_candle: Annotated[int, Field("those with a candle of that minute")]
    mean_spread: Annotated[Decimal | None, Field("mean spread in dollars")]


class Backtest(msgspec.Struct):
    """A small backtest over the latest settled events; P&L and fees in dollars."""

    series: Annotated[str, Field("series ticker", "series")]
    decision: Annotated[str, Field("name of the decision time", "decision")]
    last_event: Annotated[str | None, Field("day of the latest event", "latest event")]
    events: Annotated[int, Field("events", "events")]
    markets: Annotated[int, Field("markets", "markets")]
    settled: Annotated[int, Field("settled markets", "settled")]
    quoted: Annotated[int, Field("markets with a known quote", "quoted")]
    fillable: Annotated[int, Field("markets whose spread is narrow enough", "fillable")]
    taker_trades: Annotated[int, Field("trades at the ask", "taker trades")]
    taker_pnl: Annotated[Decimal, Field("their P&L after fees", "taker P&L", unit="$")]
    maker_trades: Annotated[int, Field("trades at the bid", "maker trades")]
    maker_pnl: Annotated[Decimal, Field("their P&L after fees", "maker P&L", unit="$")]
    fees: Annotated[Decimal, Field("fees of both", "fees", unit="$")]
    reason: Annotated[str, Field("why there were no trades", "why no trades")]


class Changed(msgspec.Struct):
    """Rows that another job wrote since the last quality run."""

    job: Annotated[str, Field("job", "job")]
    table: Annotated[str, Field("table", "table")]
    inserted: Annotated[int, Field("new rows", "inserted")]
    updated: Annotated[int, Field("rows that changed", "updated")]


class QualityRun(RunReport[QualityReport], kw_only=True):
    """The report of ``kalshi_data_quality``."""

    checks: Annotated[list[CheckResult], Field("per series, window and check, worst first")]
    categories: Annotated[list[Category], Field("by category of the series, worst first")]
    queries: Annotated[dict[str, str], Field("by check, the query that finds the failing rows")]
    coverage: Annotated[list[Covered], Field("by series")]
    coverage_by_day: Annotated[list[CoveredDay], Field("by series and UTC day")]
    worst_markets: Annotated[list[WorstMarket], Field("markets and days with the most minutes without a known quote")]
    decisions: Annotated[
        list[DecisionQuotes],
        Field(f"per event and decision time; of more than {MOST_SERIES} series, those of the configured cities"),
    ]
    readiness: Annotated[list[Backtest], Field("per series and decision time")]
    changes: Annotated[list[Changed], Field("by job and table")]


@dataclass(frozen=True)
class QualityPage(RunPage[QualityRun]):
    """The page of a quality run, with Great Expectations' Data Docs beside it."""

    def write(self, report: QualityRun, folder: Path, template: str = "quality.html.jinja", **more: Any) -> Path:
        """Write ``report.json``, ``plot.png``, ``index.html`` and ``data_docs/`` below ``folder``; returns the page."""
        from kalshi.reports.data_docs import write_data_docs  # imports Great Expectations: 3 s

        rules = broken_rules(report.checks)
        linked = {each.scope for each in worst_of(report.series)} | {each.series for r in rules for each in r.worst}
        return super().write(
            report,
            folder,
            template,
            write_more=partial(write_data_docs, report=report, series=linked),
            rules=rules,
            **more,
        )


@dataclass(frozen=True)
class BrokenRule:
    """A rule that is broken somewhere. ``faults``: in which series and windows, at least one."""

    faults: list[CheckResult]

    @property
    def first(self) -> CheckResult:
        return self.faults[0]

    @property
    def worst(self) -> list[CheckResult]:
        """The faults that the page shows: all, or, of many, those with the most failing rows."""
        if len(self.faults) <= MOST_FAULTS:
            return self.faults
        return sorted(self.faults, key=lambda fault: -fault.violations)[:MOST_FAULTS]

    @property
    def extent(self) -> str:
        """How much of the data breaks it, in words."""
        series = list(dict.fromkeys(fault.series for fault in self.faults))
        where = series[0] if len(series) == 1 else f"{len(series)} series"
        if all(fault.state == "broken" for fault in self.faults):
            return f"the check could not run in {where}"
        violations, checked = (sum(getattr(fault, name) for fault in self.faults) for name in ("violations", "checked"))
        return f"{violations:,} of {checked:,} rows in {where}"


def broken_rules(checks: list[CheckResult]) -> list[BrokenRule]:
    """The broken rules, each once, in the order of the checks. One that couldn't run somewhere is an error there."""
    by_rule: dict[tuple[str, str], list[CheckResult]] = defaultdict(list)
    for check in checks:
        if check.state in ("failed", "broken"):
            by_rule[check.check, check.severity].append(check)
    return [BrokenRule(faults) for faults in by_rule.values()]


def _state(series: QualityReport) -> State:
    """A series with a broken rule of severity error failed, though its task did its work."""
    return "failed" if series.broken_errors else series.state


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    """What the runs found, from their tables."""
    ask = partial(rows_of, connection)
    asked: dict[str, Any] = {"runs": runs, "series": _drawn(wanted), "days": HEAT_MAP_DAYS, "most": MOST_MARKETS}
    checks, queries = _checks(connection, runs)
    return {
        "checks": checks,
        "categories": ask("quality_by_category", Category, **asked),
        "queries": queries,
        "coverage": ask("quality_coverage", Covered, **asked),
        "coverage_by_day": ask("quality_coverage_by_day", CoveredDay, **asked),
        "worst_markets": ask("quality_worst_markets", WorstMarket, **asked),
        "decisions": ask("quality_decisions", DecisionQuotes, **asked),
        "readiness": ask("quality_readiness", Backtest, **asked),
        "changes": [msgspec.convert(each, Changed) for each in changes_since(connection, [*wanted, EVERYTHING], runs)],
    }


def _drawn(series: list[str]) -> list[str]:
    """The series that are drawn: of very many, only those of the configured cities."""
    return series if len(series) <= MOST_SERIES else [each for each in series if each in load_settings().cities]


def _checks(connection: sa.Connection, runs: list[int]) -> tuple[list[CheckResult], dict[str, str]]:
    """The results of the checks, and the query of each."""
    found = [dict(row) for row in sql.run_file(connection, "reports", "quality_checks", runs=runs).mappings()]
    samples = [msgspec.json.decode(row["samples"] or "[]") for row in found]
    checks = [
        msgspec.convert({**row, "samples": some}, CheckResult, strict=False)
        for row, some in zip(found, samples, strict=True)
    ]
    windows = defaultdict(set)
    for check in checks:
        windows[check.series].add(check.from_utc)
    for check in checks:
        check.days = f"from {check.from_utc} to {check.to_utc}" if len(windows[check.series]) > 1 else ""
    return checks, {row["check"]: row["query"] for row in sorted(found, key=lambda row: row["check"]) if row["query"]}


def _sections(report: QualityRun) -> list[Table]:
    is_cut = len(report.coverage) > MOST_ROWS
    return [
        section(
            "By category",
            "Series with broken rules, and minutes in which markets were open.",
            Category,
            report.categories if len(report.categories) > 1 else [],
        ),
        section(
            "Coverage, spreads and gaps",
            "Counts minutes in which markets were open; report.json has them by day. Candles are sparse by design: a "
            "minute without a change has none, so “quote known” (a quote no older than quality.quote_minutes) tells "
            "you more than “with candle”. Gaps are in minutes; spreads in dollars at the close of each candle, without "
            "empty books.",
            Covered,
            sorted(report.coverage, key=lambda row: row.quoted / (row.expected or 1)) if is_cut else report.coverage,
        ),
        section(
            "Worst markets",
            f"The {MOST_MARKETS} with the most minutes without a known quote.",
            WorstMarket,
            [row for row in report.worst_markets if row.unquoted or row.missing],
        ),
        section(
            "Backtest readiness",
            "A small backtest over the latest settled events. At each decision it buys one YES at the ask (taker), and "
            "one at the bid if a seeded random draw fills the resting order (maker), and holds both to settlement. "
            "P&L in dollars, after fees.",
            Backtest,
            report.readiness,
        ),
        section(
            "New since the last quality run",
            "Rows that other jobs inserted or updated for these series, or for the whole exchange (*).",
            Changed,
            report.changes,
        ),
    ]


def _heat_maps(report: QualityRun) -> alt.VConcatChart | None:
    """Heat maps of cities by day, one per decision time, in one picture."""
    if not report.decisions:
        return None
    import altair as alt  # takes 0.2 s: too slow for every import of a DAG file

    cities = load_settings().cities
    by_decision: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in report.decisions:
        city = cities.get(row.series, row.series)
        by_decision[row.decision].append({"city": city, "day": row.day, "share": row.quoted / row.markets})
    maps = [
        heat_map(decision, rows, has_legend=number == len(by_decision))
        for number, (decision, rows) in enumerate(sorted(by_decision.items()), 1)
    ]
    if len({row.day for row in report.coverage_by_day}) > 1:
        drawn = set(_drawn([each.scope for each in report.series]))
        maps.append(_spreads([row for row in report.coverage_by_day if row.series in drawn]))
    resolve = {"scale": {"color": "independent"}}
    chart: alt.VConcatChart = alt.VConcatChart.from_dict(
        {"vconcat": maps, "padding": PADDING, "resolve": resolve, "config": CONFIG}
    )
    return chart


def _spreads(days: list[CoveredDay]) -> dict[str, Any]:
    return {
        "data": {
            "values": [
                {"series": row.series, "day": row.day, "spread": float(row.mean_spread)}
                for row in days
                if row.mean_spread is not None
            ]
        },
        "title": "mean spread by UTC day, dollars",
        "mark": {"type": "line", "point": True},
        "width": min(900, max(300, 24 * len({row.day for row in days}))),
        "height": 140,
        "encoding": {
            "x": by_date("day"),
            "y": {"field": "spread", "type": "quantitative", "title": None},
            "color": {"field": "series", "type": "nominal", "title": None},
        },
    }


QUALITY = QualityPage(
    job="quality",
    title="Kalshi data quality",
    intro="Markets: open at some time in the window. Rules with no rows to check don't count as checks.",
    report=QualityRun,
    series=QualityReport,
    details=_details,
    state=_state,
    hidden=(*Totals.__struct_fields__, "requests", "retries", "throttled_seconds"),
    sections=_sections,
    chart=_heat_maps,
    chart_title="Quotes at decision times",
    chart_intro=f"Share of each event's markets with a known quote when a strategy decides: at the decision times in "
    f"kalshi.toml and at the market's open. Covers {HEAT_MAP_DAYS} event days, each according to the latest run; of "
    f"more than {MOST_SERIES} series, those of the configured cities.",
    failure="broke rules of severity error, or couldn't be checked",
)
