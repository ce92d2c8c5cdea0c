"""Pull requests with their edits, files and reviews."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.
# ruff: noqa: ARG001, FBT001, FBT002, N803

from __future__ import annotations

from typing import Any

from sandbox import rules, views
from sandbox.connections import Connection
from sandbox.objects import Event, PullRequest, Review, at_least, iso
from sandbox.resolvers.core import (
    CommitView,
    Context,
    PullCommit,
    actor,
    commit_in,
    pull_state,
    ref_named,
    resolves,
    simple,
)

simple(
    {
        "fullDatabaseId": lambda p: str(p.id),
        "state": pull_state,
        "isDraft": lambda p: p.draft,
        "author": lambda p: actor(p.author),
        "editor": lambda p: actor(p.editor),
        "mergedBy": lambda p: actor(p.merged_by),
        "createdViaEmail": lambda _: False,
        "includesCreatedEdit": lambda p: bool(p.edits),
        "baseRefName": lambda p: p.base_ref,
        "baseRefOid": lambda p: p.base_sha,
        "headRefName": lambda p: p.head_ref,
        "headRefOid": lambda p: p.head_sha,
        "baseRepository": lambda p: p.repository,
        "changedFiles": lambda p: len(p.files),
        "additions": lambda p: sum(change.counts[0] for change in p.files),
        "deletions": lambda p: sum(change.counts[1] for change in p.files),
        "isInMergeQueue": lambda p: p.queue_entry is not None,
        "mergeQueueEntry": lambda p: p.queue_entry,
        "mergeCommit": lambda p: commit_in(p.repository, p.merge_sha) if p.merged else None,
        "baseRef": lambda p: ref_named(p.repository, p.base_ref),
        "headRef": lambda p: (
            ref_named(p.head_repository, p.head_ref) if p.head_repository else None
        ),
    },
    "PullRequest",
)


@resolves("PullRequest.url", "PullRequest.permalink")
def _pull_url(pull: PullRequest, ctx: Context) -> str:
    return f"{ctx.world.web_url}/{pull.repository.full_name}/pull/{pull.number}"


@resolves("PullRequest.authorAssociation")
def _association(pull: PullRequest, ctx: Context) -> str:
    return views.association(pull.author, pull.repository)


@resolves("PullRequest.reviewDecision")
def _decision(pull: PullRequest, ctx: Context) -> str | None:
    return rules.review_decision(ctx.world, pull)


@resolves("PullRequest.mergeStateStatus")
def _merge_state(pull: PullRequest, ctx: Context) -> str:
    return rules.merge_state(ctx.world, pull)


@resolves("PullRequest.mergeable")
def _mergeable(pull: PullRequest, ctx: Context) -> str:
    if pull.state != "open":
        return "UNKNOWN"
    return "CONFLICTING" if rules.has_conflict(pull) else "MERGEABLE"


@resolves("PullRequest.autoMergeRequest")
def _auto_merge(pull: PullRequest, ctx: Context) -> dict[str, Any] | None:
    wish = pull.auto_merge
    if not wish:
        return None
    method = wish["method"].upper()
    return {"enabledAt": wish["at"], "enabledBy": actor(wish["by"]), "mergeMethod": method}


@resolves("PullRequest.labels")
def _pull_labels(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.labels, page)


@resolves("PullRequest.userContentEdits")
def _edits(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.edits[::-1], page)


@resolves("PullRequest.commits")
def _commits(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    made = ctx.page(pull.commits, page)
    made.items = [PullCommit(pull, commit) for commit in made.items]
    return made


@resolves("PullRequest.reviews")
def _reviews(
    pull: PullRequest, ctx: Context, author: str | None = None, states: list[str] | None = None,
    **page: Any,
) -> Connection:  # fmt: skip
    found = [
        review
        for review in pull.reviews
        if (author is None or review.author.login == author)
        and (states is None or review.state in states)
    ]
    return ctx.page(found, page)


@resolves("PullRequest.latestOpinionatedReviews")
def _opinionated(
    pull: PullRequest,
    ctx: Context,
    writersOnly: bool = False,
    **page: Any,
) -> Connection:
    found = (
        rules.writers_reviews(ctx.world, pull)
        if writersOnly
        else list(rules.standing_reviews(pull).values())
    )
    return ctx.page(found, page)


@resolves("PullRequest.latestReviews")
def _latest_reviews(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(list({review.author.id: review for review in pull.reviews}.values()), page)


@resolves("PullRequest.files")
def _files(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.files, page)


@resolves("PullRequest.assignees")
def _assignees(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    return ctx.page(pull.assignees, page)


@resolves("PullRequest.participants")
def _participants(pull: PullRequest, ctx: Context, **page: Any) -> Connection:
    found = {a.id: a for a in (pull.author, *(r.author for r in pull.reviews)) if a.kind == "User"}
    return ctx.page(list(found.values()), page)


@resolves("PullRequest.timelineItems")
def _timeline(
    pull: PullRequest, ctx: Context, itemTypes: list[str] | None = None, since: Any = None,
    skip: int | None = None, **page: Any,
) -> Connection:  # fmt: skip
    wanted = None if itemTypes is None else {_kind(name) for name in itemTypes}
    items: list[Any] = [e for e in pull.timeline if wanted is None or e.kind in wanted]
    if wanted is None or "PullRequestReview" in wanted:
        items += pull.reviews
    if wanted is None or "PullRequestCommit" in wanted:
        items = [PullCommit(pull, commit) for commit in pull.commits] + items
    if since is not None:
        items = [i for i in items if not isinstance(i, Event) or iso(i.at) >= since]
    made = ctx.page(items[skip or 0 :], page)
    made.filteredCount = len(items)
    others = len(pull.commits) + len(pull.reviews) + len(pull.comments)
    made.totalCount = len(pull.timeline) + others
    return made


def _kind(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


simple(
    {
        "changeType": lambda c: {"removed": "DELETED"}.get(c.status, c.status.upper()),
        "additions": lambda c: c.counts[0],
        "deletions": lambda c: c.counts[1],
        "path": lambda c: c.path,
    },
    "PullRequestChangedFile",
)
simple(
    {
        "id": lambda pc: f"PURC_{pc.pull.id:x}_{pc.git.sha}",
        "commit": lambda pc: CommitView(pc.pull.repository, pc.git),
    },
    "PullRequestCommit",
)
simple(
    {
        "createdAt": lambda e: e.at,
        "editedAt": lambda e: e.at,
        "editor": lambda e: actor(e.editor),
        "deletedBy": lambda e: actor(e.deleted_by),
    },
    "UserContentEdit",
)
simple(
    {
        "fullDatabaseId": lambda r: str(r.id),
        "author": lambda r: actor(r.author),
        "commit": lambda r: commit_in(r.pull.repository, r.commit_sha),
    },
    "PullRequestReview",
)


@resolves("PullRequestReview.authorAssociation")
def _review_association(review: Review, ctx: Context) -> str:
    return views.association(review.author, review.pull.repository)


@resolves("PullRequestReview.authorCanPushToRepository")
def _can_push(review: Review, ctx: Context) -> bool:
    return at_least(ctx.world.permission(review.author, review.pull.repository), "write")


@resolves("PullRequestReview.onBehalfOf")
def _on_behalf(review: Review, ctx: Context, **page: Any) -> Connection:
    return ctx.page(review.on_behalf_of, page)
