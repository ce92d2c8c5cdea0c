"""Runs a sandbox: ``Sandbox`` for tests and benches, ``serve`` for ``python -m sandbox``."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, g
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox import api, rest_apps, rest_checks, rest_pulls
from sandbox.api import Services, as_json, body, rest, services
from sandbox.auth import Door
from sandbox.calls import Calls
from sandbox.control import act, control
from sandbox.deliveries import Courier
from sandbox.errors import Refused
from sandbox.faults import Faults
from sandbox.graphql import GraphQL
from sandbox.objects import App
from sandbox.seed import Seeded, seed
from sandbox.webhooks import Dispatcher
from sandbox.website import website
from sandbox.world import World

HOST = "127.0.0.1"  # never anything else: there is no authentication on /_sandbox
_MODULES = (rest_apps, rest_checks, rest_pulls)  # imported for the routes they register


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with kept-alive connections, no log line a request, no Nagle delay."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet

    def finish(self) -> None:
        """Let go of the socket, also when the connection was closed under the last packet."""
        with contextlib.closing(self.rfile), contextlib.suppress(ConnectionError):
            super().finish()

    def send_response(self, code: int, message: str | None = None) -> None:
        """Without the server's own Date and Server: GitHub's are among the answer's headers."""
        self.send_response_only(code, message)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


def create_app(state: Services, *, base_path: str = "") -> Flask:
    """The whole sandbox as a Flask app; ``base_path`` is "" or, say, /api/v3."""
    app = Flask("sandbox", static_folder=None)
    app.extensions["sandbox"] = state
    app.config["BASE_PATH"] = base_path
    api.install(app)
    app.register_blueprint(rest, url_prefix=base_path or None)
    app.add_url_rule(graphql_path(base_path), "graphql.post", post_graphql, methods=["POST"])
    app.register_blueprint(control)
    app.register_blueprint(website)
    return app


def graphql_path(base_path: str) -> str:
    return base_path.removesuffix("/v3") + "/graphql"


def post_graphql() -> Response:
    """POST /graphql."""
    state = services()
    limits = state.door.limits_of(api.caller())
    answer = state.graphql.execute(body(), api.caller(), limits, g.get("fault"))
    g.cost = answer.price.points
    return as_json(answer.body, answer.status)


class Sandbox:
    """A GitHub on a free port of localhost, for a ``with`` block.

    >>> with Sandbox() as hub:
    ...     hub.act("june", "push", repo="acme/shop", branch="fix")["ref"]
    'refs/heads/fix'

    ``world`` is the state, ``app`` the seeded GitHub App, ``env()`` what the app under test needs.
    """

    def __init__(
        self, *, port: int = 0, webhook_url: str = "", latency_ms: float = 0, seed_number: int = 0,
        clock: Callable[[], datetime] | None = None, private: bool = True, base_path: str = "",
        state_dir: Path | None = None, rate_limit: int = 5000, with_seed: bool = True,
        with_app: bool = True, extend: Callable[[Flask], None] | None = None,
    ) -> None:  # fmt: skip
        self.world = World(clock)
        self.courier = Courier(self.world, seed=seed_number)
        self.faults = Faults(seed_number)
        self.faults.latency = latency_ms / 1000
        self.calls, self.door = Calls(), Door(self.world)
        self.door.default_limit = rate_limit
        self.graphql = GraphQL(self.world)
        Dispatcher(self.world, self.courier)
        self.seeded: Seeded | None = None
        if with_seed:
            self.seeded = seed(
                self.world, private=private, webhook_url=webhook_url, with_app=with_app
            )
        self.services = Services(
            self.world, self.door, self.faults, self.calls, self.courier, self.graphql
        )
        self.flask = create_app(self.services, base_path=base_path)
        if extend:
            extend(self.flask)
        self._base, self._port = base_path, port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._temporary = None if state_dir else tempfile.TemporaryDirectory(prefix="sandbox-")
        self.state_dir = state_dir or Path(self._temporary.name if self._temporary else "")

    def start(self) -> Sandbox:
        """Listen; returns itself."""
        server = make_server(HOST, self._port, self.flask, threaded=True, request_handler=Handler)
        self._server, self._port = server, server.server_port
        server.daemon_threads = True  # type: ignore[attr-defined]  # a threaded one has it
        self.world.web_url = f"http://{HOST}:{self._port}"
        self.world.api_url = self.world.web_url + self._base
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="sandbox"
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and delivering; forget the files."""
        self.courier.stop()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(10)
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The web host: pages and /_sandbox."""
        return self.world.web_url

    @property
    def api_url(self) -> str:
        return self.world.api_url

    @property
    def graphql_url(self) -> str:
        return self.world.web_url + graphql_path(self._base)

    @property
    def app(self) -> App:
        """The seeded GitHub App."""
        if self.seeded is None or self.seeded.app is None:
            raise Refused("this sandbox was made without the seed, or without its app")
        return self.seeded.app

    def set_webhook_url(self, url: str) -> None:
        """Where the seeded app's webhooks go from now on."""
        self.app.webhook_url = url

    def act(self, actor: str, action: str, **parameters: Any) -> Any:
        """Do something as somebody, in process; the same JSON as POST /_sandbox/act gives."""
        return act(self.world, actor, action, parameters)

    def pull(self, number: int, repo: str = "acme/shop") -> dict[str, Any]:
        """The playground's view of a pull request."""
        from sandbox import summaries

        with self.world.lock:
            return summaries.pull(self.world, self.world.pull(repo, number))

    def drain(self, timeout: float = 30.0) -> bool:
        """Wait until all webhooks are delivered."""
        return self.courier.drain(timeout)

    def env(self) -> dict[str, str]:
        """The environment of the app under test; the key is a file readable by its owner only.

        Without the seeded app: where GitHub is, which is what a set-up needs.
        """
        where = {
            "GITHUB_API_URL": self.api_url,
            "GITHUB_GRAPHQL_URL": self.graphql_url,
            "GITHUB_WEB_URL": self.url,
        }
        if self.seeded is None or self.seeded.app is None:
            return where
        key = self.state_dir / "app.pem"
        key.parent.mkdir(parents=True, exist_ok=True)
        if not key.exists() or key.read_text() != self.app.private_key:
            key.touch(mode=0o600)
            key.write_text(self.app.private_key)
        return {
            "GITHUB_APP_ID": str(self.app.id),
            "GITHUB_APP_PRIVATE_KEY": str(key),
            "GITHUB_WEBHOOK_SECRET": self.app.webhook_secret,
            **where,
            "GITHUB_CLIENT_ID": self.app.client_id,
            "GITHUB_CLIENT_SECRET": self.app.client_secret,
        }

    def write_env(self) -> Path:
        """Write ``env()`` as JSON beside the key, mode 0600; returns the path."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        path = self.state_dir / "env.json"
        values = self.env()
        path.touch(mode=0o600)
        path.write_text(json.dumps(values, indent=2) + "\n")
        return path
