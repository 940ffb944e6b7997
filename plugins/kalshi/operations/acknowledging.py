"""``python -m kalshi quality acknowledge``: says that a rule may stay broken until a day."""

from __future__ import annotations

import argparse
import getpass
from datetime import date

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.warehouse.acknowledgements import EVERY_SERIES, Acknowledgement, acknowledge
from kalshi.warehouse.server import in_transaction


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``quality acknowledge``."""
    chosen = parser.add_subparsers(dest="action", metavar="acknowledge", required=True)
    known = chosen.add_parser("acknowledge", help="a broken rule that is known: until a day it is no problem")
    known.add_argument("--rule", required=True, help="such as candle_prices_in_range")
    known.add_argument("--series", default=EVERY_SERIES, help="such as KXHIGHNY; by default every series")
    known.add_argument("--until", required=True, type=date.fromisoformat, help="the last day (UTC), as 2026-12-31")
    known.add_argument("--reason", required=True, help="why it may stay broken; kept with it")


def run(asked: argparse.Namespace) -> str:
    """Do what was asked; returns what to print.

    Raises:
        SystemExit: it can't be done; the message says why.
    """
    try:
        given = Acknowledgement(asked.rule, asked.series, asked.reason, asked.until)
        with WarehouseHook().connected() as engine:
            in_transaction(engine, acknowledge, given, getpass.getuser())
    except ValueError as error:
        raise SystemExit(str(error)) from error
    return f"Acknowledged {given.check} in {given.series or 'every series'} until {given.until} (UTC)."
