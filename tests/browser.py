"""A real browser for tests: the system's Chromium, and what every page is watched for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# Violations of the page's policy are kept where a test can read them.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""


PATIENCE = 60_000  # milliseconds: machines are busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    binary = next(filter(None, map(shutil.which, BINARIES)), None)
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs a browser, and none of {', '.join(BINARIES)} is installed")
        pytest.skip(f"no browser: none of {', '.join(BINARIES)} is installed")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=binary, args=list(FLAGS))
        yield found
        found.close()
