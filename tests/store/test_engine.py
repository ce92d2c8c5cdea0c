"""Connections: which URLs are taken, what is durable, and that no secret comes out."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from github_app.store import engine
from github_app.store.database import Store, open_existing, open_store
from github_app.store.engine import parse_url
from github_app.store.errors import StoreError, StoreUnavailable
from github_app.store.task import Task
from tests.store import postgres
from tests.store.build import a_task, put
from tests.store.conftest import OpenStore, postgres_binaries

Work = Callable[[Connection], int]


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        pytest.param("sqlite:///x.db", "sqlite", id="sqlite"),
        pytest.param("sqlite:////var/lib/x.db", "sqlite", id="sqlite-absolute"),
        pytest.param("postgres://u:p@h/d", "postgresql+psycopg", id="postgres-as-hosts-give-it"),
        pytest.param("postgresql://u:p@h/d", "postgresql+psycopg", id="postgresql"),
        pytest.param("postgresql+psycopg://h/d", "postgresql+psycopg", id="with-driver"),
    ],
)
def test_url_is_taken(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("hunter2", id="no-url"),
        pytest.param("mysql://root:hunter2@h/d", id="other-database"),
        pytest.param("postgresql+asyncpg://u:hunter2@h/d", id="other-driver"),
        pytest.param("sqlite://", id="memory"),
        pytest.param("sqlite:///:memory:", id="memory-by-name"),
        pytest.param("sqlite:///file:hunter2?mode=memory", id="sqlite-uri"),
        pytest.param("postgresql://u:hunter2@h:port/d", id="port-is-no-number"),
    ],
)
def test_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse_url(url)
    assert "hunter2" not in str(caught.value) + caught.value.advice
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_sqlite_files_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with open_store(f"sqlite:///{tmp_path}/x.db") as store:
            put(store, "guid-1")
            files = sorted(tmp_path.iterdir())
            assert [file.name for file in files] == ["x.db", "x.db-shm", "x.db-wal"]
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(old)


def test_sqlite_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}/no/x.db")


def test_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("this is not a database, and long enough to be looked at " * 20)
    with pytest.raises(StoreError):
        open_store(f"sqlite:///{path}")


def test_readers_do_not_create_a_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database"):
        open_existing(f"sqlite:///{tmp_path}/x.db")
    assert list(tmp_path.iterdir()) == []


def test_server_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(f"postgresql://user:hunter2@/nothing?host={tmp_path}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_sqlite_settings_are_as_promised(store: Store) -> None:
    promised = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1}
    with store._database.write() as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in promised}
    assert found == promised


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_postgresql_settings_are_as_promised(store: Store) -> None:
    promised = {
        "synchronous_commit": "on",
        "idle_in_transaction_session_timeout": "4s",
        "lock_timeout": "8s",
        "jit": "off",
        "transaction_isolation": "read committed",
    }
    with store._database.write() as connection:
        found = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in promised}
    assert found == promised


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_server_that_answers_before_it_has_written_is_overruled(
    postgres_server: postgres.Server, url: str
) -> None:
    name = url.split("/")[3].split("?")[0]
    with open_store(url) as store, store._database.write() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    with open_store(url) as store, store._database.write() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


def request_and_fail(store: Store, task: Task) -> None:
    with store._database.write() as connection:
        store.queue.request(connection, [task])
        connection.execute(text("SELECT nonsense"))


def test_failed_transaction_changes_nothing(store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        request_and_fail(store, a_task())
    assert store.queue.claim("worker-1") is None
    put(store, "guid-1")
    assert store.queue.claim("worker-1") is not None


def test_work_of_an_installation_whose_first_event_failed_is_found(store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        request_and_fail(store, a_task(installation=77))
    store.queue.add([a_task(installation=77)])
    assert store.queue.claim("worker-1") is not None


def test_errors_of_the_database_do_not_tell_its_values(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as caught, store._database.write() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)


def test_threads_may_share_a_store(store: Store) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                put(store, f"{number}-{turn}", a_task(turn))
                claim = store.queue.claim(f"worker-{number}")
                if claim is not None:
                    store.queue.settle(claim)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    while (claim := store.queue.claim("last")) is not None:
        assert store.queue.settle(claim)
    assert store.queue.stats().unprocessed_deliveries == 0


def test_closing_twice_is_fine(open_another: OpenStore) -> None:
    store = open_another()
    store.close()
    store.close()


def test_ping_of_a_working_database(store: Store) -> None:
    store.ping()
    assert store.dialect in {"sqlite", "postgresql"}


@pytest.mark.postgres
def test_store_survives_a_crash_of_the_server() -> None:
    with postgres.server(postgres_binaries()) as server, open_store(server.new_database()) as store:
        put(store, "guid-1")
        server.stop(mode="immediate")
        with pytest.raises(StoreUnavailable):
            store.ping()
        with pytest.raises(StoreUnavailable):
            put(store, "guid-2")
        server.start()
        claim = store.queue.claim("worker-1")
        assert claim is not None
        assert claim.deliveries == ("guid-1",)


# --- transactions that threads share ---------------------------------------------------------


def shared(store: Store, works: list[Work]) -> list[object]:
    """The outcomes of ``works``, which all wait at once and so share a transaction."""
    database = store._database
    outcomes: list[object] = [None] * len(works)

    def run(number: int) -> None:
        try:
            outcomes[number] = database.together(works[number])
        except (StoreUnavailable, OnPurpose) as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    with database._writing:
        for thread in threads:
            thread.start()
        while len(database._jobs) < len(works):
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    return outcomes


class OnPurpose(Exception):
    pass


def keeps(store: Store, subject: str) -> Work:
    return lambda connection: len(store.queue.request(connection, [a_task(subject)]))


def fails(store: Store, subject: str) -> Work:
    def work(connection: Connection) -> int:
        store.queue.request(connection, [a_task(subject)])
        raise OnPurpose(subject)

    return work


def breaks(store: Store, subject: str) -> Work:
    def work(connection: Connection) -> int:
        store.queue.request(connection, [a_task(subject)])
        return int(connection.execute(text("SELECT nonsense")).scalar_one())

    return work


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_threads_that_wait_share_one_commit(store: Store) -> None:
    begun: list[Connection] = []
    event.listen(store._database._writers, "begin", begun.append)
    outcomes = shared(store, [keeps(store, str(number)) for number in range(5)])
    assert outcomes == [1] * 5
    assert len(begun) == 1
    assert store.queue.stats().pending == 5


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_failure_of_one_thread_is_its_own(store: Store) -> None:
    outcomes = shared(
        store,
        [keeps(store, "a"), fails(store, "b"), keeps(store, "c"), breaks(store, "d")],
    )
    assert (outcomes[0], outcomes[2]) == (1, 1)
    assert isinstance(outcomes[1], OnPurpose)
    assert isinstance(outcomes[3], StoreUnavailable)
    assert {row.key.subject for row in store.queue.listing()} == {"a", "c"}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_commit_that_fails_fails_everybody(store: Store) -> None:
    def refuse(connection: Connection) -> None:
        raise StoreUnavailable("the database refused: on purpose")

    event.listen(store._database._writers, "commit", refuse)
    outcomes = shared(store, [keeps(store, "a"), keeps(store, "b")])
    event.remove(store._database._writers, "commit", refuse)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert store.queue.stats().pending == 0
    assert shared(store, [keeps(store, "a")]) == [1], "and the store goes on"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_transaction_that_the_database_gave_up_is_done_again_without_the_culprit(
    store: Store,
) -> None:
    def gives_up(connection: Connection) -> int:
        store.queue.request(connection, [a_task("culprit")])
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself when a disk is full
        return int(connection.execute(text("SELECT nonsense")).scalar_one())

    outcomes = shared(store, [keeps(store, "a"), gives_up, keeps(store, "b")])
    assert (outcomes[0], outcomes[2]) == (1, 1)
    assert isinstance(outcomes[1], StoreUnavailable)
    assert {row.key.subject for row in store.queue.listing()} == {"a", "b"}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_database_that_is_locked_fails_everybody_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.2)
    tried = 0
    begin = store._database._writer.begin

    def count() -> AbstractContextManager[Connection]:
        nonlocal tried
        tried += 1
        return begin()

    monkeypatch.setattr(store._database._writer, "begin", count)
    with closing(sqlite3.connect(str(store._database.url.database))) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = shared(store, [keeps(store, "a"), keeps(store, "b")])
        other.rollback()
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert tried == 1, "nobody waited a second time"
    assert shared(store, [keeps(store, "a")]) == [1], "and the store goes on"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_interrupted_transaction_tells_nobody_that_it_was_kept(store: Store) -> None:
    def interrupted(connection: Connection) -> int:
        store.queue.request(connection, [a_task("a")])
        raise KeyboardInterrupt

    jobs = [engine._Job(keeps(store, "b")), engine._Job(interrupted)]
    store._database._jobs.extend(jobs)
    with pytest.raises(KeyboardInterrupt):
        store._database._do_jobs()
    for job in jobs:
        assert job.done
        with pytest.raises(StoreUnavailable):
            job.outcome()
    assert store.queue.stats().pending == 0


def test_work_alone_raises_what_it_raises(store: Store) -> None:
    with pytest.raises(OnPurpose):
        store._database.together(fails(store, "a"))
    with pytest.raises(StoreUnavailable):
        store._database.together(breaks(store, "b"))
    assert store.queue.stats().pending == 0
    assert store._database.together(keeps(store, "c")) == 1


# --- connections that are kept ---------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_reading_within_reading_sees_the_same(store: Store) -> None:
    put(store, "guid-1")
    with store._database.read() as outer, store._database.read() as inner:
        assert outer is not inner
        for connection in (outer, inner):
            assert connection.execute(text("SELECT guid FROM deliveries")).scalars().all() == [
                "guid-1"
            ]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_reader_sees_what_was_committed_since_it_last_read(
    store: Store, open_another: OpenStore
) -> None:
    other = open_another()
    for number in range(3):
        put(other, f"guid-{number}")
        assert store.inbox.get(f"guid-{number}") is not None


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_connection_on_which_something_failed_is_not_kept(store: Store) -> None:
    def used(*, fails: bool) -> int:
        with store._database.read() as connection:
            assert connection.connection.driver_connection is not None
            if fails:
                raise OnPurpose
            return id(connection)

    first = used(fails=False)
    assert used(fails=False) == first
    kept = list(store._database._reading._idle)
    with pytest.raises(OnPurpose):
        used(fails=True)
    assert len(store._database._reading._idle) == len(kept) - 1
    put(store, "guid-1")
    assert store.inbox.get("guid-1") is not None


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_more_connections_are_kept_than_are_of_use(store: Store) -> None:
    with ExitStack() as stack:
        for _ in range(engine.READERS + 3):
            stack.enter_context(store._database.read())
    assert len(store._database._reading._idle) == engine.READERS
