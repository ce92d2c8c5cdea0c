"""A copy of a SQLite database that is in use: whole, of one moment, and proven before it counts."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from github_app.store.audit import Audit, Verification
from github_app.store.engine import open_database, parse_url
from github_app.store.errors import StoreError


class BackupError(StoreError):
    """No copy was made; what was there before is untouched."""

    advice = "Mend what is named, then run it again. The database itself is as it was."


class NotAFile(BackupError):
    """The database is a server's, which has better ways than ours."""

    advice = (
        "Use the server's own tools: pg_dump, or a base backup with its log (docs/deploying.md)."
    )


def back_up(url: str, target: Path) -> Verification:
    """Copy the SQLite database at ``url`` to the new file ``target``, mode 0600.

    Whoever uses the database goes on reading and writing meanwhile; the copy holds what was
    committed when it began. It is on disk, and its audit chain fits, before it gets its name. The
    result's ``last`` is the receipt to keep elsewhere. Raises BackupError, NotAFile, StoreError.
    """
    source = _file(url)
    if target.exists():
        raise BackupError(f"there is a file already: {target}")
    with _unfinished(target) as part:
        _copy(source, part)
        result = _verified(part)
        if not result.ok:
            raise BackupError(
                f"the audit log does not fit at record {result.seq}: {result.problem}"
            )
        _give_name(part, target)
    return result


def _file(url: str) -> Path:
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise NotAFile("this database is not a file")
    path = Path(parsed.database or "")
    if not path.is_file():
        raise StoreError("there is no database at that path")
    return path


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A name beside ``target``, of which nothing is left when it is over."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        # VACUUM INTO takes an empty file, so the mode is right before anything is in it.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from None
    try:
        yield part
    finally:
        for name in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm"))):
            name.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    try:
        # One statement, one view: in WAL mode nobody waits for it or makes it begin anew.
        with closing(sqlite3.connect(source, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
    except sqlite3.Error as error:
        raise BackupError(f"it cannot be copied: {error}") from None


def _verified(part: Path) -> Verification:
    # Not as a store: that would bring the copy's tables up to date.
    database = open_database(f"sqlite:///{part}")
    try:
        return Audit(database).verify()
    finally:
        database.close()


def _give_name(part: Path, target: Path) -> None:
    """SQLite does not sync what VACUUM INTO writes. Without a race: a name that is taken stays."""
    try:
        _sync(part, os.O_RDWR)
        os.link(part, target)
        _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from None


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
