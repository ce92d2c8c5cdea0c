"""What reached a branch: its commits, the pull requests they came through, and who did it."""

from collections.abc import Collection
from dataclasses import dataclass

from github_app.gateway.client import Installation
from github_app.gateway.diff import comparison, listed_commit
from github_app.gateway.errors import NotFound, Refused
from github_app.gateway.nodes import Node, child, items, number, text
from github_app.gateway.pull_request import RosterTexts, roster_texts
from github_app.gateway.reading import Cursor, Reading, home, refusing_surprises
from github_app.gateway.repository import ROSTER_EXPRESSIONS
from github_app.gateway.supplements import rest_actor
from github_app.judge.facts import Actor, Commit, Repository
from github_app.judge.landing import MergedPull

# Of one push, so many are looked at: ten calls, and ten or more for where they are from.
MOST_COMMITS = 1_000
_A_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """``commits``: oldest first, without accounts or signatures. ``complete`` False: there are
    more of them than we look at."""

    commits: tuple[Commit, ...]
    complete: bool


def history(
    installation: Installation, repository: Repository, oid: str, count: int
) -> tuple[Commit, ...]:
    """A commit and what it is built on, newest first: ``count`` of them (at most 100).

    Raises: NotFound, any other GitHubError. Source: REST ``repos/list-commits``.
    """
    values = {"owner": repository.owner, "repo": repository.name}
    query: dict[str, str | int] = {"sha": oid, "per_page": min(count, _A_PAGE)}
    answer = installation.rest("GET", "/repos/{owner}/{repo}/commits", values, query=query)
    with refusing_surprises():
        found = tuple(listed_commit(node) for node in answer.data)
    if not found or found[0].oid != oid:
        raise NotFound("there is no such commit")
    return found


def reached(
    installation: Installation, repository: Repository, before: str, after: str
) -> Reached | None:
    """What ``after`` has and ``before`` (a commit, or a branch) has not.

    None where GitHub has one of them no longer, or they have no ancestor in common.
    Raises: any other GitHubError. Source: REST ``repos/compare-commits-with-basehead``.
    """
    found: list[Commit] = []
    for page in range(1, MOST_COMMITS // _A_PAGE + 1):
        query = {"per_page": _A_PAGE, "page": page}
        try:
            answer = comparison(installation, repository, before, after, query=query)
        except (NotFound, Refused):
            return None
        with refusing_surprises():
            total = number(answer.data, "total_commits")
            listed = [listed_commit(node) for node in answer.data["commits"]]
        found += listed
        if len(found) >= total or not listed:
            break
    return Reached(commits=tuple(found), complete=len(found) >= total)


def merged_through(
    installation: Installation, repository: Repository, head: str, oids: Collection[str]
) -> dict[str, tuple[MergedPull, ...]]:
    """For each of the commits: the merged pull requests of this repository that it is in.

    ``oids`` are ``head`` or ancestors of it. A commit that is not found has none. Raises:
    GitHubError. Source: GitHub GraphQL ``Commit.associatedPullRequests``.
    """
    variables = {"owner": repository.owner, "name": repository.name, "oid": head}
    reading, cursor = Reading(installation), Cursor("the history of a commit")
    found: dict[str, tuple[MergedPull, ...]] = {}
    left, seen = set(oids), 0
    while left and not cursor.done and seen < 2 * MOST_COMMITS:
        data = reading.ask("MergedThrough", {**variables, "after": cursor.next})
        with refusing_surprises():
            commit = home(data, repository.id)["object"]
            if commit is None or "history" not in commit:
                raise NotFound("there is no such commit")
            page = child(commit, "history")
            cursor.advance(page)
            rows = items(page, lambda node: (text(node, "oid"), _merged(node, repository.id)))
        seen += len(rows)
        found |= {oid: pulls for oid, pulls in rows if oid in left}
        left -= {oid for oid, _ in rows}
    return found


def rosters(installation: Installation, repository: Repository) -> RosterTexts:
    """The roster files that a pull request of this repository would be judged by.

    Raises: GitHubError.
    """
    variables = {
        "owner": repository.owner,
        "name": repository.name,
        **ROSTER_EXPRESSIONS,
    }
    tolerate = ("orgPublic", "orgPrivate")
    data = Reading(installation).ask("Rosters", variables, tolerate=tolerate)
    with refusing_surprises():
        return roster_texts(data, home(data, repository.id))


def protected_branches(installation: Installation, repository: Repository) -> frozenset[str]:
    """Branches on which any ruleset or classic rule is active, whatever it asks for.

    Raises: GitHubError. Source: REST ``repos/list-branches``.
    """
    values = {"owner": repository.owner, "repo": repository.name}
    found: set[str] = set()
    query = {"protected": "true"}
    for page in installation.pages("/repos/{owner}/{repo}/branches", values, query=query):
        with refusing_surprises():
            found |= {text(node, "name") for node in page}
    return frozenset(found)


def pushed_by(
    installation: Installation, repository: Repository, branch: str, oid: str
) -> Actor | None:
    """Who brought the branch to a commit; None if GitHub's newest entries do not say.

    Raises: GitHubError. Source: REST ``repos/list-activities``.
    """
    values = {"owner": repository.owner, "repo": repository.name}
    query: dict[str, str | int] = {"ref": f"refs/heads/{branch}", "per_page": _A_PAGE}
    answer = installation.rest("GET", "/repos/{owner}/{repo}/activity", values, query=query)
    with refusing_surprises():
        for node in answer.data:
            if text(node, "after") == oid:
                return None if node["actor"] is None else rest_actor(node["actor"])
    return None


def _merged(node: Node, repository_id: int) -> tuple[MergedPull, ...]:
    pulls = node["associatedPullRequests"]
    if pulls is None:
        return ()
    return tuple(
        MergedPull(
            number=number(pull, "number"),
            base_ref=text(pull, "baseRefName"),
            merge_oid=None if pull["mergeCommit"] is None else text(pull["mergeCommit"], "oid"),
        )
        for pull in items(pulls, lambda one: one)
        if text(pull, "state") == "MERGED"
        and number(child(pull, "repository"), "databaseId") == repository_id
    )
