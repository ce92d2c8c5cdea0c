"""Which approvals of an older head may carry over to this one, if the change is the same.

An approval is of a commit. It carries over only where all that came after is merges of the base,
or where the same commits stand on a newer base; where the pull request's own diff is provably the
same (``patch.compare``; asking costs calls); where nothing else that the approval rested on has
changed, and no commit brings evidence that the approver could not know of (design section 5).
"""

from collections.abc import Iterable

from github_app.judge.base import changed_since
from github_app.judge.facts import Commit, PullRequest, Review, ReviewState
from github_app.judge.memory import Memory
from github_app.judge.reasons import Code
from github_app.judge.signals import Place, Signal
from github_app.judge.signoff import Ignored

MOST = 5  # older heads that are looked at: each costs a call


def barred(
    pull: PullRequest, opinions: Iterable[Review], found: Iterable[Signal], memory: Memory
) -> frozenset[int]:
    """The ids of approvals of older heads that cannot carry over, whatever the diffs say.

    ``found`` are the signals of this snapshot, ``memory`` what was known before it.
    """
    older = [
        review
        for review in opinions
        if review.state is ReviewState.APPROVED and review.commit_oid != pull.head_oid
    ]
    if not older:
        return frozenset()
    in_commits = [signal for signal in found if signal.place is Place.COMMIT]
    marks = {_mark(signal) for signal in in_commits}
    marked = {signal.ref for signal in in_commits}
    return frozenset(
        review.id
        for review in older
        if not _known_by(review, marks, memory)
        or _marked_after(review, marked, pull)
        or review.submitted_at is None
        or changed_since(review, pull) is not None
    )


def worth_asking(ignored: Iterable[Ignored], barred_ids: frozenset[int]) -> tuple[str, ...]:
    """The older heads, newest approval first, that stand between an approval and its counting."""
    newest_first = reversed(
        [
            item.review.commit_oid
            for item in ignored
            if [reason.code for reason in item.reasons] == [Code.OLDER_HEAD]
            and item.review.id not in barred_ids
            and item.review.commit_oid is not None
        ]
    )
    return tuple(dict.fromkeys(newest_first))[:MOST]


def only_base_merged(pull: PullRequest, older: str) -> bool:
    """Whether each commit after ``older``, itself one of the pull request's, merges the base in.

    A parent that the pull request does not list is in the base.
    """
    by_oid = {commit.oid: commit for commit in pull.commits}
    oid, after = pull.head_oid, set[str]()
    while oid != older:
        commit = by_oid.get(oid)
        if commit is None or len(commit.parents) < 2 or oid in after:
            return False
        after.add(oid)
        inside = [parent for parent in commit.parents if parent in by_oid]
        if len(inside) != 1:
            return False
        oid = inside[0]
    return older in by_oid


def is_replayed(now: Iterable[Commit], then: Iterable[Commit]) -> bool:
    """Whether both are the same work in other places, as after a rebase: the same messages by the
    same authors, merges apart."""
    return _work(now) == _work(then)


def _work(commits: Iterable[Commit]) -> list[tuple[str, str, str]]:
    return sorted(
        (commit.message, commit.author.name, commit.author.email)
        for commit in commits
        if len(commit.parents) < 2
    )


def _known_by(review: Review, marks: set[tuple[str, str, str]], memory: Memory) -> bool:
    """Whether each mark that a commit bears was seen, on this change, before the approval."""
    if review.submitted_at is None:
        return False
    then = {
        _mark(item.signal)
        for item in memory.evidence
        if item.signal.place is Place.COMMIT
        # GitHub tells whole seconds
        and item.first_seen.replace(microsecond=0) <= review.submitted_at
    }
    return marks <= then


def _marked_after(review: Review, marked: set[str], pull: PullRequest) -> bool:
    """Whether a commit that came on top of the approved one bears a mark: a merge of the base does
    not, unless an agent made it. After a rebase nothing is on top; there the marks are compared."""
    oids = [commit.oid for commit in pull.commits]
    if review.commit_oid not in oids:
        return False
    return not marked.isdisjoint(oids[oids.index(review.commit_oid) + 1 :])


def _mark(signal: Signal) -> tuple[str, str, str]:
    return signal.tool, signal.kind.value, signal.evidence
