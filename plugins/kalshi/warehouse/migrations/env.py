"""Alembic's entry point: runs the numbered SQL files on the connection it is given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="kalshi_schema_version",
    target_metadata=None,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
