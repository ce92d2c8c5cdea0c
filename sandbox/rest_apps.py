"""REST: the app itself, installations, tokens, deliveries, accounts, repositories, rate limit."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from sandbox import actions, views
from sandbox.api import Json, acting, app_caller, as_json, body, caller, paged, route, services
from sandbox.auth import LEVEL, InstallationCaller
from sandbox.deliveries import LISTED_FOR, Delivery
from sandbox.errors import Forbidden, NotFound, Refused, Unauthorized
from sandbox.manifest import CODE_SECONDS
from sandbox.objects import Account, App, Installation, Repository, Team, iso

REPO = "/repos/<owner>/<repo>"


@route("GET", "/app")
def get_app() -> Json:
    app = app_caller()
    count = sum(found.app is app for found in services().world.installations.values())
    return views.app(services().world, app) | {"installations_count": count}


@route("GET", "/apps/<slug>")
def get_app_by_slug(slug: str) -> Json:
    return views.app(services().world, actions.apps.app_named(services().world, slug))


def _installations(app: App) -> list[Installation]:
    return [found for found in services().world.installations.values() if found.app is app]


@route("GET", "/app/installations")
def list_installations() -> Response:
    found = _installations(app_caller())
    return paged(found, lambda each: views.installation(services().world, each))


def _installation(number: int) -> Installation:
    found = services().world.installations.get(number)
    if found is None or found.app is not app_caller():
        raise NotFound("installation")
    return found


@route("GET", "/app/installations/<int:number>")
def get_installation(number: int) -> Json:
    app_caller()
    return views.installation(services().world, _installation(number))


def _on(account: Account | None, repository: Repository | None = None) -> Json:
    for found in _installations(app_caller()):
        if found.account is account and (repository is None or found.sees(repository)):
            return views.installation(services().world, found)
    raise NotFound("installation")


@route("GET", f"{REPO}/installation")
def repository_installation(repository: Repository) -> Json:
    app_caller()
    return _on(repository.owner, repository)


@route("GET", "/orgs/<org>/installation")
def org_installation(org: str) -> Json:
    app_caller()
    return _on(services().world.organization(org))


@route("GET", "/users/<username>/installation")
def user_installation(username: str) -> Json:
    app_caller()
    return _on(services().world.account(username))


@route("POST", "/app/installations/<int:number>/access_tokens", status=201)
def create_token(number: int) -> Json:
    """May narrow permissions and repositories, never widen: 422 otherwise."""
    app_caller()
    found, given = _installation(number), body()
    if found.suspended_at:
        raise Forbidden("This installation has been suspended")
    permissions = _narrowed(found, given.get("permissions"))
    ids = _chosen(found, given)
    token = services().door.mint(found, permissions, ids)
    answer: dict[str, Any] = {
        "token": token.value,
        "expires_at": iso(token.expires_at),
        "permissions": token.permissions,
        "repository_selection": "all" if ids is None and found.selection == "all" else "selected",
    }
    if ids is not None:
        world = services().world
        answer["repositories"] = [
            views.repository(world, world.repositories[number]) for number in sorted(ids)
        ]
    return answer


def _narrowed(found: Installation, wanted: dict[str, str] | None) -> dict[str, str] | None:
    if not wanted:  # clients send an empty object when they narrow nothing
        return None
    for name, level in wanted.items():
        if LEVEL.get(level, 9) > LEVEL.get(found.permissions.get(name, ""), 0):
            raise Refused("The permissions requested are not granted to this installation.")
    return {"metadata": "read", **wanted}


def _chosen(found: Installation, given: dict[str, Any]) -> frozenset[int] | None:
    names, ids = given.get("repositories"), given.get("repository_ids")
    if names is None and ids is None:
        return None
    mine = {
        repo.name.lower(): repo.id
        for repo in found.account.repositories.values()
        if found.sees(repo)
    }
    wanted = set(ids or ()) | {mine.get(str(name).lower(), 0) for name in names or ()}
    if len(wanted) > 500 or not wanted <= set(mine.values()):
        raise Refused(
            "There is at least one repository that does not exist "
            "or is not accessible to the parent installation."
        )
    return frozenset(wanted)


@route("DELETE", "/installation/token", status=204)
def revoke_token() -> Json:
    who = caller()
    if not isinstance(who, InstallationCaller):
        raise Unauthorized("Bad credentials")
    who.token.revoked = True


@route("GET", "/installation/repositories")
def installation_repositories() -> Response:
    who = caller()
    if not isinstance(who, InstallationCaller):
        raise Forbidden(
            "You must authenticate with an installation access token in order to list "
            "repositories for an installation."
        )
    repositories = who.token.installation.account.repositories.values()
    found = [repository for repository in repositories if who.inside(repository)]
    world = services().world
    return paged(found, lambda repo: views.repository(world, repo, who.viewer), "repositories")


# --- Deliveries ----------------------------------------------------------------------------------


@route("GET", "/app/hook/deliveries")
def list_deliveries() -> Response:
    """Newest first, by ``cursor``; ``status=failure`` means codes 400 to 599 only."""
    app, arguments = app_caller(), request.args
    size = min(int(arguments.get("per_page", "30")), 100)
    found = services().courier.listed(app)
    wanted = arguments.get("status")
    if wanted in ("success", "failure"):
        found = [d for d in found if (400 <= d.status_code < 600) == (wanted == "failure")]
    if cursor := arguments.get("cursor", ""):
        if not cursor.startswith("v1_") or not cursor[3:].isdigit():
            raise Refused("Invalid cursor", status=400)
        found = [d for d in found if d.id < int(cursor[3:])]
    shown = found[:size]
    answer = as_json([delivery.summary() for delivery in shown])
    if len(found) > size:
        url = f"{services().world.api_url}/app/hook/deliveries?per_page={size}"
        answer.headers["Link"] = f'<{url}&cursor=v1_{shown[-1].id}>; rel="next"'
    return answer


def _delivery(number: int) -> Delivery:
    app = app_caller()
    found = services().courier.log.get(number)
    if found is None or found.app is not app or _too_old(found):
        raise NotFound("delivery")
    return found


def _too_old(delivery: Delivery) -> bool:
    return services().world.now() - delivery.delivered_at > LISTED_FOR


@route("GET", "/app/hook/deliveries/<int:number>")
def get_delivery(number: int) -> Json:
    import json

    found = _delivery(number)
    return found.summary() | {
        "url": found.app.webhook_url,
        "request": {"headers": found.headers(), "payload": json.loads(found.body)},
        "response": {"headers": {}, "payload": found.response},
    }


@route("POST", "/app/hook/deliveries/<int:number>/attempts", status=202)
def redeliver(number: int) -> Json:
    services().courier.redeliver(_delivery(number).id)
    return {}


@route("GET", "/app/hook/config")
def hook_config() -> Json:
    return {
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********",
        "url": app_caller().webhook_url,
    }


@route("PATCH", "/app/hook/config")
def update_hook_config() -> Json:
    app, given = app_caller(), body()
    app.webhook_url = given.get("url", app.webhook_url)
    app.webhook_secret = given.get("secret", app.webhook_secret)
    return hook_config()


@route("POST", "/app-manifests/<code>/conversions", status=201)
def convert_manifest(code: str) -> Json:
    """No authentication: the code is the secret, works once and for an hour."""
    world = services().world
    waiting = world.manifests.pop(code, None)
    if waiting is None or (world.now() - waiting["at"]).total_seconds() > CODE_SECONDS:
        raise NotFound("manifest code")
    manifest = waiting["manifest"]
    hook = manifest.get("hook_attributes") or {}
    app = actions.apps.create_app(
        world, waiting["by"], owner=waiting["owner"],
        slug=actions.apps.slug_of(str(manifest["name"])), name=manifest["name"],
        webhook_url=hook.get("url", ""), permissions=manifest.get("default_permissions") or {},
        events=manifest.get("default_events") or [],
    )  # fmt: skip
    app.setup_url = manifest.get("setup_url", "")
    app.public = manifest.get("public") is not False
    return views.app(world, app) | {
        "client_secret": app.client_secret,
        "webhook_secret": app.webhook_secret,
        "pem": app.private_key,
    }


# --- Accounts and repositories -------------------------------------------------------------------


@route("GET", "/users/<username>")
def get_user(username: str) -> Json:
    return views.full_user(services().world, services().world.account(username))


@route("GET", "/user/<int:number>")
def get_user_by_id(number: int) -> Json:
    found = services().world.accounts.get(number)
    if found is None or found.deleted:
        raise NotFound("user")
    return views.full_user(services().world, found)


@route("GET", "/user")
def get_viewer() -> Json:
    if caller().installation:
        raise Forbidden("Resource not accessible by integration")
    return views.full_user(services().world, acting())


@route("GET", "/orgs/<org>")
def get_org(org: str) -> Json:
    found = services().world.organization(org)
    return views.organization(services().world, found) | {
        "type": "Organization",
        "html_url": f"{services().world.web_url}/{found.login}",
        "name": found.name or None,
        "plan": {"name": found.plan},
        "created_at": iso(found.created_at),
    }


@route("GET", "/orgs/<org>/repos")
def org_repositories(org: str) -> Response:
    found = [
        r for r in services().world.organization(org).repositories.values() if caller().sees(r)
    ]
    world = services().world
    return paged(found, lambda repo: views.repository(world, repo, caller().viewer))


def _members(org: str) -> Account:
    found = services().world.organization(org)
    caller().need_org(found, "members")
    return found


@route("GET", "/orgs/<org>/members/<username>")
def is_member(org: str, username: str) -> Response:
    found = _members(org)
    who = services().world.account(username)
    if who.id not in found.members:
        raise NotFound("member")
    return as_json(None, 204)


@route("GET", "/orgs/<org>/memberships/<username>")
def get_membership(org: str, username: str) -> Json:
    found, who = _members(org), services().world.account(username)
    role = found.members.get(who.id)
    if role is None and who.id not in found.pending:
        raise NotFound("membership")
    url = f"{services().world.api_url}/orgs/{found.login}"
    return {
        "url": f"{url}/memberships/{who.rest_login}",
        "state": "active" if role else "pending",
        "role": role or "member",
        "organization_url": url,
        "organization": views.organization(services().world, found),
        "user": views.user(services().world, who),
    }


@route("GET", "/orgs/<org>/teams")
def list_teams(org: str) -> Response:
    found = [team for team in _members(org).teams.values() if not team.secret]
    return paged(found, lambda team: views.team(services().world, team))


@route("GET", "/orgs/<org>/teams/<slug>")
def get_team(org: str, slug: str) -> Json:
    return views.team(services().world, _visible_team(org, slug))


def _visible_team(org: str, slug: str) -> Team:
    """A secret team is shown to nobody who is not in it, so to no app."""
    found = _members(org).teams.get(slug)
    if found is None or found.secret:
        raise NotFound("team")
    return found


@route("GET", "/orgs/<org>/teams/<slug>/members")
def team_members(org: str, slug: str) -> Response:
    found = _visible_team(org, slug)
    world = services().world
    accounts = [world.accounts[number] for number in sorted(found.everybody)]
    return paged(accounts, lambda account: views.user(world, account))


@route("GET", REPO, "metadata:read")
def get_repository(repository: Repository) -> Json:
    return views.full_repository(services().world, repository, caller().viewer)


@route("GET", "/repositories/<int:number>")
def get_repository_by_id(number: int) -> Json:
    found = services().world.repositories.get(number)
    if found is None or not caller().sees(found):
        raise NotFound("repository")
    return views.full_repository(services().world, found, caller().viewer)


@route("GET", "/rate_limit")
def rate_limit() -> Json:
    limits = services().door.limits_of(caller())
    reset = int(limits.reset_at.timestamp()) if limits.reset_at else 0

    def row(name: str) -> Json:
        return {
            "limit": limits.limit,
            "used": limits.used.get(name, 0),
            "remaining": limits.remaining(name),
            "reset": reset,
        }

    return {"resources": {n: row(n) for n in ("core", "graphql", "search")}, "rate": row("core")}


@route("GET", "/meta")
def meta() -> Json:
    return {"verifiable_password_authentication": False}


@route("GET", "/versions")
def versions() -> Json:
    return ["2022-11-28", "2026-03-10"]
