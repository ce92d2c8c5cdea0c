"""The whole set-up in a real browser: two clicks, no script, nothing loaded from elsewhere."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from github_app.credentials_file import read
from sandbox.server import Sandbox
from tests.browser import PATIENCE, WATCH, browser
from tests.e2e.live import free_port
from tests.e2e.visitor import command_line, environment, invitation

__all__ = ["browser"]  # the fixture

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 900}
MOBILE = {"width": 390, "height": 844}


@dataclass
class Visit:
    """A page, everything that went wrong on it, and every address that it showed."""

    page: Page
    homes: tuple[str, ...]
    wrong: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.add_init_script(WATCH)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self.page.on("framenavigated", lambda frame: self.addresses.append(frame.url))

    def _console(self, message: ConsoleMessage) -> None:
        # a favicon that is not there is Chromium's own question
        if message.type == "error" and "favicon" not in message.location["url"]:
            self.wrong.append(message.text)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" not in self.homes:
            self.wrong.append(f"a request to {request.url}")

    def fits(self) -> None:
        """Nothing is broken by the policy, and nothing sticks out at the side."""
        assert self.page.evaluate("window.violations") == []
        wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert self.page.evaluate(wide), self.page.url


@dataclass
class SetUp:
    """The command beside the browser. ``address``: by another name than GitHub's, as in life."""

    hub: Sandbox
    process: "subprocess.Popen[str]"
    folder: Path
    address: str
    code: str


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[SetUp]:
    with (
        Sandbox(with_app=False) as hub,
        subprocess.Popen(
            command_line("setup", "--org", "acme"),
            env=environment(hub.env(), PORT=str(free_port())),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            address, code = invitation(process)
            # cookies must survive that GitHub is another site: 127.0.0.1 is, for localhost
            yield SetUp(hub, process, tmp_path, address.replace("127.0.0.1", "localhost"), code)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "size", [pytest.param(DESKTOP, id="desktop"), pytest.param(MOBILE, id="mobile")]
)
def test_the_click_path(browser: Browser, begun: SetUp, size: dict[str, int]) -> None:
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, java_script_enabled=True
    )
    try:
        base = begun.address.removesuffix("/setup")
        visit = Visit(context.new_page(), (base, begun.hub.url))
        visit.watch()
        page = visit.page

        page.goto(begun.address)
        expect(page.get_by_label("Code")).to_be_focused()
        page.get_by_label("Code").fill("AAAA-AAAA-AAAA")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("not the code")
        visit.fits()
        visit.wrong.clear()  # the refusal is an error to the console
        page.get_by_label("Code").fill(begun.code.lower())
        page.get_by_role("button", name="Continue").click()

        expect(page.get_by_role("heading", name="What it may do, and why")).to_be_visible()
        visit.fits()
        page.get_by_text("Change something").click()
        page.get_by_label("issues: write").check()
        page.get_by_role("button", name="Update").click()
        expect(page.get_by_role("row", name="issues")).to_contain_text("open an issue")

        page.get_by_role("button", name="Create on GitHub").click()
        page.get_by_role("button", name="Create GitHub App for acme").click()
        expect(page.get_by_role("heading", name="countersign-acme is made")).to_be_visible()
        visit.fits()
        assert urlsplit(page.url).query == ""

        with context.expect_page() as opened:
            page.get_by_role("link", name="Install it on GitHub").click()
        github = opened.value
        github.set_default_timeout(PATIENCE)
        github.get_by_role("button", name="Install").click()
        expect(github.get_by_role("heading")).to_contain_text("is installed on acme")

        assert visit.wrong == []
        assert not [address for address in visit.addresses if "code=" in address]
        shown = page.content()
    finally:
        context.close()
    assert begun.process.wait(PATIENCE // 1000) == 0
    stored = read(begun.folder / "countersign.env")
    for name in ("GITHUB_WEBHOOK_SECRET", "GITHUB_CLIENT_SECRET", "GITHUB_APP_PRIVATE_KEY"):
        assert stored[name] not in shown
    (installed,) = begun.hub.world.installations.values()
    assert (installed.account.login, installed.permissions["issues"]) == ("acme", "write")


def test_it_works_without_scripts(browser: Browser, begun: SetUp) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(begun.address)
        page.get_by_label("Code").fill(begun.code)
        page.get_by_label("Code").press("Enter")
        page.get_by_role("button", name="Create on GitHub").click()
        page.get_by_role("button", name="Create GitHub App for acme").click()
        expect(page.get_by_role("link", name="Install it on GitHub")).to_be_visible()
    finally:
        context.close()


def test_another_sites_form_gets_nothing(browser: Browser, begun: SetUp) -> None:
    """A page elsewhere posts to the set-up of somebody who has it open."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(begun.address)
        page.get_by_label("Code").fill(begun.code)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("button", name="Create on GitHub")).to_be_visible()
        page.goto("about:blank")
        page.set_content(
            f'<form method="post" action="{begun.address}/choice">'
            '<input name="organization" value="evil"><button>Win</button></form>'
        )
        page.get_by_role("button", name="Win").click()
        expect(page.get_by_role("heading", name="Not possible")).to_be_visible()
        page.goto(begun.address)
        expect(page.get_by_text("the organisation acme")).to_be_visible()
    finally:
        context.close()
