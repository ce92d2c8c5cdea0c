"""Commits, blobs and trees, and what hangs on a commit: suites and statuses."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: N803

from __future__ import annotations

import re
from typing import Any

from sandbox import rules, views
from sandbox.connections import Connection
from sandbox.git import Signature
from sandbox.objects import CheckRun, PullRequest, Repository, Status
from sandbox.resolvers.core import (
    CommitView,
    Context,
    TreeView,
    actor,
    commit_in,
    resolves,
    simple,
)

CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.*?)\s*<([^<>]+)>\s*$", re.IGNORECASE | re.MULTILINE)
MAX_BLOB = 512 * 1024  # bytes of text that one blob shows before it is truncated


def _git_actor(ctx: Context, who: Signature) -> dict[str, Any]:
    account = ctx.world.by_email(who.email)
    return {
        "name": who.name,
        "email": who.email,
        "date": who.date,
        "user": account if account and account.kind == "User" else None,  # never a bot
    }


simple(
    {
        "id": lambda c: views.commit_node(c.repository, c.git.sha),
        "oid": lambda c: c.git.sha,
        "abbreviatedOid": lambda c: c.git.sha[:7],
        "message": lambda c: c.git.message,
        "messageHeadline": lambda c: c.git.headline,
        "messageBody": lambda c: c.git.message.partition("\n")[2].strip("\n"),
        "authoredDate": lambda c: c.git.author.date,
        "committedDate": lambda c: c.git.committer.date,
        "committedViaWeb": lambda c: c.git.by_web,
        "authoredByCommitter": lambda c: c.git.author.email == c.git.committer.email,
        "onBehalfOf": lambda _: None,
        "tree": lambda c: TreeView(c.repository, c.git.tree),
        "additions": lambda c: c.repository.store.size(c.git)[0],
        "deletions": lambda c: c.repository.store.size(c.git)[1],
        "changedFilesIfAvailable": lambda c: c.repository.store.size(c.git)[2],
    },
    "Commit",
)


@resolves("Commit.url")
def _commit_url(commit: CommitView, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{commit.repository.full_name}/commit/{commit.git.sha}"


@resolves("Commit.author")
def _commit_author(commit: CommitView, ctx: Context) -> dict[str, Any]:
    return _git_actor(ctx, commit.git.author)


@resolves("Commit.committer")
def _commit_committer(commit: CommitView, ctx: Context) -> dict[str, Any]:
    return _git_actor(ctx, commit.git.committer)


@resolves("Commit.authors")
def _commit_authors(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    git = commit.git
    found = {git.author.email.lower(): git.author}
    for name, email in CO_AUTHOR.findall(git.message):
        found.setdefault(email.lower(), Signature(name, email, git.author.date))
    return ctx.page([_git_actor(ctx, who) for who in found.values()], page)


@resolves("Commit.parents")
def _parents(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    return ctx.page([commit_in(commit.repository, sha) for sha in commit.git.parents], page)


@resolves("Commit.signature")
def _signature(commit: CommitView, ctx: Context) -> dict[str, Any] | None:
    signed = commit.git.signed_by
    if not signed:
        return None
    good = not signed.startswith("!")  # "!UNKNOWN_KEY": a signature in this state
    by_github = signed == "web-flow"
    return {
        "__typename": "GpgSignature",
        "isValid": good,
        "state": "VALID" if good else signed[1:],
        "wasSignedByGitHub": by_github,
        "verifiedAt": commit.git.committer.date if good else None,
        "email": commit.git.committer.email,
        "signer": ctx.world.logins.get(signed.lower()) if good else None,
    }


def associated(repository: Repository, sha: str) -> list[PullRequest]:
    """The merged pull requests that brought the commit in, and open ones while it is outside."""
    numbers = set(repository.merged_by_sha.get(sha, ()))
    main = repository.branches.get(repository.default_branch)
    commit = repository.store.commits[sha]
    if main is None or not repository.store.is_ancestor(sha, main):
        numbers |= repository.open_by_sha.get(sha, set())
        if not numbers:
            numbers = {p.number for p in repository.open_pulls if commit in p.commits}
    return [repository.pulls[number] for number in sorted(numbers)]


@resolves("Commit.associatedPullRequests")
def _associated(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    ctx.need(commit.repository, "pull_requests")
    return ctx.page(associated(commit.repository, commit.git.sha), page)


@resolves("Commit.history")
def _history(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    ctx.need(commit.repository, "contents")
    found = [
        CommitView(commit.repository, c) for c in commit.repository.store.history(commit.git.sha)
    ]
    return ctx.page(found, page)


@resolves("Commit.checkSuites")
def _suites(
    commit: CommitView,
    ctx: Context,
    filterBy: dict[str, Any] | None = None,
    **page: Any,
) -> Connection:
    ctx.need(commit.repository, "checks")
    wanted = filterBy or {}
    app, name = wanted.get("appId"), wanted.get("checkName")
    found = [
        suite
        for suite in commit.repository.suites.get(commit.git.sha, ())
        if app in (None, suite.app.id)
        and (name is None or any(run.name == name for run in suite.runs))
    ]
    return ctx.page(found, page)


@resolves("Commit.statusCheckRollup")
def _rollup(commit: CommitView, ctx: Context) -> dict[str, Any] | None:
    ctx.need(commit.repository, "checks")
    repository, sha = commit.repository, commit.git.sha
    found: list[Any] = [r for s in repository.suites.get(sha, ()) for r in s.latest()]
    found += rules.latest_statuses(repository, sha).values()
    if not found:
        return None
    words = {_rollup_word(item) for item in found}
    state = next((w for w in ("FAILURE", "PENDING") if w in words), "SUCCESS")
    return {"id": f"SCR_{sha}", "state": state, "_contexts": found}


def _rollup_word(item: CheckRun | Status) -> str:
    if isinstance(item, Status):
        return {"success": "SUCCESS", "pending": "PENDING"}.get(item.state, "FAILURE")
    if item.status != "completed":
        return "PENDING"
    return "SUCCESS" if item.conclusion in rules.PASSING else "FAILURE"


@resolves("StatusCheckRollup.contexts")
def _contexts(rollup: dict[str, Any], ctx: Context, **page: Any) -> Connection:
    return ctx.page(rollup["_contexts"], page)


simple(
    {
        "createdAt": lambda s: s.at,
        "creator": lambda s: actor(s.creator),
        "state": lambda s: s.state.upper(),
    },
    "StatusContext",
)
simple(
    {
        "id": lambda b: f"B_{b.git.sha}",
        "oid": lambda b: b.git.sha,
        "byteSize": lambda b: len(b.git.data),
        "isBinary": lambda b: b.git.is_binary,
        "isTruncated": lambda b: len(b.git.data) > MAX_BLOB,
        "text": lambda b: None if b.git.is_binary else b.git.text[:MAX_BLOB],
    },
    "Blob",
)
simple({"id": lambda t: f"TR_{t.git.sha}", "oid": lambda t: t.git.sha}, "Tree")
