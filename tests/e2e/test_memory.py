"""Evidence once seen stays, and follows the same patch into other pull requests; nothing else."""

from typing import Any

import pytest

from tests.e2e.inline import AI, SHOP, Inline

HUMAN = "Fix the total"
FOOTER = "Generated with [Claude Code](https://claude.com/claude-code)"
CLEAR = "not-ai-assisted"
CODE = "".join(f"line {number}\n" for number in range(40))
FIXED = CODE.replace("line 20\n", "line 20\nguard()\n")
WORK = {"shop.py": FIXED}
COMPARE = "GET /repos/{owner}/{repo}/compare/{base}...{head}"


def started(case: Inline, *commits: dict[str, Any]) -> int:
    """june's AI-assisted pull request on top of ``shop.py``, and seen to be one."""
    case.act("olga", "put_file", path="shop.py", content=CODE)
    number = case.open(commits=list(commits or [{"message": AI, "files": WORK}]))
    case.refused(number, "CS012")
    return number


def another(
    case: Inline,
    commits: list[dict[str, Any]],
    branch: str = "clean",
    actor: str = "june",
    **more: Any,
) -> int:
    """A pull request of the same repository, from a branch of its own."""
    return case.open(branch, actor, commits=commits, **more)


def follows(case: Inline, number: int, origin: int) -> None:
    seen = case.refused(number, "CS012", "CS002")
    assert f"seen in pull request {origin}" in seen.summary
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def stays_clean(case: Inline, number: int) -> None:
    case.expect(number, "success", "CS001", title="No AI assistance found")


def commit_of(case: Inline, number: int, at: int = -1) -> Any:
    return case.hub.world.pull(SHOP, number).commits[at]


def copied(case: Inline, number: int, at: int = -1, **changed: Any) -> dict[str, Any]:
    """A commit of the pull request as cherry-pick and rebase copy it: author and time are kept."""
    commit = commit_of(case, number, at)
    author = f"{commit.author.name} <{commit.author.email}>"
    made = {"message": HUMAN, "author": author, "date": commit.author.date.isoformat()}
    return made | {"files": WORK} | changed


# --- within one pull request ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["amend", "force_push", "one-more-commit"])
def test_the_trailer_is_taken_out(case: Inline, how: str) -> None:
    number = started(case)
    if how == "amend":
        case.act("june", "amend", branch="fix", message=HUMAN)
    else:
        commits = [{"message": HUMAN, "files": WORK}, {"message": "More"}]
        commits = commits[: 1 if how == "force_push" else 2]
        case.act("june", "force_push", branch="fix", commits=commits)
    seen = case.refused(number, "CS012", "CS002")
    assert "seen in pull request" not in seen.summary


def test_everything_is_rewritten(case: Inline) -> None:
    """Another change altogether: it is the pull request that was AI-assisted."""
    number = started(case)
    case.act("june", "force_push", branch="fix", commits=[{"message": "Start anew"}])
    case.refused(number, "CS012", "CS002")


def test_the_label_is_taken_off(case: Inline) -> None:
    number = case.open(message=HUMAN, labels=["ai-assisted"])
    case.refused(number, "CS002")
    case.act("june", "remove_label", number=number, label="ai-assisted")
    case.refused(number, "CS002")


@pytest.mark.parametrize("blanked", [False, True])
def test_the_body_is_edited(case: Inline, blanked: bool) -> None:
    number = case.open(message=HUMAN, body=FOOTER)
    case.refused(number, "CS002")
    case.act("june", "edit_pull_request", number=number, body="Fixes it.")
    if blanked:
        case.act("june", "delete_edit", number=number, edit=0)
    case.refused(number, "CS002")


def test_closed_and_opened_again(case: Inline) -> None:
    number = started(case)
    case.act("june", "amend", branch="fix", message=HUMAN)
    case.act("june", "close_pull_request", number=number)
    case.settle()
    case.act("june", "reopen_pull_request", number=number)
    case.refused(number, "CS002")


# --- into another pull request --------------------------------------------------------------------


def test_the_same_commits_in_another(case: Inline) -> None:
    first = started(case)
    case.act("june", "amend", branch="fix", message=HUMAN)
    case.settle()
    case.act("june", "close_pull_request", number=first)
    case.act("june", "push", branch="clean", start=case.head(first), commits=[])
    second = case.act("june", "open_pull_request", head="clean", title="Fix")
    follows(case, int(second["number"]), first)


def test_cherry_picked_to_a_clean_branch(case: Inline) -> None:
    """Among work of one's own, without the trailer."""
    first = started(case)
    own = {"message": "Mine", "files": {"mine.py": "x\n"}}
    follows(case, another(case, [own, copied(case, first)]), first)


def test_rebased_onto_a_newer_base_without_the_trailer(case: Inline) -> None:
    first = started(case)
    case.act("olga", "put_file", path="other.py", content="x\n")
    own = {"message": "Mine", "files": {"mine.py": "x\n"}}
    follows(case, another(case, [copied(case, first), own]), first)


def test_cherry_picked_by_somebody_else(case: Inline) -> None:
    first = started(case)
    number = another(case, [copied(case, first)], actor="kim")
    follows(case, number, first)


@pytest.mark.parametrize("actor", ["june", "kim"])
def test_squashed_into_another(case: Inline, actor: str) -> None:
    """Another author, another time, another message, one commit instead of two."""
    half = CODE.replace("line 20\n", "line 20\nguard(\n")
    first = started(
        case, {"message": AI, "files": {"shop.py": half}}, {"message": AI, "files": WORK}
    )
    case.act("june", "close_pull_request", number=first)
    case.clock.skip(60)
    number = another(case, [{"message": "Squash", "files": WORK}], actor=actor)
    follows(case, number, first)


def test_applied_by_hand_onto_a_newer_base(case: Inline) -> None:
    first = started(case)
    case.act("olga", "put_file", path="shop.py", content="first\n" + CODE)
    case.clock.skip(60)
    commits = [{"message": HUMAN, "files": {"shop.py": "first\n" + FIXED}}]
    follows(case, another(case, commits), first)


def test_split_in_two_where_the_second_completes_it(case: Inline) -> None:
    """The same content at the head: each half is unlike, the whole is what was made before."""
    files = {"shop.py": FIXED, "new.py": "x\n"}
    started(case, {"message": AI, "files": files})
    half = another(case, [{"message": "Half", "files": {"new.py": "x\n"}}], branch="half")
    stays_clean(case, half)
    assert case.may_merge(half)
    case.clock.skip(60)
    rest = another(case, [{"message": "Rest", "files": WORK}], branch="rest", actor="kim")
    assert case.hub.world.pull(SHOP, rest).commits[-1].tree.get("new.py") is not None
    case.refused(rest, "CS002")


def test_squashed_in_an_unprotected_branch_first(case: Inline) -> None:
    """Merged there with a blank message; the commit that came of it stands for what was in it."""
    case.act("olga", "push", branch="develop", commits=[])
    commits = [{"message": HUMAN, "files": {"new.py": "x\n"}}]
    first = case.open(base="develop", commits=commits, labels=["ai-assisted"])
    case.waiting(first, "CS002")
    case.act("june", "merge", number=first, method="squash", title="Work", message="-")
    case.settle()
    case.act("june", "push", branch="develop", commits=[{"message": "More"}])
    second = case.act("june", "open_pull_request", head="develop", title="Release")
    follows(case, int(second["number"]), first)


def test_the_evidence_goes_on_from_copy_to_copy(case: Inline) -> None:
    first = started(case)
    case.clock.skip(60)
    second = another(case, [{"message": "Squash", "files": WORK}], branch="second")
    case.refused(second, "CS002")
    case.clock.skip(60)
    third = another(case, [{"message": "Again", "files": WORK}], branch="third", actor="kim")
    seen = case.refused(third, "CS002")
    assert f"seen in pull request {first}" in seen.summary


# --- and nothing else -----------------------------------------------------------------------------


def test_another_change_of_the_same_size_is_no_copy(case: Inline) -> None:
    """As many lines in the same file, by the same author in the same second: the diffs differ."""
    first = started(case)
    own = CODE.replace("line 10\n", "line 10\ncheck()\n")
    stays_clean(case, another(case, [copied(case, first, files={"shop.py": own})]))


def test_version_bumps_look_alike(case: Inline) -> None:
    case.act("olga", "put_file", path="version", content="1\n")
    first = case.open(commits=[{"message": AI, "files": {"version": "2\n"}}])
    case.refused(first, "CS002")
    case.clock.skip(60)
    stays_clean(case, another(case, [{"message": "Bump", "files": {"version": "3\n"}}]))


def test_pictures_look_alike(case: Inline) -> None:
    """Binary files have no lines to compare and GitHub shows no more: that accuses nobody."""
    case.act("olga", "put_file", path="logo.png", content="\0")
    first = case.open(commits=[{"message": AI, "files": {"logo.png": {"base64": "AAEC"}}}])
    case.refused(first, "CS002")
    case.clock.skip(60)
    files = {"logo.png": {"base64": "AAED"}}
    stays_clean(case, another(case, [{"message": "New logo", "files": files}]))


def test_the_human_half_of_a_branch(case: Inline) -> None:
    """Two commits, one of them by hand: cherry-picking that one takes no evidence along."""
    own = {"message": "By hand", "files": {"mine.py": "x\n"}}
    first = started(case, own, {"message": AI, "files": WORK})
    by_hand = copied(case, first, 0, message="By hand", files={"mine.py": "x\n"})
    stays_clean(case, another(case, [by_hand]))


def test_who_reverts_what_came_after_a_merge(case: Inline) -> None:
    """The tree is that of the AI-assisted pull request again; the change has nothing of it."""
    first = started(case)
    case.act("grace", "approve", number=first)
    case.signed(first)
    assert case.may_merge(first)
    later = another(case, [{"message": "Later", "files": {"later.py": "x\n"}}], branch="later")
    stays_clean(case, later)
    assert case.may_merge(later)
    revert = another(case, [{"message": "Revert", "files": {"later.py": None}}], branch="revert")
    stays_clean(case, revert)


def test_another_repository_has_a_memory_of_its_own(case: Inline) -> None:
    first = started(case)
    case.people("create_repository", owner="acme", name="other")
    case.act("olga", "put_file", repo="acme/other", path="shop.py", content=CODE)
    case.people("add_collaborator", repo="acme/other", login="june", permission="write")
    number = another(case, [copied(case, first)], repo="acme/other")
    case.settle()
    seen = case.check(number, "acme/other")
    assert seen is None or "seen in pull request" not in seen.summary


def test_clean_work_costs_no_comparison(case: Inline) -> None:
    calls: list[str] = []
    started(case)
    case.clock.skip(60)
    case.parts.github._on_call = lambda call: calls.append(call.kind)
    stays_clean(case, another(case, [{"message": "Mine", "files": {"mine.py": "x\n"}}]))
    assert "query PullRequestSnapshot" in calls
    assert COMPARE not in calls


def test_a_lookalike_is_compared_once(case: Inline) -> None:
    calls: list[str] = []
    started(case)
    case.clock.skip(60)
    case.parts.github._on_call = lambda call: calls.append(call.kind)
    own = CODE.replace("line 10\n", "line 10\ncheck()\n")
    number = another(case, [{"message": "Mine", "files": {"shop.py": own}}])
    stays_clean(case, number)
    assert calls.count(COMPARE) == 2
    case.act("june", "edit_pull_request", number=number, title="Another")
    stays_clean(case, number)
    assert calls.count(COMPARE) == 2


def test_github_cannot_say_for_a_while(case: Inline) -> None:
    """Nothing is green on a doubt that asking again can resolve."""
    first = started(case)
    case.clock.skip(60)
    case.hub.faults.add("error", "GET */compare/*", status=503, times=2)
    follows(case, another(case, [{"message": "Squash", "files": WORK}]), first)


# --- clearing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "cleared"),
    [
        pytest.param("grace", True, id="a-senior"),
        pytest.param("kim", False, id="below-the-level"),
        pytest.param("june", False, id="who-wrote-it"),
        pytest.param("olga", False, id="an-owner-who-is-not-listed"),
    ],
)
def test_who_may_clear_what_followed(case: Inline, who: str, cleared: bool) -> None:
    first = started(case)
    case.act("olga", "open_issue", title="Labels", labels=[CLEAR])
    case.clock.skip(60)
    number = another(case, [{"message": "Squash", "files": WORK}])
    case.refused(number, "CS002")
    case.clock.skip(60)
    case.act(who, "add_label", number=number, label=CLEAR)
    if cleared:
        case.expect(number, "success", "CS003")
        case.act("june", "edit_pull_request", number=number, title="Another")
        case.expect(number, "success", "CS003")
    else:
        case.refused(number, "CS072")
    case.refused(first, "CS012")


def test_an_earlier_clearing_does_not_cover_what_follows_later(case: Inline) -> None:
    """Cleared as it was; then the AI-assisted work of another pull request is moved in."""
    started(case)
    case.act("olga", "open_issue", title="Labels", labels=[CLEAR])
    case.clock.skip(60)
    number = another(case, [{"message": AI, "files": {"mine.py": "x\n"}}])
    case.refused(number, "CS002")
    case.clock.skip(60)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")
    case.clock.skip(60)
    commits = [{"message": "Squash", "files": WORK}]
    case.act("june", "force_push", branch="clean", commits=commits)
    case.refused(number, "CS002")
