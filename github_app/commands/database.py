"""``--database``, for the commands that read the store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from github_app.store.database import Store, open_existing
from github_app.store.errors import StoreError

DEFAULT = "sqlite:///countersign.db"

_Command = TypeVar("_Command", bound=Callable[..., Any])


def database_option(command: _Command) -> _Command:
    return click.option(
        "--database",
        metavar="URL",
        envvar="DATABASE_URL",
        default=DEFAULT,
        show_default=True,
        show_envvar=True,
        help="Where the store is.",
    )(command)


class CannotRead(click.ClickException):
    """Exit code 2: nothing was found out, which is not the same as a finding."""

    exit_code = 2


@contextmanager
def existing(url: str) -> Iterator[Store]:
    """The store at ``url``; it is never created. Raises CannotRead."""
    try:
        with open_existing(url) as store:
            yield store
    except StoreError as error:
        raise CannotRead(f"{error}. {error.advice}") from error
