"""The playable page in a real browser, against the sandbox and the real app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect

from sandbox import play
from sandbox.real_app import RealApp
from sandbox.server import Sandbox
from tests.browser import WATCH, browser
from tests.sandbox.kit import SHOP

__all__ = ["browser"]  # the fixture

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds until the app must have answered
WAITING = "Waiting for a senior: @grace or @ada can sign off"
SIGNED = "Signed off by @grace (senior)"
# The answer to a move comes only after the news has shown what the move made.
LATE_ANSWER = """
const fetched = window.fetch;
window.fetch = async (address, options) => {
  const answer = await fetched(address, options);
  if (String(address).startsWith("/play/move")) {
    while (!document.body.classList.contains("has-pull")) {
      await new Promise((done) => setTimeout(done, 10));
    }
  }
  return answer;
};
"""
PROBE = "<img src=x onerror=alert(1)>"
BRANCH = "<img/src=x/onerror=alert(1)>"  # git allows no blanks


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with the page, and the real app judging beside it."""
    directory: Path = tmp_path_factory.mktemp("app")
    with Sandbox(extend=play.install) as found, RealApp(found, directory):
        yield found


@dataclass
class Visit:
    """A page and everything that went wrong on it. ``number`` is the pull request it shows."""

    page: Page
    home: str
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script error: {error}"))
        self.page.on("request", self._request)

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self.home + "/"):
            self.wrong.append(f"a request to {request.url}")

    def everything_wrong(self) -> list[str]:
        violations: list[str] = self.page.evaluate("window.violations")
        return self.wrong + violations

    def act_as(self, login: str) -> None:
        self.page.locator(f'input[name=actor][value="{login}"]').check()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def open(self, kind: str, **words: str) -> int:
        """Open a pull request with the dialog; its number."""
        self.page.get_by_role("button", name="New", exact=True).click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text(kind, exact=True).click()
        if words:
            dialog.get_by_text("Use your own words").click()
        for label, text in words.items():
            dialog.get_by_label(label).fill(text)
        dialog.get_by_role("button", name="Open pull request").click()
        expect(dialog).to_be_hidden()
        self.page.wait_for_url("**/pull/*")
        return int(self.page.url.rsplit("/", 1)[1])

    def expect_check(self, title: str, state: str, *, merge: str) -> None:
        """What the check and the merge box say, without a reload."""
        expect(self.page.locator("#check-title")).to_have_text(title, timeout=PATIENCE)
        expect(self.page.locator("header.check")).to_have_attribute("data-state", state)
        expect(self.page.locator(".merge h3")).to_have_text(merge, timeout=PATIENCE)


@pytest.fixture(params=["desktop"])
def visit(browser: Browser, hub: Sandbox, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page in a context of its own; nothing may have gone wrong on it in the end."""
    size = {"desktop": (1280, 900), "mobile": (390, 844)}[request.param]
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    found = Visit(context.new_page(), hub.url)
    found.watch()
    found.page.goto(hub.url)
    yield found
    assert found.everything_wrong() == []
    context.close()


def test_the_address_follows_although_the_news_came_before_the_answer(
    browser: Browser,
) -> None:
    with Sandbox(extend=play.install) as fresh:
        context = browser.new_context()
        visit = Visit(context.new_page(), fresh.url)
        visit.watch()
        visit.page.add_init_script(LATE_ANSWER)
        visit.page.goto(fresh.url)
        visit.act_as("june")
        number = visit.open("An AI commit")
        assert fresh.pull(number)["state"] == "open"
        assert visit.everything_wrong() == []
        context.close()


@pytest.mark.parametrize("visit", ["desktop", "mobile"], indirect=True)
def test_the_story_of_a_sign_off(visit: Visit, hub: Sandbox) -> None:
    visit.act_as("june")
    number = visit.open("An AI commit")
    visit.expect_check(WAITING, "action_required", merge="Merging is blocked")

    visit.act_as("kim")
    visit.press("Approve")
    why = visit.page.locator("#part-why")
    expect(why).to_contain_text("@kim is mid", timeout=PATIENCE)
    visit.expect_check(WAITING, "action_required", merge="Merging is blocked")

    visit.act_as("june")
    visit.press("Try to merge anyway")
    said = visit.page.locator("#said")
    expect(said).to_contain_text("GitHub refuses (405): Repository rule violations found")
    assert hub.pull(number)["state"] == "open"

    visit.act_as("grace")
    visit.press("Approve")
    visit.expect_check(SIGNED, "success", merge="Ready to merge")

    visit.act_as("june")
    visit.press("A plain commit")
    visit.expect_check(WAITING, "action_required", merge="Merging is blocked")
    expect(why).to_contain_text("1 commit before the head", timeout=PATIENCE)

    visit.act_as("grace")
    visit.press("Approve")
    visit.expect_check(SIGNED, "success", merge="Ready to merge")

    visit.act_as("june")
    visit.press("Merge pull request")
    expect(visit.page.locator(".byline .state")).to_have_text("Merged", timeout=PATIENCE)
    assert hub.pull(number)["state"] == "merged"


def test_hiding_the_trailer_hides_nothing(visit: Visit) -> None:
    visit.act_as("june")
    visit.open("An AI commit")
    visit.expect_check(WAITING, "action_required", merge="Merging is blocked")
    before = visit.page.locator(".why footer .sha").inner_text()
    visit.press("Force the trailer away")
    expect(visit.page.locator(".why footer .sha")).not_to_have_text(before, timeout=PATIENCE)
    visit.expect_check(WAITING, "action_required", merge="Merging is blocked")
    expect(visit.page.locator(".commit .marks")).to_have_count(0)


def test_a_plain_pull_request_is_green(visit: Visit) -> None:
    visit.act_as("kim")
    visit.open("A plain commit")
    visit.expect_check("No AI assistance found", "success", merge="Ready to merge")


@pytest.mark.parametrize("visit", ["desktop", "mobile"], indirect=True)
def test_foreign_text_stays_text(visit: Visit, hub: Sandbox) -> None:
    visit.act_as("june")
    message = f"{PROBE}\n\n{PROBE}\n\nCo-Authored-By: {PROBE} <noreply@anthropic.com>"
    branch = f"{hub.world.version}/{BRANCH}"
    words = {"Commit message": message, "Title": PROBE, "Branch": branch}
    number = visit.open("A plain commit", **words)
    page = visit.page
    expect(page.locator("h1")).to_contain_text(PROBE)
    page.get_by_label("Label", exact=True).fill(PROBE)
    visit.press("Add")
    visit.act_as("grace")
    page.get_by_label("Review", exact=True).fill(
        f"{PROBE} ![x](http://evil.example/x.png) [y](javascript:alert(2))"
    )
    visit.press("Request changes")
    hub.act(
        "ada",
        "comment",
        repo=SHOP,
        number=number,
        body=f"`{PROBE}` {PROBE} <script>alert(3)</script>",
    )
    hub.act("june", "edit_pull_request", repo=SHOP, number=number, body=f"{PROBE}\n\n# {PROBE}")
    visit.expect_check("@grace (senior) asked for changes", "failure", merge="Merging is blocked")
    expect(page.locator(".byline")).to_contain_text(BRANCH)
    for place in ("h1", ".description", ".commit-head", ".labels", ".history"):
        expect(page.locator(place).first).to_contain_text(PROBE, timeout=PATIENCE)
    page.reload()
    expect(page.locator("h1")).to_contain_text(PROBE)
    assert page.locator("img:not(.brand img)").count() == 0
    assert page.locator("script:not([src^='/play/static/'])").count() == 0
    elsewhere = "[...document.links].filter((a) => a.origin !== location.origin).length"
    assert page.evaluate(elsewhere) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_it_works_from_the_keyboard(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("input[name=actor][value=june]")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[name=actor][value=kim]")).to_be_checked()
    expect(page.locator("#acting")).to_have_text("kim")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.reload()
    expect(page.locator("input[name=actor][value=kim]")).to_be_checked()


def test_what_one_types_survives_the_news(visit: Visit, hub: Sandbox) -> None:
    visit.act_as("june")
    number = visit.open("A plain commit")
    box = visit.page.get_by_label("Review", exact=True)
    box.fill("half a thou")
    hub.act("ada", "comment", repo=SHOP, number=number, body="In between")
    expect(visit.page.locator(".history")).to_contain_text("In between", timeout=PATIENCE)
    expect(box).to_be_focused()
    expect(box).to_have_value("half a thou")
