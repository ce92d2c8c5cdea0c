"""GitHub's failures in our words. PyGithub's, requests' and GraphQL's errors end in this package.

No message holds a response body or foreign text: only what was asked, the status and GitHub's
request id, which its support can look up.
"""

import re
from datetime import datetime

from github_app.judge.errors import CountersignError

_REQUEST_ID = re.compile(r"[0-9A-Za-z:._-]{1,100}")


class GitHubError(CountersignError):
    """Base of what can go wrong with GitHub.

    ``retryable``: asking again later may help without anyone changing anything.
    ``status``: the HTTP status, None where there was no answer. ``request_id``: GitHub's, or None.
    """

    advice = "Look at https://www.githubstatus.com, then at the delivery in the audit log."
    retryable = False

    def __init__(
        self, problem: str, *, status: int | None = None, request_id: str | None = None
    ) -> None:
        known = request_id if request_id and _REQUEST_ID.fullmatch(request_id) else None
        super().__init__(f"{problem} (request {known})" if known else problem)
        self.status = status
        self.request_id = known


class NotFound(GitHubError):
    """It does not exist, was renamed or moved, or the installation may not see it."""

    advice = "Check that it exists under this name and that the app is installed on it."


class Forbidden(GitHubError):
    """The app lacks a permission. ``missing``: what GitHub would accept, as ``checks=write``."""

    advice = "Grant the app the permission that is named and accept it in the installation."

    def __init__(
        self,
        problem: str,
        *,
        missing: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(problem, status=status, request_id=request_id)
        self.missing = missing


class RateLimited(GitHubError):
    """A limit of the installation is used up. ``until``: aware, UTC; nothing is sent before."""

    advice = "Nothing to do: work goes on by itself when GitHub's limit is over."
    retryable = True

    def __init__(
        self,
        problem: str,
        *,
        until: datetime,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(problem, status=status, request_id=request_id)
        self.until = until


class Unavailable(GitHubError):
    """GitHub did not answer, broke the connection, failed (5xx) or sent something unreadable.

    After a write it is not known whether GitHub did it: read again before writing again.
    """

    advice = "Nothing to do unless it lasts: it is tried again by itself."
    retryable = True


class TooHeavy(Unavailable):
    """GitHub gave up on a query, or its answer is larger than we accept: ask for less at once."""

    advice = "Nothing to do: it is asked again in smaller pages."


class IncompleteSnapshot(GitHubError):
    """GitHub's answer is not the whole truth, so nothing is judged on it. ``what`` says why.

    ``retryable`` here is per case: a moving pull request settles, a withheld page does not.
    """

    advice = "If it stays, the pull request is too large, or GitHub changed: tell the maintainers."

    def __init__(self, what: str, *, retryable: bool = True, request_id: str | None = None) -> None:
        super().__init__(f"incomplete snapshot: {what}", request_id=request_id)
        self.what = what
        self.retryable = retryable


class TokenRefused(GitHubError):
    """GitHub does not accept our credentials, also not freshly made ones."""

    advice = "Check GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY: is it a key of this app, and current?"
    retryable = True  # a key is mended without an event that would tell us


class Suspended(GitHubError):
    """The installation is suspended: no API, no webhooks, until an owner lifts it."""

    advice = "An owner of the account can lift the suspension in the settings of the installation."


class Refused(GitHubError):
    """GitHub understood and declined (422 and the like): our request was wrong."""

    advice = "This is a fault in Countersign: tell the maintainers, with the request id."


class ConnectionLost(Unavailable):
    """The connection broke before the answer was there: often one that was kept alive too long."""
