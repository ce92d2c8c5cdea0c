"""What a judgement saw is written down when it is settled, and only then."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from github_app.store.claim import Seen
from github_app.store.database import Store
from github_app.store.stats import Known
from github_app.store.task import TaskKind
from tests.store.build import Clock, a_task, claimed
from tests.store.conftest import OpenStore

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAW = Seen(updated_at=NOON, surely=True)


def known(store: Store) -> Known:
    (found,) = store.queue.known([a_task(1)]).values()
    assert store.queue.asked(TaskKind.PULL_REQUEST, 10) == {"1": found}
    return found


def test_nothing_is_seen_before_the_judgement(store: Store) -> None:
    assert store.queue.known([a_task(1)]) == {}
    store.queue.add([a_task(1)])
    assert (known(store).seen, known(store).noted, known(store).waits) == (None, True, True)
    claimed(store)
    assert not known(store).waits


def test_settling_writes_down_what_was_seen(store: Store) -> None:
    store.queue.add([a_task(1)])
    assert store.queue.settle(claimed(store).having_seen({"1": SAW, "2": SAW}))
    assert known(store).seen == SAW
    assert not known(store).waits


def test_settling_without_a_judgement_keeps_what_was_seen(store: Store) -> None:
    for saw in (SAW, None):
        store.queue.add([a_task(1)])
        claim = claimed(store)
        assert store.queue.settle(claim if saw is None else claim.having_seen({"1": saw}))
    assert known(store).seen == SAW


def test_later_judgement_replaces_it(store: Store) -> None:
    later = Seen(updated_at=NOON + timedelta(seconds=1), surely=False)
    for saw in (SAW, later):
        store.queue.add([a_task(1)])
        assert store.queue.settle(claimed(store).having_seen({"1": saw}))
    assert known(store).seen == later


def test_worker_that_lost_its_lease_writes_nothing_down(
    store: Store, open_another: OpenStore, clock: Clock
) -> None:
    store.queue.add([a_task(1)])
    late = claimed(store).having_seen({"1": SAW})
    clock.advance(60)
    assert open_another().queue.claim("worker-2") is not None
    assert not store.queue.settle(late)
    assert known(store).seen is None


def test_pull_requests_of_one_lease_each_keep_their_own(store: Store) -> None:
    store.queue.add([a_task(1)])
    joint = store.queue.claim_also(claimed(store), [a_task(2)])
    assert joint is not None
    other = Seen(updated_at=NOON - timedelta(days=1), surely=True)
    assert store.queue.settle(joint.having_seen({"1": SAW, "2": other}))
    found = store.queue.known([a_task(1), a_task(2)])
    assert {key.subject: known.seen for key, known in found.items()} == {"1": SAW, "2": other}


def test_version_before_did_not_note_it(store: Store) -> None:
    with store._database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (kind, installation_id, repository_id, subject, full_name,"
                " priority, hint, hinted_at, requested, judged, requested_at, waiting_since,"
                " attempts, crashes) VALUES ('pull-request', 1, 10, '1', '', 5, '{}', '', 1, 1,"
                " 5, 5, 0, 0)"
            )
        )
    assert (known(store).seen, known(store).noted) == (None, False)


def test_covered_are_the_repositories_that_were_asked_for(store: Store) -> None:
    wide = [
        a_task("missed", kind=TaskKind.REPOSITORY, repository=10),
        a_task("", kind=TaskKind.REPOSITORY, repository=20),
        a_task("missed", kind=TaskKind.REPOSITORY, repository=30, installation=2),
    ]
    store.queue.add(wide)
    assert store.queue.covered(1, "missed") == {10}
