"""Publish and record: the one place that writes check runs, under the lease, between audit records.

Every way to write goes through here, so that no verdict stands on GitHub without a record, and none
is written by a worker whose lease is gone.
"""

from dataclasses import dataclass, replace

from github_app import records
from github_app.gateway import app as the_app
from github_app.gateway import check_run
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.errors import GitHubError
from github_app.judge.errors import CountersignError
from github_app.judge.facts import CheckRun, Repository
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import Conclusion, Report, held, report, withdrawn
from github_app.judgement import Judged, change_of, traces
from github_app.logs import get_logger
from github_app.pace import wrote
from github_app.said import STANDING, VERDICTS, has_landed, stands_as_landed
from github_app.store.audit import AuditRecord, Entry, Filter
from github_app.store.checks import Place, Written
from github_app.store.claim import Claim
from github_app.store.database import Store
from github_app.store.task import Task, TaskKind
from github_app.told import Told

log = get_logger("publishing")


# A write to GitHub takes about this long at most: with less lease left it is not begun.
PUBLISH_SECONDS = 5.0
# A snapshot older than the event that asked for it is read again so often, and so soon.
STALE_READS, STALE_DELAY = 8, 0.25
# Heads that this worker knows to be remembered already.
HEADS_KEPT = 10_000


class NotYet(CountersignError):
    """Nothing is wrong, but it is too early. ``seconds``: how long to wait before asking again."""

    advice = "Nothing to do: it goes on by itself."

    def __init__(self, why: str, *, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class StaleRead(NotYet):
    """GitHub answered with a state older than the event: its replicas lag for a moment."""

    def __init__(self, why: str) -> None:
        super().__init__(why, seconds=STALE_DELAY)


class LeaseLost(CountersignError):
    """Another worker has taken the work over; whatever we know may be old."""

    advice = "Nothing to do: the other worker publishes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a verdict is published: a commit, and what stands there as our check run."""

    repository: Repository
    oid: str
    standing: CheckRun | None


class Publisher:
    """Writes check runs and their records. One per worker."""

    def __init__(self, *, github: GitHub, store: Store, check_name: str, web_url: str) -> None:
        self._github = github
        self._store = store
        self._check_name = check_name
        self._web_url = web_url
        self._heads: set[tuple[int, int, str]] = set()

    def publish(
        self, claim: Claim, installation: Installation, judged: Judged, target: Target
    ) -> None:
        """Write the check run if it differs from what stands, between two audit records.

        The order matters: 1. remember the evidence and write down what will be published, so that
        no verdict is without a record; 2. make sure that the lease outlasts the call; 3. publish;
        4. write down that it was, and settle, in one transaction.
        """
        target = replace(target, standing=self._believed(target))
        said = report(judged.verdict, web_url=self._web_url, annotations=judged.annotations)
        if check_run.stands(target.standing, said):
            self.remember(judged)
            log.info("unchanged", **_outcome(judged, said), **about(claim))
            self._store.queue.settle(claim)
            return
        self.remember(judged)
        entry = records.judged(judged, said, target.oid, claim.deliveries)
        receipt = self._store.audit.append(entry)
        if not self._store.queue.holds(claim, PUBLISH_SECONDS):
            raise LeaseLost("not enough of the lease is left to publish")
        wrote(self._store, claim.task)
        published = self._write(claim, installation, target, said, receipt)
        record = records.published(receipt, published.check_run_id)
        held = self._store.queue.settle(claim, records=[record])
        self._store.counters.add("publications", {"conclusion": said.conclusion.value})
        log.info("published", held=held, **_outcome(judged, said), **about(claim))

    def _write(
        self,
        claim: Claim,
        installation: Installation,
        target: Target,
        said: Report,
        receipt: AuditRecord,
    ) -> check_run.Published:
        try:
            return self._send(installation, target, said, receipt)
        except GitHubError as error:
            log.warning("not published", reason=str(error), **about(claim))
            self._store.audit.append(records.refused(receipt, type(error).__name__))
            raise

    def _send(
        self, installation: Installation, target: Target, said: Report, receipt: AuditRecord
    ) -> check_run.Published:
        """Write, and note on both sides of it what now stands. Raises: GitHubError, StoreError."""
        place = self._place(target)
        self._store.checks.begin(place)
        published = self._create(installation, target, said, receipt)
        written = Written(run_id=published.check_run_id, digest=check_run.digest(said))
        self._store.checks.done(place, written)
        return published

    def _create(
        self, installation: Installation, target: Target, said: Report, receipt: AuditRecord
    ) -> check_run.Published:
        return check_run.publish(
            installation,
            target.repository,
            target.oid,
            target.standing,
            said,
            external_id=check_run.external_id(said, receipt.receipt),
            name=self._check_name,
        )

    def _believed(self, target: Target) -> CheckRun | None:
        """What GitHub shows on the commit, if it is what was last written there by any process.

        GitHub may show an older run for a while: to find that it says the right thing, or to
        update it, would leave the newer one standing. None: only a new run is sure to supersede.
        """
        shown, last = target.standing, self._store.checks.last(self._place(target))
        if shown is None or last is None:
            return shown
        if last == Written(run_id=shown.id, digest=check_run.digest_shown(shown)):
            return shown
        log.info("another check run was written", shown=shown.id, written=last.run_id)
        return None

    def _place(self, target: Target) -> Place:
        return Place(
            repository_id=target.repository.id, oid=target.oid, check_name=self._check_name
        )

    def remember(self, judged: Judged) -> bool:
        """Keep the evidence, the pushes and the repository's name, before anything is said on
        their ground; whether anything of it is new, or new for this head."""
        pull = judged.snapshot.pull
        if pull.repository.full_name.casefold() not in judged.known.names:
            self._store.names.note(pull.repository.id, pull.repository.full_name)
        head = (pull.repository.id, pull.number, pull.head_oid)
        if judged.memory == judged.known and head in self._heads:
            return False
        found = traces(judged)
        self._store.memory.add(
            change_of(pull),
            judged.memory,
            patch_signals=found.patch_signals,
            likenesses=found.likenesses,
            seen_at=max(pull.taken_at, pull.updated_at),
        )
        self._heads = {head} if len(self._heads) >= HEADS_KEPT else self._heads | {head}
        return True

    def say_landed(
        self,
        claim: Claim,
        installation: Installation,
        repository: Repository,
        oid: str,
        said: Report,
        entry: Entry,
    ) -> Entry | None:
        """Publish the check on a merge where nothing of ours stands; what is then to be recorded.

        None: there is something, or came meanwhile. A pull request with this head goes first: its
        own verdict stands, and if two writes met it is published again.
        Raises: LeaseLost, GitHubError, StoreError.
        """
        target = Target(repository=repository, oid=oid, standing=None)
        place = self._place(target)
        if self._stands_on(repository.id, oid) or not self._store.checks.begin_first(place):
            self.look_again_at_landing(claim, repository.id, oid)
            return None
        receipt = self._store.audit.append(entry)
        if not self._store.queue.holds(claim, PUBLISH_SECONDS):
            raise LeaseLost("not enough of the lease is left to publish")
        try:
            published = self._create(installation, target, said, receipt)
        except GitHubError as error:
            self._store.audit.append(records.refused(receipt, type(error).__name__))
            raise
        written = Written(run_id=published.check_run_id, digest=check_run.digest(said))
        if not self._store.checks.done_first(place, written):
            reason = Reason(code=Code.WITHDRAWN)
            self.publish_unread(claim, oid, withdrawn(reason), reason)
            self._store.queue.add([head_task(claim.task, oid)])
            return None
        self._store.counters.add("publications", {"conclusion": said.conclusion.value})
        return records.published(receipt, published.check_run_id)

    def take_back(self, claim: Claim, oid: str, reason: Reason) -> None:
        """What landed is an incident after all: no green stays on it.

        Raises: LeaseLost, GitHubError, StoreError.
        """
        repository_id = claim.task.repository_id
        place = Place(repository_id=repository_id, oid=oid, check_name=self._check_name)
        last = self._store.checks.last(place)
        unsure = last is None or last.run_id is None  # begun, and perhaps never sent
        if stands_as_landed(self._store, repository_id, oid) or (
            unsure and has_landed(self._store, repository_id, oid)
        ):
            self._store.queue.add([head_task(claim.task, oid)])  # whoever has it as their head
            self.publish_unread(claim, oid, withdrawn(reason), reason)

    def look_again_at_landing(self, claim: Claim, repository_id: int, oid: str) -> None:
        """Where the check of a landing was begun before, it may have arrived late, over the verdict
        of a pull request that has this commit as its head: that one is judged again."""
        if has_landed(self._store, repository_id, oid):
            self._store.queue.add([head_task(claim.task, oid)])

    def _stands_on(self, repository_id: int, oid: str) -> bool:
        """Whether a verdict of a pull request, or of its merge group, was ever said there."""
        said = Filter(repository_id=repository_id, head_sha=oid)
        return any(one.entry.kind in VERDICTS for one in self._store.audit.records(said))

    def say_failed(self, claim: Claim, reason: Reason) -> None:
        """Put "cannot judge" on the head that the event named: never leave an old green there."""
        oid = _head_told(claim)
        if oid is None:
            return
        try:
            self.publish_unread(claim, oid, withdrawn(reason), reason)
        except (GitHubError, LeaseLost) as error:
            log.warning("could not say so", reason=str(error), **about(claim))

    def is_silent(self, claim: Claim) -> bool:
        """Whether we never said anything on the head that the event named."""
        oid = _head_told(claim)
        if oid is None:
            return False
        said = Filter(repository_id=claim.task.repository_id, head_sha=oid)
        return not any(True for _ in self._store.audit.records(said, newest=1))

    def publish_unread(self, claim: Claim, oid: str, said: Report, reason: Reason) -> None:
        """A check run without a snapshot: a new one, which supersedes whatever stands there."""
        task = claim.task
        if not self._store.queue.holds(claim, PUBLISH_SECONDS):
            raise LeaseLost("not enough of the lease is left to publish")
        owner, _, name = task.full_name.partition("/")
        repository = Repository(id=task.repository_id, owner=owner, name=name)
        target = Target(repository=repository, oid=oid, standing=None)
        # Before the record: one without its write must not pass for what stands on GitHub.
        self._store.checks.begin(self._place(target))
        entry = records.failed(task, oid, said, reason, claim.deliveries)
        receipt = self._store.audit.append(entry)
        self._write(claim, installation_of(self._github, task), target, said, receipt)

    def hold(
        self, claim: Claim, installation: Installation, target: Target, reason: Reason
    ) -> None:
        """Take down a green without failing anybody: the check is not finished until published."""
        if target.standing is None or target.standing.status.upper() != "COMPLETED":
            return
        if not self._store.queue.holds(claim, PUBLISH_SECONDS):
            raise LeaseLost("not enough of the lease is left to publish")
        said = held(reason)
        entry = records.failed(claim.task, target.oid, said, reason, claim.deliveries)
        receipt = self._store.audit.append(entry)
        place = self._place(target)
        self._store.checks.begin(place)
        run = check_run.hold(
            installation,
            target.repository,
            target.oid,
            said,
            external_id=check_run.external_id(said, receipt.receipt),
            name=self._check_name,
        )
        self._store.checks.done(place, Written(run_id=run, digest=check_run.digest(said)))

    def withdraw(self, claim: Claim, told: tuple[Told, ...]) -> bool:
        """Take down a green that may be wrong before anything slow; whether there was one.

        A retargeted pull request keeps its head and so its check, and so does one whose sign-off
        was dismissed: until it is judged anew, the check must not let it in.
        """
        reason = Reason(code=Code.WITHDRAWN)
        withdrew = False
        for oid in dict.fromkeys(one.doubtful for one in told if one.doubtful):
            if self._is_green(claim.task.repository_id, oid):
                self.publish_unread(claim, oid, withdrawn(reason), reason)
                withdrew = True
        return withdrew

    def _is_green(self, repository_id: int, oid: str) -> bool:
        """Whether the last that we wrote on a commit let it be merged, as the audit log has it."""
        said = Filter(repository_id=repository_id, head_sha=oid)
        last = [
            record.entry.fields.get("conclusion")
            for record in self._store.audit.records(said)
            if record.entry.kind in STANDING
        ]
        return bool(last) and last[-1] == Conclusion.SUCCESS


def head_task(like: Task, oid: str) -> Task:
    """What asks for every open pull request with this head, in a repository that ``like`` names."""
    return replace(like, kind=TaskKind.HEAD, subject=oid, hint={})


def installation_of(github: GitHub, task: Task) -> Installation:
    """The installation that a task is about; found by the repository's name where none is told.

    Raises: GitHubError.
    """
    if task.installation_id:
        return github.installation(task.installation_id)
    owner, _, name = task.full_name.partition("/")
    found = the_app.installation_for(github.app(), owner, name or None)
    return github.installation(found.id)


def about(claim: Claim) -> dict[str, object]:
    """Which work a log line is about: ours and numbers, and the repository's name."""
    return {
        "work": claim.task.kind.value,
        "repository": claim.task.full_name,
        "subject": claim.task.subject,
        "installation": claim.task.installation_id,
        "deliveries": list(claim.deliveries[:5]),
        "attempt": claim.attempts + 1,
    }


def _head_told(claim: Claim) -> str | None:
    """The commit that the check belongs on, as the event told it."""
    if claim.task.kind is TaskKind.MERGE_GROUP:
        return claim.task.subject
    oid = claim.hint.get("head_sha")
    told = claim.task.kind is TaskKind.PULL_REQUEST and isinstance(oid, str)
    return str(oid) or None if told else None


def _outcome(judged: Judged, said: Report) -> dict[str, object]:
    return {
        "outcome": judged.verdict.outcome.value,
        "conclusion": said.conclusion.value,
        "head": judged.verdict.pull.head_oid,
        "reasons": [reason.code.value for reason in judged.verdict.reasons],
    }
