"""Whether GitHub demands our check on a branch, and only from us."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from github_app.gateway.client import Installation
from github_app.gateway.nodes import Node, child, number, text
from github_app.gateway.reading import refusing_surprises


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Of the default branch. ``pinned``: a check of our name from another app does not do."""

    branch: str
    required: bool
    pinned: bool


def requirement(
    installation: Installation, owner: str, name: str, *, app_id: int, check_name: str
) -> Requirement:
    """What rulesets and classic protection together demand on the default branch.

    Both add up: pinned by one of them is pinned. Rules that are only evaluated are not counted.
    Raises: GitHubError. Source: REST ``repos/get-branch-rules``, ``repos/get-branch``.
    """
    values = {"owner": owner, "repo": name}
    repository: Any = installation.rest("GET", "/repos/{owner}/{repo}", values).data
    with refusing_surprises():
        branch = text(repository, "default_branch")
    sources = [
        *_by_rulesets(installation, owner, name, branch, check_name),
        *_by_classic(installation, owner, name, branch, check_name),
    ]
    return Requirement(
        branch=branch, required=bool(sources), pinned=any(source == app_id for source in sources)
    )


def _by_rulesets(
    installation: Installation, owner: str, name: str, branch: str, check_name: str
) -> Iterator[int | None]:
    """The app that each active rule wants the check from; None is any."""
    values = {"owner": owner, "repo": name, "branch": branch}
    for page in installation.pages("/repos/{owner}/{repo}/rules/branches/{branch}", values):
        with refusing_surprises():
            for rule in page:
                if rule["type"] == "required_status_checks":
                    yield from _wanted(child(rule, "parameters"), check_name)


def _wanted(parameters: Node, check_name: str) -> Iterator[int | None]:
    for check in parameters["required_status_checks"]:
        if text(check, "context") == check_name:
            source = check.get("integration_id")
            yield None if source is None else number(check, "integration_id")


def _by_classic(
    installation: Installation, owner: str, name: str, branch: str, check_name: str
) -> Iterator[int | None]:
    values = {"owner": owner, "repo": name, "branch": branch}
    found: Any = installation.rest("GET", "/repos/{owner}/{repo}/branches/{branch}", values).data
    with refusing_surprises():
        demanded = (found.get("protection") or {}).get("required_status_checks") or {}
        if demanded.get("enforcement_level", "off") == "off":
            return
        for check in demanded.get("checks") or ():
            if text(check, "context") == check_name:
                source = check.get("app_id")
                yield None if source in (None, -1) else number(check, "app_id")
