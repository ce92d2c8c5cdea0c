"""Which branches are looked after: what protects one, and what ever demanded our check there."""

import threading
import time
from collections.abc import Callable

from github_app.gateway import landing, protection
from github_app.gateway.client import Installation
from github_app.gateway.errors import Forbidden, NotFound
from github_app.judge.facts import Repository
from github_app.said import demands
from github_app.store.audit import Filter, RecordKind
from github_app.store.database import Store
from github_app.store.text import Json

# For so long a process trusts its list of a repository's protected branches. Seconds.
PROTECTED_AGE = 600.0


class ProtectedBranches:
    """The protected branches of repositories, as this process last read them. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, tuple[float, frozenset[str]]] = {}

    def of(self, repository_id: int, read: Callable[[], frozenset[str]]) -> frozenset[str]:
        with self._lock:
            known = self._known.get(repository_id)
        if known is not None and time.monotonic() - known[0] < PROTECTED_AGE:
            return known[1]
        found = read()
        with self._lock:
            self._known[repository_id] = time.monotonic(), found
        return found

    def forget(self, repository_id: int) -> None:
        with self._lock:
            self._known.pop(repository_id, None)


class BranchRules:
    """What rules say of a branch, now and before. One per worker."""

    def __init__(self, *, store: Store, check_name: str, protected: ProtectedBranches) -> None:
        self._store = store
        self._check_name = check_name
        self._protected = protected

    def is_watched(self, installation: Installation, where: Repository, branch: str) -> bool:
        """The default branch always is: it is what everybody builds on."""
        return branch == where.default_branch or self.has_rules(installation, where, branch)

    def has_rules(self, installation: Installation, where: Repository, branch: str) -> bool:
        """Whether anything protects it: a ruleset, or classic protection."""
        return branch in self._protected.of(
            where.id, lambda: landing.protected_branches(installation, where)
        )

    def was_required(self, installation: Installation, where: Repository, branch: str) -> bool:
        """Whether a rule ever demanded our check there, as far as we saw: who lifts it for a
        moment gets past it."""
        last = self._store.protections.of(installation.id).get(where.id)
        states: list[Json] = [dict(last.state)] if last is not None else []
        changed = Filter(repository_id=where.id, kind=RecordKind.PROTECTION)
        for record in self._store.audit.records(changed):
            states += [record.entry.fields.get("was"), record.entry.fields.get("now")]
        return any(demands(state, branch) for state in states)

    def is_required(self, installation: Installation, where: Repository, branch: str) -> bool:
        """Whether any rule demands our check there: where none does, nothing was got past."""
        name = self._check_name
        for ask in (protection.rules, protection.classic_checks):
            try:
                found = ask(installation, where.owner, where.name, branch, check_name=name)
            except (Forbidden, NotFound):  # no rules on this plan; the branch is gone
                continue
            if any(demand.rule == protection.CHECK_RULE for demand in found):
                return True
        return False
