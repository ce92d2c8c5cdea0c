"""The sandbox as the benches use it: every call and delivery noted with the moment it happened.

``Hub`` runs it in this process; ``RemoteHub`` in one of its own, for loads where it must not share
an interpreter with whoever makes the load. Times are ``time.monotonic``: one clock a machine.
"""

import http.client
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from sandbox.objects import CheckRun
from sandbox.server import Sandbox

CHECK = "senior-signoff"
SHOP = "acme/shop"
# One hour of a bench asks for more than GitHub would give.
GENEROUS = 100_000_000
CLAUDE = "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>"

# GitHub does not run on the app's machine: the sandbox leaves the processor to the web, as the
# app's own worker does.
YIELDING = 5

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Called:
    """One call to the API as the sandbox carried it out."""

    kind: str  # POST /repos/{owner}/{repo}/check-runs, or graphql:PullRequestSnapshot
    done_at: float
    status: int
    path: str
    body: bytes
    authorization: str

    @property
    def writes_check(self) -> bool:
        return self.kind.startswith(("POST", "PATCH")) and "/check-runs" in self.kind


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook as it left and as it was answered. ``status`` 0: there was no answer."""

    event: str
    action: str
    number: int
    sent_at: float
    answered_at: float
    status: int


@dataclass(slots=True)
class Hub:
    """A sandbox for a ``with`` block. ``target``: the URL of the app, set once it is known."""

    latency_ms: float = 0.0
    target: str = ""
    idle: Callable[[], bool] = lambda: True  # whether the app has nothing to do, where it is asked
    rate_limit: int = GENEROUS
    calls: list[Called] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    kept: list[tuple[str, bytes]] = field(default_factory=list)  # events sent while no target was
    box: Sandbox = field(init=False)
    _local: threading.local = field(default_factory=threading.local)
    _connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.box = Sandbox(
            latency_ms=self.latency_ms, rate_limit=self.rate_limit, extend=self._watch
        )
        self.box.courier.receiver = self._deliver

    def __enter__(self) -> Self:
        self.box.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.box.stop()
        for connection in self._connections:
            connection.close()

    def act(self, actor: str, action: str, **parameters: Any) -> Any:  # noqa: ANN401 -- JSON
        return self.box.act(actor, action, **parameters)

    def env(self) -> dict[str, str]:
        return self.box.env()

    # --- what is asked of it ---------------------------------------------------------------------

    def _watch(self, app: Flask) -> None:
        app.after_request(self._note)

    def _note(self, answer: Response) -> Response:
        if g.get("api"):
            called = Called(
                kind=g.get("kind", request.path),
                done_at=time.monotonic(),
                status=answer.status_code,
                path=request.full_path.rstrip("?"),
                body=request.get_data(),
                authorization=request.headers.get("Authorization", ""),
            )
            self.calls.append(called)
        return answer

    def sent_well(self) -> list[Sent]:
        """The webhooks that were taken."""
        return [sent for sent in list(self.sent) if sent.status == 202]

    def writes(self) -> list[Called]:
        """The check runs written, oldest first."""
        return [called for called in list(self.calls) if called.writes_check]

    def wait_for(self, done: Callable[[], bool], *, seconds: float = 30.0) -> bool:
        """Whether ``done`` came true in time. It is asked after every change of the world."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def settle(self, quiet: float = 0.3, *, seconds: float = 60.0) -> None:
        """Wait until nothing is delivered or asked any more for ``quiet`` seconds, and the app says
        that it has nothing to do."""
        deadline = time.monotonic() + seconds
        seen, since = -1, time.monotonic()
        while time.monotonic() < deadline:
            now = len(self.calls) + len(self.sent) + self.box.courier.waiting
            if now != seen or self.box.courier.waiting:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since >= quiet:
                if self.idle():
                    return
                since = time.monotonic()
            time.sleep(0.01)

    # --- what it sends ---------------------------------------------------------------------------

    def _deliver(self, headers: dict[str, str], body: bytes) -> int:
        """Post one webhook over this thread's connection; 502 where nobody answers."""
        if not self.target:
            self.kept.append((headers["X-GitHub-Event"], body))
            return 202
        sent_at = time.monotonic()
        status = 0
        with suppress(OSError, http.client.HTTPException):
            status = self._post(headers, body)
        payload = json.loads(body)
        sent = Sent(
            event=headers["X-GitHub-Event"],
            action=str(payload.get("action") or ""),
            number=int((payload.get("pull_request") or {}).get("number") or 0),
            sent_at=sent_at,
            answered_at=time.monotonic(),
            status=status,
        )
        self.sent.append(sent)
        return status or 502

    def _post(self, headers: dict[str, str], body: bytes) -> int:
        for fresh in (False, True):
            connection = getattr(self._local, "connection", None)
            if connection is None or fresh:
                connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=10)
                self._local.connection = connection
                self._connections.append(connection)
            try:
                connection.request("POST", "/webhook", body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self._local.connection = None
                if fresh:
                    raise
            else:
                return int(answer.status)
        raise OSError("unreachable")

    # --- what is in it ---------------------------------------------------------------------------

    def open_pull(self, branch: str, *, assisted: bool = True, labels: tuple[str, ...] = ()) -> int:
        """A pull request by june, of one commit; its number."""
        message = f"Work on {branch}" + (f"\n\n{CLAUDE}" if assisted else "")
        self.act("june", "push", repo=SHOP, branch=branch, commits=[{"message": message}])
        found = self.act(
            "june", "open_pull_request", repo=SHOP, head=branch, title=branch, labels=list(labels)
        )
        return int(found["number"])

    def check(self, number: int, repo: str = SHOP) -> dict[str, Any] | None:
        """Our check on the head of a pull request, None where there is none."""
        newest = self.run(number, repo)
        if newest is None:
            return None
        return {"conclusion": newest.conclusion, "title": newest.output.get("title") or ""}

    def run(self, number: int, repo: str = SHOP) -> CheckRun | None:
        """The same as the sandbox keeps it."""
        world = self.box.world
        with world.lock:
            pull = world.pull(repo, number)
            suites = pull.repository.suites.get(pull.head_sha, ())
            runs = [run for suite in suites for run in suite.latest() if run.name == CHECK]
        return max(runs, key=lambda run: run.id, default=None)

    def conclusion(self, number: int, repo: str = SHOP) -> str | None:
        found = self.check(number, repo)
        return None if found is None else found["conclusion"]


class RemoteHub:
    """A ``Hub`` in a process of its own: ``run(function, ...)`` calls ``function(hub, ...)`` there.

    Functions are module-level; what they take and give must pickle.
    """

    def __init__(self, *, latency_ms: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, latency_ms), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        self._process.join(30)
        self._process.kill()
        self._ours.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def run(self, function: Callable[Concatenate[Hub, P], T], *args: P.args, **more: P.kwargs) -> T:
        self._ours.send((function, args, more))
        failed, answer = self._ours.recv()
        if failed:
            raise RuntimeError(answer)
        return answer  # type: ignore[no-any-return] # what the function gave, through the pipe


def _serve(pipe: Connection, latency_ms: float) -> None:
    os.nice(YIELDING)
    with Hub(latency_ms=latency_ms) as hub:
        while True:
            order = pipe.recv()
            if order is None:
                return
            function, args, more = order
            try:
                pipe.send((False, function(hub, *args, **more)))
            except Exception as error:  # noqa: BLE001 -- raised again on the other side
                pipe.send((True, f"{type(error).__name__}: {error}"))
