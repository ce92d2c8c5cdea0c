"""Runs the real ``countersign serve`` for a bench, and looks at its processes and its log."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psutil

START_SECONDS = 90.0
STOP_SECONDS = 40.0
# What must not leak into the app under test from the shell that runs the bench.
_OURS = ("GITHUB_", "COUNTERSIGN_", "DATABASE_URL", "HOST", "PORT")

_WORK = re.compile(r'^countersign_work\{state="(\w+)"\} (\S+)$', re.MULTILINE)
_TO_DO = frozenset({"ready", "leased", "waiting"})


class AppFailed(Exception):
    """The app under test did not start or did not answer."""


class App:
    """``countersign serve`` on a free port with a database of its own, for a ``with`` block.

    ``environment`` is the sandbox's ``env()``; ``url`` is known before it starts, so that the
    sandbox can be told, and so are its own ``environment`` and ``database_url``. ``note_served``:
    how long each request took, for ``served``.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        threads: int | None = None,
        database_url: str = "",
        options: tuple[str, ...] = ("--no-sweep",),
        note_served: bool = False,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="countersign-bench-")
        self.folder = Path(self._folder.name)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url or f"sqlite:///{self.folder / 'bench.db'}"
        self.log_path = self.folder / "log"
        self._served = self.folder / "served"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        self.environment = inherited | {
            **environment,
            "DATABASE_URL": self.database_url,
            "PORT": str(self.port),
            "COUNTERSIGN_ROSTER": str(self.folder / "reviewers.yaml"),
            # gunicorn's own clock: microseconds from the parsed request to its answer.
            "GUNICORN_CMD_ARGS": f"--access-logfile {self._served} --access-logformat %(D)s"
            if note_served
            else "",
        }
        wanted = () if threads is None else ("--threads", str(threads))
        self._command = [sys.executable, "-m", "github_app", "serve", *wanted, *options]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()  # nobody else would, and it starts its parts again for ever
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self.environment, stderr=log, stdout=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self.log_path.read_text(errors="replace")[-2000:]
                raise AppFailed(f"countersign serve did not start:\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order; whatever is left of it is killed."""
        if self._process is None:
            return
        family = self.processes()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in family:
            if process.is_running() and process.pid != self._process.pid:
                process.kill()
        self._process = None

    def answers(self) -> bool:
        try:
            return self._get("/healthz")[0] == 200
        except OSError:
            return False

    def idle(self) -> bool:
        """Whether nothing is to be done, by its own metrics."""
        _, text = self._get("/metrics")
        states = _WORK.findall(text)
        assert states, "no work in the metrics"
        return not any(float(count) for state, count in states if state in _TO_DO)

    def _get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    # --- its processes ---------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """The supervisor, gunicorn's master and worker, and our worker."""
        if self._process is None:
            return []
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def part(self, name: str) -> list[psutil.Process]:
        """The processes of ``web`` or ``worker``, parents first."""
        word = "gunicorn" if name == "web" else "worker"
        return [process for process in self.processes()[1:] if word in _command(process)]

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used so far, their own and the system's."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(each.user + each.system for each in times)

    def memory(self, part: str = "") -> float:
        """Megabytes resident, of all its processes or of a part; where the system can tell, a page
        that several share is divided among them."""
        family = self.part(part) if part else self.processes()
        infos = [process.memory_full_info() for process in family]
        return sum(getattr(info, "pss", info.rss) for info in infos) / 1e6

    def served(self) -> list[float]:
        """Seconds that each request took inside the web side so far, in the order of answers."""
        if not self._served.exists():
            return []
        return [int(line) / 1e6 for line in self._served.read_text().split()]

    # --- its log ---------------------------------------------------------------------------------

    def log(self) -> list[dict[str, Any]]:
        """Its log lines so far. A line that is not JSON is given under the key ``raw``."""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [_parsed(line) for line in lines if line]

    def complaints(self) -> list[dict[str, Any]]:
        """Errors, tracebacks, and whatever was printed past the log."""
        return [
            line
            for line in self.log()
            if line.get("level") in {"error", "critical"}
            or ("raw" in line and not line["raw"].startswith("Countersign listens"))
        ]


def _command(process: psutil.Process) -> list[str]:
    """Empty for one that was killed and that nobody has noticed yet."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"raw": line}
    return found if isinstance(found, dict) else {"raw": line}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
