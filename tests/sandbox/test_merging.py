"""What the rules let through at merge, what the merge makes, and the merge queue."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import Refused
from sandbox.rules import matches
from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Inbox, open_pull, report, sign, snapshot


def ruleset(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "more",
        "enforcement": "active",
        "target": "branch",
        "rules": list(rules),
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
    } | more


REVIEWED = {
    "type": "pull_request",
    "parameters": {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_last_push_approval": True,
        "require_code_owner_review": False,
        "required_review_thread_resolution": False,
        "allowed_merge_methods": ["squash", "merge"],
    },
}


def merge(hub: Sandbox, number: int, actor: str = "grace", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = hub.act(actor, "merge", repo=SHOP, number=number, **more)
    return found


def refusal(hub: Sandbox, number: int, actor: str = "grace", **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        merge(hub, number, actor, **more)
    assert hub.pull(number)["state"] == "open"
    return f"{caught.value.status} {caught.value}"


@pytest.mark.parametrize(
    "conclusion",
    [pytest.param(word, id=word) for word in ("success", "neutral", "skipped")],
)
def test_a_passing_check_lets_the_merge_through(hub: Sandbox, conclusion: str) -> None:
    number = open_pull(hub)
    sign(hub, number, conclusion)
    assert merge(hub, number)["state"] == "merged"


@pytest.mark.parametrize(
    "conclusion",
    [
        pytest.param(word, id=word)
        for word in ("failure", "action_required", "cancelled", "timed_out")
    ],
)
def test_a_check_that_is_not_green_blocks(hub: Sandbox, conclusion: str) -> None:
    number = open_pull(hub)
    sign(hub, number, conclusion)
    assert "405" in refusal(hub, number)
    assert "is failing" in refusal(hub, number)


def test_no_report_blocks_everyone_even_the_admin(hub: Sandbox) -> None:
    number = open_pull(hub)
    assert '"senior-signoff" is expected' in refusal(hub, number, "olga")


def test_an_unfinished_run_blocks(hub: Sandbox) -> None:
    number = open_pull(hub)
    sha = hub.pull(number)["head_sha"]
    hub.act(
        "olga",
        "report_check",
        repo=SHOP,
        name="senior-signoff",
        sha=sha,
        status="in_progress",
        app="countersign",
    )
    assert "is pending" in refusal(hub, number)


def test_the_same_name_from_another_app_does_not_satisfy_a_pinned_check(hub: Sandbox) -> None:
    number = open_pull(hub)
    report(hub, hub.pull(number)["head_sha"], app="github-actions")
    assert "is expected" in refusal(hub, number)


def test_a_status_of_that_name_does_not_satisfy_it_but_can_block_it(hub: Sandbox) -> None:
    number = open_pull(hub)
    sha = hub.pull(number)["head_sha"]
    hub.act("kim", "set_status", repo=SHOP, sha=sha, context="senior-signoff")
    assert "is expected" in refusal(hub, number)
    sign(hub, number)
    hub.act("kim", "set_status", repo=SHOP, sha=sha, context="senior-signoff", state="failure")
    assert "is failing" in refusal(hub, number)
    hub.act("kim", "set_status", repo=SHOP, sha=sha, context="senior-signoff")
    assert merge(hub, number)["state"] == "merged"


def test_an_unpinned_check_takes_any_source(hub: Sandbox) -> None:
    hub.act("olga", "push", repo=SHOP, branch="lax")
    hub.act("olga", "require_check", repo=SHOP, context="ci", branches=["lax"], name="lax")
    number = open_pull(hub, base="lax")
    assert '"ci" is expected' in refusal(hub, number)
    hub.act("kim", "set_status", repo=SHOP, sha="refs/heads/fix", context="ci")
    assert merge(hub, number)["state"] == "merged"


def test_a_push_after_green_blocks_again(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    hub.act("june", "push", repo=SHOP, branch="fix")
    assert "is expected" in refusal(hub, number)


def test_the_newest_run_of_the_name_decides(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    sign(hub, number, "failure")
    assert "is failing" in refusal(hub, number)
    sign(hub, number)
    assert merge(hub, number)["state"] == "merged"


def test_drafts_and_conflicts_do_not_merge(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    hub.act("june", "mark_draft", repo=SHOP, number=number)
    assert "draft" in refusal(hub, number)
    hub.act("june", "mark_ready", repo=SHOP, number=number)
    spec = {"message": "x", "files": {"README.md": "ours"}}
    hub.act("june", "push", repo=SHOP, branch="fix", commits=[spec])
    sign(hub, number)
    hub.act("olga", "put_file", repo=SHOP, path="README.md", content="theirs")
    assert "not mergeable" in refusal(hub, number)
    assert snapshot(hub, number)["mergeStateStatus"] == "DIRTY"


def test_merging_another_head_than_the_one_seen_is_refused(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    assert "409" in refusal(hub, number, sha="0" * 40)


def test_the_strict_policy_wants_the_base_merged_in(hub: Sandbox) -> None:
    hub.act("olga", "require_check", repo=SHOP, context="ci", strict=True, name="strict")
    number = open_pull(hub)
    sign(hub, number)
    hub.act("kim", "set_status", repo=SHOP, sha="refs/heads/fix", context="ci")
    hub.act("olga", "put_file", repo=SHOP, path="new.md", content="x")
    assert "out of date" in refusal(hub, number)
    hub.act("june", "update_branch", repo=SHOP, number=number)
    sign(hub, number)
    hub.act("kim", "set_status", repo=SHOP, sha="refs/heads/fix", context="ci")
    assert merge(hub, number)["state"] == "merged"


def test_required_reviews_count_writers_only_and_the_last_pusher_does_not(hub: Sandbox) -> None:
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=ruleset(REVIEWED))
    hub.act("olga", "add_collaborator", repo=SHOP, login="kim", permission="read")
    number = open_pull(hub)
    sign(hub, number)
    assert "approving review" in refusal(hub, number)
    hub.act("kim", "approve", repo=SHOP, number=number)
    assert "approving review" in refusal(hub, number)
    hub.act("ada", "push", repo=SHOP, branch="fix")
    sign(hub, number)
    hub.act("ada", "approve", repo=SHOP, number=number)
    assert "last pusher" in refusal(hub, number)
    hub.act("grace", "request_changes", repo=SHOP, number=number)
    assert "Changes have been requested" in refusal(hub, number)
    hub.act("grace", "approve", repo=SHOP, number=number)
    assert "not allowed" in refusal(hub, number, method="rebase")
    assert merge(hub, number, method="squash")["state"] == "merged"


def test_stale_approvals_are_dismissed_when_the_diff_changes_only(
    hub: Sandbox, inbox: Inbox
) -> None:
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=ruleset(REVIEWED))
    number = open_pull(hub)
    hub.act("grace", "approve", repo=SHOP, number=number)
    hub.act("june", "amend", repo=SHOP, branch="fix", message="another message, same diff")
    assert [r["state"] for r in hub.pull(number)["reviews"]] == ["APPROVED"]
    hub.act("june", "push", repo=SHOP, branch="fix")
    assert [r["state"] for r in hub.pull(number)["reviews"]] == ["DISMISSED"]
    assert hub.drain()
    assert len(inbox.bodies("pull_request_review.dismissed")) == 1


@pytest.mark.parametrize(
    ("bypass", "actor", "allowed"),
    [
        pytest.param({"actor_type": "OrganizationAdmin"}, "olga", True, id="org-admin"),
        pytest.param({"actor_type": "OrganizationAdmin"}, "grace", False, id="not-the-admin"),
        pytest.param(
            {"actor_type": "RepositoryRole", "actor_id": 4}, "grace", True, id="role-write"
        ),
        pytest.param(
            {"actor_type": "RepositoryRole", "actor_id": 5}, "grace", False, id="role-admin"
        ),
        pytest.param({"actor_type": "Team", "actor_id": 0}, "ada", True, id="team"),
        pytest.param({"actor_type": "Team", "actor_id": 0}, "kim", False, id="outside-the-team"),
        pytest.param({"actor_type": "User", "actor_id": 2001}, "kim", True, id="one-person"),
    ],
)
def test_bypass_actors(hub: Sandbox, bypass: dict[str, Any], actor: str, *, allowed: bool) -> None:
    team = hub.world.organization("acme").teams["staff-engineers"]
    if bypass["actor_type"] == "Team":
        bypass = bypass | {"actor_id": team.id}
    shop = hub.world.repository(SHOP)
    (number,) = shop.rulesets
    body = {"bypass_actors": [bypass | {"bypass_mode": "pull_request"}]}
    hub.act("olga", "set_ruleset", repo=SHOP, id=number, ruleset=body)
    pull = open_pull(hub)
    if allowed:
        assert merge(hub, pull, actor)["state"] == "merged"
        assert [row["result"] for row in shop.rule_suites] == ["bypass"]
    else:
        assert "is expected" in refusal(hub, pull, actor)
    with pytest.raises(Refused, match="declined"):  # pull_request mode: no direct pushes
        hub.act(actor, "push", repo=SHOP, branch="main")


@pytest.mark.parametrize(
    ("change", "blocked"),
    [
        pytest.param({"enforcement": "evaluate"}, False, id="evaluate-does-not-block"),
        pytest.param({"enforcement": "disabled"}, False, id="disabled"),
        pytest.param(
            {"conditions": {"ref_name": {"include": ["release/*"], "exclude": []}}},
            False,
            id="other-branch",
        ),
        pytest.param(
            {"conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["main"]}}},
            False,
            id="excluded",
        ),
        pytest.param(
            {"conditions": {"ref_name": {"include": ["refs/heads/m*"], "exclude": []}}},
            True,
            id="pattern",
        ),
    ],
)
def test_which_rulesets_apply(hub: Sandbox, change: dict[str, Any], *, blocked: bool) -> None:
    (number,) = hub.world.repository(SHOP).rulesets
    pull = open_pull(hub)
    hub.act("olga", "set_ruleset", repo=SHOP, id=number, ruleset=change)
    if blocked:
        assert "is expected" in refusal(hub, pull)
    else:
        assert merge(hub, pull)["state"] == "merged"


def test_an_organisation_ruleset_adds_up_with_the_repository(hub: Sandbox) -> None:
    check = {
        "type": "required_status_checks",
        "parameters": {
            "strict_required_status_checks_policy": False,
            "required_status_checks": [{"context": "org"}],
        },
    }
    conditions = {
        "ref_name": {"include": ["~ALL"], "exclude": []},
        "repository_name": {"include": ["sh*"], "exclude": []},
    }
    pull = open_pull(hub)
    hub.act("olga", "set_ruleset", org="acme", ruleset=ruleset(check, conditions=conditions))
    problems = hub.pull(pull)["merge_problems"]
    assert [p for p in problems if '"org"' in p]
    assert [p for p in problems if '"senior-signoff"' in p]
    with pytest.raises(Refused):
        hub.act("olga", "set_ruleset", org="acme", ruleset=ruleset({"type": "deletion"}))


def test_classic_protection_exempts_admins_unless_told_not_to(hub: Sandbox) -> None:
    (number,) = hub.world.repository(SHOP).rulesets
    hub.act("olga", "delete_ruleset", repo=SHOP, id=number)
    settings = {
        "required_status_checks": {"strict": False, "checks": [{"context": "ci", "app_id": -1}]}
    }
    hub.act("olga", "protect_branch", repo=SHOP, branch="ma*", settings=settings)
    pull = open_pull(hub)
    assert '"ci" is expected' in refusal(hub, pull)
    hub.act(
        "olga",
        "protect_branch",
        repo=SHOP,
        branch="ma*",
        settings=settings | {"enforce_admins": True},
    )
    assert '"ci" is expected' in refusal(hub, pull, "olga")
    hub.act("olga", "protect_branch", repo=SHOP, branch="ma*", settings=settings)
    assert merge(hub, pull, "olga")["state"] == "merged"


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param("release/*", "release/1", True, id="star"),
        pytest.param("release/*", "release/1/2", False, id="star-stops-at-slash"),
        pytest.param("**/x", "a/b/x", True, id="double-star"),
        pytest.param("main", "main2", False, id="whole-name"),
        pytest.param("v[0-9]", "v1", True, id="set"),
        pytest.param("a|b", "a", False, id="no-regular-expression"),
    ],
)
def test_branch_patterns(pattern: str, name: str, *, expected: bool) -> None:
    assert matches(pattern, name) is expected


# --- What a merge makes ---


def two_commits(hub: Sandbox) -> int:
    specs = [
        {"message": "One\n\nCo-authored-by: Claude <noreply@anthropic.com>"},
        {"message": "Two", "author": "kim"},
    ]
    hub.act("june", "push", repo=SHOP, branch="fix", commits=specs)
    number = hub.act("june", "open_pull_request", repo=SHOP, head="fix", title="Both")["number"]
    sign(hub, number)
    return int(number)


def test_a_merge_commit_keeps_the_commits(hub: Sandbox, inbox: Inbox) -> None:
    number = two_commits(hub)
    shop = hub.world.repository(SHOP)
    before, head = shop.branches["main"], hub.pull(number)["head_sha"]
    found = merge(hub, number)
    commit = shop.store.commits[found["merge_sha"]]
    assert commit.parents == (before, head)
    assert commit.message.startswith(f"Merge pull request #{number} from acme/fix")
    assert (commit.committer.email, commit.signed_by) == ("noreply@github.com", "web-flow")
    assert shop.branches["main"] == commit.sha
    assert hub.drain()
    (closed,) = inbox.bodies("pull_request.closed")
    assert (closed["pull_request"]["merged"], closed["pull_request"]["merged_by"]["login"]) == (
        True,
        "grace",
    )
    assert closed["pull_request"]["head"]["sha"] == head
    assert [p["ref"] for p in inbox.bodies("push") if p["after"] == commit.sha] == [
        "refs/heads/main"
    ]


def test_a_squash_makes_one_commit_with_every_co_author(hub: Sandbox) -> None:
    number = two_commits(hub)
    shop = hub.world.repository(SHOP)
    before = shop.branches["main"]
    commit = shop.store.commits[merge(hub, number, method="squash")["merge_sha"]]
    assert commit.parents == (before,)
    assert commit.message.startswith(f"Both (#{number})\n\n* One")
    assert "Co-authored-by: Claude <noreply@anthropic.com>" in commit.message
    assert commit.message.endswith("Co-authored-by: Kim Mid <kim@acme.example>")
    assert commit.author.email == "june@acme.example"


def test_a_squash_message_can_be_blanked(hub: Sandbox) -> None:
    number = two_commits(hub)
    sha = merge(hub, number, method="squash", title="Nothing", message="here")["merge_sha"]
    text = hub.world.repository(SHOP).store.commits[sha].message
    assert text.startswith("Nothing\n\nhere")


def test_a_rebase_rewrites_every_commit(hub: Sandbox) -> None:
    number = two_commits(hub)
    shop = hub.world.repository(SHOP)
    old = [commit["sha"] for commit in hub.pull(number)["commits"]]
    before = shop.branches["main"]
    sha = merge(hub, number, method="rebase")["merge_sha"]
    found = shop.store.between(before, sha)
    assert [commit.headline for commit in found] == ["One", "Two"]
    assert not {commit.sha for commit in found} & set(old)
    assert {commit.committer.email for commit in found} == {"grace@acme.example"}
    assert hub.pull(number)["state"] == "merged"


def test_pushing_the_commits_by_hand_closes_as_merged(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    head = hub.pull(number)["head_sha"]
    hub.act("kim", "set_branch", repo=SHOP, branch="main", sha=head)  # green, so let through
    found = snapshot(hub, number)
    assert (found["state"], found["mergedBy"]["login"]) == ("MERGED", "kim")


def test_auto_merge_waits_for_the_check(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("grace", "enable_auto_merge", repo=SHOP, number=number, method="squash")
    assert hub.pull(number)["state"] == "open"
    sign(hub, number, "failure")
    assert hub.pull(number)["state"] == "open"
    sign(hub, number)
    assert hub.pull(number)["state"] == "merged"


# --- The merge queue ---


@pytest.fixture
def queued(hub: Sandbox) -> Sandbox:
    parameters = {
        "merge_method": "SQUASH",
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_merge": 5,
        "max_entries_to_build": 5,
        "min_entries_to_merge": 1,
        "check_response_timeout_minutes": 5,
        "min_entries_to_merge_wait_minutes": 0,
    }
    rule = {"type": "merge_queue", "parameters": parameters}
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=ruleset(rule))
    return hub


def enqueue(hub: Sandbox, branch: str) -> tuple[int, dict[str, Any]]:
    number = open_pull(hub, branch)
    sign(hub, number)
    return number, hub.act("grace", "enqueue", repo=SHOP, number=number)


def test_with_a_queue_nobody_merges_directly(queued: Sandbox) -> None:
    number = open_pull(queued)
    assert "merge queue" in refusal(queued, number)
    with pytest.raises(Refused, match="is expected"):
        queued.act("grace", "enqueue", repo=SHOP, number=number)
    sign(queued, number)
    assert "merge queue" in refusal(queued, number)


def test_a_group_merges_when_its_own_sha_is_green(queued: Sandbox, inbox: Inbox) -> None:
    number, entry = enqueue(queued, "fix")
    base = queued.world.repository(SHOP).branches["main"]
    assert entry["ref"] == f"gh-readonly-queue/main/pr-{number}-{base}"
    assert queued.pull(number)["state"] == "open"  # green on its head is not green on the group
    report(queued, entry["head_sha"], app="github-actions")
    assert queued.pull(number)["state"] == "open"
    report(queued, entry["head_sha"])
    assert queued.pull(number)["state"] == "merged"
    assert queued.world.repository(SHOP).branches["main"] == entry["head_sha"]
    assert snapshot(queued, number)["mergedBy"]["login"] == "github-merge-queue"
    assert queued.drain()
    (asked,) = inbox.bodies("merge_group.checks_requested")
    assert asked["merge_group"]["head_sha"] == entry["head_sha"]
    assert asked["merge_group"]["head_ref"] == f"refs/heads/{entry['ref']}"
    assert [b["reason"] for b in inbox.bodies("merge_group.destroyed")] == ["merged"]
    assert "pull_request.enqueued" in inbox.names()


def test_groups_are_chained_and_rebuilt_when_one_fails(queued: Sandbox, inbox: Inbox) -> None:
    first, one = enqueue(queued, "one")
    second, two = enqueue(queued, "two")
    assert two["base_sha"] == one["head_sha"]
    report(queued, two["head_sha"])
    assert queued.pull(second)["state"] == "open"  # it waits for the one before
    report(queued, one["head_sha"], "failure")
    assert queued.pull(first)["queue"] is None
    rebuilt = queued.pull(second)["queue"]
    assert rebuilt["head_sha"] != two["head_sha"]
    assert queued.pull(second)["state"] == "open"
    report(queued, rebuilt["head_sha"])
    assert queued.pull(second)["state"] == "merged"
    assert queued.drain()
    assert "pull_request.dequeued" in inbox.names()


def test_groups_are_rebuilt_when_the_branch_moves(queued: Sandbox, inbox: Inbox) -> None:
    number, entry = enqueue(queued, "fix")
    queued.act("olga", "put_file", repo=SHOP, path="other.md", content="x\n")
    rebuilt = queued.pull(number)["queue"]
    assert rebuilt["base_sha"] == queued.world.repository(SHOP).branches["main"]
    report(queued, entry["head_sha"])
    assert queued.pull(number)["state"] == "open"  # that group is gone
    report(queued, rebuilt["head_sha"])
    assert queued.pull(number)["state"] == "merged"
    assert queued.drain()
    reasons = [body["reason"] for body in inbox.bodies("merge_group.destroyed")]
    assert sorted(reasons) == ["invalidated", "merged"]  # webhooks come in any order


def test_one_may_jump_the_queue(queued: Sandbox) -> None:
    first, _ = enqueue(queued, "one")
    second = open_pull(queued, "two")
    sign(queued, second)
    front = queued.act("grace", "enqueue", repo=SHOP, number=second, jump=True)
    assert front["base_sha"] == queued.world.repository(SHOP).branches["main"]
    assert queued.pull(first)["queue"]["base_sha"] == front["head_sha"]


def test_a_push_throws_a_pull_request_out_of_the_queue(queued: Sandbox) -> None:
    number, entry = enqueue(queued, "fix")
    queued.act("june", "push", repo=SHOP, branch="fix")
    assert queued.pull(number)["queue"] is None
    report(queued, entry["head_sha"])
    assert queued.pull(number)["state"] == "open"


def test_no_report_in_time_counts_as_failure(queued: Sandbox) -> None:
    number, _ = enqueue(queued, "fix")
    queued.act("olga", "queue_timeout", repo=SHOP, number=number)
    assert queued.pull(number)["queue"] is None
    assert queued.pull(number)["state"] == "open"


def test_nobody_pushes_to_the_queue_s_branches(queued: Sandbox) -> None:
    _, entry = enqueue(queued, "fix")
    with pytest.raises(Refused, match="read-only"):
        queued.act("olga", "push", repo=SHOP, branch=entry["ref"])


# --- After a merge ---


@pytest.mark.parametrize(
    "method", [pytest.param(word, id=word) for word in ("merge", "squash", "rebase")]
)
def test_the_closed_event_names_the_commit_that_was_made(
    hub: Sandbox, inbox: Inbox, method: str
) -> None:
    number = two_commits(hub)
    old = hub.world.repository(SHOP).branches["main"]
    new = merge(hub, number, method=method)["merge_sha"]
    shop = hub.world.repository(SHOP)
    assert shop.branches["main"] == new != old
    assert hub.drain()
    (closed,) = inbox.bodies("pull_request.closed")
    assert closed["pull_request"]["merge_commit_sha"] == new
    (event,) = [e for e in snapshot(hub, number)["timelineItems"]["nodes"] if "mergeRefName" in e]
    assert (event["commit"]["oid"], event["mergeRefName"]) == (new, "main")
    for commit in shop.store.between(old, new):  # every commit that arrived knows where from
        assert shop.merged_by_sha[commit.sha] == {number}


def test_the_rule_suite_of_a_merge_names_the_new_tip(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    sha = merge(hub, number)["merge_sha"]
    (row,) = hub.world.repository(SHOP).rule_suites
    assert (row["result"], row["after"]) == ("pass", sha)


def test_auto_merge_waits_for_the_review_too(hub: Sandbox) -> None:
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=ruleset(REVIEWED))
    number = open_pull(hub)
    hub.act("june", "enable_auto_merge", repo=SHOP, number=number)
    sign(hub, number)
    assert hub.pull(number)["state"] == "open"
    hub.act("grace", "approve", repo=SHOP, number=number)
    assert hub.pull(number)["state"] == "merged"


def test_a_deleted_base_retargets_if_it_was_merged_and_closes_if_not(
    hub: Sandbox, inbox: Inbox
) -> None:
    lower = open_pull(hub, "lower")
    upper = open_pull(hub, "upper", base="lower")
    sign(hub, lower)
    merge(hub, lower)
    hub.act("june", "delete_branch", repo=SHOP, branch="lower")
    found = hub.pull(upper)
    assert (found["state"], found["base"]) == ("open", "main")
    kinds = [event["kind"] for event in found["timeline"]]
    assert kinds == ["AutomaticBaseChangeSucceededEvent"]
    assert hub.drain()
    assert inbox.bodies("pull_request.edited")[0]["changes"]["base"]["ref"] == {"from": "lower"}

    hub.act("june", "push", repo=SHOP, branch="lost")
    orphan = open_pull(hub, "orphan", base="lost")
    hub.act("june", "delete_branch", repo=SHOP, branch="lost")
    assert hub.pull(orphan)["state"] == "closed"


def test_a_deleted_head_can_be_restored_and_reopened(hub: Sandbox) -> None:
    number = open_pull(hub)
    head = hub.pull(number)["head_sha"]
    with pytest.raises(Refused, match="no branch to restore"):
        hub.act("june", "restore_branch", repo=SHOP, number=number)
    hub.act("june", "delete_branch", repo=SHOP, branch="fix")
    hub.act("kim", "restore_branch", repo=SHOP, number=number)
    hub.act("june", "reopen_pull_request", repo=SHOP, number=number)
    found = hub.pull(number)
    assert (found["state"], found["head_sha"]) == ("open", head)
    assert [event["kind"] for event in found["timeline"]] == [
        "HeadRefDeletedEvent",
        "ClosedEvent",
        "HeadRefRestoredEvent",
        "ReopenedEvent",
    ]


def test_a_workflow_s_bot_may_approve_as_github_lets_it(hub: Sandbox) -> None:
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=ruleset(REVIEWED))
    number = open_pull(hub)
    sign(hub, number)
    hub.act("github-actions[bot]", "approve", repo=SHOP, number=number)
    assert snapshot(hub, number)["reviews"]["nodes"][0]["author"]["__typename"] == "Bot"
    assert merge(hub, number)["state"] == "merged"


def test_with_headgreen_the_last_group_speaks_for_all(hub: Sandbox) -> None:
    parameters = {"merge_method": "MERGE", "grouping_strategy": "HEADGREEN"}
    hub.act(
        "olga",
        "set_ruleset",
        repo=SHOP,
        ruleset=ruleset({"type": "merge_queue", "parameters": parameters}),
    )
    first, _ = enqueue(hub, "one")
    second, two = enqueue(hub, "two")
    report(hub, two["head_sha"])
    assert [hub.pull(number)["state"] for number in (first, second)] == ["merged", "merged"]
    assert hub.world.repository(SHOP).branches["main"] == two["head_sha"]
