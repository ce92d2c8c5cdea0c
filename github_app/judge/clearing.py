"""Whether the label that says "not AI-assisted" sets the evidence aside: who put it on, and when.

A clearing must not be easier to get than a sign-off: it takes the same level, no part in the
change, and the right to push now (design sections 3 and 5). It is the word of one person even where
a rule asks for more approvals, and covers only what was seen before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import not_

from github_app.judge import detection, signoff
from github_app.judge.contributors import Contributors
from github_app.judge.facts import Actor, Event, EventKind, PullRequest
from github_app.judge.memory import Remembered
from github_app.judge.policy import Requirement
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Roster
from github_app.judge.signals import Place
from github_app.judge.text import excerpt
from github_app.judge.wants import Want


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """The evidence, split into what stands and what was set aside; and what is to be said of it.

    ``since`` is when it was (aware, UTC), where something was. ``wants`` are the facts that could
    still change this.
    """

    standing: tuple[Remembered, ...]
    cleared: tuple[Remembered, ...] = ()
    since: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    wants: frozenset[Want] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a clearing may look at. ``writer_unknown``: a commit is tied to no account, and the
    pushers, as far as they are known, do not rule anybody out."""

    pull: PullRequest
    roster: Roster
    requirement: Requirement
    contributors: Contributors
    writer_unknown: bool
    pushers_known: bool

    @property
    def pushes_can_be_asked(self) -> bool:
        pull = self.pull
        return not self.pushers_known and pull.pushes is None and not pull.cross_repository


def clear(evidence: tuple[Remembered, ...], change: Change) -> Clearing:
    """Split the evidence by the clearing that is in force, if there is one."""
    events = detection.clear_events(change.pull)
    event = events[-1] if events else None
    if event is None or event.actor is None:
        return Clearing(standing=evidence)
    who = event.actor.login
    against = next(_against(event.actor, change), None)
    if against is not None:
        ignored = Reason(code=Code.CLEARING_IGNORED, who=who, detail=against)
        return Clearing(standing=evidence, reasons=(ignored,))
    if _label_edited(event):
        return Clearing(standing=evidence, reasons=(Reason(code=Code.LABEL_EDITED, who=who),))
    wants = frozenset(_wants(event.actor, change))
    if Want.CLEARER in wants or change.writer_unknown:
        pending = Reason(code=Code.CLEARING_IGNORED, who=who, detail="is not known well enough yet")
        return Clearing(standing=evidence, reasons=(pending,), wants=wants)
    anew = _labels_since(event, change.pull)
    stands = [item.first_seen > event.at or _is_label(item, anew) for item in evidence]
    standing = tuple(compress(evidence, stands))
    cleared = tuple(compress(evidence, map(not_, stands)))
    if not cleared:
        return Clearing(standing=standing, wants=wants)
    reasons = (Reason(code=Code.EVIDENCE_CLEARED, who=who),)
    return Clearing(
        standing=standing, cleared=cleared, since=event.at, reasons=reasons, wants=wants
    )


def _against(actor: Actor, change: Change) -> Iterator[str]:
    """Why this person may not clear, whatever else is asked for. Each goes on from their name."""
    if not signoff.listed_at(actor, change.roster, change.requirement.rank):
        yield "is not on the roster at the level that this change needs"
    part = change.contributors.part_of(login=actor.login, account=actor.id)
    if part is not None:
        yield "has a part in the change"
    if may_push(change.pull, actor) is False:
        yield "may not push to this repository"
    if change.writer_unknown and not change.pushes_can_be_asked:
        yield "may have written a commit that is tied to no account"


def _wants(actor: Actor, change: Change) -> Iterator[Want]:
    if may_push(change.pull, actor) is None:
        yield Want.CLEARER
    if change.pushes_can_be_asked:  # they may have pushed it themselves
        yield Want.PUSHES


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


def _labels_since(clearing: Event, pull: PullRequest) -> frozenset[str]:
    """The labels put on after the clearing, if only again: somebody has said it anew."""
    since = pull.timeline[pull.timeline.index(clearing) + 1 :]
    return frozenset(
        excerpt(event.label) for event in since if event.kind is EventKind.LABELED and event.label
    )


def _is_label(item: Remembered, labels: frozenset[str]) -> bool:
    return item.signal.place is Place.LABEL and item.signal.ref in labels


def _label_edited(event: Event) -> bool:
    """Whether the label may have had another name when it was applied. Unknown is yes: renaming
    takes no more than write access, and would make a clearing of any label a senior ever set."""
    return event.label_edited_at is None or event.label_edited_at >= event.at
