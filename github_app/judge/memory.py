"""What was seen earlier of this change and may since have been hidden."""

from dataclasses import dataclass
from datetime import datetime

from github_app.judge.facts import Actor, Push
from github_app.judge.likeness import Range
from github_app.judge.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A signal and when we first saw it (aware, UTC; our clock, not the committer's).

    ``origin`` is the number of the pull request it was seen in: it differs from the one judged
    when the same commits or the same patch came back in another pull request.
    """

    signal: Signal
    first_seen: datetime
    origin: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """Something of another pull request that may be the same patch as ``ours``: if it is, its
    ``evidence`` is evidence of this one. ``unmistakable``: also where nothing can be proven."""

    ours: Range
    theirs: Range
    evidence: tuple[Remembered, ...]
    unmistakable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Evidence and pushes seen earlier for this change. An empty memory loosens nothing.

    ``pushers`` pushed to this change, or to the same commits in another pull request. ``pushes``
    are those to the head branch that GitHub told us of by webhook, or that its activity list held
    earlier: they may lead from the head back to where the branch began. ``lookalikes`` are no
    evidence yet. ``heads`` are those that were judged of this pull request. ``names`` are those
    that the repository had: ``owner/name``, case-folded.
    """

    evidence: tuple[Remembered, ...] = ()
    pushers: tuple[Actor, ...] = ()
    pushes: tuple[Push, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()
    heads: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


NOTHING_SEEN = Memory()
