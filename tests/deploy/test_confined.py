"""The real processes as an image or a unit runs them: no root, no rights, nothing to write to but
their own folder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.e2e.inline import AI, CHECK, SHOP
from tests.e2e.live import free_port, until

ROOT = Path(__file__).parents[2]
# Of a container: its own users and processes, one folder and memory to write to.
WALLS = (
    *("--unshare-user", "--uid", "10001", "--gid", "10001", "--unshare-pid", "--unshare-ipc"),
    *("--cap-drop", "ALL", "--die-with-parent", "--new-session"),
    *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
)


@pytest.fixture(scope="module")
def bwrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        problem = "bubblewrap is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    tried = subprocess.run([found, *WALLS, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        # A build machine that is a container itself may not be allowed to.
        pytest.skip(f"this machine lets nobody put up walls: {tried.stderr.strip()}")
    return found


def test_it_serves_without_rights(bwrap: str, tmp_path: Path) -> None:
    state, secrets = tmp_path / "state", tmp_path / "secrets"
    state.mkdir()
    secrets.mkdir()
    port = free_port()
    with Sandbox(webhook_url=f"http://127.0.0.1:{port}/webhook") as hub:
        given = hub.env()
        for name, text in (
            ("key", Path(given.pop("GITHUB_APP_PRIVATE_KEY")).read_text("ascii")),
            ("webhook", given.pop("GITHUB_WEBHOOK_SECRET")),
            ("database", "sqlite:///countersign.db"),
        ):
            (secrets / name).write_text(text + "\n")
        environment = given | {
            "GITHUB_APP_PRIVATE_KEY_FILE": str(secrets / "key"),
            "GITHUB_WEBHOOK_SECRET_FILE": str(secrets / "webhook"),
            "DATABASE_URL_FILE": str(secrets / "database"),
            "PORT": str(port),
            "GUNICORN_CMD_ARGS": "--worker-tmp-dir /dev/shm",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ["PATH"],
            "HOME": "/nowhere",
        }
        environment.pop("DATABASE_URL", None)
        walls = [bwrap, *WALLS, "--bind", str(state), str(state), "--chdir", str(state)]
        with serving(walls, environment, tmp_path / "log"):
            healthy = [sys.executable, "-c", health_check()]

            def answers() -> bool:
                asked = subprocess.run(healthy, env=environment, capture_output=True, check=False)
                return asked.returncode == 0

            until(answers, lambda: (tmp_path / "log").read_text()[-3000:], seconds=90)
            hub.act("june", "push", repo=SHOP, branch="fix", commits=[{"message": AI}])
            pull = hub.act("june", "open_pull_request", repo=SHOP, head="fix", title="Fix")

            def judged() -> list[object]:
                runs = hub.pull(pull["number"])["checks"]
                return [run["conclusion"] for run in runs if run["name"] == CHECK]

            until(lambda: judged() == ["action_required"], judged, seconds=90)
        assert {file.name.partition(".")[0] for file in state.iterdir()} == {"countersign"}
        outside = subprocess.run(
            [*walls, "sh", "-c", f"touch {ROOT}/written"], capture_output=True, check=False
        )
        assert b"Read-only file system" in outside.stderr


@contextmanager
def serving(walls: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    line = [*walls, sys.executable, "-m", "github_app", "serve", "--threads", "2"]
    with (
        log.open("wb") as out,
        subprocess.Popen(line, env=environment, stdout=out, stderr=out) as running,
    ):
        try:
            yield
        finally:
            running.kill()  # and with it, everything behind the walls


def health_check() -> str:
    """The image's own, from its definition."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    _, _, command = text.partition("HEALTHCHECK")[2].partition("CMD ")
    words = json.loads(command.splitlines()[0])
    assert words[:2] == ["python", "-c"]
    return str(words[2])
