"""The decision. Read this first: ``judge`` says whether a head may be merged, and why.

The order of the rules is the order of the functions it calls: what marks the change as
AI-assisted, what the roster asks for, whose work it is, which approvals count, and then the first
outcome that fits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from github_app.judge import carry, detection, exemption, signoff
from github_app.judge.catalogue import Catalogue
from github_app.judge.clearing import clear
from github_app.judge.contributors import Contributors, contributors, pushers_known
from github_app.judge.detection import Declaration
from github_app.judge.entitlement import Change, listed_at
from github_app.judge.facts import Actor, ActorKind, GitIdentity, PullRequest, Review, ReviewState
from github_app.judge.forced import heads_forced_away, to_read, too_many
from github_app.judge.memory import Memory, Remembered
from github_app.judge.objections import Objections, objections
from github_app.judge.policy import DetectionPolicy, Requirement
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Person, Roster, RosterSource
from github_app.judge.signals import Place
from github_app.judge.signoff import Bench, Ignored
from github_app.judge.tool_accounts import IsToolAccount, as_bots
from github_app.judge.wants import Want


class Outcome(StrEnum):
    """Design section 2. ``report.py`` has each one's conclusion and title."""

    NOT_AI = "NOT_AI"
    EXEMPT = "EXEMPT"
    SIGNED_OFF = "SIGNED_OFF"
    WAITING = "WAITING"
    OBJECTED = "OBJECTED"
    CANNOT_JUDGE = "CANNOT_JUDGE"
    OVERRIDDEN = "OVERRIDDEN"

    @property
    def green(self) -> bool:
        """Whether a pull request with this outcome may be merged."""
        return self in _GREEN


_GREEN = frozenset({Outcome.NOT_AI, Outcome.EXEMPT, Outcome.SIGNED_OFF, Outcome.OVERRIDDEN})

# From worst to best: the verdict of a commit is the worst over the pull requests that share it.
SEVERITY: tuple[Outcome, ...] = (
    Outcome.CANNOT_JUDGE,
    Outcome.OBJECTED,
    Outcome.WAITING,
    Outcome.OVERRIDDEN,
    Outcome.SIGNED_OFF,
    Outcome.EXEMPT,
    Outcome.NOT_AI,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome for one head commit, and everything it rests on.

    ``reasons[0]`` decides; the others add to it. ``evidence`` is what stands, ``cleared`` what an
    entitled senior set aside; ``tools`` has the names of the tools in it. ``signers`` are those who
    could sign now, the most available first. ``wants`` is not empty where another fact could change
    the outcome: until it was asked for, the verdict is on the safe side of it. ``carriable`` are
    the older heads, newest approval first, that ``Want.CARRY`` is about, ``moved`` the approvals
    that ``Want.BASE`` is about, ``forced_away`` the heads that ``Want.FORMER`` is about, ``unsure``
    the accounts that ``Want.MAY_PUSH`` is about. ``lifters`` are those who could dismiss a request
    for changes, where one stands.
    """

    outcome: Outcome
    pull: PullRequest
    reasons: tuple[Reason, ...]
    evidence: tuple[Remembered, ...] = ()
    cleared: tuple[Remembered, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict, hash=False)
    requirement: Requirement | None = None
    counted: tuple[Review, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    signers: tuple[Person, ...] = ()
    lifters: tuple[Person, ...] = ()
    needed: int = 0
    roster: Roster | None = None
    observing: bool = False
    wants: frozenset[Want] = frozenset()
    carriable: tuple[str, ...] = ()
    moved: tuple[Review, ...] = ()
    forced_away: tuple[str, ...] = ()
    unsure: tuple[Actor, ...] = ()

    @property
    def roster_source(self) -> RosterSource | None:
        return self.roster.source if self.roster else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """What this pull request does to the roster: None where it leaves it alone.

    ``raised`` holds the case-folded logins that would gain a level or be newly listed. ``problem``
    is the first error of a file that could not be used if it were merged.
    """

    raised: frozenset[str] = frozenset()
    problem: str = ""


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
    case = _study(pull, roster, memory, catalogue, change, carried, same_base)
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


def cannot_judge(pull: PullRequest, *reasons: Reason) -> Verdict:
    """The verdict when facts or roster are missing: never green, and it says what is missing."""
    return Verdict(outcome=Outcome.CANNOT_JUDGE, pull=pull, reasons=reasons)


def worst(own: Verdict, others: tuple[Verdict, ...]) -> Verdict:
    """The verdict of a commit that several open pull requests have as their head.

    A check belongs to the commit: a green of one would let the other be merged. Where they differ
    it is the same one, in the same words, whichever of them was judged: it says whose it is.
    """
    family = (own, *others)
    if all(verdict.outcome is own.outcome for verdict in family):
        return own
    candidate = min(family, key=lambda one: (SEVERITY.index(one.outcome), one.pull.number))
    twin = Reason(code=Code.TWIN_WORSE, detail=f"#{candidate.pull.number}")
    return replace(candidate, reasons=(*candidate.reasons, twin))


def remember(
    pull: PullRequest, policy: DetectionPolicy, memory: Memory, catalogue: Catalogue
) -> Memory:
    """The memory after this snapshot: all that was known, and what is seen now."""
    signals = detection.detect(pull, policy, catalogue)
    return detection.remember(memory, signals, now=_seen_at(pull), origin=pull.number)


# --- what the rules look at ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    pull: PullRequest
    roster: Roster
    memory: Memory
    standing: tuple[Remembered, ...]
    cleared: tuple[Remembered, ...]
    tools: Mapping[str, str]
    clearing: tuple[Reason, ...]
    assisted: bool
    unread: bool
    change: RosterChange | None
    declaration: Declaration
    requirement: Requirement
    needed: int
    contributors: Contributors
    counted: tuple[Review, ...]
    ignored: tuple[Ignored, ...]
    notes: tuple[Reason, ...]
    wants: frozenset[Want]
    carriable: tuple[str, ...]
    moved: tuple[Review, ...]
    forced_away: tuple[str, ...]
    objections: Objections
    is_tool_account: IsToolAccount
    unsure: tuple[Actor, ...]


def _study(
    pull: PullRequest,
    roster: Roster,
    memory: Memory,
    catalogue: Catalogue,
    change: RosterChange | None,
    carried: frozenset[str],
    same_base: frozenset[int],
) -> _Case:
    def is_tool_account(actor: Actor) -> bool:
        return detection.is_tool_account(actor, catalogue, roster.organisation.detection)

    pull, memory = as_bots(pull, memory, is_tool_account)
    found_now = detection.detect(pull, roster.detection, catalogue)
    remembered = detection.remember(memory, found_now, now=_seen_at(pull), origin=pull.number)

    def is_tool(identity: GitIdentity) -> bool:
        # Nobody to hold to the work: that the organisation says, a repository's layer cannot.
        return detection.is_tool_identity(identity, catalogue, roster.organisation.detection)

    found = contributors(pull, remembered, is_tool=is_tool)
    requirement = roster.requirement(pull)
    known = pushers_known(pull, memory)
    unknown_writer = bool(found.unattributed) and not known

    raised = change.raised if change else frozenset()
    decided_on = Change(
        pull=pull,
        roster=roster,
        requirement=requirement,
        contributors=found,
        writer_unknown=unknown_writer,
        pushers_known=known,
        raised=raised,
    )
    clearing = clear(in_order(pull, remembered), decided_on)
    opinions = signoff.standing_opinions(pull.reviews)
    against = objections(opinions, decided_on)
    barred = carry.barred(pull, opinions, found_now, memory)
    counted, ignored = signoff.assess(
        opinions,
        Bench(
            pull=pull,
            roster=roster,
            requirement=requirement,
            contributors=found,
            raised=raised,
            carried=carried,
            barred=barred,
            same_base=same_base,
        ),
    )
    assisted = detection.is_ai((item.signal for item in clearing.standing), roster.detection)
    clean = not assisted and change is None
    # Not those that were gone when the evidence was set aside, by somebody who saw what there was.
    gone = heads_forced_away(pull, since=clearing.since) if clean else ()
    unread = clean and (too_many(gone, memory.heads) or not pull.former_complete)
    unasked = clean and not unread and pull.former_commits is None
    forced_away = to_read(gone, memory.heads) if unasked else ()
    needed = requirement.approvals + (1 if unknown_writer else 0)
    carriable = carry.worth_asking(ignored, barred) if len(counted) < needed else ()
    moved = _of_another_base(ignored) if len(counted) < needed else ()
    wants = set(
        _wants(
            pull,
            roster,
            requirement.exempt,
            pushers_known=known,
            decided=bool(counted),
        )
    )
    return _Case(
        pull=pull,
        roster=roster,
        memory=remembered,
        standing=clearing.standing,
        cleared=clearing.cleared,
        tools=detection.tool_names(catalogue, roster.detection),
        clearing=clearing.reasons,
        assisted=assisted or unread,
        unread=unread,
        change=change,
        declaration=detection.declaration(pull, catalogue),
        requirement=requirement,
        needed=needed,
        contributors=found,
        counted=counted,
        ignored=ignored,
        notes=tuple(_notes(requirement, found, roster, unknown_writer=unknown_writer)),
        wants=frozenset(wants)
        | ({Want.CARRY} if carriable else set())
        | ({Want.BASE} if moved else set())
        | clearing.wants
        | against.wants
        | ({Want.FORMER} if forced_away else set())
        | ({Want.LOOKALIKES} if clean and memory.lookalikes else set()),
        carriable=carriable,
        moved=moved,
        forced_away=forced_away,
        objections=against,
        is_tool_account=is_tool_account,
        unsure=(*clearing.unsure, *against.unsure),
    )


def _of_another_base(ignored: tuple[Ignored, ...]) -> tuple[Review, ...]:
    """The approvals, newest first, that nothing but a change of the base speaks against."""
    return tuple(
        item.review
        for item in reversed(ignored)
        if [reason.code for reason in item.reasons] == [Code.BASE_CHANGED]
    )[: carry.MOST]


def _seen_at(pull: PullRequest) -> datetime:
    """When what this snapshot shows was seen: by GitHub's clock or ours, whichever is later.

    A clearing is compared with it, and must not cover what came after.
    """
    return max(pull.taken_at, pull.updated_at)


def in_order(pull: PullRequest, memory: Memory) -> tuple[Remembered, ...]:
    """The evidence in an order that depends on the change alone, not on when it was seen: the
    same facts must give the same words, or the check is published again for nothing."""
    places = list(Place)
    positions = {commit.oid: number for number, commit in enumerate(pull.commits)}

    def key(item: Remembered) -> tuple[int, int, int, str, str, str, str]:
        signal = item.signal
        position = positions.get(signal.ref, len(positions))
        place = places.index(signal.place)
        sure = -signal.confidence.rank
        return sure, place, position, signal.ref, signal.tool, signal.kind.value, signal.evidence

    return tuple(sorted(memory.evidence, key=key))


def _notes(
    requirement: Requirement, found: Contributors, roster: Roster, *, unknown_writer: bool
) -> Iterator[Reason]:
    for rule in requirement.because:
        yield Reason(code=Code.RULE_RAISED, who="", detail=rule.name)
    if requirement.risk is not None:
        risk = requirement.risk
        yield Reason(code=Code.FILE_AT_RISK, path=risk.path, detail=risk.why)
    if unknown_writer:
        yield Reason(code=Code.WRITER_UNKNOWN, sha=found.unattributed[0].oid)
    for team in sorted(roster.teams_unread):
        yield Reason(code=Code.TEAM_UNREAD, detail=team)


def _wants(
    pull: PullRequest, roster: Roster, exempt: int | None, *, pushers_known: bool, decided: bool
) -> Iterator[Want]:
    """Who pushed matters once somebody approved (they may have pushed themselves), and where the
    opener is senior enough for the change to be exempt."""
    matters = decided or exemption.opener_could_be_exempt(pull, roster, exempt)
    if matters and not pushers_known and pull.pushes is None and not pull.cross_repository:
        yield Want.PUSHES
    if roster.wants_diff(pull):
        yield Want.DIFF


# --- the outcomes, in the order they are tried ---------------------------------------------------


def _unassisted(case: _Case) -> Verdict:
    """Nothing marks the change as AI-assisted, or what did was cleared."""
    if case.roster.detection.require_declaration and case.declaration is Declaration.NONE:
        return _verdict(case, Outcome.WAITING, Reason(code=Code.DECLARATION_MISSING))
    first = case.clearing if case.cleared else (Reason(code=Code.NO_AI_MARK), *case.clearing)
    return _verdict(case, Outcome.NOT_AI, *first)


def _objected(case: _Case) -> Verdict | None:
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
    return replace(verdict, lifters=_lifters(case))


def _level_of(author: Actor, roster: Roster) -> str:
    if not listed_at(author, roster, roster.sign_off.rank):
        return "level not certain"
    return roster.level_name(roster.rank(author))


def _exempt(case: _Case) -> Verdict | None:
    """Everybody who worked on it is senior. A change of the roster is never exempt."""
    exempt = case.requirement.exempt
    if exempt is None or case.change is not None:
        return None
    against = tuple(
        exemption.against_exemption(case.pull, case.roster, case.memory, case.contributors, exempt)
    )
    if against:
        return None
    return _verdict(case, Outcome.EXEMPT, Reason(code=Code.EVERYONE_SENIOR))


def _signed(case: _Case) -> Verdict | None:
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


def _waiting(case: _Case) -> Verdict:
    missing = case.needed - len(case.counted)
    able = _signers(case)
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


def _marks(case: _Case) -> tuple[Reason, ...]:
    marks = [Reason(code=Code.AI_MARK)] if case.assisted and not case.unread else []
    if case.unread:
        marks.append(Reason(code=Code.FORCED_AWAY_UNREAD))
    if case.change is not None:
        marks.append(Reason(code=Code.ROSTER_CHANGED))
    return (*marks, *case.clearing)


# What an approval showed of its author that another approval would not change.
_CANNOT_SIGN = frozenset({Code.CANNOT_PUSH, Code.IDENTITY_MISMATCH, Code.NOT_A_PERSON})


def _signers(case: _Case) -> tuple[Person, ...]:
    """Who could sign this head now, and has not yet. The most available first."""
    signed = {review.author.id for review in case.counted if review.author is not None}
    return tuple(
        person
        for person in _able(case)
        if (person.id is None or person.id not in signed) and not _has_signed(person, case)
    )


def _lifters(case: _Case) -> tuple[Person, ...]:
    """Who could dismiss what stands in the way and is not who asked for it. Nobody, where all of
    it was dismissed before: GitHub does not dismiss a review twice."""
    stand = [one for one in case.objections.blocking if one.state is not ReviewState.DISMISSED]
    theirs = {review.author.key for review in stand if review.author is not None}
    return tuple(one for one in _able(case) if stand and one.login.casefold() not in theirs)


def _able(case: _Case) -> tuple[Person, ...]:
    """Who could sign this change: listed, high enough, and without a part in it."""
    raised = case.change.raised if case.change else frozenset()
    unable = {
        reason.who.casefold()
        for item in case.ignored
        for reason in item.reasons
        if reason.code in _CANNOT_SIGN
    }
    people = case.roster.signers(case.requirement.rank, case.pull.taken_at.date())
    return tuple(
        person
        for person in people
        if case.contributors.part_of(login=person.login, account=person.id) is None
        and person.login.casefold() not in raised | unable
        and not case.is_tool_account(_account(person))
    )


def _account(person: Person) -> Actor:
    return Actor(kind=ActorKind.USER, login=person.login, id=person.id)


def _has_signed(person: Person, case: _Case) -> bool:
    return any(
        review.author is not None and review.author.key == person.login.casefold()
        for review in case.counted
    )


def _verdict(case: _Case, outcome: Outcome, *reasons: Reason) -> Verdict:
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
