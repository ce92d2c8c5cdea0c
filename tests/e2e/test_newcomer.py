"""From nothing to an organisation that is protected, with the real commands and a browser beside
them: what the README calls ten minutes. How long it took is printed (``pytest -s``)."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from github_app.credentials_file import read
from tests.e2e.inline import AI, CHECK, SHOP
from tests.e2e.live import free_port, until
from tests.e2e.visitor import (
    PATIENCE,
    Visitor,
    command_line,
    environment,
    invitation,
    set_up,
)


@dataclass
class Newcomer:
    """Somebody with a terminal in ``folder`` and a browser. ``took``: seconds a step."""

    folder: Path
    stack: ExitStack
    where: dict[str, str] = field(default_factory=dict)  # the environment: only which GitHub
    port: int = field(default_factory=free_port)
    took: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.took[name] = time.monotonic() - started

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.where, PORT=str(self.port))

    def start(self, *words: str, log: str) -> "subprocess.Popen[str]":
        """Something that runs until the end of the test."""
        out = self.stack.enter_context((self.folder / log).open("w"))
        process = subprocess.Popen(
            words, env=self.environment, cwd=self.folder, stdout=out, stderr=out, text=True
        )
        self.stack.callback(end, process)
        return process

    def run(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """A command of Countersign, to its end."""
        return subprocess.run(
            command_line(*words),
            env=self.environment | env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ask(self, path: str, given: dict[str, Any] | None = None) -> Any:
        """The sandbox's own interface, which stands for what people do on GitHub."""
        url = f"{self.where['GITHUB_WEB_URL']}/_sandbox/{path}"
        if given is None:
            answer = requests.get(url, timeout=PATIENCE)
        else:
            answer = requests.post(url, json=given, timeout=PATIENCE)
        return answer.json()

    def act(self, actor: str, action: str, **given: Any) -> Any:
        answer = self.ask("act", {"actor": actor, "action": action, "repo": SHOP, **given})
        return answer.get("result", answer)

    def check(self, number: int) -> str | None:
        for run in self.ask(f"repos/{SHOP}/pulls/{number}")["checks"]:
            if run["name"] == CHECK:
                return str(run["conclusion"])
        return None

    def answers(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/readyz"
            return requests.get(url, timeout=PATIENCE).status_code == 200
        except requests.ConnectionError:
            return False


def end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    with ExitStack() as stack:
        found = Newcomer(tmp_path, stack)
        yield found
        for name, seconds in found.took.items():
            print(f"{seconds:6.1f} s  {name}")
        print(f"{sum(found.took.values()):6.1f} s  in all")


def soon(done: Callable[[], object], what: Callable[[], object]) -> None:
    until(done, what, seconds=PATIENCE)


def a_github_without_the_app(newcomer: Newcomer) -> None:
    state = newcomer.folder / "hub"
    words = ("--port", "0", "--no-app", "--state", str(state))
    newcomer.start(sys.executable, "-m", "sandbox", *words, log="hub.log")
    file = state / "env.json"
    soon(lambda: file.exists() and file.read_text().endswith("}\n"), file.exists)
    newcomer.where = json.loads(file.read_text())
    assert not [name for name in newcomer.where if "APP" in name]


def set_up_and_install(newcomer: Newcomer, choice: dict[str, str] | None = None) -> None:
    """With two clicks, and a third to install. Afterwards only the test knows where GitHub is."""
    with Visitor() as visitor:
        with subprocess.Popen(
            command_line("setup", "--org", "acme"),
            env=newcomer.environment,
            cwd=newcomer.folder,
            stderr=subprocess.PIPE,
            text=True,
        ) as setup:
            install = set_up(visitor, *invitation(setup), choice=choice)
            assert setup.wait(PATIENCE) == 0
        visitor.open(install)
        visitor.press("Install")
        assert "is installed on acme" in visitor.text
    newcomer.where = {"GITHUB_WEB_URL": newcomer.where["GITHUB_WEB_URL"]}


def serve(newcomer: Newcomer, *options: str) -> Path:
    """``countersign serve`` on what the set-up has stored; its log."""
    log = newcomer.folder / "serve.log"
    newcomer.start(*command_line("serve", *options), log=log.name)
    soon(newcomer.answers, lambda: log.read_text()[-3000:])
    return log


def ai_pull_request(newcomer: Newcomer) -> int:
    """It is open, and its check waits."""
    newcomer.act("june", "push", branch="fix", commits=[{"message": AI}])
    number = int(newcomer.act("june", "open_pull_request", head="fix", title="Fix")["number"])
    soon(lambda: newcomer.check(number) == "action_required", lambda: newcomer.check(number))
    return number


def test_from_nothing_to_a_protected_organisation(newcomer: Newcomer) -> None:
    with newcomer.step("a GitHub without the app"):
        a_github_without_the_app(newcomer)
    with newcomer.step("countersign setup, and the app installed"):
        set_up_and_install(newcomer)
    with newcomer.step("countersign serve"):
        log = serve(newcomer)

    token = newcomer.ask("tokens/user", {"login": "olga"})["token"]
    with newcomer.step("countersign doctor: holes"):
        holes = newcomer.run("doctor", "acme", "--json", GITHUB_ADMIN_TOKEN=token)
        assert holes.returncode == 1, holes.stderr
        found = {(one["level"], one["code"]) for one in json.loads(holes.stdout)["findings"]}
        assert ("hole", "not-required") in found
        assert not {code for _, code in found if code.startswith(("permission", "events"))}

    # Whoever signs must be able to push: also where the roster is.
    for login in ("ada", "grace"):
        newcomer.act("olga", "add_collaborator", repo="acme/.github", login=login)
    with newcomer.step("countersign protect"):
        protect = newcomer.run("protect", "acme", "--yes", GITHUB_ADMIN_TOKEN=token)
        assert protect.returncode == 0, protect.stderr

    with newcomer.step("countersign doctor: no hole"):
        fine = newcomer.run("doctor", "acme", GITHUB_ADMIN_TOKEN=token)
        assert fine.returncode == 0, fine.stdout + fine.stderr

    with newcomer.step("an AI pull request waits, is signed off, and merges"):
        number = ai_pull_request(newcomer)
        refused = newcomer.act("june", "merge", number=number)
        assert "message" in refused, refused
        newcomer.act("grace", "approve", number=number)
        soon(lambda: newcomer.check(number) == "success", lambda: newcomer.check(number))
        newcomer.act("june", "merge", number=number)
        assert newcomer.ask(f"repos/{SHOP}/pulls/{number}")["state"] == "merged"

    told = log.read_text()
    for name in ("GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "GITHUB_CLIENT_SECRET"):
        assert read(newcomer.folder / "countersign.env")[name] not in told


def test_where_github_cannot_reach_us_events_are_fetched(newcomer: Newcomer) -> None:
    a_github_without_the_app(newcomer)
    set_up_and_install(newcomer, {"address": ""})
    (app,) = [app for app in newcomer.ask("state")["apps"] if app["slug"] == "countersign-acme"]
    assert app["webhook_url"] == "https://countersign.invalid/webhook"
    assert read(newcomer.folder / "countersign.env")["COUNTERSIGN_PULL"] == "1"
    serve(newcomer, "--no-sweep")  # or it might find the pull request
    ai_pull_request(newcomer)
    said = newcomer.run("doctor", "acme", "--json")
    assert "webhook" not in {one["code"] for one in json.loads(said.stdout)["findings"]}
