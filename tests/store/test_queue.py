"""The queue's rules, each on both databases: who gets what, when, and who may still say so."""

import pytest
from sqlalchemy import text

from github_app.store.claim import Blame, Limits
from github_app.store.database import Store
from github_app.store.stats import WorkState
from github_app.store.task import TaskKind
from tests.store.build import Clock, a_task, claimed, put, subjects
from tests.store.conftest import OpenStore

LEASE = Limits().lease


# --- level-triggered: what is asked for and what is judged -----------------------------------


def test_many_events_are_one_piece_of_work(store: Store) -> None:
    for number in range(50):
        put(store, f"guid-{number}")
    claim = claimed(store)
    assert (claim.generation, len(claim.deliveries)) == (50, 50)
    assert store.queue.claim("worker-2") is None
    assert store.queue.settle(claim)
    assert store.queue.claim("worker-1") is None


def test_event_during_the_work_asks_for_one_more_judgement(store: Store) -> None:
    put(store, "before")
    first = claimed(store)
    put(store, "during-1")
    put(store, "during-2")
    assert store.queue.settle(first)
    second = claimed(store)
    assert (second.generation, set(second.deliveries)) == (3, {"during-1", "during-2"})
    assert store.queue.settle(second)
    assert store.queue.claim("worker-1") is None


def test_settled_work_is_asked_for_again_by_the_next_event(store: Store) -> None:
    put(store, "first")
    assert store.queue.settle(claimed(store))
    put(store, "second")
    assert claimed(store).deliveries == ("second",)


def test_claim_without_work_is_none(store: Store) -> None:
    assert store.queue.claim("worker-1") is None


def test_claim_tells_all_that_is_known(store: Store) -> None:
    put(store, "guid-1", a_task(7, priority=0, hint={"head_sha": "abc", "draft": False}))
    claim = claimed(store)
    assert claim.task == a_task(7, priority=0, hint={"head_sha": "abc", "draft": False})
    assert (claim.attempts, claim.worker, claim.deliveries) == (0, "worker-1", ("guid-1",))
    assert claim.lease_until == pytest.approx(store.now() + LEASE, abs=5)
    assert claim.waiting_since == pytest.approx(claim.requested_at, abs=1)


@pytest.mark.parametrize(
    ("hints", "kept"),
    [
        pytest.param(["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"], 0, id="late-event"),
        pytest.param(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"], 1, id="in-order"),
        pytest.param(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"], 1, id="same-second"),
        pytest.param(["2026-01-01T00:00:00Z", ""], 0, id="without-a-time"),
        pytest.param(["", ""], 1, id="no-times-at-all"),
    ],
)
def test_hint_of_the_newest_news_is_kept(store: Store, hints: list[str], kept: int) -> None:
    for number, at in enumerate(hints):
        put(store, f"guid-{number}", a_task(hint={"updated_at": at, "head_sha": str(number)}))
    assert claimed(store).hint["head_sha"] == str(kept)


def test_hint_too_large_is_dropped_and_the_work_is_not(store: Store) -> None:
    put(store, "guid-1", a_task(hint={"head_ref": "x" * 10_000}))
    assert claimed(store).hint == {}


# --- whose turn it is ------------------------------------------------------------------------


def test_lower_priority_number_goes_first_and_newest_first_within_it(store: Store) -> None:
    for subject, priority in (("bulk", 9), ("old", 5), ("new", 5), ("person", 0)):
        put(store, subject, a_task(subject, priority=priority))
    assert subjects(store) == ["person", "new", "old", "bulk"]


def test_of_one_batch_the_last_is_the_newest(store: Store) -> None:
    store.queue.add([a_task(subject) for subject in ("3", "1", "20")])
    assert subjects(store) == ["20", "1", "3"]


def test_urgent_event_lifts_waiting_bulk_work(store: Store) -> None:
    store.queue.add([a_task("bulk", priority=9), a_task("other", priority=5)])
    put(store, "guid-1", a_task("bulk", priority=0))
    assert subjects(store) == ["bulk", "other"]


def test_bulk_event_does_not_demote_urgent_work(store: Store) -> None:
    store.queue.add([a_task("urgent", priority=0)])
    store.queue.add([a_task("urgent", priority=9)])
    store.queue.add([a_task("other", priority=5)])
    assert subjects(store) == ["urgent", "other"]


def test_priority_of_settled_work_is_forgotten(store: Store) -> None:
    store.queue.add([a_task("once", priority=0)])
    assert store.queue.settle(claimed(store))
    store.queue.add([a_task("once", priority=9), a_task("other", priority=5)])
    assert subjects(store) == ["other", "once"]


def test_busy_installation_starves_nobody(store: Store) -> None:
    store.queue.add([a_task("quiet", installation=2)])
    store.queue.add([a_task(number, installation=1) for number in range(50)])
    assert "quiet" in [claimed(store).task.subject for _ in range(2)]


def test_only_the_kinds_asked_for(store: Store) -> None:
    store.queue.add([a_task("a", kind=TaskKind.REPOSITORY), a_task("b")])
    claim = store.queue.claim("worker-1", kinds=[TaskKind.REPOSITORY])
    assert claim is not None
    assert claim.task.kind is TaskKind.REPOSITORY
    assert store.queue.claim("worker-1", kinds=[TaskKind.REPOSITORY]) is None
    assert claimed(store).task.subject == "b"


def test_same_number_in_another_repository_is_other_work(store: Store) -> None:
    store.queue.add([a_task(1, repository=10), a_task(1, repository=11)])
    assert len(subjects(store)) == 2


def test_same_repository_in_another_installation_is_other_work(store: Store) -> None:
    store.queue.add([a_task(1, installation=1), a_task(1, installation=2)])
    assert len(subjects(store)) == 2


# --- leases and fencing ----------------------------------------------------------------------


def test_no_two_claims_on_one_row(store: Store, open_another: OpenStore) -> None:
    put(store, "guid-1")
    claimed(store)
    assert open_another().queue.claim("worker-2") is None


def test_lapsed_lease_is_taken_over_and_the_late_worker_is_refused(
    store: Store, clock: Clock
) -> None:
    put(store, "guid-1")
    late = claimed(store, "late")
    clock.advance(LEASE + 1)
    assert not store.queue.holds(late, 0)
    taken = claimed(store, "next")
    assert taken.token != late.token
    assert not store.queue.renew(late)
    assert not store.queue.settle(late)
    assert store.queue.holds(taken, 1)
    assert store.queue.settle(taken)
    assert claimed(store).generation == 2, "the late worker must have asked for one more"


def test_late_settle_while_nobody_took_over_marks_nothing(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    late = claimed(store)
    clock.advance(LEASE + 1)
    assert not store.queue.settle(late)
    assert claimed(store).deliveries == ("guid-1",)


def test_late_settle_after_another_settled_asks_once_more(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    late = claimed(store)
    clock.advance(LEASE + 1)
    assert store.queue.settle(claimed(store, "next"))
    assert store.queue.claim("worker-1") is None
    assert not store.queue.settle(late)
    assert claimed(store).generation == 2


def test_settling_twice_counts_once(store: Store) -> None:
    put(store, "guid-1")
    claim = claimed(store)
    assert store.queue.settle(claim)
    assert not store.queue.settle(claim)


def test_renewed_lease_lasts(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    claim = claimed(store)
    for _ in range(3):
        clock.advance(LEASE * 0.8)
        assert store.queue.renew(claim)
    assert store.queue.settle(claim)


def test_lapsed_lease_cannot_be_renewed(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    claim = claimed(store)
    clock.advance(LEASE + 1)
    assert not store.queue.renew(claim)


def test_holds_asks_whether_enough_is_left(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    claim = claimed(store)
    clock.advance(LEASE - 3)
    assert store.queue.holds(claim, 1)
    assert not store.queue.holds(claim, 5)


def test_released_work_is_there_at_once_and_unblemished(store: Store) -> None:
    put(store, "guid-1")
    store.queue.release(claimed(store))
    again = claimed(store, "worker-2")
    assert (again.attempts, again.deliveries) == (0, ("guid-1",))


def test_release_of_a_lost_lease_does_not_take_it_from_its_holder(
    store: Store, clock: Clock
) -> None:
    put(store, "guid-1")
    late = claimed(store)
    clock.advance(LEASE + 1)
    holder = claimed(store, "worker-2")
    store.queue.release(late)
    assert store.queue.holds(holder, 1)


def test_leases_of_a_dead_worker_can_be_ended(store: Store) -> None:
    store.queue.add([a_task(1), a_task(2)])
    dead, alive = claimed(store, "dead"), claimed(store, "alive")
    assert store.queue.abandon("dead") == 1
    assert claimed(store, "next").key == dead.key
    assert store.queue.holds(alive, 1)
    assert not store.queue.settle(dead)


# --- several rows under one lease ------------------------------------------------------------


def test_twins_are_leased_and_settled_together(store: Store) -> None:
    put(store, "guid-1", a_task(1))
    put(store, "guid-2", a_task(2))
    claim = claimed(store)
    other = a_task(1 if claim.task.subject == "2" else 2)
    both = store.queue.claim_also(claim, [other, claim.task])
    assert both is not None
    assert {held.task.subject for held in both.rows} == {"1", "2"}
    assert set(both.deliveries) == {"guid-1", "guid-2"}
    assert store.queue.claim("worker-2") is None
    assert store.queue.settle(both)
    assert store.queue.claim("worker-1") is None


def test_twin_nobody_asked_for_is_leased_and_then_forgotten(store: Store) -> None:
    put(store, "guid-1", a_task(1))
    both = store.queue.claim_also(claimed(store), [a_task(2)])
    assert both is not None
    put(store, "guid-2", a_task(2))
    assert store.queue.claim("worker-2") is None, "it is leased"
    assert store.queue.settle(both)
    assert claimed(store).deliveries == ("guid-2",)


@pytest.mark.parametrize("ending", ["release", "retry", "settle-of-the-narrow-claim"])
def test_twins_come_free_however_the_claim_ends(store: Store, ending: str) -> None:
    put(store, "guid-1", a_task(1))
    claim = claimed(store)
    both = store.queue.claim_also(claim, [a_task(2)])
    assert both is not None
    if ending == "release":
        store.queue.release(claim)
    elif ending == "retry":
        assert store.queue.retry(claim, "no answer")
    else:
        assert store.queue.settle(claim)
    put(store, "guid-2", a_task(2))
    assert claimed(store, "worker-2").task.subject == "2"


def test_twin_that_is_being_judged_is_not_waited_for(store: Store) -> None:
    store.queue.add([a_task(1), a_task(2), a_task(3)])
    mine, theirs = claimed(store), claimed(store, "worker-2")
    others = [a_task(3), theirs.task, a_task(4)]
    assert store.queue.claim_also(mine, others) is None
    assert store.queue.holds(mine, 1), "the claim stays as good as it was"
    free = {claimed(store).task.subject}
    assert free == {"1"}, "all or none"
    assert store.queue.claim("worker-1") is None, "a row is made but nobody asked for it"


def test_twins_of_a_lost_lease_are_not_leased(store: Store, clock: Clock) -> None:
    store.queue.add([a_task(1)])
    late = claimed(store)
    clock.advance(LEASE + 1)
    assert store.queue.claim_also(late, [a_task(2)]) is None


def test_renewing_the_narrow_claim_renews_its_twins(store: Store, clock: Clock) -> None:
    store.queue.add([a_task(1)])
    claim = claimed(store)
    both = store.queue.claim_also(claim, [a_task(2)])
    assert both is not None
    clock.advance(LEASE * 0.8)
    assert store.queue.renew(claim)
    clock.advance(LEASE * 0.8)
    assert store.queue.holds(both, 1)
    assert store.queue.settle(both)


def test_all_twins_are_lost_with_one(store: Store, clock: Clock) -> None:
    store.queue.add([a_task(1)])
    both = store.queue.claim_also(claimed(store), [a_task(2)])
    assert both is not None
    clock.advance(LEASE + 1)
    claimed(store, "next")
    assert not store.queue.settle(both)
    assert not store.queue.holds(both, 0)


# --- failures --------------------------------------------------------------------------------


def test_failed_work_backs_off_longer_each_time_within_bounds(store: Store, clock: Clock) -> None:
    limits = store.queue.limits
    store.queue.add([a_task()])
    for failures in range(1, 9):
        assert store.queue.retry(claimed(store), "no answer")
        longest = min(limits.longest_delay, limits.first_delay * 2 ** (failures - 1))
        (row,) = store.queue.listing()
        assert (row.state, row.attempts, row.error) == (WorkState.WAITING, failures, "no answer")
        assert row.due_in <= longest
        assert row.due_in > longest / 2 - 1
        assert store.queue.claim("worker-1") is None
        clock.advance(longest)


def test_delay_that_was_asked_for_is_kept(store: Store) -> None:
    store.queue.add([a_task()])
    assert store.queue.retry(claimed(store), "Retry-After", delay=60)
    (row,) = store.queue.listing()
    assert 59 < row.due_in <= 61


def test_event_clears_a_back_off(store: Store) -> None:
    store.queue.add([a_task()])
    assert store.queue.retry(claimed(store), "no answer", delay=600)
    put(store, "guid-1")
    assert claimed(store).attempts == 1


def test_settled_work_forgets_its_failures(store: Store, clock: Clock) -> None:
    store.queue.add([a_task()])
    assert store.queue.retry(claimed(store), "no answer")
    clock.advance(1)
    assert store.queue.settle(claimed(store))
    store.queue.add([a_task()])
    assert claimed(store).attempts == 0
    assert store.queue.listing()[0].error is None


def test_poison_is_parked_visible_and_woken_by_its_next_event(store: Store, clock: Clock) -> None:
    limits = store.queue.limits
    store.queue.add([a_task()])
    for _ in range(limits.failures):
        assert store.queue.retry(claimed(store), "KeyError")
        clock.advance(limits.longest_delay)
    (row,) = store.queue.listing()
    assert (row.state, row.error) == (WorkState.PARKED, "KeyError")
    assert store.queue.stats().parked == 1
    assert store.queue.claim("worker-1") is None
    put(store, "guid-1")
    assert claimed(store).attempts == 0


def test_parked_work_is_tried_again_after_a_while(store: Store, clock: Clock) -> None:
    limits = store.queue.limits
    store.queue.add([a_task()])
    for _ in range(limits.failures):
        assert store.queue.retry(claimed(store), "KeyError")
        clock.advance(limits.longest_delay)
    clock.advance(limits.parked)
    assert store.queue.retry(claimed(store), "KeyError")
    assert store.queue.stats().parked == 1, "once, and it is parked again"


def test_faults_that_are_not_its_own_never_park_a_row(store: Store, clock: Clock) -> None:
    limits = store.queue.limits
    store.queue.add([a_task()])
    for _ in range(limits.failures * 3):
        assert store.queue.retry(claimed(store), "too soon", blame=Blame.NOBODY)
        clock.advance(limits.longest_delay)
    assert claimed(store).attempts == limits.failures * 3


def stuck(store: Store, clock: Clock, *, times: int = 0) -> None:
    """The row that is due fails by GitHub's fault, until it would be parked."""
    for _ in range(times or store.queue.limits.stuck):
        assert store.queue.retry(claimed(store), "502", blame=Blame.GITHUB)
        clock.advance(store.queue.limits.longest_delay)


def others(store: Store, *, installation: int = 1) -> None:
    """Another pull request is judged."""
    store.queue.add([a_task("other", priority=0, installation=installation)])
    assert store.queue.settle(claimed(store))


def states(store: Store) -> list[tuple[str, WorkState]]:
    return [(row.key.subject, row.state) for row in store.queue.listing()]


def test_work_that_github_always_fails_for_is_parked(store: Store, clock: Clock) -> None:
    limits = store.queue.limits
    store.queue.add([a_task("stuck")])
    stuck(store, clock, times=limits.stuck - 1)
    others(store)
    assert states(store) == [("stuck", WorkState.READY)]
    stuck(store, clock, times=1)
    assert states(store) == [("stuck", WorkState.PARKED)]
    assert store.queue.listing()[0].error == "502"
    clock.advance(limits.slow - limits.longest_delay)
    assert claimed(store).task.subject == "stuck", "at a slow pace it is tried for ever"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param("nobody", "nobody", id="nothing-else-is-judged"),
        pytest.param("other", "nobody", id="judged-before-it-began"),
        pytest.param("nobody", "other-installation", id="of-another-installation"),
        pytest.param("nobody", "other-fails", id="it-fails-for-others-too"),
        pytest.param("nobody", "other-leased", id="nobody-knows-yet"),
        pytest.param("nobody", "no-pull-request", id="only-a-list-was-read"),
    ],
)
def test_outage_parks_nothing(store: Store, clock: Clock, first: str, then: str) -> None:
    if first == "other":
        others(store)
        clock.advance(1)
    store.queue.add([a_task("stuck")])
    stuck(store, clock, times=store.queue.limits.stuck - 1)
    match then:
        case "other-installation":
            others(store, installation=2)
        case "other-fails":
            store.queue.add([a_task("other", priority=0)])
            assert store.queue.retry(claimed(store), "502", delay=600, blame=Blame.GITHUB)
        case "other-leased":
            store.queue.add([a_task("other", priority=0)])
            claimed(store, "other")
        case "no-pull-request":
            store.queue.add([a_task("", kind=TaskKind.REPOSITORY, priority=0)])
            assert store.queue.settle(claimed(store))
    stuck(store, clock, times=1)
    assert store.queue.stats().parked == 0


def test_event_gives_what_is_stuck_all_its_attempts_again(store: Store, clock: Clock) -> None:
    store.queue.add([a_task("stuck")])
    others(store)
    stuck(store, clock)
    put(store, "guid-1", a_task("stuck"))
    assert claimed(store).attempts == 0


def test_sweep_gives_what_is_stuck_one_more_attempt(store: Store, clock: Clock) -> None:
    store.queue.add([a_task("stuck")])
    others(store)
    stuck(store, clock)
    store.queue.add([a_task("stuck")])
    stuck(store, clock, times=1)
    assert store.queue.stats().parked == 1


@pytest.mark.parametrize(
    ("failures", "tried"),
    [pytest.param(3, ["stuck"], id="outage"), pytest.param(1, [], id="moment")],
)
def test_what_is_stuck_is_tried_when_another_recovers(
    store: Store, clock: Clock, failures: int, tried: list[str]
) -> None:
    """It may have been an outage after all."""
    store.queue.add([a_task("stuck")])
    others(store)
    stuck(store, clock)
    store.queue.add([a_task("other", priority=0)])
    stuck(store, clock, times=failures)
    assert store.queue.settle(claimed(store))
    assert subjects(store) == tried


def test_what_kills_its_workers_is_not_tried_when_another_recovers(
    store: Store, clock: Clock
) -> None:
    store.queue.add([a_task("poison")])
    for _ in range(store.queue.limits.crashes):
        claimed(store)
        clock.advance(LEASE + 1)
    store.queue.add([a_task("other", priority=0)])
    stuck(store, clock, times=3)
    assert store.queue.settle(claimed(store))
    assert store.queue.claim("worker-1") is None
    assert states(store) == [("poison", WorkState.PARKED)]


def test_row_that_kills_its_workers_is_parked(store: Store, clock: Clock) -> None:
    store.queue.add([a_task("poison")])
    for _ in range(store.queue.limits.crashes):
        assert claimed(store).task.subject == "poison"
        clock.advance(LEASE + 1)
    store.queue.add([a_task("innocent")])
    assert subjects(store) == ["innocent"]
    parked = [row for row in store.queue.listing() if row.state is WorkState.PARKED]
    assert [row.key.subject for row in parked] == ["poison"]
    put(store, "guid-1", a_task("poison"))
    assert claimed(store).task.subject == "poison"


def test_finished_work_forgets_crashes(store: Store, clock: Clock) -> None:
    for _ in range(store.queue.limits.crashes * 2):
        store.queue.add([a_task()])
        claimed(store)
        clock.advance(LEASE + 1)
        assert store.queue.settle(claimed(store))
    assert store.queue.stats().parked == 0


def test_late_retry_does_not_touch_the_new_holder(store: Store, clock: Clock) -> None:
    store.queue.add([a_task()])
    late = claimed(store)
    clock.advance(LEASE + 1)
    holder = claimed(store)
    assert not store.queue.retry(late, "too late")
    assert store.queue.holds(holder, 1)


def test_blocked_installation_waits_and_others_go_on(store: Store, clock: Clock) -> None:
    store.queue.add([a_task("blocked", installation=1), a_task("free", installation=2)])
    store.queue.block_installation(1, 60)
    store.queue.block_installation(1, 5)  # never shortens
    assert subjects(store) == ["free"]
    assert store.queue.stats().blocked_installations == 1
    states = {row.key.subject: row.state for row in store.queue.listing()}
    assert states["blocked"] is WorkState.BLOCKED
    put(store, "guid-1", a_task("blocked", installation=1))
    clock.advance(30)
    assert "blocked" not in subjects(store), "an event does not lift the block"
    clock.advance(31)
    assert "blocked" in subjects(store)


# --- seeing it -------------------------------------------------------------------------------


def test_stats_of_an_empty_queue(store: Store) -> None:
    stats = store.queue.stats()
    assert (stats.pending, stats.leased, stats.parked, stats.oldest_age) == (0, 0, 0, 0.0)
    assert (stats.unprocessed_deliveries, stats.oldest_delivery_age) == (0, 0.0)


def test_stats_count_by_kind_and_state_and_tell_the_oldest_age(store: Store, clock: Clock) -> None:
    put(store, "guid-1", a_task(1))
    clock.advance(100)
    put(store, "guid-2", a_task(2))
    store.queue.add([a_task("", kind=TaskKind.REPOSITORY)])
    assert claimed(store).task.kind is TaskKind.REPOSITORY
    stats = store.queue.stats()
    assert (stats.pending, stats.leased) == (2, 1)
    assert stats.by_kind() == {TaskKind.PULL_REQUEST: 2, TaskKind.REPOSITORY: 1}
    assert stats.oldest_age == pytest.approx(100, abs=5)
    assert stats.unprocessed_deliveries == 2
    assert stats.oldest_delivery_age == pytest.approx(100, abs=5)


def test_listing_is_longest_waiting_first_and_can_be_narrowed(store: Store, clock: Clock) -> None:
    for subject in ("old", "new"):
        store.queue.add([a_task(subject)])
        clock.advance(10)
    assert [row.key.subject for row in store.queue.listing()] == ["old", "new"]
    assert [row.key.subject for row in store.queue.listing(limit=1)] == ["old"]
    claimed(store)
    ready = store.queue.listing(state=WorkState.READY)
    assert [row.key.subject for row in ready] == ["old"]


def test_age_of_what_came_during_the_work_counts_from_the_claim(store: Store, clock: Clock) -> None:
    store.queue.add([a_task()])
    clock.advance(100)
    claim = claimed(store)
    store.queue.add([a_task()])
    assert store.queue.settle(claim)
    (row,) = store.queue.listing()
    assert row.age == pytest.approx(0, abs=5)


# --- beside a newer version ------------------------------------------------------------------


def test_work_of_a_kind_that_a_newer_version_added_is_left_to_it(store: Store) -> None:
    store.queue.add([a_task("theirs"), a_task("ours")])
    with store._database.write() as connection:
        statement = text("UPDATE tasks SET kind = 'invented-later' WHERE subject = 'theirs'")
        connection.execute(statement)
    assert [row.key.subject for row in store.queue.listing()] == ["ours"]
    assert store.queue.stats().pending == 1
    assert subjects(store) == ["ours"]
