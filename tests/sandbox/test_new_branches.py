"""A branch that is made under rules: what GitHub asks for at once, and what only later."""

from typing import Any

import pytest

from sandbox.errors import Refused
from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP

CHECK = "senior-signoff"


def rule(*, left_alone: bool = False) -> dict[str, Any]:
    parameters = {
        "do_not_enforce_on_create": left_alone,
        "required_status_checks": [{"context": CHECK, "integration_id": 4000}],
    }
    return {"type": "required_status_checks", "parameters": parameters}


def put(hub: Sandbox, *rules: dict[str, Any], **more: Any) -> None:
    body = {
        "name": "releases",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/release/*"], "exclude": []}},
        "rules": [*rules],
    }
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=body | more)


def cut(hub: Sandbox, actor: str = "june") -> None:
    hub.act(actor, "push", repo=SHOP, branch="release/1", commits=[])


def test_the_check_is_asked_for_on_the_commit_it_is_made_at(hub: Sandbox) -> None:
    put(hub, rule())
    with pytest.raises(Refused, match="is expected"):
        cut(hub)
    hub.act("june", "report_check", repo=SHOP, name=CHECK, sha="main")
    with pytest.raises(Refused, match="is expected"):  # another app's: ours is pinned
        cut(hub)
    hub.act("june", "report_check", repo=SHOP, name=CHECK, sha="main", app="countersign")
    cut(hub)


def test_unless_the_rule_leaves_new_branches_alone(hub: Sandbox) -> None:
    put(hub, rule(left_alone=True))
    cut(hub)
    with pytest.raises(Refused, match="is expected"):
        hub.act("june", "push", repo=SHOP, branch="release/1")


def test_a_second_rule_that_does_not_is_enough(hub: Sandbox) -> None:
    put(hub, rule(left_alone=True))
    put(hub, rule(), name="another")
    with pytest.raises(Refused, match="is expected"):
        cut(hub)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"type": "pull_request", "parameters": {}}, id="a pull request"),
        pytest.param({"type": "merge_queue", "parameters": {}}, id="a queue"),
        pytest.param({"type": "deletion"}, id="no deletion"),
    ],
)
def test_these_are_not_asked_of_a_new_branch(hub: Sandbox, other: dict[str, Any]) -> None:
    put(hub, other)
    cut(hub)


def test_creations_can_be_restricted(hub: Sandbox) -> None:
    everybody = [{"actor_type": "OrganizationAdmin", "actor_id": 1, "bypass_mode": "always"}]
    put(hub, {"type": "creation"}, bypass_actors=everybody)
    with pytest.raises(Refused, match="creations being restricted"):
        cut(hub)
    cut(hub, "olga")


def test_without_deletion_it_can_be_deleted_and_made_anew(hub: Sandbox) -> None:
    put(hub, rule(left_alone=True))
    cut(hub)
    hub.act("june", "delete_branch", repo=SHOP, branch="release/1")
    cut(hub)
    put(hub, {"type": "deletion"}, name="another")
    with pytest.raises(Refused, match="Cannot delete"):
        hub.act("june", "delete_branch", repo=SHOP, branch="release/1")
