"""Measures the store beside a plain fsynced INSERT: ``python -m bench.store [--postgresql URL]``.

Prints a table; nothing here passes or fails. The web side and the worker side are processes of
their own, as in production. Figures depend on the disk and on what else the machine does, so
read the ratios.
"""

import argparse
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

import psutil

from github_app.store.audit import Entry, RecordKind
from github_app.store.claim import Claim
from github_app.store.database import Store, open_store
from github_app.store.inbox import Delivery
from github_app.store.task import Task, TaskKind

BODY = b"x" * 12_000  # a pull_request event of an ordinary repository
WEB_THREADS = 8
SPAWN = multiprocessing.get_context("spawn")

Row = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database to measure on too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain = plain_insert(Path(folder) / "plain.db")
        show("plain", [("INSERT of one delivery with fsync, median", "", ms(plain))])
        show("SQLite", measure(f"sqlite:///{folder}/store.db", plain))
    if given.postgresql:
        show("PostgreSQL", measure(given.postgresql, plain))


def show(title: str, rows: list[Row]) -> None:
    for what, target, figure in rows:
        print(f"{title:<11} {what:<66} {target:>12} {figure:>34}", flush=True)


def measure(url: str, plain: float) -> list[Row]:
    with open_store(url) as store:
        rows = [
            *puts_alone(store, plain),
            *a_judgement(store),
            *backlog(store),
            *verification(store),
        ]
    return [*rows, *latency(url), *idle(url), *steady_load(url)]


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


def puts_alone(store: Store, plain: float) -> list[Row]:
    numbers = iter(range(10**9))
    spent = timed(lambda: put(store, f"alone-{next(numbers)}", next(numbers) % 50), 1_000)
    middle = statistics.median(spent)
    return [
        ("put, median", "3 ms", f"{ms(middle)} = {middle / plain:.1f} x plain"),
        ("put, 99th percentile", "", ms(percentile(spent, 99))),
    ]


def a_judgement(store: Store) -> list[Row]:
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
        ("claim, median", "", ms(statistics.median(claims))),
        ("settle with its audit record, median", "", ms(statistics.median(settles))),
        ("claim + holds + record + settle, median", "", ms(statistics.median(wholes))),
        ("CPU of put + all of these", "", ms(cpu)),
    ]


def backlog(store: Store) -> list[Row]:
    drain(store)
    start = time.perf_counter()
    with ThreadPoolExecutor(WEB_THREADS) as pool:
        list(pool.map(lambda number: put(store, f"burst-{number}", number), range(10_000)))
    burst = time.perf_counter() - start
    claims = timed(lambda: must(store.queue.claim("bench")), 100)
    start = time.perf_counter()
    drain(store)
    return [
        ("burst of 10,000 events on 10,000 pull requests", "all", f"{10_000 / burst:.0f}/s"),
        ("claim out of 10,000, median", "", ms(statistics.median(claims))),
        (
            "claim + settle, draining, one thread",
            "",
            f"{9_900 / (time.perf_counter() - start):.0f}/s",
        ),
    ]


def verification(store: Store) -> list[Row]:
    start = time.perf_counter()
    result = store.audit.verify()
    assert result.ok
    rate = result.records / (time.perf_counter() - start)
    return [("audit verify", "", f"{rate:.0f} records/s")]


# --- two processes ---------------------------------------------------------------------------


def latency(url: str) -> list[Row]:
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
    return [
        (
            "idle, from put to claim in another process, median",
            "20 ms",
            ms(statistics.median(spent)),
        )
    ]


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


def idle(url: str) -> list[Row]:
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
        ("idle, 8 threads waiting, of one core", "1 %", f"{100 * used / seconds:.2f} %"),
        ("resident memory of that process", "", f"{memory:.0f} MB"),
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


def steady_load(url: str, *, seconds: float = 15.0) -> list[Row]:
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
        ("300 puts/s beside 40 judgements/s: puts/s", "300", f"{rate:.0f}"),
        ("  judgements/s", "40", f"{judged.value / seconds:.0f}"),
        ("  put, median", "", ms(statistics.median(spent))),
        ("  put, 99th percentile", "100 ms", ms(percentile(spent, 99))),
        ("  put, longest", "", ms(max(spent))),
        ("  put and its waiting for a thread, 99th percentile", "100 ms", ms(percentile(late, 99))),
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


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def ms(seconds: float) -> str:
    return f"{seconds * 1_000:.2f} ms"


if __name__ == "__main__":
    main()
