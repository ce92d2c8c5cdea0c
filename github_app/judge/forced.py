"""Which heads were forced away from a pull request, as far as its timeline tells.

Each that nobody judged while it was there costs a call to be read. So many are read; where there
are more, nobody can know that no AI took part, and it takes a sign-off as if one had.
"""

from collections.abc import Sequence, Set
from datetime import datetime

from github_app.judge.facts import EventKind, PullRequest

MOST = 50


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
    return tuple(oid for oid in dict.fromkeys(heads) if oid not in there)


def to_read(heads: Sequence[str], judged: Set[str]) -> tuple[str, ...]:
    """Those that are read: first of all what nobody judged while it was there."""
    return tuple(sorted(heads, key=lambda oid: oid in judged)[:MOST])


def too_many(heads: Sequence[str], judged: Set[str]) -> bool:
    """Whether some will neither be read nor were judged."""
    return len([oid for oid in heads if oid not in judged]) > MOST
