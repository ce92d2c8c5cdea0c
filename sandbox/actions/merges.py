"""Merging a pull request as GitHub does it: rules first, then new commits, then the events."""

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.actions.common import emit_pull, record, require
from sandbox.actions.merge_commits import merged_tip
from sandbox.actions.refs import finish, rule_suite, update_ref
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, MethodNotAllowed, Refused
from sandbox.objects import Account, PullRequest
from sandbox.world import World


@action
def merge(
    world: World, actor: str, repo: str, *, number: int, method: str = "merge", sha: str = "",
    title: str = "", message: str = "",
) -> PullRequest:  # fmt: skip
    """Merge by ``merge``, ``squash`` or ``rebase``; 405 with the reasons if the rules say no."""
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    if sha and sha != pull.head_sha:
        raise Refused("Head branch was modified. Review and try the merge again.", status=409)
    if pull.state != "open" or pull.draft or rules.has_conflict(pull):
        raise MethodNotAllowed(
            "Pull Request is still a draft" if pull.draft else "Pull Request is not mergeable"
        )
    if method not in rules.allowed_methods(pull):
        raise MethodNotAllowed(f"{method.capitalize()} merges are not allowed on this repository.")
    if problems := rules.merge_problems(world, pull, by):
        raise MethodNotAllowed("Repository rule violations found\n\n" + "\n".join(problems))
    tip = pull.repository.branches[pull.base_ref]
    new = merged_tip(world, pull, tip, by, method, title, message)
    _note_rules(world, pull, by, tip, new)
    land(world, pull, by, new, by, "pr_merge")
    return pull


def land(
    world: World, pull: PullRequest, by: Account, sha: str, merger: Account, kind: str
) -> None:
    """Move the base branch to ``sha`` and mark the pull request merged by ``merger``."""
    repository, branch = pull.repository, pull.base_ref
    before = repository.branches[branch]
    update_ref(world, by, repository, branch, sha, kind=kind, enforce=False, landing=pull)
    finish(world, pull, merger, sha, before)


def _note_rules(world: World, pull: PullRequest, by: Account, before: str, after: str) -> None:
    repository, branch = pull.repository, pull.base_ref
    hidden = rules.merge_problems(world, pull, world.ghost)
    if hidden or rules.rules_for(repository, branch):
        rule_suite(world, by, repository, branch, before, after, bypassed=bool(hidden))


@action
def enable_auto_merge(
    world: World, actor: str, repo: str, *, number: int, method: str = "merge"
) -> PullRequest:
    """Merge by itself as soon as the rules allow."""
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    if not pull.repository.settings["allow_auto_merge"]:
        raise Refused("Auto merge is not allowed for this repository")
    if pull.auto_merge:
        return pull
    pull.auto_merge = {"by": by, "method": method, "at": world.now()}
    record(world, pull, "AutoMergeEnabledEvent", by)
    emit_pull(world, pull, "auto_merge_enabled", by)
    settle(world, pull)
    return pull


@action
def disable_auto_merge(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    if pull.auto_merge:
        pull.auto_merge = None
        record(world, pull, "AutoMergeDisabledEvent", by, reason="")
        emit_pull(world, pull, "auto_merge_disabled", by, reason="")
    return pull


def settle(world: World, pull: PullRequest) -> None:
    """Carry out a wished-for auto-merge if nothing stands against it any more."""
    wish: dict[str, Any] | None = pull.auto_merge
    if not wish or pull.state != "open" or pull.draft:
        return
    by: Account = wish["by"]
    try:
        merge(
            world,
            by.rest_login,
            pull.repository.full_name,
            number=pull.number,
            method=wish["method"],
        )
    except (MethodNotAllowed, Forbidden):
        return  # not yet: the next check or review asks again
