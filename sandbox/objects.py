"""What a GitHub holds: accounts, repositories, pull requests, checks, rules, apps."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from sandbox.git import EMPTY_TREE, Commit, FileChange, Store, Tree, diff

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
