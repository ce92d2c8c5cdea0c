"""What the audit log has of a pull request's head and of a branch: what was said and seen there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from github_app.judge.facts import PullRequest
from github_app.judge.landed import LastSaid
from github_app.judge.landing import Said
from github_app.judge.report import Conclusion
from github_app.store.audit import AuditRecord, Filter, RecordKind
from github_app.store.database import Store
from github_app.store.text import Json

# The records that say what stands on the head of a pull request.
VERDICTS = frozenset({RecordKind.JUDGED, RecordKind.FAILED})
# And on any commit.
STANDING = VERDICTS | {RecordKind.LANDED}


def on_head(store: Store, pull: PullRequest) -> list[AuditRecord]:
    """Every record of the head, oldest first, also of other pull requests with the same head."""
    wanted = Filter(repository_id=pull.repository.id, head_sha=pull.head_oid)
    return list(store.audit.records(wanted))


def said_on(records: Iterable[AuditRecord]) -> Iterator[Said]:
    """What the check said, in order. ``records``: those of one head, oldest first."""
    for record in _published(records):
        green = record.entry.fields.get("conclusion") == Conclusion.SUCCESS
        yield Said(at=datetime.fromisoformat(record.at), green=green)


def outcome_of(records: Iterable[AuditRecord]) -> str | None:
    """The last that was judged."""
    judged = [one.entry.outcome for one in records if one.entry.kind is RecordKind.JUDGED]
    return judged[-1] if judged else None


def last_said(records: Iterable[AuditRecord]) -> LastSaid | None:
    """The last that was said; None where it was not, or perhaps not, published."""
    found = list(records)
    last = [one for one in found if one.entry.kind in VERDICTS][-1:]
    if not last or last[0].seq in _refused(found):
        return None
    fields = last[0].entry.fields
    base = fields.get("base")
    return LastSaid(
        outcome=last[0].entry.outcome,
        green=fields.get("conclusion") == Conclusion.SUCCESS,
        observing=fields.get("observing") is not False,
        base=base if isinstance(base, str) else None,
    )


def has_landed(store: Store, repository_id: int, oid: str) -> bool:
    """Whether the check on a commit was that of a merge, and so of no pull request's head."""
    wanted = Filter(repository_id=repository_id, head_sha=oid, kind=RecordKind.LANDED)
    return any(True for _ in store.audit.records(wanted, newest=1))


def stands_as_landed(store: Store, repository_id: int, oid: str) -> bool:
    """Whether the last that was said on a commit is that it landed as judged."""
    wanted = Filter(repository_id=repository_id, head_sha=oid)
    found = list(store.audit.records(wanted))
    refused = _refused(found)
    said = [one.entry.kind for one in found if one.seq not in refused]
    return [kind for kind in said if kind in STANDING][-1:] == [RecordKind.LANDED]


def _published(records: Iterable[AuditRecord]) -> list[AuditRecord]:
    found = list(records)
    refused = _refused(found)
    return [
        one
        for one in found
        if one.entry.kind is RecordKind.FAILED
        or (one.entry.kind is RecordKind.JUDGED and one.seq not in refused)
    ]


def _refused(records: Iterable[AuditRecord]) -> set[int | None]:
    return {one.entry.judged_seq for one in records if one.entry.kind is RecordKind.REFUSED}


# --- what ``drift.py`` wrote of a repository -----------------------------------------------------


def demands(state: Json, branch: str) -> bool:
    """Whether our check was required on a branch."""
    return any(one.get("required") is True for one in _looks(state, branch))


def holds(state: Json, branch: str) -> bool:
    """The same, and from this app, and a pull request, and no way round them is known."""
    wanted = ("required", "pinned", "pull_request")
    return any(
        all(one.get(name) is True for name in wanted)
        and not (one.get("bypass") or one.get("not_when_made"))
        for one in _looks(state, branch)
    )


def _looks(state: Json, branch: str) -> Iterator[Mapping[str, Json]]:
    branches = state.get("branches") if isinstance(state, Mapping) else None
    for one in branches if isinstance(branches, Sequence) else ():
        if isinstance(one, Mapping) and one.get("branch") == branch:
            yield one
