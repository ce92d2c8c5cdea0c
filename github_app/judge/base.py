"""Whether a review was of the change against the base that it has now.

A check and an approval belong to a commit, but what was read is its difference to the base. Another
base may bring in commits that nobody saw.
"""

from github_app.judge.facts import Event, EventKind, PullRequest, Review

_OTHER_BASE = frozenset(
    {EventKind.BASE_CHANGED, EventKind.BASE_CHANGED_BY_GITHUB, EventKind.BASE_FORCE_PUSHED}
)


def changed_since(review: Review, pull: PullRequest) -> Event | None:
    """The first change of the base after the review, whose ``before`` is the base it was of.

    That base is a branch's name, or a commit where the branch was force-pushed. GitHub tells whole
    seconds: a change within that of the review counts as one after it.
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


def last_change(pull: PullRequest) -> Event | None:
    return next((event for event in reversed(pull.timeline) if event.kind in _OTHER_BASE), None)
