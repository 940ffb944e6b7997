"""Operators of ``kalshi_catalog_sync``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import failing_for_good
from kalshi.reports import catalog as catalog_report
from kalshi.settings import load_settings
from kalshi.sync.catalog import JOB, CatalogRequest, find_cutoff, sync_series
from kalshi.warehouse.ledger import runs_of
from kalshi.warehouse.migrate import migrate


class CatalogPlanOperator(BaseOperator):
    """Migrates the warehouse, asks once where the historical tier begins, and plans a task per series.

    XCom: a list of ``{"series_ticker", "cutoff"}``.
    """

    template_fields: Sequence[str] = ("series",)

    def __init__(self, *, series: list[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.series = series

    def execute(self, context: Any) -> list[dict[str, str]]:
        with failing_for_good():
            engine = WarehouseHook().get_conn()
            self.log.info("The warehouse is at schema version %s.", migrate(engine))
            with KalshiHook().get_conn(engine) as exchange:
                cutoff = find_cutoff(exchange, engine, context["dag_run"].run_id)
        self.log.info("Markets settled before %s are in the historical tier.", cutoff.isoformat())
        return [{"series_ticker": ticker, "cutoff": cutoff.isoformat()} for ticker in self.series]


class CatalogSyncOperator(BaseOperator):
    """Syncs one series: its events and its markets of both tiers."""

    template_fields: Sequence[str] = ("series_ticker", "cutoff", "max_pages", "include_historical", "full")

    def __init__(
        self,
        *,
        series_ticker: str,
        cutoff: str,
        max_pages: int | str | None = None,
        include_historical: bool | str = True,
        full: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.series_ticker = series_ticker
        self.cutoff = cutoff
        self.max_pages = max_pages
        self.include_historical = include_historical
        self.full = full

    def execute(self, context: Any) -> None:
        request = CatalogRequest(
            series_ticker=self.series_ticker,
            cutoff=datetime.fromisoformat(self.cutoff),
            max_pages=int(self.max_pages) if self.max_pages else None,
            include_historical=bool(self.include_historical),
            full=bool(self.full),
            tolerated_share=load_settings().rejected_share,
            dag_run_id=context["dag_run"].run_id,
            window_start=context.get("data_interval_start"),
            window_end=context.get("data_interval_end"),
        )
        with failing_for_good():
            engine = WarehouseHook().get_conn()
            with KalshiHook().get_conn(engine) as exchange:
                report = sync_series(exchange, engine, request)
        self.log.info("\n%s", catalog_report.table([report]))


class CatalogReportOperator(BaseOperator):
    """Writes the report of this DAG run, then fails where a series failed."""

    template_fields: Sequence[str] = ("series",)

    def __init__(self, *, series: list[str] | str, **kwargs: Any) -> None:
        super().__init__(trigger_rule="all_done", **kwargs)
        self.series = series

    def execute(self, context: Any) -> str:
        engine = WarehouseHook().get_conn()
        dag_run_id = context["dag_run"].run_id
        with engine.connect() as connection:
            runs = runs_of(connection, JOB, dag_run_id)
            report = catalog_report.build(connection, dag_run_id, list(self.series), runs)
        page = catalog_report.write(report, load_settings().reports_folder / self.dag_id)
        self.log.info("\n%s\n\nThe report: %s", catalog_report.table(report["series"]), page)
        if report["failed"]:
            raise AirflowFailException(
                f"The catalog of {', '.join(report['failed'])} is not complete; the report {page} says why."
            )
        return str(page)
