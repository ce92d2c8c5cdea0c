"""Webhooks: signed, shaped, delivered as GitHub does it; lost, repeated and late on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, Inbox, app_jwt, open_pull, report


class Door:
    """A real HTTP server in the app's place."""

    def __init__(self) -> None:
        self.inbox = inbox = Inbox()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = inbox.receive(dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/webhook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def door(hub: Sandbox) -> Iterator[Door]:
    found = Door()
    hub.set_webhook_url(found.url)
    yield found
    hub.courier.stop()
    found.close()


def test_the_signature_is_over_the_bytes_sent(hub: Sandbox, door: Door) -> None:
    open_pull(hub, title="Grüße \u202e <b>&")
    assert hub.drain()
    assert "pull_request.opened" in door.inbox.names()
    for headers, body in door.inbox.got:
        digest = hmac.new(hub.app.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={digest}"


def test_the_documented_test_vector(hub: Sandbox, inbox: Inbox) -> None:
    hub.app.webhook_secret = "It's a Secret to Everybody"
    open_pull(hub)
    assert hub.drain()
    (delivery, *_) = hub.courier.log.values()
    assert delivery.headers(b"Hello, World!")["X-Hub-Signature-256"] == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )
    assert inbox.got


def test_headers(hub: Sandbox, door: Door) -> None:
    open_pull(hub)
    assert hub.drain()
    headers, _ = door.inbox.got[0]
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["Content-Type"] == "application/json"
    assert headers["X-GitHub-Hook-ID"] == str(hub.app.hook_id)
    assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(hub.app.id)
    assert headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    guids = [headers["X-GitHub-Delivery"] for headers, _ in door.inbox.got]
    assert len(set(guids)) == len(guids)


def test_what_a_pull_request_s_life_sends(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub, labels=["ai"])
    hub.act("kim", "approve", repo=SHOP, number=number)
    report(hub, hub.pull(number)["head_sha"])
    hub.act("grace", "merge", repo=SHOP, number=number)
    assert hub.drain()
    assert inbox.names() == sorted(
        [
            "push",
            "check_suite.requested",
            "pull_request.opened",
            "pull_request.labeled",
            "pull_request_review.submitted",
            "check_run.created",
            "check_run.completed",
            "check_suite.completed",
            "push",
            "check_suite.requested",
            "pull_request.closed",
        ]
    )


def test_every_payload_says_where_it_comes_from(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub)
    hub.act("kim", "approve", repo=SHOP, number=number)
    assert hub.drain()
    (installation,) = hub.world.installations.values()
    for _, raw in inbox.got:
        body = json.loads(raw)
        assert body["installation"]["id"] == installation.id
        assert body["repository"]["id"] == 3000
        assert body["organization"]["login"] == "acme"
        assert body["sender"]["login"] in ("june", "kim")
    (review,) = inbox.bodies("pull_request_review.submitted")
    assert review["review"]["state"] == "approved"
    assert review["review"]["commit_id"] == hub.pull(number)["head_sha"]


def test_only_our_own_checks_are_rerequested_from_us(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub)
    sha = hub.pull(number)["head_sha"]
    ours = report(hub, sha)
    other = report(hub, sha, app="github-actions")
    for run in (ours, other):
        hub.act("kim", "rerequest_check", repo=SHOP, run=run["id"])
    hub.act("kim", "rerequest_suite", repo=SHOP, sha=sha, app="github-actions")
    assert hub.drain()
    assert [b["check_run"]["id"] for b in inbox.bodies("check_run.rerequested")] == [ours["id"]]
    assert inbox.bodies("check_suite.rerequested") == []
    created = [b["check_run"]["app"]["slug"] for b in inbox.bodies("check_run.created")]
    assert sorted(created) == ["countersign", "github-actions"]


def test_a_fork_s_push_asks_for_no_suite_and_names_no_pull_request(
    hub: Sandbox, inbox: Inbox
) -> None:
    hub.act("", "create_user", login="mallory")
    hub.act("olga", "set_visibility", repo=SHOP, private=False)
    hub.act("mallory", "fork_repository", repo=SHOP)
    hub.act("mallory", "push", repo="mallory/shop", branch="gift")
    number = hub.act("mallory", "open_pull_request", repo=SHOP, head="mallory:gift")["number"]
    report(hub, hub.pull(number)["head_sha"])
    assert hub.drain()
    assert "check_suite.requested" not in inbox.names()
    (run,) = inbox.bodies("check_run.created")
    assert run["check_run"]["pull_requests"] == []
    assert run["check_run"]["check_suite"]["head_branch"] is None


@pytest.mark.parametrize(
    ("permissions", "events"),
    [
        pytest.param({"metadata": "read", "contents": "read"}, None, id="no-permission"),
        pytest.param(None, ["push"], id="not-subscribed"),
    ],
)
def test_an_event_needs_permission_and_subscription(
    hub: Sandbox, inbox: Inbox, permissions: dict[str, str] | None, events: list[str] | None
) -> None:
    (installation,) = hub.world.installations.values()
    installation.permissions = permissions or installation.permissions
    installation.events = events or installation.events
    open_pull(hub)
    assert hub.drain()
    assert "push" in inbox.names()
    assert "pull_request.opened" not in inbox.names()


def test_a_suspended_installation_hears_nothing(hub: Sandbox, inbox: Inbox) -> None:
    hub.act("olga", "suspend_installation", app="countersign", account="acme")
    open_pull(hub)
    assert hub.drain()
    assert inbox.names() == ["installation.suspend"]


def test_repositories_outside_the_selection_are_silent(hub: Sandbox, inbox: Inbox) -> None:
    hub.act(
        "olga", "change_installation_repositories", app="countersign", account="acme", remove=[SHOP]
    )
    open_pull(hub)
    assert hub.drain()
    assert inbox.names() == ["installation_repositories.removed"]


# --- Weather ---


def test_a_lost_event_is_listed_as_failed_and_can_be_redelivered(
    hub: Sandbox, inbox: Inbox
) -> None:
    hub.courier.weather.lose = 1.0
    open_pull(hub)
    hub.courier.weather.lose = 0.0
    assert hub.drain()
    assert inbox.got == []
    rows = [delivery.summary() for delivery in hub.courier.log.values()]
    assert {row["status"] for row in rows} == {"failed to connect to host"}
    (lost,) = [row for row in rows if row["event"] == "pull_request"]
    assert hub.courier.redeliver(lost["id"])
    assert hub.drain()
    ((headers, _),) = inbox.got
    assert headers["X-GitHub-Delivery"] == lost["guid"]


def test_a_silent_loss_leaves_no_trace(hub: Sandbox, inbox: Inbox) -> None:
    hub.courier.weather.lose, hub.courier.weather.silently = 1.0, True
    open_pull(hub)
    assert (inbox.got, list(hub.courier.log)) == ([], [])


def test_duplicates_have_one_guid(hub: Sandbox, inbox: Inbox) -> None:
    hub.courier.weather.duplicate = 1.0
    open_pull(hub)
    assert hub.drain()
    guids = [headers["X-GitHub-Delivery"] for headers, _ in inbox.got]
    assert len(guids) == 2 * len(set(guids)) > 0


def test_reordering_changes_the_order_and_loses_nothing(hub: Sandbox, inbox: Inbox) -> None:
    hub.courier.weather.reorder = 0.5
    number = open_pull(hub)
    for n in range(12):
        hub.act("kim", "add_label", repo=SHOP, number=number, label=f"l{n:02}")
    assert hub.drain()
    found = [body["label"]["name"] for body in inbox.bodies("pull_request.labeled")]
    assert sorted(found) == [f"l{n:02}" for n in range(12)]
    assert found != sorted(found)


def test_the_same_seed_loses_the_same(inbox: Inbox) -> None:
    def lost(seed: int) -> list[bool]:
        hub = Sandbox(seed_number=seed)
        hub.courier.receiver = inbox.receive
        hub.courier.weather.lose = 0.5
        for n in range(8):
            open_pull(hub, f"b{n}")
        hub.drain()
        found = [d.status != "OK" for d in hub.courier.log.values()]
        hub.stop()
        return found

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)


def test_pausing_keeps_and_resuming_sends(hub: Sandbox, inbox: Inbox) -> None:
    hub.courier.pause()
    open_pull(hub)
    assert hub.courier.waiting == 3
    assert not hub.drain(0.05)
    assert inbox.got == []
    hub.courier.resume()
    assert hub.drain()
    assert len(inbox.got) == 3


# --- The deliveries API ---


def test_by_hand_nothing_is_sent_until_somebody_drains(hub: Sandbox, inbox: Inbox) -> None:
    hub.courier.by_hand = True
    hub.act("june", "push", repo="acme/shop", branch="fix")
    assert hub.courier.waiting
    assert inbox.got == []
    assert hub.drain()
    assert inbox.got
    sent = len(inbox.got)
    hub.act("june", "push", repo="acme/shop", branch="fix")
    assert hub.courier.waiting
    assert len(inbox.got) == sent


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(202, "OK", id="accepted"),
        pytest.param(500, "Invalid HTTP Response: 500", id="error"),
        pytest.param(301, "Invalid HTTP Response: 301", id="redirects-are-failures"),
    ],
)
def test_the_answer_is_recorded(hub: Sandbox, door: Door, status: int, words: str) -> None:
    door.inbox.status = status
    open_pull(hub)
    assert hub.drain()
    found = [delivery.summary() for delivery in hub.courier.log.values()]
    assert {(row["status"], row["status_code"]) for row in found} == {(words, status)}


def test_nobody_at_home_is_a_failure(hub: Sandbox) -> None:
    door = Door()
    hub.set_webhook_url(door.url)
    door.close()
    open_pull(hub)
    assert hub.drain()
    assert {d.status for d in hub.courier.log.values()} == {"failed to connect to host"}


def test_deliveries_page_by_cursor_newest_first(server: Sandbox) -> None:
    inbox = Inbox()
    server.courier.receiver = inbox.receive
    inbox.status = 500
    for n in range(3):
        open_pull(server, f"b{n}")
    assert server.drain()
    with Client(server, app_jwt(server)) as client:
        found, url = list[dict[str, Any]](), f"{server.api_url}/app/hook/deliveries?per_page=4"
        while url:
            answer = client.call("GET", url)
            found += answer.json()
            url = answer.links.get("next", {}).get("url", "")
        assert [row["id"] for row in found] == sorted(server.courier.log, reverse=True)
        assert len(found) == 9
        one = found[0]
        whole = client.call("GET", f"/app/hook/deliveries/{one['id']}").json()
        assert whole["request"]["headers"]["X-GitHub-Delivery"] == one["guid"]
        inbox.status = 202
        again = client.call("POST", f"/app/hook/deliveries/{one['id']}/attempts")
        assert again.status_code == 202
        assert server.drain()
        attempts = client.call("GET", "/app/hook/deliveries").json()
        mine = [
            (row["redelivery"], row["status"]) for row in attempts if row["guid"] == one["guid"]
        ]
        assert mine == [(True, "OK"), (False, "Invalid HTTP Response: 500")]
        assert client.call("POST", "/app/hook/deliveries/1/attempts").status_code == 404
    with Client(server) as client:
        assert client.call("GET", "/app/hook/deliveries").status_code == 401


def test_after_three_days_a_delivery_is_forgotten(server: Sandbox) -> None:
    server.courier.receiver = Inbox().receive
    open_pull(server)
    assert server.drain()
    (number, *_) = server.courier.log
    server.world.skip(3 * 24 * 3600 + 1)
    with Client(server, app_jwt(server, iat=after(server), exp=after(server, 300))) as client:
        assert client.call("GET", "/app/hook/deliveries").json() == []
        path = f"/app/hook/deliveries/{number}/attempts"
        assert client.call("POST", path).status_code == 404


def after(hub: Sandbox, seconds: int = 0) -> int:
    return int(hub.world.now().timestamp()) + seconds


def test_what_was_delivered_can_be_read_and_sent_again(hub: Sandbox, inbox: Inbox) -> None:
    open_pull(hub)
    assert hub.drain()
    first = {headers["X-GitHub-Delivery"]: body for headers, body in inbox.got}
    for number in list(hub.courier.log):
        assert hub.courier.redeliver(number)
    assert hub.drain()
    assert len(inbox.got) == 2 * len(first)
    assert {headers["X-GitHub-Delivery"]: body for headers, body in inbox.got} == first


def test_an_event_above_25_megabytes_is_never_sent(hub: Sandbox, inbox: Inbox) -> None:
    hub.act("june", "push", repo=SHOP, branch="fix", commits=[{"message": "x" * 14_000_000}])
    assert hub.drain()
    assert "push" not in inbox.names()  # the commit is in it twice
    assert "check_suite.requested" in inbox.names()
