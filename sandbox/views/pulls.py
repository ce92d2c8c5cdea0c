"""Pull requests, issues, comments and reviews."""

from __future__ import annotations

from sandbox import rules
from sandbox.objects import Comment, Issue, PullRequest, Repository, Review, iso, iso_or_none
from sandbox.views.accounts import association, team, user
from sandbox.views.apps import app
from sandbox.views.common import Json
from sandbox.views.repositories import label, repository
from sandbox.world import World


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
