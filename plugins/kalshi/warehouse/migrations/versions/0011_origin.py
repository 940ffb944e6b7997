"""Which exchange and account a warehouse is of: include/sql/migrations/0011_origin.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0011_origin"
down_revision = "0010_reconciliation"


def upgrade() -> None:
    run_sql_file(revision)
