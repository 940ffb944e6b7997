"""Every minute of a market's life: include/sql/migrations/0005_candles_dense.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0005_candles_dense"
down_revision = "0004_candles"


def upgrade() -> None:
    run_sql_file(revision)
