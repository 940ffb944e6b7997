"""P&L by market without reading every settlement per market: include/sql/migrations/0014_portfolio_speed.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0014_portfolio_speed"
down_revision = "0013_latest_coverage"


def upgrade() -> None:
    run_sql_file(revision)
