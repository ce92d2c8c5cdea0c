"""The names that repositories had: kept for ever, by id, and bounded."""

from datetime import UTC, datetime

from github_app.store.database import Store
from github_app.store.inbox import Delivery
from github_app.store.names import MOST


def test_names_are_kept_by_id_without_regard_to_case(store: Store) -> None:
    assert store.names.of(77) == frozenset()
    for name in ("Acme/Shop", "acme/SHOP", "acme/store"):
        store.names.note(77, name)
    store.names.note(78, "other/shop")
    assert store.names.of(77) == {"acme/shop", "acme/store"}


def test_a_delivery_brings_names_with_it(store: Store) -> None:
    delivery = Delivery(
        guid="g1",
        event="repository",
        action="renamed",
        installation_id=1,
        body=b"{}",
        received_at=datetime.now(UTC),
    )
    for _ in range(2):
        store.inbox.put(delivery, (), (), [(77, "acme/shop")])
    assert store.names.of(77) == {"acme/shop"}


def test_the_oldest_names_are_those_that_stay(store: Store) -> None:
    """Renaming without end must not push out the name that a rule knows."""
    store.names.note(77, "acme/payments")
    for number in range(MOST + 5):
        store.names.note(77, f"acme/x{number}")
    names = store.names.of(77)
    assert len(names) == MOST
    assert "acme/payments" in names
