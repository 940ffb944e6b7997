"""One-minute candles: include/sql/migrations/0004_candles.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0004_candles"
down_revision = "0003_market_data"


def upgrade() -> None:
    run_sql_file(revision)
