"""Organisations, teams and other accounts."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: ARG001, FBT001, FBT002, N803

from __future__ import annotations

from typing import Any

from sandbox.connections import Connection, Problem
from sandbox.objects import Account, Team
from sandbox.resolvers.core import (
    Context,
    resolves,
)


@resolves("Organization.repositories", "User.repositories")
def _repositories_of(
    owner: Account, ctx: Context, orderBy: dict[str, str] | None = None,
    isArchived: bool | None = None, isFork: bool | None = None, **page: Any,
) -> Connection:  # fmt: skip
    found = [
        repo
        for repo in owner.repositories.values()
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
