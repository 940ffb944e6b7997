"""A sync in a separate process: ``python -m tests.sync.process DATABASE EXCHANGE SERIES DAG_RUN``."""

from __future__ import annotations

import json
import sys
import time

from tests.support.processes import peak_megabytes


def main(database: str, base_url: str, series: str, dag_run_id: str) -> None:
    sys.path.insert(0, "plugins")
    from kalshi.exchange import Exchange, ExchangeConfig
    from kalshi.sync.catalog import CatalogRequest, sync_catalog
    from kalshi.warehouse.server import open_engine
    from scripts.address import address_of

    began = time.monotonic()
    with Exchange(ExchangeConfig(base_url, requests_per_second=10_000)) as exchange:
        request = CatalogRequest(series, exchange.historical_cutoff().markets_settled, dag_run_id=dag_run_id)
        report = sync_catalog(exchange, open_engine(address_of(database), loads=True), request)
    print(
        json.dumps(
            {
                "inserted": report.inserted,
                "seconds": time.monotonic() - began,
                "peak_megabytes": peak_megabytes(),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
