"""Nothing stale: a verdict goes when what it rests on goes, in every process, event or no event."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

import github.Auth
import pytest

from github_app import teams
from github_app.judge.again import RIGHTS_AGE
from github_app.store.audit import RecordKind
from github_app.store.task import Task, TaskKind
from sandbox.seed import ROSTER
from tests.e2e.inline import ROSTERS, SHOP, Inline
from tests.e2e.processes import another_process

DEMOTED = ROSTER.replace("grace: {id: 1906, level: senior}", "grace: {id: 1906, level: mid}")
WITHOUT_GRACE = ROSTER.replace("  grace: {id: 1906, level: senior}\n", "")
BY_TEAM = WITHOUT_GRACE.replace("sign_off:", "teams:\n  acme/staff-engineers: senior\nsign_off:")
LATER = 20  # seconds: after the margin in which a sweep asks again anyway


def lost(case: Inline) -> None:
    """The webhooks of what follows are lost without a trace."""
    case.hub.drain()
    case.hub.courier.receiver = lambda _headers, _body: 202


def signed_off(case: Inline, branch: str = "fix") -> int:
    """A pull request that grace has signed off, long enough ago."""
    number = case.open(branch)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    long_ago(case)
    return number


def long_ago(case: Inline) -> None:
    """Let so much time pass that a sweep finds nothing of what happened until now."""
    case.clock.skip(LATER)
    case.sweep()
    case.clock.skip(LATER)


def snapshots(case: Inline) -> int:
    """How many were read since the calls were last reset."""
    return case.hub.calls.count("graphql:PullRequestSnapshot")


# --- rosters and rules ----------------------------------------------------------------------------


def test_roster_change_that_nobody_told_of(case: Inline) -> None:
    number = signed_off(case)
    lost(case)
    case.roster(DEMOTED)
    case.signed(number, "grace")
    case.sweep()
    case.refused(number, "CS037")


def test_layer_that_nobody_told_of(case: Inline) -> None:
    number = signed_off(case)
    lost(case)
    text = "version: 1\nsign_off:\n  from: principal\n"
    case.act("olga", "put_file", path=".github/reviewers.yaml", content=text)
    case.sweep()
    case.refused(number, "CS037")


def test_roster_of_the_deployment_is_changed(case: Inline) -> None:
    with case.hub.world.quiet():
        case.act("olga", "put_file", repo=ROSTERS, path="reviewers.yaml", content=None)
    deployed = case.parts.settings.roster
    deployed.write_text(ROSTER)
    number = signed_off(case)
    deployed.write_text(DEMOTED)
    case.sweep()
    case.refused(number, "CS037")


def test_new_version_judges_everything_again(case: Inline) -> None:
    number = signed_off(case)
    with patch.object(case.parts.rosters, "_rules", "the rules of a newer version"):
        case.hub.calls.reset()
        case.sweep()
        assert snapshots(case) == 1
        case.hub.calls.reset()
        case.sweep()
        assert snapshots(case) == 0
    case.signed(number, "grace")


def test_commit_that_leaves_the_roster_alone_has_nothing_judged(case: Inline) -> None:
    signed_off(case)
    lost(case)
    case.act("olga", "put_file", repo=ROSTERS, path="README.md", content="hello")
    case.act("olga", "put_file", path="README.md", content="hello")
    case.hub.calls.reset()
    case.sweep()
    assert snapshots(case) == 0


def test_most_recently_active_goes_first(case: Inline) -> None:
    first, second, third = (signed_off(case, branch) for branch in ("a", "b", "c"))
    case.act("june", "edit_pull_request", number=second, title="Fix it")
    case.settle()
    case.clock.skip(LATER)
    lost(case)
    case.roster(DEMOTED)
    before = sum(1 for _ in case.parts.store.audit.records())
    case.sweep()
    later = list(case.parts.store.audit.records())[before:]
    judged = [one.entry.number for one in later if one.entry.kind is RecordKind.JUDGED]
    assert judged == [second, third, first]


# --- time -----------------------------------------------------------------------------------------


def test_who_is_there_changes_with_time_alone(
    case: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.fromtimestamp(case.clock.seconds(), UTC).date()
    until = today + timedelta(days=1)
    away = f"grace: {{id: 1906, level: senior, away: {today}/{until}}}"
    case.roster(ROSTER.replace("grace: {id: 1906, level: senior}", away))
    number = case.open()
    case.expect(number, "action_required", title="Waiting for a senior: @ada can sign off")
    long_ago(case)
    case.hub.calls.reset()
    case.sweep()
    assert snapshots(case) == 0
    # The app signs its tokens by the machine's clock, and GitHub refuses those of another day.
    monkeypatch.setattr(github.Auth, "time", SimpleNamespace(time=case.clock.seconds))
    case.clock.skip(2 * 86_400)
    monkeypatch.setattr(case.parts.github._app, "_good_until", 0.0)
    case.sweep()
    case.expect(number, "action_required", title="@grace")
    case.hub.calls.reset()
    case.sweep()
    assert snapshots(case) == 0


# --- teams ----------------------------------------------------------------------------------------


def test_member_who_left_loses_the_green_in_every_process(case: Inline) -> None:
    case.roster(BY_TEAM)
    number = case.open()
    case.act("grace", "approve", number=number)
    with another_process(case) as other:
        case.hub.drain()
        while other.step():
            pass
        case.signed(number, "grace")  # both have read the team by now
        case.people("remove_from_team", org="acme", team="staff-engineers", login="grace")
        case.settle()  # the event is worked on by this one
        case.refused(number, "CS031")
        case.act("june", "edit_pull_request", number=number, title="Fix it")
        case.hub.drain()
        while other.step():
            pass
        case.refused(number, "CS031")  # and the other one has forgotten her too


def test_teams_are_not_read_again_for_every_judgement(case: Inline) -> None:
    case.roster(BY_TEAM)
    signed_off(case)
    case.hub.calls.reset()
    for branch in ("a", "b", "c"):
        case.open(branch)
        case.settle()
    by_kind = case.hub.calls.summary()["by_kind"]
    assert not [kind for kind in by_kind if "/teams/" in kind], by_kind


def test_member_who_left_without_an_event(case: Inline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "MEMBERS_AGE", LATER)
    case.roster(BY_TEAM)
    number = signed_off(case)
    lost(case)
    case.people("remove_from_team", org="acme", team="staff-engineers", login="grace")
    case.clock.skip(LATER + 1)
    case.sweep()
    case.refused(number, "CS031")


def test_renamed_team_is_unread_and_the_check_says_so(case: Inline) -> None:
    case.roster(BY_TEAM)
    number = signed_off(case)
    case.people("rename_team", org="acme", team="staff-engineers", name="Principals")
    seen = case.refused(number, "CS073")
    assert "acme/staff-engineers" in seen.summary
    case.roster(BY_TEAM.replace("acme/staff-engineers", "acme/principals"))
    case.signed(number, "grace")


def test_team_that_was_gone_is_back(case: Inline) -> None:
    case.roster(BY_TEAM)
    number = signed_off(case)
    case.people("delete_team", org="acme", team="staff-engineers")
    seen = case.refused(number, "CS073")
    assert "acme/staff-engineers" in seen.summary
    case.people("create_team", org="acme", slug="staff-engineers", members=["grace"])
    case.signed(number, "grace")


def test_members_of_a_child_team_count(case: Inline) -> None:
    case.people("create_team", org="acme", slug="engineers")
    case.people("create_team", org="acme", slug="staff", parent="engineers", members=["grace"])
    case.roster(BY_TEAM.replace("acme/staff-engineers", "acme/engineers"))
    number = signed_off(case)
    case.people("remove_from_team", org="acme", team="staff", login="grace")
    case.refused(number, "CS031")


def test_members_of_a_parent_team_do_not_count(case: Inline) -> None:
    case.people("create_team", org="acme", slug="engineers", members=["grace"])
    case.people("create_team", org="acme", slug="staff", parent="engineers", members=["ada"])
    case.roster(BY_TEAM.replace("acme/staff-engineers", "acme/staff"))
    number = case.open()
    case.act("grace", "approve", number=number)
    case.refused(number, "CS031")


def test_secret_team_gives_nobody_a_level_and_the_check_says_so(case: Inline) -> None:
    case.people("create_team", org="acme", slug="board", secret=True, members=["grace"])
    case.roster(BY_TEAM.replace("acme/staff-engineers", "acme/board"))
    number = case.open()
    case.act("grace", "approve", number=number)
    seen = case.refused(number, "CS073")
    assert "acme/board" in seen.summary


# --- rights to push -------------------------------------------------------------------------------


def test_signer_who_lost_the_right_to_push_and_nobody_told(case: Inline) -> None:
    number = signed_off(case)
    with case.hub.world.quiet():
        case.act("olga", "remove_collaborator", login="grace")
    case.sweep()
    case.signed(number, "grace")  # nothing that a sweep reads shows it
    case.clock.skip(RIGHTS_AGE.total_seconds())
    case.sweep()
    case.refused(number, "CS035")


def test_rights_are_read_again_once_and_not_by_every_sweep(case: Inline) -> None:
    number = signed_off(case)
    case.clock.skip(RIGHTS_AGE.total_seconds())
    case.sweep()
    case.clock.skip(LATER)
    case.hub.calls.reset()
    case.sweep()
    assert snapshots(case) == 0
    case.signed(number, "grace")


# --- suspension -----------------------------------------------------------------------------------


def installation_id(case: Inline) -> int:
    (found,) = case.hub.world.installations.values()
    return found.id


def suspend(case: Inline) -> None:
    case.people("suspend_installation", app="countersign", account="acme")


def unsuspend(case: Inline) -> None:
    case.people("unsuspend_installation", app="countersign", account="acme")


@pytest.mark.parametrize("told", [True, False], ids=["event-arrives", "event-is-lost"])
def test_everything_is_judged_after_a_suspension(case: Inline, *, told: bool) -> None:
    number, other = signed_off(case), signed_off(case, "other")
    suspend(case)
    with case.hub.world.quiet():
        case.roster(DEMOTED)
        case.act("olga", "remove_collaborator", login="grace")
    # What was asked for just before the suspension is claimed in it.
    asked = Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=installation_id(case),
        repository_id=case.hub.world.repository(SHOP).id,
        subject=str(number),
        full_name=SHOP,
    )
    case.parts.store.queue.add([asked])
    case.settle()
    case.clock.skip(LATER)
    case.sweep()
    case.clock.skip(LATER)
    if not told:
        lost(case)
    unsuspend(case)
    case.settle()
    if not told:
        case.sweep()
    case.refused(number, "CS037")
    case.refused(other, "CS037")
