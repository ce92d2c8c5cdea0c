"""Where the set-up keeps the app's credentials: a file of shell assignments, for its owner only.

A process reads it by itself; systemd (``EnvironmentFile``), compose (``env_file``) and a shell
can read it too. What the environment says wins over what the file says.
"""

import os
import shlex
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from github_app.judge.errors import CountersignError

DEFAULT = "countersign.env"
# The three that no process starts without.
ESSENTIAL = ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET")
NAMES = (
    *ESSENTIAL,
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "GITHUB_API_URL",
    "GITHUB_GRAPHQL_URL",
    "GITHUB_WEB_URL",
    "COUNTERSIGN_PULL",
)
OWNER_ONLY = 0o600
_LARGEST = 64 * 1024  # bytes; a key of 8,192 bits is a tenth of it


class CredentialsFileError(CountersignError):
    """The file cannot be read or written. The message quotes nothing of what is in it."""

    advice = "Mend or move the file that is named, or set the variables in the environment."


def path_in(env: Mapping[str, str]) -> Path:
    """``COUNTERSIGN_CREDENTIALS``, alone: whether the file is there is for its reader to say."""
    return Path(env.get("COUNTERSIGN_CREDENTIALS", "").strip() or DEFAULT)


def in_environment(env: Mapping[str, str]) -> tuple[str, ...]:
    """The essential variables that the environment has, also the empty ones."""
    return tuple(name for name in ESSENTIAL if _is_set(env, name))


def is_configured(env: Mapping[str, str]) -> bool:
    """Whether there is any sign of an app: one variable, even an empty one, or the file."""
    return bool(in_environment(env)) or os.path.lexists(path_in(env))


def completed(env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, and what only the file says. Raises: CredentialsFileError.

    If the environment names another app than the file does, nothing of the file is used: the key
    of one app beside the id of another would help nobody.
    """
    path = path_in(env)
    if not os.path.lexists(path):
        return env
    stored = read(path)
    theirs = env.get("GITHUB_APP_ID")
    if theirs is not None and theirs.strip() != stored.get("GITHUB_APP_ID"):
        return env
    return {name: text for name, text in stored.items() if not _is_set(env, name)} | dict(env)


def _is_set(env: Mapping[str, str], name: str) -> bool:
    return name in env or f"{name}_FILE" in env


def read(path: Path) -> dict[str, str]:
    """The variables of the file. Raises: CredentialsFileError.

    A file that others can write is refused: they could send our tokens to an address of theirs.
    """
    try:
        with path.open(encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(_LARGEST + 1)
    except OSError as error:
        raise CredentialsFileError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError:
        raise CredentialsFileError(f"{path} is not UTF-8 text") from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CredentialsFileError(f"{path} can be written by others: chmod 600 it")
    if len(text) > _LARGEST:
        raise CredentialsFileError(f"{path} is larger than {_LARGEST >> 10} KiB")
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        assignment = _assignment(path, number, line)
        if assignment is None:
            continue
        name, value = assignment
        if name not in NAMES or name in found:
            what = "is there twice" if name in found else "does not belong there"
            raise CredentialsFileError(f"{path} line {number}: a variable {what}")
        found[name] = value
    return found


def _assignment(path: Path, number: int, line: str) -> tuple[str, str] | None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = ["", ""]  # a quotation that does not end
    if not words:
        return None
    name, equals, value = words[0].partition("=")
    if len(words) != 1 or not equals:
        raise CredentialsFileError(f"{path} line {number}: expected NAME='value'")
    return name, value


def as_assignments(values: Mapping[str, str]) -> str:
    """One ``NAME='value'`` a line. The key is one line: its line ends are spelled as ``\\n``."""
    lines = (
        f"{name}={shlex.quote(text.strip().replace(chr(10), chr(92) + 'n'))}"
        for name, text in values.items()
    )
    return "".join(f"{line}\n" for line in lines)


class Reservation:
    """A place for the credentials that is known to be writable before there are any."""

    def __init__(self, path: Path, descriptor: int, draft: Path) -> None:
        self._path, self._descriptor, self._draft = path, descriptor, draft

    def keep(self, values: Mapping[str, str]) -> None:
        """Write them durably, all or nothing, over nobody. Raises: CredentialsFileError."""
        try:
            with os.fdopen(os.dup(self._descriptor), "w", encoding="utf-8") as opened:
                opened.write(as_assignments(values))
                opened.flush()
                os.fsync(opened.fileno())
            os.link(self._draft, self._path)  # unlike a rename it refuses what is there already
            _sync_folder(self._path.parent)
        except FileExistsError:
            raise CredentialsFileError(f"{self._path} is there already") from None
        except OSError as error:
            raise CredentialsFileError(f"{self._path}: {error.strerror}") from None


@contextmanager
def reserved(path: Path) -> Iterator[Reservation]:
    """Make sure that the file can be made, mode 0600. Raises: CredentialsFileError."""
    if os.path.lexists(path):
        raise CredentialsFileError(f"{path} is there already")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise CredentialsFileError(f"{path} cannot be made ({error.strerror})") from None
    try:
        os.fchmod(descriptor, OWNER_ONLY)
        yield Reservation(path, descriptor, Path(name))
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
