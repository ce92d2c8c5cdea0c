"""What a stored delivery says beyond *look again*: a green in doubt, a description as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from github_app.payload import Payload, inner_text
from github_app.store.inbox import StoredDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a stored delivery says beyond *look again*.

    ``doubtful``: a commit whose green may be wrong from now on. ``body``: the description as it was
    before it was edited; its history on GitHub can be blanked.
    """

    doubtful: str | None = None
    body: str | None = None


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
    if delivery is None or delivery.body is None:
        return Told()
    payload = json.loads(delivery.body)
    if not isinstance(payload, Mapping):
        return Told()
    changes = payload.get("changes")
    changes = changes if isinstance(changes, Mapping) else {}
    return Told(
        doubtful=_head_of(payload) if _is_doubtful(delivery, payload, changes) else None,
        body=_former_body(changes) if delivery.action == "edited" else None,
    )


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
