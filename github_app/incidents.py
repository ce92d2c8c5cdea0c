"""Something reached a branch past the check: write it down, then tell it once, where it is read.

First the audit record, then an issue, or a failed check run on the commit where issues may not be
written. Whoever dies in between is followed by one who finds the record, and looks for the issue
before writing another.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from github_app import records
from github_app.gateway import check_run, issues
from github_app.gateway.client import Installation
from github_app.gateway.errors import Forbidden, NotFound, Refused
from github_app.judge.incident import Incident, body, check_report, title
from github_app.logs import get_logger
from github_app.publishing import PUBLISH_SECONDS, LeaseLost, about
from github_app.store.audit import AuditRecord, Entry, Filter, RecordKind
from github_app.store.claim import Claim
from github_app.store.database import Store

log = get_logger("incidents")

# The name of the failed check run: another than that of the required check, which it must neither
# satisfy nor stop.
CHECK_SUFFIX = "-bypass"


class Incidents:
    """Records and tells incidents. One per worker."""

    def __init__(self, *, store: Store, app_id: int, check_name: str, web_url: str) -> None:
        self._store = store
        self._app_id = app_id
        self._check_name = check_name
        self._web_url = web_url

    def tell(
        self, claim: Claim, installation: Installation, incident: Incident, entry: Entry
    ) -> Entry | None:
        """Write the incident down and tell it; what is still to be recorded when the work is
        settled. None: it was told before. ``entry``: of ``records.bypassed``.

        Raises: LeaseLost; GitHubError where telling it again later may help.
        """
        known = self._recorded(entry, incident.key)
        if known is not None and (not incident.protected or self._is_told(known)):
            return None
        receipt = known or self._store.audit.append(entry)
        if known is None:
            what = incident.reasons[0].code.name.lower()
            log.warning("bypassed", incident=incident.key, what=what, **about(claim))
            if incident.protected:
                self._store.counters.add("bypasses", {"what": what})
        if not incident.protected:
            return None
        if not self._store.queue.holds(claim, PUBLISH_SECONDS):
            raise LeaseLost("not enough of the lease is left to tell an incident")
        return self._tell(installation, incident, receipt, again=known is not None)

    def _tell(
        self, installation: Installation, incident: Incident, receipt: AuditRecord, *, again: bool
    ) -> Entry:
        try:
            if issues.may_write(installation):
                number = self._issue(installation, incident, receipt, again=again)
                return records.reported(receipt, issue=number)
        except (Forbidden, NotFound, Refused) as error:  # issues may be turned off
            log.info("no issue", reason=str(error), incident=incident.key)
        try:
            run = self._check(installation, incident, receipt)
            return records.reported(receipt, check_run_id=run)
        except (Forbidden, NotFound, Refused) as error:
            log.warning("incident not told", reason=str(error), incident=incident.key)
            return records.reported(receipt, why=type(error).__name__)

    def _issue(
        self, installation: Installation, incident: Incident, receipt: AuditRecord, *, again: bool
    ) -> int:
        if again:
            found = issues.find(
                installation,
                incident.repository,
                incident.marker,
                app_id=self._app_id,
                since=_long_before(receipt),
            )
            if found is not None:
                return found
        said = body(
            incident,
            web_url=self._web_url,
            check_name=self._check_name,
            receipt=receipt.receipt,
        )
        return issues.create(installation, incident.repository, title(incident), said)

    def _check(self, installation: Installation, incident: Incident, receipt: AuditRecord) -> int:
        said = check_report(
            incident,
            web_url=self._web_url,
            check_name=self._check_name,
            receipt=receipt.receipt,
        )
        written = check_run.publish(
            installation,
            incident.repository,
            incident.oid,
            None,
            said,
            external_id=check_run.external_id(said, receipt.receipt),
            name=self._check_name + CHECK_SUFFIX,
        )
        return written.check_run_id

    def _recorded(self, entry: Entry, key: str) -> AuditRecord | None:
        for record in self._of(entry, RecordKind.BYPASSED):
            if record.entry.fields.get("incident") == key:
                return record
        return None

    def _is_told(self, receipt: AuditRecord) -> bool:
        found = self._of(receipt.entry, RecordKind.REPORTED)
        return any(record.entry.judged_seq == receipt.seq for record in found)

    def _of(self, entry: Entry, kind: RecordKind) -> Iterator[AuditRecord]:
        same = Filter(repository_id=entry.repository_id, head_sha=entry.head_sha, kind=kind)
        return self._store.audit.records(same)


def _long_before(receipt: AuditRecord) -> str:
    """From when on GitHub may have the issue, by its clock, which is not ours."""
    at = datetime.fromisoformat(receipt.at).astimezone(UTC) - timedelta(hours=1)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
