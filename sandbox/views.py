"""JSON shapes of the REST API and of webhook payloads, one function per kind of thing."""

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.actions.pushes import changed_paths
from sandbox.git import EMPTY_SHA, FileChange
from sandbox.git import Commit as GitCommit
from sandbox.world import (
    Account,
    Activity,
    App,
    CheckRun,
    CheckSuite,
    Comment,
    Installation,
    Issue,
    Label,
    Protection,
    PullRequest,
    QueueEntry,
    Repository,
    Review,
    Ruleset,
    Status,
    Team,
    World,
    at_least,
    iso,
    iso_or_none,
)

Json = dict[str, Any]
MAX_PUSH_COMMITS = 2048  # webhook "push"

_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
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


def user(world: World, account: Account | None) -> Json | None:
    """A "simple user"; a deleted account is the ghost."""
    if account is None:
        return None
    if account.deleted:
        account = world.ghost
    name = account.shown_login
    url = f"{world.api_url}/users/{name}"
    page = f"apps/{account.login}" if account.kind == "Bot" else name
    return {
        "login": name,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": f"{world.web_url}/avatars/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.web_url}/{page}",
        **{key: url + path for key, path in _USER_URLS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(world: World, account: Account) -> Json:
    """GET /users/NAME: the simple user and the public profile."""
    zero = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    empty = dict.fromkeys(
        ("company", "location", "email", "hireable", "bio", "twitter_username"), None
    )
    created = {"created_at": iso(account.created_at), "updated_at": iso(account.created_at)}
    base = user(world, account) or {}
    return base | zero | empty | created | {"name": account.name or None, "blog": ""}


def organization(world: World, account: Account) -> Json:
    url = f"{world.api_url}/orgs/{account.login}"
    paths = {
        name: f"{url}/{name.removesuffix('_url')}"
        for name in ("repos_url", "events_url", "hooks_url", "issues_url")
    }
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "url": url,
        **paths,
        "members_url": url + "/members{/member}",
        "public_members_url": url + "/public_members{/member}",
        "avatar_url": f"{world.web_url}/avatars/u/{account.id}?v=4",
        "description": "",
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


def team(world: World, found: Team) -> Json:
    url = f"{world.api_url}/organizations/{found.org.id}/team/{found.id}"
    return {
        "name": found.name,
        "id": found.id,
        "node_id": found.node_id,
        "slug": found.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "url": url,
        "html_url": f"{world.web_url}/orgs/{found.org.login}/teams/{found.slug}",
        "members_url": url + "/members{/member}",
        "repositories_url": url + "/repos",
        "permission": "pull",
        "parent": None,
        "type": "organization",
        "organization_id": found.org.id,
    }


def association(account: Account | None, repo: Repository) -> str:
    """MEMBER, COLLABORATOR, CONTRIBUTOR...: a label, never a right."""
    if account is None or account.deleted:
        return "NONE"
    if account is repo.owner:
        return "OWNER"
    if account.id in repo.owner.members:
        return "MEMBER"
    return "COLLABORATOR" if account.id in repo.collaborators else "CONTRIBUTOR"


def _side(world: World, repo: Repository | None, ref: str, sha: str) -> Json:
    owner = repo.owner if repo else None
    return {
        "label": f"{owner.login}:{ref}" if owner else ref,
        "ref": ref,
        "sha": sha,
        "user": user(world, owner),
        "repo": repository(world, repo) if repo else None,
    }


def pull_links(world: World, pull: PullRequest) -> Json:
    name = pull.repository.full_name
    url = f"{world.api_url}/repos/{name}/pulls/{pull.number}"
    issue = f"{world.api_url}/repos/{name}/issues/{pull.number}"
    page = f"{world.web_url}/{name}/pull/{pull.number}"
    return {
        "url": url,
        "html_url": page,
        "diff_url": page + ".diff",
        "patch_url": page + ".patch",
        "issue_url": issue,
        "commits_url": url + "/commits",
        "review_comments_url": url + "/comments",
        "review_comment_url": f"{world.api_url}/repos/{name}/pulls/comments{{/number}}",
        "comments_url": issue + "/comments",
        "statuses_url": f"{world.api_url}/repos/{name}/statuses/{pull.head_sha}",
    }


def simple_pull(world: World, pull: PullRequest) -> Json:
    """A pull request as lists and review payloads show it."""
    links = pull_links(world, pull)
    hrefs = {
        "self": links["url"],
        "html": links["html_url"],
        "issue": links["issue_url"],
        "comments": links["comments_url"],
        "review_comments": links["review_comments_url"],
        "review_comment": links["review_comment_url"],
        "commits": links["commits_url"],
        "statuses": links["statuses_url"],
    }
    assignees = [user(world, account) for account in pull.assignees]
    return links | {
        "id": pull.id,
        "node_id": pull.node_id,
        "number": pull.number,
        "state": pull.state,
        "locked": pull.locked,
        "title": pull.title,
        "user": user(world, pull.author),
        "body": pull.body or None,
        "created_at": iso(pull.created_at),
        "updated_at": iso(pull.updated_at),
        "closed_at": iso_or_none(pull.closed_at),
        "merged_at": iso_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "requested_reviewers": [user(world, account) for account in pull.reviewers],
        "requested_teams": [team(world, found) for found in pull.team_reviewers],
        "labels": [label(world, found) for found in pull.labels],
        "milestone": None,
        "head": _side(world, pull.head_repository, pull.head_ref, pull.head_sha),
        "base": _side(world, pull.repository, pull.base_ref, pull.base_sha),
        "_links": {key: {"href": value} for key, value in hrefs.items()},
        "author_association": association(pull.author, pull.repository),
        "auto_merge": _auto_merge(world, pull),
        "active_lock_reason": None,
        "draft": pull.draft,
    }


def _auto_merge(world: World, pull: PullRequest) -> Json | None:
    wish = pull.auto_merge
    if not wish:
        return None
    return {
        "enabled_by": user(world, wish["by"]),
        "merge_method": wish["method"],
        "commit_title": None,
        "commit_message": None,
    }


def full_pull(world: World, pull: PullRequest, *, live: bool = False) -> Json:
    """GET pulls/N. In webhooks mergeability is not yet computed, so ``live`` is False there."""
    state = rules.merge_state(world, pull).lower() if live and not pull.merged else "unknown"
    mergeable = None if state == "unknown" else state != "dirty"
    files = pull.files
    return simple_pull(world, pull) | {
        "merged": pull.merged,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": state,
        "merged_by": user(world, pull.merged_by),
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": len(pull.commits),
        "additions": sum(change.counts[0] for change in files),
        "deletions": sum(change.counts[1] for change in files),
        "changed_files": len(files),
    }


def issue(world: World, found: Issue) -> Json:
    """GET issues/N, also for a pull request's number."""
    base = f"{world.api_url}/repos/{found.repository.full_name}"
    url = f"{base}/issues/{found.number}"
    is_pull = isinstance(found, PullRequest)
    body = {
        "url": url,
        "repository_url": base,
        "labels_url": url + "/labels{/name}",
        "comments_url": url + "/comments",
        "events_url": url + "/events",
        "html_url": f"{world.web_url}/{found.repository.full_name}/{'pull' if is_pull else 'issues'}/{found.number}",  # noqa: E501
        "id": found.id,
        "node_id": found.node_id,
        "number": found.number,
        "title": found.title,
        "user": user(world, found.author),
        "labels": [label(world, each) for each in found.labels],
        "state": found.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(found.comments),
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "closed_at": None,
        "author_association": association(found.author, found.repository),
        "active_lock_reason": None,
        "body": found.body or None,
        "timeline_url": url + "/timeline",
        "performed_via_github_app": app(world, found.via_app) if found.via_app else None,
        "state_reason": None,
        "reactions": reactions(url),
    }
    if isinstance(found, PullRequest):
        links = pull_links(world, found)
        shown = {k: links[k] for k in ("url", "html_url", "diff_url", "patch_url")}
        body["pull_request"] = shown | {"merged_at": iso_or_none(found.merged_at)}
        body |= {"draft": found.draft, "closed_at": iso_or_none(found.closed_at)}
    return body


def reactions(url: str) -> Json:
    names = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": url + "/reactions", "total_count": 0} | dict.fromkeys(names, 0)


def comment(world: World, found: Issue, made: Comment) -> Json:
    base = f"{world.api_url}/repos/{found.repository.full_name}/issues"
    url = f"{base}/comments/{made.id}"
    return {
        "url": url,
        "html_url": f"{world.web_url}/{found.repository.full_name}/issues/{found.number}#issuecomment-{made.id}",  # noqa: E501
        "issue_url": f"{base}/{found.number}",
        "id": made.id,
        "node_id": made.node_id,
        "user": user(world, made.author),
        "created_at": iso(made.created_at),
        "updated_at": iso(made.updated_at),
        "author_association": association(made.author, found.repository),
        "body": made.body,
        "reactions": reactions(url),
        "performed_via_github_app": app(world, made.via_app) if made.via_app else None,
    }


def review(world: World, found: Review, *, webhook: bool = False) -> Json:
    """A review; payloads spell the state in lower case, REST in upper case."""
    pull = found.pull
    links = pull_links(world, pull)
    page = f"{links['html_url']}#pullrequestreview-{found.id}"
    body: Json = {
        "id": found.id,
        "node_id": found.node_id,
        "user": user(world, found.author),
        "body": found.body or (None if webhook else ""),
        "state": found.state.lower() if webhook else found.state,
        "html_url": page,
        "pull_request_url": links["url"],
        "author_association": association(found.author, pull.repository),
        "_links": {"html": {"href": page}, "pull_request": {"href": links["url"]}},
        "submitted_at": iso(found.submitted_at),
        "commit_id": found.commit_sha,
    }
    if webhook:
        body["updated_at"] = iso(found.updated_at)
    return body


def app(world: World, found: App) -> Json:
    return {
        "id": found.id,
        "slug": found.slug,
        "node_id": found.node_id,
        "client_id": found.client_id,
        "owner": user(world, found.owner),
        "name": found.name,
        "description": "",
        "external_url": f"{world.web_url}/apps/{found.slug}",
        "html_url": f"{world.web_url}/apps/{found.slug}",
        "created_at": iso(found.created_at),
        "updated_at": iso(found.created_at),
        "permissions": found.permissions,
        "events": found.events,
    }


def installation(world: World, found: Installation) -> Json:
    target = found.account
    url = f"{world.api_url}/app/installations/{found.id}"
    return {
        "id": found.id,
        "account": user(world, target),
        "repository_selection": found.selection,
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": f"{world.web_url}/organizations/{target.login}/settings/installations/{found.id}",  # noqa: E501
        "app_id": found.app.id,
        "app_slug": found.app.slug,
        "client_id": found.app.client_id,
        "target_id": target.id,
        "target_type": target.kind,
        "permissions": found.permissions,
        "events": found.events,
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, found.suspended_by),
        "suspended_at": iso_or_none(found.suspended_at),
    }


def _run_pulls(world: World, repo: Repository, sha: str) -> list[Json]:
    """Open pull requests of the repository's own branches with this head; none for forks."""
    found = []
    for number in sorted(repo.open_by_sha.get(sha, ())):
        pull = repo.pulls[number]
        if not pull.is_cross_repository:
            place = {
                "id": repo.id,
                "url": f"{world.api_url}/repos/{repo.full_name}",
                "name": repo.name,
            }
            found.append(
                {
                    "url": pull_links(world, pull)["url"],
                    "id": pull.id,
                    "number": pull.number,
                    "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": place},
                    "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": place},
                }
            )
    return found


def check_run(world: World, run: CheckRun, *, webhook: bool = False) -> Json:
    suite = run.suite
    repo = suite.repository
    url = f"{world.api_url}/repos/{repo.full_name}/check-runs/{run.id}"
    output = run.output
    return {
        "id": run.id,
        "name": run.name,
        "node_id": run.node_id,
        "head_sha": suite.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{world.web_url}/{repo.full_name}/runs/{run.id}",
        "details_url": run.details_url,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": iso_or_none(run.started_at),
        "completed_at": iso_or_none(run.completed_at),
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": len(run.annotations),
            "annotations_url": url + "/annotations",
        },
        "check_suite": check_suite(world, suite) if webhook else {"id": suite.id},
        "app": app(world, run.app),
        "pull_requests": _run_pulls(world, repo, suite.sha),
    }


def check_suite(world: World, suite: CheckSuite) -> Json:
    repo = suite.repository
    url = f"{world.api_url}/repos/{repo.full_name}/check-suites/{suite.id}"
    found = repo.store.commits[suite.sha]
    return {
        "id": suite.id,
        "node_id": suite.node_id,
        "head_branch": suite.branch,
        "head_sha": suite.sha,
        "status": suite.status,
        "conclusion": suite.conclusion,
        "url": url,
        "before": suite.before or EMPTY_SHA,
        "after": suite.sha,
        "pull_requests": _run_pulls(world, repo, suite.sha),
        "app": app(world, suite.app),
        "created_at": iso(suite.created_at),
        "updated_at": iso(suite.updated_at),
        "latest_check_runs_count": len(suite.latest()),
        "check_runs_url": url + "/check-runs",
        "head_commit": simple_commit(found),
    }


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


def ruleset(world: World, found: Ruleset, *, secret: bool = True, whole: bool = True) -> Json:
    """A ruleset; ``bypass_actors`` only for who may write it, rules only in the single view."""
    source = found.source
    inside = isinstance(source, Repository)
    name = source.full_name if isinstance(source, Repository) else source.login
    place = f"repos/{name}" if inside else f"orgs/{name}"
    body: Json = {
        "id": found.id,
        "name": found.name,
        "target": found.target,
        "source_type": "Repository" if inside else "Organization",
        "source": name,
        "enforcement": found.enforcement,
        "node_id": found.node_id,
        "_links": {
            "self": {"href": f"{world.api_url}/{place}/rulesets/{found.id}"},
            "html": {"href": f"{world.web_url}/{name}/rules/{found.id}"},
        },
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
    }
    if whole:
        body |= {"conditions": found.conditions, "rules": found.rules}
        if secret:
            body["bypass_actors"] = found.bypass_actors
    return body


def branch_rule(found: Ruleset, rule: Json) -> Json:
    """One row of GET rules/branches/B."""
    source = found.source
    inside = isinstance(source, Repository)
    return rule | {
        "ruleset_source_type": "Repository" if inside else "Organization",
        "ruleset_source": source.full_name if isinstance(source, Repository) else source.login,
        "ruleset_id": found.id,
    }


def _switch(settings: Json, name: str) -> Json:
    return {"enabled": bool(settings.get(name))}


def protection(world: World, found: Protection, branch: str) -> Json:
    """GET branches/B/protection."""
    settings = found.settings
    url = f"{world.api_url}/repos/{found.repository.full_name}/branches/{branch}/protection"
    names = (
        "required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations",
        "required_conversation_resolution", "lock_branch", "allow_fork_syncing",
    )  # fmt: skip
    body: Json = {name: _switch(settings, name) for name in names}
    body["url"] = url
    body["enforce_admins"] = {"url": url + "/enforce_admins"} | _switch(settings, "enforce_admins")
    body["required_signatures"] = {"url": url + "/required_signatures", "enabled": False}
    if settings.get("required_status_checks"):
        body["required_status_checks"] = status_checks(found, url)
    if options := settings.get("required_pull_request_reviews"):
        body["required_pull_request_reviews"] = {
            "url": url + "/required_pull_request_reviews",
            "dismiss_stale_reviews": bool(options.get("dismiss_stale_reviews")),
            "require_code_owner_reviews": bool(options.get("require_code_owner_reviews")),
            "require_last_push_approval": bool(options.get("require_last_push_approval")),
            "required_approving_review_count": options.get("required_approving_review_count", 1),
        }
    return body


def status_checks(found: Protection, url: str) -> Json:
    checks = found.settings.get("required_status_checks") or {}
    return {
        "url": url + "/required_status_checks",
        "strict": bool(checks.get("strict")),
        "contexts": [check["context"] for check in checks.get("checks", [])],
        "contexts_url": url + "/required_status_checks/contexts",
        "checks": [
            {"context": check["context"], "app_id": check.get("app_id")}
            for check in checks.get("checks", [])
        ],
    }


def status(world: World, found: Status) -> Json:
    return {
        "url": f"{world.api_url}/statuses/{found.sha}",
        "avatar_url": f"{world.web_url}/avatars/u/{found.creator.id}?v=4",
        "id": found.id,
        "node_id": found.node_id,
        "state": found.state,
        "description": found.description or None,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": iso(found.at),
        "updated_at": iso(found.at),
        "creator": user(world, found.creator),
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
