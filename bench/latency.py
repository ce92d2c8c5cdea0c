"""From the review event to the published check run, beside the bare cost of the two calls."""

import http.client
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import click

from bench.app import App
from bench.databases import url_of
from bench.hub import SHOP, Called, Hub
from bench.table import Figure, console, milliseconds, percentile, show

OWN_MS = 30.0
ALL_MS = {0: 40.0, 100: 250.0}


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds: ``verdicts`` from the webhook to the check, ``bare`` the same two calls alone."""

    latency_ms: int
    verdicts: list[float]
    bare: list[float]

    def figures(self) -> list[Figure]:
        whole, bare = milliseconds(self.verdicts), milliseconds(self.bare)
        at = f"at {self.latency_ms} ms"
        tail = f"p90 {percentile(self.verdicts, 90) * 1000:.0f} ms, n={len(self.verdicts)}"
        return [
            Figure(
                f"review to verdict {at}", whole, "ms", ALL_MS.get(self.latency_ms), remark=tail
            ),
            Figure(f"the same two calls, bare client, {at}", bare, "ms"),
            Figure(f"difference {at}", whole - bare, "ms", OWN_MS),
            Figure(f"ratio {at}", whole / bare, "x"),
        ]


def measure(latency_ms: int, count: int, *, postgres: bool) -> Measured:
    """Approve ``count`` waiting pull requests, one after the other, on an idle system."""
    with (
        url_of(postgres=postgres) as url,
        Hub(latency_ms=latency_ms) as hub,
        App(hub.env(), database_url=url) as app,
    ):
        hub.target = app.url
        hub.open_pull("warm-up")
        hub.settle()
        verdicts = [_one(hub, place) for place in range(count)]
        bare = _bare(hub.box.url, _two_calls(hub), count)
    return Measured(latency_ms, verdicts, bare)


def _one(hub: Hub, place: int) -> float:
    number = hub.open_pull(f"latency-{place}")
    if not hub.wait_for(lambda: hub.conclusion(number) == "action_required"):
        raise RuntimeError("the pull request was not judged")
    hub.settle()
    before = len(hub.writes())
    hub.act("grace", "approve", repo=SHOP, number=number)
    if not hub.wait_for(lambda: len(hub.writes()) > before):
        raise RuntimeError("the approval was not judged")
    review = next(s for s in reversed(hub.sent) if s.event == "pull_request_review")
    if hub.conclusion(number) != "success":
        raise RuntimeError("the approval did not turn the check green")
    return hub.writes()[-1].done_at - review.sent_at


def _two_calls(hub: Hub) -> tuple[Called, Called]:
    """The query and the write of the last judgement, as the app sent them."""
    write = hub.writes()[-1]
    query = next(c for c in reversed(hub.calls) if c.kind == "graphql:PullRequestSnapshot")
    return query, write


def _bare(url: str, calls: tuple[Called, Called], count: int) -> list[float]:
    """Repeat two calls from a process that does nothing else: seconds for each pair."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(repeat, (url, calls, count))


def repeat(url: str, calls: Sequence[Called], count: int) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    found = []
    for _ in range(count + 1):
        started = time.monotonic()
        for call in calls:
            verb = call.kind.partition(" ")[0] if " " in call.kind else "POST"
            headers = {"Authorization": call.authorization, "Content-Type": "application/json"}
            connection.request(verb, call.path, call.body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{call.kind}: {answer.status}")
        found.append(time.monotonic() - started)
    connection.close()
    return found[1:]  # the first one opened the connection


def run(
    *, count: int = 30, latencies: Sequence[int] = (0, 100), postgres: bool = False
) -> list[Figure]:
    figures: list[Figure] = []
    for latency_ms in latencies:
        figures += measure(latency_ms, count, postgres=postgres).figures()
    on = "PostgreSQL" if postgres else "SQLite"
    return show(f"From the review event to the published check, median ({on})", figures)


@click.command()
@click.option("--count", default=30, show_default=True, type=click.IntRange(1))
@click.option("--latency", "latencies", multiple=True, type=int, default=(0, 100))
@click.option("--postgres", is_flag=True, help="On a PostgreSQL server started for it.")
def main(count: int, latencies: tuple[int, ...], *, postgres: bool) -> None:
    """Measure how long a review takes to become a verdict."""
    console.print(f"{count} approvals each")
    run(count=count, latencies=latencies, postgres=postgres)


if __name__ == "__main__":
    main()
