"""One thread's line to GitHub: PyGithub's ``Requester`` over connections with bounds of our own.

PyGithub's own connection reads answers of any size, waits without bound on a 202 and follows a
301 to wherever a repository went; its retries sleep in the worker and repeat a POST. So the
connection is ours (kept alive, capped, never redirected) and nothing is retried here.
"""

import json
import logging
import os
import time
from collections.abc import ItemsView, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import requests
from github.Auth import Auth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

from github_app.gateway.errors import ConnectionLost, TooHeavy, Unavailable

API_VERSION = "2022-11-28"  # without one GitHub picks the oldest; Enterprise Server knows this one
READ_SECONDS = (5.0, 15.0)  # to connect, and of silence: GitHub gives up on a query after 10 s
TOTAL_SECONDS = 30.0
# A write must end while the lease of its work lasts: WRITE_SECONDS in all.
WRITE_PARTS = (1.5, 3.5)
WRITE_SECONDS = sum(WRITE_PARTS)
ANSWER_BYTES = 32 * 1024 * 1024  # unpacked; an ordinary snapshot is about 50 KB
CHUNK_BYTES = 256 * 1024
JSON = "application/vnd.github+json"
DIFF = "application/vnd.github.diff"
_NUMBERS = frozenset({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"})

# At DEBUG PyGithub logs whole bodies: titles, commit messages, fresh tokens.
logging.getLogger("github").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` has lower-case names. ``data`` is the decoded JSON, None where there is none; if
    something else was asked for, the text, with bytes that are no UTF-8 kept as in PEP 383."""

    status: int
    headers: Mapping[str, str]
    data: Any

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-github-request-id")


class Line:
    """Used by one thread at a time: two threads on one could cross bodies and addresses."""

    def __init__(self, api_url: str, graphql_url: str) -> None:
        self.pid = os.getpid()
        self._bearer = _Bearer()
        self._graphql_url = graphql_url
        self._requester = Requester(
            auth=self._bearer,
            base_url=api_url,
            timeout=int(TOTAL_SECONDS),  # of PyGithub's own connections, which are not used
            user_agent=f"countersign/{version('countersign')}",
            per_page=100,
            verify=True,
            retry=None,
            pool_size=1,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version=API_VERSION,
        )
        self._rest = _connect(api_url)
        same = _origin(api_url) == _origin(graphql_url)
        self._graphql = self._rest if same else _connect(graphql_url)

    def rest(
        self,
        verb: str,
        path: str,
        *,
        bearer: str | None,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
        accept: str = JSON,
        patience: tuple[float, float] | None = None,
    ) -> Answer:
        """Send one request. ``path`` begins with ``/`` and is quoted. ``accept``: a media type.

        ``patience``: seconds to connect and of silence, if not those of a read or of a write.
        Raises: Unavailable and its children; an error status is an answer like any other.
        """
        self._rest.patience = patience or (READ_SECONDS if verb == "GET" else WRITE_PARTS)
        return self._send(verb, path, bearer, query, body, self._rest, accept)

    def graphql(self, document: str, variables: Mapping[str, object], *, bearer: str) -> Answer:
        """Send one GraphQL document that holds one operation. Raises as ``rest``."""
        body = {"query": document, "variables": variables}
        self._graphql.patience = READ_SECONDS
        return self._send("POST", self._graphql_url, bearer, None, body, self._graphql)

    def close(self) -> None:
        self._rest.close()
        self._graphql.close()

    def _send(
        self,
        verb: str,
        url: str,
        bearer: str | None,
        query: Mapping[str, str | int] | None,
        body: Mapping[str, object] | None,
        connection: "_Http | _Https",
        accept: str = JSON,
    ) -> Answer:
        self._bearer.value = bearer
        try:
            status, headers, text = self._requester.requestJson(
                verb, url, dict(query or {}), {"Accept": accept}, body, connection
            )
        except requests.Timeout as error:
            raise TooHeavy("GitHub did not answer in time") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise ConnectionLost("the connection to GitHub broke") from error
        except requests.RequestException as error:
            raise Unavailable("GitHub could not be asked") from error
        if accept != JSON and 200 <= status < 300:
            return Answer(status, headers, text)
        return Answer(status, headers, _decoded(text, status, headers))


def _decoded(text: str, status: int, headers: Mapping[str, str]) -> object:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if status >= 400:  # a proxy's HTML: the status says enough
            return None
        raise Unavailable(
            "GitHub's answer is not JSON",
            status=status,
            request_id=headers.get("x-github-request-id"),
        ) from error


class _Bearer(Auth):
    """The credential of the next request; PyGithub asks for it and masks it."""

    value: str | None = None

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        return self.value or ""

    def authentication(self, headers: dict[str, str]) -> None:
        if self.value is not None:
            super().authentication(headers)


class _Bounded(RequestsResponse):
    """An answer that was read whole, under a cap."""

    def __init__(self, response: requests.Response, text: str) -> None:
        super().__init__(response)
        self._text = text

    def read(self) -> str:
        return self._text

    def getheaders(self) -> ItemsView[str, str]:
        """Without limits that are no numbers, at which PyGithub would raise a ValueError."""
        return {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in _NUMBERS or value.isdecimal()
        }.items()


def _exchange(connection: "_Http | _Https") -> _Bounded:
    started = time.monotonic()
    url = f"{connection.protocol}://{connection.host}:{connection.port}{connection.url}"
    with connection.session.request(
        connection.verb,
        url,
        headers=connection.headers,
        data=connection.input,
        timeout=connection.patience,
        allow_redirects=False,
        stream=True,
    ) as response:
        if response.status_code == 202 and connection.verb == "GET":
            raise Unavailable("GitHub is still preparing the answer", status=202)
        if response.status_code == 301:
            response.status_code = 308  # PyGithub would follow a 301, and lose the query
        chunks, size = [], 0
        for chunk in response.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > ANSWER_BYTES:
                raise TooHeavy(f"GitHub's answer is larger than {ANSWER_BYTES >> 20} MiB")
            if time.monotonic() - started > TOTAL_SECONDS:
                raise TooHeavy(f"GitHub's answer took more than {TOTAL_SECONDS:.0f} seconds")
            chunks.append(chunk)
    # Two texts that differ must not become one: only JSON is UTF-8 by its own rules.
    is_json = connection.headers.get("Accept") == JSON
    errors = "replace" if is_json else "surrogateescape"
    return _Bounded(response, b"".join(chunks).decode("utf-8", errors=errors))


class _Http(HTTPRequestsConnectionClass):
    patience = READ_SECONDS

    def getresponse(self) -> RequestsResponse:
        return _exchange(self)


class _Https(HTTPSRequestsConnectionClass):
    patience = READ_SECONDS

    def getresponse(self) -> RequestsResponse:
        return _exchange(self)


def _connect(url: str) -> _Http | _Https:
    parts = urlsplit(url)
    kind = _Https if parts.scheme == "https" else _Http
    host = parts.hostname or ""
    connection = kind(f"[{host}]" if ":" in host else host, parts.port, retry=0, pool_size=1)
    session = connection.session
    # Proxies and CA bundles of the environment: read once, where requests would at every call.
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.cert = found["proxies"], found["verify"], found["cert"]
    session.trust_env = False
    return connection


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
