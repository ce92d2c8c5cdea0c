"""Workers take over from their machine's dead, and stop when they are told."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from github_app import services
from github_app.running import Workers
from github_app.services import Parts, is_dead, worker_name
from github_app.settings import Settings
from github_app.store.task import Task, TaskKind
from sandbox.server import Sandbox


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with Sandbox() as hub:
        env = hub.env() | {"DATABASE_URL": f"sqlite:///{tmp_path / 'c.db'}"}
        built = services.build(Settings.from_environment(env))
        yield built
        built.close()


def a_dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


@pytest.mark.parametrize(
    ("name", "dead"),
    [
        pytest.param(worker_name(os.getpid(), 0), False, id="this-process"),
        pytest.param(f"elsewhere/{2**22 + 1}/0", False, id="another-machine"),
        pytest.param("nonsense", False, id="not-a-name"),
        pytest.param(worker_name(0, 0).replace("/0/", "/x/"), False, id="not-a-pid"),
        pytest.param(worker_name(10**30, 0), False, id="no-pid-is-so-large"),
        pytest.param(f"{socket.gethostname()}:1/{2**22 + 1}/0", False, id="another-container"),
        pytest.param("", False, id="empty"),
    ],
)
def test_who_is_dead(name: str, *, dead: bool) -> None:
    assert is_dead(name) is dead


def test_the_work_of_a_dead_worker_is_taken_over_at_once(parts: Parts) -> None:
    task = Task(kind=TaskKind.HEAD, installation_id=5, repository_id=1, subject="a" * 40)
    parts.store.queue.add([task])
    assert is_dead(worker_name(pid := a_dead_process(), 0))
    assert parts.store.queue.claim(worker_name(pid, 0)) is not None
    assert parts.store.queue.claim("me") is None
    workers = Workers(parts, threads=0)
    workers.start()
    workers.stop()
    workers.join()
    assert parts.store.queue.claim("me") is not None


def test_stopping_wakes_idle_workers(parts: Parts) -> None:
    workers = Workers(parts, threads=3)
    runner = threading.Thread(target=workers.run)
    runner.start()
    workers.stop()
    runner.join(timeout=30)
    assert not runner.is_alive()


def test_worker_does_not_load_the_web_side() -> None:
    program = "import sys, github_app.running; print(sorted({'flask', 'alembic'} & {*sys.modules}))"
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "[]"
