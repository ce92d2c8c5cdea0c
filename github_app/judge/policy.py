"""What a roster demands, as values: the parts of ``reviewers.yaml`` after it was checked.

A rank is the index of a level in the roster's ``levels``, lowest first: compare ranks, show names.
"""

from dataclasses import dataclass
from enum import StrEnum

from github_app.judge.signals import Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTool:
    """One entry of ``detection.tools``: an AI tool and how it is recognised. All case-folded but
    the name. An e-mail address that begins with ``@`` is every address of that domain."""

    name: str
    emails: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    trailers: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionPolicy:
    """``detection:`` of the roster. It can add marks and bots; it cannot take evidence away.

    ``labels`` and bots are case-folded; bot logins have no ``[bot]`` suffix. A bot listed as
    automation is believed only where design section 3 believes automation at all.
    """

    labels: frozenset[str] = frozenset({"ai-assisted"})
    ai_bots: frozenset[str] = frozenset()
    automation_bots: frozenset[str] = frozenset()
    tools: tuple[OwnTool, ...] = ()
    confidence: Confidence = Confidence.LIKELY
    require_declaration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOffPolicy:
    """``sign_off:``. ``exempt`` None is ``nobody``: no pull request is exempt."""

    rank: int
    approvals: int = 1
    exempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of ``rules:``. Empty patterns match everything. Ranks and numbers only tighten."""

    name: str
    why: str = ""
    repositories: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    rank: int | None = None
    approvals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """``path`` is foreign text, empty for the whole change; ``why`` is ours and goes on from it."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What this pull request needs, and which rules made it so (``because``: all that matched).

    ``risk`` is why rules on paths were taken to match that do not, if that made a difference.
    """

    rank: int
    approvals: int
    exempt: int | None
    because: tuple[Rule, ...] = ()
    risk: Risk | None = None


class RolloutMode(StrEnum):
    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """``rollout:``. Repositories matching ``observe`` are only observed while others enforce."""

    mode: RolloutMode = RolloutMode.ENFORCE
    observe: tuple[str, ...] = ()
