"""What the audit log says of a judgement: design section 9, from the values at hand."""

from collections.abc import Iterable, Mapping

from github_app.judge.facts import PullRequest, Review
from github_app.judge.incident import Incident
from github_app.judge.reasons import Reason
from github_app.judge.report import Report
from github_app.judge.roster import RosterSource
from github_app.judgement import Judged
from github_app.store.audit import AuditRecord, Entry, RecordKind
from github_app.store.memory_rows import digest
from github_app.store.task import Task
from github_app.store.text import Json


def judged(judgement: Judged, said: Report, oid: str, deliveries: tuple[str, ...]) -> Entry:
    """Written before the check run is, so that no published verdict is without a record.

    Evidence is recorded by digest: the text itself may be private code and stays out.
    """
    verdict = judgement.verdict
    pull = verdict.pull
    return Entry(
        kind=RecordKind.JUDGED,
        repository_id=pull.repository.id,
        repository=pull.repository.full_name,
        number=pull.number,
        head_sha=oid,
        outcome=verdict.outcome.value,
        deliveries=deliveries,
        fields={
            **_said(said),
            "observing": verdict.observing,
            "base": pull.base_ref,
            "roster": [_source(source) for source in verdict.roster.sources]
            if verdict.roster
            else [],
            "reasons": _codes(verdict.reasons),
            "evidence": [digest(item.signal) for item in verdict.evidence],
            "cleared": [digest(item.signal) for item in verdict.cleared],
            "counted": [_review(review) for review in verdict.counted],
            "not_counted": [
                {**_review(item.review), "reasons": _codes(item.reasons)}
                for item in verdict.ignored
            ],
        },
    )


def landed(
    pull: PullRequest, oid: str, said: Report, outcome: str | None, deliveries: tuple[str, ...]
) -> Entry:
    """A merge is as it was judged: what is said on ``oid``, written down before it is."""
    return Entry(
        kind=RecordKind.LANDED,
        repository_id=pull.repository.id,
        repository=pull.repository.full_name,
        number=pull.number,
        head_sha=oid,
        outcome=outcome,
        deliveries=deliveries,
        fields={**_said(said), "base": pull.base_ref, "judged_sha": pull.head_oid},
    )


def published(receipt: AuditRecord, check_run_id: int) -> Entry:
    """The verdict of that record stands on GitHub."""
    return _about(receipt, RecordKind.PUBLISHED, check_run_id=check_run_id)


def refused(receipt: AuditRecord, why: str) -> Entry:
    """The verdict of that record was not, or perhaps not, published."""
    return _about(receipt, RecordKind.REFUSED, fields={"why": why})


def failed(
    task: Task, oid: str, said: Report, reason: Reason, deliveries: tuple[str, ...]
) -> Entry:
    """No verdict could be reached, and the check says so."""
    return Entry(
        kind=RecordKind.FAILED,
        repository_id=task.repository_id,
        repository=task.full_name,
        number=int(task.subject) if task.subject.isdigit() else None,
        head_sha=oid,
        deliveries=deliveries,
        fields={**_said(said), "reasons": [reason.code.value], "why": reason.detail},
    )


def bypassed(
    incident: Incident, deliveries: tuple[str, ...], *, head_oid: str, outcome: str | None
) -> Entry:
    """Something reached a branch past the check. ``head_oid``: of the pull request, or the commit
    that was pushed; ``outcome``: of judging it now, None where that was not what was missing.

    Paths and messages may be private code and stay out.
    """
    return Entry(
        kind=RecordKind.BYPASSED,
        repository_id=incident.repository.id,
        repository=incident.repository.full_name,
        number=incident.number,
        head_sha=head_oid,
        outcome=outcome,
        deliveries=deliveries,
        fields={
            "incident": incident.key,
            "commit": incident.oid,
            "branch": incident.branch,
            "by": incident.actor.login if incident.actor else None,
            "by_id": incident.actor.id if incident.actor else None,
            "protected": incident.protected,
            "reasons": _codes(incident.reasons),
        },
    )


def reported(
    receipt: AuditRecord,
    *,
    issue: int | None = None,
    check_run_id: int | None = None,
    why: str = "",
) -> Entry:
    """Where the incident of that record was told; ``why`` it was not, where it could not be."""
    fields: dict[str, Json] = {"issue": issue} if issue else {"why": why} if why else {}
    return _about(receipt, RecordKind.REPORTED, check_run_id=check_run_id, fields=fields)


def _about(
    receipt: AuditRecord,
    kind: RecordKind,
    *,
    check_run_id: int | None = None,
    fields: Mapping[str, Json] | None = None,
) -> Entry:
    entry = receipt.entry
    return Entry(
        kind=kind,
        repository_id=entry.repository_id,
        repository=entry.repository,
        number=entry.number,
        head_sha=entry.head_sha,
        outcome=entry.outcome,
        judged_seq=receipt.seq,
        check_run_id=check_run_id,
        fields=fields or {},
    )


def _said(said: Report) -> dict[str, Json]:
    return {"conclusion": said.conclusion.value, "title": said.title}


def _source(source: RosterSource) -> dict[str, Json]:
    return {"from": source.name, "path": source.path, "commit": source.commit_oid}


def _codes(reasons: Iterable[Reason]) -> list[Json]:
    return [reason.code.value for reason in reasons]


def _review(review: Review) -> dict[str, Json]:
    author = review.author
    return {
        "review": review.id,
        "by": author.login if author else None,
        "by_id": author.id if author else None,
        "commit": review.commit_oid,
    }
