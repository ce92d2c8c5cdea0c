"""The queue's statements, the same for both databases. ``queue.py`` says when each is used.

A row is *pending* while ``due_at`` is set. While it is leased ``due_at`` is the end of the lease,
else the moment from which it may be claimed.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import Insert, ReturningInsert

from github_app.store.clock import now
from github_app.store.statement import insert
from github_app.store.stats import WorkState
from github_app.store.tables import deliveries, delivery_tasks, installations, tasks
from github_app.store.task import BULK, TaskKind
from github_app.store.wake import CHANNEL

Kinds = tuple[TaskKind, ...] | None  # None: all that this version knows

_LISTED_DELIVERIES = 1_000
_KEY = ("kind", "installation_id", "repository_id", "subject")

_row: BindParameter[int] = bindparam("row")
_rows: BindParameter[int] = bindparam("rows", expanding=True)
_token: BindParameter[str] = bindparam("with_token")
_generation: BindParameter[int] = bindparam("generation")
_more_was_asked = tasks.c.requested > tasks.c.judged
_fresh_start = and_(tasks.c.parked_at.is_not(None), bindparam("afresh", type_=Integer) == 1)


# --- asking ----------------------------------------------------------------------------------


def _not_before_calm() -> ColumnElement[float]:
    """Now, or ``calm`` seconds after the row was last claimed: a storm of events on one pull
    request is a few judgements, and the first of them is not kept waiting."""
    calm = tasks.c.claimed_at + bindparam("calm", type_=Double)
    return case((calm > now(), calm), else_=now())


def upsert(dialect: str) -> ReturningInsert[tuple[int, int]]:
    asked_at = func.coalesce(bindparam("asked_at", type_=Double), now())
    statement = insert(dialect, tasks).values(
        requested=1,
        judged=0,
        requested_at=asked_at,
        waiting_since=now(),
        due_at=now(),
        attempts=0,
        crashes=0,
        seen=null(),
    )
    new, settled = statement.excluded, tasks.c.due_at.is_(None)
    free = tasks.c.token.is_(None)
    newer_hint = and_(new.hinted_at >= tasks.c.hinted_at, new.hint != "{}")
    return statement.on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "requested": tasks.c.requested + 1,
            "requested_at": new.requested_at,
            "waiting_since": case((settled, now()), else_=tasks.c.waiting_since),
            "due_at": case((free, _not_before_calm()), else_=tasks.c.due_at),
            "full_name": case((new.full_name != "", new.full_name), else_=tasks.c.full_name),
            "priority": case(
                (or_(settled, new.priority < tasks.c.priority), new.priority),
                else_=tasks.c.priority,
            ),
            "hint": case((newer_hint, new.hint), else_=tasks.c.hint),
            "hinted_at": case((newer_hint, new.hinted_at), else_=tasks.c.hinted_at),
            "attempts": case((_fresh_start, 0), else_=tasks.c.attempts),
            "parked_at": null(),
        },
    ).returning(tasks.c.id, tasks.c.requested)


def know_row(dialect: str) -> Insert:
    """A row for a key that nobody asked for yet; nothing if there is one."""
    return (
        insert(dialect, tasks)
        .values(requested=0, judged=0, requested_at=now(), waiting_since=now())
        .values(attempts=0, crashes=0, seen=null())
        .on_conflict_do_nothing(index_elements=_KEY)
    )


def know_installation(dialect: str) -> Insert:
    return (
        insert(dialect, installations)
        .values(blocked_until=0, served_at=0)
        .on_conflict_do_nothing(index_elements=["id"])
    )


NOW = select(now())
NOTIFY = text(f"NOTIFY {CHANNEL}")

# --- claiming --------------------------------------------------------------------------------


def _due(kinds: Kinds) -> ColumnElement[bool]:
    # The sum keeps SQLite from looking by ``due_at`` and sorting all that is due for one row.
    due = and_(tasks.c.due_at.is_not(None), tasks.c.due_at + 0.0 <= now())
    return and_(due, _of_kinds(kinds))


def _of_kinds(kinds: Kinds) -> ColumnElement[bool]:
    """Never all rows: one of a kind that a newer version added must wait for that version."""
    return tasks.c.kind.in_([kind.value for kind in (TaskKind if kinds is None else kinds)])


# Bulk work of an installation may have to wait while what people wait for goes on.
_held = installations.c.bulk_after > now()
_not_held = or_(tasks.c.priority < BULK, ~_held)


@lru_cache(maxsize=64)
def turns(kinds: Kinds) -> Select[tuple[int, int]]:
    """Installations that have work and may be asked, in the order in which they are served."""
    lowest = (
        select(tasks.c.priority)
        .where(tasks.c.installation_id == installations.c.id, _due(kinds), _not_held)
        .order_by(tasks.c.priority)
        .limit(1)
        .correlate(installations)
        .scalar_subquery()
    )
    open_now = (
        select(installations.c.id, installations.c.served_at, lowest.label("priority"))
        .where(installations.c.blocked_until <= now())
        .subquery()
    )
    return (
        select(open_now.c.id, open_now.c.priority)
        .where(open_now.c.priority.is_not(None))
        .order_by(open_now.c.priority, open_now.c.served_at)
    )


@lru_cache(maxsize=64)
def first_turn(kinds: Kinds) -> Select[tuple[int, int]]:
    return turns(kinds).limit(1)


@lru_cache(maxsize=64)
def next_row(kinds: Kinds) -> Select[Any]:
    return (
        select(tasks)
        .where(
            tasks.c.installation_id == bindparam("its_installation"),
            tasks.c.priority == bindparam("its_priority"),
            _due(kinds),
        )
        .order_by(tasks.c.requested_at.desc(), tasks.c.id.desc())
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@lru_cache(maxsize=64)
def next_due(kinds: Kinds) -> Select[Any]:
    """Seconds until the next row can be claimed; null if none is pending."""

    def first(*where: ColumnElement[bool]) -> ColumnElement[float]:
        return (
            select(func.min(tasks.c.due_at))
            .where(
                tasks.c.installation_id == installations.c.id,
                tasks.c.due_at.is_not(None),
                _of_kinds(kinds),
                *where,
            )
            .correlate(installations)
            .scalar_subquery()
        )

    # While bulk work is held: what is not bulk, and when the hold ends if there is nothing else.
    rest = func.coalesce(
        first(tasks.c.priority < BULK), _later(first(), installations.c.bulk_after)
    )
    due = case((_held, rest), else_=first())
    each = select(installations.c.blocked_until, due.label("due")).subquery()
    either = case((each.c.blocked_until > each.c.due, each.c.blocked_until), else_=each.c.due)
    return select(func.min(either) - now()).where(each.c.due.is_not(None))


def _later(one: ColumnElement[float], other: ColumnElement[float]) -> ColumnElement[float]:
    """The later of two moments; null if the first is null."""
    return case((one < other, other), else_=one)


LEASE = (
    update(tasks)
    .where(tasks.c.id == _row)
    .values(
        token=_token,
        worker=bindparam("by"),
        claimed_at=now(),
        due_at=now() + bindparam("seconds"),
        crashes=tasks.c.crashes + bindparam("lapsed"),
        parked_at=null(),
    )
    .returning(tasks.c.due_at)
)

SERVED = (
    update(installations)
    .where(
        installations.c.id.in_(
            # Whoever cannot have the row at once leaves it: this is about fairness only.
            select(installations.c.id)
            .where(installations.c.id == bindparam("served"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(served_at=now())
)

PENDING_DELIVERIES = (
    select(delivery_tasks.c.guid)
    .where(delivery_tasks.c.task_id == _row, delivery_tasks.c.generation <= _generation)
    .order_by(delivery_tasks.c.generation.desc(), delivery_tasks.c.guid)
    .limit(_LISTED_DELIVERIES)
)

_with_keys = tuple_(*(tasks.c[name] for name in _KEY)).in_(bindparam("keys", expanding=True))

FREE = (
    select(tasks)
    .where(_with_keys, or_(tasks.c.token.is_(None), tasks.c.due_at <= now()))
    .order_by(tasks.c.id)
    .with_for_update(skip_locked=True)
)

# Rows are always locked in the order of their ids, so that two transactions never deadlock.
LOCK_KEYS = select(tasks.c.id).where(_with_keys).order_by(tasks.c.id).with_for_update()

# --- holding and ending ----------------------------------------------------------------------

# By token: a lease that was widened with ``claim_also`` is one lease.
_is_mine = tasks.c.token == _token

# The rows of a claim whoever holds them now, and all that its lease was widened to.
LOCK_ROWS = (
    select(
        tasks.c.id,
        tasks.c.attempts,
        func.coalesce(_is_mine, false()).label("mine"),
        func.coalesce(tasks.c.due_at > now(), false()).label("live"),
    )
    .where(or_(tasks.c.id.in_(_rows), _is_mine))
    .order_by(tasks.c.id)
    .with_for_update()
)

LOCK_OF_WORKER = (
    select(tasks.c.id)
    .where(tasks.c.worker == bindparam("dead"), tasks.c.token.is_not(None))
    .order_by(tasks.c.id)
    .with_for_update()
)

LEFT = select(tasks.c.id, (tasks.c.due_at - now()).label("left")).where(_is_mine)

RENEW = (
    update(tasks)
    .where(_is_mine)
    .values(due_at=now() + bindparam("seconds"))
    .returning(tasks.c.due_at)
)

_FREED = {"token": null(), "worker": null()}
_if_asked = {"due_at": case((_more_was_asked, now()), else_=null())}

JUDGED = (
    update(tasks)
    .where(tasks.c.id == _row)
    .values(
        **_FREED,
        judged=_generation,
        due_at=case((tasks.c.requested > _generation, _not_before_calm()), else_=null()),
        waiting_since=func.coalesce(tasks.c.claimed_at, tasks.c.waiting_since),
        # A hint is about the events that were just answered; what comes later brings its own.
        hint=case((tasks.c.requested > _generation, tasks.c.hint), else_=literal("{}")),
        hinted_at=case((tasks.c.requested > _generation, tasks.c.hinted_at), else_=literal("")),
        attempts=0,
        crashes=0,
        parked_at=null(),
        error=null(),
        seen=func.coalesce(bindparam("saw", type_=Text), tasks.c.seen),
        seen_surely=func.coalesce(bindparam("saw_surely", type_=Integer), tasks.c.seen_surely),
    )
)

ASK_AGAIN = (
    update(tasks)
    .where(tasks.c.id.in_(_rows))
    .values(
        requested=tasks.c.requested + 1,
        waiting_since=case((tasks.c.due_at.is_(None), now()), else_=tasks.c.waiting_since),
        due_at=case(
            (or_(tasks.c.token.is_(None), tasks.c.token == _token), now()), else_=tasks.c.due_at
        ),
        token=case((tasks.c.token == _token, null()), else_=tasks.c.token),
    )
)

RELEASE = update(tasks).where(_is_mine).values(**_FREED, **_if_asked)

ABANDON = (
    update(tasks)
    .where(tasks.c.worker == bindparam("dead"), tasks.c.token.is_not(None))
    .values(**_FREED, **_if_asked, crashes=tasks.c.crashes + 1)
    .returning(tasks.c.id)
)

BACK_OFF = (
    update(tasks)
    .where(tasks.c.id == _row)
    .values(
        **_FREED,
        due_at=case((_more_was_asked, now() + bindparam("seconds")), else_=null()),
        attempts=tasks.c.attempts + 1,
        crashes=0,
        error=bindparam("problem"),
    )
)

PARK = (
    update(tasks)
    .where(tasks.c.id == _row)
    .values(
        **_FREED,
        due_at=case((_more_was_asked, now() + bindparam("seconds")), else_=null()),
        parked_at=case((_more_was_asked, now()), else_=null()),
        attempts=tasks.c.attempts + 1,
        error=bindparam("problem"),
    )
)

_other = tasks.alias("other")
# Whether another pull request of the installation was judged since this one has been waiting.
WORKS_FOR_OTHERS = select(tasks.c.id).where(
    tasks.c.id == _row,
    select(_other.c.id)
    .where(
        _other.c.kind == TaskKind.PULL_REQUEST.value,
        _other.c.installation_id == tasks.c.installation_id,
        _other.c.id != tasks.c.id,
        _other.c.due_at.is_(None),
        _other.c.error.is_(None),
        _other.c.claimed_at > tasks.c.waiting_since,
    )
    .exists(),
)

# Not what kills its workers. Rows that somebody else has locked are left: nothing waits here.
WAKE = (
    update(tasks)
    .where(
        tasks.c.id.in_(
            select(tasks.c.id)
            .where(
                tasks.c.installation_id == bindparam("better"),
                tasks.c.due_at > now(),
                tasks.c.parked_at <= now() - bindparam("pause", type_=Double),
                tasks.c.crashes + 1 < bindparam("most", type_=Integer),
            )
            .with_for_update(skip_locked=True)
        )
    )
    .values(due_at=now())
)

BLOCK = (
    update(installations)
    .where(
        installations.c.id == bindparam("blocked"),
        installations.c.blocked_until < now() + bindparam("seconds"),
    )
    .values(blocked_until=now() + bindparam("seconds"))
)

HOLD_BULK = (
    update(installations)
    .where(
        installations.c.id == bindparam("held"),
        installations.c.bulk_after < now() + bindparam("seconds"),
    )
    .values(bulk_after=now() + bindparam("seconds"))
)

# --- deliveries that were waiting for a row --------------------------------------------------

# Locked before anything is deleted: of two workers that settle the last two tasks of a delivery,
# the second must see what the first has done.
LOCK_LINKED = (
    select(deliveries.c.guid)
    .where(
        deliveries.c.guid.in_(
            select(delivery_tasks.c.guid).where(delivery_tasks.c.task_id.in_(_rows))
        )
    )
    .order_by(deliveries.c.guid)
    .with_for_update()
)

UNLINK = delete(delivery_tasks).where(
    delivery_tasks.c.task_id == _row, delivery_tasks.c.generation <= _generation
)

PROCESSED = (
    update(deliveries)
    .where(
        deliveries.c.guid.in_(bindparam("guids", expanding=True)),
        ~select(delivery_tasks.c.guid).where(delivery_tasks.c.guid == deliveries.c.guid).exists(),
    )
    .values(processed_at=now(), body=null())
)

# --- looking ---------------------------------------------------------------------------------

_state = case(
    (tasks.c.parked_at.is_not(None), WorkState.PARKED.value),
    (and_(tasks.c.token.is_not(None), tasks.c.due_at > now()), WorkState.LEASED.value),
    (installations.c.blocked_until > now(), WorkState.BLOCKED.value),
    (~_not_held, WorkState.HELD.value),
    (tasks.c.due_at > now(), WorkState.WAITING.value),
    else_=WorkState.READY.value,
)
_pending = tasks.join(installations, installations.c.id == tasks.c.installation_id)

STATS = (
    select(
        tasks.c.kind,
        _state.label("state"),
        func.count().label("how_many"),
        func.max(now() - tasks.c.waiting_since).label("age"),
    )
    .select_from(_pending)
    .where(tasks.c.due_at.is_not(None), _of_kinds(None))
    .group_by(tasks.c.kind, _state)
)

BLOCKED = select(func.count()).where(installations.c.blocked_until > now())

UNPROCESSED = select(
    func.count().label("how_many"), (now() - func.min(deliveries.c.received_at)).label("age")
).where(deliveries.c.processed_at.is_(None))

_LISTED = ("full_name", "priority", "attempts", "crashes", "worker", "error")


def listing(state: WorkState | None) -> Select[Any]:
    statement = (
        select(
            *(tasks.c[name] for name in (*_KEY, *_LISTED)),
            _state.label("state"),
            (now() - tasks.c.waiting_since).label("age"),
            (tasks.c.due_at - now()).label("due_in"),
        )
        .select_from(_pending)
        .where(tasks.c.due_at.is_not(None), _of_kinds(None))
        .order_by(tasks.c.waiting_since, tasks.c.id)
        .limit(bindparam("most"))
    )
    return statement if state is None else statement.where(_state == state.value)


_KNOWN = (
    tasks.c.repository_id,
    tasks.c.subject,
    tasks.c.requested_at,
    tasks.c.due_at,
    tasks.c.token,
    tasks.c.seen,
    tasks.c.seen_surely,
)
ASKED: Select[Any] = select(*_KNOWN).where(
    tasks.c.kind == bindparam("its_kind"), tasks.c.repository_id == bindparam("repository")
)
ASKED_THERE: Select[Any] = select(*_KNOWN).where(_with_keys)
COVERED = select(tasks.c.repository_id).where(
    tasks.c.kind == bindparam("its_kind"),
    tasks.c.installation_id == bindparam("its_installation"),
    tasks.c.subject == bindparam("its_subject"),
)
