"""What GitHub demands on a branch: our check, a pull request, and who may pass without them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from github_app.gateway.client import Caller, GitHub, Installation
from github_app.gateway.errors import Forbidden, NotFound, TokenRefused
from github_app.gateway.nodes import Node, child, flag, number, text
from github_app.gateway.reading import refusing_surprises
from github_app.settings import Secret

CHECK_RULE, PULL_RULE, QUEUE_RULE = "required_status_checks", "pull_request", "merge_queue"
_BRANCH_RULES = "/repos/{owner}/{repo}/rules/branches/{branch}"
# Repository roles have numbers in rulesets, which GitHub does not document: seen, not promised.
_ROLES = {2: "everybody who maintains", 4: "everybody who writes", 5: "repository admins"}
_ACTORS = {
    "OrganizationAdmin": "organisation owners",
    "EnterpriseOwner": "enterprise owners",
    "DeployKey": "deploy keys",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One rule that a branch is under: our check (CHECK_RULE), a pull request (PULL_RULE) or a
    merge queue (QUEUE_RULE).

    ``source`` is foreign text, such as ``ruleset 12 of acme/shop``. ``app_id``: the app that the
    check must come from, None for any. ``new_too``: the check is asked for also of a branch that is
    being made. ``bypass``: who may pass without, in words; None where we may not see that.
    ``ruleset`` and ``node_id``: of the ruleset, None for classic protection. ``queue``: method,
    grouping and patience of a merge queue. ``dismissals``: who may dismiss reviews, where it was
    asked.
    """

    rule: str
    source: str
    app_id: int | None = None
    strict: bool = False
    new_too: bool = True
    bypass: tuple[str, ...] | None = None
    ruleset: int | None = None
    node_id: str = ""
    queue: str = ""
    dismissals: str = ""


class GivenToken:
    """A token that somebody gave for the occasion: there is no other one when it is refused."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def bearer(self) -> str:
        return self._token.reveal()

    def renew(self, refused: str, there: datetime | None = None) -> bool:
        del refused, there
        return False


def admin(github: GitHub, token: Secret) -> Caller:
    """Whoever the token belongs to."""
    return Caller(github, None, GivenToken(token))


def rules(
    installation: Installation, owner: str, name: str, branch: str, *, check_name: str
) -> tuple[Demand, ...]:
    """What active rulesets of every level demand of a branch, which need not exist.

    Raises: GitHubError; Forbidden where the owner's plan has no rules for private repositories.
    Source: REST ``repos/get-branch-rules``.
    """
    values = {"owner": owner, "repo": name, "branch": branch}
    found: list[Demand] = []
    for page in installation.pages(_BRANCH_RULES, values):
        with refusing_surprises():
            for rule in page:
                found += _demands(rule, check_name)
    return tuple(found)


def _demands(rule: Node, check_name: str) -> Iterator[Demand]:
    kind = text(rule, "type")
    if kind not in {CHECK_RULE, PULL_RULE, QUEUE_RULE}:
        return
    demand = Demand(
        rule=kind,
        source=f"ruleset {number(rule, 'ruleset_id')} of {text(rule, 'ruleset_source')}",
        ruleset=number(rule, "ruleset_id"),
    )
    parameters = rule.get("parameters") or {}
    if kind == CHECK_RULE:
        new_too = not parameters.get("do_not_enforce_on_create")
        for app_id, strict in _wanted(parameters, check_name):
            yield replace(demand, app_id=app_id, strict=strict, new_too=new_too)
    elif kind == PULL_RULE:
        restriction = parameters.get("dismissal_restriction") or {}
        yield replace(demand, dismissals=_dismissals(bool(restriction.get("enabled"))))
    else:
        yield replace(demand, queue=_queue(parameters))


def _dismissals(restricted: bool) -> str:  # noqa: FBT001 - one word for two cases
    return "those the rule names" if restricted else "everybody who writes"


def _queue(parameters: Node) -> str:
    minutes = number(parameters, "check_response_timeout_minutes")
    method, grouping = text(parameters, "merge_method"), text(parameters, "grouping_strategy")
    return f"{method.lower()}, {grouping.lower()}, {minutes} minutes"


def classic_checks(
    installation: Installation, owner: str, name: str, branch: str, *, check_name: str
) -> tuple[Demand, ...]:
    """Our check, as classic protection demands it; see ``classic_protection``."""
    return classic_protection(installation, owner, name, branch, check_name=check_name)[1]


def classic_protection(
    installation: Installation, owner: str, name: str, branch: str, *, check_name: str
) -> tuple[bool, tuple[Demand, ...]]:
    """Whether classic protection applies to a branch, and our check as far as it demands it.

    Raises: GitHubError. Source: REST ``repos/get-branch``, which shows it without
    *Administration*.
    """
    values = {"owner": owner, "repo": name, "branch": branch}
    try:
        found: Any = installation.rest(
            "GET", "/repos/{owner}/{repo}/branches/{branch}", values
        ).data
    except NotFound:
        return False, ()  # nothing was pushed yet: a classic rule for it cannot be seen
    with refusing_surprises():
        classic = bool((found.get("protection") or {}).get("enabled"))
        return classic, tuple(_classic_checks(found, check_name))


def classic_pull_request(
    caller: Caller, owner: str, name: str, branch: str, *, person: bool = False
) -> tuple[Demand, ...] | None:
    """Whether classic protection demands a pull request; None where ``caller`` may not see it.

    ``person``: of people GitHub also hides it by saying that there is none.
    Raises: GitHubError. Source: REST ``repos/get-branch-protection`` (Administration: read).
    """
    values = {"owner": owner, "repo": name, "branch": branch}
    try:
        found: Any = caller.rest(
            "GET", "/repos/{owner}/{repo}/branches/{branch}/protection", values
        ).data
    except NotFound:
        return None if person else ()
    except Forbidden:
        return None
    with refusing_surprises():
        reviews = found.get("required_pull_request_reviews")
        if reviews is None:
            return ()
        allowed = reviews.get("bypass_pull_request_allowances") or {}
        named = [
            _called(one) for kind in ("users", "teams", "apps") for one in allowed.get(kind, ())
        ]
        if not flag(child(found, "enforce_admins"), "enabled"):
            named.append("repository admins")
        return (
            Demand(
                rule=PULL_RULE,
                source=f"classic protection of {branch}",
                bypass=tuple(named),
                dismissals=_dismissals(reviews.get("dismissal_restrictions") is not None),
            ),
        )


class BypassReader:
    """Who may bypass a ruleset, asked once for each: one of an organisation is on every repository.

    Two threads may ask for the same one at once: both get the same answer.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._known: dict[int, tuple[str, ...] | None] = {}

    def of(self, owner: str, name: str, ruleset_id: int) -> tuple[str, ...] | None:
        """In words; None where the caller may not see it. Raises: GitHubError."""
        if ruleset_id not in self._known:
            self._known[ruleset_id] = self._read(owner, name, ruleset_id)
        return self._known[ruleset_id]

    def _read(self, owner: str, name: str, ruleset_id: int) -> tuple[str, ...] | None:
        values = {"owner": owner, "repo": name, "id": ruleset_id}
        try:
            found: Any = self._caller.rest(
                "GET", "/repos/{owner}/{repo}/rulesets/{id}", values
            ).data
        except (NotFound, Forbidden):
            return None
        except TokenRefused as error:
            error.advice = "Give another token in GITHUB_ADMIN_TOKEN, or none."
            raise
        with refusing_surprises():
            actors = found.get("bypass_actors")  # left out for who may not write the ruleset
            return None if actors is None else tuple(bypass_actor(one) for one in actors)


def bypass_actor(node: Node) -> str:
    """A bypass actor in words. ``exempt`` leaves no trace, so it is said."""
    kind, mode = text(node, "actor_type"), str(node.get("bypass_mode", "always"))
    number_ = node.get("actor_id")
    words = _ACTORS.get(kind)
    if kind == "RepositoryRole":
        words = _ROLES.get(number_ or 0, f"repository role {number_}")
    elif words is None:
        words = (
            f"{ {'Integration': 'app', 'Team': 'team', 'User': 'user'}.get(kind, kind) } {number_}"
        )
    return words if mode == "always" else f"{words} ({mode})"


def bypass_words(node: Node) -> str | None:
    """The same of a ``RepositoryRulesetBypassActor``, which has names; None for a kind or
    mode that we do not know."""
    actor = node["actor"] or {}
    words = None
    if actor.get("slug"):
        words = f"app {text(actor, 'slug')}"
    elif actor.get("combinedSlug"):
        words = f"team {text(actor, 'combinedSlug')}"
    elif node["repositoryRoleName"] is not None:
        words = f"everybody with the role {text(node, 'repositoryRoleName')}"
    else:
        flags = {
            "deployKey": "DeployKey",
            "organizationAdmin": "OrganizationAdmin",
            "enterpriseOwner": "EnterpriseOwner",
        }
        words = next((_ACTORS[kind] for name, kind in flags.items() if node[name]), None)
    mode = node["bypassMode"]
    if words is None or mode is None:
        return None
    return words if mode == "ALWAYS" else f"{words} ({str(mode).lower()})"


def _wanted(parameters: Node, check_name: str) -> Iterator[tuple[int | None, bool]]:
    """The app that a rule wants our check from (None is any), and whether it is strict."""
    strict = bool(parameters.get("strict_required_status_checks_policy"))
    for check in parameters["required_status_checks"]:
        if text(check, "context") == check_name:
            source = check.get("integration_id")
            yield (None if source is None else number(check, "integration_id")), strict


def _classic_checks(branch: Node, check_name: str) -> Iterator[Demand]:
    """Strictness is not shown here, and of bypasses only that of admins.

    A branch that is being made is left alone: nothing promises more.
    """
    demanded = (branch.get("protection") or {}).get("required_status_checks") or {}
    level = demanded.get("enforcement_level", "off")
    if level == "off":
        return
    for check in demanded.get("checks") or ():
        if text(check, "context") == check_name:
            source = check.get("app_id")
            yield Demand(
                rule=CHECK_RULE,
                source=f"classic protection of {text(branch, 'name')}",
                app_id=None if source in (None, -1) else number(check, "app_id"),
                new_too=False,
                bypass=() if level == "everyone" else ("repository admins",),
            )


def _called(node: Mapping[str, object]) -> str:
    return str(node.get("login") or node.get("slug") or "somebody")


# --- Our own ruleset ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rulesets are kept: an organisation's, or with ``name`` a repository's."""

    owner: str
    name: str | None = None

    @property
    def template(self) -> str:
        return "/orgs/{owner}/rulesets" if self.name is None else "/repos/{owner}/{repo}/rulesets"

    @property
    def values(self) -> dict[str, object]:
        return {"owner": self.owner, "repo": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A ruleset as it is kept. ``body``: what a PUT takes."""

    id: int
    body: Mapping[str, Any]


BODY_KEYS = ("name", "target", "enforcement", "bypass_actors", "conditions", "rules")


def ruleset_named(caller: Caller, place: Place, name: str) -> Kept | None:
    """The ruleset of this very place with this name; names are unique there. Raises: GitHubError.

    Source: REST ``repos/get-repo-rulesets``, ``repos/get-org-rulesets``.
    """
    query: dict[str, str | int] = {} if place.name is None else {"includes_parents": "false"}
    for page in caller.pages(place.template, place.values, query=query):
        with refusing_surprises():
            found = [number(one, "id") for one in page if text(one, "name") == name]
        if found:
            return ruleset(caller, place, found[0])
    return None


def ruleset(caller: Caller, place: Place, ruleset_id: int) -> Kept:
    """Raises: GitHubError; Forbidden also where its bypass actors are not shown."""
    values = {**place.values, "id": ruleset_id}
    found: Any = caller.rest("GET", f"{place.template}/{{id}}", values).data
    with refusing_surprises():
        if "bypass_actors" not in found:
            raise Forbidden("the token may not write this ruleset", missing="administration=write")
        return Kept(id=number(found, "id"), body={key: found[key] for key in BODY_KEYS})


def create_ruleset(caller: Caller, place: Place, body: Mapping[str, object]) -> Kept:
    """Returns it as it is kept, read again. Raises: GitHubError."""
    made: Any = caller.rest("POST", place.template, place.values, body=body).data
    with refusing_surprises():
        ruleset_id = number(made, "id")
    return ruleset(caller, place, ruleset_id)


def update_ruleset(
    caller: Caller, place: Place, ruleset_id: int, body: Mapping[str, object]
) -> Kept:
    """Returns it as it is kept, read again. Raises: GitHubError."""
    values = {**place.values, "id": ruleset_id}
    caller.rest("PUT", f"{place.template}/{{id}}", values, body=body)
    return ruleset(caller, place, ruleset_id)
