"""What a stored delivery says beyond *look again*: a green in doubt, a description as it was, who
may bypass a ruleset."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from github_app.gateway.protection import bypass_actor
from github_app.payload import Payload, inner_text
from github_app.store.claim import Seen
from github_app.store.inbox import StoredDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a stored delivery says beyond *look again*.

    ``doubtful``: a commit whose green may be wrong from now on. ``at``: GitHub's ``updated_at`` of
    the pull request when it told (aware); None where it did not say. ``moves``: whether what
    happened is sure to have moved that. ``body``: the description as it was before it was edited;
    its history on GitHub can be blanked.
    """

    doubtful: str | None = None
    at: datetime | None = None
    moves: bool = False
    body: str | None = None

    def is_news_to(self, seen: Seen | None) -> bool:
        """Whether a judgement may have missed it: deliveries come late, and in any order.

        Who saw a younger pull request than it tells of looked after it had happened.
        """
        if seen is None or self.at is None or seen.updated_at < self.at:
            return True
        return seen.updated_at == self.at and not (self.moves and seen.surely)


# After these a green that stands on the head may be wrong: another base, a sign-off gone, or a
# pull request that was judged differently when it last had this head.
_DOUBTFUL = frozenset(
    {
        ("pull_request", "opened"),
        ("pull_request", "reopened"),
        ("pull_request", "synchronize"),
        ("pull_request_review", "dismissed"),
    }
)


def told_by(delivery: StoredDelivery | None) -> Told:
    """Read a delivery again that was stored. Nothing for one that is processed or malformed."""
    if delivery is None:
        return Told()
    payload = _payload(delivery)
    if payload is None:
        return Told()
    changes = payload.get("changes")
    changes = changes if isinstance(changes, Mapping) else {}
    return Told(
        doubtful=_head_of(payload) if _is_doubtful(delivery, payload, changes) else None,
        at=_moment(inner_text(payload, "pull_request", "updated_at")),
        moves=delivery.event == "pull_request",
        body=_former_body(changes) if delivery.action == "edited" else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass:
    """``who`` may bypass a ruleset, in words. ``at``: when it was written so (ISO 8601, UTC; texts
    that sort as moments do), ``GONE`` for one that is deleted, empty where it is not known."""

    at: str
    who: tuple[str, ...]


GONE = "gone"  # later than every moment


def bypasses_told(deliveries: Iterable[StoredDelivery | None]) -> dict[int, Bypass]:
    """Who may bypass each ruleset (by number) that an event was about: nobody, for one that is
    gone. A list only where the event has one: nothing else shows it to the app."""
    found: dict[int, Bypass] = {}
    for delivery in deliveries:
        payload = None if delivery is None else _payload(delivery)
        ruleset = payload.get("repository_ruleset") if payload else None
        if delivery is None or not isinstance(ruleset, Mapping):
            continue
        number, actors = ruleset.get("id"), ruleset.get("bypass_actors")
        if not isinstance(number, int) or not isinstance(actors, list):
            continue
        told = Bypass(at=_written(ruleset), who=tuple(sorted({_bypasser(one) for one in actors})))
        if delivery.action == "deleted":
            told = Bypass(at=GONE, who=())
        found = newest(found, {number: told})
    return found


def newest(known: Mapping[int, Bypass], told: Mapping[int, Bypass]) -> dict[int, Bypass]:
    """Of each ruleset what was written last: events come in any order, and some a day late. Of the
    same moment that of ``told``."""
    later = {
        number: one
        for number, one in told.items()
        if number not in known or known[number].at <= one.at
    }
    return {**known, **later}


def _written(ruleset: Payload) -> str:
    at = _moment(str(ruleset.get("updated_at")))
    return "" if at is None else at.isoformat(timespec="microseconds")


def _moment(text: str) -> datetime | None:
    """In UTC; None for what is no moment, or may be any by its missing zone."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _bypasser(actor: object) -> str:
    """Whoever it is, there is somebody: what we cannot read is not left out."""
    if not isinstance(actor, Mapping) or not isinstance(actor.get("actor_type"), str):
        return "somebody"
    number = actor.get("actor_id")
    return bypass_actor({**actor, "actor_id": number if isinstance(number, int) else None})


def _payload(delivery: StoredDelivery) -> Payload | None:
    payload = None if delivery.body is None else json.loads(delivery.body)
    return payload if isinstance(payload, Mapping) else None


def _is_doubtful(delivery: StoredDelivery, payload: Payload, changes: Payload) -> bool:
    if (delivery.event, delivery.action) in _DOUBTFUL:
        return True
    review = payload.get("review")
    objected = isinstance(review, Mapping) and review.get("state") == "changes_requested"
    return objected or (delivery.event == "pull_request" and "base" in changes)


def _head_of(payload: Payload) -> str | None:
    return inner_text(payload, "pull_request", "head", "sha") or None


def _former_body(changes: Payload) -> str | None:
    body = changes.get("body")
    before = body.get("from") if isinstance(body, Mapping) else None
    return before if isinstance(before, str) else None
