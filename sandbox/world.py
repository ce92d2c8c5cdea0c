"""The world of the sandbox: everything there is (``objects.py``), and how it is found.

Everything is found by index, never by scanning, so a world may hold 2,000 repositories and 10,000
open pull requests. Change it through ``sandbox.actions`` only: they check rights and send webhooks.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sandbox.errors import NotFound
from sandbox.objects import (
    LEVELS,
    WEB_FLOW,
    Account,
    App,
    Installation,
    Node,
    PullRequest,
    Repository,
)

T = TypeVar("T", bound=Node)


class World:
    """Everything there is, behind one lock. ``clock`` gives the time; tests may freeze it."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 0  # raised by every action, for pages that wait for news
        self.clock = clock or (lambda: datetime.now(UTC))
        self.accounts: dict[int, Account] = {}
        self.logins: dict[str, Account] = {}  # by lower-case login; bots as "name[bot]"
        self.emails: dict[str, Account] = {}
        self.repositories: dict[int, Repository] = {}
        self.names: dict[str, Repository] = {}  # by lower-case full name
        self.redirects: dict[str, Repository] = {}  # old names after rename and transfer
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.nodes: dict[str, Any] = {}
        self.user_tokens: dict[str, Account] = {}
        self.pending_manifests: dict[str, dict[str, Any]] = {}  # shown, not confirmed yet
        self.manifests: dict[str, dict[str, Any]] = {}  # by their code, not exchanged yet
        self.emit: Callable[..., None] = lambda *_args, **_kwargs: None  # set by webhooks
        self.web_url = "http://127.0.0.1"  # set by the server
        self.api_url = "http://127.0.0.1"
        self._ids = itertools.count(1001)
        self._quiet = 0
        self._skipped = timedelta()
        self.ghost = self.add_account(Account(id=10137, login="ghost", created_at=self.now()))
        self.queue_bot = self.add_account(
            Account(id=118344674, login="github-merge-queue", kind="Bot", created_at=self.now())
        )
        self.web_flow = self.add_account(
            Account(id=19864447, login="web-flow", created_at=self.now(), emails=[WEB_FLOW[1]])
        )

    def now(self) -> datetime:
        """Aware UTC time, moved on by what ``skip`` was told."""
        return self.clock() + self._skipped

    def skip(self, seconds: float) -> None:
        """Move the clock on: tokens run out, limits are reset."""
        with self.lock:
            self._skipped += timedelta(seconds=seconds)

    def new_id(self) -> int:
        """A number never given before; safe from any thread."""
        return next(self._ids)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No webhooks inside: for building big worlds."""
        with self.lock:
            self._quiet += 1
            try:
                yield
            finally:
                self._quiet -= 1

    @property
    def is_quiet(self) -> bool:
        return self._quiet > 0

    def touched(self) -> None:
        """Tell waiting pages that something happened."""
        self.version += 1
        self.changed.notify_all()

    def register(self, node: T) -> T:
        self.nodes[node.node_id] = node
        return node

    def add_account(self, account: Account) -> Account:
        self.accounts[account.id] = account
        self.logins[account.rest_login.lower()] = account
        domain = "users.noreply.github.com"
        old = [f"{account.rest_login}@{domain}", f"{account.id}+{account.rest_login}@{domain}"]
        for email in (*account.emails, account.noreply, *old):
            self.emails.setdefault(email.lower(), account)
        return self.register(account)

    def account(self, login: str) -> Account:
        """By login (bots as ``name[bot]``); NotFound if there is none."""
        found = self.logins.get(login.lower())
        if found is None or found.deleted:
            raise NotFound(f"account {login}")
        return found

    def by_email(self, email: str) -> Account | None:
        found = self.emails.get(email.lower())
        return found if found and not found.deleted else None

    def organization(self, login: str) -> Account:
        found = self.account(login)
        if found.kind != "Organization":
            raise NotFound(f"organisation {login}")
        return found

    def repository(self, full_name: str, *, follow: bool = False) -> Repository:
        """By ``owner/name``; old names only if ``follow``."""
        key = full_name.lower()
        found = self.names.get(key) or (self.redirects.get(key) if follow else None)
        if found is None:
            raise NotFound(f"repository {full_name}")
        return found

    def pull(self, repository: str, number: int) -> PullRequest:
        found = self.repository(repository).pulls.get(int(number))
        if found is None:
            raise NotFound(f"pull request {repository}#{number}")
        return found

    def permission(self, account: Account, repository: Repository) -> str:
        """The level this account has on the repository right now (``LEVELS``)."""
        if account.deleted:
            return "none"
        if account.kind == "Bot":
            return self._bot_permission(account, repository)
        owner = repository.owner
        if account is owner or owner.members.get(account.id) == "admin":
            return "admin"
        levels = [repository.collaborators.get(account.id, "none")]
        if account.id in owner.members:
            levels.append(owner.base_permission)
        levels += [
            team.repositories[repository.id]
            for team in owner.teams.values()
            if account.id in team.members and repository.id in team.repositories
        ]
        if not repository.private:
            levels.append("read")
        return max(levels, key=LEVELS.index)

    def _bot_permission(self, bot: Account, repository: Repository) -> str:
        given = repository.collaborators.get(bot.id)
        if given:
            return given
        for installation in self.installations_of(repository):
            if installation.app is bot.app and not installation.suspended_at:
                return "write" if installation.permissions.get("contents") == "write" else "read"
        return "none" if repository.private else "read"

    def installations_of(self, repository: Repository) -> list[Installation]:
        return [found for found in self.installations.values() if found.sees(repository)]


def secret(prefix: str, length: int = 24) -> str:
    return prefix + secrets.token_hex(length)
