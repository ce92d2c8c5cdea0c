"""Whether a review was of the change against the base that it has now.

A check and an approval belong to a commit, but what was read is its difference to the base. Another
base may bring in commits that nobody saw.
"""

from github_app.judge.facts import Event, EventKind, PullRequest, Review

_OTHER_BASE = frozenset(
    {
        EventKind.BASE_CHANGED,
        EventKind.BASE_CHANGED_BY_GITHUB,
        EventKind.BASE_FORCE_PUSHED,
        EventKind.REOPENED,
    }
)

_OTHER_NAME = frozenset({EventKind.BASE_CHANGED, EventKind.BASE_CHANGED_BY_GITHUB})


def changed_since(review: Review, pull: PullRequest) -> Event | None:
    """The first event after the review since which the base may be another one.

    Deleting a base closes its pull requests, so while one was closed its base may have been made
    anew. GitHub tells whole seconds: an event within that of the review counts as one after it.
    """
    return next(
        (
            event
            for event in pull.timeline
            if event.kind in _OTHER_BASE
            and (review.submitted_at is None or event.at >= review.submitted_at)
        ),
        None,
    )


def base_ref_then(event: Event, pull: PullRequest) -> str:
    """The name of the base before this event, which ``changed_since`` found."""
    since = pull.timeline[pull.timeline.index(event) :]
    named = [one for one in since if one.kind in _OTHER_NAME and one.before is not None]
    return str(named[0].before) if named else pull.base_ref


def last_change(pull: PullRequest) -> Event | None:
    return next((event for event in reversed(pull.timeline) if event.kind in _OTHER_BASE), None)
