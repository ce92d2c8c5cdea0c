"""A database for a bench: a SQLite file of its own, or a PostgreSQL server started for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

# The exit code of a bench that needs what is not on this machine.
NOT_HERE = 3


class NotHere(click.ClickException):
    exit_code = NOT_HERE


@contextmanager
def url_of(*, postgres: bool) -> Iterator[str]:
    """The URL of a fresh database; empty for SQLite, where whoever asks has a folder for it."""
    if not postgres:
        yield ""
        return
    from tests.store.postgres import binaries, server

    binary = binaries()
    if binary is None:
        raise NotHere("no PostgreSQL on this machine")
    with server(binary) as running:
        yield running.new_database()
