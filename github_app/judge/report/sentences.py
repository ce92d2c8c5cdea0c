"""One sentence for each reason. In Markdown every foreign piece is in a code span."""

from github_app.judge.contributors import Part
from github_app.judge.detection import CLEARING_LABEL
from github_app.judge.markup import code, person, plain
from github_app.judge.reasons import Code, Reason
from github_app.judge.report.page import Page
from github_app.judge.report.words import behind

# ``{who}`` is a person, ``{sha}`` a linked commit, ``{detail}`` a code span. Each is escaped first.
SENTENCES: dict[Code, str] = {
    Code.NO_AI_MARK: "Nothing marks this change as AI-assisted.",
    Code.AI_MARK: "the change is marked as AI-assisted",
    Code.EVIDENCE_CLEARED: f"{{who}} set the label `{CLEARING_LABEL}`: not AI-assisted.",
    Code.ROSTER_CHANGED: "it changes the roster, which always takes a sign-off",
    Code.FORCED_AWAY_UNREAD: "more commits were forced away unseen than are looked at",
    Code.DECLARATION_MISSING: "The roster asks every author to declare whether AI was used.",
    Code.EVERYONE_SENIOR: "everybody who worked on it is senior",
    Code.SIGNED: "{who} ({detail}) approved {sha}",
    Code.NOBODY_YET: "nobody who may sign it off has approved this commit",
    Code.MORE_NEEDED: "{detail} sign-offs are there",
    Code.NOBODY_CAN: "{detail} more people would have to be on the roster",
    Code.CHANGES_REQUESTED: "{who} ({detail}) asked for changes.",
    Code.WRITER_UNKNOWN: (
        "commit {sha} is tied to no account, so its writer might be the one who approves: "
        "one more sign-off is needed, unless the writer adds its e-mail address to their GitHub "
        "account and this check is run again"
    ),
    Code.RULE_RAISED: "rule {detail} applies",
    Code.OVERRIDDEN: "{who} declared an emergency: {detail}",
    Code.FILE_AT_RISK: "every rule on paths applies, because {detail}",
    Code.NOT_A_PERSON: "{who} is not a person, and only people sign off",
    Code.NOT_LISTED: "{who} is not on the roster",
    Code.OLDER_HEAD: "{who} approved {sha}, which is not the head",
    Code.IDENTITY_MISMATCH: (
        "{who} is on the roster with another account id: the name may have changed hands"
    ),
    Code.CONTRIBUTOR: "{who} has a part in the change",
    Code.CANNOT_PUSH: "{who} may not push to this repository",
    Code.WRONG_TEAM: "{who} is not in the team that these files need ({detail})",
    Code.BELOW_LEVEL: "{who} is {detail}",
    Code.RAISED_BY_CHANGE: "{who} would be raised by this very change of the roster",
    Code.COMMIT_LOST: "{who} approved a commit that GitHub no longer has",
    Code.ACCOUNT_DELETED: "an approval came from an account that was deleted",
    Code.DISMISSED: "the review of {who} was dismissed",
    Code.BASE_CHANGED: "{who} approved {sha} as a change to another base",
    Code.EXEMPT_OPENER: "not exempt: {who} opened it or asked for it",
    Code.EXEMPT_PUSHERS_UNKNOWN: "not exempt: GitHub does not say who pushed all of it",
    Code.EXEMPT_PUSHER: "not exempt: {who} pushed to the branch",
    Code.EXEMPT_COMMIT: "not exempt: commit {sha} names {who}",
    Code.ROSTER_MISSING: "no roster was found (reviewers.yaml).",
    Code.ROSTER_BROKEN: "the roster cannot be used: {detail}",
    Code.INCOMPLETE: "GitHub did not give the whole pull request ({detail}).",
    Code.GITHUB_FAILED: "GitHub did not answer as it should ({detail}).",
    Code.TWIN_WORSE: "This is the verdict of pull request {detail}, whose head is the same commit.",
    Code.GROUP_UNKNOWN: "this merge group cannot be traced to its pull requests.",
    Code.GROUP_STALE: "a queued pull request has another head than the one that was judged.",
    Code.INTERNAL: "an error of Countersign ({detail}).",
    Code.PROPOSED_ROSTER_BROKEN: "this change would break the roster: {detail}",
    Code.WITHDRAWN: "something changed that may take the sign-off away; it is judged anew.",
    Code.GROUP_STACKED: (
        "{detail} is part of a stack: it is into another branch than that of the merge queue."
    ),
    Code.GROUP_DIFFERS: "the merge group holds other changes than {detail} that was judged.",
    Code.GROUP_AHEAD: "{detail}, ahead of it in the merge queue, may not be merged.",
    Code.NO_COMMITS: "it has no commits: its base holds them all already.",
    Code.ROSTER_STALE: "The roster is broken; the last valid one is in force: {detail}",
    Code.ROSTER_WARNING: "The roster: {detail}",
    Code.CLEARING_IGNORED: (
        f"{{who}} set the label `{CLEARING_LABEL}`, which counts only from a senior who may push "
        "and has no part in the change: {who} {detail}."
    ),
    Code.LABEL_EDITED: (
        f"the label `{CLEARING_LABEL}` was renamed or edited after {{who}} set it, "
        "so it clears nothing until it is taken off and set again."
    ),
    Code.DISMISSAL_IGNORED: (
        "a review of {who} was dismissed. If it asked for changes, only {who} lifts that, or "
        "somebody who could sign this change off: {detail}."
    ),
    Code.TEAM_UNREAD: "The members of team {detail} could not be read; they count as unlisted.",
    Code.CARRIED_OVER: "{who} approved {sha}; the change is the same, so it still counts.",
    Code.MERGED_NOT_GREEN: "the check was not green: {detail}",
    Code.CONTENT_DIFFERS: "what was merged is not what was judged: {detail}",
    Code.MARKED_AT_MERGE: (
        "commit {sha} is marked as AI-assisted ({detail}), which nothing in the pull request was"
    ),
    Code.PUSHED_PAST: "commit {sha} is marked as AI-assisted ({detail}) and was in no pull request",
    Code.PUSH_TOO_LONG: "only the first {detail} commits that were pushed could be looked at",
}


def sentence(page: Page, reason: Reason) -> str:
    """A reason in Markdown: our words, with every foreign piece in a code span."""
    text = SENTENCES[reason.code].format(
        who=person(reason.who) if reason.who else "an unknown account",
        sha=page.commit(reason.sha) if reason.sha else "an unknown commit",
        detail=code(reason.detail) if reason.detail else "",
    )
    if reason.code is Code.OLDER_HEAD and reason.detail:
        return text.replace("which is not the head", f"{behind(reason.detail)} before the head")
    if reason.code is Code.CONTRIBUTOR:
        return _own_work(page, reason)
    if reason.code is Code.FILE_AT_RISK:
        return SENTENCES[reason.code].format(detail=_at_risk(reason))
    if reason.code is Code.CLEARING_IGNORED:
        return SENTENCES[reason.code].format(who=person(reason.who), detail=reason.detail)
    if reason.code is Code.DISMISSAL_IGNORED:
        why = f"{person(reason.by)} {reason.detail}" if reason.by else reason.detail
        return SENTENCES[reason.code].format(who=person(reason.who), detail=why)
    return text


def _own_work(page: Page, reason: Reason) -> str:
    """Somebody's part: ``detail`` is one of our own phrases, the commit is linked."""
    if reason.detail == Part.PUSHED and not reason.sha:
        return f"{person(reason.who)} pushed to it, or pushed one of its commits to another branch"
    what = f" commit {page.commit(reason.sha)}" if reason.sha else ""
    return f"{person(reason.who)} {reason.detail}{what}"


def _at_risk(reason: Reason) -> str:
    """``detail`` is one of our own phrases, and goes on from the path if there is one."""
    return f"{code(reason.path, 120)} {reason.detail}" if reason.path else reason.detail


def plain_sentence(reason: Reason) -> str:
    """A reason as plain text, for a title."""
    if reason.code is Code.ROSTER_BROKEN and reason.detail:
        return plain(reason.detail, 160)  # it names the file and the line: that says it all
    text = SENTENCES[reason.code].format(
        who=f"@{reason.who}", sha=reason.sha[:7], detail=plain(reason.detail, 160)
    )
    return text.rstrip(".")
