"""The time, in SQL: the database's own clock on PostgreSQL, this machine's on SQLite."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

SQLITE_FUNCTION = "countersign_now"


class now(GenericFunction[float]):  # noqa: N801 - reads as the SQL function that it is
    """Unix time in seconds at the start of the statement."""

    type = Double()
    inherit_cache = True
    name = SQLITE_FUNCTION


@compiles(now, "postgresql")
def _on_postgresql(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    # Not clock_timestamp(): that one is volatile, so no index could be used against it.
    return "extract(epoch from statement_timestamp())::double precision"


@compiles(now, "sqlite")
def _on_sqlite(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401
    # In a query of its own, so that it is asked once and not for every row.
    return f"(SELECT {SQLITE_FUNCTION}())"


def iso(at: datetime) -> str:
    """Text that sorts as time does: always UTC, always microseconds. ``at`` must be aware."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def iso_from_unix(seconds: float) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))
