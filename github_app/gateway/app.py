"""What the app asks about itself, by its JWT: who it is, where it is installed, its deliveries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from github_app.gateway.client import Caller
from github_app.gateway.errors import Unavailable
from github_app.gateway.nodes import Node, child, flag, moment, number, optional, text
from github_app.gateway.reading import refusing_surprises


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The app: ``permissions`` as ``{"checks": "write"}``, ``events`` it is subscribed to."""

    id: int
    slug: str
    name: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An installation: where, with which rights, and whether it sleeps."""

    id: int
    account: str
    account_id: int
    account_type: str  # User, Organization
    suspended: bool
    all_repositories: bool
    permissions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One attempt to deliver one webhook. ``guid`` is the same on every attempt."""

    id: int
    guid: str
    delivered_at: datetime
    redelivery: bool
    ok: bool
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None


def identity(app: Caller) -> Identity:
    """Raises: TokenRefused if the key or the id is wrong; any other GitHubError."""
    node: Any = app.rest("GET", "/app", {}).data
    with refusing_surprises():
        return Identity(
            id=number(node, "id"),
            slug=text(node, "slug"),
            name=text(node, "name"),
            permissions=dict(child(node, "permissions")),
            events=tuple(node["events"]),
        )


def installations(app: Caller) -> Iterator[Installed]:
    """Every installation. Raises: GitHubError."""
    for page in app.pages("/app/installations", {}):
        with refusing_surprises():
            found = [_installed(node) for node in page]
        yield from found


def installation_by_id(app: Caller, installation_id: int) -> Installed:
    """Raises: NotFound when it was removed. Source: REST ``apps/get-installation``."""
    node: Any = app.rest("GET", "/app/installations/{id}", {"id": installation_id}).data
    with refusing_surprises():
        return _installed(node)


def installation_for(app: Caller, owner: str, repository: str | None = None) -> Installed:
    """The installation that covers a repository, or an account. Raises: NotFound if none does."""
    if repository is None:
        node: Any = app.rest("GET", "/users/{owner}/installation", {"owner": owner}).data
    else:
        values = {"owner": owner, "repo": repository}
        node = app.rest("GET", "/repos/{owner}/{repo}/installation", values).data
    with refusing_surprises():
        return _installed(node)


def deliveries(app: Caller) -> Iterator[Delivered]:
    """Every attempt GitHub still knows (3 days; Enterprise Server 7), the newest first.

    Read lazily: stop when what comes is older than you need. ``ok`` false is any failure, also
    the timeouts that GitHub's own ``status`` filter leaves out.
    Raises: GitHubError. Source: REST ``apps/list-webhook-deliveries``.
    """
    for page in app.pages("/app/hook/deliveries", {}):
        with refusing_surprises():
            found = [_delivered(node) for node in page]
        yield from found


def delivery_payload(app: Caller, delivery_id: int) -> dict[str, Any]:
    """The payload that was sent. Raises: GitHubError.

    Source: REST ``apps/get-webhook-delivery``.
    """
    answer = app.rest("GET", "/app/hook/deliveries/{id}", {"id": delivery_id})
    with refusing_surprises():
        payload = answer.data["request"]["payload"]
    if not isinstance(payload, dict):
        raise Unavailable("GitHub does not show the delivery", request_id=answer.request_id)
    return payload


def redeliver(app: Caller, delivery_id: int) -> None:
    """Ask GitHub to send it again. Raises: GitHubError."""
    app.rest("POST", "/app/hook/deliveries/{id}/attempts", {"id": delivery_id})


def _installed(node: Node) -> Installed:
    account = child(node, "account")
    return Installed(
        id=number(node, "id"),
        account=text(account, "login"),
        account_id=number(account, "id"),
        account_type=text(account, "type"),
        suspended=node.get("suspended_at") is not None,
        all_repositories=node["repository_selection"] == "all",
        permissions=dict(child(node, "permissions")),
    )


def _delivered(node: Node) -> Delivered:
    return Delivered(
        id=number(node, "id"),
        guid=text(node, "guid"),
        delivered_at=moment(node, "delivered_at"),
        redelivery=flag(node, "redelivery"),
        ok=200 <= number(node, "status_code") < 300,
        event=text(node, "event"),
        action=optional(node, "action", text),
        installation_id=optional(node, "installation_id", number),
        repository_id=optional(node, "repository_id", number),
    )
