"""The receipts that check runs on GitHub carry: the copy of the audit log that we cannot alter."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from github_app import logs
from github_app.gateway import app as the_app
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.repository import open_pull_requests, repositories
from github_app.judge.facts import Repository
from github_app.settings import Settings
from github_app.store.audit import Anchor

_WHERE = re.compile(r"(?P<owner>[\w.-]+)(?:/(?P<name>[\w.-]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the check of one open pull request rests on. ``where``: ``owner/name#number``."""

    where: str
    anchor: Anchor


def receipts_on_github(place: str) -> list[Receipt]:
    """Of every open pull request of ``OWNER`` or ``OWNER/REPO`` that has a check of ours.

    A hundred pull requests a call. Raises: SettingsError, GitHubError, click.UsageError.
    """
    match = _WHERE.fullmatch(place)
    if match is None:
        raise click.UsageError("--github takes OWNER or OWNER/REPO, for example acme/shop")
    logs.configure(level=logs.QUIET)
    settings = Settings.from_environment(os.environ)
    github = GitHub(settings)
    try:
        found = the_app.installation_for(github.app(), match["owner"], match["name"])
        installation = github.installation(found.id)
        return [
            receipt
            for repository in repositories(installation)
            if match["name"] is None or repository.name.lower() == match["name"].lower()
            for receipt in _receipts(installation, repository, settings)
        ]
    finally:
        github.close()


def _receipts(
    installation: Installation, repository: Repository, settings: Settings
) -> Iterator[Receipt]:
    for pull in open_pull_requests(
        installation,
        repository.owner,
        repository.name,
        repository_id=repository.id,
        check_name=settings.check_name,
        app_id=settings.app_id,
    ):
        _, _, receipt = ((pull.check and pull.check.external_id) or "").partition(".")
        if receipt:
            where = f"{repository.owner}/{repository.name}#{pull.number}"
            yield Receipt(where=where, anchor=Anchor.parse(receipt))
