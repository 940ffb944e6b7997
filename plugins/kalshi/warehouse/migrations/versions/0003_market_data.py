"""Settlements, trades, snapshots, freshness: include/sql/migrations/0003_market_data.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0003_market_data"
down_revision = "0002_catalog"


def upgrade() -> None:
    run_sql_file(revision)
