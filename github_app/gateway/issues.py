"""Issues, where the app may write them: an optional permission."""

from github_app.gateway.client import Installation
from github_app.gateway.nodes import number, text
from github_app.gateway.reading import refusing_surprises
from github_app.judge.facts import Repository

_MOST_PAGES = 10  # 1,000 issues that changed since: ours is among them


def may_write(installation: Installation) -> bool:
    """Whether the owner granted *Issues: write*. Raises: GitHubError."""
    return installation.permissions.get("issues") == "write"


def create(installation: Installation, repository: Repository, title: str, body: str) -> int:
    """Open an issue; its number. Raises: GitHubError (Refused where a repository has none).

    After an ``Unavailable`` nobody knows whether it is there: look with ``find`` before asking
    again. Source: REST ``issues/create``.
    """
    values = {"owner": repository.owner, "repo": repository.name}
    said = {"title": title, "body": body}
    answer = installation.rest("POST", "/repos/{owner}/{repo}/issues", values, body=said)
    with refusing_surprises():
        return number(answer.data, "number")


def find(
    installation: Installation, repository: Repository, marker: str, *, app_id: int, since: str
) -> int | None:
    """The issue that this app wrote with ``marker`` in it, open or closed; None if there is none.

    ``since``: ISO 8601; older issues are not looked at. Others may write the marker too, so
    theirs are passed over. Raises: GitHubError. Source: REST ``issues/list-for-repo``.
    """
    values = {"owner": repository.owner, "repo": repository.name}
    query: dict[str, str | int] = {"state": "all", "since": since}
    pages = installation.pages("/repos/{owner}/{repo}/issues", values, query=query)
    for count, page in enumerate(pages, start=1):
        with refusing_surprises():
            for node in page:
                by = node.get("performed_via_github_app")
                ours = isinstance(by, dict) and by.get("id") == app_id
                if ours and node["body"] is not None and marker in text(node, "body"):
                    return number(node, "number")
        if count == _MOST_PAGES:
            break
    return None
