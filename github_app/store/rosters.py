"""The last valid roster of each owner, to stay in force when the file on GitHub is broken."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from github_app.store.clock import iso, iso_from_unix, now
from github_app.store.engine import Database
from github_app.store.statement import insert
from github_app.store.tables import rosters
from github_app.store.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRoster:
    """``text`` is the whole file; ``source`` says where it stood, ``commit_oid`` in which commit.

    ``read_at``: when it was read from GitHub; ``saved_at``: when it was stored. Aware, UTC.
    """

    text: str
    source: str
    commit_oid: str
    read_at: datetime
    saved_at: datetime


class Rosters:
    """``scope`` says whose roster: ``owner/1234`` or ``repository/5678``, by numeric id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        new = insert(database.dialect, rosters)
        names = ("text", "source", "commit_oid", "read_at", "saved_at")
        self._upsert = new.on_conflict_do_update(
            index_elements=["scope"],
            set_={name: new.excluded[name] for name in names},
            # A worker that read the file earlier may come here later.
            where=rosters.c.read_at <= new.excluded.read_at,
        )

    def remember(
        self, scope: str, *, text: str, source: str, commit_oid: str, read_at: datetime
    ) -> None:
        """Keep a roster that was found valid, unless a newer reading is kept already."""
        with self._database.write() as connection:
            saved_at = iso_from_unix(float(connection.execute(select(now())).scalar_one()))
            values = {
                "scope": scope,
                "text": clean(text),
                "source": clean(source),
                "commit_oid": commit_oid,
                "read_at": iso(read_at),
                "saved_at": saved_at,
            }
            connection.execute(self._upsert, values)

    def last(self, scope: str) -> SavedRoster | None:
        with self._database.read() as connection:
            row = connection.execute(_LAST, {"of": scope}).first()
        if row is None:
            return None
        return SavedRoster(
            text=row.text,
            source=row.source,
            commit_oid=row.commit_oid,
            read_at=datetime.fromisoformat(row.read_at),
            saved_at=datetime.fromisoformat(row.saved_at),
        )


_LAST = select(rosters).where(rosters.c.scope == bindparam("of"))
