"""What is on disk when, on SQLite: a power cut is played with copies of what had been synced."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from github_app.store import engine, wal
from github_app.store.database import Store, open_store
from github_app.store.errors import StoreUnavailable
from tests.store.build import a_task, put

PATIENCE = 30.0
LARGE_BODY = 100_000


class Disk:
    """Notes each sync, and keeps what would be left after a power cut: the files as they were."""

    def __init__(self, database: Path, image: Path) -> None:
        self._database = database
        self._image = image
        self.synced = 0
        self.refuses = 0
        image.mkdir()

    def sync(self, _descriptor: int) -> None:
        if self.refuses:
            self.refuses -= 1
            raise OSError(5, "Input/output error")
        self.synced += 1
        for path in self._database.parent.glob(f"{self._database.name}*"):
            shutil.copy(path, self._image)

    def after_power_cut(self) -> set[str]:
        """The deliveries that are found on the disk."""
        return guids(self._image / self._database.name)


def guids(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {guid for (guid,) in connection.execute("SELECT guid FROM deliveries")}


def in_file_alone(database: Path, folder: Path) -> set[str]:
    """The deliveries that are in the database file without its log."""
    folder.mkdir()
    try:
        return guids(Path(shutil.copy(database, folder)))
    except sqlite3.DatabaseError:  # not even its tables yet, or half of a page
        return set()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def disk(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(database, tmp_path / "image")
    monkeypatch.setattr(wal, "_to_disk", disk.sync)
    return disk


def insert(guid: str) -> Callable[[Connection], None]:
    statement = text(
        "INSERT INTO deliveries (guid, event, action, installation_id, received_at)"
        f" VALUES ('{guid}', '', '', 0, 0)"
    )
    return lambda connection: connection.execute(statement).close()


def test_delivery_is_on_disk_when_put_returns(database: Path, disk: Disk) -> None:
    with open_store(f"sqlite:///{database}") as store:
        for number in range(5):
            put(store, f"guid-{number}", a_task(number))
            assert f"guid-{number}" in disk.after_power_cut()


@pytest.mark.parametrize(
    ("durable", "left"),
    [
        pytest.param(True, {"guid-1"}, id="durable"),
        pytest.param(False, set(), id="not-durable"),
    ],
)
def test_transaction_is_synced_if_it_is_durable(
    database: Path, disk: Disk, durable: bool, left: set[str]
) -> None:
    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        with store._database.write(durable=durable) as connection:
            insert("guid-1")(connection)
        assert disk.after_power_cut() == {"guid-0"} | left


def test_sync_covers_what_was_not_durable_before_it(database: Path, disk: Disk) -> None:
    with open_store(f"sqlite:///{database}") as store:
        with store._database.write(durable=False) as connection:
            insert("guid-1")(connection)
        put(store, "guid-2")
    assert disk.after_power_cut() == {"guid-1", "guid-2"}


def test_repeat_is_on_disk_too(database: Path, disk: Disk) -> None:
    """Whoever is told that it was stored before may rely on it, whoever stored it."""
    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        with store._database.write(durable=False) as connection:
            insert("guid-1")(connection)
        put(store, "guid-1")
        assert disk.after_power_cut() == {"guid-0", "guid-1"}


def test_threads_that_wait_share_one_sync(database: Path, disk: Disk) -> None:
    with open_store(f"sqlite:///{database}") as store:
        put(store, "first")
        log = store._database._log
        before, synced = log._commits, disk.synced
        threads = [
            threading.Thread(target=store._database.together, args=(insert(f"guid-{number}"),))
            for number in range(5)
        ]
        with log._syncing:
            for number, thread in enumerate(threads):
                thread.start()
                wait_until(partial(has_committed, log, before + number + 1))
        for thread in threads:
            thread.join()
        assert disk.synced == synced + 1
        assert disk.after_power_cut() == {"first", *(f"guid-{number}" for number in range(5))}


def test_disk_that_refuses_is_not_believed_the_next_time(
    database: Path, disk: Disk, tmp_path: Path
) -> None:
    """The system forgets what it could not write: asked again, it would say that all is well."""
    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        disk.refuses = 1
        with pytest.raises(StoreUnavailable):
            put(store, "guid-1")
        assert "guid-1" not in in_file_alone(database, tmp_path / "before")
        put(store, "guid-2")
        assert {"guid-0", "guid-1"} <= in_file_alone(database, tmp_path / "after")
        assert disk.after_power_cut() == {"guid-0", "guid-1", "guid-2"}


def test_disk_that_goes_on_refusing(database: Path, disk: Disk) -> None:
    with open_store(f"sqlite:///{database}") as store:
        disk.refuses = 2
        for number in range(2):
            with pytest.raises(StoreUnavailable):
                put(store, f"guid-{number}")
        put(store, "guid-2")
    assert disk.after_power_cut() == {"guid-0", "guid-1", "guid-2"}


def test_log_that_somebody_reads_stays_in_doubt(database: Path, disk: Disk) -> None:
    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        disk.refuses = 1
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM deliveries").fetchall()
            for number in (1, 2):
                with pytest.raises(StoreUnavailable):
                    put(store, f"guid-{number}")
            reader.execute("ROLLBACK")
        put(store, "guid-3")


def test_log_is_moved_into_the_database_meanwhile(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "MOVED_AFTER", 3)
    with open_store(f"sqlite:///{database}") as store:
        for number in range(7):
            put(store, f"guid-{number}")
        names = (tmp_path / f"copy-{number}" for number in range(10**6))
        wait_until(lambda: "guid-2" in in_file_alone(database, next(names)))


def test_log_does_not_grow_for_ever(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the mover cannot keep up, whoever commits moves it."""
    monkeypatch.setattr(wal, "MOVED_AFTER", 10**9)
    monkeypatch.setattr(wal, "MOVED_AT_LAST", 20)
    with open_store(f"sqlite:///{database}") as store:
        sizes = []
        for number in range(100):
            put(store, f"guid-{number}")
            sizes.append(Path(f"{database}-wal").stat().st_size)
        assert store._database._log._mover is None
    assert max(sizes[:50]) >= max(sizes[50:])


@pytest.mark.parametrize(
    ("after", "at_last"),
    [
        pytest.param(3, 10**9, id="by-the-mover"),
        pytest.param(10**9, 3, id="by-whoever-commits"),
    ],
)
def test_nobody_can_write_while_the_log_is_moved(
    database: Path, monkeypatch: pytest.MonkeyPatch, after: int, at_last: int
) -> None:
    """A commit that begins the log anew at that moment is what damages the database."""
    writers: list[str] = []

    def noting(connection: sqlite3.Connection) -> None:
        writers.append(can_write(database))
        really_move(connection)
        writers.append(can_write(database))

    really_move = wal.move
    monkeypatch.setattr(wal, "move", noting)
    monkeypatch.setattr(wal, "MOVED_AFTER", after)
    monkeypatch.setattr(wal, "MOVED_AT_LAST", at_last)
    with open_store(f"sqlite:///{database}") as store:
        for number in range(7):
            put(store, f"guid-{number}")
        wait_until(lambda: len(writers) >= 2)
    assert set(writers) == {"SQLITE_BUSY"}
    assert can_write(database) == "yes"


def test_log_is_not_moved_while_another_process_writes(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = threading.Event()
    monkeypatch.setattr(wal, "move", lambda _connection: moved.set())
    monkeypatch.setattr(wal, "MOVED_AFTER", 3)
    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        log = store._database._log
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            log._commits += 3
            log._move_soon()
            assert not moved.wait(0.2)
            other.execute("ROLLBACK")
        assert moved.wait(PATIENCE)


def test_no_connection_moves_the_log_by_itself(database: Path) -> None:
    """SQLite does so inside a commit, where it is not the writer any more."""
    with open_store(f"sqlite:///{database}") as store:
        base = store._database
        log = base._log
        with base.read() as reader, base.write() as writer:
            ours = [reader.connection.driver_connection, writer.connection.driver_connection]
            with closing(log._connect()) as mover:
                every = [*ours, mover]
                assert [pages_before_it_moves(one) for one in every] == [0, 0, 0]


def test_disk_that_refuses_while_the_log_is_moved_is_not_believed_later(
    database: Path, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite is told of it then, and the system says so only once."""

    def refusing(_connection: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        assert "guid-0" not in in_file_alone(database, tmp_path / "before")
        with monkeypatch.context() as patch:
            patch.setattr(wal, "move", refusing)
            store._database._log._move_now()
        put(store, "guid-1")
        assert {"guid-0", "guid-1"} <= in_file_alone(database, tmp_path / "after")
        assert disk.after_power_cut() == {"guid-0", "guid-1"}


class Opening:
    """Makes opening the database file fail, as where a process has too many files open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failed = 0
        self.fails = True
        self._really = wal.WriteAheadLog._connect
        monkeypatch.setattr(
            wal.WriteAheadLog, "_connect", lambda log, timeout=0: self(log, timeout)
        )

    def __call__(self, log: wal.WriteAheadLog, timeout: float) -> sqlite3.Connection:
        if self.fails:
            self.failed += 1
            raise sqlite3.OperationalError("unable to open database file")
        return self._really(log, timeout)


def test_mover_survives_that_it_cannot_open_the_database(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "MOVED_AFTER", 3)
    opening = Opening(monkeypatch)
    with open_store(f"sqlite:///{database}") as store:
        for number in range(4):
            put(store, f"guid-{number}")
        wait_until(lambda: opening.failed > 0)
        log = store._database._log
        assert log._mover is not None
        assert log._moved == 0
        opening.fails = False
        for number in range(4, 8):
            put(store, f"guid-{number}")
        wait_until(lambda: log._moved > 0)
        assert not log._in_doubt
        assert "guid-0" in in_file_alone(database, tmp_path / "copy")


def test_what_is_committed_is_where_the_log_cannot_be_moved(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told of a failure, whoever committed it would do it again."""
    monkeypatch.setattr(wal, "MOVED_AT_LAST", 3)
    opening = Opening(monkeypatch)
    with open_store(f"sqlite:///{database}") as store:
        for number in range(4):
            put(store, f"guid-{number}")
            with store._database.write(durable=False) as connection:
                insert(f"alone-{number}")(connection)
        assert opening.failed > 0
        assert not store._database._log._in_doubt, "nothing was written, so nothing was refused"
    assert len(guids(database)) == 8


def test_what_is_committed_is_where_no_thread_is_to_be_had(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(wal, "MOVED_AFTER", 3)
    with open_store(f"sqlite:///{database}") as store:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            for number in range(4):
                put(store, f"guid-{number}")
        log = store._database._log
        assert log._mover is None
        put(store, "guid-4")
        wait_until(lambda: log._moved >= 5)


@pytest.mark.parametrize(
    ("code", "in_doubt"),
    [
        pytest.param(sqlite3.SQLITE_BUSY, False, id="busy"),
        pytest.param(sqlite3.SQLITE_BUSY_SNAPSHOT, False, id="busy-in-some-way"),
        pytest.param(sqlite3.SQLITE_CANTOPEN, False, id="not-opened"),
        pytest.param(sqlite3.SQLITE_IOERR_FSYNC, True, id="not-synced"),
        pytest.param(sqlite3.SQLITE_IOERR_WRITE, True, id="not-written"),
        pytest.param(sqlite3.SQLITE_FULL, True, id="full"),
    ],
)
def test_disk_is_in_doubt_where_it_may_have_refused(
    database: Path, monkeypatch: pytest.MonkeyPatch, code: int, in_doubt: bool
) -> None:
    def refusing(_connection: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(wal, "move", refusing)
    with open_store(f"sqlite:///{database}") as store:
        put(store, "guid-0")
        log = store._database._log
        log._move_alone()
        assert (log._in_doubt, log._moved) == (in_doubt, 0)


def insert_large(store: Store, guid: str) -> None:
    statement = text(
        "INSERT INTO deliveries (guid, event, action, installation_id, received_at, body)"
        f" VALUES ('{guid}', '', '', 0, 0, zeroblob({LARGE_BODY}))"
    )
    with store._database.write(durable=False) as connection:
        connection.execute(statement)


def scaled_down(monkeypatch: pytest.MonkeyPatch, *, large: int, at_last: int) -> None:
    """The sizes that matter, in bodies of a tenth of a megabyte."""
    monkeypatch.setattr(engine, "KEPT", 2 * LARGE_BODY)
    monkeypatch.setattr(wal, "LARGE", large * LARGE_BODY)
    monkeypatch.setattr(wal, "LARGE_AT_LAST", at_last * LARGE_BODY)


def test_log_of_few_large_commits_does_not_grow_for_ever(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled_down(monkeypatch, large=10**6, at_last=8)
    with open_store(f"sqlite:///{database}") as store:
        sizes = []
        for number in range(60):
            insert_large(store, f"guid-{number}")
            sizes.append(Path(f"{database}-wal").stat().st_size)
        log = store._database._log
        assert log._mover is None
        assert log._moved > 0
    assert max(sizes) < (8 + wal.LOOKED_EVERY) * LARGE_BODY
    assert len(guids(database)) == 60


def test_log_of_few_large_commits_is_moved_meanwhile_and_cut(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled_down(monkeypatch, large=4, at_last=10**6)
    with open_store(f"sqlite:///{database}") as store:
        log = store._database._log
        for number in range(2 * 4):
            insert_large(store, f"guid-{number}")
        wait_until(lambda: log._moved > 0)
        put(store, "small")  # it begins the log anew, or the next one does
        put(store, "small-2")
        wait_until(lambda: log._growth() < 4 * LARGE_BODY)


def test_log_that_was_cut_is_not_moved_for_its_size(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file stays as large as it was until somebody commits."""
    scaled_down(monkeypatch, large=10**6, at_last=8)
    with open_store(f"sqlite:///{database}") as store:
        log = store._database._log
        while not log._moved:
            insert_large(store, f"guid-{log._commits}")
        moved = log._moved
        put(store, "small")
        assert Path(f"{database}-wal").stat().st_size < 3 * LARGE_BODY
        for number in range(12):
            put(store, f"small-{number}")
        assert log._moved == moved


def pages_before_it_moves(connection: object) -> int:
    assert isinstance(connection, sqlite3.Connection)
    return int(connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0])


def can_write(database: Path) -> str:
    """``yes``, or how SQLite refuses."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return error.sqlite_errorname
        other.execute("ROLLBACK")
    return "yes"


def has_committed(log: wal.WriteAheadLog, commits: int) -> bool:
    return log._commits == commits


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)
