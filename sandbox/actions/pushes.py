"""Pushing: commits, force-pushes, branches, and what follows for pull requests."""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import Any

from sandbox import rules
from sandbox.actions.common import open_only, pulls_from, require
from sandbox.actions.refs import decline, remove_ref, update_ref
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, NotFound, Refused
from sandbox.git import (
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
from sandbox.objects import WEB_FLOW, Account, Activity, Repository
from sandbox.world import World

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
    decline(rules.push_problems(world, repository, branch, by, None, forced=False))
    return remove_ref(world, by, repository, branch, old)


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
