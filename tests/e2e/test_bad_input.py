"""Bad input at the door and behind it: the right status, one line in the log, nothing green."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.e2e.inline import Inline
from tests.e2e.webhooks import signed

LARGEST = 25 * 1024 * 1024


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged while the test runs."""
    with capture_logs() as found:
        yield found  # type: ignore[misc]  # structlog's lines are mappings that are dicts


def put(case: Inline, body: bytes, headers: dict[str, str]) -> int:
    answer = case.web.test_client().post("/webhook", data=body, headers=headers)
    assert len(answer.data) < 500, "an answer repeats nothing of the request"
    return answer.status_code


def good(case: Inline, event: str = "pull_request") -> tuple[dict[str, str], dict[str, Any]]:
    """The last delivery of this event that GitHub sent: its headers and its payload."""
    sent = [one for one in case.hub.courier.log.values() if one.event == event]
    return sent[-1].headers(), json.loads(sent[-1].body)


def refusals(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] in {"delivery refused", "refused"}]


SIGNATURES = [
    pytest.param(None, id="missing"),
    pytest.param("", id="empty"),
    pytest.param("sha256=" + "0" * 64, id="forged"),
    pytest.param("sha256=" + "é" * 64, id="not-ascii"),
    pytest.param("sha256=", id="cut"),
    pytest.param("sha1=" + "0" * 40, id="sha1"),
    pytest.param("x" * 7000, id="long"),
]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_forged_webhook(case: Inline, lines: list[dict[str, Any]], signature: str | None) -> None:
    number = case.open()
    case.waiting(number)
    _, payload = good(case)
    body = json.dumps(payload | {"action": "edited"}).encode()
    headers = signed(case.hub.app.webhook_secret, "pull_request", body)
    del headers["X-Hub-Signature-256"]
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature
    lines.clear()
    assert put(case, body, headers) == 401
    assert len(refusals(lines)) == 1
    assert case.parts.store.queue.listing() == []


def test_signature_of_another_body(case: Inline) -> None:
    case.open()
    case.settle()
    headers, payload = good(case)
    assert put(case, json.dumps(payload | {"number": 99}).encode(), headers) == 401


MALFORMED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="cut"),
    pytest.param(b"\xff\xfe{}", id="not-utf-8"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[]", id="list"),
    pytest.param(b'"text"', id="text"),
    pytest.param(b"{}", id="empty"),
    pytest.param(b'{"action": 7}', id="action-is-a-number"),
    pytest.param(b'{"action": "opened", "pull_request": "x"}', id="pull-request-is-text"),
    pytest.param(b'{"action": "opened", "pull_request": {"number": "1"}}', id="number-is-text"),
    pytest.param(b'{"action": "opened", "pull_request": {"number": -1}}', id="negative"),
    pytest.param(b'{"action": "opened", "pull_request": {"number": 1e400}}', id="infinite"),
    pytest.param(b'{"action": "opened", "pull_request": {"number": true}}', id="boolean"),
    pytest.param(
        b'{"action": "opened", "pull_request": {"number": 1, "head": {"sha": null}}}', id="no-sha"
    ),
    pytest.param(
        b'{"action": "opened", "pull_request": {"number": 1, "head": {"sha": "a"}}}', id="no-repo"
    ),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_webhook(case: Inline, lines: list[dict[str, Any]], body: bytes) -> None:
    headers = signed(case.hub.app.webhook_secret, "pull_request", body)
    assert put(case, body, headers) == 400
    assert len(refusals(lines)) == 1
    assert case.parts.store.queue.listing() == []


@pytest.mark.parametrize("field", ["pull_request", "repository"])
@pytest.mark.parametrize("value", [None, 7, [], "x"])
def test_webhook_with_a_wrong_type(case: Inline, field: str, value: object) -> None:
    case.open()
    case.settle()
    _, payload = good(case)
    assert case.post("pull_request", payload | {field: value}) == 400


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-GitHub-Delivery": ""}, id="no-delivery"),
        pytest.param({"X-GitHub-Event": ""}, id="no-event"),
        pytest.param({"X-GitHub-Delivery": "a b"}, id="odd-delivery"),
        pytest.param({"X-GitHub-Event": "../../etc"}, id="odd-event"),
        pytest.param({"X-GitHub-Delivery": "d" * 5000}, id="long-delivery"),
    ],
)
def test_webhook_with_odd_headers(case: Inline, headers: dict[str, str]) -> None:
    assert case.post("ping", {"zen": "x"}, **headers) == 400


def test_webhook_too_large(case: Inline) -> None:
    body = b'"' + b"x" * LARGEST + b'"'
    assert put(case, body, signed(case.hub.app.webhook_secret, "ping", body)) == 413
    number = case.open()
    case.waiting(number)


def test_largest_webhook_is_taken(case: Inline) -> None:
    frame = len(b'{"zen": ""}')
    body = b'{"zen": "' + b"x" * (LARGEST - frame) + b'"}'
    assert put(case, body, signed(case.hub.app.webhook_secret, "ping", body)) == 202


def test_event_that_github_invents_tomorrow(case: Inline) -> None:
    assert case.post("quantum_review", {"action": "entangled"}) == 202


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods(case: Inline, method: str) -> None:
    assert getattr(case.web.test_client(), method)("/webhook").status_code == 405


def test_replay_of_a_delivery(case: Inline) -> None:
    """Taken, not judged again; and what it says is not believed but looked up."""
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    headers, payload = good(case, "pull_request_review")
    case.act("kim", "dismiss_review", number=number, author="grace")
    case.refused(number, "CS041")
    assert put(case, json.dumps(payload, separators=(",", ":")).encode(), headers) in {202, 401}
    case.refused(number, "CS041")


def test_payload_that_lies_about_the_review(case: Inline) -> None:
    """Signed as GitHub would, and still only a hint to look."""
    number = case.open()
    case.act("june", "review", number=number, event="COMMENT", body="x")
    case.settle()
    _, payload = good(case, "pull_request_review")
    payload["review"] |= {"state": "approved", "user": {"login": "grace", "id": 1906}}
    assert case.post("pull_request_review", payload) == 202
    case.refused(number, "CS012")


def test_unknown_installation(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    _, payload = good(case)
    assert case.post("pull_request", payload | {"installation": {"id": 424242}}) == 202
    assert case.hub.drain()
    for _ in range(20):
        case.worker.step()
        case.clock.skip(1)
    case.act("grace", "approve", number=number)
    assert case.hub.drain()
    for _ in range(20):
        case.worker.step()
        case.clock.skip(1)
    seen = case.check(number)
    assert seen is not None
    assert seen.green


def test_pull_request_that_does_not_exist(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    _, payload = good(case)
    payload["pull_request"]["number"] = payload["number"] = 4711
    assert case.post("pull_request", payload) == 202
    case.settle()
    case.waiting(number)


def test_event_of_a_repository_that_is_gone(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    _, payload = good(case)
    payload["repository"] |= {"id": 999_999, "full_name": "acme/gone", "name": "gone"}
    assert case.post("pull_request", payload) == 202
    case.settle()
    case.waiting(number)


def test_event_with_the_name_of_one_repository_and_the_id_of_another(case: Inline) -> None:
    """A renamed repository's old name now belongs to a stranger: nothing is published there."""
    case.people("create_repository", name="other", owner="acme")
    number = case.open()
    case.waiting(number)
    before = len(list(case.runs()))
    _, payload = good(case)
    payload["repository"] |= {"full_name": "acme/other", "name": "other"}
    assert case.post("pull_request", payload) == 202
    case.settle()
    other = case.hub.world.repository("acme/other")
    assert not other.runs
    assert len(list(case.runs())) == before
