"""Quick looks: each is due for one process of the fleet, often where something happens."""

from github_app.store.database import Store
from github_app.store.looks import Pace
from tests.store.build import Clock
from tests.store.conftest import OpenStore

PACE = Pace(shortest=10, longest=60)


def test_installation_that_is_new_is_due_at_once(store: Store) -> None:
    store.looks.know({1: "acme", 2: "june"})
    assert store.looks.due(PACE) == [1, 2]
    assert store.looks.due(PACE) == []


def test_look_is_given_to_one_process(store: Store, open_another: OpenStore) -> None:
    store.looks.know({1: "acme"})
    other = open_another()
    assert (store.looks.due(PACE), other.looks.due(PACE)) == ([1], [])


def test_look_is_due_again_after_the_pause(store: Store, clock: Clock) -> None:
    store.looks.know({1: "acme"})
    store.looks.due(PACE)
    clock.advance(9)
    assert store.looks.due(PACE) == []
    clock.advance(1.5)
    assert store.looks.due(PACE) == [1]


def test_where_nothing_happens_looks_become_rare(store: Store, clock: Clock) -> None:
    store.looks.know({1: "acme"})
    clock.advance(24 * 3600)
    assert store.looks.due(PACE) == [1]
    clock.advance(59)
    assert store.looks.due(PACE) == []
    clock.advance(2)
    assert store.looks.due(PACE) == [1]


def test_event_makes_looks_frequent_again(store: Store, clock: Clock) -> None:
    store.looks.know({1: "acme", 2: "june"})
    clock.advance(24 * 3600)
    store.looks.due(PACE)
    store.looks.active([1], PACE)
    for _ in range(2):
        clock.advance(10.5)
        assert store.looks.due(PACE) == [1]


def test_installation_that_is_gone_is_not_looked_at(store: Store) -> None:
    store.looks.know({1: "acme", 2: "june"})
    store.looks.know({2: "june"})
    assert store.looks.due(PACE) == [2]
    assert store.looks.state(1) is None


def test_what_was_seen_is_kept_and_a_new_name_taken(store: Store) -> None:
    store.looks.know({1: "acme"})
    first = store.looks.state(1)
    assert first is not None
    assert (first.account, first.cursor, first.rosters) == ("acme", None, None)
    store.looks.saw(1, "next", {"acme/.github": "a1"})
    store.looks.know({1: "acme-renamed"})
    found = store.looks.state(1)
    assert found is not None
    assert (found.account, found.cursor) == ("acme-renamed", "next")
    assert found.rosters == {"acme/.github": "a1"}
