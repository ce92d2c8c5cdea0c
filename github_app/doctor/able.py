"""Who of the signers may push to a repository: only then does an approval count there."""

import threading

from github_app.gateway import supplements
from github_app.gateway.client import Installation
from github_app.gateway.errors import Forbidden, NotFound
from github_app.judge.facts import Repository

# In an organisation where nobody who signs is an owner this would be most of the calls.
MOST_CALLS = 2_000


class Able:
    """Owners of the organisation may push everywhere and are asked for once; others for each
    repository, whoever could push last first.
    """

    def __init__(
        self,
        installation: Installation,
        organization: str | None,
        signers: tuple[str, ...],
        needed: int,
    ) -> None:
        self._installation = installation
        self._organization = organization
        self._needed = needed
        self._order = list(signers)
        self._owners: tuple[str, ...] | None = None
        self._left = MOST_CALLS
        self._lock = threading.Lock()

    def of(self, repository: Repository) -> tuple[str, ...] | None:
        """The first of them, as many as are needed, or fewer; None where it may not be seen.

        Raises: GitHubError.
        """
        found = list(self._everywhere())
        for login in list(self._order):
            if len(found) >= self._needed:
                break
            if login in found:
                continue
            if not self._may_ask():
                return None
            try:
                able = supplements.can_push(self._installation, repository, login)
            except Forbidden:
                return None
            if able:
                found.append(login)
                self._prefer(login)
        return tuple(found)

    def _everywhere(self) -> tuple[str, ...]:
        with self._lock:
            if self._owners is None:
                self._owners = tuple(self._read_owners())
            return self._owners

    def _read_owners(self) -> list[str]:
        found: list[str] = []
        for login in self._order if self._organization else []:
            if len(found) == self._needed:
                break
            try:
                if supplements.owns(self._installation, self._organization or "", login):
                    found.append(login)
            except (Forbidden, NotFound):
                continue  # asked for each repository, then
        return found

    def _may_ask(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _prefer(self, login: str) -> None:
        with self._lock:
            self._order = [login, *(each for each in self._order if each != login)]
