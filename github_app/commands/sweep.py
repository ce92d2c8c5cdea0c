"""``countersign sweep``: look once for what was missed, and leave it to the workers."""

import json
import os
import sys

import click

from github_app import logs
from github_app.services import build, sweeper
from github_app.settings import Settings


@click.command("sweep")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sweep_command(*, as_json: bool) -> None:
    """Look once for deliveries and pull requests that were missed.

    What is found is put into the queue; a worker judges it. Exit code 1: a part of it failed.
    """
    logs.configure(level=logs.QUIET)
    parts = build(Settings.from_environment(os.environ))
    try:
        swept = sweeper(parts).sweep()
    finally:
        parts.close()
    if as_json:
        found = {
            "fetched": swept.fetched,
            "repositories": swept.repositories,
            "problems": list(swept.problems),
        }
        click.echo(json.dumps(found, sort_keys=True))
    else:
        click.echo(
            f"{swept.fetched} deliveries that had not arrived, "
            f"{swept.repositories} repositories to look through"
        )
        for problem in swept.problems:
            click.echo(problem, err=True)
    sys.exit(1 if swept.problems else 0)
