"""What was last seen of the protection of each repository, and since when; a change is audited."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, text

from github_app.store.audit import Audit, Entry
from github_app.store.clock import iso_from_unix, now
from github_app.store.engine import Database
from github_app.store.statement import insert
from github_app.store.tables import protections
from github_app.store.text import Json, canonical, clean

# Of a state: when what is in it was told. Kept, but no change of protection.
MOMENTS = "bypasses_at"
_OUR_LOCK = 0x70726F74  # an advisory lock's number: any that nobody else uses


def shown(state: Mapping[str, Json]) -> dict[str, Json]:
    """A state without what is kept for ourselves only."""
    return {name: value for name, value in state.items() if name != MOMENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen. ``repository_id`` 0: the installation itself. ``state`` None: it is gone.

    ``unprotected``: how many of the repository's branches are not held.
    """

    installation_id: int
    repository_id: int
    full_name: str
    state: Mapping[str, Json] | None
    unprotected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was last seen, and the moment (ISO 8601, UTC) it was first seen so."""

    installation_id: int
    repository_id: int
    full_name: str
    state: Mapping[str, Json]
    unprotected: int
    since: str


class Protections:
    """One row for each repository and each installation."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit
        new = insert(database.dialect, protections)
        names = ("full_name", "state", "unprotected", "since", "looked_at")
        self._upsert = new.on_conflict_do_update(
            index_elements=["installation_id", "repository_id"],
            set_={name: new.excluded[name] for name in names},
        )

    def record(
        self,
        looks: Sequence[Look],
        *,
        looked_at: float,
        entry: Callable[[Look, Seen | None], Entry | None],
    ) -> list[Entry]:
        """Keep what was seen, and write down what differs from before, all or nothing.

        ``looked_at``: the store's time when the looking began; what somebody saw later stays.
        ``entry``: the audit record of a change (``Seen`` None: never seen before), or none.
        Returns the records. Raises StoreUnavailable.
        """
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # there, being the writer is the lock
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                connection.execute(lock, {"lock": _OUR_LOCK})
            at = iso_from_unix(float(connection.execute(select(now())).scalar_one()))
            found = [self._keep(connection, look, looked_at, at, entry) for look in looks]
            entries = [one for one in found if one is not None]
            for one in entries:  # after every row: the audit's lock is taken last
                self._audit.append_within(connection, one)
        return entries

    def _keep(
        self,
        connection: Connection,
        look: Look,
        looked_at: float,
        at: str,
        entry: Callable[[Look, Seen | None], Entry | None],
    ) -> Entry | None:
        key = {"installation": look.installation_id, "repository": look.repository_id}
        row = connection.execute(_ONE, key).first()
        before = None if row is None else _seen(row)
        if row is not None and row.looked_at > looked_at:
            return None
        if look.state is None:
            if before is None:
                return None
            of = key if look.repository_id else {"installation": look.installation_id}
            connection.execute(_FORGET if look.repository_id else _FORGET_ALL, of)
            return entry(look, before)
        state = canonical(dict(look.state))
        same = before is not None and canonical(shown(before.state)) == canonical(shown(look.state))
        values = {
            "installation_id": look.installation_id,
            "repository_id": look.repository_id,
            "full_name": clean(look.full_name),
            "state": state,
            "unprotected": look.unprotected,
            "since": before.since if same and before is not None else at,
            "looked_at": looked_at,
        }
        connection.execute(self._upsert, values)
        return None if same else entry(look, before)

    def of(self, installation_id: int) -> dict[int, Seen]:
        """What is known of an installation, by repository id."""
        with self._database.read() as connection:
            rows = connection.execute(_ALL, {"installation": installation_id}).all()
        return {row.repository_id: _seen(row) for row in rows}

    def installations(self) -> frozenset[int]:
        with self._database.read() as connection:
            return frozenset(connection.execute(_INSTALLATIONS).scalars())

    def unprotected(self) -> dict[int, tuple[int, int]]:
        """Of each installation: repositories that are not held, and branches in all of them."""
        with self._database.read() as connection:
            rows = connection.execute(_COUNTS).all()
        return {row.installation_id: (int(row.repositories), int(row.branches)) for row in rows}


def _seen(row: object) -> Seen:
    values = {name: getattr(row, name) for name in Seen.__dataclass_fields__ if name != "state"}
    return Seen(**values, state=json.loads(getattr(row, "state")))  # noqa: B009 - a row is untyped


_OF = protections.c.installation_id == bindparam("installation")
_THIS = _OF & (protections.c.repository_id == bindparam("repository"))
_ONE = select(protections).where(_THIS)
_ALL = select(protections).where(_OF).order_by(protections.c.repository_id)
_FORGET = delete(protections).where(_THIS)
_FORGET_ALL = delete(protections).where(_OF)
_INSTALLATIONS = select(protections.c.installation_id).distinct()
_LOOSE = protections.c.unprotected > 0
_COUNTS = (
    select(
        protections.c.installation_id,
        func.count().filter(_LOOSE).label("repositories"),
        func.sum(protections.c.unprotected).label("branches"),
    )
    .group_by(protections.c.installation_id)
    .order_by(protections.c.installation_id)
)
