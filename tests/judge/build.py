"""Facts for tests, with as few words as possible: ``a_pull(approval("grace"))``."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from github_app.judge.facts import (
    Actor,
    ActorKind,
    ChangedFile,
    Commit,
    Event,
    EventKind,
    GitIdentity,
    PullRequest,
    Push,
    Repository,
    Review,
    ReviewState,
)

HEAD = "a" * 40
OLD = "b" * 40
BASE = "0f" * 20
ZERO = "0" * 40
T0 = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

IDS = {"ada": 1815, "grace": 1906, "alan": 1912, "kim": 31, "june": 32, "bob": 33, "mallory": 34}
CLAUDE = "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>"


def at(minutes: float) -> datetime:
    """A moment so many minutes after the pull request was opened."""
    return T0 + timedelta(minutes=minutes)


def user(login: str, id: int | None = None) -> Actor:
    return Actor(kind=ActorKind.USER, login=login, id=id or IDS.get(login.casefold(), 9000))


def bot(login: str, id: int = 5000) -> Actor:
    return Actor(kind=ActorKind.BOT, login=login, id=id)


def identity(login: str) -> GitIdentity:
    """The identity of somebody GitHub knows by their e-mail."""
    return GitIdentity(name=login.title(), email=f"{login}@example.com", user=user(login))


def stranger(name: str = "Nobody", email: str = "nobody@example.org") -> GitIdentity:
    """An identity that is tied to no account."""
    return GitIdentity(name=name, email=email)


def commit(
    oid: str = HEAD,
    by: str | GitIdentity = "june",
    message: str = "Add a coupon field",
    **more: Any,
) -> Commit:
    author = identity(by) if isinstance(by, str) else by
    values: dict[str, Any] = {
        "oid": oid,
        "message": message,
        "author": author,
        "committer": author,
        "authors": (author,),
        "parents": (BASE,),
    }
    return Commit(**(values | more))


def ai_commit(oid: str = HEAD, by: str | GitIdentity = "june", **more: Any) -> Commit:
    """A commit as Claude Code leaves it."""
    return commit(oid, by, f"Add a coupon field\n\n{CLAUDE}", **more)


_review_ids = iter(range(1, 10**9))


def review(
    who: str | Actor | None,
    state: ReviewState = ReviewState.APPROVED,
    oid: str | None = HEAD,
    *,
    can_push: bool | None = True,
) -> Review:
    author = user(who) if isinstance(who, str) else who
    number = next(_review_ids)
    return Review(
        id=number,
        author=author,
        state=state,
        commit_oid=oid,
        submitted_at=T0 + timedelta(minutes=5, seconds=number),
        can_push=can_push,
    )


def approval(who: str | Actor | None, oid: str | None = HEAD, **more: Any) -> Review:
    return review(who, ReviewState.APPROVED, oid, **more)


def changes(who: str | Actor | None, oid: str | None = HEAD) -> Review:
    return review(who, ReviewState.CHANGES_REQUESTED, oid)


def comment(who: str | Actor | None) -> Review:
    return review(who, ReviewState.COMMENTED)


def dismissed(who: str | Actor | None) -> Review:
    return review(who, ReviewState.DISMISSED)


def push(who: str | Actor | None, after: str = HEAD, before: str = ZERO) -> Push:
    actor = user(who) if isinstance(who, str) else who
    return Push(actor=actor, before=before, after=after, at=T0, kind="push")


_event_ids = iter(range(1, 10**9))


def event(kind: EventKind, who: str | Actor | None, *, minutes: float = 10, **more: Any) -> Event:
    actor = user(who) if isinstance(who, str) else who
    return Event(kind=kind, id=f"E{next(_event_ids)}", at=at(minutes), actor=actor, **more)


def labeled(label: str, who: str | Actor | None, *, minutes: float = 10) -> Event:
    return event(EventKind.LABELED, who, minutes=minutes, label=label, label_edited_at=at(0))


def dismissal(
    of: Review,
    by: str | Actor | None,
    was: ReviewState | None = ReviewState.CHANGES_REQUESTED,
    *,
    minutes: float = 20,
) -> Event:
    """Somebody dismissed this review; ``was`` is what it said until then."""
    kind = EventKind.REVIEW_DISMISSED
    return event(kind, by, minutes=minutes, review_id=of.id, previous_review_state=was)


SHOP = Repository(id=77, owner="acme", name="shop", default_branch="main")


def a_pull(*reviews: Review, **more: Any) -> PullRequest:
    """An AI-assisted pull request by june, the junior, of one commit, with these reviews."""
    values: dict[str, Any] = {
        "repository": SHOP,
        "number": 12,
        "node_id": "PR_12",
        "title": "Add coupons",
        "body": "",
        "state": "OPEN",
        "draft": False,
        "author": user("june"),
        "base_ref": "main",
        "base_oid": BASE,
        "head_ref": "coupons",
        "head_oid": HEAD,
        "head_repository": SHOP,
        "cross_repository": False,
        "maintainer_can_modify": False,
        "updated_at": at(30),
        "taken_at": at(31),
        "commits": (ai_commit(),),
        "reviews": reviews,
        "files": (ChangedFile(path="shop/cart.py", additions=3),),
        "diff_read": True,
        "pushes": (push("june"),),
    }
    return PullRequest(**(values | more))


def with_commits(pull: PullRequest, commits: Sequence[Commit]) -> PullRequest:
    """The same pull request with these commits; the last one is the head."""
    return replace(pull, commits=tuple(commits), head_oid=commits[-1].oid)
