"""Refs, and what rulesets and classic protection demand of them."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: ARG001

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.connections import Connection
from sandbox.objects import App, Protection, Repository, Ruleset, Team
from sandbox.resolvers.core import (
    Bypass,
    Context,
    RefView,
    RuleView,
    commit_in,
    pull_state,
    resolves,
    simple,
)

simple(
    {
        "id": lambda r: f"REF_{r.repository.id:x}_{r.name}",
        "target": lambda r: commit_in(r.repository, r.sha),
    },
    "Ref",
)


@resolves("Ref.rules")
def _ref_rules(ref: RefView, ctx: Context, **page: Any) -> Connection:
    found = [
        RuleView(ruleset, place)
        for ruleset in rules.rulesets_for(
            ref.repository, ref.name, "tag" if ref.prefix == "refs/tags/" else "branch"
        )
        for place in range(len(ruleset.rules))
    ]
    return ctx.page(found, page)


@resolves("Ref.associatedPullRequests")
def _pulls_of(
    ref: RefView, ctx: Context, states: list[str] | None = None, **page: Any
) -> Connection:
    """Pull requests of this repository whose head is the branch."""
    ctx.need(ref.repository, "pull_requests")
    found = [
        pull
        for pull in ref.repository.pulls.values()
        if pull.head_repository is ref.repository and pull.head_ref == ref.name
        if states is None or pull_state(pull) in states
    ]
    return ctx.page(found, page)


@resolves("Ref.branchProtectionRule")
def _ref_protection(ref: RefView, ctx: Context) -> Protection | None:
    ctx.need(ref.repository, "administration")
    return rules.protection_for(ref.repository, ref.name)


@resolves("Ref.refUpdateRule")
def _update_rule(ref: RefView, ctx: Context) -> dict[str, Any] | None:
    classic = rules.protection_for(ref.repository, ref.name)
    if classic is None or ref.prefix == "refs/tags/":
        return None
    checks = classic.settings.get("required_status_checks") or {}
    reviews = classic.settings.get("required_pull_request_reviews") or {}
    return {
        "pattern": classic.pattern,
        "requiredStatusCheckContexts": [c["context"] for c in checks.get("checks", [])],
        "requiredApprovingReviewCount": reviews.get("required_approving_review_count"),
        "allowsForcePushes": bool(classic.settings.get("allow_force_pushes")),
    }


def _rule(view: RuleView) -> dict[str, Any]:
    return view.ruleset.rules[view.place]


simple(
    {
        "id": lambda v: f"RR_{v.ruleset.id:x}_{v.place}",
        "type": lambda v: _rule(v)["type"].upper(),
        "repositoryRuleset": lambda v: v.ruleset,
    },
    "RepositoryRule",
)


@resolves("RepositoryRule.parameters")
def _parameters(view: RuleView, ctx: Context) -> dict[str, Any] | None:
    rule = _rule(view)
    options = rule.get("parameters") or {}
    if rule["type"] == "required_status_checks":
        return {
            "__typename": "RequiredStatusChecksParameters",
            "strictRequiredStatusChecksPolicy": bool(
                options.get("strict_required_status_checks_policy")
            ),
            "doNotEnforceOnCreate": bool(options.get("do_not_enforce_on_create")),
            "requiredStatusChecks": [
                {"context": c["context"], "integrationId": c.get("integration_id")}
                for c in options["required_status_checks"]
            ],
        }
    if rule["type"] == "pull_request":
        return {
            "__typename": "PullRequestParameters",
            "requiredApprovingReviewCount": options.get("required_approving_review_count", 0),
            "dismissStaleReviewsOnPush": bool(options.get("dismiss_stale_reviews_on_push")),
            "requireLastPushApproval": bool(options.get("require_last_push_approval")),
            "requireCodeOwnerReview": bool(options.get("require_code_owner_review")),
            "allowedMergeMethods": [m.upper() for m in options.get("allowed_merge_methods") or ()],
        }
    if rule["type"] == "merge_queue":
        return {
            "__typename": "MergeQueueParameters",
            "mergeMethod": options.get("merge_method", "MERGE"),
            "groupingStrategy": options.get("grouping_strategy", "ALLGREEN"),
            "checkResponseTimeoutMinutes": options.get("check_response_timeout_minutes", 60),
            "maxEntriesToMerge": options.get("max_entries_to_merge", 5),
        }
    return None


simple(
    {
        "enforcement": lambda r: r.enforcement.upper(),
        "target": lambda r: r.target.upper(),
        "conditions": lambda r: {
            "refName": r.conditions.get("ref_name"),
            "repositoryName": _name_condition(r.conditions.get("repository_name")),
            "repositoryId": _id_condition(r.conditions.get("repository_id")),
        },
    },
    "RepositoryRuleset",
)


def _name_condition(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return given and {"protected": bool(given.get("protected")), "exclude": [], **given}


def _id_condition(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return given and {"repositoryIds": [f"R_{number}" for number in given["repository_ids"]]}


@resolves("RepositoryRuleset.rules")
def _ruleset_rules(ruleset: Ruleset, ctx: Context, **page: Any) -> Connection:
    kind = page.pop("type", None)
    found = [
        RuleView(ruleset, place)
        for place, rule in enumerate(ruleset.rules)
        if kind in (None, rule["type"].upper())
    ]
    return ctx.page(found, page)


@resolves("RepositoryRuleset.bypassActors")
def _bypass_actors(ruleset: Ruleset, ctx: Context, **page: Any) -> Connection | None:
    """Null unless the caller may write the ruleset: "unknown", not "none"."""
    source = ruleset.source
    if isinstance(source, Repository):
        level = ctx.caller.level(source, "administration")
    else:
        level = ctx.caller.org_level(source, "organization_administration")
    if level != "write":
        return None
    return ctx.page([Bypass(ruleset, n) for n in range(len(ruleset.bypass_actors))], page)


def _given(bypass: Bypass) -> dict[str, Any]:
    return bypass.ruleset.bypass_actors[bypass.place]


_MODES = {"always": "ALWAYS", "pull_request": "PULL_REQUEST"}
_ROLE_NAMES = {2: "maintain", 4: "write", 5: "admin"}
simple(
    {
        "id": lambda b: f"RRBA_{b.ruleset.id:x}_{b.place}",
        # The published schema has no word for "exempt".
        "bypassMode": lambda b: _MODES.get(_given(b).get("bypass_mode", "always")),
        "deployKey": lambda b: _given(b)["actor_type"] == "DeployKey",
        "organizationAdmin": lambda b: _given(b)["actor_type"] == "OrganizationAdmin",
        "enterpriseOwner": lambda _: False,
        "repositoryRoleName": lambda b: (
            _ROLE_NAMES.get(_given(b)["actor_id"])
            if _given(b)["actor_type"] == "RepositoryRole"
            else None
        ),
    },
    "RepositoryRulesetBypassActor",
)


@resolves("RepositoryRulesetBypassActor.actor")
def _bypass_actor(bypass: Bypass, ctx: Context) -> App | Team | None:
    given = _given(bypass)
    if given["actor_type"] == "Integration":
        return ctx.world.apps.get(given["actor_id"])
    if given["actor_type"] == "Team":
        source = bypass.ruleset.source
        owner = source.owner if isinstance(source, Repository) else source
        return next((t for t in owner.teams.values() if t.id == given["actor_id"]), None)
    return None


def _reviews_of(protection: Protection) -> dict[str, Any]:
    return protection.settings.get("required_pull_request_reviews") or {}


def _checks_of(protection: Protection) -> dict[str, Any]:
    return protection.settings.get("required_status_checks") or {}


simple(
    {
        "isAdminEnforced": lambda p: bool(p.settings.get("enforce_admins")),
        "requiresStatusChecks": lambda p: bool(_checks_of(p)),
        "requiresStrictStatusChecks": lambda p: bool(_checks_of(p).get("strict")),
        "requiresApprovingReviews": lambda p: bool(_reviews_of(p)),
        "dismissesStaleReviews": lambda p: bool(_reviews_of(p).get("dismiss_stale_reviews")),
        "requireLastPushApproval": lambda p: bool(_reviews_of(p).get("require_last_push_approval")),
        "allowsForcePushes": lambda p: bool(p.settings.get("allow_force_pushes")),
        "allowsDeletions": lambda p: bool(p.settings.get("allow_deletions")),
    },
    "BranchProtectionRule",
)


@resolves("BranchProtectionRule.requiredStatusChecks")
def _required(protection: Protection, ctx: Context) -> list[dict[str, Any]]:
    return [
        {"context": check["context"], "app": ctx.world.apps.get(check.get("app_id") or 0)}
        for check in _checks_of(protection).get("checks", [])
    ]


@resolves("BranchProtectionRule.bypassPullRequestAllowances")
def _allowances(protection: Protection, ctx: Context, **page: Any) -> Connection:
    allowed = _reviews_of(protection).get("bypass_pull_request_allowances") or {}
    return ctx.page([name for names in allowed.values() for name in names], page)
