"""When two commits make the same change: the identity of a patch, taken from git's own diffs.

``patch_id`` names what a diff does, without where: the identity ``git patch-id --verbatim`` has. An
approval rests on more: ``compare`` also proves *where*, as a hunk that moved to another place with
the same lines around it is another change. What cannot be proven is never the same.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from github_app.judge import git_diff
from github_app.judge.facts import ChangedFile
from github_app.judge.git_diff import File

_FULL_OID = frozenset({40, 64})  # SHA-1, SHA-256: an abbreviation proves nothing about content
_SUBMODULE = "160000"
_NAMES = ("diff --git ", "--- ", "+++ ")
_MOVES = ("rename ", "copy ")


class Sameness(StrEnum):
    """What two diffs prove of two changes. ``BASE_NEEDED``: the same lines, in files that the base
    changed too; whether at the same place only the base's own diff can tell."""

    SAME = "same"
    DIFFERENT = "different"
    BASE_NEEDED = "base needed"


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
    moved: list[tuple[File, File]] = []
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


def changes(diff: str) -> Counter[tuple[str, str]] | None:
    """What a diff changes, wherever in its files: each line put in or taken out, and each header
    that changes something, with the path after the change; as often as it occurs.

    An empty diff changes nothing. Returns None where something in it is not understood or proven.
    Linear in its length.
    """
    if not diff:
        return Counter()
    files = _parsed(diff)
    if files is None:
        return None
    found: Counter[tuple[str, str]] = Counter()
    for file in files:
        if file.paths is None:
            return None
        path = file.paths[1]
        found.update((path, line) for line in file.header if not line.startswith(_NAMES))
        lines = (line for hunk in file.hunks for line in hunk.lines)
        found.update((path, line) for line in lines if line[0] in "+-")
    return found


def renames(diff: str) -> dict[str, str]:
    """Old path -> new path, of the files that a diff moves; none where it is not understood."""
    paths = [file.paths for file in _parsed(diff) or () if _is_moved(file)]
    return dict(pair for pair in paths if pair is not None)


def _parsed(diff: str) -> tuple[File, ...] | None:
    """Every file of a diff that proves what each of them becomes; None if one does not."""
    files = git_diff.read(diff)
    return files if files and all(map(_is_proven, files)) else None


def _is_proven(file: File) -> bool:
    """Not a submodule, whose content is elsewhere; of a binary file only whole blob ids say all."""
    if _SUBMODULE in file.modes:
        return False
    return file.shown or (file.binary and {len(file.old_blob), len(file.new_blob)} <= _FULL_OID)


def _in_order(files: Iterable[File]) -> list[File]:
    return sorted(files, key=lambda file: file.identity)


def _places(file: File) -> list[tuple[int, int]]:
    return [(hunk.old, hunk.new) for hunk in file.hunks]


def _alike(one: str, other: str) -> bool:
    """Whether two blob ids, either of them perhaps shortened, can be of one blob."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _name(file: File) -> str:
    """The path before the change, as git quotes it."""
    return next((line[4:] for line in file.header if line.startswith("--- ")), "")


def _is_moved(file: File) -> bool:
    return any(line.startswith(_MOVES) for line in file.header)


def _moved_with(left: File, right: File, movement: Mapping[str, File]) -> bool:
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

    def __init__(self, file: File) -> None:
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


def _edits(file: File) -> Iterator[tuple[int, int]]:
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
