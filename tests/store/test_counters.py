"""Counters: summed over every process, never lost to a busy database, never in anybody's way."""

import threading

import pytest

from github_app.store.database import Store
from github_app.store.errors import StoreUnavailable
from tests.store.conftest import OpenStore

WAITING = {"outcome": "WAITING"}
SERIES = ("judgements", (("outcome", "WAITING"),))


def test_nothing_was_counted(store: Store) -> None:
    assert store.counters.read() == {}


def test_counts_add_up_by_labels(store: Store) -> None:
    store.counters.add("judgements", WAITING)
    store.counters.add("judgements", WAITING, 2)
    store.counters.add("judgements", {"outcome": "NOT_AI"})
    store.counters.add("plain")
    assert store.counters.read() == {
        SERIES: 3,
        ("judgements", (("outcome", "NOT_AI"),)): 1,
        ("plain", ()): 1,
    }


def test_order_of_labels_does_not_matter(store: Store) -> None:
    store.counters.add("x", {"a": "1", "b": "2"})
    store.counters.add("x", {"b": "2", "a": "1"})
    assert store.counters.read() == {("x", (("a", "1"), ("b", "2"))): 2}


def test_counts_of_all_processes_are_one_sum(store: Store, open_another: OpenStore) -> None:
    other = open_another()
    store.counters.add("judgements", WAITING)
    other.counters.add("judgements", WAITING)
    other.counters.flush()
    assert store.counters.read()[SERIES] == 2


def test_gauge_is_the_latest_value(store: Store, open_another: OpenStore) -> None:
    store.counters.set("remaining", {"installation": "1"}, 4_000)
    store.counters.flush()
    other = open_another()
    other.counters.set("remaining", {"installation": "1"}, 3_000)
    other.counters.set("remaining", {"installation": "1"}, 2_999)
    other.counters.flush()
    assert store.counters.read() == {("remaining", (("installation", "1"),)): 2_999}


def test_closing_writes_what_was_counted(store: Store, open_another: OpenStore) -> None:
    other = open_another()
    other.counters.add("judgements", WAITING)
    other.close()
    assert store.counters.read()[SERIES] == 1


def test_somebody_writes_without_being_asked(store: Store, open_another: OpenStore) -> None:
    other = open_another()
    other.counters.add("judgements", WAITING)
    wait = threading.Event()
    while SERIES not in store.counters.read():  # pytest's timeout ends it
        wait.wait(0.05)
    assert store.counters.read()[SERIES] == 1


def test_counts_are_kept_while_the_database_is_down(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*, durable: bool = True) -> None:
        raise StoreUnavailable("the database refused: on purpose")

    store.counters.add("judgements", WAITING)
    store.counters.set("remaining", {}, 5)
    monkeypatch.setattr(store._database, "write", down)
    with pytest.raises(StoreUnavailable):
        store.counters.flush()
    store.counters.add("judgements", WAITING)
    store.counters.set("remaining", {}, 4)
    monkeypatch.undo()
    assert store.counters.read() == {SERIES: 2, ("remaining", ()): 4}


def test_labels_of_others_do_not_break_it(store: Store) -> None:
    store.counters.add("errors", {"kind": "\x00 \ud800"})
    assert store.counters.read() == {("errors", (("kind", "\ufffd \ufffd"),)): 1}
