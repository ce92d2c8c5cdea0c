"""Git objects: the same SHAs as git's own, the same ancestry, diffs and merges."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.git import (
    EMPTY_TREE,
    EXECUTABLE,
    FILE,
    Blob,
    Entry,
    MergeConflict,
    Signature,
    Store,
    Tree,
    diff,
    merge_trees,
)

ADA = Signature("Ada", "ada@acme.example", datetime(2026, 3, 1, 10, tzinfo=UTC))


def tree(**files: str) -> Tree:
    return EMPTY_TREE.updated(
        {
            path.replace("__", "/"): Entry(FILE, Blob.of(text.encode()))
            for path, text in files.items()
        }
    )


def git(where: Path, *arguments: str, **more: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", **more}
    command = ["git", "-C", str(where), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()


def test_objects_have_the_shas_that_git_gives_them(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("one\n")
    (tmp_path / "a.txt").write_text("two\n")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    git(tmp_path, "add", ".")
    when = str(int(ADA.date.timestamp())) + " +0000"
    people = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", ADA.name), ("EMAIL", ADA.email), ("DATE", when))
    }
    git(tmp_path, "commit", "-q", "-m", "Begin", **people)

    run = Entry(EXECUTABLE, Blob.of(b"#!/bin/sh\n"))
    ours = tree(a__b="x").updated({"a/b": None, "a/b.txt": Entry(FILE, Blob.of(b"one\n"))})
    ours = ours.updated({"a.txt": Entry(FILE, Blob.of(b"two\n")), "run.sh": run})
    commit = Store().commit(ours, [], ADA, ADA, "Begin\n")
    assert ours.sha == git(tmp_path, "rev-parse", "HEAD^{tree}")
    assert commit.sha == git(tmp_path, "rev-parse", "HEAD")


@pytest.fixture
def forked() -> tuple[Store, dict[str, str]]:
    """a - b - c (main); b - d - e, e merges c into m."""
    store, named = Store(), dict[str, str]()

    def commit(name: str, *parents: str) -> None:
        shas = [named[parent] for parent in parents]
        named[name] = store.commit(tree(f=name), shas, ADA, ADA, name).sha

    for name, parents in {"a": "", "b": "a", "c": "b", "d": "b", "e": "d", "m": "ec"}.items():
        commit(name, *parents)
    return store, named


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        pytest.param("c", "e", "de", id="a-branch"),
        pytest.param("b", "m", "cdem", id="through-a-merge"),
        pytest.param("c", "m", "dem", id="base-merged-in"),
        pytest.param("e", "e", "", id="same"),
        pytest.param("e", "a", "", id="empty-when-behind"),
    ],
)
def test_between(forked: tuple[Store, dict[str, str]], base: str, head: str, expected: str) -> None:
    store, named = forked
    found = [commit.message for commit in store.between(named[base], named[head])]
    assert sorted(found) == sorted(expected)
    places = {commit.sha: n for n, commit in enumerate(store.between(named[base], named[head]))}
    assert all(
        places[parent] < place
        for sha, place in places.items()
        for parent in store.commits[sha].parents
        if parent in places
    )


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param("c", "e", "b", id="fork-point"),
        pytest.param("c", "m", "c", id="ancestor"),
        pytest.param("a", "a", "a", id="itself"),
    ],
)
def test_merge_base(
    forked: tuple[Store, dict[str, str]], left: str, right: str, expected: str
) -> None:
    store, named = forked
    assert store.merge_base(named[left], named[right]) == named[expected]


def test_unrelated_histories_have_no_merge_base() -> None:
    store = Store()
    one, two = (store.commit(tree(f=t), [], ADA, ADA, t).sha for t in "12")
    assert store.merge_base(one, two) is None
    assert not store.is_ancestor(one, two)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=2), min_size=2, max_size=30), st.data())
def test_between_agrees_with_the_definition(shape: list[list[int]], data: st.DataObject) -> None:
    """base..head is reachable(head) minus reachable(base), on any history."""
    store, shas, reach = Store(), list[str](), list[set[str]]()
    for place, parents in enumerate(shape):
        real = sorted({p % place for p in parents}) if place else []
        commit = store.commit(tree(f=str(place)), [shas[p] for p in real], ADA, ADA, str(place))
        shas.append(commit.sha)
        reach.append({commit.sha}.union(*(reach[p] for p in real)))
    base, head = (data.draw(st.integers(0, len(shas) - 1)) for _ in "bh")
    found = {commit.sha for commit in store.between(shas[base], shas[head])}
    assert found == reach[head] - reach[base]
    common = reach[head] & reach[base]
    merge_base = store.merge_base(shas[base], shas[head])
    assert (merge_base in common) if common else merge_base is None
    assert store.is_ancestor(shas[base], shas[head]) == (shas[base] in reach[head])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param({"a": "1"}, {"a": "1", "b": "2"}, [("b", "added", 1, 0)], id="added"),
        pytest.param({"a": "1"}, {}, [("a", "removed", 0, 1)], id="removed"),
        pytest.param({"a": "1\n2\n"}, {"a": "1\n3\n"}, [("a", "modified", 1, 1)], id="modified"),
        pytest.param({"a": "1\n"}, {"b": "1\n"}, [("b", "renamed", 0, 0)], id="renamed"),
        pytest.param({"d__a": "1\n"}, {"e__a": "1\n"}, [("e/a", "renamed", 0, 0)], id="moved"),
        pytest.param(
            {"a": "1\n2\n3\n4\n"}, {"b": "1\n2\n3\n5\n"}, [("b", "renamed", 1, 1)], id="edited"
        ),
        pytest.param(
            {"a": "1\n"},
            {"b": "2\n"},
            [("a", "removed", 0, 1), ("b", "added", 1, 0)],
            id="two-different-files",
        ),
    ],
)
def test_diff(
    old: dict[str, str], new: dict[str, str], expected: list[tuple[str, str, int, int]]
) -> None:
    found = diff(tree(**old), tree(**new))
    assert [(c.path, c.status, *c.counts) for c in found] == expected


def test_a_binary_file_has_no_patch() -> None:
    new = EMPTY_TREE.updated({"x.bin": Entry(FILE, Blob.of(b"\0\1"))})
    (change,) = diff(EMPTY_TREE, new)
    assert change.patch is None
    assert change.counts == (0, 0)


def test_a_changed_mode_is_a_change() -> None:
    old = tree(f="x")
    (change,) = diff(old, old.updated({"f": Entry(EXECUTABLE, Blob.of(b"x"))}))
    assert change.status == "modified"


def test_merging_takes_each_side_of_what_it_changed() -> None:
    base = tree(a="1", b="1", c="1")
    merged = merge_trees(base, tree(a="2", b="1", c="1"), tree(a="1", b="2"))
    assert merged.sha == tree(a="2", b="2").sha


def test_both_sides_changing_one_file_is_a_conflict() -> None:
    with pytest.raises(MergeConflict, match="d/a"):
        merge_trees(tree(d__a="1"), tree(d__a="2"), tree(d__a="3"))


def test_a_very_large_change_has_no_patch() -> None:
    text = "".join(f"{n}\n" for n in range(20_001))
    (change,) = diff(EMPTY_TREE, tree(f=text))
    assert change.counts == (20_001, 0)
    assert change.patch is None
