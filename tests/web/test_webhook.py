"""The door: signature first, then shape, then the disk, then 202."""

import hashlib
import hmac
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from github_app import logs
from github_app.store.database import Store, open_store
from github_app.store.errors import StoreUnavailable
from github_app.web import LARGEST_BODY, create_app
from github_app.web.services import Services
from github_app.web.webhook import signed

SECRET, NEXT = b"It's a Secret to Everybody", b"the next one"
REPOSITORY = {"id": 77, "full_name": "acme/shop", "name": "shop", "default_branch": "main"}
OPENED: dict[str, Any] = {
    "action": "opened",
    "installation": {"id": 5},
    "repository": REPOSITORY,
    "pull_request": {"number": 12, "head": {"sha": "a" * 40, "ref": "fix", "repo": {"id": 77}}},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'c.db'}") as opened:
        yield opened


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    logging.getLogger().handlers.clear()


@pytest.fixture
def client(store: Store, log: io.StringIO) -> FlaskClient:
    services = Services(
        app_id=4000,
        webhook_secrets=(SECRET, NEXT),
        store=store,
        check_credentials=lambda: None,
    )
    return create_app(services).test_client()


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def post(
    client: FlaskClient,
    payload: object = OPENED,
    *,
    event: str = "pull_request",
    guid: str = "d-1",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> int:
    body = json.dumps(payload).encode() if body is None else body
    usual = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": signature(body),
    }
    return client.post("/webhook", data=body, headers=usual | (headers or {})).status_code


def test_githubs_own_test_vector() -> None:
    header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed(b"Hello, World!", header, (SECRET,))
    assert not signed(b"Hello, World?", header, (SECRET,))


def test_a_signed_delivery_is_stored_and_becomes_work(client: FlaskClient, store: Store) -> None:
    assert post(client) == 202
    delivery = store.inbox.get("d-1")
    assert delivery is not None
    assert json.loads(delivery.body or b"") == OPENED
    (work,) = store.queue.listing()
    assert (work.key.installation_id, work.key.repository_id, work.key.subject) == (5, 77, "12")


def test_a_repeat_is_accepted(client: FlaskClient, store: Store) -> None:
    assert post(client) == 202
    assert post(client) == 202
    assert len(store.queue.listing()) == 1


def test_the_next_secret_is_right_too(client: FlaskClient) -> None:
    body = json.dumps(OPENED).encode()
    assert post(client, headers={"X-Hub-Signature-256": signature(body, NEXT)}) == 202


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="empty"),
        pytest.param("sha256=", id="empty-digest"),
        pytest.param("sha256=" + "0" * 64, id="forged"),
        pytest.param("sha1=" + "0" * 40, id="old-algorithm"),
        pytest.param("sha256=ümläut", id="non-ascii"),
        pytest.param("0" * 64, id="no-prefix"),
    ],
)
def test_an_unsigned_delivery_is_refused(
    client: FlaskClient, store: Store, log: io.StringIO, header: str
) -> None:
    assert post(client, headers={"X-Hub-Signature-256": header}) == 401
    assert store.inbox.get("d-1") is None
    assert json.loads(log.getvalue().splitlines()[-1])["reason"] == "bad or missing signature"


def test_no_signature_header_at_all(client: FlaskClient) -> None:
    answer = client.post("/webhook", data=b"{}", headers={"X-GitHub-Event": "ping"})
    assert answer.status_code == 401


def test_an_empty_secret_signs_nothing() -> None:
    assert not signed(b"x", signature(b"x", b""), (b"",))
    assert not signed(b"x", signature(b"x"), ())


def test_the_signature_is_checked_before_anything_is_parsed(client: FlaskClient) -> None:
    assert post(client, body=b"{not json", headers={"X-Hub-Signature-256": "sha256=0"}) == 401


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe", id="bytes"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"1" * 10_000, id="a-huge-number"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"action": []}', id="wrong-type"),
        pytest.param(b'{"action": "opened"}', id="missing-fields"),
    ],
)
def test_a_malformed_body_is_refused(client: FlaskClient, store: Store, body: bytes) -> None:
    assert post(client, body=body) == 400
    assert store.inbox.get("d-1") is None


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-GitHub-Delivery": ""}, id="no-delivery"),
        pytest.param({"X-GitHub-Delivery": "a b"}, id="odd-delivery"),
        pytest.param({"X-GitHub-Delivery": "x" * 200}, id="long-delivery"),
        pytest.param({"X-GitHub-Event": ""}, id="no-event"),
        pytest.param({"X-GitHub-Event": "<script>"}, id="odd-event"),
    ],
)
def test_delivery_headers_are_needed(client: FlaskClient, headers: dict[str, str]) -> None:
    assert post(client, headers=headers) == 400


def test_unknown_events_are_accepted_and_ignored(client: FlaskClient, store: Store) -> None:
    assert post(client, {"zen": "x"}, event="an_event_of_next_year") == 202
    assert store.queue.listing() == []


def test_more_than_github_sends_is_refused(client: FlaskClient) -> None:
    body = b" " * (LARGEST_BODY + 1)
    assert post(client, body=body) == 413


def test_a_database_that_is_down_is_no_202(
    client: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(store.inbox, "put", down)
    assert post(client) == 503


def test_the_log_holds_no_foreign_raw_text_and_no_secret(
    client: FlaskClient, log: io.StringIO
) -> None:
    name = "acme/\x1b[31mshop\n{}ghs_abcdefgh12345678"
    payload = {**OPENED, "repository": {**REPOSITORY, "full_name": name}}
    assert post(client, payload) == 202
    (line,) = [line for line in log.getvalue().splitlines() if "d-1" in line]
    assert "\\u001b[31m" not in line.replace("\\\\u001b", "")
    assert "ghs_" not in line
    assert SECRET.decode() not in log.getvalue()


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/x", 404)])
def test_other_doors(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_readyz_says_what_does_not_work(store: Store) -> None:
    services = Services(
        app_id=1, webhook_secrets=(SECRET,), store=store, check_credentials=lambda: "no key"
    )
    answer = create_app(services).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["github"] == "no key"


def test_readyz_when_the_database_is_gone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> float:
        raise StoreUnavailable("unable to open database file")

    monkeypatch.setattr(store, "now", gone)
    services = Services(
        app_id=1, webhook_secrets=(SECRET,), store=store, check_credentials=lambda: None
    )
    answer = create_app(services).test_client().get("/readyz")
    assert answer.status_code == 503


def test_metrics_are_prometheus_text(client: FlaskClient, store: Store) -> None:
    post(client)
    store.counters.add("judgements", {"outcome": "WAITING"})
    text = client.get("/metrics").get_data(as_text=True)
    assert 'countersign_work{state="ready"} 1.0' in text
    assert 'countersign_judgements_total{outcome="WAITING"} 1.0' in text
    assert 'countersign_deliveries_total{event="pull_request"} 1.0' in text
