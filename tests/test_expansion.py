"""Which open pull requests a sweep asks to be judged again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import text

from github_app.expansion import MARGIN, MISSED, SURE, Expansion, seen
from github_app.gateway import repository
from github_app.gateway.client import Installation
from github_app.gateway.repository import OpenPullRequest, RosterIds
from github_app.judge.facts import CheckRun, PullRequest
from github_app.rosters import RosterDesk
from github_app.store.claim import Seen
from github_app.store.database import Store, open_store
from github_app.store.grounds import NO_HEAD, Ground
from github_app.store.task import BULK, ORDINARY, Task, TaskKind

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DONE = CheckRun(id=1, status="COMPLETED", conclusion="SUCCESS", external_id="", title="")
GREEN, WAITING = DONE, replace(DONE, conclusion="ACTION_REQUIRED")
HEAD = "a" * 40
GROUND = "what is in force"
RUNNING = CheckRun(id=1, status="IN_PROGRESS", conclusion=None, external_id="", title="")


@pytest.fixture
def clock() -> list[float]:
    """The moment at which the pull request is asked for: a list of one, to be set."""
    return [NOON.timestamp()]


@pytest.fixture
def store(tmp_path: Path, clock: list[float]) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/test.db", clock=lambda: clock[0]) as opened:
        yield opened


def a_task(kind: TaskKind, subject: str) -> Task:
    return Task(
        kind=kind, installation_id=1, repository_id=77, subject=subject, full_name="acme/shop"
    )


def asked(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    check: CheckRun | None,
    *,
    head_shown: bool = True,
    ground: str = GROUND,
) -> list[Task]:
    """What is asked for, where #7 was last changed at noon and is the only one. ``ground`` is what
    it would be judged by now."""
    seven = OpenPullRequest(
        number=7,
        updated_at=NOON,
        head_oid=HEAD,
        base_ref="main",
        check=check,
        head_shown=head_shown,
        rosters=RosterIds(organisation="acme/.github:reviewers.yaml@1", repository=""),
    )
    monkeypatch.setattr(repository, "open_pull_requests", lambda *_, **__: iter([seven]))
    desk = Mock(spec=RosterDesk)
    desk.ground.return_value = ground
    widening = Expansion(
        queue=store.queue,
        grounds=store.grounds,
        memory=store.memory,
        rosters=desk,
        app_id=4000,
        check_name="senior-signoff",
    )
    installation = Mock(spec=Installation, id=1)
    return list(widening.expand(installation, a_task(TaskKind.REPOSITORY, MISSED)))


def found(store: Store, monkeypatch: pytest.MonkeyPatch, check: CheckRun | None) -> list[str]:
    """The numbers that are asked for, where #7 was judged by what is in force now."""
    judged(store)
    return [task.subject for task in asked(store, monkeypatch, check)]


def judged(
    store: Store, *, number: int = 7, head: str = HEAD, again_at: float | None = None
) -> None:
    kept = Ground(repository_id=77, number=number, head_oid=head, digest=GROUND, again_at=again_at)
    store.grounds.keep([kept])


def judge_seven(store: Store, saw: Seen | None) -> None:
    store.queue.add([a_task(TaskKind.PULL_REQUEST, "7")])
    claim = store.queue.claim("worker-1")
    assert claim is not None
    assert store.queue.settle(claim if saw is None else claim.having_seen({"7": saw}))


@pytest.mark.parametrize(
    ("saw", "expected"),
    [
        pytest.param(None, ["7"], id="settled-unjudged"),
        pytest.param(Seen(updated_at=NOON - SECOND, surely=True), ["7"], id="saw-an-older-state"),
        pytest.param(Seen(updated_at=NOON, surely=False), ["7"], id="saw-it-within-the-second"),
        pytest.param(Seen(updated_at=NOON, surely=True), [], id="saw-it-well-afterwards"),
        pytest.param(Seen(updated_at=NOON + SECOND, surely=False), [], id="list-is-the-older"),
    ],
)
def test_asks_again_unless_the_judgement_saw_what_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch, saw: Seen | None, expected: list[str]
) -> None:
    judge_seven(store, saw)
    assert found(store, monkeypatch, DONE) == expected


@pytest.mark.parametrize(
    ("seconds", "surely"),
    [
        pytest.param(0.4, False, id="within-the-same-second"),
        pytest.param(SURE - 0.1, False, id="clocks-may-differ-that-much"),
        pytest.param(SURE, True, id="well-after"),
        pytest.param(-5.0, False, id="our-clock-is-behind"),
    ],
)
def test_a_snapshot_is_sure_of_a_second_that_is_over(seconds: float, surely: bool) -> None:
    pull = Mock(spec=PullRequest, updated_at=NOON, taken_at=NOON + seconds * SECOND)
    assert seen(pull) == Seen(updated_at=NOON, surely=surely)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(-1.0, ["7"], id="asked-before-the-change"),
        pytest.param(0.5, ["7"], id="asked-within-the-same-second"),
        pytest.param(MARGIN - 0.5, ["7"], id="clocks-may-differ-that-much"),
        pytest.param(MARGIN + 0.5, [], id="asked-well-after-the-change"),
    ],
)
def test_a_version_that_did_not_note_what_it_saw_is_compared_by_time(
    store: Store,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    expected: list[str],
) -> None:
    clock[0] = NOON.timestamp() + seconds
    judge_seven(store, None)
    with store._database.write() as connection:
        connection.execute(text("UPDATE tasks SET seen = ''"))
    assert found(store, monkeypatch, DONE) == expected


@pytest.mark.parametrize(
    "check", [pytest.param(None, id="no-check"), pytest.param(RUNNING, id="not-completed")]
)
def test_asks_where_there_is_no_finished_check(
    store: Store, clock: list[float], monkeypatch: pytest.MonkeyPatch, check: CheckRun | None
) -> None:
    clock[0] = NOON.timestamp() + 3600
    store.queue.add([a_task(TaskKind.PULL_REQUEST, "7")])
    assert found(store, monkeypatch, check) == ["7"]


def test_asks_for_what_was_never_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(store, monkeypatch, DONE) == ["7"]


# --- what it rests on -----------------------------------------------------------------------------


@pytest.fixture
def settled(store: Store, clock: list[float]) -> Store:
    """An hour after noon, and #7 was judged well after its last change."""
    clock[0] = NOON.timestamp() + 3600
    judge_seven(store, Seen(updated_at=NOON, surely=True))
    return store


def test_asks_for_nothing_where_all_is_as_it_was(
    settled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(settled)
    assert asked(settled, monkeypatch, GREEN) == []


def test_asks_where_it_rests_on_something_else_now(
    settled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(settled)
    (task,) = asked(settled, monkeypatch, GREEN, ground="another roster")
    assert (task.subject, task.priority) == ("7", BULK)


def test_asks_where_nobody_knows_what_it_rests_on(
    settled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [task.subject for task in asked(settled, monkeypatch, GREEN)] == ["7"]


def test_asks_where_another_head_was_judged(
    settled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(settled, head="b" * 40)
    assert [task.subject for task in asked(settled, monkeypatch, GREEN)] == ["7"]


def test_does_not_wake_what_is_to_do_already(
    settled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(settled)
    settled.queue.add([a_task(TaskKind.PULL_REQUEST, "7")])
    assert asked(settled, monkeypatch, GREEN, ground="another roster") == []


@pytest.mark.parametrize(
    ("again_in", "expected"),
    [
        pytest.param(None, [], id="time-changes-nothing"),
        pytest.param(1.0, [], id="not-yet"),
        pytest.param(-1.0, ["7"], id="the-moment-has-passed"),
    ],
)
def test_asks_when_time_has_changed_it(
    settled: Store,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    again_in: float | None,
    expected: list[str],
) -> None:
    judged(settled, again_at=None if again_in is None else clock[0] + again_in)
    assert [task.subject for task in asked(settled, monkeypatch, WAITING)] == expected


@pytest.mark.parametrize(
    ("head", "head_shown", "expected"),
    [
        pytest.param(NO_HEAD, False, [], id="judged-without-commits"),
        pytest.param(HEAD, False, ["7"], id="its-commits-are-gone"),
        pytest.param(NO_HEAD, True, ["7"], id="its-commits-are-there-now"),
    ],
)
def test_a_pull_request_without_commits_is_judged_once(
    settled: Store,
    monkeypatch: pytest.MonkeyPatch,
    head: str,
    head_shown: bool,
    expected: list[str],
) -> None:
    judged(settled, head=head)
    check = GREEN if head_shown else None
    found = asked(settled, monkeypatch, check, head_shown=head_shown)
    assert [task.subject for task in found] == expected


def test_closed_ones_are_forgotten(settled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(settled)
    judged(settled, number=8)
    asked(settled, monkeypatch, GREEN)
    assert set(settled.grounds.of(77)) == {7}


@pytest.mark.parametrize(
    ("check", "priority"),
    [pytest.param(GREEN, ORDINARY, id="green"), pytest.param(WAITING, BULK, id="waiting")],
)
def test_a_green_that_is_older_than_the_facts_goes_first(
    store: Store, monkeypatch: pytest.MonkeyPatch, check: CheckRun, priority: int
) -> None:
    (task,) = asked(store, monkeypatch, check)
    assert task.priority == priority
