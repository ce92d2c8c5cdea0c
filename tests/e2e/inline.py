"""The whole path in one process: the sandbox's webhooks, the Flask app, SQLite, a worker.

Nothing happens by itself: ``settle`` delivers what waits and works until nothing is left to do. The
sandbox, the store and the worker share one clock, so that no test has to wait for a back-off.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from flask import Flask

from github_app import services
from github_app.leases import LeaseKeeper
from github_app.services import Parts
from github_app.settings import Settings
from github_app.store.claim import Limits
from github_app.store.database import Store, open_store
from github_app.store.stats import WorkState
from github_app.sweep import Sweeper
from github_app.web import create_app
from github_app.worker import Worker
from sandbox.errors import Refused
from sandbox.server import Sandbox

SHOP = "acme/shop"
ROSTERS = "acme/.github"
CHECK = "senior-signoff"
AI = "Fix the total\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
# What a required check may end as with us; anything else could let a merge through (design 2).
CONCLUSIONS = frozenset({"success", "failure", "action_required"})
PASSING = frozenset({"success", "neutral", "skipped"})
_CODE = re.compile(r"CS\d{3}")


class Clock:
    """Time for everybody in one test. It goes on by itself unless ``frozen``."""

    def __init__(self, *, frozen: bool = False) -> None:
        self._frozen = time.time() if frozen else None
        self._offset = 0.0

    def skip(self, seconds: float) -> None:
        self._offset += seconds

    def seconds(self) -> float:
        return (time.time() if self._frozen is None else self._frozen) + self._offset

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)


@dataclass(frozen=True)
class Seen:
    """Our check on a commit, as GitHub shows it."""

    conclusion: str | None
    title: str
    summary: str

    @property
    def green(self) -> bool:
        return self.conclusion in PASSING

    @property
    def codes(self) -> frozenset[str]:
        _, _, footer = self.summary.rpartition("Reasons:")
        return frozenset(_CODE.findall(footer))


@dataclass
class Inline:
    """A sandbox and the app behind it. ``hub`` is GitHub."""

    hub: Sandbox
    web: Flask
    parts: Parts
    worker: Worker
    sweeper: Sweeper
    clock: Clock

    # --- what people do

    def act(self, actor: str, action: str, **parameters: Any) -> Any:
        parameters.setdefault("repo", SHOP)
        return self.hub.act(actor, action, **parameters)

    def people(self, action: str, actor: str = "olga", **parameters: Any) -> Any:
        """An action that is not about a repository."""
        return self.hub.act(actor, action, **parameters)

    def open(
        self, branch: str = "fix", actor: str = "june", *, message: str = AI, **fields: Any
    ) -> int:
        """Push a branch (one commit unless ``commits``) and open a pull request; its number."""
        repo = fields.pop("repo", SHOP)
        pusher = fields.pop("pusher", actor)
        start = fields.pop("start", "")
        commits = fields.pop("commits", [{"message": message}])
        self.act(pusher, "push", repo=repo, branch=branch, commits=commits, start=start)
        fields.setdefault("title", "Fix the total")
        pull = self.act(actor, "open_pull_request", repo=repo, head=branch, **fields)
        return int(pull["number"])

    def roster(self, text: str) -> None:
        """Replace the organisation's roster."""
        self.act("olga", "put_file", repo=ROSTERS, path="reviewers.yaml", content=text)

    # --- what we do

    def settle(self, *, seconds: float = 60.0) -> None:
        """Deliver every webhook and work until nothing is asked for."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.hub.drain(), "webhooks are stuck"
            while self.worker.step():
                assert time.monotonic() < deadline, "work without end"
            waiting = [
                work for work in self.parts.store.queue.listing() if work.state != WorkState.PARKED
            ]
            if not waiting and not self.hub.courier.waiting:
                return
            assert time.monotonic() < deadline, f"work is left: {waiting}"
            self.clock.skip(0.5)  # a back-off is over the sooner

    def sweep(self) -> None:
        swept = self.sweeper.sweep()
        assert swept.problems == ()
        self.settle()

    # --- what can be seen

    def head(self, number: int, repo: str = SHOP) -> str:
        return str(self.hub.pull(number, repo)["head_sha"])

    def check(self, number: int, repo: str = SHOP) -> Seen | None:
        """Our latest check run on the head, or None. No settling."""
        return self._ours(self.hub.pull(number, repo)["checks"])

    def group(self, number: int) -> Seen | None:
        """Our check run on the commit of the merge group the pull request is in."""
        entry = self.hub.pull(number)["queue"]
        return self._ours(entry["checks"]) if entry else None

    def _ours(self, runs: list[dict[str, Any]]) -> Seen | None:
        for run in runs:
            if run["name"] == CHECK and run["app_id"] == self.hub.app.id:
                return Seen(run["conclusion"], run["title"] or "", run["summary"] or "")
        return None

    def expect(
        self, number: int, conclusion: str | None, *codes: str, title: str = "", repo: str = SHOP
    ) -> Seen:
        """Settle, then see this conclusion, these reasons among others, this in the title."""
        self.settle()
        seen = self.check(number, repo) or Seen(None, "", "")
        assert seen.conclusion == conclusion, f"{seen.conclusion}: {seen.title}\n{seen.summary}"
        assert set(codes) <= seen.codes, f"{sorted(seen.codes)}: {seen.title}\n{seen.summary}"
        assert title in seen.title, seen.title
        return seen

    def waiting(self, number: int, *codes: str, **where: str) -> Seen:
        return self.expect(number, "action_required", *codes, title="Waiting for", **where)

    def signed(self, number: int, who: str = "") -> Seen:
        return self.expect(number, "success", "CS011", title=f"Signed off by {who and '@' + who}")

    def may_merge(self, number: int, by: str = "june", repo: str = SHOP) -> bool:
        """Whether GitHub lets it through; it is merged if so."""
        try:
            self.act(by, "merge", repo=repo, number=number)
        except Refused as refusal:
            if CHECK not in str(refusal):
                raise
            return False
        return True

    def refused(self, number: int, *codes: str, why: str = "Waiting for") -> Seen:
        """Not green, for these reasons, and GitHub does not merge it."""
        self.settle()
        seen = self.check(number)
        assert seen is not None
        assert not seen.green, seen
        assert set(codes) <= seen.codes, f"{sorted(seen.codes)}: {seen.title}\n{seen.summary}"
        assert why in seen.title, seen.title
        assert not self.may_merge(number)
        return seen

    def runs(self) -> Iterator[Any]:
        """Every check run that the app ever wrote, anywhere."""
        for repository in self.hub.world.repositories.values():
            for run in repository.runs.values():
                if run.app.id == self.hub.app.id:
                    yield run

    def post(self, event: str, payload: object, **headers: str) -> int:
        """A signed webhook of our own making; the answer's status."""
        from tests.e2e.webhooks import signed

        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        made = signed(self.hub.app.webhook_secret, event, body) | headers
        return self.web.test_client().post("/webhook", data=body, headers=made).status_code


@contextmanager
def inline(tmp: Path, *, frozen: bool = False, **options: Any) -> Iterator[Inline]:
    """``options`` are the sandbox's. The deployment has no roster of its own."""
    clock = Clock(frozen=frozen)
    options.setdefault("rate_limit", 1_000_000)
    with Sandbox(clock=clock.moment, **options) as hub:
        case = put_together(hub, tmp, clock)
        hub.courier._wanted = 1  # one thread: webhooks arrive in the order they were sent
        hub.courier.by_hand = True
        hub.courier.receiver = lambda headers, body: (
            case.web.test_client().post("/webhook", data=body, headers=headers).status_code
        )
        try:
            yield case
        finally:
            hub.courier.stop()
            case.parts.close()


@cache
def migrated() -> bytes:
    """A database with its tables: made once, and not by every test anew."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "migrated.db")
        open_store(f"sqlite:///{path}").close()
        return path.read_bytes()


def put_together(hub: Sandbox, tmp: Path, clock: Clock) -> Inline:
    path = tmp / "countersign.db"
    if not path.exists():
        path.write_bytes(migrated())
    database = f"sqlite:///{path}"
    roster = {"COUNTERSIGN_ROSTER": str(tmp / "reviewers.yaml")}
    settings = Settings.from_environment(hub.env() | roster | {"DATABASE_URL": database})
    limits = Limits(lease=60.0, first_delay=0.05, longest_delay=0.2)

    def opened(url: str, **_limits: object) -> Store:
        return open_store(url, limits=limits, clock=clock.seconds)

    with patch.multiple(services, open_store=opened, utc_now=clock.moment):
        parts = services.build(settings)
        worker = services.worker(parts, LeaseKeeper(parts.store.queue), 0)
        web = create_app(services.web_services(parts))
        return Inline(hub, web, parts, worker, services.sweeper(parts), clock)
