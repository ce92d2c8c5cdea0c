"""What the web side works with: handed to ``create_app``, found again in a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import current_app

from github_app.store.database import Store

EXTENSION = "countersign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """``check_credentials`` returns None when GitHub accepts us, else one sentence why not."""

    app_id: int
    webhook_secrets: tuple[bytes, ...]
    store: Store
    check_credentials: Callable[[], str | None]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


def services() -> Services:
    """The services of the app that handles this request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Services)
    return found
