"""Diffs as git prints them: the media type ``application/vnd.github.diff``, and GitHub's limits."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from sandbox.errors import Refused
from sandbox.git import SUBMODULE, Entry, FileChange, lines_of, similarity

# docs.github.com, "Repository limits", "Diff limits".
MAX_FILES = 300
MAX_LINES = 20_000
MAX_BYTES = 1024 * 1024
_ABBREVIATION = 7
_NO_BLOB = "0" * 40
_HEADING_BYTES = 80
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def raw_diff(changes: Sequence[FileChange], resource: str = "PullRequest") -> bytes:
    """Every change, with git's own headers. Refused (406) beyond GitHub's limits."""
    if len(changes) > MAX_FILES:
        raise _too_large(resource, f"number of files ({MAX_FILES})")
    lines = [line for change in changes for line in _file(change)]
    text = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    if len(lines) > MAX_LINES:
        raise _too_large(resource, f"number of lines ({MAX_LINES})")
    if len(text) > MAX_BYTES:
        raise _too_large(resource, f"size ({MAX_BYTES} bytes)")
    return text


def _too_large(resource: str, what: str) -> Refused:
    return Refused(
        f"Sorry, the diff exceeded the maximum {what}.",
        errors=[{"resource": resource, "field": "diff", "code": "too_large"}],
        status=406,
    )


def _file(change: FileChange) -> Iterator[str]:
    old, new = change.old, change.new
    if old and new and old.mode[:3] != new.mode[:3]:  # git: one thing goes, another comes
        yield from _file(FileChange(change.old_path, change.old_path, "removed", old, None))
        yield from _file(FileChange(change.path, change.path, "added", None, new))
        return
    was, now = "a/" + change.old_path, "b/" + change.path
    yield f"diff --git {_quoted(was)} {_quoted(now)}"
    if old is None and new is not None:
        yield f"new file mode {new.mode}"
    elif new is None and old is not None:
        yield f"deleted file mode {old.mode}"
    elif old and new:
        if old.mode != new.mode:
            yield f"old mode {old.mode}"
            yield f"new mode {new.mode}"
        if change.status == "renamed":
            yield f"similarity index {int(similarity(old, new) * 100)}%"
            yield f"rename from {_quoted(change.old_path)}"
            yield f"rename to {_quoted(change.path)}"
    if old and new and old.node.sha == new.node.sha:
        return
    same_mode = f" {old.mode}" if old and new and old.mode == new.mode else ""
    yield f"index {_short(old)}..{_short(new)}{same_mode}"
    a = _name(was) if old else "/dev/null"
    b = _name(now) if new else "/dev/null"
    if change.is_binary:
        yield f"Binary files {a.rstrip()} and {b.rstrip()} differ"
        return
    hunks = list(_hunks(_content(old), _content(new)))
    if hunks:
        yield f"--- {a}"
        yield f"+++ {b}"
        yield from hunks


def _content(entry: Entry | None) -> list[str]:
    if entry is not None and entry.mode == SUBMODULE:
        return [f"Subproject commit {entry.node.sha}"]
    return lines_of(entry)


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    """Three lines of context. A last line without a line feed carries git's remark about it."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(3):
        first, last = group[0], group[-1]
        where = f"-{_range(first[1], last[2])} +{_range(first[3], last[4])}"
        yield f"@@ {where} @@{_heading(old, first[1])}"
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from (" " + line for line in old[a:b])
                continue
            yield from ("-" + line for line in old[a:b])
            yield from ("+" + line for line in new[c:d])


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _heading(old: list[str], start: int) -> str:
    """The last line above that looks like the head of a function, to git's simplest rule."""
    for line in reversed(old[:start]):
        if line[:1].isascii() and (line[:1].isalpha() or line[:1] in {"_", "$"}):
            text = line.encode("utf-8", "surrogateescape")[:_HEADING_BYTES]
            return " " + text.decode("utf-8", "ignore").rstrip()
    return ""


def _short(entry: Entry | None) -> str:
    return (entry.node.sha if entry else _NO_BLOB)[:_ABBREVIATION]


def _name(path: str) -> str:
    quoted = _quoted(path)
    return quoted + "\t" if " " in path and quoted == path else quoted


def _quoted(path: str) -> str:
    """As git does by default: in quotes, with octal bytes, if it holds anything unusual."""
    data = path.encode("utf-8", "surrogateescape")
    shown = "".join(_ESCAPES.get(chr(byte), _octal(byte)) for byte in data)
    return path if shown == path else f'"{shown}"'


def _octal(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
