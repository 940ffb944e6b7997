"""Where the data came from: include/sql/migrations/0008_exchange.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0008_exchange"
down_revision = "0007_quality"


def upgrade() -> None:
    run_sql_file(revision)
