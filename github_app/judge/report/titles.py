"""The title of the check: what the author reads first, one plain line."""

from typing import assert_never

from github_app.judge.outcome import Outcome, Verdict
from github_app.judge.reasons import Code, Reason
from github_app.judge.report.page import dismissal_of, level_asked, still_needed, to_ask
from github_app.judge.report.sentences import plain_sentence
from github_app.judge.report.words import all_of, either, plural_s

_EXEMPT = "AI-assisted; every contributor is senior"


def title(verdict: Verdict) -> str:
    """What the author reads first: plain text, shown by GitHub as it is."""
    first = verdict.reasons[0]
    match verdict.outcome:
        case Outcome.NOT_AI:
            if first.code is Code.EVIDENCE_CLEARED:
                return f"Not AI-assisted, says @{first.who}"
            return "No AI assistance found"
        case Outcome.EXEMPT:
            unread = any(one.code is Code.FORCED_AWAY_UNREAD for one in verdict.reasons)
            return "Every contributor is senior" if unread else _EXEMPT
        case Outcome.SIGNED_OFF:
            return f"Signed off by {_names_and_levels(verdict)}"
        case Outcome.OBJECTED:
            return f"@{first.who} ({first.detail}) asked for changes{_dismissal_title(verdict)}"
        case Outcome.WAITING:
            return _waiting_title(verdict, first)
        case Outcome.CANNOT_JUDGE:
            return f"Cannot judge: {plain_sentence(first)}"
        case Outcome.OVERRIDDEN:
            return f"Emergency override by @{first.who}: {first.detail}"
        case _:
            assert_never(verdict.outcome)


def _dismissal_title(verdict: Verdict) -> str:
    """What GitHub does not show any more needs a word: why the objection stands all the same."""
    ignored = dismissal_of(verdict.reasons[0], verdict)
    if ignored is None:
        return ""
    by = f"the dismissal by @{ignored.by}" if ignored.by else "its dismissal"
    return f"; {by} does not lift it"


def _waiting_title(verdict: Verdict, first: Reason) -> str:
    if first.code is Code.DECLARATION_MISSING:
        return "Waiting for a declaration: was AI used?"
    level = level_asked(verdict)
    if first.code is Code.NOBODY_CAN:
        return f"Waiting for a {level}, but too few on the roster can sign off"
    left = still_needed(verdict)
    names = [f"@{one.login}" for one in to_ask(verdict)]
    who = either(names) if left == 1 else all_of(names)
    if left == 1 and not verdict.counted:
        return f"Waiting for a {level}: {who} can sign off"
    more = " more" if verdict.counted else ""
    return f"Waiting for {left}{more} sign-off{plural_s(left)} by a {level}: {who} can sign off"


def _names_and_levels(verdict: Verdict) -> str:
    return all_of(
        [
            f"@{reason.who} ({reason.detail})"
            for reason in verdict.reasons
            if reason.code is Code.SIGNED
        ]
    )
