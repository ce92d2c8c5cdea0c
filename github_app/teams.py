"""Who is in a team now: read from GitHub, kept for a while, and dropped by every process at once.

An event raises the installation's generation in the store; what was read under an older one is
read again. Where the event never came, a list that has changed is noticed when it is next read.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from github_app.gateway import supplements
from github_app.gateway.client import Installation
from github_app.gateway.errors import Forbidden, GitHubError, NotFound
from github_app.judge.facts import Actor
from github_app.logs import get_logger

log = get_logger("teams")

# Team members are read again after this long, and at once when an event says they changed. Seconds.
MEMBERS_AGE = 600.0
# So many are read in one sweep at most: a call each, and a hundred members a call.
MOST_AT_ONCE = 50
_UNREAD = "unread"

Members = frozenset[Actor] | None  # None: GitHub does not show the team


class Noticed(Protocol):
    """What all processes know of: the store's, or something that writes nothing."""

    def generation(self, installation_id: int, /) -> int: ...

    def team_read(self, installation_id: int, team: str, digest: str, /) -> bool: ...

    def teams(self, installation_id: int, /, *, older_than: float) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """As read at ``at``, by this process's monotonic clock."""

    generation: int
    at: float
    members: Members


class Teams:
    """The members of teams. One per process; every thread may ask."""

    def __init__(self, *, noticed: Noticed, monotonic: Callable[[], float]) -> None:
        self._noticed = noticed
        self._monotonic = monotonic
        self._kept: dict[tuple[int, str], _Kept] = {}
        self._lock = Lock()

    def generation(self, installation_id: int) -> int:
        """What is kept of the installation is good as long as this stays. Raises: StoreError."""
        return self._noticed.generation(installation_id)

    def members(self, installation: Installation, team: str, generation: int) -> Members:
        """The accounts in ``team`` (``organisation/team``), those of its child teams included.

        ``generation``: the installation's, asked for before. None: a secret team, one that is
        gone or has another name, or no right to read it. Raises: GitHubError, StoreError.
        """
        key = (installation.id, team)
        with self._lock:
            known = self._kept.get(key)
        now = self._monotonic()
        if known is not None and known.generation == generation and now - known.at < MEMBERS_AGE:
            return known.members
        found = self._read(installation, team)
        with self._lock:
            self._kept[key] = _Kept(generation=generation, at=now, members=found)
        return found

    def look_again(self, installation: Installation) -> int:
        """Read the teams that nobody has read for a while: how many have changed since.

        One that GitHub cannot give for the moment is left for the next time, and holds nothing up.
        Raises: StoreError.
        """
        old = self._noticed.teams(installation.id, older_than=MEMBERS_AGE)
        generation = self.generation(installation.id)
        for team in old[:MOST_AT_ONCE]:
            try:
                self._read(installation, team)
            except GitHubError as error:
                log.warning("team not looked at", team=team, reason=str(error))
        return self.generation(installation.id) - generation

    def _read(self, installation: Installation, team: str) -> Members:
        found: Members
        try:
            found = supplements.team_members(installation, team)
        except (NotFound, Forbidden) as error:
            # Anything else passes: then it is asked again.
            log.warning("team unread", team=team, reason=str(error))
            found = None
        if self._noticed.team_read(installation.id, team, _digest(found)):
            log.info("team changed", team=team, installation=installation.id)
        return found


def _digest(members: Members) -> str:
    """Names a list by who is in it: ids, because logins change hands."""
    if members is None:
        return _UNREAD
    known = sorted(f"{actor.kind.value} {actor.id} {actor.key}" for actor in members)
    return hashlib.sha256("\n".join(known).encode()).hexdigest()
