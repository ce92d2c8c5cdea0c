"""What copies of a change have in common with it, and what alone is no likeness."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from github_app.judge.facts import ChangedFile, Commit, PullRequest
from github_app.judge.likeness import Range, is_of_commit, is_unmistakable, likenesses, tree
from tests.judge.build import BASE, HEAD, OLD, a_pull, at, stranger
from tests.judge.build import commit as plain


def commit(oid: str = HEAD, **more: Any) -> Commit:
    values: dict[str, Any] = {
        "authored_at": at(0),
        "additions": 3,
        "deletions": 1,
        "changed_files": 1,
        "tree_oid": "7" * 40,
    }
    return plain(oid, **(values | more))


def of_commits(*commits: Commit) -> set[str]:
    return {key for key in likenesses(a_pull(commits=commits)) if is_of_commit(key)}


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(commit(OLD), id="another-id"),
        pytest.param(commit(message="Another message"), id="another-message"),
        pytest.param(commit(parents=("9" * 40,)), id="another-base"),
        pytest.param(commit(tree_oid="8" * 40), id="another-tree"),
        pytest.param(commit(authored_at=at(0) + timedelta(microseconds=5)), id="whole-seconds"),
        pytest.param(commit(by=stranger("J", "June@Example.com")), id="e-mail-in-another-case"),
    ],
)
def test_what_a_copied_commit_keeps(copy: Commit) -> None:
    assert of_commits(copy) == of_commits(commit())
    assert len(of_commits(copy)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(commit(authored_at=at(1)), id="time"),
        pytest.param(commit(by="kim"), id="author"),
        pytest.param(commit(additions=4), id="additions"),
        pytest.param(commit(deletions=0), id="deletions"),
        pytest.param(commit(changed_files=2), id="files"),
    ],
)
def test_what_tells_commits_apart(other: Commit) -> None:
    assert of_commits(other).isdisjoint(of_commits(commit()))


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(plain(), id="size-and-time-not-said"),
        pytest.param(commit(additions=0, deletions=0, changed_files=0), id="empty"),
        pytest.param(commit(parents=(BASE, OLD)), id="merge"),
        pytest.param(commit(parents=()), id="root"),
        pytest.param(commit(by=stranger("Nobody", "")), id="no-e-mail"),
    ],
)
def test_a_commit_without_a_likeness(one: Commit) -> None:
    assert of_commits(one) == set()


def test_two_commits_of_one_likeness_are_both_remembered() -> None:
    pull = a_pull(commits=(commit(OLD, parents=(BASE,)), commit(HEAD, parents=(OLD,))))
    (ranges,) = [found for key, found in likenesses(pull).items() if is_of_commit(key)]
    assert ranges == (
        Range(base_oid=BASE, head_oid=OLD),
        Range(base_oid=OLD, head_oid=HEAD),
    )


def of_change(pull: PullRequest) -> set[str]:
    return {key for key in likenesses(pull) if not is_of_commit(key)}


FILES = (ChangedFile(path="a.py", additions=2), ChangedFile(path="b.py", deletions=1))
PULL = a_pull(files=FILES)


def test_a_squash_keeps_the_files_and_their_lines() -> None:
    squash = a_pull(files=tuple(reversed(FILES)), number=99, head_oid=OLD, base_oid="9" * 40)
    assert of_change(squash) == of_change(PULL)
    assert len(of_change(PULL)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(FILES[:1], id="a-file-less"),
        pytest.param((FILES[0], ChangedFile(path="B.py", deletions=1)), id="another-name"),
        pytest.param((FILES[0], ChangedFile(path="b.py", deletions=2)), id="more-lines"),
    ],
)
def test_what_tells_changes_apart(other: tuple[ChangedFile, ...]) -> None:
    assert of_change(replace(PULL, files=other)).isdisjoint(of_change(PULL))


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(replace(PULL, files=()), id="no-files"),
        pytest.param(replace(PULL, files_complete=False), id="files-not-known-whole"),
    ],
)
def test_a_change_without_a_likeness(pull: PullRequest) -> None:
    assert of_change(pull) == set()


@pytest.mark.parametrize(("lines", "expected"), [(999, False), (1_000, True)])
def test_only_a_very_large_change_needs_no_proof(lines: int, expected: bool) -> None:
    pull = a_pull(files=(ChangedFile(path="a.py", additions=lines),))
    assert [is_unmistakable(key, pull) for key in of_change(pull)] == [expected]


def test_the_tree_of_the_head() -> None:
    pull = a_pull(commits=(commit(OLD, tree_oid="6" * 40), commit()))
    assert tree(pull).endswith("7" * 40)
    assert tree(replace(pull, files=())) == "", "it is the base's own"
    assert tree(a_pull()) == "", "nobody said"
