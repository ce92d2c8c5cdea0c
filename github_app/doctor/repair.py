"""Our rulesets: what must be in them, and what to write where it is not. Pure.

What somebody added to it is kept where it demands more, and taken away where it lets somebody by.
"""

import difflib
import json
from collections.abc import Mapping
from typing import Any

from github_app.gateway.protection import CHECK_RULE, PULL_RULE

Body = Mapping[str, Any]
# ``*`` stops at a slash in rulesets: the second pattern is for release/2026/spring.
REFS = ("~DEFAULT_BRANCH", "refs/heads/release/*", "refs/heads/release/**/*")
# Of versions. Braces are no part of a ruleset's patterns, so each form is there.
TAGS = (
    "refs/tags/[0-9]*",
    "refs/tags/v[0-9]*",
    "refs/tags/release-[0-9]*",
    "refs/tags/release/[0-9]*",
)
# Our check is the review: the pull request is asked for so that nothing is pushed around it.
_PULL_REQUEST = {
    "required_approving_review_count": 0,
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}


def ruleset_name(check_name: str) -> str:
    """By this name it is found again."""
    return f"Countersign: {check_name}"


def tags_ruleset_name(check_name: str) -> str:
    return f"Countersign: {check_name}, release tags"


def mended(
    kept: Body | None,
    *,
    check_name: str,
    app_id: int,
    organization: bool,
    branches: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The body to write: ``kept`` with whatever is missing, or a new one. Equal if all is well.

    ``branches``: patterns (``refs/heads/...``) of more branches than the usual ones.
    """
    rules = _rules(list((kept or {}).get("rules") or ()), check_name, app_id)
    name = ruleset_name(check_name)
    return _body(kept, name, "branch", (*REFS, *branches), rules, organization=organization)


def mended_tags(kept: Body | None, *, check_name: str, organization: bool) -> dict[str, Any]:
    """The same of the ruleset by which release tags can be neither moved nor deleted."""
    rules = list((kept or {}).get("rules") or ())
    there = {rule["type"] for rule in rules}
    rules += [{"type": kind} for kind in ("deletion", "update") if kind not in there]
    name = tags_ruleset_name(check_name)
    return _body(kept, name, "tag", TAGS, rules, organization=organization)


def _body(
    kept: Body | None,
    name: str,
    target: str,
    wanted: tuple[str, ...],
    rules: list[dict[str, Any]],
    *,
    organization: bool,
) -> dict[str, Any]:
    conditions = dict((kept or {}).get("conditions") or {})
    refs = (conditions.get("ref_name") or {}).get("include") or []
    conditions["ref_name"] = {
        "include": [*refs, *(ref for ref in wanted if ref not in refs)],
        "exclude": [],
    }
    if organization:
        conditions = {
            "ref_name": conditions["ref_name"],
            "repository_name": {"include": ["~ALL"], "exclude": [], "protected": True},
        }
    return {
        "name": name,
        "target": target,
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": conditions,
        "rules": rules,
    }


def difference(kept: Body | None, body: Body) -> tuple[str, ...]:
    """What writing ``body`` changes, line by line as in ``diff -u``; nothing if nothing does.

    All in ASCII: names that others chose are escaped.
    """
    before = [] if kept is None else _lines(kept)
    lines = difflib.unified_diff(before, _lines(body), "on GitHub", "wanted", lineterm="", n=3)
    return tuple(lines)


def _lines(body: Body) -> list[str]:
    return json.dumps(body, indent=2, sort_keys=True).splitlines()


def _rules(kept: list[dict[str, Any]], check_name: str, app_id: int) -> list[dict[str, Any]]:
    checks = next((rule for rule in kept if rule["type"] == CHECK_RULE), None)
    if checks is None:
        kept = [*kept, _check_rule({}, check_name, app_id)]
    else:
        mended_rule = _check_rule(checks.get("parameters") or {}, check_name, app_id)
        kept = [mended_rule if rule is checks else rule for rule in kept]
    if not any(rule["type"] == PULL_RULE for rule in kept):
        kept = [*kept, {"type": PULL_RULE, "parameters": _PULL_REQUEST}]
    return kept


def _check_rule(parameters: Body, check_name: str, app_id: int) -> dict[str, Any]:
    """Other checks and strictness stay; ours is there once and pinned."""
    ours = {"context": check_name, "integration_id": app_id}
    listed = list(parameters.get("required_status_checks") or ())
    if ours not in listed:
        listed = [one for one in listed if one.get("context") != check_name]
        listed.append(ours)
    return {
        "type": CHECK_RULE,
        "parameters": {
            **parameters,
            "strict_required_status_checks_policy": bool(
                parameters.get("strict_required_status_checks_policy")
            ),
            "do_not_enforce_on_create": False,
            "required_status_checks": listed,
        },
    }
