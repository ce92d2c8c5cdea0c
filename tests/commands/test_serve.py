"""``countersign serve`` refuses once what cannot work, and leaves nobody behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from github_app.commands.serve import RAN, RAN_UNTIL_KILLED, Child, database_problem
from sandbox.server import Sandbox


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with Sandbox() as hub:
        yield {
            **os.environ,
            **hub.env(),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'c.db'}",
            "PORT": str(free_port()),
        }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "github_app", "serve", "--no-sweep"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def test_a_database_that_cannot_be_opened(environment: dict[str, str], tmp_path: Path) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"this is no database, and long enough to be sure of it" * 50)
    refused = serve(environment | {"DATABASE_URL": f"sqlite:///{junk}"})
    _, said = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert b"DATABASE_URL" in said
    assert b"Traceback" not in said


def test_a_port_that_is_taken(environment: dict[str, str]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        refused = serve(environment | {"PORT": port})
        _, said = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert port.encode() in said
    assert b"Traceback" not in said


def test_a_database_that_can(tmp_path: Path) -> None:
    assert database_problem(f"sqlite:///{tmp_path / 'new.db'}") == ""


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert database_problem(f"sqlite:///{tmp_path / 'none' / 'c.db'}") != ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_supervisor_leaves_no_children(environment: dict[str, str]) -> None:
    running = serve(environment)
    assert running.stderr is not None
    try:
        children = _children(running.pid)
        assert len(children) >= 2
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        running.stderr.close()
    gone, alive = psutil.wait_procs(children, timeout=60)
    assert not alive, [process.cmdline() for process in alive]
    assert gone


def _children(pid: int) -> list[psutil.Process]:
    """Web and worker, as soon as both run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = psutil.Process(pid).children(recursive=True)
        words = " ".join(" ".join(process.cmdline()) for process in found)
        if "gunicorn" in words and " worker " in words:
            return found
        time.sleep(0.05)
    raise AssertionError("web and worker did not start")


# --- starting again --------------------------------------------------------------------------


@pytest.fixture
def sleeper() -> Iterator[Child]:
    child = Child("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"])
    yield child
    if child.process is not None:
        child.process.kill()
        child.process.wait()


def ended(child: Child) -> None:
    assert child.process is not None
    child.process.wait(60)


def runs_at(child: Child, now: float) -> bool:
    child.mind(now)
    return child.process is not None


def restarts_after(child: Child, now: float) -> float:
    """How long ``mind`` leaves it, from the moment at which it sees that it ended."""
    assert not runs_at(child, now)
    assert not runs_at(child, child.next_start - 0.01)
    assert runs_at(child, child.next_start)
    return round(child.next_start - now, 3)


@pytest.mark.parametrize(
    ("ran", "pauses"),
    [
        pytest.param(RAN_UNTIL_KILLED + 0.1, [0.2] * 5, id="was-at-work"),
        pytest.param(RAN_UNTIL_KILLED - 0.1, [0.2, 0.4, 0.8, 1.6, 3.2], id="before-it-began"),
    ],
)
def test_a_process_that_was_killed(sleeper: Child, ran: float, pauses: list[float]) -> None:
    now, seen = 1000.0, []
    sleeper.mind(now)
    for _ in pauses:
        assert sleeper.process is not None
        sleeper.process.kill()
        ended(sleeper)
        now = sleeper.started + ran
        seen.append(restarts_after(sleeper, now))
    assert seen == pauses


@pytest.mark.parametrize(
    ("ran", "pauses"),
    [
        pytest.param(RAN - 0.1, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], id="soon"),
        pytest.param(RAN + 0.1, [0.2, 0.2, 0.2], id="late"),
    ],
)
def test_a_process_that_ends_by_itself(ran: float, pauses: list[float]) -> None:
    child, seen = Child("failing", [sys.executable, "-c", "raise SystemExit(3)"]), []
    child.mind(1000.0)
    for _ in pauses:
        ended(child)
        seen.append(restarts_after(child, child.started + ran))
    ended(child)
    assert seen == pauses
