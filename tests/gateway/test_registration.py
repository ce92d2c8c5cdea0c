"""A manifest's code becomes an app: what comes of each answer that GitHub may give."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from github_app.gateway.errors import (
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    RateLimited,
    Unavailable,
)
from github_app.gateway.registration import Registered, register
from sandbox.server import Sandbox

MANIFEST: dict[str, Any] = {
    "name": "Sign",
    "url": "https://sign.example",
    "hook_attributes": {"url": "https://sign.example/webhook"},
    "default_permissions": {"checks": "write"},
    "default_events": [],
}


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    with Sandbox(with_app=False) as found:
        yield found


def new_code(hub: Sandbox) -> str:
    given: dict[str, Any] = {"manifest": MANIFEST, "owner": "acme", "by": "olga"}
    answer = requests.post(f"{hub.url}/_sandbox/manifests", json=given, timeout=30)
    return str(answer.json()["code"])


def registered(hub: Sandbox, code: str) -> Registered:
    return register(code, api_url=hub.api_url, graphql_url=hub.graphql_url)


def test_an_app_with_all_its_credentials(hub: Sandbox) -> None:
    made = registered(hub, new_code(hub))
    (app,) = [app for app in hub.world.apps.values() if app.slug == "sign"]
    assert (made.id, made.slug, made.name, made.owner) == (app.id, "sign", "Sign", "acme")
    assert made.page == f"{hub.url}/apps/sign"
    assert made.private_key.reveal() == app.private_key
    assert made.webhook_secret.reveal() == app.webhook_secret
    assert (made.client_id, made.client_secret.reveal()) == (app.client_id, app.client_secret)
    for hidden in (app.private_key, app.webhook_secret, app.client_secret):
        assert hidden not in repr(made)


def test_a_code_works_once(hub: Sandbox) -> None:
    code = new_code(hub)
    registered(hub, code)
    with pytest.raises(NotFound):
        registered(hub, code)


@pytest.mark.parametrize("code", ["", ".", "..", "a/b", "a?b", "a b", "\u00e9", "x" * 256])
def test_what_cannot_be_a_code_is_never_sent(hub: Sandbox, code: str) -> None:
    with pytest.raises(NotFound):
        registered(hub, code)
    assert hub.calls.count() == 0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param("error", Unavailable, id="github-fails"),
        pytest.param("reset", Unavailable, id="connection-lost"),
        pytest.param("after", Unavailable, id="lost-after-it-was-done"),
        pytest.param("malformed", Unavailable, id="not-json"),
        pytest.param("secondary", RateLimited, id="rate-limit"),
    ],
)
def test_what_goes_wrong_is_named_and_not_tried_again(
    hub: Sandbox, fault: str, error: type[GitHubError]
) -> None:
    code = new_code(hub)
    hub.faults.add(fault, times=1)
    with pytest.raises(error) as caught:
        registered(hub, code)
    assert code not in str(caught.value)
    hub.faults.clear()
    assert hub.calls.count() <= 1


ANSWER: dict[str, Any] = {
    "id": 7,
    "slug": "sign",
    "name": "Sign",
    "owner": {"login": "acme"},
    "html_url": "https://github.com/apps/sign",
    "client_id": "Iv1",
    "client_secret": "client-secret",
    "webhook_secret": "hook-secret",
    "pem": "-----BEGIN RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize(
    ("changes", "missing", "error"),
    [
        pytest.param({"webhook_secret": None}, "", Unavailable, id="no-webhook-secret"),
        pytest.param({}, "pem", IncompleteSnapshot, id="no-key"),
        pytest.param({}, "owner", IncompleteSnapshot, id="no-owner"),
        pytest.param({"id": "7"}, "", IncompleteSnapshot, id="id-as-text"),
    ],
)
def test_an_answer_that_lacks_something(
    changes: dict[str, Any], missing: str, error: type[GitHubError]
) -> None:
    answer = {name: value for name, value in (ANSWER | changes).items() if name != missing}
    api = "https://api.github.com"
    with responses.RequestsMock() as github:
        github.post(f"{api}:443/app-manifests/abc/conversions", json=answer, status=201)
        with pytest.raises(error) as caught:
            register("abc", api_url=api, graphql_url=f"{api}/graphql")
    for hidden in ("client-secret", "hook-secret", "BEGIN"):
        assert hidden not in str(caught.value)
