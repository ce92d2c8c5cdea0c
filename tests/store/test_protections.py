"""What was last seen of the protection of a repository: told once, the newest look wins."""

from dataclasses import replace

import pytest

from github_app.store.audit import Entry, RecordKind
from github_app.store.database import Store
from github_app.store.protections import MOMENTS, Look, Seen

HELD = Look(installation_id=5, repository_id=9, full_name="acme/shop", state={"held": True})
LOOSE = replace(HELD, state={"held": False}, unprotected=2)
GONE = replace(HELD, state=None)


@pytest.fixture
def record(store: Store) -> "Recorder":
    return Recorder(store)


class Recorder:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.before: list[Seen | None] = []

    def __call__(self, *looks: Look, at: float = 100.0) -> int:
        """How many audit records it made."""
        return len(self.store.protections.record(looks, looked_at=at, entry=self._entry))

    def _entry(self, look: Look, before: Seen | None) -> Entry:
        self.before.append(before)
        return Entry(
            kind=RecordKind.PROTECTION, repository_id=look.repository_id, repository=look.full_name
        )

    def state(self) -> object:
        found = self.store.protections.of(5).get(9)
        return found and found.state


def test_a_change_is_told_once(record: Recorder) -> None:
    assert [record(HELD), record(HELD), record(LOOSE), record(LOOSE)] == [1, 0, 1, 0]
    assert record.before[0] is None
    assert record.before[1] is not None
    assert record.before[1].state == {"held": True}
    assert len(list(record.store.audit.records())) == 2


def test_when_something_was_told_is_kept_and_is_no_change(record: Recorder) -> None:
    record(HELD)
    since = record.store.protections.of(5)[9].since
    assert record(replace(HELD, state={"held": True, MOMENTS: {"1": "x"}}), at=101.0) == 0
    assert record.state() == {"held": True, MOMENTS: {"1": "x"}}
    assert record.store.protections.of(5)[9].since == since
    assert record(LOOSE, at=102.0) == 1


def test_what_was_seen_later_stays(record: Recorder) -> None:
    record(LOOSE, at=200.0)
    assert record(HELD, at=100.0) == 0
    assert record(GONE, at=100.0) == 0
    assert record.state() == {"held": False}


def test_since_moves_with_a_change_only(record: Recorder) -> None:
    record(HELD)
    since = record.store.protections.of(5)[9].since
    record(replace(HELD, full_name="acme/store"), at=101.0)
    found = record.store.protections.of(5)[9]
    assert (found.since, found.full_name) == (since, "acme/store")


def test_what_is_gone_is_told_once_and_forgotten(record: Recorder) -> None:
    assert record(GONE) == 0, "it was never seen"
    record(HELD)
    assert [record(GONE), record(GONE)] == [1, 0]
    assert record.state() is None


def test_an_installation_that_is_gone_takes_its_repositories_along(record: Recorder) -> None:
    whole = replace(HELD, repository_id=0, full_name="acme")
    other = replace(LOOSE, installation_id=6)
    record(whole, HELD, other)
    assert record(replace(whole, state=None)) == 1
    assert record.store.protections.installations() == {6}


def test_counts_by_installation(record: Recorder) -> None:
    record(HELD, replace(LOOSE, repository_id=10), replace(LOOSE, repository_id=11))
    record(replace(HELD, installation_id=6))
    assert record.store.protections.unprotected() == {5: (2, 4), 6: (0, 0)}


def test_a_record_that_fails_keeps_nothing(record: Recorder) -> None:
    def refuse(_look: Look, _before: Seen | None) -> Entry:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        record.store.protections.record([HELD], looked_at=1.0, entry=refuse)
    assert record.state() is None
