"""What goes into the queue's statements, and what comes out of their rows."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from github_app.store.claim import Claim, Held, Seen
from github_app.store.clock import iso
from github_app.store.stats import Known, Work, WorkState
from github_app.store.task import Task, TaskKey, TaskKind
from github_app.store.text import canonical, clean

_LARGEST_HINT = 8_192


def columns(task: Task) -> dict[str, object]:
    hint = canonical(dict(task.hint))
    return {
        "kind": task.kind.value,
        "installation_id": task.installation_id,
        "repository_id": task.repository_id,
        "subject": clean(task.subject),
        "full_name": clean(task.full_name),
        "priority": task.priority,
        "hint": hint if len(hint) <= _LARGEST_HINT else "{}",
        "hinted_at": clean(str(task.hint.get("updated_at") or "")),
    }


def lock_order(task: Task) -> tuple[str, int, int, str]:
    """The key as a row of values; new rows are inserted in this order."""
    return (task.kind.value, task.installation_id, task.repository_id, clean(task.subject))


def mine(claim: Claim) -> dict[str, object]:
    return {"with_token": claim.token}


def judged(held: Held) -> dict[str, object]:
    seen = held.seen
    return {
        "row": held.row,
        "generation": held.generation,
        "saw": None if seen is None else iso(seen.updated_at),
        "saw_surely": None if seen is None else int(seen.surely),
    }


def its_rows(claim: Claim) -> dict[str, object]:
    return {"rows": [held.row for held in claim.rows], "with_token": claim.token}


def held(row: Row[Any], guids: tuple[str, ...]) -> Held:
    task = Task(
        kind=TaskKind(row.kind),
        installation_id=row.installation_id,
        repository_id=row.repository_id,
        subject=row.subject,
        full_name=row.full_name,
        priority=row.priority,
        hint=json.loads(row.hint),
    )
    return Held(
        row=row.id,
        task=task,
        generation=row.requested,
        attempts=row.attempts,
        waiting_since=row.waiting_since,
        requested_at=row.requested_at,
        deliveries=guids,
    )


def known(row: Row[Any]) -> Known:
    return Known(
        asked_at=float(row.requested_at),
        waits=row.due_at is not None and row.token is None,
        noted=row.seen != "",
        seen=Seen(updated_at=datetime.fromisoformat(row.seen), surely=bool(row.seen_surely))
        if row.seen
        else None,
    )


def work(row: Row[Any]) -> Work:
    return Work(
        key=TaskKey(
            kind=TaskKind(row.kind),
            installation_id=row.installation_id,
            repository_id=row.repository_id,
            subject=row.subject,
        ),
        full_name=row.full_name,
        state=WorkState(row.state),
        priority=row.priority,
        age=row.age,
        due_in=row.due_in,
        attempts=row.attempts,
        crashes=row.crashes,
        worker=row.worker,
        error=row.error,
    )
