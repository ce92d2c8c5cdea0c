"""The report that is being written: its verdict, how it links, and what is still to be had."""

from github_app.judge.markup import code, commit_link
from github_app.judge.outcome import Verdict
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Person


class Page:
    """The verdict and what its wording needs besides: where GitHub's pages are."""

    def __init__(self, verdict: Verdict, web_url: str) -> None:
        self.verdict = verdict
        self.web_url = web_url
        self._oids = {pull_commit.oid for pull_commit in verdict.pull.commits}

    def tool(self, tool: str) -> str:
        """What people call the tool with this id."""
        return code(self.verdict.tools.get(tool, "an AI tool"), 60)

    def commit(self, oid: str) -> str:
        """A link to a commit, within the pull request if it is still in it."""
        pull = self.verdict.pull
        number = pull.number if oid in self._oids else None
        return commit_link(self.web_url, pull.repository.full_name, number, oid)


def level_asked(verdict: Verdict) -> str:
    """The name of the lowest level that may sign this change off."""
    if verdict.roster is None or verdict.requirement is None:
        return "senior"
    return verdict.roster.level_name(verdict.requirement.rank)


def still_needed(verdict: Verdict) -> int:
    """How many approvals are missing."""
    return verdict.needed - len(verdict.counted)


def to_ask(verdict: Verdict) -> tuple[Person, ...]:
    """The first of those who can sign and are here; where they are too few, also who is away."""
    left = still_needed(verdict)
    here = tuple(one for one in verdict.signers if not absence(verdict, one))
    return (here if len(here) >= left else verdict.signers)[: max(left, 3)]


def absence(verdict: Verdict, one: Person) -> str:
    """Until when somebody is away, as the end of a line; empty for who is here."""
    today = verdict.pull.taken_at.date()
    if one.away is None or not one.away[0] <= today <= one.away[1]:
        return ""
    return f", away until {one.away[1].isoformat()}"


def dismissal_of(objection: Reason, verdict: Verdict) -> Reason | None:
    """What says that the dismissal of this request for changes lifts nothing, if there was one."""
    ignored = [one for one in verdict.reasons if one.code is Code.DISMISSAL_IGNORED]
    return next((one for one in ignored if one.who == objection.who), None)
