"""Short ways to say what the sandbox tests need."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import requests
from graphql import parse, print_ast, separate_operations

from sandbox.server import Sandbox

SHOP = "acme/shop"
QUERIES = Path(__file__).with_name("queries")


class Inbox:
    """Stands in for the app's webhook: keeps headers and bodies, answers ``status``."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 202
        self._lock = threading.Lock()

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.got.append((headers, body))
        return self.status

    def names(self) -> list[str]:
        """event.action of everything received, sorted (order is not promised)."""
        return sorted(self.name(headers, body) for headers, body in self.got)

    @staticmethod
    def name(headers: dict[str, str], body: bytes) -> str:
        action = json.loads(body).get("action")
        return headers["X-GitHub-Event"] + (f".{action}" if action else "")

    def bodies(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(body) for headers, body in self.got if self.name(headers, body) == name]


def open_pull(hub: Sandbox, branch: str = "fix", author: str = "june", **more: Any) -> int:
    """A branch with one commit and a pull request from it; its number."""
    hub.act(author, "push", repo=SHOP, branch=branch, commits=[{"message": f"Work on {branch}"}])
    return int(hub.act(author, "open_pull_request", repo=SHOP, head=branch, **more)["number"])


def sign(
    hub: Sandbox, number: int, conclusion: str = "success", repo: str = SHOP
) -> dict[str, Any]:
    """Report the required check on the pull request's head as the pinned app."""
    sha = hub.pull(number, repo)["head_sha"]
    return report(hub, sha, conclusion, repo=repo)


def report(
    hub: Sandbox,
    sha: str,
    conclusion: str = "success",
    *,
    app: str = "countersign",
    repo: str = SHOP,
) -> dict[str, Any]:
    name = "senior-signoff"
    found: dict[str, Any] = hub.act(
        "olga", "report_check", repo=repo, name=name, sha=sha, conclusion=conclusion, app=app
    )
    return found


def app_jwt(hub: Sandbox, **claims: Any) -> str:
    now = int(time.time())
    body = {"iat": now - 60, "exp": now + 300, "iss": str(hub.app.id)} | claims
    return jwt.encode(body, hub.app.private_key, algorithm="RS256")


def installation_token(hub: Sandbox) -> str:
    installation = next(iter(hub.world.installations.values()))
    return hub.door.mint(installation).value


class Client:
    """A bare HTTP client with a token."""

    def __init__(self, hub: Sandbox, token: str = "") -> None:
        self.hub, self.session = hub, requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token or installation_token(hub)}"

    def call(self, verb: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        url = path if path.startswith("http") else self.hub.api_url + path
        return self.session.request(verb, url, json=body, timeout=30, **more)

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        body = {"query": text, "variables": variables}
        found: dict[str, Any] = self.call("POST", self.hub.graphql_url, body).json()
        return found

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()


def execute(hub: Sandbox, text: str, **variables: Any) -> dict[str, Any]:
    """Run a query in process as the installation."""
    caller = hub.door.caller(f"token {installation_token(hub)}")
    body = {"query": text, "variables": variables}
    return hub.graphql.execute(body, caller, hub.door.limits_of(caller)).body


@cache
def document(name: str) -> str:
    """A query of ours with the fragments it needs, and no others: GitHub refuses those."""
    texts = [(QUERIES / f"{one}.graphql").read_text("utf-8") for one in (name, "fragments")]
    return print_ast(separate_operations(parse("".join(texts)))[name])


def snapshot(hub: Sandbox, number: int, name: str = "shop", **more: Any) -> dict[str, Any]:
    """The pull request of the big snapshot query; no errors allowed."""
    variables = {
        "owner": "acme",
        "name": name,
        "number": number,
        "appId": hub.app.id,
        "checkName": "senior-signoff",
        "rosterExpr": "HEAD:.github/reviewers.yaml",
        "orgRosterExpr": "HEAD:reviewers.yaml",
        "withOrgPublic": True,
        "withOrgPrivate": False,
    } | more
    answer = execute(hub, document("PullRequestSnapshot"), **variables)
    assert "errors" not in answer, answer["errors"]
    found: dict[str, Any] = answer["data"]["repository"]["pullRequest"]
    return found


@contextmanager
def page_of(text: str) -> Iterator[str]:
    """A sandbox with one page of ours; its address."""
    with Sandbox(extend=lambda flask: flask.add_url_rule("/play", "play", lambda: text)) as hub:
        yield f"{hub.url}/play"
