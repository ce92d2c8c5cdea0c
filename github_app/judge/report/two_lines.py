"""The first two lines of the summary: why, and what to do next."""

from typing import assert_never

from github_app.judge.markup import code, person
from github_app.judge.outcome import Outcome, Verdict
from github_app.judge.reasons import Code, Reason
from github_app.judge.report.page import (
    Page,
    absence,
    dismissal_of,
    level_asked,
    still_needed,
    to_ask,
)
from github_app.judge.report.sentences import sentence
from github_app.judge.report.words import all_of, either, plural_s, some_of
from github_app.judge.signals import Place

_UNREAD = "Too much was forced away unseen to know that no AI took part"
_LIFTERS = 3  # named beside the one who asked for changes


def two_lines(page: Page) -> tuple[str, str]:
    """Why, and what next. They suffice: who reads nothing else knows whom to ask for what."""
    verdict = page.verdict
    return (
        (f"**{_why(page)}**", f"**Next:** {_next(page)}")
        if not verdict.observing
        else (
            f"**Observing, not enforcing.** {_why(page)}",
            f"**If it were enforced:** {_next(page)}",
        )
    )


def _why(page: Page) -> str:
    """The first line: what was found and what it asks for."""
    verdict = page.verdict
    first = verdict.reasons[0]
    match verdict.outcome:
        case Outcome.NOT_AI:
            return sentence(page, first)
        case Outcome.EXEMPT:
            cause = f"{_UNREAD}, but" if _is_unread(verdict) else "AI-assisted, and"
            return f"{cause} everybody who worked on it is senior: no sign-off is needed."
        case Outcome.SIGNED_OFF:
            signed = [r for r in verdict.reasons if r.code is Code.SIGNED]
            return f"{_cause(page)}, and signed off by {all_of([person(r.who) for r in signed])}."
        case Outcome.OBJECTED:
            return f"{_cause(page)}. {sentence(page, first)}"
        case Outcome.WAITING:
            if first.code is Code.DECLARATION_MISSING:
                return sentence(page, first)
            return f"{_cause(page)}: needs {_what(verdict)}."
        case Outcome.CANNOT_JUDGE:
            return f"Cannot judge: {sentence(page, first)}"
        case Outcome.OVERRIDDEN:
            return f"Emergency override by {person(first.who)}: {code(first.detail)}."
        case _:
            assert_never(verdict.outcome)


def _cause(page: Page) -> str:
    verdict = page.verdict
    if _is_unread(verdict):
        return _UNREAD
    if not verdict.evidence:
        return "This changes who may sign off"
    strongest = max(verdict.evidence, key=lambda item: item.signal.confidence.rank)
    where = strongest.signal
    place = f"commit {page.commit(where.ref)}" if where.place is Place.COMMIT else where.place.value
    return f"AI-assisted ({page.tool(where.tool)}, {place})"


def _is_unread(verdict: Verdict) -> bool:
    return any(reason.code is Code.FORCED_AWAY_UNREAD for reason in verdict.reasons)


def _what(verdict: Verdict) -> str:
    left = still_needed(verdict)
    more = " more" if verdict.counted else ""
    return f"{left}{more} approval{plural_s(left)} from a {code(level_asked(verdict), 60)} or above"


def _next(page: Page) -> str:
    """The second line: what the reader can do now."""
    verdict = page.verdict
    first = verdict.reasons[0]
    match verdict.outcome:
        case Outcome.NOT_AI | Outcome.EXEMPT | Outcome.SIGNED_OFF | Outcome.OVERRIDDEN:
            return "nothing; this check does not stand in the way."
        case Outcome.OBJECTED:
            return _next_after_objection(verdict)
        case Outcome.CANNOT_JUDGE:
            return advice(first.code)
        case Outcome.WAITING:
            return _next_while_waiting(page, first)
        case _:
            assert_never(verdict.outcome)


def _next_after_objection(verdict: Verdict) -> str:
    objections = [one for one in verdict.reasons if one.code is Code.CHANGES_REQUESTED]
    whose = all_of([person(one.who) for one in objections])
    asked = f"make the changes, then ask {whose} to review again: no other approval lifts it"
    dismissed = [one for one in objections if dismissal_of(one, verdict)]
    here = [one for one in verdict.lifters if not absence(verdict, one)][:_LIFTERS]
    if dismissed and len(dismissed) == len(objections):
        return f"{asked}, and GitHub dismisses no review twice."
    if not here:
        return f"{asked}."
    peers = either([person(one.login) for one in here])
    return f"{asked}, but {peers} can dismiss {_of_whom(objections, dismissed)}."


def _of_whom(objections: list[Reason], dismissed: list[Reason]) -> str:
    """Which review a peer can dismiss: GitHub dismisses none twice."""
    if len(objections) == 1:
        return "that review"
    left = [person(one.who) for one in objections if one not in dismissed]
    return f"the review{plural_s(len(left))} of {all_of(left)}"


def _next_while_waiting(page: Page, first: Reason) -> str:
    verdict = page.verdict
    if first.code is Code.DECLARATION_MISSING:
        return "say in the description whether AI was used, for example `AI-assisted: no`."
    if first.code is Code.NOBODY_CAN:
        source = verdict.roster_source
        where = code(f"{source.name}: {source.path}") if source else "the roster"
        return (
            f"ask an administrator to list another {code(level_asked(verdict), 60)} in {where}; "
            "nobody else can be asked."
        )
    who = some_of(still_needed(verdict), [person(one.login) for one in to_ask(verdict)])
    head = page.commit(verdict.pull.head_oid)
    return f"ask {who} to review and approve commit {head}."


_ASK_ADMIN = "ask an administrator of Countersign to look into the audit log."
_RETRIED = "nothing; it is judged again by itself. If this stays, ask an administrator."
_ADVICE: dict[Code, str] = {
    Code.ROSTER_MISSING: (
        "ask an administrator to put `reviewers.yaml` into the organisation's "
        "`.github` or `.github-private` repository."
    ),
    Code.ROSTER_BROKEN: (
        "ask an administrator to mend it; `countersign roster check` names every error."
    ),
    Code.INCOMPLETE: _RETRIED,
    Code.GITHUB_FAILED: _RETRIED,
    Code.INTERNAL: _RETRIED,
    Code.WITHDRAWN: _RETRIED,
    Code.PROPOSED_ROSTER_BROKEN: (
        "mend the lines that are marked below, and push again; "
        "`countersign roster check` names every error."
    ),
    Code.GROUP_STACKED: (
        "merge the lowest pull request of the stack first, and queue each when it is into the "
        "queue's branch."
    ),
    Code.GROUP_DIFFERS: "take the pull request out of the queue and put it in again.",
    Code.GROUP_AHEAD: "nothing is wrong with it: if it was taken out, put it in again.",
    Code.NO_COMMITS: "push something to it, or close it: there is nothing to merge.",
    Code.GROUP_UNKNOWN: "take the pull request out of the queue and put it in again.",
    Code.GROUP_STALE: "take the pull request out of the queue and put it in again.",
}


def advice(code_: Code) -> str:
    """What to do where nothing can be judged."""
    return _ADVICE.get(code_, _ASK_ADMIN)
