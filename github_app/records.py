"""What the audit log says of a judgement: design section 9, from the values at hand."""

import hashlib
import json


from github_app.judge.facts import Review
from github_app.judge.memory import Remembered
from github_app.judge.reasons import Reason
from github_app.judge.report import Report
from github_app.judge.verdict import Verdict
from github_app.judgement import Judged
from github_app.store.audit import Entry, RecordKind


def judged_entry(judged: Judged, report: Report, deliveries: tuple[str, ...]) -> Entry:
    """Written before the check run is, so that no published verdict is without a record."""
    return _entry(RecordKind.JUDGED, judged, report, deliveries)


def refused_entry(judged: Judged, report: Report, deliveries: tuple[str, ...]) -> Entry:
    """A verdict that could not be published, for good: GitHub declined the check run."""
    return _entry(RecordKind.REFUSED, judged, report, deliveries)


def _entry(
    kind: RecordKind, judged: Judged, report: Report, deliveries: tuple[str, ...]
) -> Entry:
    verdict = judged.verdict
    pull = verdict.pull
    source = verdict.roster_source
    return Entry(
        kind=kind,
        repository_id=pull.repository.id,
        repository=pull.repository.full_name,
        number=pull.number,
        head_sha=pull.head_oid,
        outcome=verdict.outcome.value,
        deliveries=deliveries,
        fields={
            "conclusion": report.conclusion.value,
            "title": report.title,
            "observing": verdict.observing,
            "base_ref": pull.base_ref,
            "roster": _roster(source.name, source.path, source.commit_oid) if source else None,
            "reasons": [reason.code.value for reason in verdict.reasons],
            "evidence": [_digest(item) for item in verdict.evidence],
            "cleared": [_digest(item) for item in verdict.cleared],
            "counted": [_review(review) for review in verdict.counted],
            "not_counted": [
                {**_review(item.review), "reasons": _codes(item.reasons)}
                for item in verdict.ignored
            ],
        },
    )


def _roster(name: str, path: str, commit_oid: str | None) -> dict[str, str | None]:
    return {"from": name, "path": path, "commit": commit_oid}


def _codes(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.code.value for reason in reasons]


def _digest(item: Remembered) -> dict[str, str]:
    """Evidence by tool, kind and digest: the text itself may be private code and stays out."""
    signal = item.signal
    text = json.dumps([signal.tool, signal.kind, signal.place, signal.ref, signal.evidence])
    return {
        "tool": signal.tool,
        "kind": signal.kind.value,
        "confidence": signal.confidence.value,
        "where": signal.where,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }


def _review(review: Review) -> dict[str, int | str | None]:
    author = review.author
    return {
        "review": review.id,
        "by": author.login if author else None,
        "by_id": author.id if author else None,
        "commit": review.commit_oid,
    }
