"""GraphQL's JSON into facts, one small function a type. A surprise raises, it is never skipped."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from github_app.gateway.errors import IncompleteSnapshot
from github_app.judge.facts import (
    Actor,
    ActorKind,
    BodyEdit,
    ChangedFile,
    CheckRun,
    Commit,
    Event,
    EventKind,
    GitIdentity,
    QueueEntry,
    Repository,
    Review,
    ReviewState,
    Signature,
)

Node = Mapping[str, Any]
T = TypeVar("T")
_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Surprise(Exception):
    """A value of another type than GitHub's schema promises. ``args[0]``: the field."""


def text(node: Node, field: str) -> str:
    """Text that can be written anywhere: JSON can hold half a surrogate pair, UTF-8 cannot."""
    value = _of(node, field, str)
    return value if value.isascii() else _HALF_PAIR.sub("\ufffd", value)


def number(node: Node, field: str) -> int:
    value = _of(node, field, int)
    if isinstance(value, bool):
        raise Surprise(field)
    return value


def flag(node: Node, field: str) -> bool:
    return _of(node, field, bool)


def optional(node: Node, field: str, read: Callable[[Node, str], T]) -> T | None:
    """None where GitHub says ``null``; a field that is missing altogether is a surprise."""
    return None if node[field] is None else read(node, field)


def child(node: Node, field: str) -> Node:
    value: Node = _of(node, field, dict)
    return value


def moment(node: Node, field: str) -> datetime:
    """A ``DateTime``: ISO 8601 with its offset. Aware, UTC."""
    found = datetime.fromisoformat(text(node, field))
    if found.tzinfo is None:
        raise Surprise(field)
    return found.astimezone(UTC)


def _typed_moment(node: Node, field: str) -> datetime | None:
    """A time that a committer typed: it may be none that can be told. None then."""
    told = text(node, field)
    try:
        return moment(node, field) if told else None
    except (ValueError, OverflowError):
        return None


def items(connection: Node, read: Callable[[Node], T]) -> tuple[T, ...]:
    """Every node of a connection. A null among them is something GitHub withheld: a surprise."""
    return tuple([read(node) for node in _of(connection, "nodes", list)])


def actor(node: Node | None) -> Actor | None:
    """An ``Actor``; None is a deleted account."""
    if node is None:
        return None
    kind = text(node, "__typename")
    if kind not in _ACTOR_KINDS:
        return Actor(kind=ActorKind.UNKNOWN, login=text(node, "login"), id=None)
    account = node.get("user") if kind == ActorKind.ENTERPRISE_USER else node
    return Actor(
        kind=ActorKind(kind),
        login=text(node, "login"),
        id=optional(account, "databaseId", number) if account else None,
    )


def _user(node: Node | None) -> Actor | None:
    """A ``User`` field: the type is said by the schema, not by ``__typename``."""
    if node is None:
        return None
    return Actor(
        kind=ActorKind.USER,
        login=text(node, "login"),
        id=optional(node, "databaseId", number),
    )


def repository(node: Node, default_branch: str | None = None) -> Repository:
    return Repository(
        id=number(node, "databaseId"),
        owner=text(child(node, "owner"), "login"),
        name=text(node, "name"),
        private=flag(node, "isPrivate"),
        default_branch=default_branch,
    )


def commit(item: Node) -> Commit:
    """A ``PullRequestCommit``. GitHub's own lists in it are whole, or said not to be."""
    node = child(item, "commit")
    authors = child(node, "authors")
    found = items(authors, _identity)
    parents = child(node, "parents")
    oids = items(parents, lambda parent: text(parent, "oid"))
    if number(parents, "totalCount") != len(oids):
        raise IncompleteSnapshot(
            f"a commit has {number(parents, 'totalCount')} parents, {len(oids)} of them are shown",
            retryable=False,
        )
    signature = node["signature"]
    return Commit(
        oid=text(node, "oid"),
        message=text(node, "message"),
        author=_identity(node["author"]),
        committer=_identity(node["committer"]),
        authors=found,
        authors_complete=number(authors, "totalCount") == len(found),
        parents=oids,
        signature=None if signature is None else _signature(signature),
        committed_via_web=flag(node, "committedViaWeb"),
        authored_at=_typed_moment(node, "authoredDate"),
        additions=number(node, "additions"),
        deletions=number(node, "deletions"),
        changed_files=optional(node, "changedFilesIfAvailable", number),
        tree_oid=text(child(node, "tree"), "oid"),
    )


def _identity(node: Node | None) -> GitIdentity:
    """A ``GitActor``. git writes any name and e-mail, also none."""
    if node is None:
        return GitIdentity(name="", email="")
    return GitIdentity(
        name=optional(node, "name", text) or "",
        email=optional(node, "email", text) or "",
        user=_user(node["user"]),
    )


def _signature(node: Node) -> Signature:
    return Signature(
        valid=flag(node, "isValid"),
        state=text(node, "state"),
        by_github=flag(node, "wasSignedByGitHub"),
        signer=_user(node["signer"]),
    )


def review(node: Node) -> Review:
    commit_node = node["commit"]
    return Review(
        id=int(node["fullDatabaseId"]),  # a BigInt, which GitHub sends as text
        author=actor(node["author"]),
        state=_review_state(text(node, "state")),
        commit_oid=None if commit_node is None else text(commit_node, "oid"),
        submitted_at=optional(node, "submittedAt", moment),
        can_push=optional(node, "authorCanPushToRepository", flag),
    )


def _review_state(name: str) -> ReviewState:
    if name not in _REVIEW_STATES:
        known = name if name.isascii() and name.isidentifier() else "of an unknown form"
        raise IncompleteSnapshot(f"GitHub has a new review state, {known[:60]}", retryable=False)
    return ReviewState(name)


def changed_file(node: Node) -> ChangedFile:
    return ChangedFile(
        path=text(node, "path"),
        change=text(node, "changeType"),
        additions=number(node, "additions"),
        deletions=number(node, "deletions"),
    )


def body_edit(node: Node) -> BodyEdit:
    """A ``UserContentEdit``: its ``diff`` is the whole body after the edit, or blanked."""
    blanked = node["deletedAt"] is not None
    return BodyEdit(
        edited_at=moment(node, "editedAt"),
        editor=actor(node["editor"]),
        text=None if blanked else optional(node, "diff", text),
    )


def event(node: Node) -> Event:
    """A timeline item of one of the kinds in ``EventKind``, the only ones that are asked for."""
    name = text(node, "__typename")
    if name not in _EVENT_KINDS:
        raise Surprise("__typename")
    kind = EventKind(name)
    before, after = _CHANGES.get(kind, (_nothing, _nothing))
    subject = node.get("assignee") or node.get("requestedReviewer")
    reviewed = node.get("review")
    label = node.get("label")
    state = node.get("previousReviewState")
    return Event(
        kind=kind,
        id=text(node, "id"),
        at=moment(node, "createdAt"),
        actor=actor(node["actor"]),
        label=None if label is None else text(label, "name"),
        label_edited_at=_edited(label),
        before=before(node),
        after=after(node),
        # a team is no Actor: it has no login
        subject=actor(subject) if subject and "login" in subject else None,
        review_id=int(reviewed["fullDatabaseId"]) if reviewed else None,
        previous_review_state=(
            None if state is None else _review_state(text(node, "previousReviewState"))
        ),
    )


def _edited(label: Node | None) -> datetime | None:
    """Asked of the labels that were put on, not of those taken off."""
    return moment(label, "updatedAt") if label and label.get("updatedAt") else None


def queue_entry(node: Node | None) -> QueueEntry | None:
    if node is None:
        return None
    return QueueEntry(
        head_oid=_oid(node, "headCommit"),
        base_oid=_oid(node, "baseCommit"),
        state=text(node, "state"),
    )


def check_run(head: Node) -> CheckRun | None:
    """Our latest check run among those of a commit's ``checkSuites``.

    None also where GitHub shows only some of them: then nobody knows what stands, and what is
    published next supersedes it all.
    """
    suites = head["checkSuites"]
    if suites is None:
        return None
    groups = items(suites, lambda suite: child(suite, "checkRuns"))
    runs = [run for group in groups for run in items(group, _check_run)]
    shown = number(suites, "totalCount") == len(groups) and all(
        number(group, "totalCount") == len(group["nodes"]) for group in groups
    )
    return max(runs, key=lambda run: run.id, default=None) if shown else None


def _check_run(node: Node) -> CheckRun:
    return CheckRun(
        id=number(node, "databaseId"),
        status=text(node, "status"),
        conclusion=optional(node, "conclusion", text),
        external_id=optional(node, "externalId", text),
        title=optional(node, "title", text),
    )


def _of(node: Node, field: str, kind: type[T]) -> T:
    value = node[field]
    if not isinstance(value, kind):
        raise Surprise(field)
    return value


def _nothing(_: Node) -> str | None:
    return None


def _oid(node: Node, field: str) -> str | None:
    return None if node[field] is None else text(node[field], "oid")


def _text_of(field: str) -> Callable[[Node], str | None]:
    return lambda node: optional(node, field, text)


def _oid_of(field: str) -> Callable[[Node], str | None]:
    return lambda node: _oid(node, field)


_ACTOR_KINDS = frozenset(ActorKind) - {ActorKind.UNKNOWN}
_EVENT_KINDS = frozenset(EventKind)
_REVIEW_STATES = frozenset(ReviewState)

# Where each kind keeps what changed: (before, after).
_CHANGES: dict[EventKind, tuple[Callable[[Node], str | None], Callable[[Node], str | None]]] = {
    EventKind.RENAMED_TITLE: (_text_of("previousTitle"), _text_of("currentTitle")),
    EventKind.FORCE_PUSHED: (_oid_of("beforeCommit"), _oid_of("afterCommit")),
    EventKind.HEAD_DELETED: (_text_of("headRefName"), _nothing),
    EventKind.BASE_CHANGED: (_text_of("previousRefName"), _text_of("currentRefName")),
    EventKind.BASE_FORCE_PUSHED: (_oid_of("beforeCommit"), _oid_of("afterCommit")),
    EventKind.BASE_CHANGED_BY_GITHUB: (_text_of("oldBase"), _text_of("newBase")),
    EventKind.UNQUEUED: (_oid_of("beforeCommit"), _nothing),
    EventKind.MERGED: (_text_of("mergeRefName"), _oid_of("commit")),
}
