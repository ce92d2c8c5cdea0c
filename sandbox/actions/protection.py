"""Rulesets and classic branch protection: making, changing and removing them."""

from __future__ import annotations

from typing import Any

from sandbox.actions.common import require, require_owner
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, Invalid, NotFound
from sandbox.objects import Account, Protection, Repository, Ruleset
from sandbox.world import World

RULE_TYPES = frozenset(
    [
        "creation",
        "update",
        "deletion",
        "required_linear_history",
        "merge_queue",
        "required_deployments",
        "required_signatures",
        "pull_request",
        "required_status_checks",
        "non_fast_forward",
        "commit_message_pattern",
        "commit_author_email_pattern",
        "committer_email_pattern",
        "branch_name_pattern",
        "tag_name_pattern",
        "file_path_restriction",
        "max_file_path_length",
        "file_extension_restriction",
        "max_file_size",
        "workflows",
        "code_scanning",
        "copilot_code_review",
    ]
)
BYPASS_TYPES = ("Integration", "OrganizationAdmin", "RepositoryRole", "Team", "DeployKey", "User")
MOST = 75  # rulesets in a repository, and in an organisation


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(f"Invalid property /{field}: {message}")


def _checked(body: dict[str, Any], *, organization: bool) -> dict[str, Any]:
    """The body with defaults; Invalid (422) where GitHub would refuse it."""
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise _wrong("name", "is required")
    if body.get("enforcement") not in ("active", "disabled", "evaluate"):
        raise _wrong("enforcement", "is not a possible value")
    if body.get("target", "branch") not in ("branch", "tag", "push", "repository"):
        raise _wrong("target", "is not a possible value")
    conditions = body.get("conditions") or {}
    if organization and not conditions.keys() & {"repository_name", "repository_id"}:
        raise _wrong("conditions", "data matches no possible input")
    for rule in body.get("rules") or ():
        _check_rule(rule, organization=organization)
    for bypass in body.get("bypass_actors") or ():
        if bypass.get("actor_type") not in BYPASS_TYPES:
            raise _wrong("bypass_actors", "actor_type is not a possible value")
    return {
        "name": body["name"],
        "target": body.get("target", "branch"),
        "enforcement": body["enforcement"],
        "rules": body.get("rules") or [],
        "conditions": conditions,
        "bypass_actors": [
            {"bypass_mode": "always", "actor_id": None, **b}
            for b in body.get("bypass_actors") or ()
        ],
    }


def _check_rule(rule: dict[str, Any], *, organization: bool) -> None:
    kind = rule.get("type")
    if kind not in RULE_TYPES:
        raise _wrong("rules", f"{kind} is not a rule")
    if kind == "merge_queue" and organization:
        raise _wrong("rules", "merge_queue is not allowed in an organization ruleset")
    if kind == "required_status_checks":
        checks = (rule.get("parameters") or {}).get("required_status_checks")
        if not isinstance(checks, list) or any(not c.get("context") for c in checks):
            raise _wrong("rules", "required_status_checks need a context")


def _emit(world: World, by: Account, what: str, ruleset: Ruleset, **extra: Any) -> None:
    source = ruleset.source
    place: dict[str, Any] = (
        {"repository": source} if isinstance(source, Repository) else {"org": source}
    )
    world.emit("repository_ruleset", what, sender=by, ruleset=ruleset, **place, **extra)


def save(
    world: World, by: Account, source: Repository | Account, body: dict[str, Any],
    ruleset_id: int | None = None,
) -> Ruleset:  # fmt: skip
    """Create a ruleset, or replace the one with this id."""
    organization = isinstance(source, Account)
    owner = source if isinstance(source, Account) else source.owner
    private = isinstance(source, Repository) and source.private
    if owner.plan == "free" and (organization or private):
        raise Forbidden(
            "Upgrade to GitHub Pro or make this repository public to enable this feature."
        )
    old = source.rulesets.get(ruleset_id) if ruleset_id is not None else None
    if ruleset_id is not None and old is None:
        raise NotFound("ruleset")
    if old:
        body = {
            "name": old.name, "target": old.target, "enforcement": old.enforcement,
            "rules": old.rules, "conditions": old.conditions, "bypass_actors": old.bypass_actors,
        } | body  # fmt: skip
    values = _checked(body, organization=organization)
    now = world.now()
    if old:
        changes = {"enforcement": {"from": old.enforcement}, "name": {"from": old.name}}
        for key, value in values.items():
            setattr(old, key, value)
        old.updated_at = now
        _emit(world, by, "edited", old, changes=changes)
        return old
    if len(source.rulesets) >= MOST:
        raise _wrong("name", f"more than {MOST} rulesets")
    if any(known.name == values["name"] for known in source.rulesets.values()):
        raise Invalid("Name must be unique")
    made = Ruleset(id=world.new_id(), source=source, created_at=now, updated_at=now, **values)
    source.rulesets[made.id] = world.register(made)
    _emit(world, by, "created", made)
    return made


def remove(world: World, by: Account, source: Repository | Account, ruleset_id: int) -> Ruleset:
    ruleset = source.rulesets.pop(ruleset_id, None)
    if ruleset is None:
        raise NotFound("ruleset")
    world.nodes.pop(ruleset.node_id, None)
    _emit(world, by, "deleted", ruleset)
    return ruleset


def _source(world: World, by: Account, repo: str, org: str) -> Repository | Account:
    if org:
        organization = world.organization(org)
        require_owner(organization, by)
        return organization
    repository = world.repository(repo)
    require(world, by, repository, "admin")
    return repository


@action
def set_ruleset(
    world: World,
    actor: str,
    repo: str = "",
    *,
    ruleset: dict[str, Any],
    org: str = "",
    id: int | None = None,  # noqa: A002
) -> Ruleset:
    """Create (or, with ``id``, replace) a ruleset of a repository or organisation."""
    by = world.account(actor)
    return save(world, by, _source(world, by, repo, org), ruleset, id)


@action
def delete_ruleset(
    world: World,
    actor: str,
    repo: str = "",
    *,
    id: int,  # noqa: A002 - the REST API's name
    org: str = "",
) -> Ruleset:
    by = world.account(actor)
    return remove(world, by, _source(world, by, repo, org), id)


@action
def require_check(
    world: World, actor: str, repo: str, *, context: str, app: str = "",
    branches: list[str] | None = None, strict: bool = False,
    name: str = "", bypass_actors: list[dict[str, Any]] | None = None,
) -> Ruleset:  # fmt: skip
    """Short for the ruleset that requires a check, pinned to an app (slug) if one is named."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    check: dict[str, Any] = {"context": context}
    if app:
        found = [a.id for a in world.apps.values() if a.slug == app]
        if not found:
            raise NotFound(f"app {app}")
        check["integration_id"] = found[0]
    body = {
        "name": name or f"require {context}",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": bypass_actors or [],
        "conditions": {"ref_name": {"include": branches or ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": strict,
                    "do_not_enforce_on_create": False,
                    "required_status_checks": [check],
                },
            }
        ],
    }
    return save(world, by, repository, body)


@action
def protect_branch(
    world: World, actor: str, repo: str, *, branch: str, settings: dict[str, Any]
) -> Protection:
    """Classic protection for a branch name or pattern: the body of the REST PUT."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    return protect(world, by, repository, branch, settings)


def protect(
    world: World, by: Account, repository: Repository, branch: str, settings: dict[str, Any]
) -> Protection:
    """Create or replace the classic rule of this exact pattern."""
    if repository.owner.plan == "free" and repository.private:
        raise Forbidden(
            "Upgrade to GitHub Pro or make this repository public to enable this feature."
        )
    checks = settings.get("required_status_checks")
    if checks and "checks" not in checks:
        checks = {
            **checks,
            "checks": [{"context": c, "app_id": None} for c in checks.get("contexts", [])],
        }
        settings = {**settings, "required_status_checks": checks}
    old = repository.protections.get(branch)
    if old:
        old.settings = settings
        world.emit("branch_protection_rule", "edited", repository=repository, sender=by, rule=old)
        return old
    made = Protection(id=world.new_id(), pattern=branch, repository=repository, settings=settings)
    repository.protections[branch] = world.register(made)
    world.emit("branch_protection_rule", "created", repository=repository, sender=by, rule=made)
    return made


@action
def unprotect_branch(world: World, actor: str, repo: str, *, branch: str) -> Protection:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    found = repository.protections.pop(branch, None)
    if found is None:
        raise NotFound("Branch not protected")
    world.nodes.pop(found.node_id, None)
    world.emit("branch_protection_rule", "deleted", repository=repository, sender=by, rule=found)
    return found
