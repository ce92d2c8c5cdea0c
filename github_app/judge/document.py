"""A YAML file as values that know their place in it: what the roster rules are read from.

The values are those of YAML's core schema and nothing else: no dates, no tags, no references.
``yaml_source.py`` makes them from text; nothing here reads a file.
"""

import re
from dataclasses import dataclass

from github_app.judge.text import excerpt

ScalarValue = str | int | float | bool | None
Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """``value`` as YAML reads it, ``text`` as characters. Lines and columns count from 1.

    ``style`` is YAML's own sign: empty for plain, else one of ``' " | >``. The end is where the
    first character after the scalar stands.
    """

    value: ScalarValue
    text: str
    line: int
    column: int
    end_line: int
    end_column: int
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    items: "tuple[Node, ...]"
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ``key: value`` of a mapping. A key is always text, as it is written."""

    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """``flow`` tells ``{a: b}`` from indented lines."""

    entries: tuple[Entry, ...]
    line: int
    column: int
    flow: bool = False

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key.text == key), None)


Node = Scalar | Sequence | Mapping
Plain = ScalarValue | list["Plain"] | dict[str, "Plain"]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_/-]{1,100}")


def quoted(text: str, limit: int = 60) -> str:
    """Foreign text inside a message: one short line, nothing invisible, in quotation marks."""
    return f'"{excerpt(text, limit)}"'


def spell(path: Path) -> str:
    """``("rules", 2, "from")`` as ``rules[2].from``; numbers count from 0, as in the file."""
    spelled = ""
    for step in path:
        if isinstance(step, int):
            spelled += f"[{step}]"
            continue
        name = step if _PLAIN_KEY.fullmatch(step) else quoted(step, 40)
        spelled += f".{name}" if spelled else name
    return spelled


def plain(node: Node) -> Plain:
    """What a document says, without places and order."""
    if isinstance(node, Mapping):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def place(root: Node, path: Path) -> tuple[int, int]:
    """Line and column of what ``path`` leads to, or of the nearest thing above it that is there.

    A scalar is found where it stands, anything larger at the key that introduces it.
    """
    node, found = root, (root.line, root.column)
    for step in path:
        if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            found = (node.line, node.column)
        elif isinstance(node, Mapping) and (entry := node.entry(str(step))) is not None:
            node = entry.value
            at = node if isinstance(node, Scalar) and node.value is not None else entry.key
            found = (at.line, at.column)
        else:
            break
    return found
