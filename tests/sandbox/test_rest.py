"""REST: who may ask what, the bodies of refusals, paging, headers, and PyGithub as a client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github, GithubIntegration

from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, app_jwt, installation_token, open_pull

RUN: dict[str, Any] = {
    "name": "senior-signoff",
    "status": "completed",
    "conclusion": "success",
    "output": {"title": "t", "summary": "s"},
}


@pytest.fixture
def client(server: Sandbox) -> Iterator[Client]:
    with Client(server) as found:
        yield found


@pytest.fixture
def head(server: Sandbox) -> str:
    """The head of a pull request number 1."""
    return str(server.pull(open_pull(server))["head_sha"])


def grant(client: Client, **permissions: str) -> None:
    """The installation accepts more; the client gets a new token: old ones stay as they were."""
    (installation,) = client.hub.world.installations.values()
    client.hub.act(
        "olga",
        "narrow_installation",
        app="countersign",
        account="acme",
        permissions=installation.permissions | permissions,
    )
    client.session.headers["Authorization"] = f"Bearer {installation_token(client.hub)}"


# --- App JWTs and tokens ---


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({}, 200, id="good"),
        pytest.param({"iat": 60, "exp": 120}, 401, id="issued-in-the-future"),
        pytest.param({"exp": -10}, 401, id="expired"),
        pytest.param({"exp": 700}, 401, id="too-long"),
        pytest.param({"exp": None}, 401, id="no-expiry"),
        pytest.param({"iss": "77"}, 404, id="unknown-app"),
    ],
)
def test_app_jwt(server: Sandbox, claims: dict[str, Any], status: int) -> None:
    """Numbers are seconds from now: when the test runs, not when it was collected."""
    now = int(time.time())
    moved = {key: now + value if isinstance(value, int) else value for key, value in claims.items()}
    with Client(server, app_jwt(server, **moved)) as client:
        answer = client.call("GET", "/app")
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["id"] == server.app.id


def test_the_client_id_is_an_issuer_too(server: Sandbox) -> None:
    with Client(server, app_jwt(server, iss=server.app.client_id)) as client:
        assert client.call("GET", "/app").status_code == 200


def test_a_jwt_of_another_key_is_refused(server: Sandbox) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    now = int(time.time())
    body = {"iat": now - 60, "exp": now + 300, "iss": str(server.app.id)}
    with Client(server, jwt.encode(body, pem, algorithm="RS256")) as client:
        answer = client.call("GET", "/app")
    assert answer.status_code == 401
    assert "could not be decoded" in answer.json()["message"]


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("ghs_4000_nonsense", id="unknown"),
        pytest.param("a.b.c", id="no-jwt"),
        pytest.param("ä", id="not-ascii"),
    ],
)
def test_bad_credentials(server: Sandbox, token: str) -> None:
    with Client(server, token.encode().decode("latin-1")) as client:
        assert client.call("GET", f"/repos/{SHOP}").status_code == 401


def test_without_a_token_a_private_repository_is_hidden(server: Sandbox, client: Client) -> None:
    del client.session.headers["Authorization"]
    assert client.call("GET", f"/repos/{SHOP}").status_code == 404
    assert client.call("GET", "/repos/acme/.github").status_code == 200
    assert (
        client.call("POST", server.graphql_url, {"query": "{ viewer { login } }"}).status_code
        == 401
    )


def mint(hub: Sandbox, body: object = None) -> tuple[int, dict[str, Any]]:
    (installation,) = hub.world.installations.values()
    with Client(hub, app_jwt(hub)) as client:
        path = f"/app/installations/{installation.id}/access_tokens"
        answer = client.call("POST", path, body)
    return answer.status_code, answer.json()


def test_a_token_lives_an_hour(server: Sandbox) -> None:
    status, found = mint(server)
    assert status == 201
    assert found["token"].startswith(f"ghs_{server.app.id}_")
    with Client(server, found["token"]) as client:
        assert client.call("GET", f"/repos/{SHOP}").status_code == 200
        server.world.skip(3599)
        assert client.call("GET", f"/repos/{SHOP}").status_code == 200
        server.world.skip(2)
        answer = client.call("GET", f"/repos/{SHOP}")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_tokens_differ_in_length(server: Sandbox) -> None:
    assert len({len(mint(server)[1]["token"]) for _ in range(4)}) > 1


def test_a_token_may_be_narrowed(server: Sandbox, head: str) -> None:
    body = {"permissions": {"checks": "read"}, "repositories": ["shop"]}
    status, found = mint(server, body)
    assert (status, [r["name"] for r in found["repositories"]]) == (201, ["shop"])
    with Client(server, found["token"]) as client:
        assert client.call("GET", f"/repos/{SHOP}/commits/{head}/check-runs").status_code == 200
        answer = client.call("POST", f"/repos/{SHOP}/check-runs", RUN | {"head_sha": head})
        assert answer.status_code == 403
        assert answer.headers["X-Accepted-GitHub-Permissions"] == "checks=write"
        assert client.call("GET", f"/repos/{SHOP}/pulls/1").status_code == 403
        listed = client.call("GET", "/installation/repositories").json()
    assert [r["full_name"] for r in listed["repositories"]] == [SHOP]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"permissions": {"contents": "write"}}, id="more-than-granted"),
        pytest.param({"permissions": {"issues": "read"}}, id="not-granted"),
        pytest.param({"repositories": ["nope"]}, id="unknown-repository"),
        pytest.param({"repository_ids": [1]}, id="foreign-repository"),
    ],
)
def test_a_token_is_never_wider_than_its_installation(
    server: Sandbox, body: dict[str, Any]
) -> None:
    assert mint(server, body)[0] == 422


def test_revoked_suspended_and_uninstalled(server: Sandbox, client: Client) -> None:
    assert client.call("DELETE", "/installation/token").status_code == 204
    assert client.call("GET", f"/repos/{SHOP}").status_code == 401
    with Client(server) as other:
        server.act("olga", "suspend_installation", app="countersign", account="acme")
        answer = other.call("GET", f"/repos/{SHOP}")
        assert (answer.status_code, "suspended" in answer.text) == (403, True)
        assert mint(server)[0] == 403
        server.act("olga", "unsuspend_installation", app="countersign", account="acme")
        assert other.call("GET", f"/repos/{SHOP}").status_code == 200
        server.act("olga", "uninstall_app", app="countersign", account="acme")
        assert other.call("GET", f"/repos/{SHOP}").status_code == 401


def test_app_endpoints_and_repository_endpoints_want_their_own_credentials(
    server: Sandbox, client: Client
) -> None:
    assert client.call("GET", "/app").status_code == 401
    with Client(server, app_jwt(server)) as app:
        assert app.call("GET", f"/repos/{SHOP}/pulls").status_code == 403
        for path in ("/repos/acme/shop/installation", "/orgs/acme/installation"):
            assert app.call("GET", path).json()["app_id"] == server.app.id
        assert app.call("GET", "/users/june/installation").status_code == 404


def test_a_person_s_token_may_do_what_the_person_may(server: Sandbox) -> None:
    body = {"name": "r", "enforcement": "active", "rules": [{"type": "deletion"}]}
    for login, status in (("grace", 403), ("olga", 201)):
        with Client(server, server.door.user_token(login)) as client:
            assert client.call("GET", "/user").json()["login"] == login
            assert client.call("POST", f"/repos/{SHOP}/rulesets", body).status_code == status
            answer = client.call("POST", f"/repos/{SHOP}/check-runs", RUN | {"head_sha": "0" * 40})
            assert answer.status_code == 403  # only apps write checks


# --- Check runs ---

BAD_RUNS = [
    pytest.param({"name": ""}, id="no-name"),
    pytest.param({"head_sha": "main"}, id="not-a-sha"),
    pytest.param({"head_sha": "0" * 40}, id="unknown-sha"),
    pytest.param({"conclusion": "green"}, id="odd-conclusion"),
    pytest.param({"conclusion": "stale"}, id="only-github-sets-stale"),
    pytest.param({"status": "waiting", "conclusion": None}, id="only-actions-waits"),
    pytest.param({"status": "completed", "conclusion": None}, id="completed-without-conclusion"),
    pytest.param({"output": {"summary": "s"}}, id="no-title"),
    pytest.param({"output": {"title": "t"}}, id="no-summary"),
    pytest.param({"output": {"title": "t", "summary": "x" * 65536}}, id="long-summary"),
    pytest.param({"output": {"title": "t", "summary": "s", "text": "x" * 65536}}, id="long-text"),
    pytest.param(
        {
            "output": {
                "title": "t",
                "summary": "s",
                "annotations": [
                    {
                        "path": "a",
                        "start_line": 1,
                        "end_line": 1,
                        "annotation_level": "notice",
                        "message": "m",
                    }
                ]
                * 51,
            }
        },
        id="51-annotations",
    ),
    pytest.param(
        {"output": {"title": "t", "summary": "s", "annotations": [{"path": "a"}]}},
        id="half-an-annotation",
    ),
    pytest.param(
        {"actions": [{"label": "a", "description": "b", "identifier": "c"}] * 4}, id="4-actions"
    ),
    pytest.param(
        {"actions": [{"label": "a" * 21, "description": "b", "identifier": "c"}]}, id="long-label"
    ),
    pytest.param(
        {"actions": [{"label": "a", "description": "b" * 41, "identifier": "c"}]},
        id="long-text-of-action",
    ),
    pytest.param({"completed_at": "yesterday"}, id="odd-date"),
]


@pytest.mark.parametrize("change", BAD_RUNS)
def test_a_check_run_that_github_refuses(client: Client, head: str, change: dict[str, Any]) -> None:
    answer = client.call("POST", f"/repos/{SHOP}/check-runs", RUN | {"head_sha": head} | change)
    assert answer.status_code == 422, answer.text
    runs = client.call("GET", f"/repos/{SHOP}/commits/{head}/check-runs").json()
    assert runs["total_count"] == 0


def test_check_runs_at_the_limits_are_accepted(client: Client, head: str) -> None:
    note = {
        "path": "a",
        "start_line": 1,
        "end_line": 2,
        "annotation_level": "failure",
        "message": "m",
    }
    button = {"label": "a" * 20, "description": "b" * 40, "identifier": "c" * 20}
    output = {"title": "t", "summary": "x" * 65535, "text": "x" * 65535, "annotations": [note] * 50}
    body = RUN | {"head_sha": head, "output": output, "actions": [button] * 3}
    answer = client.call("POST", f"/repos/{SHOP}/check-runs", body)
    assert (answer.status_code, answer.json()["output"]["annotations_count"]) == (201, 50)
    patched = client.call(
        "PATCH", f"/repos/{SHOP}/check-runs/{answer.json()['id']}", {"conclusion": "failure"}
    )
    assert patched.json()["conclusion"] == "failure"
    assert patched.json()["output"]["title"] == "t"


def test_a_run_of_another_app_is_not_ours_to_change(
    server: Sandbox, client: Client, head: str
) -> None:
    run = server.act("kim", "report_check", repo=SHOP, name="senior-signoff", sha=head)
    path = f"/repos/{SHOP}/check-runs/{run['id']}"
    assert client.call("PATCH", path, {"conclusion": "failure"}).status_code == 403
    assert client.call("GET", path).json()["conclusion"] == "success"
    assert client.call("PATCH", f"/repos/{SHOP}/check-runs/1", {}).status_code == 404


def test_latest_and_all_runs_of_a_commit(client: Client, head: str) -> None:
    for word in ("failure", "success"):
        body = RUN | {"head_sha": head, "conclusion": word}
        assert client.call("POST", f"/repos/{SHOP}/check-runs", body).status_code == 201
    path = f"/repos/{SHOP}/commits/{head}/check-runs?check_name=senior-signoff"
    latest, everything = (client.call("GET", path + more).json() for more in ("", "&filter=all"))
    assert [r["conclusion"] for r in latest["check_runs"]] == ["success"]
    assert [r["conclusion"] for r in everything["check_runs"]] == ["success", "failure"]
    assert client.call("GET", path + "&app_id=1").json()["total_count"] == 0


# --- Everything else ---


def test_permission_folds_and_role_does_not(server: Sandbox, client: Client) -> None:
    expected = {
        "olga": ("admin", "admin"),
        "grace": ("write", "write"),
        "kim": ("write", "maintain"),
        "june": ("read", "triage"),
    }
    server.act("olga", "add_collaborator", repo=SHOP, login="kim", permission="maintain")
    server.act("olga", "add_collaborator", repo=SHOP, login="june", permission="triage")
    for login, roles in expected.items():
        found = client.call("GET", f"/repos/{SHOP}/collaborators/{login}/permission").json()
        assert (found["permission"], found["role_name"]) == roles


def test_activities_name_the_pusher_and_page_by_cursor(server: Sandbox, client: Client) -> None:
    open_pull(server)
    for actor in ("june", "kim", "june"):
        server.act(actor, "push", repo=SHOP, branch="fix")
    path, found = f"{server.api_url}/repos/{SHOP}/activity?ref=fix&per_page=2", list[Any]()
    while path:
        answer = client.call("GET", path)
        found += answer.json()
        path = answer.links.get("next", {}).get("url", "")
    assert [a["actor"]["login"] for a in found] == ["june", "kim", "june", "june"]
    assert [a["activity_type"] for a in found] == ["push", "push", "push", "branch_creation"]


def test_a_pull_request_s_commits_stop_at_250(server: Sandbox, client: Client) -> None:
    server.act(
        "june", "push", repo=SHOP, branch="big", commits=[{"message": str(n)} for n in range(300)]
    )
    server.act("june", "open_pull_request", repo=SHOP, head="big")
    url, found = f"{server.api_url}/repos/{SHOP}/pulls/1/commits?per_page=100", list[Any]()
    while url:
        answer = client.call("GET", url)
        found += answer.json()
        url = answer.links.get("next", {}).get("url", "")
    assert len(found) == 250
    assert client.call("GET", f"/repos/{SHOP}/pulls/1").json()["commits"] == 300


def test_rest_knows_the_bot_behind_a_commit(server: Sandbox, client: Client) -> None:
    bot = "x <198982749+copilot-swe-agent[bot]@users.noreply.github.com>"
    server.act("june", "push", repo=SHOP, branch="fix", commits=[{"author": bot}])
    server.act("june", "open_pull_request", repo=SHOP, head="fix")
    (commit,) = client.call("GET", f"/repos/{SHOP}/pulls/1/commits").json()
    assert client.call("GET", "/users/Copilot").status_code == 404
    assert (commit["author"]["type"], commit["author"]["login"]) == (
        "Bot",
        "Copilot",
    )


def test_a_renamed_file_has_its_old_name_in_rest_only(server: Sandbox, client: Client) -> None:
    files = {
        "shop/pay.py": None,
        "till.py": "def pay(amount: int) -> str:\n    return f'paid {amount}'\n",
    }
    server.act("june", "push", repo=SHOP, branch="fix", commits=[{"files": files}])
    server.act("june", "open_pull_request", repo=SHOP, head="fix")
    (found,) = client.call("GET", f"/repos/{SHOP}/pulls/1/files").json()
    assert (found["filename"], found["previous_filename"], found["status"]) == (
        "till.py",
        "shop/pay.py",
        "renamed",
    )


def test_which_app_opened_a_pull_request_for_a_user(server: Sandbox, client: Client) -> None:
    server.act("june", "push", repo=SHOP, branch="fix")
    server.act("june", "open_pull_request", repo=SHOP, head="fix", via_app=15368)
    assert client.call("GET", f"/repos/{SHOP}/issues/1").status_code == 403
    grant(client, issues="read")
    found = client.call("GET", f"/repos/{SHOP}/issues/1").json()
    assert found["performed_via_github_app"]["slug"] == "github-actions"


def test_compare_tells_ahead_behind_and_diverged(server: Sandbox, client: Client) -> None:
    open_pull(server)
    server.act("olga", "put_file", repo=SHOP, path="x.md", content="1")
    found = client.call("GET", f"/repos/{SHOP}/compare/main...fix").json()
    assert (found["status"], found["ahead_by"], found["behind_by"]) == ("diverged", 1, 1)
    assert client.call("GET", f"/repos/{SHOP}/compare/main...main").json()["status"] == "identical"


def test_rules_of_a_branch_and_hidden_bypass(server: Sandbox, client: Client) -> None:
    (rule,) = client.call("GET", f"/repos/{SHOP}/rules/branches/main").json()
    assert rule["parameters"]["required_status_checks"] == [
        {"context": "senior-signoff", "integration_id": server.app.id}
    ]
    path = f"/repos/{SHOP}/rulesets/{rule['ruleset_id']}"
    assert "bypass_actors" not in client.call("GET", path).json()
    grant(client, administration="write")
    assert client.call("GET", path).json()["bypass_actors"] == []
    assert client.call("GET", f"/repos/{SHOP}/rules/branches/other").json() == []
    assert client.call("GET", "/orgs/acme/rulesets").status_code == 403


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"name": ""}, "name", id="no-name"),
        pytest.param({"enforcement": "maybe"}, "enforcement", id="odd-enforcement"),
        pytest.param({"rules": [{"type": "be_nice"}]}, "be_nice", id="odd-rule"),
        pytest.param({"rules": [{"type": "required_status_checks"}]}, "context", id="no-context"),
        pytest.param({"bypass_actors": [{"actor_type": "Ghost"}]}, "actor_type", id="odd-bypass"),
        pytest.param({"name": "require senior-signoff"}, "unique", id="name-taken"),
    ],
)
def test_a_ruleset_that_github_refuses(
    server: Sandbox, client: Client, change: dict[str, Any], words: str
) -> None:
    grant(client, administration="write")
    body = {"name": "r", "enforcement": "active", "rules": []} | change
    answer = client.call("POST", f"/repos/{SHOP}/rulesets", body)
    assert (answer.status_code, words in answer.text) == (422, True)


def test_a_private_repository_on_a_free_plan_cannot_be_protected(server: Sandbox) -> None:
    server.world.organization("acme").plan = "free"
    with Client(server) as client:
        grant(client, administration="write")
        body = {"name": "r", "enforcement": "active", "rules": []}
        answer = client.call("POST", f"/repos/{SHOP}/rulesets", body)
    assert (answer.status_code, "Upgrade" in answer.text) == (403, True)


def test_an_etag_makes_a_repeat_free_for_the_same_token_only(
    server: Sandbox, client: Client
) -> None:
    first = client.call("GET", f"/repos/{SHOP}")
    headers = {"If-None-Match": first.headers["ETag"]}
    again = client.call("GET", f"/repos/{SHOP}", headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    with Client(server) as other:
        assert other.call("GET", f"/repos/{SHOP}", headers=headers).status_code == 200


def test_the_hourly_limit_is_enforced(server: Sandbox, client: Client) -> None:
    client.call("GET", f"/repos/{SHOP}")
    (installation,) = server.world.installations.values()
    server.door.set_limit([f"installation:{installation.id}"], 10, 9)
    assert client.call("GET", f"/repos/{SHOP}").status_code == 200
    answer = client.call("GET", f"/repos/{SHOP}")
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert client.call("GET", "/rate_limit").json()["rate"]["remaining"] == 0


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        pytest.param("GET", "/repos/acme/none", None, 404, id="no-repository"),
        pytest.param("GET", "/nonsense", None, 404, id="no-endpoint"),
        pytest.param("DELETE", f"/repos/{SHOP}/pulls", None, 404, id="no-such-verb"),
        pytest.param("GET", f"/repos/{SHOP}/pulls/99", None, 404, id="no-pull"),
        pytest.param("GET", f"/repos/{SHOP}/commits/nope", None, 422, id="no-commit"),
        pytest.param("GET", f"/repos/{SHOP}/contents/nope", None, 404, id="no-file"),
        pytest.param("POST", f"/repos/{SHOP}/check-runs", [1], 400, id="not-an-object"),
        pytest.param("GET", "/users/nobody", None, 404, id="no-user"),
        pytest.param("POST", "/app-manifests/abc/conversions", None, 404, id="no-such-code"),
    ],
)
def test_refusals(client: Client, verb: str, path: str, body: object, status: int) -> None:
    answer = client.call(verb, path, body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


def test_an_unsupported_api_version_is_gone(client: Client) -> None:
    headers = {"X-GitHub-Api-Version": "2020-01-01"}
    assert client.call("GET", f"/repos/{SHOP}", headers=headers).status_code == 410


def test_a_manifest_code_works_once(server: Sandbox, client: Client) -> None:
    manifest = {
        "name": "My Gate",
        "url": "http://x.example",
        "hook_attributes": {"url": "http://x.example/webhook"},
        "default_permissions": {"checks": "write"},
        "default_events": ["pull_request"],
    }
    given = {"manifest": manifest, "owner": "acme", "by": "olga"}
    code = client.call("POST", f"{server.url}/_sandbox/manifests", given).json()["code"]
    del client.session.headers["Authorization"]
    made = client.call("POST", f"/app-manifests/{code}/conversions")
    assert (made.status_code, made.json()["slug"]) == (201, "my-gate")
    assert made.json()["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert client.call("POST", f"/app-manifests/{code}/conversions").status_code == 404


def test_an_enterprise_base_path() -> None:
    with Sandbox(base_path="/api/v3") as hub, Client(hub) as client:
        assert hub.api_url.endswith("/api/v3")
        assert hub.graphql_url.endswith("/api/graphql")
        assert client.call("GET", f"/repos/{SHOP}").json()["url"].startswith(hub.api_url)
        assert client.query("{ viewer { login } }") == {
            "data": {"viewer": {"login": "countersign[bot]"}}
        }


def test_pygithub_is_at_home(server: Sandbox) -> None:
    number = open_pull(server, body="b")
    server.act("grace", "approve", repo=SHOP, number=number)
    auth = Auth.AppAuth(server.app.id, server.app.private_key)
    integration = GithubIntegration(auth=auth, base_url=server.api_url)
    installation = integration.get_repo_installation("acme", "shop")
    assert integration.get_app().slug == "countersign"
    token = integration.get_access_token(installation.id)
    github = Github(
        auth=Auth.Token(token.token),
        base_url=server.api_url,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    repository = github.get_repo(SHOP)
    pull = repository.get_pull(number)
    assert [review.state for review in pull.get_reviews()] == ["APPROVED"]
    assert [file.status for file in pull.get_files()] == ["added"]
    run = repository.create_check_run(
        "senior-signoff",
        pull.head.sha,
        status="completed",
        conclusion="success",
        output={"title": "t", "summary": "s"},
    )
    run.edit(conclusion="failure")
    assert [r.conclusion for r in repository.get_commit(pull.head.sha).get_check_runs()] == [
        "failure"
    ]
    assert repository.get_contents("README.md").decoded_content.startswith(b"# shop")  # type: ignore[union-attr]  # a file
    assert repository.get_collaborator_permission("grace") == "write"
    assert [
        repo.name for repo in integration.get_app_installation(installation.id).get_repos()
    ] == ["shop", ".github"]
    _, data = github.requester.graphql_query("query { viewer { login } }", {})
    assert data["data"]["viewer"]["login"] == "countersign[bot]"
    github.close()
    integration.close()


def test_the_environment_for_the_app(tmp_path: Path) -> None:
    with Sandbox(state_dir=tmp_path) as hub:
        env = hub.env()
        key = Path(env["GITHUB_APP_PRIVATE_KEY"])
        assert key.read_text() == hub.app.private_key
        assert key.stat().st_mode & 0o777 == 0o600
        assert hub.write_env().stat().st_mode & 0o777 == 0o600
        assert env["GITHUB_API_URL"] == hub.api_url


def test_a_token_is_of_its_installation(server: Sandbox) -> None:
    token = installation_token(server)
    server.act("kim", "create_repository", name="diary", private=True)
    with Client(server, token) as client:
        assert client.call("GET", "/repos/kim/diary").status_code == 404
        assert client.call("GET", "/orgs/acme/teams/staff-engineers/members").status_code == 200


def test_a_direct_push_past_the_rules_is_a_bypass_on_record(
    server: Sandbox, client: Client
) -> None:
    (number,) = server.world.repository(SHOP).rulesets
    actors = [{"actor_type": "OrganizationAdmin", "bypass_mode": "always"}]
    server.act("olga", "set_ruleset", repo=SHOP, id=number, ruleset={"bypass_actors": actors})
    server.act("olga", "push", repo=SHOP, branch="main")
    grant(client, administration="read")
    rows = client.call("GET", f"/repos/{SHOP}/rulesets/rule-suites?rule_suite_result=bypass").json()
    assert [(row["actor_name"], row["ref"]) for row in rows] == [("olga", "refs/heads/main")]


def test_trees_and_commits_by_sha(server: Sandbox, client: Client) -> None:
    link = {"content": "../pay.py", "mode": "120000"}
    server.act("june", "push", repo=SHOP, branch="fix", commits=[{"files": {"shop/link": link}}])
    sha = server.world.repository(SHOP).branches["fix"]
    commit = client.call("GET", f"/repos/{SHOP}/git/commits/{sha}").json()
    tree = commit["tree"]["sha"]
    rows = client.call("GET", f"/repos/{SHOP}/git/trees/{tree}?recursive=1").json()["tree"]
    assert {row["path"]: row["mode"] for row in rows}["shop/link"] == "120000"
    top = client.call("GET", f"/repos/{SHOP}/git/trees/{tree}").json()["tree"]
    assert {row["path"]: row["type"] for row in top}["shop"] == "tree"
    assert client.call("GET", f"/repos/{SHOP}/git/trees/{'0' * 40}").status_code == 404


def test_a_fork_s_branch_is_compared_by_its_owner(server: Sandbox, client: Client) -> None:
    server.act("kim", "fork_repository", repo=SHOP)
    server.act("kim", "push", repo="kim/shop", branch="gift")
    found = client.call("GET", f"/repos/{SHOP}/compare/main...kim:gift").json()
    assert (found["status"], found["total_commits"]) == ("ahead", 1)
    assert client.call("GET", f"/repos/{SHOP}/compare/main...ada:gift").status_code == 404
