"""Raw diffs: to the letter what git prints, and refused where GitHub refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.errors import Refused
from sandbox.git import EMPTY_TREE, EXECUTABLE, FILE, SYMLINK, Blob, Entry, Tree, diff
from sandbox.rawdiff import MAX_FILES, MAX_LINES, raw_diff

Files = dict[str, tuple[str, bytes]]
MANY = b"".join(b"line %d\n" % number for number in range(60))


def tree(files: Files) -> Tree:
    return EMPTY_TREE.updated(
        {path: Entry(mode, Blob.of(data)) for path, (mode, data) in files.items()}
    )


def git(where: Path, *arguments: str) -> bytes:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", "-C", str(where), *arguments]
    return subprocess.run(command, check=True, capture_output=True, env=environment).stdout


def write(where: Path, files: Files) -> str:
    git(where, "rm", "-rqf", "--cached", "--ignore-unmatch", ".")
    for path, (mode, data) in files.items():
        blob = where / "blob"
        blob.write_bytes(data)
        oid = git(where, "hash-object", "-w", str(blob)).decode().strip()
        git(where, "update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    return git(where, "write-tree").decode().strip()


@pytest.mark.skipif(
    shutil.which("git") is None, reason="compares with the real git, which this machine lacks"
)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({"f": (FILE, b"a\nb\n")}, {"f": (FILE, b"a\nB\n")}, id="modified"),
        pytest.param({}, {"d/f": (FILE, b"a\n")}, id="added"),
        pytest.param({"f": (EXECUTABLE, b"a\nb\n")}, {}, id="removed"),
        pytest.param({"f": (FILE, b"a\n")}, {"f": (EXECUTABLE, b"a\n")}, id="mode"),
        pytest.param({"f": (FILE, b"a\n")}, {"f": (EXECUTABLE, b"b\n")}, id="mode-and-content"),
        pytest.param({"f": (FILE, MANY)}, {"g": (FILE, MANY)}, id="renamed"),
        pytest.param({}, {"f": (FILE, b"")}, id="empty-file"),
        pytest.param({"f": (FILE, b"")}, {"f": (FILE, b"a\n")}, id="no-longer-empty"),
        pytest.param({"f": (FILE, b"a\nb")}, {"f": (FILE, b"a\nc")}, id="no-last-line-feed"),
        pytest.param({"f": (FILE, b"a\nb")}, {"f": (FILE, b"a\nb\n")}, id="line-feed-added"),
        pytest.param({"f": (FILE, b"a\r\nb\r\n")}, {"f": (FILE, b"a\nb\r\n")}, id="line-ends"),
        pytest.param({"f": (FILE, b"a\x0cb\n")}, {"f": (FILE, b"a\x0cc\n")}, id="form-feed"),
        pytest.param({"f": (FILE, b"\xe9\n")}, {"f": (FILE, b"\xe8\n")}, id="latin-1"),
        pytest.param({"f": (FILE, b"a\0b")}, {"f": (FILE, b"a\0c")}, id="binary"),
        pytest.param({}, {"f": (FILE, b"a\0b")}, id="binary-added"),
        pytest.param({"f": (FILE, b"x\n")}, {"f": (SYMLINK, b"elsewhere")}, id="type"),
        pytest.param({}, {"with space": (FILE, b"a\n")}, id="space-in-path"),
        pytest.param({}, {"d\u00e9/\u8a9e": (FILE, b"a\n")}, id="letters-in-path"),
        pytest.param({}, {'a"b\tc': (FILE, b"a\n")}, id="quote-in-path"),
        pytest.param(
            {"f": (FILE, b"def f():\n" + MANY.replace(b"line", b"  at"))},
            {"f": (FILE, b"def f():\n" + MANY.replace(b"line", b"  at").replace(b"30", b"x"))},
            id="heading",
        ),
        pytest.param(
            {"f": (FILE, MANY), "g": (FILE, b"1\n")},
            {
                "f": (FILE, MANY.replace(b" 9\n", b" IX\n").replace(b"44", b"x")),
                "h": (FILE, b"2\n"),
            },
            id="several-hunks-and-files",
        ),
    ],
)
def test_as_git_prints_it(tmp_path: Path, old: Files, new: Files) -> None:
    git(tmp_path, "init", "-q")
    there = git(tmp_path, "diff", "--find-renames", write(tmp_path, old), write(tmp_path, new))
    assert raw_diff(diff(tree(old), tree(new))) == there


@pytest.mark.parametrize(
    ("files", "what"),
    [
        pytest.param(
            {str(number): (FILE, b"x\n") for number in range(MAX_FILES + 1)}, "files", id="files"
        ),
        pytest.param({"f": (FILE, b"x\n" * MAX_LINES)}, "lines", id="lines"),
        pytest.param({"f": (FILE, b"x" * (1024 * 1024))}, "size", id="bytes"),
    ],
)
def test_too_large(files: Files, what: str) -> None:
    with pytest.raises(Refused, match=what) as refusal:
        raw_diff(diff(EMPTY_TREE, tree(files)))
    assert refusal.value.status == 406
