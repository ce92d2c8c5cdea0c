"""Changes that somebody asked for: they block until that person lifts it, or a peer dismisses it.

GitHub lets everybody who may write dismiss any review. Of an approval that only takes a right away.
Of a request for changes it gives one, so there it takes somebody who could have signed the change
off themselves; in doubt the request stands (design section 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from github_app.judge.entitlement import Change, Say, listed_at, say_of
from github_app.judge.facts import Actor, Event, EventKind, PullRequest, Review, ReviewState
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Roster
from github_app.judge.wants import Want

_NOTHING_TOLD = "GitHub does not tell what it said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objections:
    """``blocking``: the reviews that stand in the way, oldest first. ``dismissed``: for those of
    them that were dismissed, why that lifts nothing. ``unsure``: who dismissed one and may be
    entitled to; ``wants`` are the facts that would tell."""

    blocking: tuple[Review, ...] = ()
    dismissed: tuple[Reason, ...] = ()
    unsure: tuple[Actor, ...] = ()
    wants: frozenset[Want] = frozenset()


def objections(opinions: Iterable[Review], change: Change) -> Objections:
    """Changes requested by people at the sign-off level or above, as far as one can know, and not
    lifted.

    Whatever commit they were of, and whether or not the person has a part in the change.
    ``opinions``: the standing ones, see ``signoff.standing_opinions``.
    """
    blocking: list[Review] = []
    dismissed: list[Reason] = []
    unsure: list[Actor] = []
    wants: set[Want] = set()
    for review in opinions:
        author = review.author
        if author is None or not _weighs(review, author, change.roster):
            continue
        if review.state is ReviewState.CHANGES_REQUESTED:
            blocking.append(review)
        elif review.state is ReviewState.DISMISSED:
            event = _dismissal(review, change.pull)
            found = _lifted(author, event, change)
            wants |= found.wants
            by = event.actor if event else None
            if by is not None and Want.MAY_PUSH in found.wants:
                unsure.append(by)
            if found.against:
                blocking.append(review)
                dismissed.append(_ignored(author, by, found.against))
    return Objections(
        blocking=tuple(blocking),
        dismissed=tuple(dismissed),
        unsure=tuple(dict.fromkeys(unsure)),
        wants=frozenset(wants),
    )


def _weighs(review: Review, author: Actor, roster: Roster) -> bool:
    """Whether the reviewer is at the sign-off level; or may be, and may push here."""
    rank = roster.sign_off.rank
    if listed_at(author, roster, rank):
        return True
    return review.can_push is not False and roster.could_have(author, rank)


def _dismissal(review: Review, pull: PullRequest) -> Event | None:
    """The event that dismissed this review: a review can be dismissed once."""
    return next(
        (
            event
            for event in pull.timeline
            if event.kind is EventKind.REVIEW_DISMISSED and event.review_id == review.id
        ),
        None,
    )


def _lifted(author: Actor, event: Event | None, change: Change) -> Say:
    """Whether nothing stands in the way after this dismissal of a review of ``author``."""
    if event is None or event.previous_review_state in (None, ReviewState.DISMISSED):
        return Say(against=_NOTHING_TOLD)
    if event.previous_review_state is not ReviewState.CHANGES_REQUESTED:
        return Say()
    if event.actor is None:
        return Say(against="an account that does not exist any more did it")
    if author.id is not None and event.actor.is_person and event.actor.id == author.id:
        return Say()
    return say_of(event.actor, change)


def _ignored(author: Actor, by: Actor | None, why: str) -> Reason:
    return Reason(
        code=Code.DISMISSAL_IGNORED, who=author.login, by=by.login if by else "", detail=why
    )
