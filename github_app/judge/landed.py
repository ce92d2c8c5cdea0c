"""May the commit that a merge made bear the check itself, so that a branch may begin there?

The check of a pull request stands on its head, and the merge is another commit. GitHub asks for
the check on whatever commit a protected branch is made at: without one there, nobody could cut a
release from the branch that everything landed on. Whatever is in doubt is not said.
"""

from collections.abc import Callable
from dataclasses import dataclass

from github_app.judge.facts import Commit, PullRequest
from github_app.judge.landing import Likeness, bases
from github_app.judge.markup import code, plain
from github_app.judge.outcome import Outcome
from github_app.judge.report import TITLE_LIMIT, Conclusion, Report
from github_app.judge.roster import Roster

# The branch as it was may become known in a moment, by the webhook of a push.
MAY_BRING_MORE = "it may have brought more than the pull request"
_SETTLED = frozenset({Outcome.NOT_AI, Outcome.EXEMPT, Outcome.SIGNED_OFF})


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSaid:
    """The last that was said on the head of the pull request. ``base``: the branch it was for."""

    outcome: str | None
    green: bool
    observing: bool
    base: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A merged pull request and what is known of its merge.

    ``made``: the merge and what it is built on, newest first. ``base``: the commit that
    ``likeness`` was found against, None where the merge has the very content of the head.
    ``then``: whether the check was green at the merge. ``marked``: whether any evidence of AI is
    remembered of the pull request or the merge. ``held``: whether a rule demands the check from us
    and a pull request there. ``roster``: in force without a warning, else None. ``was_tip``:
    whether the branch is known to have been at a commit.
    """

    pull: PullRequest
    made: tuple[Commit, ...]
    base: str | None
    likeness: Likeness
    then: bool | None
    last: LastSaid | None
    marked: bool
    held: bool
    roster: Roster | None
    was_tip: Callable[[str], bool]


def doubt(landed: Landed) -> str:
    """Why nothing green is said of the merge, in a few words of ours; empty if nothing is."""
    return next((why for why, found in DOUBTS.items() if found(landed)), "")


def _is_not_green(landed: Landed) -> bool:
    """It must have been green at the merge, and be so still, by a verdict for this very branch."""
    last = landed.last
    return (
        landed.then is not True
        or last is None
        or not last.green
        or last.observing
        or last.outcome not in _SETTLED
        or last.base != landed.pull.base_ref
    )


def _is_laxer(landed: Landed) -> bool:
    """A rule for another branch only: the check is the commit's and would be green there, too."""
    roster, where = landed.roster, landed.pull.repository
    if roster is None or roster.observes(where):
        return True
    return not roster.book.is_strictest_on(where, landed.pull.base_ref)


def _is_marked(landed: Landed) -> bool:
    last = landed.last
    return landed.marked and (last is None or last.outcome == Outcome.NOT_AI)


def _brings_more(landed: Landed) -> bool:
    """Whether the branch may have got more by the merge than the pull request: by a push of
    commits under it. What it was built on must have been the branch as it was."""
    merge = landed.made[0]
    if len(merge.parents) > 1 and merge.parents[1:] != (landed.pull.head_oid,):
        return True
    built_on = (landed.base,) if landed.base else bases(landed.pull, landed.made)
    return not any(landed.was_tip(oid) for oid in built_on)


def _is_promoted(landed: Landed) -> bool:
    """The branch is the head of a pull request: the commit's check is that one's verdict."""
    return landed.pull.pulls_from_base != 0


# The dearest last; each is asked only if those before it found nothing.
DOUBTS: dict[str, Callable[[Landed], bool]] = {
    "the branch is not known to be held": lambda landed: not landed.held,
    "the check was not green": _is_not_green,
    "the content is not proven": lambda landed: landed.likeness is not Likeness.SAME,
    "evidence is remembered": _is_marked,
    "no roster, or other branches are under stricter rules": _is_laxer,
    "the branch has open pull requests into others": _is_promoted,
    MAY_BRING_MORE: _brings_more,
}


def report(pull: PullRequest) -> Report:
    """What the check says of a merge that is as it was judged."""
    branch = code(pull.base_ref)
    summary = (
        f"**Landed as judged:** this commit is pull request {pull.number} as it was merged into "
        f"{branch}. Its check was green then, and the merge brought those lines and no others.\n\n"
        "**What it is for:** GitHub asks for this check on the commit that a protected branch "
        "begins at, such as a release branch. It says nothing of what the branch had before, and "
        "a pull request with this commit as its head gets a verdict of its own."
    )
    return Report(
        conclusion=Conclusion.SUCCESS,
        title=plain(f"Landed as judged in #{pull.number}", TITLE_LIMIT),
        summary=summary,
    )
