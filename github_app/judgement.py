"""One pull request from its name to a verdict, without writing anything: read, remember, judge.

The worker publishes what comes out; ``countersign judge`` prints it. Both go this way, so a dry run
can not differ from the real thing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from github_app.changed_files import ChangedFiles
from github_app.forced_away import ForcedAway
from github_app.gateway import pull_request as gateway
from github_app.gateway import supplements
from github_app.gateway.client import Installation
from github_app.gateway.pull_request import Snapshot
from github_app.judge import likeness
from github_app.judge.again import look_again_at
from github_app.judge.catalogue import Catalogue
from github_app.judge.contributors import known_pushes
from github_app.judge.facts import Actor, PullRequest
from github_app.judge.likeness import Range
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome, Verdict, cannot_judge
from github_app.judge.policy import DetectionPolicy
from github_app.judge.report import Annotation
from github_app.judge.signals import Place, Signal
from github_app.judge.verdict import judge, remember
from github_app.judge.wants import Want
from github_app.rosters import RosterDesk
from github_app.same_change import SameChange
from github_app.store.memory import Change

SIGNALS_OF_A_TREE = 20

ReadMemory = Callable[[PullRequest], Memory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which pull request, by its numeric repository id and by the name it has at the moment."""

    repository_id: int
    owner: str
    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict and what it was made from. ``known`` is what was remembered before, ``memory``
    what is to be remembered now. ``ground`` names what it rests on beside the snapshot, see
    ``grounds``; ``again_at`` is when time alone changes it (aware, UTC)."""

    verdict: Verdict
    snapshot: Snapshot
    known: Memory
    memory: Memory
    ground: str = ""
    annotations: tuple[Annotation, ...] = ()

    @property
    def again_at(self) -> datetime | None:
        return look_again_at(self.verdict)


class Judgement:
    """How pull requests are judged in this process: with which catalogue, rosters and memory."""

    def __init__(
        self,
        *,
        app_id: int,
        check_name: str,
        catalogue: Catalogue,
        rosters: RosterDesk,
        memory: ReadMemory,
        now: Callable[[], datetime],
    ) -> None:
        self.app_id = app_id
        self.check_name = check_name
        self.catalogue = catalogue
        self._rosters = rosters
        self._memory = memory
        self._now = now
        self._same_change = SameChange()
        self._changed_files = ChangedFiles()
        self._forced_away = ForcedAway()

    def read(self, installation: Installation, subject: Subject) -> Snapshot:
        """One snapshot from GitHub. Raises GitHubError, IncompleteSnapshot among them."""
        return gateway.read(
            installation,
            subject.owner,
            subject.name,
            subject.number,
            repository_id=subject.repository_id,
            check_name=self.check_name,
            app_id=self.app_id,
            now=self._now(),
        )

    def judge(self, installation: Installation, snapshot: Snapshot) -> Judged:
        """Judge a snapshot; asks GitHub for more only where that could change the verdict.

        Raises: GitHubError when a fact that is needed cannot be had.
        """
        force = self._rosters.in_force(installation, snapshot)
        known = memory = self._memory(snapshot.pull)
        pull = _called(snapshot.pull, memory.names)
        self._forced_away.note(pull)
        if force.roster is None:
            verdict = cannot_judge(pull, *force.reasons)
            seen = remember(pull, DetectionPolicy(), memory, self.catalogue)
            return Judged(
                verdict=verdict, snapshot=snapshot, known=memory, memory=seen, ground=force.ground
            )
        change, annotations = self._rosters.change(installation, pull, force.roster)
        asked: set[Want] = set()
        carried: frozenset[str] = frozenset()
        same_base: frozenset[int] = frozenset()
        while True:
            verdict = judge(
                pull,
                force.roster,
                memory,
                self.catalogue,
                change=change,
                carried=carried,
                same_base=same_base,
            )
            wants = _wanted(verdict) - asked
            if not wants:
                break
            asked |= wants
            pull = _with(installation, pull, wants, verdict.unsure)
            if Want.DIFF in wants:
                pull = self._changed_files.read(installation, pull)
                change, annotations = self._rosters.change(installation, pull, force.roster)
            if Want.FORMER in wants:
                pull = self._forced_away.read(
                    installation, pull, verdict.forced_away, judged=memory.heads
                )
            if Want.LOOKALIKES in wants:
                memory = self._same_change.followed(installation, pull, memory)
            if Want.CARRY in wants:
                carried = self._same_change.carried(installation, pull, verdict.carriable)
            if Want.BASE in wants:
                same_base = self._same_change.same_base(installation, pull, verdict.moved)
        verdict = replace(verdict, reasons=(*verdict.reasons, *force.notes))
        return Judged(
            verdict=verdict,
            snapshot=replace(snapshot, pull=pull),
            known=known,
            memory=_with_pushes(
                remember(pull, force.roster.detection, memory, self.catalogue), pull
            ),
            ground=force.ground,
            annotations=annotations,
        )


def change_of(pull: PullRequest) -> Change:
    """How the store's memory names this pull request."""
    home = pull.head_repository
    found = likeness.likenesses(pull)
    tree = likeness.tree(pull)
    return Change(
        repository_id=pull.repository.id,
        number=pull.number,
        head_oid=pull.head_oid,
        commit_oids=tuple(commit.oid for commit in pull.commits),
        head_repository_id=home.id if home else None,
        head_ref=pull.head_ref,
        patch_ids=(tree,) if tree else (),
        likenesses=found,
        unmistakable=frozenset(one for one in found if likeness.is_unmistakable(one, pull)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """By what the evidence of a pull request can follow its patches into another one: as the
    store's memory wants it."""

    patch_signals: Mapping[str, tuple[Signal, ...]]
    likenesses: tuple[tuple[str, Range], ...]


def traces(judged: Judged) -> Traces:
    """Those of each commit that bears a mark; those of the whole change if it is AI-assisted."""
    verdict, pull = judged.verdict, judged.verdict.pull
    standing = [item.signal for item in judged.memory.evidence if item not in verdict.cleared]
    assisted = bool(standing) and verdict.outcome is not Outcome.NOT_AI
    marked = {signal.ref for signal in standing if signal.place is Place.COMMIT}
    tree = likeness.tree(pull)
    strongest = sorted(standing, key=lambda signal: -signal.confidence.rank)[:SIGNALS_OF_A_TREE]
    return Traces(
        patch_signals={tree: tuple(strongest)} if assisted and tree else {},
        likenesses=tuple(
            (key, made)
            for key, ranges in likeness.likenesses(pull).items()
            for made in ranges
            if (made.head_oid in marked if likeness.is_of_commit(key) else assisted)
        ),
    )


def _wanted(verdict: Verdict) -> frozenset[Want]:
    """The facts that may matter now. Who pushed can take a sign-off away, or make exempt; for what
    looks clean only one thing matters: whether it is clean."""
    if verdict.cleared:
        return verdict.wants
    if verdict.outcome in {Outcome.SIGNED_OFF, Outcome.WAITING}:
        return verdict.wants
    if verdict.outcome is Outcome.OBJECTED:  # a clearing lifts it; and it says what will be needed
        return verdict.wants - {Want.CARRY, Want.BASE}
    return verdict.wants & {Want.LOOKALIKES, Want.FORMER}


def _called(pull: PullRequest, names: frozenset[str]) -> PullRequest:
    former = tuple(sorted(names - {pull.repository.full_name.casefold()}))
    return replace(pull, repository=replace(pull.repository, former_names=former))


def _with_pushes(memory: Memory, pull: PullRequest) -> Memory:
    """What GitHub's activity list told is worth keeping: next time it need not be asked."""
    return replace(memory, pushes=known_pushes(pull, memory))


def _with(
    installation: Installation,
    pull: PullRequest,
    wants: frozenset[Want],
    unsure: Iterable[Actor],
) -> PullRequest:
    if Want.PUSHES in wants:
        pull = replace(pull, pushes=supplements.pushes(installation, pull) or ())
    if Want.MAY_PUSH in wants:
        told = {
            actor.id: supplements.may_push(installation, pull.repository, actor)
            for actor in unsure
            if actor.id is not None
        }
        pull = replace(pull, can_push={**pull.can_push, **told})
    return pull
