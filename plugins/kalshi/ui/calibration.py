"""The calibration page: across settled events, the price at each decision against the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Link, Table, number
from kalshi.quality.calibration import BINS, EDGES, FEW, LEAST, Bin, Quote, Score, curve, purchases
from kalshi.settings import Settings, load_settings
from kalshi.ui.asked import MOST_SUGGESTED, OptionalDay, end_of_month, known_series, moment, wrong_days
from kalshi.ui.calibration_charts import edge_chart, month_chart, named, reliability_chart
from kalshi.ui.parameters import EARLIEST
from kalshi.ui.rendering import Chart, Column, Columns, address, render, table
from kalshi.ui.responses import problem
from kalshi.ui.warehouse import Warehouse, ask, query

router = APIRouter()
Price = Literal["mid", "bid", "ask"]

DAYS = 365
FEW_EVENTS = 30
MOST_MARKETS = 200
PRICES: dict[str, str] = {"mid": "midpoint of bid and ask", "bid": "bid", "ask": "ask"}
SCORES: Columns = {
    "events": "events",
    "markets": "markets",
    "mean_price": Column("mean price", "price"),
    "base_rate": Column("share that won", "share"),
    "mean_brier": Column("Brier score", "score"),
    "brier_of_base_rate": Column("always the base rate", "score"),
    "mean_loss": Column("log loss", "score"),
}
CURVE: Columns = {
    "bin": "price",
    "markets": "markets",
    "won": "won",
    "mean_price": Column("mean price", "price"),
    "share": Column("share that won", "share"),
    "interval": "95 % interval",
    "verdict": "verdict",
}
EDGE: Columns = {
    "bin": "ask",
    "markets": "contracts",
    "won": "won",
    "mean_price": Column("mean ask", "price"),
    "edge": Column("earned per contract, before fees", "price"),
    "fees": Column("fee per contract", "price"),
    "edge_after_fees": Column("earned per contract, after fees", "price"),
    "total": Column("earned in all, after fees", "$"),
    "verdict": "verdict",
}
BEHIND: Columns = {
    "event": "event",
    "day": "day",
    "bracket": "bracket",
    "bid": Column("bid", "price"),
    "ask": Column("ask", "price"),
    "result": "result",
    "expiration_value": "observed",
    "market": "market",
}


@dataclass(frozen=True)
class Selection:
    """What was asked: settled events of a series, or all (""), from one day to another; the price at a decision.

    ``spread``: the widest that counts; ``bin``: whose markets are listed, None: all.
    """

    series: str
    first: date
    last: date
    decision: str
    price: Price
    spread: Decimal
    bin: int | None = None

    def params(self, **others: Any) -> dict[str, Any]:
        """The parameters of this page's address."""
        chosen = {"series": self.series, "date_from": self.first, "date_to": self.last, "decision": self.decision}
        return {**chosen, "price": self.price, "spread": self.spread, **others}


@router.get("/calibration")
def show_calibration(
    request: Request,
    connection: Warehouse,
    series: Annotated[str, Query(max_length=120)] = "",
    date_from: OptionalDay = None,
    date_to: OptionalDay = None,
    decision: Annotated[str, Query(max_length=64)] = "",
    price: Price = "mid",
    spread: Annotated[Decimal | None, Query(ge=0, le=1)] = None,
    bin: Annotated[int | None, Query(ge=0, lt=BINS)] = None,  # noqa: A002
) -> Response:
    settings = load_settings()
    chosen = decision or next(iter(decisions(settings)))
    if chosen not in decisions(settings):
        return problem(
            request, 400, "No such decision", f"There is no {chosen}: choose one of {', '.join(decisions(settings))}."
        )
    known = known_series(connection, settings, series)
    today = datetime.now(UTC).date()
    last = date_to or ask(connection, "coverage_latest_day", series=known, today=today)[0]["day"] or today
    first = date_from or max(EARLIEST, date.fromordinal(max(1, last.toordinal() - DAYS + 1)))
    if wrong := wrong_days(first, last, "month"):
        return problem(request, 400, "No such days", wrong)
    widest = settings.quality.max_spread if spread is None else spread
    selection = Selection(series, first, last, chosen, price, widest, bin)
    found = calibration(connection, request, selection, known)
    return render(request, "calibration.html.jinja", connection, **found)


def decisions(settings: Settings) -> dict[str, str]:
    """The names of the decisions, and in words."""
    named_ones = {decision.name: moment(decision) for decision in settings.decision_times}
    return {**named_ones, "open": "the moment its market opened"}


def calibration(
    connection: sa.Connection, request: Request, selection: Selection, known: Sequence[str]
) -> dict[str, Any]:
    """What the template ``calibration.html.jinja`` shows."""
    settings = load_settings()
    values = {
        "series": list(known),
        "first": selection.first,
        "last": selection.last,
        "spread": selection.spread,
        "price": selection.price,
    }
    days = {"series": selection.series, "date_from": selection.first, "date_to": selection.last}
    scores = [(row, _score(row)) for row in ask(connection, "calibration_scores", least=LEAST, **values)]
    chosen = [(row, score) for row, score in scores if row["decision"] == selection.decision]
    quotes = [_quote(row) for row in ask(connection, "calibration_quotes", decision=selection.decision, **values)]
    bins, bought = curve(quotes, selection.price), purchases(quotes)
    links = [_to_bin(request, selection, each) for each in bins]
    months = _months(chosen)
    return {
        "selection": selection,
        "earliest": EARLIEST,
        "names": known[:MOST_SUGGESTED],
        "decisions": decisions(settings),
        "prices": PRICES,
        "total": sum((score for _, score in chosen), Score()),
        "few_events": FEW_EVENTS,
        "few": FEW,
        "reliability": Chart(reliability_chart(bins, links, PRICES[selection.price]), widest=760) if bins else None,
        "edge": Chart(edge_chart(bought), widest=900) if bought else None,
        "by_month": Chart(month_chart(months), widest=900) if len(months) > 1 else None,
        "curve": _curve(request, selection, bins),
        "purchases": _purchases(request, selection, bought),
        "series": _by_series(request, selection, scores, settings.cities),
        "months": _month_table(request, selection, months, values),
        "behind": _behind(connection, request, selection, values),
        "most": MOST_MARKETS,
        "check": address(request, "run", "kalshi_data_quality", **days),
        "coverage": address(request, "coverage", show=selection.decision, **days),
        "bin": None
        if selection.bin is None
        else [number(edge, "price") for edge in EDGES[selection.bin : selection.bin + 2]],
    }


def _score(row: Mapping[str, Any]) -> Score:
    sums = {name: float(row[name]) for name in ("price", "brier", "loss")}
    return Score(events=row["events"], markets=row["markets"], won=row["won"], **sums)


def _quote(row: Mapping[str, Any]) -> Quote:
    multiplier = row["fee_multiplier"]
    return Quote(
        row["bid"],
        row["ask"],
        row["markets"],
        row["won"],
        row["fee_type"],
        None if multiplier is None else Decimal(multiplier),
    )


def _months(scores: Sequence[tuple[Mapping[str, Any], Score]]) -> list[tuple[str, Score]]:
    """Over all series."""
    by_month = sorted(scores, key=lambda each: str(each[0]["month"]))
    return [
        (month[:7], sum((score for _, score in rows), Score()))
        for month, rows in groupby(by_month, lambda each: str(each[0]["month"]))
    ]


def _to_bin(request: Request, selection: Selection, each: Bin, price: str = "") -> str:
    """This page, with the markets of a bin in its last table."""
    chosen = selection.params(bin=each.number, **({"price": price} if price else {}))
    return f"{address(request, 'calibration', **chosen)}#behind"


def _figures(score: Score) -> dict[str, Any]:
    return {name: getattr(score, name) for name in SCORES}


def _curve(request: Request, selection: Selection, bins: Sequence[Bin]) -> Table:
    records = [
        {
            "bin": Link(named(each), _to_bin(request, selection, each)),
            "interval": " to ".join(number(edge, "share") for edge in each.interval),
            **{name: getattr(each, name) for name in ("markets", "won", "mean_price", "share", "verdict")},
        }
        for each in bins
    ]
    return table(records, CURVE, name="curve")


def _purchases(request: Request, selection: Selection, bins: Sequence[Bin]) -> Table:
    records = [
        {
            "bin": Link(named(each), _to_bin(request, selection, each, "ask")),
            "fees": None if each.fees is None else each.fees / each.markets,
            "total": None if each.edge_after_fees is None else each.edge_after_fees * each.markets,
            **{name: getattr(each, name) for name in EDGE if name not in ("bin", "fees", "total")},
        }
        for each in bins
    ]
    return table(records, EDGE, name="purchases")


def _by_series(
    request: Request,
    selection: Selection,
    scores: Sequence[tuple[Mapping[str, Any], Score]],
    cities: Mapping[str, str],
) -> Table:
    """A row for each series and decision."""

    def key(each: tuple[Mapping[str, Any], Score]) -> tuple[str, str]:
        return each[0]["series"], each[0]["decision"]

    records = []
    for (series, decision), rows in groupby(sorted(scores, key=key), key):
        score = sum((score for _, score in rows), Score())
        chosen = selection.params(series=series, decision=decision)
        link = Link(series, f"{address(request, 'calibration', **chosen)}#behind")
        few = "few" if score.events < FEW_EVENTS else ""
        records.append(
            {"series": link, "city": cities.get(series, ""), "decision": decision, "few": few, **_figures(score)}
        )
    columns: Columns = {"series": "series", "city": "city", "decision": "decision", **SCORES, "few": "sample"}
    return table(records, columns, name="series")


def _month_table(
    request: Request, selection: Selection, months: Sequence[tuple[str, Score]], values: Mapping[str, Any]
) -> Table:
    records = []
    for month, score in months:
        first = date.fromisoformat(f"{month}-01")
        chosen = selection.params(
            date_from=max(first, selection.first), date_to=min(end_of_month(first), selection.last)
        )
        link = Link(month, f"{address(request, 'calibration', **chosen)}#behind")
        few = "few" if score.events < FEW_EVENTS else ""
        records.append({"month": link, "few": few, **_figures(score)})
    columns: Columns = {"month": "month", **SCORES, "few": "sample"}
    return table(records, columns, name="months", query=query("calibration_scores", least=LEAST, **values))


def _behind(connection: sa.Connection, request: Request, selection: Selection, values: Mapping[str, Any]) -> Table:
    """The markets behind a bin, or all; each leads to its event."""
    low, high = EDGES[selection.bin : selection.bin + 2] if selection.bin is not None else (EDGES[0], EDGES[-1])
    chosen = {
        **values,
        "decision": selection.decision,
        "low": low,
        "high": high + 1 if high == 1 else high,
        "most": MOST_MARKETS,
    }
    rows = ask(connection, "calibration_markets", **chosen)
    records = [{**row, "event": Link(row["event"], address(request, "event", row["event"]))} for row in rows]
    return table(records, BEHIND, name="markets", query=query("calibration_markets", **chosen))
