"""What the diff tells of files, from diffs that git itself made, and from some it would not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_app.judge import git_diff
from github_app.judge.facts import ChangedFile, FileKind
from github_app.judge.file_kinds import read

FILE, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize 12345\n"
EXTENDED = (
    b"version https://git-lfs.github.com/spec/v1\n"
    + b"".join(b"ext-%d-foo sha256:%b\n" % (n, b"0" * 64) for n in range(10))
    + b"oid sha256:%b\nsize 12345\n"
)
TEXT = b"".join(b"line %d\n" % n for n in range(40))
Files = dict[str, tuple[str, bytes]]

needs_git = pytest.mark.skipif(
    shutil.which("git") is None, reason="compares with the real git, which this machine lacks"
)


def git(where: Path, *arguments: str) -> bytes:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", "-C", str(where), *arguments]
    return subprocess.run(command, check=True, capture_output=True, env=environment).stdout


def tree(where: Path, files: Files) -> str:
    git(where, "rm", "-rqf", "--cached", "--ignore-unmatch", ".")
    for path, (mode, data) in files.items():
        blob = where / "blob"
        blob.write_bytes(data)
        oid = "ab" * 20
        if mode != SUBMODULE:
            oid = git(where, "hash-object", "-w", str(blob)).decode().strip()
        else:
            oid = data.decode()
        git(where, "update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    return git(where, "write-tree").decode().strip()


@pytest.fixture
def where(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def diff(where: Path, old: Files, new: Files) -> str:
    trees = tree(where, {**old, "z": (FILE, b"z\n")}), tree(where, {**new, "z": (FILE, b"z\n")})
    return git(where, "diff", "-M", *trees).decode("utf-8", "surrogateescape")


@needs_git
@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        pytest.param(None, (FILE, TEXT), [], id="new-file"),
        pytest.param((FILE, TEXT), (FILE, TEXT + b"x\n"), [], id="edited"),
        pytest.param(None, (EXECUTABLE, TEXT), [], id="new-script"),
        pytest.param(None, (FILE, b""), [], id="new-and-empty"),
        pytest.param((FILE, b""), (FILE, b"x\n"), [], id="no-longer-empty"),
        pytest.param((LINK, b"a"), None, [], id="link-that-goes"),
        pytest.param((FILE, b"a\0b"), None, [], id="binary-that-goes"),
        pytest.param((SUBMODULE, b"1" * 40), None, [], id="submodule-that-goes"),
        pytest.param(None, (LINK, b"../infra"), [FileKind.SYMLINK], id="new-link"),
        pytest.param((LINK, b"a"), (LINK, b"../infra"), [FileKind.SYMLINK], id="link-elsewhere"),
        pytest.param((FILE, TEXT), (LINK, b"../infra"), [FileKind.SYMLINK], id="becomes-a-link"),
        pytest.param(None, (SUBMODULE, b"1" * 40), [FileKind.SUBMODULE], id="new-submodule"),
        pytest.param(
            (SUBMODULE, b"1" * 40), (SUBMODULE, b"2" * 40), [FileKind.SUBMODULE], id="bump"
        ),
        pytest.param(
            (FILE, TEXT), (SUBMODULE, b"2" * 40), [FileKind.SUBMODULE], id="becomes-a-submodule"
        ),
        pytest.param((FILE, TEXT), (EXECUTABLE, TEXT), [FileKind.MODE], id="executable"),
        pytest.param((EXECUTABLE, TEXT), (FILE, TEXT), [FileKind.MODE], id="not-executable"),
        pytest.param(
            (FILE, TEXT), (EXECUTABLE, TEXT + b"x\n"), [FileKind.MODE], id="executable-and-edited"
        ),
        pytest.param(None, (FILE, b"a\0b"), [FileKind.BINARY], id="new-binary"),
        pytest.param((FILE, TEXT), (FILE, b"a\0b"), [FileKind.BINARY], id="becomes-binary"),
        pytest.param((FILE, b"a\0c"), (FILE, b"a\0b"), [FileKind.BINARY], id="binary-edited"),
        pytest.param(None, (FILE, POINTER % (b"a" * 64)), [FileKind.LFS_POINTER], id="new-pointer"),
        pytest.param(
            (FILE, TEXT), (FILE, POINTER % (b"a" * 64)), [FileKind.LFS_POINTER], id="to-a-pointer"
        ),
        pytest.param(
            (FILE, POINTER % (b"a" * 64)), (FILE, TEXT), [FileKind.LFS_POINTER], id="from-a-pointer"
        ),
        pytest.param(
            (FILE, POINTER % (b"a" * 64)),
            (FILE, POINTER % (b"b" * 64)),
            [FileKind.LFS_POINTER],
            id="pointer-elsewhere",
        ),
        pytest.param(
            (FILE, EXTENDED % (b"a" * 64)),
            (FILE, EXTENDED % (b"b" * 64)),
            [FileKind.LFS_POINTER],
            id="pointer-with-extensions",
        ),
        pytest.param(
            None, (FILE, TEXT + POINTER % (b"a" * 64)), [], id="page-that-quotes-a-pointer"
        ),
    ],
)
@pytest.mark.parametrize("path", ["f", "a b/ć.txt", '"q\t.x'])
def test_kinds(
    where: Path,
    path: str,
    old: tuple[str, bytes] | None,
    new: tuple[str, bytes] | None,
    kinds: list[FileKind],
) -> None:
    text = diff(where, {path: old} if old else {}, {path: new} if new else {})
    found = read(text, [ChangedFile(path=path)])
    assert found is not None
    assert [list(file.kinds) for file in found] == [kinds]
    assert found[0].previous_path is None


@needs_git
@pytest.mark.parametrize("names", [("old.py", "new.py"), ("a b", "c\td"), ("ż", "d e/f")])
def test_previous_names(where: Path, names: tuple[str, str]) -> None:
    before, after = names
    moved = ChangedFile(path=after, change="RENAMED")
    for content in (TEXT, TEXT + b"more\n"):
        text = diff(where, {before: (FILE, TEXT)}, {after: (FILE, content)})
        assert read(text, [moved]) == (
            ChangedFile(path=after, change="RENAMED", previous_path=before),
        )
    text = diff(where, {before: (FILE, TEXT)}, {after: (EXECUTABLE, TEXT)})
    assert read(text, [moved]) == (
        ChangedFile(
            path=after, change="RENAMED", previous_path=before, kinds=(FileKind.MODE,)
        ),
    )  # fmt: skip


@needs_git
def test_a_file_that_attributes_hide(where: Path) -> None:
    (where / ".git/info/attributes").write_text("*.py -diff\n")
    text = diff(where, {"a.py": (FILE, TEXT)}, {"a.py": (FILE, TEXT + b"x\n")})
    found = read(text, [ChangedFile(path="a.py", additions=1)])
    assert found is not None
    assert found[0].kinds == (FileKind.BINARY,)


WHOLE = "diff --git a/f b/f\nindex 1111111..2222222 100644\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.mark.parametrize(
    "diff",
    [
        pytest.param("", id="empty"),
        pytest.param(WHOLE[:-1], id="cut"),
        pytest.param(WHOLE.removesuffix("+b\n"), id="cut-inside-a-hunk"),
        pytest.param(WHOLE.replace("/f", "/g"), id="file-missing"),
        pytest.param(WHOLE + "?\n", id="line-that-git-does-not-write"),
        pytest.param('diff --git "a/f b/f\nold mode 100644\nnew mode 100755\n', id="no-name"),
        pytest.param("diff --git a/f b/g\nold mode 100644\nnew mode 100755\n", id="two-names"),
    ],
)
def test_unknown_unless_all_of_it_is_understood(diff: str) -> None:
    assert read(WHOLE, [ChangedFile(path="f")]) == (ChangedFile(path="f"),)
    assert read(diff, [ChangedFile(path="f")]) is None


@pytest.mark.parametrize(
    ("diff", "kind"),
    [
        pytest.param(
            "diff --git a/f b/f\nindex 1111111..2222222 100644\n", FileKind.HIDDEN, id="no-content"
        ),
        pytest.param(WHOLE.replace("100644", "100664"), FileKind.ODD_MODE, id="odd-mode"),
    ],
)
def test_what_git_seldom_says(diff: str, kind: FileKind) -> None:
    found = read(diff, [ChangedFile(path="f")])
    assert found is not None
    assert found[0].kinds == (kind,)


@given(st.text(alphabet=list('ab"\\01 \n+-@diffgtrename'), max_size=200))
def test_no_text_raises(text: str) -> None:
    for diff in (text, f"diff --git {text}\n", WHOLE + text, f'--- "{text}"\n'):
        files = git_diff.read(diff)
        assert files is None or all(len(file.header) > 0 for file in files)
        for file in files or ():
            assert file.paths is None or len(file.paths) == 2
        read(diff, [ChangedFile(path="f")])
