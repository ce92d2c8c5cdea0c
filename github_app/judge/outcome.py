"""What a judgement comes to: the outcomes, and the verdict with everything it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from github_app.judge.facts import Actor, PullRequest, Review
from github_app.judge.memory import Remembered
from github_app.judge.policy import Requirement
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Person, Roster, RosterSource
from github_app.judge.signoff import Ignored
from github_app.judge.wants import Want


class Outcome(StrEnum):
    """Design section 2. ``report/`` has each one's conclusion and title."""

    NOT_AI = "NOT_AI"
    EXEMPT = "EXEMPT"
    SIGNED_OFF = "SIGNED_OFF"
    WAITING = "WAITING"
    OBJECTED = "OBJECTED"
    CANNOT_JUDGE = "CANNOT_JUDGE"
    OVERRIDDEN = "OVERRIDDEN"

    @property
    def green(self) -> bool:
        """Whether a pull request with this outcome may be merged."""
        return self in _GREEN


_GREEN = frozenset({Outcome.NOT_AI, Outcome.EXEMPT, Outcome.SIGNED_OFF, Outcome.OVERRIDDEN})

# From worst to best: the verdict of a commit is the worst over the pull requests that share it.
SEVERITY: tuple[Outcome, ...] = (
    Outcome.CANNOT_JUDGE,
    Outcome.OBJECTED,
    Outcome.WAITING,
    Outcome.OVERRIDDEN,
    Outcome.SIGNED_OFF,
    Outcome.EXEMPT,
    Outcome.NOT_AI,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome for one head commit, and everything it rests on.

    ``reasons[0]`` decides; the others add to it. ``evidence`` is what stands, ``cleared`` what an
    entitled senior set aside; ``tools`` has the names of the tools in it. ``signers`` are those who
    could sign now, the most available first. ``wants`` is not empty where another fact could change
    the outcome: until it was asked for, the verdict is on the safe side of it. ``carriable`` are
    the older heads, newest approval first, that ``Want.CARRY`` is about, ``moved`` the approvals
    that ``Want.BASE`` is about, ``forced_away`` the heads that ``Want.FORMER`` is about, ``unsure``
    the accounts that ``Want.MAY_PUSH`` is about. ``lifters`` are those who could dismiss a request
    for changes, where one stands.
    """

    outcome: Outcome
    pull: PullRequest
    reasons: tuple[Reason, ...]
    evidence: tuple[Remembered, ...] = ()
    cleared: tuple[Remembered, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict, hash=False)
    requirement: Requirement | None = None
    counted: tuple[Review, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    signers: tuple[Person, ...] = ()
    lifters: tuple[Person, ...] = ()
    needed: int = 0
    roster: Roster | None = None
    observing: bool = False
    wants: frozenset[Want] = frozenset()
    carriable: tuple[str, ...] = ()
    moved: tuple[Review, ...] = ()
    forced_away: tuple[str, ...] = ()
    unsure: tuple[Actor, ...] = ()

    @property
    def roster_source(self) -> RosterSource | None:
        return self.roster.source if self.roster else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """What this pull request does to the roster: None where it leaves it alone.

    ``raised`` holds the case-folded logins that would gain a level or be newly listed. ``problem``
    is the first error of a file that could not be used if it were merged.
    """

    raised: frozenset[str] = frozenset()
    problem: str = ""


def cannot_judge(pull: PullRequest, *reasons: Reason) -> Verdict:
    """The verdict when facts or roster are missing: never green, and it says what is missing."""
    return Verdict(outcome=Outcome.CANNOT_JUDGE, pull=pull, reasons=reasons)


def worst(own: Verdict, others: tuple[Verdict, ...]) -> Verdict:
    """The verdict of a commit that several open pull requests have as their head.

    A check belongs to the commit: a green of one would let the other be merged. Where they differ
    it is the same one, in the same words, whichever of them was judged: it says whose it is.
    """
    family = (own, *others)
    if all(verdict.outcome is own.outcome for verdict in family):
        return own
    candidate = min(family, key=lambda one: (SEVERITY.index(one.outcome), one.pull.number))
    twin = Reason(code=Code.TWIN_WORSE, detail=f"#{candidate.pull.number}")
    return replace(candidate, reasons=(*candidate.reasons, twin))
