"""Tricks with commits, bases, merges and the merge queue. Each test is named after one."""

from collections.abc import Callable

import pytest

from github_app.judgement import Judged, Judgement
from sandbox.errors import Refused
from sandbox.seed import ROSTER
from tests.e2e.inline import AI, CHECK, SHOP, Inline

STRICT_MAIN = ROSTER + "rules:\n  - name: main\n    branches: [main]\n    from: principal\n"
HUMAN = "Fix the total"


def twin_of(case: Inline, *, base: str, title: str = "Twin", body: str = "") -> int:
    """A second pull request from the branch ``fix`` into another base."""
    case.act("olga", "push", branch=base, commits=[])
    check = {"context": CHECK, "app": "countersign", "name": f"check on {base}"}
    case.act("olga", "require_check", branches=[base], **check)
    pull = case.act("june", "open_pull_request", head="fix", base=base, title=title, body=body)
    return int(pull["number"])


def test_twin_shares_the_head_and_one_is_clean(case: Inline) -> None:
    clean = case.open(message=HUMAN)
    case.expect(clean, "success", "CS001")
    other = twin_of(case, base="stable", body="AI-assisted: yes")
    case.refused(other, "CS012")
    case.refused(clean, "CS012")


def test_twin_is_closed(case: Inline) -> None:
    """What was seen of these commits stays with them, also when the twin is gone."""
    clean = case.open(message=HUMAN)
    other = twin_of(case, base="stable", body="AI-assisted: yes")
    case.refused(clean, "CS012")
    case.act("june", "close_pull_request", number=other)
    case.refused(clean, "CS012")


def test_twin_with_a_stricter_base(case: Inline) -> None:
    case.roster(STRICT_MAIN)
    number = case.open()
    other = twin_of(case, base="easy")
    case.act("grace", "approve", number=other)
    case.settle()
    seen = case.check(other)
    assert seen is not None
    assert not seen.green
    assert not case.may_merge(number)


def test_twin_brings_the_evidence_and_its_sign_off_at_once(case: Inline) -> None:
    """What is first seen of one holds for the other in the very same judgement."""
    case.roster(STRICT_MAIN)
    number = case.open(message=HUMAN)
    case.expect(number, "success", "CS001")
    other = twin_of(case, base="easy", body="AI-assisted: yes")
    case.act("grace", "approve", number=other)
    case.refused(number, "CS012")


def test_twin_s_known_evidence_holds_for_a_new_head_in_the_same_judgement(case: Inline) -> None:
    """It is nothing new for the twin, but the other has never had this commit."""
    number = case.open(message=HUMAN)
    other = twin_of(case, base="easy", body="AI-assisted: yes")
    case.refused(other, "CS012")
    case.act("kim", "force_push", branch="fix", commits=[{"message": "Mend the tax"}])
    case.act("grace", "approve", number=other)
    case.refused(number, "CS012")


@pytest.mark.parametrize("ending", ["merge", "close_pull_request"])
def test_twin_is_retargeted_and_ended_before_anybody_looked(case: Inline, ending: str) -> None:
    """The green of the commit that they share is withdrawn, and given back to who is left."""
    number = case.open()
    for base in ("easy", "easier"):
        case.act("olga", "push", branch=base, commits=[])
    pull = case.act("june", "open_pull_request", head="fix", base="easy", title="Twin")
    case.act("grace", "approve", number=number)
    case.act("grace", "approve", number=pull["number"])
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=pull["number"], base="easier")
    case.act("olga", ending, number=pull["number"])
    case.signed(number, "grace")


def test_head_is_pushed_past_after_a_retarget_and_another_has_it(case: Inline) -> None:
    """What was withdrawn is given back on the commit that it was withdrawn from."""
    number = case.open()
    for base in ("easy", "easier"):
        case.act("olga", "push", branch=base, commits=[])
    case.act("june", "push", branch="same", start=case.head(number), commits=[])
    pull = case.act("june", "open_pull_request", head="same", base="easy", title="Twin")
    case.act("grace", "approve", number=number)
    case.act("grace", "approve", number=pull["number"])
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=pull["number"], base="easier")
    case.act("june", "push", branch="same", commits=[{"message": "More"}])
    case.signed(number, "grace")


@pytest.mark.parametrize("ending", ["merge", "close_pull_request"])
def test_twin_that_held_the_other_up_is_gone(case: Inline, ending: str) -> None:
    number = case.open()
    case.act("olga", "push", branch="easy", commits=[])
    twin = case.act("june", "open_pull_request", head="fix", base="easy", title="Twin")
    case.act("grace", "request_changes", number=twin["number"])
    case.act("ada", "approve", number=number)
    case.refused(number, "CS064", why="asked for changes")
    case.act("olga", ending, number=twin["number"])
    case.signed(number, "ada")


def test_twin_signed_off_when_both_are(case: Inline) -> None:
    number = case.open()
    other = twin_of(case, base="stable")
    case.act("grace", "approve", number=number)
    case.refused(number, why="")
    case.act("grace", "approve", number=other)
    case.signed(number)
    case.signed(other)


def test_twin_in_a_fork(case: Inline) -> None:
    case.act("kim", "fork_repository")
    number = case.open(message=HUMAN)
    case.expect(number, "success", "CS001")
    case.act("kim", "push", repo="kim/shop", branch="same", start=case.head(number), commits=[])
    pull = case.act("kim", "open_pull_request", head="kim:same", title="Same", body="AI: yes")
    case.act("kim", "add_label", number=pull["number"], label="ai-assisted")
    case.refused(number, "CS012")


# --- the base -------------------------------------------------------------------------------------


def test_pass_on_an_easy_base_then_retarget(case: Inline) -> None:
    case.roster(STRICT_MAIN)
    case.act("olga", "push", branch="easy", commits=[])
    number = case.open(base="easy")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=number, base="main")
    case.refused(number, "CS037")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


HIDDEN = {"message": "More", "files": {"shop/evil.py": "x\n"}}


def hidden_base(case: Inline) -> int:
    """A base that holds what nobody has read, and a change to it that looks small."""
    case.act("kim", "push", branch="easy", commits=[HIDDEN])
    case.clock.skip(2)
    number = case.open(base="easy", start="easy")
    case.clock.skip(2)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.clock.skip(2)
    return number


def test_retarget_brings_in_what_nobody_read(case: Inline) -> None:
    """The head is the one that was approved; what would be merged is not."""
    number = hidden_base(case)
    case.act("june", "edit_pull_request", number=number, base="main")
    case.refused(number, "CS042")
    case.clock.skip(2)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_retarget_then_make_the_old_base_look_like_the_new_one(case: Inline) -> None:
    number = hidden_base(case)
    case.act("june", "edit_pull_request", number=number, base="main")
    case.clock.skip(2)
    main = case.hub.world.repository(SHOP).branches["main"]
    case.act("kim", "set_branch", branch="easy", sha=main)
    case.refused(number, "CS042")


def test_retarget_with_a_tag_named_like_the_new_base(case: Inline) -> None:
    number = hidden_base(case)
    easy = case.hub.world.repository(SHOP).branches["easy"]
    case.act("kim", "create_tag", tag="main", sha=easy)
    case.act("june", "edit_pull_request", number=number, base="main")
    case.refused(number, "CS042")


def test_retarget_with_a_tag_named_like_the_old_base(case: Inline) -> None:
    """One that never moved, so that only its name tells where it was."""
    case.act("kim", "push", branch="easy", commits=[HIDDEN])
    number = case.open(start="easy")
    case.clock.skip(2)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.clock.skip(2)
    easy = case.hub.world.repository(SHOP).branches["easy"]
    case.act("kim", "create_tag", tag="main", sha=easy)
    case.act("june", "edit_pull_request", number=number, base="easy")
    case.waiting(number, "CS042")


def test_base_rewritten_under_an_approval(case: Inline) -> None:
    """What the base held goes out of it, and so into what would be merged."""
    before = case.hub.world.repository(SHOP).branches["main"]
    case.act("olga", "put_file", path="shop/evil.py", content="x\n")
    case.clock.skip(2)
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.clock.skip(2)
    for rule in list(case.hub.world.repository(SHOP).rulesets):
        case.act("olga", "delete_ruleset", id=rule)
    case.act("olga", "set_branch", branch="main", sha=before)
    case.expect(number, "action_required", "CS042")


def test_base_deleted_and_made_anew(case: Inline) -> None:
    """Deleting a base closes what is into it. Reopened on a base of that name that holds less, the
    same head brings in what its approver took for there."""
    theirs = [{"message": AI, "files": {"unread.py": "import os\n"}}]
    case.act("olga", "push", branch="release/1", commits=theirs)
    number = case.open(base="release/1", start="release/1")
    case.act("grace", "approve", number=number)
    case.signed(number)
    case.clock.skip(2)
    case.act("june", "delete_branch", branch="release/1")
    home = case.hub.world.repository(SHOP)
    case.act("june", "set_branch", branch="release/1", sha=home.branches["main"])
    case.act("june", "reopen_pull_request", number=number)
    assert len(case.hub.pull(number)["commits"]) == 2
    case.waiting(number, "CS042")
    case.clock.skip(2)
    case.act("grace", "approve", number=number)
    case.signed(number)


def test_closed_and_reopened_on_a_base_that_went_on(case: Inline) -> None:
    """It is asked, and nobody has to approve again."""
    number = case.open(base="main")
    case.act("grace", "approve", number=number)
    case.signed(number)
    case.clock.skip(2)
    case.act("june", "close_pull_request", number=number)
    other = case.open("other", message="Tidy up")
    case.expect(other, "success")
    assert case.may_merge(other)
    case.act("june", "reopen_pull_request", number=number)
    case.signed(number)


def test_base_deleted_and_the_pull_request_moved_on(case: Inline) -> None:
    """GitHub itself moves it, to the base that the other was merged into."""
    number = hidden_base(case)
    lower = int(case.act("kim", "open_pull_request", head="easy", title="Lower")["number"])
    case.settle()
    assert case.may_merge(lower, by="kim")
    case.clock.skip(2)
    case.act("kim", "delete_branch", branch="easy")
    case.signed(number, "grace")  # the commit that was its base is in the new one


@pytest.mark.parametrize("base", ["easy", "release/1.2"])
def test_retarget_from_a_base_that_never_moved(case: Inline, base: str) -> None:
    """Nothing is known of how it got where it is, and nothing needs to be."""
    case.act("olga", "push", branch=base, commits=[])
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=number, base=base)
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=number, base="main")
    case.signed(number, "grace")


def test_retarget_there_and_back(case: Inline) -> None:
    number = hidden_base(case)
    case.act("june", "edit_pull_request", number=number, base="main")
    case.refused(number, "CS042")
    case.clock.skip(2)
    case.act("june", "edit_pull_request", number=number, base="easy")
    case.signed(number, "grace")


def test_retarget_withdraws_before_anything_slow(case: Inline) -> None:
    """GitHub gives no snapshot at all: the green of the old base is gone all the same."""
    case.act("olga", "push", branch="easy", commits=[])
    number = case.open(base="easy")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.hub.faults.add("error", "graphql:PullRequestSnapshot")
    case.act("june", "edit_pull_request", number=number, base="main")
    assert case.hub.drain()
    for _ in range(6):
        case.worker.step()
        case.clock.skip(1)
    seen = case.check(number)
    assert seen is not None
    assert not seen.green
    assert not case.may_merge(number)
    case.hub.faults.clear()
    case.signed(number, "grace")


@pytest.mark.parametrize("sign", [False, True])
def test_draft(case: Inline, *, sign: bool) -> None:
    number = case.open(draft=True)
    case.waiting(number, "CS012")
    if sign:
        case.act("grace", "approve", number=number)
        case.signed(number, "grace")
    case.act("june", "mark_ready", number=number)
    if sign:
        case.signed(number, "grace")
    else:
        case.refused(number, "CS012")


Smuggle = Callable[[Inline], None]


def by_an_evil_merge(case: Inline) -> None:
    merge = {"message": "Merge main", "merge": "main", "files": {"shop/pay.py": "steal()\n"}}
    case.act("june", "push", branch="fix", commits=[merge])


def by_a_merge_with_a_trailer(case: Inline) -> None:
    merge = {"message": f"Merge main\n\n{AI}", "merge": "main"}
    case.act("june", "push", branch="fix", commits=[merge])


def by_a_forged_web_merge(case: Inline) -> None:
    forged = {
        "message": "Merge branch 'main' into fix",
        "merge": "main",
        "committer": "GitHub <noreply@github.com>",
        "files": {"shop/pay.py": "steal()\n"},
    }
    case.act("june", "push", branch="fix", commits=[forged])


def by_a_merge_of_another_branch(case: Inline) -> None:
    case.act("june", "push", branch="side", commits=[{"message": "Side"}])
    case.act("june", "push", branch="fix", commits=[{"message": "Merge main", "merge": "side"}])


@pytest.mark.parametrize(
    "smuggle",
    [
        by_an_evil_merge,
        by_a_merge_with_a_trailer,
        by_a_forged_web_merge,
        by_a_merge_of_another_branch,
    ],
)
def test_update_branch_with_smuggled_edits(case: Inline, smuggle: Smuggle) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("olga", "put_file", path="other.md", content="x\n")
    smuggle(case)
    case.refused(number, "CS032")


def test_push_between_the_verdict_and_its_publication(
    case: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With auto-merge on: the green goes to the commit that was judged, the new one has none."""
    case.act("olga", "change_settings", settings={"allow_auto_merge": True})
    number = case.open()
    case.waiting(number)
    judged = case.head(number)
    case.act("june", "enable_auto_merge", number=number)
    case.act("grace", "approve", number=number)
    assert case.hub.drain()
    real = Judgement.judge

    def then_push(self: Judgement, *given: object) -> Judged:
        found = real(self, *given)  # type: ignore[arg-type]  # passed through as they came
        monkeypatch.setattr(Judgement, "judge", real)
        case.act("june", "push", branch="fix")
        return found

    monkeypatch.setattr(Judgement, "judge", then_push)
    case.worker.step()
    assert case.head(number) != judged
    assert case.hub.pull(number)["state"] == "open"
    case.refused(number, "CS032")


def test_event_of_an_older_head_arrives_last(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    old = [one for one in case.hub.courier.log.values() if one.event == "pull_request_review"]
    case.act("june", "push", branch="fix")
    case.refused(number, "CS032")
    case.hub.courier.redeliver(old[-1].id)
    case.refused(number, "CS032")


# --- the merge queue ------------------------------------------------------------------------------


def with_queue(case: Inline) -> None:
    queue = {"type": "merge_queue", "parameters": {"grouping_strategy": "ALLGREEN"}}
    ruleset = {
        "name": "queue",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [queue],
    }
    case.act("olga", "set_ruleset", ruleset=ruleset)


def signed_off(case: Inline, branch: str) -> int:
    number = case.open(branch)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    return number


def state(case: Inline, number: int) -> str:
    return str(case.hub.pull(number)["state"])


def test_merge_queue_merges_what_is_signed_off(case: Inline) -> None:
    with_queue(case)
    numbers = [signed_off(case, branch) for branch in ("one", "two")]
    for number in numbers:
        case.act("june", "enqueue", number=number)
    case.settle()
    assert [state(case, number) for number in numbers] == ["merged", "merged"]


def test_merge_queue_refuses_what_is_not(case: Inline) -> None:
    with_queue(case)
    number = case.open()
    case.waiting(number)
    with pytest.raises(Refused, match=CHECK):
        case.act("june", "enqueue", number=number)


def test_dismissal_while_queued_reaches_the_group(case: Inline) -> None:
    with_queue(case)
    number = signed_off(case, "fix")
    case.act("june", "enqueue", number=number)
    case.act("kim", "dismiss_review", number=number, author="grace")
    case.settle()
    assert state(case, number) == "open"
    case.refused(number, "CS041")


def test_change_request_while_queued_reaches_the_group(case: Inline) -> None:
    with_queue(case)
    number = signed_off(case, "fix")
    case.act("june", "enqueue", number=number)
    case.act("ada", "request_changes", number=number)
    case.settle()
    assert state(case, number) == "open"


def test_demotion_while_queued_reaches_the_group(case: Inline) -> None:
    with_queue(case)
    number = signed_off(case, "fix")
    case.act("june", "enqueue", number=number)
    case.roster(ROSTER.replace("id: 1906, level: senior", "id: 1906, level: mid"))
    case.settle()
    assert state(case, number) == "open"


def test_one_unapproved_among_approved_in_the_queue(case: Inline) -> None:
    """The group of the third holds the second's commits as well."""
    with_queue(case)
    numbers = [signed_off(case, branch) for branch in ("one", "two", "three")]
    for number in numbers:
        case.act("june", "enqueue", number=number)
    case.act("kim", "dismiss_review", number=numbers[1], author="grace")
    case.settle()
    assert [state(case, number) for number in numbers[:2]] == ["merged", "open"]
    base = case.hub.world.repository("acme/shop")
    assert not base.store.is_ancestor(case.head(numbers[1]), base.branches["main"])


def test_group_that_nobody_knows(case: Inline) -> None:
    """A forged or late merge_group event about any commit turns nothing green."""
    number = case.open()
    case.waiting(number)
    head = case.head(number)
    repository = {"id": 3000, "name": "shop", "full_name": "acme/shop", "default_branch": "main"}
    installation = next(iter(case.hub.world.installations))
    group = {
        "head_sha": head,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-{number}-{head}",
        "base_sha": head,
        "base_ref": "refs/heads/main",
    }
    payload = {
        "action": "checks_requested",
        "merge_group": group,
        "repository": repository,
        "installation": {"id": installation},
    }
    assert case.post("merge_group", payload) == 202
    case.settle()
    assert not case.may_merge(number)
