"""Alembic's entrance. The connection is handed in by `models.migrations.migrate`, whose transaction this is."""

from alembic import context

from models.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
