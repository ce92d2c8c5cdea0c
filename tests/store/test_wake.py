"""Waiting workers: woken by work, wherever it comes from, and never asleep over it."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from github_app.store.claim import Claim, Limits
from github_app.store.database import Store
from tests.store.build import a_task, claimed, put
from tests.store.conftest import OpenStore

FOR_EVER = 200.0  # pytest's own timeout ends a test that really waits


def next_claim(store: Store, worker: str = "worker-1") -> Claim:
    """As a worker does it."""
    while (claim := store.queue.claim(worker)) is None:
        store.queue.wait(FOR_EVER)
    return claim


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4)


def test_work_that_is_there_is_not_waited_for(store: Store) -> None:
    put(store, "guid-1")
    assert next_claim(store).deliveries == ("guid-1",)


def test_put_of_the_same_process_wakes(store: Store, pool: ThreadPoolExecutor) -> None:
    waiting = pool.submit(next_claim, store)
    put(store, "guid-1")
    assert waiting.result().deliveries == ("guid-1",)


def test_put_of_another_store_wakes(
    store: Store, open_another: OpenStore, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(next_claim, store)
    put(open_another(), "guid-1")
    assert waiting.result().deliveries == ("guid-1",)


def test_put_of_another_process_wakes(store: Store, url: str, pool: ThreadPoolExecutor) -> None:
    waiting = pool.submit(next_claim, store)
    program = (
        "import sys; from tests.store.build import put; "
        "from github_app.store.database import open_store\n"
        "with open_store(sys.argv[1]) as store: put(store, 'guid-1')"
    )
    subprocess.run([sys.executable, "-c", program, url], check=True)
    assert waiting.result().deliveries == ("guid-1",)


def test_every_waiting_thread_gets_its_share(store: Store, pool: ThreadPoolExecutor) -> None:
    waiting = [pool.submit(next_claim, store, f"worker-{number}") for number in range(4)]
    store.queue.add([a_task(number) for number in range(4)])
    assert {future.result().task.subject for future in waiting} == {"0", "1", "2", "3"}


def test_end_of_a_back_off_wakes(open_another: OpenStore) -> None:
    store = open_another(Limits(first_delay=0.1))
    store.queue.add([a_task()])
    assert store.queue.retry(next_claim(store), "no answer")
    assert next_claim(store).attempts == 1


def test_end_of_a_dead_workers_lease_wakes(open_another: OpenStore) -> None:
    store = open_another(Limits(lease=0.2))
    store.queue.add([a_task()])
    claimed(store, "dead")
    assert next_claim(store).worker == "worker-1"


def test_end_of_a_block_wakes(store: Store) -> None:
    store.queue.add([a_task()])
    store.queue.block_installation(1, 0.3)
    assert next_claim(store).task == a_task()


def test_release_wakes(store: Store, pool: ThreadPoolExecutor) -> None:
    store.queue.add([a_task()])
    claim = claimed(store)
    waiting = pool.submit(next_claim, store)
    store.queue.release(claim)
    assert waiting.result().key == claim.key


def test_settling_what_was_asked_for_again_wakes(store: Store, pool: ThreadPoolExecutor) -> None:
    store.queue.add([a_task()])
    claim = claimed(store)
    waiting = pool.submit(next_claim, store)
    store.queue.add([a_task()])
    assert store.queue.settle(claim)
    assert waiting.result().generation == 2


def test_close_ends_the_waiting(open_another: OpenStore) -> None:
    store = open_another()
    assert store.queue.claim("worker-1") is None
    started = threading.Event()

    def wait() -> None:
        started.set()
        store._waker.wait(store._waker.version, FOR_EVER)

    thread = threading.Thread(target=wait)
    thread.start()
    assert started.wait(FOR_EVER)
    store.close()
    thread.join()
    assert not any(thread.name == "countersign-waker" for thread in threading.enumerate())


def test_waiting_ends_when_its_time_is_over(store: Store) -> None:
    assert store.queue.claim("worker-1") is None
    for _ in range(3):
        store.queue.wait(0.01)
    assert store.queue.claim("worker-1") is None
