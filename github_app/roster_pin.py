"""Writes account ids into the text of a roster without touching anything else of it.

A YAML library would lay the whole file out anew. This inserts a few characters beside each person
and then reads the result back: it must say exactly what the file said before, and the ids.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass

from github_app.judge.document import Entry, Mapping, Node, Plain, Scalar, plain
from github_app.judge.errors import CountersignError, RosterError
from github_app.yaml_source import read_document


class PinError(CountersignError):
    """The file is laid out in a way that ids cannot be inserted into. Nothing was changed."""

    advice = "Write each person on one line, such as kim: {level: mid}, and try again."


@dataclass(frozen=True, slots=True)
class _Edit:
    """Put ``text`` in place of what stands from ``start`` to ``end``, counted in characters."""

    start: int
    end: int
    text: str


def people_without_id(document: Node) -> tuple[str, ...]:
    """The logins of a valid roster that are not pinned yet, as the file spells them."""
    return tuple(entry.key.text for entry in _people(document) if _id(entry) is None)


def pinned_ids(document: Node) -> dict[str, int]:
    """The ids that a valid roster has already, by login."""
    found = ((entry.key.text, _id(entry)) for entry in _people(document))
    return {login: number for login, number in found if number is not None}


def pin(text: str, name: str, ids: Dict[str, int]) -> str:
    """``text`` with these ids added, by the logins as the file spells them.

    ``text`` is a valid roster in which none of the logins has an id yet.
    Errors: PinError where the layout gives no place for one; ``text`` is never half changed.
    """
    document = read_document(text, name)
    starts = _line_starts(text)
    edits = [
        _edit(text, starts, entry, ids[entry.key.text])
        for entry in _people(document)
        if entry.key.text in ids
    ]
    pinned = text
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        pinned = pinned[: edit.start] + edit.text + pinned[edit.end :]
    if _said(pinned, name) != _with_ids(plain(document), ids):
        raise PinError(f"{name}: the ids cannot be added without changing more")
    return pinned


def _people(document: Node) -> tuple[Entry, ...]:
    people = document.entry("people") if isinstance(document, Mapping) else None
    return people.value.entries if people and isinstance(people.value, Mapping) else ()


def _id(entry: Entry) -> int | None:
    number = entry.value.entry("id") if isinstance(entry.value, Mapping) else None
    found = number.value.value if number and isinstance(number.value, Scalar) else None
    return found if isinstance(found, int) else None


def _edit(text: str, starts: list[int], entry: Entry, number: int) -> _Edit:
    value = entry.value
    if isinstance(value, Scalar):
        start = starts[value.line - 1] + value.column - 1
        end = starts[value.end_line - 1] + value.end_column - 1
        return _Edit(start, end, f"{{id: {number}, level: {text[start:end]}}}")
    if isinstance(value, Mapping) and value.flow:
        after = starts[value.line - 1] + value.column
        space = "" if text[after : after + 1] in " \r\n" else " "
        return _Edit(after, after, f"id: {number},{space}")
    return _block_edit(text, starts, entry, number)


def _block_edit(text: str, starts: list[int], entry: Entry, number: int) -> _Edit:
    """A line of its own under the person's, above comments that belong to the next line."""
    if not isinstance(entry.value, Mapping) or entry.key.end_line >= len(starts):
        raise PinError(f"line {entry.key.line}: no place for an id")
    at = starts[entry.key.end_line]
    end = "\r\n" if text[:at].endswith("\r\n") else "\n"
    indent = " " * (entry.value.column - 1)
    return _Edit(at, at, f"{indent}id: {number}{end}")


def _line_starts(text: str) -> list[int]:
    """Where each line begins. YAML's other line breaks never get past ``read_document``."""
    starts = [0]
    for line in text.split("\n")[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _said(text: str, name: str) -> Plain:
    try:
        return plain(read_document(text, name))
    except RosterError:
        return None


def _with_ids(said: Plain, ids: Dict[str, int]) -> Plain:
    """What the file must say afterwards."""
    people = said.get("people") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(people, dict):
        return said
    return {**said, "people": {who: _with_id(one, ids.get(who)) for who, one in people.items()}}


def _with_id(person: Plain, number: int | None) -> Plain:
    if number is None:
        return person
    return {**(person if isinstance(person, dict) else {"level": person}), "id": number}
