"""Whatever was wrong for however long: once it is over all comes right by itself, with no event."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from github_app.judgement import Judgement
from tests.e2e.inline import ROSTERS, Inline, inline

HOUR = 3600
STEP = 300


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Inline]:
    """Its clock stands still but for what a test skips: on a slow machine no back-off ends."""
    with inline(tmp_path, frozen=True) as found:
        yield found


def work(case: Inline) -> None:
    """Do what may be done now, and wait for nothing."""
    assert case.hub.drain()
    while case.worker.step():
        pass


def comes(case: Inline, done: Callable[[], object], *, seconds: float) -> None:
    """Within so much of the test's own time, in which nothing happens but our work."""
    for _ in range(int(seconds)):
        work(case)
        if done():
            return
        case.clock.skip(1)
    raise AssertionError("it does not come right by itself")


def is_waiting(case: Inline, number: int) -> Callable[[], bool]:
    def now() -> bool:
        seen = case.check(number)
        return seen is not None and seen.conclusion == "action_required"

    return now


@pytest.fixture
def any_age(case: Inline, monkeypatch: pytest.MonkeyPatch) -> Inline:
    """An hour of the test's clock does not age the JWTs, which real time dates."""
    monkeypatch.setattr(case.hub.door, "_check_times", lambda _claims: None)
    return case


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "error", "status": 503}, id="503"),
        pytest.param({"kind": "reset"}, id="no-connection"),
        pytest.param({"kind": "unauthorized"}, id="401"),
        pytest.param({"kind": "malformed"}, id="no-json"),
        pytest.param({"kind": "half"}, id="half-an-answer"),
    ],
)
def test_github_is_down_for_an_hour(any_age: Inline, fault: dict[str, Any]) -> None:
    any_age.hub.faults.add(**fault)
    number = any_age.open()
    for _ in range(HOUR // STEP):
        work(any_age)
        any_age.clock.skip(STEP)
    assert any_age.check(number) is None
    assert any_age.parts.store.queue.stats().parked == 0, "it is GitHub that is down, not the work"
    any_age.hub.faults.clear()
    comes(any_age, is_waiting(any_age, number), seconds=15)


def test_token_that_is_revoked(case: Inline) -> None:
    first, second = case.open("first"), case.open("second")
    case.waiting(first)
    case.hub.door.revoke_all()
    case.hub.calls.reset()
    case.act("grace", "approve", number=second)
    case.signed(second, "grace")
    calls = case.hub.calls.summary()["by_kind"]
    assert calls["POST /app/installations/{number}/access_tokens"]["calls"] == 1
    assert calls["graphql:PullRequestSnapshot"]["calls"] == 2, "one of them was refused"


def test_clock_of_this_machine_is_hours_behind(case: Inline) -> None:
    """By GitHub's clock our JWTs ended long ago: they are dated by what its answer says."""
    case.hub.world.skip(2 * HOUR)
    number = case.open()
    work(case)
    assert is_waiting(case, number)()


def test_limit_is_used_up_until_its_reset(case: Inline) -> None:
    case.waiting(case.open("before"))
    fault = case.hub.faults.add("primary", match="graphql:*", times=1, seconds=2)
    number = case.open()
    work(case)
    assert fault.hits == 1
    case.hub.calls.reset()
    work(case)
    assert case.hub.calls.summary()["calls"] == 0, "nothing is asked before the reset"
    deadline = time.monotonic() + 30
    while not is_waiting(case, number)():
        assert time.monotonic() < deadline
        time.sleep(0.1)
        case.clock.skip(0.1)
        work(case)


def test_retry_after_is_obeyed_by_all_processes(case: Inline) -> None:
    case.waiting(case.open("before"))
    case.hub.faults.add("secondary", times=1, seconds=100)
    number = case.open()
    work(case)
    other = case.parts.store.queue.claim("another process")
    assert other is None, "its installation is blocked in the database"
    assert case.parts.store.queue.stats().blocked_installations == 1
    assert case.check(number) is None


def test_what_github_fails_for_alone_goes_no_faster_and_comes_right(any_age: Inline) -> None:
    """The check of one pull request cannot be written, those of others can; no event comes."""
    case, queue = any_age, any_age.parts.store.queue
    case.hub.faults.add("error", status=502, match=f"POST /repos/{ROSTERS}/check-runs")
    number = case.open(actor="olga", repo=ROSTERS)
    work(case)
    case.clock.skip(1)
    case.open()
    comes(case, lambda: queue.stats().parked == 1, seconds=60)
    (row,) = queue.listing()
    assert (row.full_name, row.attempts) == (ROSTERS, queue.limits.stuck)
    assert "502" in (row.error or "")
    case.hub.calls.reset()
    comes(case, lambda: queue.listing()[0].attempts > row.attempts, seconds=queue.limits.slow + 1)
    assert queue.stats().parked == 1, "one attempt"
    case.hub.faults.clear()
    case.clock.skip(queue.limits.slow)
    work(case)
    case.waiting(number, repo=ROSTERS)


def test_commit_pushed_while_github_fails_is_told_of_it(case: Inline) -> None:
    case.hub.faults.add("error", status=502, match="graphql:PullRequestSnapshot")
    number = case.open()
    failing = case.parts.store.queue.listing
    comes(case, lambda: bool(failing()) and failing()[0].attempts == 5, seconds=60)
    case.act("june", "push", branch="fix", commits=[{"message": "Go on"}])
    assert case.check(number) is None
    work(case)
    seen = case.check(number)
    assert seen is not None
    assert seen.conclusion == "failure"
    assert "CS" in seen.summary


def test_poisonous_work_is_parked_and_tried_again(
    case: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops nobody else; what was wrong is mended by an upgrade, say; no event comes."""
    real = Judgement.judge

    def poisoned(judgement: Judgement, installation: Any, snapshot: Any) -> Any:
        if snapshot.pull.head_ref == "poison":
            raise ZeroDivisionError
        return real(judgement, installation, snapshot)

    monkeypatch.setattr(Judgement, "judge", poisoned)
    poison, other = case.open("poison"), case.open("other")
    comes(case, lambda: case.parts.store.queue.stats().parked == 1, seconds=30)
    assert is_waiting(case, other)()
    seen = case.check(poison)
    assert seen is not None
    assert seen.conclusion == "failure"
    monkeypatch.undo()
    case.clock.skip(case.parts.store.queue.limits.parked)
    monkeypatch.setattr(case.hub.door, "_check_times", lambda _claims: None)
    comes(case, is_waiting(case, poison), seconds=15)
