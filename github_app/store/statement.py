"""Executes a statement that runs at every event: compiled once, then given to the driver as it is.

SQLAlchemy makes a context, a cursor and a result for each execution, which costs several times what
SQLite itself takes, and it does so while everybody else waits for the transaction to end.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.dialects import postgresql, sqlite

from github_app.store.errors import StoreUnavailable

_NONE: Mapping[str, Any] = {}


def insert(dialect: str, table: Any) -> sqlite.Insert | postgresql.Insert:  # noqa: ANN401
    """An insert that can say what to do about a row that is there."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def run(
    connection: Connection, statement: Executable, values: Mapping[str, Any] = _NONE
) -> list[Any]:
    """All rows that the statement gives, named tuples of its columns, in its transaction.

    ``values`` by the names of its parameters; for an expanding one (``IN``) a list of single
    values, not empty. Raises StoreUnavailable.
    """
    lists = tuple((name, _room(each)) for name, each in values.items() if isinstance(each, list))
    prepared = _prepared(connection.dialect, statement, tuple(values), lists)
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.execute(prepared.text, prepared.parameters(values))
        return prepared.rows(cursor)
    except prepared.error as error:
        kind = type(error).__name__
        raise StoreUnavailable(f"the database refused: {kind}") from error


def _room(values: list[Any]) -> int:
    """Places for them: one of few numbers, so that few texts serve lists of any length."""
    return 1 << (len(values) - 1).bit_length()


class _Prepared:
    """A statement's text for a driver, and how its values and its rows are put together.

    ``lists``: each expanding parameter and its places.
    """

    def __init__(
        self,
        dialect: Dialect,
        statement: Any,  # noqa: ANN401 - any executable that can be compiled
        names: tuple[str, ...],
        lists: tuple[tuple[str, int], ...],
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        self._own = dict(compiled.params)  # what the statement brings along: literals
        shape = self._own | {name: [None] * length for name, length in lists}
        expanded = compiled.construct_expanded_state(shape)
        self.text = expanded.statement
        self._places = tuple(expanded.parameter_expansion.items())
        self._order = expanded.positiontup
        self.error: type[Exception] = dialect.loaded_dbapi.Error
        self._row: Callable[[Any], Any] | None = None

    def parameters(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a list or a mapping
        """What the driver takes: values in order for SQLite, by name for PostgreSQL."""
        given = {**self._own, **values}
        for name, places in self._places:
            some = given[name]
            repeated = [some[-1]] * (len(places) - len(some))  # IN does not mind
            given.update(zip(places, [*some, *repeated], strict=True))
        return given if self._order is None else [given[name] for name in self._order]

    def rows(self, cursor: Any) -> list[Any]:  # noqa: ANN401 - the driver's
        if cursor.description is None:
            return []
        if self._row is None:
            names = [column[0] for column in cursor.description]
            self._row = namedtuple("Row", names, rename=True)._make  # type: ignore[attr-defined] # mypy knows no names that are made at run time
        return [*map(self._row, cursor.fetchall())]


_prepared = lru_cache(maxsize=512)(_Prepared)
