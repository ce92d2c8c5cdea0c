"""Rulesets and classic protection."""

from __future__ import annotations

from sandbox.objects import Protection, Repository, Ruleset, iso
from sandbox.views.common import Json
from sandbox.world import World


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
