"""``countersign setup`` as its users run it: in a process, with a browser beside it."""

import os
import pty
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from flask import Flask

from github_app.commands import setup as setup_command
from github_app.commands.setup import NotSetUp, plan_of, refuse_a_second, serving, wait
from github_app.credentials_file import read
from github_app.gateway.registration import Registered
from github_app.settings import Secret, Settings
from github_app.web.setup_desk import Desk, Phase
from sandbox.server import Sandbox
from tests.e2e.live import free_port
from tests.e2e.visitor import (
    INVITATION,
    PATIENCE,
    Visitor,
    command_line,
    environment,
    invitation,
    set_up,
)

FILE = "countersign.env"


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    """A GitHub where no app is registered yet."""
    with Sandbox(with_app=False) as found:
        yield found


@contextmanager
def running(
    hub: Sandbox, folder: Path, *options: str, **env: str
) -> Iterator["subprocess.Popen[str]"]:
    """``countersign setup`` on a free port; ended whatever happens."""
    words = command_line("setup", *options)
    with subprocess.Popen(
        words,
        env=environment(hub.env(), PORT=str(free_port()), **env),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def secrets_of(values: dict[str, str]) -> list[str]:
    names = ("GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "GITHUB_CLIENT_SECRET")
    return [values[name] for name in names]


def test_an_app_of_an_organisation(hub: Sandbox, tmp_path: Path) -> None:
    with running(hub, tmp_path, "--org", "acme") as process, Visitor() as visitor:
        address, code = invitation(process)
        install = set_up(visitor, address, code)
        status, out, err = ended(process)
    assert (status, out) == (0, "")
    (app,) = [app for app in hub.world.apps.values() if app.slug == "countersign-acme"]
    assert app.owner.login == "acme"
    assert app.webhook_url == address.removesuffix("/setup") + "/webhook"
    assert install == f"{hub.url}/apps/countersign-acme/installations/new"
    assert install in err
    assert "countersign doctor acme" in err
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
    settings = Settings.from_environment({"COUNTERSIGN_CREDENTIALS": str(file)})
    assert (settings.app_id, settings.api_url) == (app.id, hub.api_url)
    assert settings.webhook_secrets[0].reveal() == app.webhook_secret
    assert not settings.pull
    for hidden in secrets_of(read(file)):
        assert hidden not in err + visitor.text


def test_enterprise_server_has_its_api_below_a_path(tmp_path: Path) -> None:
    with (
        Sandbox(with_app=False, base_path="/api/v3") as hub,
        running(hub, tmp_path, "--org", "acme") as process,
        Visitor() as visitor,
    ):
        set_up(visitor, *invitation(process))
        assert ended(process)[0] == 0
        stored = read(tmp_path / FILE)
        assert stored["GITHUB_API_URL"] == f"{hub.url}/api/v3"


def test_printed_for_a_secrets_manager_nothing_is_stored(hub: Sandbox, tmp_path: Path) -> None:
    options = ("--org", "acme", "--env", "--name", "My Gate")
    with running(hub, tmp_path, *options) as process, Visitor() as visitor:
        set_up(visitor, *invitation(process), choice={"address": "", "extra": "issues"})
        status, out, err = ended(process)
    assert status == 0
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "copied.env").write_text(out)
    values = read(tmp_path / "copied.env")
    assert values["COUNTERSIGN_PULL"] == "1"
    (app,) = [app for app in hub.world.apps.values() if app.slug == "my-gate"]
    assert values["GITHUB_WEBHOOK_SECRET"] == app.webhook_secret
    assert app.permissions["issues"] == "write"
    for hidden in secrets_of(values):
        assert hidden not in err + visitor.text


def test_one_app_is_enough(tmp_path: Path) -> None:
    file = tmp_path / FILE
    env = {"COUNTERSIGN_CREDENTIALS": str(file)}
    refuse_a_second(env)
    with pytest.raises(NotSetUp, match="GITHUB_APP_ID in the environment"):
        refuse_a_second(env | {"GITHUB_APP_ID": ""})
    file.write_text("GITHUB_APP_ID=1\n")
    with pytest.raises(NotSetUp, match=f"configured already: {file}"):
        refuse_a_second(env)


GITHUB = {"GITHUB_API_URL": "https://api.github.com"}


@pytest.mark.parametrize(
    ("host", "url", "wanted"),
    [
        pytest.param(
            "127.0.0.1",
            "",
            {"127.0.0.1:80": "http://127.0.0.1:80", "localhost:80": "http://localhost:80"},
            id="on-this-machine",
        ),
        pytest.param(
            "::1",
            "",
            {"[::1]:80": "http://[::1]:80", "localhost:80": "http://localhost:80"},
            id="by-ipv6",
        ),
        pytest.param(
            "0.0.0.0", "https://a.example/", {"a.example": "https://a.example"}, id="behind-tls"
        ),
        pytest.param(
            "0.0.0.0",
            "https://A.Example:443",
            {"a.example": "https://a.example"},
            id="as-a-browser-says-it",
        ),
        pytest.param(
            "127.0.0.1",
            "https://a.example/below",
            {"127.0.0.1:80": "http://127.0.0.1:80", "localhost:80": "http://localhost:80"},
            id="public-address-with-a-path",
        ),
    ],
)
def test_by_which_names_a_browser_may_come(host: str, url: str, wanted: dict[str, str]) -> None:
    plan = plan_of(GITHUB, host, 80, url=url)
    assert plan.bases == wanted
    assert plan.address == f"{next(iter(wanted.values()))}/setup"


@pytest.mark.parametrize(
    ("host", "given", "problem"),
    [
        pytest.param("0.0.0.0", {}, "in the clear", id="for-everybody"),
        pytest.param("0.0.0.0", {"url": "https://a.example/x"}, "has a path", id="path"),
        pytest.param("127.0.0.1", {"url": "http://a.example"}, "must be https", id="clear"),
        pytest.param("127.0.0.1", {"url": "http://127.0.0.1"}, "cannot reach", id="unreachable"),
        pytest.param("127.0.0.1", {"org": "a/b"}, "not a login", id="no-organisation"),
    ],
)
def test_what_cannot_begin(host: str, given: dict[str, str], problem: str) -> None:
    with pytest.raises(NotSetUp, match=problem):
        plan_of(GITHUB, host, 80, **given)


def test_what_is_proposed() -> None:
    assert plan_of(GITHUB, "127.0.0.1", 80, org="acme").choice.name == "countersign-acme"
    mine = [plan_of(GITHUB, "127.0.0.1", 80).choice for _ in "ab"]
    assert mine[0].name != mine[1].name
    assert mine[0].pulls
    env = {"GITHUB_API_URL": "http://127.0.0.1:8480", "PORT": "8001"}
    assert plan_of(env, "127.0.0.1", 80).choice.address == "http://127.0.0.1:8001"


def nobodys_desk() -> Desk:
    """Nobody has entered the code yet; GitHub would be kind."""
    chosen = plan_of(GITHUB, "127.0.0.1", 80).choice
    app = Registered(
        id=1, slug="x", name="x", owner="acme", page="", client_id="", client_secret=Secret("x"),
        webhook_secret=Secret("x"), private_key=Secret("x"),
    )  # fmt: skip
    return Desk(chosen, register=lambda _: app, keep=lambda *_: None, clock=lambda: 0.0)


def test_the_door_does_not_stand_open_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_command, "LIFE", 0.0)
    desk = nobodys_desk()
    wait(desk, threading.Event())
    assert desk.close()
    assert desk.phase is Phase.CLOSED


def test_a_browser_that_went_away_at_the_end_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup_command, "LAST_PAGE", 0.0)
    desk = nobodys_desk()
    desk.register(desk.new_state(), "code")
    wait(desk, threading.Event())
    assert not desk.shown.is_set()
    assert desk.made is not None


def test_a_port_that_is_taken() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        taken = pytest.raises(NotSetUp, match=f"cannot listen on 127.0.0.1:{port}")
        with taken, serving(Flask("none"), "127.0.0.1", port):
            pass


def test_giving_up_leaves_nothing(hub: Sandbox, tmp_path: Path) -> None:
    with running(hub, tmp_path) as process:
        invitation(process)
        process.send_signal(signal.SIGINT)
        status, _, err = ended(process)
    assert status == 1
    assert "given up" in err
    assert list(tmp_path.iterdir()) == []


def test_too_many_wrong_codes_end_it(hub: Sandbox, tmp_path: Path) -> None:
    with running(hub, tmp_path) as process:
        address, _ = invitation(process)
        for _ in range(10):
            data = {"code": "AAAA-AAAA-AAAA"}
            answer = requests.post(f"{address}/unlock", data=data, timeout=PATIENCE)
            assert answer.status_code == 403
        status, _, err = ended(process)
    assert status == 1
    assert "too many wrong codes" in err
    assert list(tmp_path.iterdir()) == []


# --- serve ---------------------------------------------------------------------------------------


def test_serve_without_a_terminal_refuses(hub: Sandbox, tmp_path: Path) -> None:
    env = environment(hub.env(), PORT=str(free_port()))
    said = subprocess.run(
        command_line("serve"),
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert said.returncode == 1
    assert "no GitHub App is configured: run `countersign setup`" in said.stderr
    assert "Traceback" not in said.stderr


def test_serve_at_a_terminal_begins_with_the_set_up_and_goes_on(
    hub: Sandbox, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    port = free_port()
    env = environment(hub.env(), PORT=str(port), DATABASE_URL=f"sqlite:///{tmp_path / 'c.db'}")
    with subprocess.Popen(
        command_line("serve", "--no-sweep"), env=env, cwd=tmp_path, stderr=theirs, stdout=theirs
    ) as process:
        os.close(theirs)
        try:
            address, code = _invited(ours)
            with Visitor() as visitor:
                set_up(visitor, address, code)
                assert "starting by itself" in visitor.text
            _until_ready(port)
            closed = requests.get(address, timeout=PATIENCE)
            assert closed.status_code == 410
        finally:
            process.terminate()
            _drain(ours)
            os.close(ours)
    assert process.returncode == 0


def _invited(terminal: int) -> tuple[str, str]:
    shown = ""
    while (found := INVITATION.search(shown)) is None:
        shown += re.sub("\r\n", "\n", os.read(terminal, 4096).decode())
    return found[1], found[2]


def _until_ready(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE)
        except requests.ConnectionError:
            answer = None
        if answer is not None and answer.status_code == 200:
            return
        assert time.monotonic() < deadline, answer and answer.text
        time.sleep(0.05)


def _drain(terminal: int) -> None:
    """Read what is still said: a full terminal would stop whoever writes to it."""
    try:
        while os.read(terminal, 4096):
            continue
    except OSError:  # Linux: the other end was closed
        return
