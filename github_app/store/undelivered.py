"""Deliveries that GitHub has and does not give: none is forgotten because it was not to be had."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, bindparam, case, delete, func, null, select, update

from github_app.store.clock import now
from github_app.store.engine import Database
from github_app.store.statement import insert
from github_app.store.tables import undelivered
from github_app.store.text import clean

# After so many failures one no longer holds up those that come after it.
SET_ASIDE = 5
# Then it is asked for more and more rarely. Seconds.
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
_KEPT = 14 * 86_400.0  # as long as the ids of those that came
_LARGEST_PROBLEM = 500


class Wanting(StrEnum):
    """What became of one that was not to be had. The values are labels of a metric."""

    WAITING = "waiting"  # it is asked for again
    LOST = "lost"  # GitHub has it no longer, or what it gave is not what the event must be


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """``id`` is that of GitHub's latest attempt. ``due``: it may be asked for now."""

    guid: str
    id: int
    event: str
    failures: int
    due: bool
    lost: bool

    @property
    def set_aside(self) -> bool:
        return self.failures >= SET_ASIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How often one was not to be had. ``gone``: so often in a row GitHub said that it has it no
    longer, of the latest attempt."""

    every: int
    gone: int


class UndeliveredList:
    """By GUID. Durable: what is on it may be passed over."""

    def __init__(self, database: Database) -> None:
        self._database = database
        statement = insert(database.dialect, undelivered).values(failures=1, again_at=now())
        new = statement.excluded
        later = new.id > undelivered.c.id
        failures = case(
            # Another chance: if it fails too, it is asked for often again.
            (later & (undelivered.c.failures >= SET_ASIDE), SET_ASIDE),
            else_=undelivered.c.failures + 1,
        )
        self._failed = statement.on_conflict_do_update(
            index_elements=["guid"],
            set_={
                "id": case((later, new.id), else_=undelivered.c.id),
                "gone": case(
                    (later | (new.gone == 0), new.gone), else_=undelivered.c.gone + new.gone
                ),
                "lost_at": case((later, null()), else_=undelivered.c.lost_at),
                "problem": new.problem,
                "failures": failures,
                "again_at": now() + _pause(failures),
            },
        ).returning(undelivered.c.failures, undelivered.c.gone)

    def failed(
        self, guid: str, attempt: int, event: str, problem: str, *, gone: bool = False
    ) -> Failures:
        """It was not to be had once more: how often by now. ``problem`` is for people.

        ``attempt``: GitHub's id. A later one than before is lost no longer. ``gone``: GitHub says
        that it has it no longer.
        """
        values = {
            "guid": clean(guid),
            "id": attempt,
            "event": clean(event),
            "problem": clean(problem)[:_LARGEST_PROBLEM],
            "gone": int(gone),
        }
        with self._database.write() as connection:
            row = connection.execute(self._failed, values).one()
        return Failures(every=row.failures, gone=row.gone)

    def every(self) -> dict[str, Undelivered]:
        """All, by GUID, also those that are lost."""
        with self._database.read() as connection:
            rows = connection.execute(_EVERY).all()
        return {
            row.guid: Undelivered(
                guid=row.guid,
                id=row.id,
                event=row.event,
                failures=row.failures,
                due=bool(row.due),
                lost=row.lost_at is not None,
            )
            for row in rows
        }

    def came(self, guids: Iterable[str]) -> None:
        """They were taken in after all."""
        gone = [clean(guid) for guid in guids]
        if gone:
            with self._database.write(durable=False) as connection:
                connection.execute(_CAME, {"guids": gone})

    def lose(self, guid: str) -> None:
        """It will never be had: it stays on the list for two weeks, to be seen."""
        with self._database.write() as connection:
            connection.execute(_LOSE, {"which": clean(guid)})

    def counts(self) -> dict[Wanting, int]:
        with self._database.read() as connection:
            row = connection.execute(_COUNTS).one()
        return {Wanting.WAITING: row.every - row.lost, Wanting.LOST: row.lost}

    def prune(self) -> int:
        """Forget what was lost long ago: how many."""
        with self._database.write(durable=False) as connection:
            return len(connection.execute(_PRUNE, {"age": _KEPT}).all())


def _pause(failures: ColumnElement[int]) -> ColumnElement[float]:
    """None until it is set aside; then twice as long every time."""
    steps = [
        (failures == SET_ASIDE + doubled, FIRST_PAUSE * 2**doubled)
        for doubled in range(int(LONGEST_PAUSE / FIRST_PAUSE).bit_length())
        if FIRST_PAUSE * 2**doubled < LONGEST_PAUSE
    ]
    return case((failures < SET_ASIDE, 0.0), *steps, else_=LONGEST_PAUSE)


_EVERY = select(undelivered, (undelivered.c.again_at <= now()).label("due")).order_by(
    undelivered.c.id
)
_CAME = delete(undelivered).where(undelivered.c.guid.in_(bindparam("guids", expanding=True)))
_LOSE = update(undelivered).where(undelivered.c.guid == bindparam("which")).values(lost_at=now())
_COUNTS = select(func.count().label("every"), func.count(undelivered.c.lost_at).label("lost"))
_PRUNE = (
    delete(undelivered)
    .where(undelivered.c.lost_at < now() - bindparam("age"))
    .returning(undelivered.c.guid)
)
