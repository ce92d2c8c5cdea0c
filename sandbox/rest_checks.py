"""REST: check runs, check suites, statuses, branch rules, rulesets and classic protection."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from sandbox import actions, rules, views
from sandbox.api import Json, acting, as_json, body, caller, paged, route, services
from sandbox.errors import Forbidden, NotFound, Refused
from sandbox.objects import Account, App, CheckRun, Repository, Ruleset, iso

REPO = "/repos/<owner>/<repo>"


def _app() -> App:
    """Only GitHub Apps write checks."""
    app = caller().app
    if app is None or caller().installation is None:
        raise Forbidden("You must authenticate via a GitHub App.")
    return app


@route("POST", f"{REPO}/check-runs", "checks:write", status=201)
def create_run(repository: Repository) -> Json:
    run = actions.checks.create_run(services().world, _app(), repository, body())
    return views.check_run(services().world, run)


@route("PATCH", f"{REPO}/check-runs/<int:run_id>", "checks:write")
def update_run(repository: Repository, run_id: int) -> Json:
    run = actions.checks.update_run(services().world, _app(), repository, run_id, body())
    return views.check_run(services().world, run)


def _run(repository: Repository, run_id: int) -> CheckRun:
    if run_id not in repository.runs:
        raise NotFound("check run")
    return repository.runs[run_id]


@route("GET", f"{REPO}/check-runs/<int:run_id>", "checks:read")
def get_run(repository: Repository, run_id: int) -> Json:
    return views.check_run(services().world, _run(repository, run_id))


@route("GET", f"{REPO}/check-runs/<int:run_id>/annotations", "checks:read")
def run_annotations(repository: Repository, run_id: int) -> Response:
    return paged(_run(repository, run_id).annotations, lambda note: note)


@route("POST", f"{REPO}/check-runs/<int:run_id>/rerequest", "checks:write", status=201)
def rerequest_run(repository: Repository, run_id: int) -> Json:
    actions.checks.rerequest_check(
        services().world, acting().rest_login, repository.full_name, run=run_id
    )
    return {}


def _sha(repository: Repository, ref: str) -> str:
    sha = repository.resolve(ref)
    if sha is None:
        raise Refused(f"No commit found for SHA: {ref[:80]}")
    return sha


@route("GET", f"{REPO}/commits/<path:ref>/check-runs", "checks:read")
def runs_of_ref(repository: Repository, ref: str) -> Response:
    """Newest first; ``filter`` latest or all, ``check_name``, ``app_id``, ``status``."""
    arguments = request.args
    name, app, status = (arguments.get(key) for key in ("check_name", "app_id", "status"))
    found = [
        run
        for suite in repository.suites.get(_sha(repository, ref), ())
        for run in (suite.runs if arguments.get("filter") == "all" else suite.latest())
        if name in (None, run.name)
        and app in (None, str(run.app.id))
        and status in (None, run.status)
    ]
    found.sort(key=lambda run: run.id, reverse=True)
    return paged(found, lambda run: views.check_run(services().world, run), "check_runs")


@route("GET", f"{REPO}/commits/<path:ref>/check-suites", "checks:read")
def suites_of_ref(repository: Repository, ref: str) -> Response:
    app = request.args.get("app_id")
    suites = repository.suites.get(_sha(repository, ref), [])
    found = [suite for suite in suites if app in (None, str(suite.app.id))]
    world = services().world

    def shape(suite: Any) -> Json:
        body = views.check_suite(world, suite)
        return body | {"repository": views.repository(world, suite.repository)}

    return paged(found, shape, "check_suites")


@route("GET", f"{REPO}/commits/<path:ref>/statuses", "statuses:read")
def list_statuses(repository: Repository, ref: str) -> Response:
    found = repository.statuses.get(_sha(repository, ref), [])
    return paged(found[::-1], lambda status: views.status(services().world, status))


@route("GET", f"{REPO}/commits/<path:ref>/status", "statuses:read")
def combined_status(repository: Repository, ref: str) -> Json:
    world, sha = services().world, _sha(repository, ref)
    found = list(rules.latest_statuses(repository, sha).values())
    states = {status.state for status in found}
    state = "failure" if states & {"failure", "error"} else "success"
    if not found or "pending" in states:
        state = "pending" if state == "success" else state
    url = f"{world.api_url}/repos/{repository.full_name}/commits/{sha}"
    return {
        "state": state,
        "statuses": [views.status(world, status) for status in found],
        "sha": sha,
        "total_count": len(found),
        "repository": views.repository(world, repository),
        "commit_url": url,
        "url": f"{url}/status",
    }


@route("POST", f"{REPO}/statuses/<sha>", "statuses:write", status=201)
def create_status(repository: Repository, sha: str) -> Json:
    given = body()
    made = actions.checks.set_status(
        services().world, acting().rest_login, repository.full_name, sha=sha,
        context=given.get("context", "default"), state=str(given.get("state")),
        description=given.get("description") or "", target_url=given.get("target_url"),
    )  # fmt: skip
    return views.status(services().world, made)


# --- Rules ---------------------------------------------------------------------------------------


@route("GET", f"{REPO}/rules/branches/<path:branch>", "metadata:read")
def branch_rules(repository: Repository, branch: str) -> Response:
    """Active rules of all levels; the branch need not exist."""
    _plan_has_rules(repository)
    found = rules.rules_for(repository, branch)
    return paged(found, lambda pair: views.branch_rule(*pair))


def _plan_has_rules(repository: Repository) -> None:
    """Private repositories of a Free plan have none, and are told so when they ask."""
    if repository.private and repository.owner.plan == "free":
        raise Forbidden(
            "Upgrade to GitHub Pro or make this repository public to enable this feature."
        )


def _may_write(source: Repository | Account) -> bool:
    if isinstance(source, Repository):
        return caller().level(source, "administration") == "write"
    return caller().org_level(source, "organization_administration") == "write"


def _shown(ruleset: Ruleset, *, whole: bool) -> Json:
    return views.ruleset(services().world, ruleset, secret=_may_write(ruleset.source), whole=whole)


@route("GET", f"{REPO}/rulesets", "metadata:read")
def list_rulesets(repository: Repository) -> Response:
    _plan_has_rules(repository)
    found = list(repository.rulesets.values())
    if request.args.get("includes_parents", "true") == "true":
        found += rules.org_rulesets(repository)
    targets = request.args.get("targets")
    if targets:
        found = [ruleset for ruleset in found if ruleset.target in targets.split(",")]
    return paged(found, lambda ruleset: _shown(ruleset, whole=False))


@route("POST", f"{REPO}/rulesets", "administration:write", status=201)
def create_ruleset(repository: Repository) -> Json:
    made = actions.protection.save(services().world, acting(), repository, body())
    return _shown(made, whole=True)


@route("GET", f"{REPO}/rulesets/<int:ruleset_id>", "metadata:read")
def get_ruleset(repository: Repository, ruleset_id: int) -> Json:
    found = repository.rulesets.get(ruleset_id)
    if found is None and request.args.get("includes_parents", "true") == "true":
        found = next((r for r in rules.org_rulesets(repository) if r.id == ruleset_id), None)
    if found is None:
        raise NotFound("ruleset")
    return _shown(found, whole=True)


@route("PUT", f"{REPO}/rulesets/<int:ruleset_id>", "administration:write")
def update_ruleset(repository: Repository, ruleset_id: int) -> Json:
    made = actions.protection.save(services().world, acting(), repository, body(), ruleset_id)
    return _shown(made, whole=True)


@route("DELETE", f"{REPO}/rulesets/<int:ruleset_id>", "administration:write", status=204)
def delete_ruleset(repository: Repository, ruleset_id: int) -> Json:
    actions.protection.remove(services().world, acting(), repository, ruleset_id)
    return None


def _org(org: str) -> Account:
    """The organisation; its rulesets need organisation administration: write, even to read."""
    found = services().world.organization(org)
    caller().need_org(found, "organization_administration", "write")
    return found


@route("GET", "/orgs/<org>/rulesets")
def list_org_rulesets(org: str) -> Response:
    found = list(_org(org).rulesets.values())
    return paged(found, lambda ruleset: _shown(ruleset, whole=False))


@route("POST", "/orgs/<org>/rulesets", status=201)
def create_org_ruleset(org: str) -> Json:
    made = actions.protection.save(services().world, acting(), _org(org), body())
    return _shown(made, whole=True)


@route("GET", "/orgs/<org>/rulesets/<int:ruleset_id>")
def get_org_ruleset(org: str, ruleset_id: int) -> Json:
    found = _org(org).rulesets.get(ruleset_id)
    if found is None:
        raise NotFound("ruleset")
    return _shown(found, whole=True)


@route("PUT", "/orgs/<org>/rulesets/<int:ruleset_id>")
def update_org_ruleset(org: str, ruleset_id: int) -> Json:
    made = actions.protection.save(services().world, acting(), _org(org), body(), ruleset_id)
    return _shown(made, whole=True)


@route("DELETE", "/orgs/<org>/rulesets/<int:ruleset_id>", status=204)
def delete_org_ruleset(org: str, ruleset_id: int) -> Json:
    actions.protection.remove(services().world, acting(), _org(org), ruleset_id)
    return None


@route("GET", f"{REPO}/rulesets/rule-suites", "administration:read")
def rule_suites(repository: Repository) -> Response:
    ref, result = request.args.get("ref"), request.args.get("rule_suite_result", "all")
    found = [
        row
        for row in reversed(repository.rule_suites)
        if (not ref or row["ref"] in (ref, f"refs/heads/{ref}"))
        and result in ("all", row["result"])
    ]
    return paged(found, lambda row: _rule_suite(repository, row))


def _rule_suite(repository: Repository, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "actor_id": row["actor"].id,
        "actor_name": row["actor"].rest_login,
        "before_sha": row["before"],
        "after_sha": row["after"],
        "ref": row["ref"],
        "repository_id": repository.id,
        "repository_name": repository.name,
        "pushed_at": iso(row["at"]),
        "result": row["result"],
        "evaluation_result": "fail" if row["result"] == "bypass" else "pass",
    }


# --- Branches and classic protection -------------------------------------------------------------


@route("GET", f"{REPO}/branches", "contents:read")
def list_branches(repository: Repository) -> Response:
    names = sorted(repository.branches)
    if request.args.get("protected") == "true":
        names = [name for name in names if _is_protected(repository, name)]
    return paged(names, lambda name: _branch(repository, name))


def _is_protected(repository: Repository, branch: str) -> bool:
    classic = rules.protection_for(repository, branch)
    return classic is not None or bool(rules.rules_for(repository, branch))


def _branch(repository: Repository, name: str) -> dict[str, Any]:
    sha = repository.branches[name]
    url = f"{services().world.api_url}/repos/{repository.full_name}"
    classic = rules.protection_for(repository, name)
    checks = (classic.settings.get("required_status_checks") or {}) if classic else {}
    level = "off"
    if classic and checks:
        level = "everyone" if classic.settings.get("enforce_admins") else "non_admins"
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
        "protected": _is_protected(repository, name),
        "protection": {
            "enabled": classic is not None,
            "required_status_checks": {
                "enforcement_level": level,
                "contexts": [check["context"] for check in checks.get("checks", [])],
                "checks": checks.get("checks", []),
            },
        },
        "protection_url": f"{url}/branches/{name}/protection",
    }


@route("GET", f"{REPO}/git/matching-refs/<path:ref>", "contents:read")
def matching_refs(repository: Repository, ref: str) -> Response:
    """Refs whose name, without ``refs/``, begins so."""
    named = {f"refs/heads/{name}": sha for name, sha in repository.branches.items()}
    named |= {f"refs/tags/{name}": sha for name, sha in repository.tags.items()}
    found = sorted(name for name in named if name.startswith(f"refs/{ref}"))
    url = f"{services().world.api_url}/repos/{repository.full_name}/git"
    return paged(
        found,
        lambda name: {
            "ref": name,
            "node_id": f"REF_{repository.id:x}_{name}",
            "url": f"{url}/{name}",
            "object": {
                "type": "commit",
                "sha": named[name],
                "url": f"{url}/commits/{named[name]}",
            },
        },
    )


@route("GET", f"{REPO}/branches/<path:branch>", "contents:read")
def get_branch(repository: Repository, branch: str) -> Json:
    if branch not in repository.branches:
        raise NotFound("branch")
    world = services().world
    found = _branch(repository, branch)
    page = f"{world.web_url}/{repository.full_name}/tree/{branch}"
    url = f"{world.api_url}/repos/{repository.full_name}/branches/{branch}"
    commit = repository.store.commits[found["commit"]["sha"]]
    return found | {
        "commit": views.commit(world, repository, commit),
        "_links": {"html": page, "self": url},
    }


@route("GET", f"{REPO}/branches/<path:branch>/protection", "administration:read")
def get_protection(repository: Repository, branch: str) -> Json:
    found = rules.protection_for(repository, branch)
    if found is None:
        raise Refused("Branch not protected", status=404)
    return views.protection(services().world, found, branch)


@route("PUT", f"{REPO}/branches/<path:branch>/protection", "administration:write")
def put_protection(repository: Repository, branch: str) -> Json:
    if branch not in repository.branches:
        raise Refused("Branch not found", status=404)
    given = body()
    for key in (
        "required_status_checks",
        "enforce_admins",
        "required_pull_request_reviews",
        "restrictions",
    ):
        if key not in given:
            raise Refused("Invalid request.", errors=[f"{key} wasn't supplied."])
    made = actions.protection.protect(services().world, acting(), repository, branch, given)
    return views.protection(services().world, made, branch)


@route("DELETE", f"{REPO}/branches/<path:branch>/protection", "administration:write", status=204)
def delete_protection(repository: Repository, branch: str) -> Json:
    actions.protection.unprotect_branch(
        services().world, acting().rest_login, repository.full_name, branch=branch
    )


_CHECKS = f"{REPO}/branches/<path:branch>/protection/required_status_checks"


@route("GET", _CHECKS, "administration:read")
def get_required_checks(repository: Repository, branch: str) -> Json:
    found = rules.protection_for(repository, branch)
    if found is None or not found.settings.get("required_status_checks"):
        raise Refused("Required status checks not enabled", status=404)
    url = f"{services().world.api_url}/repos/{repository.full_name}/branches/{branch}/protection"
    return views.status_checks(found, url)


@route("PATCH", _CHECKS, "administration:write")
def patch_required_checks(repository: Repository, branch: str) -> Response:
    found = rules.protection_for(repository, branch)
    if found is None:
        raise Refused("Required status checks not enabled", status=404)
    given, old = body(), found.settings.get("required_status_checks") or {}
    settings = {**found.settings, "required_status_checks": {**old, **given}}
    made = actions.protection.protect(
        services().world, acting(), repository, found.pattern, settings
    )
    url = f"{services().world.api_url}/repos/{repository.full_name}/branches/{branch}/protection"
    return as_json(views.status_checks(made, url))
