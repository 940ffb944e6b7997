"""Results of the data quality runs: include/sql/migrations/0007_quality.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0007_quality"
down_revision = "0006_portfolio"


def upgrade() -> None:
    run_sql_file(revision)
