"""What every table of fields shares: who asks, the views of git objects, the names of types."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: N803

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sandbox.auth import Caller, Limits
from sandbox.connections import Connection, Price, Problem
from sandbox.errors import Forbidden, NotFound
from sandbox.git import Blob, Tree
from sandbox.git import Commit as GitCommit
from sandbox.objects import (
    Account,
    BodyEdit,
    CheckSuite,
    Event,
    Protection,
    PullRequest,
    QueueEntry,
    Repository,
    Review,
    Ruleset,
    Status,
)
from sandbox.world import World

Resolver = Callable[..., Any]
FIELDS: dict[str, Resolver] = {}
GitObject = TypeVar("GitObject", GitCommit, Blob, Tree)
_PAGING = frozenset({"first", "last", "after", "before"})
# They change nothing here: everything is owned, everybody a direct member, teams have no parents.
_WITHOUT_EFFECT = frozenset(
    {"orderBy", "ownerAffiliations", "affiliations", "membership", "rootTeamsOnly"}
)


@dataclass(eq=False)
class Context:
    """One request: the world, who asks, what it costs, and the faults that hit it."""

    world: World
    caller: Caller
    limits: Limits
    price: Price
    cut: bool = False  # fault: connections end early, as if complete
    empty: bool = False  # fault: connections come back empty

    def page(self, whole: Sequence[Any], arguments: dict[str, Any]) -> Connection:
        asked = {name for name, value in arguments.items() if value is not None}
        if unknown := asked - _PAGING - _WITHOUT_EFFECT:
            raise NotImplementedError(f"the sandbox does not know {', '.join(sorted(unknown))}")
        made = Connection(whole, **{name: arguments[name] for name in asked & _PAGING})
        if self.empty or self.cut:
            made.items = [] if self.empty else made.items[: max(1, len(made.items) // 2)]
            made.end = len(made.whole)
        return made

    def need(self, repository: Repository, permission: str) -> None:
        try:
            self.caller.need(repository, permission)
        except Forbidden as error:
            raise Problem("FORBIDDEN", "Resource not accessible by integration") from error
        except NotFound as error:
            raise Problem("NOT_FOUND", "Could not resolve to a Repository") from error


def resolves(*names: str) -> Callable[[Resolver], Resolver]:
    def enter(function: Resolver) -> Resolver:
        for name in names:
            FIELDS[name] = function
        return function

    return enter


@dataclass(frozen=True, slots=True)
class InRepository(Generic[GitObject]):
    """An object of git as seen in one repository."""

    repository: Repository
    git: GitObject


class CommitView(InRepository[GitCommit]):
    __slots__ = ()


class BlobView(InRepository[Blob]):
    __slots__ = ()


class TreeView(InRepository[Tree]):
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PullCommit:
    pull: PullRequest
    git: GitCommit


@dataclass(frozen=True, slots=True)
class RefView:
    repository: Repository
    prefix: str
    name: str
    sha: str


@dataclass(frozen=True, slots=True)
class InRuleset:
    """One of a ruleset's lists, by its place there."""

    ruleset: Ruleset
    place: int


class RuleView(InRuleset):
    __slots__ = ()


class Bypass(InRuleset):
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Queue:
    repository: Repository
    branch: str


@dataclass(frozen=True, slots=True)
class PushView:
    suite: CheckSuite


_NAMES: dict[type, str] = {
    CommitView: "Commit",
    BlobView: "Blob",
    TreeView: "Tree",
    Review: "PullRequestReview",
    PullCommit: "PullRequestCommit",
    BodyEdit: "UserContentEdit",
    RefView: "Ref",
    RuleView: "RepositoryRule",
    Ruleset: "RepositoryRuleset",
    Protection: "BranchProtectionRule",
    QueueEntry: "MergeQueueEntry",
    Status: "StatusContext",
}


def typename(value: Any, *_: Any) -> str:
    """The GraphQL type of a value behind an interface or union."""
    if isinstance(value, Account | Event):
        return value.kind
    if isinstance(value, dict):
        return str(value["__typename"])
    return _NAMES.get(type(value)) or type(value).__name__


def actor(account: Account | None) -> Account | None:
    """A deleted account is null in GraphQL, where REST shows the ghost."""
    return None if account is None or account.deleted else account


def commit_in(repository: Repository, sha: str | None) -> CommitView | None:
    found = repository.store.commits.get(sha or "")
    return CommitView(repository, found) if found else None


def ref_named(repo: Repository, qualifiedName: str) -> RefView | None:
    """By ``refs/heads/main``, or by a short name."""
    for prefix, names in (("refs/heads/", repo.branches), ("refs/tags/", repo.tags)):
        name = qualifiedName.removeprefix(prefix)
        if name in names:
            return RefView(repo, prefix, name, names[name])
    return None


def pull_state(pull: PullRequest) -> str:
    return "MERGED" if pull.merged else pull.state.upper()


def simple(table: dict[str, Callable[[Any], Any]], kind: str) -> None:
    """Enter fields that need nothing but the object."""

    def plain(function: Callable[[Any], Any]) -> Resolver:
        return lambda node, _ctx: function(node)

    for name, function in table.items():
        FIELDS[f"{kind}.{name}"] = plain(function)
