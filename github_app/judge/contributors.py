"""Whose work is in the change: the people who may not sign it off.

A commit's identity is typed by its committer, so it can only take a right away: it makes somebody
a contributor. What proves something (opener, pushers) comes from GitHub's own records.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from github_app.judge import trailers
from github_app.judge.facts import (
    Actor,
    ActorKind,
    Commit,
    EventKind,
    GitIdentity,
    PullRequest,
    Push,
)
from github_app.judge.memory import Memory

# GitHub's own committer of commits made on the web site.
WEB_FLOW = "noreply@github.com"
# <id>+<login>@users.noreply.<host>; the oldest accounts have no id. Hosts differ on GHES.
_NOREPLY = re.compile(r"(?:(\d{1,20})\+)?([^@+\s]{1,100})@users\.noreply\.[a-z0-9.-]{1,200}")


_MORE_THAN_LISTED = GitIdentity(name="more co-authors than GitHub lists", email="")
_BY_AGENT = frozenset({EventKind.ASSIGNED, EventKind.REVIEW_REQUESTED})


class Part(StrEnum):
    """What somebody did in the change, as the report words it."""

    OPENED = "opened this pull request"
    WROTE = "wrote"
    COMMITTED = "committed"
    CO_AUTHORED = "co-authored"
    SIGNED = "signed"
    PUSHED = "pushed"
    ASKED = "asked an agent for this change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One person's (or account's) part. ``id`` None: known by ``login`` only.

    ``tool`` True: the identity in the commit is a known tool's, so it has no level to look at.
    """

    login: str
    id: int | None
    part: Part
    oid: str = ""
    kind: ActorKind = ActorKind.USER
    tool: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattributed:
    """A commit whose author or committer is tied to no account."""

    oid: str
    identity: GitIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributors:
    """Everybody with a part in the change, and the commits nobody can be held to.

    ``strangers`` are co-authors who are tied to no account either: that hides nobody who could
    approve, for others are held to the commit, but it may be anybody's work.
    ``first`` finds somebody's first part by numeric id or by case-folded login.
    """

    parts: tuple[Contribution, ...]
    unattributed: tuple[Unattributed, ...]
    strangers: tuple[Unattributed, ...]
    first: Mapping[int | str, Contribution]

    def part_of(self, *, login: str, account: int | None) -> Contribution | None:
        """The first part this account has in the change. By id, and by login too: when in doubt,
        a contributor."""
        by_id = self.first.get(account) if account is not None else None
        return by_id or self.first.get(login.casefold())


IsTool = Callable[[GitIdentity], bool]


def contributors(pull: PullRequest, memory: Memory, *, is_tool: IsTool) -> Contributors:
    """Everybody whose work is in the change.

    ``is_tool`` says whether an identity in a commit is that of a known AI tool or bot: it has no
    level, and it is nobody who could approve.
    Source: design section 5; github-platform section 8.
    """
    parts = [*_opener(pull), *_pushers(pull, memory), *_askers(pull)]
    unattributed: list[Unattributed] = []
    strangers: list[Unattributed] = []
    for commit in pull.commits:
        credited = trailers.co_authors(commit.message)
        parts += _commit_parts(commit, credited, is_tool)
        unattributed += _unattributed(commit, is_tool)
        strangers += _strangers(commit, credited, is_tool)
    first: dict[int | str, Contribution] = {}
    for part in parts:
        first.setdefault(part.login.casefold(), part)
        if part.id is not None:
            first.setdefault(part.id, part)
    return Contributors(
        parts=tuple(dict.fromkeys(parts)),
        unattributed=tuple(dict.fromkeys(unattributed)),
        strangers=tuple(dict.fromkeys(strangers)),
        first=first,
    )


def known_pushes(pull: PullRequest, memory: Memory) -> tuple[Push, ...]:
    """Every authenticated push to the head branch that we know of, from either source."""
    return tuple(dict.fromkeys([*memory.pushes, *(pull.pushes or ())]))


def pushers_known(pull: PullRequest, memory: Memory) -> bool:
    """Whether the pushes lead without a gap from the head back to where the branch began.

    It began with its creation, or at a commit of the base: one that the pull request's commits
    stand on without being among them. A push without an actor is a gap, and so is a bot's: nobody
    knows on whose behalf it pushed.
    """
    if pull.cross_repository:
        return False
    by_result = {push.after: push for push in known_pushes(pull, memory)}
    oids = {commit.oid for commit in pull.commits}
    beginnings = {parent for commit in pull.commits for parent in commit.parents} - oids
    seen: set[str] = set()
    oid = pull.head_oid
    while oid not in beginnings and oid.strip("0"):
        push = by_result.get(oid)
        if push is None or push.actor is None or not push.actor.is_person or oid in seen:
            return False
        seen.add(oid)
        oid = push.before
    return bool(seen)


def attributed(identity: GitIdentity) -> Contribution | None:
    """The account an identity points at: GitHub's own answer, else a noreply address that names
    one. None when it points at nobody: GitHub's own account is who has typed its address."""
    if is_web_flow(identity):
        return None
    if identity.user is not None:
        return _of(identity.user, Part.WROTE)
    match = _NOREPLY.fullmatch(identity.email.strip().casefold())
    if match is None:
        return None
    number, login = match.groups()
    kind = ActorKind.BOT if login.endswith("[bot]") else ActorKind.USER
    return Contribution(
        login=login.removesuffix("[bot]"),
        id=int(number) if number else None,
        part=Part.WROTE,
        kind=kind,
    )


def _of(actor: Actor, part: Part, oid: str = "") -> Contribution:
    return Contribution(login=actor.login, id=actor.id, part=part, oid=oid, kind=actor.kind)


def _opener(pull: PullRequest) -> Iterator[Contribution]:
    if pull.author is not None:
        yield _of(pull.author, Part.OPENED)


def _pushers(pull: PullRequest, memory: Memory) -> Iterator[Contribution]:
    for push in known_pushes(pull, memory):
        if push.actor is not None:
            yield _of(push.actor, Part.PUSHED, push.after)
    for event in pull.timeline:
        if event.kind is EventKind.FORCE_PUSHED and event.actor is not None:
            yield _of(event.actor, Part.PUSHED, event.after or "")
    for actor in memory.pushers:
        yield _of(actor, Part.PUSHED)


def _askers(pull: PullRequest) -> Iterator[Contribution]:
    """Who had an agent make this pull request.

    GitHub does not say it outright. An agent assigns its pull request to the asker and requests
    their review. A colleague who assigns or asks somebody else is an asker at most themselves:
    whom they name stays free to sign, or anybody could take every senior out.
    """
    if pull.author is None or pull.author.is_person:
        return
    for event in pull.timeline:
        by_person = event.actor is not None and event.actor.is_person
        if event.kind is EventKind.ASSIGNED and by_person and event.actor is not None:
            yield _of(event.actor, Part.ASKED)
        elif event.kind in _BY_AGENT and not by_person and event.subject is not None:
            yield _of(event.subject, Part.ASKED)


def _commit_parts(
    commit: Commit, credited: tuple[GitIdentity, ...], is_tool: IsTool
) -> Iterator[Contribution]:
    def named(identity: GitIdentity, part: Part) -> Iterator[Contribution]:
        found = attributed(identity)
        if found is not None:
            yield replace(found, part=part, oid=commit.oid, tool=is_tool(identity))

    yield from named(commit.author, Part.WROTE)
    if not is_web_flow(commit.committer):
        yield from named(commit.committer, Part.COMMITTED)
    for identity in commit.authors[1:]:
        yield from named(identity, Part.CO_AUTHORED)
    for identity in credited:
        yield from named(identity, Part.CO_AUTHORED)
    signature = commit.signature
    if signature is not None and signature.signer is not None and not signature.by_github:
        yield _of(signature.signer, Part.SIGNED, commit.oid)


def _unattributed(commit: Commit, is_tool: IsTool) -> Iterator[Unattributed]:
    written_by = [commit.author]
    if not is_web_flow(commit.committer):
        written_by.append(commit.committer)
    for identity in dict.fromkeys(written_by):
        if attributed(identity) is None and not is_tool(identity):
            yield Unattributed(oid=commit.oid, identity=identity)


def _strangers(
    commit: Commit, credited: tuple[GitIdentity, ...], is_tool: IsTool
) -> Iterator[Unattributed]:
    if not commit.authors_complete:
        yield Unattributed(oid=commit.oid, identity=_MORE_THAN_LISTED)
    listed = {identity.email.strip().casefold() for identity in commit.authors}
    also = [identity for identity in credited if identity.email.strip().casefold() not in listed]
    for identity in dict.fromkeys([*commit.authors[1:], *also]):
        if attributed(identity) is None and not is_tool(identity):
            yield Unattributed(oid=commit.oid, identity=identity)


def is_web_flow(identity: GitIdentity) -> bool:
    """GitHub itself, as the committer of what was done on its web site."""
    return identity.email.strip().casefold() == WEB_FLOW
