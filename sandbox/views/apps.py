"""Apps and their installations."""

from __future__ import annotations

from sandbox.objects import App, Installation, iso, iso_or_none
from sandbox.views.accounts import user
from sandbox.views.common import Json
from sandbox.world import World


def app(world: World, found: App) -> Json:
    return {
        "id": found.id,
        "slug": found.slug,
        "node_id": found.node_id,
        "client_id": found.client_id,
        "owner": user(world, found.owner),
        "name": found.name,
        "description": "",
        "external_url": f"{world.web_url}/apps/{found.slug}",
        "html_url": f"{world.web_url}/apps/{found.slug}",
        "created_at": iso(found.created_at),
        "updated_at": iso(found.created_at),
        "permissions": found.permissions,
        "events": found.events,
    }


def installation(world: World, found: Installation) -> Json:
    target = found.account
    url = f"{world.api_url}/app/installations/{found.id}"
    return {
        "id": found.id,
        "account": user(world, target),
        "repository_selection": found.selection,
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": f"{world.web_url}/organizations/{target.login}/settings/installations/{found.id}",  # noqa: E501
        "app_id": found.app.id,
        "app_slug": found.app.slug,
        "client_id": found.app.client_id,
        "target_id": target.id,
        "target_type": target.kind,
        "permissions": found.permissions,
        "events": found.events,
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, found.suspended_by),
        "suspended_at": iso_or_none(found.suspended_at),
    }
