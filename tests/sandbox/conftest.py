"""Sandboxes for the tests: one without a server for rules, one that listens for HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox
from tests.sandbox.kit import Inbox


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    """A seeded sandbox that does not listen; webhooks go to nobody."""
    found = Sandbox()
    yield found
    found.stop()


@pytest.fixture
def inbox(hub: Sandbox) -> Inbox:
    """What the app would have received, in order of arrival."""
    found = Inbox()
    hub.courier.receiver = found.receive
    return found


@pytest.fixture
def server() -> Iterator[Sandbox]:
    """A seeded sandbox that listens on a free port."""
    with Sandbox() as found:
        yield found
