"""Runs the steps on the connection that `cloud.database.migrate` hands over."""

from alembic import context

from cloud.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
