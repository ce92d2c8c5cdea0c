"""A verdict in words: what the author, the senior and the admin read. All wording is here.

The first two lines of the summary suffice: why, and what to do. The rest is for whoever wants to
know more. The explanation is made from the verdict, never computed a second time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from github_app.judge.contributors import Part
from github_app.judge.detection import CLEARING_LABEL
from github_app.judge.markup import code, commit_link, person, plain
from github_app.judge.memory import Remembered
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Person, Roster
from github_app.judge.signals import Place
from github_app.judge.signoff import Ignored
from github_app.judge.verdict import Outcome, Verdict

# Source: the REST description of checks: summary and text 65,535 characters each; the title's
# length is not documented, 255 is what the annotations' titles have.
LIMIT = 65_535
TITLE_LIMIT = 255
_LIFTERS = 3  # named beside the one who asked for changes
_MOST = 30  # of each list; the rest is counted, and the audit log has all of it


class Conclusion(StrEnum):
    """The conclusions we use. ``neutral`` and ``skipped`` pass a required check: never those."""

    SUCCESS = "success"
    FAILURE = "failure"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark on lines of a file. ``level`` is notice, warning or failure."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is published as the check run. Equal reports are not published twice."""

    conclusion: Conclusion
    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()


def conclusion(verdict: Verdict) -> Conclusion:
    """The one place where an outcome becomes GitHub's word."""
    if verdict.observing:
        return Conclusion.SUCCESS
    match verdict.outcome:
        case Outcome.NOT_AI | Outcome.EXEMPT | Outcome.SIGNED_OFF | Outcome.OVERRIDDEN:
            return Conclusion.SUCCESS
        case Outcome.WAITING:
            return Conclusion.ACTION_REQUIRED
        case Outcome.OBJECTED | Outcome.CANNOT_JUDGE:
            return Conclusion.FAILURE
        case _:
            assert_never(verdict.outcome)


def report(verdict: Verdict, *, web_url: str, annotations: tuple[Annotation, ...] = ()) -> Report:
    """Word a verdict.

    Shapes:  ``web_url`` is the base of GitHub's pages, without a path of its own.
    Returns: a report within GitHub's limits; what is too long is summarised, never cut.
    Errors:  none.
    """
    page = _Page(verdict, web_url)
    prefix = "Observing: " if verdict.observing else ""
    return Report(
        conclusion=conclusion(verdict),
        title=plain(prefix + title(verdict), TITLE_LIMIT),
        summary=_fitting(page),
        annotations=annotations,
    )


def withdrawn(reason: Reason) -> Report:
    """What is said on a commit when there is no snapshot to judge: never green, and why."""
    return _in_short("Cannot judge", reason)


def held(reason: Reason) -> Report:
    """What is said on a commit while its check is held: it is not finished, and so not green."""
    return _in_short("Held", reason)


def _in_short(what: str, reason: Reason) -> Report:
    text = _plain_sentence(reason)
    return Report(
        conclusion=Conclusion.FAILURE,
        title=plain(f"{what}: {text}", TITLE_LIMIT),
        summary="\n\n".join(
            [
                f"**{what}: {code(text)}**",
                f"**Next:** {_ADVICE.get(reason.code, _ASK_ADMIN)}",
                f"Reasons: {reason.code.value}.",
            ]
        ),
    )


def title(verdict: Verdict) -> str:
    """What the author reads first: plain text, shown by GitHub as it is."""
    first = verdict.reasons[0]
    match verdict.outcome:
        case Outcome.NOT_AI:
            if first.code is Code.EVIDENCE_CLEARED:
                return f"Not AI-assisted, says @{first.who}"
            return "No AI assistance found"
        case Outcome.EXEMPT:
            return "AI-assisted; every contributor is senior"
        case Outcome.SIGNED_OFF:
            return f"Signed off by {_names_and_levels(verdict)}"
        case Outcome.OBJECTED:
            return f"@{first.who} ({first.detail}) asked for changes{_dismissal_title(verdict)}"
        case Outcome.WAITING:
            return _waiting_title(verdict, first)
        case Outcome.CANNOT_JUDGE:
            return f"Cannot judge: {_plain_sentence(first)}"
        case Outcome.OVERRIDDEN:
            return f"Emergency override by @{first.who}: {first.detail}"
        case _:
            assert_never(verdict.outcome)


def _dismissal_title(verdict: Verdict) -> str:
    """What GitHub does not show any more needs a word: why the objection stands all the same."""
    ignored = _dismissal_of(verdict.reasons[0], verdict)
    if ignored is None:
        return ""
    by = f"the dismissal by @{ignored.by}" if ignored.by else "its dismissal"
    return f"; {by} does not lift it"


def _dismissal_of(objection: Reason, verdict: Verdict) -> Reason | None:
    ignored = [one for one in verdict.reasons if _is(one, Code.DISMISSAL_IGNORED)]
    return next((one for one in ignored if one.who == objection.who), None)


def _waiting_title(verdict: Verdict, first: Reason) -> str:
    if first.code is Code.DECLARATION_MISSING:
        return "Waiting for a declaration: was AI used?"
    level = _level(verdict)
    if first.code is Code.NOBODY_CAN:
        return f"Waiting for a {level}, but too few on the roster can sign off"
    left = _left(verdict)
    names = [f"@{one.login}" for one in _to_ask(verdict)]
    who = _either(names) if left == 1 else _all(names)
    if left == 1 and not verdict.counted:
        return f"Waiting for a {level}: {who} can sign off"
    more = " more" if verdict.counted else ""
    return f"Waiting for {left}{more} sign-off{_s(left)} by a {level}: {who} can sign off"


def _names_and_levels(verdict: Verdict) -> str:
    return _all(
        [
            f"@{reason.who} ({reason.detail})"
            for reason in verdict.reasons
            if _is(reason, Code.SIGNED)
        ]
    )


# --- the summary ---------------------------------------------------------------------------------


class _Page:
    """The verdict and what its wording needs besides: where GitHub's pages are."""

    def __init__(self, verdict: Verdict, web_url: str) -> None:
        self.verdict = verdict
        self.web_url = web_url
        self._oids = {pull_commit.oid for pull_commit in verdict.pull.commits}

    def tool(self, tool: str) -> str:
        return code(self.verdict.tools.get(tool, "an AI tool"), 60)

    def commit(self, oid: str) -> str:
        pull = self.verdict.pull
        number = pull.number if oid in self._oids else None
        return commit_link(self.web_url, pull.repository.full_name, number, oid)


def _fitting(page: _Page) -> str:
    """The longest form that is within GitHub's limit: shorter lists, never a cut in the markup."""
    for most in (_MOST, 10, 3, 1):
        text = "\n\n".join(_sections(page, most))
        if len(text) <= LIMIT:
            return text
    return "\n\n".join(_two_lines(page))


def _sections(page: _Page, most: int) -> Iterator[str]:
    yield from _two_lines(page)
    verdict = page.verdict
    if verdict.evidence:
        lines = _evidence_lines(page, verdict.evidence)
        yield _section("Why this is AI-assisted", lines, most)
    if verdict.cleared:
        lines = _evidence_lines(page, verdict.cleared)
        yield _section("Set aside by a senior", lines, most)
    if verdict.outcome is Outcome.CANNOT_JUDGE and len(verdict.reasons) > 1:
        lines = [code(reason.detail, 300) for reason in verdict.reasons[1:] if reason.detail]
        yield _section("What is wrong, line by line", lines, most)
    needed = list(_needed(page))
    if needed:
        yield _section("What is needed", needed, most)
    if verdict.outcome is Outcome.WAITING and verdict.signers:
        yield _section("Who can give it", [_signer(verdict, one) for one in verdict.signers], most)
    if verdict.ignored:
        lines = [_ignored(page, item) for item in verdict.ignored]
        yield _section("Approvals that do not count", lines, most)
    remarks = [_sentence(page, reason) for reason in verdict.reasons if reason.code in _REMARKS]
    if remarks:
        yield _section("Also", remarks, most)
    yield _footer(verdict)


def _two_lines(page: _Page) -> tuple[str, str]:
    verdict = page.verdict
    return (
        (f"**{_why(page)}**", f"**Next:** {_next(page)}")
        if not verdict.observing
        else (
            f"**Observing, not enforcing.** {_why(page)}",
            f"**If it were enforced:** {_next(page)}",
        )
    )


def _why(page: _Page) -> str:
    """The first line: what was found and what it asks for."""
    verdict = page.verdict
    first = verdict.reasons[0]
    match verdict.outcome:
        case Outcome.NOT_AI:
            return _sentence(page, first)
        case Outcome.EXEMPT:
            return "AI-assisted, and everybody who worked on it is senior: no sign-off is needed."
        case Outcome.SIGNED_OFF:
            signed = [r for r in verdict.reasons if _is(r, Code.SIGNED)]
            return f"{_cause(page)}, and signed off by {_all([person(r.who) for r in signed])}."
        case Outcome.OBJECTED:
            return f"{_cause(page)}. {_sentence(page, first)}"
        case Outcome.WAITING:
            if first.code is Code.DECLARATION_MISSING:
                return _sentence(page, first)
            return f"{_cause(page)}: needs {_what(verdict)}."
        case Outcome.CANNOT_JUDGE:
            return f"Cannot judge: {_sentence(page, first)}"
        case Outcome.OVERRIDDEN:
            return f"Emergency override by {person(first.who)}: {code(first.detail)}."
        case _:
            assert_never(verdict.outcome)


def _cause(page: _Page) -> str:
    verdict = page.verdict
    if not verdict.evidence:
        return "This changes who may sign off"
    strongest = max(verdict.evidence, key=lambda item: item.signal.confidence.rank)
    where = strongest.signal
    place = f"commit {page.commit(where.ref)}" if where.place is Place.COMMIT else where.place.value
    return f"AI-assisted ({page.tool(where.tool)}, {place})"


def _what(verdict: Verdict) -> str:
    left = _left(verdict)
    more = " more" if verdict.counted else ""
    return f"{left}{more} approval{_s(left)} from a {code(_level(verdict), 60)} or above"


def _next(page: _Page) -> str:
    """The second line: what the reader can do now."""
    verdict = page.verdict
    first = verdict.reasons[0]
    match verdict.outcome:
        case Outcome.NOT_AI | Outcome.EXEMPT | Outcome.SIGNED_OFF | Outcome.OVERRIDDEN:
            return "nothing; this check does not stand in the way."
        case Outcome.OBJECTED:
            return _next_after_objection(verdict)
        case Outcome.CANNOT_JUDGE:
            return _ADVICE.get(first.code, _ASK_ADMIN)
        case Outcome.WAITING:
            return _next_while_waiting(page, first)
        case _:
            assert_never(verdict.outcome)


def _next_after_objection(verdict: Verdict) -> str:
    objections = [one for one in verdict.reasons if _is(one, Code.CHANGES_REQUESTED)]
    whose = _all([person(one.who) for one in objections])
    asked = f"make the changes, then ask {whose} to review again: no other approval lifts it"
    dismissed = [one for one in objections if _dismissal_of(one, verdict)]
    here = [one for one in verdict.lifters if not _away(verdict, one)][:_LIFTERS]
    if dismissed and len(dismissed) == len(objections):
        return f"{asked}, and GitHub dismisses no review twice."
    if not here:
        return f"{asked}."
    peers = _either([person(one.login) for one in here])
    return f"{asked}, but {peers} can dismiss that review."


def _next_while_waiting(page: _Page, first: Reason) -> str:
    verdict = page.verdict
    if first.code is Code.DECLARATION_MISSING:
        return "say in the description whether AI was used, for example `AI-assisted: no`."
    if first.code is Code.NOBODY_CAN:
        source = verdict.roster_source
        where = code(f"{source.name}: {source.path}") if source else "the roster"
        return (
            f"ask an administrator to list another {code(_level(verdict), 60)} in {where}; "
            "nobody else can be asked."
        )
    who = _some_of(_left(verdict), [person(one.login) for one in _to_ask(verdict)])
    head = page.commit(verdict.pull.head_oid)
    return f"ask {who} to review and approve commit {head}."


def _evidence_lines(page: _Page, evidence: tuple[Remembered, ...]) -> list[str]:
    """A line for each mark. One text that several rules recognise is one mark."""
    once: dict[tuple[str, str, str], Remembered] = {}
    for item in evidence:
        signal = item.signal
        once.setdefault((signal.tool, signal.where, signal.evidence), item)
    return [_evidence(page, item) for item in once.values()]


def _evidence(page: _Page, item: Remembered) -> str:
    signal = item.signal
    if signal.place is Place.COMMIT:
        place = f"commit {page.commit(signal.ref)}"
    elif signal.ref:
        place = f"{signal.place.value} {code(signal.ref, 80)}"
    else:
        place = signal.place.value
    origin = (
        "" if item.origin == page.verdict.pull.number else f", seen in pull request {item.origin}"
    )
    says_more = signal.evidence and signal.evidence != signal.ref
    shown = f": {code(signal.evidence)}" if says_more else ""
    tool, sure, kind = page.tool(signal.tool), signal.confidence.value, signal.kind.value
    return f"{tool}, {sure} ({kind}, {place}{origin}){shown}"


def _needed(page: _Page) -> Iterator[str]:
    verdict = page.verdict
    requirement = verdict.requirement
    if requirement is None or verdict.roster is None or verdict.outcome is Outcome.NOT_AI:
        return
    level = code(verdict.roster.level_name(requirement.rank), 60)
    yield (
        f"{verdict.needed} approval{_s(verdict.needed)} of the head from a {level} or above "
        "who has no part in the change"
    )
    for rule in requirement.because:
        why = f": {code(rule.why)}" if rule.why else ""
        yield f"rule {code(rule.name)} applies{why}"
    for reason in verdict.reasons:
        if reason.code in _NEEDED:
            yield _sentence(page, reason)


def _signer(verdict: Verdict, one: Person) -> str:
    level = verdict.roster.level_name(one.rank) if verdict.roster else ""
    away = _away(verdict, one)
    return f"{person(one.login)} ({code(level, 60)}){away}"


def _away(verdict: Verdict, one: Person) -> str:
    today = verdict.pull.taken_at.date()
    if one.away is None or not one.away[0] <= today <= one.away[1]:
        return ""
    return f", away until {one.away[1].isoformat()}"


def _ignored(page: _Page, item: Ignored) -> str:
    reasons = "; ".join(_sentence(page, reason) for reason in item.reasons)
    return reasons[:1].upper() + reasons[1:]


def _footer(verdict: Verdict) -> str:
    codes = " ".join(dict.fromkeys(reason.code.value for reason in _all_reasons(verdict)))
    source = verdict.roster_source
    if source is None:
        return f"Reasons: {codes}."
    oid = f" at {code(source.commit_oid[:7])}" if source.commit_oid else ""
    return f"Reasons: {codes}. Roster: {code(source.name)}, {code(source.path)}{oid}."


def _all_reasons(verdict: Verdict) -> Iterator[Reason]:
    yield from verdict.reasons
    for item in verdict.ignored:
        yield from item.reasons


# --- one sentence for each code ------------------------------------------------------------------

# ``{who}`` is a person, ``{sha}`` a linked commit, ``{detail}`` a code span. Each is escaped first.
SENTENCES: dict[Code, str] = {
    Code.NO_AI_MARK: "Nothing marks this change as AI-assisted.",
    Code.AI_MARK: "the change is marked as AI-assisted",
    Code.EVIDENCE_CLEARED: f"{{who}} set the label `{CLEARING_LABEL}`: not AI-assisted.",
    Code.ROSTER_CHANGED: "it changes the roster, which always takes a sign-off",
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

_NEEDED = frozenset({Code.ROSTER_CHANGED, Code.WRITER_UNKNOWN, Code.FILE_AT_RISK})
_REMARKS = frozenset(
    {
        Code.TWIN_WORSE,
        Code.ROSTER_STALE,
        Code.ROSTER_WARNING,
        Code.CLEARING_IGNORED,
        Code.LABEL_EDITED,
        Code.DISMISSAL_IGNORED,
        Code.EVIDENCE_CLEARED,
        Code.TEAM_UNREAD,
        Code.CARRIED_OVER,
        Code.EXEMPT_OPENER,
        Code.EXEMPT_PUSHERS_UNKNOWN,
        Code.EXEMPT_PUSHER,
        Code.EXEMPT_COMMIT,
    }
)

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


def _sentence(page: _Page, reason: Reason) -> str:
    """A reason in Markdown: our words, with every foreign piece in a code span."""
    text = SENTENCES[reason.code].format(
        who=person(reason.who) if reason.who else "an unknown account",
        sha=page.commit(reason.sha) if reason.sha else "an unknown commit",
        detail=code(reason.detail) if reason.detail else "",
    )
    if reason.code is Code.OLDER_HEAD and reason.detail:
        return text.replace("which is not the head", f"{_behind(reason.detail)} before the head")
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


def _own_work(page: _Page, reason: Reason) -> str:
    """Somebody's part: ``detail`` is one of our own phrases, the commit is linked."""
    if reason.detail == Part.PUSHED and not reason.sha:
        return f"{person(reason.who)} pushed to it, or pushed one of its commits to another branch"
    what = f" commit {page.commit(reason.sha)}" if reason.sha else ""
    return f"{person(reason.who)} {reason.detail}{what}"


def _at_risk(reason: Reason) -> str:
    """``detail`` is one of our own phrases, and goes on from the path if there is one."""
    return f"{code(reason.path, 120)} {reason.detail}" if reason.path else reason.detail


def _plain_sentence(reason: Reason) -> str:
    """A reason as plain text, for a title."""
    if reason.code is Code.ROSTER_BROKEN and reason.detail:
        return plain(reason.detail, 160)  # it names the file and the line: that says it all
    text = SENTENCES[reason.code].format(
        who=f"@{reason.who}", sha=reason.sha[:7], detail=plain(reason.detail, 160)
    )
    return text.rstrip(".")


def _behind(number: str) -> str:
    return f"{number} commit{_s(int(number))}"


# --- small words ---------------------------------------------------------------------------------


def _section(heading: str, lines: Iterable[str], most: int) -> str:
    listed = list(lines)
    shown = [f"- {line}" for line in listed[:most]]
    left = len(listed) - most
    if left > 0:
        shown.append(f"- and {left} more")
    return "\n".join([f"#### {heading}", "", *shown])


def _level(verdict: Verdict) -> str:
    if verdict.roster is None or verdict.requirement is None:
        return "senior"
    return verdict.roster.level_name(verdict.requirement.rank)


def _left(verdict: Verdict) -> int:
    return verdict.needed - len(verdict.counted)


def _to_ask(verdict: Verdict) -> tuple[Person, ...]:
    """The first of those who can sign and are here; where they are too few, also who is away."""
    left = _left(verdict)
    here = tuple(one for one in verdict.signers if not _away(verdict, one))
    return (here if len(here) >= left else verdict.signers)[: max(left, 3)]


def _some_of(number: int, names: list[str]) -> str:
    """Whom to ask where so many of them have to: all of them, or any."""
    if number == 1:
        return _either(names)
    return _all(names) if number >= len(names) else f"{number} of {_all(names)}"


def _is(reason: Reason, code_: Code) -> bool:
    return reason.code is code_


def _all(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


__all__ = [
    "SENTENCES",
    "Annotation",
    "Conclusion",
    "Report",
    "Roster",
    "conclusion",
    "report",
    "title",
]
