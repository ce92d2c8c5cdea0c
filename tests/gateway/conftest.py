"""GitHub's side of the wire, canned: for what a real server cannot be made to answer."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from github_app.gateway.client import Call, GitHub, Installation
from github_app.settings import Settings
from tests.keys import pem

API = "https://api.github.com:443"
REPO_ID = 9001
APP_ID = 4711
CHECK = "senior-signoff"

Reply = tuple[int, dict[str, str], str]


def reply(data: object, status: int = 200, **headers: str) -> Reply:
    """An answer as GitHub sends it. Header names with underscores for hyphens."""
    now = datetime.now(UTC)
    usual = {
        "Date": format_datetime(now, usegmt=True),
        "X-GitHub-Request-Id": "AB12:34CD",
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "4990",
        "X-RateLimit-Reset": str(int((now + timedelta(minutes=30)).timestamp())),
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, usual | given, data if isinstance(data, str) else json.dumps(data)


class Hub:
    """What GitHub will answer, and what it was asked."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.mints = 0
        self.token_life = timedelta(hours=1)
        self.asked: list[tuple[str, str, Any]] = []
        self._queries: list[Reply | Exception] = []
        mock.add_callback(
            responses.POST, f"{API}/app/installations/77/access_tokens", callback=self._mint
        )
        mock.add_callback(responses.POST, f"{API}/graphql", callback=self._query)

    def answers(self, *replies: Reply | Exception) -> None:
        """Answer the next GraphQL queries with these, in turn."""
        self._queries += replies

    def on(self, verb: str, path: str, *replies: Reply | Exception) -> None:
        """Answer REST calls to a path with these, in turn."""
        left = list(replies)

        def answer(request: PreparedRequest) -> Reply | Exception:
            self._note(request)
            return left.pop(0)

        self.mock.add_callback(verb, f"{API}{path}", callback=answer)

    def forget(self) -> None:
        """Forget what was to be answered and what was asked."""
        self._queries.clear()
        self.asked.clear()
        self.mock.calls.reset()

    def _mint(self, request: PreparedRequest) -> Reply:
        self.mints += 1
        ends = datetime.now(UTC) + self.token_life
        token = {"token": f"ghs_{self.mints}", "expires_at": ends.isoformat()}
        return reply(token | {"permissions": {"checks": "write"}}, 201)

    def _query(self, request: PreparedRequest) -> Reply | Exception:
        self._note(request)
        return self._queries.pop(0)

    def _note(self, request: PreparedRequest) -> None:
        body = request.body
        given = json.loads(body) if isinstance(body, str | bytes) else None
        url = str(request.url).removeprefix(API)
        self.asked.append((str(request.method), url, given))

    @property
    def variables(self) -> list[dict[str, Any]]:
        return [body["variables"] for _, url, body in self.asked if url == "/graphql"]


@pytest.fixture
def settings() -> Settings:
    return Settings.from_environment(
        {
            "GITHUB_APP_ID": str(APP_ID),
            "GITHUB_APP_PRIVATE_KEY": pem(),
            "GITHUB_WEBHOOK_SECRET": "a-long-enough-webhook-secret",
        }
    )


@pytest.fixture
def hub() -> Iterator[Hub]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Hub(mock)


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def github(settings: Settings, hub: Hub, calls: list[Call]) -> Iterator[GitHub]:
    client = GitHub(settings, on_call=calls.append)
    yield client
    client.close()


@pytest.fixture
def installation(github: GitHub) -> Installation:
    return github.installation(77)
