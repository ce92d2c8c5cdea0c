"""What reaches a branch past the check is noticed: written down, and told once."""

import re
from typing import Any

import pytest

from github_app.store.audit import Entry, Filter, RecordKind
from sandbox.actions import merge_commits, merges
from sandbox.objects import Issue, PullRequest
from tests.e2e.inline import AI, CHECK, SHOP, Inline

HUMAN = "Fix the total"
BYPASS = {"bypass_actors": [{"actor_type": "OrganizationAdmin", "bypass_mode": "always"}]}


@pytest.fixture
def open_door(case: Inline) -> Inline:
    """olga may pass by every rule, and the app may write issues."""
    allow_issues(case)
    (number,) = case.hub.world.repository(SHOP).rulesets
    case.act("olga", "set_ruleset", id=number, ruleset=BYPASS)
    case.settle()
    return case


def allow_issues(case: Inline, level: str = "write") -> None:
    granted = dict(next(iter(case.hub.world.installations.values())).permissions)
    granted["issues"] = level
    if level == "none":
        del granted["issues"]
    case.people("narrow_installation", app="countersign", account="acme", permissions=granted)


def records(case: Inline, kind: RecordKind = RecordKind.BYPASSED) -> list[Entry]:
    found = case.parts.store.audit.records(Filter(kind=kind))
    return [record.entry for record in found]


def issues(case: Inline) -> list[Issue]:
    found = case.hub.world.repository(SHOP).issues.values()
    return [one for one in found if not isinstance(one, PullRequest)]


def codes(case: Inline) -> list[list[str]]:
    return [list(entry.fields["reasons"]) for entry in records(case)]  # type: ignore[arg-type]  # a field is any JSON; reasons are a list


def merge(case: Inline, number: int, by: str = "olga", **how: Any) -> str:
    case.act(by, "merge", number=number, **how)
    return str(case.hub.world.pull(SHOP, number).merge_sha)


def signed_off(case: Inline, branch: str = "fix", **how: Any) -> int:
    number = case.open(branch, **how)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    return number


# --- a merge without a green ---------------------------------------------------------------------


def test_merged_by_an_administrator_without_a_sign_off(open_door: Inline) -> None:
    case = open_door
    number = case.open()
    case.waiting(number)
    oid = merge(case, number)
    case.settle()
    (entry,) = records(case)
    assert (entry.number, entry.head_sha, entry.outcome) == (number, case.head(number), "WAITING")
    assert entry.fields["reasons"] == ["CS090"]
    assert (entry.fields["commit"], entry.fields["by"]) == (oid, "olga")
    (issue,) = issues(case)
    assert f"#{number} into main ({oid[:7]})" in issue.title
    assert "`@olga` merged" in issue.body
    assert "Waiting for a senior" in issue.body
    assert issue.via_app is case.hub.app
    (told,) = records(case, RecordKind.REPORTED)
    assert told.fields["issue"] == issue.number


def test_merged_with_a_sign_off_is_no_incident(open_door: Inline) -> None:
    case = open_door
    merge(case, signed_off(case), by="june")
    case.settle()
    assert records(case) == []
    assert issues(case) == []


def test_merged_human_work_is_no_incident(open_door: Inline) -> None:
    case = open_door
    number = case.open(message=HUMAN)
    case.expect(number, "success", "CS001")
    merge(case, number, by="june")
    case.settle()
    assert records(case) == []


def test_merged_before_it_was_judged_but_human(open_door: Inline) -> None:
    case = open_door
    number = case.open(message=HUMAN)
    merge(case, number)
    case.settle()
    assert records(case) == []


def test_merged_before_it_was_judged(open_door: Inline) -> None:
    case = open_door
    number = case.open()
    merge(case, number)
    case.settle()
    assert codes(case) == [["CS090"]]


def test_signed_off_after_the_merge(open_door: Inline) -> None:
    """An approval that comes later does not make good what was merged without it."""
    case = open_door
    number = case.open()
    merge(case, number)
    case.clock.skip(60)
    case.act("grace", "approve", number=number)
    case.settle()
    assert codes(case) == [["CS090"]]


def test_dismissed_after_the_merge(open_door: Inline) -> None:
    case = open_door
    number = signed_off(case)
    case.clock.skip(60)
    merge(case, number, by="june")
    case.clock.skip(60)
    case.act("kim", "dismiss_review", number=number, author="grace")
    case.settle()
    assert records(case) == []


def test_dismissed_before_the_merge(open_door: Inline) -> None:
    case = open_door
    number = signed_off(case)
    case.clock.skip(60)
    case.act("kim", "dismiss_review", number=number, author="grace")
    case.settle()
    case.clock.skip(60)
    merge(case, number)
    case.settle()
    assert codes(case) == [["CS090"]]


def test_observing_is_no_incident(open_door: Inline) -> None:
    case = open_door
    case.roster(case_roster("rollout: {mode: observe}\n"))
    number = case.open()
    case.settle()
    merge(case, number, by="june")
    case.settle()
    assert records(case) == []


def case_roster(more: str) -> str:
    from sandbox.seed import ROSTER

    return ROSTER + more


def test_merged_into_a_branch_without_rules_is_written_down_and_not_told(
    open_door: Inline,
) -> None:
    case = open_door
    case.act("olga", "push", branch="feature", commits=[])
    number = case.open(base="feature")
    case.waiting(number)
    merge(case, number, by="june")
    case.settle()
    (entry,) = records(case)
    assert entry.fields["protected"] is False
    assert issues(case) == []


def test_merged_where_the_check_is_not_required_is_written_down_and_not_told(
    open_door: Inline,
) -> None:
    case = open_door
    (number,) = case.hub.world.repository(SHOP).rulesets
    only_a_pull_request = {"rules": [{"type": "non_fast_forward"}]}
    case.act("olga", "set_ruleset", id=number, ruleset=only_a_pull_request)
    merged = case.open()
    case.waiting(merged)
    merge(case, merged, by="june")
    case.settle()
    assert [entry.fields["protected"] for entry in records(case)] == [False]
    assert issues(case) == []
    assert bypass_runs(case) == []


def test_the_rule_is_lifted_for_a_merge(open_door: Inline) -> None:
    """Whoever takes the lock off gets past it, too."""
    case = open_door
    case.sweep()
    (number,) = case.hub.world.repository(SHOP).rulesets
    merged = case.open()
    case.waiting(merged)
    case.act("olga", "set_ruleset", id=number, ruleset={"enforcement": "disabled"})
    merge(case, merged, by="june")
    case.settle()
    assert [entry.fields["protected"] for entry in records(case)] == [True]
    assert len(issues(case)) == 1


def test_merged_where_classic_protection_demands_the_check(open_door: Inline) -> None:
    case = open_door
    (number,) = case.hub.world.repository(SHOP).rulesets
    case.act("olga", "delete_ruleset", id=number)
    checks = {"strict": False, "checks": [{"context": CHECK, "app_id": case.hub.app.id}]}
    settings = {"required_status_checks": checks, "enforce_admins": False}
    case.act("olga", "protect_branch", branch="main", settings=settings)
    merged = case.open()
    case.waiting(merged)
    merge(case, merged)
    case.settle()
    assert len(issues(case)) == 1


def test_a_direct_push_where_nothing_is_protected_is_written_down_and_not_told(
    open_door: Inline,
) -> None:
    case = open_door
    (number,) = case.hub.world.repository(SHOP).rulesets
    case.act("olga", "delete_ruleset", id=number)
    case.settle()
    case.act("june", "push", branch="main", commits=[{"message": AI}])
    case.settle()
    assert [entry.fields["protected"] for entry in records(case)] == [False]
    assert issues(case) == []


# --- where it is told ----------------------------------------------------------------------------


def bypass_runs(case: Inline) -> list[Any]:
    return [run for run in case.runs() if run.name == f"{CHECK}-bypass"]


def test_without_the_permission_a_failed_check_run_tells(open_door: Inline) -> None:
    case = open_door
    allow_issues(case, "none")
    number = case.open()
    case.waiting(number)
    oid = merge(case, number)
    case.settle()
    assert issues(case) == []
    (run,) = bypass_runs(case)
    assert (run.suite.sha, run.conclusion) == (oid, "failure")
    (told,) = records(case, RecordKind.REPORTED)
    assert told.check_run_id == run.id


def test_where_issues_are_turned_off_a_failed_check_run_tells(open_door: Inline) -> None:
    case = open_door
    number = case.open()
    case.waiting(number)
    merge(case, number)
    case.hub.faults.add("error", "POST /repos/*/issues", status=410)
    case.settle()
    assert len(bypass_runs(case)) == 1


def test_redelivery_tells_nothing_twice(open_door: Inline) -> None:
    case = open_door
    number = case.open()
    merge(case, number)
    case.settle()
    for event in ("pull_request", "push"):
        for sent in [one for one in case.hub.courier.log.values() if one.event == event]:
            case.hub.courier.redeliver(sent.id)
    case.settle()
    case.act("june", "add_label", number=number, label="ai-assisted")
    case.settle()
    assert len(records(case)) == len(issues(case)) == 1


def test_an_issue_whose_answer_was_lost_is_found_again(open_door: Inline) -> None:
    case = open_door
    number = case.open()
    case.waiting(number)
    merge(case, number)
    case.hub.faults.add("after", "POST /repos/*/issues", times=1)
    case.settle()
    assert len(records(case)) == len(issues(case)) == 1


def test_foreign_text_is_harmless_in_the_issue(open_door: Inline) -> None:
    case = open_door
    branch = "release/`@grace`<img>"
    case.act("olga", "push", branch=branch, commits=[])
    case.act("olga", "require_check", branches=["release/*"], context=CHECK, name="odd")
    (*_, rules) = case.hub.world.repository(SHOP).rulesets
    case.act("olga", "set_ruleset", id=rules, ruleset=BYPASS)
    number = case.open(base=branch, title="@grace <script>")
    case.settle()
    merge(case, number)
    case.settle()
    (issue,) = issues(case)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", issue.body)
    assert "@grace" not in outside
    assert "<img>" not in outside
    assert "script" not in issue.body


# --- another content -----------------------------------------------------------------------------


METHODS = ["merge", "squash", "rebase"]


@pytest.mark.parametrize("moved", [False, True], ids=["same-base", "base-moved"])
@pytest.mark.parametrize("method", METHODS)
def test_an_honest_merge_has_the_content_that_was_judged(
    open_door: Inline, method: str, *, moved: bool
) -> None:
    case = open_door
    files = {"shop/cart.py": "def total(prices: list[int]) -> int:\n    return 1\n"}
    commits = [{"message": AI, "files": files}, {"message": "More", "files": {"new.py": "x = 1\n"}}]
    number = signed_off(case, commits=commits)
    if moved:
        case.act("olga", "put_file", path="other.md", content="x\n")
        case.act("olga", "put_file", path="new2.py", content="x = 1\n")
    merge(case, number, by="june", method=method)
    case.settle()
    assert records(case) == []


@pytest.mark.parametrize("method", METHODS)
def test_a_merge_with_other_content(
    open_door: Inline, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a conflict that was "resolved" on the way, or a merge made by hand would."""
    case = open_door
    number = signed_off(case, commits=[{"message": AI}, {"message": "More"}])
    case.act("olga", "put_file", path="other.md", content="x\n")
    real = merge_commits.merged_tip

    def tampered(world: Any, pull: Any, *more: Any) -> str:
        honest = real(world, pull, *more)
        store = pull.repository.store
        commit = store.commits[honest]
        tree = commit.tree.updated({"shop/pay.py": commit.tree.get("README.md")})
        made = store.commit(
            tree, commit.parents, commit.author, commit.committer, commit.message, "web-flow"
        )
        return str(made.sha)

    monkeypatch.setattr(merges, "merged_tip", tampered)
    oid = merge(case, number, by="june", method=method)
    case.settle()
    assert codes(case) == [["CS091"]]
    (issue,) = issues(case)
    assert "shop/pay.py" in issue.body
    assert oid[:7] in issue.body


# --- marks in the message of the merge -----------------------------------------------------------


def test_marks_in_the_squash_message_only(open_door: Inline) -> None:
    case = open_door
    number = case.open(message=HUMAN)
    case.expect(number, "success", "CS001")
    merge(case, number, by="june", method="squash", message=AI)
    case.settle()
    assert codes(case) == [["CS092"]]
    assert "Claude" in issues(case)[0].body


def test_marks_that_the_pull_request_had_are_no_news(open_door: Inline) -> None:
    case = open_door
    number = signed_off(case)
    merge(case, number, by="june", method="squash")
    case.settle()
    assert records(case) == []


def test_strip_at_merge_keeps_the_evidence(open_door: Inline) -> None:
    """The message of the squash says nothing, and the very commit goes on to a release branch."""
    case = open_door
    before = case.hub.world.repository(SHOP).branches["main"]
    number = signed_off(case)
    oid = merge(case, number, by="june", method="squash", title="Fix", message="By hand")
    case.settle()
    assert records(case) == []
    case.act("olga", "push", branch="release/1", commits=[], start=before)
    case.act("june", "push", branch="port", commits=[], start=oid)
    port = case.act("june", "open_pull_request", head="port", base="release/1", title="Port")
    case.waiting(port["number"], "CS012")


# --- a push --------------------------------------------------------------------------------------


def test_a_direct_push_of_ai_work(open_door: Inline) -> None:
    case = open_door
    case.act("olga", "push", branch="main", commits=[{"message": AI}])
    case.settle()
    tip = case.hub.world.repository(SHOP).branches["main"]
    (entry,) = records(case)
    assert (entry.number, entry.head_sha) == (None, tip)
    assert (entry.fields["reasons"], entry.fields["by"]) == (["CS093"], "olga")
    (issue,) = issues(case)
    assert "`@olga` pushed" in issue.body
    assert "Claude" in issue.body


def test_a_direct_push_of_human_work(open_door: Inline) -> None:
    case = open_door
    case.act("olga", "push", branch="main", commits=[{"message": HUMAN}])
    case.settle()
    assert records(case) == []


def test_a_direct_push_to_a_branch_without_rules(open_door: Inline) -> None:
    case = open_door
    case.act("june", "push", branch="play", commits=[{"message": AI}])
    case.settle()
    assert records(case) == []


def test_a_direct_push_to_a_protected_release_branch(open_door: Inline) -> None:
    case = open_door
    case.act("olga", "push", branch="release/1", commits=[])
    case.act("olga", "require_check", branches=["release/*"], context=CHECK, name="release")
    (*_, number) = case.hub.world.repository(SHOP).rulesets
    case.act("olga", "set_ruleset", id=number, ruleset=BYPASS)
    case.settle()
    case.act("olga", "push", branch="release/1", commits=[{"message": AI}])
    case.settle()
    assert codes(case) == [["CS093"]]


def test_the_same_commit_on_an_unprotected_branch_first(open_door: Inline) -> None:
    case = open_door
    case.act("olga", "push", branch="play", commits=[{"message": AI}])
    tip = case.hub.world.repository(SHOP).branches["play"]
    case.act("olga", "push", branch="main", commits=[], start="")
    case.act("olga", "set_branch", branch="main", sha=tip)
    case.act("olga", "set_branch", branch="play2", sha=tip)
    case.settle()
    assert codes(case) == [["CS093"]]


def test_commits_of_an_unmerged_pull_request_pushed_by_hand(open_door: Inline) -> None:
    """GitHub then shows it as merged: by the pusher, and without a green."""
    case = open_door
    number = case.open()
    case.waiting(number)
    case.act("olga", "set_branch", branch="main", sha=case.head(number))
    case.settle()
    assert codes(case) == [["CS090"]]


def test_signed_off_on_another_branch_and_pushed_on(open_door: Inline) -> None:
    case = open_door
    case.act("olga", "push", branch="develop", commits=[])
    merge(case, signed_off(case, base="develop"), by="june")
    case.settle()
    tip = case.hub.world.repository(SHOP).branches["develop"]
    case.act("olga", "set_branch", branch="main", sha=tip)
    case.settle()
    assert records(case) == []


def test_laundered_through_an_unprotected_branch(open_door: Inline) -> None:
    case = open_door
    case.act("olga", "push", branch="develop", commits=[])
    merge(case, case.open(base="develop"), by="june", method="squash", message="By hand")
    case.settle()
    tip = case.hub.world.repository(SHOP).branches["develop"]
    case.act("olga", "set_branch", branch="main", sha=tip)
    case.settle()
    assert ["CS093"] in codes(case)
    assert len(issues(case)) == 1


# --- webhooks that never came --------------------------------------------------------------------


def test_a_merge_whose_webhook_was_lost(open_door: Inline) -> None:
    """The push tells of it as well."""
    case = open_door
    number = case.open()
    case.waiting(number)
    real = case.hub.courier.receiver
    assert real is not None
    case.hub.courier.receiver = lambda headers, body: (
        503 if headers["X-GitHub-Event"] == "pull_request" else real(headers, body)
    )
    merge(case, number)
    case.settle()
    assert codes(case) == [["CS090"]]


def test_all_webhooks_of_a_merge_lost_without_a_trace(open_door: Inline) -> None:
    case = open_door
    number = case.open()
    case.waiting(number)
    case.sweep()
    with case.hub.world.quiet():
        merge(case, number)
    case.settle()
    assert records(case) == []
    case.clock.skip(60)
    case.sweep()
    assert codes(case) == [["CS090"]]
    case.sweep()
    assert len(issues(case)) == 1
