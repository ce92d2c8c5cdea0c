"""What GitHub demands in many repositories at once: one query for 25 of them, one for 50 rulesets.

Where a batch is refused it is asked again in halves, down to the one that is the cause.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from github_app.gateway.client import Caller, Installation
from github_app.gateway.errors import (
    Forbidden,
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    Refused,
    TooHeavy,
)
from github_app.gateway.nodes import Node, Surprise, child, flag, items, number, optional, text
from github_app.gateway.protection import (
    CHECK_RULE,
    PULL_RULE,
    QUEUE_RULE,
    Demand,
    bypass_words,
    classic_protection,
    rules,
)
from github_app.gateway.pull_request import RosterText, repository_roster
from github_app.gateway.reading import refusing_surprises
from github_app.gateway.repository import ROSTER_EXPRESSIONS
from github_app.judge.branches import BEGINNINGS, is_release
from github_app.judge.facts import Repository

BATCH, RULESETS = 25, 50
# Tags that name a version: v1, 1.2.3, release-7. ``protect --tags`` holds the same ones.
_VERSION = re.compile(r"(?:v|release[-/])?[0-9][^/]*")
_KINDS = {
    "REQUIRED_STATUS_CHECKS": CHECK_RULE,
    "PULL_REQUEST": PULL_RULE,
    "MERGE_QUEUE": QUEUE_RULE,
}
# A tag is held where it may neither be deleted nor moved. Source: docs, "Available rules".
_HOLDING = {"DELETION", "UPDATE"}
_MATCHING = "/repos/{owner}/{repo}/git/matching-refs/heads/{ref}"
_NOTHING: Mapping[str, object] = {}
# What another batch, or a smaller one, may answer.
_DIVISIBLE = (Forbidden, IncompleteSnapshot, NotFound, Refused, TooHeavy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A repository that the installation covers. ``asleep``: archived or disabled, so that nothing
    changes there.
    """

    node_id: str
    repository: Repository
    asleep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A default or release branch. ``classic``: classic protection applies to it."""

    name: str
    default: bool
    classic: bool
    demands: tuple[Demand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """``loose_tags``: of the newest tags, those of a version that anybody who writes may move.
    ``roster``: the repository's own, None where it has none; ``roster_read`` False: not asked for,
    or GitHub did not say."""

    repository: Repository
    branches: tuple[Branch, ...]
    loose_tags: tuple[str, ...] = ()
    roster: RosterText | None = None
    roster_read: bool = False


def covered(installation: Installation) -> Iterator[Covered]:
    """Every repository of the installation that is not asleep.

    Raises: GitHubError. Source: REST ``apps/list-repos-accessible-to-installation``.
    """
    for page in installation.pages("/installation/repositories", {}, key="repositories"):
        with refusing_surprises():
            found = [_covered(node) for node in page]
        yield from (one for one in found if not one.asleep)


def one(installation: Installation, owner: str, name: str) -> Covered:
    """Raises: GitHubError. Source: REST ``repos/get``."""
    values = {"owner": owner, "repo": name}
    node = installation.rest("GET", "/repos/{owner}/{repo}", values).data
    with refusing_surprises():
        return _covered(node)


def by_id(installation: Installation, repository_id: int) -> Covered:
    """The same, whatever its name is by now. Raises: GitHubError.

    Source: REST ``GET /repositories/{id}``, which GitHub redirects to and answers, undocumented.
    """
    node = installation.rest("GET", "/repositories/{id}", {"id": repository_id}).data
    with refusing_surprises():
        return _covered(node)


def survey(
    installation: Installation,
    wanted: Sequence[Covered],
    *,
    check_name: str,
    rosters: bool = False,
) -> Iterator[tuple[Covered, Surveyed | GitHubError]]:
    """Each of ``wanted``, or why it could not be read. ``rosters``: with the repository's own.

    Raises: GitHubError for what is wrong with all of them (limits, credentials, GitHub away).
    Source: GitHub GraphQL ``Ref.rules``, ``Ref.refUpdateRule``; REST where those do not suffice.
    """
    by_node = {one.node_id: one for one in wanted}
    asked = {"repositoryRoster": ROSTER_EXPRESSIONS["repositoryRoster"], "withRosters": rosters}
    for node_id, node in _nodes(installation, "ProtectionSurvey", list(by_node), asked):
        each = by_node[node_id]
        try:
            if isinstance(node, NotFound):
                yield each, node
            elif isinstance(node, GitHubError):
                yield each, _by_rest(installation, each.repository, check_name)
            else:
                yield each, _surveyed(installation, node, each.repository, check_name)
        except _DIVISIBLE as error:
            yield each, error


def bypasses(caller: Caller, ruleset_ids: Mapping[int, str]) -> dict[int, tuple[str, ...] | None]:
    """Who may bypass each ruleset (number -> node id), in words.

    None: ``caller`` may not see it. Left out: GraphQL names somebody in a way we do not know.
    Raises: GitHubError. Source: GitHub GraphQL ``RepositoryRuleset.bypassActors``.
    """
    numbers = {node_id: number_ for number_, node_id in ruleset_ids.items()}
    wanted, found = list(numbers), dict[int, tuple[str, ...] | None]()
    for start in range(0, len(wanted), RULESETS):
        batch = wanted[start : start + RULESETS]
        for node_id, node in _nodes(caller, "RulesetBypass", batch):
            if isinstance(node, NotFound | Forbidden):
                found[numbers[node_id]] = None
            elif not isinstance(node, GitHubError):
                found |= _bypasses(node, numbers[node_id])
    return found


def _nodes(
    caller: Caller, operation: str, ids: Sequence[str], more: Mapping[str, object] = _NOTHING
) -> Iterator[tuple[str, Node | GitHubError]]:
    """Each node of a query for ``nodes``, or the error that it is the cause of."""
    if not ids:
        return
    try:
        data = caller.query(operation, {"ids": list(ids), **more}).data
        with refusing_surprises():
            found = data["nodes"]
            if len(found) != len(ids):
                raise Surprise("nodes")
    except _DIVISIBLE as error:
        if len(ids) == 1:
            yield ids[0], error
            return
        half = len(ids) // 2
        yield from _nodes(caller, operation, ids[:half], more)
        yield from _nodes(caller, operation, ids[half:], more)
        return
    for node_id, node in zip(ids, found, strict=True):
        yield node_id, NotFound(f"{operation}: not found") if node is None else node


def _covered(node: Node) -> Covered:
    repository = Repository(
        id=number(node, "id"),
        owner=text(child(node, "owner"), "login"),
        name=text(node, "name"),
        private=node["private"] is not False,
        default_branch=optional(node, "default_branch", text),
    )
    asleep = bool(node["archived"] or node["disabled"])
    return Covered(node_id=text(node, "node_id"), repository=repository, asleep=asleep)


def _surveyed(
    installation: Installation, node: Node, known: Repository, check_name: str
) -> Surveyed:
    with refusing_surprises():
        if number(node, "databaseId") != known.id:
            raise NotFound("another repository answers")
        head = node["defaultBranchRef"]
        # Renamed since it was listed, or nothing was pushed yet.
        default = text(head, "name") if head is not None else known.default_branch or ""
        repository = replace(
            known,
            owner=text(child(node, "owner"), "login"),
            name=text(node, "name"),
            private=flag(node, "isPrivate"),
            default_branch=default,
        )
        shown = {} if head is None else {default: head}
        for listed in (child(node, "releases"), child(node, "stables")):
            for ref in items(listed, lambda ref: ref):
                if is_release(text(ref, "name")):
                    shown.setdefault(text(ref, "name"), ref)
        tags = tuple(_loose_tags(child(node, "tags")))
        roster = repository_roster(node) if "roster" in node else None
    names = list(dict.fromkeys([default, *_release_names(installation, node, repository)]))
    branches = tuple(
        _branch(installation, repository, name, shown.get(name), check_name)
        for name in names
        if name
    )
    return Surveyed(
        repository=repository,
        branches=branches,
        loose_tags=tags,
        roster=roster,
        roster_read="roster" in node,
    )


def _release_names(installation: Installation, node: Node, repository: Repository) -> Iterator[str]:
    """By the list of branches where it is whole, else by REST: nothing promises what GraphQL's
    ``query`` leaves out. Source: REST ``git/list-matching-refs``.
    """
    with refusing_surprises():
        listed = child(node, "branches")
        names = items(listed, lambda ref: text(ref, "name"))
        whole = number(listed, "totalCount") == len(names)
    if whole:
        yield from (name for name in names if is_release(name))
        return
    yield from _release_names_by_rest(installation, repository)


def _release_names_by_rest(installation: Installation, repository: Repository) -> Iterator[str]:
    for beginning in BEGINNINGS:
        values = {"owner": repository.owner, "repo": repository.name, "ref": beginning}
        for page in installation.pages(_MATCHING, values):
            with refusing_surprises():
                found = [text(ref, "ref").removeprefix("refs/heads/") for ref in page]
            yield from (name for name in found if is_release(name))


def _by_rest(installation: Installation, repository: Repository, check_name: str) -> Surveyed:
    """The same where GraphQL does not answer; nothing is known of tags then."""
    names = [repository.default_branch or "", *_release_names_by_rest(installation, repository)]
    branches = []
    for name in dict.fromkeys(name for name in names if name):
        owner, its_name = repository.owner, repository.name
        found = rules(installation, owner, its_name, name, check_name=check_name)
        classic, checks = classic_protection(
            installation, owner, its_name, name, check_name=check_name
        )
        default = name == repository.default_branch
        branches.append(
            Branch(name=name, default=default, classic=classic, demands=(*found, *checks))
        )
    return Surveyed(repository=repository, branches=tuple(branches))


def _branch(
    installation: Installation,
    repository: Repository,
    name: str,
    ref: Node | None,
    check_name: str,
) -> Branch:
    with refusing_surprises():
        found = None if ref is None else demands(ref, check_name)
    if found is None:
        found = rules(installation, repository.owner, repository.name, name, check_name=check_name)
    classic, checks = False, tuple[Demand, ...]()
    if ref is None or ref["refUpdateRule"] is not None:
        # The query shows no more than a few release branches: of the others REST has to say it.
        classic, checks = classic_protection(
            installation, repository.owner, repository.name, name, check_name=check_name
        )
        classic = classic or ref is not None
    return Branch(
        name=name,
        default=name == repository.default_branch,
        classic=classic,
        demands=(*found, *checks),
    )


def demands(ref: Node, check_name: str) -> tuple[Demand, ...] | None:
    """Of a ``Ref``; None where GitHub does not show all its rules."""
    shown = ref["rules"]
    if shown is None:
        return None
    nodes = items(shown, lambda rule: rule)
    if number(shown, "totalCount") != len(nodes):
        return None
    if any(rule["repositoryRuleset"] is None for rule in nodes):
        return None
    return tuple(demand for rule in nodes for demand in _of_rule(rule, check_name))


def _of_rule(rule: Node, check_name: str) -> Iterator[Demand]:
    kind = _KINDS.get(text(rule, "type"))
    if kind is None:
        return
    ruleset = child(rule, "repositoryRuleset")
    demand = Demand(
        rule=kind,
        source=f"ruleset {number(ruleset, 'databaseId')} of {_source(child(ruleset, 'source'))}",
        ruleset=number(ruleset, "databaseId"),
        node_id=text(ruleset, "id"),
    )
    if kind == QUEUE_RULE:
        yield replace(demand, queue=_queue(child(rule, "parameters")))
    elif kind == PULL_RULE:
        yield demand
    else:
        parameters = child(rule, "parameters")
        strict = flag(parameters, "strictRequiredStatusChecksPolicy")
        new_too = not flag(parameters, "doNotEnforceOnCreate")
        for check in parameters["requiredStatusChecks"]:
            if text(check, "context") == check_name:
                app_id = optional(check, "integrationId", number)
                yield replace(demand, app_id=app_id, strict=strict, new_too=new_too)


def _queue(parameters: Node) -> str:
    minutes = number(parameters, "checkResponseTimeoutMinutes")
    method, grouping = text(parameters, "mergeMethod"), text(parameters, "groupingStrategy")
    return f"{method.lower()}, {grouping.lower()}, {minutes} minutes"


def _source(node: Node) -> str:
    name = node.get("nameWithOwner") or node.get("login")
    return str(name) if name else "the enterprise"


def _loose_tags(tags: Node) -> Iterator[str]:
    for tag in items(tags, lambda tag: tag):
        name, shown = text(tag, "name"), tag["rules"]
        if _VERSION.fullmatch(name) and shown is not None:
            held = {text(rule, "type") for rule in items(shown, lambda rule: rule)}
            if not held >= _HOLDING and number(shown, "totalCount") == len(shown["nodes"]):
                yield name


def _bypasses(node: Node, number_: int) -> dict[int, tuple[str, ...] | None]:
    with refusing_surprises():
        if number(node, "databaseId") != number_:
            raise Surprise("databaseId")
        shown = node["bypassActors"]
        if shown is None:
            return {number_: None}
        words = [bypass_words(actor) for actor in items(shown, lambda actor: actor)]
        if number(shown, "totalCount") != len(words) or None in words:
            return {}
        return {number_: tuple(word for word in words if word is not None)}
