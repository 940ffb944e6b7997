"""The portfolio page: where the account stands, and what it earned in some days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Cell, Link, Table, Unit, cell
from kalshi.settings import load_settings
from kalshi.ui.parameters import EARLIEST, LATEST, OptionalDay, OptionalSubaccount
from kalshi.ui.portfolio_charts import daily_chart, drawdown_chart, earned_chart, equity_chart, series_chart
from kalshi.ui.rendering import CSV, Chart, Column, Columns, address, pager, render, summed, table
from kalshi.ui.responses import problem
from kalshi.ui.warehouse import Warehouse, ask, query

router = APIRouter()
DAY = timedelta(days=1)
MOST_POSITIONS = 200
MOST_MARKETS = 100
MOST_DIFFERENCES = 50
DAYS_SHOWN = 100
"""Rows of the table of days on a page of it; its CSV has all."""
ZERO = Decimal(0)
EARNED: Columns = {
    "realized": Column("realised", "$"),
    "fees": Column("fees", "$"),
    "net": Column("after fees", "$"),
}
SERIES: Columns = {
    "city": "city",
    "series": "series",
    **EARNED,
    "positions": "open positions now",
    "cost": Column("their cost", "$"),
    "unrealized": Column("unrealised", "$"),
}
DAYS: Columns = {
    "day": "day (UTC)",
    **EARNED,
    "total": Column("so far", "$"),
    "drawdown": Column("below its highest", "$"),
}
POSITIONS: Columns = {
    "market": "market",
    "event": "event",
    "bracket": "bracket",
    "subaccount": Column("subaccount", "plain"),
    "side": "side held",
    "contracts": Column("contracts", "contracts"),
    "paid": Column("paid", "price"),
    "bid": Column("bid", "price"),
    "cost": Column("cost", "$"),
    "value": Column("value", "$"),
    "unrealized": Column("unrealised", "$"),
    "closes_at_utc": "closes (UTC)",
}
MARKETS: Columns = {
    "market": "market",
    "event": "event",
    "bracket": "bracket",
    "subaccount": Column("subaccount", "plain"),
    "fills": "fills",
    "traded_pnl": Column("by trades", "$"),
    "settled_pnl": Column("by settlement", "$"),
    **EARNED,
    "last_fill_utc": "last fill (UTC)",
    "settled_at_utc": "settled (UTC)",
}
BALANCES: Columns = {
    "subaccount": Column("subaccount", "plain"),
    "equity": Column("equity", "$"),
    "cash": Column("cash", "$"),
    "positions": Column("positions", "$"),
    "as_of": "as of (UTC)",
}
DIFFERENCES: Columns = {
    "market": "market",
    "subaccount": Column("subaccount", "plain"),
    "differs_in": "differs in",
    "our_quantity": Column("contracts: ours", "contracts"),
    "exchange_quantity": Column("theirs", "contracts"),
    "our_realized_pnl": Column("realised: ours", "$"),
    "exchange_realized_pnl": Column("theirs", "$"),
    "our_fees": Column("fees: ours", "$"),
    "exchange_fees": Column("theirs", "$"),
    "exchange_list": "in their list",
}
NOTHING = dict.fromkeys(EARNED, ZERO)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Tile:
    """A figure, and what it means."""

    name: str
    cell: Cell
    about: str


@dataclass(frozen=True)
class Selection:
    """What to show: days, both included (None: since the beginning, until now), one series or all (""), one
    subaccount or all (None), and which page of the table of days."""

    first: date | None = None
    last: date | None = None
    series: str = ""
    subaccount: int | None = None
    page: int = 1

    def values(self, known: Sequence[int]) -> dict[str, Any]:
        """The values of the queries."""
        first, last = self.first or EARLIEST, self.last or LATEST
        return {
            "subaccounts": list(known) if self.subaccount is None else [self.subaccount],
            "series": self.series,
            "first": first,
            "last": last,
            "since": datetime.combine(first, time()),
            "until": datetime.combine(last + DAY, time()),
        }

    @property
    def words(self) -> str:
        """The days, such as “2026-09-01 to 2026-09-30”."""
        if self.first and self.first == self.last:
            return f"on {self.first}"
        if self.first and self.last:
            return f"{self.first} to {self.last}"
        return f"since {self.first}" if self.first else f"until {self.last}" if self.last else "since the first fill"


@router.get("/portfolio")
def show_portfolio(
    request: Request,
    connection: Warehouse,
    date_from: OptionalDay = None,
    date_to: OptionalDay = None,
    series: Annotated[str, Query(max_length=120)] = "",
    subaccount: OptionalSubaccount = None,
    days: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    if date_from and date_to and date_from > date_to:
        message = f"date_from ({date_from}) is after date_to ({date_to}): swap them."
        return problem(request, 400, "No such days", message)
    selection = Selection(date_from, date_to, series, subaccount, days)
    found = portfolio(connection, request, selection, datetime.now(UTC).date())
    return render(request, "portfolio.html.jinja", connection, **found)


def portfolio(connection: sa.Connection, request: Request, selection: Selection, today: date) -> dict[str, Any]:
    """What the template ``portfolio.html.jinja`` shows."""
    known = [row["subaccount"] for row in ask(connection, "portfolio_subaccounts")]
    asked = selection.values(known)
    every_day = ask(connection, "portfolio_days", **asked)
    earned = [row for row in every_day if asked["first"] <= row["day"] <= asked["last"]]
    days = running(earned)
    of_all_series = ask(connection, "portfolio_series", **{**asked, "series": ""})
    by_series = [row for row in of_all_series if selection.series in ("", row["series"])]
    positions = ask(connection, "portfolio_positions", **asked)
    balances = ask(connection, "portfolio_latest_balances", **asked)
    return {
        "selection": selection,
        "subaccounts": known,
        "known_series": _known_series(connection, selection, of_all_series),
        "presets": _presets(request, selection, today),
        "as_of": max((row["as_of"] for row in balances), default=None),
        "tiles_shown": _tiles(selection, balances, positions, every_day, earned, today),
        "equity": _equity(connection, asked),
        "earned": _earned_charts(days),
        "series_table": _series(request, selection, by_series, positions, query("portfolio_series", **asked)),
        "series_chart": _series_chart(by_series),
        "days": _days(request, selection, days),
        "days_pager": pager(request, "days", selection.page, DAYS_SHOWN, len(days), "days"),
        "positions": _positions(request, positions, query("portfolio_positions", **asked)),
        "markets": _markets(connection, request, asked),
        "balances": table(balances, BALANCES, name="balances", totals=summed(balances, "equity", "cash", "positions")),
        "differences": _differences(connection, request, asked),
        "sync": address(request, "run", "kalshi_portfolio_sync"),
        "most": {"positions": MOST_POSITIONS, "markets": MOST_MARKETS, "differences": MOST_DIFFERENCES},
    }


def _presets(request: Request, selection: Selection, today: date) -> list[dict[str, Any]]:
    """Links to the usual days, with the other choices kept. Weeks begin on Monday."""
    spans = {
        "This week": (today - today.weekday() * DAY, today),
        "This month": (today.replace(day=1), today),
        "All": (None, None),
    }
    others = {"series": selection.series, "subaccount": selection.subaccount}
    return [
        {
            "name": name,
            "href": address(request, "portfolio", date_from=first, date_to=last, **others),
            "is_chosen": (first, last) == (selection.first, selection.last),
        }
        for name, (first, last) in spans.items()
    ]


def _tiles(
    selection: Selection, balances: Rows, positions: Rows, every_day: Rows, earned: Rows, today: date
) -> list[Tile]:
    equity = _sum(balances, "equity") if balances else None
    cash = _sum(balances, "cash") if balances else None
    of_today = [row for row in every_day if row["day"] == today]

    def dollars(name: str, value: Decimal | None, about: str, unit: Unit = "$") -> Tile:
        return Tile(name, cell(value, unit), about)

    whole = "of the whole account, whatever the series" if selection.series else "of the exchange's latest answer"
    return [
        dollars("Equity", equity, f"cash and what the positions are worth, {whole}"),
        dollars("Cash", cash, "not in positions"),
        dollars("Exposure", _sum(positions, "cost"), "what the open positions cost, and what they can lose at most"),
        dollars("Unrealised", _sum(positions, "unrealized"), "what selling them at the bid would earn, before fees"),
        dollars("Realised today", _sum(of_today, "net"), f"since 0:00 UTC, {today}, after fees"),
        dollars("Earned", _sum(earned, "net"), f"realised {selection.words}, after fees"),
        dollars("Fees", _sum(earned, "fees"), f"of the fills {selection.words}"),
    ]


def _sum(rows: Iterable[dict[str, Any]], field: str) -> Decimal:
    return sum((row[field] for row in rows if row[field] is not None), ZERO)


def running(earned: Rows) -> Rows:
    """What was earned on each day, the total so far and how far it is below its highest."""
    totals = list(accumulate(row["net"] for row in earned))
    highest = accumulate(totals, max, initial=ZERO)
    next(highest, None)  # the account starts at 0
    return [
        {**row, "total": total, "drawdown": total - top}
        for row, total, top in zip(earned, totals, highest, strict=True)
    ]


def _days(request: Request, selection: Selection, days: Rows) -> Table:
    """A page of the days, the latest first; the totals are those of all."""
    first = (selection.page - 1) * DAYS_SHOWN
    latest = days[::-1] if CSV in request.query_params else days[::-1][first : first + DAYS_SHOWN]
    return table(latest, DAYS, name="days", totals=summed(days, "realized", "fees", "net"))


def _known_series(connection: sa.Connection, selection: Selection, earned: Rows) -> list[str]:
    """The series to choose from, whatever days are chosen. ``earned``: of all series, in those days."""
    rows = ask(connection, "portfolio_traded_series") if selection.first or selection.last else earned
    return sorted({row["series"] for row in rows} | ({selection.series} - {""}))


def _city(series: str) -> str:
    """The city of a series in kalshi.toml, or its ticker."""
    return load_settings().cities.get(series, series)


def _equity(connection: sa.Connection, asked: dict[str, Any]) -> Chart | None:
    """Equity by day, of all subaccounts together, if there are several days; without a balance on a day, a subaccount
    counts with its last one."""
    latest: dict[int, Decimal] = {}
    days: dict[date, Decimal] = {}
    for row in ask(connection, "portfolio_balances", **asked):
        latest[row["subaccount"]] = row["equity"]
        days[row["day"]] = sum(latest.values(), ZERO)
    return Chart(equity_chart(_amounts(days.items()))) if len(days) > 1 else None


def _earned_charts(days: Rows) -> dict[str, Chart]:
    """By what each shows; none without days."""
    if not days:
        return {}
    charts = {"total": earned_chart, "drawdown": drawdown_chart, "net": daily_chart}
    return {field: Chart(draw(_amounts((row["day"], row[field]) for row in days))) for field, draw in charts.items()}


def _amounts(pairs: Iterable[tuple[date, Decimal]]) -> Rows:
    return [{"day": day, "amount": amount} for day, amount in pairs]


def _series(request: Request, selection: Selection, earned: Rows, positions: Rows, statement: str) -> Table:
    """What each series earned, and what is open of it."""
    found = {row["series"]: row for row in earned}
    held: dict[str, Rows] = {}
    for position in positions:
        held.setdefault(position["series"], []).append(position)
    records = [
        {
            **found.get(series, NOTHING),
            "city": _city(series),
            "series": Link(
                series,
                address(
                    request,
                    "portfolio",
                    series=series,
                    date_from=selection.first,
                    date_to=selection.last,
                    subaccount=selection.subaccount,
                ),
            ),
            "positions": len(held.get(series, [])),
            **summed(held.get(series, []), "cost", "unrealized"),
        }
        for series in [*found, *sorted(held.keys() - found.keys())]
    ]
    sums = summed(records, "realized", "fees", "net", "positions", "cost", "unrealized")
    return table(records, SERIES, name="series", query=statement, totals=sums)


def _series_chart(earned: Rows) -> Chart | None:
    rows = [{"name": _city(row["series"]), "amount": row["net"]} for row in earned]
    return Chart(series_chart(rows), widest=900) if rows else None


def _linked(request: Request, rows: Rows) -> Rows:
    """The rows with links to what is behind the market, and to its event."""
    return [
        {
            **row,
            "market": Link(row["market"], address(request, "portfolio", row["market"])),
            "event": Link(row["event"], address(request, "event", row["event"])),
        }
        for row in rows
    ]


def _positions(request: Request, positions: Rows, statement: str) -> Table:
    """Those that cost most; the totals are those of all."""
    sums = summed(positions, "cost", "value", "unrealized")
    listed = _linked(request, positions[:MOST_POSITIONS])
    return table(listed, POSITIONS, name="positions", query=statement, totals=sums)


def _markets(connection: sa.Connection, request: Request, asked: dict[str, Any]) -> Table:
    values = {**asked, "most": MOST_MARKETS}
    found = ask(connection, "portfolio_markets", **values)
    sums = summed(found, "fills", "traded_pnl", "settled_pnl", "realized", "fees", "net")
    statement = query("portfolio_markets", **values)
    return table(_linked(request, found), MARKETS, name="markets", query=statement, totals=sums)


def _differences(connection: sa.Connection, request: Request, asked: dict[str, Any]) -> Table:
    values = {**asked, "most": MOST_DIFFERENCES}
    found = [
        {**row, "market": Link(row["market_ticker"], address(request, "portfolio", row["market_ticker"]))}
        for row in ask(connection, "portfolio_differences", **values)
    ]
    return table(found, DIFFERENCES, name="differences", query=query("portfolio_differences", **values))
