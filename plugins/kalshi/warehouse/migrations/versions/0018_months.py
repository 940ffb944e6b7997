"""Tables partitioned by month: include/sql/migrations/0018_months.sql, then kalshi.warehouse.months."""

from alembic import op

from kalshi.warehouse import months
from kalshi.warehouse.migrate import run_sql_file

revision = "0018_months"
down_revision = "0017_compression"
NO_SUCH_KEY = {1091, 1506}
"""The error numbers for a foreign key that is gone, if the table is partitioned, too: a migration that was killed runs
again."""


def upgrade() -> None:
    run_sql_file(revision, tolerated=NO_SUCH_KEY)
    months.partition(op.get_bind())
