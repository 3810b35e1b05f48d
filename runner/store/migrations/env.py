"""Alembic's entry: brings the database of the connection that it is given to the newest form."""

from alembic import context

from runner.store.tables.page_views import page_views

# SQLite cannot alter most of a table: Alembic copies it instead.
context.configure(connection=context.config.attributes["connection"], target_metadata=page_views.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
