"""REST answers have every property that GitHub's own description says is always there."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, Inbox, app_jwt, open_pull, report

# Schema of the REST description, where to read one, and its required properties.
SHAPES = [
    pytest.param(
        "/repos/acme/shop/pulls/1",
        """
        _links additions assignee author_association auto_merge base body changed_files
        closed_at comments comments_url commits commits_url created_at deletions diff_url
        head html_url id issue_url labels locked maintainer_can_modify merge_commit_sha
        mergeable mergeable_state merged merged_at merged_by milestone node_id number
        patch_url review_comment_url review_comments review_comments_url state statuses_url
        title updated_at url user
        """,
        id="pull-request",
    ),
    pytest.param(
        "/repos/acme/shop/pulls",
        """
        _links assignee author_association auto_merge base body closed_at comments_url
        commits_url created_at diff_url head html_url id issue_url labels locked
        merge_commit_sha merged_at milestone node_id number patch_url review_comment_url
        review_comments_url state statuses_url title updated_at url user
        """,
        id="pull-request-simple",
    ),
    pytest.param(
        "/repos/acme/shop/pulls/1/reviews",
        """
        _links author_association body commit_id html_url id node_id pull_request_url state
        user
        """,
        id="pull-request-review",
    ),
    pytest.param(
        "/repos/acme/shop/pulls/1/commits",
        """
        author comments_url commit committer html_url node_id parents sha url
        """,
        id="commit",
    ),
    pytest.param(
        "/repos/acme/shop/pulls/1/files",
        """
        additions blob_url changes contents_url deletions filename raw_url sha status
        """,
        id="diff-entry",
    ),
    pytest.param(
        "/repos/acme/shop/commits/fix/check-runs check_runs",
        """
        app check_suite completed_at conclusion details_url external_id head_sha html_url id
        name node_id output pull_requests started_at status url
        """,
        id="check-run",
    ),
    pytest.param(
        "/repos/acme/shop/commits/fix/check-suites check_suites",
        """
        after app before check_runs_url conclusion created_at head_branch head_commit
        head_sha id latest_check_runs_count node_id pull_requests repository status
        updated_at url
        """,
        id="check-suite",
    ),
    pytest.param(
        "/repos/acme/shop",
        """
        archive_url archived assignees_url blobs_url branches_url clone_url
        collaborators_url comments_url commits_url compare_url contents_url contributors_url
        created_at default_branch deployments_url description disabled downloads_url
        events_url fork forks forks_count forks_url full_name git_commits_url git_refs_url
        git_tags_url git_url has_discussions has_issues has_pages has_projects has_wiki
        homepage hooks_url html_url id issue_comment_url issue_events_url issues_url
        keys_url labels_url language languages_url license merges_url milestones_url
        mirror_url name network_count node_id notifications_url open_issues
        open_issues_count owner private pulls_url pushed_at releases_url size ssh_url
        stargazers_count stargazers_url statuses_url subscribers_count subscribers_url
        subscription_url svn_url tags_url teams_url trees_url updated_at url watchers
        watchers_count
        """,
        id="full-repository",
    ),
    pytest.param(
        "/installation/repositories repositories",
        """
        archive_url assignees_url blobs_url branches_url collaborators_url comments_url
        commits_url compare_url contents_url contributors_url deployments_url description
        downloads_url events_url fork forks_url full_name git_commits_url git_refs_url
        git_tags_url hooks_url html_url id issue_comment_url issue_events_url issues_url
        keys_url labels_url languages_url merges_url milestones_url name node_id
        notifications_url owner private pulls_url releases_url stargazers_url statuses_url
        subscribers_url subscription_url tags_url teams_url trees_url url
        """,
        id="minimal-repository",
    ),
    pytest.param(
        "/orgs/acme/teams/staff-engineers/members",
        """
        avatar_url events_url followers_url following_url gists_url gravatar_id html_url id
        login node_id organizations_url received_events_url repos_url site_admin starred_url
        subscriptions_url type url
        """,
        id="simple-user",
    ),
    pytest.param(
        "/orgs/acme/teams",
        """
        description html_url id members_url name node_id parent permission repositories_url
        slug type url
        """,
        id="team",
    ),
    pytest.param(
        "/repos/acme/shop/activity",
        """
        activity_type actor after before id node_id ref timestamp
        """,
        id="activity",
    ),
    pytest.param(
        "/repos/acme/shop/rulesets",
        """
        enforcement id name source
        """,
        id="repository-ruleset",
    ),
    pytest.param(
        "/repos/acme/shop/commits/fix/statuses",
        """
        avatar_url context created_at creator description id node_id state target_url
        updated_at url
        """,
        id="status",
    ),
    pytest.param(
        "/repos/acme/shop/issues/1",
        """
        assignee closed_at comments comments_url created_at events_url html_url id labels
        labels_url locked milestone node_id number repository_url state title updated_at url
        user
        """,
        id="issue",
    ),
    pytest.param(
        "/repos/acme/shop/issues/1/comments",
        """
        created_at html_url id issue_url node_id updated_at url user
        """,
        id="issue-comment",
    ),
    pytest.param(
        "/repos/acme/shop/compare/main...fix",
        """
        ahead_by base_commit behind_by commits diff_url html_url merge_base_commit patch_url
        permalink_url status total_commits url
        """,
        id="commit-comparison",
    ),
    pytest.param(
        "app /app",
        """
        created_at description events external_url html_url id name node_id owner
        permissions updated_at
        """,
        id="integration",
    ),
    pytest.param(
        "app /app/installations",
        """
        access_tokens_url account app_id app_slug created_at events html_url id permissions
        repositories_url repository_selection single_file_name suspended_at suspended_by
        target_id target_type updated_at
        """,
        id="installation",
    ),
    pytest.param(
        "app /app/hook/deliveries",
        """
        action delivered_at duration event guid id installation_id redelivery repository_id
        status status_code
        """,
        id="hook-delivery-item",
    ),
]


def one_of_each(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("kim", "approve", repo=SHOP, number=number)
    hub.act("kim", "comment", repo=SHOP, number=number, body="hello")
    hub.act("kim", "set_status", repo=SHOP, sha="refs/heads/fix", context="ci")
    report(hub, hub.pull(number)["head_sha"])
    (installation,) = hub.world.installations.values()
    installation.permissions |= {"issues": "read"}


@pytest.mark.parametrize(("where", "required"), SHAPES)
def test_nothing_required_is_missing(server: Sandbox, where: str, required: str) -> None:
    server.courier.receiver = Inbox().receive
    one_of_each(server)
    path, _, key = where.removeprefix("app ").partition(" ")
    token = app_jwt(server) if where.startswith("app ") else ""
    with Client(server, token) as client:
        found: Any = client.call("GET", path).json()
    found = found[key] if key else found
    for item in found if isinstance(found, list) else [found]:
        assert set(required.split()) - item.keys() == set()
    assert found
