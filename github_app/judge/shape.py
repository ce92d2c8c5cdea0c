"""The shapes a file may have, as a table: what is checked, what the JSON Schema says, in one.

``sift`` checks a document against a shape and reports everything that does not fit at once; what
does fit comes out as plain values, so that a second look at their meaning can go on.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from github_app.judge.document import (
    Mapping,
    Node,
    Path,
    Plain,
    Scalar,
    Sequence,
    place,
    quoted,
    spell,
)
from github_app.judge.errors import Problem

Value = Plain


class Complaint(NamedTuple):
    found: str
    fix: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """``what`` names it in a message, without an article. ``pattern`` must match the whole text;
    ``form`` says the same in words.

    ``flowing`` text may have line breaks, which become spaces. ``also`` looks deeper than a
    pattern can; a JSON Schema does not know of it.
    """

    what: str
    pattern: str = ".+"
    form: str = ""
    longest: int = 100
    about: str = ""
    flowing: bool = False
    also: Callable[[str], Complaint | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    least: int
    most: int
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    values: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list with at least one item; ``distinct`` without regard to case."""

    of: "Shape"
    about: str = ""
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Names of one kind, distinct without regard to case, each with a value."""

    names: Text
    of: "Shape"
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Fixed keys, each with its shape. A key that is not listed is an error.

    ``elsewhere`` has keys that could be expected here, and where they belong.
    """

    fields: "dict[str, Shape]"
    required: tuple[str, ...] = ()
    elsewhere: "dict[str, str]" = field(default_factory=dict)
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """A record, or a shorthand for the record with nothing but ``key``."""

    short: Text
    full: Record
    key: str
    about: str = ""


Shape = Text | Whole | Flag | Choice | Listed | Named | Record | Either


@dataclass(slots=True)
class Problems:
    """Collects what is wrong with one document, and knows where each path of it stands."""

    root: Node
    found: list[Problem] = field(default_factory=list)
    limit: int = 100

    @property
    def full(self) -> bool:
        """Nobody reads more; whoever would have to work for another problem need not."""
        return len(self.found) >= self.limit

    def add(self, path: Path, found: str, fix: str = "", expected: str = "") -> None:
        if not self.full:
            line, column = place(self.root, path)
            self._append(path, line, column, found, expected, fix)

    def add_key(
        self, path: Path, key: Scalar, found: str, fix: str = "", expected: str = ""
    ) -> None:
        if not self.full:
            self._append(path, key.line, key.column, found, expected, fix)

    def in_order(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.found, key=lambda problem: (problem.line, problem.column)))

    def _append(
        self, path: Path, line: int, column: int, found: str, expected: str, fix: str
    ) -> None:
        self.found.append(
            Problem(
                path=spell(path),
                line=line,
                column=column,
                found=found,
                expected=expected,
                fix=fix,
            )
        )


def nearest(word: str, names: Iterable[str]) -> str:
    """``did you mean "senior"?``, or nothing when no name is near."""
    by_folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word[:60].casefold(), by_folded, n=1)
    return f"did you mean {quoted(by_folded[close[0]])}?" if close else ""


def sift(shape: Shape, node: Node, problems: Problems, path: Path = ()) -> Value:
    """The value of ``node`` as far as it has the shape; None for what has not, already reported."""
    match shape:
        case Record():
            return _record(shape, node, problems, path)
        case Named():
            return _named(shape, node, problems, path)
        case Listed():
            return _listed(shape, node, problems, path)
        case Either():
            if isinstance(node, Mapping):
                return _record(shape.full, node, problems, path)
            short = _text(shape.short, node, problems, path)
            return None if short is None else {shape.key: short}
        case Text():
            return _text(shape, node, problems, path)
        case Whole() | Flag() | Choice():
            return _scalar(shape, node, problems, path)


def _record(shape: Record, node: Node, problems: Problems, path: Path) -> Value:
    if not isinstance(node, Mapping):
        return _misfit("keys with values", node, problems, path)
    value: dict[str, Value] = {}
    present = {entry.key.text for entry in node.entries}
    for entry in node.entries:
        key, here = entry.key.text, (*path, entry.key.text)
        if key in shape.fields:
            found = sift(shape.fields[key], entry.value, problems, here)
            if found is not None:
                value[key] = found
        elif not problems.full:
            free = [name for name in shape.fields if name not in present]
            _unknown_key(shape, free, entry.key, problems, path)
    for key in shape.required:
        if key not in present:
            problems.add(path, f"{quoted(key)} is missing", fix=f"add {key}:")
    return value


def _unknown_key(
    shape: Record, free: list[str], key: Scalar, problems: Problems, path: Path
) -> None:
    """``free`` are the fields that are not in the record yet: it may be one of them."""
    problems.add_key(
        path,
        key,
        f"unknown key {quoted(key.text)}",
        fix=shape.elsewhere.get(key.text) or nearest(key.text, free),
        expected=f"one of {', '.join(shape.fields)}",
    )


def _named(shape: Named, node: Node, problems: Problems, path: Path) -> Value:
    if not isinstance(node, Mapping):
        return _misfit(f"{shape.names.what}s, each with a value", node, problems, path)
    value: dict[str, Value] = {}
    first: dict[str, Scalar] = {}
    for entry in node.entries:
        key = entry.key
        earlier = first.setdefault(key.text.casefold(), key)
        if earlier is not key:
            fix = f"{quoted(earlier.text)} is on line {earlier.line}; keep one of them"
            problems.add_key(path, key, f"the {shape.names.what} {quoted(key.text)} twice", fix=fix)
        elif (complaint := _complaint(shape.names, key.text)) is not None:
            problems.add_key(path, key, *complaint)
        found = sift(shape.of, entry.value, problems, (*path, key.text))
        if found is not None and earlier is key:
            value[key.text] = found
    if not node.entries:
        problems.add(path, "an empty mapping", fix="fill it or remove the key")
    return value


def _listed(shape: Listed, node: Node, problems: Problems, path: Path) -> Value:
    if not isinstance(node, Sequence):
        return _misfit("a list", node, problems, path)
    if not node.items:
        problems.add(path, "an empty list", fix="fill it or remove the key")
    value: list[Value] = []
    seen: set[str] = set()
    for number, item in enumerate(node.items):
        here = (*path, number)
        found = sift(shape.of, item, problems, here)
        folded = found.casefold() if isinstance(found, str) else ""
        if shape.distinct and folded in seen:
            problems.add(here, f"{quoted(folded)} twice", fix="keep one of them")
            continue
        seen.update([folded] if folded else [])
        value.append(found)
    return value


def _text(shape: Text, node: Node, problems: Problems, path: Path) -> str | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        fix = "put it in quotation marks" if _is_bare(node) else ""
        _misfit(f"a {shape.what}", node, problems, path, fix=fix)
        return None
    text = " ".join(node.value.split()) if shape.flowing else node.value
    complaint = _complaint(shape, text)
    if complaint is None:
        return text
    problems.add(path, *complaint)
    return None


def _is_bare(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is not None


def _complaint(shape: Text, text: str) -> Complaint | None:
    if not text.isprintable():
        found = f"the {shape.what} {quoted(text)} holds an invisible character"
        return Complaint(found, fix="write it as plain text")
    if len(text) > shape.longest:
        found = f"a {shape.what} of {len(text)} characters"
        return Complaint(found, expected=f"at most {shape.longest}")
    if shape.also is not None and (complaint := shape.also(text)) is not None:
        return complaint
    if re.fullmatch(shape.pattern, text) is None:
        return Complaint(f"{quoted(text)} cannot be a {shape.what}", expected=shape.form)
    return None


def _scalar(shape: Whole | Flag | Choice, node: Node, problems: Problems, path: Path) -> Value:
    value = node.value if isinstance(node, Scalar) else None
    match shape:
        case Flag():
            if isinstance(value, bool):
                return value
            return _misfit("true or false", node, problems, path)
        case Whole():
            if isinstance(value, int) and not isinstance(value, bool):
                return _within(shape, value, problems, path)
            return _misfit("a whole number", node, problems, path)
        case Choice():
            expected = f"one of {', '.join(shape.values)}"
            if isinstance(value, str) and value in shape.values:
                return value
            fix = nearest(value, shape.values) if isinstance(value, str) else ""
            return _misfit(expected, node, problems, path, fix=fix)


def _within(shape: Whole, value: int, problems: Problems, path: Path) -> int | None:
    if shape.least <= value <= shape.most:
        return value
    several = f"a number from {shape.least} to {shape.most}"
    expected = several if shape.least < shape.most else str(shape.least)
    problems.add(path, str(value), expected=expected)
    return None


def _misfit(expected: str, node: Node, problems: Problems, path: Path, *, fix: str = "") -> Value:
    problems.add(path, describe(node), expected=expected, fix=fix)
    return None


def describe(node: Node) -> str:
    """What stands there, in the words of a message."""
    if isinstance(node, Mapping):
        return "keys with values" if node.entries else "an empty mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return f"the text {quoted(node.text)}"
    kind = "the number" if not isinstance(node.value, bool) else "the yes/no value"
    return f"{kind} {quoted(node.text)[1:-1]}"
