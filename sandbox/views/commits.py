"""Commits, files, pushes and merge groups."""

from __future__ import annotations

from sandbox.actions.pushes import changed_paths
from sandbox.git import EMPTY_SHA, FileChange
from sandbox.git import Commit as GitCommit
from sandbox.objects import Activity, QueueEntry, Repository, iso
from sandbox.views.accounts import user
from sandbox.views.common import Json
from sandbox.world import World

MAX_PUSH_COMMITS = 2048  # webhook "push"


def simple_commit(found: GitCommit) -> Json:
    return {
        "id": found.sha,
        "tree_id": found.tree.sha,
        "message": found.message,
        "timestamp": iso(found.committer.date),
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
    }


def commit(world: World, repo: Repository, found: GitCommit) -> Json:
    """A commit with its git data and the accounts its e-mails belong to (bots too)."""
    base = f"{world.api_url}/repos/{repo.full_name}"
    page = f"{world.web_url}/{repo.full_name}/commit"

    def person(name: str, email: str, date: str) -> Json:
        return {"name": name, "email": email, "date": date}

    signed = bool(found.signed_by)
    return {
        "sha": found.sha,
        "node_id": commit_node(repo, found.sha),
        "commit": {
            "author": person(found.author.name, found.author.email, iso(found.author.date)),
            "committer": person(
                found.committer.name, found.committer.email, iso(found.committer.date)
            ),
            "message": found.message,
            "tree": {"sha": found.tree.sha, "url": f"{base}/git/trees/{found.tree.sha}"},
            "url": f"{base}/git/commits/{found.sha}",
            "comment_count": 0,
            "verification": {
                "verified": signed,
                "reason": "valid" if signed else "unsigned",
                "signature": found.signed_by or None,
                "payload": None,
                "verified_at": iso(found.committer.date) if signed else None,
            },
        },
        "url": f"{base}/commits/{found.sha}",
        "html_url": f"{page}/{found.sha}",
        "comments_url": f"{base}/commits/{found.sha}/comments",
        "author": user(world, world.by_email(found.author.email)),
        "committer": user(world, world.by_email(found.committer.email)),
        "parents": [
            {"sha": sha, "url": f"{base}/commits/{sha}", "html_url": f"{page}/{sha}"}
            for sha in found.parents
        ],
    }


def commit_node(repo: Repository, sha: str) -> str:
    return f"C_{repo.id:x}_{sha}"


def file(world: World, repo: Repository, sha: str, change: FileChange) -> Json:
    """A "diff entry"."""
    added, deleted = change.counts
    entry = change.new or change.old
    page = f"{world.web_url}/{repo.full_name}"
    body: Json = {
        "sha": entry.node.sha if entry else None,
        "filename": change.path,
        "status": change.status,
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
        "blob_url": f"{page}/blob/{sha}/{change.path}",
        "raw_url": f"{page}/raw/{sha}/{change.path}",
        "contents_url": f"{world.api_url}/repos/{repo.full_name}/contents/{change.path}?ref={sha}",
    }
    if change.status == "renamed":
        body["previous_filename"] = change.old_path
    if (patch := change.patch) is not None:
        body["patch"] = patch
    return body


def activity(world: World, found: Activity) -> Json:
    return {
        "id": found.id,
        "node_id": found.node_id,
        "before": found.before,
        "after": found.after,
        "ref": found.ref,
        "timestamp": iso(found.at),
        "activity_type": found.kind,
        "actor": user(world, found.actor),
    }


def push_commit(world: World, repo: Repository, found: GitCommit) -> Json:
    def person(name: str, email: str) -> Json:
        account = world.by_email(email)
        known = {"username": account.rest_login} if account else {}
        return {"name": name, "email": email} | known

    return {
        "id": found.sha,
        "tree_id": found.tree.sha,
        "distinct": True,
        "message": found.message,
        "timestamp": iso(found.committer.date),
        "url": f"{world.web_url}/{repo.full_name}/commit/{found.sha}",
        "author": person(found.author.name, found.author.email),
        "committer": person(found.committer.name, found.committer.email),
        **changed_paths(repo, found),
    }


def push(world: World, repo: Repository, made: Activity, *, forced: bool) -> Json:
    """The body of a ``push`` event."""
    store, gone = repo.store, made.after == EMPTY_SHA
    new = made.before == EMPTY_SHA
    commits: list[GitCommit] = []
    if not gone:
        start = repo.branches.get(repo.default_branch, made.after) if new else made.before
        commits = store.between(start, made.after)[-MAX_PUSH_COMMITS:]
    listed = [push_commit(world, repo, each) for each in commits]
    head = None if gone else push_commit(world, repo, store.commits[made.after])
    page = f"{world.web_url}/{repo.full_name}"
    return {
        "ref": made.ref,
        "before": made.before,
        "after": made.after,
        "pusher": {"name": made.actor.rest_login, "email": made.actor.email},
        "created": new,
        "deleted": gone,
        "forced": forced,
        "base_ref": None,
        "compare": f"{page}/compare/{made.before[:12]}...{made.after[:12]}",
        "commits": listed,
        "head_commit": head,
    }


def merge_group(repo: Repository, entry: QueueEntry) -> Json:
    return {
        "head_sha": entry.head_sha,
        "head_ref": f"refs/heads/{entry.ref}",
        "base_sha": entry.base_sha,
        "base_ref": f"refs/heads/{entry.pull.base_ref}",
        "head_commit": simple_commit(repo.store.commits[entry.head_sha]),
    }
