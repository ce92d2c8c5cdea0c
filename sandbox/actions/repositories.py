"""Repositories: creating, forking, renaming, transferring, archiving, settings, deployments."""

from __future__ import annotations

from typing import Any

from sandbox.actions.common import close, require, require_owner
from sandbox.actions.pushes import build
from sandbox.actions.registry import action
from sandbox.errors import Invalid, NotFound, Refused
from sandbox.git import Store
from sandbox.objects import Account, Repository
from sandbox.world import World


def _name(world: World, repository: Repository, owner: Account, name: str) -> None:
    """Enter the repository under its (new) name; the old name answers only to who follows."""
    key = f"{owner.login}/{name}".lower()
    if world.names.get(key) not in (None, repository):
        raise Invalid({"resource": "Repository", "field": "name", "code": "already_exists"})
    old = repository.full_name.lower()
    if world.names.get(old) is repository:
        del world.names[old]
        world.redirects[old] = repository
    repository.owner.repositories.pop(repository.id, None)
    repository.owner, repository.name = owner, name
    owner.repositories[repository.id] = repository
    world.names[key] = repository
    world.redirects.pop(key, None)


@action
def create_repository(
    world: World, actor: str, *, name: str, owner: str = "", private: bool = False,
    default_branch: str = "main", files: dict[str, Any] | None = None, id: int = 0,  # noqa: A002
) -> Repository:  # fmt: skip
    """A repository with a first commit; the actor's own unless ``owner`` names somebody."""
    by = world.account(actor)
    holder = world.account(owner) if owner else by
    if holder.kind == "Organization":
        require_owner(holder, by)
    now = world.now()
    repository = Repository(
        id=id or world.new_id(), name=name, owner=holder, private=private, store=Store(),
        default_branch=default_branch, created_at=now, updated_at=now, pushed_at=now,
    )  # fmt: skip
    _name(world, repository, holder, name)
    world.repositories[repository.id] = world.register(repository)
    spec = {
        "message": "Initial commit",
        "files": files or {"README.md": f"# {name}\n"},
        "web": True,
    }
    repository.branches[default_branch] = build(world, repository, None, [spec], by)
    world.emit("repository", "created", repository=repository, sender=by)
    return repository


@action
def fork_repository(world: World, actor: str, repo: str, *, name: str = "") -> Repository:
    """The actor's own fork; objects are shared, branches are copied."""
    by, parent = world.account(actor), world.repository(repo)
    require(world, by, parent, "read")
    now = world.now()
    fork = Repository(
        id=world.new_id(), name=name or parent.name, owner=by, private=parent.private,
        store=parent.store, default_branch=parent.default_branch, parent=parent,
        created_at=now, updated_at=now, pushed_at=now, branches=dict(parent.branches),
    )  # fmt: skip
    _name(world, fork, by, fork.name)
    world.repositories[fork.id] = world.register(fork)
    return fork


@action
def rename_repository(world: World, actor: str, repo: str, *, name: str) -> Repository:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    old = repository.name
    _name(world, repository, repository.owner, name)
    changes = {"repository": {"name": {"from": old}}}
    world.emit("repository", "renamed", repository=repository, sender=by, changes=changes)
    return repository


@action
def transfer_repository(world: World, actor: str, repo: str, *, owner: str) -> Repository:
    by, repository, target = world.account(actor), world.repository(repo), world.account(owner)
    require(world, by, repository, "admin")
    source = repository.owner
    _name(world, repository, target, repository.name)
    kind = "organization" if source.kind == "Organization" else "user"
    changes = {"owner": {"from": {kind: source}}}
    world.emit("repository", "transferred", repository=repository, sender=by, changes=changes)
    return repository


@action
def archive_repository(world: World, actor: str, repo: str) -> Repository:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    repository.archived = True
    world.emit("repository", "archived", repository=repository, sender=by)
    return repository


@action
def unarchive_repository(world: World, actor: str, repo: str) -> Repository:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    repository.archived = False
    world.emit("repository", "unarchived", repository=repository, sender=by)
    return repository


@action
def set_visibility(world: World, actor: str, repo: str, *, private: bool) -> Repository:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    repository.private = private
    what = "privatized" if private else "publicized"
    world.emit("repository", what, repository=repository, sender=by)
    return repository


@action
def set_default_branch(world: World, actor: str, repo: str, *, branch: str) -> Repository:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    if branch not in repository.branches:
        raise NotFound(f"branch {branch}")
    old, repository.default_branch = repository.default_branch, branch
    changes = {"default_branch": {"from": old}}
    world.emit("repository", "edited", repository=repository, sender=by, changes=changes)
    return repository


@action
def change_settings(
    world: World, actor: str, repo: str, *, settings: dict[str, bool]
) -> Repository:
    """allow_merge_commit, allow_squash_merge, allow_rebase_merge, allow_auto_merge, ..."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    if unknown := settings.keys() - repository.settings.keys():
        raise Refused(f"unknown settings: {', '.join(sorted(unknown))}")
    repository.settings.update(settings)
    return repository


@action
def delete_repository(world: World, actor: str, repo: str) -> Repository:
    """Delete it; pull requests from it lose their head repository and close."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "admin")
    world.emit("repository", "deleted", repository=repository, sender=by)
    del world.names[repository.full_name.lower()]
    del world.repositories[repository.id]
    repository.owner.repositories.pop(repository.id, None)
    world.nodes.pop(repository.node_id, None)
    target = repository.parent
    for pull in target.open_pulls if target else ():
        if pull.head_repository is repository:
            close(world, pull, by)
            pull.head_repository = None
    return repository


@action
def record_deployment(
    world: World, actor: str, repo: str, *, environment: str, sha: str, state: str = "success"
) -> dict[str, Any]:
    """A deployment of a commit that ended in ``state`` (success, failure, error, inactive, ...)."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "write")
    full = repository.resolve(sha)
    if full is None:
        raise NotFound(f"commit {sha}")
    made = {
        "id": world.new_id(), "environment": environment, "sha": full, "creator": by,
        "at": world.now(), "statuses": [{"id": world.new_id(), "state": state, "at": world.now()}],
    }  # fmt: skip
    repository.deployments.append(made)
    return made
