"""Kills, faults and a bad network under load: is anything lost, stale, or green without a right?

The app's processes are killed with SIGKILL at random moments; GitHub answers a share of the calls
with every kind of fault; webhooks are lost (with and without a trace), repeated and reordered. When
that ends no new event is sent, and every check is compared with what the sandbox's own reviews say.
"""

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field

import click
import psutil

from bench.app import App
from bench.hub import CLAUDE, SHOP, Hub
from bench.table import Figure, console, number, show
from sandbox.world import PullRequest

SENIORS = frozenset({"ada", "grace"})
# Everything but ``primary``, which ends the allowance of a whole hour, and ``suspended``, which
# GitHub ends with an event.
FAULTS = (
    "error", "reset", "timeout", "secondary", "too-many", "partial", "truncated", "empty",
    "malformed", "unauthorized", "stale", "after",
)  # fmt: skip
RIGHT_WITHIN = 15.0
GIVE_UP = 90.0
SAMPLE = 0.02


@dataclass(frozen=True, slots=True)
class Storm:
    """How bad it gets."""

    kills: int = 20
    pulls: int = 25
    faults: float = 0.3
    webhooks: float = 0.2
    between: tuple[float, float] = (0.5, 3.0)
    pause: float = 0.15
    latency_ms: float = 20.0
    sweep_every: float = 5.0
    seed: int = 1


@dataclass(slots=True)
class Chaos:
    """The load, the watch and the kills, each in a thread of its own."""

    hub: Hub
    app: App
    storm: Storm
    dice: random.Random
    numbers: list[int] = field(default_factory=list)
    assisted: set[int] = field(default_factory=set)
    actions: int = 0
    killed: dict[str, int] = field(default_factory=lambda: {"web": 0, "worker": 0})
    greens: set[tuple[int, str]] = field(default_factory=set)
    wrong_greens: set[tuple[int, str]] = field(default_factory=set)
    stale_since: dict[int, float] = field(default_factory=dict)
    longest_stale: float = 0.0
    samples: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    # --- load ---

    def open(self) -> None:
        for place in range(self.storm.pulls):
            assisted = place % 5 != 0
            pull = self.hub.open_pull(f"chaos-{place}", assisted=assisted)
            self.numbers.append(pull)
            if assisted:
                self.assisted.add(pull)

    def act(self) -> None:
        """Do something at random with a random pull request."""
        pull, dice = self.dice.choice(self.numbers), self.dice
        self.hub.box.courier.weather.silently = dice.random() < 0.5
        match dice.choice(("push", "approve", "approve", "approve", "reject", "dismiss", "label")):
            case "push":
                self._push(pull)
            case "approve":
                who = dice.choice(("ada", "grace", "kim"))
                self.hub.act(who, "approve", repo=SHOP, number=pull)
            case "reject":
                self.hub.act("grace", "request_changes", repo=SHOP, number=pull, body="No")
            case "dismiss":
                self._dismiss(pull)
            case "label":
                self.hub.act(
                    "kim", "add_label", repo=SHOP, number=pull, label=f"l{self.actions}"
                )  # fmt: skip
        self.actions += 1

    def _push(self, pull: int) -> None:
        branch = self.hub.box.world.pull(SHOP, pull).head_ref
        message = f"Go on {self.actions}"
        if self.dice.random() < 0.3:
            message = f"{message}\n\n{CLAUDE}"
            self.assisted.add(pull)
        self.hub.act("june", "push", repo=SHOP, branch=branch, commits=[{"message": message}])

    def _dismiss(self, pull: int) -> None:
        reviews = self.hub.box.world.pull(SHOP, pull).reviews
        standing = [r.id for r in reviews if r.state in {"APPROVED", "CHANGES_REQUESTED"}]
        if standing:
            chosen = self.dice.choice(standing)
            self.hub.act(
                "olga", "dismiss_review", repo=SHOP, number=pull, review_id=chosen, message="Old"
            )  # fmt: skip

    # --- what is right ---

    def wanted(self, pull: PullRequest) -> str:
        """The conclusion that the reviews in the sandbox ask for, by rules of our own."""
        if pull.number not in self.assisted:
            return "success"
        standing: dict[str, tuple[str, str]] = {}
        for review in pull.reviews:
            if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
                standing[review.author.login] = (review.state, review.commit_sha or "")
        said = [standing[login] for login in SENIORS if login in standing]
        if any(state == "CHANGES_REQUESTED" for state, _ in said):
            return "failure"
        signed = ("APPROVED", pull.head_sha) in said
        return "success" if signed else "action_required"

    def differences(self) -> dict[int, tuple[str, str | None]]:
        """Pull request -> what is wanted and what stands, where they differ."""
        found = {}
        with self.hub.box.world.lock:
            for one in self.numbers:
                wanted = self.wanted(self.hub.box.world.pull(SHOP, one))
                stands = self.hub.conclusion(one)
                if wanted != stands:
                    found[one] = (wanted, stands)
        return found

    def watch(self) -> None:
        """Look for greens: on a head that no senior ever approved, or after that was withdrawn."""
        while not self._over.wait(SAMPLE):
            with self.hub.box.world.lock:
                for one in list(self.assisted):
                    self._look(self.hub.box.world.pull(SHOP, one))
            self.samples += 1

    def _look(self, pull: PullRequest) -> None:
        green = self.hub.conclusion(pull.number) == "success"
        if green:
            self.greens.add((pull.number, pull.head_sha))
        if not green or self.wanted(pull) == "success":
            self.stale_since.pop(pull.number, None)
            return
        signed = any(
            review.author.login in SENIORS
            and review.commit_sha == pull.head_sha
            and review.state in {"APPROVED", "DISMISSED"}
            for review in pull.reviews
        )
        if not signed:
            self.wrong_greens.add((pull.number, pull.head_sha))
        since = self.stale_since.setdefault(pull.number, time.monotonic())
        self.longest_stale = max(self.longest_stale, time.monotonic() - since)

    # --- trouble ---

    def begin(self) -> None:
        storm, box = self.storm, self.hub.box
        box.faults.latency = storm.latency_ms / 1000
        # Each is asked in turn, so the later ones see what the earlier ones have left.
        each = 1 - (1 - storm.faults) ** (1 / len(FAULTS))
        for kind in FAULTS:
            box.faults.add(kind, probability=each, seconds=1.0)
        weather = box.courier.weather
        weather.lose = weather.duplicate = weather.reorder = storm.webhooks

    def end(self) -> None:
        latency = self.hub.box.faults.latency
        self.hub.box.faults.clear()
        self.hub.box.faults.latency = latency
        weather = self.hub.box.courier.weather
        weather.lose = weather.duplicate = weather.reorder = 0.0

    def kill(self) -> None:
        """SIGKILL a process of the web or of the worker, once there is one."""
        name = min(self.killed, key=lambda part: (self.killed[part], self.dice.random()))
        family = self.app.part(name)
        if family:
            victim = self.dice.choice(family)
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                return
            self.killed[name] += 1

    def run(self) -> float | None:
        """Everything; seconds from the end of the trouble until all was right, None: never."""
        self.open()
        watcher = threading.Thread(target=self.watch, daemon=True)
        loader = threading.Thread(target=self._load, daemon=True)
        self.begin()
        watcher.start()
        loader.start()
        while sum(self.killed.values()) < self.storm.kills:
            time.sleep(self.dice.uniform(*self.storm.between))
            self.kill()
        self._loaded.set()
        loader.join()
        self.hub.box.drain(10)  # what was delayed on its way is delivered in bad weather still
        self.end()
        seconds = self._until_right()
        self._over.set()
        watcher.join()
        return seconds

    _loaded: threading.Event = field(default_factory=threading.Event)

    def _load(self) -> None:
        while not self._loaded.wait(self.storm.pause):
            self.act()

    def _until_right(self) -> float | None:
        started = time.monotonic()
        while self.differences():
            if time.monotonic() - started > GIVE_UP:
                return None
            time.sleep(0.1)
        return time.monotonic() - started


def run(
    storm: Storm | None = None, *, database_url: str = "", name: str = "SQLite"
) -> list[Figure]:
    storm = storm or Storm()
    with Hub() as hub:
        options = ("--sweep-every", str(storm.sweep_every))
        with App(hub.env(), options=options, database_url=database_url) as app:
            hub.target = app.url
            chaos = Chaos(hub, app, storm, random.Random(storm.seed))
            seconds = chaos.run()
            left = chaos.differences()
            for one, (wanted, stands) in left.items():
                console.print(f"#{one}: {wanted} is right, {stands} stands")
            log = app.log()
            faults = [line for line in log if line.get("event") == "fault"]
            said = Counter(str(line["event"]) for line in log if line.get("part") == "worker")
            for line in faults[:5]:
                console.print(str(line), markup=False)
    killed = ", ".join(f"{part} {many}" for part, many in chaos.killed.items())
    sent = [one for one in hub.sent if one.status == 202]
    load = f"{chaos.actions} actions, {len(hub.calls)} calls, {len(sent)} webhooks taken"
    watched = (
        f"{len(chaos.greens)} greens seen in {chaos.samples} looks; "
        f"longest after a withdrawal {number(chaos.longest_stale)} s"
    )
    return show(
        f"Chaos on {name}: {storm.faults:.0%} faults, {storm.webhooks:.0%} of webhooks lost, "
        "repeated, reordered",
        [
            Figure("kills -9", sum(chaos.killed.values()), remark=f"{killed}; {load}"),
            Figure("checks lost", len(left), target=0),
            Figure(
                "all right after the trouble ended", GIVE_UP if seconds is None else seconds, "s",
                RIGHT_WITHIN, remark=f"no new event; sweeps every {storm.sweep_every:g} s",
            ),
            Figure("green on an unsigned head", len(chaos.wrong_greens), target=0, remark=watched),
            Figure(
                "unexpected faults in the log", len(faults), target=0,
                remark=", ".join(f"{many} {event}" for event, many in said.most_common()),
            ),
        ],
    )  # fmt: skip


@click.command()
@click.option("--kills", default=20, show_default=True, type=click.IntRange(0))
@click.option("--seed", default=1, show_default=True)
@click.option("--pulls", default=25, show_default=True, type=click.IntRange(1))
@click.option("--sweep-every", default=5.0, show_default=True)
@click.option("--postgres", is_flag=True, help="On a PostgreSQL server started for it.")
def main(kills: int, seed: int, pulls: int, sweep_every: float, *, postgres: bool) -> None:
    """Kill the app's processes under load and faults, then compare every check."""
    storm = Storm(kills=kills, seed=seed, pulls=pulls, sweep_every=sweep_every)
    with ExitStack() as stack:
        if not postgres:
            run(storm)
            return
        from tests.store.postgres import binaries, server

        binary = binaries()
        if binary is None:
            raise click.ClickException("no PostgreSQL on this machine")
        url = stack.enter_context(server(binary)).new_database()
        run(storm, database_url=url, name="PostgreSQL")


if __name__ == "__main__":
    main()
