"""Reviews: submitting, editing, dismissing; who may do what."""

from __future__ import annotations

from sandbox.actions.common import MAX_BODY, check_length, dismiss, emit_review, require
from sandbox.actions.merges import settle
from sandbox.actions.pushes import push
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, Invalid, NotFound, Refused
from sandbox.objects import Account, PullRequest, Review, Team, at_least
from sandbox.world import World

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@action
def review(
    world: World, actor: str, repo: str, *, number: int, event: str = "APPROVE", body: str = "",
    commit: str = "",
) -> Review:  # fmt: skip
    """APPROVE, REQUEST_CHANGES or COMMENT, on the head unless ``commit`` is given."""
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "read")
    state = _STATES.get(event.upper())
    if state is None:
        raise Invalid({"resource": "PullRequestReview", "field": "event", "code": "invalid"})
    if pull.locked and not at_least(world.permission(by, pull.repository), "write"):
        raise Forbidden("lock prevents review")
    if by is pull.author and state != "COMMENTED":
        verb = "approve" if state == "APPROVED" else "request changes on"
        raise Refused(
            "Unprocessable Entity", errors=[f"Review Can not {verb} your own pull request"]
        )
    if state != "APPROVED" and not body:
        raise Refused("Unprocessable Entity", errors=["Body can't be blank"])
    check_length("body", body, MAX_BODY)
    sha = _commit(pull, commit)
    now = world.now()
    made = Review(
        id=world.new_id(), pull=pull, author=by, state=state, body=body, submitted_at=now,
        updated_at=now, commit_sha=sha, on_behalf_of=_answered_teams(pull, by),
    )  # fmt: skip
    pull.reviews.append(world.register(made))
    pull.updated_at = now
    if by in pull.reviewers:
        pull.reviewers.remove(by)
    emit_review(world, made, "submitted", by)
    settle(world, pull)
    return made


def _commit(pull: PullRequest, ref: str) -> str:
    if not ref:
        return pull.head_sha
    sha = pull.repository.resolve(ref)
    if sha is None or all(sha != known.sha for known in pull.commits):
        raise Invalid({"resource": "PullRequestReview", "field": "commit_id", "code": "invalid"})
    return sha


def _answered_teams(pull: PullRequest, by: Account) -> list[Team]:
    teams = [team for team in pull.team_reviewers if by.id in team.members]
    pull.team_reviewers = [team for team in pull.team_reviewers if team not in teams]
    return teams


@action
def approve(
    world: World, actor: str, repo: str, *, number: int, body: str = "", commit: str = ""
) -> Review:
    return review(world, actor, repo, number=number, event="APPROVE", body=body, commit=commit)


@action
def request_changes(
    world: World, actor: str, repo: str, *, number: int, body: str = "Please change this."
) -> Review:
    return review(world, actor, repo, number=number, event="REQUEST_CHANGES", body=body)


def _find(pull: PullRequest, review_id: int | None, author: str) -> Review:
    for found in reversed(pull.reviews):
        if found.id == review_id or (
            author and found.author.rest_login.lower() == author.lower()
            and found.state in ("APPROVED", "CHANGES_REQUESTED")
        ):  # fmt: skip
            return found
    raise NotFound("review")


@action
def dismiss_review(
    world: World, actor: str, repo: str, *, number: int, review_id: int | None = None,
    author: str = "", message: str = "Dismissed",
) -> Review:  # fmt: skip
    """Dismiss a review by id, or the last opinionated one of ``author``."""
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    found = _find(pull, review_id, author)
    if found.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise Refused("Can not dismiss a commented or dismissed pull request review")
    dismiss(world, found, by, message)
    return found


@action
def edit_review(
    world: World, actor: str, repo: str, *, number: int, review_id: int, body: str
) -> Review:
    by, pull = world.account(actor), world.pull(repo, number)
    found = _find(pull, review_id, "")
    if by is not found.author:
        require(world, by, pull.repository, "write")
    old, found.body = found.body, body
    found.last_edited_at = found.updated_at = world.now()
    emit_review(world, found, "edited", by, changes={"body": {"from": old}})
    return found


@action
def lose_review_commit(
    world: World, actor: str, repo: str, *, number: int, review_id: int
) -> Review:
    """What garbage collection does to an old review: its commit becomes unknown."""
    world.account(actor)
    found = _find(world.pull(repo, number), review_id, "")
    found.commit_sha = None
    return found


@action
def suggest(
    world: World, actor: str, repo: str, *, number: int, suggester: str, path: str, content: str,
    co_author: bool = True,
) -> object:  # fmt: skip
    """The actor applies a suggestion of ``suggester``: a web commit co-authored by them."""
    pull, who = world.pull(repo, number), world.account(suggester)
    message = f"Update {path}"
    if co_author:
        message += f"\n\nCo-authored-by: {who.name or who.rest_login} <{who.email}>"
    head = pull.head_repository or pull.repository
    spec = {"message": message, "files": {path: content}, "web": True}
    return push(world, actor, head.full_name, branch=pull.head_ref, commits=[spec])
