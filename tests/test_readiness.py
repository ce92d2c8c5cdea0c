"""Whether GitHub accepts us is asked once a minute; who asks meanwhile is not kept waiting."""

import threading
from typing import cast
from unittest.mock import patch

import pytest

from github_app import services
from github_app.gateway import app as the_app
from github_app.gateway.client import GitHub
from github_app.gateway.errors import Unavailable
from github_app.services import checks_credentials

PATIENCE = 30.0


class App:
    """GitHub, asked who we are: it answers when it may, and fails when it shall."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.began, self.may = threading.Event(), threading.Event()
        self.may.set()

    def identity(self, _caller: object) -> None:
        self.asked += 1
        self.began.set()
        assert self.may.wait(PATIENCE)
        if self.fails:
            raise Unavailable("GitHub failed (503)")

    def app(self) -> object:
        return self


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    app = App()
    monkeypatch.setattr(the_app, "identity", app.identity)
    return app


def test_github_is_asked_once_a_minute(app: App) -> None:
    app.fails = True
    check = checks_credentials(cast("GitHub", app))
    assert check() == check()
    assert app.asked == 1


def test_nobody_waits_for_somebody_elses_question(app: App) -> None:
    check = checks_credentials(cast("GitHub", app))
    assert check() is None
    app.may.clear()
    app.began.clear()
    app.fails = True
    with patch.object(services, "CREDENTIALS_AGE", 0.0):
        slow = threading.Thread(target=check)
        slow.start()
        try:
            assert app.began.wait(PATIENCE)
            found: list[str | None] = []
            other = threading.Thread(target=lambda: found.append(check()))
            other.start()
            other.join(PATIENCE / 2)
            assert found == [None], "what was known last, at once"
        finally:
            app.may.set()
            slow.join()
            other.join()
    assert check() is not None
