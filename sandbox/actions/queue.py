"""The merge queue: groups of one pull request each, chained, merged when their checks are green."""

from __future__ import annotations

from sandbox import rules
from sandbox.actions.common import emit_pull, open_only, record, require
from sandbox.actions.merges import land
from sandbox.actions.refs import build_group, destroy_group, leave, rebuild_groups
from sandbox.actions.registry import action
from sandbox.errors import MethodNotAllowed, NotFound, Refused
from sandbox.objects import PullRequest, QueueEntry, Repository
from sandbox.world import World


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
    if rules.queue_options(pull.repository, pull.base_ref) is None:
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
    build_group(world, entry)
    if jump:
        rebuild_groups(world, queue[1:], by)
    return entry


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
    options = rules.queue_options(repository, branch) or {}
    head_only = options.get("grouping_strategy") == "HEADGREEN"
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
    destroy_group(world, entry, "merged", bot)
