"""What the changed files of a pull request are, and were called: read from git's own diff.

GitHub's lists of files have no modes, and GraphQL's has no old names.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from github_app.judge import git_diff
from github_app.judge.facts import ChangedFile, FileKind
from github_app.judge.git_diff import File

_SYMLINK, _SUBMODULE = "120000", "160000"
_PLAIN = frozenset({"100644", "100755"})
# A pointer has a version, an oid, a size and at most ten extensions. Source: the Git LFS
# specification, "The Pointer"; versions before the first were called hawser and git-media.
_POINTER_LINES = 16
_POINTER = re.compile(
    r"version https?://(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)/\S*"
    r"|oid [a-z0-9]+:[0-9a-f]{32,}"
)


def read(diff: str, files: Iterable[ChangedFile]) -> tuple[ChangedFile, ...] | None:
    """The files with their ``kinds`` and, where they moved, their ``previous_path``.

    Shapes:  ``diff`` is git's unified diff of the whole change.
    Returns: None unless the diff was understood to the last line and shows each of the files.
    Errors:  none. Linear in the length of the diff.
    """
    parsed = git_diff.read(diff)
    if parsed is None:
        return None
    before: dict[str, str] = {}
    kinds: dict[str, list[FileKind]] = {}
    for file in parsed:
        paths = file.paths
        if paths is None:
            return None
        before.setdefault(paths[1], paths[0])
        kinds.setdefault(paths[1], []).extend(_kinds(file))
    listed = tuple(files)
    if any(file.path not in kinds for file in listed):
        return None
    return tuple(
        replace(
            file,
            kinds=tuple(dict.fromkeys(kinds[file.path])),
            previous_path=file.previous_path or _other(before[file.path], file.path),
        )
        for file in listed
    )


def _other(before: str, path: str) -> str | None:
    return before if before != path else None


def _kinds(file: File) -> Iterator[FileKind]:
    """Of a file that goes away the path says all there is to know."""
    if file.is_deleted:
        return
    modes = file.modes
    if _SYMLINK in modes:
        yield FileKind.SYMLINK
    if _SUBMODULE in modes:
        yield FileKind.SUBMODULE
    if not {*modes} <= {*_PLAIN, _SYMLINK, _SUBMODULE}:
        yield FileKind.ODD_MODE
    if file.changes_mode:
        yield FileKind.MODE
    if file.binary:
        yield FileKind.BINARY
    elif not file.shown:
        yield FileKind.HIDDEN
    if any(_is_pointer(file, side) for side in (" +", " -")):
        yield FileKind.LFS_POINTER


def _is_pointer(file: File, side: str) -> bool:
    """Whether it is a pointer on this side of the diff: one is short, so all of it is shown."""
    lines = [line[1:] for hunk in file.hunks for line in hunk.lines if line[0] in side]
    return 0 < len(lines) <= _POINTER_LINES and any(map(_POINTER.fullmatch, lines))
