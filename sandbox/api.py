"""The plumbing of the REST API: routes, rights, faults, counters, paging, headers."""

from __future__ import annotations

import functools
import hashlib
import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, g, request

from sandbox.auth import AppCaller, Caller, Door
from sandbox.calls import READ_POINTS, WRITE_POINTS, Call, Calls
from sandbox.deliveries import Courier
from sandbox.errors import Forbidden, NotFound, Refused, Unauthorized
from sandbox.faults import Fault, Faults
from sandbox.graphql import GraphQL
from sandbox.objects import Account, App, Repository
from sandbox.world import World

PAGE, MOST = 30, 100
Json = Any


@dataclass(eq=False)
class Services:
    """Everything a request may need."""

    world: World
    door: Door
    faults: Faults
    calls: Calls
    courier: Courier
    graphql: GraphQL


def services() -> Services:
    return cast("Services", current_app.extensions["sandbox"])


def caller() -> Caller:
    return cast("Caller", g.caller)


def app_caller() -> App:
    """The app behind a JWT; 401 for any other credentials."""
    who = caller()
    if not isinstance(who, AppCaller) or who.app is None:
        raise Unauthorized("A JSON web token could not be decoded")
    return who.app


rest = Blueprint("rest", __name__)
_VERBS = {"GET": READ_POINTS, "POST": WRITE_POINTS, "PUT": WRITE_POINTS, "PATCH": WRITE_POINTS}


def route(
    verb: str, path: str, permission: str = "", *, status: int = 200
) -> Callable[[Callable[..., Json]], Callable[..., Json]]:
    """Register an endpoint.

    ``permission`` is "name:level": with owner and repo in the path the repository is looked up,
    checked and passed on as ``repository``. The function returns JSON, or a Response.
    """
    name, _, level = permission.partition(":")

    def enter(function: Callable[..., Json]) -> Callable[..., Json]:
        @functools.wraps(function)
        def view(**parts: Any) -> Response:
            world = services().world
            with world.lock:
                if "owner" in parts and "repo" in parts:
                    parts["repository"] = _repository(parts.pop("owner"), parts.pop("repo"))
                    if name:
                        _check(parts["repository"], name, level or "read")
                answer = function(**parts)
                if isinstance(answer, Response):
                    return answer
                return as_json(answer, status)

        rest.add_url_rule(path, f"{verb} {path}", view, methods=[verb])
        return function

    return enter


def _repository(owner: str, name: str) -> Repository:
    """By name; an old name answers 301 on GitHub, which clients follow: here it is just found."""
    return services().world.repository(f"{owner}/{name}", follow=request.method == "GET")


def _check(repository: Repository, permission: str, level: str) -> None:
    if isinstance(caller(), AppCaller):
        raise Forbidden("Resource not accessible by integration")
    try:
        caller().need(repository, permission, level)
    except Forbidden:
        g.accepted = f"{permission}={level}"
        raise


def as_json(value: Json, status: int = 200) -> Response:
    text = "" if status == 204 else json.dumps(value, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")


def body() -> dict[str, Any]:
    """The request's JSON object; 400 for anything else."""
    if not request.get_data():
        return {}
    found = request.get_json(force=True, silent=True)
    if not isinstance(found, dict):
        raise Refused("Problems parsing JSON", status=400)
    return found


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, "")
    return min(max(int(text), 1), most) if text.isdigit() else default


def paged(
    items: Sequence[Any], shape: Callable[[Any], Json], key: str = "", *, most: int = MOST
) -> Response:
    """One page with its Link header; under ``key`` beside total_count if given."""
    size, page = _number("per_page", PAGE, most), _number("page", 1, 10**9)
    last = max(1, -(-len(items) // size))
    shown: Json = [shape(item) for item in items[(page - 1) * size : page * size]]
    if key:
        shown = {"total_count": len(items), key: shown}
    answer = as_json(shown)
    _link(answer, {"prev": page - 1, "next": page + 1, "first": 1, "last": last}, page, last)
    return answer


def _link(answer: Response, places: dict[str, int], page: int, last: int) -> None:
    wanted = [
        w
        for w, ok in (
            ("prev", page > 1),
            ("next", page < last),
            ("last", page < last),
            ("first", page > 1),
        )
        if ok
    ]
    links = []
    for word in wanted:
        query = urlencode({**request.args.to_dict(), "page": places[word]})
        links.append(f'<{services().world.api_url}{_path()}?{query}>; rel="{word}"')
    if links:
        answer.headers["Link"] = ", ".join(links)


def _path() -> str:
    return request.path.removeprefix(cast("str", current_app.config["BASE_PATH"]))


def route_name() -> str:
    """The endpoint in GitHub's notation: GET /repos/{owner}/{repo}/pulls/{number}."""
    rule = request.url_rule.rule if request.url_rule else request.path
    rule = rule.removeprefix(current_app.config["BASE_PATH"])
    plain = "".join(
        part.replace("int:", "").replace("path:", "") for part in rule.replace("<", "{<").split("<")
    )
    return f"{request.method} {plain.replace('>', '}')}"


def install(app: Flask) -> None:
    """Hook the plumbing into the app's requests under the API (not under /_sandbox)."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(404, _missing)
    app.register_error_handler(405, _missing)


def _is_api() -> bool:
    # the playground and the pages are not GitHub's API: no faults, no limits, no counting
    return request.blueprint in ("rest", "graphql") or (
        request.url_rule is None and not request.path.startswith(("/_sandbox", "/play"))
    )


def _begin() -> Response | None:
    g.started, g.cost, g.caller = time.perf_counter(), 1, Caller(services().world)
    g.api = _is_api()
    if not g.api:
        return None
    _meet_version()
    if services().faults.latency:
        time.sleep(services().faults.latency)
    g.kind = route_name()
    if request.blueprint == "graphql":
        found = request.get_json(force=True, silent=True)
        g.kind = "graphql:" + services().graphql.operation_name(
            found if isinstance(found, dict) else {}
        )
    fault = g.fault = services().faults.hit(g.kind, f"{request.method} {_path()}")
    if fault and (answer := _strike(fault)):
        return answer
    g.caller = services().door.caller(request.headers.get("Authorization"))
    return None if request.blueprint == "graphql" else _spend(fault)


def _meet_version() -> None:
    wanted = request.headers.get("X-GitHub-Api-Version", "2022-11-28")
    if wanted not in ("2022-11-28", "2026-03-10"):
        raise Refused(f"API version {wanted} is not supported", status=410)


def _spend(fault: Fault | None) -> Response | None:
    """Book one REST call; the answer is a refusal when the hour's allowance is used up."""
    door, now = services().door, services().world.now()
    limits = door.limits_of(caller())
    limits.roll(now)
    if fault and fault.kind == "primary":
        limits.exhaust("core", now, fault.seconds)
    if request.path.endswith("/rate_limit") or isinstance(caller(), AppCaller):
        return None
    if limits.remaining("core") < 1:
        name = caller().key.replace(":", " ID ")
        raise Forbidden(f"API rate limit exceeded for {name}.")
    limits.spend("core", 1, now)
    return None


def _strike(fault: Fault) -> Response | None:
    """Faults that answer instead of the endpoint."""
    kind, seconds = fault.kind, str(int(fault.seconds or 1))
    if kind == "error":
        return as_json({"message": "Server Error"}, fault.status)
    if kind in ("reset", "timeout"):
        if kind == "timeout":
            time.sleep(fault.seconds or 10)
        hang_up()
        return as_json({"message": "connection closed"}, 502)
    if kind in ("secondary", "too-many"):
        answer = as_json(
            {
                "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",  # noqa: E501
                "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
            },
            403 if kind == "secondary" else 429,
        )
        answer.headers["Retry-After"] = seconds
        return answer
    if kind == "malformed":
        return Response('{"data": {"repository": {"na', 200, content_type="application/json")
    if kind == "unauthorized":
        raise Unauthorized("Bad credentials")
    if kind == "suspended":
        raise Forbidden("This installation has been suspended")
    return None


def hang_up() -> None:
    """Close the client's connection without a word."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)


def _send_half(answer: Response) -> None:
    """The connection ends in the middle of the body."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    body = answer.get_data()

    def parts() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        if connection is not None:
            with suppress(OSError):  # the client may have hung up first
                connection.shutdown(socket.SHUT_RDWR)

    answer.response = parts()
    answer.headers["Content-Length"] = str(len(body))


def _refused(error: Refused) -> Response:
    return as_json(error.body(), error.status)


def _missing(error: Exception) -> Response:
    del error
    return as_json(NotFound().body(), 404)


def _end(answer: Response) -> Response:
    if not g.get("api"):
        return answer
    fault: Fault | None = g.get("fault")
    if fault and fault.kind == "after":
        hang_up()
    _tag(answer)
    headers, now = answer.headers, services().world.now()
    headers["Date"] = format_datetime(now, usegmt=True) if now.tzinfo else headers.get("Date", "")
    headers["Server"] = "github.com"
    headers["X-GitHub-Request-Id"] = uuid.uuid4().hex[:20].upper()
    headers["X-GitHub-Media-Type"] = "github.v3; format=json"
    if "accepted" in g:
        headers["X-Accepted-GitHub-Permissions"] = g.accepted
    resource = "graphql" if request.blueprint == "graphql" else "core"
    limits = services().door.limits_of(caller())
    limits.roll(now)
    headers["X-RateLimit-Limit"] = str(limits.limit)
    headers["X-RateLimit-Remaining"] = str(limits.remaining(resource))
    headers["X-RateLimit-Used"] = str(limits.used.get(resource, 0))
    headers["X-RateLimit-Resource"] = resource
    if limits.reset_at:
        headers["X-RateLimit-Reset"] = str(int(limits.reset_at.timestamp()))
    points = 1 if resource == "graphql" else _VERBS.get(request.method, WRITE_POINTS)
    seconds = time.perf_counter() - g.started
    kind = g.get("kind", route_name())
    services().calls.add(Call(kind, answer.status_code, g.cost, points, seconds))
    if fault and fault.kind == "half":
        _send_half(answer)
    return answer


def _tag(answer: Response) -> None:
    """ETags depend on the token, as GitHub's do; a 304 is free of primary cost."""
    if request.method != "GET" or answer.status_code != 200:
        return
    token = request.headers.get("Authorization", "").encode()
    tag = 'W/"' + hashlib.sha256(token + answer.get_data()).hexdigest() + '"'
    answer.headers["ETag"] = tag
    if request.headers.get("If-None-Match") == tag:
        answer.status_code = 304
        answer.set_data(b"")
        g.cost = 0
        limits = services().door.limits_of(caller())
        limits.used["core"] = max(0, limits.used.get("core", 0) - 1)


def acting() -> Account:
    """The account behind the credentials; 401 without any."""
    who = caller().viewer
    if who is None:
        raise Unauthorized("Requires authentication")
    return who
