"""What the rules of the verdict look at: one pull request, studied once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from github_app.judge import carry, detection, exemption, signoff
from github_app.judge.catalogue import Catalogue
from github_app.judge.clearing import clear
from github_app.judge.contributors import Contributors, contributors, pushers_known
from github_app.judge.detection import Declaration
from github_app.judge.entitlement import Change
from github_app.judge.facts import Actor, GitIdentity, PullRequest, Review
from github_app.judge.forced import heads_forced_away, to_read, too_many
from github_app.judge.memory import Memory, Remembered
from github_app.judge.objections import Objections, objections
from github_app.judge.outcome import RosterChange
from github_app.judge.policy import Requirement
from github_app.judge.reasons import Code, Reason
from github_app.judge.roster import Roster
from github_app.judge.signals import Place
from github_app.judge.signoff import Bench, Ignored
from github_app.judge.tool_accounts import IsToolAccount, as_bots
from github_app.judge.wants import Want


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that decides of one pull request. ``standing`` is the evidence that was not ``cleared``,
    ``clearing`` what was said of that; ``unread``: commits were forced away that nobody can read;
    ``needed`` approvals, of which ``counted`` are there. The rest is as in ``Verdict``.
    """

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


def study(
    pull: PullRequest,
    roster: Roster,
    memory: Memory,
    catalogue: Catalogue,
    change: RosterChange | None,
    carried: frozenset[str],
    same_base: frozenset[int],
) -> Case:
    """Study a pull request that has commits. The parameters are those of ``judge``."""

    def is_tool_account(actor: Actor) -> bool:
        return detection.is_tool_account(actor, catalogue, roster.organisation.detection)

    pull, memory = as_bots(pull, memory, is_tool_account)
    found_now = detection.detect(pull, roster.detection, catalogue)
    remembered = detection.remember(memory, found_now, now=seen_at(pull), origin=pull.number)

    @cache  # a thousand commits have a few authors
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
    return Case(
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


def seen_at(pull: PullRequest) -> datetime:
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
