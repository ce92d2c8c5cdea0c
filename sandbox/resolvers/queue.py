"""The merge queue of a branch."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.

from __future__ import annotations

from typing import Any

from sandbox.connections import Connection
from sandbox.resolvers.core import (
    Context,
    Queue,
    commit_in,
    resolves,
    simple,
)

simple({"id": lambda q: f"MQ_{q.repository.id:x}_{q.branch}"}, "MergeQueue")


@resolves("MergeQueue.entries")
def _entries(queue: Queue, ctx: Context, **page: Any) -> Connection:
    return ctx.page(queue.repository.queues.get(queue.branch, []), page)


simple(
    {
        "enqueuedAt": lambda e: e.at,
        "headCommit": lambda e: commit_in(e.pull.repository, e.head_sha),
        "baseCommit": lambda e: commit_in(e.pull.repository, e.base_sha),
        "pullRequest": lambda e: e.pull,
        "position": lambda e: e.pull.repository.queues[e.pull.base_ref].index(e) + 1,
    },
    "MergeQueueEntry",
)
