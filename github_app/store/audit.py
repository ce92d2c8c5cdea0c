"""The audit log: one record per judgement, each holding the hash of the one before it.

Only ever appended to. Read ``Audit.append`` for how a record is made, ``Audit.verify`` for how a
changed, missing or moved one is found, and docs/audit.md for what that proves.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, text

from github_app.store.clock import iso, iso_from_unix, now
from github_app.store.engine import Database
from github_app.store.errors import StoreError
from github_app.store.statement import run
from github_app.store.tables import audit
from github_app.store.text import Json, canonical, clean, sha256

GENESIS = "0" * 64  # what the first record names as its previous hash
FORMAT = 1  # of the body; a new field needs no new format, a changed meaning does
_OUR_LOCK = 0x61756469  # an advisory lock's number: any that nobody else uses
_STREAMED = 500


class UnreadableRecord(StoreError):
    """A row of the audit log that is not a record."""

    advice = "Run `countersign audit verify`: it names the first record that was changed."


class RecordKind(StrEnum):
    """The values are stored: never rename or reuse one."""

    JUDGED = "judged"  # a verdict, before it is published; its hash is the check run's receipt
    PUBLISHED = "published"  # it stands on GitHub as check run ``check_run_id``
    REFUSED = "refused"  # judged, but not published: the lease was gone, the head had moved
    FAILED = "failed"  # no verdict could be reached or published
    BYPASSED = "bypassed"  # something reached a branch past the check
    REPORTED = "reported"  # where that was told: an issue, or a failed check run
    LANDED = "landed"  # a merge is as it was judged; its hash is the receipt of the check run on it
    PROTECTION = "protection"  # whether the check is required, where that changed
    OTHER = "other"  # never written: a kind that a newer version wrote, read by this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be recorded. ``fields`` is any JSON; its names must not be those of the others.

    ``deliveries`` are the webhooks' GUIDs. ``judged_seq``: the record that a later one
    is about; ``check_run_id``: as GitHub numbers it. What goes into ``fields`` is said in
    docs/audit.md. Raises ValueError on a name that is taken.
    """

    kind: RecordKind
    repository_id: int
    repository: str
    number: int | None = None
    head_sha: str | None = None
    outcome: str | None = None
    deliveries: tuple[str, ...] = ()
    judged_seq: int | None = None
    check_run_id: int | None = None
    fields: Mapping[str, Json] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        taken = _TAKEN & self.fields.keys()
        if taken:
            raise ValueError(f"an audit record has {min(taken)} already")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """A record as it stands in the log. ``body`` is the canonical JSON that ``hash`` is over."""

    seq: int
    at: str
    previous: str
    hash: str
    entry: Entry
    body: str

    @property
    def receipt(self) -> str:
        """``SEQ:HASH``: what a check run carries and ``verify`` accepts as an anchor."""
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A record known from outside the database. Its place and hash must be in the chain."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, receipt: str) -> "Anchor":
        """From ``SEQ:HASH``. Raises ValueError."""
        seq, _, digest = receipt.partition(":")
        digest = digest.strip().lower()
        if not seq.strip().isascii() or not seq.strip().isdigit() or int(seq) < 1:
            raise ValueError("an anchor is SEQ:HASH; SEQ is a whole number from 1")
        if len(digest) != len(GENESIS) or set(digest) - set("0123456789abcdef"):
            raise ValueError("an anchor is SEQ:HASH; HASH is 64 hex digits")
        return cls(seq=int(seq), hash=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """``records`` fit, from the first on. ``problem`` says what is wrong with record ``seq``.

    Both are None when everything fits; ``last`` is then the receipt to keep as an anchor.
    """

    records: int
    last: str | None
    seq: int | None = None
    problem: str | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """All that is given must match. ``since`` must be aware. Names and hex ignore case."""

    repository: str | None = None
    repository_id: int | None = None
    number: int | None = None
    head_sha: str | None = None
    outcome: str | None = None
    kind: RecordKind | None = None
    hash: str | None = None
    since: datetime | None = None


class Audit:
    """The audit log of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, entry: Entry) -> AuditRecord:
        """Add one record; on disk when this returns. Raises StoreUnavailable."""
        return self._database.together(lambda connection: self.append_within(connection, entry))

    def append_within(self, connection: Connection, entry: Entry) -> AuditRecord:
        """Add one record as part of a transaction. Take every other lock before this one.

        One at a time over all processes, so that each record has exactly one predecessor.
        """
        if not self._database.is_sqlite:  # there, being the writer is the lock
            run(connection, _LOCK, {"lock": _OUR_LOCK})
        last = run(connection, _LAST)
        seq, previous = (last[0].seq + 1, last[0].hash) if last else (1, GENESIS)
        at = iso_from_unix(float(run(connection, _NOW)[0][0]))
        body = _body(seq, at, previous, entry)
        record = AuditRecord(
            seq=seq, at=at, previous=previous, hash=sha256(body), entry=_entry(body), body=body
        )
        run(connection, _APPEND, _columns(record))
        return record

    def records(
        self, wanted: Filter | None = None, *, newest: int | None = None
    ) -> Iterator[AuditRecord]:
        """Oldest first, streamed; with ``newest``, only so many of the last.

        Raises UnreadableRecord: ``verify`` then says more.
        """
        statement = _filtered(wanted or Filter())
        if newest is not None:
            latest = statement.order_by(audit.c.seq.desc()).limit(newest).subquery()
            statement = select(audit).where(audit.c.seq.in_(select(latest.c.seq)))
        for row in self._stream(statement.order_by(audit.c.seq)):
            yield _record(row)

    def find(self, digest: str) -> AuditRecord | None:
        """The record with this hash: what a check run's receipt points to."""
        with self._database.read() as connection:
            row = connection.execute(select(audit).where(audit.c.hash == digest.lower())).first()
        return None if row is None else _record(row)

    def verify(self, anchors: Sequence[Anchor] = ()) -> Verification:
        """Walk the whole chain; the first record that does not fit ends the walk.

        Finds a record that was edited, deleted, inserted, moved, or cut off from the middle.
        Records cut off at the end are found by an anchor only: nothing in a database can tell
        what it no longer holds.
        """
        due = {anchor.seq: anchor for anchor in anchors}
        if len(due) != len({(anchor.seq, anchor.hash) for anchor in anchors}):
            clash = min(anchor.seq for anchor in anchors if due[anchor.seq] != anchor)
            return Verification(
                records=0, last=None, seq=clash, problem="two anchors for it disagree"
            )
        seq, previous = 0, GENESIS
        for row in self._stream(select(audit).order_by(audit.c.seq)):
            problem = _misfit(row, seq + 1, previous) or _not_anchored(row, due.pop(seq + 1, None))
            if problem is not None:
                return Verification(
                    records=seq, last=_receipt(seq, previous), seq=seq + 1, problem=problem
                )
            seq, previous = row.seq, row.hash
        if due:
            return Verification(
                records=seq,
                last=_receipt(seq, previous),
                seq=seq + 1,
                problem=f"it is missing: the log ends before the anchor at record {min(due)}",
            )
        return Verification(records=seq, last=_receipt(seq, previous))

    def _stream(self, statement: Select[Any]) -> Iterator[Row[Any]]:
        # Page by page: a transaction held open while somebody reads on would be cut off.
        seq = 0
        while True:
            with self._database.read() as connection:
                page = connection.execute(statement.where(audit.c.seq > seq).limit(_STREAMED)).all()
            yield from page
            if len(page) < _STREAMED:
                return
            seq = page[-1].seq


def _body(seq: int, at: str, previous: str, entry: Entry) -> str:
    head: dict[str, Json] = {"format": FORMAT, "seq": seq, "at": at, "previous": previous}
    named: dict[str, Json] = {name: getattr(entry, name) for name in sorted(_NAMED)}
    return canonical({**entry.fields, **named, **head})


def _columns(record: AuditRecord) -> dict[str, object]:
    entry = record.entry
    return {
        "seq": record.seq,
        "hash": record.hash,
        "previous": record.previous,
        "at": record.at,
        "kind": entry.kind.value,
        "repository_id": entry.repository_id,
        "repository": entry.repository,
        "number": entry.number,
        "head_sha": entry.head_sha,
        "outcome": entry.outcome,
        "body": record.body,
    }


_HEAD = frozenset({"format", "seq", "at", "previous"})
_NAMED = frozenset(its.name for its in fields(Entry)) - {"fields"}
_TAKEN = _NAMED | _HEAD | {"hash", "fields"}


def _entry(body: str) -> Entry:
    """Read back what was written; what a newer version added is among ``fields``."""
    values = json.loads(body)
    named = {name: value for name, value in values.items() if name in _NAMED}
    named["kind"] = _kind(named["kind"])
    named["deliveries"] = tuple(named["deliveries"])
    rest = {name: value for name, value in values.items() if name not in _NAMED | _HEAD}
    return Entry(**named, fields=rest)


def _kind(value: str) -> RecordKind:
    try:
        return RecordKind(value)
    except ValueError:
        return RecordKind.OTHER


def _record(row: Row[Any]) -> AuditRecord:
    try:
        entry = _entry(row.body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableRecord(f"audit record {row.seq} cannot be read") from error
    return AuditRecord(
        seq=row.seq,
        at=row.at,
        previous=row.previous,
        hash=row.hash,
        entry=entry,
        body=row.body,
    )


def _misfit(row: Row[Any], seq: int, previous: str) -> str | None:
    if row.seq != seq:
        return f"it is missing: the next one is record {row.seq}"
    if row.previous != previous:
        return "its previous hash is not that of the record before it"
    if sha256(row.body) != row.hash:
        return "its hash is not that of its text: the record was edited"
    try:
        written = json.loads(row.body)
        said = {name: written[name] for name in _COLUMNS}
    except (ValueError, KeyError, TypeError):
        return "its text is not a record"
    if (said["seq"], said["previous"]) != (seq, previous):
        return "its text belongs to another place in the log"
    if said != {name: getattr(row, name) for name in _COLUMNS}:
        return "its columns do not say what its text says"
    return None


def _not_anchored(row: Row[Any], anchor: Anchor | None) -> str | None:
    if anchor is None or anchor.hash == row.hash:
        return None
    return "its hash is not that of the anchor: the log was rewritten"


def _receipt(seq: int, digest: str) -> str | None:
    return f"{seq}:{digest}" if seq else None


def _filtered(wanted: Filter) -> Select[Any]:
    statement = select(audit)
    for column in ("repository_id", "number", "kind"):
        value = getattr(wanted, column)
        if value is not None:
            statement = statement.where(audit.c[column] == value)
    for column in ("hash", "head_sha", "repository", "outcome"):
        value = getattr(wanted, column)
        if value is not None:
            statement = statement.where(func.lower(audit.c[column]) == clean(value).lower())
    if wanted.since is not None:
        statement = statement.where(audit.c.at >= iso(wanted.since))
    return statement


# What a row says twice: in columns, to be found by, and in the text that the hash is over.
_COLUMNS = [column.name for column in audit.c if column.name not in {"hash", "body"}]

_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_NOW = select(now())
_APPEND = insert(audit)
