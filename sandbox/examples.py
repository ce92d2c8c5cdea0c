"""Commits and pull requests shaped exactly as people and tools leave them, to play and to show."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

CLAUDE_FOOTER = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"
CLAUDE_TRAILER = "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>"
# The address GitHub's coding agent commits under.
COPILOT_AUTHOR = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>"
COPILOT = "copilot-swe-agent[bot]"

CART = """\
def total(prices: list[int], discount: int = 0) -> int:
    if not 0 <= discount <= 100:
        raise ValueError("a discount is 0 to 100 per cent")
    return sum(prices) * (100 - discount) // 100
"""


def by_claude_code(message: str, files: dict[str, str] | None = None) -> Spec:
    """What Claude Code leaves when a person asks it to commit: a footer and a co-author."""
    return _spec(f"{message}\n\n{CLAUDE_FOOTER}\n\n{CLAUDE_TRAILER}\n", files)


def by_hand(message: str, files: dict[str, str] | None = None) -> Spec:
    """A commit that nothing marks."""
    return _spec(f"{message}\n", files)


def by_copilot(message: str, asked_by: str, files: dict[str, str] | None = None) -> Spec:
    """A commit of Copilot's coding agent; ``asked_by`` is ``Name <email>`` of who gave the task."""
    text = f"{message}\n\nCo-authored-by: {asked_by}\n"
    return _spec(text, files) | {"author": COPILOT_AUTHOR, "signed_by": "web-flow"}


def without_marks(message: str) -> str:
    """The message without its trailers and footers: what somebody does who wants to hide them."""
    return "\n".join(split_marks(message)[0]) + "\n"


def split_marks(message: str) -> tuple[list[str], list[str]]:
    """The lines of a message, and the trailers and footers at its end. No judgement: just shape."""
    lines, marks = message.rstrip().split("\n"), list[str]()
    while len(lines) > 1 and (_is_mark(lines[-1]) or not lines[-1].strip()):
        last = lines.pop()
        if last.strip():
            marks.insert(0, last)
    return lines, marks


def _is_mark(line: str) -> bool:
    key, colon, _ = line.partition(": ")
    return line.startswith("🤖") or (bool(colon) and " " not in key and "-" in key)


def _spec(message: str, files: dict[str, str] | None) -> Spec:
    return {"message": message} | ({"files": files} if files else {})
