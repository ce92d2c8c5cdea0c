"""Kills, faults and a bad network under load: is anything lost, stale, or green without a right?

The app's processes are killed with SIGKILL at random moments; GitHub answers a share of the calls
with every kind of fault; webhooks are lost (with and without a trace), repeated and reordered. When
that ends no new event is sent, and every check is compared with what the sandbox's own reviews say.
"""

import random
import shutil
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import click
import psutil

from bench.app import App
from bench.hub import CLAUDE, SHOP, Hub
from bench.table import Figure, console, number, show
from sandbox.errors import Refused
from sandbox.objects import CheckRun, PullRequest

SENIORS = frozenset({"ada", "grace"})
PRINCIPAL = "ada"
# What GitHub does to a call, and for how long it says that it will not answer any more.
FAULTS: dict[str, float] = {
    "error": 0, "reset": 0, "timeout": 1, "partial": 0, "truncated": 0, "empty": 0, "malformed": 0,
    "half": 0, "unauthorized": 0, "suspended": 0, "stale": 0, "after": 0,
}  # fmt: skip
# More rarely: a hang that outlasts the patience of a write, statuses that a proxy gives, and
# limits, which end every call of the installation for a while.
RARE = (
    ("timeout", 200, 6.0), ("error", 502, 0.0), ("error", 503, 0.0),
    ("secondary", 200, 1.0), ("too-many", 200, 1.0), ("primary", 200, 2.0),
)  # fmt: skip
RARELY = 0.005
RIGHT_WITHIN = 15.0
GIVE_UP = 120.0
SAMPLE = 0.02
# A part has taken in or asked so much since it was last killed, at most, before it is killed again.
WORK_BETWEEN = 100
# A green is written on the ground of a snapshot that was read under the same lease.
LEASE = 12.0
RELEASE = "release"
ROSTERS = "acme/.github"
ROSTER = """\
version: 1
levels: [junior, mid, senior, principal]
people:
  ada: {{id: 1815, level: principal}}
  grace: {{id: 1906, level: senior}}
  kim: {{id: 2001, level: {kim}}}
  june: {{id: 2002, level: junior}}
sign_off:
  from: senior
rules:
  - name: releases
    branches: [release]
    from: principal
"""


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
    sweep_every: float = 0.0  # 0: what the app does by default
    keep_log: str = ""  # where the log of the app is copied to
    stays_right: float = LEASE  # so long nothing late may come and overwrite it
    seed: int = 1


@dataclass(slots=True)
class Chaos:
    """The load, the watch and the kills, each in a thread of its own."""

    hub: Hub
    app: App
    storm: Storm
    numbers: list[int] = field(default_factory=list)
    assisted: set[int] = field(default_factory=set)
    not_lifted: set[int] = field(default_factory=set)  # requests for changes that olga dismissed
    seniors: frozenset[str] = SENIORS
    actions: Counter[str] = field(default_factory=Counter)
    killed: dict[str, int] = field(default_factory=lambda: {"web": 0, "worker": 0})
    done_before: dict[str, int] = field(default_factory=lambda: {"web": 0, "worker": 0})
    greens: set[tuple[int, str]] = field(default_factory=set)
    right_at: dict[tuple[int, str], float] = field(default_factory=dict)  # green was last wanted
    written: dict[int, tuple[object, ...]] = field(default_factory=dict)  # the check last seen
    wrong_greens: list[str] = field(default_factory=list)
    stale_since: dict[int, float] = field(default_factory=dict)
    longest_stale: float = 0.0
    last_wrong: str = ""
    up_after: float | None = None  # the last victim asked GitHub again
    ended_at: str = ""
    samples: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _loaded: threading.Event = field(default_factory=threading.Event)

    # --- load ---

    def open(self) -> None:
        self.hub.act("olga", "put_file", repo=ROSTERS, path="reviewers.yaml", content=_roster())
        self.hub.act("olga", "push", repo=SHOP, branch=RELEASE)
        for place in range(self.storm.pulls):
            assisted = place % 5 != 0
            pull = self.hub.open_pull(f"chaos-{place}", assisted=assisted)
            self.numbers.append(pull)
            if assisted:
                self.assisted.add(pull)

    def act(self, dice: random.Random) -> None:
        """Do something at random with a random pull request; what is right changes with it."""
        pull = dice.choice(self.numbers)
        moves = {
            self._approve: 8, self._push: 3, self._force_push: 2, self._reject: 2, self._dismiss: 4,
            self._label: 2, self._retarget: 2, self._describe: 1, self._edit_roster: 0.5,
        }  # fmt: skip
        (move,) = dice.choices(list(moves), list(moves.values()))
        self.hub.box.courier.weather.silently = dice.random() < 0.5
        with self.hub.box.world.lock:
            self._look_at_all()  # what was right until now
            try:
                move(pull, dice)
            except Refused:
                self.actions["refused"] += 1  # as by GitHub: the base holds the head already
            self._look_at_all()
        self.actions[move.__name__.strip("_")] += 1

    def _approve(self, pull: int, dice: random.Random) -> None:
        self.hub.act(dice.choice(("ada", "grace", "kim")), "approve", repo=SHOP, number=pull)

    def _push(self, pull: int, dice: random.Random) -> None:
        self._commit("push", pull, marked=dice.random() < 0.3)

    def _force_push(self, pull: int, _dice: random.Random) -> None:
        self._commit("force_push", pull, marked=pull in self.assisted)

    def _commit(self, action: str, pull: int, *, marked: bool) -> None:
        """Every commit changes something else, so no approval carries over."""
        branch = self.hub.box.world.pull(SHOP, pull).head_ref
        place = self.actions.total()
        message = f"Go on {place}" + (f"\n\n{CLAUDE}" if marked else "")
        commit = {"message": message, "files": {f"file-{place}.txt": f"{place}\n"}}
        if marked:
            self.assisted.add(pull)
        self.hub.act("june", action, repo=SHOP, branch=branch, commits=[commit])

    def _reject(self, pull: int, _dice: random.Random) -> None:
        self.hub.act("grace", "request_changes", repo=SHOP, number=pull, body="No")

    def _dismiss(self, pull: int, dice: random.Random) -> None:
        reviews = self.hub.box.world.pull(SHOP, pull).reviews
        standing = [r for r in reviews if r.state in {"APPROVED", "CHANGES_REQUESTED"}]
        if standing:
            chosen = dice.choice(standing)
            if chosen.state == "CHANGES_REQUESTED":
                self.not_lifted.add(chosen.id)  # olga is on no roster
            self.hub.act(
                "olga", "dismiss_review", repo=SHOP, number=pull, review_id=chosen.id, message="Old"
            )  # fmt: skip

    def _label(self, pull: int, _dice: random.Random) -> None:
        label = f"l{self.actions.total()}"
        self.hub.act("kim", "add_label", repo=SHOP, number=pull, label=label)

    def _retarget(self, pull: int, _dice: random.Random) -> None:
        base = self.hub.box.world.pull(SHOP, pull).base_ref
        other = "main" if base == RELEASE else RELEASE
        self.hub.act("june", "edit_pull_request", repo=SHOP, number=pull, base=other)

    def _describe(self, pull: int, _dice: random.Random) -> None:
        body = f"Description {self.actions.total()}"
        self.hub.act("june", "edit_pull_request", repo=SHOP, number=pull, body=body)

    def _edit_roster(self, _pull: int, _dice: random.Random) -> None:
        """Kim becomes a senior, or is none any more."""
        self.seniors = SENIORS if "kim" in self.seniors else SENIORS | {"kim"}
        content = _roster("senior" if "kim" in self.seniors else "mid")
        self.hub.act("olga", "put_file", repo=ROSTERS, path="reviewers.yaml", content=content)

    # --- what is right ---

    def wanted(self, pull: PullRequest) -> str:
        """The conclusion that the reviews in the sandbox ask for, by rules of our own."""
        if pull.number not in self.assisted:
            return "success"
        enough = {PRINCIPAL} if pull.base_ref == RELEASE else self.seniors
        standing: dict[str, tuple[str, str]] = {}
        for review in pull.reviews:
            if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
                state = "CHANGES_REQUESTED" if review.id in self.not_lifted else review.state
                standing[review.author.login] = (state, review.commit_sha or "")
        if any(standing.get(login, ("",))[0] == "CHANGES_REQUESTED" for login in self.seniors):
            return "failure"
        signed = any(standing.get(login) == ("APPROVED", pull.head_sha) for login in enough)
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
        """Look at every check all the time, whatever else happens."""
        while not self._over.wait(SAMPLE):
            with self.hub.box.world.lock:
                self._look_at_all()
            self.samples += 1

    def _look_at_all(self) -> None:
        for one in self.numbers:
            self._look(self.hub.box.world.pull(SHOP, one))

    def _look(self, pull: PullRequest) -> None:
        """A green may be written only where it was right when the snapshot for it was read."""
        now, head = time.monotonic(), (pull.number, pull.head_sha)
        right = self.wanted(pull) == "success"
        if right:
            self.right_at[head] = now
        run = self.hub.run(pull.number)
        green = run is not None and run.conclusion == "success"
        if green:
            self.greens.add(head)
        is_new = self.written.get(pull.number) != (written := _identity(pull, run))
        self.written[pull.number] = written
        since = now - self.right_at.get(head, 0.0)
        if green and is_new and since > LEASE:
            ever = f"{since:.1f} s ago" if head in self.right_at else "never"
            self.wrong_greens.append(f"#{pull.number} at {pull.head_sha[:7]}: was right {ever}")
        if not green or right:
            self.stale_since.pop(pull.number, None)
        else:
            began = self.stale_since.setdefault(pull.number, now)
            self.longest_stale = max(self.longest_stale, now - began)

    # --- trouble ---

    def begin(self) -> None:
        storm, box = self.storm, self.hub.box
        box.faults.latency = storm.latency_ms / 1000
        # Each is asked in turn, so the later ones see what the earlier ones have left.
        each = 1 - (1 - storm.faults) ** (1 / len(FAULTS))
        for kind, seconds in FAULTS.items():
            box.faults.add(kind, probability=each, seconds=seconds)
        for kind, status, seconds in RARE:
            box.faults.add(kind, probability=RARELY, status=status, seconds=seconds)
        weather = box.courier.weather
        weather.lose = weather.duplicate = weather.reorder = storm.webhooks

    def end(self) -> None:
        latency = self.hub.box.faults.latency
        self.hub.box.faults.clear()
        self.hub.box.faults.latency = latency
        weather = self.hub.box.courier.weather
        weather.lose = weather.duplicate = weather.reorder = 0.0

    def kill(self, dice: random.Random) -> None:
        """SIGKILL a process of the web or of the worker, in the middle of its work.

        One that is not up yet is left to start: on a slow machine nothing would ever be under load.
        """
        done = {"web": len(self.hub.sent_well()), "worker": len(self.hub.calls)}
        at_work = [name for name in self.killed if done[name] > self.done_before[name]]
        if not at_work:
            return
        name = min(at_work, key=lambda part: (self.killed[part], dice.random()))
        family = self.app.part(name)
        if family:
            victim = dice.choice(family)
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                return
            self.killed[name] += 1
            self.done_before[name] = done[name] + dice.randrange(WORK_BETWEEN)

    def run(self) -> float | None:
        """Everything; seconds from the end of the trouble until all was right, None: never."""
        dice = random.Random(self.storm.seed)
        self.open()
        watcher = threading.Thread(target=self.watch, daemon=True)
        loader = threading.Thread(target=self._load, daemon=True)
        self.begin()
        watcher.start()
        loader.start()
        while sum(self.killed.values()) < self.storm.kills:
            time.sleep(dice.uniform(*self.storm.between))
            self.kill(dice)
        self._loaded.set()
        loader.join()
        self.hub.box.drain(10)  # what was delayed on its way is delivered in bad weather still
        self.end()
        self.ended_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        seconds = self._until_right()
        self._over.set()
        watcher.join()
        return seconds

    def _load(self) -> None:
        dice = random.Random(self.storm.seed + 1)
        while not self._loaded.wait(self.storm.pause):
            self.act(dice)

    def _until_right(self) -> float | None:
        """It must stay right, too: nothing late may come and overwrite it."""
        started, asked = time.monotonic(), len(self.hub.calls)
        right_since: float | None = None
        while True:
            now = time.monotonic()
            if left := self.differences():
                self.last_wrong = f"{sorted(left)} at {now - started:.1f} s"
                right_since = None
                if now - started > GIVE_UP:
                    return None
                if self.up_after is None and len(self.hub.calls) > asked:
                    self.up_after = now - started
            elif right_since is None:
                right_since = now
            elif now - right_since > self.storm.stays_right:
                return right_since - started
            time.sleep(0.1)


def _identity(pull: PullRequest, run: CheckRun | None) -> tuple[object, ...]:
    """Differs after every write, and after every change of the head."""
    if run is None:
        return (pull.head_sha,)
    return (pull.head_sha, run.id, run.external_id, run.conclusion)


def _roster(kim: str = "mid") -> str:
    return ROSTER.format(kim=kim)


def run(
    storm: Storm | None = None, *, database_url: str = "", name: str = "SQLite"
) -> list[Figure]:
    storm = storm or Storm()
    with Hub() as hub:
        options = ("--sweep-every", str(storm.sweep_every)) if storm.sweep_every else ()
        with App(hub.env(), options=options, database_url=database_url) as app:
            hub.target = app.url
            chaos = Chaos(hub, app, storm)
            seconds = chaos.run()
            left = chaos.differences()
            for one, (wanted, stands) in left.items():
                console.print(f"#{one}: {wanted} is right, {stands} stands")
            console.print(f"trouble ended {chaos.ended_at}; last wrong {chaos.last_wrong}")
            if storm.keep_log:
                shutil.copy(app.log_path, storm.keep_log)
            log = app.log()
            faults = [line for line in log if line.get("event") == "fault"]
            said = Counter(str(line["event"]) for line in log if line.get("part") == "worker")
            for line in faults[:5]:
                console.print(str(line), markup=False)
            for wrong in chaos.wrong_greens[:10]:
                console.print(f"wrongly green: {wrong}", markup=False)
    killed = ", ".join(f"{part} {many}" for part, many in chaos.killed.items())
    sent = [one for one in hub.sent if one.status == 202]
    done = ", ".join(f"{many} {move}" for move, many in chaos.actions.most_common())
    load = f"{done}; {len(hub.calls)} calls, {len(sent)} webhooks taken"
    up = f"the last victim was up again after {number(chaos.up_after or 0)} s"
    watched = (
        f"{len(chaos.greens)} greens seen in {chaos.samples} looks; "
        f"longest green after it was withdrawn, its webhook lost: {number(chaos.longest_stale)} s"
    )
    return show(
        f"Chaos on {name}: {storm.faults:.0%} faults, {storm.webhooks:.0%} of webhooks lost, "
        "repeated, reordered",
        [
            Figure("kills -9", sum(chaos.killed.values()), remark=f"{killed}; {load}"),
            Figure("checks lost", len(left), target=0),
            Figure(
                "all right after the trouble ended", GIVE_UP if seconds is None else seconds, "s",
                RIGHT_WITHIN,
                remark=f"no new event; {' '.join(options) or 'default settings'}; {up}",
            ),
            Figure("wrongly green moments", len(chaos.wrong_greens), target=0, remark=watched),
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
@click.option("--sweep-every", default=0.0, help="Seconds; what the app does by default if 0.")
@click.option("--keep-log", default="", help="Copy the app's log to this path in the end.")
@click.option("--postgres", is_flag=True, help="On a PostgreSQL server started for it.")
def main(
    kills: int, seed: int, pulls: int, sweep_every: float, keep_log: str, *, postgres: bool
) -> None:
    """Kill the app's processes under load and faults, then compare every check."""
    storm = Storm(kills=kills, seed=seed, pulls=pulls, sweep_every=sweep_every, keep_log=keep_log)
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
