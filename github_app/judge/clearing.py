"""Whether the label that says "not AI-assisted" sets the evidence aside: who put it on, and when.

Who may is in ``entitlement.py``. It is the word of one person even where a rule asks for more
approvals, and covers only what was seen before.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import not_

from github_app.judge import detection
from github_app.judge.entitlement import Change, say_of
from github_app.judge.facts import Actor, Event, EventKind, PullRequest
from github_app.judge.memory import Remembered
from github_app.judge.reasons import Code, Reason
from github_app.judge.signals import Place
from github_app.judge.text import excerpt
from github_app.judge.wants import Want


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """The evidence, split into what stands and what was set aside; and what is to be said of it.

    ``since`` is when it was (aware, UTC), where something was. ``wants`` are the facts that could
    still change this, ``unsure`` the account that ``Want.MAY_PUSH`` is about.
    """

    standing: tuple[Remembered, ...]
    cleared: tuple[Remembered, ...] = ()
    since: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    wants: frozenset[Want] = frozenset()
    unsure: tuple[Actor, ...] = ()


def clear(evidence: tuple[Remembered, ...], change: Change) -> Clearing:
    """Split the evidence by the clearing that is in force, if there is one."""
    events = detection.clear_events(change.pull)
    event = events[-1] if events else None
    if event is None or event.actor is None:
        return Clearing(standing=evidence)
    who = event.actor.login
    found = say_of(event.actor, change)
    wants = found.wants
    unsure = (event.actor,) if Want.MAY_PUSH in wants else ()
    if not wants and found.against:
        ignored = Reason(code=Code.CLEARING_IGNORED, who=who, detail=found.against)
        return Clearing(standing=evidence, reasons=(ignored,))
    if _label_edited(event):
        return Clearing(standing=evidence, reasons=(Reason(code=Code.LABEL_EDITED, who=who),))
    if found.against:
        pending = Reason(code=Code.CLEARING_IGNORED, who=who, detail=found.against)
        return Clearing(standing=evidence, reasons=(pending,), wants=wants, unsure=unsure)
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
