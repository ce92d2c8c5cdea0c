"""Repositories and their labels."""

from __future__ import annotations

from sandbox.objects import Account, Label, Repository, at_least, iso
from sandbox.views.accounts import user
from sandbox.views.common import Json
from sandbox.world import World

_REPO_URLS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}


def repository(world: World, repo: Repository, viewer: Account | None = None) -> Json:
    """The "full enough" repository block of webhooks and of pull request heads and bases."""
    url = f"{world.api_url}/repos/{repo.full_name}"
    page = f"{world.web_url}/{repo.full_name}"
    body: Json = {
        "id": repo.id,
        "node_id": repo.node_id,
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "html_url": page,
        "description": repo.description or None,
        "fork": repo.parent is not None,
        "url": url,
        **{key: url + path for key, path in _REPO_URLS.items()},
        "created_at": iso(repo.created_at),
        "updated_at": iso(repo.updated_at),
        "pushed_at": iso(repo.pushed_at),
        "git_url": f"git://127.0.0.1/{repo.full_name}.git",
        "ssh_url": f"git@127.0.0.1:{repo.full_name}.git",
        "clone_url": page + ".git",
        "svn_url": page,
        "homepage": None,
        "size": 0,
        **dict.fromkeys(("stargazers_count", "watchers_count", "forks_count", "forks"), 0),
        "watchers": 0,
        "open_issues_count": 0,
        "open_issues": 0,
        "language": None,
        **dict.fromkeys(("has_issues", "has_projects", "has_downloads", "has_wiki"), True),
        "has_pages": False,
        "has_discussions": False,
        "mirror_url": None,
        "archived": repo.archived,
        "disabled": repo.disabled,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "default_branch": repo.default_branch,
        "custom_properties": {},
    }
    if viewer is not None:
        level = world.permission(viewer, repo)
        words = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage"}
        body["permissions"] = {k: at_least(level, v) for k, v in words.items()} | {"pull": True}
    return body


def full_repository(world: World, repo: Repository, viewer: Account | None = None) -> Json:
    """GET /repos/OWNER/NAME."""
    counts = {"subscribers_count": 0, "network_count": 0}
    extra = {"organization": user(world, repo.owner)} if repo.owner.kind == "Organization" else {}
    parent = (
        {"parent": repository(world, repo.parent), "source": repository(world, repo.parent)}
        if repo.parent
        else {}
    )
    return repository(world, repo, viewer) | repo.settings | counts | extra | parent


def minimal_repository(repo: Repository) -> Json:
    return {
        "id": repo.id,
        "node_id": repo.node_id,
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
    }


def label(world: World, found: Label) -> Json:
    return {
        "id": found.id,
        "node_id": found.node_id,
        "url": f"{world.api_url}/repos/{found.repository.full_name}/labels/{found.name}",
        "name": found.name,
        "color": found.color,
        "default": False,
        "description": found.description,
    }
