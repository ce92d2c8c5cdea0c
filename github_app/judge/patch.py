"""When two commits make the same change: the identity of a patch, taken from git's own diffs.

``patch_id`` names what a diff does, without where: the identity ``git patch-id --verbatim`` has. An
approval rests on more: ``compare`` also proves *where*, as a hunk that moved to another place with
the same lines around it is another change. What cannot be proven is never the same.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from github_app.judge.facts import ChangedFile

_INDEX = re.compile(r"index ([0-9a-f]{7,64})\.\.([0-9a-f]{7,64})(?: ([0-7]{6}))?")
_HUNK = re.compile(
    r"@@ -([0-9]{1,10})(?:,([0-9]{1,10}))? \+([0-9]{1,10})(?:,([0-9]{1,10}))? @@(?: .*)?"
)
_FULL_OID = frozenset({40, 64})  # SHA-1, SHA-256: an abbreviation proves nothing about content
_SUBMODULE = "160000"
# Of the extended headers of git-diff(1), those that are part of the change; in any order.
_HEADERS = (
    "old mode ",
    "new mode ",
    "deleted file mode ",
    "new file mode ",
    "copy from ",
    "copy to ",
    "rename from ",
    "rename to ",
)
_DERIVED = ("similarity index ", "dissimilarity index ")  # they differ with what else is in a file
_NO_NEWLINE = "\\ "
_MOVES = ("rename ", "copy ")
# The blob of a file without content, in either of git's hashes.
_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)


class Sameness(StrEnum):
    """What two diffs prove of two changes. ``BASE_NEEDED``: the same lines, in files that the base
    changed too; whether at the same place only the base's own diff can tell."""

    SAME = "same"
    DIFFERENT = "different"
    BASE_NEEDED = "base needed"


@dataclass(frozen=True, slots=True)
class _Hunk:
    """``lines`` verbatim, each with its sign; ``old`` and ``new`` are where it begins, from 1."""

    old: int
    new: int
    removed: int  # lines before the change, context included
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a diff: ``header`` is what identifies it, the blob ids are as git shortened
    them, empty where git shows none."""

    header: tuple[str, ...]
    old_blob: str
    new_blob: str
    hunks: tuple[_Hunk, ...]

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


class _Unproven(Exception):
    """Something in the diff that is not understood to the last line."""


def patch_id(diff: str) -> str | None:
    """The identity of what a diff does, apart from line numbers: 64 hex digits.

    Shapes:  ``diff`` is git's unified diff, every file with its headers. White space counts. The
             order of the files does not.
    Returns: None where it cannot be proven: nothing in it, cut short, a binary file without its
             whole blob ids, a submodule, a merge's combined diff, headers that are not known.
    Errors:  none, whatever the text. Linear in its length.
    Source:  git-patch-id(1), "--verbatim"; git-diff(1), "Generating patch text with -p".
    """
    files = _parsed(diff)
    if files is None:
        return None
    return hashlib.sha256(b"".join(sorted(file.identity for file in files))).hexdigest()


def compare(approved: str, head: str, base: str | None = None) -> Sameness:
    """Whether two diffs, each against its own merge base, make the same change at the same place.

    ``base`` is the diff between the two merge bases: only needed, and only believed, for files
    that the base changed as well. Returns DIFFERENT for everything unproven.
    """
    one, other = _parsed(approved), _parsed(head)
    if one is None or other is None or len(one) != len(other):
        return Sameness.DIFFERENT
    moved: list[tuple[_File, _File]] = []
    for left, right in zip(_in_order(one), _in_order(other), strict=True):
        if left.identity != right.identity:
            return Sameness.DIFFERENT
        if not left.hunks:
            continue  # modes, renames and whole blob ids are part of the identity
        if not left.old_blob or not right.old_blob:
            return Sameness.DIFFERENT
        if not _alike(left.old_blob, right.old_blob):
            moved.append((left, right))
        elif not _alike(left.new_blob, right.new_blob) or _places(left) != _places(right):
            return Sameness.DIFFERENT
    if moved and base is None:
        return Sameness.BASE_NEEDED
    stayed = (file for file in _parsed(base or "") or () if not _is_moved(file))
    movement = {_name(file): file for file in stayed}
    proven = all(_moved_with(left, right, movement) for left, right in moved)
    return Sameness.SAME if proven else Sameness.DIFFERENT


def is_whole(diff: str, files: Iterable[ChangedFile]) -> bool:
    """Whether a diff shows just the files, and in each as many lines, as GitHub lists."""
    parsed = _parsed(diff)
    if parsed is None:
        return False
    return sorted(file.counts for file in parsed) == sorted(
        (file.additions, file.deletions) for file in files
    )


def _in_order(files: Iterable[_File]) -> list[_File]:
    return sorted(files, key=lambda file: file.identity)


def _places(file: _File) -> list[tuple[int, int]]:
    return [(hunk.old, hunk.new) for hunk in file.hunks]


def _alike(one: str, other: str) -> bool:
    """Whether two blob ids, either of them perhaps shortened, can be of one blob."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _name(file: _File) -> str:
    """The path before the change, as git quotes it."""
    return next((line[4:] for line in file.header if line.startswith("--- ")), "")


def _is_moved(file: _File) -> bool:
    return any(line.startswith(_MOVES) for line in file.header)


def _moved_with(left: _File, right: _File, movement: Mapping[str, _File]) -> bool:
    """Whether each hunk of ``right`` begins where the base moved that of ``left`` to."""
    base = movement.get(_name(left))
    if base is None or not base.hunks:
        return False
    if not (_alike(base.old_blob, left.old_blob) and _alike(base.new_blob, right.old_blob)):
        return False
    shift = _Shift(base)
    for was, now in zip(left.hunks, right.hunks, strict=True):
        by = shift.of(was.old, was.removed)
        if by is None or now.old != was.old + by or now.new - now.old != was.new - was.old:
            return False
    return True


class _Shift:
    """How far a file's change moves the lines that it leaves alone. Ask from the top down."""

    def __init__(self, file: _File) -> None:
        self._edits = _edits(file)
        self._next = next(self._edits, None)
        self._by = 0

    def of(self, first: int, count: int) -> int | None:
        """The shift of ``count`` lines from ``first`` (1-based); None if it is not one for all."""
        if count == 0:
            return None
        while self._next is not None and self._next[0] <= first:
            line, by = self._next
            if line == first and by < 0:
                return None  # that line is gone
            self._by += by
            self._next = next(self._edits, None)
        if self._next is not None and self._next[0] < first + count:
            return None
        return self._by


def _edits(file: _File) -> Iterator[tuple[int, int]]:
    """(line, -1) for a line taken out, (line, +1) for one put in before it; from the top down."""
    for hunk in file.hunks:
        line = hunk.old if hunk.removed else hunk.old + 1
        for text in hunk.lines:
            if text[0] == "+":
                yield line, 1
            elif text[0] == "-":
                yield line, -1
                line += 1
            elif text[0] == " ":
                line += 1


# --- reading a diff ------------------------------------------------------------------------------


def _parsed(diff: str) -> tuple[_File, ...] | None:
    """Every file of the diff; None unless each line of it was understood."""
    if not diff.endswith("\n"):
        return None  # git ends every line: this was cut
    lines = diff.split("\n")
    lines.pop()
    try:
        files = tuple(_files(lines))
    except _Unproven:
        return None
    return files or None


def _files(lines: list[str]) -> Iterator[_File]:
    at = 0
    while at < len(lines):
        if not lines[at].startswith("diff --git "):
            raise _Unproven
        end, file = _file(lines, at)
        yield file
        at = end


def _file(lines: list[str], at: int) -> tuple[int, _File]:
    header, index, at = _headers(lines, at)
    old_blob, new_blob, mode = index
    submodule = any(line.endswith(f" mode {_SUBMODULE}") for line in header)
    if submodule or mode == _SUBMODULE:
        raise _Unproven
    hunks: list[_Hunk] = []
    line = lines[at] if at < len(lines) else ""
    if line.startswith("Binary files ") and line.endswith(" differ"):
        if not {len(old_blob), len(new_blob)} <= _FULL_OID:
            raise _Unproven
        header += [line, old_blob, new_blob]
        at += 1
    elif line.startswith("--- "):
        if at + 1 >= len(lines) or not lines[at + 1].startswith("+++ "):
            raise _Unproven
        header += lines[at : at + 2]
        at, hunks = _hunks(lines, at + 2)
    elif len(header) == 1 or not _is_all(header, old_blob, new_blob):
        raise _Unproven  # the content changed, and is not shown
    return at, _File(tuple(header), old_blob, new_blob, tuple(hunks))


def _is_all(header: list[str], old_blob: str, new_blob: str) -> bool:
    """Whether headers alone tell everything: a mode, a rename, or an empty file come or gone."""
    if not old_blob:
        return True
    if any(line.startswith("new file mode ") for line in header):
        return new_blob in {empty[: len(new_blob)] for empty in _EMPTY_BLOBS}
    if any(line.startswith("deleted file mode ") for line in header):
        return old_blob in {empty[: len(old_blob)] for empty in _EMPTY_BLOBS}
    return False


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
                raise _Unproven
            index = (found[1], found[2], found[3] or "")
        elif not line.startswith(_DERIVED):
            break
        at += 1
    return header, index, at


def _hunks(lines: list[str], at: int) -> tuple[int, list[_Hunk]]:
    hunks: list[_Hunk] = []
    while at < len(lines) and (found := _HUNK.fullmatch(lines[at])):
        old, removed = int(found[1]), int(found[2] or "1")
        new, added = int(found[3]), int(found[4] or "1")
        start = at = at + 1
        before, after = removed, added
        while before > 0 or after > 0:
            sign = lines[at][:1] if at < len(lines) else ""
            if sign not in {" ", "+", "-", "\\"}:
                raise _Unproven
            before -= sign in {" ", "-"}
            after -= sign in {" ", "+"}
            at += 1
        if before < 0 or after < 0 or (hunks and old < hunks[-1].old + hunks[-1].removed):
            raise _Unproven
        if at < len(lines) and lines[at].startswith(_NO_NEWLINE):
            at += 1
        hunks.append(_Hunk(old, new, removed, tuple(lines[start:at])))
    if not hunks:
        raise _Unproven
    return at, hunks
