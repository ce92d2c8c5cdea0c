"""Where a query begins: the limits, an account, a repository, a node by its id."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: A002, ARG001, FBT001, FBT002, N803

from __future__ import annotations

import re
from typing import Any

from sandbox.connections import Problem
from sandbox.errors import NotFound
from sandbox.objects import Account, Installation, PullRequest, Repository, Review
from sandbox.resolvers.core import (
    Context,
    commit_in,
    resolves,
)


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
