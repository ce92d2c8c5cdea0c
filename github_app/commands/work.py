"""``countersign work``: what waits to be judged, what is being judged, and what is stuck."""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from github_app.commands.database import database_option, existing
from github_app.commands.terminal import plain
from github_app.store.stats import Work, WorkState

_SHOWN = 100


@click.command()
@database_option
@click.option("--state", type=click.Choice([state.value for state in WorkState]))
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_SHOWN,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def work(*, database: str, state: str | None, limit: int, as_json: bool) -> None:
    """Show what is waiting, leased or parked, longest waiting first.

    Parked work failed too often: it waits for its next event, and is tried now and then.
    Exit code 1 if any is parked.
    """
    with existing(database) as store:
        stats = store.queue.stats()
        wanted = None if state is None else WorkState(state)
        rows = store.queue.listing(limit=limit, state=wanted)
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row), sort_keys=True))
    else:
        _print(rows)
        counts = {its.value: stats.count(its) for its in WorkState if stats.count(its)}
        total = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(total or "Nothing is waiting.")
    if stats.parked:
        raise SystemExit(1)


def _print(rows: list[Work]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("state", "what", "age", "due in", "failures", "why"):
        table.add_column(heading)
    for row in rows:
        cells = (
            row.state.value,
            f"{row.key.kind.value} {row.full_name} {row.key.subject}",
            f"{row.age:.0f} s",
            f"{max(row.due_in, 0):.0f} s",
            str(row.attempts + row.crashes),
            row.error or "",
        )
        # Text, not str: rich would read others' square brackets as markup.
        table.add_row(*(Text(plain(cell)) for cell in cells))
    Console(highlight=False).print(table)
