"""The report of the data quality run: data held, missing and suspicious, and whether you could backtest on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from kalshi.reports.charts import PADDING, heat_map
from kalshi.reports.files import write_files
from kalshi.reports.runs import STATES, Details, RunReport, Section, cells, rows_of
from kalshi.settings import load_settings
from kalshi.warehouse.ledger import changes_since, runs_of

if TYPE_CHECKING:
    import altair as alt

MOST_MARKETS = 20
HEAT_MAP_DAYS = 60
COVERED = {
    "series": "series",
    "markets": "markets",
    "expected": "minutes open",
    "present": "with candle",
    "quoted": "quote known",
    "longest_gap": "longest gap",
    "empty_books": "empty books",
    "mean_spread": "mean spread",
    "widest_spread": "widest",
}
WORST = {
    "market": "market",
    "day": "UTC day",
    "expected": "minutes open",
    "missing": "without candle",
    "unquoted": "no quote known",
    "longest_gap": "longest gap",
    "open_to_first": "open to first",
    "last_to_close": "last to close",
}
READY = {
    "series": "series",
    "decision": "decision",
    "last_event": "latest event",
    "events": "events",
    "markets": "markets",
    "settled": "settled",
    "quoted": "quoted",
    "fillable": "fillable",
    "taker_trades": "taker trades",
    "taker_pnl": "taker P&L",
    "maker_trades": "maker trades",
    "maker_pnl": "maker P&L",
    "fees": "fees",
    "reason": "why no trades",
}
CHANGED = {"job": "job", "table": "table", "inserted": "inserted", "updated": "updated"}


@dataclass(frozen=True)
class QualityReport(RunReport):
    """The report of a quality run: its verdict covers the data, not only the tasks."""

    def build(self, connection: sa.Connection, dag_run_id: str, wanted: list[str]) -> Details:
        """The report of one DAG run. A series with a broken rule of severity error counts as failed."""
        report = super().build(connection, dag_run_id, wanted)
        for series in report["series"]:
            for name in ("broken_errors", "broken_warnings", "broken_infos"):
                series[name] = list(dict.fromkeys(series.get(name, [])))  # once, in however many windows
            if series.get("broken_errors"):
                series["state"] = "failed"
        for name, state in (("failed", "failed"), ("warned", "warning")):
            report[name] = [s["scope"] for s in report["series"] if s["state"] == state]
        report["verdict"] = max((s["state"] for s in report["series"]), key=STATES.index, default="failed")
        runs = [run["run_id"] for run in runs_of(connection, self.job, dag_run_id) if run["scope"] in wanted]
        return {**report, **_found(connection, runs, wanted)}

    def write(self, report: Details, folder: Path) -> Path:
        """Write ``report.json``, ``plot.png``, ``index.html`` and ``data_docs/`` below ``folder``; returns the page."""
        from kalshi.reports.data_docs import write_data_docs  # imports Great Expectations: 3 s

        return write_files(
            folder,
            report,
            "quality.html.jinja",
            self.chart(report),
            keep=load_settings().reports.keep,
            write_more=partial(write_data_docs, report=report),
            spec=self,
            run_table=Section("", "", list(self.columns.values()), cells(report["series"], self.columns)),
            sections=self.sections(report),
            faults=[
                {**check, "sample_rows": [list(row.values()) for row in check["samples"]]}
                for check in report["checks"]
                if check["state"] in ("failed", "broken")
            ],
        )


def _found(connection: sa.Connection, runs: list[int], wanted: list[str]) -> Details:
    """What the runs found, from their tables."""
    ask = partial(rows_of, connection, runs=runs, series=wanted, days=HEAT_MAP_DAYS, most=MOST_MARKETS)
    checks = ask("quality_checks")
    windows = defaultdict(set)
    for check in checks:
        windows[check["series"]].add(check["from_utc"])
    for check in checks:
        check["days"] = f"from {check['from_utc']} to {check['to_utc']}" if len(windows[check["series"]]) > 1 else ""
        check["samples"] = msgspec.json.decode(check["samples"] or "[]")
    queries = {check["check"]: check.pop("query") for check in checks}
    return {
        "checks": checks,
        "queries": {name: query for name, query in sorted(queries.items()) if query},
        "coverage": ask("quality_coverage"),
        "coverage_by_day": ask("quality_coverage_by_day"),
        "worst_markets": ask("quality_worst_markets"),
        "decisions": ask("quality_decisions"),
        "readiness": ask("quality_readiness"),
        "changes": changes_since(connection, wanted, runs),
    }


def _sections(report: Details) -> list[Section]:
    return [
        Section(
            "Coverage, spreads and gaps",
            "Counts minutes in which markets were open; report.json has them by day. Candles are sparse by design: a "
            "minute without a change has none, so “quote known” (a quote no older than quality.quote_minutes) tells "
            "you more than “with candle”. Gaps are in minutes; spreads in dollars at the close of each candle, without "
            "empty books.",
            list(COVERED.values()),
            cells(report["coverage"], COVERED),
        ),
        Section(
            "Worst markets",
            f"The {MOST_MARKETS} with the most minutes without a known quote.",
            list(WORST.values()),
            cells([row for row in report["worst_markets"] if row["unquoted"] or row["missing"]], WORST),
        ),
        Section(
            "Backtest readiness",
            "A small backtest over the latest settled events. At each decision it buys one YES at the ask (taker), and "
            "one at the bid if a seeded random draw fills the resting order (maker), and holds both to settlement. "
            "P&L in dollars, after fees.",
            list(READY.values()),
            cells(report["readiness"], READY),
        ),
        Section(
            "New since the last quality run",
            "Rows that other jobs inserted or updated for these series.",
            list(CHANGED.values()),
            cells(report["changes"], CHANGED),
        ),
    ]


def _heat_maps(report: Details) -> alt.VConcatChart | None:
    """Heat maps of cities by day, one per decision time, in one picture."""
    if not report["decisions"]:
        return None
    import altair as alt  # takes 0.2 s: too slow for every import of a DAG file

    cities = {series.ticker: series.city for series in load_settings().series}
    by_decision: dict[str, list[Details]] = defaultdict(list)
    for row in report["decisions"]:
        share = row["quoted"] / row["markets"]
        by_decision[row["decision"]].append({**row, "city": cities.get(row["series"], row["series"]), "share": share})
    maps = [
        heat_map(decision, rows, has_legend=number == len(by_decision))
        for number, (decision, rows) in enumerate(sorted(by_decision.items()), 1)
    ]
    if len({row["day"] for row in report["coverage_by_day"]}) > 1:
        maps.append(_spreads(report["coverage_by_day"]))
    resolve = {"scale": {"color": "independent"}}
    chart: alt.VConcatChart = alt.VConcatChart.from_dict({"vconcat": maps, "padding": PADDING, "resolve": resolve})
    return chart


def _spreads(days: list[Details]) -> Details:
    return {
        "data": {"values": [{**row, "spread": float(row["mean_spread"])} for row in days if row["mean_spread"]]},
        "title": {"text": "mean spread by UTC day, dollars", "anchor": "start", "fontSize": 12},
        "mark": {"type": "line", "point": True},
        "width": min(900, max(300, 24 * len({row["day"] for row in days}))),
        "height": 140,
        "encoding": {
            "x": {"field": "day", "type": "temporal", "title": None},
            "y": {"field": "spread", "type": "quantitative", "title": None},
            "color": {"field": "series", "type": "nominal", "title": None},
        },
    }


QUALITY = QualityReport(
    job="quality",
    title="Kalshi data quality",
    intro="Markets: open at some time in the window. Rules with no rows to check don't count as checks.",
    columns={
        "scope": "series",
        "state": "state",
        "from_utc": "from (UTC)",
        "to_utc": "to (UTC)",
        "markets": "markets",
        "checks": "checks",
        "broken_errors": "errors",
        "broken_warnings": "warnings",
        "broken_infos": "infos",
        "duration_seconds": "took s",
    },
    details=lambda connection, wanted: {},
    sections=_sections,
    chart=_heat_maps,
    chart_title="Quotes at decision times",
    chart_intro=f"Share of each event's markets with a known quote when a strategy decides: at the decision times in "
    f"kalshi.toml and at the market's open. Covers {HEAT_MAP_DAYS} event days, each according to the latest run.",
    failure="broke rules of severity error, or couldn't be checked",
)
