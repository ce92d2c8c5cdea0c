"""What stands at one commit: a file, and our check run. And the id behind a repository's name."""

from github_app.gateway import nodes
from github_app.gateway.client import Installation
from github_app.gateway.errors import NotFound
from github_app.gateway.nodes import number, optional, text
from github_app.gateway.reading import Reading, home, refusing_surprises
from github_app.judge.facts import CheckRun, Repository


def file_at(installation: Installation, repository: Repository, oid: str, path: str) -> str | None:
    """The text of a file in a commit, a fork's head included. None: no such file, or no text.

    ``path`` is ours, never foreign: it becomes part of an expression. Raises: GitHubError.
    Source: GitHub GraphQL ``Repository.object``.
    """
    variables = {
        "owner": repository.owner,
        "name": repository.name,
        "expression": f"{oid}:{path}",
    }
    data = Reading(installation).ask("FileAt", variables)
    with refusing_surprises():
        blob = home(data, repository.id)["object"]
        if blob is None or blob["__typename"] != "Blob" or blob["isBinary"] or blob["isTruncated"]:
            return None
        return optional(blob, "text", text)


def check_on(
    installation: Installation, repository: Repository, oid: str, *, app_id: int, check_name: str
) -> CheckRun | None:
    """Our latest check run on a commit; None if there is none, or it is not known.

    Raises: GitHubError. Source: GitHub GraphQL ``Commit.checkSuites``.
    """
    variables = {
        "owner": repository.owner,
        "name": repository.name,
        "oid": oid,
        "appId": app_id,
        "checkName": check_name,
    }
    data = Reading(installation).ask("CheckOn", variables)
    with refusing_surprises():
        commit = home(data, repository.id)["object"]
        if commit is None or "checkSuites" not in commit:
            raise NotFound("there is no such commit")
        return nodes.check_run(commit)


def full_name(installation: Installation, repository_id: int) -> str:
    """The name that a repository has now. Raises: NotFound, any other GitHubError.

    Source: REST ``/repositories/{id}``, which follows renames and transfers.
    """
    answer = installation.rest("GET", "/repositories/{id}", {"id": repository_id})
    with refusing_surprises():
        return nodes.text(answer.data, "full_name")


def repository_id(installation: Installation, owner: str, name: str) -> int:
    """The numeric id behind a repository's name. Raises: NotFound, also where the name is an old
    one that GitHub still knows; any other GitHubError.
    """
    answer = installation.rest("GET", "/repos/{owner}/{repo}", {"owner": owner, "repo": name})
    with refusing_surprises():
        if text(answer.data, "full_name").casefold() != f"{owner}/{name}".casefold():
            raise NotFound("the repository has another name now")
        return number(answer.data, "id")
