"""Facts that the snapshot cannot hold, each for a call of its own: asked for only when needed."""

from datetime import datetime
from typing import Any

from github_app.gateway.client import Caller, Installation
from github_app.gateway.errors import NotFound
from github_app.gateway.nodes import Node, moment, number, text
from github_app.gateway.reading import refusing_surprises
from github_app.judge.facts import Actor, ActorKind, PullRequest, Push, Repository

_MAY_PUSH = frozenset({"admin", "write"})
MOST_PUSH_PAGES = 10  # 1,000 pushes to one branch: beyond that nobody's history is proven


def pushes(installation: Installation, pull: PullRequest) -> tuple[Push, ...] | None:
    """Every authenticated push to the head branch, oldest first, since the branch was made.

    None where that is not known *whole*: the branch is in a fork, the list does not reach from
    the branch's creation to the head without a gap, or it is too long.
    Raises: GitHubError. Source: REST ``repos/list-activities`` (newest first).
    """
    if pull.cross_repository:
        return None
    found: list[Push] = []
    pages = installation.pages(
        "/repos/{owner}/{repo}/activity",
        {"owner": pull.repository.owner, "repo": pull.repository.name},
        query={"ref": f"refs/heads/{pull.head_ref}"},
    )
    for count, page in enumerate(pages, start=1):
        with refusing_surprises():
            found += [_push(node) for node in page]
        if count == MOST_PUSH_PAGES:
            break
    return tuple(reversed(found)) if _is_whole(found, pull.head_oid) else None


def tips_at(
    installation: Installation, repository: Repository, branch: str, when: datetime
) -> frozenset[str]:
    """The commit that a branch was at, whatever it is now: each that it may have been, where it
    moved within that very second. ``when`` is aware.

    Empty where that is not known: it was not there yet, or it has moved too often since.
    Raises: GitHubError. Source: REST ``repos/list-activities`` (newest first).
    """
    second = when.replace(microsecond=0)
    later: str | None = None
    within: set[str] = set()
    pages = installation.pages(
        "/repos/{owner}/{repo}/activity",
        {"owner": repository.owner, "repo": repository.name},
        query={"ref": f"refs/heads/{branch}"},
    )
    for count, page in enumerate(pages, start=1):
        with refusing_surprises():
            for node in page:
                before, after = text(node, "before"), text(node, "after")
                at = moment(node, "timestamp").replace(microsecond=0)
                if at < second:
                    return _commits(within or {later or after})
                if at == second:
                    within |= {before, after}
                later = before
        if count == MOST_PUSH_PAGES:
            return frozenset()
    return _commits(within or {later or tip(installation, repository, branch) or ""})


def tip(installation: Installation, repository: Repository, branch: str) -> str | None:
    """The commit that a branch is at; None where there is none of that name.

    Not by comparing with its name: a tag may have the same one.
    Raises: GitHubError. Source: REST ``repos/get-branch``.
    """
    values = {"owner": repository.owner, "repo": repository.name, "branch": branch}
    try:
        node: Any = installation.rest("GET", "/repos/{owner}/{repo}/branches/{branch}", values).data
    except NotFound:
        return None
    with refusing_surprises():
        # a renamed branch's old name must not answer for the new one
        return text(node["commit"], "sha") if text(node, "name") == branch else None


def _commits(oids: set[str]) -> frozenset[str]:
    return frozenset(oid for oid in oids if oid and not _is_nothing(oid))


def _is_whole(newest_first: list[Push], head_oid: str) -> bool:
    """Whether each push begins where the one before ended, from nothing to the head."""
    after = head_oid
    for push in newest_first:
        if push.after != after:
            return False
        after = push.before
    return bool(newest_first) and _is_nothing(after)


def _is_nothing(oid: str) -> bool:
    """The all-zero id: git's name for *no commit*, of either length."""
    return bool(oid) and not oid.strip("0")


def _push(node: Node) -> Push:
    who = node["actor"]
    return Push(
        actor=None if who is None else rest_actor(who),
        before=text(node, "before"),
        after=text(node, "after"),
        at=moment(node, "timestamp"),
        kind=text(node, "activity_type"),
    )


def rest_actor(node: Node) -> Actor:
    """An account as REST shows it: a bot's login ends in ``[bot]`` there, and only there."""
    kind = text(node, "type") if "type" in node else ActorKind.UNKNOWN.value
    known = kind in frozenset(ActorKind)
    return Actor(
        kind=ActorKind(kind) if known else ActorKind.UNKNOWN,
        login=text(node, "login").removesuffix("[bot]"),
        id=number(node, "id"),
    )


def may_push(installation: Installation, repository: Repository, actor: Actor) -> bool:
    """Whether the account may push to the repository now, through whatever grants it.

    Raises: GitHubError. Source: REST ``repos/get-collaborator-permission-level``, which folds
    *maintain* into write and custom roles into what they are made from.
    """
    values = {"owner": repository.owner, "repo": repository.name, "username": actor.login}
    try:
        path = "/repos/{owner}/{repo}/collaborators/{username}/permission"
        node: Any = installation.rest("GET", path, values).data
    except NotFound:
        return False
    with refusing_surprises():
        same = node["user"] is not None and number(node["user"], "id") == actor.id
        return same and text(node, "permission") in _MAY_PUSH


def team_members(installation: Installation, team: str) -> frozenset[Actor]:
    """A team's members, those of its child teams included.

    ``team``: ``acme/staff-engineers``. Raises: NotFound for an unknown or secret team, Forbidden
    without *Members: read*, any other GitHubError. Source: REST ``teams/list-members-in-org``.
    """
    org, _, slug = team.partition("/")
    found: set[Actor] = set()
    for page in installation.pages("/orgs/{org}/teams/{team}/members", {"org": org, "team": slug}):
        with refusing_surprises():
            found |= {rest_actor(node) for node in page}
    return frozenset(found)


def can_push(installation: Installation, repository: Repository, login: str) -> bool:
    """Whether somebody may push there now, by whatever grants it. An unknown login may not.

    Raises: GitHubError. Source: REST ``repos/get-collaborator-permission-level``.
    """
    values = {"owner": repository.owner, "repo": repository.name, "login": login}
    try:
        node: Any = installation.rest(
            "GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", values
        ).data
    except NotFound:
        return False
    with refusing_surprises():
        return text(node, "permission") in {"admin", "write"}


def owns(installation: Installation, organization: str, login: str) -> bool:
    """Whether somebody is an owner of the organisation, which lets them push everywhere in it.

    Raises: GitHubError; NotFound for who is no member. Source: REST
    ``orgs/get-membership-for-user``.
    """
    values = {"org": organization, "login": login}
    node: Any = installation.rest("GET", "/orgs/{org}/memberships/{login}", values).data
    with refusing_surprises():
        return text(node, "role") == "admin" and text(node, "state") == "active"


def public_user_id(caller: Caller, login: str) -> int | None:
    """The numeric id of a person; None if nobody has this login, or it is not a person's.

    ``caller``: an installation, or ``github.anonymous()``. Raises: GitHubError.
    Source: REST ``users/get-by-username``.
    """
    try:
        node: Any = caller.rest("GET", "/users/{login}", {"login": login}).data
    except NotFound:
        return None
    with refusing_surprises():
        # a renamed account's old name must not answer for the new one
        same = text(node, "login").casefold() == login.casefold()
        return number(node, "id") if same and node["type"] == ActorKind.USER else None
