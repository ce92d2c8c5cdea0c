"""What is asked of GitHub: the least, and nothing that cannot be registered."""

import json

import pytest

from github_app import app_manifest
from github_app.app_manifest import ChoiceError, choice, form_address, manifest
from github_app.permissions import EXTRAS, NEVER, PERMISSIONS
from sandbox.manifest import EVENTS as GITHUB_EVENTS

WEB = "https://github.com"


def test_for_an_organisation_with_an_address() -> None:
    chosen = choice(
        organization=" acme ", name="", address="https://sign.acme.example/", local=False
    )
    assert manifest(chosen, web_url=WEB, base="http://127.0.0.1:8000") == {
        "name": "countersign-acme",
        "description": "Holds AI-assisted pull requests until a senior engineer signed them off.",
        "url": "https://github.com/acme",
        "hook_attributes": {"url": "https://sign.acme.example/webhook", "active": True},
        "redirect_url": "http://127.0.0.1:8000/setup/created",
        "public": False,
        "default_permissions": {name: level for name, (level, _) in PERMISSIONS.items()},
        "default_events": sorted(
            ["label", "member", "membership", "merge_group", "organization", "pull_request",
             "pull_request_review", "push", "repository", "team"]
        ),
    }  # fmt: skip
    address = form_address(chosen, web_url="https://ghe.acme.example")
    assert address == "https://ghe.acme.example/organizations/acme/settings/apps/new"
    assert not chosen.pulls


def test_for_oneself_without_an_address() -> None:
    chosen = choice(organization="", name="Sign", address="", local=False)
    made = manifest(chosen, web_url=WEB, base="http://127.0.0.1:8000")
    assert made["url"] == WEB
    assert made["hook_attributes"] == {
        "url": "https://countersign.invalid/webhook",
        "active": True,
    }
    assert form_address(chosen, web_url=WEB) == "https://github.com/settings/apps/new"
    assert chosen.pulls


def test_of_a_person_nothing_is_asked_that_only_organisations_have() -> None:
    chosen = choice(organization="", name="Sign", address="", local=False)
    assert set(PERMISSIONS) - set(app_manifest.permissions(chosen)) == {"members"}
    needed = app_manifest.permissions(chosen)
    for event in app_manifest.events(chosen):  # GitHub refuses an event without its permission
        assert GITHUB_EVENTS[event] in {*needed, ""}, event
    assert "team" not in app_manifest.events(chosen)
    assert "pull_request_review" in app_manifest.events(chosen)


def test_optional_permissions_come_with_their_events() -> None:
    chosen = choice(
        organization="acme", name="", address="", extras=["administration", "x"], local=False
    )
    assert app_manifest.permissions(chosen)["administration"] == "read"
    assert "issues" not in app_manifest.permissions(chosen)
    assert "repository_ruleset" in app_manifest.events(chosen)


def test_no_more_than_is_said_is_ever_asked_for() -> None:
    chosen = choice(
        organization="", name="x", address="", extras=[extra.name for extra in EXTRAS], local=False
    )
    asked = app_manifest.permissions(chosen)
    for line in NEVER:
        name, _, level = line.partition(": ")
        assert asked.get(name) != (level or asked.get(name, "no level")), line
    for event in app_manifest.events(chosen):
        assert GITHUB_EVENTS[event] in asked, event
    for reason in (*(why for _, why in PERMISSIONS.values()), *(one.gain for one in EXTRAS)):
        assert reason[0].islower(), f"it follows 'to': {reason}"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param({"organization": "a/b"}, "not a login", id="organisation-with-slash"),
        pytest.param({"organization": "-a"}, "not a login", id="organisation-begins-badly"),
        pytest.param({"organization": "a" * 101}, "not a login", id="organisation-too-long"),
        pytest.param({"name": "x" * 35}, "at most 34", id="name-too-long"),
        pytest.param({"name": "a\nb"}, "one line", id="name-of-two-lines"),
        pytest.param({"address": "http://a.example"}, "must be https", id="in-the-clear"),
        pytest.param({"address": "https://127.0.0.1:8000"}, "cannot reach", id="loopback"),
        pytest.param({"address": "https://localhost"}, "cannot reach", id="localhost"),
        pytest.param({"address": "a.example"}, "must look like", id="no-scheme"),
        pytest.param({"address": "https://"}, "must look like", id="no-host"),
        pytest.param({"address": "https://a.example/?x"}, "must look like", id="query"),
        pytest.param({"address": "https://u:p@a.example"}, "must look like", id="credentials"),
        pytest.param({"address": "https://a b.example"}, "must look like", id="blank"),
        pytest.param({"address": "https://a.example:99999"}, "must look like", id="port"),
        pytest.param({"address": "https://\u0430.example"}, "must look like", id="not-ascii"),
        pytest.param({"address": "javascript:alert(1)"}, "must look like", id="script"),
        pytest.param({"address": "ftp://a.example"}, "must be https", id="ftp"),
    ],
)
def test_what_cannot_be_registered(given: dict[str, str], problem: str) -> None:
    usual = {"organization": "acme", "name": "", "address": ""}
    with pytest.raises(ChoiceError, match=problem):
        choice(**{**usual, **given}, local=False)


def test_a_github_on_this_machine_reaches_this_machine() -> None:
    chosen = choice(organization="acme", name="", address="http://127.0.0.1:8000", local=True)
    made = json.dumps(manifest(chosen, web_url="http://127.0.0.1:8480", base="http://b"))
    assert "http://127.0.0.1:8000/webhook" in made
