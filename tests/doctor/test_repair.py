"""Our own ruleset mended: what is missing comes, what demands more stays, what lets by goes."""

from typing import Any

import pytest

from github_app.doctor.repair import REFS, difference, mended, mended_tags

OURS = {"context": "senior-signoff", "integration_id": 7}


def mend(kept: dict[str, Any] | None, *, organization: bool = False) -> dict[str, Any]:
    return mended(kept, check_name="senior-signoff", app_id=7, organization=organization)


def check_rule(body: dict[str, Any]) -> dict[str, Any]:
    (found,) = [rule for rule in body["rules"] if rule["type"] == "required_status_checks"]
    parameters: dict[str, Any] = found["parameters"]
    return parameters


@pytest.mark.parametrize("organization", [True, False])
def test_what_is_right_is_not_changed(organization: bool) -> None:
    body = mend(None, organization=organization)
    assert mend(body, organization=organization) == body
    assert difference(body, body) == ()


def test_a_new_one_is_all_difference() -> None:
    lines = difference(None, mend(None))
    assert lines[:2] == ("--- on GitHub", "+++ wanted")
    assert all(line.startswith(("+", "@", "---")) for line in lines)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param([], id="none"),
        pytest.param([{"context": "senior-signoff"}], id="of any source"),
        pytest.param([{"context": "senior-signoff", "integration_id": 8}], id="of another app"),
        pytest.param([{"context": "senior-signoff"}, {"context": "senior-signoff"}], id="twice"),
    ],
)
def test_the_check_is_there_once_and_pinned(listed: list[dict[str, Any]]) -> None:
    body = mend(None)
    build = {"context": "build", "integration_id": 9}
    check_rule(body)["required_status_checks"] = [build, *listed]
    assert check_rule(mend(body))["required_status_checks"] == [build, OURS]


def test_strictness_stays_and_the_exception_for_new_branches_goes() -> None:
    body = mend(None)
    check_rule(body).update(
        strict_required_status_checks_policy=True, do_not_enforce_on_create=True
    )
    found = check_rule(mend(body))
    assert found["strict_required_status_checks_policy"] is True
    assert found["do_not_enforce_on_create"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("enforcement", "disabled", id="disabled"),
        pytest.param("enforcement", "evaluate", id="evaluated"),
        pytest.param("bypass_actors", [{"actor_type": "DeployKey"}], id="bypass"),
        pytest.param("conditions", {"ref_name": {"include": [], "exclude": []}}, id="no branch"),
        pytest.param(
            "conditions", {"ref_name": {"include": [*REFS], "exclude": [REFS[0]]}}, id="excluded"
        ),
        pytest.param("rules", [], id="no rule"),
    ],
)
def test_what_lets_somebody_by_goes(field: str, value: object) -> None:
    right = mend(None)
    broken = right | {field: value}
    assert mend(broken) == right
    assert difference(broken, right) != ()


def test_more_branches_and_rules_stay() -> None:
    body = mend(None)
    body["conditions"]["ref_name"]["include"].insert(0, "refs/heads/hotfix/*")
    body["rules"].insert(0, {"type": "required_signatures"})
    assert mend(body) == body


def test_an_organisation_means_every_repository() -> None:
    body = mend(None, organization=True)
    body["conditions"]["repository_name"] = {"include": ["shop"], "exclude": []}
    found = mend(body, organization=True)["conditions"]["repository_name"]
    assert found == {"include": ["~ALL"], "exclude": [], "protected": True}


def test_the_difference_is_ascii() -> None:
    body = mend(None)
    body["conditions"]["ref_name"]["include"].append("refs/heads/\u202e\x1b[2J")
    assert "".join(difference(None, body)).isascii()
    assert "\x1b" not in "".join(difference(None, body))


def test_tags_are_held_by_what_is_missing_only() -> None:
    right = mended_tags(None, check_name="senior-signoff", organization=False)
    assert right["target"] == "tag"
    assert [rule["type"] for rule in right["rules"]] == ["deletion", "update"]
    more = right | {"rules": [{"type": "required_signatures"}, {"type": "update"}]}
    more |= {"bypass_actors": [{"actor_type": "DeployKey"}]}
    found = mended_tags(more, check_name="senior-signoff", organization=False)
    assert [rule["type"] for rule in found["rules"]] == [
        "required_signatures", "update", "deletion"
    ]  # fmt: skip
    assert found["bypass_actors"] == []
    assert mended_tags(found, check_name="senior-signoff", organization=False) == found
