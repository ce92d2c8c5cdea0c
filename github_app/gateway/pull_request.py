"""One pull request as GitHub sees it at one moment: the snapshot, complete or refused.

An ordinary pull request is one GraphQL query. Longer lists are read to their end, all of them in
one query a page. What makes a snapshot complete is in ``_List.whole`` and ``_commits``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from github_app.gateway import nodes
from github_app.gateway.client import Installation
from github_app.gateway.errors import IncompleteSnapshot, NotFound
from github_app.gateway.nodes import Node, child, flag, items, number, text
from github_app.gateway.reading import Cursor, Reading, home, refusing_surprises
from github_app.gateway.repository import (
    OWNER_ROSTER,
    REPOSITORY_ROSTER,
    ROSTER_EXPRESSIONS,
    RosterIds,
    among_open_heads,
    owner_rosters,
    roster_id,
    siblings,
)
from github_app.judge.facts import Commit, EventKind, PullRequest, Repository, Sibling

ROSTER_BYTES = 256 * 1024

FIRST_COMMITS = 50  # keeps the first query at one point: see PullRequestSnapshot.graphql
# GitHub counts the commits of a pull request no further (github/docs#32295). It is our bound for
# the other lists too, or a bot that toggles a label without end would use up the rate limit.
MOST_ITEMS = 10_000

# The timeline items to ask for: ``LabeledEvent`` is asked for as ``LABELED_EVENT``.
ITEM_TYPES = tuple(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper() for kind in EventKind)

_STATES = frozenset({"OPEN", "CLOSED", "MERGED"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterText:
    """A roster file on a default branch, unparsed: ``path`` in ``repository`` at ``commit_oid``.

    Exactly one of ``text`` and ``problem`` is set; ``problem`` says why there is no text.
    """

    repository: str
    path: str
    commit_oid: str | None
    blob_oid: str
    text: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterTexts:
    """The owner's roster (of ``.github-private``, else ``.github``) and the repository's own.

    ``second`` is the one of ``.github`` where both have one: which of them counts is decided by
    who knows which one was there first.
    """

    org: RosterText | None
    repository: RosterText | None
    second: RosterText | None = None

    @property
    def ids(self) -> RosterIds:
        """The same files by their content, as a list of open pull requests shows them."""
        of_owner = owner_rosters(_id(self.org), _id(self.second))
        return RosterIds(organisation=of_owner, repository=_id(self.repository))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``cost``: points of the GraphQL limit, all queries. ``remaining``: what is left of it."""

    pull: PullRequest
    rosters: RosterTexts
    cost: int
    remaining: int | None


def read(
    installation: Installation,
    owner: str,
    name: str,
    number: int,
    *,
    repository_id: int,
    check_name: str,
    app_id: int,
    now: datetime,
) -> Snapshot:
    """Take the snapshot of one pull request.

    Shapes:  every list whole, oldest first (``body_edits``: newest first).
    Units:   aware UTC times; ``now`` becomes ``taken_at``.
    Errors:  NotFound if it is gone, or the name is another repository's by now;
             IncompleteSnapshot if GitHub's answer is not the whole truth; any other GitHubError.
    Source:  GitHub GraphQL ``Repository.pullRequest``.
    """
    reading = Reading(installation)
    variables = {
        "owner": owner,
        "name": name,
        "number": number,
        "appId": app_id,
        "checkName": check_name,
        **ROSTER_EXPRESSIONS,
        "itemTypes": ITEM_TYPES,
    }
    data = reading.ask(
        "PullRequestSnapshot",
        variables,
        tolerate=("orgPublic", "orgPrivate"),
        most={"commits": FIRST_COMMITS},
    )
    with refusing_surprises():
        base = home(data, repository_id)
        node = base["pullRequest"]
        if node is None:
            raise NotFound("there is no such pull request")
        lists = _Lists(node)
        lists.read_on(reading)
        pull = _pull_request(base, node, lists, now)
        twins = _siblings(installation, pull, node)
        return Snapshot(
            pull=replace(pull, siblings=twins),
            rosters=roster_texts(data, base),
            cost=reading.cost,
            remaining=reading.remaining,
        )


class _List(Generic[T]):
    """One list of the pull request, page by page. ``what`` names it in a refusal."""

    def __init__(self, field: str, what: str, read: Callable[[Node], T]) -> None:
        self._field, self._what, self._read = field, what, read
        self._cursor = Cursor(what)
        self._total: int | None = None
        self.items: list[T] = []

    @property
    def done(self) -> bool:
        return self._cursor.done

    @property
    def after(self) -> str | None:
        return self._cursor.next

    def add(self, node: Node) -> None:
        """Take one page. Raises: IncompleteSnapshot if the list changed meanwhile."""
        if node[self._field] is None:
            raise IncompleteSnapshot(f"GitHub withholds the {self._what}")
        page = child(node, self._field)
        total = page.get("totalCount")
        if self.items and total != self._total:
            raise IncompleteSnapshot(f"the {self._what} changed while they were read")
        self._total = total
        self.items += items(page, self._read)
        self._cursor.advance(page)

    def none(self) -> None:
        """There is nothing, and nothing to come."""
        self._total = 0
        self.stop()

    def stop(self) -> None:
        self._cursor.done = True

    def refuse_if_endless(self) -> None:
        if max(len(self.items), self._total or 0) >= MOST_ITEMS:
            raise IncompleteSnapshot(f"{MOST_ITEMS:,} {self._what} or more", retryable=False)

    def whole(self, identity: Callable[[T], object]) -> tuple[T, ...]:
        """Every item, if they are as many as GitHub counts. Raises: IncompleteSnapshot."""
        found = len({identity(item) for item in self.items})
        if not found == self._total == len(self.items):
            raise IncompleteSnapshot(f"{found} of {self._total} {self._what}")
        return tuple(self.items)


class _Lists:
    """The lists of a pull request that may be long, and the way to their ends."""

    def __init__(self, node: Node) -> None:
        self._id, self._anchor = text(node, "id"), _anchor(node)
        self.commits = _List("commits", "commits", nodes.commit)
        self.reviews = _List("reviews", "reviews", nodes.review)
        self.files = _List("files", "files", nodes.changed_file)
        self.edits = _List("userContentEdits", "edits of the body", nodes.body_edit)
        self.timeline = _List("timelineItems", "timeline items", nodes.event)
        self.changed_files = number(node, "changedFiles")
        # In the words of SnapshotPage.graphql: $files and $withFiles, and so on.
        self._by_name: dict[str, _List[Any]] = {
            "commits": self.commits,
            "reviews": self.reviews,
            "files": self.files,
            "edits": self.edits,
            "timeline": self.timeline,
        }
        if node["files"] is None:
            self.files.none()  # GitHub could not make the diff: files_complete tells
        if node["userContentEdits"] is None and node["lastEditedAt"] is None:
            self.edits.none()
        for found in self._by_name.values():
            if not found.done:
                found.add(node)

    @property
    def files_complete(self) -> bool:
        paths = {file.path for file in self.files.items}
        return len(paths) == len(self.files.items) == self.changed_files

    def read_on(self, reading: Reading) -> None:
        """Read every list to its end. Raises: IncompleteSnapshot if the head moves meanwhile."""
        while open_lists := self._open():
            cursors = {name: found.after for name, found in self._by_name.items()}
            wanted = {f"with{name.capitalize()}": name in open_lists for name in self._by_name}
            variables = {"id": self._id, "itemTypes": ITEM_TYPES, **cursors, **wanted}
            node = reading.ask("SnapshotPage", variables)["node"]
            if not node or _anchor(node) != self._anchor:
                raise IncompleteSnapshot("the pull request moved while it was read")
            for found in open_lists.values():
                found.add(node)

    def _open(self) -> dict[str, _List[Any]]:
        if self.changed_files >= MOST_ITEMS:
            self.files.stop()  # rules on paths take it that everything is touched
        found = {name: one for name, one in self._by_name.items() if not one.done}
        for one in found.values():
            one.refuse_if_endless()
        return found


def _anchor(node: Node) -> tuple[str, str, int]:
    """What must not change between two pages."""
    return text(node, "headRefOid"), text(node, "baseRefOid"), number(node, "changedFiles")


def _pull_request(base: Node, node: Node, lists: _Lists, now: datetime) -> PullRequest:
    head, merge = node["headRepository"], node["mergeCommit"]
    return PullRequest(
        repository=_repository(base),
        number=number(node, "number"),
        node_id=text(node, "id"),
        title=text(node, "title"),
        body=text(node, "body"),
        state=_state(node),
        draft=flag(node, "isDraft"),
        author=nodes.actor(node["author"]),
        base_ref=text(node, "baseRefName"),
        base_oid=text(node, "baseRefOid"),
        head_ref=text(node, "headRefName"),
        head_oid=text(node, "headRefOid"),
        head_repository=None if head is None else nodes.repository(head),
        cross_repository=flag(node, "isCrossRepository"),
        maintainer_can_modify=flag(node, "maintainerCanModify"),
        updated_at=nodes.moment(node, "updatedAt"),
        taken_at=now,
        labels=_labels(node),
        commits=_commits(node, lists),
        reviews=lists.reviews.whole(lambda review: review.id),
        files=tuple(lists.files.items),
        files_complete=lists.files_complete,
        body_edits=lists.edits.whole(id),  # two edits may be alike in all we keep of them
        timeline=tuple(lists.timeline.items),
        check=nodes.check_run(_head(node)) if lists.commits.items else None,
        queue_entry=nodes.queue_entry(node["mergeQueueEntry"]),
        merge_commit_oid=None if merge is None else text(merge, "oid"),
        merged_by=nodes.actor(node["mergedBy"]),
        pulls_from_base=_pulls_from(node["baseRef"]),
    )


def _pulls_from(ref: Node | None) -> int | None:
    if ref is None:
        return None
    return number(child(ref, "associatedPullRequests"), "totalCount")


def _repository(base: Node) -> Repository:
    branch = base["defaultBranchRef"]
    return nodes.repository(base, None if branch is None else text(branch, "name"))


def _state(node: Node) -> str:
    state = text(node, "state")
    if state not in _STATES:
        raise IncompleteSnapshot("GitHub has a new state of pull requests", retryable=False)
    return state


def _labels(node: Node) -> tuple[str, ...]:
    # No more pages: a hundred is more than GitHub lets a pull request carry.
    found: _List[str] = _List("labels", "labels", lambda label: text(label, "name"))
    found.add(node)
    return found.whole(lambda name: name)


def _commits(node: Node, lists: _Lists) -> tuple[Commit, ...]:
    """All commits. Right after a push GitHub's list may trail the head: then it is refused.

    There may be none, where the base holds the head already: then nothing may be changed either.
    """
    found = lists.commits.whole(lambda commit: commit.oid)
    if not found and not lists.changed_files and not child(node, "headCommit")["nodes"]:
        return ()
    if not found or found[-1].oid != text(node, "headRefOid"):
        raise IncompleteSnapshot("the head is not the last of the commits")
    return found


def _head(node: Node) -> Node:
    """The ``headCommit`` of the snapshot: what GitHub knows of the head beside its content."""
    found = items(child(node, "headCommit"), lambda item: child(item, "commit"))
    if len(found) != 1 or found[0]["oid"] != node["headRefOid"]:
        raise IncompleteSnapshot("the head is not the last of the commits")
    return found[0]


def _siblings(installation: Installation, pull: PullRequest, node: Node) -> tuple[Sibling, ...]:
    """Other open pull requests with this head: what the check says, it says of them too.

    GitHub's list of a commit's pull requests may leave open ones out (see ``pulls_with_head``). If
    it is cut, or does not even name the one we ask about, it proves nothing: all are looked at.
    """
    if pull.state != "OPEN":
        return ()
    found: tuple[Sibling, ...] = ()
    whole = False
    if pull.commits:
        listed = child(_head(node), "associatedPullRequests")
        found = siblings(listed, pull.head_oid, pull.repository.id)
        whole = number(listed, "totalCount") == len(listed["nodes"])
    if not whole or all(one.number != pull.number for one in found):
        found = among_open_heads(
            installation,
            pull.repository.owner,
            pull.repository.name,
            pull.head_oid,
            repository_id=pull.repository.id,
        )
    return tuple(one for one in found if one.number != pull.number)


def _id(roster: RosterText | None) -> str:
    return "" if roster is None else roster_id(roster.repository, roster.path, roster.blob_oid)


def roster_texts(data: Mapping[str, Any], base: Node) -> RosterTexts:
    """The roster files of an answer. ``base``: its repository."""
    read = [_roster(data[name], OWNER_ROSTER) for name in ("orgPrivate", "orgPublic") if data[name]]
    found = [one for one in read if one is not None]
    return RosterTexts(
        org=found[0] if found else None,
        repository=repository_roster(base),
        second=found[1] if len(found) > 1 else None,
    )


def repository_roster(repository: Node) -> RosterText | None:
    """A repository's own roster, from an answer that has its ``roster`` and default branch."""
    return _roster(repository, REPOSITORY_ROSTER)


def _roster(repository: Node, path: str) -> RosterText | None:
    blob, branch = repository["roster"], repository["defaultBranchRef"]
    if blob is None:
        return None
    problem = _roster_problem(blob)
    return RosterText(
        repository=nodes.repository(repository).full_name,
        path=path,
        commit_oid=None if branch is None else text(child(branch, "target"), "oid"),
        blob_oid=text(blob, "oid"),
        text=None if problem else text(blob, "text"),
        problem=problem,
    )


def _roster_problem(blob: Node) -> str | None:
    if text(blob, "__typename") != "Blob":
        return "it is not a file"
    if number(blob, "byteSize") > ROSTER_BYTES:
        return f"it is larger than {ROSTER_BYTES // 1024} KiB"
    if blob["isBinary"] or blob["text"] is None:
        return "it is a binary file"
    if flag(blob, "isTruncated"):
        return "GitHub shows only a part of it"
    return None
