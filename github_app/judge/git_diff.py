"""git's own diff, file by file: headers, blob ids and hunks, every line of it understood or none.

Source: git-diff(1), "Generating patch text with -p".
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

_INDEX = re.compile(r"index ([0-9a-f]{7,64})\.\.([0-9a-f]{7,64})(?: ([0-7]{6}))?")
_HUNK = re.compile(
    r"@@ -([0-9]{1,10})(?:,([0-9]{1,10}))? \+([0-9]{1,10})(?:,([0-9]{1,10}))? @@(?: .*)?"
)
# Of the extended headers of git-diff(1), those that are part of the change; in any order.
_MODES = ("old mode ", "new mode ", "deleted file mode ", "new file mode ")
_OLD_NAMES, _NEW_NAMES = ("rename from ", "copy from "), ("rename to ", "copy to ")
_HEADERS = (*_MODES, *_OLD_NAMES, *_NEW_NAMES)
_DERIVED = ("similarity index ", "dissimilarity index ")  # they differ with what else is in a file
_NO_NEWLINE = "\\ "
# The blob of a file without content, in either of git's hashes.
_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
_QUOTED = re.compile(r"\\([0-7]{3}|.)")
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_GIT = "diff --git "


@dataclass(frozen=True, slots=True)
class Hunk:
    """``lines`` verbatim, each with its sign; ``old`` and ``new`` are where it begins, from 1."""

    old: int
    new: int
    removed: int  # lines before the change, context included
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a diff: ``header`` is what identifies it, the blob ids are as git shortened
    them, empty where git shows none; ``mode`` is that of the index line, if it has one.

    ``shown`` says whether the diff tells all of the change: not so for a binary file, nor where
    content changed and no line of it is there.
    """

    header: tuple[str, ...]
    old_blob: str
    new_blob: str
    mode: str
    binary: bool
    hunks: tuple[Hunk, ...]

    @property
    def shown(self) -> bool:
        if self.binary:
            return False
        return bool(self.hunks) or (len(self.header) > 1 and self._is_all)

    @property
    def _is_all(self) -> bool:
        """Whether headers alone tell everything: a mode, a rename, an empty file come or gone."""
        if not self.old_blob:
            return True
        if self.is_new:
            return self.new_blob in {empty[: len(self.new_blob)] for empty in _EMPTY_BLOBS}
        if self.is_deleted:
            return self.old_blob in {empty[: len(self.old_blob)] for empty in _EMPTY_BLOBS}
        return False

    @property
    def is_new(self) -> bool:
        return any(line.startswith("new file mode ") for line in self.header)

    @property
    def is_deleted(self) -> bool:
        return any(line.startswith("deleted file mode ") for line in self.header)

    @property
    def modes(self) -> tuple[str, ...]:
        """Every mode that is named, in git's six octal digits; none for a mere rename."""
        named = [line.rpartition(" ")[2] for line in self.header if line.startswith(_MODES)]
        return tuple(dict.fromkeys([*named, self.mode] if self.mode else named))

    @property
    def changes_mode(self) -> bool:
        return any(line.startswith("old mode ") for line in self.header)

    @property
    def paths(self) -> tuple[str, str] | None:
        """Its path before and after, the same where it did not move. None where it is not plain."""
        moved = _after(self.header, _OLD_NAMES), _after(self.header, _NEW_NAMES)
        if moved != (None, None):
            return _pair(*map(_unquoted, moved))
        sides = _side(self.header, "--- ", "a/"), _side(self.header, "+++ ", "b/")
        path = next((side for side in sides if side), None) or _twice(self.header[0])
        return (path, path) if path else None

    @property
    def identity(self) -> bytes:
        """Over lines that hold no line feed, so no two lists of them are written the same way."""
        lines = [*self.header, *(line for hunk in self.hunks for line in ("@@", *hunk.lines))]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).digest()

    @property
    def counts(self) -> tuple[int, int]:
        """Added and deleted lines."""
        signs = [line[0] for hunk in self.hunks for line in hunk.lines]
        return signs.count("+"), signs.count("-")


class _NotUnderstood(Exception):
    """A line that is not what git writes at its place."""


def read(diff: str) -> tuple[File, ...] | None:
    """Every file of a diff. None unless each line of it was understood, or with nothing in it.

    Errors: none, whatever the text. Linear in its length.
    """
    if not diff.endswith("\n"):
        return None  # git ends every line: this was cut
    lines = diff.split("\n")
    lines.pop()
    try:
        files = tuple(_files(lines))
    except _NotUnderstood:
        return None
    return files or None


def _files(lines: list[str]) -> Iterator[File]:
    at = 0
    while at < len(lines):
        if not lines[at].startswith(_GIT):
            raise _NotUnderstood
        at, file = _file(lines, at)
        yield file


def _file(lines: list[str], at: int) -> tuple[int, File]:
    header, (old_blob, new_blob, mode), at = _headers(lines, at)
    hunks: list[Hunk] = []
    line = lines[at] if at < len(lines) else ""
    binary = line.startswith("Binary files ") and line.endswith(" differ")
    if binary:
        header += [line, old_blob, new_blob]
        at += 1
    elif line.startswith("--- "):
        if at + 1 >= len(lines) or not lines[at + 1].startswith("+++ "):
            raise _NotUnderstood
        header += lines[at : at + 2]
        at, hunks = _hunks(lines, at + 2)
    return at, File(tuple(header), old_blob, new_blob, mode, binary, tuple(hunks))


def _headers(lines: list[str], at: int) -> tuple[list[str], tuple[str, str, str], int]:
    """The lines that are part of the change, the ``index`` line's ids and mode, and the next."""
    header, index = [lines[at]], ("", "", "")
    at += 1
    while at < len(lines):
        line = lines[at]
        if line.startswith(_HEADERS):
            header.append(line)
        elif line.startswith("index "):
            found = _INDEX.fullmatch(line)
            if found is None or index != ("", "", ""):
                raise _NotUnderstood
            index = (found[1], found[2], found[3] or "")
        elif not line.startswith(_DERIVED):
            break
        at += 1
    return header, index, at


def _hunks(lines: list[str], at: int) -> tuple[int, list[Hunk]]:
    hunks: list[Hunk] = []
    while at < len(lines) and (found := _HUNK.fullmatch(lines[at])):
        old, removed = int(found[1]), int(found[2] or "1")
        new, added = int(found[3]), int(found[4] or "1")
        start = at = at + 1
        before, after = removed, added
        while before > 0 or after > 0:
            sign = lines[at][:1] if at < len(lines) else ""
            if sign not in {" ", "+", "-", "\\"}:
                raise _NotUnderstood
            before -= sign in {" ", "-"}
            after -= sign in {" ", "+"}
            at += 1
        if before < 0 or after < 0 or (hunks and old < hunks[-1].old + hunks[-1].removed):
            raise _NotUnderstood
        if at < len(lines) and lines[at].startswith(_NO_NEWLINE):
            at += 1
        hunks.append(Hunk(old, new, removed, tuple(lines[start:at])))
    if not hunks:
        raise _NotUnderstood
    return at, hunks


# --- names ---------------------------------------------------------------------------------------


def _after(header: tuple[str, ...], keys: tuple[str, ...]) -> str | None:
    for line in header[1:]:
        for key in keys:
            if line.startswith(key):
                return line.removeprefix(key)
    return None


def _side(header: tuple[str, ...], key: str, prefix: str) -> str | None:
    """The path of a ``---`` or ``+++`` line; None for /dev/null and where there is no such line."""
    name = _unquoted(_after(header, (key,)))
    return name.removeprefix(prefix) if name and name.startswith(prefix) else None


def _twice(line: str) -> str | None:
    """The path of ``diff --git a/PATH b/PATH``: the same twice, so spaces in it do no harm."""
    names = line.removeprefix(_GIT)
    middle = len(names) // 2
    one, other = _unquoted(names[:middle]), _unquoted(names[middle + 1 :])
    if one is None or other is None or one[:2] != "a/" or other[:2] != "b/":
        return None
    return one[2:] if one[2:] == other[2:] else None


def _pair(one: str | None, other: str | None) -> tuple[str, str] | None:
    return None if one is None or other is None else (one, other)


def _unquoted(name: str | None) -> str | None:
    """A name as it is: git puts an unusual one in quotes, its bytes in octal, and a tab behind one
    with spaces. Source: git-config(1), "core.quotePath"."""
    if name is None or not name.startswith('"'):
        return None if name is None else name.removesuffix("\t")
    if len(name) < 2 or not name.endswith('"'):
        return None
    data, at, inside = bytearray(), 0, name[1:-1]
    for found in _QUOTED.finditer(inside):
        data += inside[at : found.start()].encode("utf-8", "replace") + _byte(found[1])
        at = found.end()
    return (data + inside[at:].encode("utf-8", "replace")).decode("utf-8", "replace")


def _byte(escape: str) -> bytes:
    if len(escape) == 3:
        return bytes([int(escape, 8) & 0xFF])
    return bytes([_ESCAPES[escape]]) if escape in _ESCAPES else escape.encode("utf-8", "replace")
