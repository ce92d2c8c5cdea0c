"""Asks GitHub whether a merge brought what its pull request was judged by: the two diffs compared.

A commit never changes, so each question is asked once. Only answers are kept: diffs are private.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from github_app.gateway import diff, landing
from github_app.gateway.client import Installation
from github_app.judge.facts import Commit, PullRequest
from github_app.judge.landing import Likeness, bases, likeness

KEPT = 10_000

_Key = tuple[int, int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """``made``: the merge and what it is built on, newest first. ``paths``: where it differs.
    ``base``: the commit on which both are the same; None where the merge has the very content of
    the head, or where they are not the same."""

    likeness: Likeness
    paths: tuple[str, ...]
    base: str | None
    made: tuple[Commit, ...]


class Contents:
    """One a process, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alike: OrderedDict[_Key, None] = OrderedDict()

    def is_another(self, installation: Installation, pull: PullRequest, merge_oid: str) -> bool:
        """Whether the merge provably brings other lines than the pull request. Raises: GitHubError.

        One call; three where the branch had moved on, four where it changed the same files.
        """
        key = (pull.repository.id, pull.number, pull.head_oid, merge_oid)
        with self._lock:
            if key in self._alike:
                return False
        found = compared(installation, pull, merge_oid)
        if found.likeness is Likeness.SAME:
            with self._lock:
                self._alike[key] = None
                while len(self._alike) > KEPT:
                    self._alike.popitem(last=False)
        return found.likeness is Likeness.DIFFERENT


def compared(installation: Installation, pull: PullRequest, merge_oid: str) -> Content:
    """The same with all that was found. Raises: NotFound for no such commit, other GitHubError."""
    made = landing.history(installation, pull.repository, merge_oid, len(pull.commits) + 1)
    if pull.commits and made[0].tree_oid == pull.commits[-1].tree_oid:  # no further call
        return Content(likeness=Likeness.SAME, paths=(), base=None, made=made)
    worst: tuple[Likeness, tuple[str, ...]] = Likeness.UNKNOWN, ()
    for base in bases(pull, made):
        found = _likeness_on(installation, pull, made[0].oid, base)
        if found[0] is Likeness.SAME:
            return Content(likeness=found[0], paths=(), base=base, made=made)
        if found[0] is Likeness.DIFFERENT and worst[0] is Likeness.UNKNOWN:
            worst = found
    return Content(likeness=worst[0], paths=worst[1], base=None, made=made)


def _likeness_on(
    installation: Installation, pull: PullRequest, merge: str, base: str
) -> tuple[Likeness, tuple[str, ...]]:
    where = pull.repository
    return likeness(
        diff.diff(installation, where, base, pull.head_oid),
        diff.diff(installation, where, base, merge),
        lambda: diff.diff(installation, where, pull.head_oid, base),
    )
