"""What we last wrote on each commit: GitHub may still show the check run before it.

A judgement that reads an older check run and finds that it says the right thing would leave the
newer, wrong one standing. So what GitHub shows is believed only where it is what was last written.
"""

from dataclasses import dataclass

from sqlalchemy import BindParameter, bindparam, delete, select, update

from github_app.store.clock import now
from github_app.store.engine import Database
from github_app.store.statement import insert, run
from github_app.store.tables import written_checks
from github_app.store.text import clean

# Longer than any replica lags and any delivery is offered again; then GitHub is believed.
KEPT_SECONDS = 30 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a check run stands: its repository, its commit and its name."""

    repository_id: int
    oid: str
    check_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """``run_id`` None: a write was begun, and nobody knows whether it arrived."""

    run_id: int | None
    digest: str


class WrittenChecks:
    """The last check run of ours on each commit, as we know it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        new = insert(database.dialect, written_checks).values(written_at=now())
        self._upsert = new.on_conflict_do_update(
            index_elements=["repository_id", "oid", "check_name"],
            set_={name: new.excluded[name] for name in ("run_id", "digest", "written_at")},
        )

        first = insert(database.dialect, written_checks).values(written_at=now())
        self._first = first.on_conflict_do_nothing(
            index_elements=["repository_id", "oid", "check_name"]
        ).returning(written_checks.c.oid)

    def last(self, place: Place) -> Written | None:
        """None: nothing is known of it, and GitHub is to be believed."""
        with self._database.read() as connection:
            found = run(connection, _LAST, _key(place))
        return Written(run_id=found[0].run_id, digest=found[0].digest) if found else None

    def begin(self, place: Place) -> None:
        """A write is about to be sent: until ``done``, nothing that GitHub shows is believed."""
        self._put(place, Written(run_id=None, digest=""))

    def done(self, place: Place, written: Written) -> None:
        """GitHub has answered: this is what stands."""
        self._put(place, written)

    def begin_first(self, place: Place) -> bool:
        """A write is about to be sent that must be the first there; False: it is not.

        True also for whoever began before and does not know whether it arrived.
        """
        with self._database.write(durable=False) as connection:
            if run(connection, self._first, _row(place, FIRST)):
                return True
            return bool(run(connection, _LAST_IS, _key(place) | {"its_digest": FIRST.digest}))

    def done_first(self, place: Place, written: Written) -> bool:
        """GitHub has answered. False: somebody else has begun to write there meanwhile, so that
        nobody knows which of the two stands."""
        values = _key(place) | {"its_digest": FIRST.digest}
        values |= {"new_run": written.run_id, "new_digest": written.digest}
        with self._database.write(durable=False) as connection:
            return bool(run(connection, _DONE_FIRST, values))

    def prune(self, *, kept_seconds: float = KEPT_SECONDS) -> int:
        """Forget what was written long ago: how many."""
        with self._database.write(durable=False) as connection:
            return len(connection.execute(_PRUNE, {"age": kept_seconds}).all())

    def _put(self, place: Place, written: Written) -> None:
        with self._database.write(durable=False) as connection:
            run(connection, self._upsert, _row(place, written))


# A first write that was begun: told apart from one of anybody else.
FIRST = Written(run_id=None, digest="first")


def _row(place: Place, written: Written) -> dict[str, object]:
    return {
        "repository_id": place.repository_id,
        "oid": clean(place.oid),
        "check_name": clean(place.check_name),
        "run_id": written.run_id,
        "digest": written.digest,
    }


def _key(place: Place) -> dict[str, object]:
    return {
        "repository": place.repository_id,
        "its_oid": clean(place.oid),
        "its_name": clean(place.check_name),
    }


_age: BindParameter[float] = bindparam("age")
_columns = written_checks.c
_same = (
    (_columns.repository_id == bindparam("repository"))
    & (_columns.oid == bindparam("its_oid"))
    & (_columns.check_name == bindparam("its_name"))
)
_LAST = select(_columns.run_id, _columns.digest).where(_same)
_is_first = _columns.run_id.is_(None) & (_columns.digest == bindparam("its_digest"))
_LAST_IS = select(_columns.oid).where(_same, _is_first)
_DONE_FIRST = (
    update(written_checks)
    .where(_same, _is_first)
    .values(run_id=bindparam("new_run"), digest=bindparam("new_digest"))
    .returning(_columns.oid)
)
_PRUNE = delete(written_checks).where(_columns.written_at < now() - _age).returning(_columns.oid)
