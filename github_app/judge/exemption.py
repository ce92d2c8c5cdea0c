"""Whether a change needs no sign-off because everybody who worked on it is senior.

It rests on authenticated facts: who opened the pull request and who pushed to its branch. What
commits say of themselves can only speak against it (design section 5).
"""

from collections.abc import Iterator

from github_app.judge.contributors import (
    Contribution,
    Contributors,
    Part,
    known_pushes,
    pushers_known,
)
from github_app.judge.entitlement import listed_at
from github_app.judge.facts import Actor, ActorKind, PullRequest
from github_app.judge.memory import Memory
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Roster

_COMMIT_PARTS = frozenset({Part.WROTE, Part.COMMITTED, Part.CO_AUTHORED, Part.SIGNED})


def opener_could_be_exempt(pull: PullRequest, roster: Roster, exempt: int | None) -> bool:
    """Worth asking GitHub who pushed: the opener is senior enough, and it can be known at all."""
    return (
        exempt is not None
        and not pull.cross_repository
        and pull.author is not None
        and listed_at(pull.author, roster, exempt)
    )


def against_exemption(
    pull: PullRequest, roster: Roster, memory: Memory, found: Contributors, exempt: int
) -> Iterator[Reason]:
    """Every reason why the change is not exempt; none means that it is."""
    if pull.author is None or not listed_at(pull.author, roster, exempt):
        yield Reason(code=Code.EXEMPT_OPENER, who=pull.author.login if pull.author else "")
    yield from _pushers(pull, roster, memory, exempt)
    for item in (*found.unattributed, *found.strangers):
        yield Reason(code=Code.EXEMPT_COMMIT, sha=item.oid, detail=item.identity.name)
    for part in found.parts:
        if part.part in _COMMIT_PARTS and not _part_senior(part, roster, exempt):
            yield Reason(code=Code.EXEMPT_COMMIT, who=part.login, sha=part.oid)
        elif part.part is Part.ASKED and not _part_senior(part, roster, exempt):
            yield Reason(code=Code.EXEMPT_OPENER, who=part.login)


def _pushers(pull: PullRequest, roster: Roster, memory: Memory, exempt: int) -> Iterator[Reason]:
    if not pushers_known(pull, memory):
        yield Reason(code=Code.EXEMPT_PUSHERS_UNKNOWN)
    actors = (push.actor for push in known_pushes(pull, memory))
    for actor in dict.fromkeys([*actors, *memory.pushers]):
        if actor is not None and not listed_at(actor, roster, exempt):
            yield Reason(code=Code.EXEMPT_PUSHER, who=actor.login)


def _part_senior(part: Contribution, roster: Roster, rank: int) -> bool:
    if part.tool:
        return True
    if part.kind is not ActorKind.USER:
        return False
    person = Actor(kind=part.kind, login=part.login, id=part.id)
    return listed_at(person, roster, rank)
