"""Protection that disappears is noticed: by events, by the sweep when they are lost; told once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from github_app.permissions import EXTRAS
from github_app.store.audit import Filter, RecordKind
from sandbox.deliveries import Weather
from tests.e2e.inline import CHECK, ROSTERS, SHOP, Inline, inline


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Inline]:
    """Every repository is protected, and was seen so. The app may hear of rules."""
    with inline(tmp_path) as found:
        (installed,) = found.hub.world.installations.values()
        for permissions in (found.hub.app.permissions, installed.permissions):
            permissions["administration"] = "read"
        for events in (found.hub.app.events, installed.events):
            events.extend(EXTRAS[0].events)
        found.act("olga", "require_check", repo=ROSTERS, context=CHECK, app="countersign")
        for repo in (SHOP, ROSTERS):
            found.act("olga", "set_ruleset", repo=repo, ruleset=PULLS)
        found.sweep()
        yield found


PULLS: dict[str, Any] = {
    "name": "pull requests",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}},
    "rules": [{"type": "pull_request"}],
}


def told(case: Inline) -> list[dict[str, Any]]:
    records = case.parts.store.audit.records(Filter(kind=RecordKind.PROTECTION))
    return [{"repository": one.entry.repository, **one.entry.fields} for one in records]


def gauges(case: Inline) -> tuple[float, float]:
    """Unprotected repositories and branches, as /metrics says."""
    text = case.web.test_client().get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if "unprotected_" in line[:30])
    number = next(iter(case.hub.world.installations))
    return (
        float(lines[f'countersign_unprotected_repositories{{installation="{number}"}}']),
        float(lines[f'countersign_unprotected_branches{{installation="{number}"}}']),
    )


def take_away(case: Inline) -> None:
    """The check is no longer required in the shop."""
    (number,) = [
        one.id
        for one in case.hub.world.repository(SHOP).rulesets.values()
        if one.rules[0]["type"] == "required_status_checks"
    ]
    case.act("olga", "delete_ruleset", id=number)


def lose_events(case: Inline) -> None:
    """From now on without a trace: GitHub's own list of deliveries does not hold them either."""
    case.hub.drain()
    case.hub.courier.weather = Weather(lose=1.0, silently=True)


def an_hour_later(case: Inline) -> None:
    """The credentials go by the real clock, so the hour is made short."""
    case.hub.drain()
    with patch.object(case.sweeper, "_protection_every", 0.0):
        case.sweep()


def test_what_is_as_it_should_be_is_not_told(case: Inline) -> None:
    an_hour_later(case)
    assert told(case) == []
    assert gauges(case) == (0, 0)


def test_a_ruleset_that_is_deleted_is_told_once(case: Inline) -> None:
    take_away(case)
    case.settle()
    (found,) = told(case)
    assert found["repository"] == SHOP
    assert found["unprotected"] == 1
    (before,), (after,) = found["was"]["branches"], found["now"]["branches"]
    assert before == {"branch": "main", "required": True, "pinned": True, "pull_request": True}
    assert after == before | {"required": False, "pinned": False}
    assert gauges(case) == (1, 1)
    an_hour_later(case)
    an_hour_later(case)
    assert len(told(case)) == 1


def test_a_lost_event_is_made_good_within_the_hour(case: Inline) -> None:
    lose_events(case)
    take_away(case)
    case.hub.drain()
    case.sweep()
    assert told(case) == [], "it was looked at a moment ago"
    an_hour_later(case)
    assert [one["repository"] for one in told(case)] == [SHOP]


def the_check(case: Inline) -> int:
    """The shop's ruleset that demands it."""
    (number,) = [
        one.id
        for one in case.hub.world.repository(SHOP).rulesets.values()
        if one.rules[0]["type"] == "required_status_checks"
    ]
    return int(number)


OWNERS = [{"actor_type": "OrganizationAdmin", "actor_id": 1, "bypass_mode": "exempt"}]
PARAMETERS: dict[str, Any] = {
    "do_not_enforce_on_create": True,
    "required_status_checks": [{"context": CHECK, "integration_id": 4000}],
}


def bypasses(case: Inline) -> list[tuple[int, Any]]:
    """Of each record of the shop: branches that are not held, and who may bypass the first."""
    return [
        (one["unprotected"], one["now"]["branches"][0].get("bypass"))
        for one in told(case)
        if one["repository"] == SHOP
    ]


def test_a_new_bypass_actor_is_told_and_its_end(case: Inline) -> None:
    case.act("olga", "set_ruleset", id=the_check(case), ruleset={"bypass_actors": OWNERS})
    case.settle()
    assert bypasses(case) == [(1, ["organisation owners (exempt)"])]
    assert gauges(case) == (1, 1)
    an_hour_later(case)
    assert len(told(case)) == 1, "it is remembered: only the event shows it"
    case.act("olga", "set_ruleset", id=the_check(case), ruleset={"bypass_actors": []})
    case.settle()
    assert bypasses(case)[1:] == [(0, None)]
    assert gauges(case) == (0, 0)


def test_a_bypass_of_a_rule_that_another_makes_good_is_none(case: Inline) -> None:
    case.act("olga", "require_check", context=CHECK, app="countersign", name="a second one")
    case.settle()
    case.act("olga", "set_ruleset", id=the_first(case), ruleset={"bypass_actors": OWNERS})
    case.settle()
    assert bypasses(case) == [(0, None)], "written down, and nothing is lost"
    assert gauges(case) == (0, 0)


def test_an_event_of_before_that_comes_late_changes_nothing(case: Inline) -> None:
    number = the_check(case)
    case.hub.courier.weather = Weather(lose=1.0)  # its list of deliveries still has it
    case.act("olga", "set_ruleset", id=number, ruleset={"bypass_actors": []})
    case.hub.drain()
    case.hub.courier.weather = Weather()
    case.hub.world.skip(60)
    case.act("olga", "set_ruleset", id=number, ruleset={"bypass_actors": OWNERS})
    case.settle()
    assert gauges(case) == (1, 1)
    heard = case.parts.store.inbox
    late = [one for one in case.hub.courier.log.values() if heard.get(one.guid) is None]
    assert late, "one is not here yet"
    case.sweep()
    case.settle()
    assert all(heard.get(one.guid) is not None for one in late)
    assert gauges(case) == (1, 1), "the bypass stands"
    assert len(bypasses(case)) == 1


def test_a_bypass_of_branches_that_are_still_to_be_made_is_not_forgotten(case: Inline) -> None:
    releases = {"ref_name": {"include": ["refs/heads/release/*"], "exclude": []}}
    rules = [
        {
            "type": "required_status_checks",
            "parameters": PARAMETERS | {"do_not_enforce_on_create": False},
        }
    ]
    body = PULLS | {"name": "releases", "conditions": releases, "rules": rules}
    case.act("olga", "set_ruleset", ruleset=body | {"bypass_actors": OWNERS})
    case.settle()
    assert gauges(case) == (0, 0)
    repository = case.hub.world.repository(SHOP)
    repository.branches["release/1.0"] = repository.branches["main"]
    an_hour_later(case)
    assert gauges(case) == (1, 1)


def the_first(case: Inline) -> int:
    return min(case.hub.world.repository(SHOP).rulesets)


def test_a_bypass_of_the_organisation_s_ruleset_is_told_of_every_repository(case: Inline) -> None:
    for repo in (SHOP, ROSTERS):
        for number in list(case.hub.world.repository(repo).rulesets):
            case.act("olga", "delete_ruleset", repo=repo, id=number)
    conditions = PULLS["conditions"] | {"repository_name": {"include": ["~ALL"]}}
    rules = [
        {
            "type": "required_status_checks",
            "parameters": PARAMETERS | {"do_not_enforce_on_create": False},
        },
        {"type": "pull_request"},
    ]
    body = PULLS | {"name": "all", "conditions": conditions, "rules": rules}
    made = case.people("set_ruleset", org="acme", ruleset=body)
    case.settle()
    assert gauges(case) == (0, 0)
    changed = {"bypass_actors": [{"actor_type": "Integration", "actor_id": 15368}]}
    case.people("set_ruleset", org="acme", id=made["id"], ruleset=changed)
    case.settle()
    assert gauges(case) == (2, 2)
    assert bypasses(case)[-1] == (1, ["app 15368"])
    case.act("olga", "rename_repository", name="store")  # it is looked at by itself
    case.settle()
    assert gauges(case) == (2, 2)


def test_a_rule_that_leaves_new_branches_alone_is_told(case: Inline) -> None:
    repository = case.hub.world.repository(SHOP)
    repository.branches["release/1.0"] = repository.branches["main"]
    conditions = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    changed = {"conditions": conditions}
    case.act("olga", "set_ruleset", id=the_check(case), ruleset=changed)
    case.settle()
    before = len(told(case))
    rules = [{"type": "required_status_checks", "parameters": PARAMETERS}]
    case.act("olga", "set_ruleset", id=the_check(case), ruleset={"rules": rules})
    case.settle()
    (found,) = told(case)[before:]
    main, release = found["now"]["branches"]
    assert "not_when_made" not in main, "a default branch cannot be deleted"
    assert release["not_when_made"] is True
    assert (found["unprotected"], gauges(case)) == (1, (1, 1))


def test_a_rule_that_leaves_new_branches_alone_does_not_make_up_for_a_bypass(
    case: Inline,
) -> None:
    repository = case.hub.world.repository(SHOP)
    repository.branches["release/1.0"] = repository.branches["main"]
    changed = {"conditions": PULLS["conditions"]}
    first = the_check(case)
    case.act("olga", "set_ruleset", id=first, ruleset=changed)
    rules = [{"type": "required_status_checks", "parameters": PARAMETERS}]
    case.act("olga", "set_ruleset", ruleset=PULLS | {"name": "lax", "rules": rules})
    case.settle()
    assert gauges(case) == (0, 0)
    case.act("olga", "set_ruleset", id=first, ruleset={"bypass_actors": OWNERS})
    case.settle()
    main, release = told(case)[-1]["now"]["branches"]
    assert "bypass" not in main
    assert release["bypass"] == ["organisation owners (exempt)"]
    assert gauges(case) == (1, 1)


def test_protection_that_comes_back_is_told_as_well(case: Inline) -> None:
    take_away(case)
    case.settle()
    case.act("olga", "require_check", context=CHECK, app="countersign")
    case.settle()
    assert [one["unprotected"] for one in told(case)] == [1, 0]
    assert gauges(case) == (0, 0)


def test_a_release_branch_without_protection_is_told(case: Inline) -> None:
    case.act("olga", "push", branch="release/1.0")
    case.settle()
    (found,) = told(case)
    assert [one["required"] for one in found["now"]["branches"]] == [True, False]
    assert gauges(case) == (1, 1)


def test_a_ruleset_of_the_organisation_is_one_look_at_all(case: Inline) -> None:
    take_away(case)
    everywhere = PULLS | {
        "rules": [
            {
                "type": "required_status_checks",
                "parameters": {
                    "required_status_checks": [
                        {"context": CHECK, "integration_id": case.hub.app.id}
                    ]
                },
            }
        ],
        "conditions": PULLS["conditions"] | {"repository_name": {"include": ["~ALL"]}},
    }
    made = case.people("set_ruleset", org="acme", ruleset=everywhere)
    case.settle()
    assert gauges(case) == (0, 0)
    case.people("set_ruleset", org="acme", id=made["id"], ruleset={"enforcement": "disabled"})
    case.settle()
    assert told(case)[-1]["repository"] == SHOP
    assert gauges(case) == (1, 1)


def test_a_new_default_branch_is_looked_at(case: Inline) -> None:
    case.act("olga", "push", branch="trunk")
    (ruleset,) = [
        one
        for one in case.hub.world.repository(SHOP).rulesets.values()
        if one.rules[0]["type"] == "required_status_checks"
    ]
    conditions = {"ref_name": {"include": ["refs/heads/main"], "exclude": []}}
    case.act("olga", "set_ruleset", id=ruleset.id, ruleset={"conditions": conditions})
    case.act("olga", "set_default_branch", branch="trunk")
    case.settle()
    (found,) = told(case)
    assert [one["branch"] for one in found["now"]["branches"]] == ["trunk"]


def test_a_repository_that_goes_is_told(case: Inline) -> None:
    case.act("olga", "delete_repository")
    case.settle()
    assert [(one["repository"], one["now"]) for one in told(case)] == [(SHOP, None)]


def test_a_repository_that_is_taken_from_the_app_is_told(case: Inline) -> None:
    case.people(
        "change_installation_repositories",
        app="countersign",
        account="acme",
        remove=[SHOP],
    )
    case.settle()
    assert [(one["repository"], one["now"]) for one in told(case)] == [(SHOP, None)]


def test_a_repository_under_another_name_is_the_same_one(case: Inline) -> None:
    case.act("olga", "rename_repository", name="store")
    case.settle()
    assert told(case) == []


@pytest.mark.parametrize("lost", [pytest.param(False, id="event"), pytest.param(True, id="sweep")])
def test_an_installation_that_is_removed_is_told(case: Inline, lost: bool) -> None:
    if lost:
        lose_events(case)
    case.people("uninstall_app", app="countersign", account="acme")
    an_hour_later(case) if lost else case.settle()
    assert [(one["repository"], one["now"]) for one in told(case)] == [("acme", None)]
    assert not [line for line in metrics(case) if "unprotected_branches{" in line]


def metrics(case: Inline) -> list[str]:
    return case.web.test_client().get("/metrics").text.splitlines()


@pytest.mark.parametrize("lost", [pytest.param(False, id="event"), pytest.param(True, id="sweep")])
def test_a_suspended_installation_is_told_and_its_end(case: Inline, lost: bool) -> None:
    if lost:
        lose_events(case)
    case.people("suspend_installation", app="countersign", account="acme")
    an_hour_later(case) if lost else case.settle()
    case.people("unsuspend_installation", app="countersign", account="acme")
    an_hour_later(case) if lost else case.settle()
    assert [one["now"]["suspended"] for one in told(case)] == [True, False]


def test_a_permission_that_is_lost_is_told(case: Inline) -> None:
    (installed,) = case.hub.world.installations.values()
    left = {name: level for name, level in installed.permissions.items() if name != "members"}
    case.people("narrow_installation", app="countersign", account="acme", permissions=left)
    an_hour_later(case)
    (found,) = told(case)
    assert "members" in found["was"]["permissions"]
    assert "members" not in found["now"]["permissions"]


def test_a_look_at_all_is_few_calls(case: Inline) -> None:
    with case.hub.world.quiet():
        for number in range(30):
            case.people("create_repository", name=f"more-{number}", owner="acme")
    before = case.hub.calls.count("graphql:ProtectionSurvey")
    an_hour_later(case)
    assert case.hub.calls.count("graphql:ProtectionSurvey") - before == 2
