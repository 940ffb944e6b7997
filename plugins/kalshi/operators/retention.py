"""The operator of ``kalshi_retention``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import KalshiOperator, failing_for_good
from kalshi.operators.runs import as_utc
from kalshi.reports.retention import RETENTION
from kalshi.settings import load_settings
from kalshi.sync.retention import RetentionRequest, check_order, drop_old_months
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.retention import PRUNABLE, TABLES


def retention_params() -> dict[str, Param]:
    """``dry_run``, ``export``, and a param for each table, such as ``dense_months``; the defaults are in
    ``kalshi.toml``."""
    settings = load_settings().retention
    months = {
        prunable.setting: Param(
            getattr(settings, prunable.setting) or None,
            type=["null", "integer"],
            minimum=1,
            title=f"Months to keep of {prunable.table}",
            description="Before the current one. Empty: keep all. Default: retention in include/kalshi.toml.",
        )
        for prunable in PRUNABLE.values()
    }
    return {
        "dry_run": Param(
            settings.dry_run,
            type="boolean",
            title="Only count",
            description="Off: drop what is older than configured. Default: retention.dry_run.",
        ),
        **months,
        "export": Param(
            bool(settings.export_folder),
            type="boolean",
            title="Export first",
            description="Write each month to a Parquet file below retention.export_folder before it is dropped.",
        ),
    }


class RetentionOperator(KalshiOperator):
    """Drops the months of every table that are older than configured, one table after the other, or counts them.

    ``asked``: the params, as in :func:`retention_params`.
    """

    template_fields: Sequence[str] = ("asked",)

    def __init__(self, *, asked: Mapping[str, Any] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked = asked

    def execute(self, context: Any) -> None:
        asked = dict(self.asked)  # type: ignore[arg-type]  # rendered by now
        keep = {prunable.table: asked[prunable.setting] for prunable in PRUNABLE.values()}
        folder = load_settings().retention.export_path if asked["export"] else None
        try:
            check_order(keep)
        except ValueError as error:
            raise AirflowFailException(str(error)) from error
        if asked["export"] and not folder:
            raise AirflowFailException("Set retention.export_folder in kalshi.toml, or leave Export first off.")
        with failing_for_good(), WarehouseHook().connected() as engine:
            migrate(engine)
            reports = [
                drop_old_months(
                    engine,
                    RetentionRequest(
                        table,
                        keep[table],
                        dry_run=asked["dry_run"],
                        export_to=folder,
                        dag_run_id=context["dag_run"].run_id,
                        asked_at=as_utc(context["dag_run"].run_after),
                    ),
                )
                for table in TABLES
            ]
        self.log.info("\n%s", RETENTION.table(reports))
