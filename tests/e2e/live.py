"""The real processes: ``countersign serve`` on SQLite against a sandbox over HTTP, and ways to
kill them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from sandbox.server import Sandbox
from tests.e2e.inline import AI, CHECK, PASSING, SHOP

ROOT = Path(__file__).parents[2]
BOUND = 120.0  # seconds until everything must be right again


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(
    done: Callable[[], object], what: Callable[[], object], *, seconds: float = BOUND
) -> None:
    """Ask until it is so. Fails with ``what`` when it takes too long."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


@dataclass
class Live:
    """``greens``: heads on which a green check was ever seen by the watcher."""

    hub: Sandbox
    serve: psutil.Process
    environment: dict[str, str]
    port: int
    greens: set[str] = field(default_factory=set)

    def act(self, actor: str, action: str, **parameters: Any) -> Any:
        parameters.setdefault("repo", SHOP)
        return self.hub.act(actor, action, **parameters)

    def open(self, branch: str, *, message: str = AI) -> int:
        self.act("june", "push", branch=branch, commits=[{"message": message}])
        return int(self.act("june", "open_pull_request", head=branch, title="Fix")["number"])

    def conclusion(self, number: int) -> str | None:
        for run in self.hub.pull(number)["checks"]:
            if run["name"] == CHECK and run["app_id"] == self.hub.app.id:
                return str(run["conclusion"])
        return None

    def becomes(self, wanted: dict[int, str], *, seconds: float = BOUND) -> None:
        """Every pull request has its conclusion in the end, without a further event."""

        def now() -> dict[int, str | None]:
            return {number: self.conclusion(number) for number in wanted}

        until(lambda: now() == wanted, lambda: f"{now()} is not {wanted}", seconds=seconds)

    def children(self, name: str) -> list[psutil.Process]:
        """The processes that do this part: ``web`` or ``worker``."""
        word = "gunicorn" if name == "web" else "worker"
        return [one for one in self.serve.children(recursive=True) if word in one.cmdline()]

    def kill(self, name: str) -> None:
        """kill -9, all of the part at once, as when the machine kills for memory."""
        found = self.children(name)
        assert found, f"no {name} is running"
        for child in found:
            child.send_signal(signal.SIGKILL)

    def answers(self, path: str = "/readyz") -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=30
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def command(self, *words: str) -> None:
        """A command of Countersign in the same environment."""
        line = [sys.executable, "-m", "github_app", *words]
        subprocess.run(line, env=self.environment, cwd=ROOT, check=True, capture_output=True)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Sample the checks all the time, from the outside, and note every green."""
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.01):
                for pull in list(self.hub.world.repository(SHOP).open_pulls):
                    if self.conclusion(pull.number) in PASSING:
                        self.greens.add(pull.head_sha)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


@contextmanager
def live(tmp: Path, *, threads: int = 4) -> Iterator[Live]:
    port = free_port()
    with Sandbox(webhook_url=f"http://127.0.0.1:{port}/webhook", rate_limit=1_000_000) as hub:
        environment = os.environ | hub.env()
        environment |= {"DATABASE_URL": f"sqlite:///{tmp / 'live.db'}", "PORT": str(port)}
        environment |= {"COUNTERSIGN_ROSTER": str(tmp / "none.yaml"), "HOST": "127.0.0.1"}
        line = [sys.executable, "-m", "github_app", "serve", "--threads", str(threads)]
        with (
            (tmp / "log.jsonl").open("wb") as log,
            subprocess.Popen(line, env=environment, cwd=ROOT, stdout=log, stderr=log) as serve,
        ):
            found = Live(hub, psutil.Process(serve.pid), environment, port)
            try:
                until(found.answers, lambda: (tmp / "log.jsonl").read_text()[-3000:])
                yield found
            finally:
                _end(serve)


def _end(serve: "subprocess.Popen[bytes]") -> None:
    tree = psutil.Process(serve.pid).children(recursive=True) if serve.poll() is None else []
    serve.terminate()
    try:
        serve.wait(40)
    except subprocess.TimeoutExpired:
        serve.kill()
    for child in tree:
        if child.is_running():
            child.kill()
