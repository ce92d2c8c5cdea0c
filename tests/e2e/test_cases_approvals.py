"""Tricks with approvals: whose, of which commit, and since when. Each test is named after one."""

from collections.abc import Callable

import pytest

from sandbox.errors import Refused
from sandbox.seed import ROSTER
from tests.e2e.inline import AI, Inline

NOBODY_EXEMPT = ROSTER.replace("exempt: senior", "exempt: nobody")
TWO_NEEDED = NOBODY_EXEMPT.replace("approvals: 1", "approvals: 2")


def by_push(case: Inline) -> None:
    case.act("june", "push", branch="fix")


def by_amending(case: Inline) -> None:
    case.act("june", "amend", branch="fix", message=AI + "\n")


def by_force(case: Inline) -> None:
    case.act("june", "force_push", branch="fix", commits=[{"message": AI}])


def by_an_empty_commit(case: Inline) -> None:
    case.act("june", "push", branch="fix", commits=[{"message": "Empty", "files": {}}])


def by_the_web_editor(case: Inline) -> None:
    case.act("june", "put_file", branch="fix", path="late.py", content="import os\n")


Change = Callable[[Inline], None]
CHANGES = [by_push, by_amending, by_force, by_an_empty_commit, by_the_web_editor]


@pytest.mark.parametrize("change", CHANGES)
def test_approve_then_push(case: Inline, change: Change) -> None:
    number = case.open()
    case.waiting(number, "CS012", "CS002")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    change(case)
    case.refused(number, "CS032")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    assert case.may_merge(number)


def test_approve_then_push_then_return_to_the_approved_commit(case: Inline) -> None:
    number = case.open()
    approved = case.head(number)
    case.act("grace", "approve", number=number)
    case.act("june", "push", branch="fix")
    case.refused(number, "CS032")
    case.act("june", "set_branch", branch="fix", sha=approved)
    case.signed(number, "grace")


def test_push_lands_before_the_click(case: Inline) -> None:
    """An approval says which commit it is of; a newer head is not what was read."""
    number = case.open()
    read = case.head(number)
    case.act("june", "push", branch="fix")
    case.act("grace", "approve", number=number, commit=read)
    seen = case.refused(number, "CS032")
    assert "1 commit before the head" in seen.summary


def test_approve_then_request_changes(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("grace", "request_changes", number=number)
    case.expect(number, "failure", "CS015", title="@grace (senior) asked for changes")
    case.act("ada", "approve", number=number)
    case.refused(number, "CS015", why="asked for changes")
    case.act("grace", "review", number=number, event="COMMENT", body="Fine now, I think")
    case.refused(number, "CS015", why="asked for changes")


@pytest.mark.parametrize("lift", ["approve", "dismiss", "a peer dismisses"])
def test_changes_requested_are_lifted(case: Inline, lift: str) -> None:
    number = case.open()
    case.act("grace", "request_changes", number=number)
    case.act("ada", "approve", number=number)
    case.refused(number, "CS015", why="asked for changes")
    if lift == "approve":
        case.act("grace", "approve", number=number)
    else:
        by = "grace" if lift == "dismiss" else "ada"
        case.act(by, "dismiss_review", number=number, author="grace")
    case.signed(number)


@pytest.mark.parametrize("who", ["june", "kim", "acme-codegen[bot]"])
def test_dismiss_somebody_elses_objection(case: Inline, who: str) -> None:
    """Whoever may write may dismiss, the author too: another approval must not do then."""
    number = case.open()
    case.act("grace", "request_changes", number=number)
    case.refused(number, "CS015", why="asked for changes")
    case.act(who, "dismiss_review", number=number, author="grace")
    case.act("ada", "approve", number=number)
    seen = case.refused(number, "CS015", "CS076", why="does not lift it")
    assert who.removesuffix("[bot]") in seen.title
    assert "ask `@grace` to review again" in seen.summary
    case.act("june", "push", branch="fix")
    case.act("ada", "approve", number=number)
    case.refused(number, "CS015", "CS076", why="does not lift it")
    case.act("grace", "approve", number=number)
    case.signed(number)


def test_dismiss_an_objection_to_ones_own_work(case: Inline) -> None:
    """A senior, but with a part in the change; nor does it help to lose one's access afterwards."""
    number = case.open(pusher="ada")
    case.act("olga", "add_collaborator", login="kim", permission="write")
    case.act("grace", "request_changes", number=number)
    case.act("ada", "dismiss_review", number=number, author="grace")
    case.refused(number, "CS015", "CS076", why="does not lift it")


def test_dismiss_one_of_two_objections(case: Inline) -> None:
    """The words say whose a peer may still dismiss."""
    number = case.open()
    case.act("grace", "request_changes", number=number)
    case.act("ada", "request_changes", number=number)
    case.act("june", "dismiss_review", number=number, author="grace")
    seen = case.refused(number, "CS015", "CS076", why="asked for changes")
    assert "ask `@grace` and `@ada` to review again" in seen.summary
    assert "but `@grace` can dismiss the review of `@ada`." in seen.summary


def test_nobody_is_sent_to_dismiss_in_vain(case: Inline) -> None:
    """Anybody may have written the commit: a dismissal would not count, and there is only one."""
    case.act("june", "fork_repository")
    commits = [{"message": AI, "author": "Ghost <ghost@nowhere.example>"}]
    case.act("june", "push", repo="june/shop", branch="fix", commits=commits)
    number = int(case.act("june", "open_pull_request", head="june:fix", title="Fix")["number"])
    case.act("grace", "request_changes", number=number)
    seen = case.refused(number, "CS015", why="asked for changes")
    assert "can dismiss" not in seen.summary
    case.act("ada", "dismiss_review", number=number, author="grace")
    case.refused(number, "CS015", "CS076", why="does not lift it")


def test_dismiss_an_objection_then_lose_the_right(case: Inline) -> None:
    number = case.open()
    case.act("grace", "request_changes", number=number)
    case.act("ada", "dismiss_review", number=number, author="grace")
    case.waiting(number)
    case.act("olga", "remove_collaborator", login="ada")
    case.act("june", "push", branch="fix")
    case.refused(number, "CS015", "CS076", why="does not lift it")


def test_an_objection_ends_when_its_author_leaves_the_roster(case: Inline) -> None:
    number = case.open()
    case.act("grace", "request_changes", number=number)
    case.act("june", "dismiss_review", number=number, author="grace")
    case.act("ada", "approve", number=number)
    case.refused(number, "CS015", why="does not lift it")
    case.roster(ROSTER.replace("id: 1906, level: senior", "id: 1906, level: mid"))
    case.signed(number, "ada")


def test_changes_requested_survive_a_push(case: Inline) -> None:
    number = case.open()
    case.act("grace", "request_changes", number=number)
    case.act("june", "push", branch="fix")
    case.act("ada", "approve", number=number)
    case.refused(number, "CS015", why="asked for changes")


def test_changes_requested_from_below_the_level_block_nothing(case: Inline) -> None:
    number = case.open()
    case.act("kim", "request_changes", number=number)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_dismiss_newest_older_approval_revives(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("june", "dismiss_review", number=number, author="grace")
    case.refused(number, "CS041")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_dismiss_a_change_request_and_the_older_approval_revives(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.act("grace", "request_changes", number=number)
    case.act("ada", "dismiss_review", number=number, author="grace")
    case.refused(number, "CS041")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("APPROVED", id="word"),
        pytest.param("/approve", id="command"),
        pytest.param("LGTM :+1:", id="thumb"),
    ],
)
def test_comment_counts_as_approval(case: Inline, body: str) -> None:
    number = case.open()
    case.act("grace", "review", number=number, event="COMMENT", body=body)
    case.act("grace", "comment", number=number, body=body)
    case.refused(number, "CS012")


def test_comment_overwrites_the_approval(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.act("grace", "review", number=number, event="COMMENT", body="One more thing")
    case.signed(number, "grace")


def test_comment_edited_into_an_approval(case: Inline) -> None:
    number = case.open()
    review = case.act("grace", "review", number=number, event="COMMENT", body="Hm")
    case.act("grace", "edit_review", number=number, review_id=review["id"], body="Approved!")
    case.refused(number, "CS012")


def test_changes_requested_with_the_word_approved(case: Inline) -> None:
    number = case.open()
    case.act("grace", "request_changes", number=number, body="Approved once the typo is fixed")
    case.refused(number, "CS015", why="asked for changes")


# --- who wrote it ---------------------------------------------------------------------------------


def test_unattributed_commit_hides_the_writer_who_then_approves(case: Inline) -> None:
    """In a fork nobody can say who pushed, so the unknown writer could be the approver."""
    case.act("june", "fork_repository")
    commits = [{"message": AI, "author": "Ghost <ghost@nowhere.example>"}]
    case.act("june", "push", repo="june/shop", branch="fix", commits=commits)
    pull = case.act("june", "open_pull_request", head="june:fix", title="Fix")
    number = int(pull["number"])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS016", "CS013")
    case.act("ada", "approve", number=number)
    case.signed(number)


def test_unattributed_commit_that_the_approver_pushed(case: Inline) -> None:
    number = case.open(commits=[{"message": AI, "author": "Ghost <ghost@nowhere.example>"}])
    commits = [{"message": AI, "author": "Ghost <ghost@nowhere.example>"}]
    case.act("grace", "push", branch="fix", commits=commits)
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_unattributed_commit_where_the_pushers_are_known(case: Inline) -> None:
    number = case.open(commits=[{"message": AI, "author": "Ghost <ghost@nowhere.example>"}])
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


@pytest.mark.parametrize("where", ["author", "committer", "co-author", "noreply"])
def test_forged_identity_frames_a_senior(case: Inline, where: str) -> None:
    """A name in a commit can take a right away; it is shown whose and why, and others can sign."""
    commit = {"message": AI}
    match where:
        case "author" | "committer":
            commit |= {where: "Grace Hopper <grace@acme.example>"}
        case "co-author":
            commit["message"] += "\nCo-authored-by: Grace Hopper <grace@acme.example>"
        case _:
            commit["message"] += "\nCo-authored-by: G <1906+grace@users.noreply.github.com>"
    number = case.open(commits=[commit])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_forged_senior_authors_do_not_make_it_exempt(case: Inline) -> None:
    author = "Ada Lovelace <ada@acme.example>"
    number = case.open(commits=[{"message": AI, "author": author, "committer": author}])
    case.refused(number, "CS012")


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param("a junior pushed", id="pusher"),
        pytest.param("a junior wrote", id="author"),
        pytest.param("a junior co-wrote", id="co-author"),
        pytest.param("nobody knows who wrote", id="unattributed"),
    ],
)
def test_senior_opens_the_work_of_a_junior_as_exempt(case: Inline, forge: str) -> None:
    commit = {"message": AI, "author": "grace"}
    match forge:
        case "a junior wrote":
            commit["author"] = "june"
        case "a junior co-wrote":
            commit["message"] += "\nCo-authored-by: June Junior <june@acme.example>"
        case "nobody knows who wrote":
            commit["author"] = "Ghost <ghost@nowhere.example>"
        case _:
            pass
    pusher = "june" if forge == "a junior pushed" else "grace"
    number = case.open(actor="grace", pusher=pusher, commits=[commit])
    case.refused(number, "CS012")


def test_senior_opens_what_a_junior_pushed_before_anybody_listened(case: Inline) -> None:
    """Commits in the senior's name; that june pushed them is only in GitHub's activity list."""
    commits = [{"message": AI, "author": "grace"}]
    with case.hub.world.quiet():
        case.act("june", "push", branch="fix", commits=commits)
    pull = case.act("grace", "open_pull_request", head="fix", title="Fix the total")
    case.refused(int(pull["number"]), "CS052")


def test_every_contributor_is_senior(case: Inline) -> None:
    number = case.open(actor="grace")
    case.expect(number, "success", "CS010", title="every contributor is senior")


def test_senior_fork_is_not_exempt(case: Inline) -> None:
    case.act("grace", "fork_repository")
    case.act("grace", "push", repo="grace/shop", branch="fix", commits=[{"message": AI}])
    pull = case.act("grace", "open_pull_request", head="grace:fix", title="Fix")
    case.refused(int(pull["number"]), "CS012")


def test_co_author_without_an_account_makes_it_nobodys_exemption(case: Inline) -> None:
    credit = AI + "\nCo-authored-by: June at home <june@home.example>"
    case.refused(case.open(actor="grace", message=credit), "CS012", "CS053")


def test_exempt_until_a_junior_pushes(case: Inline) -> None:
    number = case.open(actor="grace")
    case.expect(number, "success", "CS010")
    case.act("june", "push", branch="fix", commits=[{"message": "More", "author": "grace"}])
    case.refused(number, "CS012", "CS052")


# --- agents and bots ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["assigned", "asked for review"])
def test_requester_of_the_agent_approves_its_pull_request(case: Inline, how: str) -> None:
    agent = "copilot-swe-agent[bot]"
    number = case.open("copilot/fix", actor=agent, message="Fix")
    if how == "assigned":
        case.act("grace", "assign", number=number, assignee="grace")
    else:
        case.act(agent, "request_review", number=number, reviewer="grace")
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_reviewer_asked_by_a_person_may_sign_the_agents_work(case: Inline) -> None:
    number = case.open("copilot/fix", actor="copilot-swe-agent[bot]", message="Fix")
    case.act("kim", "request_review", number=number, reviewer="grace")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_requester_as_co_author_of_the_agents_commit(case: Inline) -> None:
    message = "Fix\n\nCo-authored-by: Grace Hopper <grace@acme.example>"
    number = case.open("copilot/fix", actor="copilot-swe-agent[bot]", message=message)
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")


def test_agent_opens_with_a_humans_token(case: Inline) -> None:
    case.roster(NOBODY_EXEMPT)
    number = case.open(actor="grace")
    case.refused(number, "CS012")
    with pytest.raises(Refused):
        case.act("grace", "approve", number=number)
    case.act("kim", "approve", number=number)
    case.refused(number, "CS037")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_senior_signs_off_own_ai_work_in_another_name(case: Inline) -> None:
    """Opened by a junior, pushed by the senior who then approves."""
    number = case.open(pusher="grace", commits=[{"message": AI, "author": "june"}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")


def test_senior_pushed_once_and_the_commit_was_forced_away(case: Inline) -> None:
    number = case.open()
    case.act("grace", "push", branch="fix", commits=[{"message": "More", "author": "june"}])
    case.settle()
    case.act("june", "force_push", branch="fix", commits=[{"message": AI}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")


def test_senior_signed_the_commit(case: Inline) -> None:
    number = case.open(commits=[{"message": AI, "signed_by": "grace"}])
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")


def test_senior_clicked_update_branch_and_approves(case: Inline) -> None:
    number = case.open()
    case.act("olga", "put_file", path="other.md", content="x\n")
    case.act("grace", "update_branch", number=number)
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")


@pytest.mark.parametrize(
    "bot",
    [
        pytest.param("acme-codegen[bot]", id="second-identity"),
        pytest.param("copilot-swe-agent[bot]", id="ai-reviewer"),
        pytest.param("dependabot[bot]", id="automation"),
        pytest.param("github-actions[bot]", id="workflow"),
    ],
)
def test_bot_approves(case: Inline, bot: str) -> None:
    case.act("olga", "add_collaborator", login=bot, permission="write")
    number = case.open()
    case.act(bot, "approve", number=number, body="On behalf of @grace")
    seen = case.refused(number, "CS030")
    assert "only people sign off" in seen.summary


def test_bot_with_the_login_of_a_senior_approves(case: Inline) -> None:
    case.people("create_user", login="grace", kind="Bot", id=77001)
    case.act("olga", "add_collaborator", login="grace[bot]", permission="write")
    number = case.open()
    case.act("grace[bot]", "approve", number=number)
    case.refused(number, "CS030")


def test_bot_on_the_roster_approves(case: Inline) -> None:
    case.roster(ROSTER.replace("people:\n", "people:\n  acme-codegen: {id: 2101, level: senior}\n"))
    number = case.open()
    case.act("acme-codegen[bot]", "approve", number=number)
    case.refused(number, "CS030")


def in_the_staff_team(case: Inline, login: str, number: int) -> None:
    """An agent with an ordinary user account and a seat, in the team of those who sign."""
    case.people("create_user", login=login, id=number, email=f"{login}@cursor.example")
    case.people("add_member", org="acme", login=login)
    case.people("add_to_team", org="acme", team="staff-engineers", login=login)
    case.act("olga", "add_collaborator", login=login, permission="write")
    case.roster(ROSTER.replace("people:", "teams:\n  acme/staff-engineers: senior\npeople:"))


def test_agent_with_a_users_account_approves(case: Inline) -> None:
    number = case.open()
    in_the_staff_team(case, "cursoragent", 199161495)
    case.act("cursoragent", "approve", number=number)
    seen = case.refused(number, "CS030")
    assert "@cursoragent" not in seen.title
    case.act("grace", "request_changes", number=number)
    case.act("cursoragent", "dismiss_review", number=number, author="grace")
    case.act("ada", "approve", number=number)
    case.refused(number, "CS015", "CS076", why="does not lift it")


def test_agent_with_a_users_account_is_exempt(case: Inline) -> None:
    in_the_staff_team(case, "cursoragent", 199161495)
    number = case.open(actor="cursoragent")
    case.refused(number, "CS012")


def test_agent_that_was_renamed_keeps_its_number(case: Inline) -> None:
    number = case.open()
    in_the_staff_team(case, "nice-colleague", 199161495)
    case.act("nice-colleague", "approve", number=number)
    case.refused(number, "CS030")


def test_bot_approves_on_a_persons_command(case: Inline) -> None:
    number = case.open()
    case.act("grace", "comment", number=number, body="/approve")
    case.act("acme-release[bot]", "approve", number=number, body="Approved for @grace")
    case.refused(number, "CS030")


@pytest.mark.parametrize("kind", ["Mannequin"])
def test_mannequin_of_an_import_approves(case: Inline, kind: str) -> None:
    case.people("create_user", login="old-grace", kind=kind, id=77002)
    case.act("olga", "add_collaborator", login="old-grace", permission="write")
    case.roster(ROSTER.replace("people:\n", "people:\n  old-grace: {id: 77002, level: senior}\n"))
    number = case.open()
    case.act("old-grace", "approve", number=number)
    case.refused(number, "CS030")


# --- who may, now ---------------------------------------------------------------------------------


def test_drive_by_approval_by_a_stranger(case: Inline) -> None:
    case.act("olga", "set_visibility", private=False)
    case.people("create_user", login="stranger")
    number = case.open()
    case.act("stranger", "approve", number=number)
    case.refused(number, "CS031", "CS035")


def test_drive_by_approval_by_a_senior_without_write(case: Inline) -> None:
    case.act("olga", "set_visibility", private=False)
    number = case.open()
    case.act("olga", "remove_collaborator", login="grace")
    case.act("grace", "approve", number=number)
    case.refused(number, "CS035")


@pytest.mark.parametrize("level", ["mid", "junior"])
def test_approval_from_below_the_level(case: Inline, level: str) -> None:
    opener = "june" if level == "mid" else "kim"
    number = case.open(actor=opener)
    case.act("kim" if level == "mid" else "june", "approve", number=number)
    case.refused(number, "CS037")


LEFT: list[object] = [
    pytest.param("remove_collaborator", "CS035", id="lost-write"),
    pytest.param("remove_member", "CS035", id="left-the-organisation"),
    pytest.param("demoted", "CS037", id="demoted"),
    pytest.param("unlisted", "CS031", id="taken-off-the-roster"),
]


@pytest.mark.parametrize(("how", "code"), LEFT)
def test_senior_left_after_approving(case: Inline, how: str, code: str) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    match how:
        case "remove_collaborator":
            case.act("olga", "remove_collaborator", login="grace")
        case "remove_member":
            case.people("remove_member", org="acme", login="grace")
        case "demoted":
            case.roster(ROSTER.replace("id: 1906, level: senior", "id: 1906, level: mid"))
        case _:
            case.roster(ROSTER.replace("  grace: {id: 1906, level: senior}\n", ""))
    case.refused(number, code)


def test_senior_of_a_team_leaves_it(case: Inline) -> None:
    people = ROSTER.replace("  grace: {id: 1906, level: senior}\n", "")
    case.roster(people.replace("sign_off:", "teams:\n  acme/staff-engineers: senior\nsign_off:"))
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.people("remove_from_team", org="acme", team="staff-engineers", login="grace")
    case.refused(number, "CS031")


def test_team_is_deleted(case: Inline) -> None:
    people = ROSTER.replace("  grace: {id: 1906, level: senior}\n", "")
    case.roster(people.replace("sign_off:", "teams:\n  acme/staff-engineers: senior\nsign_off:"))
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.people("delete_team", org="acme", team="staff-engineers")
    case.refused(number, "CS073")


def test_senior_deleted_the_account(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.people("delete_user", actor="grace")
    case.act("june", "edit_pull_request", number=number, title="Fix it")
    case.refused(number, "CS040")


def test_renamed_login_reused_by_a_stranger(case: Inline) -> None:
    number = case.open()
    case.people("rename_user", actor="grace", login="grace-h")
    case.people("create_user", login="grace", id=99001)
    case.act("olga", "add_collaborator", login="grace", permission="write")
    case.act("grace", "approve", number=number)
    case.refused(number, "CS033")
    case.act("grace-h", "approve", number=number)
    case.refused(number, "CS033")


def test_login_in_another_case_is_the_same_person(case: Inline) -> None:
    case.roster(ROSTER.replace("grace: {id: 1906", "GRACE: {id: 1906"))
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_same_person_counted_twice(case: Inline) -> None:
    case.roster(TWO_NEEDED)
    number = case.open()
    case.act("grace", "approve", number=number)
    case.act("grace", "approve", number=number)
    case.refused(number, "CS013")
    case.act("ada", "approve", number=number)
    case.signed(number)


def test_same_person_counted_twice_under_two_names(case: Inline) -> None:
    case.roster(TWO_NEEDED.replace("grace: {id: 1906,", "grace-h: {id: 1906,"))
    number = case.open()
    case.act("grace", "approve", number=number)
    case.people("rename_user", actor="grace", login="grace-h")
    case.act("grace-h", "approve", number=number)
    case.refused(number, "CS013")


def test_suggest_code_to_another_then_approve_it(case: Inline) -> None:
    number = case.open()
    case.act(
        "june", "suggest", number=number, suggester="grace", path="shop/pay.py", content="pass\n"
    )
    case.act("grace", "approve", number=number)
    case.refused(number, "CS034")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_review_whose_commit_was_lost(case: Inline) -> None:
    number = case.open()
    review = case.act("grace", "approve", number=number)
    case.act("olga", "lose_review_commit", number=number, review_id=review["id"])
    case.refused(number, "CS039")


def test_approval_given_while_closed_counts_for_that_commit_only(case: Inline) -> None:
    number = case.open()
    case.act("june", "close_pull_request", number=number)
    case.act("grace", "approve", number=number)
    case.act("june", "reopen_pull_request", number=number)
    case.signed(number, "grace")
    case.act("june", "close_pull_request", number=number)
    case.act("june", "push", branch="fix")
    case.act("june", "reopen_pull_request", number=number)
    case.refused(number, "CS032")


def test_approval_of_the_twin_does_not_count_for_this_one(case: Inline) -> None:
    """A review belongs to a pull request, also where two have the very same head."""
    case.act("olga", "push", branch="stable", commits=[])
    number = case.open()
    twin = case.act("june", "open_pull_request", head="fix", base="stable", title="Twin")
    case.act("grace", "approve", number=int(twin["number"]))
    case.refused(number, "CS012")
