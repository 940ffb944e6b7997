"""Page compression of the tables that grow: include/sql/migrations/0017_compression.sql."""

from kalshi.warehouse.migrate import run_sql_file

revision = "0017_compression"
down_revision = "0016_traded"
NO_SUCH_OPTION = 1478
"""The error number of a server that keeps all tables in one file."""


def upgrade() -> None:
    run_sql_file(revision, tolerated={NO_SUCH_OPTION})
