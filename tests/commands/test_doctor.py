"""``countersign doctor``: each hole is found, alone, with its mend; unknown is not called fine."""

import json
from pathlib import Path
from unittest.mock import patch

import pytest

from github_app.gateway.errors import RateLimited, TokenRefused
from github_app.store.database import open_store
from github_app.store.protections import Look
from tests.doctor.holes import HOLES, Hole, Org, protected, ruleset


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("owners may bypass", "organisation owners"),
        ("deploy keys are exempt", "deploy keys (exempt)"),
        ("an agent may bypass", "the AI agent copilot-swe-agent"),
        ("a team may bypass", "team acme/"),
        ("a person may bypass", "user 5"),
        ("who maintains may bypass in a pull request", "the role maintain (pull_request)"),
    ],
)
def test_who_may_bypass_is_named(name: str, who: str) -> None:
    with protected() as org:
        HOLES[name].make(org)
        assert who in org.findings("acme/shop")[1][0]["what"]


def test_what_is_protected_has_no_finding() -> None:
    with protected() as org:
        org.branch("release/1.0")
        code, found = org.findings()
        assert found == []
        assert code == 0
        told = org.run("doctor", "acme").stdout
        assert "acme: 2 repositories, 3 default and release branches looked at: no hole" in told


@pytest.mark.parametrize("hole", [pytest.param(hole, id=name) for name, hole in HOLES.items()])
def test_each_hole_is_found_and_nothing_else(hole: Hole) -> None:
    with protected() as org:
        hole.make(org)
        code, found = org.findings()
        assert {one["code"] for one in found} == hole.codes
        assert {one["level"] for one in found} == {hole.level}
        assert hole.where in {one["where"] for one in found}
        assert all(hole.mend in one["mend"] for one in found)
        assert code == (1 if hole.level == "hole" else 0)


def test_without_a_token_bypasses_are_unknown_and_not_none() -> None:
    with protected() as org:
        org.change(bypass_actors=[{"actor_type": "OrganizationAdmin", "actor_id": 1}])
        code, found = org.findings("acme/shop", token=None)
        assert {(one["level"], one["code"]) for one in found} == {
            ("unknown", "bypass-unknown"),
            ("unknown", "push-bypass-unknown"),
        }
        assert code == 0


def test_a_token_that_may_not_see_bypasses_leaves_them_unknown() -> None:
    with protected() as org:
        assert org.codes("acme/shop", token="june") == {"bypass-unknown", "push-bypass-unknown"}


def test_a_second_ruleset_that_nobody_may_bypass_is_enough() -> None:
    with protected() as org:
        org.change(bypass_actors=[{"actor_type": "OrganizationAdmin", "actor_id": 1}])
        org.act("set_ruleset", org="acme", ruleset=ruleset(name="a second one"))
        assert org.findings() == (0, [])


def _classic(org: Org, *, admins: bool, app_id: int | None = 4000) -> None:
    org.act("delete_ruleset", org="acme", id=org.ruleset_id)
    settings = {
        "required_status_checks": {
            "strict": True,
            "checks": [{"context": "senior-signoff", "app_id": app_id}],
        },
        "enforce_admins": admins,
        "required_pull_request_reviews": {"required_approving_review_count": 1},
        "restrictions": None,
    }
    for name in ("acme/shop", "acme/.github"):
        org.act("protect_branch", repo=name, branch="main", settings=settings)


@pytest.mark.parametrize(
    ("admins", "app_id", "codes"),
    [
        pytest.param(True, 4000, set[str](), id="everybody"),
        pytest.param(False, 4000, {"bypass", "push-bypass"}, id="admins are exempt"),
        pytest.param(True, None, {"not-pinned"}, id="not pinned"),
        pytest.param(True, 15368, {"not-pinned"}, id="pinned to another"),
    ],
)
def test_classic_protection_counts(admins: bool, app_id: int | None, codes: set[str]) -> None:
    with protected() as org:
        _classic(org, admins=admins, app_id=app_id)
        assert org.codes() == codes


def test_what_classic_protection_hides_is_unknown_and_the_token_that_is_asked_for_shows_it() -> (
    None
):
    with protected() as org:
        _classic(org, admins=True)
        found = org.findings(token=None)[1]
        assert {one["code"] for one in found} == {"push-unknown"}
        assert all("GITHUB_ADMIN_TOKEN" in one["mend"] for one in found)
        assert org.codes(token="june") == {"push-unknown"}, "it is hidden from who writes"
        assert org.codes() == set()
        checks = {"checks": [{"context": "senior-signoff", "app_id": 4000}]}
        settings = {"required_status_checks": checks, "enforce_admins": True}
        org.act("protect_branch", repo="acme/shop", branch="main", settings=settings)
        assert org.codes() == {"push"}


def test_a_release_branch_that_can_be_made_anew_is_seen_by_rest_as_well() -> None:
    hole = HOLES["a release branch can be made anew"]
    with protected() as org:
        hole.make(org)
        assert org.codes("acme/shop") == hole.codes
        org.hub.faults.add(kind="error", match="graphql:ProtectionSurvey", status=502)
        assert org.codes() == hole.codes


@pytest.mark.parametrize(
    ("layer", "codes"),
    [
        pytest.param("version: 1\nsign_off: {approvals: 1}\n", set[str](), id="as it should be"),
        pytest.param("version: 1\nlevls: []\n", {"layer-broken"}, id="a wrong key"),
        pytest.param("version: 1\nsign_off: {from: mid}\n", {"layer-broken"}, id="it loosens"),
        pytest.param("\0", {"layer-broken"}, id="binary"),
    ],
)
def test_a_repository_s_own_roster(layer: str, codes: set[str]) -> None:
    with protected() as org:
        org.main(".github/reviewers.yaml", layer)
        assert org.codes("acme/shop") == codes
        assert org.codes() == codes
        org.hub.faults.add(kind="error", match="graphql:ProtectionSurvey", status=502, times=None)
        assert org.codes() == codes, "where it has to be asked for by itself"


def test_own_rosters_of_many_repositories_take_no_call_more() -> None:
    with protected() as org:
        before = org.hub.calls.count()
        org.codes()
        without = org.hub.calls.count() - before
        org.main(".github/reviewers.yaml", "version: 1\nsign_off: {approvals: 1}\n")
        before = org.hub.calls.count()
        org.codes()
        assert org.hub.calls.count() - before == without


def test_classic_protection_of_more_release_branches_than_one_query_shows() -> None:
    with protected() as org:
        _classic(org, admins=True)
        (like,) = org.hub.world.repository("acme/shop").protections.values()
        org.act("protect_branch", repo="acme/shop", branch="release/*", settings=like.settings)
        for number in range(12):
            org.branch(f"release/{number}")
        code, found = org.findings()
        made_anew = {(one["code"], one["where"]) for one in found}
        assert code == 1
        assert made_anew == {
            ("not-when-made", f"acme/shop release/{number}") for number in range(12)
        }, "classic protection demands the check of each, and leaves a new branch alone"


def test_protect_closes_what_classic_protection_leaves_open() -> None:
    with protected() as org:
        _classic(org, admins=False)
        assert org.run("protect", "acme", "--yes").exit_code == 0
        assert org.findings() == (0, [])
        assert set(org.hub.world.repository("acme/shop").protections) == {"main"}


def test_classic_protection_is_seen_whole_with_administration_read() -> None:
    with protected() as org:
        (installed,) = org.hub.world.installations.values()
        org.act(
            "narrow_installation", app="countersign", account="acme",
            permissions=installed.permissions | {"administration": "read"},
        )  # fmt: skip
        _classic(org, admins=True)
        assert org.findings() == (0, [])
        org.act(
            "protect_branch", repo="acme/shop", branch="main",
            settings={
                "required_status_checks": {
                    "checks": [{"context": "senior-signoff", "app_id": 4000}]
                },
                "enforce_admins": True,
            },
        )  # fmt: skip
        assert org.codes() == {"push"}


def test_no_roster_anywhere(tmp_path: Path) -> None:
    with protected() as org:
        org.act("delete_repository", repo="acme/.github")
        assert org.codes(COUNTERSIGN_ROSTER=str(tmp_path / "none.yaml")) == {"roster-missing"}


def test_the_roster_of_the_deployment_is_named() -> None:
    with protected() as org:
        org.act("delete_repository", repo="acme/.github")
        found = json.loads(org.run("doctor", "acme", "--json").stdout)
        assert found["roster"] == "this deployment"


def test_an_installation_on_selected_repositories_is_told() -> None:
    with protected() as org:
        org.act("uninstall_app", app="countersign", account="acme")
        names = ["acme/shop", "acme/.github"]
        org.act("install_app", app="countersign", account="acme", repositories=names)
        code, found = org.findings()
        assert [(one["level"], one["code"]) for one in found] == [
            ("warning", "selected-repositories"),
            ("unknown", "webhook-unknown"),  # this installation has had none yet
        ]
        assert code == 0


def test_a_repository_that_cannot_be_read_is_unknown() -> None:
    with protected() as org:
        org.hub.faults.add(kind="error", match="graphql:ProtectionSurvey", status=500)
        code, found = org.findings("acme/shop")
        assert [(one["level"], one["code"]) for one in found] == [("unknown", "unread")]
        assert code == 0


@pytest.mark.parametrize(
    "name", ["private on Free", "a release branch is open", "any source may report the check"]
)
def test_the_same_is_found_where_graphql_does_not_answer(name: str) -> None:
    with protected() as org:
        HOLES[name].make(org)
        with_graphql = org.findings()
        org.hub.faults.add(kind="error", match="graphql:ProtectionSurvey", status=502)
        assert org.findings() == with_graphql


def test_an_archived_repository_has_no_holes() -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        org.act("archive_repository", repo="acme/shop")
        assert org.codes("acme/shop") == set()
        assert {one["where"] for one in org.findings()[1]} == {"acme/.github main"}


def test_too_many_to_ask_who_may_push_is_unknown() -> None:
    with protected() as org, patch("github_app.doctor.able.MOST_CALLS", 1):
        code, found = org.findings()
        assert {(one["level"], one["code"]) for one in found} == {("unknown", "push-right-unknown")}
        assert code == 0


def test_an_owner_who_signs_may_push_everywhere_and_is_asked_for_once() -> None:
    with protected() as org, patch("github_app.doctor.able.MOST_CALLS", 0):
        world = org.hub.world
        world.organization("acme").members[world.account("ada").id] = "admin"
        assert org.findings() == (0, [])


def test_a_pause_that_github_wants_is_made() -> None:
    with protected() as org:
        path = "graphql:ProtectionSurvey"
        org.hub.faults.add(kind="secondary", match=path, times=1, seconds=1)
        assert org.findings() == (0, [])


def test_a_long_pause_is_not_waited_for() -> None:
    with protected() as org:
        path = "graphql:ProtectionSurvey"
        org.hub.faults.add(kind="secondary", match=path, times=1, seconds=3600)
        result = org.run("doctor", "acme")
        assert isinstance(result.exception, RateLimited)
        assert result.stdout == ""


def test_deliveries_that_are_fetched_need_no_webhook() -> None:
    with protected() as org:
        HOLES["no webhook arrives"].make(org)
        result = org.run("doctor", "acme", "--pull", "--json")
        assert json.loads(result.stdout)["findings"] == []


@pytest.mark.parametrize(("branches", "told"), [(1, "1 hole"), (2, "2 holes")])
def test_how_many_there_are_of_each_kind(branches: int, told: str) -> None:
    with protected() as org:
        org.act("delete_ruleset", org="acme", id=org.ruleset_id)
        for number in range(1, branches):
            org.branch(f"release/{number}")
        last = org.run("doctor", "acme/shop").stdout.splitlines()[-1]
        assert last.endswith(f"looked at: {told}")


def test_the_branches_of_one_repository_are_shown() -> None:
    with protected() as org:
        told = org.run("doctor", "acme/shop", COLUMNS="200").stdout
        assert f"ruleset {org.ruleset_id} of acme" in told
        assert "main" in told


def _queued(org: Org) -> None:
    queue = {"merge_method": "SQUASH", "grouping_strategy": "HEADGREEN",
             "check_response_timeout_minutes": 30}  # fmt: skip
    body = ruleset(name="queue", rules=[{"type": "merge_queue", "parameters": queue}])
    body["conditions"].pop("repository_name")
    org.act("set_ruleset", repo="acme/shop", ruleset=body)


def test_strictness_dismissals_and_the_merge_queue_are_told() -> None:
    with protected() as org:
        _queued(org)
        (shop,) = json.loads(org.run("doctor", "acme/shop", "--json").stdout)["repositories"]
        (main,) = shop["branches"]
        assert main["dismissals"] == "everybody who writes"
        assert main["merge_queue"] == "squash, headgreen, 30 minutes"
        assert [one["strict"] for one in main["required_by"]] == [False]
        few = {"type": "pull_request", "parameters": {"dismissal_restriction": {"enabled": True}}}
        org.change(rules=[*ruleset()["rules"], few])
        told = org.run("doctor", "acme/shop", COLUMNS="200").stdout
        assert "those the rule names" in told
        assert "squash, headgreen" in told


def test_what_was_not_asked_of_many_repositories_is_unknown() -> None:
    with protected() as org:
        found = json.loads(org.run("doctor", "acme", "--json").stdout)["repositories"]
        assert {one["branches"][0]["dismissals"] for one in found} == {"unknown"}


def test_since_when_a_repository_is_not_protected(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'countersign.db'}"
    with protected() as org, open_store(url) as store:
        org.change(enforcement="disabled")
        shop = org.hub.world.repository("acme/shop").id
        (installation,) = org.hub.world.installations
        for number, loose in ((shop, 1), (shop + 1, 0)):
            look = Look(
                installation_id=installation, repository_id=number, full_name="acme/shop",
                state={"branches": []}, unprotected=loose,
            )  # fmt: skip
            store.protections.record([look], looked_at=store.now(), entry=lambda *_: None)
        since = store.protections.of(installation)[shop].since
        found = org.run("doctor", "acme", "--json", "--database", url)
        repositories = json.loads(found.stdout)["repositories"]
        told = {one["repository"]: one["unprotected_since"] for one in repositories}
        assert told == {"acme/shop": since, "acme/.github": None}
        assert f"not protected since {since}" in org.run("doctor", "acme", "--database", url).stdout
    assert not Path("/nowhere").exists()


def test_foreign_text_cannot_move_the_cursor() -> None:
    with protected() as org:
        org.branch("release/\u202eniam")
        conditions = ruleset()["conditions"] | {
            "ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}
        }
        org.change(conditions=conditions)
        told = org.run("doctor", "acme", COLUMNS="300").stdout
        assert "\u202e" not in told
        assert "release/" in told


def test_a_clock_that_is_an_hour_behind_is_named_and_the_rest_is_looked_at() -> None:
    with protected() as org:
        org.hub.world.skip(3600)
        code, found = org.findings()
        assert [one["code"] for one in found] == ["clock"]
        assert "3600 seconds behind" in found[0]["what"] or "3599" in found[0]["what"]
        assert code == 1


def test_the_token_is_never_shown() -> None:
    with protected() as org:
        org.hub.faults.add(kind="unauthorized", match="GET /repos/{owner}/{repo}/rulesets/*")
        result = org.run("doctor", "acme", GITHUB_ADMIN_TOKEN="ghp_secretsecret")
        assert isinstance(result.exception, TokenRefused)
        assert "GITHUB_ADMIN_TOKEN" in result.exception.advice
        assert "ghp_secretsecret" not in result.output + repr(result.exception)


@pytest.mark.parametrize("target", ["", "acme/shop/x", "acme shop", "a/../b"])
def test_a_name_it_cannot_read_is_wrong_usage(target: str) -> None:
    with protected() as org:
        assert org.run("doctor", target).exit_code == 2


def test_without_a_token_a_bypass_that_the_service_heard_of_is_a_hole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'countersign.db'}"
    with protected() as org, open_store(url) as store:
        (installation,) = org.hub.world.installations
        look = Look(
            installation_id=installation, repository_id=0, full_name="acme",
            state={"bypasses": {str(org.ruleset_id): ["organisation owners"]}},
        )  # fmt: skip
        store.protections.record([look], looked_at=store.now(), entry=lambda *_: None)
        heard = org.run("doctor", "acme/shop", "--json", "--database", url, token=None)
        found = {(one["level"], one["code"]) for one in json.loads(heard.stdout)["findings"]}
        assert found == {("hole", "bypass"), ("hole", "push-bypass")}
        seen = org.run("doctor", "acme/shop", "--json", "--database", url)
        assert json.loads(seen.stdout)["findings"] == [], "an administrator sees how it is now"


def test_a_person_s_repository_asks_for_nothing_that_only_organisations_have() -> None:
    with protected() as org:
        org.hub.act("june", "create_repository", name="notes")
        org.hub.app.public = True
        org.hub.act("june", "install_app", app="countersign", account="june")
        granted = list(org.hub.world.installations.values())[-1].permissions
        assert "members" not in granted
        codes = org.codes("june", token="june")
        assert not {code for code in codes if code.startswith("permission")}
        assert "not-required" in codes, "the account was looked at"
