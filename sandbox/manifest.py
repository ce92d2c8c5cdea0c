"""A manifest as GitHub's form takes it: what it must have, and what GitHub would say is wrong.

Source: GitHub docs, "Registering a GitHub App from a manifest"; permission names and levels of the
REST description (``app-permissions``); events and what they need of "Webhook events and payloads".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from sandbox.actions.apps import slug_of
from sandbox.world import World, secret

NAME_LIMIT = 34
MOST_CALLBACKS = 10
CODE_SECONDS = 3600
_READ_WRITE = ("read", "write")
PERMISSIONS = {
    **dict.fromkeys(
        (
            "actions", "administration", "checks", "contents", "deployments", "discussions",
            "environments", "issues", "members", "merge_queues", "metadata",
            "organization_administration", "organization_hooks", "organization_secrets", "packages",
            "pages", "pull_requests", "repository_hooks", "secret_scanning_alerts", "secrets",
            "security_events", "statuses", "vulnerability_alerts",
        ),
        _READ_WRITE,
    ),
    "organization_plan": ("read",),
    "organization_projects": ("read", "write", "admin"),
    "repository_projects": ("read", "write", "admin"),
    "workflows": ("write",),
}  # fmt: skip
# Event -> the permission that it needs.
EVENTS = {
    "branch_protection_configuration": "administration",
    "branch_protection_rule": "administration",
    "check_run": "checks",
    "check_suite": "checks",
    "create": "contents",
    "delete": "contents",
    "deployment": "deployments",
    "deployment_protection_rule": "deployments",
    "deployment_status": "deployments",
    "issue_comment": "issues",
    "issues": "issues",
    "label": "metadata",
    "member": "members",
    "membership": "members",
    "merge_group": "merge_queues",
    "organization": "members",
    "public": "metadata",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "pull_request_review_thread": "pull_requests",
    "push": "contents",
    "release": "contents",
    "repository": "metadata",
    "repository_ruleset": "administration",
    "star": "metadata",
    "status": "statuses",
    "team": "members",
    "team_add": "members",
}


class BadManifest(Exception):
    """GitHub would not show its button. ``args[0]``: every reason, in GitHub's manner."""


def read(text: str, world: World) -> dict[str, Any]:
    """The manifest. Raises: BadManifest with all reasons.

    GitHub also refuses a webhook on this machine; here it is where the app under test listens.
    """
    try:
        found = json.loads(text)
    except ValueError:
        raise BadManifest(("the manifest is not JSON",)) from None
    if not isinstance(found, dict):
        raise BadManifest(("the manifest is not an object",))
    problems = [
        *_addresses(found),
        *_permissions(found),
        *_events(found),
        *name_problems(str(found.get("name", "")), world),
    ]
    if problems:
        raise BadManifest(tuple(problems))
    return found


def new_code(world: World, found: dict[str, Any], *, owner: str, by: str) -> str:
    """A code for ``POST /app-manifests/{code}/conversions``: once, within the hour."""
    code = secret("", 20)
    world.manifests[code] = {"manifest": found, "by": by, "owner": owner, "at": world.now()}
    return code


def name_problems(name: str, world: World) -> list[str]:
    """What is wrong with the name, which may also be changed on GitHub's page."""
    if not name.strip():
        return ["Name can't be blank"]
    if len(name) > NAME_LIMIT:
        return [f"Name is too long (maximum is {NAME_LIMIT} characters)"]
    if any(app.slug == slug_of(name) for app in world.apps.values()):
        return ["Name is already taken"]
    return []


def _addresses(found: dict[str, Any]) -> list[str]:
    hook = found.get("hook_attributes")
    callbacks = found.get("callback_urls") or []
    problems = []
    if not _is_url(found.get("url")):
        problems.append("Url must be a valid URL")
    if not _is_url(found.get("redirect_url")):
        problems.append("Redirect url must be a valid URL")
    if hook is not None and not (isinstance(hook, dict) and _is_url(hook.get("url"))):
        problems.append("Hook url must be a valid URL")
    if found.get("setup_url") and not _is_url(found["setup_url"]):
        problems.append("Setup url must be a valid URL")
    if not isinstance(callbacks, list) or not all(map(_is_url, callbacks)):
        problems.append("Callback urls must be valid URLs")
    elif len(callbacks) > MOST_CALLBACKS:
        problems.append(f"Callback urls: no more than {MOST_CALLBACKS}")
    return problems


def _is_url(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _permissions(found: dict[str, Any]) -> list[str]:
    asked = found.get("default_permissions") or {}
    if not isinstance(asked, dict):
        return ["Default permissions must be an object"]
    return [
        f"Default permission records: {name}: {level} is not included in the list"
        for name, level in asked.items()
        if level not in PERMISSIONS.get(name, ())
    ]


def _events(found: dict[str, Any]) -> list[str]:
    asked, permissions = found.get("default_events") or [], found.get("default_permissions") or {}
    if not isinstance(asked, list) or not isinstance(permissions, dict):
        return ["Default events must be a list"]
    problems = []
    for event in asked:
        needed = EVENTS.get(str(event))
        if needed is None:
            problems.append(f"Default events: {event} is not included in the list")
        elif needed not in permissions and needed != "metadata":
            problems.append(f"Default events: {event} is not supported by permissions")
    return problems
