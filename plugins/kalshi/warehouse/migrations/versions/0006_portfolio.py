"""The user's portfolio and its P&L: include/sql/migrations/0006_portfolio.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0006_portfolio"
down_revision = "0005_candles_dense"


def upgrade() -> None:
    run_sql_file(revision)
