"""An approval carries over to a head whose change is provably the same, and to no other."""

from typing import Any

import pytest

from sandbox.git import EXECUTABLE
from tests.e2e.inline import AI, SHOP, Inline

CODE = "".join(f"line {number}\n" for number in range(40))
FIXED = CODE.replace("line 20\n", "line 20\nguard()\n")
COMMITS = [{"message": AI, "files": {"shop.py": FIXED}}]
COMPARE = "GET /repos/{owner}/{repo}/compare/{base}...{head}"


def approved(case: Inline, commits: list[dict[str, Any]] = COMMITS, **fields: Any) -> int:
    """A pull request on top of ``shop.py``, signed off by grace."""
    case.act("olga", "put_file", path="shop.py", content=CODE)
    number = case.open(commits=commits, **fields)
    case.waiting(number, "CS012")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    return number


def base_moves(case: Inline, path: str = "other.py", content: str = "x\n") -> None:
    case.act("olga", "put_file", path=path, content=content)


def tip(case: Inline) -> str:
    return case.hub.world.repository(SHOP).branches["main"]


def rebase(case: Inline, **spec: Any) -> None:
    """june rebases onto the tip of main; ``spec`` is what the commit becomes."""
    commit = {"message": AI, "files": {"shop.py": FIXED}} | spec
    case.act("june", "force_push", branch="fix", onto=tip(case), commits=[commit])


def merge(case: Inline, **spec: Any) -> None:
    """june merges main into the branch by hand."""
    commit = {"message": "Merge branch 'main' into fix", "merge": "main"} | spec
    case.act("june", "push", branch="fix", commits=[commit])


def carried(case: Inline, number: int) -> None:
    seen = case.expect(number, "success", "CS011", "CS074", title="Signed off by @grace")
    assert "the change is the same" in seen.summary
    assert case.may_merge(number)


def test_update_branch_keeps_the_approval(case: Inline) -> None:
    number = approved(case)
    base_moves(case)
    case.act("june", "update_branch", number=number)
    carried(case, number)


def test_a_clean_merge_of_the_base_keeps_it(case: Inline) -> None:
    number = approved(case)
    base_moves(case)
    merge(case)
    carried(case, number)


def test_a_rebase_onto_a_newer_base_keeps_it(case: Inline) -> None:
    number = approved(case)
    base_moves(case)
    rebase(case)
    carried(case, number)


def test_the_base_moved_the_lines_of_the_change(case: Inline) -> None:
    """Both touched the file: the base's own diff says where the change has to be now."""
    number = approved(case)
    base_moves(case, "shop.py", "first\nsecond\n" + CODE)
    rebase(case, files={"shop.py": "first\nsecond\n" + FIXED})
    carried(case, number)


def test_several_rebases_in_a_row(case: Inline) -> None:
    number = approved(case)
    for step in range(3):
        base_moves(case, content=f"{step}\n")
        rebase(case)
        case.expect(number, "success", "CS074")
    carried(case, number)


def test_it_costs_nothing_until_it_matters_and_then_once(case: Inline) -> None:
    calls: list[str] = []
    case.parts.github._on_call = lambda call: calls.append(call.kind)
    number = approved(case)
    base_moves(case)
    case.settle()
    assert calls.count(COMPARE) == 2  # each of the two pushes to the base is looked at
    rebase(case)
    case.expect(number, "success", "CS074")
    assert calls.count(COMPARE) == 2 + 3
    case.act("kim", "comment", number=number, body="Hm")
    case.act("june", "edit_pull_request", number=number, title="Another")
    case.expect(number, "success", "CS074")
    assert calls.count(COMPARE) == 2 + 3


def test_an_approval_of_the_head_asks_for_nothing(case: Inline) -> None:
    calls: list[str] = []
    number = approved(case)
    base_moves(case)
    case.act("june", "amend", branch="fix", files={"late.py": "x\n"})
    case.act("ada", "approve", number=number)
    case.settle()
    case.parts.github._on_call = lambda call: calls.append(call.kind)
    case.act("kim", "comment", number=number, body="Hm")
    case.act("june", "edit_pull_request", number=number, title="Another")
    case.signed(number, "ada")
    assert COMPARE not in calls


# --- what loses it --------------------------------------------------------------------------------


def test_another_message_is_another_commit(case: Inline) -> None:
    number = approved(case)
    case.act("june", "amend", branch="fix", message=AI.replace("Fix", "Mend"))
    case.refused(number, "CS032")


def test_another_author_is_another_commit(case: Inline) -> None:
    number = approved(case)
    case.act("june", "amend", branch="fix", author="kim")
    case.refused(number, "CS032")


def test_squashed_commits_are_others(case: Inline) -> None:
    half = CODE.replace("line 20\n", "line 20\nguard(\n")
    number = approved(case, [{"message": AI, "files": {"shop.py": half}}, *COMMITS])
    rebase(case)
    case.refused(number, "CS032")


def test_an_empty_commit_is_no_merge_of_the_base(case: Inline) -> None:
    number = approved(case)
    base_moves(case)
    case.act("june", "update_branch", number=number)
    case.signed(number, "grace")
    case.act("june", "push", branch="fix", commits=[{"message": "Empty", "files": {}}])
    case.refused(number, "CS032")


SMUGGLED: dict[str, dict[str, Any]] = {
    "a-line": {"shop.py": FIXED.replace("line 30\n", "line 30\nbackdoor()\n")},
    "white-space": {"shop.py": FIXED.replace("guard()", "guard() ")},
    "line-ends": {"shop.py": FIXED.replace("guard()\n", "guard()\r\n")},
    "a-file": {"shop.py": FIXED, "late.py": "import os\n"},
    "mode": {"shop.py": {"content": FIXED, "mode": EXECUTABLE}},
    "binary": {"shop.py": FIXED, "logo.png": {"base64": "AAEC"}},
    "rename": {"shop.py": None, "stop.py": FIXED},
    "moved": {"shop.py": CODE.replace("line 10\n", "line 10\nguard()\n")},
    "less": {"shop.py": CODE, "other.py": "y\n"},
}


@pytest.mark.parametrize("files", SMUGGLED.values(), ids=SMUGGLED)
@pytest.mark.parametrize("how", [rebase, merge], ids=["rebase", "evil-merge"])
def test_smuggled_edits(case: Inline, how: Any, files: dict[str, Any]) -> None:
    number = approved(case)
    base_moves(case)
    how(case, files=files)
    case.refused(number, "CS032")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


@pytest.mark.parametrize("how", [rebase, merge], ids=["rebase", "evil-merge"])
def test_the_same_lines_into_another_function(case: Inline, how: Any) -> None:
    """Three lines around it are alike in both: ``git patch-id`` would say that nothing changed."""
    block = "def f():\n    a\n    b\n    c\n    d\n    e\n    g\n\n"
    lines = ("start\n" + block * 2).splitlines(keepends=True)
    there = ["".join([*lines[:at], "    guard()\n", *lines[at:]]) for at in (5, 13)]
    case.act("olga", "put_file", path="twins.py", content="".join(lines))
    number = case.open(commits=[{"message": AI, "files": {"twins.py": there[0]}}])
    case.settle()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    base_moves(case, "twins.py", "base\n" + "".join(lines))
    how(case, files={"twins.py": "base\n" + there[1]})
    case.refused(number, "CS032")
    how(case, files={"twins.py": "base\n" + there[0]})
    case.signed(number, "grace")


def test_a_merge_that_drops_what_the_base_did(case: Inline) -> None:
    """ "Ours" in a conflict: the base's fix is undone in the name of a merge."""
    number = approved(case)
    base_moves(case, "secure.py", "check()\n")
    merge(case, files={"shop.py": FIXED, "secure.py": None})
    case.refused(number, "CS032")


def test_a_merge_of_something_that_is_not_the_base(case: Inline) -> None:
    number = approved(case)
    case.act("june", "push", branch="side", commits=[{"message": "Side", "files": {"s": "x\n"}}])
    merge(case, merge="side")
    case.refused(number, "CS032")


def test_new_evidence_comes_with_the_rebase(case: Inline) -> None:
    number = approved(case)
    base_moves(case)
    rebase(case, message=AI + "\nAssisted-by: Cursor")
    case.refused(number, "CS032")
    rebase(case, message=AI + "\nAssisted-by: Cursor\n")
    case.refused(number, "CS032")  # also when it is no longer new
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_the_diff_is_too_large_to_be_shown(case: Inline) -> None:
    commits = [{"message": AI, "files": {f"f{number}.py": "x\n" for number in range(301)}}]
    number = approved(case, commits)
    base_moves(case)
    case.act("june", "update_branch", number=number)
    case.refused(number, "CS032")


def test_a_binary_file_cannot_be_compared(case: Inline) -> None:
    commits = [{"message": AI, "files": {"logo.png": {"base64": "AAEC"}}}]
    number = approved(case, commits)
    base_moves(case)
    case.act("june", "update_branch", number=number)
    case.refused(number, "CS032")


def test_the_approved_commit_is_lost(case: Inline) -> None:
    number = approved(case)
    before = case.head(number)
    base_moves(case)
    rebase(case)
    del case.hub.world.repository(SHOP).store.commits[before]
    case.refused(number)


def test_github_cannot_say_for_a_while(case: Inline) -> None:
    """A failure is no answer: it is asked again, and nothing is green meanwhile."""
    number = approved(case)
    base_moves(case)
    case.hub.faults.add("error", "GET */compare/*", status=503, times=3)
    rebase(case)
    carried(case, number)


def test_retargeted_since_the_approval(case: Inline) -> None:
    """What was approved was a change of another branch."""
    case.act("olga", "push", branch="release/1", commits=[{"message": "Branch off"}])
    number = approved(case)
    case.act("june", "edit_pull_request", number=number, base="release/1")
    case.settle()
    case.act("june", "amend", branch="fix", message=AI + "\n")
    case.waiting(number, "CS032")


def test_who_clicked_update_branch_has_a_part_in_it(case: Inline) -> None:
    number = approved(case)
    base_moves(case)
    case.act("grace", "update_branch", number=number)
    case.refused(number, "CS034")


def test_a_dismissed_approval_does_not_come_back(case: Inline) -> None:
    number = approved(case)
    case.act("june", "dismiss_review", number=number, author="grace")
    base_moves(case)
    case.act("june", "update_branch", number=number)
    case.refused(number, "CS041")


def test_an_approver_who_left_the_roster(case: Inline) -> None:
    from sandbox.seed import ROSTER

    number = approved(case)
    case.roster(ROSTER.replace("grace:", "gracie:"))
    base_moves(case)
    case.act("june", "update_branch", number=number)
    case.refused(number)
