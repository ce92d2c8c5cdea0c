"""The one tree of errors. Each says what went wrong and what a reader can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass


class CountersignError(Exception):
    """Base of the tree.

    ``advice`` is one sentence a reader can act on. Neither it nor the message holds a secret,
    and the message is safe to log: text that others wrote is never put into it raw.
    """

    advice = "Look the delivery up in the audit log."


class CatalogueError(CountersignError):
    """``signatures.yaml``, or what a roster adds to it, cannot be used."""

    advice = "Fix the entry that is named; nothing is judged without a catalogue."


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a file, where it is, and what to write instead.

    ``line`` and ``column`` count from 1. ``path`` is the place inside the file, such as
    ``people.kim.level``; empty for the file as a whole. ``found``, ``expected`` and ``fix`` are
    parts of one sentence; what they quote from the file is one short line without control
    characters, and still foreign text.
    """

    path: str
    line: int
    column: int
    found: str
    expected: str = ""
    fix: str = ""

    @property
    def message(self) -> str:
        """The sentence without the place: what is wrong, what was expected, what to do."""
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{self.found}{expected}" + (f" ({self.fix})" if self.fix else "")

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        return f"line {self.line}: {path}{self.message}"


class RosterError(CountersignError):
    """A roster file cannot be used. ``problems`` holds every reason, in the order of the file."""

    advice = "Fix the lines that are named; until then nothing is judged by this file."

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        super().__init__(name, tuple(problems))
        self.name, self.problems = name, tuple(problems)

    @property
    def headline(self) -> str:
        """The first problem in few words: ``reviewers.yaml line 12: unknown level "snr"``."""
        first = self.problems[0]
        return f"{self.name} line {first.line}: {first.found}"

    def __str__(self) -> str:
        others = len(self.problems) - 1
        more = f" (and {others} more)" if others > 0 else ""
        return f"{self.name} {self.problems[0]}{more}" if self.problems else self.name
