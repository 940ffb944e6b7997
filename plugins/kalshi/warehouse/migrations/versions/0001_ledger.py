"""The ledger: include/sql/migrations/0001_ledger.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0001_ledger"
down_revision = None


def upgrade() -> None:
    run_sql_file(revision)
