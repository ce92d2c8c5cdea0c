"""After ``protect``, without a merge queue: a release branch can be cut from what landed as it was
judged, and from nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from github_app.cli import countersign
from github_app.gateway import check_run, landing
from github_app.gateway.errors import Unavailable
from github_app.publishing import Target
from github_app.store.audit import AuditRecord, Filter, RecordKind
from sandbox.errors import Refused
from sandbox.seed import ROSTER
from tests.e2e.inline import AI, CHECK, SHOP, Inline, inline

HUMAN = "Fix the total"


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Inline]:
    """``countersign protect acme`` was run, and the rules were looked at since."""
    with inline(tmp_path) as found:
        given = {"GITHUB_ADMIN_TOKEN": found.hub.door.user_token("olga")}
        env = found.hub.env() | given
        done = CliRunner().invoke(countersign, ["protect", "acme", "--yes"], env=env)
        assert done.exit_code == 0, done.output
        look_at_rules(found)
        yield found


def look_at_rules(case: Inline) -> None:
    """As the sweep of every hour does."""
    case.hub.drain()
    with patch.object(case.sweeper, "_protection_every", 0.0):
        case.sweep()


def tip(case: Inline) -> str:
    return str(case.hub.world.repository(SHOP).branches["main"])


def ours(case: Inline, oid: str) -> list[Any]:
    """Our check runs of this name on a commit, oldest first."""
    return [run for run in case.runs() if run.suite.sha == oid and run.name == CHECK]


def said(run: Any) -> str:
    return str(run.output["title"])


def cut(case: Inline, name: str = "release/1", start: str = "main") -> bool:
    """Whether GitHub lets june make the branch there."""
    try:
        case.act("june", "push", branch=name, commits=[], start=start)
    except Refused as refusal:
        if CHECK not in str(refusal):
            raise
        return False
    return True


def landed(case: Inline, branch: str = "fix", *, message: str = AI, **how: Any) -> str:
    """A pull request is signed off if it has to be, and merged by june; the merge."""
    number = case.open(branch, message=message)
    if message == AI:
        case.act("grace", "approve", number=number)
    case.settle()
    case.clock.skip(60)  # else a rebase may make the very commit that was there
    case.act("june", "merge", number=number, **how)
    case.settle()
    return str(case.hub.world.pull(SHOP, number).merge_sha)


def bypass(case: Inline) -> None:
    """olga may pass by every rule."""
    (ruleset,) = case.hub.world.organization("acme").rulesets
    (own,) = case.hub.world.repository(SHOP).rulesets
    actors = [{"actor_type": "OrganizationAdmin", "bypass_mode": "always"}]
    case.people("set_ruleset", org="acme", id=ruleset, ruleset={"bypass_actors": actors})
    case.act("olga", "set_ruleset", id=own, ruleset={"bypass_actors": actors})
    case.settle()


# --- what lands as it was judged -----------------------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("message", [pytest.param(AI, id="ai"), pytest.param(HUMAN, id="human")])
def test_a_release_can_be_cut_from_what_landed(case: Inline, method: str, message: str) -> None:
    oid = landed(case, message=message, method=method)
    (run,) = ours(case, oid)
    assert (run.conclusion, said(run)) == ("success", "Landed as judged in #1")
    assert oid == tip(case)
    assert cut(case)


def test_it_is_written_down_with_its_receipt(case: Inline) -> None:
    oid = landed(case)
    (record,) = records(case)
    (run,) = ours(case, oid)
    assert (record.entry.number, record.entry.head_sha) == (1, oid)
    assert run.external_id.endswith(record.receipt)


def test_one_landing_after_another(case: Inline) -> None:
    for branch in ("one", "two"):
        landed(case, branch)
        assert cut(case, f"release/{branch}")


def test_the_first_release_branch_takes_pull_requests(case: Inline) -> None:
    landed(case)
    assert cut(case)
    number = case.open("hotfix", start="release/1", base="release/1")
    case.waiting(number)
    assert not case.may_merge(number)
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    assert case.may_merge(number)


def test_nothing_is_written_a_second_time(case: Inline) -> None:
    oid = landed(case)
    for delivery in list(case.hub.courier.log.values()):
        case.hub.courier.redeliver(delivery.id)
    case.settle()
    look_at_rules(case)
    assert len(ours(case, oid)) == len(records(case)) == 1


@pytest.mark.parametrize("arrives", [pytest.param(False, id="lost"), pytest.param(True, id="done")])
def test_a_write_that_github_did_not_answer_is_made_again(case: Inline, arrives: bool) -> None:
    real = check_run.publish
    lost: list[str] = []

    def publish(*given: Any, **how: Any) -> check_run.Published:
        if given[4].title.startswith("Landed") and not lost:
            lost.append(given[2])
            if arrives:
                real(*given, **how)
            raise Unavailable("GitHub did not answer")
        return real(*given, **how)

    with patch.object(check_run, "publish", publish):
        oid = landed(case)
    assert lost == [oid]
    assert [said(run) for run in ours(case, oid)] == ["Landed as judged in #1"] * (1 + arrives)
    kinds = [one.entry.kind for one in case.parts.store.audit.records(Filter(head_sha=oid))]
    assert kinds == ["landed", "refused", "landed", "published"]
    assert cut(case)


def test_a_landing_takes_one_call_more(case: Inline) -> None:
    calls_of_a_landing(case, "first")
    said = calls_of_a_landing(case, "second")
    with patch.object(case.worker._landings._clean, "say", return_value=None):
        silent = calls_of_a_landing(case, "third")
    assert said - silent == 1


def calls_of_a_landing(case: Inline, branch: str) -> int:
    number = case.open(branch, message=HUMAN)
    case.settle()
    before = case.hub.calls.count()
    case.act("june", "merge", number=number)
    case.settle()
    return case.hub.calls.count() - before


def records(case: Inline) -> list[AuditRecord]:
    return list(case.parts.store.audit.records(Filter(kind=RecordKind.LANDED)))


# --- what may not be ------------------------------------------------------------------------------


def test_what_nobody_judged(case: Inline) -> None:
    case.act("june", "push", branch="topic", commits=[{"message": AI}])
    case.settle()
    assert not cut(case, start="topic")
    assert not cut(case, start="main"), "nothing has landed yet"


def test_a_merge_past_the_check(case: Inline) -> None:
    bypass(case)
    number = case.open()
    case.waiting(number)
    case.act("olga", "merge", number=number)
    case.settle()
    assert ours(case, tip(case)) == []
    assert not cut(case)


def test_a_merge_before_anybody_judged_it(case: Inline) -> None:
    """Judged afterwards it would be green; it was not when it was merged."""
    bypass(case)
    number = case.open(message=HUMAN)
    case.act("olga", "merge", number=number)
    case.settle()
    assert not cut(case)


def test_other_lines_than_were_judged(case: Inline) -> None:
    bypass(case)
    number = case.open(message=HUMAN)
    case.settle()
    files = {"evil.py": "boom\n"}
    spec = {"message": "By hand", "merge": "fix", "files": files}
    case.act("olga", "push", branch="main", commits=[spec])
    case.settle()
    assert case.hub.world.pull(SHOP, number).merged
    assert not cut(case)


def test_more_than_the_pull_request_in_one_push(case: Inline) -> None:
    """AI work below a merge made by hand: the merge itself brings just what was judged."""
    bypass(case)
    landed(case, "before")
    number = case.open(message=HUMAN)
    case.settle()
    specs = [{"message": AI}, {"message": "By hand", "merge": "fix"}]
    case.act("olga", "push", branch="main", commits=specs)
    case.settle()
    assert case.hub.world.pull(SHOP, number).merged
    assert ours(case, tip(case)) == []
    assert not cut(case)


def test_a_direct_push(case: Inline) -> None:
    bypass(case)
    landed(case)
    case.act("olga", "push", branch="main", commits=[{"message": HUMAN}])
    case.settle()
    assert not cut(case)


def test_what_is_only_observed(case: Inline) -> None:
    case.roster(ROSTER + "rollout: {mode: observe}\n")
    case.settle()
    landed(case, message=HUMAN)
    assert not cut(case)


RULES = """
rules:
  - name: releases
    why: customers run them
    branches: {branches}
    from: principal
"""


@pytest.mark.parametrize(
    ("branches", "may"),
    [
        pytest.param("[release/*]", False, id="stricter elsewhere"),
        pytest.param("[main]", True, id="stricter here"),
        pytest.param("[main, release/*]", True, id="alike"),
    ],
)
def test_a_rule_for_other_branches_only(case: Inline, branches: str, may: bool) -> None:
    case.roster(ROSTER + RULES.replace("{branches}", branches))
    case.settle()
    landed(case, message=HUMAN)
    assert cut(case) is may


def test_a_roster_that_is_broken_by_now(case: Inline) -> None:
    case.settle()
    number = case.open(message=HUMAN)
    case.settle()
    case.roster("version: 1\nlevls: []\n")
    case.act("june", "merge", number=number)
    case.settle()
    assert ours(case, tip(case)) == []


def test_a_branch_that_was_not_held_when_it_was_last_looked_at(case: Inline) -> None:
    (ruleset,) = case.hub.world.organization("acme").rulesets
    case.people("set_ruleset", org="acme", id=ruleset, ruleset={"enforcement": "disabled"})
    look_at_rules(case)  # the repository's own still demands the check, but no pull request
    landed(case)
    assert ours(case, tip(case)) == []


def test_a_push_that_nobody_told_of(case: Inline) -> None:
    """What the branch was before is not known: the merge may have been put on anything."""
    number = case.open(message=HUMAN)
    case.settle()
    repository = case.hub.world.repository(SHOP)
    with patch.object(case.parts.store.memory, "was_tip", return_value=False):
        case.act("june", "merge", number=number)
        case.settle()
    assert ours(case, repository.branches["main"]) == []


def test_what_turns_out_to_be_an_incident_is_not_green_any_more(case: Inline) -> None:
    """Whatever it is that the push shows and the pull request did not."""
    number = case.open(message=AI)
    case.act("grace", "approve", number=number)
    case.settle()
    with patch.object(landing, "merged_through", return_value={}):  # as if by no pull request
        case.act("june", "merge", number=number, method="squash")
        case.settle()
    (found,) = case.parts.store.audit.records(Filter(kind=RecordKind.BYPASSED))
    assert found.entry.fields["reasons"] == ["CS093"]
    assert [one.entry.head_sha for one in records(case)] == [tip(case)], "it was green before"
    assert ours(case, tip(case))[-1].conclusion == "failure"
    assert not cut(case)


def test_the_green_of_an_incident_goes_also_where_github_fails_at_first(case: Inline) -> None:
    number = case.open(message=AI)
    case.act("grace", "approve", number=number)
    case.settle()
    publish, failed = check_run.publish, list[Any]()

    def failing_once(*given: Any, **how: Any) -> check_run.Published:
        if given[4].title.startswith("Cannot judge") and not failed:
            failed.append(given)
            raise Unavailable("GitHub did not answer")
        return publish(*given, **how)

    with (
        patch.object(landing, "merged_through", return_value={}),
        patch.object(check_run, "publish", failing_once),
    ):
        case.act("june", "merge", number=number, method="squash")
        case.settle()
    assert failed
    assert ours(case, tip(case))[-1].conclusion == "failure"
    assert not cut(case)


def test_the_green_of_an_incident_goes_also_where_its_worker_dies(case: Inline) -> None:
    """After the record that it is taken back, before it is."""
    number = case.open(message=AI)
    case.act("grace", "approve", number=number)
    case.settle()

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with patch.object(landing, "merged_through", return_value={}):
        case.act("june", "merge", number=number, method="squash")
        with patch.object(case.worker._publisher, "_write", dies), pytest.raises(KeyboardInterrupt):
            case.settle()
        case.clock.skip(3600)  # its lease ends
        case.settle()
    assert ours(case, tip(case))[-1].conclusion == "failure"
    assert not cut(case)


# --- pull requests with that commit as their head ------------------------------------------------


def port(case: Inline) -> int:
    """From what landed into a release branch that has not got it."""
    repository = case.hub.world.repository(SHOP)
    repository.branches["release/0"] = repository.store.commits[tip(case)].parents[0]
    opened = case.act("june", "open_pull_request", head="main", base="release/0", title="Port")
    return int(opened["number"])


def test_a_pull_request_that_is_opened_later_has_its_own_verdict(case: Inline) -> None:
    oid = landed(case, method="squash")
    number = port(case)
    case.waiting(number)
    assert case.head(number) == oid
    assert not case.may_merge(number)
    assert not cut(case, start=oid)
    for delivery in list(case.hub.courier.log.values()):
        case.hub.courier.redeliver(delivery.id)
    case.waiting(number)


def test_its_green_is_taken_down_before_it_is_looked_at(case: Inline) -> None:
    landed(case, method="squash")
    number = port(case)
    assert case.check(number) is not None
    case.hub.drain()
    with patch.object(case.worker._judgement, "read", side_effect=Unavailable("GitHub is away")):
        for _ in range(3):  # the pull request, and whatever else the event asked for
            case.worker.step()
    seen = case.check(number)
    assert seen is not None
    assert not seen.green


def test_merged_before_it_was_looked_at_is_an_incident(case: Inline) -> None:
    """The green of the landing was none of this pull request."""
    landed(case, method="squash")
    number = port(case)
    assert case.may_merge(number)
    case.settle()
    wanted = Filter(kind=RecordKind.BYPASSED, number=number)
    (found,) = case.parts.store.audit.records(wanted)
    assert found.entry.fields["reasons"] == ["CS090"]


def test_a_branch_with_a_pull_request_into_another_is_that_one_s(case: Inline) -> None:
    landed(case, "first", method="squash")
    number = port(case)
    case.waiting(number)
    oid = landed(case, "second", method="squash")
    case.waiting(number)
    title = case.expect(number, "action_required").title
    assert {said(run) for run in ours(case, oid)} == {title}
    assert len(records(case)) == 1


def test_two_writes_that_meet(case: Inline) -> None:
    """A pull request with that head is judged between the two halves of our write."""
    number = case.open(message=HUMAN)
    case.settle()
    real = check_run.publish
    opened: list[int] = []

    def publish(*given: Any, **how: Any) -> check_run.Published:
        written = real(*given, **how)
        report = given[4]
        if report.title.startswith("Landed") and not opened:
            checks = case.parts.store.checks
            target = Target(repository=given[1], oid=given[2], standing=None)
            checks.begin(
                case.worker._publisher._place(target)
            )  # as its judgement does, first of all
            opened.append(port(case))
        return written

    with patch.object(check_run, "publish", publish):
        case.act("june", "merge", number=number, method="squash")
        case.settle()
    (ported,) = opened
    seen = case.expect(ported, "success", "CS001")
    assert "Landed" not in seen.title
    assert said(ours(case, tip(case))[-1]) == seen.title


def test_a_landing_that_arrives_late_over_a_verdict(case: Inline) -> None:
    """GitHub took it and did not answer, while a pull request with that head was judged."""
    landed(case, "first", method="squash")
    number = case.open("second", message=AI)
    case.act("grace", "approve", number=number)
    case.settle()
    publish, opened = check_run.publish, list[int]()

    def late(*given: Any, **how: Any) -> check_run.Published:
        if not given[4].title.startswith("Landed") or opened:
            return publish(*given, **how)
        opened.append(port(case))
        case.hub.drain()
        while case.check(opened[0]) is None:
            assert case.worker.step()
        publish(*given, **how)
        raise Unavailable("GitHub did not answer")

    with patch.object(check_run, "publish", late):
        case.act("june", "merge", number=number, method="squash")
        case.settle()
    (ported,) = opened
    assert any(said(run).startswith("Landed") for run in ours(case, case.head(ported)))
    case.refused(ported, "CS012")
