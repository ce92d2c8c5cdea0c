"""The queue against a model of it, by random histories: nothing asked for is ever forgotten."""

import shutil
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from github_app.store.claim import Claim, Limits
from github_app.store.database import Store, open_store
from tests.store import postgres
from tests.store.build import Clock, a_task, put

SUBJECTS = ("1", "2", "3")
# Nothing is parked here: what is parked waits by design, and has its own tests.
LIMITS = Limits(lease=600, failures=10**6, crashes=10**6)


class QueueMachine(RuleBasedStateMachine):
    """``asked`` and ``judged`` are the model: a counter each, as design section 8 has it.

    A judgement is worth what had been asked when it was claimed, and only while its lease lasts.
    """

    def __init__(self, url: str, dialect: str) -> None:
        super().__init__()
        self.clock = Clock(dialect)
        self.store: Store = open_store(url, limits=LIMITS, clock=self.clock.time)
        self.clock.stores.append(self.store)
        self.asked = dict.fromkeys(SUBJECTS, 0)
        self.judged = dict.fromkeys(SUBJECTS, 0)
        self.held: list[tuple[Claim, dict[str, int]]] = []
        self.lapsed: list[Claim] = []
        self.guids = 0

    def teardown(self) -> None:
        """Whatever happened: when workers work on, all that was asked for is judged."""
        self.clock.advance(LIMITS.lease + LIMITS.longest_delay + 1_000)
        for _ in range(len(SUBJECTS)):
            claim = self.store.queue.claim("last")
            if claim is None:
                break
            self._note_settled(claim, self.store.queue.settle(claim), dict(self.asked))
        behind = [subject for subject in SUBJECTS if self.judged[subject] < self.asked[subject]]
        unprocessed = self.store.queue.stats().unprocessed_deliveries
        self.store.close()
        assert behind == []
        assert unprocessed == 0

    @rule(subject=st.sampled_from(SUBJECTS), priority=st.sampled_from([0, 5, 9]))
    def event(self, subject: str, priority: int) -> None:
        self.guids += 1
        put(self.store, f"{id(self)}-{self.guids}", a_task(subject, priority=priority))
        self.asked[subject] += 1

    @precondition(lambda self: self.guids > 0)
    @rule(subject=st.sampled_from(SUBJECTS))
    def swept(self, subject: str) -> None:
        self.store.queue.add([a_task(subject, priority=9)])
        self.asked[subject] += 1

    @rule()
    def claim(self) -> None:
        claim = self.store.queue.claim("worker")
        if claim is None:
            return
        subject = claim.task.subject
        holders = [
            held for held, _ in self.held for row in held.rows if row.task.subject == subject
        ]
        assert holders == [], "two claims on one row"
        assert self.asked[subject] > 0
        self.held.append((claim, dict(self.asked)))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), other=st.sampled_from(SUBJECTS))
    def claim_also(self, data: st.DataObject, other: str) -> None:
        number = data.draw(st.integers(0, len(self.held) - 1))
        claim, seen = self.held[number]
        joint = self.store.queue.claim_also(claim, [a_task(other)])
        taken = {
            row.task.subject for held, _ in self.held if held is not claim for row in held.rows
        }
        assert (joint is None) == (other in taken)
        if joint is not None:
            # What is added is as fresh as now; what was there is as fresh as it was.
            had = {row.task.subject for row in claim.rows}
            fresh = {name: seen[name] if name in had else self.asked[name] for name in SUBJECTS}
            self.held[number] = (joint, fresh)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["settle", "retry", "release"]))
    def end(self, data: st.DataObject, how: str) -> None:
        claim, seen = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        if how == "settle":
            settled = self.store.queue.settle(claim)
            assert settled, "its lease lasts"
            self._note_settled(claim, settled, seen)
        elif how == "retry":
            assert self.store.queue.retry(claim, "no answer")
        else:
            self.store.queue.release(claim)

    @precondition(lambda self: self.held)
    @rule()
    def leases_lapse(self) -> None:
        self.clock.advance(LIMITS.lease + 1)
        self.lapsed += [claim for claim, _ in self.held]
        self.held.clear()

    @precondition(lambda self: self.lapsed)
    @rule(how=st.sampled_from(["settle", "renew", "holds", "retry", "release"]))
    def late_worker_wakes(self, how: str) -> None:
        claim = self.lapsed.pop()
        if how == "settle":
            assert not self.store.queue.settle(claim)
            for row in claim.rows:
                self.asked[row.task.subject] += 1  # it asks for one more judgement
        elif how == "renew":
            assert not self.store.queue.renew(claim)
        elif how == "holds":
            assert not self.store.queue.holds(claim, 0)
        elif how == "retry":
            self.store.queue.retry(claim, "late")
        else:
            self.store.queue.release(claim)

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for claim, _ in self.held:
            assert self.store.queue.renew(claim)

    @invariant()
    def what_is_asked_for_is_pending(self) -> None:
        pending = {row.key.subject for row in self.store.queue.listing()}
        behind = {subject for subject in SUBJECTS if self.judged[subject] < self.asked[subject]}
        assert behind <= pending

    @invariant()
    def every_live_claim_holds(self) -> None:
        assert all(self.store.queue.holds(claim, 0) for claim, _ in self.held)

    def _note_settled(self, claim: Claim, settled: bool, seen: dict[str, int]) -> None:
        assert settled
        for row in claim.rows:
            self.judged[row.task.subject] = seen[row.task.subject]


_SETTINGS = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=30,
    max_examples=25,
    derandomize=True,
)


def test_model_on_sqlite(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    open_store(f"sqlite:///{empty}").close()
    number = count()

    class OnSqlite(QueueMachine):
        def __init__(self) -> None:
            path = tmp_path / f"{next(number)}.db"
            shutil.copy(empty, path)
            super().__init__(f"sqlite:///{path}", "sqlite")

    run_state_machine_as_test(OnSqlite, settings=_SETTINGS)


@pytest.mark.postgres
def test_model_on_postgresql(postgres_server: postgres.Server) -> None:
    class OnPostgresql(QueueMachine):
        def __init__(self) -> None:
            super().__init__(postgres_server.new_database(template="test_1"), "postgresql")

    run_state_machine_as_test(OnPostgresql, settings=settings(_SETTINGS, max_examples=8))
