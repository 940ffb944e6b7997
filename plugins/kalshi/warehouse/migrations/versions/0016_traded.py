"""What trading a market came to, as tables: include/sql/migrations/0016_traded.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0016_traded"
down_revision = "0015_lots"


def upgrade() -> None:
    run_sql_file(revision)
