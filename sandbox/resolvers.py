"""What each GraphQL field answers. A field not in the table is the attribute of the same name."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: A002, ARG001, FBT001, FBT002, N803

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import rules, views
from sandbox.auth import Caller, Limits
from sandbox.connections import Connection, Price, Problem
from sandbox.errors import Forbidden, NotFound
from sandbox.git import Blob, Signature, Tree
from sandbox.git import Commit as GitCommit
from sandbox.world import (
    Account,
    App,
    BodyEdit,
    CheckRun,
    CheckSuite,
    Event,
    Installation,
    Label,
    Protection,
    PullRequest,
    QueueEntry,
    Repository,
    Review,
    Ruleset,
    Status,
    Team,
    World,
    at_least,
    iso,
)

Resolver = Callable[..., Any]
FIELDS: dict[str, Resolver] = {}
CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.*?)\s*<([^<>]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_PAGING = frozenset({"first", "last", "after", "before"})
# They change nothing here: everything is owned, everybody a direct member, teams have no parents.
_WITHOUT_EFFECT = frozenset(
    {"orderBy", "ownerAffiliations", "affiliations", "membership", "rootTeamsOnly"}
)
MAX_BLOB = 512 * 1024  # bytes of text that one blob shows before it is truncated


@dataclass(eq=False)
class Context:
    """One request: the world, who asks, what it costs, and the faults that hit it."""

    world: World
    caller: Caller
    limits: Limits
    price: Price
    cut: bool = False  # fault: connections end early, as if complete
    empty: bool = False  # fault: connections come back empty

    def page(self, whole: Sequence[Any], arguments: dict[str, Any]) -> Connection:
        asked = {name for name, value in arguments.items() if value is not None}
        if unknown := asked - _PAGING - _WITHOUT_EFFECT:
            raise NotImplementedError(f"the sandbox does not know {', '.join(sorted(unknown))}")
        made = Connection(whole, **{name: arguments[name] for name in asked & _PAGING})
        if self.empty or self.cut:
            made.items = [] if self.empty else made.items[: max(1, len(made.items) // 2)]
            made.end = len(made.whole)
        return made

    def need(self, repository: Repository, permission: str) -> None:
        try:
            self.caller.need(repository, permission)
        except Forbidden as error:
            raise Problem("FORBIDDEN", "Resource not accessible by integration") from error
        except NotFound as error:
            raise Problem("NOT_FOUND", "Could not resolve to a Repository") from error


def resolves(*names: str) -> Callable[[Resolver], Resolver]:
    def enter(function: Resolver) -> Resolver:
        for name in names:
            FIELDS[name] = function
        return function

    return enter


@dataclass(frozen=True, slots=True)
class CommitView:
    """A commit as seen in one repository."""

    repository: Repository
    git: GitCommit


@dataclass(frozen=True, slots=True)
class BlobView:
    repository: Repository
    git: Blob


@dataclass(frozen=True, slots=True)
class TreeView:
    repository: Repository
    git: Tree


@dataclass(frozen=True, slots=True)
class PullCommit:
    pull: PullRequest
    git: GitCommit


@dataclass(frozen=True, slots=True)
class RefView:
    repository: Repository
    prefix: str
    name: str
    sha: str


@dataclass(frozen=True, slots=True)
class RuleView:
    ruleset: Ruleset
    place: int


@dataclass(frozen=True, slots=True)
class Bypass:
    ruleset: Ruleset
    place: int


@dataclass(frozen=True, slots=True)
class Queue:
    repository: Repository
    branch: str


@dataclass(frozen=True, slots=True)
class PushView:
    suite: CheckSuite


_NAMES: dict[type, str] = {
    CommitView: "Commit",
    BlobView: "Blob",
    TreeView: "Tree",
    Review: "PullRequestReview",
    PullCommit: "PullRequestCommit",
    BodyEdit: "UserContentEdit",
    RefView: "Ref",
    RuleView: "RepositoryRule",
    Ruleset: "RepositoryRuleset",
    Protection: "BranchProtectionRule",
    QueueEntry: "MergeQueueEntry",
    Status: "StatusContext",
}


def typename(value: Any, *_: Any) -> str:
    """The GraphQL type of a value behind an interface or union."""
    if isinstance(value, Account | Event):
        return value.kind
    if isinstance(value, dict):
        return str(value["__typename"])
    return _NAMES.get(type(value)) or type(value).__name__


def actor(account: Account | None) -> Account | None:
    """A deleted account is null in GraphQL, where REST shows the ghost."""
    return None if account is None or account.deleted else account


def commit_in(repository: Repository, sha: str | None) -> CommitView | None:
    found = repository.store.commits.get(sha or "")
    return CommitView(repository, found) if found else None


# --- Query ---------------------------------------------------------------------------------------


@resolves("Query.id")
def _query_id(_: Any, ctx: Context) -> str:
    return "MDU6UXVlcnk="


@resolves("Query.rateLimit")
def _rate_limit(_: Any, ctx: Context, dryRun: bool | None = None) -> dict[str, Any]:
    limits = ctx.limits
    return {
        "cost": ctx.price.points,
        "nodeCount": ctx.price.nodes,
        "limit": limits.limit,
        "remaining": limits.remaining("graphql"),
        "used": limits.used.get("graphql", 0),
        "resetAt": limits.reset_at,
    }


@resolves("Query.viewer")
def _viewer(_: Any, ctx: Context) -> Account:
    account = ctx.caller.viewer
    if account is None:
        raise Problem("FORBIDDEN", "Resource not accessible by integration")
    if account.kind == "Bot":  # the schema says User: GitHub shows the app's bot as one
        return Account(id=account.id, login=account.rest_login, created_at=account.created_at)
    return account


@resolves("Query.repository")
def _repository(
    _: Any,
    ctx: Context,
    owner: str,
    name: str,
    followRenames: bool = True,
) -> Repository:
    full = f"{owner}/{name}"
    try:
        found = ctx.world.repository(full, follow=followRenames)
    except NotFound:
        found = None
    if found is None or not ctx.caller.sees(found):
        raise Problem("NOT_FOUND", f"Could not resolve to a Repository with the name '{full}'.")
    return found


def _account(ctx: Context, login: str, kinds: tuple[str, ...], word: str) -> Account:
    found = ctx.world.logins.get(login.lower())
    if found is None or found.deleted or found.kind not in kinds:
        raise Problem("NOT_FOUND", f"Could not resolve to {word} with the login of '{login}'.")
    return found


@resolves("Query.organization")
def _organization(_: Any, ctx: Context, login: str) -> Account:
    return _account(ctx, login, ("Organization",), "an Organization")


@resolves("Query.user")
def _user(_: Any, ctx: Context, login: str) -> Account:
    return _account(ctx, login, ("User",), "a User")


@resolves("Query.repositoryOwner")
def _owner(_: Any, ctx: Context, login: str) -> Account | None:
    found = ctx.world.logins.get(login.lower())
    return found if found and found.kind in ("User", "Organization") else None


@resolves("Query.node")
def _node(_: Any, ctx: Context, id: str) -> Any:
    found = node_by_id(ctx, id)
    if found is None:
        raise Problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.")
    return found


@resolves("Query.nodes")
def _nodes(_: Any, ctx: Context, ids: list[str]) -> list[Any]:
    found = [node_by_id(ctx, id_) for id_ in ids]
    if None in found:
        missing = ids[found.index(None)]
        raise Problem(
            "NOT_FOUND", f"Could not resolve to a node with the global id of '{missing}'."
        )
    return found


def node_by_id(ctx: Context, number: str) -> Any:
    """What the id stands for, or None if it is unknown, hidden or not in our schema."""
    if match := re.fullmatch(r"C_([0-9a-f]+)_([0-9a-f]{40})", number):
        repository = ctx.world.repositories.get(int(match[1], 16))
        if repository is None or not ctx.caller.sees(repository):
            return None
        return commit_in(repository, match[2])
    found = ctx.world.nodes.get(number)
    if isinstance(found, Installation):
        return None
    home = getattr(found, "repository", found if isinstance(found, Repository) else None)
    if isinstance(found, Review):
        home = found.pull.repository
    if isinstance(home, Repository) and not ctx.caller.sees(home):
        return None
    if isinstance(found, PullRequest):
        ctx.need(found.repository, "pull_requests")
    return found


# --- Repository ----------------------------------------------------------------------------------


@resolves("Repository.nameWithOwner")
def _full_name(repo: Repository, ctx: Context) -> str:
    return repo.full_name


@resolves("Repository.databaseId", "PullRequest.databaseId", "CheckRun.databaseId",
          "CheckSuite.databaseId", "App.databaseId", "User.databaseId", "Bot.databaseId",
          "Mannequin.databaseId", "Organization.databaseId", "Team.databaseId",
          "RepositoryRuleset.databaseId", "BranchProtectionRule.databaseId")  # fmt: skip
def _database_id(node: Any, ctx: Context) -> int:
    return int(node.id)


@resolves("Repository.isArchived")
def _archived(repo: Repository, ctx: Context) -> bool:
    return repo.archived


@resolves("Repository.isDisabled")
def _disabled(repo: Repository, ctx: Context) -> bool:
    return repo.disabled


@resolves("Repository.isFork")
def _is_fork(repo: Repository, ctx: Context) -> bool:
    return repo.parent is not None


@resolves("Repository.isPrivate")
def _is_private(repo: Repository, ctx: Context) -> bool:
    return repo.private


@resolves("Repository.isLocked")
def _is_locked(repo: Repository, ctx: Context) -> bool:
    return False


@resolves("Repository.isInOrganization")
def _in_organization(repo: Repository, ctx: Context) -> bool:
    return repo.owner.kind == "Organization"


@resolves("Repository.visibility")
def _visibility(repo: Repository, ctx: Context) -> str:
    return "PRIVATE" if repo.private else "PUBLIC"


@resolves("Repository.mergeCommitAllowed")
def _merge_allowed(repo: Repository, ctx: Context) -> Any:
    return repo.settings["allow_merge_commit"]


@resolves("Repository.squashMergeAllowed")
def _squash_allowed(repo: Repository, ctx: Context) -> Any:
    return repo.settings["allow_squash_merge"]


@resolves("Repository.rebaseMergeAllowed")
def _rebase_allowed(repo: Repository, ctx: Context) -> Any:
    return repo.settings["allow_rebase_merge"]


@resolves("Repository.autoMergeAllowed")
def _auto_allowed(repo: Repository, ctx: Context) -> Any:
    return repo.settings["allow_auto_merge"]


@resolves("Repository.url")
def _repository_url(repo: Repository, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{repo.full_name}"


@resolves("Repository.defaultBranchRef")
def _default_ref(repo: Repository, ctx: Context) -> RefView | None:
    return ref_named(repo, repo.default_branch)


@resolves("Repository.ref")
def _ref(repo: Repository, ctx: Context, qualifiedName: str) -> RefView | None:
    return ref_named(repo, qualifiedName)


def ref_named(repo: Repository, qualifiedName: str) -> RefView | None:
    """By ``refs/heads/main``, or by a short name."""
    for prefix, names in (("refs/heads/", repo.branches), ("refs/tags/", repo.tags)):
        name = qualifiedName.removeprefix(prefix)
        if name in names:
            return RefView(repo, prefix, name, names[name])
    return None


@resolves("Repository.refs")
def _refs(
    repo: Repository, ctx: Context, refPrefix: str, query: str = "", **page: Any
) -> Connection:
    names = repo.branches if refPrefix == "refs/heads/" else repo.tags
    found = [RefView(repo, refPrefix, n, sha) for n, sha in sorted(names.items()) if query in n]
    return ctx.page(found, page)


@resolves("Repository.object")
def _object(
    repo: Repository, ctx: Context, expression: str | None = None, oid: str | None = None
) -> Any:
    """``HEAD:path``, ``branch:path`` or a commit-ish; null for what does not exist."""
    ctx.need(repo, "contents")
    ref, colon, path = (expression or oid or "").partition(":")
    commit = commit_in(repo, repo.resolve(ref))
    if commit is None or not colon:
        return commit
    entry = commit.git.tree.get(path) if path else None
    if not path:
        return TreeView(repo, commit.git.tree)
    if entry is None:
        return None
    node = entry.node
    return TreeView(repo, node) if isinstance(node, Tree) else BlobView(repo, node)


@resolves("Repository.pullRequest")
def _pull(repo: Repository, ctx: Context, number: int) -> PullRequest:
    ctx.need(repo, "pull_requests")
    found = repo.pulls.get(number)
    if found is None:
        raise Problem(
            "NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}."
        )
    return found


@resolves("Repository.pullRequests")
def _pulls(
    repo: Repository, ctx: Context, states: list[str] | None = None, baseRefName: str | None = None,
    headRefName: str | None = None, labels: list[str] | None = None,
    orderBy: dict[str, str] | None = None, **page: Any,
) -> Connection:  # fmt: skip
    ctx.need(repo, "pull_requests")
    only_open = states == ["OPEN"]
    found = repo.open_pulls if only_open else list(repo.pulls.values())
    found = [
        pull
        for pull in found
        if (states is None or pull_state(pull) in states)
        and (baseRefName is None or pull.base_ref == baseRefName)
        and (headRefName is None or pull.head_ref == headRefName)
        and (labels is None or {label.name for label in pull.labels} & set(labels))
    ]
    if orderBy:
        key = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "COMMENTS": "number"}
        name = key[orderBy["field"]]
        found.sort(key=lambda pull: (getattr(pull, name), pull.number))
        if orderBy["direction"] == "DESC":
            found.reverse()
    return ctx.page(found, page)


@resolves("Repository.label")
def _label(repo: Repository, ctx: Context, name: str) -> Label | None:
    return repo.labels.get(name.lower())


@resolves("Repository.labels")
def _labels(repo: Repository, ctx: Context, query: str = "", **page: Any) -> Connection:
    return ctx.page([found for found in repo.labels.values() if query in found.name], page)


@resolves("Repository.rulesets")
def _repo_rulesets(
    repo: Repository,
    ctx: Context,
    includeParents: bool = True,
    **page: Any,
) -> Connection:
    found = list(repo.rulesets.values())
    if includeParents:
        found = rules.org_rulesets(repo) + found
    return ctx.page(found, page)


@resolves("Repository.branchProtectionRules")
def _protections(repo: Repository, ctx: Context, **page: Any) -> Connection:
    ctx.need(repo, "administration")
    return ctx.page(list(repo.protections.values()), page)


@resolves("Repository.mergeQueue")
def _queue(repo: Repository, ctx: Context, branch: str | None = None) -> Queue | None:
    from sandbox.actions.queue import options

    name = branch or repo.default_branch
    return Queue(repo, name) if options(repo, name) is not None else None


@resolves("Repository.deployments")
def _deployments(
    repo: Repository, ctx: Context, environments: list[str] | None = None,
    orderBy: dict[str, str] | None = None, **page: Any,
) -> Connection:  # fmt: skip
    ctx.need(repo, "deployments")
    found = [d for d in repo.deployments if not environments or d["environment"] in environments]
    if orderBy and orderBy["direction"] == "DESC":
        found.reverse()
    return ctx.page([_deployment(d) for d in found], page)


def _deployment(made: dict[str, Any]) -> dict[str, Any]:
    statuses = [
        {"id": f"DES_{s['id']}", "state": s["state"].upper(), "createdAt": s["at"]}
        for s in reversed(made["statuses"])
    ]
    state = statuses[0]["state"] if statuses else "PENDING"
    return {
        "id": f"DE_{made['id']}",
        "databaseId": made["id"],
        "commitOid": made["sha"],
        "createdAt": made["at"],
        "creator": made["creator"],
        "state": "ACTIVE" if state == "SUCCESS" else state,
        "latestStatus": statuses[0] if statuses else None,
        "_statuses": statuses,
    }


@resolves("Deployment.statuses")
def _deployment_statuses(made: dict[str, Any], ctx: Context, **page: Any) -> Connection:
    return ctx.page(made["_statuses"], page)


# --- Organization, Team --------------------------------------------------------------------------


@resolves("Organization.repositories")
def _org_repositories(
    org: Account, ctx: Context, orderBy: dict[str, str] | None = None,
    isArchived: bool | None = None, isFork: bool | None = None, **page: Any,
) -> Connection:  # fmt: skip
    found = [
        repo
        for repo in org.repositories.values()
        if ctx.caller.sees(repo)
        and isArchived in (None, repo.archived)
        and isFork in (None, repo.parent is not None)
    ]
    if orderBy:
        name = orderBy["field"].lower()
        found.sort(key=lambda repo: getattr(repo, name, repo.name))
        if orderBy["direction"] == "DESC":
            found.reverse()
    return ctx.page(found, page)


@resolves("Organization.rulesets")
def _org_rulesets(
    org: Account,
    ctx: Context,
    includeParents: bool = True,
    **page: Any,
) -> Connection:
    if ctx.caller.org_level(org, "organization_administration") != "write":
        raise Problem("FORBIDDEN", "Resource not accessible by integration")
    return ctx.page(list(org.rulesets.values()), page)


def _members_only(org: Account, ctx: Context) -> None:
    if not ctx.caller.org_level(org, "members"):
        raise Problem("FORBIDDEN", "Resource not accessible by integration")


@resolves("Organization.team")
def _team(org: Account, ctx: Context, slug: str) -> Team | None:
    _members_only(org, ctx)
    return org.teams.get(slug)


@resolves("Organization.teams")
def _teams(org: Account, ctx: Context, **page: Any) -> Connection:
    _members_only(org, ctx)
    return ctx.page(list(org.teams.values()), page)


@resolves("Organization.membersWithRole")
def _org_members(org: Account, ctx: Context, **page: Any) -> Connection:
    _members_only(org, ctx)
    return ctx.page([ctx.world.accounts[number] for number in sorted(org.members)], page)


@resolves("Team.members")
def _team_members(team: Team, ctx: Context, **page: Any) -> Connection:
    return ctx.page([ctx.world.accounts[number] for number in sorted(team.members)], page)


@resolves("Team.combinedSlug")
def _combined(team: Team, ctx: Context) -> str:
    return f"{team.org.login}/{team.slug}"


@resolves("Bot.resourcePath")
def _bot_path(bot: Account, ctx: Context) -> str:
    return f"/apps/{bot.login}"


@resolves("User.name", "Organization.name")
def _account_name(account: Account, ctx: Context) -> str | None:
    return account.name or None


@resolves("EnterpriseUserAccount.user")
def _enterprise_user(account: Account, ctx: Context) -> None:
    return None


# --- PullRequest ---------------------------------------------------------------------------------


def pull_state(pull: PullRequest) -> str:
    return "MERGED" if pull.merged else pull.state.upper()


def _simple(table: dict[str, Callable[[Any], Any]], kind: str) -> None:
    """Enter fields that need nothing but the object."""

    def plain(function: Callable[[Any], Any]) -> Resolver:
        return lambda node, _ctx: function(node)

    for name, function in table.items():
        FIELDS[f"{kind}.{name}"] = plain(function)


_simple(
    {
        "fullDatabaseId": lambda p: str(p.id),
        "state": pull_state,
        "isDraft": lambda p: p.draft,
        "author": lambda p: actor(p.author),
        "editor": lambda p: actor(p.editor),
        "mergedBy": lambda p: actor(p.merged_by),
        "createdViaEmail": lambda _: False,
        "includesCreatedEdit": lambda p: bool(p.edits),
        "baseRefName": lambda p: p.base_ref,
        "baseRefOid": lambda p: p.base_sha,
        "headRefName": lambda p: p.head_ref,
        "headRefOid": lambda p: p.head_sha,
        "baseRepository": lambda p: p.repository,
        "changedFiles": lambda p: len(p.files),
        "additions": lambda p: sum(change.counts[0] for change in p.files),
        "deletions": lambda p: sum(change.counts[1] for change in p.files),
        "isInMergeQueue": lambda p: p.queue_entry is not None,
        "mergeQueueEntry": lambda p: p.queue_entry,
        "mergeCommit": lambda p: commit_in(p.repository, p.merge_sha) if p.merged else None,
        "baseRef": lambda p: ref_named(p.repository, p.base_ref),
        "headRef": lambda p: (
            ref_named(p.head_repository, p.head_ref) if p.head_repository else None
        ),
    },
    "PullRequest",
)


@resolves("PullRequest.url", "PullRequest.permalink")
def _pull_url(pull: PullRequest, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{pull.repository.full_name}/pull/{pull.number}"


@resolves("PullRequest.authorAssociation")
def _association(pull: PullRequest, ctx: Context) -> str:
    return views.association(pull.author, pull.repository)


@resolves("PullRequest.reviewDecision")
def _decision(pull: PullRequest, ctx: Context) -> str | None:
    return rules.review_decision(ctx.world, pull)


@resolves("PullRequest.mergeStateStatus")
def _merge_state(pull: PullRequest, ctx: Context) -> str:
    return rules.merge_state(ctx.world, pull)


@resolves("PullRequest.mergeable")
def _mergeable(pull: PullRequest, ctx: Context) -> str:
    if pull.state != "open":
        return "UNKNOWN"
    return "CONFLICTING" if rules.has_conflict(pull) else "MERGEABLE"


@resolves("PullRequest.autoMergeRequest")
def _auto_merge(pull: PullRequest, ctx: Context) -> dict[str, Any] | None:
    wish = pull.auto_merge
    if not wish:
        return None
    method = wish["method"].upper()
    return {"enabledAt": wish["at"], "enabledBy": actor(wish["by"]), "mergeMethod": method}


@resolves("PullRequest.labels")
def _pull_labels(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.labels, page)


@resolves("PullRequest.userContentEdits")
def _edits(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.edits[::-1], page)


@resolves("PullRequest.commits")
def _commits(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    made = ctx.page(pull.commits, page)
    made.items = [PullCommit(pull, commit) for commit in made.items]
    return made


@resolves("PullRequest.reviews")
def _reviews(
    pull: PullRequest, ctx: Context, author: str | None = None, states: list[str] | None = None,
    **page: Any,
) -> Connection:  # fmt: skip
    found = [
        review
        for review in pull.reviews
        if (author is None or review.author.login == author)
        and (states is None or review.state in states)
    ]
    return ctx.page(found, page)


@resolves("PullRequest.latestOpinionatedReviews")
def _opinionated(
    pull: PullRequest,
    ctx: Context,
    writersOnly: bool = False,
    **page: Any,
) -> Connection:
    found = (
        rules.writers_reviews(ctx.world, pull)
        if writersOnly
        else list(rules.standing_reviews(pull).values())
    )
    return ctx.page(found, page)


@resolves("PullRequest.latestReviews")
def _latest_reviews(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(list({review.author.id: review for review in pull.reviews}.values()), page)


@resolves("PullRequest.files")
def _files(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.files, page)


@resolves("PullRequest.assignees")
def _assignees(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.assignees, page)


@resolves("PullRequest.participants")
def _participants(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    found = {a.id: a for a in (pull.author, *(r.author for r in pull.reviews)) if a.kind == "User"}
    return ctx.page(list(found.values()), page)


@resolves("PullRequest.timelineItems")
def _timeline(
    pull: PullRequest, ctx: Context, itemTypes: list[str] | None = None, since: Any = None,
    skip: int | None = None, **page: Any,
) -> Connection:  # fmt: skip
    wanted = None if itemTypes is None else {_kind(name) for name in itemTypes}
    items: list[Any] = [e for e in pull.timeline if wanted is None or e.kind in wanted]
    if wanted is None or "PullRequestReview" in wanted:
        items += pull.reviews
    if wanted is None or "PullRequestCommit" in wanted:
        items = [PullCommit(pull, commit) for commit in pull.commits] + items
    if since is not None:
        items = [i for i in items if not isinstance(i, Event) or iso(i.at) >= since]
    made = ctx.page(items[skip or 0 :], page)
    made.filteredCount = len(items)
    others = len(pull.commits) + len(pull.reviews) + len(pull.comments)
    made.totalCount = len(pull.timeline) + others
    return made


def _kind(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


_simple(
    {
        "changeType": lambda c: {"removed": "DELETED"}.get(c.status, c.status.upper()),
        "additions": lambda c: c.counts[0],
        "deletions": lambda c: c.counts[1],
        "path": lambda c: c.path,
    },
    "PullRequestChangedFile",
)
_simple(
    {
        "id": lambda pc: f"PURC_{pc.pull.id:x}_{pc.git.sha}",
        "commit": lambda pc: CommitView(pc.pull.repository, pc.git),
    },
    "PullRequestCommit",
)
_simple(
    {
        "createdAt": lambda e: e.at,
        "editedAt": lambda e: e.at,
        "editor": lambda e: actor(e.editor),
        "deletedBy": lambda e: actor(e.deleted_by),
    },
    "UserContentEdit",
)
_simple(
    {
        "fullDatabaseId": lambda r: str(r.id),
        "author": lambda r: actor(r.author),
        "commit": lambda r: commit_in(r.pull.repository, r.commit_sha),
    },
    "PullRequestReview",
)


@resolves("PullRequestReview.authorAssociation")
def _review_association(review: Review, ctx: Context) -> str:
    return views.association(review.author, review.pull.repository)


@resolves("PullRequestReview.authorCanPushToRepository")
def _can_push(review: Review, ctx: Context) -> bool:
    return at_least(ctx.world.permission(review.author, review.pull.repository), "write")


@resolves("PullRequestReview.onBehalfOf")
def _on_behalf(review: Review, ctx: Context, **page: Any) -> Connection:
    return ctx.page(review.on_behalf_of, page)


# --- Timeline events -----------------------------------------------------------------------------


def _event_fields(pull_of: Callable[[Event], Repository | None]) -> dict[str, Callable[[Any], Any]]:
    def commit(key: str) -> Callable[[Any], Any]:
        def find(event: Event) -> CommitView | None:
            repository = pull_of(event)
            return commit_in(repository, event.data.get(key)) if repository else None

        return find

    def value(key: str) -> Callable[[Any], Any]:
        return lambda event: event.data.get(key)

    return {
        "createdAt": lambda e: e.at,
        "actor": lambda e: actor(e.actor),
        "label": value("label"),
        "previousTitle": value("previous"),
        "currentTitle": value("current"),
        "previousRefName": value("previous"),
        "currentRefName": value("current"),
        "oldBase": value("previous"),
        "newBase": value("current"),
        "headRefName": value("head_ref_name"),
        "mergeRefName": value("ref_name"),
        "beforeCommit": commit("before"),
        "afterCommit": commit("after"),
        "commit": commit("sha"),
        "ref": _ref_of_event,
        "previousReviewState": value("previous_state"),
        "dismissalMessage": lambda e: e.data.get("message") or None,
        "review": value("review"),
        "pullRequestCommit": _dismissed_commit,
        "reason": lambda e: e.data.get("reason") or None,
        "assignee": lambda e: actor(e.data.get("assignee")),
        "requestedReviewer": value("reviewer"),
    }


def _repository_of(event: Event) -> Repository | None:
    return event.data.get("repository")


def _ref_of_event(event: Event) -> RefView | None:
    repository, name = event.data.get("ref_repository"), event.data.get("ref_name")
    if not isinstance(repository, Repository) or name not in repository.branches:
        return None
    return RefView(repository, "refs/heads/", name, repository.branches[name])


def _dismissed_commit(event: Event) -> PullCommit | None:
    review: Review = event.data["review"]
    found = review.pull.repository.store.commits.get(event.data.get("head", ""))
    return PullCommit(review.pull, found) if found else None


EVENT_FIELDS = _event_fields(_repository_of)


# --- Commits and other git objects ---------------------------------------------------------------


def _git_actor(ctx: Context, who: Signature) -> dict[str, Any]:
    account = ctx.world.by_email(who.email)
    return {
        "name": who.name,
        "email": who.email,
        "date": who.date,
        "user": account if account and account.kind == "User" else None,  # never a bot
    }


_simple(
    {
        "id": lambda c: views.commit_node(c.repository, c.git.sha),
        "oid": lambda c: c.git.sha,
        "abbreviatedOid": lambda c: c.git.sha[:7],
        "message": lambda c: c.git.message,
        "messageHeadline": lambda c: c.git.headline,
        "messageBody": lambda c: c.git.message.partition("\n")[2].strip("\n"),
        "authoredDate": lambda c: c.git.author.date,
        "committedDate": lambda c: c.git.committer.date,
        "committedViaWeb": lambda c: c.git.by_web,
        "authoredByCommitter": lambda c: c.git.author.email == c.git.committer.email,
        "onBehalfOf": lambda _: None,
        "tree": lambda c: TreeView(c.repository, c.git.tree),
        "additions": lambda c: c.repository.store.size(c.git)[0],
        "deletions": lambda c: c.repository.store.size(c.git)[1],
        "changedFilesIfAvailable": lambda c: c.repository.store.size(c.git)[2],
    },
    "Commit",
)


@resolves("Commit.url")
def _commit_url(commit: CommitView, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{commit.repository.full_name}/commit/{commit.git.sha}"


@resolves("Commit.author")
def _commit_author(commit: CommitView, ctx: Context) -> dict[str, Any]:
    return _git_actor(ctx, commit.git.author)


@resolves("Commit.committer")
def _commit_committer(commit: CommitView, ctx: Context) -> dict[str, Any]:
    return _git_actor(ctx, commit.git.committer)


@resolves("Commit.authors")
def _commit_authors(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    git = commit.git
    found = {git.author.email.lower(): git.author}
    for name, email in CO_AUTHOR.findall(git.message):
        found.setdefault(email.lower(), Signature(name, email, git.author.date))
    return ctx.page([_git_actor(ctx, who) for who in found.values()], page)


@resolves("Commit.parents")
def _parents(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    return ctx.page([commit_in(commit.repository, sha) for sha in commit.git.parents], page)


@resolves("Commit.signature")
def _signature(commit: CommitView, ctx: Context) -> dict[str, Any] | None:
    signed = commit.git.signed_by
    if not signed:
        return None
    good = not signed.startswith("!")  # "!UNKNOWN_KEY": a signature in this state
    by_github = signed == "web-flow"
    return {
        "__typename": "GpgSignature",
        "isValid": good,
        "state": "VALID" if good else signed[1:],
        "wasSignedByGitHub": by_github,
        "verifiedAt": commit.git.committer.date if good else None,
        "email": commit.git.committer.email,
        "signer": ctx.world.logins.get(signed.lower()) if good else None,
    }


def associated(repository: Repository, sha: str) -> list[PullRequest]:
    """The merged pull requests that brought the commit in, and open ones while it is outside."""
    numbers = set(repository.merged_by_sha.get(sha, ()))
    main = repository.branches.get(repository.default_branch)
    commit = repository.store.commits[sha]
    if main is None or not repository.store.is_ancestor(sha, main):
        numbers |= repository.open_by_sha.get(sha, set())
        if not numbers:
            numbers = {p.number for p in repository.open_pulls if commit in p.commits}
    return [repository.pulls[number] for number in sorted(numbers)]


@resolves("Commit.associatedPullRequests")
def _associated(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    ctx.need(commit.repository, "pull_requests")
    return ctx.page(associated(commit.repository, commit.git.sha), page)


@resolves("Commit.history")
def _history(commit: CommitView, ctx: Context, **page: Any) -> Connection:
    ctx.need(commit.repository, "contents")
    found = [
        CommitView(commit.repository, c) for c in commit.repository.store.history(commit.git.sha)
    ]
    return ctx.page(found, page)


@resolves("Commit.checkSuites")
def _suites(
    commit: CommitView,
    ctx: Context,
    filterBy: dict[str, Any] | None = None,
    **page: Any,
) -> Connection:
    ctx.need(commit.repository, "checks")
    wanted = filterBy or {}
    app, name = wanted.get("appId"), wanted.get("checkName")
    found = [
        suite
        for suite in commit.repository.suites.get(commit.git.sha, ())
        if app in (None, suite.app.id)
        and (name is None or any(run.name == name for run in suite.runs))
    ]
    return ctx.page(found, page)


@resolves("Commit.statusCheckRollup")
def _rollup(commit: CommitView, ctx: Context) -> dict[str, Any] | None:
    ctx.need(commit.repository, "checks")
    repository, sha = commit.repository, commit.git.sha
    found: list[Any] = [r for s in repository.suites.get(sha, ()) for r in s.latest()]
    found += rules.latest_statuses(repository, sha).values()
    if not found:
        return None
    words = {_rollup_word(item) for item in found}
    state = next((w for w in ("FAILURE", "PENDING") if w in words), "SUCCESS")
    return {"id": f"SCR_{sha}", "state": state, "_contexts": found}


def _rollup_word(item: CheckRun | Status) -> str:
    if isinstance(item, Status):
        return {"success": "SUCCESS", "pending": "PENDING"}.get(item.state, "FAILURE")
    if item.status != "completed":
        return "PENDING"
    return "SUCCESS" if item.conclusion in rules.PASSING else "FAILURE"


@resolves("StatusCheckRollup.contexts")
def _contexts(rollup: dict[str, Any], ctx: Context, **page: Any) -> Connection:
    return ctx.page(rollup["_contexts"], page)


_simple(
    {
        "createdAt": lambda s: s.at,
        "creator": lambda s: actor(s.creator),
        "state": lambda s: s.state.upper(),
    },
    "StatusContext",
)
_simple(
    {
        "id": lambda b: f"B_{b.git.sha}",
        "oid": lambda b: b.git.sha,
        "byteSize": lambda b: len(b.git.data),
        "isBinary": lambda b: b.git.is_binary,
        "isTruncated": lambda b: len(b.git.data) > MAX_BLOB,
        "text": lambda b: None if b.git.is_binary else b.git.text[:MAX_BLOB],
    },
    "Blob",
)
_simple({"id": lambda t: f"TR_{t.git.sha}", "oid": lambda t: t.git.sha}, "Tree")


# --- Checks --------------------------------------------------------------------------------------

_simple(
    {
        "status": lambda s: s.status.upper(),
        "conclusion": lambda s: s.conclusion.upper() if s.conclusion else None,
        "push": lambda s: PushView(s) if s.pusher else None,
    },
    "CheckSuite",
)
_simple(
    {
        "id": lambda p: f"PSH_{p.suite.id:x}",
        "pusher": lambda p: p.suite.pusher,
        "previousSha": lambda p: p.suite.before,
        "nextSha": lambda p: p.suite.sha,
    },
    "Push",
)
_simple(
    {
        "status": lambda r: r.status.upper(),
        "conclusion": lambda r: r.conclusion.upper() if r.conclusion else None,
        "externalId": lambda r: r.external_id or None,
        "title": lambda r: r.output.get("title"),
        "summary": lambda r: r.output.get("summary"),
        "text": lambda r: r.output.get("text"),
    },
    "CheckRun",
)


@resolves("CheckRun.url")
def _run_url(run: CheckRun, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{run.suite.repository.full_name}/runs/{run.id}"


@resolves("CheckSuite.checkRuns")
def _runs(
    suite: CheckSuite,
    ctx: Context,
    filterBy: dict[str, Any] | None = None,
    **page: Any,
) -> Connection:
    wanted = filterBy or {}
    found = suite.runs if wanted.get("checkType") == "ALL" else suite.latest()
    name, app = wanted.get("checkName"), wanted.get("appId")
    states = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
    ends = wanted.get("conclusions")
    found = [
        run
        for run in found
        if name in (None, run.name)
        and app in (None, suite.app.id)
        and (states is None or run.status.upper() in states)
        and (ends is None or (run.conclusion or "").upper() in ends)
    ]
    return ctx.page(found, page)


@resolves("CheckRun.isRequired")
def _is_required(
    run: CheckRun, ctx: Context, pullRequestNumber: int | None = None,
    pullRequestId: str | None = None,
) -> bool:  # fmt: skip
    repository = run.suite.repository
    pull = repository.pulls.get(pullRequestNumber or 0) or ctx.world.nodes.get(pullRequestId or "")
    if not isinstance(pull, PullRequest):
        raise Problem("NOT_FOUND", "Could not resolve to a PullRequest")
    return any(
        required.context == run.name and required.app_id in (None, run.app.id)
        for required in rules.required_checks(repository, pull.base_ref)
    )


# --- Refs, rules, protection ---------------------------------------------------------------------

_simple(
    {
        "id": lambda r: f"REF_{r.repository.id:x}_{r.name}",
        "target": lambda r: commit_in(r.repository, r.sha),
    },
    "Ref",
)


@resolves("Ref.rules")
def _ref_rules(ref: RefView, ctx: Context, **page: Any) -> Connection:
    found = [
        RuleView(ruleset, place)
        for ruleset in rules.rulesets_for(ref.repository, ref.name)
        for place in range(len(ruleset.rules))
    ]
    return ctx.page(found, page)


@resolves("Ref.branchProtectionRule")
def _ref_protection(ref: RefView, ctx: Context) -> Protection | None:
    ctx.need(ref.repository, "administration")
    return rules.protection_for(ref.repository, ref.name)


@resolves("Ref.refUpdateRule")
def _update_rule(ref: RefView, ctx: Context) -> dict[str, Any] | None:
    classic = rules.protection_for(ref.repository, ref.name)
    if classic is None:
        return None
    checks = classic.settings.get("required_status_checks") or {}
    reviews = classic.settings.get("required_pull_request_reviews") or {}
    return {
        "pattern": classic.pattern,
        "requiredStatusCheckContexts": [c["context"] for c in checks.get("checks", [])],
        "requiredApprovingReviewCount": reviews.get("required_approving_review_count"),
        "allowsForcePushes": bool(classic.settings.get("allow_force_pushes")),
    }


def _rule(view: RuleView) -> dict[str, Any]:
    return view.ruleset.rules[view.place]


_simple(
    {
        "id": lambda v: f"RR_{v.ruleset.id:x}_{v.place}",
        "type": lambda v: _rule(v)["type"].upper(),
        "repositoryRuleset": lambda v: v.ruleset,
    },
    "RepositoryRule",
)


@resolves("RepositoryRule.parameters")
def _parameters(view: RuleView, ctx: Context) -> dict[str, Any] | None:
    rule = _rule(view)
    options = rule.get("parameters") or {}
    if rule["type"] == "required_status_checks":
        return {
            "__typename": "RequiredStatusChecksParameters",
            "strictRequiredStatusChecksPolicy": bool(
                options.get("strict_required_status_checks_policy")
            ),
            "requiredStatusChecks": [
                {"context": c["context"], "integrationId": c.get("integration_id")}
                for c in options["required_status_checks"]
            ],
        }
    if rule["type"] == "pull_request":
        return {
            "__typename": "PullRequestParameters",
            "requiredApprovingReviewCount": options.get("required_approving_review_count", 0),
            "dismissStaleReviewsOnPush": bool(options.get("dismiss_stale_reviews_on_push")),
            "requireLastPushApproval": bool(options.get("require_last_push_approval")),
            "requireCodeOwnerReview": bool(options.get("require_code_owner_review")),
            "allowedMergeMethods": [m.upper() for m in options.get("allowed_merge_methods") or ()],
        }
    if rule["type"] == "merge_queue":
        return {
            "__typename": "MergeQueueParameters",
            "mergeMethod": options.get("merge_method", "MERGE"),
            "groupingStrategy": options.get("grouping_strategy", "ALLGREEN"),
            "checkResponseTimeoutMinutes": options.get("check_response_timeout_minutes", 60),
            "maxEntriesToMerge": options.get("max_entries_to_merge", 5),
        }
    return None


_simple(
    {
        "enforcement": lambda r: r.enforcement.upper(),
        "target": lambda r: r.target.upper(),
        "conditions": lambda r: {
            "refName": r.conditions.get("ref_name"),
            "repositoryName": _name_condition(r.conditions.get("repository_name")),
            "repositoryId": _id_condition(r.conditions.get("repository_id")),
        },
    },
    "RepositoryRuleset",
)


def _name_condition(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return given and {"protected": bool(given.get("protected")), "exclude": [], **given}


def _id_condition(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return given and {"repositoryIds": [f"R_{number}" for number in given["repository_ids"]]}


@resolves("RepositoryRuleset.rules")
def _ruleset_rules(ruleset: Ruleset, ctx: Context, **page: Any) -> Connection:
    kind = page.pop("type", None)
    found = [
        RuleView(ruleset, place)
        for place, rule in enumerate(ruleset.rules)
        if kind in (None, rule["type"].upper())
    ]
    return ctx.page(found, page)


@resolves("RepositoryRuleset.bypassActors")
def _bypass_actors(ruleset: Ruleset, ctx: Context, **page: Any) -> Connection | None:
    """Null unless the caller may write the ruleset: "unknown", not "none"."""
    source = ruleset.source
    if isinstance(source, Repository):
        level = ctx.caller.level(source, "administration")
    else:
        level = ctx.caller.org_level(source, "organization_administration")
    if level != "write":
        return None
    return ctx.page([Bypass(ruleset, n) for n in range(len(ruleset.bypass_actors))], page)


def _given(bypass: Bypass) -> dict[str, Any]:
    return bypass.ruleset.bypass_actors[bypass.place]


_ROLE_NAMES = {2: "maintain", 4: "write", 5: "admin"}
_simple(
    {
        "id": lambda b: f"RRBA_{b.ruleset.id:x}_{b.place}",
        "bypassMode": lambda b: _given(b).get("bypass_mode", "always").upper(),
        "deployKey": lambda b: _given(b)["actor_type"] == "DeployKey",
        "organizationAdmin": lambda b: _given(b)["actor_type"] == "OrganizationAdmin",
        "enterpriseOwner": lambda _: False,
        "repositoryRoleName": lambda b: (
            _ROLE_NAMES.get(_given(b)["actor_id"])
            if _given(b)["actor_type"] == "RepositoryRole"
            else None
        ),
    },
    "RepositoryRulesetBypassActor",
)


@resolves("RepositoryRulesetBypassActor.actor")
def _bypass_actor(bypass: Bypass, ctx: Context) -> App | Team | None:
    given = _given(bypass)
    if given["actor_type"] == "Integration":
        return ctx.world.apps.get(given["actor_id"])
    if given["actor_type"] == "Team":
        source = bypass.ruleset.source
        owner = source.owner if isinstance(source, Repository) else source
        return next((t for t in owner.teams.values() if t.id == given["actor_id"]), None)
    return None


def _reviews_of(protection: Protection) -> dict[str, Any]:
    return protection.settings.get("required_pull_request_reviews") or {}


def _checks_of(protection: Protection) -> dict[str, Any]:
    return protection.settings.get("required_status_checks") or {}


_simple(
    {
        "isAdminEnforced": lambda p: bool(p.settings.get("enforce_admins")),
        "requiresStatusChecks": lambda p: bool(_checks_of(p)),
        "requiresStrictStatusChecks": lambda p: bool(_checks_of(p).get("strict")),
        "requiresApprovingReviews": lambda p: bool(_reviews_of(p)),
        "dismissesStaleReviews": lambda p: bool(_reviews_of(p).get("dismiss_stale_reviews")),
        "requireLastPushApproval": lambda p: bool(_reviews_of(p).get("require_last_push_approval")),
        "allowsForcePushes": lambda p: bool(p.settings.get("allow_force_pushes")),
        "allowsDeletions": lambda p: bool(p.settings.get("allow_deletions")),
    },
    "BranchProtectionRule",
)


@resolves("BranchProtectionRule.requiredStatusChecks")
def _required(protection: Protection, ctx: Context) -> list[dict[str, Any]]:
    return [
        {"context": check["context"], "app": ctx.world.apps.get(check.get("app_id") or 0)}
        for check in _checks_of(protection).get("checks", [])
    ]


@resolves("BranchProtectionRule.bypassPullRequestAllowances")
def _allowances(protection: Protection, ctx: Context, **page: Any) -> Connection:
    allowed = _reviews_of(protection).get("bypass_pull_request_allowances") or {}
    return ctx.page([name for names in allowed.values() for name in names], page)


# --- Merge queue ---------------------------------------------------------------------------------

_simple({"id": lambda q: f"MQ_{q.repository.id:x}_{q.branch}"}, "MergeQueue")


@resolves("MergeQueue.entries")
def _entries(queue: Queue, ctx: Context, **page: Any) -> Connection:
    return ctx.page(queue.repository.queues.get(queue.branch, []), page)


_simple(
    {
        "enqueuedAt": lambda e: e.at,
        "headCommit": lambda e: commit_in(e.pull.repository, e.head_sha),
        "baseCommit": lambda e: commit_in(e.pull.repository, e.base_sha),
        "pullRequest": lambda e: e.pull,
        "position": lambda e: e.pull.repository.queues[e.pull.base_ref].index(e) + 1,
    },
    "MergeQueueEntry",
)
