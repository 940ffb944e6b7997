"""``python -m kalshi gaps``: lists what is known to be missing, and accepts what will stay missing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.text import one_line
from kalshi.warehouse import gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import ALWAYS, UNREADABLE, WHOLE
from kalshi.warehouse.server import in_transaction

MARKETS = {WHOLE: "all", UNREADABLE: "unknown"}
"""What a list shows in place of a market's ticker."""
MOST = 500
COLUMNS = {
    "job": "job",
    "scope": "scope",
    "market": "market",
    "window_start_utc": "from (UTC)",
    "window_end_utc": "to (UTC)",
    "since_utc": "since (UTC)",
    "attempts": "attempts",
    "reason": "reason",
}


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gaps`` and ``gaps accept``."""
    chosen = parser.add_subparsers(dest="action", metavar="accept")
    accept = chosen.add_parser("accept", help="accept that gaps stay missing: no run tries them again")
    accept.add_argument("--job", required=True, help="such as trades or candles")
    accept.add_argument("--scope", required=True, help="such as a series ticker")
    accept.add_argument("--market", help="only the gaps of this market; by default all of the scope")
    accept.add_argument("--from", dest="start", type=_time, help="only gaps that start at this time (UTC) or later")
    accept.add_argument("--to", dest="end", type=_time, help="only gaps that end at this time (UTC) or earlier")
    accept.add_argument("--reason", required=True, type=_reason, help="why they stay missing; kept with the gap")


def _time(text: str) -> datetime:
    """A day or time in ISO 8601; without a time zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why the gaps stay missing")
    return text.strip()


def run(asked: argparse.Namespace) -> str:
    """Do what was asked; returns what to print.

    Raises:
        SystemExit: no gap matches.
    """
    with WarehouseHook().connected() as engine:
        if asked.action == "accept":
            return in_transaction(engine, _accept, asked)
        return in_transaction(engine, _list)


def _list(connection: sa.Connection) -> str:
    found = gaps.listed(connection, most=MOST)
    if not found:
        return "There are no gaps."
    total = sum(count.left for count in gaps.counts(connection))
    newest = f", of which these are the newest {MOST}" if total > MOST else ""
    return f"{_table(found)}\n\n{total:,} gap{'s' * (total != 1)}{newest}."


def _accept(connection: sa.Connection, asked: argparse.Namespace) -> str:
    first, last = (moment.replace(tzinfo=UTC) for moment in ALWAYS)
    window = Window(asked.job, asked.scope, asked.start or first, asked.end or last)
    number = gaps.accept(connection, window, asked.market, asked.reason)
    if not number:
        raise SystemExit(_no_match(connection, asked))
    many = "1 gap" if number == 1 else f"{number:,} gaps"
    return f"Accepted {many} in the {asked.job} of {asked.scope}. No run tries to fill what was accepted."


def _no_match(connection: sa.Connection, asked: argparse.Namespace) -> str:
    """Why nothing was accepted: what is there instead."""
    if there := gaps.listed(connection, asked.job, asked.scope, most=MOST):
        narrower = " within that time" if asked.start or asked.end else ""
        return (
            f"No gap{narrower} matches, so nothing was accepted. In the {asked.job} of {asked.scope} there are:\n\n"
            f"{_table(there)}"
        )
    others = [f"{count.job} of {count.scope} ({count.left:,})" for count in gaps.counts(connection) if count.left]
    elsewhere = f"There are gaps in: {', '.join(others)}." if others else "There are no gaps at all."
    return f"The {asked.job} of {asked.scope} have no gap, so nothing was accepted. {elsewhere}"


def named(gap: dict[str, Any]) -> dict[str, Any]:
    """The gap with a ``market`` for people: its ticker, "all" or "unknown"."""
    return {**gap, "market": MARKETS.get(gap["market_ticker"], gap["market_ticker"])}


def _table(found: Sequence[dict[str, Any]]) -> str:
    rows = [[_cell(gap[name]) for name in COLUMNS] for gap in map(named, found)]
    return tabulate(rows, headers=list(COLUMNS.values()), disable_numparse=True)


def _cell(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else one_line(str(value))
