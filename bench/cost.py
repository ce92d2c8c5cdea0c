"""What GitHub is asked for: the life of a pull request, one judgement, a storm of events."""

import time
from collections import Counter
from dataclasses import dataclass

import click

from bench.app import App
from bench.hub import SHOP, Hub
from bench.table import Figure, console, show

STORM = 50  # events, within a second
SNAPSHOT = "graphql:PullRequestSnapshot"


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls by kind, and primary points in all."""

    kinds: Counter[str]
    points: int

    @property
    def calls(self) -> int:
        return self.kinds.total()

    @property
    def snapshots(self) -> int:
        return self.kinds[SNAPSHOT]

    @property
    def writes(self) -> int:
        return sum(n for kind, n in self.kinds.items() if "/check-runs" in kind)

    def __str__(self) -> str:
        return ", ".join(f"{n} x {kind}" for kind, n in self.kinds.most_common())


def spent(hub: Hub) -> Spent:
    """Everything since the counters were last reset."""
    summary = hub.box.calls.summary()
    kinds = Counter({kind: row["calls"] for kind, row in summary["by_kind"].items()})
    return Spent(kinds, summary["cost"])


def life(hub: Hub) -> Spent:
    """A pull request from its opening to its sign-off, everybody waiting for the check each time.

    Opened with a label, 3 pushes, 2 comments, 1 label, 2 reviews, 1 CI run.
    """
    hub.box.calls.reset()
    number = hub.open_pull("life", labels=("ai-assisted",))
    hub.settle()
    for place in range(3):
        hub.act("june", "push", repo=SHOP, branch="life", commits=[{"message": f"Mend {place}"}])
        hub.settle()
    for actor in ("kim", "june"):
        hub.act(actor, "comment", repo=SHOP, number=number, body="Have a look at this")
        hub.settle()
    hub.act("june", "add_label", repo=SHOP, number=number, label="bug")
    hub.settle()
    head = hub.box.pull(number)["head_sha"]
    hub.act("olga", "report_check", repo=SHOP, name="build", sha=head, conclusion="success")
    hub.settle()
    for actor in ("kim", "grace"):
        hub.act(actor, "approve", repo=SHOP, number=number)
        hub.settle()
    if hub.conclusion(number) != "success":
        raise RuntimeError("the life did not end in a sign-off")
    return spent(hub)


def one(hub: Hub, *, changed: bool) -> Spent:
    """One judgement of an ordinary pull request, of which something changed, or nothing."""
    branch = f"one-{changed}"
    number = hub.open_pull(branch)
    hub.settle()
    hub.box.calls.reset()
    if changed:
        hub.act("grace", "approve", repo=SHOP, number=number)
    else:
        hub.act("june", "add_label", repo=SHOP, number=number, label="bug")
    hub.settle()
    return spent(hub)


def storm(hub: Hub, events: int = STORM) -> Spent:
    """That many events within one second on one pull request; the last is an approval."""
    number = hub.open_pull("storm")
    hub.settle()
    hub.box.calls.reset()
    started = time.monotonic()
    for place in range(events):
        time.sleep(max(started + place / events - time.monotonic(), 0))
        if place == events - 1:
            hub.act("grace", "approve", repo=SHOP, number=number)
        else:
            hub.act("june", "edit_pull_request", repo=SHOP, number=number, title=f"Try {place}")
    hub.settle(1.0)
    if hub.conclusion(number) != "success":
        raise RuntimeError("the last event of the storm was not judged")
    return spent(hub)


def run(*, events: int = STORM, latency_ms: int = 100) -> list[Figure]:
    with Hub(latency_ms=latency_ms) as hub, App(hub.env()) as app:
        hub.target, hub.idle = app.url, app.idle
        whole = life(hub)
        changed, unchanged = one(hub, changed=True), one(hub, changed=False)
        storms = storm(hub, events)
    figures = [
        Figure("life of a pull request: calls", whole.calls, target=20, remark=str(whole)),
        Figure("life of a pull request: primary points", whole.points, target=30),
        Figure("tokens minted in that life", _tokens(whole), target=1),
        Figure("one judgement: queries", changed.snapshots, target=1, remark=str(changed)),
        Figure("one judgement: writes", changed.writes, target=1),
        Figure("one judgement: calls in all", changed.calls, target=2),
        Figure("nothing changed: calls", unchanged.calls, target=1, remark=str(unchanged)),
        Figure("nothing changed: writes", unchanged.writes, target=0),
        Figure(f"{events} events in a second: judgements", storms.snapshots, target=5),
        Figure(f"{events} events in a second: calls", storms.calls, remark=str(storms)),
    ]
    return show(f"What GitHub is asked for (it answers in {latency_ms} ms)", figures)


def _tokens(found: Spent) -> int:
    return sum(n for kind, n in found.kinds.items() if kind.endswith("/access_tokens"))


@click.command()
@click.option("--events", default=STORM, show_default=True, type=click.IntRange(2))
@click.option("--latency", "latency_ms", default=100, show_default=True)
def main(events: int, latency_ms: int) -> None:
    """Count calls, points and judgements."""
    console.print("counting calls")
    run(events=events, latency_ms=latency_ms)


if __name__ == "__main__":
    main()
