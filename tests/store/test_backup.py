"""Backups: taken while others write, restored, and still provable record by record."""

import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from github_app.store.audit import Anchor, Entry, RecordKind
from github_app.store.backup import BackupError, NotAFile, back_up
from github_app.store.database import Store, open_store
from github_app.store.errors import StoreError, StoreUnavailable
from tests.store import postgres
from tests.store.build import a_task, put


def write(store: Store, number: int) -> None:
    """One event, and one record about it."""
    put(store, f"guid-{number}", a_task(number))
    store.audit.append(
        Entry(kind=RecordKind.JUDGED, repository_id=10, repository="acme/shop", number=number)
    )


@contextmanager
def writing(store: Store) -> Iterator[threading.Event]:
    """Somebody writes all the time. The event says that some of it is there."""
    stop, begun = threading.Event(), threading.Event()

    def run() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            write(store, number)
            if number >= 5:
                begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield begun
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "countersign.db"


@pytest.fixture
def sqlite(file: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{file}") as store:
        yield store


def test_a_copy_taken_while_others_write(sqlite: Store, file: Path, tmp_path: Path) -> None:
    copies = [tmp_path / f"copy-{number}.db" for number in range(3)]
    with writing(sqlite) as begun:
        assert begun.wait(60)
        results = [back_up(f"sqlite:///{file}", copy) for copy in copies]
    for copy, result in zip(copies, results, strict=True):
        assert result.ok
        assert result.records >= 5
        assert result.last is not None
        assert copy.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = connection.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        # Of one moment: a delivery comes just before its record, and nothing else is written.
        assert stored in (result.records, result.records + 1)
        assert sqlite.audit.verify([Anchor.parse(result.last)]).ok
    assert {one.name for one in tmp_path.iterdir()} == {
        *(copy.name for copy in copies),
        *(f"countersign.db{end}" for end in ("", "-wal", "-shm")),
    }


def test_a_restored_copy_goes_on_with_the_chain(sqlite: Store, file: Path, tmp_path: Path) -> None:
    write(sqlite, 1)
    back_up(f"sqlite:///{file}", tmp_path / "copy.db")
    write(sqlite, 2)
    lost = sqlite.audit.verify().last
    assert lost is not None
    with open_store(f"sqlite:///{tmp_path / 'copy.db'}") as restored:
        missing = restored.audit.verify([Anchor.parse(lost)])
        assert (missing.seq, missing.problem is not None) == (2, True)
        write(restored, 3)
        assert restored.audit.verify().records == 2
        assert restored.audit.verify([Anchor.parse(lost)]).seq == 2  # another record 2: rewritten
        with pytest.raises(StoreUnavailable), restored._database.write() as connection:
            connection.execute(text("DELETE FROM audit"))


def refused(url: str, target: Path) -> StoreError:
    before = set(target.parent.iterdir()) if target.parent.is_dir() else set()
    with pytest.raises(StoreError) as caught:
        back_up(url, target)
    assert (set(target.parent.iterdir()) if target.parent.is_dir() else set()) == before
    return caught.value


def test_a_file_that_is_there_stays(sqlite: Store, file: Path, tmp_path: Path) -> None:
    write(sqlite, 1)
    target = tmp_path / "kept.db"
    target.write_bytes(b"yesterday's")
    error = refused(f"sqlite:///{file}", target)
    assert isinstance(error, BackupError)
    assert "there is a file already" in str(error)
    assert target.read_bytes() == b"yesterday's"


def test_a_log_that_was_edited_is_no_backup(sqlite: Store, file: Path, tmp_path: Path) -> None:
    write(sqlite, 1)
    with closing(sqlite3.connect(file)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET body = replace(body, 'shop', 'shed')")
        connection.commit()
    error = refused(f"sqlite:///{file}", tmp_path / "copy.db")
    assert "the audit log does not fit at record 1" in str(error)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        pytest.param("postgresql://u:hunter2@db/x", NotAFile, id="a-server"),
        pytest.param("sqlite:///none/there.db", StoreError, id="no-database"),
    ],
)
def test_what_cannot_be_copied(url: str, kind: type[StoreError], tmp_path: Path) -> None:
    error = refused(url, tmp_path / "copy.db")
    assert type(error) is kind
    assert "hunter2" not in f"{error} {error.advice}"


def test_a_database_that_is_none(tmp_path: Path) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"this is no database" * 500)
    assert "cannot be copied" in str(refused(f"sqlite:///{junk}", tmp_path / "copy.db"))


def test_a_folder_that_is_not_there(sqlite: Store, file: Path, tmp_path: Path) -> None:
    error = refused(f"sqlite:///{file}", tmp_path / "none" / "copy.db")
    assert "cannot be written" in str(error)


@pytest.mark.postgres
def test_a_dump_of_postgresql_while_others_write(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    """The recipe in docs/deploying.md, with the server's own tools."""
    url, restored_url = (postgres_server.new_database(one) for one in ("test_1", "template1"))
    dump = tmp_path / "countersign.dump"
    with open_store(url) as store:
        with writing(store) as begun:
            assert begun.wait(60)
            tool("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={url}")
        last = store.audit.verify().last
        assert last is not None
        tool("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={restored_url}", str(dump))
        with open_store(restored_url) as restored:
            result = restored.audit.verify()
            assert result.ok
            assert result.last is not None
            assert result.records >= 5
            assert store.audit.verify([Anchor.parse(result.last)]).ok
            with pytest.raises(StoreUnavailable), restored._database.write() as connection:
                connection.execute(text("UPDATE audit SET body = ''"))
            write(restored, 10_000)
            assert restored.audit.verify().records == result.records + 1


def tool(name: str, *arguments: str) -> None:
    binaries = postgres.binaries()
    assert binaries is not None
    environment = {"PATH": f"{binaries}:{os.environ.get('PATH', '')}", "LC_ALL": "C.UTF-8"}
    subprocess.run([name, *arguments], check=True, env=environment, timeout=120)
