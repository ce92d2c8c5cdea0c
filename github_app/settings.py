"""Environment in, ``Settings`` out, once: every name, default and refusal.

What the set-up has stored stands in for variables that are not set: ``credentials_file.py``.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from github_app import credentials_file
from github_app.app_manifest import is_loopback
from github_app.credentials_file import CredentialsFileError
from github_app.judge.errors import CountersignError

PUBLIC_API = "https://api.github.com"
DEFAULT_HOST = "127.0.0.1"
# Rules that change without an event (it was lost, or the app may not hear of rules) are noticed so
# soon. One look asks once for 25 repositories. Seconds.
PROTECTION_EVERY = 3600.0
SWEEP_EVERY = 300.0  # seconds; `--sweep-every` says otherwise
CHECK_NAME_LIMIT = 100  # ours: longer names are cut in GitHub's own lists
SHORT_SECRET = 16  # characters
# Each of these may be given as a file instead: NAME_FILE is its path, as platforms mount secrets.
IN_FILES = frozenset(
    {"GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "GITHUB_CLIENT_SECRET", "DATABASE_URL"}
)
LARGEST_FILE = 1 << 16  # bytes; a key has 2,000: more is the wrong file

T = TypeVar("T")


class SettingsError(CountersignError):
    """The environment cannot be used. ``problems``: every one of them, each with its mend."""

    advice = "Set the variables that are named, or run `countersign setup`; then start again."

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Secret:
    """Text that no ``repr``, ``str``, format or log shows. ``reveal()`` is the one way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the environment says, checked. URLs have no trailing slash.

    ``warnings`` are for the log: nothing that stops the start, but somebody should know.
    """

    app_id: int
    private_key: Secret  # PEM text
    webhook_secrets: tuple[Secret, ...]  # any of them is right: that is how they are rotated
    api_url: str
    graphql_url: str
    web_url: str
    database_url: Secret  # it may hold a password
    roster: Path
    check_name: str
    host: str
    port: int
    client_id: str | None = None
    client_secret: Secret | None = None
    pull: bool = False  # deliveries are fetched: GitHub cannot reach us
    protection_every: float = PROTECTION_EVERY  # seconds between looks at the rules of branches
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Settings":
        """Read and check everything. Raises: SettingsError with every problem at once."""
        env = completed(env)
        reader = _Reader(env)
        api_url = reader.read(api_url_from)
        key = reader.read(_private_key)
        settings = {
            "app_id": reader.read(_app_id),
            "private_key": key,
            "webhook_secrets": reader.read(_webhook_secrets),
            "api_url": api_url,
            "graphql_url": reader.read(graphql_url_from),
            "web_url": reader.read(web_url_from),
            "database_url": reader.read(database_url),
            "roster": reader.read(roster_path),
            "check_name": reader.read(check_name),
            "host": _optional(env, "HOST", DEFAULT_HOST),
            "port": reader.read(_port),
            "client_id": _optional(env, "GITHUB_CLIENT_ID", "") or None,
            "client_secret": reader.read(_client_secret),
            "pull": reader.read(_pull),
            "protection_every": reader.read(_protection_every),
        }
        if reader.problems:
            raise SettingsError(tuple(dict.fromkeys(reader.problems)))
        return cls(**settings, warnings=_warnings(env))  # type: ignore[arg-type] # each was read above


def completed(env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what the set-up stored. Raises: SettingsError."""
    try:
        return credentials_file.completed(env)
    except CredentialsFileError as error:
        raise _refusal(f"COUNTERSIGN_CREDENTIALS: {error}. {error.advice}") from None


def database_url(env: Mapping[str, str]) -> Secret:
    """``DATABASE_URL``, alone: what ``audit`` and ``work`` need. Raises: SettingsError."""
    return Secret(_optional(env, "DATABASE_URL", "sqlite:///countersign.db"))


def roster_path(env: Mapping[str, str]) -> Path:
    """``COUNTERSIGN_ROSTER``, alone. Whether the file is there is for its reader to say."""
    return Path(_optional(env, "COUNTERSIGN_ROSTER", "reviewers.yaml"))


def check_name(env: Mapping[str, str]) -> str:
    """``COUNTERSIGN_CHECK_NAME``, alone. Raises: SettingsError."""
    name = _optional(env, "COUNTERSIGN_CHECK_NAME", "senior-signoff")
    if len(name) > CHECK_NAME_LIMIT or not name.isprintable():
        raise _refusal(
            f"COUNTERSIGN_CHECK_NAME must be one printable line of at most {CHECK_NAME_LIMIT} "
            "characters. The usual name is senior-signoff."
        )
    return name


def api_url_from(env: Mapping[str, str]) -> str:
    """``GITHUB_API_URL``, alone. Raises: SettingsError."""
    return _url(env, "GITHUB_API_URL", PUBLIC_API)


def graphql_url_from(env: Mapping[str, str]) -> str:
    """``GITHUB_GRAPHQL_URL``, or where GitHub keeps it beside the REST API. Raises: SettingsError.

    Source: GitHub docs, "Forming calls with GraphQL" (Enterprise Server: ``/api/graphql``).
    """
    base = urlsplit(api_url_from(env))
    return _url(env, "GITHUB_GRAPHQL_URL", _with_path(base, f"{_above_v3(base)}/graphql"))


def web_url_from(env: Mapping[str, str]) -> str:
    """``GITHUB_WEB_URL``, or the site that belongs to the API. Raises: SettingsError."""
    base = urlsplit(api_url_from(env))
    host = base.netloc.removeprefix("api.")
    path = _above_v3(base).removesuffix("/api")
    return _url(env, "GITHUB_WEB_URL", _with_path(base._replace(netloc=host), path))


class _Reader:
    """Reads one setting after the other and keeps what was wrong with each."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def read(self, part: Callable[[Mapping[str, str]], T]) -> T | None:
        try:
            return part(self.env)
        except SettingsError as error:
            self.problems.extend(error.problems)
            return None


def _refusal(problem: str) -> SettingsError:
    return SettingsError((problem,))


def _given(env: Mapping[str, str], name: str) -> str:
    """What the environment says for ``name``, or the file that ``NAME_FILE`` names; else empty."""
    text = env.get(name, "").strip()
    path = env.get(f"{name}_FILE", "").strip() if name in IN_FILES else ""
    if not path:
        return text
    if text:
        raise _refusal(f"{name} and {name}_FILE are both set. Keep one of them.")
    return _from_file(f"{name}_FILE", Path(path))


def _from_file(name: str, path: Path) -> str:
    """The text of a secret's file. An empty one is refused: it would mean the default."""
    mend = "It must be the path of a text file that holds nothing but the secret."
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode().strip()
    except OSError as error:
        # not the value itself: somebody may have put the secret there
        raise _refusal(f"{name}: the file cannot be read ({error.strerror}). {mend}") from None
    except ValueError:
        raise _refusal(f"{name}: the file is not text. {mend}") from None
    if not text or len(content) > LARGEST_FILE:
        raise _refusal(f"{name}: the file is {'too large' if text else 'empty'}. {mend}")
    return text


def _optional(env: Mapping[str, str], name: str, default: str) -> str:
    return _given(env, name) or default


def _client_secret(env: Mapping[str, str]) -> Secret | None:
    text = _optional(env, "GITHUB_CLIENT_SECRET", "")
    return Secret(text) if text else None


def _required(env: Mapping[str, str], name: str, why: str, mend: str) -> str:
    text = _given(env, name)
    if not text:
        state = "empty" if name in env else "not set"
        raise _refusal(f"{name} is {state}: {why}. {mend}")
    return text


def _app_id(env: Mapping[str, str]) -> int:
    mend = "Set it to the App ID on the settings page of your GitHub App."
    text = _required(env, "GITHUB_APP_ID", "GitHub would not know who asks", mend)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _refusal(f"GITHUB_APP_ID must be a number (not the client id). {mend}")
    return int(text)


def _webhook_secrets(env: Mapping[str, str]) -> tuple[Secret, ...]:
    name, why = "GITHUB_WEBHOOK_SECRET", "anyone could forge events"
    mend = "Set it to the secret of your GitHub App."
    parts = [part.strip() for part in _required(env, name, why, mend).split(",")]
    if not all(parts):
        raise _refusal(
            f"{name} has an empty entry between its commas: {why}. "
            "Separate several secrets by single commas, or leave only one."
        )
    return tuple(Secret(part) for part in parts)


def _private_key(env: Mapping[str, str]) -> Secret:
    name = "GITHUB_APP_PRIVATE_KEY"
    mend = "Set it to the PEM text of the key, or to the path of its file."
    text = _required(env, name, "GitHub would not believe that we are the app", mend)
    pem = text.replace("\\n", "\n") if _is_pem(text) else _key_file(name, Path(text), mend)
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # from None: the parser's message may quote the key
        raise _refusal(f"{name} is not an unencrypted PEM private key. {mend}") from None
    if not isinstance(key, RSAPrivateKey):
        raise _refusal(f"{name} is not an RSA key; GitHub Apps sign with RS256. {mend}")
    return Secret(pem)


def _is_pem(text: str) -> bool:
    return text.startswith("-----BEGIN")


def _key_file(name: str, path: Path, mend: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        # not the value itself: somebody may have put the key there without its first line
        raise _refusal(
            f"{name} names a file that cannot be read ({error.strerror}). {mend}"
        ) from None
    except ValueError:
        raise _refusal(f"{name} names a file that is not PEM text. {mend}") from None


def _port(env: Mapping[str, str]) -> int:
    text = _optional(env, "PORT", "8000")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise _refusal("PORT must be a number from 1 to 65535. The default is 8000.")
    return int(text)


def _pull(env: Mapping[str, str]) -> bool:
    text = _optional(env, "COUNTERSIGN_PULL", "0")
    if text not in {"0", "1"}:
        raise _refusal("COUNTERSIGN_PULL must be 1 (fetch deliveries) or 0 (they are sent to us).")
    return text == "1"


def _protection_every(env: Mapping[str, str]) -> float:
    name, least, most = "COUNTERSIGN_PROTECTION_EVERY", 300, 86_400
    text = _optional(env, name, str(round(PROTECTION_EVERY)))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise _refusal(
            f"{name} must be a number of seconds from {least} (every sweep) to {most} (a day). "
            f"The default is {round(PROTECTION_EVERY)}."
        )
    return float(text)


def listen_on(env: Mapping[str, str]) -> tuple[str, int]:
    """``HOST`` and ``PORT``, alone. Raises: SettingsError."""
    return _optional(env, "HOST", DEFAULT_HOST), _port(env)


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    url = _optional(env, name, default).rstrip("/")
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0
    except ValueError:
        raise _refusal(f"{name} is not a URL. Example: {default}") from None
    if not known:
        raise _refusal(f"{name} is not an http(s) URL. Example: {default}")
    if parts.username is not None or parts.query or parts.fragment:
        raise _refusal(f"{name} must hold neither credentials nor a query. Example: {default}")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise _refusal(f"{name} is http: tokens would travel unencrypted. Use https.")
    return url


def _above_v3(api: SplitResult) -> str:
    return api.path.removesuffix("/v3")


def _with_path(base: SplitResult, path: str) -> str:
    return base._replace(path=path).geturl()


def _warnings(env: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    stored = credentials_file.path_in(env)
    if stored.exists() and _others_may_read(stored):
        found.append(
            "COUNTERSIGN_CREDENTIALS: others on this machine can read the file. chmod 600 it."
        )
    name = "GITHUB_APP_PRIVATE_KEY"
    text = env.get(f"{name}_FILE", "").strip() or env.get(name, "").strip()
    if not _is_pem(text) and _others_may_read(Path(text)):
        found.append(
            "GITHUB_APP_PRIVATE_KEY: others on this machine can read the key file. chmod 600 it."
        )
    if any(len(secret.reveal()) < SHORT_SECRET for secret in _webhook_secrets(env)):
        found.append(
            "GITHUB_WEBHOOK_SECRET is shorter than 16 characters: it can be guessed. "
            "Make a long random one."
        )
    return tuple(found)


def _others_may_read(path: Path) -> bool:
    """A platform owns the file it mounts and lets us in by our group; our own is ours alone."""
    found = path.stat()
    ours = found.st_uid == os.geteuid()
    return bool(found.st_mode & (stat.S_IRWXO | (stat.S_IRWXG if ours else stat.S_IWGRP)))
