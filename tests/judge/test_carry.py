"""Which approvals of an older head the judge lets carry over, and when it asks for the proof."""

from dataclasses import replace
from typing import Any

import pytest

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.carry import is_replayed, only_base_merged
from github_app.judge.facts import Commit, EventKind, PullRequest
from github_app.judge.memory import NOTHING_SEEN, Memory, Remembered
from github_app.judge.outcome import Outcome, Verdict
from github_app.judge.reasons import Code
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from github_app.judge.verdict import judge, remember
from github_app.judge.wants import Want
from tests.judge.build import (
    CLAUDE,
    HEAD,
    OLD,
    a_pull,
    ai_commit,
    approval,
    at,
    changes,
    comment,
    commit,
    dismissed,
    event,
    stranger,
    user,
    with_commits,
)
from tests.judge.usual_roster import a_roster

ROSTER = a_roster()
CATALOGUE = shipped_catalogue()

BEFORE = a_pull(head_oid=OLD, commits=(ai_commit(OLD),), taken_at=at(1), updated_at=at(1))
SEEN = remember(BEFORE, ROSTER.detection, NOTHING_SEEN, CATALOGUE)
APPROVED = a_pull(approval("grace", OLD))


def judged(
    pull: PullRequest = APPROVED, memory: Memory = SEEN, carried: tuple[str, ...] = (OLD,)
) -> Verdict:
    return judge(pull, ROSTER, memory, CATALOGUE, carried=frozenset(carried))


def of(*reviews: Any, **more: Any) -> PullRequest:
    return a_pull(*reviews, **more)


def test_an_approval_carries_over_and_the_verdict_says_so() -> None:
    found = judged()
    assert found.outcome is Outcome.SIGNED_OFF
    assert Code.CARRIED_OVER in {reason.code for reason in found.reasons}
    assert found.wants == frozenset()


def test_it_is_asked_for_where_nothing_else_is_in_the_way() -> None:
    found = judged(carried=())
    assert found.outcome is Outcome.WAITING
    assert found.wants == {Want.CARRY}
    assert found.carriable == (OLD,)


BASE_CHANGED = event(EventKind.BASE_CHANGED, "june", minutes=20)
OTHER = CLAUDE.replace("Opus", "Sonnet")
BARRED = [
    pytest.param(APPROVED, NOTHING_SEEN, id="evidence-never-seen-before"),
    pytest.param(
        APPROVED,
        replace(SEEN, evidence=tuple(replace(one, first_seen=at(20)) for one in SEEN.evidence)),
        id="evidence-first-seen-after-the-approval",
    ),
    pytest.param(
        replace(APPROVED, commits=(ai_commit(), commit("c" * 40, message=f"x\n\n{OTHER}"))),
        SEEN,
        id="another-mark-in-a-commit",
    ),
    pytest.param(replace(APPROVED, timeline=(BASE_CHANGED,)), SEEN, id="retargeted-since"),
    pytest.param(
        replace(
            APPROVED, timeline=(event(EventKind.BASE_FORCE_PUSHED, "olga", minutes=20),)
        ),
        SEEN,
        id="base-rewritten-since",
    ),
    pytest.param(
        of(replace(approval("grace", OLD), submitted_at=None)), SEEN, id="time-not-known"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("pull", "memory"), BARRED)
def test_what_bars_it_even_if_the_change_is_the_same(pull: PullRequest, memory: Memory) -> None:
    found = judged(pull, memory)
    assert found.outcome is Outcome.WAITING
    assert Want.CARRY not in found.wants
    (ignored,) = found.ignored
    assert [reason.code for reason in ignored.reasons] == [Code.OLDER_HEAD]


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(of(approval("kim", OLD)), id="below-the-level"),
        pytest.param(of(approval("june", OLD)), id="contributor"),
        pytest.param(of(approval("grace", OLD, can_push=False)), id="cannot-push"),
        pytest.param(of(approval(user("grace", 666), OLD)), id="another-account"),
        pytest.param(of(approval("grace", None)), id="commit-lost"),
        pytest.param(of(dismissed("grace")), id="dismissed"),
        pytest.param(of(comment("grace")), id="comment"),
        pytest.param(of(approval("grace", OLD), changes("grace", OLD)), id="took-it-back"),
    ],
)
def test_who_could_not_sign_does_not_carry_over(pull: PullRequest) -> None:
    found = judged(pull)
    assert not found.outcome.green
    assert Want.CARRY not in found.wants


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(of(approval("grace", OLD), approval("ada")), id="signed-anyway"),
        pytest.param(of(approval("grace", HEAD)), id="of-the-head"),
    ],
)
def test_it_is_not_asked_for_where_it_does_not_matter(pull: PullRequest) -> None:
    found = judged(pull, carried=())
    assert found.outcome is Outcome.SIGNED_OFF
    assert Want.CARRY not in found.wants


def test_another_older_head_is_not_the_one_that_was_proven() -> None:
    assert judged(carried=("c" * 40,)).outcome is Outcome.WAITING


def test_marks_outside_of_commits_do_not_bar_it() -> None:
    """A label or the body is not of the patch, and the approver's sign-off does not rest on it."""
    found = judged(replace(APPROVED, body="Generated with Claude Code", labels=("ai-assisted",)))
    assert found.outcome is Outcome.SIGNED_OFF


def test_the_newest_approvals_are_looked_at_first() -> None:
    older = [approval("grace", "1" * 40), approval("ada", "2" * 40)]
    assert judged(a_pull(*older), carried=()).carriable == ("2" * 40, "1" * 40)
    both = [approval("grace", OLD), approval("ada", OLD)]
    assert judged(a_pull(*both), carried=()).carriable == (OLD,)


def test_a_mark_of_the_same_kind_and_text_is_no_news() -> None:
    """A rebase gives every commit another id; what is in it was known."""
    twice = (ai_commit("c" * 40), ai_commit())
    assert judged(replace(APPROVED, commits=twice)).outcome is Outcome.SIGNED_OFF


def test_a_body_that_said_it_first_does_not_make_a_commits_mark_known() -> None:
    mark = Signal(
        tool=SEEN.evidence[0].signal.tool,
        kind=SignalKind.CO_AUTHOR,
        confidence=Confidence.CERTAIN,
        place=Place.BODY,
        evidence=CLAUDE,
    )
    memory = Memory(evidence=(Remembered(signal=mark, first_seen=at(1), origin=12),))
    assert judged(memory=memory).outcome is Outcome.WAITING


# --- what came after the approved commit ----------------------------------------------------------

FIRST, SECOND, THIRD = "1" * 40, "2" * 40, "3" * 40
TIP, LATER_TIP = "e" * 40, "f" * 40  # of the base: not among the pull request's commits


def a(oid: str, *parents: str) -> Commit:
    return commit(oid, parents=parents)


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        pytest.param([a(FIRST, TIP), a(HEAD, FIRST, LATER_TIP)], True, id="a-merge-of-the-base"),
        pytest.param([a(FIRST, TIP), a(HEAD, TIP, FIRST)], True, id="into-the-base"),
        pytest.param(
            [a(FIRST, TIP), a(SECOND, FIRST, TIP), a(HEAD, SECOND, LATER_TIP)],
            True,
            id="two-merges-of-the-base",
        ),
        pytest.param([a(FIRST, TIP), a(HEAD, FIRST, TIP, LATER_TIP)], True, id="octopus"),
        pytest.param([a(FIRST, TIP), a(HEAD, FIRST)], False, id="an-empty-commit"),
        pytest.param(
            [a(FIRST, TIP), a(SECOND, FIRST), a(HEAD, SECOND, TIP)], False, id="one-below-a-merge"
        ),
        pytest.param(
            [a(FIRST, TIP), a(SECOND, TIP), a(HEAD, FIRST, SECOND)], False, id="another-branch"
        ),
        pytest.param([a(SECOND, TIP), a(HEAD, SECOND, TIP)], False, id="approved-commit-is-gone"),
        pytest.param([a(FIRST, HEAD), a(HEAD, HEAD, TIP)], False, id="a-circle"),
        pytest.param([a(FIRST, TIP), a(HEAD, TIP, LATER_TIP)], False, id="not-on-top-of-it"),
    ],
)
def test_only_base_merged(commits: list[Commit], expected: bool) -> None:
    assert only_base_merged(with_commits(a_pull(), commits), FIRST) is expected


def test_a_rebase_changes_ids_and_drops_merges() -> None:
    then = [commit(FIRST), commit(SECOND, message="More"), a(THIRD, SECOND, TIP)]
    now = [commit("7" * 40), commit("8" * 40, message="More")]
    assert is_replayed(now, then)
    assert is_replayed(reversed(now), then)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param([commit(message="Add a coupon")], id="message"),
        pytest.param([commit(message="Add a coupon field\n")], id="end-of-message"),
        pytest.param([commit(by="kim")], id="author"),
        pytest.param([commit(by=stranger("June", "june@example.org"))], id="e-mail"),
        pytest.param([commit(), commit()], id="one-more"),
        pytest.param([], id="none"),
    ],
)
def test_what_is_no_rebase(now: list[Commit]) -> None:
    assert not is_replayed(now, [commit()])
