"""Who may decide about a change without approving it: set evidence aside, lift an objection.

Neither may be easier to get than a sign-off: it takes the same level, no part in the change, and
the right to push now (design sections 3 and 5).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from github_app.judge.contributors import Contributors
from github_app.judge.facts import Actor, PullRequest
from github_app.judge.policy import Requirement
from github_app.judge.roster import Roster
from github_app.judge.wants import Want


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a decision about it may look at. ``writer_unknown``: a commit is tied to no account, and
    the pushers, as far as they are known, do not rule anybody out. ``raised``: case-folded logins
    whose level this very change would raise."""

    pull: PullRequest
    roster: Roster
    requirement: Requirement
    contributors: Contributors
    writer_unknown: bool
    pushers_known: bool
    raised: frozenset[str] = frozenset()

    @property
    def pushes_can_be_asked(self) -> bool:
        pull = self.pull
        return not self.pushers_known and pull.pushes is None and not pull.cross_repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """``against``: why this person's decision does not count, going on from their name; empty if
    it does. ``wants``: the facts that could change that."""

    against: str = ""
    wants: frozenset[Want] = frozenset()


def say_of(actor: Actor, change: Change) -> Say:
    """What this account's decision about the change is worth, as far as the facts tell."""
    against = next(_against(actor, change), "")
    if against:
        return Say(against=against)
    wants = frozenset(_wants(actor, change))
    pending = Want.MAY_PUSH in wants or change.writer_unknown
    return Say(against="is not known well enough yet" if pending else "", wants=wants)


def listed_at(actor: Actor, roster: Roster, rank: int) -> bool:
    """Whether the account is a person on the roster with this rank or more. What ``unlisted``
    says is not enough: a right is given by name."""
    person = roster.person(actor)
    return person is not None and person.rank >= rank


def may_push(pull: PullRequest, actor: Actor) -> bool | None:
    """Whether the account may push now; None where nobody asked."""
    if actor.id is None:
        return False
    told = [
        review.can_push
        for review in pull.reviews
        if review.author is not None and review.author.id == actor.id
    ]
    return pull.can_push.get(actor.id, told[-1] if told else None)


def _against(actor: Actor, change: Change) -> Iterator[str]:
    if not listed_at(actor, change.roster, change.requirement.rank):
        yield "is not on the roster at the level that this change needs"
    if actor.key in change.raised:
        yield "would be raised by this very change of the roster"
    part = change.contributors.part_of(login=actor.login, account=actor.id)
    if part is not None:
        yield "has a part in the change"
    if may_push(change.pull, actor) is False:
        yield "may not push to this repository"
    if change.writer_unknown and not change.pushes_can_be_asked:
        yield "may have written a commit that is tied to no account"


def _wants(actor: Actor, change: Change) -> Iterator[Want]:
    if may_push(change.pull, actor) is None:
        yield Want.MAY_PUSH
    if change.pushes_can_be_asked:  # they may have pushed it themselves
        yield Want.PUSHES
