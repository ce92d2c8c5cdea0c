"""What never arrived is fetched, what was missed is found: once, and behind live events."""

import threading
from datetime import timedelta
from unittest.mock import patch

import pytest

from github_app.fetching import FETCHED_AT
from github_app.gateway.errors import Unavailable
from github_app.settings import SWEEP_EVERY
from github_app.store.stats import WorkState
from github_app.store.task import TaskKind
from github_app.sweep import AGAIN, Timer
from tests.e2e.inline import Inline


def lose_everything(case: Inline) -> None:
    """From now on GitHub's webhooks reach nobody."""
    case.hub.courier.receiver = lambda _headers, _body: 503


def test_a_webhook_that_failed_is_fetched(case: Inline) -> None:
    lose_everything(case)
    number = case.open()
    case.settle()
    assert case.check(number) is None
    assert case.parts.fetcher.fetch() > 0
    case.waiting(number)
    case.parts.fetcher.fetch()  # what GitHub told of our own check run
    assert case.parts.fetcher.fetch() == 0


def test_a_review_during_an_outage_counts_afterwards(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    lose_everything(case)
    case.act("grace", "approve", number=number)
    case.settle()
    case.waiting(number)
    case.sweep()
    case.signed(number, "grace")


@pytest.mark.parametrize("late", ["edited", "dismissed"])
def test_what_comes_late_takes_no_green_down_that_knew_of_it(case: Inline, late: str) -> None:
    """Of a retarget or a dismissal that was long judged: the green does not flicker."""
    case.act("olga", "push", branch="easy", commits=[])
    number = case.open(base="easy")
    case.act("kim", "approve", number=number)
    case.settle()
    case.hub.courier.weather.lose = 1.0
    case.act("june", "edit_pull_request", number=number, base="main")
    case.act("olga", "dismiss_review", number=number, author="kim")
    case.hub.drain()
    case.hub.courier.weather.lose = 0.0
    case.clock.skip(2)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    before = len(list(case.runs()))
    sent = [one for one in case.hub.courier.log.values() if one.action == late]
    case.hub.courier.redeliver(sent[-1].id)
    case.signed(number, "grace")
    assert len(list(case.runs())) == before, "nobody saw it go and come"


def test_what_comes_late_and_was_not_seen_takes_the_green_down_first(case: Inline) -> None:
    case.act("olga", "push", branch="easy", commits=[])
    number = case.open(base="easy")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.clock.skip(2)
    case.act("june", "edit_pull_request", number=number, base="main")
    with patch.object(case.worker._judgement, "read", side_effect=Unavailable("GitHub is away")):
        case.hub.drain()
        case.worker.step()
    seen = case.check(number)
    assert seen is not None
    assert not seen.green


def test_fetching_begins_where_it_ended(case: Inline) -> None:
    case.open()
    case.settle()
    case.parts.fetcher.fetch()
    first = case.parts.store.counters.read()[(FETCHED_AT, ())]
    case.clock.skip(60)
    case.open("other")
    case.settle()
    case.hub.calls.reset()
    case.parts.fetcher.fetch()
    assert case.parts.store.counters.read()[(FETCHED_AT, ())] > first
    assert case.hub.calls.summary()["calls"] == 1


@pytest.mark.parametrize("hours", [pytest.param(2, id="ahead"), pytest.param(-2, id="behind")])
def test_what_failed_is_fetched_where_our_clock_is_wrong(case: Inline, hours: int) -> None:
    number = case.open()
    case.waiting(number)
    fetcher = case.parts.fetcher
    wrong = timedelta(hours=hours)
    with patch.object(fetcher, "_now", lambda: case.clock.moment() + wrong):
        fetcher.fetch()
        lose_everything(case)
        case.act("grace", "approve", number=number)
        case.hub.drain()
        assert fetcher.fetch() > 0
    case.signed(number, "grace")


def test_behind_a_firewall_everything_is_fetched(case: Inline) -> None:
    lose_everything(case)
    number = case.open()
    stop = threading.Event()
    runner = threading.Thread(target=case.parts.fetcher.run, args=(stop,), kwargs={"every": 0.01})
    runner.start()
    try:
        for _ in range(500):
            case.worker.step()
            if case.check(number) is not None:
                break
            stop.wait(0.01)
    finally:
        stop.set()
        runner.join()
    case.waiting(number)


def test_a_pull_request_without_a_check_is_found(case: Inline) -> None:
    with case.hub.world.quiet():
        number = case.open()
    case.settle()
    assert case.check(number) is None
    case.sweep()
    case.waiting(number)


def test_a_check_older_than_the_facts_is_found(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    case.clock.skip(60)
    with case.hub.world.quiet():
        case.act("grace", "approve", number=number)
    case.settle()
    case.waiting(number)
    case.sweep()
    case.signed(number, "grace")


def test_nothing_is_judged_again_that_has_not_changed(case: Inline) -> None:
    case.open()
    case.settle()
    case.clock.skip(60)
    case.sweep()
    case.hub.calls.reset()
    case.clock.skip(100)
    case.sweep()
    kinds = case.hub.calls.summary()["by_kind"]
    assert "graphql:PullRequestSnapshot" not in kinds, kinds


def test_sweep_of_which_a_part_failed_is_made_again(case: Inline) -> None:
    with case.hub.world.quiet():
        number = case.open()
    case.hub.faults.add("error", match="GET /installation/repositories", times=2)
    Timer(case.parts.store).run_when_due(threading.Event())
    case.clock.skip(AGAIN * 4)
    case.settle()
    case.waiting(number)


def test_failing_sweeps_become_rare(case: Inline) -> None:
    pauses = [case.sweeper.again_in(failures) for failures in range(100)]
    assert pauses[0] == AGAIN
    assert pauses == sorted(pauses)
    assert pauses[-1] == SWEEP_EVERY


def test_what_one_installation_cannot_give_holds_up_no_other(case: Inline) -> None:
    case.hub.app.public = True
    case.people("install_app", actor="june", app=case.hub.app.slug, account="june")
    case.people("create_repository", actor="june", name="own", owner="june")
    case.settle()
    case.hub.faults.add("error", match="GET /installation/repositories", times=1)
    swept = case.sweeper.sweep()
    assert len(swept.problems) == 1
    assert swept.repositories == 1, "june's own"


def test_two_timers_ask_for_one_sweep(case: Inline) -> None:
    stop = threading.Event()
    first, second = Timer(case.parts.store, every=300), Timer(case.parts.store, every=300)
    first.run_when_due(stop)
    second.run_when_due(stop)
    work = case.parts.store.queue.listing()
    assert [one.key.kind for one in work] == [TaskKind.SWEEP]
    case.settle()
    assert case.parts.store.counters.read()[("sweeps", (("result", "done"),))] == 1


def test_bulk_work_leaves_the_rest_of_the_limit_to_events(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    with case.hub.world.quiet():
        case.act("grace", "approve", number=number)
    keys = [key for key in case.hub.door.limits if "installation" in key]
    assert keys
    case.hub.door.set_limit(keys, 5000, 4500)
    live = case.open("other")
    case.hub.drain()
    while case.worker.step():
        pass
    assert case.check(live) is not None
    case.sweeper.sweep()
    while case.worker.step():
        pass
    left = case.parts.store.queue.listing()
    assert TaskKind.REPOSITORY in {work.key.kind for work in left}
    assert {work.state for work in left} == {WorkState.HELD}
    seen = case.check(number)
    assert seen is not None
    assert not seen.green
