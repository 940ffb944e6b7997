"""The catalog: include/sql/migrations/0002_catalog.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0002_catalog"
down_revision = "0001_ledger"


def upgrade() -> None:
    run_sql_file(revision)
