"""``make sql``: one query to the warehouse, as an aligned table."""

from __future__ import annotations

import argparse
import os

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.hooks.warehouse import WarehouseHook
from scripts.backends import EXCHANGES, connections


def main() -> None:
    parser = argparse.ArgumentParser(description="Run one query on the warehouse that demo and ui use.")
    parser.add_argument("query")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    arguments = parser.parse_args()
    os.environ.update(connections(arguments.exchange))
    with WarehouseHook().get_conn().connect() as connection:
        try:
            found = connection.exec_driver_sql(arguments.query.replace("%", "%%"))
        except sa.exc.DBAPIError as error:
            raise SystemExit(f"The warehouse says: {error.orig}") from None
        print(tabulate(found.all(), headers=list(found.keys()), disable_numparse=True))


if __name__ == "__main__":
    main()
