"""The audit log: every record names the one before, and any change to one is found."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from github_app.store.audit import (
    GENESIS,
    Anchor,
    AuditRecord,
    Entry,
    Filter,
    RecordKind,
    UnreadableRecord,
)
from github_app.store.database import Store
from github_app.store.errors import StoreUnavailable
from github_app.store.text import Json, canonical, sha256
from tests.store.build import Clock, a_task, claimed, put
from tests.store.conftest import OpenStore


def an_entry(
    number: int = 1,
    *,
    kind: RecordKind = RecordKind.JUDGED,
    repository: str = "acme/shop",
    outcome: str | None = "WAITING",
    **fields: Json,
) -> Entry:
    return Entry(
        kind=kind,
        repository_id=10,
        repository=repository,
        number=number,
        head_sha="ab" * 20,
        outcome=outcome,
        deliveries=("guid-1",),
        fields=fields,
    )


def appended(store: Store, count: int) -> list[AuditRecord]:
    return [store.audit.append(an_entry(number)) for number in range(1, count + 1)]


def tamper(store: Store, *statements: str) -> None:
    """Change the table as somebody with the database's password would: without the triggers."""
    with store._database.write() as connection:
        if store.dialect == "postgresql":
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            for trigger in ("audit_no_update", "audit_no_delete", "audit_next_only"):
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        for statement in statements:
            connection.execute(text(statement))


def test_empty_log_verifies(store: Store) -> None:
    result = store.audit.verify()
    assert (result.ok, result.records, result.last) == (True, 0, None)


def test_first_record_follows_nothing(store: Store) -> None:
    record = store.audit.append(an_entry())
    assert (record.seq, record.previous) == (1, GENESIS)


def test_each_record_holds_the_hash_of_the_one_before(store: Store) -> None:
    first, second, third = appended(store, 3)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    result = store.audit.verify()
    assert (result.ok, result.records, result.last) == (True, 3, third.receipt)


def test_hash_is_over_the_canonical_text_alone(store: Store) -> None:
    record = store.audit.append(an_entry(reasons=["CS001"], evidence=["é"]))
    assert sha256(record.body) == record.hash
    said = json.loads(record.body)
    assert canonical(said) == record.body
    assert said["previous"] == GENESIS
    assert (said["seq"], said["kind"], said["deliveries"]) == (1, "judged", ["guid-1"])
    assert (said["reasons"], said["evidence"]) == (["CS001"], ["é"])


def test_record_is_read_back_as_it_was_written(store: Store) -> None:
    entry = an_entry(approvals=[{"review": 5, "by": "ada", "objections": ["CS032"]}], title=None)
    written = store.audit.append(entry)
    assert list(store.audit.records()) == [written]
    assert written.entry == entry
    assert store.audit.find(written.hash) == written
    assert store.audit.find("0" * 64) is None


@pytest.mark.parametrize("name", ["seq", "at", "previous", "hash", "kind", "outcome", "fields"])
def test_name_that_the_record_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Entry(kind=RecordKind.JUDGED, repository_id=1, repository="a/b", fields={name: "x"})


def test_text_of_others_does_not_break_the_log(store: Store) -> None:
    store.audit.append(an_entry(repository="a\x00b\ud800", title="\u2028 \x1b[2J \ud83d"))
    assert store.audit.verify().ok
    (record,) = store.audit.records()
    assert record.entry.repository == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("statement", "seq", "says"),
    [
        pytest.param(
            "UPDATE audit SET body = replace(body, 'WAITING', 'SIGNED_OFF') WHERE seq = 2",
            2,
            "edited",
            id="edited-text",
        ),
        pytest.param(
            "UPDATE audit SET outcome = 'SIGNED_OFF' WHERE seq = 2",
            2,
            "columns",
            id="edited-column",
        ),
        pytest.param("UPDATE audit SET hash = 'f00' WHERE seq = 2", 2, "hash", id="edited-hash"),
        pytest.param(
            "UPDATE audit SET at = '2020-01-01' WHERE seq = 1", 1, "columns", id="moved-in-time"
        ),
        pytest.param("DELETE FROM audit WHERE seq = 1", 1, "missing", id="first-deleted"),
        pytest.param("DELETE FROM audit WHERE seq = 3", 3, "missing", id="middle-deleted"),
        pytest.param("DELETE FROM audit WHERE seq IN (2, 3)", 2, "missing", id="two-deleted"),
        pytest.param("UPDATE audit SET seq = 9 WHERE seq = 4", 4, "missing", id="gap-at-the-end"),
        pytest.param(
            "UPDATE audit SET previous = (SELECT hash FROM audit WHERE seq = 1) WHERE seq = 3",
            3,
            "previous",
            id="other-predecessor",
        ),
        pytest.param("UPDATE audit SET body = 'not json' WHERE seq = 2", 2, "edited", id="no-json"),
    ],
)
def test_first_record_that_does_not_fit_is_named(
    store: Store, statement: str, seq: int, says: str
) -> None:
    appended(store, 4)
    tamper(store, statement)
    result = store.audit.verify()
    assert (result.ok, result.seq, result.records) == (False, seq, seq - 1)
    assert says in (result.problem or "")


def test_deleted_with_the_rest_renumbered_is_found(store: Store) -> None:
    appended(store, 4)
    tamper(
        store,
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
    )
    assert store.audit.verify().seq == 2


def test_reordered_records_are_found(store: Store) -> None:
    appended(store, 4)
    tamper(
        store,
        "UPDATE audit SET seq = 99 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 99",
    )
    assert store.audit.verify().seq == 2


def rewrite(store: Store, records: list[AuditRecord], change: Callable[[str], str]) -> None:
    """Forge the chain from the first of ``records`` on: what only an anchor can tell."""
    statements = []
    previous = records[0].previous
    for record in records:
        said = json.loads(change(record.body)) | {"previous": previous}
        body = canonical(said)
        previous_was, previous = previous, sha256(body)
        statements.append(
            f"UPDATE audit SET body = '{body}', previous = '{previous_was}', hash = '{previous}', "
            f"outcome = '{said['outcome']}' WHERE seq = {record.seq}"
        )
    escaped = [statement.replace(":", "\\:") for statement in statements]
    tamper(store, *escaped)


def test_rewritten_chain_is_found_by_a_check_runs_receipt(store: Store) -> None:
    records = appended(store, 4)
    rewrite(store, records[1:], lambda body: body.replace("WAITING", "SIGNED_OFF"))
    assert store.audit.verify().ok, "within itself it fits"
    result = store.audit.verify([Anchor.parse(records[2].receipt)])
    assert (result.ok, result.seq) == (False, 3)
    assert "rewritten" in (result.problem or "")


def test_cut_off_end_is_found_by_an_anchor(store: Store) -> None:
    records = appended(store, 4)
    tamper(store, "DELETE FROM audit WHERE seq > 2")
    assert store.audit.verify().ok, "nothing in the database can tell"
    assert store.audit.verify([Anchor.parse(records[1].receipt)]).ok
    result = store.audit.verify([Anchor.parse(records[3].receipt)])
    assert (result.ok, result.seq, result.records) == (False, 3, 2)
    assert "missing" in (result.problem or "")


def test_all_deleted_is_found_by_an_anchor(store: Store) -> None:
    (record,) = appended(store, 1)
    tamper(store, "DELETE FROM audit")
    assert not store.audit.verify([Anchor.parse(record.receipt)]).ok


def test_anchors_that_contradict_each_other_are_a_finding(store: Store) -> None:
    (record,) = appended(store, 1)
    other = Anchor(seq=1, hash="0" * 64)
    result = store.audit.verify([Anchor.parse(record.receipt), other])
    assert (result.ok, result.seq) == (False, 1)


def test_same_anchor_twice_is_one(store: Store) -> None:
    (record,) = appended(store, 1)
    assert store.audit.verify([Anchor.parse(record.receipt)] * 2).ok


@pytest.mark.parametrize(
    "receipt",
    [
        pytest.param("", id="empty"),
        pytest.param("1", id="no-hash"),
        pytest.param("x:" + "0" * 64, id="no-number"),
        pytest.param("0:" + "0" * 64, id="zero"),
        pytest.param("-1:" + "0" * 64, id="negative"),
        pytest.param("1:" + "0" * 63, id="short-hash"),
        pytest.param("1:" + "g" * 64, id="not-hex"),
        pytest.param("²:" + "0" * 64, id="not-ascii-digit"),
    ],
)
def test_malformed_anchor_is_refused(receipt: str) -> None:
    with pytest.raises(ValueError, match="SEQ:HASH"):
        Anchor.parse(receipt)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE audit SET outcome = 'SIGNED_OFF'", id="update"),
        pytest.param("UPDATE audit SET seq = seq", id="update-of-nothing"),
        pytest.param("DELETE FROM audit WHERE seq = 2", id="delete"),
        pytest.param("DELETE FROM audit", id="delete-all"),
    ],
)
def test_database_refuses_to_change_a_record(store: Store, statement: str) -> None:
    appended(store, 2)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        store._database._writers.begin() as connection,
    ):
        connection.execute(text(statement))
    assert store.audit.verify().records == 2


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "columns",
    [
        pytest.param("seq, 'x' || hash", id="same-place"),
        pytest.param("seq + 2, hash", id="same-hash"),
    ],
)
def test_replacing_is_no_way_round(store: Store, columns: str) -> None:
    appended(store, 2)
    statement = (
        f"INSERT OR REPLACE INTO audit SELECT {columns}, previous, at, kind, repository_id, "
        "repository, number, head_sha, 'SIGNED_OFF', body FROM audit"
    )
    with pytest.raises(StoreUnavailable), store._database.write() as connection:
        connection.execute(text(statement))
    assert store.audit.verify().records == 2


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_truncating_is_no_way_round(store: Store) -> None:
    appended(store, 2)
    with pytest.raises(StoreUnavailable), store._database.write() as connection:
        connection.execute(text("TRUNCATE audit"))
    assert store.audit.verify().records == 2


def test_writers_at_once_make_one_chain(store: Store, open_another: OpenStore) -> None:
    stores = [store, open_another(), open_another()]

    def write(its: Store) -> None:
        for number in range(1, 21):
            its.audit.append(an_entry(number))

    threads = [threading.Thread(target=write, args=(its,)) for its in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = store.audit.verify()
    assert (result.ok, result.records) == (True, 60)


def test_settling_and_its_record_are_one(store: Store) -> None:
    put(store, "guid-1")
    judged = store.audit.append(an_entry())
    published = Entry(
        kind=RecordKind.PUBLISHED,
        repository_id=10,
        repository="acme/shop",
        judged_seq=judged.seq,
        check_run_id=77,
    )
    assert store.queue.settle(claimed(store), records=[published])
    last = list(store.audit.records())[-1]
    assert (last.entry.judged_seq, last.entry.check_run_id) == (1, 77)


def test_record_of_a_late_publisher_is_kept(store: Store, clock: Clock) -> None:
    put(store, "guid-1")
    late = claimed(store)
    clock.advance(store.queue.limits.lease + 1)
    assert not store.queue.settle(late, records=[an_entry(kind=RecordKind.PUBLISHED)])
    assert store.audit.verify().records == 1


def test_settling_that_cannot_be_recorded_does_not_happen(store: Store) -> None:
    store.queue.add([a_task()])
    claim = claimed(store)
    impossible = an_entry(number=2**70)
    with pytest.raises((StoreUnavailable, OverflowError)):
        store.queue.settle(claim, records=[impossible])
    assert store.queue.holds(claim, 1)


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        pytest.param(Filter(), [1, 2, 3, 4], id="all"),
        pytest.param(Filter(repository="ACME/Shop"), [1, 2, 4], id="repository-in-any-case"),
        pytest.param(Filter(repository="acme/%"), [], id="no-wildcards"),
        pytest.param(Filter(repository="acme/shop", number=2), [2], id="pull-request"),
        pytest.param(Filter(repository_id=10), [1, 2, 3, 4], id="repository-id"),
        pytest.param(Filter(outcome="signed_off"), [3], id="outcome-in-any-case"),
        pytest.param(Filter(kind=RecordKind.PUBLISHED), [4], id="kind"),
        pytest.param(Filter(head_sha="AB" * 20), [1, 2, 3, 4], id="head-in-any-case"),
        pytest.param(Filter(head_sha="ab"), [], id="head-prefix"),
        pytest.param(Filter(since=datetime(2000, 1, 1, tzinfo=UTC)), [1, 2, 3, 4], id="since"),
        pytest.param(Filter(since=datetime(2100, 1, 1, tzinfo=UTC)), [], id="since-later"),
        pytest.param(Filter(hash="\x00"), [], id="nul"),
    ],
)
def test_records_are_filtered(store: Store, wanted: Filter, seqs: list[int]) -> None:
    store.audit.append(an_entry(1))
    store.audit.append(an_entry(2))
    store.audit.append(an_entry(1, repository="acme/other", outcome="SIGNED_OFF"))
    store.audit.append(an_entry(1, kind=RecordKind.PUBLISHED))
    assert [record.seq for record in store.audit.records(wanted)] == seqs


def test_newest_are_the_last_in_order(store: Store) -> None:
    appended(store, 5)
    assert [record.seq for record in store.audit.records(newest=2)] == [4, 5]


def test_since_needs_a_zone(store: Store) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="zone"):
        list(store.audit.records(Filter(since=naive)))


def test_long_log_is_streamed_whole(store: Store) -> None:
    with store._database.write() as connection:
        for number in range(1, 1_203):
            store.audit.append_within(connection, an_entry(number))
    assert [record.seq for record in store.audit.records()] == list(range(1, 1_203))
    assert store.audit.verify().records == 1_202


def test_unreadable_record_is_an_error_of_ours(store: Store) -> None:
    appended(store, 1)
    tamper(store, "UPDATE audit SET body = '[]'")
    with pytest.raises(UnreadableRecord, match="1"):
        list(store.audit.records())


def test_times_are_utc_and_rise(store: Store) -> None:
    times = [datetime.fromisoformat(record.at) for record in appended(store, 3)]
    assert times == sorted(times)
    assert times[0].utcoffset() == timedelta(0)


def test_record_of_a_kind_that_a_newer_version_added_fits_and_is_read(store: Store) -> None:
    (record,) = appended(store, 1)
    body = canonical(json.loads(record.body) | {"kind": "invented-later", "new_field": [1]})
    tamper(
        store,
        f"UPDATE audit SET kind = 'invented-later', hash = '{sha256(body)}', "
        f"body = '{body}'".replace(":", "\\:"),
    )
    assert store.audit.verify().ok
    (read,) = store.audit.records()
    assert (read.entry.kind, read.entry.fields["new_field"]) == (RecordKind.OTHER, [1])
    assert read.body == body
