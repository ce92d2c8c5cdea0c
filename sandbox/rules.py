"""What rulesets and classic protection demand of a branch, and whether a commit meets it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.git import MergeConflict, merge_trees
from sandbox.objects import (
    Account,
    Protection,
    PullRequest,
    Repository,
    Review,
    Ruleset,
    Status,
    at_least,
)
from sandbox.world import World

PASSING = frozenset({"success", "neutral", "skipped"})
_ROLE_IDS = {2: "maintain", 4: "write", 5: "admin"}


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A name that must be green. ``app_id`` None: any source may report it."""

    context: str
    app_id: int | None
    strict: bool
    ruleset: Ruleset | None  # None: from classic protection
    new_too: bool = True  # asked for also of a branch that is being made


def matches(pattern: str, name: str) -> bool:
    """Ruby's File.fnmatch with FNM_PATHNAME: ``*`` stops at a slash, ``**/`` crosses any number."""
    out, rest = "", pattern
    while rest:
        if rest.startswith("**/"):
            out, rest = out + "(?:.*/)?", rest[3:]
        elif rest.startswith("*"):
            out, rest = out + "[^/]*", rest.lstrip("*")
        elif rest.startswith("?"):
            out, rest = out + "[^/]", rest[1:]
        elif rest.startswith("[") and "]" in rest:
            inside, rest = rest[1:].split("]", 1)
            out += "[" + inside.replace("\\", "").replace("!", "^", 1) + "]"
        else:
            out, rest = out + re.escape(rest[0]), rest[1:]
    return re.fullmatch(out, name) is not None


_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}


def _ref_matches(
    conditions: dict[str, Any], repository: Repository, name: str, target: str
) -> bool:
    wanted = conditions.get("ref_name") or {"include": ["~ALL"], "exclude": []}

    def hit(pattern: str) -> bool:
        if pattern == "~ALL":
            return True
        if pattern == "~DEFAULT_BRANCH":
            return target == "branch" and name == repository.default_branch
        return matches(pattern.removeprefix(_PREFIXES[target]), name)

    included = any(hit(pattern) for pattern in wanted.get("include", []))
    return included and not any(hit(pattern) for pattern in wanted.get("exclude", []))


def _repository_matches(conditions: dict[str, Any], repository: Repository) -> bool:
    if ids := conditions.get("repository_id"):
        return repository.id in ids.get("repository_ids", [])
    wanted = conditions.get("repository_name")
    if not wanted:
        return False  # an organisation ruleset must say which repositories it means

    def hit(pattern: str) -> bool:
        return pattern == "~ALL" or fnmatch.fnmatchcase(repository.name.lower(), pattern.lower())

    included = any(hit(pattern) for pattern in wanted.get("include", []))
    return included and not any(hit(pattern) for pattern in wanted.get("exclude", []))


def org_rulesets(repository: Repository) -> list[Ruleset]:
    """The organisation's rulesets that mean this repository, whatever their enforcement."""
    found = repository.owner.rulesets.values()
    return [ruleset for ruleset in found if _repository_matches(ruleset.conditions, repository)]


def rulesets_for(repository: Repository, name: str, target: str = "branch") -> list[Ruleset]:
    """Active rulesets that apply to a branch (or ``tag``), the organisation's first."""
    return [
        ruleset
        for ruleset in [*org_rulesets(repository), *repository.rulesets.values()]
        if ruleset.enforcement == "active"
        and ruleset.target == target
        and _ref_matches(ruleset.conditions, repository, name, target)
    ]


def rules_for(repository: Repository, branch: str) -> list[tuple[Ruleset, dict[str, Any]]]:
    return [
        (ruleset, rule) for ruleset in rulesets_for(repository, branch) for rule in ruleset.rules
    ]


def protection_for(repository: Repository, branch: str) -> Protection | None:
    """The one classic rule that applies: an exact name wins over patterns, older over newer."""
    if exact := repository.protections.get(branch):
        return exact
    found = (p for p in repository.protections.values() if matches(p.pattern, branch))
    return next(found, None)


def can_bypass(world: World, actor: Account, ruleset: Ruleset, repository: Repository) -> bool:
    """May this account ignore the ruleset when merging a pull request?"""
    return any(
        bypass.get("bypass_mode", "always") in ("always", "pull_request", "exempt")
        and _is_bypass_actor(world, actor, bypass, repository)
        for bypass in ruleset.bypass_actors
    )


def _is_bypass_actor(
    world: World, actor: Account, bypass: dict[str, Any], repository: Repository
) -> bool:
    kind, number = bypass["actor_type"], bypass.get("actor_id")
    owner = repository.owner
    if kind == "OrganizationAdmin":
        return owner.members.get(actor.id) == "admin"
    if kind == "RepositoryRole":
        return at_least(world.permission(actor, repository), _ROLE_IDS.get(number or 0, "admin"))
    if kind == "Team":
        return any(t.id == number and actor.id in t.members for t in owner.teams.values())
    if kind == "Integration":
        return actor.app is not None and actor.app.id == number
    return kind == "User" and actor.id == number


def required_checks(repository: Repository, branch: str) -> list[RequiredCheck]:
    """Every required check of the branch, from rulesets and classic protection together."""
    found = []
    for ruleset, rule in rules_for(repository, branch):
        if rule["type"] == "required_status_checks":
            options = rule["parameters"]
            strict = bool(options.get("strict_required_status_checks_policy"))
            new_too = not options.get("do_not_enforce_on_create")
            found += [
                RequiredCheck(
                    check["context"], check.get("integration_id"), strict, ruleset, new_too
                )
                for check in options["required_status_checks"]
            ]
    if classic := protection_for(repository, branch):
        checks = classic.settings.get("required_status_checks") or {}
        for check in checks.get("checks", []):
            app_id = check.get("app_id")
            pinned = None if app_id in (None, -1) else app_id
            strict = bool(checks.get("strict"))
            # Classic protection leaves new branches alone, but for ``block_creations``.
            found.append(RequiredCheck(check["context"], pinned, strict, None, new_too=False))
    return found


def check_state(repository: Repository, sha: str, required: RequiredCheck) -> str:
    """success, pending, failure or expected (nobody reported). A status and a check both count."""
    runs = [
        run
        for suite in repository.suites.get(sha, ())
        if required.app_id is None or suite.app.id == required.app_id
        for run in suite.latest()
        if run.name == required.context
    ]
    states = []
    if runs:
        newest = max(runs, key=lambda run: run.id)
        if newest.status != "completed":
            states.append("pending")
        else:
            states.append("success" if newest.conclusion in PASSING else "failure")
    status = latest_statuses(repository, sha).get(required.context)
    if status and (states or _from_source(status, required) or status.state != "success"):
        states.append({"success": "success", "pending": "pending"}.get(status.state, "failure"))
    return next((word for word in ("failure", "pending", "success") if word in states), "expected")


def _from_source(status: Status, required: RequiredCheck) -> bool:
    app = status.creator.app
    return required.app_id is None or (app is not None and app.id == required.app_id)


def latest_statuses(repository: Repository, sha: str) -> dict[str, Status]:
    return {status.context: status for status in repository.statuses.get(sha, ())}


def standing_reviews(pull: PullRequest) -> dict[int, Review]:
    """Each person's last approval or change request; a dismissal ends it and revives nothing."""
    found: dict[int, Review] = {}
    for review in pull.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            found[review.author.id] = review
    return {key: review for key, review in found.items() if review.state != "DISMISSED"}


def writers_reviews(world: World, pull: PullRequest) -> list[Review]:
    """Standing reviews that GitHub itself counts: by accounts that can push now."""
    return [
        review
        for review in standing_reviews(pull).values()
        if at_least(world.permission(review.author, pull.repository), "write")
    ]


def _review_options(pull: PullRequest) -> Iterator[tuple[Ruleset | None, dict[str, Any]]]:
    for ruleset, rule in rules_for(pull.repository, pull.base_ref):
        if rule["type"] == "pull_request":
            yield ruleset, rule.get("parameters") or {}
    classic = protection_for(pull.repository, pull.base_ref)
    if classic and (options := classic.settings.get("required_pull_request_reviews")):
        yield None, options


def dismisses_stale(pull: PullRequest) -> bool:
    names = ("dismiss_stale_reviews_on_push", "dismiss_stale_reviews")
    return any(any(options.get(n) for n in names) for _, options in _review_options(pull))


def review_decision(world: World, pull: PullRequest) -> str | None:
    """GraphQL's ``reviewDecision``; None where no review is required and none was given."""
    needed = [o.get("required_approving_review_count", 1) for _, o in _review_options(pull)]
    counted = writers_reviews(world, pull)
    if any(review.state == "CHANGES_REQUESTED" for review in counted):
        return "CHANGES_REQUESTED"
    if not needed:
        return None
    return "APPROVED" if len(counted) >= max(needed) else "REVIEW_REQUIRED"


def _review_problem(world: World, pull: PullRequest, options: dict[str, Any]) -> str | None:
    counted = writers_reviews(world, pull)
    if any(review.state == "CHANGES_REQUESTED" for review in counted):
        return "Changes have been requested by reviewers with write access."
    needed = options.get("required_approving_review_count", 0)
    if len(counted) < needed:
        return f"At least {needed} approving review is required by reviewers with write access."
    if options.get("require_last_push_approval") and not any(
        review.author is not last_pusher(pull) for review in counted
    ):
        return "New changes require approval from someone other than the last pusher."
    return None


def last_pusher(pull: PullRequest) -> Account | None:
    head = pull.head_repository
    for activity in reversed(head.activities if head else ()):
        if activity.ref == f"refs/heads/{pull.head_ref}":
            return activity.actor
    return pull.author


def check_problems(
    repository: Repository, branch: str, sha: str, *, new: bool = False
) -> list[tuple[Ruleset | None, str]]:
    """Required checks that are not green on the commit, in GitHub's words.

    ``new``: the branch is being made, and a check may be asked for only later.
    """
    words = {
        "expected": 'Required status check "{}" is expected.',
        "pending": 'Required status check "{}" is pending.',
        "failure": 'Required status check "{}" is failing.',
    }
    found = []
    for required in required_checks(repository, branch):
        state = check_state(repository, sha, required)
        if state != "success" and (required.new_too or not new):
            found.append((required.ruleset, words[state].format(required.context)))
    return found


def merge_problems(world: World, pull: PullRequest, actor: Account) -> list[str]:
    """Why the rules forbid this account to merge; empty when it may."""
    repository, branch = pull.repository, pull.base_ref
    found = check_problems(repository, branch, pull.head_sha)
    strict = [r for r in required_checks(repository, branch) if r.strict]
    if strict and is_behind(pull):
        found.append((strict[0].ruleset, "Head branch is out of date with the base branch."))
    for ruleset, options in _review_options(pull):
        if problem := _review_problem(world, pull, options):
            found.append((ruleset, problem))
    for ruleset, rule in rules_for(repository, branch):
        if rule["type"] == "merge_queue":
            found.append((ruleset, "Changes must be made through the merge queue"))
    return [text for source, text in found if not _excused(world, pull, actor, source)]


def _excused(world: World, pull: PullRequest, actor: Account, source: Ruleset | None) -> bool:
    if source is not None:
        return can_bypass(world, actor, source, pull.repository)
    classic = protection_for(pull.repository, pull.base_ref)
    admins_too = bool(classic and classic.settings.get("enforce_admins"))
    return not admins_too and world.permission(actor, pull.repository) == "admin"


def allowed_methods(pull: PullRequest) -> set[str]:
    """merge, squash, rebase: what repository settings and rules leave."""
    names = {"merge": "merge_commit", "squash": "squash_merge", "rebase": "rebase_merge"}
    settings = pull.repository.settings
    left = {method for method, name in names.items() if settings[f"allow_{name}"]}
    for _, options in _review_options(pull):
        left &= set(options.get("allowed_merge_methods") or left)
    for _, rule in rules_for(pull.repository, pull.base_ref):
        if rule["type"] == "required_linear_history":
            left.discard("merge")
    return left


def is_behind(pull: PullRequest) -> bool:
    tip = pull.repository.branches.get(pull.base_ref)
    return tip is not None and not pull.repository.store.is_ancestor(tip, pull.head_sha)


def has_conflict(pull: PullRequest) -> bool:
    store, tip = pull.repository.store, pull.repository.branches.get(pull.base_ref)
    base = store.merge_base(tip, pull.head_sha) if tip else None
    if tip is None or base is None:
        return True
    try:
        old, ours, theirs = (store.commits[sha].tree for sha in (base, tip, pull.head_sha))
        merge_trees(old, ours, theirs)
    except MergeConflict:
        return True
    return False


def merge_state(world: World, pull: PullRequest) -> str:
    """GraphQL's ``mergeStateStatus`` for an account without bypass."""
    if pull.state != "open":
        return "UNKNOWN"
    if has_conflict(pull):
        return "DIRTY"
    if pull.draft:
        return "DRAFT"
    problems = merge_problems(world, pull, world.ghost)
    if any("out of date" in problem for problem in problems):
        return "BEHIND"
    if problems:
        return "BLOCKED"
    states = {
        run.conclusion
        for suite in pull.repository.suites.get(pull.head_sha, ())
        for run in suite.latest()
    }
    return "CLEAN" if states <= PASSING else "UNSTABLE"


def push_problems(
    world: World,
    repository: Repository,
    branch: str,
    actor: Account,
    sha: str | None,
    *,
    forced: bool,
) -> list[str]:
    """Why a direct push (or, with ``sha`` None, a deletion) is declined by the branch's rules."""
    found: list[tuple[Ruleset, str]] = []
    for ruleset, rule in rules_for(repository, branch):
        kind = rule["type"]
        if kind == "deletion" and sha is None:
            found.append((ruleset, "Cannot delete this branch"))
        if kind == "non_fast_forward" and forced:
            found.append((ruleset, "Cannot force-push to this branch"))
        if kind == "pull_request" and sha is not None:
            found.append((ruleset, "Changes must be made through a pull request."))
        if kind == "merge_queue" and sha is not None:
            found.append((ruleset, "Changes must be made through the merge queue"))
    left = [
        text for ruleset, text in found if not _may_push_past(world, actor, ruleset, repository)
    ]
    if sha is not None:
        left += [
            text
            for source, text in check_problems(repository, branch, sha)
            if not _push_excused(world, repository, branch, actor, source)
        ]
    return left + _classic_push_problems(world, repository, branch, actor, sha, forced=forced)


def creation_problems(
    world: World, repository: Repository, branch: str, actor: Account, sha: str
) -> list[str]:
    """Why a branch may not be made at this commit. Pull requests and queues are asked for later."""
    found: list[tuple[Ruleset | None, str]] = [
        (ruleset, "Cannot create ref due to creations being restricted.")
        for ruleset, rule in rules_for(repository, branch)
        if rule["type"] == "creation"
    ]
    found += check_problems(repository, branch, sha, new=True)
    classic = protection_for(repository, branch)
    if classic and classic.settings.get("block_creations"):
        found.append((None, "Cannot create this protected branch"))
    return [
        text
        for source, text in found
        if not _push_excused(world, repository, branch, actor, source)
    ]


def _push_excused(
    world: World, repository: Repository, branch: str, actor: Account, source: Ruleset | None
) -> bool:
    if source is not None:
        return _may_push_past(world, actor, source, repository)
    classic = protection_for(repository, branch)
    admins_too = bool(classic and classic.settings.get("enforce_admins"))
    return not admins_too and world.permission(actor, repository) == "admin"


def _may_push_past(world: World, actor: Account, ruleset: Ruleset, repository: Repository) -> bool:
    return any(
        bypass.get("bypass_mode", "always") in ("always", "exempt")
        and _is_bypass_actor(world, actor, bypass, repository)
        for bypass in ruleset.bypass_actors
    )


def _classic_push_problems(
    world: World,
    repository: Repository,
    branch: str,
    actor: Account,
    sha: str | None,
    *,
    forced: bool,
) -> list[str]:
    classic = protection_for(repository, branch)
    if classic is None or _push_excused(world, repository, branch, actor, None):
        return []
    found = []
    if sha is None and not classic.settings.get("allow_deletions"):
        found.append("Cannot delete a protected branch")
    if forced and not classic.settings.get("allow_force_pushes"):
        found.append("Cannot force-push to a protected branch")
    if sha is not None and classic.settings.get("required_pull_request_reviews"):
        found.append("Changes must be made through a pull request.")
    return found


def queue_options(repository: Repository, branch: str) -> dict[str, Any] | None:
    """The parameters of the branch's merge_queue rule, or None without a queue."""
    for _, rule in rules_for(repository, branch):
        if rule["type"] == "merge_queue":
            return dict(rule.get("parameters") or {})
    return None
