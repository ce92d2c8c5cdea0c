"""Repositories: settings, refs, objects, pull requests, labels, deployments."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: ARG001, FBT001, FBT002, N803

from __future__ import annotations

from typing import Any

from sandbox import rules
from sandbox.connections import Connection, Problem
from sandbox.git import Tree
from sandbox.objects import Label, PullRequest, Repository
from sandbox.resolvers.core import (
    BlobView,
    Context,
    Queue,
    RefView,
    TreeView,
    commit_in,
    pull_state,
    ref_named,
    resolves,
)


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


@resolves("Repository.isEmpty")
def _is_empty(repo: Repository, ctx: Context) -> bool:
    return not repo.branches


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
    targets: list[str] | None = None,
    **page: Any,
) -> Connection:
    found = list(repo.rulesets.values())
    if includeParents:
        found = rules.org_rulesets(repo) + found
    if targets is not None:
        found = [ruleset for ruleset in found if ruleset.target.upper() in targets]
    return ctx.page(found, page)


@resolves("Repository.branchProtectionRules")
def _protections(repo: Repository, ctx: Context, **page: Any) -> Connection:
    ctx.need(repo, "administration")
    return ctx.page(list(repo.protections.values()), page)


@resolves("Repository.mergeQueue")
def _queue(repo: Repository, ctx: Context, branch: str | None = None) -> Queue | None:
    name = branch or repo.default_branch
    return Queue(repo, name) if rules.queue_options(repo, name) is not None else None


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
