"""People, bots, organisations, teams and who may do what where."""

from __future__ import annotations

import re

from sandbox.actions.common import require, require_owner
from sandbox.actions.registry import action
from sandbox.errors import Invalid, NotFound, Refused
from sandbox.objects import LEVELS, Account, Repository, Team
from sandbox.world import World

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}")  # underscores: managed users
_API_LEVELS = {"pull": "read", "push": "write"}


def _level(word: str) -> str:
    level = _API_LEVELS.get(word, word)
    if level not in LEVELS:
        raise Refused(f"unknown permission {word!r}; there are: {', '.join(LEVELS)}")
    return level


@action
def create_user(
    world: World, actor: str, *, login: str, name: str = "", email: str = "", id: int = 0,  # noqa: A002
    kind: str = "User", alias: str = "",
) -> Account:  # fmt: skip
    """A new account: User, Bot or Mannequin. The actor is ignored: people sign up themselves."""
    del actor
    if kind == "User" and not _LOGIN.fullmatch(login):
        raise Invalid({"resource": "User", "field": "login", "code": "invalid"})
    key = f"{login}[bot]" if kind == "Bot" else login
    taken = world.logins.get(key.lower())
    if taken and not taken.deleted:
        raise Invalid({"resource": "User", "field": "login", "code": "already_exists"})
    return world.add_account(
        Account(
            id=id or world.new_id(), login=login, kind=kind, name=name,
            emails=[email] if email else [], created_at=world.now(), alias=alias,
        )
    )  # fmt: skip


@action
def create_organization(
    world: World, actor: str, *, login: str, id: int = 0, base_permission: str = "read",  # noqa: A002
    plan: str = "enterprise",
) -> Account:  # fmt: skip
    """A new organisation whose first owner is the actor."""
    by = world.account(actor)
    made = Account(
        id=id or world.new_id(), login=login, kind="Organization", created_at=world.now(),
        base_permission=_level(base_permission), members={by.id: "admin"}, plan=plan,
    )  # fmt: skip
    return world.add_account(made)


@action
def rename_user(world: World, actor: str, *, login: str) -> Account:
    """The actor takes a new login; the old one is free for anyone."""
    by = world.account(actor)
    if login.lower() in world.logins and not world.logins[login.lower()].deleted:
        raise Invalid({"resource": "User", "field": "login", "code": "already_exists"})
    del world.logins[by.rest_login.lower()]
    by.login = login
    return world.add_account(by)


@action
def delete_user(world: World, actor: str) -> Account:
    """The actor deletes their own account: their traces stay, without an author."""
    by = world.account(actor)
    by.deleted = True
    for account in world.accounts.values():
        account.members.pop(by.id, None)
        for team in account.teams.values():
            team.members.discard(by.id)
    for repository in world.repositories.values():
        repository.collaborators.pop(by.id, None)
    return by


@action
def add_member(world: World, actor: str, *, org: str, login: str, role: str = "member") -> Account:
    """Make someone a member (or admin) of the organisation."""
    by, organization, who = world.account(actor), world.organization(org), world.account(login)
    require_owner(organization, by)
    organization.members[who.id] = role
    organization.pending.discard(who.id)
    world.emit("organization", "member_added", org=organization, sender=by, member=who)
    return who


@action
def remove_member(world: World, actor: str, *, org: str, login: str) -> Account:
    by, organization, who = world.account(actor), world.organization(org), world.account(login)
    require_owner(organization, by)
    if organization.members.pop(who.id, None) is None:
        raise NotFound("member")
    for team in organization.teams.values():
        team.members.discard(who.id)
    for repository in organization.repositories.values():
        repository.collaborators.pop(who.id, None)
    world.emit("organization", "member_removed", org=organization, sender=by, member=who)
    return who


@action
def add_collaborator(
    world: World, actor: str, repo: str, *, login: str, permission: str = "write"
) -> Account:
    """Give someone a level on one repository, or change it."""
    by, repository, who = world.account(actor), world.repository(repo), world.account(login)
    require(world, by, repository, "admin")
    old = repository.collaborators.get(who.id)
    repository.collaborators[who.id] = new = _level(permission)
    changes = {"permission": {"from": old, "to": new}} if old else {"permission": {"to": new}}
    what = "edited" if old else "added"
    world.emit("member", what, repository=repository, sender=by, member=who, changes=changes)
    return who


@action
def remove_collaborator(world: World, actor: str, repo: str, *, login: str) -> Account:
    by, repository, who = world.account(actor), world.repository(repo), world.account(login)
    require(world, by, repository, "admin")
    if repository.collaborators.pop(who.id, None) is None:
        raise NotFound("collaborator")
    world.emit("member", "removed", repository=repository, sender=by, member=who)
    return who


def _team(organization: Account, slug: str) -> Team:
    found = organization.teams.get(slug)
    if found is None:
        raise NotFound(f"team {slug}")
    return found


@action
def create_team(
    world: World,
    actor: str,
    *,
    org: str,
    slug: str,
    name: str = "",
    members: list[str] | None = None,
    parent: str = "",
    secret: bool = False,
) -> Team:
    """A new team; ``parent`` is the slug of the team it is a child of. A secret one has none."""
    by, organization = world.account(actor), world.organization(org)
    require_owner(organization, by)
    above = _team(organization, parent) if parent else None
    if above is not None and (secret or above.secret):
        raise Refused("A secret team can neither have a parent nor be one")
    team = Team(
        id=world.new_id(), slug=slug, name=name or slug, org=organization, parent=above,
        secret=secret,
    )  # fmt: skip
    organization.teams[slug] = world.register(team)
    world.emit("team", "created", org=organization, sender=by, team=team)
    for login in members or ():
        add_to_team(world, actor, org=org, team=slug, login=login)
    return team


@action
def add_to_team(world: World, actor: str, *, org: str, team: str, login: str) -> Team:
    by, organization, who = world.account(actor), world.organization(org), world.account(login)
    require_owner(organization, by)
    found = _team(organization, team)
    found.members.add(who.id)
    organization.members.setdefault(who.id, "member")
    world.emit("membership", "added", org=organization, sender=by, member=who, team=found)
    return found


@action
def remove_from_team(world: World, actor: str, *, org: str, team: str, login: str) -> Team:
    by, organization, who = world.account(actor), world.organization(org), world.account(login)
    require_owner(organization, by)
    found = _team(organization, team)
    found.members.discard(who.id)
    world.emit("membership", "removed", org=organization, sender=by, member=who, team=found)
    return found


@action
def set_team_permission(
    world: World, actor: str, repo: str, *, team: str, permission: str = "write"
) -> Team:
    """What every member of the team may do on the repository; ``none`` takes it away."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    found = _team(repository.owner, team)
    level = _level(permission)
    if level == "none":
        found.repositories.pop(repository.id, None)
        what = "removed_from_repository"
    else:
        found.repositories[repository.id] = level
        what = "added_to_repository"
    _emit_team(world, by, repository, found, what)
    return found


def _emit_team(world: World, by: Account, repository: Repository, team: Team, what: str) -> None:
    world.emit("team", what, repository=repository, org=team.org, sender=by, team=team)


@action
def rename_team(world: World, actor: str, *, org: str, team: str, name: str) -> Team:
    """Rename a team, slug and all."""
    by, organization = world.account(actor), world.organization(org)
    require_owner(organization, by)
    found = _team(organization, team)
    changes = {"name": {"from": found.name}}
    del organization.teams[found.slug]
    found.name, found.slug = name, name.lower().replace(" ", "-")
    organization.teams[found.slug] = found
    world.emit("team", "edited", org=organization, sender=by, team=found, changes=changes)
    return found


@action
def delete_team(world: World, actor: str, *, org: str, team: str) -> Team:
    by, organization = world.account(actor), world.organization(org)
    require_owner(organization, by)
    found = _team(organization, team)
    del organization.teams[team]
    world.nodes.pop(found.node_id, None)
    world.emit("team", "deleted", org=organization, sender=by, team=found)
    return found
