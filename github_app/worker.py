"""Claim -> snapshot -> judge -> publish -> record: this file is that order, once per pull request.

A judgement may be repeated at any time and by anybody: it reads the newest state and writes only
what differs. What goes wrong ends in one of three ways: asked again later, published as "cannot
judge", or (when the lease is gone) left to whoever holds it now.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from github_app.branch_rules import ProtectedBranches
from github_app.clean_landings import CleanLandings
from github_app.content import Contents
from github_app.drift import Drift
from github_app.expansion import Expansion, seen
from github_app.gateway import commit
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.errors import (
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    RateLimited,
    Suspended,
)
from github_app.gateway.pull_request import Snapshot
from github_app.incidents import Incidents
from github_app.judge.errors import CountersignError
from github_app.judge.facts import BodyEdit
from github_app.judge.outcome import worst
from github_app.judge.reasons import Code, Reason
from github_app.judgement import Judged, Judgement, Subject
from github_app.landings import Landings, landed_task
from github_app.leases import LeaseKeeper
from github_app.logs import get_logger, trace
from github_app.look import Activity, Looker
from github_app.merge_group import group_task
from github_app.merge_queue import MergeQueue
from github_app.pace import BulkPace
from github_app.publishing import (
    STALE_READS,
    LeaseLost,
    NotYet,
    Publisher,
    StaleRead,
    Target,
    about,
    head_task,
    installation_of,
)
from github_app.rosters import RosterDesk
from github_app.store.audit import Filter
from github_app.store.claim import Blame, Claim
from github_app.store.database import Store
from github_app.store.errors import StoreError
from github_app.store.grounds import NO_HEAD, Ground
from github_app.store.task import BULK, Task, TaskKind
from github_app.sweep import Sweeper
from github_app.told import Told, told_by

log = get_logger("worker")

# So often what seems to be gone is asked for again: 1, 2, 4 and 8 seconds.
GONE_READS = 4
# After so many failures in a row the check says so, where a head is known to say it on.
SILENT_FAILURES = 2


class Worker:
    """Does one piece of work after the other. One per thread; they share their parts."""

    def __init__(
        self,
        *,
        name: str,
        github: GitHub,
        store: Store,
        judgement: Judgement,
        rosters: RosterDesk,
        leases: LeaseKeeper,
        sweeper: Sweeper,
        looker: Looker,
        activity: Activity,
        web_url: str,
        protected: ProtectedBranches,
        contents: Contents,
        now: Callable[[], datetime],
    ) -> None:
        self.name = name
        self._github = github
        self._store = store
        self._judgement = judgement
        self._leases = leases
        self._sweeper = sweeper
        self._looker = looker
        self._activity = activity
        self._pace = BulkPace(github=github, store=store, now=now)
        self._now = now
        self._publisher = Publisher(
            github=github, store=store, check_name=judgement.check_name, web_url=web_url
        )
        self._drift = Drift(
            github=github,
            store=store,
            app_id=judgement.app_id,
            check_name=judgement.check_name,
        )
        self._protected = protected
        self._merge_queue = MergeQueue(
            store=store,
            judgement=judgement,
            publisher=self._publisher,
            contents=contents,
            judge=self._judge,
        )
        self._landings = Landings(
            store=store,
            judgement=judgement,
            rosters=rosters,
            publisher=self._publisher,
            incidents=Incidents(
                store=store,
                app_id=judgement.app_id,
                check_name=judgement.check_name,
                web_url=web_url,
            ),
            clean=CleanLandings(store=store, rosters=rosters, publisher=self._publisher),
            protected=protected,
            now=now,
        )
        self._expansion = Expansion(
            queue=store.queue,
            grounds=store.grounds,
            rosters=rosters,
            memory=store.memory,
            app_id=judgement.app_id,
            check_name=judgement.check_name,
        )

    def step(self) -> bool:
        """Claim and do one piece of work. False: there was none."""
        claim = self._store.queue.claim(self.name)
        if claim is None:
            return False
        if claim.deliveries:
            self._activity.mark(claim.task.installation_id)
        with self._leases.kept(claim):
            self._do(claim)
        return True

    # --- what may come out of a claim ------------------------------------------------------------

    def _do(self, claim: Claim) -> None:
        """Do the work; every way out settles the claim or gives it back."""
        try:
            self._dispatch(claim)
        except LeaseLost:
            self._lost(claim)
        except RateLimited as error:
            self._limited(claim, error)
        except NotYet as error:
            self._store.queue.retry(claim, str(error), delay=error.seconds, blame=Blame.NOBODY)
        except NotFound as error:
            self._gone(claim, error)
        except Suspended as error:
            log.info("suspended", reason=str(error), **about(claim))
            # Nothing can be judged. Once it is unsuspended nothing that was judged before counts,
            # so that the sweep finds it all even if nobody tells us.
            self._store.grounds.changed(claim.task.installation_id)
            self._store.queue.settle(claim)
        except IncompleteSnapshot as error:
            reason = Reason(code=Code.INCOMPLETE, detail=error.what)
            self._failed(claim, error, reason, retryable=error.retryable)
        except GitHubError as error:
            reason = Reason(code=Code.GITHUB_FAILED, detail=type(error).__name__)
            self._failed(claim, error, reason, retryable=error.retryable)
        except StoreError:
            raise  # the database is away: whoever runs us waits for it
        except Exception as error:  # noqa: BLE001 -- a fault of ours must not kill the worker
            kind = type(error).__name__
            log.error("fault", kind=kind, trace=trace(error), **about(claim))
            fault = CountersignError(f"unexpected {kind}")
            self._failed(claim, fault, Reason(code=Code.INTERNAL, detail=kind), retryable=False)

    def _lost(self, claim: Claim) -> None:
        """Nothing was published, so it is judged once more, even where the lease is still ours."""
        log.info("lease lost", **about(claim))
        left = "too little of the lease was left"
        if not self._store.queue.retry(claim, left, blame=Blame.NOBODY):
            self._store.queue.settle(claim)  # refused by its token; asks for one more judgement

    def _limited(self, claim: Claim, error: RateLimited) -> None:
        """``Retry-After`` is the installation's, not the row's: nothing of it is claimed before."""
        seconds = max((error.until - self._now()).total_seconds(), 1.0)
        log.warning("rate limited", seconds=round(seconds), **about(claim))
        self._store.queue.block_installation(claim.task.installation_id, seconds)
        self._pace.refused(claim.task, seconds)
        self._store.queue.retry(claim, str(error), blame=Blame.NOBODY)

    def _gone(self, claim: Claim, error: NotFound) -> None:
        """It does not exist, or has another name by now: then it is asked for under that one."""
        task = claim.task
        name = self._name_now(task)
        if name is not None and name != task.full_name:
            log.info("renamed", now=name, **about(claim))
            self._store.queue.add([replace(task, full_name=name)])
        elif claim.attempts < GONE_READS:
            # A replica that lags does not know yet what is there: it is asked a few times.
            delay = 2.0**claim.attempts
            self._store.queue.retry(claim, str(error), delay=delay, blame=Blame.NOBODY)
            return
        else:
            log.info("gone", reason=str(error), **about(claim))
            if task.kind is TaskKind.PULL_REQUEST:
                # Should it be there after all, the sweep finds that nobody has judged it.
                self._store.grounds.forget(task.repository_id, [int(task.subject)])
        self._store.queue.settle(claim)

    def _name_now(self, task: Task) -> str | None:
        """The repository's name by its id; None where the installation cannot see it."""
        if not task.installation_id or not task.repository_id:
            return None
        try:
            installation = self._github.installation(task.installation_id)
            return commit.full_name(installation, task.repository_id)
        except (NotFound, Suspended):
            return None

    def _failed(
        self, claim: Claim, error: CountersignError, reason: Reason, *, retryable: bool
    ) -> None:
        """Not judged: try again later, and say so on the check before anybody has to wonder."""
        kind = type(error).__name__
        log.warning("not judged", kind=kind, reason=str(error), advice=error.advice, **about(claim))
        self._store.counters.add("errors", {"kind": kind})
        failures = claim.attempts + 1
        if _time_to_say_so(failures, retryable=retryable) or (
            failures > SILENT_FAILURES and self._publisher.is_silent(claim)  # pushed to meanwhile
        ):
            self._publisher.say_failed(claim, reason)
        blame = Blame.GITHUB if retryable else Blame.WORK
        self._store.queue.retry(claim, f"{kind}: {error}", blame=blame)

    # --- the kinds of work -----------------------------------------------------------------------

    def _dispatch(self, claim: Claim) -> None:
        if claim.task.kind is TaskKind.SWEEP:
            self._sweep(claim)
            return
        self._spare_the_limit(claim)
        if claim.task.kind is TaskKind.LOOK:
            self._looker.look(claim.task.installation_id)
            self._store.queue.settle(claim)
            return
        installation = installation_of(self._github, claim.task)
        match claim.task.kind:
            case TaskKind.PULL_REQUEST:
                self._pull_request(claim, installation)
            case TaskKind.MERGE_GROUP:
                self._merge_queue.judge(claim, installation)
            case TaskKind.HEAD | TaskKind.REPOSITORY | TaskKind.INSTALLATION:
                self._widen(claim, installation)
            case TaskKind.DOCTOR:
                self._doctor(claim, installation)
            case TaskKind.PUSH:
                self._landings.pushed(claim, installation)
            case TaskKind.MERGED:
                self._landings.merged(claim, installation)
            case _:
                assert_never(claim.task.kind)

    def _sweep(self, claim: Claim) -> None:
        """What could not be looked at is looked at again, and not only when the next one is due."""
        problems = self._sweeper.sweep().problems
        if problems:
            seconds = self._sweeper.again_in(claim.attempts)
            what = "; ".join(problems)
            self._store.queue.retry(claim, what, delay=seconds, blame=Blame.NOBODY)
        else:
            self._store.queue.settle(claim)

    def _spare_the_limit(self, claim: Claim) -> None:
        """Bulk work leaves part of the installation's limits to events that people wait for."""
        if claim.task.priority < BULK and claim.task.kind is not TaskKind.LOOK:
            return
        seconds = self._pace.wait(claim.task)
        if seconds > 0:
            self._store.queue.hold_bulk(claim.task.installation_id, seconds)
            raise NotYet("what is left of GitHub's limits is kept for events", seconds=seconds)

    def _widen(self, claim: Claim, installation: Installation) -> None:
        if claim.task.kind is TaskKind.INSTALLATION:
            # Raised when the event came; once more now, for GitHub may have lagged behind it.
            self._store.grounds.changed(installation.id)
        found = list(self._expansion.expand(installation, claim.task))
        self._store.queue.add(found)
        log.info("widened", found=len(found), **about(claim))
        self._store.queue.settle(claim)

    def _pull_request(self, claim: Claim, installation: Installation) -> None:
        told = self._told(claim)
        withdrew = self._publisher.withdraw(claim, self._news(claim, told))
        snapshot = self._judgement.read(installation, _subject(claim.task))
        stale = _is_stale(claim, snapshot)
        _refuse_no_commits(claim, snapshot)
        snapshot = _with_told_bodies(snapshot, told)
        if snapshot.pull.state != "OPEN":
            self._give_back(claim, told)
            self._closed(claim, snapshot)
            return
        self._give_back(claim, told, judged=snapshot.pull.head_oid)
        own = self._judge(installation, snapshot)
        claim = claim.having_seen({claim.task.subject: seen(snapshot.pull)})
        claim, judged = self._with_twins(claim, installation, own)
        if stale and judged.verdict.outcome.green:
            raise IncompleteSnapshot("GitHub still shows a state older than the event")
        pull = snapshot.pull
        if stale:
            self._store.grounds.forget(pull.repository.id, [pull.number])  # the sweep asks again
        else:
            self._store.grounds.keep([_ground(own)])
        if pull.queue_entry is not None and pull.queue_entry.head_oid:
            # What is said of the pull request must reach the commit that the queue would merge.
            group = group_task(claim.task, pull.queue_entry.head_oid, pull.base_ref)
            self._store.queue.add([group])
        # What was withdrawn is newer than what the snapshot may show: only a new run supersedes it.
        standing = None if withdrew else pull.check
        target = Target(repository=pull.repository, oid=pull.head_oid, standing=standing)
        self._publisher.publish(claim, installation, judged, target)

    def _news(self, claim: Claim, told: tuple[Told, ...]) -> tuple[Told, ...]:
        """What the last judgement did not see: a delivery that comes late takes no green down that
        was published in full knowledge of it."""
        if not any(one.doubtful for one in told):
            return ()
        known = self._store.queue.known([claim.task]).get(claim.key)
        seen = known.seen if known else None
        return tuple(one for one in told if one.is_news_to(seen))

    def _give_back(self, claim: Claim, told: tuple[Told, ...], *, judged: str = "") -> None:
        """A commit whose green was withdrawn, and that is not judged here: no head any more, or
        of nobody who is open. Whoever else has it as their head gets their own verdict back."""
        left = {one.doubtful for one in told if one.doubtful} - {judged}
        self._store.queue.add([head_task(claim.task, oid) for oid in sorted(left)])

    def _told(self, claim: Claim) -> tuple[Told, ...]:
        """What the deliveries behind the claim say beyond *look again*."""
        return tuple(told_by(self._store.inbox.get(guid)) for guid in claim.deliveries)

    def _closed(self, claim: Claim, snapshot: Snapshot) -> None:
        """Nothing is published any more. A merge is looked at, if it was ever judged here."""
        pull = snapshot.pull
        self._store.grounds.forget(pull.repository.id, [pull.number])
        log.info("closed", state=pull.state, **about(claim))
        if pull.state == "MERGED":
            judged = Filter(repository_id=pull.repository.id, number=pull.number)
            if any(True for _ in self._store.audit.records(judged, newest=1)):
                self._store.queue.add([landed_task(claim.task, pull.number)])
        self._store.queue.settle(claim)

    def _doctor(self, claim: Claim, installation: Installation) -> None:
        """Rules, permissions or repositories changed: is the check still required?"""
        self._protected.forget(claim.task.repository_id)
        self._drift.look(installation, claim.task, claim.deliveries)
        self._store.queue.settle(claim)

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
        tasks = [replace(claim.task, subject=str(one.number), hint={}) for one in siblings]
        joint = self._store.queue.claim_also(claim, tasks)
        if joint is None:
            raise StaleRead("a pull request with the same head is being judged")
        self._leases.keep(joint)
        twins = []
        for one in siblings:
            subject = replace(_subject(claim.task), number=one.number)
            snapshot = self._judgement.read(installation, subject)
            _refuse_no_commits(claim, snapshot)
            twins.append(self._judge(installation, snapshot))
        family = [own, *twins]
        news = [self._publisher.remember(judged) for judged in family]  # of each, not of the first
        if any(news):
            # What is seen of one holds for all of them, their commits are the same: what is seen
            # for the first time, and what was known but not yet of this head.
            own, *twins = [self._judgement.judge(installation, one.snapshot) for one in family]
        for judged in (own, *twins):
            self._publisher.remember(judged)
        self._store.grounds.keep([_ground(judged) for judged in twins])
        joint = joint.having_seen(
            {str(one.snapshot.pull.number): seen(one.snapshot.pull) for one in family}
        )
        return joint, _worst_of([own, *twins])


def _worst_of(family: list[Judged]) -> Judged:
    """What the commit that they share is said to be; seen from the first of them.

    One without commits would merge nothing: it holds up none that would.
    """
    first, *others = [one for one in family if one.snapshot.pull.commits] or family
    return replace(first, verdict=worst(first.verdict, tuple(one.verdict for one in others)))


def _time_to_say_so(failures: int, *, retryable: bool) -> bool:
    """At the first failure that will not pass by itself, else at the second; then ever more
    rarely: every time is another check run."""
    first = SILENT_FAILURES if retryable else 1
    return failures >= first and failures.bit_count() == 1


def _is_stale(claim: Claim, snapshot: Snapshot) -> bool:
    """Whether the snapshot is older than the event that asked for it.

    Raises StaleRead so often, and no oftener; after that nothing green is published on it.
    """
    told = claim.hint.get("updated_at")
    if not isinstance(told, str) or not told:
        return False
    try:
        event_at = datetime.fromisoformat(told)
    except ValueError:
        return False
    stale = event_at.tzinfo is not None and snapshot.pull.updated_at < event_at
    if stale and claim.attempts < STALE_READS:
        raise StaleRead("the snapshot is older than the event")
    return stale


def _refuse_no_commits(claim: Claim, snapshot: Snapshot) -> None:
    """No commits are most likely a list that lags: asked again a few times, then it is so.

    Raises: NotYet.
    """
    pull = snapshot.pull
    if pull.state == "OPEN" and not pull.commits and claim.attempts < GONE_READS:
        raise NotYet("GitHub lists no commits", seconds=2.0**claim.attempts)


def _with_told_bodies(snapshot: Snapshot, told: tuple[Told, ...]) -> Snapshot:
    """Add the bodies that ``edited`` events told of: their history on GitHub can be blanked."""
    pull = snapshot.pull
    edits = tuple(
        BodyEdit(edited_at=pull.updated_at, editor=None, text=one.body) for one in told if one.body
    )
    if not edits:
        return snapshot
    return replace(snapshot, pull=replace(pull, body_edits=(*pull.body_edits, *edits)))


def _ground(judged: Judged) -> Ground:
    pull, again_at = judged.snapshot.pull, judged.again_at
    return Ground(
        repository_id=pull.repository.id,
        number=pull.number,
        head_oid=pull.head_oid if pull.commits else NO_HEAD,
        digest=judged.ground,
        again_at=None if again_at is None else again_at.timestamp(),
    )


def _subject(task: Task) -> Subject:
    owner, _, name = task.full_name.partition("/")
    return Subject(
        repository_id=task.repository_id, owner=owner, name=name, number=int(task.subject)
    )
