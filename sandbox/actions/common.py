"""What the actions share: rights, timeline entries, and how pull requests are found."""

from __future__ import annotations

from typing import Any

from sandbox.errors import Forbidden, Invalid, NotFound, Refused
from sandbox.objects import Account, App, Event, PullRequest, Repository, Review, at_least
from sandbox.world import World

MAX_BODY, MAX_TITLE, MAX_LABEL = 65536, 256, 50  # characters; GitHub's database columns


def require(world: World, actor: Account, repository: Repository, level: str) -> None:
    """NotFound if the account cannot even read, Forbidden if it has less than ``level``."""
    has = world.permission(actor, repository)
    if not at_least(has, "read"):
        raise NotFound(f"repository {repository.full_name}")
    if repository.archived and level != "admin":
        raise Forbidden("Repository was archived so is read-only.")
    if not at_least(has, level):
        raise Forbidden(f"Must have {level} access to Repository.")


def require_owner(organization: Account, actor: Account) -> None:
    if actor is not organization and organization.members.get(actor.id) != "admin":
        raise Forbidden("Must be an organization owner.")


def open_only(pull: PullRequest) -> None:
    if pull.state != "open":
        raise Refused("Pull Request is not open")


def check_length(field: str, text: str, most: int) -> None:
    """Invalid (422) if the text is longer than GitHub takes."""
    if len(text) > most:
        message = f"{field} is too long (maximum is {most} characters)"
        raise Invalid({"field": field, "code": "custom", "message": message})


def record(world: World, pull: PullRequest, kind: str, actor: Account | None, **data: Any) -> Event:
    """Add a timeline event and move ``updated_at``."""
    now = world.now()
    data["repository"] = pull.repository
    event = world.register(Event(id=world.new_id(), kind=kind, at=now, actor=actor, data=data))
    pull.timeline.append(event)
    pull.updated_at = now
    return event


def index_open(pull: PullRequest) -> None:
    """Make an open pull request findable by head branch, base branch and head SHA."""
    repository = pull.repository
    if pull.head_repository:
        key = (pull.head_repository.id, pull.head_ref)
        repository.open_by_head.setdefault(key, set()).add(pull.number)
    repository.open_by_base.setdefault(pull.base_ref, set()).add(pull.number)
    repository.open_by_sha.setdefault(pull.head_sha, set()).add(pull.number)


def unindex_open(pull: PullRequest) -> None:
    repository = pull.repository
    if pull.head_repository:
        key = (pull.head_repository.id, pull.head_ref)
        repository.open_by_head.get(key, set()).discard(pull.number)
    repository.open_by_base.get(pull.base_ref, set()).discard(pull.number)
    repository.open_by_sha.get(pull.head_sha, set()).discard(pull.number)
    if not repository.open_by_sha.get(pull.head_sha):
        repository.open_by_sha.pop(pull.head_sha, None)


def pulls_from(repository: Repository, branch: str) -> list[PullRequest]:
    """Open pull requests, in any repository of the network, whose head is this branch."""
    targets = [repository] if repository.parent is None else [repository, repository.parent]
    found = []
    for target in targets:
        numbers = target.open_by_head.get((repository.id, branch), set())
        found += [target.pulls[number] for number in sorted(numbers)]
    return found


def emit_pull(world: World, pull: PullRequest, what: str, sender: Account, **extra: Any) -> None:
    """Send ``pull_request`` with this action."""
    world.emit("pull_request", what, repository=pull.repository, sender=sender, pull=pull, **extra)


def close(world: World, pull: PullRequest, by: Account) -> None:
    """Close without merging."""
    pull.state, pull.closed_at = "closed", world.now()
    unindex_open(pull)
    record(world, pull, "ClosedEvent", by)
    emit_pull(world, pull, "closed", by)


def change_base(world: World, pull: PullRequest, by: Account, base: str, kind: str) -> None:
    """Point the pull request at another base branch and say so."""
    repository = pull.repository
    old_ref, old_sha = pull.base_ref, pull.base_sha
    unindex_open(pull)
    pull.base_ref, pull.base_sha = base, repository.branches[base]
    index_open(pull)
    record(world, pull, kind, by, previous=old_ref, current=base)
    changes = {"base": {"ref": {"from": old_ref}, "sha": {"from": old_sha}}}
    emit_pull(world, pull, "edited", by, changes=changes)


def dismiss(world: World, found: Review, by: Account, message: str) -> None:
    """Set DISMISSED, keep what it was in the timeline, tell everybody."""
    pull, was = found.pull, found.state
    found.state, found.updated_at = "DISMISSED", world.now()
    record(
        world, pull, "ReviewDismissedEvent", by,
        previous_state=was, message=message, review=found, head=pull.head_sha,
    )  # fmt: skip
    emit_review(world, found, "dismissed", by)


def emit_review(world: World, made: Review, what: str, sender: Account, **extra: object) -> None:
    pull = made.pull
    world.emit(
        "pull_request_review", what,
        repository=pull.repository, sender=sender, pull=pull, review=made, **extra,
    )  # fmt: skip


def app_of(actor: Account) -> App | None:
    return actor.app if actor.kind == "Bot" else None
