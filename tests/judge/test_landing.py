"""What reached a branch, compared with what was judged; merges are made by the real git."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.facts import Commit, EventKind, PullRequest, ReviewState
from github_app.judge.landing import (
    Likeness,
    MergedPull,
    Said,
    as_merged,
    bases,
    likeness,
    merged_at,
    outside,
    was_green,
)
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome
from github_app.judge.verdict import judge
from tests.judge.build import (
    a_pull,
    approval,
    at,
    commit,
    dismissal,
    dismissed,
    event,
    labeled,
    with_commits,
)
from tests.judge.test_patch import CONTENT, EDITS, Edit, Files, Git, edited, needs_git, with_git
from tests.judge.usual_roster import a_roster

MERGED = event(EventKind.MERGED, "olga", minutes=30)


# --- the facts of then ---------------------------------------------------------------------------


def test_what_came_after_the_merge_is_left_out() -> None:
    early, late = labeled("x", "june", minutes=20), labeled("y", "june", minutes=40)
    pull = a_pull(approval("grace"), timeline=(early, MERGED, late))
    assert merged_at(pull) == at(30)
    signed_at = pull.reviews[0].submitted_at
    assert signed_at is not None
    assert as_merged(pull).timeline == (early, MERGED)
    assert as_merged(pull).reviews == (pull.reviews if signed_at <= at(30) else ())


def test_without_the_event_nothing_is_left_out() -> None:
    pull = a_pull(approval("grace"))
    assert as_merged(pull) == pull


@pytest.mark.parametrize(
    ("was", "minutes", "then"),
    [
        pytest.param("CHANGES_REQUESTED", 40, "CHANGES_REQUESTED", id="an-objection-after"),
        pytest.param("CHANGES_REQUESTED", 20, "DISMISSED", id="an-objection-before"),
        pytest.param("APPROVED", 40, "APPROVED", id="an-approval-after"),
        pytest.param("APPROVED", 20, "DISMISSED", id="an-approval-before"),
        pytest.param(None, 40, "DISMISSED", id="nobody-knows-what"),
    ],
)
def test_a_review_that_was_dismissed_only_after_the_merge_stood_then(
    was: str | None, minutes: int, then: str
) -> None:
    """Else whoever merges past an objection would dismiss it and nobody would hear of it."""
    before, gone = dismissed("grace"), dismissed("grace")
    state = ReviewState(was) if was else None
    events = [
        MERGED,
        dismissal(before, "olga", minutes=10),
        dismissal(gone, "olga", state, minutes=minutes),
    ]
    timeline = tuple(sorted(events, key=lambda one: one.at))
    pull = a_pull(approval("kim"), before, gone, timeline=timeline)
    assert [one.state for one in as_merged(pull).reviews] == ["APPROVED", "DISMISSED", then]


def test_an_objection_that_was_dismissed_only_after_the_merge_blocked_it() -> None:
    gone = dismissed("grace")
    timeline = MERGED, dismissal(gone, "alan", minutes=40)
    pull = a_pull(approval("ada"), gone, timeline=timeline, can_push={1912: True})
    assert judged(as_merged(pull)) is Outcome.OBJECTED
    before = replace(pull, timeline=(replace(timeline[1], at=at(20)), MERGED))
    assert judged(as_merged(before)) is Outcome.SIGNED_OFF


def judged(pull: PullRequest) -> Outcome:
    return judge(pull, a_roster(), Memory(), shipped_catalogue()).outcome


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], None, id="nothing-said"),
        pytest.param([(-60, True)], True, id="green"),
        pytest.param([(-60, False)], False, id="red"),
        pytest.param([(-120, True), (-60, False)], False, id="withdrawn-before"),
        pytest.param([(-60, True), (60, False)], True, id="withdrawn-after"),
        pytest.param([(-60, False), (60, True)], False, id="green-after"),
        pytest.param([(60, True)], None, id="said-after-only"),
        pytest.param([(-60, False), (3, True)], True, id="green-by-a-clock-that-is-ahead"),
        pytest.param([(-60, True), (-3, False)], True, id="withdrawn-at-the-same-moment"),
    ],
)
def test_what_the_check_said_at_the_merge(
    said: list[tuple[int, bool]], expected: bool | None
) -> None:
    rows = [Said(at=at(30) + seconds * SECOND, green=green) for seconds, green in said]
    assert was_green(rows, at(30)) is expected


# --- where the branch was ------------------------------------------------------------------------


def landed(*oids: str, parents: tuple[str, ...] | None = None, message: str = "x") -> Commit:
    return commit(oids[0], message=message, parents=parents or oids[1:2])


ONE, TWO = (
    commit("1" * 40, message="one", parents=("0",)),
    commit("2" * 40, message="two", parents=("1" * 40,)),
)


def test_a_squash_stands_on_the_branch() -> None:
    pull = with_commits(a_pull(), [ONE])
    assert bases(pull, (landed("m", "p"),)) == ("p",)


def test_a_merge_commit_stands_on_its_first_parent() -> None:
    pull = with_commits(a_pull(), [ONE, TWO])
    assert bases(pull, (landed("m", parents=("p", TWO.oid)),)) == ("p",)


def test_a_rebase_stands_as_far_below_as_it_has_commits() -> None:
    pull = with_commits(a_pull(), [ONE, TWO])
    made = (landed("m", "n", message="two"), landed("n", "p", message="one"), landed("p", "q"))
    assert bases(pull, made) == ("p", "n")


def test_a_rebase_leaves_out_what_the_branch_has_already() -> None:
    pull = with_commits(a_pull(), [ONE, TWO])
    made = (landed("m", "n", message="two"), landed("n", "p"), landed("p", "q"))
    assert bases(pull, made) == ("n",)


def test_a_squash_of_several_is_not_taken_for_a_rebase() -> None:
    pull = with_commits(a_pull(), [ONE, TWO])
    made = (landed("m", "n", message="one and two (#12)"), landed("n", "p"), landed("p", "q"))
    assert bases(pull, made) == ("n",)


def test_a_rebase_of_more_than_is_listed_stands_nobody_knows_where() -> None:
    pull = with_commits(a_pull(), [ONE, TWO])
    made = (landed("m", "n", message="two"), landed("n", "p", message="one"))
    assert bases(pull, made) == ()


def test_the_first_commit_of_a_repository_stands_on_nothing() -> None:
    assert bases(a_pull(), (commit("m", parents=()),)) == ()


# --- the content ---------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    made = Git(tmp_path / "bare.git")
    subprocess.run(["git", "init", "-q", "--bare", str(made.where)], check=True)
    return made


def files(*lines: str) -> Files:
    return {"a": ("100644", "".join(f"{line}\n" for line in lines))}


def compared(git: Git, base: str, head: str, branch: str, merge: str) -> Likeness:
    def meanwhile() -> str:
        return git.diff(head, branch)

    found, paths = likeness(git.diff(branch, head), git.diff(branch, merge), meanwhile)
    assert bool(paths) is (found is Likeness.DIFFERENT)
    assert base
    return found


LINES = [f"line {number}" for number in range(30)]
OURS = [*LINES[:20], "ours", *LINES[21:]]
THEIRS = [*LINES[:17], "theirs", *LINES[18:]]
BOTH = [*THEIRS[:20], "ours", *LINES[21:]]


@needs_git
@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        pytest.param(BOTH, Likeness.SAME, id="clean"),
        pytest.param([*BOTH, "more"], Likeness.DIFFERENT, id="a-line-more"),
        pytest.param(THEIRS, Likeness.DIFFERENT, id="nothing-of-it"),
        pytest.param([*BOTH[:5], *BOTH[6:]], Likeness.DIFFERENT, id="a-line-less"),
        pytest.param(OURS, Likeness.DIFFERENT, id="undoes-the-branch"),
    ],
)
def test_the_branch_changed_the_same_file(
    repository: Git, merge: list[str], expected: Likeness
) -> None:
    base, head, branch, landed_as = repository.commits(
        (files(*LINES), []), (files(*OURS), [0]), (files(*THEIRS), [0]), (files(*merge), [2])
    )
    assert compared(repository, base, head, branch, landed_as) is expected


@needs_git
def test_what_the_branch_did_already_need_not_come_again(repository: Git) -> None:
    both = [*OURS[:3], "too", *OURS[4:]]
    base, head, branch, merge = repository.commits(
        (files(*LINES), []), (files(*both), [0]), (files(*OURS), [0]), (files(*both), [2])
    )
    assert compared(repository, base, head, branch, merge) is Likeness.SAME


@needs_git
def test_the_branch_moved_the_file(repository: Git) -> None:
    def moved(*lines: str) -> Files:
        return {"b": files(*lines)["a"]}

    base, head, branch, merge, other = repository.commits(
        (files(*LINES), []),
        (files(*OURS), [0]),
        (moved(*LINES), [0]),
        (moved(*OURS), [2]),
        (moved(*OURS, "more"), [2]),
    )
    assert compared(repository, base, head, branch, merge) is Likeness.SAME
    assert compared(repository, base, head, branch, other) is Likeness.DIFFERENT


@pytest.mark.parametrize(
    "diffs",
    [
        pytest.param((None, ""), id="not-shown"),
        pytest.param(("", None), id="merge-not-shown"),
        pytest.param(("nonsense\n", ""), id="not-understood"),
        pytest.param(("diff --git a/a b/a\n", ""), id="cut"),
    ],
)
def test_what_is_not_shown_is_unknown(diffs: tuple[str | None, str | None]) -> None:
    assert likeness(*diffs, lambda: "") == (Likeness.UNKNOWN, ())


NEW = "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..257cc56\n--- /dev/null\n"
NEW += "+++ b/n\n@@ -0,0 +1 @@\n+foo\n"


def test_a_branch_that_is_not_shown_is_unknown() -> None:
    assert likeness("", NEW, lambda: None) == (Likeness.UNKNOWN, ())
    assert likeness("", NEW, lambda: "") == (Likeness.DIFFERENT, ("n",))


def _renames(edits: list[Edit]) -> bool:
    return any(edit.what == "rename" for edit in edits)


@needs_git
@with_git
@given(
    st.tuples(CONTENT, CONTENT),
    st.lists(EDITS, min_size=1, max_size=3),
    st.lists(EDITS, max_size=3),
    st.sampled_from(["a", "b/c"]),
)
def test_no_clean_merge_raises_alarm_and_no_smuggled_line_gets_by(
    repository: Git,
    contents: tuple[list[str], list[str]],
    work: list[Edit],
    base_work: list[Edit],
    where: str,
) -> None:
    # Both sides rename, and something comes back under the old name: that is told as different.
    assume(not (_renames(work) and _renames(base_work)))
    texts = ["".join(f"{line}\n" for line in lines) for lines in contents]
    start: Files = {"a": ("100644", texts[0]), "b/c": ("100644", texts[1])}
    base, head, branch = repository.commits(
        (start, []), (edited(start, work), [0]), (edited(start, base_work), [0])
    )
    tree = repository.merged_tree(branch, head)
    if tree is None:
        return  # a conflict: GitHub does not merge it
    honest = repository.files(tree)
    mode, content = honest.get(where, ("100644", ""))
    smuggled = honest | {where: (mode, content + "steal()\n")}
    *_, merge, evil = repository.commits(
        (start, []),
        (edited(start, work), [0]),
        (edited(start, base_work), [0]),
        (honest, [2]),
        (smuggled, [2]),
    )
    assert compared(repository, base, head, branch, merge) is not Likeness.DIFFERENT
    assert compared(repository, base, head, branch, evil) is not Likeness.SAME


# --- what came past every pull request -----------------------------------------------------------


def test_outside_of_every_pull_request() -> None:
    squash, direct = commit("s", parents=("p",)), commit("d", parents=("s",))
    pulls = {"s": (MergedPull(number=1, base_ref="main", merge_oid="s"),)}
    assert outside([squash, direct], pulls, "main") == (direct,)


def test_a_merge_commit_speaks_for_what_it_merged() -> None:
    """GitHub may tie a commit of a stack to the pull request below only."""
    inner, outer = commit("i", parents=("p",)), commit("o", parents=("i",))
    merge = commit("m", parents=("p", "o"))
    below = MergedPull(number=1, base_ref="stack", merge_oid="i")
    top = MergedPull(number=2, base_ref="main", merge_oid="m")
    assert outside([inner, outer, merge], {"i": (below,), "m": (top,)}, "main") == ()


def test_a_merge_commit_does_not_speak_for_what_it_stands_on() -> None:
    direct, work = commit("d", parents=("p",)), commit("w", parents=("p",))
    merge = commit("m", parents=("d", "w"))
    pulls = {"m": (MergedPull(number=2, base_ref="main", merge_oid="m"),)}
    assert outside([direct, work, merge], pulls, "main") == (direct,)


def test_a_pull_request_into_another_branch_is_none_into_this() -> None:
    work = commit("w", parents=("p",))
    pulls = {"w": (MergedPull(number=2, base_ref="develop", merge_oid="w"),)}
    assert outside([work], pulls, "main") == (work,)
