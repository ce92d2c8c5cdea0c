"""Faults strike the calls they are meant for, as often as they should, and look like GitHub's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.errors import Refused
from sandbox.faults import Faults
from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, document, open_pull

PULLS = f"/repos/{SHOP}/pulls"


@pytest.fixture
def client(server: Sandbox) -> Iterator[Client]:
    with Client(server) as found:
        yield found


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        pytest.param({"kind": "error"}, 500, "Server Error", id="500"),
        pytest.param({"kind": "error", "status": 502}, 502, "Server Error", id="502"),
        pytest.param({"kind": "error", "status": 503}, 503, "Server Error", id="503"),
        pytest.param(
            {"kind": "secondary", "seconds": 7}, 403, "secondary rate limit", id="secondary"
        ),
        pytest.param({"kind": "too-many", "seconds": 7}, 429, "secondary rate limit", id="429"),
        pytest.param({"kind": "primary"}, 403, "API rate limit exceeded", id="primary"),
        pytest.param({"kind": "unauthorized"}, 401, "Bad credentials", id="401"),
        pytest.param({"kind": "suspended"}, 403, "suspended", id="suspended"),
        pytest.param({"kind": "malformed"}, 200, '{"data"', id="malformed"),
    ],
)
def test_a_fault_strikes_as_often_as_told(
    server: Sandbox, client: Client, fault: dict[str, Any], status: int, words: str
) -> None:
    server.faults.add(match="GET /repos/{owner}/{repo}/pulls", times=1, **fault)
    struck = client.call("GET", PULLS)
    assert (struck.status_code, words in struck.text) == (status, True)
    if "seconds" in fault:
        assert struck.headers["Retry-After"] == "7"
    if fault["kind"] == "primary":
        assert struck.headers["X-RateLimit-Remaining"] == "0"
        server.world.skip(3601)  # the hour is over; so is the token's
        client.session.headers["Authorization"] = Client(server).session.headers["Authorization"]
    assert client.call("GET", PULLS).status_code == 200


@pytest.mark.parametrize("kind", [pytest.param(k, id=k) for k in ("reset", "timeout")])
def test_a_connection_breaks_without_an_answer(server: Sandbox, client: Client, kind: str) -> None:
    server.faults.add(kind, times=1, seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        client.call("GET", PULLS)
    assert client.call("GET", PULLS).status_code == 200


def test_a_write_may_be_done_though_the_answer_is_lost(server: Sandbox, client: Client) -> None:
    number = open_pull(server)
    sha = server.pull(number)["head_sha"]
    server.faults.add("after", match="POST */check-runs", times=1)
    body = {"name": "senior-signoff", "head_sha": sha, "conclusion": "failure"}
    with pytest.raises(requests.ConnectionError):
        client.call("POST", f"/repos/{SHOP}/check-runs", body)
    assert [check["conclusion"] for check in server.pull(number)["checks"]] == ["failure"]


def test_a_fault_leaves_other_calls_alone(server: Sandbox, client: Client) -> None:
    server.faults.add("error", match="graphql:*")
    assert client.call("GET", PULLS).status_code == 200
    assert (
        client.call("POST", server.graphql_url, {"query": "{ viewer { login } }"}).status_code
        == 500
    )
    server.faults.clear()
    assert "data" in client.query("{ viewer { login } }")


def test_the_playground_is_never_hit(server: Sandbox, client: Client) -> None:
    server.faults.add("error")
    assert client.call("GET", f"{server.url}/_sandbox/state").status_code == 200


@pytest.fixture
def ask(server: Sandbox, client: Client) -> Any:
    number = open_pull(server)
    for _ in range(4):
        server.act("kim", "approve", repo=SHOP, number=number)
    variables = {
        "owner": "acme",
        "name": "shop",
        "number": number,
        "appId": 1,
        "checkName": "x",
        "rosterExpr": "HEAD:x",
        "orgRosterExpr": "HEAD:x",
        "withOrgPublic": False,
        "withOrgPrivate": False,
    }
    return lambda: client.query(document("PullRequestSnapshot"), **variables)


def test_graphql_over_the_limit_is_200_with_an_error(server: Sandbox, ask: Any) -> None:
    server.faults.add("primary", match="graphql:PullRequestSnapshot", times=1)
    answer = ask()
    assert "data" not in answer
    assert answer["errors"][0]["type"] == "RATE_LIMITED"


def test_partial_data_has_an_error_with_its_path(server: Sandbox, ask: Any) -> None:
    server.faults.add("partial", times=1, field="repository.pullRequest.commits")
    answer = ask()
    assert answer["data"]["repository"]["pullRequest"]["commits"] is None
    assert answer["data"]["repository"]["pullRequest"]["title"]
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == (
        "RESOURCE_LIMITS_EXCEEDED",
        ["repository", "pullRequest", "commits"],
    )
    assert "errors" not in ask()


@pytest.mark.parametrize(
    ("kind", "left"), [pytest.param("truncated", 2, id="half"), pytest.param("empty", 0, id="none")]
)
def test_a_connection_that_lies_about_its_end(
    server: Sandbox, ask: Any, kind: str, left: int
) -> None:
    server.faults.add(kind, times=1)
    reviews = ask()["data"]["repository"]["pullRequest"]["reviews"]
    assert (len(reviews["nodes"]), reviews["totalCount"]) == (left, 4)
    assert not reviews["pageInfo"]["hasNextPage"]


def test_a_stale_read_is_the_last_answer_again(server: Sandbox, ask: Any) -> None:
    before = ask()["data"]["repository"]["pullRequest"]["headRefOid"]
    server.act("june", "push", repo=SHOP, branch="fix")
    server.faults.add("stale", times=1)
    assert ask()["data"]["repository"]["pullRequest"]["headRefOid"] == before
    assert ask()["data"]["repository"]["pullRequest"]["headRefOid"] != before


def test_latency_is_added_to_every_api_call(server: Sandbox, client: Client) -> None:
    server.faults.latency = 0.05
    started = time.monotonic()
    client.call("GET", PULLS)
    assert time.monotonic() - started >= 0.05


def test_probability_follows_the_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("error", probability=0.3)
        return [faults.hit("GET /x") is not None for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(Refused, match="earthquake"):
        Faults().add("earthquake")
    with pytest.raises(Refused, match="wave"):
        Faults().add("error", wave=3)


def test_an_answer_ends_in_the_middle(server: Sandbox, client: Client) -> None:
    server.faults.add("half", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.call("GET", PULLS)
    assert client.call("GET", PULLS).status_code == 200


def test_the_hourly_limit_may_come_back_sooner(server: Sandbox, client: Client) -> None:
    server.faults.add("primary", times=1, seconds=5)
    assert client.call("GET", PULLS).status_code == 403
    assert client.call("GET", PULLS).status_code == 403
    server.world.skip(5)
    assert client.call("GET", PULLS).status_code == 200
