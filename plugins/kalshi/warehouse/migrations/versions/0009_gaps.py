"""What is known to be missing: include/sql/migrations/0009_gaps.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0009_gaps"
down_revision = "0008_exchange"


def upgrade() -> None:
    run_sql_file(revision)
