"""What comes below the first two lines, for whoever wants to know more: a section a question."""

from collections.abc import Iterator

from github_app.judge.markup import code, person
from github_app.judge.memory import Remembered
from github_app.judge.outcome import Outcome, Verdict
from github_app.judge.reasons import Code, Reason
from github_app.judge.report.page import Page, absence
from github_app.judge.report.sentences import sentence
from github_app.judge.report.words import plural_s, section
from github_app.judge.roster import Person
from github_app.judge.signals import Place
from github_app.judge.signoff import Ignored

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


def sections(page: Page, most: int) -> Iterator[str]:
    """The sections there is something to say in; of each list no more than ``most`` lines."""
    verdict = page.verdict
    if verdict.evidence:
        lines = _evidence_lines(page, verdict.evidence)
        yield section("Why this is AI-assisted", lines, most)
    if verdict.cleared:
        lines = _evidence_lines(page, verdict.cleared)
        yield section("Set aside by a senior", lines, most)
    if verdict.outcome is Outcome.CANNOT_JUDGE and len(verdict.reasons) > 1:
        lines = [code(reason.detail, 300) for reason in verdict.reasons[1:] if reason.detail]
        yield section("What is wrong, line by line", lines, most)
    needed = list(_needed(page))
    if needed:
        yield section("What is needed", needed, most)
    if verdict.outcome is Outcome.WAITING and verdict.signers:
        yield section("Who can give it", [_signer(verdict, one) for one in verdict.signers], most)
    if verdict.ignored:
        lines = [_ignored(page, item) for item in verdict.ignored]
        yield section("Approvals that do not count", lines, most)
    remarks = [sentence(page, reason) for reason in verdict.reasons if reason.code in _REMARKS]
    if remarks:
        yield section("Also", remarks, most)
    yield _footer(verdict)


def _evidence_lines(page: Page, evidence: tuple[Remembered, ...]) -> list[str]:
    """A line for each mark. One text that several rules recognise is one mark."""
    once: dict[tuple[str, str, str], Remembered] = {}
    for item in evidence:
        signal = item.signal
        once.setdefault((signal.tool, signal.where, signal.evidence), item)
    return [_evidence(page, item) for item in once.values()]


def _evidence(page: Page, item: Remembered) -> str:
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


def _needed(page: Page) -> Iterator[str]:
    verdict = page.verdict
    requirement = verdict.requirement
    if requirement is None or verdict.roster is None or verdict.outcome is Outcome.NOT_AI:
        return
    level = code(verdict.roster.level_name(requirement.rank), 60)
    yield (
        f"{verdict.needed} approval{plural_s(verdict.needed)} of the head from a {level} or above "
        "who has no part in the change"
    )
    for rule in requirement.because:
        why = f": {code(rule.why)}" if rule.why else ""
        yield f"rule {code(rule.name)} applies{why}"
    for reason in verdict.reasons:
        if reason.code in _NEEDED:
            yield sentence(page, reason)


def _signer(verdict: Verdict, one: Person) -> str:
    level = verdict.roster.level_name(one.rank) if verdict.roster else ""
    away = absence(verdict, one)
    return f"{person(one.login)} ({code(level, 60)}){away}"


def _ignored(page: Page, item: Ignored) -> str:
    reasons = "; ".join(sentence(page, reason) for reason in item.reasons)
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
