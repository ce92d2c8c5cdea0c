"""What GitHub demands on branches, read of many repositories at once."""

from collections.abc import Iterator

import pytest

from github_app.gateway.errors import GitHubError
from github_app.gateway.protection import CHECK_RULE, PULL_RULE, admin
from github_app.gateway.survey import Surveyed, by_id, bypasses, covered, demands, one, survey
from github_app.settings import Secret
from tests.gateway.desk import CHECK, SHOP, SHOP_ID, Desk, at_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    with at_desk() as found:
        (seeded,) = found.hub.world.repository(SHOP).rulesets
        found.act("olga", "delete_ruleset", id=seeded)
        yield found


def shop(desk: Desk) -> Surveyed:
    wanted = one(desk.installation, "acme", "shop")
    ((asked, found),) = survey(desk.installation, [wanted], check_name=CHECK)
    assert asked == wanted
    assert isinstance(found, Surveyed)
    return found


def ask(desk: Desk, name: str = "main") -> tuple[bool, bool]:
    """Whether our check is required on the branch, and pinned to us."""
    (branch,) = [branch for branch in shop(desk).branches if branch.name == name]
    apps = [demand.app_id for demand in branch.demands if demand.rule == CHECK_RULE]
    return bool(apps), desk.app_id in apps


def classic(desk: Desk, app_id: int | None, context: str = CHECK) -> None:
    checks = {"strict": False, "checks": [{"context": context, "app_id": app_id}]}
    settings = {"required_status_checks": checks, "enforce_admins": True}
    desk.act("olga", "protect_branch", branch="main", settings=settings)


def test_nothing_is_required(desk: Desk) -> None:
    assert ask(desk) == (False, False)


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
    assert ask(desk) == (True, pinned)


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
    assert ask(desk) == (True, pinned)


def test_both_add_up(desk: Desk) -> None:
    desk.act("olga", "require_check", context=CHECK)
    classic(desk, 4000)
    assert ask(desk) == (True, True)


def test_another_check_and_another_branch_do_not_count(desk: Desk) -> None:
    desk.act("olga", "require_check", context="build", app="countersign")
    desk.act(
        "olga", "require_check", context=CHECK, app="countersign", branches=["refs/heads/other"]
    )
    classic(desk, 4000, context="build")
    assert ask(desk) == (False, False)


def test_release_branches_are_looked_at_however_many_branches_there_are(desk: Desk) -> None:
    desk.act("olga", "push", branch="release/1.0")
    desk.act("olga", "push", branch="not/release/2.0")
    desk.act("olga", "require_check", context=CHECK, branches=["refs/heads/release/**/*"])
    assert [branch.name for branch in shop(desk).branches] == ["main", "release/1.0"]
    assert ask(desk, "release/1.0") == (True, False)
    repository = desk.hub.world.repository(SHOP)
    tip = repository.branches["main"]
    repository.branches |= {f"a{number}": tip for number in range(100)}
    assert [branch.name for branch in shop(desk).branches] == ["main", "release/1.0"]
    assert "GET /repos/{owner}/{repo}/git/matching-refs/heads/{ref}" in desk.made()


def test_release_branches_of_other_usual_names(desk: Desk) -> None:
    repository = desk.hub.world.repository(SHOP)
    tip = repository.branches["main"]
    names = ["release-2", "releases/v1", "stable-1", "stable/4.2"]
    repository.branches |= dict.fromkeys([*names, "release-notes", "hotfix/1"], tip)
    desk.act("olga", "require_check", context=CHECK, branches=["refs/heads/release-*"])
    assert sorted(branch.name for branch in shop(desk).branches) == ["main", *names]
    assert ask(desk, "release-2") == (True, False)
    assert "query ProtectionSurvey" in desk.made()
    assert not [call for call in desk.made() if "matching-refs" in call]
    repository.branches |= {f"a{number}": tip for number in range(100)}
    assert sorted(branch.name for branch in shop(desk).branches) == ["main", *names]


def test_more_release_branches_than_one_query_shows(desk: Desk) -> None:
    repository = desk.hub.world.repository(SHOP)
    tip = repository.branches["main"]
    repository.branches |= {f"release/{number}": tip for number in range(12)}
    desk.act("olga", "require_check", context=CHECK, branches=["refs/heads/release/*"])
    names = [branch.name for branch in shop(desk).branches]
    assert names == ["main", *sorted(f"release/{number}" for number in range(12))]
    assert all(ask(desk, name) == (True, False) for name in names[1:])


def test_a_repository_without_a_commit_has_rules_all_the_same(desk: Desk) -> None:
    desk.act("olga", "require_check", context=CHECK, app="countersign")
    desk.hub.world.repository(SHOP).branches.clear()
    assert ask(desk) == (True, True)


def test_a_default_branch_that_was_renamed_is_asked_by_its_new_name(desk: Desk) -> None:
    wanted = one(desk.installation, "acme", "shop")
    repository = desk.hub.world.repository(SHOP)
    repository.branches["trunk"] = repository.branches["main"]
    repository.default_branch = "trunk"
    ((_, found),) = survey(desk.installation, [wanted], check_name=CHECK)
    assert isinstance(found, Surveyed)
    assert [(branch.name, branch.default) for branch in found.branches] == [("trunk", True)]


def test_one_that_is_gone_does_not_hide_the_others(desk: Desk) -> None:
    for number in range(5):
        desk.hub.act("olga", "create_repository", name=f"more-{number}", owner="acme")
    wanted = list(covered(desk.installation))
    desk.hub.act("olga", "delete_repository", repo="acme/more-3")
    found = {
        each.repository.name: surveyed
        for each, surveyed in survey(desk.installation, wanted, check_name=CHECK)
    }
    assert len(found) == len(wanted)
    failed = [name for name, surveyed in found.items() if isinstance(surveyed, GitHubError)]
    assert failed == ["more-3"]


def test_25_repositories_are_one_call(desk: Desk) -> None:
    for number in range(20):
        desk.hub.act("olga", "create_repository", name=f"more-{number}", owner="acme")
    wanted = list(covered(desk.installation))
    desk.made()
    assert len(list(survey(desk.installation, wanted, check_name=CHECK))) == len(wanted) > 20
    assert desk.made() == ["query ProtectionSurvey"]


def test_by_id_follows_a_rename(desk: Desk) -> None:
    desk.act("olga", "rename_repository", name="store")
    assert by_id(desk.installation, SHOP_ID).repository.full_name == "acme/store"


def test_release_tags_that_can_be_moved(desk: Desk) -> None:
    desk.act("olga", "create_tag", tag="v1.0")
    desk.act("olga", "create_tag", tag="nightly")
    assert shop(desk).loose_tags == ("v1.0",)
    holding = {
        "name": "tags", "target": "tag", "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "update"}],
    }  # fmt: skip
    made = desk.act("olga", "set_ruleset", ruleset=holding)
    assert shop(desk).loose_tags == ()
    desk.act("olga", "set_ruleset", id=made["id"], ruleset={"rules": [{"type": "deletion"}]})
    assert shop(desk).loose_tags == ("v1.0",)


def test_a_pull_request_rule_and_a_merge_queue(desk: Desk) -> None:
    queue = {"merge_method": "SQUASH", "grouping_strategy": "ALLGREEN",
             "check_response_timeout_minutes": 5}  # fmt: skip
    body = {
        "name": "queue", "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "merge_queue", "parameters": queue}, {"type": "pull_request"}],
    }  # fmt: skip
    desk.act("olga", "set_ruleset", ruleset=body)
    (branch,) = shop(desk).branches
    found = {demand.rule: demand for demand in branch.demands}
    assert found["merge_queue"].queue == "squash, allgreen, 5 minutes"
    assert PULL_RULE in found


ACTORS = [
    pytest.param({"actor_type": "OrganizationAdmin", "actor_id": 1}, "organisation owners"),
    pytest.param({"actor_type": "DeployKey"}, "deploy keys"),
    pytest.param(
        {"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "pull_request"},
        "everybody with the role admin (pull_request)",
    ),
    pytest.param({"actor_type": "Integration", "actor_id": 15368}, "app github-actions"),
]


@pytest.mark.parametrize(("actor", "words"), ACTORS)
def test_who_may_bypass_has_a_name(desk: Desk, actor: dict[str, object], words: str) -> None:
    made = desk.act(
        "olga", "require_check", context=CHECK, app="countersign", bypass_actors=[actor]
    )
    node_id = desk.hub.world.repository(SHOP).rulesets[made["id"]].node_id
    administrator = admin(desk.github, Secret(desk.hub.door.user_token("olga")))
    assert bypasses(administrator, {made["id"]: node_id}) == {made["id"]: (words,)}
    assert bypasses(desk.installation, {made["id"]: node_id}) == {made["id"]: None}


def test_a_ruleset_that_is_gone_is_not_seen(desk: Desk) -> None:
    administrator = admin(desk.github, Secret(desk.hub.door.user_token("olga")))
    assert bypasses(administrator, {12: "RRS_12"}) == {12: None}


def test_somebody_of_a_kind_we_do_not_know_is_not_left_out(desk: Desk) -> None:
    actor = {"actor_type": "User", "actor_id": 7}
    made = desk.act(
        "olga", "require_check", context=CHECK, app="countersign", bypass_actors=[actor]
    )
    node_id = desk.hub.world.repository(SHOP).rulesets[made["id"]].node_id
    administrator = admin(desk.github, Secret(desk.hub.door.user_token("olga")))
    assert bypasses(administrator, {made["id"]: node_id}) == {}


def test_a_ruleset_of_the_enterprise_has_no_name() -> None:
    """It is inherited like an organisation's; the query asks for no more than its type."""
    rule = {
        "type": "PULL_REQUEST",
        "repositoryRuleset": {
            "id": "RRS_1",
            "databaseId": 1,
            "source": {"__typename": "Enterprise"},
        },
        "parameters": {"__typename": "PullRequestParameters"},
    }
    (found,) = demands({"rules": {"totalCount": 1, "nodes": [rule]}}, CHECK) or ()
    assert found.source == "ruleset 1 of the enterprise"


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(None, id="not shown"),
        pytest.param({"totalCount": 2, "nodes": []}, id="not all shown"),
        pytest.param(
            {"totalCount": 1, "nodes": [{"type": "UPDATE", "repositoryRuleset": None}]},
            id="of a ruleset that is not shown",
        ),
    ],
)
def test_rules_that_are_not_all_shown_are_asked_for_by_rest(rules: object) -> None:
    assert demands({"rules": rules}, CHECK) is None


@pytest.mark.parametrize("field", ["archived", "disabled"])
def test_what_is_asleep_is_not_covered(desk: Desk, field: str) -> None:
    setattr(desk.hub.world.repository(SHOP), field, True)
    assert one(desk.installation, "acme", "shop").asleep
    assert [each.repository.name for each in covered(desk.installation)] == [".github"]


def test_a_fork_is_a_repository_like_any_other(desk: Desk) -> None:
    desk.hub.world.repository(SHOP).parent = desk.hub.world.repository("acme/.github")
    desk.act("olga", "require_check", context=CHECK, app="countersign")
    assert ask(desk) == (True, True)


def test_where_graphql_does_not_answer_rest_does(desk: Desk) -> None:
    desk.act("olga", "push", branch="release/1.0")
    desk.act("olga", "require_check", context=CHECK, app="countersign")
    classic(desk, 4000)
    by_graphql = shop(desk)
    desk.hub.faults.add(kind="error", match="graphql:ProtectionSurvey", status=502)
    by_rest = shop(desk)
    assert [branch.name for branch in by_rest.branches] == ["main", "release/1.0"]
    for one_way, other in zip(by_graphql.branches, by_rest.branches, strict=True):
        assert (one_way.default, one_way.classic) == (other.default, other.classic)
        assert {(one.rule, one.app_id, one.source) for one in one_way.demands} == {
            (one.rule, one.app_id, one.source) for one in other.demands
        }


def test_an_empty_repository_is_read_by_rest_as_well(desk: Desk) -> None:
    desk.act("olga", "require_check", context=CHECK, app="countersign")
    desk.hub.world.repository(SHOP).branches.clear()
    desk.hub.faults.add(kind="error", match="graphql:ProtectionSurvey", status=502)
    assert ask(desk) == (True, True)
