"""``make pictures``: the pictures of the documentation, taken of the real app beside the sandbox.

Nothing is drawn or mended afterwards: what a picture shows is what the program says. Needs a
browser (chromium).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox import play
from sandbox.examples import CART, by_claude_code, by_hand
from sandbox.real_app import AppFailed, RealApp, free_port
from sandbox.seed import ORGANIZATION, REPOSITORY
from sandbox.server import Sandbox

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds until the app must have answered
WAITING = "Waiting for a senior: @grace or @ada can sign off"
SIGNED = "Signed off by @grace (senior)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is shown when the check says ``title``: the whole window, or the check alone."""

    name: str
    title: str
    colours: Literal["light", "dark"]
    check_only: bool = False
    actor: str = "kim"


# In the order of what happens.
PICTURES = (
    Picture(name="play-light.png", title=WAITING, colours="light"),
    Picture(name="play-dark.png", title=WAITING, colours="dark"),
    Picture(name="check-waiting.png", title=WAITING, colours="light", check_only=True),
    Picture(name="check-signed.png", title=SIGNED, colours="light", check_only=True),
)
SETUP = "setup.png"  # the card of the set-up's page that has the permissions
NAMES = (*(picture.name for picture in PICTURES), SETUP)
INVITATION = re.compile(r"(http://\S+/setup)\s.*?works once:\s+([A-Z0-9-]{14})", re.DOTALL)


def take(folder: Path, binary: str) -> None:
    """Take every picture into ``folder``. Raises: AppFailed, AssertionError (the app says else)."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Sandbox(extend=play.install) as hub,
        RealApp(hub, Path(directory)),
        _browser(binary) as browser,
    ):
        number = _story(hub)
        _take(folder, browser, f"{hub.url}/{REPOSITORY}/pull/{number}", WAITING)
        hub.act("grace", "approve", repo=REPOSITORY, number=number)
        _take(folder, browser, f"{hub.url}/{REPOSITORY}/pull/{number}", SIGNED)


def take_setup(folder: Path, binary: str) -> None:
    """Take the picture of the set-up: the real command, asked by a browser. Raises: AppFailed."""
    with tempfile.TemporaryDirectory() as directory, Sandbox(with_app=False) as hub:
        plain = {name: text for name, text in os.environ.items() if not name.startswith("GITHUB_")}
        command = subprocess.Popen(  # noqa: S603 -- our own command line
            [sys.executable, "-m", "github_app", "setup", "--org", ORGANIZATION],
            env={**plain, **hub.env(), "PORT": str(free_port()), "PYTHONPATH": str(_ROOT)},
            cwd=directory,
            stderr=subprocess.PIPE,
            text=True,
        )
        with command, _browser(binary) as browser:
            try:
                _take_setup(browser, folder / SETUP, *_invited(command))
            finally:
                command.terminate()


def _invited(command: subprocess.Popen[str]) -> tuple[str, str]:
    """The address and the code that the terminal shows."""
    shown = ""
    for line in command.stderr or ():
        shown += line
        if found := INVITATION.search(shown):
            return found[1], found[2]
    raise AppFailed(f"countersign setup did not start:\n{shown}")


def _take_setup(browser: Browser, file: Path, address: str, code: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="light")
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Continue").click()
        card = page.locator("section.card", has=page.get_by_role("table"))
        card.screenshot(path=file, animations="disabled")
    finally:
        context.close()


def _story(hub: Sandbox) -> int:
    """A plain pull request, and one with AI that kim approved, which does not count; its number."""
    hub.act(
        "kim", "push", repo=REPOSITORY, branch="round-prices",
        commits=[by_hand("Round prices to whole cents")],
    )  # fmt: skip
    hub.act(
        "kim", "open_pull_request", repo=REPOSITORY, head="round-prices",
        title="Round prices to whole cents",
    )  # fmt: skip
    hub.act(
        "june", "push", repo=REPOSITORY, branch="cart-discount",
        commits=[by_claude_code("Give the cart a discount", {"shop/cart.py": CART})],
    )  # fmt: skip
    pull = hub.act(
        "june", "open_pull_request", repo=REPOSITORY, head="cart-discount",
        title="Give the cart a discount",
    )  # fmt: skip
    number = int(pull["number"])
    hub.act("kim", "approve", repo=REPOSITORY, number=number)
    return number


def _take(folder: Path, browser: Browser, address: str, title: str) -> None:
    for picture in PICTURES:
        if picture.title == title:
            with _page(browser, address, picture) as page:
                target = page.locator("article.status") if picture.check_only else page
                target.screenshot(path=folder / picture.name, animations="disabled")


@contextmanager
def _page(browser: Browser, address: str, picture: Picture) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, color_scheme=picture.colours
    )
    try:
        page = context.new_page()
        page.goto(address)
        page.locator(f'input[name=actor][value="{picture.actor}"]').check()
        expect(page.locator("#check-title")).to_have_text(picture.title, timeout=PATIENCE)
        expect(page.locator("#part-why")).to_contain_text("@kim is mid", timeout=PATIENCE)
        yield page
    finally:
        context.close()


@contextmanager
def _browser(binary: str) -> Iterator[Browser]:
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=binary, args=list(FLAGS))
        try:
            yield found
        finally:
            found.close()


def browser_binary(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """The browser of this machine, or None."""
    return next(filter(None, map(which, BINARIES)), None)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Take the documentation's pictures into FOLDER."""
    binary = browser_binary()
    if binary is None:
        raise click.ClickException(f"no browser: none of {', '.join(BINARIES)} is installed")
    take(folder, binary)
    take_setup(folder, binary)
    for name in NAMES:
        click.echo(folder / name)


if __name__ == "__main__":
    main()
