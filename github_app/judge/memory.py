"""What was seen earlier of this change and may since have been hidden."""

from dataclasses import dataclass
from datetime import datetime

from github_app.judge.facts import Actor
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
class Memory:
    """Evidence and pushers seen earlier for this change. An empty memory loosens nothing."""

    evidence: tuple[Remembered, ...] = ()
    pushers: tuple[Actor, ...] = ()


NOTHING_SEEN = Memory()
