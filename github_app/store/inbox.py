"""Deliveries: stored whole, together with the work they ask for, before GitHub gets its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, Connection, bindparam, delete, null, select, update

from github_app.store.clock import now
from github_app.store.engine import Database
from github_app.store.grounds import Grounds
from github_app.store.memory import BranchPush, Memories
from github_app.store.names import RepositoryNames
from github_app.store.queue import Queue
from github_app.store.statement import insert, run
from github_app.store.tables import deliveries, delivery_tasks, tasks
from github_app.store.task import Task, TaskKind
from github_app.store.text import clean

DAY = 86_400.0
# GitHub offers a delivery again for 3 days, GitHub Enterprise Server for 7.
GUIDS_KEPT_DAYS = 14
TASKS_KEPT_DAYS = 30
_PRUNED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook. ``guid`` is ``X-GitHub-Delivery``; ``body`` the bytes that were signed.

    ``received_at`` (aware) is for people; the store orders by the database's clock.
    """

    guid: str
    event: str
    action: str
    installation_id: int
    body: bytes
    received_at: datetime


class Receipt(StrEnum):
    STORED = "stored"
    REPEAT = "repeat"  # seen before; if it was not processed yet, it was asked for again


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """``body`` is None once the delivery is processed. ``processed`` says whether it is."""

    guid: str
    event: str
    action: str
    installation_id: int
    body: bytes | None
    processed: bool


class Inbox:
    """The deliveries of one database."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        memory: Memories,
        grounds: Grounds,
        names: RepositoryNames,
    ) -> None:
        self._database = database
        self._queue = queue
        self._memory = memory
        self._grounds = grounds
        self._names = names
        self._insert = (
            insert(database.dialect, deliveries)
            .values(received_at=now())
            .on_conflict_do_nothing(index_elements=["guid"])
            .returning(deliveries.c.guid)  # a row count would be -1 on PostgreSQL
        )
        link = insert(database.dialect, delivery_tasks)
        self._link = link.on_conflict_do_update(
            index_elements=["task_id", "guid"], set_={"generation": link.excluded.generation}
        )

    def put(
        self,
        delivery: Delivery,
        wanted: Sequence[Task],
        pushes: Sequence[BranchPush] = (),
        names: Sequence[tuple[int, str]] = (),
    ) -> Receipt:
        """Store the delivery, ask for its tasks, remember its pushes and names of repositories:
        one durable transaction.

        When this returns, all is on disk. A repeat of a processed delivery changes nothing; a
        repeat of one that is not asks again. No tasks: it is processed at once, its body dropped.
        What concerns a whole installation raises its generation: see ``grounds``.
        Raises StoreUnavailable: nothing was stored, so GitHub must not get its 202.
        """

        def store(connection: Connection) -> bool:
            stored = self._store(connection, delivery, processed=not wanted)
            if stored or not self._is_processed(connection, delivery.guid):
                self._ask(connection, clean(delivery.guid), wanted)
                self._memory.add_pushes_within(connection, pushes)
                self._names.note_within(connection, names)
            return stored

        stored = self._database.together(store)
        if wanted:
            self._queue.committed(wanted)
        return Receipt.STORED if stored else Receipt.REPEAT

    def knows(self, guids: Sequence[str]) -> set[str]:
        """Those of ``guids`` that were ever stored (and are still remembered)."""
        found: set[str] = set()
        if not guids:
            return found
        with self._database.read() as connection:
            for start in range(0, len(guids), _PRUNED_AT_ONCE):
                some = [clean(guid) for guid in guids[start : start + _PRUNED_AT_ONCE]]
                found.update(connection.execute(_KNOWN, {"guids": some}).scalars())
        return found

    def get(self, guid: str) -> StoredDelivery | None:
        with self._database.read() as connection:
            rows = run(connection, _GET, {"its_guid": clean(guid)})
        if not rows:
            return None
        row = rows[0]
        return StoredDelivery(
            guid=row.guid,
            event=row.event,
            action=row.action,
            installation_id=row.installation_id,
            body=row.body,
            processed=row.processed_at is not None,
        )

    def prune(
        self, *, guids_kept_days: float = GUIDS_KEPT_DAYS, tasks_kept_days: float = TASKS_KEPT_DAYS
    ) -> int:
        """Forget what was processed long ago: how many rows. Never what is still to do.

        In small transactions, so that webhooks get in between.
        """
        pruned = 0
        for statement, days in ((_OLD_DELIVERIES, guids_kept_days), (_OLD_TASKS, tasks_kept_days)):
            while True:
                with self._database.write(durable=False) as connection:
                    gone = connection.execute(statement, {"age": days * DAY}).all()
                pruned += len(gone)
                if len(gone) < _PRUNED_AT_ONCE:
                    break
        return pruned

    def _store(self, connection: Connection, delivery: Delivery, *, processed: bool) -> bool:
        values = {
            "guid": clean(delivery.guid),
            "event": clean(delivery.event),
            "action": clean(delivery.action),
            "installation_id": delivery.installation_id,
            "body": None if processed else delivery.body,
        }
        stored = bool(run(connection, self._insert, values))
        if stored and processed:
            run(connection, _PROCESSED_AT_ONCE, {"its_guid": clean(delivery.guid)})
        return stored

    def _is_processed(self, connection: Connection, guid: str) -> bool:
        (row,) = run(connection, _WHEN, {"its_guid": clean(guid)})
        return row.processed_at is not None

    def _ask(self, connection: Connection, guid: str, wanted: Sequence[Task]) -> None:
        wide = [task.installation_id for task in wanted if task.kind is TaskKind.INSTALLATION]
        self._grounds.changed_within(connection, wide)
        for row, generation in self._queue.request(connection, wanted):
            link = {"task_id": row, "guid": guid, "generation": generation}
            run(connection, self._link, link)


_its_guid = deliveries.c.guid == bindparam("its_guid")
_age: BindParameter[float] = bindparam("age")
_GET = select(deliveries).where(_its_guid)
_WHEN = select(deliveries.c.processed_at).where(_its_guid)
_KNOWN = select(deliveries.c.guid).where(deliveries.c.guid.in_(bindparam("guids", expanding=True)))
_PROCESSED_AT_ONCE = update(deliveries).where(_its_guid).values(processed_at=now(), body=null())

_OLD_DELIVERIES = (
    delete(deliveries)
    .where(
        deliveries.c.guid.in_(
            select(deliveries.c.guid)
            .where(deliveries.c.processed_at < now() - _age)
            .limit(_PRUNED_AT_ONCE)
        )
    )
    .returning(deliveries.c.guid)
)
_OLD_TASKS = (
    delete(tasks)
    .where(
        tasks.c.due_at.is_(None),
        tasks.c.id.in_(
            select(tasks.c.id)
            .where(tasks.c.due_at.is_(None), tasks.c.requested_at < now() - _age)
            .limit(_PRUNED_AT_ONCE)
        ),
    )
    .returning(tasks.c.id)
)
