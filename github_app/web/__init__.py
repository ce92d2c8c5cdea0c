"""The web side: it verifies, stores and answers. It judges nothing and calls GitHub for nothing
but its readiness."""

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from github_app.logs import get_logger
from github_app.web import health, metrics, setup, webhook
from github_app.web.services import EXTENSION, Services

# GitHub sends nothing larger: github-platform section 4.6.
LARGEST_BODY = 25 * 1024 * 1024

log = get_logger("web")


def create_app(services: Services) -> Flask:
    """The Flask app over services that are already open. No logic, no environment."""
    app = Flask("github_app.web")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[EXTENSION] = services
    app.register_blueprint(webhook.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(setup.closed)
    app.register_error_handler(HTTPException, _refusal)
    app.after_request(_headers)
    return app


def _refusal(error: HTTPException) -> tuple[dict[str, str], int]:
    """One line of JSON for every refusal: no page, nothing of the request in it."""
    log.info("refused", status=error.code, reason=error.name)
    return {"error": error.description or error.name}, error.code or 500


def _headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
