"""A repository's own file: it tightens, each key by itself, and never loosens."""

from datetime import date

import pytest

from github_app.judge.errors import RosterError
from github_app.judge.facts import Actor, ActorKind
from github_app.judge.people import Person
from github_app.judge.policy import RolloutMode
from github_app.judge.signals import Confidence
from tests.judge.build import SHOP, a_pull, user
from tests.judge.rosters import DATA, LEVELS, PEOPLE, PLAIN, SIGN_OFF, layered, roster

BASE = roster((DATA / "layers" / "base.yaml").read_bytes())
ALL = layered(
    BASE,
    (DATA / "layers" / "valid" / "everything-tightened.yaml")
    .read_text()
    .removeprefix("version: 1\n"),
)


def test_nothing_changes_nothing() -> None:
    found = layered(BASE, "")
    same = ("levels", "people", "book", "detection", "rollout")
    assert [getattr(found, name) for name in same] == [getattr(BASE, name) for name in same]


def test_sign_off() -> None:
    assert (ALL.sign_off.rank, ALL.sign_off.approvals, ALL.sign_off.exempt) == (3, 2, 3)
    assert layered(BASE, "sign_off: {exempt: nobody}\n").sign_off.exempt is None


def test_rules_are_added_to_those_above() -> None:
    assert [rule.name for rule in ALL.rules] == ["infrastructure", "payments"]
    requirement = layered(BASE, "sign_off: {approvals: 2}\n").requirement(a_pull())
    assert (requirement.rank, requirement.approvals) == (2, 2)


def test_a_rule_is_not_named_like_one_above() -> None:
    org = roster(PLAIN, "rules: [{name: Money, paths: [a/**], approvals: 2}]\n")
    with pytest.raises(RosterError, match='a second rule "money"'):
        layered(org, "rules: [{name: money, paths: [b/**], approvals: 2}]\n")


@pytest.mark.parametrize(
    ("actor", "before", "after"),
    [
        pytest.param(user("grace"), 2, 1, id="lowered"),
        pytest.param(user("kim"), 1, 0, id="lowered-with-id"),
        pytest.param(user("ada"), 3, 3, id="not-mentioned"),
        pytest.param(user("mallory"), 0, 0, id="unlisted"),
        pytest.param(user("newcomer", 70), 0, 0, id="named-without-a-level-to-gain"),
    ],
)
def test_people(actor: Actor, before: int, after: int) -> None:
    assert (BASE.rank(actor), ALL.rank(actor)) == (before, after)


def test_a_layer_keeps_the_id_from_above() -> None:
    entry = ALL.people.entry("grace")
    assert entry is not None
    assert entry.id == 1906
    stranger = Actor(kind=ActorKind.USER, login="grace", id=666)
    assert ALL.rank(stranger) == 0


def test_naming_a_member_of_a_team_takes_the_team_from_them() -> None:
    filled = BASE.with_members({"acme/staff": [user("bob")]})
    assert filled.rank(user("bob")) == 2
    assert layered(filled, "people: {bob: junior}\n").rank(user("bob")) == 0


def test_logins_in_other_case_are_the_same_people() -> None:
    found = layered(BASE, "people: {GRACE: mid}\n")
    assert found.rank(user("grace")) == 1
    assert found.person(user("grace")) == found.people.entry("grace")
    assert len(found.people.named) == len(BASE.people.named)


def test_a_newcomer_may_be_pinned() -> None:
    found = layered(BASE, "people: {newcomer: {id: 70, level: junior}}\n")
    assert found.people.entry("newcomer") == Person(login="newcomer", id=70, rank=0)


def test_absence_can_be_told_in_the_repository() -> None:
    away = (date(2026, 1, 1), date(2026, 1, 9))
    text = "people: {grace: {level: senior, away: 2026-01-01/2026-01-09}}\n"
    found = layered(BASE, text).people.entry("grace")
    assert found is not None
    assert (found.away, found.rank) == (away, 2)
    kept = roster(PLAIN.replace("level: senior}", "level: senior, away: 2026-01-01/2026-01-09}"))
    below = layered(kept, "people: {grace: mid}\n").people.entry("grace")
    assert below is not None
    assert below.away == away


def test_everybody_can_be_lowered() -> None:
    above = roster(LEVELS + "unlisted: mid\n" + PEOPLE + SIGN_OFF)
    stranger = user("mallory")
    assert above.rank(stranger) == 1
    assert layered(above, "").rank(stranger) == 1
    assert layered(above, "unlisted: junior\n").rank(stranger) == 0


def test_teams() -> None:
    filled = ALL.with_members({"acme/staff": [user("bob")]})
    assert filled.rank(user("bob")) == 1


def test_detection() -> None:
    assert ALL.detection.labels == {"ai-assisted", "robot"}
    assert ALL.detection.ai_bots == {"acme-release", "other-bot"}
    assert ALL.detection.automation_bots == frozenset()
    assert ALL.detection.confidence is Confidence.WEAK
    assert ALL.detection.require_declaration


def test_declarations_stay_required() -> None:
    above = roster(PLAIN, "detection: {require_declaration: true}\n")
    assert layered(above, "").detection.require_declaration
    again = layered(above, "detection: {require_declaration: true}\n")
    assert again.detection.require_declaration
    with pytest.raises(RosterError, match="declarations would no longer be required"):
        layered(above, "detection: {require_declaration: false}\n")


@pytest.mark.parametrize(
    ("above", "layer", "observed"),
    [
        pytest.param("rollout: {mode: observe}\n", "", True, id="observed-above"),
        pytest.param(
            "rollout: {mode: observe}\n", "rollout: {mode: enforce}\n", False, id="opts-in"
        ),
        pytest.param(
            "rollout: {observe: [acme/shop]}\n",
            "rollout: {mode: enforce}\n",
            False,
            id="opts-in-by-name",
        ),
        pytest.param("rollout: {mode: observe}\n", "rollout: {mode: observe}\n", True, id="same"),
        pytest.param("", "rollout: {mode: enforce}\n", False, id="enforced-above"),
    ],
)
def test_rollout(above: str, layer: str, observed: bool) -> None:
    assert layered(roster(PLAIN, above), layer).observes(SHOP) is observed


def test_opting_in_ends_observing_by_name_too() -> None:
    found = layered(roster(PLAIN, "rollout: {observe: [acme/*]}\n"), "rollout: {mode: enforce}\n")
    assert found.rollout.mode is RolloutMode.ENFORCE
    assert found.rollout.observe == ()


def test_the_roster_below() -> None:
    assert BASE.organisation is BASE
    assert ALL.organisation is BASE
    filled = ALL.with_members({"acme/staff": [user("bob")]})
    assert (filled.rank(user("bob")), filled.organisation.rank(user("bob"))) == (1, 2)
    again = layered(filled.organisation, "sign_off: {from: senior}\n")
    assert again.sign_off.rank == 2, "a layer can be taken back"


def test_remarks_say_which_file() -> None:
    found = layered(roster(PLAIN.replace("id: 31, ", "")), "rules: [{name: all, approvals: 2}]\n")
    assert [remark.source.name for remark in found.remarks] == ["acme/.github", "acme/shop"]
    assert [text.split(" line")[0] for text in found.warnings] == [
        "reviewers.yaml",
        ".github/reviewers.yaml",
    ]


def test_members_of_teams_survive() -> None:
    filled = BASE.with_members({"acme/staff": [user("bob")]})
    assert layered(filled, "").rank(user("bob")) == 2
