"""Alembic's entry: run the migrations on the connection that is handed in.

From the command line (``alembic -c ...`` to write a new revision) it opens DATABASE_URL itself.
"""

import os

from alembic import context
from sqlalchemy import Connection

from github_app.store.engine import open_database
from github_app.store.tables import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    database = open_database(os.environ["DATABASE_URL"])
    with database.write() as opened:
        run(opened)
    database.close()
