"""The names that repositories had: a rename must not take one out of a rule that names it."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from github_app.store.clock import iso_from_unix, now
from github_app.store.engine import Database
from github_app.store.statement import insert
from github_app.store.tables import repository_names
from github_app.store.text import clean

# A repository is renamed a few times in its life; whoever goes on for ever gains nothing by it.
MOST = 100


class RepositoryNames:
    """By numeric id. Names are ``owner/name``, case-folded. Only ever added to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = insert(database.dialect, repository_names).on_conflict_do_nothing(
            index_elements=list(repository_names.primary_key)
        )

    def of(self, repository_id: int) -> frozenset[str]:
        """Every name that was seen of it, the oldest hundred of them."""
        with self._database.read() as connection:
            return frozenset(connection.execute(_OLDEST, {"id": repository_id}).scalars())

    def note(self, repository_id: int, full_name: str) -> None:
        """Remember a name. Durable."""
        with self._database.write() as connection:
            self.note_within(connection, [(repository_id, full_name)])

    def note_within(self, connection: Connection, names: Iterable[tuple[int, str]]) -> None:
        rows = [{"repository_id": id_, "full_name": clean(name).casefold()} for id_, name in names]
        if rows:
            at = iso_from_unix(float(connection.execute(select(now())).scalar_one()))
            connection.execute(self._insert, [row | {"first_seen": at} for row in rows])


_OLDEST = (
    select(repository_names.c.full_name)
    .where(repository_names.c.repository_id == bindparam("id"))
    .order_by(repository_names.c.first_seen, repository_names.c.full_name)
    .limit(MOST)
)
