"""Reads the commits that were forced away from a pull request: a mark of AI may have been in them.

Our memory has what we saw; this is for what was gone before anybody looked. GitHub's timeline
names the head before each force-push, and keeps its commits for a while.
"""

import threading
from collections import OrderedDict
from collections.abc import Container, Iterable
from dataclasses import replace

from github_app.gateway.client import Installation
from github_app.gateway.diff import Listed, some_commits
from github_app.judge.facts import Commit, PullRequest

KEPT = 500  # heads whose commits are known
LONGEST = 20_000  # characters of commit messages of one head that are kept


class ForcedAway:
    """One a process, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, str], tuple[Commit, ...]] = OrderedDict()

    def note(self, pull: PullRequest) -> None:
        """Keep the commits of a head that is judged: should it be forced away, nobody must ask."""
        self._keep((pull.repository.id, pull.head_oid), pull.commits)

    def read(
        self,
        installation: Installation,
        pull: PullRequest,
        heads: Iterable[str],
        *,
        judged: Container[str],
    ) -> PullRequest:
        """The pull request with ``former_commits``, those of ``heads``: one call for each head that
        is not known.

        Those that were ``judged`` need not be whole: our memory has what was in them. What GitHub
        no longer has cannot be read by anybody. Raises: GitHubError.
        """
        found: dict[str, Commit] = {}
        whole = True
        for oid in heads:
            listed = self._commits(installation, pull, oid)
            found |= {commit.oid: commit for commit in listed.commits}
            whole = whole and (listed.whole or oid in judged)
        there = {commit.oid for commit in pull.commits}
        former = tuple(commit for oid, commit in found.items() if oid not in there)
        return replace(pull, former_commits=former, former_complete=whole)

    def _commits(self, installation: Installation, pull: PullRequest, oid: str) -> Listed:
        key = (pull.repository.id, oid)
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            return Listed(commits=known, whole=True)
        found = some_commits(installation, pull.repository, pull.base_oid, oid)
        if found is None:
            return Listed(commits=(), whole=True)
        if found.whole:
            self._keep(key, found.commits)
        return found

    def _keep(self, key: tuple[int, str], found: tuple[Commit, ...]) -> None:
        if sum(len(commit.message) for commit in found) > LONGEST:
            return
        with self._lock:
            self._known[key] = found
            self._known.move_to_end(key)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
