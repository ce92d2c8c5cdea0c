"""The line itself, against a real server: kept alive, bounded, never led elsewhere."""

import gzip
import json
import logging
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Semaphore, Thread
from typing import Any

import pytest

from github_app.gateway import transport
from github_app.gateway.errors import ConnectionLost, TooHeavy, Unavailable
from github_app.gateway.transport import Line

Behaviour = Callable[["Handler"], None]
Headers = dict[str, str]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.paths.append(self.path)
        self.server.headers.append(dict(self.headers))
        self.server.behaviour(self)

    do_POST = do_GET

    def answer(
        self, body: bytes = b"{}", status: int = 200, headers: Headers | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour: Behaviour = Handler.answer
        self.connections = 0
        self.closed = Semaphore(0)
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []

    def handle_error(self, *_: Any) -> None:
        """The client hung up on purpose: nothing to print."""

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed.release()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = Thread(target=found.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    found = Line(server.url, f"{server.url}/graphql")
    yield found
    found.close()


def test_one_connection_serves_rest_and_graphql(server: Server, line: Line) -> None:
    for _ in range(3):
        line.rest("GET", "/app", bearer="b")
        line.rest("POST", "/runs", bearer="b", body={"a": 1})
        line.graphql("query X { x }", {}, bearer="b")
    assert server.connections == 1
    assert server.paths[:3] == ["/app", "/runs", "/graphql"]


def test_graphql_may_live_on_another_origin(server: Server) -> None:
    with Server() as other:
        thread = Thread(target=other.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        line = Line(f"{server.url}/api/v3", f"{other.url}/elsewhere/graphql")
        line.rest("GET", "/app", bearer=None)
        line.graphql("query X { x }", {}, bearer="b")
        assert (server.paths, other.paths) == (["/api/v3/app"], ["/elsewhere/graphql"])
        line.close()
        other.shutdown()
        thread.join()


def test_nobody_s_call_carries_nobody_s_token(server: Server, line: Line) -> None:
    line.rest("GET", "/app", bearer="b")
    line.rest("GET", "/users/ada", bearer=None)
    assert [headers.get("Authorization") for headers in server.headers] == ["Bearer b", None]


def test_a_connection_closed_while_idle_is_replaced(server: Server, line: Line) -> None:
    def answer_and_close(handler: Handler) -> None:
        handler.answer()
        handler.close_connection = True  # without a header that would say so

    server.behaviour = answer_and_close
    for _ in range(3):
        assert line.rest("GET", "/app", bearer="b").data == {}
        assert server.closed.acquire(timeout=10)
    assert server.connections == 3


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(301, {"Location": "/elsewhere"}, id="301-which-pygithub-follows"),
        pytest.param(302, {"Location": "http://evil.example/"}, id="302"),
        pytest.param(307, {"Location": "/elsewhere"}, id="307"),
    ],
)
def test_no_redirect_is_followed(
    server: Server, line: Line, status: int, headers: dict[str, str]
) -> None:
    server.behaviour = lambda handler: handler.answer(b"{}", status, headers)
    assert 300 < line.rest("GET", "/repos/acme/old", bearer="b").status < 400
    assert server.paths == ["/repos/acme/old"]


def test_an_answer_still_being_prepared_is_not_waited_for(server: Server, line: Line) -> None:
    server.behaviour = lambda handler: handler.answer(b"{}", 202)
    with pytest.raises(Unavailable, match="still preparing"):
        line.rest("GET", "/stats", bearer="b")
    assert len(server.paths) == 1


def test_a_bomb_is_not_unpacked(
    server: Server, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_BYTES", 1_000_000)
    packed = gzip.compress(json.dumps("x" * 20_000_000).encode())
    assert len(packed) < 30_000
    server.behaviour = lambda handler: handler.answer(packed, 200, {"Content-Encoding": "gzip"})
    with pytest.raises(TooHeavy, match="is larger than"):
        line.graphql("query X { x }", {}, bearer="b")


def test_an_endless_trickle_is_cut(
    server: Server, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.0)
    server.behaviour = lambda handler: handler.answer(b" " * 600_000)
    with pytest.raises(TooHeavy, match="took more than"):
        line.rest("GET", "/app", bearer="b")


def test_a_body_that_stops_early_is_a_lost_connection(server: Server, line: Line) -> None:
    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"a"')
        handler.close_connection = True

    server.behaviour = half
    with pytest.raises(ConnectionLost):
        line.rest("GET", "/app", bearer="b")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    line = Line(url, f"{url}/graphql")
    with pytest.raises(ConnectionLost):
        line.rest("GET", "/app", bearer="b")
    line.close()


def test_nothing_of_a_call_is_logged(
    server: Server, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG PyGithub writes headers and bodies into its log."""
    server.behaviour = lambda handler: handler.answer(b'{"title": "foreign words"}')
    with caplog.at_level(logging.DEBUG):
        line.rest("POST", "/runs", bearer="ghs_secret", body={"output": "our words"})
    for hidden in ("ghs_secret", "foreign words", "our words"):
        assert hidden not in caplog.text
