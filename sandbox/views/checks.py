"""Check suites, check runs and commit statuses."""

from __future__ import annotations

from sandbox.git import EMPTY_SHA
from sandbox.objects import CheckRun, CheckSuite, Repository, Status, iso, iso_or_none
from sandbox.views.accounts import user
from sandbox.views.apps import app
from sandbox.views.commits import simple_commit
from sandbox.views.common import Json
from sandbox.views.pulls import pull_links
from sandbox.world import World


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
