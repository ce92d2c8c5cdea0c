"""How much the app takes and does: judgements, webhooks, bursts; CPU, memory, idle CPU.

The sandbox runs in a process of its own and shares the machine's cores, so its own limit is
measured first: the same two calls of a judgement, from a client that does nothing else.
"""

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import click
import psutil

from bench.app import App
from bench.databases import url_of
from bench.hub import SHOP, Called, Hub, RemoteHub
from bench.latency import repeat
from bench.load import Posted, Webhook, labeled, post
from bench.table import Figure, console, gather, percentile, print_table
from github_app.store.database import Store, open_store

BARE_THREADS = 16
PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    pulls: int = 500
    batches: int = 15
    batch: int = 30
    rate: float = 300.0
    rated: int = 9_000
    burst: int = 10_000
    events: int = 50_000
    idle: float = 30.0
    bare: int = 30
    latency_ms: int = 100
    threads: int | None = None


# --- run inside the sandbox's process -------------------------------------------------------------


def build(hub: Hub, count: int, tag: str) -> list[tuple[int, str]]:
    """Open that many AI-assisted pull requests without a webhook: (number, head) of each."""
    with hub.box.world.quiet():
        numbers = [hub.open_pull(f"{tag}-{place}") for place in range(count)]
    return [(number, hub.box.world.pull(SHOP, number).head_sha) for number in numbers]


def template(hub: Hub) -> dict[str, Any]:
    """The payload of a real ``labeled`` event."""
    number = hub.open_pull("template")
    hub.act("june", "add_label", repo=SHOP, number=number, label="bug")
    hub.settle()
    found = [body for event, body in hub.kept if event == "pull_request"]
    payload: dict[str, Any] = json.loads(found[-1])
    return payload


def environment(hub: Hub) -> dict[str, str]:
    return hub.env()


def written(hub: Hub) -> list[float]:
    """When check runs were written."""
    return [called.done_at for called in hub.writes()]


def count_written(hub: Hub) -> int:
    return len(hub.writes())


def judged(hub: Hub, numbers: Sequence[int]) -> int:
    """How many of them have their check."""
    return sum(hub.conclusion(number) is not None for number in numbers)


def two_calls(hub: Hub) -> tuple[str, tuple[Called, Called]]:
    """The URL, and the query and the write of the last judgement."""
    query = next(c for c in reversed(hub.calls) if c.kind == "graphql:PullRequestSnapshot")
    return hub.box.url, (query, hub.writes()[-1])


# --- the measurements -----------------------------------------------------------------------------


@dataclass(slots=True)
class Bench:
    size: Size
    remote: RemoteHub
    app: App
    store: Store
    secret: str
    template: dict[str, Any]

    def webhooks(self, pulls: Sequence[tuple[int, str]]) -> list[Webhook]:
        return [labeled(self.template, number, head) for number, head in pulls]

    def post(self, webhooks: Sequence[Webhook], count: int, *, rate: float = 0.0) -> list[Posted]:
        return post(self.app.url, webhooks, self.secret, count, rate=rate)

    def worked_off(self) -> None:
        """Wait until the queue is empty."""
        self._wait(lambda: not self.store.queue.stats().counts)

    def until_written(self, count: int) -> list[float]:
        """Wait until that many check runs were written in all; when each was."""
        self._wait(lambda: self.remote.run(count_written) >= count)
        return self.remote.run(written)

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError("the work was not done in time")
            time.sleep(0.25)

    def _cpu_of_all(self) -> dict[str, float]:
        """Seconds of CPU so far. The client's are counted when it has ended, with its start."""
        own = os.times()
        found = {part: _cpu(self.app.part(part)) for part in ("web", "worker")}
        return found | {
            "sandbox": _cpu([psutil.Process(self.remote.pid)]),
            "client": own.children_user + own.children_system,
        }

    # --- one after the other ---

    def sustained(self) -> list[Figure]:
        """All pull requests at once: how fast their checks are written while there is enough."""
        size = self.size
        pulls = self.remote.run(build, size.pulls, "sustained")
        before, cpu = self.remote.run(count_written), self.app.cpu()
        self.post(self.webhooks(pulls), len(pulls))
        times = self.until_written(before + len(pulls))[before:]
        used = self.app.cpu() - cpu
        tenth = len(times) // 10
        middle = times[tenth : len(times) - tenth]
        rate = (len(middle) - 1) / (middle[-1] - middle[0])
        url, calls = self.remote.run(two_calls)
        alone = bare_rate(url, calls, size.bare)
        threads = size.threads or "default"
        return [
            Figure(
                f"judgements/s at {size.latency_ms} ms", rate, "/s", 40, most=False,
                remark=f"{len(times)} at once, {threads} threads, "
                f"{used / len(pulls) * 1000:.1f} ms CPU each",
            ),
            Figure(
                "pairs of calls/s the sandbox can answer", alone, "/s",
                remark=f"{BARE_THREADS} bare clients, no app running beside them",
            ),
        ]  # fmt: skip

    def cpu(self) -> list[Figure]:
        """CPU of web and worker for one event and its judgement, check run written."""
        size = self.size
        found = []
        for place in range(size.batches):
            pulls = self.remote.run(build, size.batch, f"cpu-{place}")
            before, cpu = self.remote.run(count_written), self.app.cpu()
            self.post(self.webhooks(pulls), len(pulls))
            self.until_written(before + len(pulls))
            self.worked_off()
            found.append((self.app.cpu() - cpu) / len(pulls) * 1000)
        remark = f"{min(found):.1f} to {max(found):.1f} in {len(found)} batches of {size.batch}"
        return [Figure("CPU of an event and its judgement", median(found), "ms", 15, remark=remark)]

    def accepted(self) -> list[Figure]:
        """A steady stream of webhooks while the worker judges."""
        size = self.size
        pulls = self.remote.run(build, size.pulls, "accepted")
        served = len(self.app.served())
        before, started = self._cpu_of_all(), time.monotonic()
        posted = self.post(self.webhooks(pulls), size.rated, rate=size.rate)
        used = {part: (cpu - before[part]) for part, cpu in self._cpu_of_all().items()}
        seconds = time.monotonic() - started
        inside = self.app.served()[served:]
        self.worked_off()
        cores = ", ".join(f"{part} {cpu / seconds:.2f}" for part, cpu in used.items())
        at = f"webhooks at {size.rate:.0f}/s"
        p99, p50 = (percentile([one.seconds for one in posted], nth) * 1000 for nth in (99, 50))
        late = percentile([one.late for one in posted], 99) * 1000
        refused = sum(one.status != 202 for one in posted)
        return [
            Figure(
                f"{at}: p99", p99, "ms", 100,
                remark=f"median {p50:.1f} ms, {len(posted)} sent, worker judging; from when it "
                "was due",
            ),
            Figure(
                f"{at}: p99 inside the web side", percentile(inside, 99) * 1000, "ms",
                remark=f"median {percentile(inside, 50) * 1000:.1f} ms, by gunicorn's clock",
            ),
            Figure(
                f"{at}: p99 late in the client", late, "ms",
                remark="part of the first figure and not the app's",
            ),
            Figure(f"{at}: refused", refused, target=0, remark=f"cores used: {cores}"),
            Figure("CPU of web for a webhook", used["web"] / len(posted) * 1000, "ms"),
        ]  # fmt: skip

    def burst(self) -> list[Figure]:
        """As many events at once as come after an outage of GitHub's."""
        size = self.size
        pulls = self.remote.run(build, size.pulls, "burst")
        started = time.monotonic()
        posted = self.post(self.webhooks(pulls), size.burst)
        accepted = time.monotonic() - started
        self.worked_off()
        done = time.monotonic() - started
        missing = len(pulls) - self.remote.run(judged, [number for number, _ in pulls])
        refused = sum(one.status != 202 for one in posted)
        rate = len(posted) / accepted
        return [
            Figure(f"burst of {size.burst:,}: refused", refused, target=0),
            Figure(f"burst of {size.burst:,}: accepted in", accepted, "s", remark=f"{rate:.0f}/s"),
            Figure(f"burst of {size.burst:,}: worked off in", done, "s"),
            Figure(f"burst of {size.burst:,}: without a check", missing, target=0),
        ]

    def memory(self) -> list[Figure]:
        """What web and worker hold after very many events."""
        size = self.size
        pulls = self.remote.run(build, size.pulls, "memory")
        before = self.app.memory()
        posted = self.post(self.webhooks(pulls), size.events)
        self.worked_off()
        parts = {name: self.app.memory(name) for name in ("web", "worker")}
        share = ", ".join(f"{name} {value:.0f}" for name, value in parts.items())
        rss = sum(process.memory_info().rss for process in self.app.processes()) / 1e6
        refused = sum(one.status != 202 for one in posted)
        return [
            Figure(
                f"memory after {size.events:,} more events", self.app.memory(), "MB", 250,
                remark=f"{share}, supervisor the rest; {before:.0f} before; "
                f"{rss:.0f} if shared pages count for each; {refused} refused",
            )
        ]  # fmt: skip

    def idle(self) -> list[Figure]:
        """Nothing to do."""
        time.sleep(min(self.size.idle, 3.0))
        cpu = self.app.cpu()
        time.sleep(self.size.idle)
        share = (self.app.cpu() - cpu) / self.size.idle * 100
        return [Figure("idle CPU, of one core", share, "%", 1.0)]


def _cpu(processes: Sequence[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def bare_rate(url: str, calls: tuple[Called, Called], count: int) -> float:
    """Pairs of calls a second that many clients get at once."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_bare_rate, (url, calls, count))


def _bare_rate(url: str, calls: tuple[Called, Called], count: int) -> float:
    clients = [
        threading.Thread(target=repeat, args=(url, calls, count)) for _ in range(BARE_THREADS)
    ]
    started = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return BARE_THREADS * (count + 1) / (time.monotonic() - started)


PARTS: dict[str, Callable[[Bench], list[Figure]]] = {
    "sustained": Bench.sustained,
    "cpu": Bench.cpu,
    "accepted": Bench.accepted,
    "burst": Bench.burst,
    "memory": Bench.memory,
    "idle": Bench.idle,
}


def run(
    size: Size | None = None, parts: Sequence[str] = tuple(PARTS), *, postgres: bool = False
) -> list[Figure]:
    size = size or Size()
    figures: list[Figure] = []
    with (
        url_of(postgres=postgres) as url,
        RemoteHub(latency_ms=size.latency_ms) as remote,
    ):
        made = remote.run(template)
        given = remote.run(environment)
        with (
            App(given, threads=size.threads, database_url=url, note_served=True) as app,
            open_store(app.database_url) as store,
        ):
            bench = Bench(size, remote, app, store, given["GITHUB_WEBHOOK_SECRET"], made)
            for part in parts:
                found = PARTS[part](bench)
                gather(found)  # at once: the next one may break off
                figures += found
    print_table(f"How much it takes and does ({'PostgreSQL' if postgres else 'SQLite'})", figures)
    return figures


@click.command()
@click.option("--part", "parts", multiple=True, type=click.Choice(list(PARTS)))
@click.option("--skip", multiple=True, type=click.Choice(list(PARTS)))
@click.option("--threads", type=int, default=None, help="Of the worker; default: the app's own.")
@click.option("--latency", "latency_ms", default=100, show_default=True)
@click.option("--seconds", default=30.0, show_default=True, help="Of the accepted part.")
@click.option("--events", default=50_000, show_default=True, help="Of the memory part.")
@click.option("--postgres", is_flag=True, help="On a PostgreSQL server started for it.")
def main(
    parts: tuple[str, ...],
    skip: tuple[str, ...],
    threads: int | None,
    latency_ms: int,
    seconds: float,
    events: int,
    *,
    postgres: bool,
) -> None:
    """Measure throughput, CPU and memory."""
    console.print("this takes some minutes")
    size = Size(threads=threads, latency_ms=latency_ms, events=events)
    size = replace(size, rated=round(seconds * size.rate))
    wanted = [part for part in parts or PARTS if part not in skip]
    run(size, wanted, postgres=postgres)


if __name__ == "__main__":
    main()
