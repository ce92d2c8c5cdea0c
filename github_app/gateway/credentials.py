"""What we show GitHub to be believed: the app's JWT, and one token an installation, both reused."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from github.Auth import AppAuth

from github_app.gateway.errors import Unavailable
from github_app.gateway.failures import github_time
from github_app.gateway.transport import Answer
from github_app.logs import get_logger
from github_app.settings import Settings

log = get_logger("gateway")

JWT_SECONDS = 300  # GitHub accepts at most 600 and our clock may be wrong
JWT_REUSE_SECONDS = 240
# GitHub accepts a JWT that is dated a minute ahead of its clock, and ours are dated a minute back.
TOLERATED_SKEW = 30  # seconds
JUST_SIGNED = 5  # seconds: a younger JWT was not refused for its age
RENEW_BEFORE = 120  # seconds left of a token; longer than any one judgement takes


class Credentials(Protocol):
    def bearer(self) -> str:
        """The token for the next request; made if there is none or it is about to end."""

    def renew(self, refused: str, there: datetime | None = None) -> bool:
        """Forget the token GitHub refused; True if another one is worth a try.

        ``there``: what GitHub's clock said when it refused.
        """


class AppCredentials:
    """The app itself. Signing costs a millisecond, so a JWT serves for some minutes.

    GitHub goes by its own clock. Where ours is found to be wrong, JWTs are dated by GitHub's: a
    machine that has lost its time server must not stop judging.
    """

    def __init__(self, settings: Settings) -> None:
        sign = AppAuth.create_jwt_sign(settings.private_key.reveal(), "RS256")
        self._auth = AppAuth(settings.app_id, sign_func=lambda claims: sign(self._dated(claims)))
        self._skew = 0  # seconds that GitHub's clock is ahead of ours, where that matters
        self._lock = threading.Lock()
        self._jwt = ""
        self._good_until = 0.0

    def bearer(self) -> str:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._jwt = self._auth.create_jwt(JWT_SECONDS)
                self._good_until = time.monotonic() + JWT_REUSE_SECONDS
            return self._jwt

    def _dated(self, claims: dict[str, Any]) -> dict[str, Any]:
        shifted = {name: claims[name] + self._skew for name in ("iat", "exp")}
        return claims | shifted

    def renew(self, refused: str, there: datetime | None = None) -> bool:
        """Sign once more: after a machine slept its clock went on and the monotonic one did not,
        and a clock that is wrong is wrong by as much as GitHub says."""
        with self._lock:
            if self._jwt != refused:
                return True  # another thread has signed since
            age = time.monotonic() - (self._good_until - JWT_REUSE_SECONDS)
            self._good_until = 0.0
            skew = round((there - datetime.now(UTC)).total_seconds()) if there else self._skew
            if abs(skew - self._skew) > TOLERATED_SKEW:
                self._skew = skew if abs(skew) > TOLERATED_SKEW else 0
                log.warning("clock", ahead_of_github=-skew)
                return True
            return age > JUST_SIGNED


@dataclass(frozen=True, slots=True)
class Token:
    """An installation's token. ``renew_at``: on ``time.monotonic``. ``permissions``: as granted."""

    text: str = field(repr=False)
    renew_at: float
    permissions: dict[str, str]


class InstallationCredentials:
    """One installation's token, minted once at a time however many threads ask for it."""

    def __init__(self, mint: Callable[[], Answer]) -> None:
        self._mint = mint
        self._lock = threading.Lock()
        self._token: Token | None = None

    def bearer(self) -> str:
        return self.token().text

    def token(self) -> Token:
        token = self._token
        if token is not None and time.monotonic() < token.renew_at:
            return token  # without the lock: a reference is read whole
        with self._lock:
            if self._token is None or time.monotonic() >= self._token.renew_at:
                asked = time.monotonic()
                self._token = _token(self._mint(), asked)
            return self._token

    def renew(self, refused: str, there: datetime | None = None) -> bool:
        del there  # GitHub itself dates these
        with self._lock:
            # another thread may have renewed it since
            if self._token is not None and self._token.text == refused:
                self._token = None
        return True


def _token(answer: Answer, asked: float) -> Token:
    """Read ``POST /app/installations/{id}/access_tokens``; its life by GitHub's own clock."""
    try:
        text = answer.data["token"]
        ends = datetime.fromisoformat(answer.data["expires_at"])
        permissions = dict(answer.data.get("permissions") or {})
        there = github_time(answer.headers) or datetime.now(UTC)
        life = ends - there
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable("GitHub's new token is not readable", status=answer.status) from error
    if not isinstance(text, str) or not text:
        raise Unavailable("GitHub's new token is not readable", status=answer.status)
    seconds = max(life, timedelta()).total_seconds()
    return Token(text, asked + seconds - min(RENEW_BEFORE, seconds / 2), permissions)
