"""A report becomes a check run, and only if it says something else than what stands there."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from github_app.gateway.client import Installation
from github_app.gateway.errors import NotFound
from github_app.gateway.nodes import number
from github_app.gateway.reading import refusing_surprises
from github_app.judge.facts import CheckRun, Repository
from github_app.judge.report import Annotation, Report

ANNOTATIONS_A_CALL = 50  # REST checks/create
_ANNOTATED = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """``written`` False: what stands there already said it, and GitHub was not called."""

    check_run_id: int
    written: bool


def digest(report: Report) -> str:
    """Name a report by its content: 32 hex digits of SHA-256 over canonical JSON.

    A further ``a`` marks annotations: GitHub only ever adds to them, so a run that has some is
    replaced and not updated.
    """
    canonical = json.dumps(asdict(report), sort_keys=True, separators=(",", ":"))
    marks = _ANNOTATED if report.annotations else ""
    return hashlib.sha256(canonical.encode()).hexdigest()[:32] + marks


def external_id(report: Report, receipt: str) -> str:
    """``<digest>.<receipt>``: what the run says, and the audit record that says why."""
    return f"{digest(report)}.{receipt}"


def stands(existing: CheckRun | None, report: Report) -> bool:
    """Whether the run that stands on GitHub already says what the report says."""
    return (
        existing is not None
        and existing.status.upper() == "COMPLETED"
        and (existing.conclusion or "").lower() == report.conclusion
        and existing.title == report.title
        and digest_shown(existing) == digest(report)
    )


def publish(
    installation: Installation,
    repository: Repository,
    head_oid: str,
    existing: CheckRun | None,
    report: Report,
    *,
    external_id: str,
    name: str,
    details_url: str | None = None,
) -> Published:
    """Make the check run on a commit say what the report says: one call, or none.

    Shapes:  ``existing`` is our latest run there as just read, or None if there is none or that
             is not known; then a new run is made, and supersedes whatever stands.
    Errors:  GitHubError. After an ``Unavailable`` nobody knows whether it was written, so it is
             not sent again: the next judgement reads what stands, and writes if it must.
    Source:  REST ``checks/create``, ``checks/update``. More than 50 annotations take more calls.
    """
    if existing is not None and stands(existing, report):
        return Published(check_run_id=existing.id, written=False)
    rest = report.annotations[ANNOTATIONS_A_CALL:]
    body = {
        "name": name,
        "status": "completed",
        "conclusion": report.conclusion.value,
        "output": _output(report, report.annotations[:ANNOTATIONS_A_CALL]),
        # Last, once all is there: a run cut short does not pass for the whole report.
        "external_id": "" if rest else external_id,
        **({"details_url": details_url} if details_url else {}),
    }
    run = _write(installation, repository, head_oid, existing, report, body)
    while rest:
        now, rest = rest[:ANNOTATIONS_A_CALL], rest[ANNOTATIONS_A_CALL:]
        more = {"output": _output(report, now), **({} if rest else {"external_id": external_id})}
        _update(installation, repository, run, more)
    return Published(check_run_id=run, written=True)


def hold(
    installation: Installation,
    repository: Repository,
    head_oid: str,
    report: Report,
    *,
    external_id: str,
    name: str,
) -> int:
    """Make a check run that is not finished: it supersedes a green, and fails nothing. Its id.

    The report's conclusion is left out. Errors and source: as ``publish``.
    """
    body = {
        "name": name,
        "status": "in_progress",
        "output": _output(report, ()),
        "external_id": external_id,
    }
    return _create(installation, repository, head_oid, body)


def _write(
    installation: Installation,
    repository: Repository,
    head_oid: str,
    existing: CheckRun | None,
    report: Report,
    body: Mapping[str, object],
) -> int:
    annotated = report.annotations or (existing and digest_shown(existing).endswith(_ANNOTATED))
    if existing is not None and not annotated:
        try:
            return _update(installation, repository, existing.id, body)
        except NotFound:
            pass  # GitHub deletes old runs, and archives them after 400 days
    return _create(installation, repository, head_oid, body)


def _create(
    installation: Installation, repository: Repository, head_oid: str, body: Mapping[str, object]
) -> int:
    values = {"owner": repository.owner, "repo": repository.name}
    answer = installation.rest(
        "POST",
        "/repos/{owner}/{repo}/check-runs",
        values,
        body={**body, "head_sha": head_oid},
    )
    with refusing_surprises():
        return number(answer.data, "id")


def _update(
    installation: Installation, repository: Repository, run: int, body: Mapping[str, object]
) -> int:
    values = {"owner": repository.owner, "repo": repository.name, "id": run}
    installation.rest("PATCH", "/repos/{owner}/{repo}/check-runs/{id}", values, body=body)
    return run


def digest_shown(existing: CheckRun) -> str:
    """The digest of the report that a run was written with; empty where it was cut short."""
    return (existing.external_id or "").partition(".")[0]


def _output(report: Report, annotations: Sequence[Annotation]) -> dict[str, object]:
    output: dict[str, object] = {"title": report.title, "summary": report.summary}
    if report.text:
        output["text"] = report.text
    if annotations:
        output["annotations"] = [_annotation(one) for one in annotations]
    return output


def _annotation(annotation: Annotation) -> dict[str, object]:
    body: dict[str, object] = {
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": annotation.end_line,
        "annotation_level": annotation.level,
        "message": annotation.message,
    }
    return body | ({"title": annotation.title} if annotation.title else {})
