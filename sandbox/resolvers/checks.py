"""Check suites and check runs."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: N803

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.connections import Connection, Problem
from sandbox.objects import CheckRun, CheckSuite, PullRequest
from sandbox.resolvers.core import (
    Context,
    PushView,
    resolves,
    simple,
)

simple(
    {
        "status": lambda s: s.status.upper(),
        "conclusion": lambda s: s.conclusion.upper() if s.conclusion else None,
        "push": lambda s: PushView(s) if s.pusher else None,
    },
    "CheckSuite",
)
simple(
    {
        "id": lambda p: f"PSH_{p.suite.id:x}",
        "pusher": lambda p: p.suite.pusher,
        "previousSha": lambda p: p.suite.before,
        "nextSha": lambda p: p.suite.sha,
    },
    "Push",
)
simple(
    {
        "status": lambda r: r.status.upper(),
        "conclusion": lambda r: r.conclusion.upper() if r.conclusion else None,
        "externalId": lambda r: r.external_id or None,
        "title": lambda r: r.output.get("title"),
        "summary": lambda r: r.output.get("summary"),
        "text": lambda r: r.output.get("text"),
    },
    "CheckRun",
)


@resolves("CheckRun.url")
def _run_url(run: CheckRun, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{run.suite.repository.full_name}/runs/{run.id}"


@resolves("CheckSuite.checkRuns")
def _runs(
    suite: CheckSuite,
    ctx: Context,
    filterBy: dict[str, Any] | None = None,
    **page: Any,
) -> Connection:
    wanted = filterBy or {}
    found = suite.runs if wanted.get("checkType") == "ALL" else suite.latest()
    name, app = wanted.get("checkName"), wanted.get("appId")
    states = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
    ends = wanted.get("conclusions")
    found = [
        run
        for run in found
        if name in (None, run.name)
        and app in (None, suite.app.id)
        and (states is None or run.status.upper() in states)
        and (ends is None or (run.conclusion or "").upper() in ends)
    ]
    return ctx.page(found, page)


@resolves("CheckRun.isRequired")
def _is_required(
    run: CheckRun, ctx: Context, pullRequestNumber: int | None = None,
    pullRequestId: str | None = None,
) -> bool:  # fmt: skip
    repository = run.suite.repository
    pull = repository.pulls.get(pullRequestNumber or 0) or ctx.world.nodes.get(pullRequestId or "")
    if not isinstance(pull, PullRequest):
        raise Problem("NOT_FOUND", "Could not resolve to a PullRequest")
    return any(
        required.context == run.name and required.app_id in (None, run.app.id)
        for required in rules.required_checks(repository, pull.base_ref)
    )
