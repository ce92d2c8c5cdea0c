"""What each open pull request was last judged by, so that a change of it is found without an event.

An installation's *generation* is raised by whatever may matter to all of it at once. It is the one
thing that every process compares before it trusts what it has kept.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, Double, bindparam, delete, select

from github_app.store.clock import now
from github_app.store.engine import Database
from github_app.store.statement import insert, run
from github_app.store.tables import generations, grounds, team_lists
from github_app.store.text import clean

_AT_ONCE = 500
NO_HEAD = ""  # in place of the head's id, where GitHub lists no commits


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Pull request ``number`` was judged at ``head_oid`` by what ``digest`` stands for.

    ``again_at``: when the passing of time changes what is said of it, Unix seconds; None: never.
    """

    repository_id: int
    number: int
    head_oid: str
    digest: str
    again_at: float | None = None


class Grounds:
    """The grounds of every open pull request, and the generation of every installation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        first = insert(database.dialect, generations).values(generation=1)
        self._raise = first.on_conflict_do_update(
            index_elements=["installation_id"], set_={"generation": generations.c.generation + 1}
        )
        new = insert(database.dialect, grounds)
        names = ("head_oid", "ground", "again_at")
        self._keep = new.on_conflict_do_update(
            index_elements=["repository_id", "number"],
            set_={name: new.excluded[name] for name in names},
        )
        listed = insert(database.dialect, team_lists).values(read_at=now())
        self._list = listed.on_conflict_do_update(
            index_elements=["installation_id", "team"],
            set_={name: listed.excluded[name] for name in ("digest", "read_at")},
        )

    # --- what is true of a whole installation ------------------------------------------------

    def generation(self, installation_id: int) -> int:
        """0 until it is raised for the first time. Raises: StoreUnavailable."""
        with self._database.read() as connection:
            found = run(connection, _GENERATION, {"its_id": installation_id})
        return int(found[0].generation) if found else 0

    def changed(self, installation_id: int) -> None:
        """Something may matter to all of the installation: nothing kept of it is trusted now."""
        with self._database.write() as connection:
            self.changed_within(connection, [installation_id])

    def changed_within(self, connection: Connection, installation_ids: Iterable[int]) -> None:
        """The same, as part of a transaction."""
        for number in sorted(set(installation_ids)):
            connection.execute(self._raise, {"installation_id": number})

    def team_read(self, installation_id: int, team: str, digest: str) -> bool:
        """A team was read from GitHub: whether it is another list than was last read.

        If so the generation is raised, for others were judged by the older list. ``digest`` names
        the list by its content.
        """
        key = {"its_id": installation_id, "its_team": clean(team)}
        values = {"installation_id": installation_id, "team": clean(team), "digest": digest}
        with self._database.write() as connection:
            before = connection.execute(_TEAM, key).scalar()
            connection.execute(self._list, values)
            changed = before is not None and before != digest
            if changed:
                self.changed_within(connection, [installation_id])
        return changed

    def teams(self, installation_id: int, *, older_than: float) -> tuple[str, ...]:
        """Those that were last read longer ago than so many seconds."""
        wanted = {"its_id": installation_id, "age": older_than}
        with self._database.read() as connection:
            return tuple(connection.execute(_OLD_TEAMS, wanted).scalars())

    # --- what is true of one pull request ------------------------------------------------------

    def keep(self, found: Sequence[Ground]) -> None:
        """These were judged. Lost with the power at worst: then they are judged once more."""
        rows = [
            {
                "repository_id": one.repository_id,
                "number": one.number,
                "head_oid": clean(one.head_oid),
                "ground": clean(one.digest),
                "again_at": one.again_at,
            }
            for one in sorted(found, key=lambda one: (one.repository_id, one.number))
        ]
        with self._database.read() as connection:
            rows = [row for row in rows if not run(connection, _SAME, row)]
        if rows:  # else all of it is known: most judgements rest on what the last one did
            with self._database.write(durable=False) as connection:
                for row in rows:
                    run(connection, self._keep, row)

    def of(self, repository_id: int) -> dict[int, Ground]:
        """By number, everything that is kept of a repository's pull requests."""
        with self._database.read() as connection:
            rows = connection.execute(_OF, {"repository": repository_id}).all()
        return {
            row.number: Ground(
                repository_id=row.repository_id,
                number=row.number,
                head_oid=row.head_oid,
                digest=row.ground,
                again_at=row.again_at,
            )
            for row in rows
        }

    def forget(self, repository_id: int, numbers: Collection[int]) -> None:
        """They are not open any more."""
        every = sorted(numbers)
        for start in range(0, len(every), _AT_ONCE):
            gone = {"repository": repository_id, "numbers": every[start : start + _AT_ONCE]}
            with self._database.write(durable=False) as connection:
                connection.execute(_FORGET, gone)


_its_id: BindParameter[int] = bindparam("its_id")
_age: BindParameter[float] = bindparam("age")
_repository: BindParameter[int] = bindparam("repository")

_GENERATION = select(generations.c.generation).where(generations.c.installation_id == _its_id)
_TEAM = (
    select(team_lists.c.digest)
    .where(team_lists.c.installation_id == _its_id, team_lists.c.team == bindparam("its_team"))
    .with_for_update()
)
_OLD_TEAMS = (
    select(team_lists.c.team)
    .where(team_lists.c.installation_id == _its_id, team_lists.c.read_at <= now() - _age)
    .order_by(team_lists.c.team)
)
_OF = select(grounds).where(grounds.c.repository_id == _repository)
_SAME = select(grounds.c.number).where(
    grounds.c.repository_id == bindparam("repository_id"),
    grounds.c.number == bindparam("number"),
    grounds.c.head_oid == bindparam("head_oid"),
    grounds.c.ground == bindparam("ground"),
    grounds.c.again_at.is_not_distinct_from(bindparam("again_at", type_=Double)),
)
_FORGET = delete(grounds).where(
    grounds.c.repository_id == _repository,
    grounds.c.number.in_(bindparam("numbers", expanding=True)),
)
