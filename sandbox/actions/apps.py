"""GitHub Apps: registering, installing, suspending, changing permissions and repositories."""

from __future__ import annotations

import functools
import re

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.actions.common import require_owner
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, NotFound
from sandbox.objects import Account, App, Installation
from sandbox.world import World, secret

DEFAULT_PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "read",
    "checks": "write",
    "statuses": "write",
    "merge_queues": "read",
    "members": "read",
}
DEFAULT_EVENTS = [
    "pull_request", "pull_request_review", "merge_group", "push", "check_run", "check_suite",
    "label", "repository", "member", "membership", "organization", "team",
]  # fmt: skip


def slug_of(name: str) -> str:
    """The app's name in addresses, as GitHub makes it: lower case, hyphens for all else."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@functools.cache
def _keys(slug: str) -> tuple[str, str]:
    """Private and public PEM. Made once a process and slug: a key takes a while to find."""
    del slug
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@action
def create_app(
    world: World, actor: str, *, slug: str, name: str = "", webhook_url: str = "",
    permissions: dict[str, str] | None = None, events: list[str] | None = None, id: int = 0,  # noqa: A002
    bot_id: int = 0, with_key: bool = True, owner: str = "",
) -> App:  # fmt: skip
    """Register an app: a fresh RSA key, secrets, a bot. ``with_key`` False is quicker."""
    by = world.account(owner or actor)
    private, public = _keys(slug) if with_key else ("", "")
    bot = Account(id=bot_id or world.new_id(), login=slug, kind="Bot", created_at=world.now())
    app = App(
        id=id or world.new_id(), slug=slug, name=name or slug, owner=by,
        client_id=secret("Iv23li", 7), client_secret=secret("", 20),
        webhook_secret=secret("", 20), webhook_url=webhook_url,
        private_key=private, public_key=public, created_at=world.now(), hook_id=world.new_id(),
        permissions=dict(permissions if permissions is not None else DEFAULT_PERMISSIONS),
        events=list(events if events is not None else DEFAULT_EVENTS), bot=bot,
    )  # fmt: skip
    bot.app = app
    world.apps[app.id] = world.register(app)
    world.add_account(bot)
    if webhook_url:
        world.emit("ping", "", app=app, sender=by)
    return app


def app_named(world: World, slug: str) -> App:
    for app in world.apps.values():
        if app.slug == slug:
            return app
    raise NotFound(f"app {slug}")


def find_installation(world: World, slug: str, account: str) -> Installation:
    """The app's installation on an account."""
    app, target = app_named(world, slug), world.account(account)
    for found in world.installations.values():
        if found.app is app and found.account is target:
            return found
    raise NotFound("installation")


def _may_manage(world: World, actor: str, account: Account) -> Account:
    by = world.account(actor)
    if account.kind == "Organization":
        require_owner(account, by)
    elif by is not account:
        raise Forbidden("Must be the owner of the account.")
    return by


@action
def install_app(
    world: World, actor: str, *, app: str, account: str, repositories: list[str] | None = None
) -> Installation:
    """Install on all repositories of an account, or on the named ones (``owner/name``)."""
    found, target = app_named(world, app), world.account(account)
    by = _may_manage(world, actor, target)
    if not found.public and target is not found.owner:
        raise Forbidden("This GitHub App is private.")
    now = world.now()
    # A person's account has no members to read, whatever the app asks for.
    left = {"members"} if target.kind != "Organization" else set[str]()
    granted = {name: level for name, level in found.permissions.items() if name not in left}
    made = Installation(
        id=world.new_id(), app=found, account=target,
        selection="all" if repositories is None else "selected",
        repository_ids={world.repository(name).id for name in repositories or ()},
        permissions=granted, events=list(found.events), created_at=now,
        updated_at=now,
    )  # fmt: skip
    world.installations[made.id] = world.register(made)
    world.emit("installation", "created", installation=made, sender=by)
    return made


@action
def uninstall_app(world: World, actor: str, *, app: str, account: str) -> Installation:
    found = find_installation(world, app, account)
    by = _may_manage(world, actor, found.account)
    world.emit("installation", "deleted", installation=found, sender=by)
    del world.installations[found.id]
    return found


@action
def suspend_installation(world: World, actor: str, *, app: str, account: str) -> Installation:
    """Suspend: no API, no webhooks until it is lifted."""
    found = find_installation(world, app, account)
    by = _may_manage(world, actor, found.account)
    found.suspended_at, found.suspended_by = world.now(), by
    world.emit("installation", "suspend", installation=found, sender=by)
    return found


@action
def unsuspend_installation(world: World, actor: str, *, app: str, account: str) -> Installation:
    found = find_installation(world, app, account)
    by = _may_manage(world, actor, found.account)
    found.suspended_at = found.suspended_by = None
    world.emit("installation", "unsuspend", installation=found, sender=by)
    return found


@action
def set_app_permissions(
    world: World, actor: str, *, app: str, permissions: dict[str, str],
    events: list[str] | None = None,
) -> App:  # fmt: skip
    """What the app asks for; installations keep the old set until they accept."""
    found = app_named(world, app)
    if world.account(actor) is not found.owner:
        require_owner(found.owner, world.account(actor))
    found.permissions = dict(permissions)
    if events is not None:
        found.events = list(events)
    return found


@action
def accept_permissions(world: World, actor: str, *, app: str, account: str) -> Installation:
    found = find_installation(world, app, account)
    by = _may_manage(world, actor, found.account)
    found.permissions, found.events = dict(found.app.permissions), list(found.app.events)
    found.updated_at = world.now()
    world.emit("installation", "new_permissions_accepted", installation=found, sender=by)
    return found


@action
def narrow_installation(
    world: World, actor: str, *, app: str, account: str, permissions: dict[str, str]
) -> Installation:
    """Set what one installation grants, without asking: for tests of a missing permission."""
    found = find_installation(world, app, account)
    _may_manage(world, actor, found.account)
    found.permissions = dict(permissions)
    return found


@action
def change_installation_repositories(
    world: World, actor: str, *, app: str, account: str, add: list[str] | None = None,
    remove: list[str] | None = None,
) -> Installation:  # fmt: skip
    """Add or remove repositories of an installation on selected repositories."""
    found = find_installation(world, app, account)
    by = _may_manage(world, actor, found.account)
    if found.selection == "all":
        found.repository_ids = set(found.account.repositories)
        found.selection = "selected"
    for what, names in (("added", add), ("removed", remove)):
        repositories = [world.repository(name) for name in names or ()]
        ids = {repository.id for repository in repositories}
        found.repository_ids = (
            found.repository_ids | ids if what == "added" else found.repository_ids - ids
        )
        if repositories:
            world.emit(
                "installation_repositories", what,
                installation=found, sender=by, repositories=repositories,
            )  # fmt: skip
    return found


@action
def set_webhook(world: World, actor: str, *, app: str, url: str, secret_text: str = "") -> App:
    """Where the app's webhooks go, and (if given) the secret that signs them."""
    found = app_named(world, app)
    world.account(actor)
    found.webhook_url = url
    if secret_text:
        found.webhook_secret = secret_text
    world.emit("ping", "", app=found, sender=found.owner)
    return found
