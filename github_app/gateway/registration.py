"""The last step of a set-up: a manifest's code becomes a registered app and its credentials."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from github_app.gateway.errors import NotFound, Unavailable
from github_app.gateway.failures import failure
from github_app.gateway.nodes import child, number, optional, text
from github_app.gateway.reading import refusing_surprises
from github_app.gateway.transport import READ_SECONDS, Line
from github_app.settings import Secret

_CODE = re.compile(r"[0-9A-Za-z_-]{1,255}")  # it comes from an address, and goes into one


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A new app as GitHub tells it, once. ``owner``: the login of its account."""

    id: int
    slug: str
    name: str
    owner: str
    page: str  # its page on GitHub
    client_id: str
    client_secret: Secret
    webhook_secret: Secret
    private_key: Secret  # PEM text


def register(code: str, *, api_url: str, graphql_url: str) -> Registered:
    """Exchange the code, which works once and for an hour. It is not tried again by itself.

    Raises: GitHubError; after Unavailable it is not known whether the app was made.
    Source: REST ``apps/create-from-manifest``, which asks for no authentication.
    """
    what = "POST /app-manifests/{code}/conversions"
    if not _CODE.fullmatch(code):
        raise NotFound(f"{what}: that is no code of GitHub's")
    line = Line(api_url, graphql_url)
    try:
        # the patience of a read: nobody holds a lease, and GitHub makes a key meanwhile
        answer = line.rest(
            "POST", f"/app-manifests/{code}/conversions", bearer=None, patience=READ_SECONDS
        )
    finally:
        line.close()
    if not 200 <= answer.status < 300:
        raise failure(answer, what, datetime.now(UTC))
    node: Any = answer.data
    with refusing_surprises():
        webhook_secret = optional(node, "webhook_secret", text)
        if not webhook_secret:
            problem = "GitHub made the app without a webhook secret"
            raise Unavailable(problem, request_id=answer.request_id)
        return Registered(
            id=number(node, "id"),
            slug=text(node, "slug"),
            name=text(node, "name"),
            owner=text(child(node, "owner"), "login"),
            page=text(node, "html_url"),
            client_id=text(node, "client_id"),
            client_secret=Secret(text(node, "client_secret")),
            webhook_secret=Secret(webhook_secret),
            private_key=Secret(text(node, "pem")),
        )
