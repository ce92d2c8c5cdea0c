"""Which heads were forced away from a pull request, as far as its timeline tells."""

from datetime import datetime

from github_app.judge.facts import EventKind, PullRequest

MOST = 20  # newest first: each may cost a call


def heads_forced_away(pull: PullRequest, *, since: datetime | None = None) -> tuple[str, ...]:
    """The ids of the heads before the force-pushes, newest first, without what is still there.

    ``since`` leaves out those that were forced away before; GitHub tells whole seconds.
    """
    there = {commit.oid for commit in pull.commits}
    heads = (
        event.before
        for event in reversed(pull.timeline)
        if event.kind is EventKind.FORCE_PUSHED
        and event.before is not None
        and (since is None or event.at >= since)
    )
    return tuple(oid for oid in dict.fromkeys(heads) if oid not in there)[:MOST]
