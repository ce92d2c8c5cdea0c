"""Tricks with the check itself: whose it is, what it says, and what is written into it."""

import re
from typing import Any

import pytest

from sandbox.errors import NotFound, Refused
from sandbox.seed import ROSTER
from tests.e2e.inline import AI, CHECK, Inline

SUMMARY_LIMIT = 65_535
VISIBLE = "</code>`@ada` <img src=x> [go](//evil.example) #1"  # GitHub's labels hold 50 characters
HOSTILE = f"{VISIBLE} \u202eevil\u202c"


@pytest.mark.parametrize("who", ["june", "olga", "acme-release[bot]"])
def test_anyone_with_write_posts_the_same_status_name(case: Inline, who: str) -> None:
    number = case.open()
    case.waiting(number)
    case.act(who, "set_status", sha=case.head(number), context=CHECK, state="success")
    case.refused(number, "CS012")


def test_workflow_job_with_the_same_name(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    case.act("june", "report_check", name=CHECK, sha=case.head(number), conclusion="success")
    case.refused(number, "CS012")


def test_workflow_job_with_the_same_name_comes_first(case: Inline) -> None:
    """A foreign check of our name is not taken for ours: ours is written beside it."""
    case.act("june", "push", branch="fix", commits=[{"message": AI}])
    sha = case.act("olga", "change_settings", settings={})["branches"]["fix"]
    case.act("june", "report_check", name=CHECK, sha=sha, conclusion="success")
    pull = case.act("june", "open_pull_request", head="fix", title="Fix")
    case.refused(int(pull["number"]), "CS012")


@pytest.mark.parametrize("who", ["june", "grace"])
def test_rerun_yields_the_same_answer(case: Inline, who: str) -> None:
    number = case.open()
    case.refused(number, "CS012")
    for _ in range(2):
        case.act(who, "rerequest_check", sha=case.head(number), name=CHECK)
        case.refused(number, "CS012")
    case.act(who, "rerequest_suite", sha=case.head(number), app="countersign")
    case.refused(number, "CS012")


def test_button_that_nobody_offered(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    with pytest.raises(NotFound):
        case.act("june", "press_button", sha=case.head(number), name=CHECK, identifier="pass")
    case.refused(number, "CS012")


@pytest.mark.parametrize("body", ["/countersign pass", "@countersign approve", "/override INC-1"])
def test_comment_commands_the_app(case: Inline, body: str) -> None:
    number = case.open()
    for who in ("june", "grace"):
        case.act(who, "comment", number=number, body=body)
    case.refused(number, "CS012")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(f"{AI}\n\n\nskip-checks: true", id="skip-checks"),
        pytest.param(f"{AI}\n[skip ci]", id="skip-ci"),
        pytest.param(f"[no ci] {AI}", id="no-ci"),
    ],
)
def test_skip_checks(case: Inline, message: str) -> None:
    case.refused(case.open(message=message), "CS012")


# --- what is written into it ----------------------------------------------------------------------


def foreign_free(summary: str) -> str:
    """The summary without its code spans: what GitHub would render as Markdown."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", summary, flags=re.DOTALL)


@pytest.mark.parametrize("where", ["trailer", "author", "branch", "label", "title", "body", "rule"])
def test_output_injection(case: Inline, where: str) -> None:
    fields: dict[str, Any] = {}
    commit: dict[str, object] = {"message": AI}
    branch = "fix"
    match where:
        case "trailer":
            commit["message"] = f"Fix\n\nCo-Authored-By: Claude {HOSTILE} <noreply@anthropic.com>"
        case "author":
            commit |= {"author": f"{HOSTILE.replace('<', '(')} <x@nowhere.example>"}
        case "branch":
            branch = "claude/`@ada`<img>](/evil.example)"
        case "label":
            case.roster(ROSTER.replace("[ai-assisted]", f"[ai-assisted, '{VISIBLE}']"))
            fields["labels"] = [VISIBLE]
        case "title" | "body":
            fields[where] = (
                f"{HOSTILE} Generated with [Claude Code](https://claude.com/claude-code)"
            )
        case _:
            rule = f"rules:\n  - name: '{VISIBLE}'\n    why: '{VISIBLE}'\n    approvals: 2\n"
            case.roster(ROSTER + rule)
    number = case.open(branch, commits=[commit], **fields)
    seen = case.refused(number, "CS012")
    shown = foreign_free(seen.summary)
    assert "@" not in shown
    assert "<img" not in shown
    assert "evil.example" not in shown
    assert "\u202e" not in seen.summary + seen.title
    assert "\n" not in seen.title


def test_a_roster_that_quotes_html_is_shown_escaped(case: Inline) -> None:
    number = case.open()
    case.refused(number, "CS012")
    case.roster(f"'{HOSTILE}': 1\n")
    seen = case.refused(number, "CS070")
    assert "<img" not in foreign_free(seen.summary)
    assert "@ada" not in foreign_free(seen.summary)


def test_output_stays_within_githubs_limits(case: Inline) -> None:
    trailer = "Co-Authored-By: Claude {} <noreply@anthropic.com>"
    body = "\n".join(trailer.format("x" * 200 + str(line)) for line in range(260))
    commits = [{"message": f"Fix {n}\n\n{trailer.format('y' * 500)}"} for n in range(60)]
    number = case.open(commits=commits, body=body)
    seen = case.refused(number, "CS012")
    assert len(seen.summary) <= SUMMARY_LIMIT
    assert seen.summary.count("```") % 2 == 0


# --- the app itself -------------------------------------------------------------------------------


def test_permission_narrowed(case: Inline) -> None:
    """Without the right to write checks nothing is green, nothing crashes, and it is said."""
    permissions = {
        "checks": "read",
        "contents": "read",
        "pull_requests": "read",
        "metadata": "read",
    }
    case.hub.act(
        "olga", "narrow_installation", app="countersign", account="acme", permissions=permissions
    )
    number = case.open()
    assert case.hub.drain()
    for _ in range(40):
        case.worker.step()
        case.clock.skip(1)
    assert case.check(number) is None
    assert not case.may_merge(number)


@pytest.mark.parametrize("how", ["suspend_installation", "uninstall_app"])
def test_app_suspended_or_uninstalled(case: Inline, how: str) -> None:
    number = case.open()
    case.waiting(number)
    case.hub.act("olga", how, app="countersign", account="acme")
    case.act("june", "push", branch="fix")
    case.settle()
    assert case.check(number) is None
    assert not case.may_merge(number)


def test_app_suspended_in_the_middle(case: Inline) -> None:
    number = case.open()
    assert case.hub.drain()
    case.hub.act("olga", "suspend_installation", app="countersign", account="acme")
    case.settle()
    assert case.check(number) is None
    case.hub.act("olga", "unsuspend_installation", app="countersign", account="acme")
    case.waiting(number)


def test_pull_request_deleted_with_its_repository(case: Inline) -> None:
    case.open()
    assert case.hub.drain()
    case.act("olga", "delete_repository")
    case.settle()
    assert list(case.parts.store.queue.listing()) == []


def test_merge_as_an_administrator_without_bypass(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    with pytest.raises(Refused, match=CHECK):
        case.act("olga", "merge", number=number)
