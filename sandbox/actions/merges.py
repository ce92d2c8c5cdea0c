"""Merging a pull request as GitHub does it: rules first, then new commits, then the events."""

from __future__ import annotations

import re
from typing import Any

from sandbox import rules
from sandbox.actions.common import emit_pull, record, require, unindex_open
from sandbox.actions.pushes import remove_ref, update_ref
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, MethodNotAllowed, Refused
from sandbox.git import EMPTY_TREE, Commit, MergeConflict, Signature, merge_trees
from sandbox.world import WEB_FLOW, Account, PullRequest, World

_CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.+<[^<>]+>)\s*$", re.IGNORECASE | re.MULTILINE)


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
    _note_bypass(world, pull, by, tip, new)
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


def _note_bypass(world: World, pull: PullRequest, by: Account, before: str, after: str) -> None:
    """Rule suites: a row for each merge, saying whether somebody's bypass let it through."""
    hidden = rules.merge_problems(world, pull, world.ghost)
    rules_met = rules.rules_for(pull.repository, pull.base_ref)
    if hidden or rules_met:
        row = {
            "id": world.new_id(), "actor": by, "before": before,
            "after": after, "ref": f"refs/heads/{pull.base_ref}", "at": world.now(),
            "result": "bypass" if hidden else "pass",
        }  # fmt: skip
        pull.repository.rule_suites.append(row)


def merged_tip(
    world: World, pull: PullRequest, tip: str, by: Account, method: str, title: str = "",
    message: str = "",
) -> str:  # fmt: skip
    """The new tip of the base branch after merging the pull request onto ``tip`` by this method."""
    store = pull.repository.store
    if method == "rebase":
        return _rebased(world, pull, tip, by)
    base = store.merge_base(tip, pull.head_sha)
    try:
        tree = merge_trees(
            store.commits[base].tree if base else EMPTY_TREE,
            store.commits[tip].tree,
            store.commits[pull.head_sha].tree,
        )
    except MergeConflict as conflict:
        raise MethodNotAllowed("Pull Request is not mergeable") from conflict
    now = world.now()
    web = Signature(*WEB_FLOW, now)
    if method == "merge":
        source = f"{(pull.head_repository or pull.repository).owner.login}/{pull.head_ref}"
        text = title or f"Merge pull request #{pull.number} from {source}"
        body = message or pull.title
        author = Signature(by.name or by.rest_login, by.email, now)
        parents = [tip, pull.head_sha]
        return store.commit(tree, parents, author, web, f"{text}\n\n{body}", "web-flow").sha
    who = pull.author
    author = Signature(who.name or who.rest_login, who.email, now)
    text = squash_message(pull, title, message)
    return store.commit(tree, [tip], author, web, text, "web-flow").sha


def squash_message(pull: PullRequest, title: str = "", message: str = "") -> str:
    """GitHub's default: one commit keeps its message, several are listed; co-authors at the end."""
    commits = [c for c in pull.commits if len(c.parents) < 2]
    if len(commits) == 1:
        headline, _, body = commits[0].message.partition("\n")
        body = body.strip("\n")
    else:
        headline, body = pull.title, "\n\n".join(f"* {c.message.strip()}" for c in commits)
    body = message or body
    text = title or f"{headline} (#{pull.number})"
    others = [found for found in co_authors(pull, commits) if found not in body]
    trailers = "\n".join(f"Co-authored-by: {other}" for other in others)
    rule = "\n\n---------\n\n" if len(commits) > 1 else "\n\n"
    return text + (f"\n\n{body}" if body else "") + (f"{rule}{trailers}" if trailers else "")


def co_authors(pull: PullRequest, commits: list[Commit]) -> list[str]:
    """Everyone but the pull request's author who wrote a commit, in order, once each."""
    found: dict[str, str] = {}
    for commit in commits:
        lines = [
            f"{commit.author.name} <{commit.author.email}>",
            *_CO_AUTHOR.findall(commit.message),
        ]
        for line in lines:
            email = line.rsplit("<", 1)[1].rstrip(">").lower()
            if email not in (e.lower() for e in (*pull.author.emails, pull.author.noreply)):
                found.setdefault(email, line)
    return list(found.values())


def _rebased(world: World, pull: PullRequest, tip: str, by: Account) -> str:
    """Every commit again on top of ``tip``, with GitHub's committer: SHAs always change."""
    store = pull.repository.store
    now = world.now()
    committer = Signature(by.name or by.rest_login, by.email, now)
    for commit in pull.commits:
        if len(commit.parents) > 1:
            continue
        parent = store.commits[commit.parents[0]].tree if commit.parents else EMPTY_TREE
        try:
            tree = merge_trees(parent, store.commits[tip].tree, commit.tree)
        except MergeConflict as conflict:
            raise MethodNotAllowed("This branch can't be rebased") from conflict
        tip = store.commit(tree, [tip], commit.author, committer, commit.message).sha
    return tip


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
