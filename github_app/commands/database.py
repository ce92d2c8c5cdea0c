"""``--database``, for the commands that read the store."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from github_app.settings import SettingsError, database_url
from github_app.store.database import Store, open_existing
from github_app.store.errors import StoreError

_Command = TypeVar("_Command", bound=Callable[..., Any])


class CannotRead(click.ClickException):
    """Exit code 2: nothing was found out, which is not the same as a finding."""

    exit_code = 2


def database_option(command: _Command) -> _Command:
    return click.option(
        "--database",
        metavar="URL",
        callback=_given_or_set,
        help="Where the store is. Otherwise as set: DATABASE_URL, or DATABASE_URL_FILE, or "
        "sqlite:///countersign.db.",
    )(command)


def _given_or_set(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    # Not click's envvar: --help would show the value, which may hold a password.
    if value is not None:
        return value
    try:
        return database_url(os.environ).reveal()
    except SettingsError as error:
        raise CannotRead(f"{error}\n{error.advice}") from None


@contextmanager
def existing(url: str) -> Iterator[Store]:
    """The store at ``url``; it is never created. Raises CannotRead."""
    try:
        with open_existing(url) as store:
            yield store
    except StoreError as error:
        raise CannotRead(f"{error}. {error.advice}") from error
