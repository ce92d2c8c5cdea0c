"""The way to GitHub: ``GitHub(settings).installation(id)``, for any number of threads.

Every call goes through ``GitHub.call``: limits known to be used up are not tried, credentials are
renewed once, a broken connection is asked again once if nothing can happen twice, and every call
is reported. All other retries belong to the queue.
"""

import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from github_app.gateway.credentials import AppCredentials, Credentials, InstallationCredentials
from github_app.gateway.documents import document
from github_app.gateway.errors import ConnectionLost, NotFound, RateLimited, Unavailable
from github_app.gateway.failures import failure, github_time, query_failure, reset
from github_app.gateway.transport import JSON, Answer, Line
from github_app.settings import Settings

PER_PAGE = 100
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was made, for metrics. It holds nothing foreign: labels may be made of it.

    ``kind``: ``GET /repos/{owner}/{repo}/activity`` or ``query PullRequestSnapshot``.
    ``installation_id``: None for the app itself. ``status``: None if no answer came. ``cost``:
    points of the primary limit of ``resource``; ``remaining`` and ``reset``: as GitHub says after.
    """

    kind: str
    installation_id: int | None
    status: int | None
    seconds: float
    resource: str
    cost: int = 1
    remaining: int | None = None
    reset: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What is left of a primary limit, as GitHub last said. ``reset``: aware, by our clock."""

    limit: int
    remaining: int
    reset: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """The ``data`` of a query whose only errors were the tolerated ones."""

    data: dict[str, Any]
    cost: int
    remaining: int | None
    request_id: str | None


class GitHub:
    """One a process. ``on_call`` hears of every call; ``before_call`` may wait, or refuse by
    raising, before a call of this kind for this installation (a budget, a limiter).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_call: Callable[[Call], None] | None = None,
        before_call: Callable[[str, int | None], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_call = on_call
        self._before_call = before_call
        self._app = AppCredentials(settings)
        self._lock = threading.Lock()
        self._installations: dict[int, InstallationCredentials] = {}
        self._rates: dict[tuple[int | None, str], Rate] = {}
        self._blocked: dict[tuple[int | None, str], datetime] = {}
        self._local = threading.local()
        self._lines: weakref.WeakSet[Line] = weakref.WeakSet()

    def installation(self, installation_id: int) -> "Installation":
        with self._lock:
            known = self._installations.get(installation_id)
            if known is None:
                known = InstallationCredentials(lambda: self._mint(installation_id))
                self._installations[installation_id] = known
        return Installation(self, installation_id, known)

    def app(self) -> "Caller":
        """The app itself, by its JWT: see ``gateway/app.py`` for what can be asked."""
        return Caller(self, None, self._app)

    def anonymous(self) -> "Caller":
        """Nobody: public data only, 60 calls an hour."""
        return Caller(self, None, None)

    def rate(self, installation_id: int, resource: str = "graphql") -> Rate | None:
        """What is left (``graphql`` or ``core``); None if nothing was asked yet, or it is over."""
        rate = self._rates.get((installation_id, resource))
        return rate if rate is not None and rate.reset > datetime.now(UTC) else None

    def forget(self, installation_id: int) -> None:
        """Drop an installation's token: it was removed, or its permissions changed."""
        with self._lock:
            self._installations.pop(installation_id, None)

    def close(self) -> None:
        """Close every connection. Threads that go on asking open new ones."""
        self._local = threading.local()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.close()

    def call(
        self,
        request: "Request",
        installation_id: int | None,
        credentials: Credentials | None,
    ) -> Answer:
        """Send a request, with a fresh credential if the first was refused.

        Raises: a child of GitHubError for everything but 2xx.
        """
        self._may_send(request, installation_id)
        bearer = credentials.bearer() if credentials else None
        answer = self._send(request, installation_id, bearer)
        if answer.status == 401 and credentials and bearer:
            there = github_time(answer.headers)
            if credentials.renew(bearer, there):
                answer = self._send(request, installation_id, credentials.bearer())
        if 200 <= answer.status < 300:
            return answer
        error = failure(answer, request.kind, datetime.now(UTC))
        if isinstance(error, RateLimited):
            used_up = answer.headers.get("x-ratelimit-remaining") == "0"
            self.block(installation_id, request.resource if used_up else "*", error.until)
        raise error

    def block(self, installation_id: int | None, resource: str, until: datetime) -> None:
        """Send nothing more for this installation until then; ``*`` is every resource."""
        self._blocked[installation_id, resource] = until

    def _may_send(self, request: "Request", installation_id: int | None) -> None:
        now = datetime.now(UTC)
        for resource in (request.resource, "*"):
            until = self._blocked.get((installation_id, resource))
            if until is not None and until > now:
                raise RateLimited(f"{request.kind}: not sent, GitHub's rate limit", until=until)
        if self._before_call is not None:
            self._before_call(request.kind, installation_id)

    def _send(self, request: "Request", installation_id: int | None, bearer: str | None) -> Answer:
        try:
            return self._send_once(request, installation_id, bearer)
        except ConnectionLost:
            if not request.safe:
                raise
            return self._send_once(request, installation_id, bearer)

    def _send_once(
        self, request: "Request", installation_id: int | None, bearer: str | None
    ) -> Answer:
        started = time.monotonic()
        answer: Answer | None = None
        try:
            answer = request.send(self._line(), bearer)
        finally:
            self._report(request, installation_id, answer, time.monotonic() - started)
        return answer

    def _report(
        self,
        request: "Request",
        installation_id: int | None,
        answer: Answer | None,
        seconds: float,
    ) -> None:
        rate = _rate(answer) if answer else None
        if rate is not None:
            self._rates[installation_id, request.resource] = rate
        if self._on_call is not None:
            call = Call(
                kind=request.kind,
                installation_id=installation_id,
                status=answer.status if answer else None,
                seconds=seconds,
                resource=request.resource,
                cost=_cost(answer) if answer else 1,
                remaining=rate.remaining if rate else None,
                reset=rate.reset if rate else None,
            )
            self._on_call(call)

    def _line(self) -> Line:
        line: Line | None = getattr(self._local, "line", None)
        if line is None or line.pid != os.getpid():  # after a fork the parent's is the parent's
            line = Line(self._settings.api_url, self._settings.graphql_url)
            self._local.line = line
            with self._lock:
                self._lines.add(line)
        return line

    def _mint(self, installation_id: int) -> Answer:
        # safe: a token too many harms nobody
        request = Request.rest(
            "POST", "/app/installations/{id}/access_tokens", {"id": installation_id}, safe=True
        )
        return self.call(request, None, self._app)


@dataclass(frozen=True, slots=True)
class Request:
    """``kind`` names it for people and metrics; ``safe``: sending it twice does no harm."""

    kind: str
    resource: str
    safe: bool
    send: Callable[[Line, str | None], Answer]

    @classmethod
    def rest(
        cls,
        verb: str,
        template: str,
        values: Mapping[str, object],
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
        safe: bool = False,
        accept: str = JSON,
    ) -> "Request":
        """``template`` such as ``/repos/{owner}/{repo}``; the values are quoted into it."""
        kind = f"{verb} {template}"
        path = _fill(template, values, kind)
        return cls(
            kind,
            "core",
            safe or verb == "GET",
            lambda line, bearer: line.rest(
                verb, path, bearer=bearer, query=query, body=body, accept=accept
            ),
        )

    @classmethod
    def query(cls, operation: str, variables: Mapping[str, object]) -> "Request":
        text = document(operation)
        return cls(
            f"query {operation}",
            "graphql",
            True,
            lambda line, bearer: line.graphql(text, variables, bearer=bearer or ""),
        )


class Caller:
    """Somebody who may ask: the app, or nobody in particular."""

    def __init__(
        self, github: GitHub, installation_id: int | None, credentials: Credentials | None
    ) -> None:
        self.github = github
        self.installation_id = installation_id
        self._credentials = credentials

    def rest(
        self,
        verb: str,
        template: str,
        values: Mapping[str, object],
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
        accept: str = JSON,
    ) -> Answer:
        """One REST call. ``accept``: a media type; the answer to another than JSON is its text.

        Raises: GitHubError.
        """
        request = Request.rest(verb, template, values, query=query, body=body, accept=accept)
        return self.github.call(request, self.installation_id, self._credentials)

    def pages(
        self,
        template: str,
        values: Mapping[str, object],
        *,
        query: Mapping[str, str | int] | None = None,
        key: str | None = None,
    ) -> Iterator[list[Any]]:
        """Each page of a list, to its end, by the ``Link`` header. ``key``: where the list is.

        Raises: GitHubError; Unavailable also where a page is no list or paging goes in circles.
        """
        asked: dict[str, str | int] = {"per_page": PER_PAGE, **(query or {})}
        seen = set()
        while True:
            answer = self.rest("GET", template, values, query=asked)
            items = answer.data.get(key) if key and isinstance(answer.data, dict) else answer.data
            if not isinstance(items, list):
                raise Unavailable(f"{template}: not a list", request_id=answer.request_id)
            yield items
            following = _next_page(answer.headers.get("link", ""))
            if following is None:
                return
            if following in seen:
                raise Unavailable(f"{template}: pages repeat", request_id=answer.request_id)
            seen.add(following)
            asked = dict(following)

    def query(
        self,
        operation: str,
        variables: Mapping[str, object],
        *,
        tolerate: tuple[str, ...] = (),
    ) -> Result:
        """One GraphQL query. ``tolerate``: top-level fields that may be NOT_FOUND, and nothing
        else, anywhere: a partial answer is no answer.

        Raises: GitHubError, by the type of GraphQL's first error.
        """
        request = Request.query(operation, variables)
        answer = self.github.call(request, self.installation_id, self._credentials)
        error = query_failure(answer, request.kind, tolerate, datetime.now(UTC))
        if isinstance(error, RateLimited):
            self.github.block(self.installation_id, "graphql", error.until)
        if error is not None:
            raise error
        found = answer.data.get("data") if isinstance(answer.data, dict) else None
        if not isinstance(found, dict):
            raise Unavailable(f"{request.kind}: no data", request_id=answer.request_id)
        rate = _rate(answer)
        return Result(found, _cost(answer), rate.remaining if rate else None, answer.request_id)


class Installation(Caller):
    """One installation of the app: what may be read and published in its repositories."""

    def __init__(
        self, github: GitHub, installation_id: int, credentials: InstallationCredentials
    ) -> None:
        super().__init__(github, installation_id, credentials)
        self.id = installation_id
        self._token = credentials

    @property
    def permissions(self) -> Mapping[str, str]:
        """What the owner granted, as ``{"checks": "write"}``. Raises: GitHubError."""
        return self._token.token().permissions


def _fill(template: str, values: Mapping[str, object], kind: str) -> str:
    def quoted(slot: re.Match[str]) -> str:
        text = str(values[slot[1]])
        if text in {"", ".", ".."}:  # these would lead to another address
            raise NotFound(f"{kind}: no such {slot[1]}")
        return quote(text, safe="")

    return _SLOT.sub(quoted, template)


def _next_page(link: str) -> tuple[tuple[str, str], ...] | None:
    """The parameters of ``rel="next"``. Only they are used: the address stays ours."""
    for part in link.split(","):
        url, _, rest = part.strip().partition(">")
        if 'rel="next"' in rest and url.startswith("<"):
            return tuple(parse_qsl(urlsplit(url[1:]).query))
    return None


def _rate(answer: Answer) -> Rate | None:
    headers = answer.headers
    limit, remaining = headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")
    until = reset(headers, datetime.now(UTC))
    if not (limit and remaining and limit.isdigit() and remaining.isdigit() and until):
        return None
    return Rate(limit=int(limit), remaining=int(remaining), reset=until)


def _cost(answer: Answer) -> int:
    """Points of the primary limit: GraphQL says so itself, a REST call is one."""
    data = answer.data.get("data") if isinstance(answer.data, dict) else None
    limit = data.get("rateLimit") if isinstance(data, dict) else None
    cost = limit.get("cost") if isinstance(limit, dict) else None
    return cost if isinstance(cost, int) else 1
