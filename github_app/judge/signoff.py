"""Which approvals count. Each way not to count is one small function in the table ``OBJECTIONS``.

Design section 5. To add a rule: write a function, put it into the table, give it a code in
``reasons.py``, a sentence in ``report/sentences.py``, a row in ``docs/reasons.md`` and test rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from github_app.judge.base import changed_since
from github_app.judge.contributors import Contributors, Part
from github_app.judge.facts import Actor, PullRequest, Review, ReviewState
from github_app.judge.policy import Requirement
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Roster

_EVER_AFTER = datetime.max.replace(tzinfo=UTC)
_OPINIONS = frozenset({ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED, ReviewState.DISMISSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What an objection may look at. ``raised``: case-folded logins whose level this very pull
    request would raise. ``carried``: older heads whose change is provably the head's; ``barred``:
    ids of approvals that do not carry over even so (``carry.py``); ``same_base``: ids of approvals
    of the head whose base has changed since, while the difference to it is provably the same."""

    pull: PullRequest
    roster: Roster
    requirement: Requirement
    contributors: Contributors
    raised: frozenset[str] = frozenset()
    carried: frozenset[str] = frozenset()
    barred: frozenset[int] = frozenset()
    same_base: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An approval that does not count, and every reason why."""

    review: Review
    reasons: tuple[Reason, ...]


Objection = Callable[[Review, Actor, Bench], Reason | None]


def not_a_person(_review: Review, author: Actor, _bench: Bench) -> Reason | None:
    """Bots, apps and mannequins never sign, whoever started them."""
    return None if author.is_person else Reason(code=Code.NOT_A_PERSON, who=author.login)


def identity_mismatch(_review: Review, author: Actor, bench: Bench) -> Reason | None:
    """The roster's entry has this login and another id, or the other way round."""
    if not author.is_person or bench.roster.mismatch(author) is None:
        return None
    return Reason(code=Code.IDENTITY_MISMATCH, who=author.login)


def below_level(_review: Review, author: Actor, bench: Bench) -> Reason | None:
    """Not on the roster, or on it below the level that this pull request needs."""
    if not author.is_person or bench.roster.mismatch(author) is not None:
        return None
    person = bench.roster.person(author)
    if person is None:
        return Reason(code=Code.NOT_LISTED, who=author.login)
    if person.rank >= bench.requirement.rank:
        return None
    level = bench.roster.level_name(person.rank)
    return Reason(code=Code.BELOW_LEVEL, who=author.login, detail=level)


def contributor(_review: Review, author: Actor, bench: Bench) -> Reason | None:
    """Nobody signs off their own work."""
    part = bench.contributors.part_of(login=author.login, account=author.id)
    if part is None:
        return None
    return Reason(code=Code.CONTRIBUTOR, who=author.login, sha=part.oid, detail=part.part.value)


def cannot_push(review: Review, author: Actor, _bench: Bench) -> Reason | None:
    """The right to push is looked up now, not when they approved. Unknown is no."""
    if not author.is_person or review.can_push is True:
        return None
    return Reason(code=Code.CANNOT_PUSH, who=author.login)


def older_head(review: Review, author: Actor, bench: Bench) -> Reason | None:
    """An approval is of one commit: the head, or an older one whose change is provably the same."""
    if review.commit_oid is None:
        return Reason(code=Code.COMMIT_LOST, who=author.login)
    if review.commit_oid == bench.pull.head_oid:
        return None
    if review.commit_oid in bench.carried and review.id not in bench.barred:
        return None
    behind = _commits_between(bench.pull, review.commit_oid)
    return Reason(
        code=Code.OLDER_HEAD, who=author.login, sha=review.commit_oid, detail=str(behind or "")
    )


def base_changed(review: Review, author: Actor, bench: Bench) -> Reason | None:
    """An approval is of a change to one base: another one may bring in what nobody has read."""
    if review.commit_oid != bench.pull.head_oid or review.id in bench.same_base:
        return None  # of older heads: see ``carry.barred``
    if changed_since(review, bench.pull) is None:
        return None
    return Reason(code=Code.BASE_CHANGED, who=author.login, sha=review.commit_oid)


def raised_by_change(_review: Review, author: Actor, bench: Bench) -> Reason | None:
    """A pull request that changes the roster is not signed by whom it would raise."""
    if author.key not in bench.raised:
        return None
    return Reason(code=Code.RAISED_BY_CHANGE, who=author.login)


OBJECTIONS: tuple[Objection, ...] = (
    not_a_person,
    identity_mismatch,
    below_level,
    contributor,
    cannot_push,
    raised_by_change,
    older_head,
    base_changed,
)


def standing_opinions(reviews: Iterable[Review]) -> tuple[Review, ...]:
    """The latest opinion of each account, oldest first.

    ``reviews`` as GitHub lists them: by when they were begun, which may be long before they were
    submitted. A comment changes nothing. A dismissed review ends the opinion and revives nothing
    older. Two logins with one id are one person.
    """
    latest: dict[int | str, Review] = {}
    for review in sorted(reviews, key=_submitted_at):
        if review.state not in _OPINIONS:
            continue
        who = _identity(review)
        latest.pop(who, None)
        latest[who] = review
    return tuple(latest.values())


def assess(
    opinions: Iterable[Review], bench: Bench
) -> tuple[tuple[Review, ...], tuple[Ignored, ...]]:
    """The approvals that count, and those that do not with every reason. Dismissed ones are
    listed among the latter, so that nobody wonders where their approval went."""
    counted: list[Review] = []
    ignored: list[Ignored] = []
    for review in opinions:
        if review.state is ReviewState.CHANGES_REQUESTED:
            continue
        reasons = tuple(_objections(review, bench))
        if reasons:
            ignored.append(Ignored(review=review, reasons=reasons))
        else:
            counted.append(review)
    return tuple(counted), tuple(ignored)


def _objections(review: Review, bench: Bench) -> Iterable[Reason]:
    if review.state is ReviewState.DISMISSED:
        yield Reason(code=Code.DISMISSED, who=review.author.login if review.author else "")
        return
    if review.author is None:
        yield Reason(code=Code.ACCOUNT_DELETED)
        return
    for objection in OBJECTIONS:
        reason = objection(review, review.author, bench)
        if reason is not None:
            yield reason


def _submitted_at(review: Review) -> datetime:
    """Only a draft has no such time, and a draft says nothing yet."""
    return review.submitted_at or _EVER_AFTER


def _identity(review: Review) -> int | str:
    if review.author is None:
        return f"deleted account of review {review.id}"
    return review.author.id if review.author.id is not None else review.author.key


def _commits_between(pull: PullRequest, oid: str) -> int | None:
    """How many commits the head is ahead of one of the PR's commits; None if it left the PR."""
    oids = [commit.oid for commit in pull.commits]
    return len(oids) - 1 - oids.index(oid) if oid in oids else None


__all__ = [
    "OBJECTIONS",
    "Bench",
    "Ignored",
    "Objection",
    "Part",
    "assess",
    "standing_opinions",
]
