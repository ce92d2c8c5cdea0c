"""What is spent is counted for all processes together, window by window."""

from github_app.store.database import Store
from tests.store.build import Clock
from tests.store.conftest import OpenStore


def take(store: Store, wanted: int, *, installation: int = 1, purpose: str = "writes") -> int:
    return store.spending.take(installation, purpose, wanted, most=5, window=60)


def wait(store: Store, *, installation: int = 1) -> float:
    return store.spending.wait(installation, "writes", most=5, window=60)


def test_no_more_is_granted_than_is_left(store: Store) -> None:
    assert [take(store, 3), take(store, 3), take(store, 3)] == [3, 2, 0]


def test_processes_share_what_is_left(store: Store, open_another: OpenStore) -> None:
    assert (take(store, 4), take(open_another(), 4)) == (4, 1)


def test_installations_and_purposes_have_their_own(store: Store) -> None:
    take(store, 5)
    assert take(store, 5, installation=2) == 5
    assert take(store, 5, purpose="other") == 5
    assert wait(store, installation=3) == 0


def test_next_window_begins_anew(store: Store, clock: Clock) -> None:
    take(store, 5)
    clock.advance(30)
    assert 0 < wait(store) <= 30
    clock.advance(31)
    assert wait(store) == 0
    assert take(store, 5) == 5


def test_nothing_waits_while_something_is_left(store: Store) -> None:
    take(store, 4)
    assert wait(store) == 0
