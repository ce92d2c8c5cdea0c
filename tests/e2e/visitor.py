"""Somebody at a browser without scripts: follows links, fills in forms, keeps cookies. And the
terminal beside it, in which a command shows the set-up's address and code."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import requests

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds; machines are busy
INVITATION = re.compile(r"(http://\S+/setup)\s.*?works once:\s+([A-Z0-9-]{14})", re.DOTALL)
# What a command gets of the environment of the tests: nothing that configures an app.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE")


@dataclass
class Form:
    """A form as it stands: ``fields`` with their values, what is ticked included."""

    action: str
    method: str
    button: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get")))
        elif tag == "input" and self.forms and "name" in found:
            toggles = found.get("type") in ("checkbox", "radio")
            if not toggles or "checked" in found:
                self.forms[-1].fields[found["name"]] = found.get("value", "")
        self._in_button = tag == "button"

    def handle_data(self, data: str) -> None:
        if self._in_button and self.forms:
            self.forms[-1].button += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._in_button = False


class Visitor:
    """One browser. ``text`` and ``url``: the page that it shows."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self.text = self.url = ""

    def open(self, url: str) -> None:
        self._show(self._session.get(url, timeout=PATIENCE))

    def press(self, button: str, **fields: str) -> None:
        """Fill in the form with this button, and press it."""
        forms = _Forms()
        forms.feed(self.text)
        (form,) = [form for form in forms.forms if form.button.startswith(button)]
        target = urljoin(self.url, form.action)
        self._show(self._session.post(target, form.fields | fields, timeout=PATIENCE))

    def link(self, words: str) -> str:
        """Where the link with these words leads."""
        found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(words)}<', self.text)
        assert found, self.text
        return str(urljoin(self.url, found[1]))

    def _show(self, answer: requests.Response) -> None:
        assert answer.ok, f"{answer.status_code} {answer.url}\n{answer.text}"
        self.text, self.url = answer.text, answer.url

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def set_up(
    visitor: Visitor, address: str, code: str, *, choice: Mapping[str, str] | None = None
) -> str:
    """From the terminal's words to the last page; where the app is installed."""
    visitor.open(address)
    visitor.press("Continue", code=code)
    if choice:
        visitor.press("Update", **choice)
    visitor.press("Create on GitHub")
    visitor.press("Create GitHub App")
    assert visitor.url.endswith("/setup/done"), visitor.url
    return visitor.link("Install it on GitHub")


def command_line(*words: str) -> list[str]:
    return [sys.executable, "-m", "github_app", *words]


def invitation(stream: "subprocess.Popen[str]") -> tuple[str, str]:
    """The address and the code, as soon as the terminal shows them."""
    assert stream.stderr is not None
    shown = ""
    for line in stream.stderr:
        shown += line
        found = INVITATION.search(shown)
        if found:
            return found[1], found[2]
    raise AssertionError(f"no invitation in: {shown}")


def environment(base: Mapping[str, str], **more: str) -> dict[str, str]:
    """For a command of a newcomer: where GitHub is, and nothing of an app."""
    plain = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**plain, "PYTHONPATH": str(ROOT), **base, **more}
