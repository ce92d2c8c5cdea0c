"""The web pages of GitHub that a set-up goes through: the manifest form, installing an app."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request

from sandbox import actions
from sandbox.api import services
from sandbox.errors import NotFound, Refused
from sandbox.world import Account, secret

website = Blueprint("website", __name__)


def _with(url: str, **values: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"


def _owner_of(account: Account) -> str:
    """Who sits at the browser: an owner of the organisation, or the account itself."""
    if account.kind != "Organization":
        return account.rest_login
    admins = [number for number, role in account.members.items() if role == "admin"]
    return services().world.accounts[admins[0]].rest_login


@website.post("/settings/apps/new")
def new_own_app() -> Response:
    """The form of "register a GitHub App from a manifest", for the person named by ``by``."""
    return _new_app(request.args.get("by", "olga"))


@website.post("/organizations/<org>/settings/apps/new")
def new_org_app(org: str) -> Response:
    """The same for an organisation: sends back to ``redirect_url`` with a code and the state."""
    return _new_app(org)


def _new_app(login: str) -> Response:
    world = services().world
    with world.lock:
        account = world.account(login)
        try:
            manifest = json.loads(request.form["manifest"])
            target = manifest["redirect_url"]
            hook_url = manifest.get("hook_attributes", {}).get("url", "-")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"Invalid GitHub App configuration: {error}") from error
        if not manifest.get("url") or not hook_url:
            raise Refused("Invalid GitHub App configuration: url can't be blank")
        code = secret("", 20)
        waiting = {
            "manifest": manifest,
            "by": _owner_of(account),
            "owner": login,
            "at": world.now(),
        }
        world.manifests[code] = waiting
    return _go(_with(target, code=code, state=request.args.get("state", "")))


@website.get("/apps/<slug>/installations/new")
def install(slug: str) -> Response:
    """Install on all repositories of ``account`` (default: the app's owner); then to setup_url."""
    world = services().world
    with world.lock:
        app = actions.apps.app_named(world, slug)
        account = world.account(request.args.get("account", app.owner.login))
        try:
            made = actions.apps.find_installation(world, slug, account.rest_login)
        except NotFound:
            made = actions.apps.install_app(
                world, _owner_of(account), app=slug, account=account.rest_login
            )
    target = request.args.get("setup_url") or app.setup_url
    if not target:
        return Response(f"installed as {made.id}\n", content_type="text/plain")
    return _go(_with(target, installation_id=str(made.id), setup_action="install"))


def _go(url: str) -> Response:
    answer = redirect(url)
    return Response(answer.get_data(), answer.status_code, headers=dict(answer.headers))
