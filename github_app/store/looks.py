"""When a quick look at each installation is due, and what the last one saw: once across a fleet."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import BindParameter, Double, Text, bindparam, case, delete, select, update

from github_app.store.clock import now
from github_app.store.engine import Database
from github_app.store.statement import insert
from github_app.store.tables import looks
from github_app.store.text import canonical, clean

# Marking an installation as active more often than that is not worth a write. Seconds.
_MARKED = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is looked, in seconds: every ``shortest`` while something happened within
    ``shortest * patience``, then ever more rarely, every ``longest`` in the end."""

    shortest: float
    longest: float
    patience: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LookState:
    """Where looks at an installation go on. ``cursor``: into GitHub's list of repositories.

    ``rosters``: a blob id by where the file lies, as last seen; None before the first look.
    """

    account: str
    cursor: str | None
    rosters: Mapping[str, str] | None


class Looks:
    """The looks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        first = insert(database.dialect, looks)
        self._new = first.values(due_at=now(), active_at=now(), rosters="null")
        self._new = self._new.on_conflict_do_nothing(index_elements=["installation_id"])

    def know(self, accounts: Mapping[int, str]) -> None:
        """These installations there are, and no others: a new one is looked at at once."""
        with self._database.write(durable=False) as connection:
            known = set(connection.execute(_ALL).scalars())
            connection.execute(_GONE, {"those": sorted(accounts)})
            for number in sorted(accounts):
                login = clean(accounts[number])
                if number in known:
                    connection.execute(_RENAMED, {"its_id": number, "login": login})
                else:
                    connection.execute(self._new, {"installation_id": number, "account": login})

    def due(self, pace: Pace) -> list[int]:
        """The installations to look at now. Each is given to one caller of the whole fleet."""
        with self._database.read() as connection:
            if connection.execute(_ANY_DUE).first() is None:
                return []
        values = {"shortest": pace.shortest, "longest": pace.longest, "patience": pace.patience}
        with self._database.write(durable=False) as connection:
            found = connection.execute(_LOCK_DUE).scalars().all()
            for number in found:
                connection.execute(_TAKE, values | {"its_id": number})
        return list(found)

    def active(self, installation_ids: Iterable[int], pace: Pace) -> None:
        """Something happened there: the next look comes soon, and those after it too."""
        ids = sorted(set(installation_ids))
        with self._database.read() as connection:
            stale = connection.execute(_QUIET, {"those": ids, "age": _MARKED}).scalars().all()
        if not stale:
            return
        with self._database.write(durable=False) as connection:
            for number in stale:
                connection.execute(_ACTIVE, {"its_id": number, "soon": pace.shortest})

    def state(self, installation_id: int) -> LookState | None:
        """None: no sweep has seen the installation yet, or it is gone."""
        with self._database.read() as connection:
            row = connection.execute(_STATE, {"its_id": installation_id}).first()
        if row is None:
            return None
        rosters = json.loads(row.rosters)
        return LookState(account=row.account, cursor=row.cursor, rosters=rosters)

    def saw(self, installation_id: int, cursor: str | None, rosters: Mapping[str, str]) -> None:
        """Keep what the next look begins with."""
        values = {"its_id": installation_id, "at": cursor, "found": canonical(dict(rosters))}
        with self._database.write(durable=False) as connection:
            connection.execute(_SAW, values)


_its_id = looks.c.installation_id == bindparam("its_id")
_those: BindParameter[int] = bindparam("those", expanding=True)

_GONE = delete(looks).where(looks.c.installation_id.not_in(_those))
_ALL = select(looks.c.installation_id).order_by(looks.c.installation_id).with_for_update()
_RENAMED = update(looks).where(_its_id).values(account=bindparam("login"))

_due = looks.c.due_at <= now()
_ANY_DUE = select(looks.c.installation_id).where(_due).limit(1)
# Whoever cannot have a row at once leaves it: another process has this look.
_LOCK_DUE = (
    select(looks.c.installation_id)
    .where(_due)
    .order_by(looks.c.installation_id)
    .with_for_update(skip_locked=True)
)
_idle = (now() - looks.c.active_at) / bindparam("patience", type_=Double)
_shortest: BindParameter[float] = bindparam("shortest", type_=Double)
_longest: BindParameter[float] = bindparam("longest", type_=Double)
_pause = case((_idle < _shortest, _shortest), (_idle > _longest, _longest), else_=_idle)
_TAKE = update(looks).where(_its_id).values(due_at=now() + _pause)

_QUIET = select(looks.c.installation_id).where(
    looks.c.installation_id.in_(_those), looks.c.active_at < now() - bindparam("age", type_=Double)
)
_soon = now() + bindparam("soon", type_=Double)
_ACTIVE = (
    update(looks)
    .where(_its_id)
    .values(active_at=now(), due_at=case((looks.c.due_at > _soon, _soon), else_=looks.c.due_at))
)
_STATE = select(looks).where(_its_id)
_SAW = (
    update(looks)
    .where(_its_id)
    .values(cursor=bindparam("at", type_=Text), rosters=bindparam("found"))
)
