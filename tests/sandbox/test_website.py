"""The pages of a set-up: a manifest becomes an app, an app is installed; what GitHub refuses."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.errors import Refused
from sandbox.server import Sandbox

MANIFEST: dict[str, Any] = {
    "name": "The Gate",
    "url": "http://gate.example",
    "redirect_url": "http://gate.example/setup/created?x=1",
    "setup_url": "http://gate.example/setup/installed",
    "hook_attributes": {"url": "http://gate.example/webhook"},
    "default_permissions": {"checks": "write", "metadata": "read", "pull_requests": "read"},
    "default_events": ["pull_request"],
}


def post(hub: Sandbox, path: str, **form: Any) -> requests.Response:
    return requests.post(hub.url + path, data=form, allow_redirects=False, timeout=30)


def submit(
    hub: Sandbox, manifest: object, path: str = "/organizations/acme/settings/apps/new?state=s%26t"
) -> requests.Response:
    return post(hub, path, manifest=json.dumps(manifest))


def confirm(hub: Sandbox, page: requests.Response, name: str = "The Gate") -> requests.Response:
    """Press GitHub's own button."""
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return post(hub, "/settings/apps/manifest", ticket=found[1], name=name)


def convert(hub: Sandbox, back: requests.Response) -> requests.Response:
    (code,) = parse_qs(urlsplit(back.headers["Location"]).query)["code"]
    return requests.post(f"{hub.api_url}/app-manifests/{code}/conversions", timeout=30)


def test_from_the_manifest_to_an_installed_app(server: Sandbox) -> None:
    page = submit(server, MANIFEST)
    assert page.status_code == 200
    assert "Create GitHub App for acme" in page.text
    back = confirm(server, page)
    assert back.status_code == 302
    query = parse_qs(urlsplit(back.headers["Location"]).query)
    assert (query["state"], query["x"]) == (["s&t"], ["1"])
    assert "the-gate" not in {app.slug for app in server.world.apps.values()}
    answer = convert(server, back)
    made = answer.json()
    assert (answer.status_code, made["slug"], made["owner"]["login"]) == (201, "the-gate", "acme")
    assert made["permissions"] == MANIFEST["default_permissions"]
    assert made["events"] == MANIFEST["default_events"]
    assert made["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert made["webhook_secret"]
    assert made["client_secret"]
    assert convert(server, back).status_code == 404
    path = "/apps/the-gate/installations/new"
    assert "Install The Gate on acme" in requests.get(server.url + path, timeout=30).text
    first, second = (post(server, path, account="acme", selection="all") for _ in "ab")
    assert first.headers["Location"].startswith(f"{MANIFEST['setup_url']}?installation_id=")
    assert second.headers["Location"] == first.headers["Location"]
    (found,) = [one for one in server.world.installations.values() if one.app.slug == "the-gate"]
    assert (found.selection, found.permissions) == ("all", MANIFEST["default_permissions"])


def test_an_app_on_some_repositories_without_a_page_of_its_own(server: Sandbox) -> None:
    manifest = {key: value for key, value in MANIFEST.items() if key != "setup_url"}
    convert(server, confirm(server, submit(server, manifest)))
    path = "/apps/the-gate/installations/new"
    some = post(server, path, account="acme", selection="selected", repository="acme/shop")
    shown = requests.get(server.url + some.headers["Location"], timeout=30).text
    assert "The Gate is installed on acme" in shown
    assert "On acme/shop." in shown
    nothing = post(server, path, account="acme", selection="selected")
    assert nothing.status_code == 422


def test_an_app_of_a_person(server: Sandbox) -> None:
    back = confirm(server, submit(server, MANIFEST, "/settings/apps/new?state=s&by=kim"))
    assert convert(server, back).json()["owner"]["login"] == "kim"


def test_a_private_app_is_for_its_owner_only(server: Sandbox) -> None:
    convert(server, confirm(server, submit(server, MANIFEST | {"public": False})))
    path = "/apps/the-gate/installations/new"
    assert post(server, path, account="kim", selection="all").status_code == 403
    assert post(server, path, account="acme", selection="all").status_code == 302


def test_a_code_lives_for_an_hour(server: Sandbox) -> None:
    back = confirm(server, submit(server, MANIFEST))
    server.world.skip(3601)
    assert convert(server, back).status_code == 404


def test_the_button_works_once(server: Sandbox) -> None:
    page = submit(server, MANIFEST)
    assert confirm(server, page).status_code == 302
    assert confirm(server, page).status_code == 404


def test_the_name_can_be_changed_on_githubs_page(server: Sandbox) -> None:
    page = submit(server, MANIFEST)
    taken = confirm(server, page, name="Countersign")
    assert taken.status_code == 422
    assert "Name is already taken" in taken.text
    assert convert(server, confirm(server, taken, name="My Gate")).json()["slug"] == "my-gate"


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in MANIFEST.items() if name != key}


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        pytest.param([], "not an object", id="no-object"),
        pytest.param(without("redirect_url"), "Redirect url", id="nowhere-to-go"),
        pytest.param(without("name"), "Name can&#39;t be blank", id="no-name"),
        pytest.param(MANIFEST | {"name": "x" * 35}, "Name is too long", id="long-name"),
        pytest.param(MANIFEST | {"name": "Countersign"}, "already taken", id="taken-name"),
        pytest.param(MANIFEST | {"url": ""}, "Url must be", id="no-url"),
        pytest.param(MANIFEST | {"url": "javascript:x"}, "Url must be", id="no-web-address"),
        pytest.param(MANIFEST | {"hook_attributes": {}}, "Hook url", id="no-hook-url"),
        pytest.param(
            MANIFEST | {"callback_urls": ["http://x.example"] * 11},
            "no more than 10",
            id="too-many-callbacks",
        ),
        pytest.param(
            MANIFEST | {"default_permissions": {"checks": "admin"}},
            "checks: admin is not included",
            id="no-such-level",
        ),
        pytest.param(
            MANIFEST | {"default_permissions": {"everything": "write"}},
            "everything: write is not included",
            id="no-such-permission",
        ),
        pytest.param(
            MANIFEST | {"default_events": ["everything"]},
            "everything is not included",
            id="no-such-event",
        ),
        pytest.param(
            MANIFEST | {"default_events": ["merge_group"]},
            "merge_group is not supported by permissions",
            id="event-without-its-permission",
        ),
    ],
)  # fmt: skip
def test_a_manifest_that_github_refuses(server: Sandbox, manifest: object, problem: str) -> None:
    page = submit(server, manifest)
    assert page.status_code == 422
    assert problem in page.text
    assert not server.world.pending_manifests


def test_a_form_without_a_manifest(server: Sandbox) -> None:
    assert post(server, "/organizations/acme/settings/apps/new").status_code == 422


def test_an_organisation_that_is_none(server: Sandbox) -> None:
    assert submit(server, MANIFEST, "/organizations/kim/settings/apps/new").status_code == 404


def test_foreign_text_is_shown_as_text(server: Sandbox) -> None:
    page = submit(server, MANIFEST | {"name": "<script>alert(1)</script>"})
    assert "<script>" not in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_world_without_the_app() -> None:
    with Sandbox(with_app=False) as hub:
        assert set(hub.env()) == {"GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_WEB_URL"}
        assert not hub.world.installations
        assert not hub.world.repository("acme/shop").rulesets
        with pytest.raises(Refused):
            _ = hub.app
