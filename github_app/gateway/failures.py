"""Which of our errors an answer of GitHub is. One table of questions, asked in order."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from github.Requester import Requester

from github_app.gateway.errors import (
    Forbidden,
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    RateLimited,
    Refused,
    Suspended,
    TokenRefused,
    TooHeavy,
    Unavailable,
)
from github_app.gateway.transport import Answer

SECONDARY_WAIT = timedelta(seconds=60)  # docs, "Rate limits for the REST API": at least a minute
LONGEST_WAIT = timedelta(hours=2)  # primary limits reset hourly; a larger figure is a mistake
_WORD = re.compile(r"[A-Za-z_]{1,64}")
_PERMISSIONS = re.compile(r"[a-z_=,; ]{1,300}")


def failure(answer: Answer, what: str, now: datetime) -> GitHubError:
    """Name an answer whose status is not 2xx. ``what``: what was asked, in our own words.

    ``now``: aware, UTC. Returns the error; the caller raises it.
    """
    status, request_id = answer.status, answer.request_id
    message = _message(answer.data)
    limited = limit(answer, message, now)
    if limited is not None:
        return RateLimited(
            f"{what}: GitHub's rate limit", until=limited, status=status, request_id=request_id
        )
    if status == 401:
        return TokenRefused(
            f"{what}: GitHub refused our credentials{_skew(answer, now)}",
            status=status,
            request_id=request_id,
        )
    if status == 403 and "suspended" in message:
        problem = f"{what}: the installation is suspended"
        return Suspended(problem, status=status, request_id=request_id)
    if status == 403:
        return _forbidden(answer, what)
    if status in {301, 302, 307, 308, 404, 410, 451}:
        moved = "it moved" if status < 400 else "not found"
        return NotFound(f"{what}: {moved}", status=status, request_id=request_id)
    if status >= 500 and "diff is taking too long" in message:
        problem = f"{what}: GitHub makes no diff so large"  # and will not, however often asked
        return Refused(problem, status=status, request_id=request_id)
    if status in {502, 504}:
        problem = f"{what}: GitHub gave up ({status})"
        return TooHeavy(problem, status=status, request_id=request_id)
    if status >= 500 or status in {408, 429}:
        problem = f"{what}: GitHub failed ({status})"
        return Unavailable(problem, status=status, request_id=request_id)
    return Refused(f"{what}: GitHub declined ({status})", status=status, request_id=request_id)


def query_failure(
    answer: Answer, what: str, tolerate: tuple[str, ...], now: datetime
) -> GitHubError | None:
    """Name what is wrong with a GraphQL answer of status 200; None if nothing is.

    ``tolerate``: top-level fields that may be NOT_FOUND. Any other error, anywhere, is a failure.
    """
    errors = answer.data.get("errors") if isinstance(answer.data, dict) else None
    if errors is None:
        return None
    if not isinstance(errors, list) or not errors:
        return Unavailable(f"{what}: errors of an unknown shape", request_id=answer.request_id)
    for error in errors:
        if not isinstance(error, dict):
            return Unavailable(f"{what}: errors of an unknown shape", request_id=answer.request_id)
        path = error.get("path")
        if error.get("type") == "NOT_FOUND" and path in [[name] for name in tolerate]:
            continue
        return _named_query_error(error, what, answer, now)
    return None


def _named_query_error(
    error: Mapping[str, Any], what: str, answer: Answer, now: datetime
) -> GitHubError:
    """Name one GraphQL error. Its message is read for GitHub's own words and never shown."""
    name, where = _word(error.get("type")), _path(error.get("path"))
    message = str(error.get("message", "")).lower()
    request_id = answer.request_id
    if name == "RATE_LIMITED" or "rate limit" in message:
        used_up = answer.headers.get("x-ratelimit-remaining") == "0"
        until = (reset(answer.headers, now) if used_up else None) or now + SECONDARY_WAIT
        return RateLimited(f"{what}: GitHub's rate limit", until=until, request_id=request_id)
    if name == "NOT_FOUND":
        return NotFound(f"{what}: not found{where}", request_id=request_id)
    if name == "FORBIDDEN":
        return Forbidden(f"{what}: the app may not read{where}", request_id=request_id)
    if (name and ("LIMIT" in name or "TIMEOUT" in name)) or _gave_up(message):
        return TooHeavy(f"{what}: GitHub gave up on the query", request_id=request_id)
    extensions = error.get("extensions")
    code = _word(extensions.get("code")) if isinstance(extensions, dict) else ""
    if code:
        return Refused(f"{what}: GitHub declined the query ({code})", request_id=request_id)
    return IncompleteSnapshot(
        f"{what}: GitHub reported {name or 'an error'}{where}", request_id=request_id
    )


def limit(answer: Answer, message: str, now: datetime) -> datetime | None:
    """Say until when a limit forbids more calls; None if it is not about limits.

    Source: GitHub docs, "Rate limits for the REST API", the order of the three rules included.
    """
    headers = answer.headers
    used_up = headers.get("x-ratelimit-remaining") == "0"
    about_limits = used_up or "retry-after" in headers or Requester.isRateLimitError(message)
    if answer.status not in {403, 429} or not about_limits:
        return now + SECONDARY_WAIT if answer.status == 429 else None
    if "retry-after" in headers:
        seconds = headers["retry-after"]
        wait = timedelta(seconds=int(seconds)) if _is_number(seconds) else SECONDARY_WAIT
        return now + min(wait, LONGEST_WAIT)
    return (reset(headers, now) if used_up else None) or now + SECONDARY_WAIT


def reset(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the primary limit starts anew, by *our* clock: GitHub's may differ from it."""
    text = headers.get("x-ratelimit-reset", "")
    if not _is_number(text):
        return None
    there = github_time(headers) or now
    # plus one: it is not said when in that second the reset comes
    wait = timedelta(seconds=int(text) - there.timestamp() + 1)
    return now + min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def github_time(headers: Mapping[str, str]) -> datetime | None:
    """GitHub's clock when it answered (aware, UTC); None when it does not say."""
    try:
        found = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _message(data: object) -> str:
    message = data.get("message") if isinstance(data, dict) else None
    return message.lower() if isinstance(message, str) else ""


def _forbidden(answer: Answer, what: str) -> Forbidden:
    accepted = answer.headers.get("x-accepted-github-permissions", "")
    missing = accepted if _PERMISSIONS.fullmatch(accepted) else None
    return Forbidden(
        f"{what}: the app may not" + (f"; GitHub would accept {missing}" if missing else ""),
        missing=missing,
        status=answer.status,
        request_id=answer.request_id,
    )


def _skew(answer: Answer, now: datetime) -> str:
    there = github_time(answer.headers)
    seconds = round((now - there).total_seconds()) if there else 0
    if abs(seconds) < 30:
        return ""
    return f"; our clock is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} GitHub's"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _gave_up(message: str) -> bool:
    signs = ("resource limit", "limits exceeded", "timeout", "timed out", "something went wrong")
    return any(sign in message for sign in signs)


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def _path(value: object) -> str:
    """`` at repository.pullRequest``: names of our own query's fields, so nothing foreign."""
    parts = value if isinstance(value, list) else []
    words = [str(part) for part in parts if isinstance(part, int) or _word(part)]
    return f" at {'.'.join(words)}" if words else ""
