"""What a commit changes against its base, as the raw text of git's own diff; None without doubt
where GitHub does not show all of it."""

from github_app.gateway.client import Installation
from github_app.gateway.errors import NotFound, Refused
from github_app.gateway.nodes import child, text
from github_app.gateway.reading import refusing_surprises
from github_app.gateway.transport import DIFF
from github_app.judge.facts import Repository

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
    # a server that does not know the media type answers with JSON
    shown = "diff" in answer.headers.get("content-type", "")
    return answer.data if shown and isinstance(answer.data, str) else None


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


def _pair(repository: Repository, base_oid: str, head_oid: str) -> dict[str, str]:
    return {
        "owner": repository.owner,
        "repo": repository.name,
        "base": base_oid,
        "head": head_oid,
    }
