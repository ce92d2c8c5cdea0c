"""gunicorn's entry: settings -> services -> Flask app. No logic."""

import os

from flask import Flask

from github_app import logs
from github_app.services import build, web_services
from github_app.settings import Settings
from github_app.web import create_app


def make() -> Flask:
    logs.configure()
    return create_app(web_services(build(Settings.from_environment(os.environ))))


app = make()
