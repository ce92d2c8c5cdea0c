"""The set-up's pages: who gets in, what is sent to GitHub, what is never shown or logged."""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from github_app import logs
from github_app.app_manifest import choice
from github_app.credentials_file import CredentialsFileError
from github_app.gateway.errors import NotFound, Unavailable
from github_app.gateway.registration import Registered
from github_app.permissions import EXTRAS, PERMISSIONS
from github_app.settings import Secret
from github_app.web.setup import create_setup_app, install_address
from github_app.web.setup_desk import Desk

BASE = "http://127.0.0.1:8000"
SECRETS = ("hook-secret-value", "client-secret-value", "-----BEGIN RSA PRIVATE KEY-----")
APP = Registered(
    id=7,
    slug="countersign-acme",
    name="<b>Sign</b>",
    owner="acme",
    page="https://github.com/apps/countersign-acme",
    client_id="Iv1",
    client_secret=Secret(SECRETS[1]),
    webhook_secret=Secret(SECRETS[0]),
    private_key=Secret(SECRETS[2]),
)


@dataclass
class Site:
    """The pages, a browser, and what GitHub would answer."""

    client: FlaskClient
    desk: Desk
    failure: list[Exception] = field(default_factory=list)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, base_url=BASE, **more)

    def post(self, path: str, origin: str = BASE, **form: Any) -> TestResponse:
        return self.client.post(path, base_url=BASE, data=form, headers={"Origin": origin})

    def unlock(self) -> None:
        assert self.post("/setup/unlock", code=self.desk.code).status_code == 303

    def page(self) -> str:
        return self.get("/setup").text

    def form(self) -> str:
        return value(self.page(), "form")

    def state(self) -> str:
        found = re.search(r'action="[^"]*\?state=([^"]+)"', self.page())
        assert found
        return found[1]

    def created(self, code: str = "good", state: str | None = None) -> TestResponse:
        state = self.state() if state is None else state
        return self.get(f"/setup/created?code={code}&state={state}")


def value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def site_of(desk: Desk, base: str) -> Flask:
    bases = {urlsplit(base).netloc: base}
    return create_setup_app(desk, bases=bases, web_url="https://github.com", place="in a file")


@pytest.fixture
def site() -> Iterator[Site]:
    failure: list[Exception] = []

    def register(code: str) -> Registered:
        if failure:
            raise failure[0]
        if code != "good":
            raise NotFound("no such code")
        return APP

    desk = Desk(
        choice(organization="acme", name="", address="", local=False),
        register=register,
        keep=lambda *_: None,
        clock=lambda: 0.0,
    )
    app = create_setup_app(
        desk, bases={"127.0.0.1:8000": BASE}, web_url="https://github.com", place="in a file"
    )
    with app.test_client() as client:
        yield Site(client, desk, failure)


# --- the way through -----------------------------------------------------------------------------


def test_from_the_code_to_the_link_that_installs(site: Site) -> None:
    assert site.get("/").headers["Location"] == "/setup"
    assert "Enter the code" in site.page()
    site.unlock()
    page = site.page()
    assert "https://github.com/organizations/acme/settings/apps/new?state=" in page
    assert json.loads(value(page, "manifest"))["redirect_url"] == f"{BASE}/setup/created"
    back = site.created()
    assert (back.status_code, back.headers["Location"]) == (303, "/setup/done")
    last = site.get("/setup/done")
    assert 'href="https://github.com/apps/countersign-acme/installations/new"' in last.text
    assert "countersign doctor acme" in last.text
    assert "Its credentials are in a file." in last.text
    assert not site.desk.shown.is_set()
    last.close()
    assert site.desk.shown.is_set()


def test_every_permission_has_its_reason_on_the_page(site: Site) -> None:
    site.unlock()
    page = unescape(site.page())
    for name, (level, why) in PERMISSIONS.items():
        row = rf">{name.replace('_', ' ')}</th><td><span[^>]*>{level}</span></td><td>to {why}<"
        assert re.search(row, page), name
    for extra in EXTRAS:
        assert f"to {extra.gain}. Without it {extra.without}." in page
    assert "It never asks for contents: write" in page


def test_another_choice_is_what_is_registered(site: Site) -> None:
    site.unlock()
    answer = site.post(
        "/setup/choice",
        form=site.form(),
        organization="other",
        name="Gate",
        address="https://sign.example.com",
        extra=["issues"],
    )
    assert answer.status_code == 303
    made = json.loads(value(site.page(), "manifest"))
    assert (made["name"], made["url"]) == ("Gate", "https://github.com/other")
    assert made["hook_attributes"]["url"] == "https://sign.example.com/webhook"
    assert made["default_permissions"]["issues"] == "write"


def test_a_choice_that_cannot_be_is_told_once_and_changes_nothing(site: Site) -> None:
    site.unlock()
    site.post("/setup/choice", form=site.form(), organization="a/b", name="", address="")
    page = site.page()
    assert "not a login" in page
    assert "settings/apps/new" in page
    assert "/organizations/acme/" in page
    assert "not a login" not in site.page()


# --- who is sent away ----------------------------------------------------------------------------


def test_without_the_code_there_is_nothing_to_see(site: Site) -> None:
    assert "manifest" not in site.page()
    for path in ("/setup/created?code=good&state=x", "/setup/done"):
        assert site.get(path).status_code == 403
    assert site.post("/setup/choice", form="").status_code == 403
    assert site.desk.made is None


def test_a_wrong_code_is_refused_and_a_used_one_too(site: Site) -> None:
    wrong = site.post("/setup/unlock", code="AAAA")
    assert wrong.status_code == 403
    assert "That is not the code" in wrong.text
    assert "Set-Cookie" not in wrong.headers
    site.unlock()
    site.client.delete_cookie("countersign-setup", path="/setup", domain="127.0.0.1")
    assert site.post("/setup/unlock", code=site.desk.code).status_code == 403


def test_the_cookie_is_for_this_page_only(site: Site) -> None:
    cookie = site.post("/setup/unlock", code=site.desk.code).headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/setup"):
        assert attribute in cookie
    assert "Secure" not in cookie
    assert "Expires" not in cookie


def test_over_https_the_cookie_is_secure() -> None:
    desk = Desk(
        choice(organization="", name="x", address="", local=False),
        register=lambda _: APP,
        keep=lambda *_: None,
        clock=lambda: 0.0,
    )
    base = "https://sign.example.com"
    app = create_setup_app(
        desk, bases={"sign.example.com": base}, web_url="https://github.com", place="in a file"
    )
    with app.test_client() as client:
        answer = client.post("/setup/unlock", base_url=base, data={"code": desk.code})
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9", "127.0.0.1.evil.example:8000"])
def test_a_name_that_is_not_ours(site: Site, host: str) -> None:
    answer = site.client.get("/setup", base_url=f"http://{host}")
    assert answer.status_code == 421
    assert "evil" not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9"])
def test_a_form_of_another_site(site: Site, origin: str) -> None:
    assert site.post("/setup/unlock", origin, code=site.desk.code).status_code == 403
    site.unlock()
    form = site.form()
    answer = site.post("/setup/choice", origin, form=form, organization="evil")
    assert answer.status_code == 403
    assert site.desk.choice.organization == "acme"


@pytest.mark.parametrize("form", ["", "wrong", "é"])
def test_a_form_that_this_page_did_not_make(site: Site, form: str) -> None:
    site.unlock()
    assert site.post("/setup/choice", form=form, organization="evil").status_code == 403
    assert site.desk.choice.organization == "acme"


@pytest.mark.parametrize("state", ["", "wrong", "%00", "%F0%9F%92%A9"])
def test_a_state_that_this_page_did_not_give(site: Site, state: str) -> None:
    site.unlock()
    back = site.created(state=state)
    assert back.headers["Location"] == "/setup"
    assert "does not belong to this set-up" in unescape(site.page())
    assert site.desk.made is None


@pytest.mark.parametrize("code", ["", "gone", "..", "a/b", "%0d%0aX: y", "x" * 5000])
def test_a_code_that_github_does_not_know(site: Site, code: str) -> None:
    site.unlock()
    assert site.created(code=code).headers["Location"] == "/setup"
    page = site.page()
    assert "GitHub does not know this code any more" in page
    assert "Create on GitHub" in page


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Unavailable("GitHub did not answer in time"), id="no-answer"),
        pytest.param(CredentialsFileError("c.env: No space left on device"), id="not-stored"),
    ],
)
def test_what_may_be_left_on_github_is_said(site: Site, failure: Exception) -> None:
    site.unlock()
    site.failure.append(failure)
    site.created()
    page = unescape(site.page())
    assert str(failure) in page
    assert "delete it there" in page


def test_afterwards_the_door_is_shut(site: Site) -> None:
    site.unlock()
    form, state = site.form(), site.state()
    site.created()
    site.get("/setup/done")
    assert site.created(state=state).headers["Location"] == "/setup"
    assert site.get("/setup").headers["Location"] == "/setup/done"
    assert site.post("/setup/choice", form=form, organization="evil").status_code == 303
    assert site.desk.choice.organization == "acme"
    site.client.delete_cookie("countersign-setup", path="/setup", domain="127.0.0.1")
    assert site.get("/setup").status_code == 410
    assert site.get("/setup/done").status_code == 403
    assert site.post("/setup/unlock", code=site.desk.code).status_code == 403


def test_webhooks_are_not_taken_yet(site: Site) -> None:
    assert site.client.post("/webhook", base_url=BASE, data=b"{}").status_code == 503
    assert site.get("/readyz").status_code == 503
    assert site.get("/healthz").status_code == 200


def test_a_form_that_is_too_large(site: Site) -> None:
    assert site.post("/setup/unlock", code="x" * 20_000).status_code == 413


# --- what is never shown -------------------------------------------------------------------------


def test_nothing_secret_is_on_a_page_in_an_address_or_in_a_log(site: Site) -> None:
    logged = StringIO()
    logs.configure(logged, level=logging.DEBUG)
    site.post("/setup/unlock", code="wrong")
    site.unlock()
    answers = [site.get("/setup"), site.created("gone"), site.created(), site.get("/setup/done")]
    seen = logged.getvalue()
    for answer in answers:
        seen += answer.text + str(answer.headers)
    assert "set-up" in logged.getvalue()
    for hidden in (*SECRETS, site.desk.code):
        assert hidden not in seen
    assert "code=" not in "".join(answer.headers.get("Location", "") for answer in answers)


@pytest.mark.parametrize("path", ["/setup", "/setup/done", "/setup/created", "/none", "/setup/x"])
def test_every_page_is_shut_against_other_sites(site: Site, path: str) -> None:
    headers = site.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://github.com;" in policy
    assert "script-src" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "strict-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_foreign_text_is_shown_as_text(site: Site) -> None:
    site.unlock()
    site.post("/setup/choice", form=site.form(), name='"><script>', organization="", address="")
    assert "<script>" not in site.page()
    site.created()
    last = site.get("/setup/done").text
    assert "<b>Sign</b>" not in last
    assert "&lt;b&gt;Sign&lt;/b&gt;" in last


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        pytest.param(
            "https://github.com/apps/x", "https://github.com/apps/x/installations/new", id="usual"
        ),
        pytest.param("https://evil.example/apps/x", "https://github.com", id="another-site"),
        pytest.param("https://github.com.evil.example/x", "https://github.com", id="looks-alike"),
        pytest.param("javascript:alert(1)", "https://github.com", id="script"),
    ],
)
def test_where_the_link_leads(page: str, wanted: str) -> None:
    assert install_address(page, "https://github.com") == wanted
