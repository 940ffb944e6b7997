"""Settled markets against the exchange's own volume: include/sql/migrations/0010_reconciliation.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0010_reconciliation"
down_revision = "0009_gaps"


def upgrade() -> None:
    run_sql_file(revision)
