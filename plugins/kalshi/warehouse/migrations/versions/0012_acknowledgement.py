"""What a person accepts for a time: include/sql/migrations/0012_acknowledgement.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0012_acknowledgement"
down_revision = "0011_origin"


def upgrade() -> None:
    run_sql_file(revision)
