"""The state of the sandbox: accounts, repositories, pull requests, checks, rules, apps.

Everything is found by index, never by scanning, so a world may hold 2,000 repositories and 10,000
open pull requests. Change it through ``sandbox.actions`` only: they check rights and send webhooks.
"""

from __future__ import annotations

import base64
import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from sandbox.errors import NotFound
from sandbox.git import EMPTY_TREE, Commit, FileChange, Store, Tree, diff

T = TypeVar("T", bound="Node")
LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
WEB_FLOW = ("GitHub", "noreply@github.com")


def node_id(prefix: str, number: int) -> str:
    return f"{prefix}_kwDO" + base64.urlsafe_b64encode(number.to_bytes(6, "big")).decode()


def iso(moment: datetime) -> str:
    """GitHub's timestamps: UTC, whole seconds, a ``Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_or_none(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def at_least(level: str, needed: str) -> bool:
    return LEVELS.index(level) >= LEVELS.index(needed)


@dataclass(eq=False, kw_only=True)
class Node:
    """Anything with a numeric id and a global node id."""

    prefix: ClassVar[str] = "N"
    id: int

    @cached_property
    def node_id(self) -> str:
        return node_id(self.prefix, self.id)


@dataclass(eq=False, kw_only=True)
class Account(Node):
    """A user, bot, organisation or mannequin. ``kind`` is GraphQL's type name."""

    prefix = "U"
    login: str
    kind: str = "User"
    name: str = ""
    emails: list[str] = field(default_factory=list)
    created_at: datetime
    deleted: bool = False
    alias: str = ""  # what REST calls a bot that has a name of its own there
    app: App | None = None  # the app behind a bot
    # Organisations only:
    members: dict[int, str] = field(default_factory=dict)  # account id -> admin | member
    pending: set[int] = field(default_factory=set)
    teams: dict[str, Team] = field(default_factory=dict)  # by slug
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    base_permission: str = "read"
    plan: str = "enterprise"
    repositories: dict[int, Repository] = field(default_factory=dict)

    @cached_property
    def node_id(self) -> str:
        prefixes = {"Bot": "BOT", "Organization": "O", "Mannequin": "M"}
        return node_id(prefixes.get(self.kind, "U"), self.id)

    @property
    def email(self) -> str:
        return self.emails[0] if self.emails else self.noreply

    @property
    def rest_login(self) -> str:
        return f"{self.login}[bot]" if self.kind == "Bot" else self.login

    @property
    def shown_login(self) -> str:
        """What REST and webhooks show."""
        return self.alias or self.rest_login

    @property
    def noreply(self) -> str:
        return f"{self.id}+{self.shown_login}@users.noreply.github.com"


@dataclass(eq=False, kw_only=True)
class Team(Node):
    prefix = "T"
    slug: str
    name: str
    org: Account
    parent: Team | None = None
    secret: bool = False  # seen by its members and the owners; neither has nor is a child team
    members: set[int] = field(default_factory=set)
    repositories: dict[int, str] = field(default_factory=dict)  # repository id -> level

    @property
    def everybody(self) -> set[int]:
        """Its members and those of its child teams, all the way down."""
        children = [team for team in self.org.teams.values() if team.parent is self]
        return self.members.union(*(child.everybody for child in children))


@dataclass(eq=False, kw_only=True)
class App(Node):
    """A GitHub App. ``private_key`` is PEM text made at run time."""

    prefix = "A"
    slug: str
    name: str
    owner: Account
    client_id: str
    client_secret: str
    webhook_secret: str
    webhook_url: str
    private_key: str
    public_key: str
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    hook_id: int
    bot: Account
    setup_url: str = ""
    public: bool = True  # a private one can be installed on its owner's account only


@dataclass(eq=False, kw_only=True)
class Installation(Node):
    prefix = "IN"
    app: App
    account: Account
    selection: str  # all | selected
    repository_ids: set[int]
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    updated_at: datetime
    suspended_at: datetime | None = None
    suspended_by: Account | None = None

    def sees(self, repository: Repository) -> bool:
        if repository.owner is not self.account:
            return False
        return self.selection == "all" or repository.id in self.repository_ids


@dataclass(eq=False, kw_only=True)
class Label(Node):
    prefix = "LA"
    name: str
    color: str = "ededed"
    description: str = ""
    repository: Repository
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False, kw_only=True)
class Activity(Node):
    prefix = "PSH"
    ref: str
    before: str
    after: str
    actor: Account
    kind: str  # push, force_push, branch_creation, branch_deletion, pr_merge, merge_queue_merge
    at: datetime


@dataclass(eq=False, kw_only=True)
class Review(Node):
    prefix = "PRR"
    pull: PullRequest
    author: Account
    state: str
    body: str
    submitted_at: datetime
    updated_at: datetime
    last_edited_at: datetime | None = None
    commit_sha: str | None
    on_behalf_of: list[Team] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Event(Node):
    """One timeline item. ``kind`` is GraphQL's type name; ``data`` holds its own fields."""

    kind: str
    at: datetime
    actor: Account | None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def prefix_of_kind(self) -> str:
        return "".join(letter for letter in self.kind if letter.isupper())

    @cached_property
    def node_id(self) -> str:
        return f"{self.prefix_of_kind}_{self.id:x}"


@dataclass(eq=False, kw_only=True)
class BodyEdit(Node):
    prefix = "UCE"
    at: datetime
    editor: Account | None
    diff: str | None  # the whole body after this edit
    deleted_at: datetime | None = None
    deleted_by: Account | None = None


@dataclass(eq=False, kw_only=True)
class Status(Node):
    prefix = "SC"
    sha: str
    context: str
    state: str
    description: str
    target_url: str | None
    creator: Account
    at: datetime


@dataclass(eq=False, kw_only=True)
class CheckRun(Node):
    prefix = "CR"
    suite: CheckSuite
    name: str
    status: str
    conclusion: str | None
    external_id: str
    details_url: str
    started_at: datetime | None
    completed_at: datetime | None
    output: dict[str, Any]
    annotations: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)

    @property
    def app(self) -> App:
        return self.suite.app


@dataclass(eq=False, kw_only=True)
class CheckSuite(Node):
    prefix = "CS"
    repository: Repository
    app: App
    sha: str
    branch: str | None
    before: str | None
    pusher: Account | None
    created_at: datetime
    updated_at: datetime
    runs: list[CheckRun] = field(default_factory=list)

    def latest(self) -> list[CheckRun]:
        """The newest run of each name: what ``filter=latest`` and required checks look at."""
        return list({run.name: run for run in self.runs}.values())

    @property
    def status(self) -> str:
        if not self.runs:
            return "queued"
        done = all(run.status == "completed" for run in self.latest())
        return "completed" if done else "in_progress"

    @property
    def conclusion(self) -> str | None:
        if self.status != "completed":
            return None
        worst = ("failure", "timed_out", "action_required", "cancelled", "stale", "success")
        found = {run.conclusion for run in self.latest()}
        return next((word for word in worst if word in found), "neutral")


@dataclass(eq=False, kw_only=True)
class Ruleset(Node):
    """A ruleset of a repository or organisation; ``rules`` and the rest as in the REST body."""

    prefix = "RRS"
    name: str
    target: str
    enforcement: str
    source: Repository | Account
    rules: list[dict[str, Any]]
    conditions: dict[str, Any]
    bypass_actors: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False, kw_only=True)
class Protection(Node):
    """A classic branch protection rule; ``settings`` as in the body of the REST PUT."""

    prefix = "BPR"
    pattern: str
    repository: Repository
    settings: dict[str, Any]


@dataclass(eq=False, kw_only=True)
class QueueEntry(Node):
    prefix = "MQE"
    pull: PullRequest
    enqueuer: Account
    at: datetime
    state: str  # QUEUED, AWAITING_CHECKS, MERGEABLE, UNMERGEABLE, LOCKED
    head_sha: str
    base_sha: str
    ref: str
    pull_head_sha: str


@dataclass(eq=False, kw_only=True)
class Issue(Node):
    prefix = "I"
    number: int
    repository: Repository
    author: Account
    title: str
    body: str
    state: str = "open"
    labels: list[Label] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime
    via_app: App | None = None
    comments: list[Comment] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Comment(Node):
    prefix = "IC"
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime
    via_app: App | None = None


@dataclass(eq=False, kw_only=True)
class PullRequest(Issue):
    prefix = "PR"
    draft: bool = False
    base_ref: str
    base_sha: str
    head_repository: Repository | None
    head_ref: str
    head_sha: str
    merged: bool = False
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_sha: str | None = None
    locked: bool = False
    maintainer_can_modify: bool = False
    last_edited_at: datetime | None = None
    editor: Account | None = None
    reviews: list[Review] = field(default_factory=list)
    timeline: list[Event] = field(default_factory=list)
    edits: list[BodyEdit] = field(default_factory=list)  # oldest first
    assignees: list[Account] = field(default_factory=list)
    reviewers: list[Account] = field(default_factory=list)
    team_reviewers: list[Team] = field(default_factory=list)
    auto_merge: dict[str, Any] | None = None
    queue_entry: QueueEntry | None = None
    _commits: tuple[str, str, list[Commit]] | None = None
    _files: tuple[str, str, list[FileChange]] | None = None

    @property
    def is_cross_repository(self) -> bool:
        return self.head_repository is not self.repository

    @property
    def commits(self) -> list[Commit]:
        """base..head as of the last synchronisation, parents before children."""
        if self._commits is None or self._commits[:2] != (self.base_sha, self.head_sha):
            found = self.repository.store.between(self.base_sha, self.head_sha)
            self._commits = (self.base_sha, self.head_sha, found)
        return self._commits[2]

    @property
    def files(self) -> list[FileChange]:
        """merge-base...head, every file."""
        if self._files is None or self._files[:2] != (self.base_sha, self.head_sha):
            store = self.repository.store
            base = store.merge_base(self.base_sha, self.head_sha)
            old = store.commits[base].tree if base else EMPTY_TREE
            new = store.commits[self.head_sha].tree
            self._files = (self.base_sha, self.head_sha, diff(old, new))
        return self._files[2]


@dataclass(eq=False, kw_only=True)
class Repository(Node):
    prefix = "R"
    name: str
    owner: Account
    private: bool = False
    default_branch: str = "main"
    description: str = ""
    parent: Repository | None = None
    store: Store
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    archived: bool = False
    disabled: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    collaborators: dict[int, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    next_number: int = 1
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    protections: dict[str, Protection] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)  # oldest first
    suites: dict[str, list[CheckSuite]] = field(default_factory=dict)  # by SHA
    runs: dict[int, CheckRun] = field(default_factory=dict)
    statuses: dict[str, list[Status]] = field(default_factory=dict)  # by SHA, oldest first
    queues: dict[str, list[QueueEntry]] = field(default_factory=dict)  # by base branch
    deployments: list[dict[str, Any]] = field(default_factory=list)
    rule_suites: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "allow_merge_commit": True,
            "allow_squash_merge": True,
            "allow_rebase_merge": True,
            "allow_auto_merge": True,
            "delete_branch_on_merge": False,
        }
    )
    # Indexes:
    open_by_head: dict[tuple[int, str], set[int]] = field(default_factory=dict)
    open_by_base: dict[str, set[int]] = field(default_factory=dict)
    open_by_sha: dict[str, set[int]] = field(default_factory=dict)
    merged_by_sha: dict[str, set[int]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def open_pulls(self) -> list[PullRequest]:
        numbers = sorted({n for found in self.open_by_base.values() for n in found})
        return [self.pulls[number] for number in numbers]

    def tree(self, branch: str) -> Tree:
        return self.store.commits[self.branches[branch]].tree

    def resolve(self, ref: str) -> str | None:
        """A SHA for a branch, tag, ``refs/...``, ``HEAD`` or (abbreviated) SHA; None if unknown.

        Of a branch and a tag with one name git means the tag (gitrevisions(7)).
        """
        if ref == "HEAD":
            ref = self.default_branch
        for start, names in (("refs/heads/", self.branches), ("refs/tags/", self.tags)):
            if ref.startswith(start):
                return names.get(ref.removeprefix(start))
        found = self.tags.get(ref) or self.branches.get(ref)
        if found is None and (commit := self.store.find(ref)) is not None:
            found = commit.sha
        return found


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
