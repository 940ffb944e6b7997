"""An index for the markets page: include/sql/migrations/0013_event_summary.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0013_event_summary"
down_revision = "0012_acknowledgement"


def upgrade() -> None:
    run_sql_file(revision)
