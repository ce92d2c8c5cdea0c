"""The merge queue: groups of one pull request each, chained, merged when their checks are green."""

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.actions.common import emit_pull, open_only, record, require
from sandbox.actions.merges import land, merged_tip
from sandbox.actions.pushes import update_ref
from sandbox.actions.registry import action
from sandbox.errors import MethodNotAllowed, NotFound, Refused
from sandbox.world import Account, PullRequest, QueueEntry, Repository, World


def options(repository: Repository, branch: str) -> dict[str, Any] | None:
    """The parameters of the branch's merge_queue rule, or None without a queue."""
    for _, rule in rules.rules_for(repository, branch):
        if rule["type"] == "merge_queue":
            return dict(rule.get("parameters") or {})
    return None


@action
def enqueue(
    world: World, actor: str, repo: str, *, number: int, jump: bool = False
) -> QueueEntry:  # fmt: skip
    """Add a pull request that meets the rules to the queue of its base branch; ``jump``: in front.

    Who is behind one that jumps is built again.
    """
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    open_only(pull)
    if options(pull.repository, pull.base_ref) is None:
        raise Refused("Merge queue is not enabled for this branch")
    if pull.queue_entry:
        raise Refused("Pull request is already in the queue")
    problems = [p for p in rules.merge_problems(world, pull, by) if "merge queue" not in p]
    if pull.draft or rules.has_conflict(pull):
        problems.append("Pull Request is not mergeable")
    if problems:
        raise MethodNotAllowed("Repository rule violations found\n\n" + "\n".join(problems))
    queue = pull.repository.queues.setdefault(pull.base_ref, [])
    entry = QueueEntry(
        id=world.new_id(), pull=pull, enqueuer=by, at=world.now(), state="QUEUED", head_sha="",
        base_sha="", ref="", pull_head_sha=pull.head_sha,
    )  # fmt: skip
    queue.insert(0 if jump else len(queue), world.register(entry))
    pull.queue_entry = entry
    record(world, pull, "AddedToMergeQueueEvent", by)
    emit_pull(world, pull, "enqueued", by)
    _build(world, entry)
    if jump:
        _rebuild(world, queue[1:], by)
    return entry


def base_moved(world: World, repository: Repository, branch: str, by: Account) -> None:
    """The branch moved under its queue: every group is built again."""
    _rebuild(world, list(repository.queues.get(branch, ())), by)


def _rebuild(world: World, entries: list[QueueEntry], by: Account) -> None:
    for entry in entries:
        _destroy(world, entry, "invalidated", by)
        _build(world, entry)


def _build(world: World, entry: QueueEntry) -> None:
    """Make the group's commits on top of the group before it and ask for its checks."""
    pull, repository = entry.pull, entry.pull.repository
    queue = repository.queues[pull.base_ref]
    place = queue.index(entry)
    base = queue[place - 1].head_sha if place else repository.branches[pull.base_ref]
    found = options(repository, pull.base_ref) or {}
    method = str(found.get("merge_method", "MERGE")).lower()
    entry.base_sha = base
    entry.head_sha = merged_tip(world, pull, base, entry.enqueuer, method)
    entry.ref = f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
    entry.state = "AWAITING_CHECKS"
    bot = world.queue_bot
    update_ref(world, bot, repository, entry.ref, entry.head_sha, enforce=False)
    world.emit("merge_group", "checks_requested", repository=repository, sender=bot, entry=entry)


def _destroy(world: World, entry: QueueEntry, reason: str, by: Account) -> None:
    repository = entry.pull.repository
    repository.branches.pop(entry.ref, None)
    world.emit(
        "merge_group", "destroyed", repository=repository, sender=by, entry=entry, reason=reason
    )


def leave(world: World, pull: PullRequest, by: Account, why: str, reason: str = "MANUAL") -> None:
    """Take a pull request out of the queue, if it is in one, and rebuild the groups behind it."""
    entry = pull.queue_entry
    if entry is None:
        return
    queue = pull.repository.queues[pull.base_ref]
    place = queue.index(entry)
    queue.remove(entry)
    pull.queue_entry = None
    record(world, pull, "RemovedFromMergeQueueEvent", by, reason=why, before=entry.head_sha)
    _destroy(world, entry, "dequeued", by)
    emit_pull(world, pull, "dequeued", by, reason=reason)
    _rebuild(world, queue[place:], by)


@action
def dequeue(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    if pull.queue_entry is None:
        raise NotFound("queue entry")
    leave(world, pull, by, "removed by a person")
    return pull


@action
def queue_timeout(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    """Time is up for the group's checks: no report counts as a failure."""
    by, pull = world.account(actor), world.pull(repo, number)
    leave(world, pull, by, "checks timed out", "CI_TIMEOUT")
    return pull


def advance(world: World, repository: Repository, sha: str) -> None:
    """A check was reported on ``sha``: merge or drop the groups that are decided now."""
    for branch, queue in repository.queues.items():
        if any(entry.head_sha == sha for entry in queue):
            _advance(world, repository, branch, queue)


def _state(repository: Repository, branch: str, entry: QueueEntry) -> str:
    states = {
        rules.check_state(repository, entry.head_sha, required)
        for required in rules.required_checks(repository, branch)
    }
    if "failure" in states:
        return "failure"
    return "success" if states <= {"success"} else "pending"


def _advance(world: World, repository: Repository, branch: str, queue: list[QueueEntry]) -> None:
    for entry in list(queue):
        if _state(repository, branch, entry) == "failure" and entry in queue:
            entry.state = "UNMERGEABLE"
            leave(world, entry.pull, world.queue_bot, "failed checks", "CI_FAILURE")
    green = 0
    head_only = (options(repository, branch) or {}).get("grouping_strategy") == "HEADGREEN"
    for place, entry in enumerate(queue, start=1):
        if _state(repository, branch, entry) == "success":
            entry.state, green = "MERGEABLE", place
        elif not head_only:
            break
    for entry in queue[:green]:
        _merge(world, repository, branch, entry)


def _merge(world: World, repository: Repository, branch: str, entry: QueueEntry) -> None:
    queue = repository.queues[branch]
    queue.remove(entry)
    pull = entry.pull
    pull.queue_entry = None
    bot = world.queue_bot
    land(world, pull, bot, entry.head_sha, bot, "merge_queue_merge")
    _destroy(world, entry, "merged", bot)
