"""Which coverage is the latest: include/sql/migrations/0014_latest_coverage.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0014_latest_coverage"
down_revision = "0013_event_summary"


def upgrade() -> None:
    run_sql_file(revision)
