"""Turns the text of a YAML file into located values, and refuses everything that could hurt.

A roster needs mappings, lists and plain values. What YAML has beyond that is a way to hide or to
overload, so it is refused: references, tags, merge keys, several documents, characters that show
a reader of the file something else than the parser sees.
"""

import re
from collections.abc import Iterator

import yaml

from github_app.judge.document import (
    Entry,
    Mapping,
    Node,
    Scalar,
    ScalarValue,
    Sequence,
    quoted,
)
from github_app.judge.errors import Problem, RosterError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 50_000
MAX_SCALAR = 2_000  # characters
MAX_PROBLEMS = 100

# The parser of libyaml where PyYAML has it: twenty times as fast, the same events.
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS: dict[str, ScalarValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

_UNWANTED = re.compile(
    "\t|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n)"
    "|[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def read_document(text: str | bytes, name: str, *, loader: type = _LOADER) -> Node:
    """The one document in ``text``, as located values.

    Takes at most ``MAX_BYTES``; time and memory are in proportion to that.
    Errors: RosterError about ``name`` with every problem that could be found, at most
            ``MAX_PROBLEMS`` of them. Nothing else is raised, whatever ``text`` holds.
    Source: YAML 1.2, core schema; design section 4.
    """
    decoded = _decode(text, name)
    problems = list(_unwanted(decoded))
    if problems:
        raise RosterError(name, problems)
    composer = _Composer(name)
    try:
        return composer.compose(yaml.parse(decoded, Loader=loader))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The pure Python parser lets chr() complain of an escape such as "\UFFFFFFFF".
        raise RosterError(name, [*composer.problems, _syntax(error)]) from None


def _decode(text: str | bytes, name: str) -> str:
    """Text of a bearable size."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > MAX_BYTES:
            raise RosterError(name, [_too_large(len(raw))])
        return raw.decode()
    except UnicodeError as error:
        raise RosterError(name, [_not_utf8(error)]) from None


def _too_large(size: int) -> Problem:
    return Problem(
        path="",
        line=1,
        column=1,
        found=f"the file has {size:,} bytes",
        expected=f"at most {MAX_BYTES:,}",
        fix="list teams instead of their members",
    )


def _not_utf8(error: UnicodeError) -> Problem:
    line, column = 1, 1
    if isinstance(error, UnicodeDecodeError):
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    return Problem(
        path="",
        line=line,
        column=column,
        found="the file is not UTF-8 text",
        fix="save it as UTF-8 without a byte order mark",
    )


def _unwanted(text: str) -> Iterator[Problem]:
    """Characters that YAML and a reader's eye take for different things."""
    for count, match in enumerate(_UNWANTED.finditer(text)):
        if count == MAX_PROBLEMS:
            return
        start = text.rfind("\n", 0, match.start()) + 1
        found, fix = _name_unwanted(match.group())
        yield Problem(
            path="",
            line=text.count("\n", 0, match.start()) + 1,
            column=match.start() - start + 1,
            found=found,
            fix=fix,
        )


def _name_unwanted(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab", "use spaces"
    if character == "\ufeff":
        return "a byte order mark", "save the file as UTF-8 without it"
    if character == "\r":
        return "a carriage return without a line feed", "end lines with a line feed"
    return f"the invisible character U+{ord(character):04X}", "remove it"


def _syntax(error: Exception) -> Problem:
    """PyYAML's complaint. Its words quote the file at most by single characters."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    return Problem(
        path="",
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        found=f"not valid YAML: {quoted(str(reason), 120)[1:-1]}",
        fix="check the indentation, and quote text with special characters",
    )


class _TooMuchError(Exception):
    """Reading on would take too long; what was found so far is reported."""


class _Composer:
    """Builds the nodes from the parser's events, and collects what is not allowed."""

    def __init__(self, name: str) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._nodes = 0

    def compose(self, events: Iterator[yaml.Event]) -> Node:
        self._events = events
        root: Node | None = None
        try:
            for event in events:
                if not isinstance(event, yaml.DocumentStartEvent):
                    continue
                if root is not None:
                    self._refuse(event, "a second document", "keep one document in the file")
                    break
                root = self._node(next(events), 1)
        except _TooMuchError:
            pass
        if self.problems:
            raise RosterError(self._name, self.problems)
        if root is None or (isinstance(root, Scalar) and root.value is None):
            raise RosterError(self._name, [_EMPTY])
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._count(event, depth)
        self._plain(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        return _nothing(event)  # an alias, reported by _check

    def _count(self, event: yaml.Event, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH:
            self._refuse(event, f"nesting deeper than {MAX_DEPTH} levels", "flatten it")
            raise _TooMuchError
        if self._nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES:,} values", "shorten the file")
            raise _TooMuchError

    def _plain(self, event: yaml.Event) -> None:
        """Neither a reference nor a tag."""
        anchor: str | None = getattr(event, "anchor", None)
        tag: str | None = getattr(event, "tag", None)
        if anchor is not None:
            alias = isinstance(event, yaml.AliasEvent)
            found = f"the alias *{anchor[:40]}" if alias else f"the anchor &{anchor[:40]}"
            self._refuse(event, found, "write the value out")
        if tag is not None:
            self._refuse(event, f"the tag {quoted(tag, 40)}", "remove it")

    def _sequence(self, start: yaml.Event, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(items=tuple(items), line=_line(start), column=_column(start))

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, Scalar) and self._usable(key, event, entries):
                entries[key.text] = Entry(key=key, value=value)
            elif not isinstance(key, Scalar):
                self._refuse(event, "a list or mapping as a key", "use text")
        return Mapping(
            entries=tuple(entries.values()),
            line=_line(start),
            column=_column(start),
            flow=bool(start.flow_style),
        )

    def _usable(self, key: Scalar, event: yaml.Event, entries: dict[str, Entry]) -> bool:
        if key.text == "<<" and not key.style:
            self._refuse(event, "the merge key <<", "write the values out")
        elif not key.text:
            self._refuse(event, "an empty key", "write a name before the colon")
        elif (first := entries.get(key.text)) is not None:
            where = f"the first one is on line {first.key.line}; keep one of them"
            self._refuse(event, f"the key {quoted(key.text)} a second time", where)
        else:
            return True
        return False

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            self._refuse(event, f"a text of {len(text):,} characters", f"at most {MAX_SCALAR:,}")
            text = ""
        style = event.style or ""
        return Scalar(
            value=text if style else _resolve(text),
            text=text,
            line=_line(event),
            column=_column(event),
            end_line=event.end_mark.line + 1 if event.end_mark else 1,
            end_column=event.end_mark.column + 1 if event.end_mark else 1,
            style=style,
        )

    def _refuse(self, event: yaml.Event, found: str, fix: str) -> None:
        self.problems.append(
            Problem(path="", line=_line(event), column=_column(event), found=found, fix=fix)
        )
        if len(self.problems) >= MAX_PROBLEMS:
            raise _TooMuchError


_EMPTY = Problem(
    path="",
    line=1,
    column=1,
    found="the file is empty",
    expected="a roster",
    fix='begin with "version: 1", then levels, people and sign_off',
)


def _resolve(text: str) -> ScalarValue:
    """What a plain scalar means. A number too long to be one of ours stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _nothing(event: yaml.Event) -> Scalar:
    line, column = _line(event), _column(event)
    return Scalar(value=None, text="", line=line, column=column, end_line=line, end_column=column)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _column(event: yaml.Event) -> int:
    return event.start_mark.column + 1 if event.start_mark else 1
