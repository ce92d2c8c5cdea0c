"""GraphQL: the documents execute, the schema is GitHub's, and GitHub's limits are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    parse,
    validate,
)

from sandbox.errors import Unauthorized
from sandbox.graphql import SCHEMA, load_schema
from sandbox.server import Sandbox
from sandbox.tools.subset_schema import SWEEP, official, printed, used_fields
from tests.sandbox.kit import QUERIES, SHOP, app_jwt, document, execute, open_pull, sign, snapshot

DOCUMENTS = sorted({path.stem for path in QUERIES.glob("*.graphql")} - {"fragments"})


def test_there_are_ten_documents() -> None:
    assert len(DOCUMENTS) == 10


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in DOCUMENTS])
def test_a_document_is_valid(name: str) -> None:
    assert validate(load_schema(), parse(document(name))) == []


OFFICIAL = pytest.mark.skipif(
    "COUNTERSIGN_GITHUB_SDL" not in os.environ, reason="COUNTERSIGN_GITHUB_SDL names no SDL file"
)


@OFFICIAL
def test_the_schema_is_what_the_tool_cuts_out() -> None:
    schema = official(Path(os.environ["COUNTERSIGN_GITHUB_SDL"]).read_text(encoding="utf-8"))
    asked = [parse(document(name)) for name in DOCUMENTS]
    asked.append(parse(SWEEP.read_text(encoding="utf-8")))
    assert printed(schema, used_fields(schema, asked)) == SCHEMA.read_text(encoding="utf-8")


@OFFICIAL
def test_every_type_and_field_is_github_s_own() -> None:
    text = Path(os.environ["COUNTERSIGN_GITHUB_SDL"]).read_text(encoding="utf-8")
    official = build_schema(text, assume_valid=True, assume_valid_sdl=True)
    ours = build_schema(SCHEMA.read_text(encoding="utf-8"))
    compared = 0
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        other = official.type_map[name]
        assert type(other) is type(kind), name
        if isinstance(kind, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
            assert set(kind.values) == set(other.values), name
        if isinstance(kind, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
            assert {n: str(f.type) for n, f in kind.fields.items()} == {
                n: str(f.type) for n, f in other.fields.items()
            }
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(other, GraphQLObjectType | GraphQLInterfaceType)
            for field, definition in kind.fields.items():
                theirs = other.fields[field]
                assert str(definition.type) == str(theirs.type), f"{name}.{field}"
                assert {a: str(v.type) for a, v in definition.args.items()} == {
                    a: str(v.type) for a, v in theirs.args.items()
                }, f"{name}.{field}"
                compared += 1
    assert compared > 300


def page_variables(hub: Sandbox, number: int) -> dict[str, Any]:
    node = snapshot(hub, number)["id"]
    return {"id": node, "after": "Y3Vyc29yOnYyOjA=", "itemTypes": ["LABELED_EVENT"]}


@pytest.mark.parametrize(
    ("name", "points"),
    [
        pytest.param("SnapshotCommitsPage", 2, id="commits"),
        pytest.param("SnapshotReviewsPage", 1, id="reviews"),
        pytest.param("SnapshotFilesPage", 1, id="files"),
        pytest.param("SnapshotEditsPage", 1, id="edits"),
        pytest.param("SnapshotTimelinePage", 1, id="timeline"),
    ],
)
def test_a_further_page_executes(hub: Sandbox, name: str, points: int) -> None:
    number = open_pull(hub)
    answer = execute(hub, document(name), **page_variables(hub, number))
    assert "errors" not in answer
    assert answer["data"]["rateLimit"]["cost"] == points
    assert answer["data"]["node"]["headRefOid"] == hub.pull(number)["head_sha"]


def test_the_snapshot_costs_what_the_formula_says(hub: Sandbox) -> None:
    number = open_pull(hub)
    variables = {
        "owner": "acme",
        "name": "shop",
        "number": number,
        "appId": 1,
        "checkName": "x",
        "rosterExpr": "HEAD:README.md",
        "orgRosterExpr": "HEAD:x",
        "withOrgPublic": False,
        "withOrgPrivate": False,
    }
    answer = execute(hub, document("PullRequestSnapshot"), **variables)
    limits = answer["data"]["rateLimit"]
    assert (limits["cost"], limits["nodeCount"]) == (3, 3431)
    assert limits["remaining"] == 5000 - 3 - 0
    assert answer["data"]["repository"]["roster"]["text"].startswith("# shop")
    assert "orgPublic" not in answer["data"]


def test_commits_to_pull_requests_after_a_squash(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number)
    hub.act("grace", "merge", repo=SHOP, number=number, method="squash")
    head = hub.world.repository(SHOP).branches["main"]
    answer = execute(hub, document("CommitsToPullRequests"), owner="acme", name="shop", head=head)
    nodes = answer["data"]["repository"]["object"]["history"]["nodes"]
    found = [[p["number"] for p in n["associatedPullRequests"]["nodes"]] for n in nodes]
    assert found == [[number], []]
    assert nodes[0]["associatedPullRequests"]["nodes"][0]["merged"]


def test_merge_queue_entries_and_deployments(hub: Sandbox) -> None:
    rule = {"type": "merge_queue", "parameters": {"merge_method": "MERGE"}}
    body = {
        "name": "q",
        "enforcement": "active",
        "rules": [rule],
        "conditions": {"ref_name": {"include": ["main"], "exclude": []}},
    }
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=body)
    number = open_pull(hub)
    sign(hub, number)
    entry = hub.act("grace", "enqueue", repo=SHOP, number=number)
    answer = execute(hub, document("MergeQueueEntries"), owner="acme", name="shop", branch="main")
    (node,) = answer["data"]["repository"]["mergeQueue"]["entries"]["nodes"]
    assert node["headCommit"]["oid"] == entry["head_sha"]
    assert (node["position"], node["state"]) == (1, "AWAITING_CHECKS")
    assert node["pullRequest"]["number"] == number

    grant(hub, deployments="read")
    hub.act("kim", "record_deployment", repo=SHOP, environment="production", sha="main")
    answer = execute(
        hub, document("LastDeployments"), owner="acme", name="shop", environment="production"
    )
    (made,) = answer["data"]["repository"]["deployments"]["nodes"]
    assert (made["state"], made["latestStatus"]["state"]) == ("ACTIVE", "SUCCESS")


def grant(hub: Sandbox, **permissions: str) -> None:
    installation = next(iter(hub.world.installations.values()))
    hub.act(
        "olga",
        "narrow_installation",
        app="countersign",
        account="acme",
        permissions=installation.permissions | permissions,
    )


def doctor(hub: Sandbox) -> dict[str, Any]:
    return execute(
        hub, document("DoctorBranch"), owner="acme", name="shop", qualifiedName="refs/heads/main"
    )


def test_the_doctor_sees_rules_but_not_what_is_an_admin_s(hub: Sandbox) -> None:
    answer = doctor(hub)
    assert [(e["type"], e["path"]) for e in answer["errors"]] == [
        ("FORBIDDEN", ["repository", "ref", "branchProtectionRule"])
    ]
    (rule,) = answer["data"]["repository"]["ref"]["rules"]["nodes"]
    assert rule["parameters"]["requiredStatusChecks"] == [
        {"context": "senior-signoff", "integrationId": hub.app.id}
    ]
    assert rule["repositoryRuleset"]["bypassActors"] is None


def test_the_doctor_with_administration_sees_everything(hub: Sandbox) -> None:
    grant(hub, administration="write")
    settings = {
        "required_status_checks": {
            "strict": True,
            "checks": [{"context": "ci", "app_id": hub.app.id}],
        }
    }
    hub.act("olga", "protect_branch", repo=SHOP, branch="main", settings=settings)
    (number,) = hub.world.repository(SHOP).rulesets
    actors = [
        {"actor_type": "Integration", "actor_id": hub.app.id},
        {"actor_type": "OrganizationAdmin"},
        {"actor_type": "RepositoryRole", "actor_id": 5},
    ]
    hub.act("olga", "set_ruleset", repo=SHOP, id=number, ruleset={"bypass_actors": actors})
    answer = doctor(hub)
    assert "errors" not in answer
    ref = answer["data"]["repository"]["ref"]
    assert ref["branchProtectionRule"]["requiredStatusChecks"] == [
        {"context": "ci", "app": {"databaseId": hub.app.id, "slug": "countersign"}}
    ]
    assert ref["refUpdateRule"]["requiredStatusCheckContexts"] == ["ci"]
    bypass = ref["rules"]["nodes"][0]["repositoryRuleset"]["bypassActors"]["nodes"]
    assert [(b["actor"] or {}).get("slug") for b in bypass] == ["countersign", None, None]
    assert [b["organizationAdmin"] for b in bypass] == [False, True, False]
    assert bypass[2]["repositoryRoleName"] == "admin"


# --- Facts that are easy to get wrong ---


def test_a_bot_author_of_a_commit_is_no_user(hub: Sandbox) -> None:
    bot = "copilot-swe-agent[bot] <198982749+copilot-swe-agent[bot]@users.noreply.github.com>"
    hub.act("june", "push", repo=SHOP, branch="fix", commits=[{"author": bot}])
    number = hub.act("copilot-swe-agent[bot]", "open_pull_request", repo=SHOP, head="fix")["number"]
    found = snapshot(hub, number)
    assert found["author"] == {
        "__typename": "Bot",
        "login": "copilot-swe-agent",
        "databaseId": 198982749,
        "id": found["author"]["id"],
        "resourcePath": "/apps/copilot-swe-agent",
    }
    commit = found["commits"]["nodes"][0]["commit"]
    assert commit["author"]["user"] is None
    assert commit["author"]["email"].startswith("198982749+")


def test_a_commit_is_linked_by_its_email_alone(hub: Sandbox) -> None:
    specs = [{"author": "Somebody <GRACE@acme.example>"}, {"author": "Grace Hopper <no@where>"}]
    hub.act("june", "push", repo=SHOP, branch="fix", commits=specs)
    number = hub.act("june", "open_pull_request", repo=SHOP, head="fix")["number"]
    nodes = snapshot(hub, number)["commits"]["nodes"]
    users = [node["commit"]["author"]["user"] for node in nodes]
    assert [user and user["login"] for user in users] == ["grace", None]


def test_push_rights_are_those_of_this_moment(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("kim", "approve", repo=SHOP, number=number)
    assert snapshot(hub, number)["reviews"]["nodes"][0]["authorCanPushToRepository"]
    hub.act("olga", "remove_collaborator", repo=SHOP, login="kim")
    found = snapshot(hub, number)
    assert not found["reviews"]["nodes"][0]["authorCanPushToRepository"]
    assert found["latestOpinionatedReviews"]["totalCount"] == 0


def test_a_lost_commit_leaves_a_review_without_one(hub: Sandbox) -> None:
    number = open_pull(hub)
    made = hub.act("kim", "approve", repo=SHOP, number=number)
    hub.act("kim", "lose_review_commit", repo=SHOP, number=number, review_id=made["id"])
    assert snapshot(hub, number)["reviews"]["nodes"][0]["commit"] is None


def test_the_latest_run_of_the_name_and_only_of_the_app(hub: Sandbox) -> None:
    number = open_pull(hub)
    sign(hub, number, "failure")
    sign(hub, number)
    sha = hub.pull(number)["head_sha"]
    hub.act("kim", "report_check", repo=SHOP, name="senior-signoff", sha=sha, conclusion="failure")
    (suite,) = snapshot(hub, number)["headCommit"]["nodes"][0]["commit"]["checkSuites"]["nodes"]
    (run,) = suite["checkRuns"]["nodes"]
    assert (run["conclusion"], run["isRequired"]) == ("SUCCESS", True)
    assert suite["app"]["databaseId"] == hub.app.id
    assert suite["push"]["pusher"]["login"] == "june"


def test_two_pull_requests_with_one_head(hub: Sandbox) -> None:
    number = open_pull(hub)
    hub.act("june", "push", repo=SHOP, branch="base2", commits=[{}])
    sha = hub.pull(number)["head_sha"]
    hub.act("kim", "set_branch", repo=SHOP, branch="twin", sha=sha)
    twin = hub.act("kim", "open_pull_request", repo=SHOP, head="twin", base="base2")["number"]
    commit = snapshot(hub, number)["headCommit"]["nodes"][0]["commit"]
    found = [node["number"] for node in commit["associatedPullRequests"]["nodes"]]
    assert found == [number, twin]


def test_a_large_pull_request_pages_to_its_end(hub: Sandbox) -> None:
    files = {f"d{n % 40}/{n}.txt": f"{n}\n" for n in range(4000)}
    specs: list[dict[str, Any]] = [{"message": str(n)} for n in range(599)]
    hub.act(
        "june",
        "push",
        repo=SHOP,
        branch="big",
        commits=[*specs, {"message": "all", "files": files}],
    )
    number = hub.act("june", "open_pull_request", repo=SHOP, head="big")["number"]
    for _ in range(250):
        hub.act("kim", "review", repo=SHOP, number=number, event="COMMENT", body="x")
    found = snapshot(hub, number)
    assert found["changedFiles"] == 4599
    for field, name in (("commits", "Commits"), ("reviews", "Reviews"), ("files", "Files")):
        nodes, page = found[field]["nodes"], found[field]["pageInfo"]
        while page["hasNextPage"]:
            variables = {"id": found["id"], "after": page["endCursor"]}
            answer = execute(hub, document(f"Snapshot{name}Page"), **variables)
            part = answer["data"]["node"][field]
            nodes, page = nodes + part["nodes"], part["pageInfo"]
        assert len(nodes) == found[field]["totalCount"]
        assert len({str(node) for node in nodes}) == len(nodes)
    assert found["commits"]["totalCount"] == 600


# --- Refusals ---

PULLS = '{ repository(owner: "acme", name: "shop") { pullRequests(%s) { nodes { number } } } }'


@pytest.mark.parametrize(
    ("text", "variables", "kind", "words"),
    [
        pytest.param(
            PULLS % "states: [OPEN]", {}, "MISSING_PAGINATION_BOUNDARIES", "first", id="no-first"
        ),
        pytest.param(
            PULLS % "first: 101", {}, "EXCESSIVE_PAGINATION", "100 records", id="above-100"
        ),
        pytest.param(
            "query($n: Int) " + PULLS % "last: $n",
            {"n": 0},
            "EXCESSIVE_PAGINATION",
            "0 records",
            id="zero",
        ),
        pytest.param(
            "{ a: viewer { login } } query b { viewer { login } }",
            {},
            None,
            "",
            id="anonymous-and-named",
        ),
        pytest.param(
            "query a { viewer { login } } query b { viewer { login } }",
            {},
            None,
            "operation name",
            id="two-operations",
        ),
        pytest.param("{ nonsense }", {}, None, "nonsense", id="unknown-field"),
        pytest.param("{ viewer { login }", {}, None, "Syntax", id="syntax"),
        pytest.param("", {}, None, "query attribute", id="empty"),
        pytest.param(
            "fragment F on User { login } query { viewer { login } }",
            {},
            None,
            "never used",
            id="unused-fragment",
        ),
        pytest.param(
            '{ organization(login: "acme") { repositories(first: 100) { nodes '
            "{ pullRequests(first: 100) { nodes { commits(first: 100) "
            "{ nodes { commit { oid } } } } } } } } }",
            {},
            "MAX_NODE_LIMIT_EXCEEDED",
            "500,000",
            id="too-many-nodes",
        ),
    ],
)
def test_refused_as_a_whole(
    hub: Sandbox, text: str, variables: dict[str, Any], kind: str | None, words: str
) -> None:
    answer = execute(hub, text, **variables)
    assert "data" not in answer
    assert answer["errors"][0].get("type") == kind
    assert words in str(answer["errors"])


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        pytest.param(
            '{ repository(owner: "acme", name: "no") { id } }',
            ["repository"],
            "NOT_FOUND",
            id="repository",
        ),
        pytest.param(
            '{ repository(owner: "acme", name: "shop") { pullRequest(number: 9) { id } } }',
            ["repository", "pullRequest"],
            "NOT_FOUND",
            id="pull-request",
        ),
        pytest.param('{ node(id: "PR_nothing") { id } }', ["node"], "NOT_FOUND", id="node"),
        pytest.param(
            '{ organization(login: "june") { id } }', ["organization"], "NOT_FOUND", id="org"
        ),
        pytest.param(
            '{ repository(owner: "acme", name: "shop") { branchProtectionRules(first: 1) '
            "{ nodes { id } } } }",
            ["repository", "branchProtectionRules"],
            "FORBIDDEN",
            id="no-permission",
        ),
    ],
)
def test_a_missing_thing_is_null_and_an_error(
    hub: Sandbox, text: str, path: list[str], kind: str
) -> None:
    answer = execute(hub, text)
    assert [(e["type"], e["path"]) for e in answer["errors"]] == [(kind, path)]
    here = answer["data"]
    for step in path:  # null at the field, or above it where the field itself may not be null
        here = here and here[step]
    assert here is None


def test_a_missing_file_is_plain_null(hub: Sandbox) -> None:
    text = '{ repository(owner: "acme", name: "shop") { object(expression: "HEAD:no") { oid } } }'
    assert execute(hub, text) == {"data": {"repository": {"object": None}}}


def test_a_rename_is_followed_only_on_request(hub: Sandbox) -> None:
    hub.act("olga", "rename_repository", repo=SHOP, name="store")
    text = '{ repository(owner: "acme", name: "shop", followRenames: %s) { name } }'
    assert execute(hub, text % "true")["data"]["repository"]["name"] == "store"
    assert execute(hub, text % "false")["errors"][0]["type"] == "NOT_FOUND"


def test_what_the_installation_may_not_see_is_not_found(hub: Sandbox) -> None:
    hub.act("kim", "create_repository", name="diary", private=True)
    hub.act("kim", "create_repository", name="blog")
    text = '{ repository(owner: "kim", name: "%s") { name } }'
    assert execute(hub, text % "diary")["errors"][0]["type"] == "NOT_FOUND"
    assert execute(hub, text % "blog")["data"]["repository"]["name"] == "blog"


def test_a_missing_permission_is_forbidden(hub: Sandbox) -> None:
    open_pull(hub)
    grant(hub, pull_requests="")
    text = '{ repository(owner: "acme", name: "shop") { name pullRequest(number: 1) { id } } }'
    answer = execute(hub, text)
    assert [e["type"] for e in answer["errors"]] == ["FORBIDDEN"]
    assert answer["data"]["repository"] == {"name": "shop", "pullRequest": None}


def test_an_app_s_own_token_may_not_ask(hub: Sandbox) -> None:
    caller = hub.door.caller(f"bearer {app_jwt(hub)}")
    with pytest.raises(Unauthorized):
        hub.graphql.execute({"query": "{ viewer { login } }"}, caller, hub.door.limits_of(caller))


def test_the_hour_s_points_run_out(hub: Sandbox) -> None:
    number = open_pull(hub)
    snapshot(hub, number)
    (installation,) = hub.world.installations.values()
    hub.door.set_limit([f"installation:{installation.id}"], None, 5000)
    answer = execute(hub, "{ viewer { login } }")
    assert answer["errors"][0]["type"] == "RATE_LIMITED"
    hub.world.skip(3601)
    assert "errors" not in execute(hub, "{ viewer { login } }")


def test_the_price_follows_the_variables(hub: Sandbox) -> None:
    text = (
        "query($n: Int!, $more: Boolean!) { rateLimit { cost nodeCount } "
        'repository(owner: "acme", name: "shop") { pullRequests(first: $n) { nodes { number '
        "commits(first: $n) @include(if: $more) { nodes { id } } } } } }"
    )

    def nodes(n: int, *, more: bool) -> int:
        found: int = execute(hub, text, n=n, more=more)["data"]["rateLimit"]["nodeCount"]
        return found

    assert nodes(10, more=True) == 10 + 100
    assert nodes(20, more=True) == 20 + 400
    assert nodes(20, more=False) == 20
    assert nodes(10, more=True) == 10 + 100


def test_the_further_documents_execute_field_by_field(hub: Sandbox) -> None:
    """Everything that sweeps and doctors may ask beyond the ten documents, in one answer."""
    grant(hub, administration="write", organization_administration="write")
    hub.act("", "create_user", login="a")
    hub.act("olga", "create_team", org="acme", slug="a", members=["kim"])
    settings = {"required_status_checks": {"strict": False, "contexts": ["ci"]}}
    hub.act("olga", "protect_branch", repo=SHOP, branch="release/*", settings=settings)
    number = open_pull(hub, labels=["a"])
    hub.act("kim", "approve", repo=SHOP, number=number)
    hub.act("kim", "assign", repo=SHOP, number=number, assignee="kim")
    hub.act("kim", "set_status", repo=SHOP, sha="refs/heads/fix", context="ci")
    sign(hub, number)
    node = hub.pull(number)["node_id"]
    text = SWEEP.read_text(encoding="utf-8").replace('ids: ["a"]', f'ids: ["{node}"]')
    answer = execute(hub, text, owner="acme", name="shop", states=["OPEN"])
    assert "errors" not in answer
    data = answer["data"]
    (pull,) = data["repository"]["pullRequests"]["nodes"]
    assert pull["headRef"]["target"]["oid"] == pull["headRefOid"]
    commit = pull["commits"]["nodes"][0]["commit"]
    assert commit["statusCheckRollup"]["state"] == "SUCCESS"
    assert commit["statusCheckRollup"]["contexts"]["totalCount"] == 2
    assert data["repository"]["label"]["name"] == "a"
    assert data["organization"]["team"]["members"]["nodes"][0]["login"] == "kim"
    assert data["nodes"][0]["number"] == number
