"""JSON shapes of the REST API and of webhook payloads, one function per kind of thing."""

from sandbox.views.accounts import association, full_user, organization, team, user
from sandbox.views.apps import app, installation
from sandbox.views.checks import check_run, check_suite, status
from sandbox.views.commits import (
    activity,
    commit,
    commit_node,
    file,
    merge_group,
    push,
    push_commit,
    simple_commit,
)
from sandbox.views.common import Json
from sandbox.views.pulls import (
    comment,
    full_pull,
    issue,
    pull_links,
    reactions,
    review,
    simple_pull,
)
from sandbox.views.repositories import full_repository, label, minimal_repository, repository
from sandbox.views.rulesets import branch_rule, protection, ruleset, status_checks

__all__ = [
    "Json",
    "activity",
    "app",
    "association",
    "branch_rule",
    "check_run",
    "check_suite",
    "comment",
    "commit",
    "commit_node",
    "file",
    "full_pull",
    "full_repository",
    "full_user",
    "installation",
    "issue",
    "label",
    "merge_group",
    "minimal_repository",
    "organization",
    "protection",
    "pull_links",
    "push",
    "push_commit",
    "reactions",
    "repository",
    "review",
    "ruleset",
    "simple_commit",
    "simple_pull",
    "status",
    "status_checks",
    "team",
    "user",
]
