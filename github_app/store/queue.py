"""The work queue: a row per thing to look at says which generation was asked for, which is judged.

Level-triggered. An event raises ``requested``; a worker leases the row, looks at the *newest*
state, and marks the generation it saw when it claimed. Read ``Queue.claim`` and ``Queue.settle``.
"""

import random
import secrets
import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from github_app.store import queue_rows
from github_app.store import queue_sql as sql
from github_app.store.audit import Audit, Entry
from github_app.store.claim import Blame, Claim, Held, Limits
from github_app.store.engine import Database
from github_app.store.statement import run
from github_app.store.stats import Known, Stats, Work, WorkState
from github_app.store.task import Task, TaskKey, TaskKind
from github_app.store.text import clean
from github_app.store.wake import Waker

_LARGEST_ERROR = 500
_RECOVERED = 3  # failures before a success that speak of an outage, not of a moment
_ROWS_AT_ONCE = 500
_SOON, _LONG = 0.05, 3600.0
_NOT_LATE = frozenset({WorkState.PARKED.value, WorkState.HELD.value})


class _Seen(threading.local):
    """What this thread knew when it last looked for work."""

    version = -1
    kinds: tuple[TaskKind, ...] | None = None


class Queue:
    """The queue of one database; any number of threads, processes and machines may share it."""

    def __init__(
        self, database: Database, waker: Waker, audit: Audit, limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._database = database
        self._waker = waker
        self._audit = audit
        self._upsert = sql.upsert(database.dialect)
        self._know_row = sql.know_row(database.dialect)
        self._know_installation = sql.know_installation(database.dialect)
        self._known: set[int] = set()  # installations whose row is committed
        self._seen = _Seen()

    # --- asking for work ---------------------------------------------------------------------

    def add(self, wanted: Iterable[Task]) -> None:
        """Ask for work that no delivery stands behind: what a sweep or an expansion found.

        Durable, in transactions of 500, so that webhooks get in between.
        """
        every = list(wanted)
        for start in range(0, len(every), _ROWS_AT_ONCE):
            some = every[start : start + _ROWS_AT_ONCE]
            with self._database.write() as connection:
                self.request(connection, some, afresh=False)
            self.committed(some)

    def request(
        self, connection: Connection, wanted: Sequence[Task], *, afresh: bool = True
    ) -> list[tuple[int, int]]:
        """Raise the tasks' generations: (row, generation) of each. Inside a transaction.

        Clears a back-off, wakes what is parked, and leaves a running lease alone. What was parked
        has all its attempts again if ``afresh``, else one. Of equal priority the last of ``wanted``
        is the newest, so it goes first. Call ``committed`` after.
        """
        if not wanted:
            return []
        for installation in {task.installation_id for task in wanted} - self._known:
            run(connection, self._know_installation, {"id": installation})
        if len(wanted) > 1 and not self._database.is_sqlite:
            keys = {"keys": [queue_rows.lock_order(task) for task in wanted]}
            connection.execute(sql.LOCK_KEYS, keys)
        at = None if len(wanted) == 1 else float(run(connection, sql.NOW)[0][0])
        # Asked for in the order given, written in the order of keys: see ``sql.LOCK_KEYS``.
        asked = [(task, at and at + nth * 1e-6) for nth, task in enumerate(wanted)]
        raised = []
        for task, asked_at in sorted(asked, key=lambda each: queue_rows.lock_order(each[0])):
            how = {"asked_at": asked_at, "calm": self.limits.calm, "afresh": int(afresh)}
            values = queue_rows.columns(task) | how
            (row,) = run(connection, self._upsert, values)
            raised.append((int(row.id), int(row.requested)))
        self._announce(connection)
        return raised

    def committed(self, wanted: Iterable[Task]) -> None:
        """The transaction that requested these is on disk: wake a worker of this process."""
        self._known.update(task.installation_id for task in wanted)
        self._waker.changed()

    # --- doing it ----------------------------------------------------------------------------

    def claim(self, worker: str, *, kinds: Collection[TaskKind] | None = None) -> Claim | None:
        """Lease the next row, or None.

        Lowest ``priority`` first; within it the installation that was served longest ago; within
        that the newest request. A row whose lease ran out is taken over.
        """
        wanted = None if kinds is None else tuple(sorted(kinds))
        self._seen.version, self._seen.kinds = self._waker.version, wanted
        if self._database.is_sqlite and not self._anything_due(wanted):
            return None  # seen without keeping writers waiting
        with self._database.write(durable=False) as connection:
            claim = self._claim(connection, worker, wanted)
        if claim is not None:
            self._waker.pass_on()
        return claim

    def claim_also(self, claim: Claim, others: Iterable[Task]) -> Claim | None:
        """The claim with the rows of ``others`` leased too, all or none; never waits for them.

        None: another worker has one of them, or this claim's own lease is gone. The claim that
        was given stays as good as it was.
        """
        held = {row.task.key for row in claim.rows}
        wanted = {task.key: task for task in others if task.key not in held}.values()
        self._make_rows(wanted)
        with self._database.write(durable=False) as connection:
            until = self._extend(connection, claim)
            if until is None:
                return None
            keys = {"keys": [queue_rows.lock_order(task) for task in wanted]}
            free = connection.execute(sql.FREE, keys).all() if wanted else []
            if len(free) != len(wanted):
                return None
            also = [self._lease(connection, row, claim.worker, claim.token) for row in free]
        return Claim(
            worker=claim.worker,
            token=claim.token,
            lease_until=min(until, *(ends for _, ends in also)) if also else until,
            rows=claim.rows + tuple(row for row, _ in also),
        )

    def renew(self, claim: Claim) -> bool:
        """Extend the lease to its full length from now, with all that ``claim_also`` added to it.

        False: it is gone, so stop.
        """
        with self._database.write(durable=False) as connection:
            return self._extend(connection, claim) is not None

    def holds(self, claim: Claim, seconds: float) -> bool:
        """Whether the lease lasts that much longer. Ask before publishing, with the call's time."""
        with self._database.read() as connection:
            left = {row.id: row.left for row in run(connection, sql.LEFT, queue_rows.mine(claim))}
        return all(held.row in left and left[held.row] >= seconds for held in claim.rows)

    def settle(self, claim: Claim, *, records: Sequence[Entry] = ()) -> bool:
        """Mark what was claimed as judged; its deliveries become processed.

        What was asked for since the claim stays due. False: the lease ran out or was taken over,
        so nothing is marked, and one more judgement is asked for. ``records`` go into the audit
        log either way, in the same transaction: they tell what was done.
        """

        def settle(connection: Connection) -> bool:
            valid = self._still_mine(connection, claim)
            if valid:
                self._mark_judged(connection, claim)
            else:
                run(connection, sql.ASK_AGAIN, queue_rows.its_rows(claim))
            # Rows that only a wider claim names, too.
            run(connection, sql.RELEASE, queue_rows.mine(claim))
            self._announce(connection)
            for record in records:
                self._audit.append_within(connection, record)
            return valid

        return self._database.together(settle)

    def retry(
        self,
        claim: Claim,
        error: str,
        *,
        delay: float | None = None,
        blame: Blame = Blame.WORK,
        records: Sequence[Entry] = (),
    ) -> bool:
        """Give the rows back after a failure, to be claimed again after a back-off with jitter.

        ``error`` is for people and is shown: no secrets. ``delay`` (seconds) is the least that
        GitHub asked for. ``blame`` decides after how many failures it is parked: see ``Limits``.
        ``records`` go into the audit log in the same transaction. False: the lease was gone.
        """
        with self._database.write() as connection:
            locked = run(connection, sql.LOCK_ROWS, queue_rows.its_rows(claim))
            own = {held.row for held in claim.rows}
            rows = [row for row in locked if row.mine and row.id in own]
            for row in rows:
                parked = self._parked(connection, row, blame)
                seconds = self._delay(row.attempts, delay) if parked is None else parked
                self._give_back(connection, row.id, error, seconds, parks=parked is not None)
            run(connection, sql.RELEASE, queue_rows.mine(claim))
            self._announce(connection)
            for record in records:
                self._audit.append_within(connection, record)
        return len(rows) == len(claim.rows)

    def release(self, claim: Claim) -> None:
        """Give the rows back untouched, at once: this worker is stopping."""
        with self._database.write() as connection:
            connection.execute(sql.LOCK_ROWS, queue_rows.its_rows(claim))
            connection.execute(sql.RELEASE, queue_rows.mine(claim))
            self._announce(connection)
        self._waker.changed()

    def abandon(self, worker: str) -> int:
        """End all leases of a worker that is known to be dead: how many. Each counts as a crash."""
        with self._database.write() as connection:
            connection.execute(sql.LOCK_OF_WORKER, {"dead": worker})
            ended = connection.execute(sql.ABANDON, {"dead": worker}).all()
            self._announce(connection)
        self._waker.changed()
        return len(ended)

    def block_installation(self, installation_id: int, seconds: float) -> None:
        """Claim nothing of this installation for so long (``Retry-After``, limit reset).

        Never shortens an earlier block.
        """
        with self._database.write() as connection:
            connection.execute(self._know_installation, {"id": installation_id})
            connection.execute(sql.BLOCK, {"blocked": installation_id, "seconds": seconds})

    def hold_bulk(self, installation_id: int, seconds: float) -> None:
        """Claim no bulk work of this installation for so long: events that people wait for go on.

        Never shortens an earlier hold.
        """
        with self._database.write(durable=False) as connection:
            connection.execute(self._know_installation, {"id": installation_id})
            connection.execute(sql.HOLD_BULK, {"held": installation_id, "seconds": seconds})

    def wait(self, timeout: float) -> None:
        """Until there may be work for this thread's last ``claim``, ``timeout`` seconds at most."""
        if self._waker.version == self._seen.version:
            timeout = min(timeout, self._next_due_in(self._seen.kinds))
            self._waker.wait(self._seen.version, timeout)

    # --- looking at it -----------------------------------------------------------------------

    def interrupt(self) -> None:
        """Wake every thread that waits here: this process is stopping."""
        self._waker.wake_all()

    def asked(self, kind: TaskKind, repository_id: int) -> dict[str, Known]:
        """What is known of each subject of this kind, by subject."""
        with self._database.read() as connection:
            wanted = {"its_kind": kind.value, "repository": repository_id}
            rows = connection.execute(sql.ASKED, wanted).all()
        return {row.subject: queue_rows.known(row) for row in rows}

    def known(self, wanted: Sequence[Task]) -> dict[TaskKey, Known]:
        """The same of these tasks, by key; those that were never asked for are left out."""
        found: dict[TaskKey, Known] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), _ROWS_AT_ONCE):
                some = wanted[start : start + _ROWS_AT_ONCE]
                by_row = {(task.repository_id, task.subject): task.key for task in some}
                keys = {"keys": [queue_rows.lock_order(task) for task in some]}
                for row in connection.execute(sql.ASKED_THERE, keys):
                    found[by_row[row.repository_id, row.subject]] = queue_rows.known(row)
        return found

    def covered(self, installation_id: int, subject: str) -> set[int]:
        """The repositories of an installation that were ever asked for under this subject."""
        wanted = {
            "its_kind": TaskKind.REPOSITORY.value,
            "its_installation": installation_id,
            "its_subject": subject,
        }
        with self._database.read() as connection:
            return set(connection.execute(sql.COVERED, wanted).scalars())

    def now(self) -> float:
        """Unix time by the clock that the queue goes by."""
        return self._database.now()

    def stats(self) -> Stats:
        with self._database.read() as connection:
            rows = connection.execute(sql.STATS).all()
            blocked = connection.execute(sql.BLOCKED).scalar_one()
            inbox = connection.execute(sql.UNPROCESSED).one()
        return Stats(
            counts={(TaskKind(row.kind), WorkState(row.state)): row.how_many for row in rows},
            oldest_age=max((row.age for row in rows if row.state not in _NOT_LATE), default=0.0),
            blocked_installations=blocked,
            unprocessed_deliveries=inbox.how_many,
            oldest_delivery_age=inbox.age or 0.0,
        )

    def listing(self, *, limit: int = 1_000, state: WorkState | None = None) -> list[Work]:
        """What is not settled, longest waiting first."""
        wanted = sql.listing(state)
        with self._database.read() as connection:
            return [queue_rows.work(row) for row in connection.execute(wanted, {"most": limit})]

    # --- parts -------------------------------------------------------------------------------

    def _announce(self, connection: Connection) -> None:
        """Let workers on other machines know, when the transaction commits."""
        if not self._database.is_sqlite:
            run(connection, sql.NOTIFY)

    def _anything_due(self, kinds: sql.Kinds) -> bool:
        with self._database.read() as connection:
            return bool(run(connection, sql.first_turn(kinds)))

    def _claim(self, connection: Connection, worker: str, kinds: sql.Kinds) -> Claim | None:
        turns = run(connection, sql.turns(kinds))
        for turn in turns:
            row = self._next_row(connection, turn, kinds)
            if row is None:
                continue
            token = secrets.token_hex(8)
            held, until = self._lease(connection, row, worker, token)
            if len(turns) > 1:
                run(connection, sql.SERVED, {"served": turn.id})
            return Claim(worker=worker, token=token, lease_until=until, rows=(held,))
        return None

    def _next_row(
        self, connection: Connection, turn: Row[Any], kinds: sql.Kinds
    ) -> Row[Any] | None:
        """The row whose turn it is; those that keep killing their workers are parked on the way."""
        of_turn = {"its_installation": turn.id, "its_priority": turn.priority}
        while True:
            row = next(iter(run(connection, sql.next_row(kinds), of_turn)), None)
            if row is None or row.token is None or row.crashes + 1 < self.limits.crashes:
                return row
            problem = f"{row.crashes + 1} workers in a row did not finish this"
            self._give_back(connection, row.id, problem, self.limits.parked, parks=True)

    def _lease(
        self, connection: Connection, row: Row[Any], worker: str, token: str
    ) -> tuple[Held, float]:
        lease = {
            "row": row.id,
            "by": worker,
            "with_token": token,
            "seconds": self.limits.lease,
            "lapsed": int(row.token is not None),
        }
        ((until,),) = run(connection, sql.LEASE, lease)
        seen = {"row": row.id, "generation": row.requested}
        guids = tuple(guid for (guid,) in run(connection, sql.PENDING_DELIVERIES, seen))
        return queue_rows.held(row, guids), float(until)

    def _make_rows(self, wanted: Iterable[Task]) -> None:
        # In a transaction of its own: nothing may be waited for while rows are locked.
        with self._database.write(durable=False) as connection:
            for task in sorted(wanted, key=queue_rows.lock_order):
                connection.execute(self._know_installation, {"id": task.installation_id})
                connection.execute(self._know_row, queue_rows.columns(task))

    def _extend(self, connection: Connection, claim: Claim) -> float | None:
        if not self._still_mine(connection, claim):
            return None
        extended = queue_rows.mine(claim) | {"seconds": self.limits.lease}
        return min(float(until) for (until,) in run(connection, sql.RENEW, extended))

    def _still_mine(self, connection: Connection, claim: Claim) -> bool:
        locked = run(connection, sql.LOCK_ROWS, queue_rows.its_rows(claim))
        live = {row.id for row in locked if row.mine and row.live}
        return all(held.row in live for held in claim.rows)

    def _mark_judged(self, connection: Connection, claim: Claim) -> None:
        linked = [guid for (guid,) in run(connection, sql.LOCK_LINKED, queue_rows.its_rows(claim))]
        for held in claim.rows:
            run(connection, sql.JUDGED, queue_rows.judged(held) | {"calm": self.limits.calm})
            if linked:
                seen = {"row": held.row, "generation": held.generation}
                run(connection, sql.UNLINK, seen)
        if linked:
            run(connection, sql.PROCESSED, {"guids": linked})
        if any(row.attempts >= _RECOVERED for row in claim.rows):
            # GitHub may be well again: one more go for what was parked while it was not.
            wake = {"better": claim.task.installation_id, "most": self.limits.crashes}
            run(connection, sql.WAKE, wake | {"pause": self.limits.longest_delay})

    def _parked(self, connection: Connection, row: Row[Any], blame: Blame) -> float | None:
        """Seconds for which a row that has failed once more is put aside; None: it is not."""
        failures = row.attempts + 1
        if blame is Blame.WORK and failures >= self.limits.failures:
            return self.limits.parked
        if blame is Blame.GITHUB and failures >= self.limits.stuck:
            works = run(connection, sql.WORKS_FOR_OTHERS, {"row": row.id})
            return self.limits.slow if works else None
        return None

    def _give_back(
        self, connection: Connection, row: int, problem: str, seconds: float, *, parks: bool
    ) -> None:
        statement = sql.PARK if parks else sql.BACK_OFF
        values = {"row": row, "problem": clean(problem)[:_LARGEST_ERROR], "seconds": seconds}
        connection.execute(statement, values)

    def _delay(self, attempts: int, least: float | None) -> float:
        longest = min(self.limits.longest_delay, self.limits.first_delay * 2 ** min(attempts, 30))
        jittered = float(longest) * random.uniform(0.5, 1.0)  # noqa: S311 - to spread, not to hide
        return jittered if least is None else least + jittered

    def _next_due_in(self, kinds: sql.Kinds) -> float:
        with self._database.read() as connection:
            ((seconds,),) = run(connection, sql.next_due(kinds))
        # Due already, yet not claimed: somebody else is at it. Look again soon, without spinning.
        return _LONG if seconds is None else max(float(seconds), _SOON)
