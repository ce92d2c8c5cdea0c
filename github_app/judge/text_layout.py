"""One text as the rules of detection read it: its lines, and what in it is quoted."""

from bisect import bisect_right
from enum import Enum
from typing import NamedTuple

from github_app.judge import wording
from github_app.judge.signals import Confidence, SignalKind
from github_app.judge.text import excerpt

_CERTAIN, _LIKELY, _WEAK = Confidence.CERTAIN, Confidence.LIKELY, Confidence.WEAK
_LOWER = {_CERTAIN: _LIKELY, _LIKELY: _WEAK, _WEAK: _WEAK}
_LINE = 400  # characters of one line that are read, to either side of a mark


class Hit(NamedTuple):
    """A mark in a text, before it is said where the text stands. ``at`` orders them."""

    kind: SignalKind
    tool: str
    sure: Confidence
    at: int
    evidence: str


class Page:
    """One normalised text. What is known of its layout is worked out when it is first asked for."""

    __slots__ = ("_layout", "low", "raw", "text")

    def __init__(self, text: str, review_blocks: tuple[tuple[str, str], ...]) -> None:
        self.text = text
        self.raw = low = wording.narrow(text).lower()  # as long as the text: positions agree
        if "<!--" in low:
            for opening, closing in review_blocks:
                low = _blanked(low, opening, closing)
            low = _blanked(low, "<!--", "-->")
        self.low = low
        self._layout: _Layout | None = None

    def hit(self, kind: SignalKind, tool: str, sure: Confidence, at: int) -> Hit:
        """A mark at ``at``; what is quoted proves less, or little."""
        start = self.line_start(at)
        quotation = self._quotation(start, at)
        if quotation is not _Quotation.NONE:
            sure = _LOWER[sure] if quotation is _Quotation.PERHAPS else _WEAK
        start = start if at - start < 160 else at
        line = self.text[start : start + _LINE].partition("\n")[0]
        return Hit(kind, tool, sure, at, excerpt(line.strip()))

    def before(self, at: int) -> str:
        """What stands before ``at`` in its line: at most the last 120 characters."""
        return self.low[max(at - 120, 0) : at].rpartition("\n")[2]

    def line_start(self, at: int) -> int:
        """Where the line of ``at`` begins, or a point 400 characters before it in a long line."""
        back = max(at - _LINE, 0)
        found = self.low.rfind("\n", back, at)
        return found + 1 if found >= 0 else back

    def value(self, at: int, *, fold: bool = True) -> str:
        """The rest of the line at ``at``, with the indented line after it if that belongs to it."""
        line, newline, rest = self.text[at : at + 2 * _LINE].partition("\n")
        value = line[:_LINE].strip()
        if fold and newline and rest[:1] in (" ", "\t"):
            folded = rest.partition("\n")[0].strip()
            if not value or (folded.startswith("<") and "<" not in value):
                return f"{value} {folded}".strip()
        return value

    def _quotation(self, start: int, at: int) -> "_Quotation":
        before = self.low[start:at]
        layout = self._layout
        if layout is None:
            layout = self._layout = _Layout(self.low)
        if before:
            if before.startswith(("    ", "\t")) and not layout.squashed:
                return _Quotation.SURE
            if before.count("`") % 2 or before.rstrip().endswith(('"', "'")):
                return _Quotation.SURE
        if (
            layout.own_from > at
            or (layout.fences and bisect_right(layout.fences, at) % 2)
            or (start > layout.diff_from and self.low[start : start + 1] in "+- ")
        ):
            return _Quotation.SURE
        if not before.lstrip().startswith(">"):
            return _Quotation.NONE
        # a body that a squash merge quotes is its own; what a revert quotes is what it takes back
        return _Quotation.SURE if layout.revert else _Quotation.PERHAPS


class _Quotation(Enum):
    NONE = 0
    PERHAPS = 1
    SURE = 2


class _Layout:
    """What parts of a text are quoted."""

    __slots__ = ("diff_from", "fences", "own_from", "revert", "squashed")

    def __init__(self, low: str) -> None:
        # `git merge --squash` indents the messages it joins: that makes them no quotation
        self.squashed = wording.SQUASHED in low
        # where fenced code begins and ends, by turns; a fence that is never closed does not count
        self.fences: list[int] = []
        if "```" in low or "~~~" in low:
            fences = [found.start() for found in wording.FENCE.finditer(low)]
            self.fences = fences[: len(fences) // 2 * 2]
        diff = wording.DIFF.search(low) if "diff --git " in low or "@@ -" in low else None
        self.diff_from = diff.start() if diff else len(low)
        # a revert may quote what it reverts: only its last paragraph is its own
        self.revert = _is_revert(low)
        self.own_from = _last_paragraph(low) if self.revert else 0


def _is_revert(low: str) -> bool:
    return low.startswith(('revert "', "revert: ", "revert '")) or "this reverts commit" in low


def _last_paragraph(low: str) -> int:
    end = len(low.rstrip())
    return max(low.rfind("\n\n", 0, end), low.rfind("\n---", 0, end), 0)


def _blanked(low: str, opening: str, closing: str) -> str:
    """``low`` with spaces for everything from each ``opening`` to its ``closing``."""
    parts: list[str] = []
    done = 0
    at = low.find(opening)
    while at >= 0:
        end = low.find(closing, at + len(opening))
        if end < 0:
            break
        end += len(closing)
        parts.append(low[done:at])
        parts.append("\n".join(" " * len(line) for line in low[at:end].split("\n")))
        done = end
        at = low.find(opening, end)
    return "".join((*parts, low[done:])) if done else low
