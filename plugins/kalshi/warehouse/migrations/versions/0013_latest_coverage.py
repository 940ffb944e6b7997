"""Which coverage is the latest: include/sql/migrations/0013_latest_coverage.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0013_latest_coverage"
down_revision = "0012_acknowledgement"


def upgrade() -> None:
    run_sql_file(revision)
