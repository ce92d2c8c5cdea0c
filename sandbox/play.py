"""The playable page of the sandbox: a pull request, its check, and everybody's buttons.

``GET /`` and ``/OWNER/REPO/pull/N`` are the page; ``/play/live`` gives its parts as soon as
something happened; ``POST /play/move`` does one thing as somebody. A toy without passwords: it
answers to names of this machine only, and moves need a header that other sites cannot send.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, render_template, request
from jinja2 import StrictUndefined

from sandbox.api import as_json, body, services
from sandbox.errors import Forbidden, NotFound, Refused
from sandbox.page.moves import perform
from sandbox.page.view import CAST, Page
from sandbox.seed import REPOSITORY

WAIT = 10.0  # seconds that /play/live waits for news at most
PARTS = ("pulls", "head", "check", "merge", "why", "commits", "side", "history")
GUARD = "X-Sandbox-Page"  # another site's page would need our leave to send it, and gets none
_HERE = Path(__file__).with_name("page")
_OURS = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

play = Blueprint(
    "play",
    __name__,
    template_folder=str(_HERE / "templates"),
    static_folder=str(_HERE / "static"),
    static_url_path="/play/static",
)


def install(app: Flask) -> None:
    """Add the page to a sandbox: ``Sandbox(extend=play.install)``."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(play)


@play.before_request
def answer_only_here() -> None:
    """Refuse other names of this machine: a site whose name was made to point here is not us."""
    if urlsplit(f"//{request.host}").hostname not in _OURS:
        raise Forbidden("this page answers to 127.0.0.1 and localhost only")


@play.after_request
def harden(answer: Response) -> Response:
    answer.headers.update(_HEADERS)
    return answer


@play.errorhandler(Refused)
def refused(error: Refused) -> Response:
    """A refusal as JSON for the script; as words for whoever mistyped an address."""
    return as_json({"refused": error.words(), "status": error.status}, error.status)


@play.get("/")
def home() -> str:
    return _page(REPOSITORY, None)


@play.get("/<owner>/<repo>/pull/<int:number>")
def pull(owner: str, repo: str, number: int) -> str:
    return _page(f"{owner}/{repo}", number)


@play.get("/<owner>/<repo>/pull/<int:number>/commits/<sha>")
def commit(owner: str, repo: str, number: int, sha: str) -> str:
    """The same page with one commit marked: where the links of a check's summary lead."""
    return _page(f"{owner}/{repo}", number, sha)


def _page(full_name: str, number: int | None, sha: str = "") -> str:
    with services().world.lock:
        return render_template("page.html", **_context(full_name, number, sha))


def _context(full_name: str, number: int | None, sha: str) -> dict[str, Any]:
    """What the templates need. ``number`` None: the newest pull request."""
    page = Page(services().world, services().courier, full_name)
    number = page.newest() if number is None else number
    cast = page.cast()
    chosen = request.cookies.get("actor", "")
    return {
        "version": services().world.version,
        "full_name": page.repository.full_name,
        "default_branch": page.repository.default_branch,
        "branches": sorted(page.repository.branches),
        "rows": page.rows(),
        "cast": cast,
        "actor": next((person for person in cast if person.login == chosen), cast[0]),
        "pull": page.pull(number, sha) if number else None,
        "number": number,
        "sha": sha,
    }


@play.get("/play/live")
def live() -> Response:
    """The parts of the page, as soon as the world is past ``version``, or after ``WAIT`` seconds.

    ``{"version", "number", "parts": {name: HTML}}``, for ``repo``, ``number`` and ``sha``.
    """
    world = services().world
    seen = _integer("version", -1)
    with world.changed:
        world.changed.wait_for(lambda: world.version != seen, WAIT)
        repo = request.args.get("repo", REPOSITORY)
        number = _integer("number", 0) or None
        context = _context(repo, number, request.args.get("sha", ""))
        parts = {name: render_template(f"parts/{name}.html", **context) for name in PARTS}
    return as_json({"version": context["version"], "number": context["number"], "parts": parts})


def _integer(name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() else default


@play.post("/play/move")
def move() -> Response:
    """``{"actor", "move", "repo", "number", "fields"}``: 200 with ``said`` and ``number``."""
    _refuse_other_sites()
    given = body()
    actor, fields = str(given.get("actor", "")), given.get("fields")
    if actor not in CAST:
        raise NotFound(f"account {actor}")
    if not isinstance(fields, dict) or not isinstance(given.get("number"), int):
        raise Refused("Problems parsing JSON", status=400)
    done = perform(
        services().world,
        actor,
        str(given.get("move", "")),
        str(given.get("repo", REPOSITORY)),
        given["number"],
        {str(key): str(value) for key, value in fields.items()},
    )
    return as_json({"said": done.said, "number": done.number})


def _refuse_other_sites() -> None:
    """Only this page's own script may move."""
    origin = request.headers.get("Origin", request.host_url.rstrip("/"))
    if request.headers.get(GUARD) != "1" or origin != request.host_url.rstrip("/"):
        raise Forbidden("only the sandbox's own page may do this")
