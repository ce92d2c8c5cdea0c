"""What the playground shows of the state: short JSON of pull requests, checks and the world."""

from __future__ import annotations

from typing import Any

from sandbox import rules, views
from sandbox.git import Commit
from sandbox.objects import (
    Account,
    Activity,
    App,
    CheckRun,
    CheckSuite,
    Comment,
    Event,
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
    iso,
    iso_or_none,
)
from sandbox.world import World

Json = dict[str, Any]


def pull(world: World, found: PullRequest) -> Json:
    """One pull request as the playground sees it: everything a page needs, in one answer."""
    repository = found.repository
    return {
        "id": found.id,
        "node_id": found.node_id,
        "repository": repository.full_name,
        "number": found.number,
        "url": f"{world.web_url}/{repository.full_name}/pull/{found.number}",
        "title": found.title,
        "body": found.body,
        "author": found.author.rest_login,
        "state": "merged" if found.merged else found.state,
        "draft": found.draft,
        "base": found.base_ref,
        "head": found.head_ref,
        "head_repository": found.head_repository.full_name if found.head_repository else None,
        "head_sha": found.head_sha,
        "base_sha": found.base_sha,
        "merge_sha": found.merge_sha,
        "updated_at": iso(found.updated_at),
        "labels": [label.name for label in found.labels],
        "commits": [commit(world, each) for each in found.commits],
        "files": [change.path for change in found.files[:300]],
        "reviews": [review(each) for each in found.reviews],
        "checks": checks(repository, found.head_sha),
        "statuses": [
            {"context": status.context, "state": status.state, "by": status.creator.rest_login}
            for status in rules.latest_statuses(repository, found.head_sha).values()
        ],
        "timeline": [event(each) for each in found.timeline],
        "edits": len(found.edits),
        "merge_state": rules.merge_state(world, found),
        "merge_problems": (
            rules.merge_problems(world, found, world.ghost) if found.state == "open" else []
        ),
        "required_checks": [
            {
                "context": r.context,
                "app_id": r.app_id,
                "state": rules.check_state(repository, found.head_sha, r),
            }
            for r in rules.required_checks(repository, found.base_ref)
        ],
        "queue": queue_entry(found.queue_entry) if found.queue_entry else None,
        "auto_merge": bool(found.auto_merge),
    }


def row(found: PullRequest) -> Json:
    """A pull request in a list."""
    return {
        "number": found.number,
        "title": found.title,
        "author": found.author.rest_login,
        "state": "merged" if found.merged else found.state,
        "draft": found.draft,
        "head_sha": found.head_sha,
        "checks": [
            {"name": check["name"], "conclusion": check["conclusion"], "title": check["title"]}
            for check in checks(found.repository, found.head_sha)
        ],
    }


def commit(world: World, found: Commit) -> Json:
    account = world.by_email(found.author.email)
    return {
        "sha": found.sha,
        "message": found.message,
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
        "login": account.rest_login if account else None,
        "parents": list(found.parents),
        "date": iso(found.committer.date),
        "signed_by": found.signed_by,
    }


def review(found: Review) -> Json:
    return {
        "id": found.id,
        "author": found.author.rest_login,
        "state": found.state,
        "body": found.body,
        "commit": found.commit_sha,
        "on_head": found.commit_sha == found.pull.head_sha,
        "submitted_at": iso(found.submitted_at),
    }


def checks(repository: Repository, sha: str) -> list[Json]:
    """The latest run of each name and app on the commit."""
    return [check(run) for suite in repository.suites.get(sha, ()) for run in suite.latest()]


def check(run: CheckRun) -> Json:
    return {
        "id": run.id,
        "name": run.name,
        "app": run.app.slug,
        "app_id": run.app.id,
        "status": run.status,
        "conclusion": run.conclusion,
        "title": run.output.get("title"),
        "summary": run.output.get("summary"),
        "text": run.output.get("text"),
        "annotations": run.annotations,
        "actions": run.actions,
        "details_url": run.details_url,
        "external_id": run.external_id,
        "completed_at": iso_or_none(run.completed_at),
        "head_sha": run.suite.sha,
    }


def event(found: Event) -> Json:
    """A timeline event; objects in its data become names."""
    plain = {}
    for key, value in found.data.items():
        if isinstance(value, Label):
            plain[key] = value.name
        elif isinstance(value, Account):
            plain[key] = value.rest_login
        elif isinstance(value, Team):
            plain[key] = value.slug
        elif isinstance(value, Review):
            plain[key] = str(value.id)
        elif isinstance(value, str) or value is None:
            plain[key] = value or ""
    return {
        "kind": found.kind,
        "at": iso(found.at),
        "actor": found.actor.rest_login if found.actor else None,
        **plain,
    }


def queue_entry(found: QueueEntry) -> Json:
    return {
        "number": found.pull.number,
        "state": found.state,
        "head_sha": found.head_sha,
        "base_sha": found.base_sha,
        "ref": found.ref,
        "checks": checks(found.pull.repository, found.head_sha),
    }


def repository(world: World, found: Repository) -> Json:
    return {
        "id": found.id,
        "full_name": found.full_name,
        "private": found.private,
        "archived": found.archived,
        "default_branch": found.default_branch,
        "branches": dict(found.branches),
        "permissions": {
            account.rest_login: level
            for account in world.accounts.values()
            if account.kind in ("User", "Bot")
            and (level := world.permission(account, found)) not in ("none", "read")
        },
        "pulls": [row(each) for each in list(found.pulls.values())[-200:]],
        "rulesets": [views.ruleset(world, each) for each in found.rulesets.values()],
        "queues": {
            branch: [queue_entry(entry) for entry in queue]
            for branch, queue in found.queues.items()
            if queue
        },
    }


def world_state(world: World) -> Json:
    """The whole world in outline (at most 100 repositories)."""
    return {
        "version": world.version,
        "now": iso(world.now()),
        "accounts": [
            {"login": a.rest_login, "id": a.id, "kind": a.kind, "name": a.name}
            for a in world.accounts.values()
            if not a.deleted
        ],
        "apps": [
            {"id": app.id, "slug": app.slug, "webhook_url": app.webhook_url}
            for app in world.apps.values()
        ],
        "installations": [
            {
                "id": i.id,
                "app": i.app.slug,
                "account": i.account.login,
                "suspended": bool(i.suspended_at),
            }
            for i in world.installations.values()
        ],
        "repositories": [found.full_name for found in list(world.repositories.values())[:100]],
    }


def describe(world: World, result: Any) -> Any:
    """The result of any action as JSON."""
    if isinstance(result, PullRequest):
        return pull(world, result)
    for kind, shape in _SHAPES.items():
        if isinstance(result, kind):
            return shape(world, result)
    if isinstance(result, dict):
        return {key: describe(world, value) for key, value in result.items()}
    return result if isinstance(result, str | int | float | bool | list | None) else str(result)


_SHAPES: dict[type, Any] = {
    Issue: views.issue,
    Review: lambda _, r: review(r),
    Repository: repository,
    Account: views.user,
    Activity: views.activity,
    App: views.app,
    CheckRun: lambda _, run: check(run),
    CheckSuite: views.check_suite,
    Installation: views.installation,
    Label: views.label,
    Protection: lambda _, p: {"id": p.id, "pattern": p.pattern, "settings": p.settings},
    QueueEntry: lambda _, entry: queue_entry(entry),
    Ruleset: views.ruleset,
    Status: views.status,
    Team: views.team,
    Comment: lambda _, c: {"id": c.id, "body": c.body, "author": c.author.rest_login},
}
