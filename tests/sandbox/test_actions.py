"""Who may do what, and what each action leaves behind: state, timeline, webhooks."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import Refused
from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Inbox, open_pull, snapshot


@pytest.fixture
def pull(hub: Sandbox) -> int:
    """A pull request by june, and a stranger called mallory."""
    hub.act("", "create_user", login="mallory")
    hub.act("olga", "add_collaborator", repo=SHOP, login="kim", permission="triage")
    return open_pull(hub)


REFUSED = [
    pytest.param("june", "approve", {"number": 1}, 422, "your own pull request", id="own-approval"),
    pytest.param("june", "request_changes", {"number": 1}, 422, "your own", id="own-objection"),
    pytest.param("mallory", "approve", {"number": 1}, 404, "", id="stranger-sees-nothing"),
    pytest.param("mallory", "push", {"branch": "fix"}, 404, "", id="stranger-pushes"),
    pytest.param("kim", "push", {"branch": "fix"}, 403, "write access", id="triage-pushes"),
    pytest.param("kim", "merge", {"number": 1}, 403, "write access", id="triage-merges"),
    pytest.param("kim", "dismiss_review", {"number": 1}, 403, "write", id="triage-dismisses"),
    pytest.param(
        "kim", "edit_pull_request", {"number": 1, "title": "x"}, 403, "", id="triage-edits"
    ),
    pytest.param("grace", "add_collaborator", {"login": "june"}, 403, "admin", id="writer-adds"),
    pytest.param("grace", "rename_repository", {"name": "x"}, 403, "admin", id="writer-renames"),
    pytest.param("grace", "require_check", {"context": "x"}, 403, "admin", id="writer-protects"),
    pytest.param("grace", "approve", {"number": 99}, 404, "", id="no-such-pull"),
    pytest.param("nobody", "approve", {"number": 1}, 404, "", id="no-such-actor"),
    pytest.param("june", "open_pull_request", {"head": "fix"}, 422, "already exists", id="twin"),
    pytest.param("june", "open_pull_request", {"head": "no"}, 422, "", id="no-such-head"),
    pytest.param("june", "open_pull_request", {"head": "main"}, 422, "No commits", id="empty"),
    pytest.param(
        "june", "edit_pull_request", {"number": 1, "base": "no"}, 422, "", id="no-such-base"
    ),
    pytest.param("grace", "review", {"number": 1, "event": "COMMENT"}, 422, "blank", id="no-body"),
    pytest.param("grace", "review", {"number": 1, "event": "LIKE"}, 422, "event", id="odd-event"),
    pytest.param(
        "grace", "approve", {"number": 1, "commit": "main"}, 422, "commit", id="other-commit"
    ),
    pytest.param("june", "reopen_pull_request", {"number": 1}, 422, "state", id="reopen-open"),
    pytest.param("june", "push", {"branch": "main"}, 422, "declined", id="push-to-protected"),
    pytest.param("grace", "remove_label", {"number": 1, "label": "x"}, 404, "", id="no-label"),
    pytest.param(
        "june", "request_review", {"number": 1, "reviewer": "june"}, 422, "author", id="self"
    ),
    pytest.param("june", "dance", {}, 422, "unknown action", id="unknown-action"),
    pytest.param("june", "push", {"twist": 1}, 422, "it takes", id="unknown-parameter"),
    pytest.param("june", "push", {"branch": "a b"}, 422, "not valid", id="space-in-branch"),
    pytest.param("june", "push", {"branch": "x.lock"}, 422, "not valid", id="lock-in-branch"),
    pytest.param("june", "create_tag", {"tag": "v..1"}, 422, "not valid", id="odd-tag"),
    pytest.param(
        "june",
        "edit_pull_request",
        {"number": 1, "body": "x" * 65537},
        422,
        "65536",
        id="long-body",
    ),
    pytest.param(
        "june", "edit_pull_request", {"number": 1, "title": "x" * 257}, 422, "256", id="long-title"
    ),
    pytest.param(
        "grace", "add_label", {"number": 1, "label": "x" * 51}, 422, "50", id="long-label"
    ),
    pytest.param(
        "grace", "approve", {"number": 1, "body": "x" * 65537}, 422, "65536", id="long-review"
    ),
    pytest.param("june", "update_branch", {"number": 1}, 422, "no new commits", id="up-to-date"),
]


@pytest.mark.parametrize(("actor", "action", "parameters", "status", "words"), REFUSED)
def test_refused(
    hub: Sandbox,
    pull: int,
    actor: str,
    action: str,
    parameters: dict[str, Any],
    status: int,
    words: str,
) -> None:
    assert pull == 1
    before = hub.world.version
    with pytest.raises(Refused) as caught:
        hub.act(actor, action, repo=SHOP, **parameters)
    assert caught.value.status == status
    assert words in str(caught.value.body())
    assert hub.world.version == before


def test_a_private_repository_of_the_org_is_read_by_members_only(hub: Sandbox) -> None:
    hub.act("", "create_user", login="mallory")
    world = hub.world
    shop = world.repository(SHOP)
    assert world.permission(world.account("mallory"), shop) == "none"
    hub.act("olga", "add_member", org="acme", login="mallory")
    assert world.permission(world.account("mallory"), shop) == "read"
    hub.act("olga", "create_team", org="acme", slug="crew", members=["mallory"])
    hub.act("olga", "set_team_permission", repo=SHOP, team="crew", permission="push")
    assert world.permission(world.account("mallory"), shop) == "write"
    hub.act("olga", "remove_member", org="acme", login="mallory")
    assert world.permission(world.account("mallory"), shop) == "none"


def test_a_push_moves_the_head_and_nothing_of_the_review(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub)
    old = hub.pull(number)["head_sha"]
    hub.act("grace", "approve", repo=SHOP, number=number)
    hub.act("june", "push", repo=SHOP, branch="fix", commits=[{"message": "more"}])
    found = hub.pull(number)
    assert found["head_sha"] != old
    assert [(r["state"], r["commit"], r["on_head"]) for r in found["reviews"]] == [
        ("APPROVED", old, False)
    ]
    assert hub.drain()
    (synchronized,) = inbox.bodies("pull_request.synchronize")
    assert (synchronized["before"], synchronized["after"]) == (old, found["head_sha"])
    assert synchronized["pull_request"]["head"]["sha"] == found["head_sha"]


def test_a_force_push_is_in_timeline_and_activity(hub: Sandbox) -> None:
    number = open_pull(hub)
    old = hub.pull(number)["head_sha"]
    hub.act("kim", "amend", repo=SHOP, branch="fix", message="Nothing to see")
    found = hub.pull(number)
    (event,) = [e for e in found["timeline"] if e["kind"] == "HeadRefForcePushedEvent"]
    assert (event["actor"], event["before"], event["after"]) == ("kim", old, found["head_sha"])
    activities = hub.world.repository(SHOP).activities[-2:]
    assert [(a.kind, a.actor.login) for a in activities] == [
        ("branch_creation", "june"),
        ("force_push", "kim"),
    ]
    item = snapshot(hub, number)["timelineItems"]["nodes"][0]
    assert item["beforeCommit"] == {"oid": old}
    assert item["ref"] == {"name": "fix"}


def test_body_edits_keep_every_version_newest_first(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub, body="first")
    hub.act("june", "edit_pull_request", repo=SHOP, number=number, body="second")
    hub.act("kim", "edit_pull_request", repo=SHOP, number=number, body="third")
    found = snapshot(hub, number)
    edits = found["userContentEdits"]
    assert [edit["diff"] for edit in edits["nodes"]] == ["third", "second", "first"]
    assert (found["includesCreatedEdit"], found["editor"]["login"]) == (True, "kim")
    hub.act("june", "delete_edit", repo=SHOP, number=number, edit=0)
    oldest = snapshot(hub, number)["userContentEdits"]["nodes"][-1]
    assert (oldest["diff"], oldest["deletedBy"]["login"]) == (None, "june")
    assert hub.drain()
    changes = [body["changes"] for body in inbox.bodies("pull_request.edited")]
    changes.sort(key=str)  # webhooks come in any order
    assert changes == [{"body": {"from": "first"}}, {"body": {"from": "second"}}]


def test_labels_are_found_without_case_and_leave_events(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub)
    hub.act("kim", "add_label", repo=SHOP, number=number, label="AI-assisted")
    hub.act("kim", "add_label", repo=SHOP, number=number, label="ai-assisted")
    hub.act("june", "remove_label", repo=SHOP, number=number, label="ai-ASSISTED")
    found = hub.pull(number)
    assert found["labels"] == []
    assert [(e["kind"], e["actor"]) for e in found["timeline"]] == [
        ("LabeledEvent", "kim"),
        ("UnlabeledEvent", "june"),
    ]
    assert hub.drain()
    assert [b["label"]["name"] for b in inbox.bodies("pull_request.labeled")] == ["AI-assisted"]


def test_deleting_a_label_fires_no_unlabeled(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub, labels=["ai"])
    hub.act("olga", "delete_label", repo=SHOP, label="ai")
    assert hub.pull(number)["labels"] == []
    assert hub.drain()
    assert "pull_request.unlabeled" not in inbox.names()
    assert "label.deleted" in inbox.names()


def test_retargeting_keeps_head_and_tells_the_old_base(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub)
    hub.act("june", "push", repo=SHOP, branch="lax")
    hub.act("june", "edit_pull_request", repo=SHOP, number=number, base="lax")
    found = hub.pull(number)
    assert found["base"] == "lax"
    assert hub.drain()
    (edited,) = inbox.bodies("pull_request.edited")
    assert edited["changes"]["base"]["ref"] == {"from": "main"}
    assert edited["pull_request"]["base"]["sha"] == hub.world.repository(SHOP).branches["lax"]


def test_dismissal_names_what_it_was(hub: Sandbox, inbox: Inbox) -> None:
    number = open_pull(hub)
    hub.act("grace", "approve", repo=SHOP, number=number)
    hub.act("kim", "dismiss_review", repo=SHOP, number=number, author="grace", message="why")
    (event,) = snapshot(hub, number)["timelineItems"]["nodes"]
    assert event["previousReviewState"] == "APPROVED"
    assert event["dismissalMessage"] == "why"
    assert event["review"]["author"]["login"] == "grace"
    assert hub.drain()
    (body,) = inbox.bodies("pull_request_review.dismissed")
    assert body["review"]["state"] == "dismissed"
    with pytest.raises(Refused, match="Can not dismiss"):
        hub.act(
            "kim",
            "dismiss_review",
            repo=SHOP,
            number=number,
            review_id=hub.pull(number)["reviews"][0]["id"],
        )


def test_a_deleted_branch_closes_its_pull_request(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("june", "delete_branch", repo=SHOP, branch="fix")
    found = hub.pull(number)
    assert found["state"] == "closed"
    with pytest.raises(Refused, match="Validation"):
        hub.act("june", "reopen_pull_request", repo=SHOP, number=number)


def test_a_fork_pull_request_and_maintainer_edits(hub: Sandbox) -> None:
    hub.act("", "create_user", login="mallory")
    hub.act("olga", "set_visibility", repo=SHOP, private=False)
    hub.act("mallory", "fork_repository", repo=SHOP)
    hub.act("mallory", "push", repo="mallory/shop", branch="gift")
    number = hub.act("mallory", "open_pull_request", repo=SHOP, head="mallory:gift")["number"]
    found = snapshot(hub, number)
    assert found["isCrossRepository"]
    assert found["headRepository"]["nameWithOwner"] == "mallory/shop"
    with pytest.raises(Refused):
        hub.act("mallory", "push", repo=SHOP, branch="gift")
    hub.act("kim", "push", repo="mallory/shop", branch="gift")  # "allow edits by maintainers"
    assert hub.pull(number)["head_sha"] != found["headRefOid"]
    with pytest.raises(Refused):
        hub.act("kim", "push", repo="mallory/shop", branch="other")
    hub.act("mallory", "delete_repository", repo="mallory/shop")
    found = hub.pull(number)
    assert (found["state"], found["head_repository"]) == ("closed", None)


def test_update_branch_makes_the_web_merge_commit(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("olga", "put_file", repo=SHOP, path="new.md", content="x")
    hub.act("grace", "update_branch", repo=SHOP, number=number)
    commit = snapshot(hub, number)["commits"]["nodes"][-1]["commit"]
    assert commit["parents"]["totalCount"] == 2
    assert commit["committedViaWeb"]
    assert commit["author"]["user"]["login"] == "grace"
    assert commit["signature"]["wasSignedByGitHub"]


def test_a_suggestion_makes_its_author_a_co_author(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act(
        "june", "suggest", repo=SHOP, number=number, suggester="grace", path="a.md", content="x"
    )
    authors = snapshot(hub, number)["commits"]["nodes"][-1]["commit"]["authors"]["nodes"]
    assert [author["user"]["login"] for author in authors] == ["june", "grace"]


def test_renames_leave_a_redirect_only_for_who_follows(hub: Sandbox) -> None:
    hub.act("olga", "rename_repository", repo=SHOP, name="store")
    with pytest.raises(Refused):
        hub.world.repository(SHOP)
    assert hub.world.repository(SHOP, follow=True).name == "store"


def test_a_renamed_login_is_free_for_anyone(hub: Sandbox) -> None:
    hub.act("grace", "rename_user", login="gracie")
    stranger = hub.act("", "create_user", login="grace")
    assert stranger["id"] != 1906
    assert hub.world.account("gracie").id == 1906


def test_a_deleted_account_leaves_no_author(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("kim", "approve", repo=SHOP, number=number)
    hub.act("kim", "delete_user")
    hub.act("june", "delete_user")
    found = snapshot(hub, number)
    assert found["author"] is None
    (review,) = found["reviews"]["nodes"]
    assert (review["author"], review["authorCanPushToRepository"]) == (None, False)


def test_nothing_is_sent_while_building_quietly(hub: Sandbox, inbox: Inbox) -> None:
    with hub.world.quiet():
        open_pull(hub)
    open_pull(hub, "loud")
    assert hub.drain()
    assert [b["number"] for b in inbox.bodies("pull_request.opened")] == [2]


@pytest.mark.parametrize(
    ("state", "by"),
    [
        pytest.param("success", "grace", id="a-writer"),
        pytest.param("failure", "github-actions[bot]", id="a-bot"),
    ],
)
def test_statuses(hub: Sandbox, state: str, by: str) -> None:
    number = open_pull(hub)
    sha = hub.pull(number)["head_sha"]
    hub.act(by, "set_status", repo=SHOP, sha=sha, context="ci", state=state)
    assert hub.pull(number)["statuses"] == [{"context": "ci", "state": state, "by": by}]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("feature/$(rm -rf ~)".replace(" ", "").replace("~", ""), id="shell"),
        pytest.param("<script>alert(1)</script>", id="html"),
        pytest.param("日本語", id="unicode"),
        pytest.param("pr-1-abc", id="like-a-queue"),
    ],
)
def test_hostile_branch_names_that_git_allows(hub: Sandbox, name: str) -> None:
    number = open_pull(hub, name)
    assert snapshot(hub, number)["headRefName"] == name


@pytest.mark.parametrize(
    "login",
    [pytest.param("a b", id="space"), pytest.param("<b>", id="html"), pytest.param("", id="empty")],
)
def test_logins_that_github_refuses(hub: Sandbox, login: str) -> None:
    with pytest.raises(Refused):
        hub.act("", "create_user", login=login)
