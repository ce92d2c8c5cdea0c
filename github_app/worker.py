"""Claim -> snapshot -> judge -> publish -> record: this file is that order, once per pull request.

A judgement may be repeated at any time and by anybody: it reads the newest state and writes only
what differs. What goes wrong ends in one of three ways: asked again later, published as "cannot
judge", or (when the lease is gone) left to whoever holds it now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from github_app.expansion import expand
from github_app.gateway import check_run, merge_queue
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.errors import (
    Forbidden,
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    RateLimited,
    Refused,
    Suspended,
)
from github_app.gateway.pull_request import Snapshot
from github_app.judge.errors import CountersignError
from github_app.judge.facts import CheckRun, PullRequest, Repository
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import Conclusion, Report, report, withdrawn
from github_app.judge.verdict import Outcome, Verdict, cannot_judge, worst
from github_app.judgement import Judged, Judgement, Subject
from github_app.logs import get_logger, trace
from github_app.records import failed_entry, judged_entry, published_entry
from github_app.rosters import RosterDesk
from github_app.store.claim import Claim
from github_app.store.database import Store
from github_app.store.task import PERSON_WAITS, HintValue, Task, TaskKind

log = get_logger("worker")

# A write to GitHub takes at most this long (gateway timeouts): less lease left, and it is not begun.
PUBLISH_SECONDS = 5.0
# How often a snapshot that is older than the event that asked for it is read again, and how soon.
STALE_READS = 6
STALE_DELAY = 0.25
# After so many failures in a row the check says so, where a head is known to say it on.
SILENT_FAILURES = 2


class StaleRead(CountersignError):
    """GitHub answered with a state older than the event: its replicas lag for a moment."""

    advice = "Nothing to do: it is read again."


class LeaseLost(CountersignError):
    """Another worker has taken the work over; whatever we know may be old."""

    advice = "Nothing to do: the other worker publishes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a verdict is published: a commit, and what stands there as our check run."""

    repository: Repository
    oid: str
    standing: CheckRun | None


class Worker:
    """Does one piece of work after the other. One per thread; they share everything they are given."""

    def __init__(
        self,
        *,
        name: str,
        github: GitHub,
        store: Store,
        judgement: Judgement,
        rosters: RosterDesk,
        check_name: str,
        web_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self.name = name
        self._github = github
        self._store = store
        self._judgement = judgement
        self._rosters = rosters
        self._check_name = check_name
        self._web_url = web_url
        self._now = now

    def step(self) -> bool:
        """Claim and do one piece of work. False: there was none."""
        claim = self._store.queue.claim(self.name)
        if claim is None:
            return False
        with self._store.leases.kept(claim):
            self._do(claim)
        return True

    # --- what may come out of a claim -------------------------------------------------------------

    def _do(self, claim: Claim) -> None:
        """Do the work; every way out settles the claim or gives it back."""
        task = claim.task
        try:
            self._dispatch(claim)
        except LeaseLost:
            log.info("lease lost", **_about(claim))
            self._store.queue.settle(claim)
        except RateLimited as error:
            seconds = max((error.until - self._now()).total_seconds(), 1.0)
            log.warning("rate limited", seconds=round(seconds), **_about(claim))
            self._store.queue.block_installation(task.installation_id, seconds)
            self._store.queue.retry(claim, str(error), transient=True)
        except StaleRead as error:
            self._store.queue.retry(claim, str(error), delay=STALE_DELAY, transient=True)
        except NotFound as error:
            log.info("gone", reason=str(error), **_about(claim))
            self._store.queue.settle(claim)
        except Suspended as error:
            log.info("suspended", reason=str(error), **_about(claim))
            self._store.queue.settle(claim)
        except GitHubError as error:
            self._failed(claim, error, Code.GITHUB_FAILED, retryable=error.retryable)
        except CountersignError as error:
            self._failed(claim, error, Code.INTERNAL, retryable=True)
        except Exception as error:  # noqa: BLE001 -- a fault of ours must not kill the worker
            log.error("fault", kind=type(error).__name__, trace=trace(error), **_about(claim))
            fault = CountersignError(f"unexpected {type(error).__name__}")
            self._failed(claim, fault, Code.INTERNAL, retryable=False)

    def _failed(
        self, claim: Claim, error: CountersignError, code: Code, *, retryable: bool
    ) -> None:
        """Not judged: try again later, and say so on the check before anybody has to wonder."""
        kind = type(error).__name__
        log.warning("not judged", kind=kind, reason=str(error), advice=error.advice, **_about(claim))
        self._store.counters.add("errors", {"kind": kind})
        if not retryable or claim.attempts + 1 >= SILENT_FAILURES:
            self._say_failed(claim, Reason(code=code, detail=kind))
        self._store.queue.retry(claim, f"{kind}: {error}", transient=retryable)

    def _say_failed(self, claim: Claim, reason: Reason) -> None:
        """Put "cannot judge" on the head that the event named: never leave an old green there."""
        oid = claim.hint.get("head_sha")
        if claim.task.kind is not TaskKind.PULL_REQUEST or not isinstance(oid, str):
            return
        try:
            installation = self._github.installation(claim.task.installation_id)
            said = withdrawn(reason)
            entry = failed_entry(claim.task, oid, said, reason, claim.deliveries)
            receipt = self._store.audit.append(entry).hash
            check_run.replace_unseen(
                installation,
                _hinted_repository(claim.task),
                oid,
                said,
                name=self._check_name,
                receipt=receipt,
            )
        except GitHubError as error:
            log.warning("could not say so", reason=str(error), **_about(claim))

    # --- the kinds of work ------------------------------------------------------------------------

    def _dispatch(self, claim: Claim) -> None:
        installation = self._installation(claim)
        match claim.task.kind:
            case TaskKind.PULL_REQUEST:
                self._pull_request(claim, installation)
            case TaskKind.MERGE_GROUP:
                self._merge_group(claim, installation)
            case TaskKind.HEAD | TaskKind.REPOSITORY | TaskKind.INSTALLATION:
                self._widen(claim, installation)
            case _:
                log.info("nothing to do for this kind yet", **_about(claim))
                self._store.queue.settle(claim)

    def _installation(self, claim: Claim) -> Installation:
        task = claim.task
        if task.installation_id:
            return self._github.installation(task.installation_id)
        owner, _, name = task.full_name.partition("/")
        return self._github.installation(installation_of(self._github, owner, name))

    def _widen(self, claim: Claim, installation: Installation) -> None:
        if claim.task.kind is TaskKind.INSTALLATION:
            self._rosters.forget_members(installation.id)
        found = list(expand(installation, claim.task))
        self._store.queue.add(found)
        log.info("widened", found=len(found), **_about(claim))
        self._store.queue.settle(claim)

    def _pull_request(self, claim: Claim, installation: Installation) -> None:
        subject = _subject(claim.task)
        self._withdraw(claim, installation)
        snapshot = self._judgement.read(installation, subject)
        _refuse_stale(claim, snapshot)
        if snapshot.pull.state != "OPEN":
            log.info("not open", state=snapshot.pull.state, **_about(claim))
            self._store.queue.settle(claim)
            return
        own = self._judge(installation, snapshot)
        claim, judged = self._with_twins(claim, installation, own)
        pull = snapshot.pull
        target = Target(repository=pull.repository, oid=pull.head_oid, standing=pull.check)
        self._publish(claim, installation, judged, target)
        if pull.queue_entry is not None and pull.queue_entry.head_oid:
            self._store.queue.add([_group_task(claim.task, pull.queue_entry.head_oid)])

    def _judge(self, installation: Installation, snapshot: Snapshot) -> Judged:
        judged = self._judgement.judge(installation, snapshot)
        self._store.counters.add("judgements", {"outcome": judged.verdict.outcome.value})
        return judged

    def _with_twins(
        self, claim: Claim, installation: Installation, own: Judged
    ) -> tuple[Claim, Judged]:
        """The worst verdict of all open pull requests with this head: the check is the commit's.

        Their rows are leased too, so that nobody publishes on this commit meanwhile.
        """
        siblings = own.snapshot.pull.siblings
        if not siblings:
            return claim, own
        subject = _subject(claim.task)
        tasks = [replace(claim.task, subject=str(one.number), hint={}) for one in siblings]
        joint = self._store.queue.claim_also(claim, tasks)
        if joint is None:
            raise StaleRead("a pull request with the same head is being judged")
        twins = [
            self._judge(
                installation,
                self._judgement.read(installation, replace(subject, number=one.number)),
            )
            for one in siblings
        ]
        everything = [own, *twins]
        verdict = worst(own.verdict, tuple(twin.verdict for twin in twins))
        for judged in everything:
            self._remember(judged)
        return joint, replace(own, verdict=verdict)

    def _merge_group(self, claim: Claim, installation: Installation) -> None:
        """Judge a merge group by the pull requests in it; what cannot be traced is not green."""
        group = trace_group(installation, claim.task)
        judged = self._judge_group(installation, group)
        standing = check_run.standing(
            installation,
            group.repository,
            group.head_oid,
            name=self._check_name,
            app_id=self._judgement.app_id,
        )
        target = Target(repository=group.repository, oid=group.head_oid, standing=standing)
        self._publish(claim, installation, judged, target)

    def _judge_group(self, installation: Installation, group: Group) -> Judged:
        """The worst verdict of the group's pull requests, each with the head that was queued."""
        found: list[Judged] = []
        for member in group.members:
            subject = group.subject(member.number)
            judged = self._judge(installation, self._judgement.read(installation, subject))
            if judged.snapshot.pull.head_oid != member.head_oid:
                stale = Reason(code=Code.GROUP_STALE, detail=f"#{member.number}")
                judged = replace(judged, verdict=cannot_judge(judged.snapshot.pull, stale))
            found.append(judged)
        decisive = min(found, key=lambda judged: SEVERITY.index(judged.verdict.outcome))
        if not group.traced:
            unknown = Reason(code=Code.GROUP_UNKNOWN)
            decisive = replace(decisive, verdict=cannot_judge(decisive.snapshot.pull, unknown))
        return decisive

    # --- publish and record -----------------------------------------------------------------------

    def _publish(
        self, claim: Claim, installation: Installation, judged: Judged, target: Target
    ) -> None:
        """Write the check run if it differs from what stands, between two audit records.

        The order matters: 1. remember the evidence and write down what will be published, so that
        no verdict is without a record; 2. make sure that the lease outlasts the call; 3. publish;
        4. write down that it was, and settle, in one transaction.
        """
        said = report(judged.verdict, web_url=self._web_url, annotations=judged.annotations)
        if check_run.stands(target.standing, said):
            self._remember(judged)
            log.info("unchanged", **_outcome(judged, said), **_about(claim))
            self._store.queue.settle(claim)
            return
        entry = judged_entry(judged, said, claim.deliveries, oid=target.oid)
        receipt = self._remember(judged, entry)
        if not self._store.queue.holds(claim, PUBLISH_SECONDS):
            raise LeaseLost("not enough of the lease is left to publish")
        published = check_run.publish(
            installation,
            target.repository,
            target.oid,
            target.standing,
            said,
            name=self._check_name,
            receipt=receipt.hash,
            details_url=None,
        )
        record = published_entry(receipt, published.check_run_id)
        held = self._store.queue.settle(claim, records=[record])
        self._store.counters.add("publications", {"conclusion": said.conclusion.value})
        log.info("published", held=held, **_outcome(judged, said), **_about(claim))
