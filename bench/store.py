"""The database alone, beside a plain fsynced INSERT: webhooks, claims, settling.

The web side and the worker side are processes of their own, as in production. Figures depend on
the disk and on what else the machine does, so read the ratios.
"""

import multiprocessing
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import click
import psutil

from bench.databases import url_of
from bench.table import Figure, milliseconds, percentile, show
from github_app.store.audit import Entry, RecordKind
from github_app.store.claim import Claim
from github_app.store.database import Store, open_store
from github_app.store.inbox import Delivery
from github_app.store.task import Task, TaskKind

BODY = b"x" * 12_000  # a pull_request event of an ordinary repository
WEB_THREADS = 8
SPAWN = multiprocessing.get_context("spawn")


def run(*, postgres: bool = False) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, url_of(postgres=postgres) as given:
        url = given or f"sqlite:///{folder}/store.db"
        plain = plain_insert(Path(folder) / "plain.db")
        with open_store(url) as store:
            figures = [
                Figure("plain INSERT of a delivery with fsync", plain * 1000, "ms"),
                *puts_alone(store, plain),
                *a_judgement(store),
                *backlog(store),
                *verification(store),
            ]
        figures += [*latency(url), *idle(url), *steady_load(url)]
    return show(f"The store alone, medians ({'PostgreSQL' if postgres else 'SQLite'})", figures)


@click.command()
@click.option("--postgres", is_flag=True, help="On a PostgreSQL server started for it.")
def main(*, postgres: bool) -> None:
    """Measure the store without the app."""
    run(postgres=postgres)


# --- one process -----------------------------------------------------------------------------


def plain_insert(path: Path) -> float:
    """The floor: what SQLite itself takes to put the same bytes on disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (guid TEXT PRIMARY KEY, body BLOB)")
    numbers = iter(range(10**9))

    def insert() -> None:
        connection.execute("INSERT INTO t VALUES (?, ?)", (str(next(numbers)), BODY))

    spent = timed(insert, 1_000)
    connection.close()
    return statistics.median(spent)


def puts_alone(store: Store, plain: float) -> list[Figure]:
    numbers = iter(range(10**9))
    spent = timed(lambda: put(store, f"alone-{next(numbers)}", next(numbers) % 50), 1_000)
    middle = statistics.median(spent)
    return [
        Figure("put", middle * 1000, "ms", 3, remark=f"{middle / plain:.1f} x plain"),
        Figure("put: p99", percentile(spent, 99) * 1000, "ms"),
    ]


def a_judgement(store: Store) -> list[Figure]:
    drain(store)
    claims, settles, wholes = [], [], []
    cpu = time.process_time()
    for number in range(400):
        put(store, f"judgement-{number}", number)
        start = time.perf_counter()
        claim = must(store.queue.claim("bench"))
        claims.append(time.perf_counter() - start)
        record(store, claim)
        before = time.perf_counter()
        store.queue.settle(claim, records=[entry(claim, RecordKind.PUBLISHED)])
        settles.append(time.perf_counter() - before)
        wholes.append(time.perf_counter() - start)
    cpu = (time.process_time() - cpu) / len(wholes)
    return [
        Figure("claim", milliseconds(claims), "ms"),
        Figure("settle with its audit record", milliseconds(settles), "ms"),
        Figure("claim + holds + record + settle", milliseconds(wholes), "ms"),
        Figure("CPU of put + all of these", cpu * 1000, "ms"),
    ]


def backlog(store: Store) -> list[Figure]:
    drain(store)
    start = time.perf_counter()
    with ThreadPoolExecutor(WEB_THREADS) as pool:
        list(pool.map(lambda number: put(store, f"burst-{number}", number), range(10_000)))
    burst = time.perf_counter() - start
    held: list[Claim] = []
    claims = timed(lambda: held.append(must(store.queue.claim("bench"))), 100)
    for claim in held:  # or they come back when their leases end, in the middle of what is next
        store.queue.settle(claim)
    start = time.perf_counter()
    drain(store)
    drained = time.perf_counter() - start
    return [
        Figure("burst of 10,000 events on 10,000 pull requests", 10_000 / burst, "/s"),
        Figure("claim out of 10,000", milliseconds(claims), "ms"),
        Figure("claim + settle, draining, one thread", 9_900 / drained, "/s"),
    ]


def verification(store: Store) -> list[Figure]:
    start = time.perf_counter()
    result = store.audit.verify()
    assert result.ok
    rate = result.records / (time.perf_counter() - start)
    return [Figure("audit verify", rate, "records/s")]


# --- two processes ---------------------------------------------------------------------------


def latency(url: str) -> list[Figure]:
    """From the beginning of ``put`` to the claim in another process that waits."""
    ready, stop = SPAWN.Event(), SPAWN.Event()
    times: multiprocessing.Queue[float] = SPAWN.Queue()
    worker = SPAWN.Process(target=stamp_claims, args=(url, ready, stop, times))
    worker.start()
    ready.wait()
    spent, returned = [], []
    with open_store(url) as store:
        for number in range(100):
            time.sleep(0.03)
            start = time.monotonic()
            put(store, f"latency-{number}", number)
            returned.append(time.monotonic() - start)
            spent.append(times.get() - start)
    stop.set()
    worker.join()
    return [Figure("idle, from put to claim in another process", milliseconds(spent), "ms", 20)]


def stamp_claims(
    url: str, ready: Event, stop: Event, times: "multiprocessing.Queue[float]"
) -> None:
    with open_store(url) as store:
        drain(store)
        ready.set()
        while not stop.is_set():
            claim = store.queue.claim("bench")
            if claim is None:
                store.queue.wait(0.5)
                continue
            times.put(time.monotonic())
            store.queue.settle(claim)


def idle(url: str) -> list[Figure]:
    ready, stop = SPAWN.Event(), SPAWN.Event()
    worker = SPAWN.Process(target=wait_for_nothing, args=(url, ready, stop))
    worker.start()
    ready.wait()
    time.sleep(1)
    process = psutil.Process(worker.pid)
    before = process.cpu_times()
    seconds = 15.0
    time.sleep(seconds)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    memory = process.memory_info().rss / 2**20
    stop.set()
    worker.join()
    return [
        Figure("idle, 8 threads waiting, of one core", 100 * used / seconds, "%", 1),
        Figure("resident memory of that process", memory, "MB"),
    ]


def wait_for_nothing(url: str, ready: Event, stop: Event) -> None:
    with open_store(url) as store:
        drain(store)

        def wait() -> None:
            while not stop.is_set():
                if store.queue.claim("bench") is None:
                    store.queue.wait(5)

        threads = [threading.Thread(target=wait) for _ in range(8)]
        for thread in threads:
            thread.start()
        ready.set()
        for thread in threads:
            thread.join()


def steady_load(url: str, *, seconds: float = 15.0) -> list[Figure]:
    """300 puts/s on 8 threads while another process judges 40/s, as a web and a worker do."""
    ready, stop = SPAWN.Event(), SPAWN.Event()
    judged = SPAWN.Value("i", 0)
    worker = SPAWN.Process(target=judge_steadily, args=(url, ready, stop, judged))
    worker.start()
    ready.wait()
    spent: list[float] = []
    late: list[float] = []
    begin = time.monotonic()

    def one(number: int) -> None:
        due = begin + number / 300
        time.sleep(max(due - time.monotonic(), 0))
        start = time.monotonic()
        put(store, f"steady-{number}", number % 200)
        spent.append(time.monotonic() - start)
        late.append(time.monotonic() - due)

    with open_store(url) as store, ThreadPoolExecutor(WEB_THREADS) as pool:
        list(pool.map(one, range(int(300 * seconds))))
        rate = len(spent) / (time.monotonic() - begin)
    stop.set()
    worker.join()
    return [
        Figure("300 puts/s beside 40 judgements/s: puts", rate, "/s", 299, most=False),
        Figure("300 puts/s: judgements", judged.value / seconds, "/s", 39, most=False),
        Figure("300 puts/s: put", milliseconds(spent), "ms"),
        Figure("300 puts/s: put, p99", percentile(spent, 99) * 1000, "ms", 100),
        Figure("300 puts/s: put, longest", max(spent) * 1000, "ms"),
        Figure(
            "300 puts/s: put and its wait for a thread, p99", percentile(late, 99) * 1000, "ms", 100
        ),
    ]


def judge_steadily(
    url: str, ready: Event, stop: Event, judged: "multiprocessing.sharedctypes.Synchronized[int]"
) -> None:
    with open_store(url) as store:
        drain(store)
        ready.set()
        begin = time.monotonic()
        while not stop.is_set():
            time.sleep(max(begin + judged.value / 40 - time.monotonic(), 0))
            claim = store.queue.claim("bench")
            if claim is None:
                store.queue.wait(0.5)
                continue
            record(store, claim)
            store.queue.settle(claim, records=[entry(claim, RecordKind.PUBLISHED)])
            judged.value += 1


# --- parts -----------------------------------------------------------------------------------


def put(store: Store, guid: str, number: int) -> None:
    delivery = Delivery(
        guid=guid,
        event="pull_request",
        action="synchronize",
        installation_id=1,
        body=BODY,
        received_at=datetime.now(UTC),
    )
    task = Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=1,
        repository_id=10,
        subject=str(number),
        full_name="acme/shop",
        hint={"head_sha": "ab" * 20, "updated_at": "2026-11-21T12:00:00Z"},
    )
    store.inbox.put(delivery, [task])


def record(store: Store, claim: Claim) -> None:
    store.audit.append(entry(claim, RecordKind.JUDGED))
    assert store.queue.holds(claim, 1)


def entry(claim: Claim, kind: RecordKind) -> Entry:
    return Entry(
        kind=kind,
        repository_id=10,
        repository="acme/shop",
        number=int(claim.task.subject),
        head_sha="ab" * 20,
        outcome="WAITING",
        deliveries=claim.deliveries,
        fields={"reasons": ["CS001"], "evidence": ["0" * 64] * 3, "title": "Waiting for a senior"},
    )


def drain(store: Store) -> None:
    while (claim := store.queue.claim("drain")) is not None:
        store.queue.settle(claim)


def must(claim: Claim | None) -> Claim:
    assert claim is not None
    return claim


def timed(work: Callable[[], object], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return spent


if __name__ == "__main__":
    main()
