"""A snapshot's JSON as GitHub would send it: whole and ordinary, to be spoilt by a test."""

from typing import Any

from tests.gateway.conftest import REPO_ID

HEAD = "b" * 40
FIRST = "a" * 40


def user(login: str = "june", number: int = 11) -> dict[str, Any]:
    return {"__typename": "User", "login": login, "databaseId": number}


def bot(login: str = "dependabot", number: int = 49699333) -> dict[str, Any]:
    return {"__typename": "Bot", "login": login, "databaseId": number}


def page(*nodes: object, total: int | None = None, cursor: str | None = None) -> dict[str, Any]:
    """A connection's page; with a cursor there is more to come."""
    return {
        "totalCount": len(nodes) if total is None else total,
        "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor},
        "nodes": list(nodes),
    }


def identity(name: str = "June", login: str | None = "june") -> dict[str, Any]:
    account = None if login is None else {"login": login, "databaseId": 11}
    return {"name": name, "email": f"{name.lower()}@acme.example", "user": account}


def commit(oid: str, message: str = "Add a shop") -> dict[str, Any]:
    return {
        "commit": {
            "oid": oid,
            "message": message,
            "committedViaWeb": False,
            "authoredDate": "2026-05-01T09:00:00Z",
            "additions": 3,
            "deletions": 1,
            "changedFilesIfAvailable": 1,
            "tree": {"oid": "7" * 40},
            "author": identity(),
            "committer": identity(),
            "authors": {"totalCount": 1, "nodes": [identity()]},
            "parents": {"totalCount": 1, "nodes": [{"oid": "0" * 39 + "1"}]},
            "signature": None,
        }
    }


def review(number: int = 501, state: str = "APPROVED", oid: str | None = HEAD) -> dict[str, Any]:
    return {
        "fullDatabaseId": str(number),
        "state": state,
        "submittedAt": "2026-05-01T10:00:00Z",
        "authorCanPushToRepository": True,
        "author": user("grace", 1906),
        "commit": None if oid is None else {"oid": oid},
    }


def file(path: str = "shop.py", change: str = "MODIFIED") -> dict[str, Any]:
    return {"path": path, "changeType": change, "additions": 3, "deletions": 1}


def edit(body: str | None = "First words", *, deleted: bool = False) -> dict[str, Any]:
    return {
        "editedAt": "2026-05-01T09:30:00Z",
        "deletedAt": "2026-05-01T09:40:00Z" if deleted else None,
        "diff": body,
        "editor": user(),
    }


def event(kind: str, number: int = 1, **fields: object) -> dict[str, Any]:
    return {
        "__typename": kind,
        "id": f"EV_{number}",
        "createdAt": "2026-05-01T09:00:00Z",
        "actor": user(),
        **fields,
    }


def run(number: int = 800, **fields: object) -> dict[str, Any]:
    return {
        "databaseId": number,
        "name": "senior-signoff",
        "status": "COMPLETED",
        "conclusion": "ACTION_REQUIRED",
        "externalId": "digest.receipt",
        "title": "Waiting",
    } | fields


def suites(*groups: list[dict[str, Any]], total: int | None = None) -> dict[str, Any]:
    return {
        "totalCount": len(groups) if total is None else total,
        "nodes": [{"checkRuns": {"totalCount": len(group), "nodes": group}} for group in groups],
    }


def twin(number: int, oid: str = HEAD, state: str = "OPEN", repo: int = REPO_ID) -> dict[str, Any]:
    return {
        "number": number,
        "state": state,
        "headRefOid": oid,
        "baseRefName": "main",
        "repository": {"databaseId": repo},
    }


def blob(text: str | None = "version: 1\n", **fields: object) -> dict[str, Any]:
    return {
        "__typename": "Blob",
        "oid": "d" * 40,
        "byteSize": len(text or ""),
        "isBinary": False,
        "isTruncated": False,
        "text": text,
    } | fields


def repository(name: str, number: int = REPO_ID, **fields: object) -> dict[str, Any]:
    return {
        "databaseId": number,
        "name": name,
        "isPrivate": True,
        "owner": {"login": "acme"},
        "defaultBranchRef": {"name": "main", "target": {"oid": "c" * 40}},
        "roster": None,
    } | fields


def pull(**fields: object) -> dict[str, Any]:
    return {
        "id": "PR_1",
        "number": 7,
        "state": "OPEN",
        "isDraft": False,
        "title": "Add a shop",
        "body": "As asked.",
        "updatedAt": "2026-05-01T12:00:00Z",
        "lastEditedAt": None,
        "author": user(),
        "baseRefName": "main",
        "baseRefOid": "c" * 40,
        "baseRef": {"associatedPullRequests": {"totalCount": 0}},
        "headRefName": "shop",
        "headRefOid": HEAD,
        "isCrossRepository": False,
        "maintainerCanModify": False,
        "headRepository": repository("shop"),
        "changedFiles": 1,
        "mergedBy": None,
        "mergeCommit": None,
        "mergeQueueEntry": None,
        "labels": page({"name": "ai-assisted"}),
        "commits": page(commit(FIRST), commit(HEAD)),
        "reviews": page(review()),
        "files": page(file()),
        "userContentEdits": page(),
        "timelineItems": page(event("LabeledEvent", label={"name": "ai-assisted"})),
        "headCommit": {
            "nodes": [
                {
                    "commit": {
                        "oid": HEAD,
                        "associatedPullRequests": {"totalCount": 1, "nodes": [twin(7)]},
                        "checkSuites": suites(),
                    }
                }
            ]
        },
    } | fields


def snapshot(node: dict[str, Any] | None = None, **fields: object) -> dict[str, Any]:
    """The whole answer: an ordinary pull request of a repository without any roster."""
    return {
        "data": {
            "rateLimit": {
                "cost": 1,
                "limit": 5000,
                "remaining": 4990,
                "resetAt": "2026-05-01T13:00:00Z",
            },
            "repository": repository("shop", pullRequest=pull() if node is None else node),
            "orgPublic": None,
            "orgPrivate": None,
        }
        | fields,
        "errors": [
            {"type": "NOT_FOUND", "path": ["orgPublic"], "message": "no"},
            {"type": "NOT_FOUND", "path": ["orgPrivate"], "message": "no"},
        ],
    }


def next_page(**fields: object) -> dict[str, Any]:
    """An answer to ``SnapshotPage``."""
    node = {"headRefOid": HEAD, "baseRefOid": "c" * 40, "changedFiles": 1} | fields
    return {"data": {"rateLimit": {"cost": 2}, "node": node}}
