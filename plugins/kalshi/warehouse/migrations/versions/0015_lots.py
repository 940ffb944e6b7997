"""Lots as tables: include/sql/migrations/0015_lots.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0015_lots"
down_revision = "0014_portfolio_speed"


def upgrade() -> None:
    run_sql_file(revision)
