"""What last happened at an account: a glance at a hundred repositories for one call and one point.

It names less than ``open_pull_requests`` and costs a hundredth: enough to see that something was
missed, never enough to judge by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from github_app.gateway.client import Installation
from github_app.gateway.nodes import Node, child, flag, items, moment, number, text
from github_app.gateway.reading import Reading, refusing_surprises
from github_app.gateway.repository import ROSTER_EXPRESSIONS

# So many open pull requests of each repository. If all of them moved there may be more.
PULLS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentPull:
    """An open pull request as it last was."""

    number: int
    updated_at: datetime
    head_oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentRepository:
    """``pulls``: at most ``PULLS``, the most recently active first. ``roster``: blob id of its own
    roster file, "" where there is none."""

    id: int
    full_name: str
    roster: str
    pulls: tuple[RecentPull, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """One page. ``rosters``: blob ids of the account's own roster files, by repository name, "" for
    none. ``following``: where the next page begins, None at the end."""

    repositories: tuple[RecentRepository, ...]
    rosters: Mapping[str, str]
    following: str | None


def recently_active(installation: Installation, login: str, *, after: str | None = None) -> Recent:
    """A page of an account's repositories, the most recently pushed to first; none if it is gone.

    Raises: GitHubError. Source: GitHub GraphQL ``RepositoryOwner.repositories``.
    """
    variables = {
        "login": login,
        **ROSTER_EXPRESSIONS,
        "pulls": PULLS,
        "after": after,
    }
    data = Reading(installation).ask(
        "RecentlyActive", variables, tolerate=("orgPublic", "orgPrivate")
    )
    with refusing_surprises():
        rosters = {
            name: _blob(data[alias])
            for name, alias in ((".github", "orgPublic"), (".github-private", "orgPrivate"))
        }
        if data["repositoryOwner"] is None:
            return Recent(repositories=(), rosters=rosters, following=None)
        page = child(data["repositoryOwner"], "repositories")
        info = child(page, "pageInfo")
        return Recent(
            repositories=items(page, _repository),
            rosters=rosters,
            following=text(info, "endCursor") if flag(info, "hasNextPage") else None,
        )


def _repository(node: Node) -> RecentRepository:
    return RecentRepository(
        id=number(node, "databaseId"),
        full_name=text(node, "nameWithOwner"),
        roster=_blob(node),
        pulls=items(child(node, "pullRequests"), _pull),
    )


def _pull(node: Node) -> RecentPull:
    return RecentPull(
        number=number(node, "number"),
        updated_at=moment(node, "updatedAt"),
        head_oid=text(node, "headRefOid"),
    )


def _blob(repository: Node | None) -> str:
    found = repository["object"] if repository is not None else None
    return "" if found is None else text(found, "oid")
