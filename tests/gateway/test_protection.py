"""What a default branch demands, as the worker asks it when rules change."""

from collections.abc import Iterator

import pytest

from github_app.gateway.protection import Requirement, requirement
from tests.gateway.desk import CHECK, SHOP, Desk, at_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    with at_desk() as found:
        (seeded,) = found.hub.world.repository(SHOP).rulesets
        found.act("olga", "delete_ruleset", id=seeded)
        yield found


def ask(desk: Desk) -> Requirement:
    found = requirement(desk.installation, "acme", "shop", app_id=desk.app_id, check_name=CHECK)
    assert found.branch == "main"
    return found


def classic(desk: Desk, app_id: int | None, context: str = CHECK) -> None:
    checks = {"strict": False, "checks": [{"context": context, "app_id": app_id}]}
    settings = {"required_status_checks": checks, "enforce_admins": True}
    desk.act("olga", "protect_branch", branch="main", settings=settings)


def test_nothing_is_required(desk: Desk) -> None:
    assert ask(desk) == Requirement(branch="main", required=False, pinned=False)


@pytest.mark.parametrize(
    ("app", "pinned"),
    [
        pytest.param("countersign", True, id="ours"),
        pytest.param("github-actions", False, id="another"),
        pytest.param("", False, id="any"),
    ],
)
def test_a_ruleset(desk: Desk, app: str, pinned: bool) -> None:
    desk.act("olga", "require_check", context=CHECK, app=app)
    assert ask(desk) == Requirement(branch="main", required=True, pinned=pinned)


@pytest.mark.parametrize(
    ("app_id", "pinned"),
    [
        pytest.param(4000, True, id="ours"),
        pytest.param(15368, False, id="another"),
        pytest.param(None, False, id="any"),
        pytest.param(-1, False, id="any, said so"),
    ],
)
def test_classic_protection(desk: Desk, app_id: int | None, pinned: bool) -> None:
    classic(desk, app_id)
    assert ask(desk) == Requirement(branch="main", required=True, pinned=pinned)


def test_both_add_up(desk: Desk) -> None:
    desk.act("olga", "require_check", context=CHECK)
    classic(desk, 4000)
    assert ask(desk) == Requirement(branch="main", required=True, pinned=True)


def test_another_check_and_another_branch_do_not_count(desk: Desk) -> None:
    desk.act("olga", "require_check", context="build", app="countersign")
    desk.act(
        "olga", "require_check", context=CHECK, app="countersign", branches=["refs/heads/other"]
    )
    classic(desk, 4000, context="build")
    assert ask(desk) == Requirement(branch="main", required=False, pinned=False)
