"""The web pages of GitHub that a set-up goes through: the manifest form, installing an app.

Nobody logs in: an owner of the account sits at the browser.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request

from sandbox import actions, manifest
from sandbox.api import services
from sandbox.errors import NotFound, Refused
from sandbox.manifest import BadManifest
from sandbox.objects import Account, Installation
from sandbox.world import World, secret

website = Blueprint(
    "website",
    __name__,
    template_folder=str(Path(__file__).with_name("page") / "templates"),
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "origin-when-cross-origin",
    "Cache-Control": "no-store",
}


@website.after_request
def harden(answer: Response) -> Response:
    answer.headers.update(_HEADERS)
    return answer


def _with(url: str, **values: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"


def _owner_of(account: Account) -> str:
    """Who sits at the browser: an owner of the organisation, or the account itself."""
    if account.kind != "Organization":
        return account.rest_login
    admins = [number for number, role in account.members.items() if role == "admin"]
    return services().world.accounts[admins[0]].rest_login


# --- an app from a manifest ----------------------------------------------------------------------


@website.post("/settings/apps/new")
def new_own_app() -> Response:
    """The form of "register a GitHub App from a manifest", for the person named by ``by``."""
    return _new_app(request.args.get("by", "olga"))


@website.post("/organizations/<org>/settings/apps/new")
def new_org_app(org: str) -> Response:
    """The same for an organisation: the page with GitHub's own button."""
    world = services().world
    with world.lock:
        if world.account(org).kind != "Organization":
            raise NotFound("organization")
    return _new_app(org)


def _new_app(login: str) -> Response:
    """What is wrong with the manifest, or the form that makes it an app."""
    world = services().world
    with world.lock:
        account = world.account(login)
        try:
            found = manifest.read(request.form.get("manifest", ""), world)
        except BadManifest as error:
            return _page("github/refused.html", 422, login=login, problems=error.args[0])
        ticket = secret("", 20)
        world.pending_manifests[ticket] = {
            "manifest": found,
            "by": _owner_of(account),
            "owner": login,
            "state": request.args.get("state", ""),
        }
    return _page("github/new_app.html", login=login, manifest=found, ticket=ticket, problems=())


@website.post("/settings/apps/manifest")
def create_app() -> Response:
    """GitHub's own button: back to ``redirect_url`` with a code and the state."""
    world = services().world
    with world.lock:
        ticket = request.form.get("ticket", "")
        waiting = world.pending_manifests.get(ticket)
        if waiting is None:
            raise NotFound("manifest")
        found = waiting["manifest"]
        found["name"] = request.form.get("name", found["name"]).strip()
        problems = manifest.name_problems(found["name"], world)
        if problems:
            return _page(
                "github/new_app.html",
                422,
                login=waiting["owner"],
                manifest=found,
                ticket=ticket,
                problems=problems,
            )
        del world.pending_manifests[ticket]
        code = manifest.new_code(world, found, owner=waiting["owner"], by=waiting["by"])
    return _go(_with(found["redirect_url"], code=code, state=waiting["state"]))


# --- installing ----------------------------------------------------------------------------------


@website.get("/apps/<slug>")
def app_page(slug: str) -> Response:
    """The app's own page leads to its installation."""
    with services().world.lock:
        actions.apps.app_named(services().world, slug)
    return _go(f"/apps/{slug}/installations/new")


@website.get("/apps/<slug>/installations/new")
def choose_repositories(slug: str) -> Response:
    """Where: all repositories of ``account`` (default: the app's owner), or some."""
    world = services().world
    with world.lock:
        app = actions.apps.app_named(world, slug)
        account = world.account(request.args.get("account", app.owner.login))
        names = sorted(
            repository.full_name
            for repository in world.repositories.values()
            if repository.owner is account
        )
        made = _installed(world, slug, account)
        asked = sorted(app.permissions.items())
        words: dict[str, Any] = {"app": app, "login": account.login, "names": names, "asked": asked}
    return _page("github/install.html", made=made, **words)


@website.post("/apps/<slug>/installations/new")
def install(slug: str) -> Response:
    """Install, then to the app's ``setup_url``, or to the settings of the installation."""
    world = services().world
    with world.lock:
        app = actions.apps.app_named(world, slug)
        account = world.account(request.form.get("account", app.owner.login))
        some = request.form.get("selection") == "selected"
        names = request.form.getlist("repository")
        if some and not names:
            raise Refused("Choose at least one repository.")
        made = _installed(world, slug, account)
        if made is None:
            made = actions.apps.install_app(
                world,
                _owner_of(account),
                app=slug,
                account=account.rest_login,
                repositories=names if some else None,
            )
    if app.setup_url:
        return _go(_with(app.setup_url, installation_id=str(made.id), setup_action="install"))
    return _go(f"/settings/installations/{made.id}")


@website.get("/settings/installations/<int:number>")
def installation(number: int) -> Response:
    """What the installation may do, and where."""
    world = services().world
    with world.lock:
        made = world.installations.get(number)
        if made is None:
            raise NotFound("installation")
        names = sorted(world.repositories[one].full_name for one in made.repository_ids)
        words: dict[str, Any] = {
            "made": made,
            "app": made.app,
            "login": made.account.login,
            "names": names,
        }
    return _page("github/installed.html", asked=sorted(made.permissions.items()), **words)


def _installed(world: World, slug: str, account: Account) -> Installation | None:
    try:
        return actions.apps.find_installation(world, slug, account.rest_login)
    except NotFound:
        return None


def _page(template: str, status: int = 200, **words: Any) -> Response:
    return Response(render_template(template, **words), status, content_type="text/html")


def _go(url: str) -> Response:
    answer = redirect(url)
    return Response(answer.get_data(), answer.status_code, headers=dict(answer.headers))
