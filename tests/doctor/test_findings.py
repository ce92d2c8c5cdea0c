"""The rules of the doctor on facts alone: each with what it must report and what it must not."""

from dataclasses import replace

import pytest

from github_app.doctor.facts import AccountFacts, BranchFacts, RepositoryFacts, RosterFacts
from github_app.doctor.findings import Level, of_account, of_repository
from github_app.gateway.protection import CHECK_RULE, PULL_RULE, Demand, bypass_actor
from github_app.permissions import EVENTS, PERMISSIONS, events_of

PERMITTED = {name: level for name, (level, _) in PERMISSIONS.items()}
WELL = AccountFacts(
    account="acme",
    app_id=7,
    app_slug="countersign",
    check_name="senior-signoff",
    skew=0.5,
    app_permissions=PERMITTED,
    permissions=PERMITTED,
    events=tuple(EVENTS),
    deliveries=(3, 0),
    roster=RosterFacts(source="acme/.github", signers=("ada",)),
)
CHECK = Demand(rule=CHECK_RULE, source="ruleset 1 of acme", app_id=7, bypass=(), ruleset=1)
PULL = Demand(rule=PULL_RULE, source="ruleset 1 of acme", bypass=())


def codes(*demands: Demand, known: bool = True) -> list[tuple[str, str]]:
    branch = BranchFacts(name="main", default=True, demands=demands, pull_request_known=known)
    facts = RepositoryFacts(full_name="acme/shop", branches=(branch,), able=("ada",))
    return [(one.level.value, one.code) for one in of_repository(facts, WELL)]


def test_all_is_well() -> None:
    assert of_account(WELL) == ()
    assert codes(CHECK, PULL) == []


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_each_permission_is_needed(name: str) -> None:
    left = {key: level for key, level in PERMITTED.items() if key != name}
    (found,) = of_account(replace(WELL, permissions=left))
    assert (found.level, found.code) == (Level.HOLE, f"permission-{name}")
    assert "accepts it" in found.mend
    (unasked,) = of_account(replace(WELL, permissions=left, app_permissions=left))
    assert "settings of the app" in unasked.mend


def test_reading_is_not_enough_where_writing_is_needed() -> None:
    less = PERMITTED | {"checks": "read"}
    assert [one.code for one in of_account(replace(WELL, permissions=less))] == [
        "permission-checks"
    ]


def test_more_than_is_needed_is_fine() -> None:
    assert of_account(replace(WELL, permissions=PERMITTED | {"contents": "write"})) == ()


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_each_event_is_needed(event: str) -> None:
    (found,) = of_account(replace(WELL, events=tuple(EVENTS - {event})))
    assert found.code == "events"
    assert found.what.endswith(f": {event}")


def test_a_person_s_account_has_no_members_to_read() -> None:
    less = {name: level for name, level in PERMITTED.items() if name != "members"}
    events = tuple(events_of(organization=False))
    person = replace(WELL, organization=False, permissions=less, events=events)
    assert of_account(person) == ()
    assert {one.code for one in of_account(replace(person, organization=True))} == {
        "permission-members", "events"
    }  # fmt: skip
    without = replace(person, permissions={}, app_permissions={})
    assert len(of_account(without)) == len(PERMITTED) - 1


@pytest.mark.parametrize(
    ("skew", "code"),
    [
        pytest.param(29.0, [], id="a little ahead"),
        pytest.param(-29.0, [], id="a little behind"),
        pytest.param(31.0, ["clock"], id="ahead"),
        pytest.param(-31.0, ["clock"], id="behind"),
        pytest.param(None, ["clock-unknown"], id="unknown"),
    ],
)
def test_the_clock(skew: float | None, code: list[str]) -> None:
    assert [one.code for one in of_account(replace(WELL, skew=skew))] == code


@pytest.mark.parametrize(
    ("deliveries", "level"),
    [
        pytest.param(None, Level.UNKNOWN, id="not seen"),
        pytest.param((0, 0), Level.UNKNOWN, id="none yet"),
        pytest.param((3, 0), None, id="all arrived"),
        pytest.param((0, 2), Level.HOLE, id="none arrives"),
        pytest.param((9, 1), Level.WARNING, id="one is lost"),
    ],
)
def test_the_webhook(deliveries: tuple[int, int] | None, level: Level | None) -> None:
    found = of_account(replace(WELL, deliveries=deliveries))
    assert [one.level for one in found] == ([level] if level else [])
    assert of_account(replace(WELL, deliveries=deliveries, pulls=True)) == ()


@pytest.mark.parametrize(
    ("roster", "found"),
    [
        pytest.param(RosterFacts(source=""), ["roster-missing"], id="none"),
        pytest.param(RosterFacts(source="x", problem="line 1"), ["roster-broken"], id="broken"),
        pytest.param(RosterFacts(source="x"), ["nobody-signs"], id="nobody"),
        pytest.param(
            RosterFacts(source="x", signers=("ada",), needed=2), ["nobody-signs"], id="too few"
        ),
        pytest.param(
            RosterFacts(source="x", teams_unread=("acme/staff",)),
            ["teams-unread"],
            id="unread team",
        ),
    ],
)
def test_the_roster(roster: RosterFacts, found: list[str]) -> None:
    assert [one.code for one in of_account(replace(WELL, roster=roster))] == found


LAX = replace(CHECK, new_too=False)
LOOSE = replace(CHECK, bypass=("x",))
UNSEEN = replace(CHECK, bypass=None)
CLASSIC = replace(LAX, source="classic protection of main", ruleset=None)


@pytest.mark.parametrize(
    ("default", "demands", "found"),
    [
        pytest.param(False, (LAX, PULL), ["not-when-made"], id="release"),
        pytest.param(False, (LAX, CHECK, PULL), [], id="another-rule-asks"),
        pytest.param(False, (LAX, LOOSE, PULL), ["bypass"], id="each-half-by-another-rule"),
        pytest.param(False, (LAX, LOOSE, CHECK, PULL), [], id="both-by-a-third"),
        pytest.param(False, (LAX, UNSEEN, PULL), ["bypass-unknown"], id="half-of-it-not-seen"),
        pytest.param(
            False,
            (replace(LAX, bypass=None), LOOSE, PULL),
            ["bypass-unknown", "bypass"],
            id="bypassed-when-made-unseen-else",
        ),
        pytest.param(False, (replace(LAX, bypass=("y",)), LOOSE, PULL), ["bypass"], id="told-once"),
        pytest.param(False, (CLASSIC, LOOSE, PULL), ["bypass"], id="classic-and-a-loose-ruleset"),
        pytest.param(True, (LAX, LOOSE, PULL), [], id="the-default-branch-is-not-made-anew"),
        pytest.param(False, (CLASSIC, PULL), ["not-when-made"], id="classic"),
        pytest.param(False, (CLASSIC, CHECK, PULL), [], id="classic-and-a-ruleset"),
        pytest.param(True, (CLASSIC, PULL), [], id="classic-of-the-default-branch"),
        pytest.param(
            False, (LAX, replace(CHECK, app_id=None), PULL), ["not-when-made"], id="of-any-app"
        ),
        pytest.param(True, (LAX, PULL), [], id="the-default-branch-cannot-be-deleted"),
    ],
)
def test_a_branch_that_is_made_anew(
    default: bool, demands: tuple[Demand, ...], found: list[str]
) -> None:
    branch = BranchFacts(name="release/1", default=default, demands=demands)
    held = BranchFacts(name="release/2", default=False, demands=(CHECK, PULL))
    facts = RepositoryFacts(full_name="acme/shop", branches=(branch, held), able=("ada",))
    assert [one.code for one in of_repository(facts, WELL)] == found


@pytest.mark.parametrize(
    ("demands", "found"),
    [
        pytest.param((CHECK, PULL), [], id="asked for"),
        pytest.param((LAX, PULL), ["not-when-made"], id="left alone"),
        pytest.param((LAX, CHECK, PULL), [], id="by another rule"),
        pytest.param((LAX, LOOSE, PULL), ["bypass"], id="each half by another rule"),
        pytest.param((LAX, LOOSE, CHECK, PULL), [], id="both by a third"),
        pytest.param((LAX, UNSEEN, PULL), ["bypass-unknown"], id="half of it not seen"),
        pytest.param((LOOSE, PULL), ["bypass"], id="told once"),
        pytest.param((CLASSIC, LOOSE, PULL), ["bypass"], id="classic and a loose ruleset"),
        pytest.param((CLASSIC, PULL), [], id="classic says nothing of it"),
        pytest.param((CLASSIC, LAX, PULL), ["not-when-made"], id="classic does not make it good"),
        pytest.param((replace(LAX, app_id=None), PULL), ["not-pinned"], id="a larger hole"),
    ],
)
def test_a_first_release_branch(demands: tuple[Demand, ...], found: list[str]) -> None:
    main = BranchFacts(name="main", default=True, demands=demands)
    facts = RepositoryFacts(full_name="acme/shop", branches=(main,), able=("ada",))
    assert [one.code for one in of_repository(facts, WELL)] == found


@pytest.mark.parametrize(
    ("demands", "found"),
    [
        pytest.param((), [("hole", "not-required")], id="nothing"),
        pytest.param((PULL,), [("hole", "not-required")], id="only a pull request"),
        pytest.param((replace(CHECK, app_id=None), PULL), [("hole", "not-pinned")], id="any app"),
        pytest.param((replace(CHECK, app_id=8), PULL), [("hole", "not-pinned")], id="another app"),
        pytest.param((replace(CHECK, app_id=None), CHECK, PULL), [], id="pinned by one of two"),
        pytest.param((CHECK,), [("hole", "push")], id="no pull request"),
        pytest.param((replace(CHECK, bypass=("x",)), PULL), [("hole", "bypass")], id="bypass"),
        pytest.param((replace(CHECK, bypass=("x",)), CHECK, PULL), [], id="one without a bypass"),
        pytest.param(
            (replace(CHECK, bypass=("x",)), replace(CHECK, bypass=None), PULL),
            [("unknown", "bypass-unknown")],
            id="one that is not seen",
        ),
        pytest.param(
            (replace(CHECK, app_id=None), replace(CHECK, bypass=("x",)), PULL),
            [("hole", "bypass")],
            id="a clean one that is not pinned does not help",
        ),
        pytest.param(
            (CHECK, replace(PULL, bypass=("x",))), [("hole", "push-bypass")], id="push bypass"
        ),
        pytest.param(
            (CHECK, replace(PULL, bypass=("x (pull_request)",))), [], id="in a pull request only"
        ),
        pytest.param(
            (CHECK, replace(PULL, bypass=("x (pull_request)", "y (exempt)"))),
            [("hole", "push-bypass")],
            id="exempt",
        ),
        pytest.param(
            (CHECK, replace(CHECK, app_id=8), PULL),
            [("warning", "also-elsewhere")],
            id="from another app as well",
        ),
    ],
)
def test_a_branch(demands: tuple[Demand, ...], found: list[tuple[str, str]]) -> None:
    assert codes(*demands) == found


def test_what_classic_protection_hides_is_unknown() -> None:
    assert codes(CHECK, known=False) == [("unknown", "push-unknown")]
    assert codes(CHECK, PULL, known=False) == []


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ({"actor_type": "OrganizationAdmin", "actor_id": 1}, "organisation owners"),
        ({"actor_type": "RepositoryRole", "actor_id": 5}, "repository admins"),
        ({"actor_type": "RepositoryRole", "actor_id": 99}, "repository role 99"),
        ({"actor_type": "Team", "actor_id": 3}, "team 3"),
        ({"actor_type": "Integration", "actor_id": 3}, "app 3"),
        ({"actor_type": "User", "actor_id": 3, "bypass_mode": "always"}, "user 3"),
        ({"actor_type": "DeployKey", "bypass_mode": "exempt"}, "deploy keys (exempt)"),
        ({"actor_type": "New", "actor_id": 3, "bypass_mode": "exempt"}, "New 3 (exempt)"),
    ],
)  # fmt: skip
def test_who_may_bypass_in_words(actor: dict[str, object], words: str) -> None:
    assert bypass_actor(actor) == words


@pytest.mark.parametrize(
    ("able", "needed", "found"),
    [
        pytest.param(("ada",), 1, [], id="enough"),
        pytest.param((), 1, [("warning", "no-push-right")], id="nobody"),
        pytest.param(("ada",), 2, [("warning", "no-push-right")], id="too few"),
        pytest.param(None, 1, [("unknown", "push-right-unknown")], id="not seen"),
    ],
)
def test_who_signs_must_be_able_to_push(
    able: tuple[str, ...] | None, needed: int, found: list[tuple[str, str]]
) -> None:
    roster = RosterFacts(source="acme/.github", signers=("ada", "grace"), needed=needed)
    facts = RepositoryFacts(full_name="acme/shop", able=able)
    told = of_repository(facts, replace(WELL, roster=roster))
    assert [(one.level.value, one.code) for one in told] == found


def test_tags_are_named_but_do_not_fail() -> None:
    facts = RepositoryFacts(full_name="acme/shop", able=("ada",), loose_tags=("v1", "v2"))
    (found,) = of_repository(facts, WELL)
    assert (found.level, found.code) == (Level.WARNING, "tags")
    assert found.what.endswith(": v1, v2")


def test_what_is_asleep_has_no_findings() -> None:
    assert of_repository(RepositoryFacts(full_name="acme/shop", asleep=True), WELL) == ()
