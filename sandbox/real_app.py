"""Runs the real app against a sandbox: ``countersign serve`` in processes of its own.

The app is started as its users start it and is known here by its command, its environment and its
HTTP address only.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from sandbox.server import HOST, Sandbox

PATIENCE = 30.0  # seconds until the app must be ready
GRACE = 35.0  # seconds it has to end in good order: a little more than it gives its own processes
_TAIL = 25  # lines of its log
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "PYTHONPATH")


class AppFailed(Exception):
    """The app did not start, or it ended by itself. The text holds the end of its log."""


class RealApp:
    """``countersign serve`` on a free port for a ``with`` block, its files in ``directory``.

    ``settings`` are added to its environment. Entering waits until /readyz answers 200, calling
    ``while_waiting`` (which may raise to give up), and points the sandbox's webhooks at the app.
    Raises: AppFailed.
    """

    def __init__(
        self,
        hub: Sandbox,
        directory: Path,
        settings: Mapping[str, str] | None = None,
        *,
        while_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self.hub, self.directory = hub, directory
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.log = directory / "app.log"
        self._while_waiting = while_waiting
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """Nothing of ours leaks in: a few plain variables, the sandbox's, and the app's own."""
        plain = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        database = self.directory / "countersign.db"
        return {
            **plain,
            **self.hub.env(),
            "DATABASE_URL": f"sqlite:///{database}",
            "HOST": HOST,
            "PORT": str(self.port),
            **self._settings,
        }

    def start(self) -> RealApp:
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "github_app", "serve"],
                env=self.environment(),
                cwd=Path(__file__).resolve().parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: we end the app in good order
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.hub.set_webhook_url(f"{self.url}/webhook")
        return self

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while (problem := self._not_ready()) is not None:
            self.check_alive()
            self._while_waiting()
            if time.monotonic() > deadline:
                raise AppFailed(f"the app is not ready after {PATIENCE:.0f} seconds: {problem}")
            time.sleep(0.05)

    def _not_ready(self) -> str | None:
        """None once /readyz says so, else what it says instead."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace").strip()
        except OSError as error:
            return str(error)
        else:
            return None if answer.status == HTTPStatus.OK else text
        finally:
            connection.close()

    def check_alive(self) -> None:
        """Raises AppFailed, with the end of the log, if the app has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            raise AppFailed(f"the app ended with exit code {code}. Its last lines:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of the app's log, which holds no secrets."""
        return "\n".join(f"  {line}" for line in self._lines()[-_TAIL:])

    def complaints(self) -> str:
        """The last lines of the app's log that are no everyday news; empty if there are none."""
        news = ('"level": "info"', "Countersign listens on")
        lines = [line for line in self._lines() if not any(words in line for words in news)]
        return "\n".join(f"  {line}" for line in lines[-_TAIL:])

    def _lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def stop(self) -> None:
        """End it and everything it started; by force if it takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _kill_group(process.pid)

    def __enter__(self) -> RealApp:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _kill_group(leader: int) -> None:
    """Whatever is left of the app's own session: nothing, if it ended in good order."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port
