"""``countersign protect``: closes what it can, shows it first, and weakens nothing of others."""

import re
from typing import Any

import pytest

from github_app.commands.protect import ref_pattern
from github_app.judge.errors import CountersignError
from tests.doctor.holes import HOLES, NAME, Hole, Org, checks, protected, ruleset

CLOSED = [pytest.param(hole, id=name) for name, hole in HOLES.items() if hole.closed]


@pytest.mark.parametrize("hole", CLOSED)
def test_it_closes_the_holes_of_rules(hole: Hole) -> None:
    with protected() as org:
        hole.make(org)
        shown = org.run("protect", "acme", "--dry-run")
        assert shown.exit_code == 1
        assert "+++ wanted" in shown.output
        assert org.codes() == hole.codes, "a dry run writes nothing"
        done = org.run("protect", "acme", "--yes")
        assert done.exit_code == 0, done.output
        assert org.findings() == (0, [])
        again = org.run("protect", "acme", "--dry-run")
        assert again.exit_code == 0
        assert "nothing to do" in again.output


HELD = [pytest.param(hole, id=name) for name, hole in HOLES.items() if hole.tags]


@pytest.mark.parametrize("hole", HELD)
@pytest.mark.parametrize("target", ["acme", "acme/shop"])
def test_it_holds_release_tags_where_that_is_asked_for(hole: Hole, target: str) -> None:
    with protected() as org:
        hole.make(org)
        org.run("protect", target, "--yes")
        assert org.codes() == hole.codes, "not without --tags"
        shown = org.run("protect", target, "--tags", "--dry-run")
        assert shown.exit_code == 1
        assert org.codes() == hole.codes, "a dry run writes nothing"
        assert org.run("protect", target, "--tags", "--yes").exit_code == 0
        assert org.findings() == (0, [])
        again = org.run("protect", target, "--tags", "--dry-run")
        assert again.exit_code == 0
        assert again.output.count("nothing to do") == 2


@pytest.mark.parametrize("tag", ["1.0", "v1.0", "release-1", "release/1"])
def test_every_tag_that_the_doctor_names_is_held(tag: str) -> None:
    with protected() as org:
        org.act("create_tag", repo="acme/shop", tag=tag)
        assert org.codes() == {"tags"}
        org.run("protect", "acme", "--tags", "--yes")
        assert org.codes() == set()


def test_other_tags_stay_free() -> None:
    with protected() as org:
        for tag in ("nightly", "version", "v1/docs"):
            org.act("create_tag", repo="acme/shop", tag=tag)
        assert org.codes() == set()


def test_a_repository_gets_a_ruleset_of_its_own() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        assert org.run("protect", "acme/shop", "--yes").exit_code == 0
        assert org.findings("acme/shop") == (0, [])
        assert org.codes("acme/.github") == {"not-required"}
        assert "nothing to do" in org.run("protect", "acme/shop").output


def test_release_branches_of_any_depth_are_meant() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        for branch in ("release/1", "release/2026/spring"):
            org.act("push", repo="acme/shop", branch=branch)
        assert org.run("protect", "acme", "--yes").exit_code == 0
        assert org.findings() == (0, [])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("release-1/x", id="a slash after the number"),
        pytest.param("stable-v2/fix/y", id="two, and a v"),
    ],
)
def test_what_the_doctor_advises_closes_the_hole(name: str) -> None:
    with protected() as org:
        org.branch(name)
        (found,) = org.findings()[1]
        assert found["code"] == "release-not-required"
        (pattern,) = re.findall(r"--branches '([^']+)'", found["mend"])
        assert org.run("protect", "acme", "--branches", pattern, "--yes").exit_code == 0
        assert org.findings() == (0, [])


def test_more_branches_are_held_where_they_are_named() -> None:
    with protected() as org:
        for branch in ("release-1.0", "release-please--main", "stable/2/fix"):
            org.branch(branch)
        (one, two) = org.findings()[1]
        assert "--branches 'release-*'" in one["mend"]
        assert "--branches 'stable/**/*'" in two["mend"]
        words = ("--branches", "release-*", "--branches", "refs/heads/stable/**/*")
        assert org.run("protect", "acme", *words, "--dry-run").exit_code == 1
        assert org.run("protect", "acme", *words, "--yes").exit_code == 0
        assert org.findings() == (0, [])
        for again in ((), words, ("--branches", "release-*")):
            told = org.run("protect", "acme", *again, "--dry-run")
            assert (told.exit_code, "nothing to do" in told.output) == (0, True)
        (kept,) = org.hub.world.organization("acme").rulesets.values()
        refs = kept.conditions["ref_name"]["include"]
        assert refs.count("refs/heads/release-*") == 1
        assert "~DEFAULT_BRANCH" in refs


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        pytest.param("", "a pattern is", id="empty"),
        pytest.param("a b", "a pattern is", id="a space"),
        pytest.param("release-\u202e", "a pattern is", id="not ASCII"),
        pytest.param("refs/tags/v*", "a pattern is", id="tags"),
        pytest.param("~DEFAULT_BRANCH", "a pattern is", id="GitHub's own words"),
        pytest.param("~ALL", "a pattern is", id="all, in GitHub's words"),
        pytest.param("*", "every branch", id="all on one level"),
        pytest.param("refs/heads/**/*", "every branch", id="all"),
        pytest.param("*[a-z]*", "every branch", id="all with a letter"),
        pytest.param("?*[!x]*", "every branch", id="all but some"),
        pytest.param("**/*[a-z0-9]*", "every branch", id="all, in any folder"),
        pytest.param("[a-z]*", "every branch", id="all that begin with a letter"),
        pytest.param("*-*", "every branch", id="all with a dash"),
        pytest.param("[", "every branch", id="a bracket"),
        pytest.param("..", "that git allows", id="dots"),
        pytest.param("release-[", "that git allows", id="a class that does not end"),
        pytest.param("release-]", "that git allows", id="one that does not begin"),
        pytest.param("release-[]", "that git allows", id="an empty one"),
        pytest.param("release/[a/b]", "that git allows", id="one with a slash"),
        pytest.param("release..*", "that git allows", id="two dots"),
        pytest.param("release/", "that git allows", id="a slash at the end"),
        pytest.param("/release", "that git allows", id="and at the beginning"),
        pytest.param("release//*", "that git allows", id="two slashes"),
        pytest.param("release/.x*", "that git allows", id="a hidden part"),
        pytest.param("release.", "that git allows", id="a dot at the end"),
        pytest.param("release/*.lock", "that git allows", id="a lock"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_wrong_usage(pattern: str, problem: str) -> None:
    with protected() as org:
        refused = org.run("protect", "acme", "--branches", pattern, "--yes")
        assert refused.exit_code == 2
        assert problem in refused.output
        assert org.findings() == (0, [])


@pytest.mark.parametrize(
    "pattern",
    [
        "release-*",
        "stable/**/*",
        "v[0-9]*",
        "release-v[0-9]*/**/*",
        "hot?ix-[!x]*",
        "4.2.x",
        "next",
    ],
)
def test_a_pattern_that_can_be_meant(pattern: str) -> None:
    assert ref_pattern(pattern) == ref_pattern(f"refs/heads/{pattern}") == f"refs/heads/{pattern}"


@pytest.mark.parametrize(
    ("typed", "code", "written"),
    [
        pytest.param("y\n", 0, True, id="yes"),
        pytest.param("n\n", 1, False, id="no"),
        pytest.param("\n", 1, False, id="only enter"),
    ],
)
def test_it_asks_first(typed: str, code: int, written: bool) -> None:
    with protected() as org:
        org.change(enforcement="disabled")
        assert org.run("protect", "acme", typed=typed).exit_code == code
        assert (org.codes() == set()) is written


def test_rules_of_others_are_left_alone() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        theirs = ruleset(
            name="theirs",
            rules=[checks()],
            bypass_actors=[{"actor_type": "OrganizationAdmin", "actor_id": 1}],
        )
        org.act("set_ruleset", org="acme", ruleset=theirs)
        before = org.rulesets()
        assert org.run("protect", "acme", "--yes").exit_code == 0
        assert org.rulesets()[:-1] == before
        assert org.findings() == (0, [])


def test_what_was_added_to_ours_stays_where_it_demands_more() -> None:
    with protected() as org:
        more: dict[str, Any] = checks(integration_id=4000)
        more["parameters"]["strict_required_status_checks_policy"] = True
        more["parameters"]["required_status_checks"].append({"context": "build"})
        signed = {"type": "required_signatures"}
        org.change(
            rules=[more, signed], bypass_actors=[{"actor_type": "DeployKey", "actor_id": None}]
        )
        assert org.run("protect", "acme", "--yes").exit_code == 0
        (kept,) = org.rulesets()
        assert kept["bypass_actors"] == []
        assert kept["rules"][:2] == [more, signed]
        assert [rule["type"] for rule in kept["rules"]][2:] == ["pull_request"]


def _uninstall(org: Org) -> None:
    org.act("uninstall_app", app="countersign", account="acme")


def _select(org: Org) -> None:
    _uninstall(org)
    org.act("install_app", app="countersign", account="acme", repositories=["acme/shop"])


def _suspend(org: Org) -> None:
    org.act("suspend_installation", app="countersign", account="acme")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(_uninstall, "not installed", id="not installed"),
        pytest.param(_select, "selected repositories", id="selected repositories"),
        pytest.param(_suspend, "suspended", id="suspended"),
    ],
)
def test_it_does_not_require_a_check_that_nobody_would_report(make: Any, problem: str) -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        make(org)
        result = org.run("protect", "acme", "--yes")
        assert result.exit_code == 1
        assert problem in str(result.exception)
        assert org.rulesets() == []


def test_selected_repositories_can_be_protected_one_by_one() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        _select(org)
        assert org.run("protect", "acme/shop", "--yes").exit_code == 0
        refused = org.run("protect", "acme/.github", "--yes")
        assert "not installed on acme/.github" in str(refused.exception)


@pytest.mark.parametrize("token", [None, "june"])
def test_it_needs_the_right_token(token: str | None) -> None:
    with protected() as org:
        org.change(enforcement="disabled")
        for target in ("acme", "acme/shop"):
            result = org.run("protect", target, "--yes", token=token)
            assert result.exit_code == 1
            assert isinstance(result.exception, CountersignError)
            assert "token" in result.exception.advice
        assert "not-required" in org.codes()


def test_a_plan_without_rulesets_is_told() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        org.hub.world.organization("acme").plan = "free"
        for target in ("acme", "acme/shop"):
            result = org.run("protect", target, "--yes")
            assert isinstance(result.exception, CountersignError)
            assert "plan" in str(result.exception)
        assert org.run("protect", "acme/.github", "--yes").exit_code == 0


def test_foreign_names_are_escaped_in_the_difference() -> None:
    with protected() as org:
        rule = checks()
        rule["parameters"]["required_status_checks"].append({"context": "\x1b[2J\u202ebuild"})
        org.change(rules=[rule])
        shown = org.run("protect", "acme", "--dry-run").output
        assert "build" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_its_name_is_how_it_is_found() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        org.run("protect", "acme", "--yes")
        assert [one["name"] for one in org.rulesets()] == [NAME]


def test_the_token_is_never_shown() -> None:
    with protected() as org:
        result = org.run("protect", "acme", "--yes", GITHUB_ADMIN_TOKEN="ghp_secretsecret")
        assert isinstance(result.exception, CountersignError)
        assert "ghp_secretsecret" not in result.output + str(result.exception)


@pytest.mark.parametrize("target", ["", "acme/shop/x", "acme shop"])
def test_a_name_it_cannot_read_is_wrong_usage(target: str) -> None:
    with protected() as org:
        assert org.run("protect", target).exit_code == 2
