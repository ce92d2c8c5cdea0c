"""The playground's API: act, look, count, wait; and that it listens on this machine only."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import server as server_module
from sandbox.actions import ACTIONS
from sandbox.faults import KINDS
from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, document, open_pull, page_of

README = Path(server_module.__file__).with_name("README.md").read_text(encoding="utf-8")


@pytest.fixture
def client(server: Sandbox) -> Iterator[Client]:
    with Client(server) as found:
        yield found


def test_acting_over_http_is_acting_in_process(server: Sandbox, client: Client) -> None:
    path = f"{server.url}/_sandbox/act"
    pushed = client.call(
        "POST", path, {"actor": "june", "action": "push", "repo": SHOP, "branch": "fix"}
    )
    assert pushed.json()["result"]["activity_type"] == "branch_creation"
    body = {
        "actor": "june",
        "action": "open_pull_request",
        "repo": SHOP,
        "head": "fix",
        "title": "T",
    }
    made = client.call("POST", path, body).json()["result"]
    assert made == server.pull(made["number"])
    assert (made["title"], made["author"], made["state"]) == ("T", "june", "open")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(
            {"actor": "june", "action": "approve", "repo": SHOP, "number": 1}, 422, id="own"
        ),
        pytest.param({"actor": "june", "action": "dance"}, 422, id="unknown-action"),
        pytest.param({"action": "push"}, 422, id="no-actor"),
        pytest.param(
            {"actor": "june", "action": "approve", "repo": SHOP, "number": 7}, 404, id="no-pull"
        ),
        pytest.param(
            {"actor": "june", "action": "merge", "repo": SHOP, "number": 1}, 405, id="not-green"
        ),
        pytest.param([], 400, id="no-object"),
    ],
)
def test_a_refusal_has_github_s_status(
    server: Sandbox, client: Client, body: object, status: int
) -> None:
    open_pull(server)
    answer = client.call("POST", f"{server.url}/_sandbox/act", body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in sorted(ACTIONS)])
def test_every_action_is_in_the_readme(name: str) -> None:
    parameters = [
        p.name + ("" if p.default is p.empty else "?")
        for p in list(inspect.signature(ACTIONS[name]).parameters.values())[2:]
    ]
    assert f"| `{name}` | {', '.join(parameters) or 'none'} |" in README


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in KINDS])
def test_every_fault_is_in_the_readme(kind: str) -> None:
    assert f"| `{kind}` | {KINDS[kind]} |" in README


def test_the_state_in_outline(server: Sandbox, client: Client) -> None:
    open_pull(server)
    state = client.call("GET", f"{server.url}/_sandbox/state").json()
    assert SHOP in state["repositories"]
    assert {"login": "grace", "id": 1906, "kind": "User", "name": "Grace Hopper"} in state[
        "accounts"
    ]
    shop = client.call("GET", f"{server.url}/_sandbox/repos/{SHOP}").json()
    assert shop["permissions"]["olga"] == "admin"
    assert shop["permissions"]["copilot-swe-agent[bot]"] == "write"
    assert [row["number"] for row in shop["pulls"]] == [1]
    one = client.call("GET", f"{server.url}/_sandbox/repos/{SHOP}/pulls/1").json()
    assert one["merge_problems"] == ['Required status check "senior-signoff" is expected.']
    actions = client.call("GET", f"{server.url}/_sandbox/actions").json()
    assert set(actions) == set(ACTIONS)


def test_waiting_ends_when_something_happens(server: Sandbox, client: Client) -> None:
    version = client.call("GET", f"{server.url}/_sandbox/state").json()["version"]
    timer = threading.Timer(0.05, open_pull, [server])
    timer.start()
    url = f"{server.url}/_sandbox/wait?timeout=30&version={version}"
    assert client.call("GET", url).json()["version"] > version
    timer.join()


def test_calls_are_counted_by_kind_with_their_cost(server: Sandbox, client: Client) -> None:
    number = open_pull(server)
    client.call("GET", f"/repos/{SHOP}/pulls/{number}")
    client.call("GET", f"/repos/{SHOP}/pulls/99")
    client.query(
        document("DoctorBranch"), owner="acme", name="shop", qualifiedName="refs/heads/main"
    )
    body = {"name": "x", "head_sha": server.pull(number)["head_sha"]}
    client.call("POST", f"/repos/{SHOP}/check-runs", body)
    found = client.call("GET", f"{server.url}/_sandbox/calls").json()
    assert found["by_kind"] == {
        "GET /repos/{owner}/{repo}/pulls/{number}": {"calls": 2, "cost": 2, "secondary_points": 2},
        "POST /repos/{owner}/{repo}/check-runs": {"calls": 1, "cost": 1, "secondary_points": 5},
        "graphql:DoctorBranch": {"calls": 1, "cost": 1, "secondary_points": 1},
    }
    assert (found["calls"], found["by_status"]) == (4, {"200": 2, "404": 1, "201": 1})
    assert client.call("POST", f"{server.url}/_sandbox/calls/reset").json()["calls"] == 0


def test_faults_limits_and_weather_by_http(server: Sandbox, client: Client) -> None:
    base = f"{server.url}/_sandbox"
    client.call("POST", f"{base}/faults", {"latency_ms": 20, "kind": "error", "times": 1})
    assert client.call("GET", f"/repos/{SHOP}").status_code == 500
    assert client.call("GET", f"{base}/faults").json()["latency_ms"] == 20
    client.call("DELETE", f"{base}/faults")
    assert client.call("GET", f"/repos/{SHOP}").status_code == 200
    assert client.call("POST", f"{base}/faults", {"kind": "earthquake"}).status_code == 422
    client.call("POST", f"{base}/webhooks", {"lose": 0.5, "delay": [0.1, 0.2], "paused": True})
    weather = client.call("GET", f"{base}/webhooks").json()["weather"]
    assert (weather["lose"], weather["delay"]) == (0.5, [0.1, 0.2])
    assert client.call("POST", f"{base}/webhooks", {"rain": 1}).status_code == 422
    client.call("POST", f"{base}/limits", {"account": "acme", "used": 4999})
    assert client.call("GET", f"/repos/{SHOP}").headers["X-RateLimit-Remaining"] == "0"
    client.call("POST", f"{base}/tokens/revoke")
    assert client.call("GET", f"/repos/{SHOP}").status_code == 401


def test_it_listens_on_loopback_only() -> None:
    assert server_module.HOST == "127.0.0.1"
    assert "host" not in inspect.signature(Sandbox).parameters


def test_the_command_starts_a_sandbox(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "sandbox", "--port", "0", "--state", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline(), process.stdout.readline()]
        try:
            env = json.loads((tmp_path / "env.json").read_text())
            assert env["GITHUB_API_URL"] in lines[0]
            with urllib.request.urlopen(
                env["GITHUB_API_URL"] + "/rate_limit", timeout=10
            ) as answer:
                assert answer.status == 200
        finally:
            process.terminate()


def test_pages_may_be_added() -> None:
    with page_of("hello") as url, urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"hello"


def test_another_host_name_gets_nothing(server: Sandbox, client: Client) -> None:
    url = f"{server.url}/_sandbox/state"
    assert client.call("GET", url, headers={"Host": "evil.example"}).status_code == 403
    assert client.call("GET", url, headers={"Host": "localhost:1"}).status_code == 200
