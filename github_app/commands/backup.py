"""``countersign backup``: copy the SQLite database while Countersign runs."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from github_app.commands.database import CannotRead, database_option
from github_app.store.backup import back_up
from github_app.store.errors import StoreError


@click.command()
@database_option
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backup(*, database: str, target: Path, as_json: bool) -> None:
    """Copy the SQLite database to the new file TARGET, or into the folder TARGET.

    Countersign may run meanwhile. The copy's audit chain is verified before it gets its name. Keep
    the receipt that is printed somewhere else: with it, `audit verify --anchor` proves later that
    nothing is missing. Exit code 2: no copy was made.
    """
    if target.is_dir():
        target = target / f"countersign-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.db"
    try:
        result = back_up(database, target)
    except StoreError as error:
        raise CannotRead(f"{error}. {error.advice}") from error
    if as_json:
        made = {"file": str(target), "records": result.records, "last": result.last}
        click.echo(json.dumps(made, sort_keys=True))
    else:
        click.echo(f"{target}: {result.records} audit records, each fits the one before it.")
        click.echo(f"Last: {result.last or 'none yet'}")
