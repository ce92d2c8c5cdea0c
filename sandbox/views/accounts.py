"""Accounts: people, organisations, teams, and what somebody is to a repository."""

from __future__ import annotations

from sandbox.objects import Account, Repository, Team, iso
from sandbox.views.common import Json
from sandbox.world import World

_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def user(world: World, account: Account | None) -> Json | None:
    """A "simple user"; a deleted account is the ghost."""
    if account is None:
        return None
    if account.deleted:
        account = world.ghost
    name = account.shown_login
    url = f"{world.api_url}/users/{name}"
    page = f"apps/{account.login}" if account.kind == "Bot" else name
    return {
        "login": name,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": f"{world.web_url}/avatars/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.web_url}/{page}",
        **{key: url + path for key, path in _USER_URLS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(world: World, account: Account) -> Json:
    """GET /users/NAME: the simple user and the public profile."""
    zero = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    empty = dict.fromkeys(
        ("company", "location", "email", "hireable", "bio", "twitter_username"), None
    )
    created = {"created_at": iso(account.created_at), "updated_at": iso(account.created_at)}
    base = user(world, account) or {}
    return base | zero | empty | created | {"name": account.name or None, "blog": ""}


def organization(world: World, account: Account) -> Json:
    url = f"{world.api_url}/orgs/{account.login}"
    paths = {
        name: f"{url}/{name.removesuffix('_url')}"
        for name in ("repos_url", "events_url", "hooks_url", "issues_url")
    }
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "url": url,
        **paths,
        "members_url": url + "/members{/member}",
        "public_members_url": url + "/public_members{/member}",
        "avatar_url": f"{world.web_url}/avatars/u/{account.id}?v=4",
        "description": "",
    }


def team(world: World, found: Team) -> Json:
    url = f"{world.api_url}/organizations/{found.org.id}/team/{found.id}"
    return {
        "name": found.name,
        "id": found.id,
        "node_id": found.node_id,
        "slug": found.slug,
        "description": None,
        "privacy": "secret" if found.secret else "closed",
        "notification_setting": "notifications_enabled",
        "url": url,
        "html_url": f"{world.web_url}/orgs/{found.org.login}/teams/{found.slug}",
        "members_url": url + "/members{/member}",
        "repositories_url": url + "/repos",
        "permission": "pull",
        "parent": team(world, found.parent) if found.parent else None,
        "type": "organization",
        "organization_id": found.org.id,
    }


def association(account: Account | None, repo: Repository) -> str:
    """MEMBER, COLLABORATOR, CONTRIBUTOR...: a label, never a right."""
    if account is None or account.deleted:
        return "NONE"
    if account is repo.owner:
        return "OWNER"
    if account.id in repo.owner.members:
        return "MEMBER"
    return "COLLABORATOR" if account.id in repo.collaborators else "CONTRIBUTOR"
