"""Asks GitHub whether two commits make the same change: the diffs, their proof, and what is known.

What was proven of two commits stays true, so each question is asked once. Only answers are kept:
diffs are private code.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from github_app.gateway.client import Installation
from github_app.gateway.diff import commits, diff, merge_base
from github_app.gateway.supplements import tip, tips_at
from github_app.judge.base import base_ref_then, changed_since, last_change
from github_app.judge.carry import is_replayed, only_base_merged
from github_app.judge.facts import EventKind, PullRequest, Review
from github_app.judge.likeness import Range
from github_app.judge.memory import Lookalike, Memory
from github_app.judge.patch import Sameness, compare, is_whole, patch_id

KEPT = 10_000  # answers; a hundred bytes or two each

_Key = tuple[int, str, str, str, str]
_T = TypeVar("_T")


class SameChange:
    """One a process, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, bool] = OrderedDict()

    def carried(
        self, installation: Installation, pull: PullRequest, older: Iterable[str]
    ) -> frozenset[str]:
        """Those of the ``older`` heads to which only the base came, provably the same diff.

        One call, and one more for each older head: two if it was rebased away. Two more if the base
        changed the same files. Raises: GitHubError.
        """
        if not pull.files_complete:
            return frozenset()
        head = _once(lambda: _whole_diff(installation, pull))

        def ask(oid: str) -> bool | None:
            return _is_same(installation, pull, oid, head)

        key = (pull.repository.id, pull.base_oid, pull.head_oid, pull.base_oid)
        return frozenset(oid for oid in older if self._answer((*key, oid), partial(ask, oid)))

    def same_base(
        self, installation: Installation, pull: PullRequest, reviews: Iterable[Review]
    ) -> frozenset[int]:
        """The ids of those reviews of the head to whose base it had the difference it has now.

        It has where the head left both bases at one commit. Up to five calls for each, once.
        Raises: GitHubError.
        """

        def ask(review: Review) -> bool | None:
            then = _bases_then(installation, pull, review)
            # base_oid does not follow every push
            now = tip(installation, pull.repository, pull.base_ref) if then else None
            if now is None:
                return None
            left_at = {
                merge_base(installation, pull.repository, base, pull.head_oid)
                for base in {*then, now}
            }
            return None if None in left_at else len(left_at) == 1

        latest = last_change(pull)
        head = (pull.repository.id, pull.head_oid, pull.base_ref, latest.id if latest else "")
        return frozenset(
            review.id
            for review in reviews
            if self._answer((*head, f"review {review.id}"), partial(ask, review))
        )

    def followed(self, installation: Installation, pull: PullRequest, memory: Memory) -> Memory:
        """``memory`` with the evidence of the first lookalike that is proven to be the same patch.

        It counts as seen now: nobody can have cleared it of this pull request before. Two calls
        for each lookalike. Raises: GitHubError.
        """
        now = max(pull.taken_at, pull.updated_at)
        for one in memory.lookalikes:
            same = self._alike(installation, pull, one)
            if same or (same is None and one.unmistakable):
                seen = tuple(replace(item, first_seen=now) for item in one.evidence)
                return replace(memory, evidence=memory.evidence + seen)
        return memory

    def _alike(self, installation: Installation, pull: PullRequest, one: Lookalike) -> bool | None:
        def ask() -> bool | None:
            ids = [_patch_id(installation, pull, of) for of in (one.ours, one.theirs)]
            return None if None in ids else ids[0] == ids[1]

        ours, theirs = one.ours, one.theirs
        oids = (ours.base_oid, ours.head_oid, theirs.base_oid, theirs.head_oid)
        return self._answer((pull.repository.id, *oids), ask)

    def _answer(self, key: _Key, ask: Callable[[], bool | None]) -> bool | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = ask()
        if found is None:
            return None  # what GitHub did not show now it may show later
        with self._lock:
            self._known[key] = found
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found


def _patch_id(installation: Installation, pull: PullRequest, of: Range) -> str | None:
    found = diff(installation, pull.repository, of.base_oid, of.head_oid)
    return None if found is None else patch_id(found)


def _whole_diff(installation: Installation, pull: PullRequest) -> str | None:
    found = diff(installation, pull.repository, pull.base_oid, pull.head_oid)
    return found if found is not None and is_whole(found, pull.files) else None


def _is_same(
    installation: Installation, pull: PullRequest, older: str, whole: Callable[[], str | None]
) -> bool | None:
    if not only_base_merged(pull, older):
        then = commits(installation, pull.repository, pull.base_oid, older)
        if then is None or not is_replayed(pull.commits, then):
            return None if then is None else False
    head = whole()
    if head is None:
        return None
    approved = diff(installation, pull.repository, pull.base_oid, older)
    if approved is None:
        return None
    found = compare(approved, head)
    if found is Sameness.BASE_NEEDED:
        movement = _base_movement(installation, pull, older)
        if movement is None:
            return None
        found = compare(approved, head, movement)
    return found is Sameness.SAME


def _base_movement(installation: Installation, pull: PullRequest, older: str) -> str | None:
    """The diff from the merge base of ``older`` to that of the head.

    A three-dot comparison of ``older`` with the head's merge base begins where ``older`` left the
    base: at its own merge base.
    """
    tip = merge_base(installation, pull.repository, pull.base_oid, pull.head_oid)
    return None if tip is None else diff(installation, pull.repository, older, tip)


def _bases_then(installation: Installation, pull: PullRequest, review: Review) -> frozenset[str]:
    """What the tip of the base may have been at the time of a review, before it was changed."""
    event = changed_since(review, pull)
    if event is None or review.submitted_at is None:
        return frozenset()
    if event.kind is EventKind.BASE_FORCE_PUSHED:
        return frozenset({event.before} if event.before else ())
    branch = base_ref_then(event, pull)
    return tips_at(installation, pull.repository, branch, review.submitted_at)


def _once(ask: Callable[[], _T]) -> Callable[[], _T]:
    found: list[_T] = []

    def answer() -> _T:
        if not found:
            found.append(ask())
        return found[0]

    return answer
