"""One piece of evidence that AI took part, and how sure it makes us."""

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How much one signal proves alone. Compare with ``rank``, never as text."""

    WEAK = "weak"
    LIKELY = "likely"
    CERTAIN = "certain"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Confidence.WEAK: 0, Confidence.LIKELY: 1, Confidence.CERTAIN: 2}


class SignalKind(StrEnum):
    """What sort of mark it is. The values are stored and printed: never rename or reuse one."""

    AUTHOR = "author"  # the git author of a commit
    COMMITTER = "committer"
    CO_AUTHOR = "co-author"
    TRAILER = "trailer"  # Assisted-by, Generated-by, and the like
    SESSION = "session"  # a link to, or an id of, a session with an agent
    FOOTER = "footer"  # "Generated with ..." in a message or body
    LABEL = "label"
    BRANCH = "branch"
    OPENER = "opener"  # the bot or app that opened the pull request
    DECLARATION = "declaration"  # a ticked box, "AI-assisted: yes"
    SWITCHED_OFF = "switched-off"  # a change that turns a tool's attribution off


class Place(StrEnum):
    """Where in the pull request the mark was seen."""

    COMMIT = "commit"
    LABEL = "label"
    TITLE = "title"
    BODY = "body"
    BRANCH = "branch"
    OPENER = "opener"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One mark of one tool at one place.

    ``tool`` is an id of the catalogue, or ``unknown-ai``. ``ref`` completes ``place``: the commit
    id, the label, the path; empty where the place says it all. ``evidence`` is the text that was
    matched: one line, at most 200 characters, control and format characters made visible. It
    is still foreign text: escape it for the medium it goes to.
    """

    tool: str
    kind: SignalKind
    confidence: Confidence
    place: Place
    ref: str = ""
    evidence: str = ""

    @property
    def where(self) -> str:
        """``commit 1a2b3c4…``, ``label ai-assisted``, ``body``: one word or two."""
        return f"{self.place} {self.ref}" if self.ref else self.place.value
