"""What a repository holds: its open pull requests, those of one head, its merge queue."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from github_app.gateway import nodes
from github_app.gateway.client import Installation
from github_app.gateway.nodes import Node, child, items, moment, number, text
from github_app.gateway.reading import Cursor, Reading, home, refusing_surprises
from github_app.judge.facts import CheckRun, Repository, Sibling
from github_app.judge.roster import LAYER_PATH, ROSTER_PATH

OWNER_ROSTER, REPOSITORY_ROSTER = ROSTER_PATH, LAYER_PATH
# What a query calls these two on the default branch.
ROSTER_EXPRESSIONS = {
    "repositoryRoster": f"HEAD:{REPOSITORY_ROSTER}",
    "ownerRoster": f"HEAD:{OWNER_ROSTER}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterIds:
    """Which roster files GitHub shows, each by its place and its content; empty: there is none."""

    organisation: str
    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPullRequest:
    """An open pull request, as far as a sweep needs it. ``check``: ours on its head, or None.

    ``head_shown`` False: GitHub lists no commit for it, or not the newest. ``rosters``: those of
    its repository and its owner when it was listed.
    """

    number: int
    updated_at: datetime
    head_oid: str
    base_ref: str
    check: CheckRun | None
    head_shown: bool
    rosters: RosterIds


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeGroup:
    """One entry of a merge queue: pull request ``number`` at ``pull_head_oid``, built as
    ``head_oid`` on ``base_oid`` (None until GitHub has built it).
    """

    number: int | None
    pull_head_oid: str | None
    head_oid: str | None
    base_oid: str | None
    position: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """A branch, and the commit that it is at."""

    branch: str
    oid: str


def open_pull_requests(
    installation: Installation,
    owner: str,
    name: str,
    *,
    repository_id: int,
    check_name: str,
    app_id: int,
    on_tip: Callable[[Tip], None] | None = None,
) -> Iterator[OpenPullRequest]:
    """Every open pull request, the most recently active first, a page of 100 a call.

    Read lazily: stop when what comes is older than what you know. ``on_tip`` hears, before the
    first one comes, where the default branch is. Raises: GitHubError.
    """
    variables = {
        "owner": owner,
        "name": name,
        "appId": app_id,
        "checkName": check_name,
        **ROSTER_EXPRESSIONS,
    }
    reading, cursor = Reading(installation), Cursor("the open pull requests")
    while not cursor.done:
        data = reading.ask(
            "OpenPullRequests",
            {**variables, "after": cursor.next},
            tolerate=("orgPublic", "orgPrivate"),
        )
        with refusing_surprises():
            base = home(data, repository_id)
            page = child(base, "pullRequests")
            first = cursor.next is None
            cursor.advance(page)
            found = items(page, partial(_open_pull_request, _roster_ids(data)))
            tip = _tip(base)
        if first and on_tip is not None and tip is not None:
            on_tip(tip)
        yield from found


def pulls_with_head(
    installation: Installation, owner: str, name: str, oid: str, *, repository_id: int
) -> tuple[Sibling, ...]:
    """The open pull requests of the repository whose head is this commit.

    GitHub's own list is asked first. It leaves out open ones whose commit is in the default
    branch, and knows commits of forks badly; so if it names none, all heads are gone through.
    Raises: GitHubError. Source: GitHub GraphQL ``Commit.associatedPullRequests``.
    """
    variables = {"owner": owner, "name": name, "oid": oid}
    reading, cursor = Reading(installation), Cursor("the pull requests of a commit")
    found: list[Sibling] = []
    while not cursor.done:
        data = reading.ask("PullRequestsWithHead", {**variables, "after": cursor.next})
        with refusing_surprises():
            commit = home(data, repository_id)["object"]
            if commit is None or commit.get("associatedPullRequests") is None:
                break
            page = child(commit, "associatedPullRequests")
            cursor.advance(page)
            found += siblings(page, oid, repository_id)
    if not found:
        return among_open_heads(installation, owner, name, oid, repository_id=repository_id)
    return tuple(found)


def among_open_heads(
    installation: Installation, owner: str, name: str, oid: str, *, repository_id: int
) -> tuple[Sibling, ...]:
    """The same, proven: every open pull request is looked at, a hundred a call.

    Raises: GitHubError.
    """
    variables = {"owner": owner, "name": name}
    reading, cursor = Reading(installation), Cursor("the open pull requests")
    found: dict[int, Sibling] = {}
    while not cursor.done:
        data = reading.ask("OpenHeads", {**variables, "after": cursor.next})
        with refusing_surprises():
            page = child(home(data, repository_id), "pullRequests")
            cursor.advance(page)
            found |= {one.number: one for one in siblings(page, oid, repository_id)}
    return tuple(found.values())


def siblings(connection: Node, oid: str, repository_id: int) -> tuple[Sibling, ...]:
    """Of a list of pull requests: the open ones of this repository with exactly this head."""
    return tuple(
        Sibling(number=number(node, "number"), base_ref=text(node, "baseRefName"))
        for node in items(connection, lambda node: node)
        if text(node, "state") == "OPEN"
        and text(node, "headRefOid") == oid
        and number(child(node, "repository"), "databaseId") == repository_id
    )


def merge_queue(
    installation: Installation, owner: str, name: str, branch: str, *, repository_id: int
) -> tuple[MergeGroup, ...]:
    """The entries of a branch's merge queue, in order; none where there is no queue.

    Raises: GitHubError. Source: GitHub GraphQL ``MergeQueue.entries``.
    """
    variables = {"owner": owner, "name": name, "branch": branch}
    reading, cursor = Reading(installation), Cursor("the merge queue")
    found: list[MergeGroup] = []
    while not cursor.done:
        data = reading.ask("MergeQueueEntries", {**variables, "after": cursor.next})
        with refusing_surprises():
            queue = home(data, repository_id)["mergeQueue"]
            if queue is None or queue["entries"] is None:
                return ()
            cursor.advance(queue["entries"])
            found += items(queue["entries"], _merge_group)
    return tuple(sorted(found, key=lambda group: group.position))


def repositories(installation: Installation) -> Iterator[Repository]:
    """The repositories the installation covers; not the archived ones, where nothing changes.

    Raises: GitHubError. Source: REST ``apps/list-repos-accessible-to-installation``.
    """
    for page in installation.pages("/installation/repositories", {}, key="repositories"):
        with refusing_surprises():
            found = [_rest_repository(node) for node in page if not node["archived"]]
        yield from found


def _roster_ids(data: Mapping[str, Any]) -> RosterIds:
    of_owner = [_roster_id(data[name], OWNER_ROSTER) for name in ("orgPrivate", "orgPublic")]
    return RosterIds(
        organisation=owner_rosters(*of_owner),
        repository=_roster_id(data["repository"], REPOSITORY_ROSTER),
    )


def _roster_id(repository: Node | None, path: str) -> str:
    if repository is None or repository["roster"] is None:
        return ""
    return roster_id(
        text(repository, "nameWithOwner"), path, text(child(repository, "roster"), "oid")
    )


def owner_rosters(*ids: str) -> str:
    """One name for all that the owner has, the private repository's first: see ``roster_id``."""
    return "\n".join(filter(None, ids))


def roster_id(repository: str, path: str, blob_oid: str) -> str:
    """``acme/.github:reviewers.yaml@<blob>``: another place or another content is another name."""
    return f"{repository.casefold()}:{path}@{blob_oid}"


def _tip(base: Node) -> Tip | None:
    """None for a repository without a commit."""
    branch = base["defaultBranchRef"]
    if branch is None:
        return None
    return Tip(branch=text(branch, "name"), oid=text(child(branch, "target"), "oid"))


def _open_pull_request(rosters: RosterIds, node: Node) -> OpenPullRequest:
    heads = items(child(node, "commits"), lambda item: child(item, "commit"))
    oid = text(node, "headRefOid")
    shown = [head for head in heads if head["oid"] == oid]  # none while GitHub catches up
    return OpenPullRequest(
        number=number(node, "number"),
        updated_at=moment(node, "updatedAt"),
        head_oid=oid,
        base_ref=text(node, "baseRefName"),
        check=nodes.check_run(shown[0]) if shown else None,
        head_shown=bool(shown),
        rosters=rosters,
    )


def _merge_group(node: Node) -> MergeGroup:
    pull, head, base = node["pullRequest"], node["headCommit"], node["baseCommit"]
    return MergeGroup(
        number=None if pull is None else number(pull, "number"),
        pull_head_oid=None if pull is None else text(pull, "headRefOid"),
        head_oid=None if head is None else text(head, "oid"),
        base_oid=None if base is None else text(base, "oid"),
        position=number(node, "position"),
        state=text(node, "state"),
    )


def _rest_repository(node: Node) -> Repository:
    return Repository(
        id=number(node, "id"),
        owner=text(child(node, "owner"), "login"),
        name=text(node, "name"),
        private=node["private"] is not False,
        default_branch=nodes.optional(node, "default_branch", text),
    )
