"""Pushing: commits, force-pushes, branches, and what follows for pull requests."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import Any

from sandbox import rules
from sandbox.actions.common import (
    emit_pull,
    index_open,
    open_only,
    pulls_from,
    record,
    require,
    unindex_open,
)
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, NotFound, Refused
from sandbox.git import (
    EMPTY_SHA,
    EMPTY_TREE,
    FILE,
    Blob,
    Commit,
    Entry,
    MergeConflict,
    Signature,
    diff,
    merge_trees,
)
from sandbox.world import (
    WEB_FLOW,
    Account,
    Activity,
    App,
    CheckSuite,
    PullRequest,
    Repository,
    World,
)

Spec = dict[str, Any]
_IDENTITY = re.compile(r"(.*?)\s*<([^<>]*)>")


def signature_of(world: World, who: str | dict[str, str], at: datetime) -> Signature:
    """A git identity from a login, from ``Name <email>`` or from {"name", "email"}."""
    if isinstance(who, dict):
        return Signature(who["name"], who["email"], at)
    if match := _IDENTITY.fullmatch(who):
        return Signature(match[1], match[2], at)
    account = world.account(who)
    return Signature(account.name or account.rest_login, account.email, at)


def entry_of(content: str | dict[str, str]) -> Entry:
    """A tree entry from text, or from {"content" | "base64", "mode"}."""
    if isinstance(content, str):
        return Entry(FILE, Blob.of(content.encode("utf-8", errors="surrogatepass")))
    data = content.get("base64")
    raw = base64.b64decode(data) if data is not None else content["content"].encode()
    return Entry(content.get("mode", FILE), Blob.of(raw))


def build(
    world: World, repository: Repository, tip: str | None, specs: list[Spec], by: Account
) -> str:
    """Make commits on top of ``tip``; returns the new tip. The README has the keys of a spec."""
    for spec in specs:
        tip = _one(world, repository, tip, spec, by).sha
    if tip is None:
        raise Refused("a new branch needs at least one commit")
    return tip


def _one(world: World, repository: Repository, tip: str | None, spec: Spec, by: Account) -> Commit:
    store = repository.store
    unknown = spec.keys() - {
        "message", "files", "author", "committer", "date", "signed_by", "merge", "web", "parents",
    }  # fmt: skip
    if unknown:
        raise Refused(f"unknown keys in a commit: {', '.join(sorted(unknown))}")
    at = datetime.fromisoformat(spec["date"]) if "date" in spec else world.now()
    author = signature_of(world, spec.get("author", by.rest_login), at)
    committer = signature_of(world, spec["committer"], at) if "committer" in spec else author
    if spec.get("web"):
        committer = Signature(*WEB_FLOW, at)
    parents = [tip] if tip else []
    tree = store.commits[tip].tree if tip else EMPTY_TREE
    if "merge" in spec:
        other = repository.resolve(spec["merge"])
        if other is None or tip is None:
            raise NotFound(f"ref {spec['merge']}")
        base = store.merge_base(tip, other)
        old = store.commits[base].tree if base else EMPTY_TREE
        tree = _merged(old, tree, store.commits[other].tree, spec)
        parents.append(other)
    files = spec.get("files")
    if files is None and "merge" not in spec:
        number = world.new_id()
        files = {f"work/{number}.md": f"{spec.get('message', '')}\n"}
    if files:
        tree = tree.updated({p: None if c is None else entry_of(c) for p, c in files.items()})
    if "parents" in spec:
        parents = [_known(repository, sha) for sha in spec["parents"]]
    signed = spec.get("signed_by", "web-flow" if spec.get("web") else "")
    return store.commit(tree, parents, author, committer, spec.get("message", "Change"), signed)


def _merged(old: Any, ours: Any, theirs: Any, spec: Spec) -> Any:
    try:
        return merge_trees(old, ours, theirs)
    except MergeConflict as conflict:
        if conflict.args[0] in (spec.get("files") or {}):
            return ours  # the caller resolves it by hand
        raise Refused(f"merge conflict in {conflict.args[0]}") from conflict


def _known(repository: Repository, ref: str) -> str:
    sha = repository.resolve(ref)
    if sha is None:
        raise NotFound(f"commit {ref}")
    return sha


@action
def push(
    world: World, actor: str, repo: str, *, branch: str, commits: list[Spec] | None = None,
    start: str = "",
) -> Activity:  # fmt: skip
    """Push commits on top of a branch; a new branch begins at ``start`` (the default branch)."""
    by, repository = world.account(actor), world.repository(repo)
    _may_push(world, by, repository, branch)
    tip = repository.branches.get(branch)
    if tip is None:
        tip = repository.resolve(start or repository.default_branch)
    new = build(world, repository, tip, commits if commits is not None else [{}], by)
    return update_ref(world, by, repository, branch, new)


@action
def force_push(
    world: World, actor: str, repo: str, *, branch: str, commits: list[Spec] | None = None,
    onto: str = "",
) -> Activity:  # fmt: skip
    """Reset a branch to ``onto`` (where it left the default branch) and put commits on top."""
    by, repository = world.account(actor), world.repository(repo)
    _may_push(world, by, repository, branch)
    tip = repository.branches.get(branch)
    if tip is None:
        raise NotFound(f"branch {branch}")
    start = _known(repository, onto) if onto else _fork_point(repository, tip)
    new = build(world, repository, start, commits or [], by)
    return update_ref(world, by, repository, branch, new)


@action
def amend(
    world: World, actor: str, repo: str, *, branch: str, message: str | None = None,
    author: str | None = None, files: dict[str, Any] | None = None,
) -> Activity:  # fmt: skip
    """Rewrite the branch's last commit and force-push it."""
    by, repository = world.account(actor), world.repository(repo)
    _may_push(world, by, repository, branch)
    old = repository.store.commits[_known(repository, f"refs/heads/{branch}")]
    tree = old.tree
    if files:
        tree = tree.updated({p: None if c is None else entry_of(c) for p, c in files.items()})
    now = world.now()
    who = signature_of(world, author, now) if author else old.author
    committer = signature_of(
        world, by.rest_login, max(now, old.committer.date + timedelta(seconds=1))
    )
    text = old.message if message is None else message
    new = repository.store.commit(tree, old.parents, who, committer, text)
    return update_ref(world, by, repository, branch, new.sha)


@action
def set_branch(world: World, actor: str, repo: str, *, branch: str, sha: str) -> Activity:
    """Point a branch at any known commit, forward or not."""
    by, repository = world.account(actor), world.repository(repo)
    _may_push(world, by, repository, branch)
    return update_ref(world, by, repository, branch, _known(repository, sha))


@action
def create_tag(world: World, actor: str, repo: str, *, tag: str, sha: str = "HEAD") -> Repository:
    """A lightweight tag on a commit."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "write")
    if _BAD_REF.search(tag) or tag in repository.tags:
        raise Refused("Reference name is not valid or already exists")
    repository.tags[tag] = _known(repository, sha)
    return repository


@action
def put_file(
    world: World, actor: str, repo: str, *, path: str, content: str | None, branch: str = "",
    message: str = "", rules_too: bool = False,
) -> Activity:  # fmt: skip
    """Commit one file straight to a branch. Passes branch rules unless ``rules_too``."""
    by, repository = world.account(actor), world.repository(repo)
    branch = branch or repository.default_branch
    require(world, by, repository, "write")
    spec = {"message": message or f"Update {path}", "files": {path: content}, "web": True}
    new = build(world, repository, repository.branches.get(branch), [spec], by)
    return update_ref(world, by, repository, branch, new, enforce=rules_too)


@action
def delete_branch(world: World, actor: str, repo: str, *, branch: str) -> Activity:
    """Delete a branch; open pull requests from it are closed."""
    by, repository = world.account(actor), world.repository(repo)
    _may_push(world, by, repository, branch)
    old = _known(repository, f"refs/heads/{branch}")
    _decline(rules.push_problems(world, repository, branch, by, None, forced=False))
    return remove_ref(world, by, repository, branch, old)


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
    from sandbox.actions.pulls import change_base

    old = pull.base_ref
    merged = [p for p in pull.repository.pulls.values() if p.merged and p.head_ref == old]
    if merged and merged[-1].base_ref in pull.repository.branches:
        change_base(world, pull, by, merged[-1].base_ref, "AutomaticBaseChangeSucceededEvent")
    else:
        close(world, pull, by)


def close(world: World, pull: PullRequest, by: Account) -> None:
    """Close without merging."""
    pull.state, pull.closed_at = "closed", world.now()
    unindex_open(pull)
    record(world, pull, "ClosedEvent", by)
    emit_pull(world, pull, "closed", by)


# git check-ref-format, for one branch name
_BAD_REF = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|/\.|\.lock(/|$)|^@$|^refs/|^HEAD$"
)


def _may_push(world: World, by: Account, repository: Repository, branch: str) -> None:
    if branch.startswith("gh-readonly-queue/"):
        raise Forbidden("This branch is read-only.")
    if not branch or _BAD_REF.search(branch):
        raise Refused("Reference name is not valid")
    try:
        require(world, by, repository, "write")
    except Forbidden:
        if not _maintainer_edit(world, by, repository, branch):
            raise


def _maintainer_edit(world: World, by: Account, repository: Repository, branch: str) -> bool:
    """ "Allow edits by maintainers": who can push to the base may push to a fork's head branch."""
    return any(
        pull.maintainer_can_modify
        and pull.is_cross_repository
        and world.permission(by, pull.repository) in ("write", "maintain", "admin")
        for pull in pulls_from(repository, branch)
    )


def _fork_point(repository: Repository, tip: str) -> str:
    base = repository.branches[repository.default_branch]
    found = repository.store.merge_base(tip, base)
    if found is None:
        raise Refused("the branch shares no history with the default branch: say onto")
    return found


def _decline(problems: list[str]) -> None:
    if problems:
        raise Refused("protected branch hook declined: " + " ".join(problems))


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


def update_ref(
    world: World, by: Account, repository: Repository, branch: str, new: str, *,
    kind: str = "", enforce: bool = True, landing: PullRequest | None = None,
) -> Activity:  # fmt: skip
    """Move a branch and let everything follow: activity, ``push``, synchronised pull requests.

    Refused if the rules of the branch decline a direct push. A push that changes nothing is
    recorded as an activity of its own kind and nothing else happens, as with git.
    """
    old = repository.branches.get(branch)
    forced = old is not None and not repository.store.is_ancestor(old, new)
    if enforce and old is not None:
        _decline(rules.push_problems(world, repository, branch, by, new, forced=forced))
        _note_rules(world, by, repository, branch, old, new, forced=forced)
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
        _move_queue(world, repository, branch, by)
    return activity


def _move_queue(world: World, repository: Repository, branch: str, by: Account) -> None:
    from sandbox.actions.queue import base_moved

    base_moved(world, repository, branch, by)


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
    """A rule suite for a direct push that met rules: passed, or let through by a bypass."""
    if not rules.rules_for(repository, branch):
        return
    hidden = rules.push_problems(world, repository, branch, world.ghost, new, forced=forced)
    repository.rule_suites.append(
        {
            "id": world.new_id(),
            "actor": by,
            "before": old,
            "after": new,
            "ref": f"refs/heads/{branch}",
            "at": world.now(),
            "result": "bypass" if hidden else "pass",
        }
    )


def synchronise(
    world: World, pull: PullRequest, before: str, after: str, by: Account, *, forced: bool
) -> None:
    """The head moved: new commits, stale reviews dismissed where a rule says so, an event."""
    from sandbox.actions.queue import leave

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
    from sandbox.actions.reviews import dismiss

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
    from sandbox.actions.merges import finish

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


@action
def update_branch(world: World, actor: str, repo: str, *, number: int) -> Activity:
    """The "Update branch" button: merge the base into the head as GitHub does it."""
    by, pull = world.account(actor), world.pull(repo, number)
    open_only(pull)
    head = pull.head_repository
    if head is None:
        raise Refused("The head repository is gone")
    if not rules.is_behind(pull):
        raise Refused("There are no new commits on the base branch.")
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    tip = pull.repository.branches[pull.base_ref]
    specs = [{"message": message, "merge": tip, "web": True}]
    _may_push(world, by, head, pull.head_ref)
    new = build(world, head, pull.head_sha, specs, by)
    return update_ref(world, by, head, pull.head_ref, new)


def changed_paths(repository: Repository, commit: Commit) -> dict[str, list[str]]:
    """added, removed, modified: as in a push payload."""
    store = repository.store
    parent = store.commits[commit.parents[0]].tree if commit.parents else EMPTY_TREE
    found: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for change in diff(parent, commit.tree):
        if change.status == "renamed":
            found["added"].append(change.path)
            found["removed"].append(change.old_path)
        else:
            found[change.status].append(change.path)
    return found
