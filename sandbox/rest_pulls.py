"""REST: pull requests, issues, reviews, commits, contents, activity."""

from __future__ import annotations

import base64
from typing import Any

from flask import Response, request

from sandbox import actions, views
from sandbox.actions.common import require
from sandbox.api import Json, acting, as_json, body, paged, route, services
from sandbox.errors import Invalid, NotFound, Refused
from sandbox.git import EMPTY_TREE, SUBMODULE, Commit, FileChange, Tree, diff
from sandbox.objects import Issue, PullRequest, Repository, iso
from sandbox.rawdiff import raw_diff
from sandbox.resolvers import associated

MAX_PULL_COMMITS = 250  # "List commits on a pull request"
MAX_PULL_FILES = 3000  # "List pull requests files"
MAX_COMPARE_FILES = 300  # "Compare two commits"
REPO = "/repos/<owner>/<repo>"


def _pull(repository: Repository, number: int) -> PullRequest:
    found = repository.pulls.get(number)
    if found is None:
        raise NotFound("pull request")
    return found


def _wants_diff() -> bool:
    """``application/vnd.github.diff``, or under its older name ``vnd.github.v3.diff``."""
    accept = request.headers.get("Accept", "")
    return accept.startswith("application/vnd.github.") and accept.split(";")[0].endswith("diff")


def _as_diff(changes: list[FileChange], resource: str) -> Response:
    made = raw_diff(changes, resource)
    return Response(made, content_type="application/vnd.github.diff; charset=utf-8")


def _commit(repository: Repository, ref: str) -> Commit:
    sha = repository.resolve(ref)
    if sha is None:
        raise Refused(f"No commit found for SHA: {ref[:80]}")
    return repository.store.commits[sha]


@route("GET", f"{REPO}/pulls", "pull_requests:read")
def list_pulls(repository: Repository) -> Response:
    arguments = request.args
    state, base, head = arguments.get("state", "open"), arguments.get("base"), arguments.get("head")
    found = repository.open_pulls if state == "open" else list(repository.pulls.values())
    if state == "closed":
        found = [pull for pull in found if pull.state == "closed"]
    if base:
        found = [pull for pull in found if pull.base_ref == base]
    if head:
        found = [pull for pull in found if _label(pull) == head.lower()]
    names = {"updated": "updated_at", "created": "created_at"}
    key = names.get(arguments.get("sort", "created"), "created_at")
    found.sort(key=lambda pull: (getattr(pull, key), pull.number))
    if arguments.get("direction", "asc" if "sort" in arguments else "desc") == "desc":
        found.reverse()
    return paged(found, lambda pull: views.simple_pull(services().world, pull))


def _label(pull: PullRequest) -> str:
    owner = pull.head_repository.owner.login if pull.head_repository else ""
    return f"{owner}:{pull.head_ref}".lower()


@route("POST", f"{REPO}/pulls", "pull_requests:write", status=201)
def create_pull(repository: Repository) -> Json:
    given = body()
    keys = ("head", "base", "title", "body", "draft", "maintainer_can_modify")
    values = {key: given[key] for key in keys if given.get(key) is not None}
    made = actions.pulls.open_pull_request(
        services().world, acting().rest_login, repository.full_name, **values
    )
    return views.full_pull(services().world, made, live=True)


@route("GET", f"{REPO}/pulls/<int:number>", "pull_requests:read")
def get_pull(repository: Repository, number: int) -> Json:
    if _wants_diff():
        return _as_diff(_pull(repository, number).files, "PullRequest")
    return views.full_pull(services().world, _pull(repository, number), live=True)


@route("GET", f"{REPO}/pulls/<int:number>/commits", "pull_requests:read")
def pull_commits(repository: Repository, number: int) -> Response:
    found = _pull(repository, number).commits[:MAX_PULL_COMMITS]
    return paged(found, lambda commit: views.commit(services().world, repository, commit))


@route("GET", f"{REPO}/pulls/<int:number>/files", "pull_requests:read")
def pull_files(repository: Repository, number: int) -> Response:
    pull = _pull(repository, number)
    world = services().world
    return paged(
        pull.files[:MAX_PULL_FILES],
        lambda change: views.file(world, repository, pull.head_sha, change),
    )


@route("GET", f"{REPO}/pulls/<int:number>/reviews", "pull_requests:read")
def pull_reviews(repository: Repository, number: int) -> Response:
    found = _pull(repository, number).reviews
    return paged(found, lambda review: views.review(services().world, review))


@route("POST", f"{REPO}/pulls/<int:number>/reviews", "pull_requests:write")
def create_review(repository: Repository, number: int) -> Json:
    given = body()
    made = actions.reviews.review(
        services().world, acting().rest_login, repository.full_name,
        number=_pull(repository, number).number, event=str(given.get("event", "")),
        body=given.get("body") or "", commit=given.get("commit_id") or "",
    )  # fmt: skip
    return views.review(services().world, made)


@route("GET", f"{REPO}/pulls/<int:number>/reviews/<int:review_id>", "pull_requests:read")
def get_review(repository: Repository, number: int, review_id: int) -> Json:
    for found in _pull(repository, number).reviews:
        if found.id == review_id:
            return views.review(services().world, found)
    raise NotFound("review")


@route(
    "PUT", f"{REPO}/pulls/<int:number>/reviews/<int:review_id>/dismissals", "pull_requests:write"
)
def dismiss_review(repository: Repository, number: int, review_id: int) -> Json:
    made = actions.reviews.dismiss_review(
        services().world, acting().rest_login, repository.full_name,
        number=number, review_id=review_id, message=str(body().get("message", "")),
    )  # fmt: skip
    return views.review(services().world, made)


@route("GET", f"{REPO}/pulls/<int:number>/requested_reviewers", "pull_requests:read")
def requested_reviewers(repository: Repository, number: int) -> Json:
    world, pull = services().world, _pull(repository, number)
    return {
        "users": [views.user(world, account) for account in pull.reviewers],
        "teams": [views.team(world, team) for team in pull.team_reviewers],
    }


@route("PUT", f"{REPO}/pulls/<int:number>/merge", "contents:write")
def merge_pull(repository: Repository, number: int) -> Json:
    given = body()
    pull = actions.merges.merge(
        services().world, acting().rest_login, repository.full_name, number=number,
        method=given.get("merge_method", "merge"), sha=given.get("sha", ""),
        title=given.get("commit_title", ""), message=given.get("commit_message", ""),
    )  # fmt: skip
    return {"sha": pull.merge_sha, "merged": True, "message": "Pull Request successfully merged"}


def _issue(repository: Repository, number: int) -> Issue:
    found = repository.issues.get(number)
    if found is None:
        raise NotFound("issue")
    return found


@route("GET", f"{REPO}/issues/<int:number>", "issues:read")
def get_issue(repository: Repository, number: int) -> Json:
    return views.issue(services().world, _issue(repository, number))


@route("GET", f"{REPO}/issues", "issues:read")
def list_issues(repository: Repository) -> Response:
    state = request.args.get("state", "open")
    found = [i for i in repository.issues.values() if state in ("all", i.state)]
    return paged(found[::-1], lambda issue: views.issue(services().world, issue))


@route("POST", f"{REPO}/issues", "issues:write", status=201)
def create_issue(repository: Repository) -> Json:
    given = body()
    if not isinstance(given.get("title"), str) or not given["title"]:
        raise Invalid({"resource": "Issue", "field": "title", "code": "missing_field"})
    made = actions.pulls.open_issue(
        services().world, acting().rest_login, repository.full_name, title=given["title"],
        body=given.get("body") or "", labels=given.get("labels"),
    )  # fmt: skip
    return views.issue(services().world, made)


@route("GET", f"{REPO}/issues/<int:number>/comments", "issues:read")
def list_comments(repository: Repository, number: int) -> Response:
    issue = _issue(repository, number)
    return paged(issue.comments, lambda made: views.comment(services().world, issue, made))


@route("POST", f"{REPO}/issues/<int:number>/comments", "issues:write", status=201)
def create_comment(repository: Repository, number: int) -> Json:
    world = services().world
    made = actions.pulls.comment(
        world,
        acting().rest_login,
        repository.full_name,
        number=number,
        body=str(body().get("body")),
    )
    return views.comment(world, _issue(repository, number), made)


@route("POST", f"{REPO}/issues/<int:number>/labels", "issues:write")
def add_labels(repository: Repository, number: int) -> Json:
    world = services().world
    for name in body().get("labels") or []:
        actions.pulls.add_label(
            world, acting().rest_login, repository.full_name, number=number, label=name
        )
    return [views.label(world, found) for found in _issue(repository, number).labels]


@route("GET", f"{REPO}/commits", "contents:read")
def list_commits(repository: Repository) -> Response:
    start = _commit(repository, request.args.get("sha", repository.default_branch))
    found = list(repository.store.history(start.sha))
    return paged(found, lambda commit: views.commit(services().world, repository, commit))


@route("GET", f"{REPO}/commits/<path:ref>", "contents:read")
def get_commit(repository: Repository, ref: str) -> Json:
    world, commit = services().world, _commit(repository, ref)
    parent = repository.store.commits[commit.parents[0]].tree if commit.parents else EMPTY_TREE
    files = diff(parent, commit.tree)
    if _wants_diff():
        return _as_diff(files, "Commit")
    added = sum(change.counts[0] for change in files)
    deleted = sum(change.counts[1] for change in files)
    return views.commit(world, repository, commit) | {
        "stats": {"total": added + deleted, "additions": added, "deletions": deleted},
        "files": [views.file(world, repository, commit.sha, c) for c in files[:MAX_COMPARE_FILES]],
    }


@route("GET", f"{REPO}/commits/<sha>/pulls", "pull_requests:read")
def commit_pulls(repository: Repository, sha: str) -> Response:
    commit = _commit(repository, sha)
    found = associated(repository, commit.sha)
    return paged(found, lambda pull: views.simple_pull(services().world, pull))


def _side(repository: Repository, name: str) -> Commit:
    """A ref, or ``owner:ref`` of another repository in the network."""
    owner, colon, ref = name.partition(":")
    if not colon:
        return _commit(repository, name)
    for other in services().world.repositories.values():
        if other.store is repository.store and other.owner.login.lower() == owner.lower():
            return _commit(other, ref)
    raise NotFound("compare")


@route("GET", f"{REPO}/git/commits/<sha>", "contents:read")
def get_git_commit(repository: Repository, sha: str) -> Json:
    commit = repository.store.commits.get(sha)
    if commit is None:
        raise NotFound("commit")
    shown = views.commit(services().world, repository, commit)
    inner = shown["commit"]
    return {
        "sha": commit.sha,
        "node_id": shown["node_id"],
        "url": inner["url"],
        "html_url": shown["html_url"],
        "author": inner["author"],
        "committer": inner["committer"],
        "message": commit.message,
        "tree": inner["tree"],
        "parents": shown["parents"],
        "verification": inner["verification"],
    }


@route("GET", f"{REPO}/git/trees/<ref>", "contents:read")
def get_git_tree(repository: Repository, ref: str) -> Json:
    """By commit, ref or tree SHA of a branch's tip; every level with ``recursive``."""
    tree = _tree(repository, ref)
    base = f"{services().world.api_url}/repos/{repository.full_name}/git"
    rows = []
    for path, entry in tree.files() if request.args.get("recursive") else tree.entries.items():
        inner = isinstance(entry.node, Tree)
        kind = "tree" if inner else "commit" if entry.mode == SUBMODULE else "blob"
        row = {"path": path, "mode": entry.mode.zfill(6), "type": kind, "sha": entry.node.sha}
        rows.append(row | {"url": f"{base}/{kind}s/{entry.node.sha}"})
    return {"sha": tree.sha, "url": f"{base}/trees/{tree.sha}", "tree": rows, "truncated": False}


def _tree(repository: Repository, ref: str) -> Tree:
    sha = repository.resolve(ref)
    if sha is not None:
        return repository.store.commits[sha].tree
    for commit in repository.store.commits.values():
        if commit.tree.sha == ref:
            return commit.tree
    raise NotFound("tree")


@route("GET", f"{REPO}/compare/<path:basehead>", "contents:read")
def compare(repository: Repository, basehead: str) -> Response:
    """base...head: 250 commits unless paged; at most 300 files, all on the first page."""
    base_name, dots, head_name = basehead.partition("...")
    if not dots:
        raise NotFound("compare")
    base, head = _side(repository, base_name), _side(repository, head_name)
    store, world = repository.store, services().world
    merge_base = store.merge_base(base.sha, head.sha)
    if merge_base is None:
        raise NotFound("no common ancestor")
    if _wants_diff():
        return _as_diff(diff(store.commits[merge_base].tree, head.tree), "Comparison")
    ahead, behind = store.between(base.sha, head.sha), store.between(head.sha, base.sha)
    paging = "per_page" in request.args or "page" in request.args
    listed = paged(ahead, lambda c: views.commit(world, repository, c), most=MAX_PULL_COMMITS)
    commits: Any = (
        listed.get_json()
        if paging
        else [views.commit(world, repository, c) for c in ahead[:MAX_PULL_COMMITS]]
    )
    old = store.commits[merge_base]
    files = diff(old.tree, head.tree) if request.args.get("page", "1") == "1" else []
    page = f"{world.web_url}/{repository.full_name}/compare/{basehead}"
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    answer = as_json(
        {
            "url": f"{world.api_url}/repos/{repository.full_name}/compare/{basehead}",
            "html_url": page,
            "permalink_url": page,
            "diff_url": page + ".diff",
            "patch_url": page + ".patch",
            "base_commit": views.commit(world, repository, base),
            "merge_base_commit": views.commit(world, repository, old),
            "status": words.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": commits,
            "files": [
                views.file(world, repository, head.sha, c) for c in files[:MAX_COMPARE_FILES]
            ],
        }
    )
    if paging and "Link" in listed.headers:
        answer.headers["Link"] = listed.headers["Link"]
    return answer


@route("GET", f"{REPO}/activity", "contents:read")
def list_activity(repository: Repository) -> Response:
    """Newest first; pages by the ``after`` cursor in the Link header, as GitHub does."""
    arguments = request.args
    ref, kind, who = (
        arguments.get("ref", ""),
        arguments.get("activity_type"),
        arguments.get("actor"),
    )
    if ref and not ref.startswith("refs/"):
        ref = f"refs/heads/{ref}"
    found = [
        activity
        for activity in reversed(repository.activities)
        if (not ref or activity.ref == ref)
        and kind in (None, activity.kind)
        and who in (None, activity.actor.rest_login)
    ]
    if arguments.get("direction") == "asc":
        found.reverse()
    size = min(int(arguments.get("per_page", "30")), 100)
    ids = [str(activity.id) for activity in found]
    start = ids.index(arguments["after"]) + 1 if arguments.get("after") in ids else 0
    shown = found[start : start + size]
    answer = as_json([views.activity(services().world, activity) for activity in shown])
    if start + size < len(found):
        rest = "&".join(f"{k}={v}" for k, v in arguments.items() if k != "after")
        url = f"{services().world.api_url}/repos/{repository.full_name}/activity?{rest}"
        answer.headers["Link"] = f'<{url}&after={shown[-1].id}>; rel="next"'
    return answer


@route("GET", f"{REPO}/contents/<path:path>", "contents:read")
def get_contents(repository: Repository, path: str) -> Json:
    commit = repository.resolve(request.args.get("ref", repository.default_branch))
    if commit is None:
        raise NotFound("ref")
    entry = repository.store.commits[commit].tree.get(path.strip("/"))
    if entry is None:
        raise NotFound("path")
    if isinstance(entry.node, Tree):
        return [
            _content(repository, f"{path}/{n}", e.node, commit)
            for n, e in entry.node.entries.items()
        ]
    raw = request.headers.get("Accept", "")
    if "raw" in raw:
        return Response(entry.node.data, content_type="application/vnd.github.raw+json")
    return _content(repository, path, entry.node, commit) | {
        "encoding": "base64",
        "content": base64.encodebytes(entry.node.data).decode(),
    }


def _content(repository: Repository, path: str, node: Any, ref: str) -> dict[str, Any]:
    url = f"{services().world.api_url}/repos/{repository.full_name}/contents/{path}?ref={ref}"
    page = f"{services().world.web_url}/{repository.full_name}/blob/{ref}/{path}"
    git = f"{services().world.api_url}/repos/{repository.full_name}/git/blobs/{node.sha}"
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": node.sha,
        "size": 0 if isinstance(node, Tree) else len(node.data),
        "url": url,
        "html_url": page,
        "git_url": git,
        "download_url": None if isinstance(node, Tree) else page,
        "type": "dir" if isinstance(node, Tree) else "file",
        "_links": {"self": url, "git": git, "html": page},
    }


@route("GET", f"{REPO}/tags", "contents:read")
def list_tags(repository: Repository) -> Response:
    base = f"{services().world.api_url}/repos/{repository.full_name}"

    def shape(name: str) -> Json:
        sha = repository.tags[name]
        return {
            "name": name,
            "commit": {"sha": sha, "url": f"{base}/commits/{sha}"},
            "zipball_url": f"{base}/zipball/refs/tags/{name}",
            "tarball_url": f"{base}/tarball/refs/tags/{name}",
            "node_id": f"REF_{repository.id:x}_{name}",
        }

    return paged(sorted(repository.tags, reverse=True), shape)


@route("GET", f"{REPO}/hash-algorithm", "metadata:read")
def hash_algorithm(repository: Repository) -> Json:
    del repository
    return {"hash_algorithm": "sha1"}


@route("GET", f"{REPO}/deployments", "deployments:read")
def list_deployments(repository: Repository) -> Response:
    environment = request.args.get("environment")
    found = [d for d in repository.deployments if environment in (None, d["environment"])]
    return paged(found[::-1], lambda made: _deployment(repository, made))


def _deployment(repository: Repository, made: dict[str, Any]) -> dict[str, Any]:
    world = services().world
    base = f"{world.api_url}/repos/{repository.full_name}"
    url = f"{base}/deployments/{made['id']}"
    return {
        "url": url,
        "id": made["id"],
        "node_id": f"DE_{made['id']}",
        "sha": made["sha"],
        "ref": made["sha"],
        "task": "deploy",
        "payload": {},
        "original_environment": made["environment"],
        "environment": made["environment"],
        "description": None,
        "creator": views.user(world, made["creator"]),
        "created_at": iso(made["at"]),
        "updated_at": iso(made["at"]),
        "statuses_url": f"{url}/statuses",
        "repository_url": base,
    }


@route("GET", f"{REPO}/collaborators/<username>/permission", "metadata:read")
def collaborator_permission(repository: Repository, username: str) -> Json:
    """``permission`` folds maintain into write and triage into read; ``role_name`` is exact."""
    world = services().world
    account = world.account(username)
    require(world, repository.owner, repository, "read")
    role = world.permission(account, repository)
    folded = {"maintain": "write", "triage": "read"}.get(role, role)
    ranks = ("pull", "triage", "push", "maintain", "admin")
    place = ("none", "read", "triage", "write", "maintain", "admin").index(role)
    rights = {name: place > number for number, name in enumerate(ranks)}
    user = views.user(world, account) or {}
    return {
        "permission": folded,
        "role_name": role,
        "user": user | {"permissions": rights, "role_name": role},
    }
