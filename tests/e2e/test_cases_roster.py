"""Tricks with the roster: who may change it, from where it is read, and what a broken one does."""

from pathlib import Path

import pytest

from sandbox.seed import ROSTER
from tests.e2e.inline import AI, ROSTERS, Inline, Seen, inline

RAISES_JUNE = ROSTER.replace("june: {id: 2002, level: junior}", "june: {id: 2002, level: senior}")
RAISES_KIM = ROSTER.replace("kim: {id: 2001, level: mid}", "kim: {id: 2001, level: senior}")
LAYER = ".github/reviewers.yaml"
TIGHTER = "version: 1\nsign_off:\n  from: principal\n"


def change_roster(case: Inline, text: str, *, actor: str = "june", branch: str = "raise") -> int:
    """A pull request against the organisation's roster. Everybody may push there."""
    for login in ("ada", "grace", "kim", "june"):
        case.act("olga", "add_collaborator", repo=ROSTERS, login=login, permission="write")
    commits = [{"message": "Change the roster", "files": {"reviewers.yaml": text}}]
    return case.open(branch, actor, repo=ROSTERS, commits=commits)


def roster_check(case: Inline, number: int) -> Seen:
    case.settle()
    seen = case.check(number, ROSTERS)
    assert seen is not None
    return seen


@pytest.mark.parametrize(
    "layer",
    ["version: 1\npeople:\n  june: senior\n", "version: 1\nunlisted: senior\n", RAISES_JUNE],
)
def test_add_yourself_to_the_roster_in_the_same_pull_request(case: Inline, layer: str) -> None:
    number = case.open(commits=[{"message": AI, "files": {LAYER: layer}}])
    case.refused(number, "CS069", why="Cannot judge: this change would break the roster")
    case.act("kim", "approve", number=number)
    case.refused(number, "CS069", why="Cannot judge")


def test_repository_roster_changed_by_a_human_needs_a_senior(case: Inline) -> None:
    number = case.open(commits=[{"message": "Tighten", "files": {LAYER: TIGHTER}}])
    case.refused(number, "CS012", "CS004")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_roster_change_by_a_human_needs_a_senior(case: Inline) -> None:
    number = change_roster(case, ROSTER + "# no more\n")
    seen = roster_check(case, number)
    assert not seen.green
    assert "CS004" in seen.codes
    case.act("kim", "approve", repo=ROSTERS, number=number)
    assert not roster_check(case, number).green
    case.act("grace", "approve", repo=ROSTERS, number=number)
    assert roster_check(case, number).green


def test_roster_change_by_a_senior_is_not_exempt(case: Inline) -> None:
    number = change_roster(case, ROSTER + "# no more\n", actor="grace")
    assert not roster_check(case, number).green
    case.act("ada", "approve", repo=ROSTERS, number=number)
    assert roster_check(case, number).green


def test_roster_change_signed_by_whom_it_raises(case: Inline) -> None:
    text = ROSTER.replace("grace: {id: 1906, level: senior}", "grace: {id: 1906, level: principal}")
    number = change_roster(case, text)
    case.act("grace", "approve", repo=ROSTERS, number=number)
    seen = roster_check(case, number)
    assert not seen.green
    assert "CS038" in seen.codes
    case.act("ada", "approve", repo=ROSTERS, number=number)
    assert roster_check(case, number).green


def test_roster_change_signed_by_a_junior_it_makes_senior(case: Inline) -> None:
    number = change_roster(case, RAISES_KIM)
    case.act("kim", "approve", repo=ROSTERS, number=number)
    seen = roster_check(case, number)
    assert not seen.green
    assert {"CS037", "CS038"} <= seen.codes


@pytest.mark.parametrize("path", ["Reviewers.YAML", "docs/../reviewers.yaml"])
def test_roster_under_another_spelling_is_not_the_roster(case: Inline, path: str) -> None:
    """What git calls otherwise is another file: it is read by nobody, so it raises nobody."""
    case.act("olga", "put_file", repo=ROSTERS, path=path.replace("docs/../", "docs/"), content="x")
    number = case.open()
    case.act("june", "push", branch="other")
    case.act("kim", "approve", number=number)
    case.refused(number, "CS037")


def test_retarget_to_a_branch_that_holds_a_loose_roster(case: Inline) -> None:
    case.act("olga", "push", branch="loose", commits=[{"files": {LAYER: RAISES_KIM}}])
    number = case.open(start="main", base="loose")
    case.act("kim", "approve", number=number)
    seen = case.expect(number, "action_required", "CS037")
    assert LAYER not in seen.summary


def test_roster_in_the_head_is_not_in_force(case: Inline) -> None:
    number = case.open(commits=[{"message": AI, "files": {"reviewers.yaml": RAISES_KIM}}])
    case.act("kim", "approve", number=number)
    case.refused(number, "CS037")


BROKEN = [
    pytest.param("version: 1\nlevels: [a\n", id="malformed"),
    pytest.param(ROSTER + "unlisted: senior\n", id="duplicate-key"),
    pytest.param(ROSTER.replace("level: mid", "level: snr"), id="unknown-level"),
    pytest.param("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", id="anchors"),
    pytest.param("!!python/object/apply:os.system ['true']\n", id="python-tag"),
    pytest.param(ROSTER + "#" * 300_000, id="oversized"),
    pytest.param("- a\n- b\n", id="wrong-type"),
    pytest.param("", id="empty"),
    pytest.param("\ufeff\tversion: 1", id="tab"),
    pytest.param("\x00\x01", id="binary"),
]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_roster_leaves_the_last_valid_one_in_force(case: Inline, text: str) -> None:
    number = case.open()
    case.refused(number, "CS012")
    case.roster(text)
    case.refused(number, "CS012", "CS070")
    case.act("kim", "approve", number=number)
    case.refused(number, "CS037", "CS070")
    case.act("grace", "approve", number=number)
    case.expect(number, "success", "CS011", "CS070")
    case.roster(ROSTER)
    assert "CS070" not in case.signed(number).codes


@pytest.mark.parametrize("text", BROKEN)
def test_broken_roster_from_the_beginning(tmp_path: Path, text: str) -> None:
    with inline(tmp_path) as case:
        with case.hub.world.quiet():
            case.roster(text)
        human = case.open("human", message="Fix")
        number = case.open()
        for each in (human, number):
            case.expect(each, "failure", "CS061", title="Cannot judge")
        case.act("grace", "approve", number=number)
        case.refused(number, "CS061", why="Cannot judge")
        case.roster(ROSTER)
        case.signed(number, "grace")
        case.expect(human, "success", "CS001")


def test_roster_is_missing(case: Inline) -> None:
    with case.hub.world.quiet():
        case.act("olga", "put_file", repo=ROSTERS, path="reviewers.yaml", content=None)
    number = case.open(message="Fix")
    case.refused(number, "CS060", why="Cannot judge: no roster was found")


@pytest.mark.parametrize("how", ["file", "repository", "name"])
def test_roster_is_taken_away(case: Inline, how: str) -> None:
    """The last valid one stays in force: taking it away must not loosen anything."""
    number = case.open()
    case.refused(number, "CS012")
    match how:
        case "file":
            case.act("olga", "put_file", repo=ROSTERS, path="reviewers.yaml", content=None)
        case "repository":
            case.act("olga", "delete_repository", repo=ROSTERS)
        case _:
            case.act("olga", "rename_repository", repo=ROSTERS, name="old-rosters")
    case.act("grace", "approve", number=number)
    case.expect(number, "success", "CS011", "CS070")


def test_only_the_author_could_sign(case: Inline) -> None:
    alone = ROSTER.replace("grace: {id: 1906, level: senior}", "grace: {id: 1906, level: mid}")
    case.roster(alone.replace("exempt: senior", "exempt: nobody"))
    number = case.open(actor="ada")
    seen = case.refused(number, "CS014", why="too few on the roster")
    assert "ask an administrator" in seen.summary


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param("version: 1\nsign_off:\n  from: mid\n", id="lower-level"),
        pytest.param("version: 1\nsign_off:\n  exempt: junior\n", id="exempt-more"),
        pytest.param("version: 1\npeople:\n  kim: senior\n", id="raise-a-person"),
        pytest.param("version: 1\nrollout:\n  mode: observe\n", id="observe-only"),
        pytest.param("version: 1\nunlisted: senior\n", id="raise-everybody"),
        pytest.param("version: 1\ndetection:\n  confidence: certain\n", id="see-less"),
        pytest.param("version: 1\nsign_off: [", id="broken"),
    ],
)
def test_repository_overrides_the_central_policy(case: Inline, layer: str) -> None:
    case.act("olga", "put_file", path=LAYER, content=layer)
    number = case.open()
    case.act("kim", "approve", number=number)
    case.refused(number, why="")


def test_repository_tightens_the_central_policy(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("olga", "put_file", path=LAYER, content=TIGHTER)
    case.refused(number, "CS037")
    case.act("ada", "approve", number=number)
    case.signed(number, "ada")


def test_repository_tightening_is_broken_later(case: Inline) -> None:
    case.act("olga", "put_file", path=LAYER, content=TIGHTER)
    number = case.open()
    case.act("grace", "approve", number=number)
    case.refused(number, "CS037")
    case.act("olga", "put_file", path=LAYER, content="version: [")
    case.refused(number, "CS037", "CS070")


def test_rename_the_repository(case: Inline) -> None:
    number = case.open()
    case.refused(number, "CS012")
    case.act("olga", "rename_repository", name="store")
    case.act("grace", "approve", repo="acme/store", number=number)
    case.expect(number, "success", "CS011", repo="acme/store")
    case.act("june", "push", repo="acme/store", branch="fix")
    case.expect(number, "action_required", "CS032", repo="acme/store")


STRICT = ROSTER + "rules:\n  - {name: shop, repositories: [acme/shop], from: principal}\n"


@pytest.mark.parametrize("known", ["judged", "told"])
def test_rename_the_repository_out_of_a_rule(case: Inline, known: str) -> None:
    """Its old name is known from an earlier judgement, or from the news of the rename alone."""
    case.roster(STRICT)
    if known == "judged":
        case.waiting(case.open("early"), "CS017")
    case.act("olga", "rename_repository", name="store")
    number = case.open(repo="acme/store")
    case.act("grace", "approve", repo="acme/store", number=number)
    case.waiting(number, "CS017", "CS037", repo="acme/store")
    case.act("ada", "approve", repo="acme/store", number=number)
    case.expect(number, "success", "CS011", repo="acme/store")


def test_rename_the_repository_into_one_that_is_observed(case: Inline) -> None:
    observing = ROSTER + "rollout: {mode: enforce, observe: [acme/legacy-*]}\n"
    case.roster(observing)
    number = case.open()
    case.waiting(number)
    case.act("olga", "rename_repository", name="legacy-shop")
    case.waiting(number, repo="acme/legacy-shop")
    case.roster(observing.replace("acme/legacy-*", "acme/legacy-*, acme/shop"))
    case.expect(number, "success", title="Observing:", repo="acme/legacy-shop")


def test_another_repository_takes_the_old_name(case: Inline) -> None:
    """Work for the old one must not be published on whoever has its name now."""
    number = case.open()
    case.act("olga", "rename_repository", name="store")
    case.people("create_repository", name="shop", owner="acme")
    case.settle()
    seen = case.check(number, "acme/store")
    assert seen is None or not seen.green


def test_transfer_the_repository_to_an_owner_with_a_loose_roster(case: Inline) -> None:
    """The roster is its new owner's. What the old owner approved is judged by that."""
    case.people("create_organization", login="emca")
    case.people("install_app", app="countersign", account="emca")
    strict = ROSTER.replace("from: senior", "from: principal")
    files = {"reviewers.yaml": strict}
    case.people("create_repository", name=".github", owner="emca", files=files)
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("olga", "transfer_repository", owner="emca")
    case.act("olga", "add_collaborator", repo="emca/shop", login="grace", permission="write")
    case.waiting(number, "CS037", repo="emca/shop")


def test_fork_with_a_roster_of_its_own(case: Inline) -> None:
    case.act("june", "fork_repository")
    case.act("june", "put_file", repo="june/shop", path=LAYER, content=RAISES_JUNE)
    case.act("june", "push", repo="june/shop", branch="fix", commits=[{"message": AI}])
    pull = case.act("june", "open_pull_request", head="june:fix", title="Fix")
    number = int(pull["number"])
    case.act("kim", "approve", number=number)
    case.refused(number, "CS037", why="")


def test_demotion_withdraws_every_green_of_the_organisation(case: Inline) -> None:
    numbers = [case.open(f"fix-{which}") for which in range(3)]
    for number in numbers:
        case.act("grace", "approve", number=number)
    for number in numbers:
        case.signed(number, "grace")
    case.roster(ROSTER.replace("id: 1906, level: senior", "id: 1906, level: junior"))
    for number in numbers:
        case.refused(number, "CS037")


def test_observing_says_what_would_have_happened(case: Inline) -> None:
    case.roster(ROSTER + "rollout:\n  mode: observe\n")
    number = case.open()
    seen = case.expect(number, "success", "CS012", title="Observing: Waiting for")
    assert "If it were enforced" in seen.summary
    case.roster(ROSTER)
    case.refused(number, "CS012")


def test_people_who_are_away_may_sign_and_are_named_last(case: Inline) -> None:
    away = "grace: {id: 1906, level: senior, away: 2020-01-01/2099-01-01}"
    case.roster(ROSTER.replace("grace: {id: 1906, level: senior}", away))
    number = case.open()
    seen = case.refused(number, "CS012", why="Waiting for a senior: @ada can sign off")
    assert "away until 2099-01-01" in seen.summary
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


@pytest.mark.parametrize("text", [RAISES_JUNE, "levels: [broken"], ids=["loose", "broken"])
def test_shadow_the_roster_by_a_repository_of_ones_own(case: Inline, text: str) -> None:
    """Members of most organisations may make repositories. The name that goes first may be free."""
    number = case.open(actor="kim")
    case.act("june", "approve", number=number)
    case.refused(number, "CS012")
    files = {"reviewers.yaml": text}
    case.people("create_repository", name=".github-private", owner="acme", files=files)
    case.act("june", "approve", number=number)
    seen = case.refused(number, "CS012", "CS071")
    assert "acme/.github-private has a reviewers.yaml too" in seen.summary
    case.sweep()
    case.refused(number, "CS012", "CS071")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")


def test_roster_moves_to_the_private_repository(case: Inline) -> None:
    """As an owner moves it: there first, then away from where it was."""
    number = case.open()
    case.refused(number, "CS012")
    files = {"reviewers.yaml": RAISES_KIM}
    case.people("create_repository", name=".github-private", owner="acme", files=files)
    case.act("kim", "approve", number=number)
    case.refused(number, "CS037")
    case.act("olga", "push", repo=ROSTERS, branch="main",
             commits=[{"message": "Moved", "files": {"reviewers.yaml": None}}])  # fmt: skip
    case.signed(number, "kim")


def test_roster_moved_away(case: Inline) -> None:
    """What a file was called is only in the diff: until it is read, any file may have been it."""
    case.act("olga", "put_file", repo=ROSTERS, path="notes.md", content="line\n" * 30)
    moved = {"notes.md": None, "docs/notes.md": "line\n" * 30}
    commits = [{"message": "Tidy up", "files": moved}]
    number = case.open(actor="olga", repo=ROSTERS, commits=commits)
    case.expect(number, "success", "CS001", repo=ROSTERS)
    commits = [{"message": "Move", "files": {"reviewers.yaml": None, "old/r.yaml": ROSTER}}]
    other = case.open("away", "olga", repo=ROSTERS, commits=commits)
    case.waiting(other, "CS004", repo=ROSTERS)
