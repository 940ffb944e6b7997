"""Page compression of the tables that grow: include/sql/migrations/0017_compression.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0017_compression"
down_revision = "0016_traded"


def upgrade() -> None:
    run_sql_file(revision)
