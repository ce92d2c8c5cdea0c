"""The decision. Read this first: ``judge`` says whether a head may be merged, and why.

First the change is studied (``case.py``): what marks it as AI-assisted, what the roster asks for,
whose work it is, which approvals count. Then the first outcome that fits is the verdict; what a
verdict is stands in ``outcome.py``.
"""

from dataclasses import replace

from github_app.judge import detection, exemption
from github_app.judge.case import Case, seen_at, study
from github_app.judge.catalogue import Catalogue
from github_app.judge.detection import Declaration
from github_app.judge.entitlement import listed_at
from github_app.judge.facts import Actor, PullRequest
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome, RosterChange, Verdict, cannot_judge
from github_app.judge.policy import DetectionPolicy
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Roster
from github_app.judge.signers import lifters, signers


def judge(
    pull: PullRequest,
    roster: Roster,
    memory: Memory,
    catalogue: Catalogue,
    *,
    change: RosterChange | None = None,
    carried: frozenset[str] = frozenset(),
    same_base: frozenset[int] = frozenset(),
) -> Verdict:
    """Say whether this head has its sign-off, and why.

    Shapes:  ``pull`` is complete (the gateway refuses what is not), reviews and events oldest
             first, any length; ``memory`` is what the store knew before this snapshot;
             ``carried``: older heads whose diff against the base is provably that of the head;
             ``same_base``: ids of approvals given before the base changed, to the same effect.
    Units:   aware UTC times; the judge's "now" is ``pull.taken_at``.
    Returns: a verdict for ``pull.head_oid``. CANNOT_JUDGE only for a change that would break the
             roster, and where there are no commits; callers whose facts or roster could not be had
             say ``cannot_judge``.
    Errors:  none.
    Source:  design sections 2 to 5.
    """
    if not pull.commits:
        return cannot_judge(pull, Reason(code=Code.NO_COMMITS))
    case = study(pull, roster, memory, catalogue, change, carried, same_base)
    if change is not None and change.problem:
        reason = Reason(code=Code.PROPOSED_ROSTER_BROKEN, detail=change.problem)
        return _verdict(case, Outcome.CANNOT_JUDGE, reason)
    if not case.assisted and change is None:
        return _unassisted(case)
    for rule in (_objected, _exempt, _signed, _waiting):
        verdict = rule(case)
        if verdict is not None:
            return verdict
    raise AssertionError("a pull request waits when nothing else fits")


def remember(
    pull: PullRequest, policy: DetectionPolicy, memory: Memory, catalogue: Catalogue
) -> Memory:
    """The memory after this snapshot: all that was known, and what is seen now."""
    signals = detection.detect(pull, policy, catalogue)
    return detection.remember(memory, signals, now=seen_at(pull), origin=pull.number)


# --- the outcomes, in the order they are tried ---------------------------------------------------


def _unassisted(case: Case) -> Verdict:
    """Nothing marks the change as AI-assisted, or what did was cleared."""
    if case.roster.detection.require_declaration and case.declaration is Declaration.NONE:
        return _verdict(case, Outcome.WAITING, Reason(code=Code.DECLARATION_MISSING))
    first = case.clearing if case.cleared else (Reason(code=Code.NO_AI_MARK), *case.clearing)
    return _verdict(case, Outcome.NOT_AI, *first)


def _objected(case: Case) -> Verdict | None:
    """A senior asked for changes: that blocks until they lift it, however many others approve."""
    reasons = [
        Reason(
            code=Code.CHANGES_REQUESTED,
            who=review.author.login,
            detail=_level_of(review.author, case.roster),
        )
        for review in case.objections.blocking
        if review.author is not None
    ]
    if not reasons:
        return None
    dismissed = case.objections.dismissed
    verdict = _verdict(case, Outcome.OBJECTED, *reasons, *dismissed, *_marks(case), *case.notes)
    return replace(verdict, lifters=lifters(case))


def _level_of(author: Actor, roster: Roster) -> str:
    if not listed_at(author, roster, roster.sign_off.rank):
        return "level not certain"
    return roster.level_name(roster.rank(author))


def _exempt(case: Case) -> Verdict | None:
    """Everybody who worked on it is senior. A change of the roster is never exempt."""
    exempt = case.requirement.exempt
    if exempt is None or case.change is not None:
        return None
    against = tuple(
        exemption.against_exemption(case.pull, case.roster, case.memory, case.contributors, exempt)
    )
    if against:
        return None
    unread = (Reason(code=Code.FORCED_AWAY_UNREAD),) if case.unread else ()
    return _verdict(case, Outcome.EXEMPT, Reason(code=Code.EVERYONE_SENIOR), *unread)


def _signed(case: Case) -> Verdict | None:
    if len(case.counted) < case.needed:
        return None
    signed = [
        Reason(
            code=Code.SIGNED,
            who=review.author.login,
            sha=review.commit_oid or "",
            detail=case.roster.level_name(case.roster.rank(review.author)),
        )
        for review in case.counted
        if review.author is not None
    ]
    carried = [
        Reason(code=Code.CARRIED_OVER, who=review.author.login, sha=review.commit_oid or "")
        for review in case.counted
        if review.author is not None and review.commit_oid != case.pull.head_oid
    ]
    return _verdict(case, Outcome.SIGNED_OFF, *signed, *carried, *_marks(case), *case.notes)


def _waiting(case: Case) -> Verdict:
    missing = case.needed - len(case.counted)
    able = signers(case)
    if len(able) < missing:
        first = Reason(code=Code.NOBODY_CAN, detail=str(missing - len(able)))
    elif case.counted:
        first = Reason(code=Code.MORE_NEEDED, detail=f"{len(case.counted)} of {case.needed}")
    else:
        first = Reason(code=Code.NOBODY_YET)
    exempt = case.requirement.exempt
    against: tuple[Reason, ...] = ()
    if exemption.opener_could_be_exempt(case.pull, case.roster, exempt) and exempt is not None:
        against = tuple(
            exemption.against_exemption(
                case.pull, case.roster, case.memory, case.contributors, exempt
            )
        )
    reasons = dict.fromkeys([first, *_marks(case), *case.notes, *against])
    return replace(_verdict(case, Outcome.WAITING, *reasons), signers=able)


def _marks(case: Case) -> tuple[Reason, ...]:
    marks = [Reason(code=Code.AI_MARK)] if case.assisted and not case.unread else []
    if case.unread:
        marks.append(Reason(code=Code.FORCED_AWAY_UNREAD))
    if case.change is not None:
        marks.append(Reason(code=Code.ROSTER_CHANGED))
    return (*marks, *case.clearing)


def _verdict(case: Case, outcome: Outcome, *reasons: Reason) -> Verdict:
    return Verdict(
        outcome=outcome,
        pull=case.pull,
        reasons=reasons,
        evidence=case.standing,
        cleared=case.cleared,
        tools=case.tools,
        requirement=case.requirement,
        counted=case.counted,
        ignored=case.ignored,
        needed=case.needed,
        roster=case.roster,
        observing=case.roster.observes(case.pull.repository),
        wants=case.wants,
        carriable=case.carriable,
        moved=case.moved,
        forced_away=case.forced_away,
        unsure=case.unsure,
    )
