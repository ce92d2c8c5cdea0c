"""Reading a roster: every key, every error with its place, and nothing but errors otherwise."""

from collections.abc import Iterable
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest
import yaml

from github_app.judge.errors import RosterError
from github_app.judge.people import NO_LEVEL, Person, Team
from github_app.judge.policy import DetectionPolicy, Rollout, RolloutMode, Rule, SignOffPolicy
from github_app.judge.roster import Roster, RosterSource
from github_app.judge.shape import nearest
from github_app.judge.signals import Confidence
from tests.judge.build import SHOP
from tests.judge.rosters import (
    DATA,
    LEVELS,
    ORG,
    PLAIN,
    SIGN_OFF,
    expected_problems,
    layered,
    outcome,
    roster,
)

VALID = sorted((DATA / "valid").glob("*.yaml"))
INVALID = sorted((DATA / "invalid").glob("*.yaml"))
LAYERS_VALID = sorted((DATA / "layers" / "valid").glob("*.yaml"))
LAYERS_INVALID = sorted((DATA / "layers" / "invalid").glob("*.yaml"))


def named(path: Path) -> str:
    return path.stem


def in_the_words_of(folder: str, path: Path, found: object) -> None:
    """Compare problems with ``problems.txt``; the words of a syntax error are the parser's."""
    assert isinstance(found, tuple)
    shown = [f"{problem.column:>3} {problem}" for problem in found]
    expected = expected_problems(folder)[path.stem]
    if "not valid YAML" in expected[0] and not hasattr(yaml, "CSafeLoader"):
        shown, expected = [shown[0].split(":")[0]], [expected[0].split(":")[0]]
    assert shown == expected


# --- the files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", VALID, ids=named)
def test_valid(path: Path) -> None:
    assert isinstance(outcome(path.read_bytes()), Roster)


@pytest.mark.parametrize("path", INVALID, ids=named)
def test_invalid(path: Path) -> None:
    in_the_words_of("invalid", path, outcome(path.read_bytes()))


@pytest.mark.parametrize("path", LAYERS_VALID, ids=named)
def test_valid_layer(path: Path) -> None:
    base = roster((DATA / "layers" / "base.yaml").read_bytes())
    assert isinstance(outcome(path.read_bytes(), base), Roster)


@pytest.mark.parametrize("path", LAYERS_INVALID, ids=named)
def test_invalid_layer(path: Path) -> None:
    base = roster((DATA / "layers" / "base.yaml").read_bytes())
    in_the_words_of("layers/invalid", path, outcome(path.read_bytes(), base))


@pytest.mark.parametrize("folder", ["invalid", "layers/invalid"])
def test_every_invalid_file_has_its_problems_written_down(folder: str) -> None:
    files = {path.stem for path in (DATA / folder).glob("*.yaml")}
    assert files == set(expected_problems(folder))


def test_the_roster_of_this_repository_is_valid() -> None:
    text = (DATA.parents[2] / "reviewers.yaml").read_bytes()
    found = roster(text)
    assert {person.login for person in found.people.named} == {"ada", "grace", "kim", "june"}


# --- what the keys become -------------------------------------------------------------------------


def test_every_key() -> None:
    found = roster((DATA / "valid" / "design.yaml").read_bytes())
    christmas = (date(2026, 12, 20), date(2027, 1, 3))
    assert found.levels == ("junior", "mid", "senior", "principal")
    assert found.people.named == (
        Person(login="ada", id=1815, rank=3),
        Person(login="alan", id=1912, rank=3),
        Person(login="grace", id=1906, rank=2, away=christmas),
        Person(login="kim", id=None, rank=1),
    )
    assert found.people.unlisted == 0
    assert found.teams == (Team(name="acme/staff-engineers", rank=2),)
    assert found.sign_off == SignOffPolicy(rank=2, approvals=1, exempt=2)
    assert found.rules == (
        Rule(
            name="production infrastructure",
            why="outages here reach every customer",
            repositories=("acme/*",),
            branches=("main", "release/*"),
            paths=("infra/**", "**/*.tf"),
            rank=3,
            approvals=2,
        ),
    )
    assert found.detection == DetectionPolicy(
        labels=frozenset({"ai-assisted"}),
        ai_bots=frozenset({"acme-codegen"}),
        automation_bots=frozenset({"acme-release"}),
        confidence=Confidence.LIKELY,
        require_declaration=False,
    )
    assert found.rollout == Rollout(mode=RolloutMode.ENFORCE, observe=("acme/legacy-*",))
    assert found.source == ORG
    assert found.sources == (ORG,)


def test_what_is_left_out_is_strict() -> None:
    found = roster(PLAIN)
    assert found.people.unlisted == NO_LEVEL
    assert found.sign_off == SignOffPolicy(rank=2, approvals=1, exempt=None)
    assert found.rules == ()
    assert found.detection == DetectionPolicy()
    assert found.rollout == Rollout(mode=RolloutMode.ENFORCE, observe=())
    assert not found.observes(SHOP)


def test_a_label_is_added_to_the_usual_one() -> None:
    found = roster(PLAIN, "detection: {labels: [Robot]}\n")
    assert found.detection.labels == {"ai-assisted", "robot"}


def test_bots_lose_their_suffix_and_case() -> None:
    bots = "detection: {bots: {ai: ['Code-Gen[bot]'], automation: [Release-Bot]}}\n"
    found = roster(PLAIN, bots)
    assert found.detection.ai_bots == {"code-gen"}
    assert found.detection.automation_bots == {"release-bot"}


def test_a_folded_reason_is_one_line() -> None:
    found = roster((DATA / "valid" / "long-reason.yaml").read_bytes())
    assert found.rules[0].why == "Whatever moves money is looked at by two people."


def test_words_that_other_versions_of_yaml_take_for_values() -> None:
    found = roster((DATA / "valid" / "words-of-other-yamls.yaml").read_bytes())
    assert found.levels == ("no", "on", "y")
    assert [person.login for person in found.people.named] == ["yes", "123", "null"]


def test_level_names() -> None:
    found = roster(PLAIN)
    ranks = (NO_LEVEL, 0, 3, 4)
    assert [found.level_name(rank) for rank in ranks] == [
        "unlisted",
        "junior",
        "principal",
        "unlisted",
    ]


def test_a_roster_cannot_be_changed() -> None:
    found = roster(PLAIN)
    with pytest.raises(FrozenInstanceError):
        found.levels = ()  # type: ignore[misc]  # frozen: that is the test


# --- observing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rollout", "observed"),
    [
        pytest.param("", False, id="left-out"),
        pytest.param("rollout: {mode: enforce}\n", False, id="enforced"),
        pytest.param("rollout: {mode: observe}\n", True, id="all-observed"),
        pytest.param("rollout: {observe: [acme/shop]}\n", True, id="this-one"),
        pytest.param("rollout: {observe: [ACME/Sh*]}\n", True, id="by-pattern-in-any-case"),
        pytest.param("rollout: {observe: [acme/legacy-*]}\n", False, id="another"),
        pytest.param("rollout: {observe: [other/shop]}\n", False, id="another-owner"),
        pytest.param("rollout: {observe: [acme/sho]}\n", False, id="name-that-begins-alike"),
    ],
)
def test_observes(rollout: str, observed: bool) -> None:
    assert roster(PLAIN, rollout).observes(SHOP) is observed


# --- warnings and errors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        pytest.param(PLAIN, "", id="none"),
        pytest.param(
            LEVELS + "people: {ada: principal, grace: {id: 1906, level: senior}}\n" + SIGN_OFF,
            'reviewers.yaml line 3: people.ada: no id for "ada": whoever takes over such a '
            "login takes over the level (run countersign roster pin)",
            id="person-without-id",
        ),
        pytest.param(
            LEVELS + "people: {grace: {id: 1906, level: senior}}\n" + SIGN_OFF,
            'reviewers.yaml line 4: sign_off: only "grace" can sign off, and nobody instead of '
            "them (list one person more, for their own changes and for holidays)",
            id="nobody-instead",
        ),
        pytest.param(
            PLAIN + "rules:\n  - {name: all, approvals: 2}\n",
            "reviewers.yaml line 11: rules[0]: a rule for every pull request (say it in sign_off)",
            id="rule-for-everything",
        ),
        pytest.param(
            PLAIN + "rules:\n  - {name: a, paths: [a/**], from: principal}\n"
            "  - {name: b, paths: [b/**], approvals: 3}\n",
            'reviewers.yaml line 10: rules: where all rules match, 3 of level "principal" are '
            "needed and 2 listed (list more people, or make sure that the rules never meet)",
            id="rules-that-must-not-meet",
        ),
    ],
)
def test_warnings(text: str, warning: str) -> None:
    assert "\n".join(roster(text).warnings) == warning


def test_warnings_about_many_are_one() -> None:
    people = "".join(f"  p{number}: senior\n" for number in range(40))
    (warning,) = roster(LEVELS + "people:\n" + people + SIGN_OFF).warnings
    assert 'no id for "p0", "p1", "p2", "p3", "p4" and 35 more' in warning


@pytest.mark.parametrize("scope", ["repositories: [acme/*]", "branches: [main]", "paths: [a]"])
def test_a_rule_with_any_scope_is_not_for_everything(scope: str) -> None:
    assert roster(PLAIN, f"rules: [{{name: a, {scope}, approvals: 2}}]\n").warnings == ()


def test_a_team_of_just_that_level_is_enough_not_to_warn() -> None:
    people = "people: {grace: {id: 1906, level: senior}}\nteams: {acme/staff: senior}\n"
    assert roster(LEVELS + people + SIGN_OFF).warnings == ()
    rule = "rules: [{name: a, paths: [a], approvals: 3}]\n"
    assert roster(LEVELS + people + SIGN_OFF, rule).warnings == ()


def test_five_without_an_id_are_all_named() -> None:
    people = "".join(f"  p{number}: senior\n" for number in range(5))
    (warning,) = roster(LEVELS + "people:\n" + people + SIGN_OFF).warnings
    assert 'no id for "p0", "p1", "p2", "p3", "p4": whoever' in warning


def test_away_for_a_day() -> None:
    day = "away: 2026-12-24/2026-12-24"
    entry = roster(PLAIN.replace("level: senior", f"level: senior, {day}")).people.entry("grace")
    assert entry is not None
    assert entry.away == (date(2026, 12, 24), date(2026, 12, 24))


@pytest.mark.parametrize("names", [("Money", "money"), ("money", "Money")])
def test_rules_that_differ_only_in_case(names: tuple[str, str]) -> None:
    rules = ", ".join(f"{{name: {name}, paths: [a], approvals: 2}}" for name in names)
    found = outcome(PLAIN + f"rules: [{rules}]\n")
    assert isinstance(found, tuple)
    assert found[0].found == f'a second rule "{names[1]}"'


def test_declarations_can_be_required() -> None:
    found = roster(PLAIN, "detection: {require_declaration: true}\n")
    assert found.detection.require_declaration


def test_teams_may_have_the_people_that_are_missing() -> None:
    found = roster(LEVELS + "teams: {acme/staff: principal}\nsign_off: {from: senior}\n")
    assert found.teams_unread == ("acme/staff",)


def test_teams_too_low_do_not_help() -> None:
    found = outcome(LEVELS + "teams: {acme/everyone: mid}\nsign_off: {from: senior}\n")
    assert isinstance(found, tuple)
    assert "nobody could meet this" in str(found[0])


def test_the_error_says_where_and_how_many() -> None:
    with pytest.raises(RosterError) as caught:
        roster(PLAIN.replace("level: senior", "level: snr"), "rollout: {mode: on}\n")
    error = caught.value
    assert error.headline == 'reviewers.yaml line 6: unknown level "snr"'
    assert str(error) == (
        'reviewers.yaml line 6: people.grace.level: unknown level "snr"; expected one of junior, '
        'mid, senior, principal (did you mean "senior"?) (and 1 more)'
    )
    assert error.advice
    problem = error.problems[0]
    assert (problem.path, problem.line, problem.column) == ("people.grace.level", 6, 28)
    assert problem.found == 'unknown level "snr"'
    assert problem.expected == "one of junior, mid, senior, principal"
    assert problem.fix == 'did you mean "senior"?'


def test_problems_are_bounded() -> None:
    people = "".join(f"  p{number}: nonsense\n" for number in range(5_000))
    found = outcome(LEVELS + "people:\n" + people + SIGN_OFF)
    assert isinstance(found, tuple)
    assert len(found) == 100


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f"k{n}: 1\n" for n in range(5_000)), id="unknown-keys"),
        pytest.param(
            LEVELS + "people:\n" + "".join(f"  p{n}: l{n}\n" for n in range(5_000)) + SIGN_OFF,
            id="unknown-levels",
        ),
    ],
)
def test_suggestions_are_bounded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding the nearest name is the dear part: nobody gets more than are shown."""
    asked: list[str] = []

    def counting(word: str, names: Iterable[str]) -> str:
        asked.append(word)
        return nearest(word, names)

    monkeypatch.setattr("github_app.judge.shape.nearest", counting)
    monkeypatch.setattr("github_app.judge.roster_reader.nearest", counting)
    assert isinstance(outcome(text), tuple)
    assert len(asked) == 100


def test_foreign_text_in_problems_is_short_and_visible() -> None:
    text = PLAIN.replace("level: mid", 'level: "\\e[2J\\u202e' + "x" * 400 + '"')
    found = outcome(text)
    assert isinstance(found, tuple)
    assert str(found[0]).isprintable()
    assert "\\u001b[2J\\u202e" in str(found[0])
    assert len(str(found[0])) < 200


def test_source() -> None:
    assert str(ORG) == "acme/.github: reviewers.yaml at ccccccc"
    assert str(RosterSource(name="this deployment", path="r.yaml")) == "this deployment: r.yaml"
    both = layered(roster(), "sign_off: {approvals: 2}\n")
    assert [source.name for source in both.sources] == ["acme/.github", "acme/shop"]
    assert both.source == ORG
