"""What reached a branch: was it judged, was it green, and is it what was judged?

A merged pull request is compared with its verdict and its content; a push to a protected branch is
looked through for AI-assisted commits that came through no pull request. What is wrong becomes an
incident (``incidents.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from github_app import records
from github_app.branch_rules import BranchRules, ProtectedBranches
from github_app.clean_landings import LATE_READS, CleanLandings
from github_app.content import Content, compared
from github_app.events import BranchPush
from github_app.gateway import landing
from github_app.gateway.client import Installation
from github_app.gateway.landing import Reached
from github_app.gateway.pull_request import Snapshot
from github_app.incidents import Incidents
from github_app.judge import detection
from github_app.judge.detection import CommitText, detect_commit
from github_app.judge.facts import Actor, Commit, PullRequest, Push, Repository
from github_app.judge.incident import Incident
from github_app.judge.landing import (
    Likeness,
    MergedPull,
    as_merged,
    merged_at,
    outside,
    replayed,
    was_green,
)
from github_app.judge.outcome import Outcome
from github_app.judge.policy import DetectionPolicy
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import Conclusion
from github_app.judge.report import title as verdict_title
from github_app.judge.signals import Signal
from github_app.judgement import Judged, Judgement, Subject, change_of
from github_app.logs import get_logger
from github_app.publishing import NotYet, Publisher, about
from github_app.rosters import RosterDesk
from github_app.said import has_landed, on_head, outcome_of, said_on
from github_app.store.audit import Filter, RecordKind
from github_app.store.claim import Claim
from github_app.store.database import Store
from github_app.store.memory import Change
from github_app.store.task import BULK, ORDINARY, Task, TaskKind

log = get_logger("landings")

# A merge that GitHub does not show is asked for so often: up to about a minute.
UNMERGED_READS = 6
_PATHS_NAMED = 10


def landed_task(task: Task, number: int, *, priority: int = ORDINARY) -> Task:
    """Look at a pull request that was merged, of the repository that ``task`` is about."""
    return replace(task, kind=TaskKind.MERGED, subject=str(number), priority=priority, hint={})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """A push to a branch: ``before`` is empty where it is not known."""

    repository: Repository
    branch: str
    before: str
    after: str


class Landings:
    """Looks at what reached a branch. One per worker."""

    def __init__(
        self,
        *,
        store: Store,
        judgement: Judgement,
        rosters: RosterDesk,
        publisher: Publisher,
        incidents: Incidents,
        clean: CleanLandings,
        protected: ProtectedBranches,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._judgement = judgement
        self._rosters = rosters
        self._publisher = publisher
        self._incidents = incidents
        self._clean = clean
        self._now = now
        self._rules = BranchRules(store=store, check_name=judgement.check_name, protected=protected)

    # --- a merged pull request -------------------------------------------------------------------

    def merged(self, claim: Claim, installation: Installation) -> None:
        """Compare what was merged with what was judged. Raises: NotYet, LeaseLost, GitHubError."""
        task = claim.task
        owner, _, name = task.full_name.partition("/")
        subject = Subject(
            repository_id=task.repository_id, owner=owner, name=name, number=int(task.subject)
        )
        snapshot = self._judgement.read(installation, subject)
        pull = snapshot.pull
        if pull.state != "MERGED" or pull.merge_commit_oid is None:
            if claim.attempts < UNMERGED_READS:
                raise NotYet("the merge does not show yet", seconds=2.0**claim.attempts)
            log.info("not merged", state=pull.state, **about(claim))
            self._store.queue.settle(claim)
            return
        self._store.grounds.forget(pull.repository.id, [pull.number])
        # A squash may say nothing of what was in it; it goes on to other branches all the same.
        self._store.memory.add_merge(pull.repository.id, pull.number, pull.merge_commit_oid)
        watched = self._rules.is_watched(installation, pull.repository, pull.base_ref)
        missing = self._not_green(installation, snapshot)
        judged = missing[1] if missing else None
        reasons = [missing[0]] if missing else []
        content = self._content(installation, pull) if watched else None
        if content is not None:
            reasons += self._not_as_judged(installation, snapshot, judged, content)
        if not reasons:
            said = self._clean.say(claim, installation, snapshot, content) if content else None
            log.info("landed", said=said is not None, **about(claim))
            self._store.queue.settle(claim, records=[] if said is None else [said])
            return
        incident = Incident(
            repository=pull.repository,
            oid=pull.merge_commit_oid,
            branch=pull.base_ref,
            number=pull.number,
            actor=pull.merged_by,
            reasons=tuple(reasons),
            protected=self._rules.was_required(installation, pull.repository, pull.base_ref)
            or self._rules.is_required(installation, pull.repository, pull.base_ref),
        )
        outcome = judged.verdict.outcome.value if judged else None
        self._settle(claim, installation, incident, pull.head_oid, outcome)

    def _settle(
        self,
        claim: Claim,
        installation: Installation,
        incident: Incident,
        head_oid: str,
        outcome: str | None,
    ) -> None:
        self._publisher.take_back(claim, incident.oid, incident.reasons[0])
        entry = records.bypassed(incident, claim.deliveries, head_oid=head_oid, outcome=outcome)
        told = self._incidents.tell(claim, installation, incident, entry)
        self._store.queue.settle(claim, records=[] if told is None else [told])

    def _not_green(
        self, installation: Installation, snapshot: Snapshot
    ) -> tuple[Reason, Judged] | None:
        """What was missing when it was merged, if the check was not green. Where nobody had judged
        it yet, it is judged now, by what was there then."""
        pull = snapshot.pull
        at = merged_at(pull) or pull.updated_at
        green = was_green(said_on(on_head(self._store, pull)), at)
        if green is None and not has_landed(self._store, pull.repository.id, pull.head_oid):
            green = pull.check is not None and pull.check.conclusion == "SUCCESS"
        if green:
            return None
        judged = self._judgement.judge(installation, replace(snapshot, pull=as_merged(pull)))
        self._store.counters.add("judgements", {"outcome": judged.verdict.outcome.value})
        self._publisher.remember(judged)
        if judged.verdict.outcome.green or judged.verdict.observing:
            return None
        detail = verdict_title(judged.verdict)
        return Reason(code=Code.MERGED_NOT_GREEN, detail=detail), judged

    # --- is it what was judged? ------------------------------------------------------------------

    def _content(self, installation: Installation, pull: PullRequest) -> Content | None:
        """What the merge made; None where it made nothing: the branch is at the head itself."""
        if pull.merge_commit_oid is None or pull.merge_commit_oid == pull.head_oid:
            return None
        return compared(installation, pull, pull.merge_commit_oid)

    def _not_as_judged(
        self,
        installation: Installation,
        snapshot: Snapshot,
        judged: Judged | None,
        content: Content,
    ) -> list[Reason]:
        pull = snapshot.pull
        reasons: list[Reason] = []
        if content.likeness is Likeness.DIFFERENT:
            named = ", ".join(content.paths[:_PATHS_NAMED])
            reasons.append(Reason(code=Code.CONTENT_DIFFERS, detail=named))
        elif content.likeness is Likeness.UNKNOWN:
            log.info("content unproven", repository=pull.repository.full_name, number=pull.number)
        marks = self._marks_at_merge(installation, snapshot, content.made, judged)
        return reasons + marks

    def _marks_at_merge(
        self,
        installation: Installation,
        snapshot: Snapshot,
        made: tuple[Commit, ...],
        judged: Judged | None,
    ) -> list[Reason]:
        """Marks of AI in what the merge made of a change that was judged to have none."""
        pull = snapshot.pull
        outcome = judged.verdict.outcome if judged else outcome_of(on_head(self._store, pull))
        if outcome != Outcome.NOT_AI:
            return []
        force = self._rosters.in_force(installation, snapshot)
        policy = force.roster.detection if force.roster else DetectionPolicy()
        known = self._store.memory.read(change_of(pull))
        tools = {item.signal.tool for item in known.evidence}
        ours = {commit.oid for commit in pull.commits}
        found: list[Signal] = []
        for commit in replayed(pull, made) or made[:1]:
            if commit.oid not in ours:
                found += [one for one in self._marks(commit, policy) if one.tool not in tools]
        if not detection.is_ai(found, policy):
            return []
        seen = detection.remember(known, found, now=self._now(), origin=pull.number)
        self._store.memory.add(change_of(pull), seen)
        names = self._names(found)
        return [Reason(code=Code.MARKED_AT_MERGE, sha=made[0].oid, detail=names)]

    # --- a push ----------------------------------------------------------------------------------

    def pushed(self, claim: Claim, installation: Installation) -> None:
        """Look for AI-assisted commits that came through no pull request.

        Raises: NotYet, LeaseLost, GitHubError.
        """
        arrival = _arrival(claim.task)
        where = arrival.repository
        if not self._rules.is_watched(installation, where, arrival.branch):
            self._store.queue.settle(claim)
            return
        if arrival.before:
            self._look_through(claim, installation, arrival)
            return
        self._seen(claim, arrival, None)
        self._store.queue.settle(claim)

    def _look_through(self, claim: Claim, installation: Installation, arrival: _Arrival) -> None:
        where = arrival.repository
        found = self._reached(claim, installation, arrival)
        oids = [commit.oid for commit in found.commits]
        pulls = landing.merged_through(installation, where, arrival.after, oids)
        self._ask_merged(claim.task, pulls)
        passed = {oid: self._as_passed(where, of, arrival.branch) for oid, of in pulls.items()}
        beyond = outside(found.commits, passed, arrival.branch)
        reasons = self._reasons(installation, arrival, beyond, complete=found.complete)
        if not reasons:
            self._seen(claim, arrival, None)
            self._store.queue.settle(claim)
            return
        if claim.attempts < LATE_READS:  # the tie between a commit and its pull request may lag
            raise NotYet("commits without a pull request so far", seconds=2.0**claim.attempts)
        actor = landing.pushed_by(installation, where, arrival.branch, arrival.after)
        incident = Incident(
            repository=where,
            oid=arrival.after,
            branch=arrival.branch,
            number=None,
            actor=actor,
            reasons=reasons,
            protected=self._rules.has_rules(installation, where, arrival.branch),
        )
        self._seen(claim, arrival, actor)
        self._settle(claim, installation, incident, arrival.after, None)

    def _reached(self, claim: Claim, installation: Installation, arrival: _Arrival) -> Reached:
        where = arrival.repository
        found = landing.reached(installation, where, arrival.before, arrival.after)
        if found is not None:
            return found
        if claim.attempts < LATE_READS:
            raise NotYet("the push does not show yet", seconds=2.0**claim.attempts)
        # What was there before is gone: after a force-push, the tip at least is looked at.
        tip = landing.history(installation, where, arrival.after, 1)
        return Reached(commits=tip, complete=False)

    def _reasons(
        self,
        installation: Installation,
        arrival: _Arrival,
        beyond: tuple[Commit, ...],
        *,
        complete: bool,
    ) -> tuple[Reason, ...]:
        if not beyond:
            return ()
        where = arrival.repository
        texts = landing.rosters(installation, where)
        force = self._rosters.of(installation, where, texts)
        if force.roster is not None and force.roster.observes(where):
            return ()
        policy = force.roster.detection if force.roster else DetectionPolicy()
        reasons: list[Reason] = []
        for commit in beyond:
            marks = [*self._marks(commit, policy), *self._remembered(where, commit)]
            if detection.is_ai(marks, policy):
                names = self._names(marks)
                reasons.append(Reason(code=Code.PUSHED_PAST, sha=commit.oid, detail=names))
        if not complete:
            reasons.append(Reason(code=Code.PUSH_TOO_LONG, detail=str(len(beyond))))
        return tuple(reasons)

    def _remembered(self, where: Repository, commit: Commit) -> list[Signal]:
        """What was seen of this very commit elsewhere, in a pull request that never was merged."""
        change = Change(repository_id=where.id, number=0, head_oid=commit.oid)
        return [item.signal for item in self._store.memory.read(change).evidence]

    def _ask_merged(self, task: Task, pulls: dict[str, tuple[MergedPull, ...]]) -> None:
        """Have those merges looked at that nobody told us of."""
        numbers = {pull.number for of in pulls.values() for pull in of}
        asked = self._store.queue.asked(TaskKind.MERGED, task.repository_id) if numbers else {}
        wanted = sorted(number for number in numbers if str(number) not in asked)
        self._store.queue.add([landed_task(task, number, priority=BULK) for number in wanted])

    def _as_passed(
        self, where: Repository, pulls: tuple[MergedPull, ...], branch: str
    ) -> tuple[MergedPull, ...]:
        """What passed the gate on the way to another branch has passed it."""
        return tuple(
            replace(pull, base_ref=branch)
            if pull.base_ref != branch and self._has_passed(where, pull.number)
            else pull
            for pull in pulls
        )

    def _has_passed(self, where: Repository, number: int) -> bool:
        about_it = Filter(repository_id=where.id, number=number)
        found = [record.entry for record in self._store.audit.records(about_it)]
        judged = [entry for entry in found if entry.kind is RecordKind.JUDGED]
        return (
            bool(judged)
            and judged[-1].fields.get("conclusion") == Conclusion.SUCCESS
            and all(entry.kind is not RecordKind.BYPASSED for entry in found)
        )

    def _seen(self, claim: Claim, arrival: _Arrival, actor: Actor | None) -> None:
        """A push that no webhook told of is remembered as one that was looked at."""
        if claim.task.hint.get("swept"):
            push = Push(
                actor=actor,
                before=arrival.before or arrival.after,
                after=arrival.after,
                at=self._now(),
                kind="push",
            )
            seen = BranchPush(repository_id=arrival.repository.id, ref=arrival.branch, push=push)
            self._store.memory.add_pushes([seen])

    # --- what both need --------------------------------------------------------------------------

    def _marks(self, commit: Commit, policy: DetectionPolicy) -> tuple[Signal, ...]:
        catalogue = self._judgement.catalogue.with_policy(policy)
        return detect_commit(catalogue, CommitText.of(commit))

    def _names(self, marks: list[Signal]) -> str:
        names = self._judgement.catalogue.names
        return ", ".join(dict.fromkeys(names.get(mark.tool, "an AI tool") for mark in marks))


def _arrival(task: Task) -> _Arrival:
    owner, _, name = task.full_name.partition("/")
    branch, _, after = task.subject.rpartition(":")
    default = task.hint.get("default_branch")
    repository = Repository(
        id=task.repository_id,
        owner=owner,
        name=name,
        default_branch=default if isinstance(default, str) and default else None,
    )
    told = task.hint.get("before")
    before = told if isinstance(told, str) and told.strip("0") else ""
    if not before and repository.default_branch not in {None, branch}:
        before = str(repository.default_branch)  # a new branch: what it has beyond the default one
    return _Arrival(repository=repository, branch=branch, before=before, after=after)
