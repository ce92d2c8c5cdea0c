"""``countersign migrate``: make or update the tables, and nothing else."""

import click

from github_app.commands.database import CannotRead, database_option
from github_app.store.database import open_store
from github_app.store.errors import StoreError


@click.command()
@database_option
def migrate(*, database: str) -> None:
    """Make the database's tables, or bring them up to date.

    Every process does so when it starts; this is for whoever may change tables when the processes
    may not. A running older version goes on working. Exit code 2: the database cannot be used.
    """
    try:
        open_store(database).close()
    except StoreError as error:
        raise CannotRead(f"{error}. {error.advice}") from error
    click.echo("The tables are up to date.")
