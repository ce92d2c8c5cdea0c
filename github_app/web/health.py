"""``GET /healthz``: this process answers. ``GET /readyz``: database and GitHub accept us too."""

from flask import Blueprint

from github_app.store.errors import StoreError
from github_app.web.services import services

blueprint = Blueprint("health", __name__)

# Work that nobody takes for this long means that no worker runs, or that all are stuck. Seconds.
OLDEST_WORK = 600


@blueprint.get("/healthz")
def healthz() -> tuple[dict[str, str], int]:
    return {"status": "ok"}, 200


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """200, or 503 with one sentence for each part that does not work."""
    parts: dict[str, str | None] = {
        "database": _database(),
        "github": services().check_credentials(),
    }
    if parts["database"] is None:
        parts["work"] = _work()
    status = 503 if any(parts.values()) else 200
    return {part: problem or "ok" for part, problem in parts.items()}, status


def _database() -> str | None:
    try:
        services().store.now()
    except StoreError as error:
        return f"{error}. {error.advice}"
    return None


def _work() -> str | None:
    age = services().store.queue.stats().oldest_age
    if age < OLDEST_WORK:
        return None
    return f"the oldest work has waited {age:.0f} seconds. Is a worker running?"
