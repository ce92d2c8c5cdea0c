"""The events in the timeline of a pull request."""

# Every resolver has the signature that GraphQL gives it, in GraphQL's names.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.objects import Event, Repository, Review
from sandbox.resolvers.core import (
    CommitView,
    PullCommit,
    RefView,
    actor,
    commit_in,
)


def _event_fields(pull_of: Callable[[Event], Repository | None]) -> dict[str, Callable[[Any], Any]]:
    def commit(key: str) -> Callable[[Any], Any]:
        def find(event: Event) -> CommitView | None:
            repository = pull_of(event)
            return commit_in(repository, event.data.get(key)) if repository else None

        return find

    def value(key: str) -> Callable[[Any], Any]:
        return lambda event: event.data.get(key)

    return {
        "createdAt": lambda e: e.at,
        "actor": lambda e: actor(e.actor),
        "label": value("label"),
        "previousTitle": value("previous"),
        "currentTitle": value("current"),
        "previousRefName": value("previous"),
        "currentRefName": value("current"),
        "oldBase": value("previous"),
        "newBase": value("current"),
        "headRefName": value("head_ref_name"),
        "mergeRefName": value("ref_name"),
        "beforeCommit": commit("before"),
        "afterCommit": commit("after"),
        "commit": commit("sha"),
        "ref": _ref_of_event,
        "previousReviewState": value("previous_state"),
        "dismissalMessage": lambda e: e.data.get("message") or None,
        "review": value("review"),
        "pullRequestCommit": _dismissed_commit,
        "reason": lambda e: e.data.get("reason") or None,
        "assignee": lambda e: actor(e.data.get("assignee")),
        "requestedReviewer": value("reviewer"),
    }


def _repository_of(event: Event) -> Repository | None:
    return event.data.get("repository")


def _ref_of_event(event: Event) -> RefView | None:
    repository, name = event.data.get("ref_repository"), event.data.get("ref_name")
    if not isinstance(repository, Repository) or name not in repository.branches:
        return None
    return RefView(repository, "refs/heads/", name, repository.branches[name])


def _dismissed_commit(event: Event) -> PullCommit | None:
    review: Review = event.data["review"]
    found = review.pull.repository.store.commits.get(event.data.get("head", ""))
    return PullCommit(review.pull, found) if found else None


EVENT_FIELDS = _event_fields(_repository_of)
