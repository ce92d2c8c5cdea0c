"""Whether what reached a branch is what was judged: the facts at the merge, the content, and what
came past every pull request.

GitHub makes new commits when it merges, and people with the right to can make any they like. So it
is looked at afterwards (design section 5; security-cases "SHA, base, merge").
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from github_app.judge.facts import Commit, Event, EventKind, PullRequest, Review, ReviewState
from github_app.judge.patch import changes, renames

# Our clock and GitHub's differ, and a merge may follow a green at once.
MARGIN = timedelta(seconds=10)


class Likeness(StrEnum):
    """``UNKNOWN``: it cannot be told, because GitHub does not show all of a diff."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What our check said from ``at`` on (aware), on one commit."""

    at: datetime
    green: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPull:
    """A merged pull request that GitHub ties to a commit."""

    number: int
    base_ref: str
    merge_oid: str | None


def merged_at(pull: PullRequest) -> datetime | None:
    """When it was merged, by GitHub's clock; None if the timeline does not say."""
    found = [event.at for event in pull.timeline if event.kind is EventKind.MERGED]
    return found[-1] if found else None


def as_merged(pull: PullRequest) -> PullRequest:
    """The facts as far as they were there at the merge: a sign-off that came later is none."""
    at = merged_at(pull)
    if at is None:
        return pull
    reviews = [one for one in pull.reviews if one.submitted_at is None or one.submitted_at <= at]
    return replace(
        pull,
        reviews=tuple(_undismissed(reviews, pull.timeline, at)),
        timeline=tuple(event for event in pull.timeline if event.at <= at),
    )


def _undismissed(
    reviews: Iterable[Review], timeline: Iterable[Event], at: datetime
) -> Iterator[Review]:
    """What was dismissed only after that stood then: an objection must not vanish behind a merge.

    Where nothing tells what it was, it stays dismissed, and the judge takes it for an objection.
    """
    was = {
        event.review_id: event.previous_review_state
        for event in timeline
        if event.kind is EventKind.REVIEW_DISMISSED and event.at > at
    }
    for review in reviews:
        state = was.get(review.id) if review.state is ReviewState.DISMISSED else None
        yield replace(review, state=state or review.state)


def was_green(said: Iterable[Said], at: datetime) -> bool | None:
    """Whether the check was green at that moment, give or take the difference of two clocks.

    ``said`` is oldest first. None: nothing had been said until then.
    """
    until = [one for one in said if one.at <= at + MARGIN]
    if not until:
        return None
    near = [one for one in until if one.at >= at - MARGIN]
    before = [one for one in until if one.at < at - MARGIN]
    return any(one.green for one in [*before[-1:], *near])


# --- the content ---------------------------------------------------------------------------------


def bases(pull: PullRequest, newest_first: tuple[Commit, ...]) -> tuple[str, ...]:
    """The commits that the branch may have been at before the merge, the likelier first.

    ``newest_first``: the merge commit and what it is built on. A merge and a squash are one commit
    on top of the branch; a rebase is several, each with the message of one of the pull request's.
    """
    merge = newest_first[0]
    if len(merge.parents) != 1:
        return merge.parents[:1]
    made = replayed(pull, newest_first)
    if not made:
        return merge.parents
    if not made[-1].parents or made[-1] is newest_first[-1] is not merge:
        return ()  # the rebase may go further down than was listed
    return tuple(dict.fromkeys((made[-1].parents[0], merge.parents[0])))


def replayed(pull: PullRequest, newest_first: tuple[Commit, ...]) -> tuple[Commit, ...]:
    """Those of the commits that a rebase made, newest first: none if it was no rebase."""
    left = [_work(commit) for commit in pull.commits if len(commit.parents) < 2]
    by_oid = {commit.oid: commit for commit in newest_first}
    found: list[Commit] = []
    at: Commit | None = newest_first[0]
    while at is not None and len(at.parents) < 2 and _work(at) in left:
        while left and left[-1] != _work(at):
            left.pop()  # a rebase leaves out what the branch has already
        left.pop()
        found.append(at)
        at = by_oid.get(at.parents[0]) if at.parents else None
    return tuple(found)


def _work(commit: Commit) -> tuple[str, str, str]:
    return commit.message, commit.author.name, commit.author.email


def likeness(
    judged: str | None, landed: str | None, base: Callable[[], str | None]
) -> tuple[Likeness, tuple[str, ...]]:
    """Whether a merge brought the lines that were judged, all of them and no others.

    Shapes:  three diffs: of the pull request, of the merge against the branch before it, and what
             the branch itself had changed meanwhile (asked for only if the first two differ).
             None: GitHub does not show it.
    Returns: and the paths where it differs. Where a line stands and what is around it may differ:
             a clean merge moves it.
    """
    ours, theirs = _read(judged), _read(landed)
    if ours is None or theirs is None:
        return Likeness.UNKNOWN, ()
    if ours == theirs:
        return Likeness.SAME, ()
    text = base()
    meanwhile = _read(text)
    if text is None or meanwhile is None:
        return Likeness.UNKNOWN, ()
    ours = _moved(ours, renames(text))
    more = theirs - ours
    less = ours - theirs - meanwhile  # what the branch has already, a merge need not bring
    paths = {path for path, _ in (*more, *less)}
    if not paths:
        return Likeness.SAME, ()
    if paths & _renamed(ours, theirs):
        return Likeness.UNKNOWN, ()  # how alike two files are decides what git calls a rename
    return Likeness.DIFFERENT, tuple(sorted(paths))


def _read(diff: str | None) -> Counter[tuple[str, str]] | None:
    return None if diff is None else changes(diff)


def _moved(lines: Counter[tuple[str, str]], moved: Mapping[str, str]) -> Counter[tuple[str, str]]:
    if not moved:
        return lines
    found: Counter[tuple[str, str]] = Counter()
    for (path, line), count in lines.items():
        found[moved.get(path, path), line] += count
    return found


def _renamed(*sides: Counter[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    for side in sides:
        for path, line in side:
            if line.startswith(("rename from ", "copy from ")):
                found |= {path, line.partition(" from ")[2]}
    return found


# --- what came past every pull request -----------------------------------------------------------


def outside(
    reached: Iterable[Commit], pulls: Mapping[str, tuple[MergedPull, ...]], branch: str
) -> tuple[Commit, ...]:
    """Those of the commits that came to the branch through no pull request into it.

    ``reached``: the commits that are new on the branch. ``pulls``: what GitHub ties to each. A
    pull request's merge commit speaks for all that it merged in.
    """
    new = {commit.oid: commit for commit in reached}
    covered: set[str] = set()
    to_follow: list[str] = []
    for oid, commit in new.items():
        mine = [pull for pull in pulls.get(oid, ()) if pull.base_ref == branch]
        if mine:
            covered.add(oid)
        if any(pull.merge_oid == oid for pull in mine):
            to_follow += commit.parents[1:]
    while to_follow:
        oid = to_follow.pop()
        if oid in new and oid not in covered:
            covered.add(oid)
            to_follow += new[oid].parents
    return tuple(commit for oid, commit in new.items() if oid not in covered)
