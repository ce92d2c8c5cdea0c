"""What follows when a branch moves or goes: pull requests, reviews, suites, the merge queue.

One module, because each leads to the others: a push takes pull requests out of the queue, the
queue builds its groups again, and a group is a branch that moves.
"""

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.actions.common import (
    change_base,
    close,
    dismiss,
    emit_pull,
    index_open,
    pulls_from,
    record,
    unindex_open,
)
from sandbox.actions.merge_commits import merged_tip
from sandbox.errors import Refused
from sandbox.git import EMPTY_SHA
from sandbox.objects import Account, Activity, App, CheckSuite, PullRequest, QueueEntry, Repository
from sandbox.world import World


def update_ref(
    world: World, by: Account, repository: Repository, branch: str, new: str, *,
    kind: str = "", enforce: bool = True, landing: PullRequest | None = None,
) -> Activity:  # fmt: skip
    """Move a branch and let everything follow: activity, ``push``, synchronised pull requests.

    Refused if the rules of the branch decline a direct push, or that it is made at this commit.
    A push that changes nothing is recorded as an activity of its own kind and nothing else
    happens, as with git.
    """
    old = repository.branches.get(branch)
    forced = old is not None and not repository.store.is_ancestor(old, new)
    if enforce and old is not None:
        decline(rules.push_problems(world, repository, branch, by, new, forced=forced))
        _note_rules(world, by, repository, branch, old, new, forced=forced)
    if enforce and old is None and not branch.startswith("gh-readonly-queue/"):
        decline(rules.creation_problems(world, repository, branch, by, new))
    natural = "branch_creation" if old is None else "force_push" if forced else "push"
    activity = _log(world, repository, branch, old or EMPTY_SHA, new, by, kind or natural)
    if old == new:
        return activity
    repository.branches[branch] = new
    extra = {"forced": forced, "activity": activity}
    world.emit("push", "", repository=repository, sender=by, **extra)
    for pull in pulls_from(repository, branch):
        synchronise(world, pull, old or EMPTY_SHA, new, by, forced=forced)
    if not branch.startswith("gh-readonly-queue/"):
        request_suites(world, repository, branch, old, new, by)
    _follow_base(world, repository, branch, old, new, by, forced=forced, landing=landing)
    if kind != "merge_queue_merge":
        rebuild_groups(world, list(repository.queues.get(branch, ())), by)
    return activity


def decline(problems: list[str]) -> None:
    if problems:
        raise Refused("protected branch hook declined: " + " ".join(problems))


def _note_rules(
    world: World,
    by: Account,
    repository: Repository,
    branch: str,
    old: str,
    new: str,
    *,
    forced: bool,
) -> None:
    if not rules.rules_for(repository, branch):
        return
    hidden = rules.push_problems(world, repository, branch, world.ghost, new, forced=forced)
    rule_suite(world, by, repository, branch, old, new, bypassed=bool(hidden))


def rule_suite(
    world: World, by: Account, repository: Repository, branch: str, before: str, after: str, *,
    bypassed: bool,
) -> None:  # fmt: skip
    """A row for each push or merge that met rules, saying whether somebody's bypass let it in."""
    row = {
        "id": world.new_id(), "actor": by, "before": before,
        "after": after, "ref": f"refs/heads/{branch}", "at": world.now(),
        "result": "bypass" if bypassed else "pass",
    }  # fmt: skip
    repository.rule_suites.append(row)


def _log(
    world: World,
    repository: Repository,
    branch: str,
    before: str,
    after: str,
    by: Account,
    kind: str,
) -> Activity:
    now = world.now()
    activity = Activity(
        id=world.new_id(), ref=f"refs/heads/{branch}", before=before, after=after, actor=by,
        kind=kind, at=now,
    )  # fmt: skip
    repository.activities.append(activity)
    repository.pushed_at = repository.updated_at = now
    return activity


def synchronise(
    world: World, pull: PullRequest, before: str, after: str, by: Account, *, forced: bool
) -> None:
    """The head moved: new commits, stale reviews dismissed where a rule says so, an event."""
    old_base, old_files = pull.base_sha, pull.files
    unindex_open(pull)
    pull.head_sha = after
    pull.base_sha = pull.repository.branches.get(pull.base_ref, old_base)
    index_open(pull)
    pull.updated_at = world.now()
    if forced:
        record(
            world, pull, "HeadRefForcePushedEvent", by,
            before=before, after=after, ref_name=pull.head_ref, ref_repository=pull.head_repository,
        )  # fmt: skip
    leave(world, pull, by, "New commits were pushed")
    emit_pull(world, pull, "synchronize", by, before=before, after=after)
    if rules.dismisses_stale(pull) and not _same_diff(old_files, pull.files):
        _dismiss_stale(world, pull, by)
    if pull.auto_merge and world.permission(by, pull.repository) in ("none", "read", "triage"):
        pull.auto_merge = None
        record(world, pull, "AutoMergeDisabledEvent", by, reason="pushed by non-writer")


def _same_diff(old: list[Any], new: list[Any]) -> bool:
    def key(change: Any) -> tuple[str, str, str | None]:
        return change.path, change.old_path, change.patch

    return [key(change) for change in old] == [key(change) for change in new]


def _dismiss_stale(world: World, pull: PullRequest, by: Account) -> None:
    for review in pull.reviews:
        if review.state == "APPROVED":
            dismiss(world, review, by, "")


def request_suites(
    world: World, repository: Repository, branch: str, before: str | None, after: str, by: Account
) -> None:
    """A push opens an empty suite for each installed app with checks: write."""
    for installation in world.installations_of(repository):
        if installation.permissions.get("checks") == "write" and not installation.suspended_at:
            suite_for(world, repository, installation.app, after, branch, before, by)


def suite_for(
    world: World, repository: Repository, app: App, sha: str, branch: str | None = None,
    before: str | None = None, by: Account | None = None,
) -> CheckSuite:  # fmt: skip
    """The app's suite on the commit, made (and announced, if a push made it) when missing."""
    suites = repository.suites.setdefault(sha, [])
    for suite in suites:
        if suite.app is app:
            return suite
    now = world.now()
    suite = world.register(
        CheckSuite(
            id=world.new_id(), repository=repository, app=app, sha=sha, branch=branch,
            before=before, pusher=by, created_at=now, updated_at=now,
        )
    )  # fmt: skip
    suites.append(suite)
    if by is not None:
        world.emit("check_suite", "requested", repository=repository, sender=by, suite=suite)
    return suite


def _follow_base(
    world: World, repository: Repository, branch: str, old: str | None, new: str, by: Account, *,
    forced: bool, landing: PullRequest | None,
) -> None:  # fmt: skip
    """A base branch moved: pull requests whose commits it now has are merged."""
    numbers = repository.open_by_base.get(branch, set())
    if not numbers:
        return
    store = repository.store
    arrived = {commit.sha for commit in store.between(old, new)} if old else set()
    for number in sorted(numbers):
        pull = repository.pulls[number]
        if forced:
            record(
                world,
                pull,
                "BaseRefForcePushedEvent",
                by,
                before=old,
                after=new,
                ref_name=branch,
                ref_repository=repository,
            )
        if pull.head_sha in arrived and pull is not landing:
            finish(world, pull, by, pull.head_sha)


def finish(world: World, pull: PullRequest, by: Account, sha: str, before: str = "") -> None:
    """Mark the pull request merged and say so. ``before``: the base's tip before ``sha``."""
    now = world.now()
    unindex_open(pull)
    pull.state, pull.merged, pull.merged_by = "closed", True, by
    pull.merged_at = pull.closed_at = now
    pull.merge_sha = sha
    pull.queue_entry = pull.auto_merge = None
    repository = pull.repository
    made = repository.store.between(before, sha) if before else []
    for known in {sha, *(commit.sha for commit in [*pull.commits, *made])}:
        repository.merged_by_sha.setdefault(known, set()).add(pull.number)
    record(world, pull, "MergedEvent", by, sha=sha, ref_name=pull.base_ref)
    record(world, pull, "ClosedEvent", by)
    emit_pull(world, pull, "closed", by)
    head = pull.head_repository
    if repository.settings["delete_branch_on_merge"] and head is repository:
        tip = repository.branches.get(pull.head_ref)
        if tip and pull.head_ref != repository.default_branch:
            remove_ref(world, by, repository, pull.head_ref, tip)


def remove_ref(
    world: World, by: Account, repository: Repository, branch: str, old: str
) -> Activity:
    """Drop the ref, close what came from it, tell everybody."""
    activity = _log(world, repository, branch, old, EMPTY_SHA, by, "branch_deletion")
    del repository.branches[branch]
    world.emit("push", "", repository=repository, sender=by, activity=activity)
    for pull in pulls_from(repository, branch):
        record(world, pull, "HeadRefDeletedEvent", by, head_ref_name=branch)
        close(world, pull, by)
    for number in sorted(repository.open_by_base.get(branch, ())):
        _base_is_gone(world, repository.pulls[number], by)
    return activity


def _base_is_gone(world: World, pull: PullRequest, by: Account) -> None:
    """The base branch was deleted: retarget if it was merged elsewhere, close otherwise."""
    old = pull.base_ref
    merged = [p for p in pull.repository.pulls.values() if p.merged and p.head_ref == old]
    if merged and merged[-1].base_ref in pull.repository.branches:
        change_base(world, pull, by, merged[-1].base_ref, "AutomaticBaseChangeSucceededEvent")
    else:
        close(world, pull, by)


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
    destroy_group(world, entry, "dequeued", by)
    emit_pull(world, pull, "dequeued", by, reason=reason)
    rebuild_groups(world, queue[place:], by)


def rebuild_groups(world: World, entries: list[QueueEntry], by: Account) -> None:
    """What is below them moved: each is made anew, in order."""
    for entry in entries:
        destroy_group(world, entry, "invalidated", by)
        build_group(world, entry)


def build_group(world: World, entry: QueueEntry) -> None:
    """Make the group's commits on top of the group before it and ask for its checks."""
    pull, repository = entry.pull, entry.pull.repository
    queue = repository.queues[pull.base_ref]
    place = queue.index(entry)
    base = queue[place - 1].head_sha if place else repository.branches[pull.base_ref]
    found = rules.queue_options(repository, pull.base_ref) or {}
    method = str(found.get("merge_method", "MERGE")).lower()
    entry.base_sha = base
    entry.head_sha = merged_tip(world, pull, base, entry.enqueuer, method)
    entry.ref = f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
    entry.state = "AWAITING_CHECKS"
    bot = world.queue_bot
    update_ref(world, bot, repository, entry.ref, entry.head_sha, enforce=False)
    world.emit("merge_group", "checks_requested", repository=repository, sender=bot, entry=entry)


def destroy_group(world: World, entry: QueueEntry, reason: str, by: Account) -> None:
    repository = entry.pull.repository
    repository.branches.pop(entry.ref, None)
    world.emit(
        "merge_group", "destroyed", repository=repository, sender=by, entry=entry, reason=reason
    )
