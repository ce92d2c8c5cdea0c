"""The identity of a patch: named rows, and never more equal than git itself proves."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from github_app.judge.facts import ChangedFile
from github_app.judge.patch import Sameness, compare, is_whole, patch_id

HEAD = "diff --git a/f b/f\n"
MARKS = "--- a/f\n+++ b/f\n"
INDEX = "index 1111111..2222222 100644\n"
HUNK = "@@ -1,3 +1,4 @@\n one\n+new\n two\n three\n"
PLAIN = HEAD + INDEX + MARKS + HUNK
OLD_OID, NEW_OID = "1" * 40, "2" * 40


def binary(old: str, new: str) -> str:
    return HEAD + f"index {old}..{new} 100644\nBinary files a/f and b/f differ\n"


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(PLAIN.replace("-1,3 +1,4", "-41,3 +51,4"), id="other-line-numbers"),
        pytest.param(PLAIN.replace("4 @@", "4 @@ def f():"), id="other-heading"),
        pytest.param(PLAIN.replace("2222222", "3333333"), id="other-blob"),
        pytest.param(PLAIN.replace("2222222", "2" * 40), id="other-abbreviation"),
    ],
)
def test_what_is_not_part_of_the_change(same: str) -> None:
    assert patch_id(PLAIN) is not None
    assert patch_id(same) == patch_id(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(PLAIN.replace("+new", "+neu"), id="added-line"),
        pytest.param(PLAIN.replace("+new", "+new "), id="trailing-space"),
        pytest.param(PLAIN.replace("+new", "+\tnew"), id="indentation"),
        pytest.param(PLAIN.replace("+new", "+new\r"), id="carriage-return"),
        pytest.param(PLAIN.replace(" two", " zwei"), id="context"),
        pytest.param(PLAIN.replace("+new\n two", " two\n+new"), id="order-of-lines"),
        pytest.param(PLAIN + "\\ No newline at end of file\n", id="newline-at-the-end"),
        pytest.param(PLAIN.replace("a/f", "a/g").replace("b/f", "b/g"), id="path"),
        pytest.param(
            HEAD + "old mode 100644\nnew mode 100755\nindex 1111111..2222222\n" + MARKS + HUNK,
            id="mode",
        ),
        pytest.param(
            HEAD + "similarity index 90%\nrename from e\nrename to f\n" + INDEX + MARKS + HUNK,
            id="rename",
        ),
        pytest.param(PLAIN + PLAIN.replace("f\n", "g\n"), id="one-file-more"),
        pytest.param(PLAIN + "@@ -9,1 +10,2 @@\n nine\n+new\n", id="one-hunk-more"),
        pytest.param(PLAIN.replace("+new", "+n\udcebw"), id="a-byte-that-is-no-utf-8"),
    ],
)
def test_what_is_part_of_the_change(other: str) -> None:
    assert patch_id(other) is not None
    assert patch_id(other) != patch_id(PLAIN)


def test_bytes_that_are_no_utf8_are_told_apart() -> None:
    one, other = (PLAIN.replace("+new", f"+n{byte}w") for byte in ("\udceb", "\udcea"))
    assert patch_id(one) != patch_id(other)


def test_the_order_of_files_does_not_matter() -> None:
    g = PLAIN.replace("/f", "/g")
    assert patch_id(PLAIN + g) == patch_id(g + PLAIN)
    assert patch_id(PLAIN + PLAIN) != patch_id(PLAIN)


def test_a_line_cannot_pass_for_a_header() -> None:
    """Content is told from structure by the counts of its hunk, not by how it looks."""
    hidden = HEAD + INDEX + MARKS + "@@ -1,1 +1,3 @@\n one\n+diff --git a/x b/x\n++++ b/x\n"
    removed = HEAD + INDEX + MARKS + "@@ -1,2 +1,1 @@\n one\n--- a/x\n"
    assert patch_id(hidden) is not None
    assert patch_id(removed) is not None
    assert len({patch_id(hidden), patch_id(removed), patch_id(PLAIN)}) == 3


@pytest.mark.parametrize(
    "diff",
    [
        pytest.param("", id="empty"),
        pytest.param("\n", id="blank"),
        pytest.param("Not Found\n", id="no-diff"),
        pytest.param(PLAIN[:-1], id="cut-inside-the-last-line"),
        pytest.param(PLAIN.removesuffix(" three\n"), id="cut-inside-a-hunk"),
        pytest.param(HEAD + INDEX + MARKS, id="cut-before-the-hunk"),
        pytest.param(HEAD + INDEX + "--- a/f\n", id="cut-inside-the-names"),
        pytest.param(HEAD + INDEX, id="content-not-shown"),
        pytest.param(HEAD, id="nothing-but-a-name"),
        pytest.param(HEAD + "similarity index 100%\n", id="nothing-said"),
        pytest.param(
            HEAD + "new file mode 100644\nindex 0000000..1111111\n", id="new-file-not-shown"
        ),
        pytest.param(
            HEAD + "deleted file mode 100644\nindex 1111111..0000000\n", id="lost-file-not-shown"
        ),
        pytest.param(PLAIN + "... truncated\n", id="a-line-after-the-end"),
        pytest.param(PLAIN.replace("+1,4", "+1,5"), id="counts-too-high"),
        pytest.param(PLAIN.replace("+1,4", "+1,3"), id="counts-too-low"),
        pytest.param(PLAIN.replace(" two", "\ttwo"), id="a-line-without-a-sign"),
        pytest.param(PLAIN.replace("@@ -1,3", "@@@ -1,3 -1,3"), id="combined"),
        pytest.param(PLAIN.replace("diff --git a/f b/f", "diff --cc f"), id="combined-header"),
        pytest.param(PLAIN.replace(INDEX, INDEX + "mystery 1\n"), id="unknown-header"),
        pytest.param(PLAIN.replace(INDEX, INDEX + INDEX), id="index-twice"),
        pytest.param(PLAIN.replace("1111111..", "111..111.."), id="odd-index"),
        pytest.param(PLAIN.replace("100644", "160000"), id="submodule"),
        pytest.param(
            HEAD + "new file mode 160000\nindex 0000000..2222222\n" + MARKS + HUNK,
            id="new-submodule",
        ),
        pytest.param(binary("1111111", "2222222"), id="binary-without-whole-ids"),
        pytest.param(HEAD + "Binary files a/f and b/f differ\n", id="binary-without-ids"),
        pytest.param(binary(OLD_OID, "2222222"), id="binary-with-one-whole-id"),
        pytest.param(HEAD + INDEX + "GIT binary patch\nliteral 1\nIcmZ\n\n", id="binary-patch"),
        pytest.param(PLAIN + "@@ -2,1 +4,2 @@\n two\n+x\n", id="hunks-that-overlap"),
    ],
)
def test_what_cannot_be_proven_has_no_identity(diff: str) -> None:
    assert patch_id(diff) is None
    assert compare(diff, diff) is Sameness.DIFFERENT
    assert not is_whole(diff, [])


@pytest.mark.parametrize(
    "diff",
    [
        pytest.param(binary(OLD_OID, NEW_OID), id="binary"),
        pytest.param(HEAD + "old mode 100644\nnew mode 100755\n", id="mode-alone"),
        pytest.param(
            "diff --git a/e b/f\nsimilarity index 100%\nrename from e\nrename to f\n", id="rename"
        ),
        pytest.param(
            HEAD + "new file mode 100644\nindex 0000000..e69de29\n", id="new-file-without-content"
        ),
    ],
)
def test_what_headers_alone_can_prove(diff: str) -> None:
    assert patch_id(diff) is not None
    assert compare(diff, diff) is Sameness.SAME


def test_binary_content_is_its_blob() -> None:
    assert patch_id(binary(OLD_OID, NEW_OID)) != patch_id(binary(OLD_OID, "3" * 40))
    assert patch_id(binary(OLD_OID, NEW_OID)) != patch_id(binary("3" * 40, NEW_OID))


def test_any_length_is_read_once() -> None:
    many = "".join(f"+{number}\n" for number in range(200_000))
    diff = HEAD + INDEX + MARKS + "@@ -0,0 +1,200000 @@\n" + many
    assert patch_id(diff) is not None
    assert patch_id(diff[:-2]) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*PLAIN.splitlines(keepends=True), "x\n", "\ud800\n", "\n"])))
def test_nothing_raises(lines: list[str]) -> None:
    diff = "".join(lines)
    found = patch_id(diff)
    assert (found is None) or len(found) == 64
    assert compare(diff, diff) is not Sameness.BASE_NEEDED


# --- where the change is --------------------------------------------------------------------------

AT_9 = "@@ -9,3 +9,4 @@"
MOVED = PLAIN.replace("@@ -1,3 +1,4 @@", AT_9)
OTHER_BASE = PLAIN.replace("1111111", "4444444").replace("2222222", "5555555")


def base_diff(hunk: str) -> str:
    return HEAD + "index 1111111..4444444 100644\n" + MARKS + hunk


FIVE_MORE = "@@ -0,0 +1,5 @@\n+1\n+2\n+3\n+4\n+5\n"


@pytest.mark.parametrize(
    ("head", "base", "expected"),
    [
        pytest.param(PLAIN, None, Sameness.SAME, id="identical"),
        pytest.param(
            PLAIN.replace("2222222", "2222222aa"), None, Sameness.SAME, id="longer-abbreviation"
        ),
        pytest.param(MOVED, None, Sameness.DIFFERENT, id="moved-in-the-same-file"),
        pytest.param(
            PLAIN.replace("2222222", "3333333"), None, Sameness.DIFFERENT, id="other-result"
        ),
        pytest.param(PLAIN.replace(INDEX, ""), None, Sameness.DIFFERENT, id="no-index"),
        pytest.param(OTHER_BASE, None, Sameness.BASE_NEEDED, id="the-base-changed-the-file"),
        pytest.param(
            OTHER_BASE.replace("+1,4 @@\n one", "+1,4 @@\n uno"),
            None,
            Sameness.DIFFERENT,
            id="the-base-changed-the-lines-around-it",
        ),
        pytest.param(
            OTHER_BASE,
            base_diff("@@ -8,1 +8,2 @@\n eight\n+x\n"),
            Sameness.SAME,
            id="the-base-changed-what-is-below",
        ),
        pytest.param(
            OTHER_BASE.replace("-1,3 +1,4", "-6,3 +6,4"),
            base_diff(FIVE_MORE),
            Sameness.SAME,
            id="the-base-moved-it-by-five",
        ),
        pytest.param(
            OTHER_BASE.replace("-1,3 +1,4", "-7,3 +7,4"),
            base_diff(FIVE_MORE),
            Sameness.DIFFERENT,
            id="the-base-moved-it-by-less",
        ),
        pytest.param(OTHER_BASE, base_diff(FIVE_MORE), Sameness.DIFFERENT, id="it-did-not-move"),
        pytest.param(OTHER_BASE, "", Sameness.DIFFERENT, id="no-movement-known"),
        pytest.param(OTHER_BASE, FIVE_MORE, Sameness.DIFFERENT, id="movement-not-understood"),
        pytest.param(
            OTHER_BASE,
            base_diff("@@ -8,1 +8,2 @@\n eight\n+x\n").replace("1111111", "7777777"),
            Sameness.DIFFERENT,
            id="movement-from-another-base",
        ),
        pytest.param(
            OTHER_BASE,
            base_diff("@@ -8,1 +8,2 @@\n eight\n+x\n").replace("4444444", "7777777"),
            Sameness.DIFFERENT,
            id="movement-to-another-base",
        ),
        pytest.param(
            OTHER_BASE,
            base_diff("@@ -2,1 +2,1 @@\n-two\n+two\n"),
            Sameness.DIFFERENT,
            id="the-base-replaced-a-line-around-it",
        ),
        pytest.param(
            OTHER_BASE,
            base_diff("@@ -8,1 +8,2 @@\n eight\n+x\n").replace(
                "index", "similarity index 90%\nrename from f\nrename to g\nindex", 1
            ),
            Sameness.DIFFERENT,
            id="the-base-renamed-the-file",
        ),
    ],
)
def test_compare(head: str, base: str | None, expected: Sameness) -> None:
    assert compare(PLAIN, head, base) is expected


@pytest.mark.parametrize(
    ("counts", "whole"),
    [
        pytest.param([(1, 0)], True, id="as-listed"),
        pytest.param([(2, 0)], False, id="a-line-more"),
        pytest.param([(1, 1)], False, id="a-line-less"),
        pytest.param([(1, 0), (0, 0)], False, id="a-file-more"),
        pytest.param([], False, id="no-file"),
    ],
)
def test_is_whole(counts: list[tuple[int, int]], whole: bool) -> None:
    files = [
        ChangedFile(path=str(at), additions=added, deletions=deleted)
        for at, (added, deleted) in enumerate(counts)
    ]
    assert is_whole(PLAIN, files) is whole


# --- against git ----------------------------------------------------------------------------------

needs_git = pytest.mark.skipif(
    shutil.which("git") is None, reason="compares with the real git, which this machine lacks"
)
Files = dict[str, tuple[str, str]]  # path -> mode, content


@dataclass
class Git:
    """A repository of its own, made of whole trees. git's configuration is git's default."""

    where: Path
    made: int = 0

    @cached_property
    def _environment(self) -> dict[str, str]:
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return {**os.environ, **quiet, "GIT_DIR": str(self.where)}

    def run(self, *arguments: str, text: bytes | None = None, codes: Sequence[int] = (0,)) -> str:
        found = subprocess.run(
            ["git", *arguments], input=text, capture_output=True, env=self._environment, check=False
        )
        assert found.returncode in codes, found.stderr
        return found.stdout.decode("utf-8", "surrogateescape")

    def commits(self, *made: tuple[Files, Sequence[int]]) -> list[str]:
        """Commits of these trees; parents by their place in the list, from 0. Their ids."""
        stream = []
        for mark, (files, parents) in enumerate(made, start=1):
            stream += [f"commit refs/heads/c{mark}", f"mark :{mark}", "committer A <a@b> 1 +0000"]
            stream += ["data 1", "m"]
            stream += [
                f"{'merge' if at else 'from'} :{parent + 1}" for at, parent in enumerate(parents)
            ]
            stream += ["deleteall"]
            for path, (mode, content) in files.items():
                stream += [f"M {mode} inline {path}", f"data {len(content.encode())}", content]
        marks = self.where / "marks"
        self.run(
            "fast-import", "--quiet", "--force", f"--export-marks={marks}",
            text="\n".join([*stream, "done", ""]).encode(),
        )  # fmt: skip
        found = dict(line.split() for line in marks.read_text().splitlines())
        return [found[f":{mark}"] for mark in range(1, len(made) + 1)]

    def diff(self, base: str, head: str) -> str:
        """As GitHub shows it: from the merge base, without colours or prefixes of one's own."""
        return self.run("diff", "--find-renames", f"{base}...{head}")

    def patch_id(self, diff: str) -> str:
        told = self.run("patch-id", "--verbatim", text=diff.encode("utf-8", "surrogateescape"))
        return told.split(" ")[0]

    def merged_tree(self, one: str, other: str) -> str | None:
        """The tree of a clean merge; None if there is a conflict."""
        told = self.run("merge-tree", "--write-tree", one, other, codes=(0, 1)).splitlines()
        return told[0] if len(told) == 1 else None

    def files(self, tree: str) -> Files:
        rows = (
            line.replace("\t", " ").split(" ")
            for line in self.run("ls-tree", "-r", tree).splitlines()
        )
        return {path: (mode, self.run("cat-file", "blob", blob)) for mode, _, blob, path in rows}

    def tree(self, commit: str) -> str:
        return self.run("rev-parse", f"{commit}^{{tree}}").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    made = Git(tmp_path / "bare.git")
    subprocess.run(["git", "init", "-q", "--bare", str(made.where)], check=True)
    return made


@dataclass(frozen=True)
class Edit:
    """Of one file: a line at ``at`` put in (``text``), taken out, or a mode, or the whole file."""

    path: str
    what: str
    at: int
    text: str


# Few words and many lines of them: the same surroundings come again and again, as in real code.
WORDS = ("  return 0;", "}", "", "if x {", "x += 1", "x += 1 ")
PATHS = ("a", "b/c")
EDITS = st.builds(
    Edit,
    path=st.sampled_from(PATHS),
    what=st.sampled_from(["put", "put", "put", "take", "mode", "rename", "add"]),
    at=st.integers(0, 40),
    text=st.sampled_from(WORDS),
)
CONTENT = st.lists(st.sampled_from(WORDS), min_size=25, max_size=40)


def edited(files: Files, edits: Sequence[Edit]) -> Files:
    found = dict(files)
    for edit in edits:
        mode, content = found.get(edit.path, ("100644", "late\n"))
        lines = content.split("\n")[:-1]
        if edit.what == "put":
            lines.insert(edit.at, edit.text)
        elif edit.what == "take":
            del lines[edit.at : edit.at + 1]
        elif edit.what == "mode":
            mode = "100755" if mode == "100644" else "100644"
        elif edit.what == "rename" and edit.path in found:
            del found[edit.path]
            found[edit.path + "2"] = (mode, content)
            continue
        elif edit.what == "add":
            found[edit.path + "3"] = (mode, edit.text + "\n")
            continue
        found[edit.path] = (mode, "".join(line + "\n" for line in lines))
    return found


with_git = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@needs_git
@with_git
@given(
    st.tuples(CONTENT, CONTENT),
    st.lists(EDITS, min_size=1, max_size=3),
    st.lists(EDITS, max_size=3),
    st.lists(EDITS, max_size=2),
)
def test_an_identity_no_coarser_than_gits_and_no_approval_of_another_tree(
    repository: Git,
    contents: tuple[list[str], list[str]],
    work: list[Edit],
    base_work: list[Edit],
    smuggled: list[Edit],
) -> None:
    """Whatever is done while the base is merged in: *same* means git would have merged it so."""
    start: Files = {
        path: ("100644", "".join(line + "\n" for line in lines))
        for path, lines in zip(PATHS, contents, strict=True)
    }
    approved_files, base_files = edited(start, work), edited(start, base_work)
    root, approved, tip = repository.commits((start, []), (approved_files, [0]), (base_files, [0]))
    clean = repository.merged_tree(approved, tip)
    assume(clean is not None)
    merged = repository.files(str(clean))
    head = repository.commits(
        (start, []), (approved_files, [0]), (base_files, [0]), (edited(merged, smuggled), [1, 2])
    )[3]
    then, now = repository.diff(tip, approved), repository.diff(tip, head)
    assume(then and now)
    ours, gits = (
        (patch_id(then), patch_id(now)),
        (repository.patch_id(then), repository.patch_id(now)),
    )
    assert None not in ours
    assert (ours[0] == ours[1]) == (gits[0] == gits[1])
    found = compare(then, now, repository.diff(approved, tip))
    event(f"{found.value}, smuggled: {bool(smuggled)}, base moved: {bool(base_work)}")
    assert found is not Sameness.BASE_NEEDED
    if found is Sameness.SAME:
        assert ours[0] == ours[1]
        assert repository.tree(head) == clean
    elif not base_work and not smuggled:
        raise AssertionError("nothing happened, and it is not the same")
    assert root != head


NUMBERED: Files = {
    "a": ("100644", "".join(f"line {number}\n" for number in range(40))),
    "b/c": ("100644", "".join(f"other {number}\n" for number in range(40))),
}


@needs_git
@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
@pytest.mark.parametrize(
    "base_edits",
    [
        pytest.param([Edit("b/c", "put", 3, "new")], id="another-file"),
        pytest.param([Edit("a", "put", 1, "new"), Edit("a", "put", 2, "x")], id="above"),
        pytest.param([Edit("a", "take", 38, "")], id="below"),
        pytest.param([Edit("a", "take", 2, ""), Edit("a", "put", 30, "y")], id="around"),
        pytest.param([Edit("d", "put", 0, "x")], id="a-new-file"),
    ],
)
def test_what_only_the_base_moved_is_the_same(
    repository: Git, how: str, base_edits: list[Edit]
) -> None:
    work = edited(NUMBERED, [Edit("a", "put", 20, "work"), Edit("a", "take", 22, "")])
    base = edited(NUMBERED, base_edits)
    _, approved, tip = repository.commits((NUMBERED, []), (work, [0]), (base, [0]))
    tree = repository.merged_tree(approved, tip)
    assert tree is not None
    both = repository.files(tree)
    parents = {"merge": [1, 2], "rebase": [2], "cherry-pick": [2]}[how]
    head = repository.commits((NUMBERED, []), (work, [0]), (base, [0]), (both, parents))[3]
    then, now = repository.diff(tip, approved), repository.diff(tip, head)
    assert patch_id(then) == patch_id(now)
    assert compare(then, now, repository.diff(approved, tip)) is Sameness.SAME
    smuggled = edited(both, [Edit("a", "put", 10, "smuggled")])
    bad = repository.commits((NUMBERED, []), (work, [0]), (base, [0]), (smuggled, parents))[3]
    now = repository.diff(tip, bad)
    assert patch_id(then) != patch_id(now)
    assert compare(then, now, repository.diff(approved, tip)) is Sameness.DIFFERENT


@needs_git
@pytest.mark.parametrize("base_edits", [[], [Edit("a", "put", 1, "new")]], ids=["still", "moved"])
def test_the_same_lines_at_another_place_are_another_change(
    repository: Git, base_edits: list[Edit]
) -> None:
    """``git patch-id`` takes them for one: a guard moved into the other of two alike functions."""
    block = "def f():\n    a\n    b\n    c\n    d\n    e\n    f\n\n"
    start: Files = {"a": ("100644", "head\nhead2\nhead3\nhead4\n" + block * 2)}

    def with_guard(at: int, shift: int) -> Files:
        return edited(edited(start, base_edits), [Edit("a", "put", at + shift, "    guard()")])

    base = edited(start, base_edits)
    _, approved, tip, honest, moved = repository.commits(
        (start, []),
        (edited(start, [Edit("a", "put", 8, "    guard()")]), [0]),
        (base, [0]),
        (with_guard(8, len(base_edits)), [1, 2]),
        (with_guard(16, len(base_edits)), [1, 2]),
    )
    then = repository.diff(tip, approved)
    same, other = repository.diff(tip, honest), repository.diff(tip, moved)
    assert repository.patch_id(then) == repository.patch_id(other)
    between = repository.diff(approved, tip)
    assert compare(then, same, between) is Sameness.SAME
    assert compare(then, other, between) is Sameness.DIFFERENT
