"""``make sql``: one statement on the warehouse, its rows as an aligned table.

The statement arrives in the environment variable ``KALSHI_QUERY``, so no shell reads its quotes and backticks.
"""

from __future__ import annotations

import argparse
import os

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.hooks.warehouse import WarehouseHook
from scripts.backends import EXCHANGES, warehouse_connection

QUERY = "KALSHI_QUERY"


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Run the statement in {QUERY} on the warehouse of demo and ui.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    exchange = parser.parse_args().exchange
    query = os.environ.get(QUERY, "").strip()
    if not query:
        raise SystemExit('There is no query: make sql QUERY="SELECT COUNT(*) FROM kalshi_market"')
    os.environ.update(warehouse_connection(exchange))
    with WarehouseHook().connected() as engine, engine.begin() as connection:
        try:
            found = connection.exec_driver_sql(query.replace("%", "%%"))
        except sa.exc.DBAPIError as error:
            raise SystemExit(f"The warehouse refuses the query: {error.orig}") from None
        if not found.returns_rows:
            print(f"Done, {found.rowcount} rows affected.")
            return
        rows = found.all()
        print(tabulate(rows, headers=list(found.keys()), disable_numparse=True, missingval="NULL"))


if __name__ == "__main__":
    main()
