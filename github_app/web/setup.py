"""``/setup`` while no app is configured: GitHub's manifest flow, in a browser that knew the code.

No page has a script. Nothing secret is on a page, in an address or in a log: the code is typed
into a form, the credentials go where ``Desk`` keeps them, and what GitHub puts into an address
(code and state) is answered by a redirect.
"""

import json
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from github_app import app_manifest
from github_app.app_manifest import ChoiceError, choice
from github_app.gateway.errors import NotFound, Unavailable
from github_app.judge.errors import CountersignError
from github_app.logs import get_logger
from github_app.permissions import EXTRAS, NEVER, PERMISSIONS
from github_app.web.setup_desk import Desk, Phase, Refusal, Session

EXTENSION, COOKIE = "countersign-setup", "countersign-setup"
LARGEST_FORM = 16 * 1024
STYLE_SECONDS = 600
NOT_OURS = "This form is not from this page. Go back and load it again."

blueprint = Blueprint("setup", __name__, static_folder="static", static_url_path="/setup/static")
closed = Blueprint("setup_closed", __name__)
log = get_logger("setup")


def create_setup_app(
    desk: Desk, *, bases: Mapping[str, str], web_url: str, place: str, serves: bool = False
) -> Flask:
    """The app of a set-up. ``bases``: ``Host`` header -> where such a browser reaches us.

    Any other ``Host`` is refused, so no foreign name gets into what is sent to GitHub.
    ``place``: where the credentials will be, in words. ``serves``: Countersign itself starts as
    soon as this is done.
    """
    app = Flask("github_app.web")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.extensions[EXTENSION] = _Site(desk, bases, web_url, place, serves=serves)
    app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _refused)
    return app


class _Site:
    """What a request needs to know."""

    def __init__(
        self, desk: Desk, bases: Mapping[str, str], web_url: str, place: str, *, serves: bool
    ) -> None:
        self.desk, self.bases, self.web_url = desk, bases, web_url
        self.place, self.serves = place, serves
        origin = urlsplit(web_url)
        self.github = f"{origin.scheme}://{origin.netloc}"
        self.local = app_manifest.is_loopback(origin.hostname or "")

    @property
    def base(self) -> str:
        return self.bases[request.host]


def _site() -> _Site:
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, _Site)
    return found


# --- who may ask ---------------------------------------------------------------------------------


@blueprint.before_app_request
def only_by_our_names() -> None:
    """A site whose name was made to point here is not us."""
    if request.host not in _site().bases:
        abort(421, "Open the address that the terminal shows.")


def _session() -> Session:
    """The browser that knew the code; anybody else is sent away."""
    found = _site().desk.session(request.cookies.get(COOKIE, ""))
    if found is None:
        abort(403, "This browser has not entered the code from the terminal.")
    return found


def _own_form() -> Session:
    """A form of ours, sent from our own page."""
    session = _session()
    _same_origin()
    if not session.made(request.form.get("form", "")):
        abort(403, NOT_OURS)
    return session


def _same_origin() -> None:
    base = _site().base
    if request.headers.get("Origin", base) != base:
        abort(403, NOT_OURS)


@blueprint.after_app_request
def harden(answer: Response) -> Response:
    """Nothing is cached, framed, scripted, or sent anywhere but to us and to GitHub."""
    # strict-origin: an address may hold GitHub's code, and GitHub may want to see an origin
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; "
        f"form-action 'self' {_site().github}; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    style = request.endpoint == "setup.static"
    answer.headers["Cache-Control"] = f"max-age={STYLE_SECONDS}" if style else "no-store"
    return answer


# --- the steps -----------------------------------------------------------------------------------


@blueprint.get("/")
def home() -> AnyResponse:
    return redirect("/setup")


@blueprint.get("/setup")
def start() -> AnyResponse | str | tuple[str, int]:
    """The code is asked for; then: what will be registered, and the button."""
    desk = _site().desk
    session = desk.session(request.cookies.get(COOKIE, ""))
    if session is not None and desk.phase is Phase.DONE:
        return redirect("/setup/done", 303)
    if desk.phase in {Phase.DONE, Phase.CLOSED}:
        return _closed()
    if session is None:
        return render_template("setup/unlock.html", problem="")
    return _review(session)


@blueprint.post("/setup/unlock")
def unlock() -> AnyResponse | tuple[str, int]:
    """The terminal's code -> a session in a cookie."""
    site = _site()
    _same_origin()
    try:
        session = site.desk.unlock(request.form.get("code", ""))
    except Refusal as error:
        log.warning("set-up", step="unlock", refused=True)
        return render_template("setup/unlock.html", problem=str(error)), 403
    answer = redirect("/setup", 303)
    answer.set_cookie(
        COOKIE,
        session.cookie,
        path="/setup",
        httponly=True,
        secure=site.base.startswith("https:"),
        samesite="Lax",  # it must come along when GitHub sends the browser back
    )
    return answer


@blueprint.post("/setup/choice")
def choose() -> AnyResponse | tuple[str, int]:
    """Another account, name or address; more or fewer optional permissions."""
    session = _own_form()
    given = {name: request.form.get(name, "") for name in ("organization", "name", "address")}
    try:
        chosen = choice(**given, extras=request.form.getlist("extra"), local=_site().local)
        _site().desk.choose(chosen)
    except (ChoiceError, Refusal) as error:
        session.problem = f"{error} {error.advice}"
    return redirect("/setup", 303)


@blueprint.get("/setup/created")
def created() -> AnyResponse:
    """GitHub sends the browser back here. Nothing is shown at this address: it holds the code."""
    session = _session()
    try:
        _site().desk.register(request.args.get("state", ""), request.args.get("code", ""))
    except CountersignError as error:
        log.warning("set-up", step="register", refused=str(error))
        session.problem = _told(error)
        return redirect("/setup", 303)
    return redirect("/setup/done", 303)


@blueprint.get("/setup/done")
def done() -> AnyResponse | str | tuple[str, int]:
    """Where the credentials are, and the link to install the app."""
    desk = _site().desk
    _session()
    if desk.made is None:
        return redirect("/setup", 303)
    answer = current_app.make_response(
        render_template(
            "setup/done.html",
            made=desk.made,
            place=_site().place,
            serves=_site().serves,
            app=desk.made.registered,
            install=install_address(desk.made.registered.page, _site().web_url),
        )
    )
    answer.call_on_close(desk.shown.set)
    return answer


def install_address(page: str, web_url: str) -> str:
    """Where the app is installed: under its own page, if that is on the GitHub that we know.

    GitHub.com has ``/apps/SLUG``, Enterprise Server ``/github-apps/SLUG``.
    """
    if page.startswith(f"{web_url}/"):
        return f"{page.rstrip('/')}/installations/new"
    return web_url


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@blueprint.get("/readyz")
@blueprint.post("/webhook")
def not_yet() -> tuple[dict[str, str], int]:
    """GitHub shows such a delivery as failed; the sweep asks for it when we run."""
    return {"error": "no app is configured yet: see /setup"}, 503


# --- pages ---------------------------------------------------------------------------------------


def _review(session: Session) -> str | tuple[str, int]:
    site = _site()
    try:
        state = site.desk.new_state()
    except Refusal as error:
        return _page(str(error), 409)
    problem, session.problem = session.problem, ""
    chosen = site.desk.choice
    target = app_manifest.form_address(chosen, web_url=site.web_url)
    body = app_manifest.manifest(chosen, web_url=site.web_url, base=site.base)
    return render_template(
        "setup/review.html",
        problem=problem,
        choice=chosen,
        place=site.place,
        form=session.form,
        action=f"{target}?{urlencode({'state': state})}",
        manifest=json.dumps(body),
        webhook=body["hook_attributes"],
        github=urlsplit(site.web_url).netloc,
        permissions=PERMISSIONS,
        extras=EXTRAS,
        never=NEVER,
        events=app_manifest.events(chosen),
        name_limit=app_manifest.NAME_LIMIT,
    )


def _told(error: CountersignError) -> str:
    """What went wrong with GitHub's answer, and what to do: the error's advice is for operators."""
    if isinstance(error, NotFound):
        return "GitHub does not know this code any more: it works once, for an hour. Try again."
    if isinstance(error, Refusal):
        return f"{error} Try again."
    if isinstance(error, Unavailable):
        return (
            f"{error}. If the app is in your settings on GitHub now, delete it there; "
            "then try again."
        )
    return f"{error}. If the app is in your settings on GitHub now, delete it there first."


def _closed() -> tuple[str, int]:
    return _page(
        "This door is closed: Countersign is set up, or the code was wrong too often.", 410
    )


def _page(words: str, status: int) -> tuple[str, int]:
    return render_template("setup/refused.html", words=words), status


def _refused(error: HTTPException) -> tuple[str, int]:
    return _page(error.description or error.name, error.code or 500)


@closed.get("/setup")
@closed.get("/setup/<path:rest>")
def is_closed(rest: str = "") -> tuple[dict[str, str], int]:
    """For the app that is set up: the door is shut, and the answer says so."""
    del rest
    return {"error": "Countersign is set up: this door is closed"}, 410
