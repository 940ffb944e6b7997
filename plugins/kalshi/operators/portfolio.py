"""The operators of ``kalshi_portfolio_sync``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from kalshi.exchange import Exchange
from kalshi.hooks.kalshi import KalshiHook
from kalshi.operators.common import failing_for_good
from kalshi.operators.runs import PlanOperator, ReportOperator, SeriesSyncOperator
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.settings import load_settings
from kalshi.sync.portfolio import PortfolioRequest, sync_portfolio
from kalshi.sync.report import JobReport

LAST_SUBACCOUNT = 63


def subaccounts_param() -> Param:
    """The param ``subaccounts``: a list of their numbers."""
    return Param(
        list(load_settings().portfolio.subaccounts),
        type="array",
        items={"type": "integer", "minimum": 0, "maximum": LAST_SUBACCOUNT},
        minItems=1,
        uniqueItems=True,
        title="Subaccounts",
        description="Numbers of subaccounts; 0 is the primary one. Default: portfolio.subaccounts in kalshi.toml.",
    )


def _skip_without_key() -> None:
    with failing_for_good():
        config = KalshiHook().config()
    if not config.key_id:
        raise AirflowSkipException(
            "kalshi_default has no API key, so there is no portfolio to read: add a key id (login) and a private "
            "key (password, or extra.private_key_path)."
        )


class PortfolioPlanOperator(PlanOperator):
    """Plans one task per subaccount, whose number takes the place of the series; skips without a key."""

    def execute(self, context: Any) -> list[dict[str, str | None]]:
        _skip_without_key()
        return super().execute(context)


class PortfolioSyncOperator(SeriesSyncOperator):
    """Syncs one subaccount."""

    report = PORTFOLIO

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        request = PortfolioRequest(trades_cutoff=self.trades_cutoff, **self.about(context))
        return [sync_portfolio(exchange, engine, request)]


class PortfolioReportOperator(ReportOperator):
    """Reports on the subaccounts; skips without a key."""

    def execute(self, context: Any) -> str:
        _skip_without_key()
        return super().execute(context)
