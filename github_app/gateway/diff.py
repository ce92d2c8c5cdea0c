"""What a commit changes against its base, as the raw text of git's own diff, and by which commits.

None where GitHub does not show all of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from github_app.gateway.client import Installation
from github_app.gateway.errors import NotFound, Refused, Unavailable
from github_app.gateway.nodes import Node, child, number, optional, text
from github_app.gateway.reading import refusing_surprises
from github_app.gateway.transport import DIFF, Answer
from github_app.judge.facts import Commit, GitIdentity, Repository

_COMPARE = "/repos/{owner}/{repo}/compare/{base}...{head}"
_NO_FILES = 2  # the page of a comparison that lists none: they are on the first


def diff(
    installation: Installation, repository: Repository, base_oid: str, head_oid: str
) -> str | None:
    """The diff from the merge base of two commits to ``head_oid``, whole.

    Returns: None where GitHub has one of the commits no longer, or declines: over 300 files,
             20,000 lines or 1 MB, or no ancestor in common.
    Errors:  any other GitHubError; asking again may help.
    Source:  REST ``repos/compare-commits-with-basehead``, media type ``diff``.
    """
    pair = _pair(repository, base_oid, head_oid)
    try:
        answer = installation.rest("GET", _COMPARE, pair, accept=DIFF)
    except (NotFound, Refused):
        return None
    if "diff" in answer.headers.get("content-type", "") and isinstance(answer.data, str):
        return answer.data
    _refuse_unreadable(answer)
    return None  # a server that does not know the media type answers with JSON


def _refuse_unreadable(answer: Answer) -> None:
    """What is neither a diff nor JSON is an accident, and says nothing of what GitHub shows.

    Raises: Unavailable.
    """
    try:
        json.loads(answer.data)
    except (TypeError, ValueError, RecursionError) as error:
        problem = "GitHub's answer is not a diff"
        raise Unavailable(problem, status=answer.status, request_id=answer.request_id) from error


def merge_base(
    installation: Installation, repository: Repository, base_oid: str, head_oid: str
) -> str | None:
    """The commit that the diff of ``head_oid`` begins at; None where GitHub does not know.

    Errors:  any other GitHubError. Source: REST ``repos/compare-commits-with-basehead``.
    """
    pair = _pair(repository, base_oid, head_oid)
    try:
        answer = installation.rest("GET", _COMPARE, pair, query={"per_page": 1, "page": _NO_FILES})
    except (NotFound, Refused):
        return None
    with refusing_surprises():
        return text(child(answer.data, "merge_base_commit"), "sha")


def commits(
    installation: Installation, repository: Repository, base_oid: str, head_oid: str
) -> tuple[Commit, ...] | None:
    """What ``head_oid`` has and ``base_oid`` has not, without accounts or signatures.

    Returns: None where GitHub does not know, or lists only some of them (over 250).
    Errors:  any other GitHubError. Source: REST ``repos/compare-commits-with-basehead``.
    """
    found = some_commits(installation, repository, base_oid, head_oid)
    return found.commits if found is not None and found.whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Commits, oldest first; ``whole`` False: GitHub lists only some of them."""

    commits: tuple[Commit, ...]
    whole: bool


def some_commits(
    installation: Installation, repository: Repository, base_oid: str, head_oid: str
) -> Listed | None:
    """The same, as far as GitHub lists them; None where it does not know. Raises: GitHubError."""
    try:
        answer = installation.rest("GET", _COMPARE, _pair(repository, base_oid, head_oid))
    except (NotFound, Refused):
        return None
    with refusing_surprises():
        found = tuple(listed_commit(node) for node in answer.data["commits"])
        return Listed(commits=found, whole=number(answer.data, "total_commits") == len(found))


def comparison(
    installation: Installation,
    repository: Repository,
    base_oid: str,
    head_oid: str,
    *,
    query: Mapping[str, str | int],
) -> Answer:
    """One page of a comparison. Raises: GitHubError."""
    return installation.rest("GET", _COMPARE, _pair(repository, base_oid, head_oid), query=query)


def listed_commit(node: Node) -> Commit:
    """A commit in a list of REST: without accounts or signatures."""
    inner = child(node, "commit")
    author, committer = (_identity(inner[field]) for field in ("author", "committer"))
    return Commit(
        oid=text(node, "sha"),
        message=text(inner, "message"),
        author=author,
        committer=committer,
        parents=tuple(text(parent, "sha") for parent in node["parents"]),
        tree_oid=text(child(inner, "tree"), "sha"),
    )


def _identity(node: Node | None) -> GitIdentity:
    if node is None:
        return GitIdentity(name="", email="")
    return GitIdentity(
        name=optional(node, "name", text) or "", email=optional(node, "email", text) or ""
    )


def _pair(repository: Repository, base_oid: str, head_oid: str) -> dict[str, str]:
    return {
        "owner": repository.owner,
        "repo": repository.name,
        "base": base_oid,
        "head": head_oid,
    }
