"""The playable page without a browser: what it refuses, what it escapes, what its buttons do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import play
from sandbox.errors import Refused
from sandbox.examples import CLAUDE_TRAILER, by_claude_code, split_marks, without_marks
from sandbox.page import moves
from sandbox.page.markdown import render
from sandbox.page.view import Page, levels
from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, open_pull, sign

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

HOME = "http://127.0.0.1:8480"
PROBE = "<img src=x onerror=alert(1)>"
BRANCH = "<img/src=x/onerror=alert(1)>"  # git allows no blanks


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    """A seeded sandbox with the page, which does not listen."""
    found = Sandbox(extend=play.install)
    yield found
    found.stop()


@pytest.fixture
def client(hub: Sandbox) -> FlaskClient:
    return hub.flask.test_client()


def press(client: FlaskClient, actor: str, move: str, number: int = 0, **fields: str) -> Any:
    """Press a button as somebody: the answer's JSON with its status."""
    answer = post(client, actor, move, number, **fields)
    return (answer.get_json() or {}) | {"status": answer.status_code}


def post(
    client: FlaskClient, actor: str, move: str, number: int = 0, **fields: str
) -> TestResponse:
    body = {"actor": actor, "move": move, "repo": SHOP, "number": number, "fields": fields}
    return client.post("/play/move", json=body, headers={play.GUARD: "1"})


# --- Markdown -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PROBE, id="html"),
        pytest.param(f"text\n\n{PROBE}\n\n<script>alert(1)</script>", id="html-block"),
        pytest.param("[x](javascript:alert(1))", id="script-link"),
        pytest.param("[x](data:text/html,<script>alert(1)</script>)", id="data-link"),
        pytest.param("[x](https://evil.example/)", id="foreign-link"),
        pytest.param(f"[x]({HOME}.evil.example/)", id="our-address-as-a-prefix"),
        pytest.param("[x](http://127.0.0.1:84801/)", id="our-port-as-a-prefix"),
        pytest.param("[x](//evil.example/)", id="link-without-scheme"),
        pytest.param("<https://evil.example/>", id="autolink"),
        pytest.param("[x][1]\n\n[1]: https://evil.example/", id="link-by-reference"),
        pytest.param(f"![x]({HOME}/x.png)", id="image"),
        pytest.param("`" + PROBE + "`", id="html-in-code"),
        pytest.param("```<b onclick=x>\n" + PROBE + "\n```", id="html-as-the-language-of-a-block"),
    ],
)
def test_markdown_makes_nothing_of_foreign_markup(text: str) -> None:
    made = re.findall(r"<(\w+)([^>]*)>", render(text, HOME))
    assert {tag for tag, _ in made} <= {"p", "code", "pre", "a"}
    assert not [rest for tag, rest in made if tag == "a" and f'href="{HOME}/' not in rest]
    assert not [rest for _, rest in made if re.search(r"\son\w+=", rest)]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("**a** `b`", "<p><strong>a</strong> <code>b</code></p>\n", id="emphasis"),
        pytest.param("# a", "<h4>a</h4>\n", id="heading-below-the-page's"),
        pytest.param("- a", "<ul>\n<li>a</li>\n</ul>\n", id="list"),
        pytest.param(
            f"[`1a`]({HOME}/acme/shop)",
            f'<p><a href="{HOME}/acme/shop" rel="nofollow noopener noreferrer">'
            "<code>1a</code></a></p>\n",
            id="link-to-ourselves",
        ),
    ],
)
def test_markdown_renders_what_a_summary_needs(text: str, html: str) -> None:
    assert render(text, HOME) == html


# --- who may ask ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="without-the-header"),
        pytest.param({play.GUARD: "0"}, id="with-another-value"),
        pytest.param({play.GUARD: "1", "Origin": "https://evil.example"}, id="from-another-site"),
        pytest.param({play.GUARD: "1", "Origin": "http://localhost:1"}, id="from-another-port"),
        pytest.param({play.GUARD: "1", "Origin": "null"}, id="from-a-sandboxed-frame"),
        pytest.param({play.GUARD: "1", "Host": "evil.example"}, id="under-a-rebound-name"),
    ],
)
def test_moves_from_elsewhere_are_refused(
    hub: Sandbox, client: FlaskClient, headers: dict[str, str]
) -> None:
    body = {"actor": "june", "move": "open", "repo": SHOP, "number": 0, "fields": {}}
    before = hub.world.version
    assert client.post("/play/move", json=body, headers=headers).status_code == 403
    assert hub.world.version == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1"])
def test_the_page_answers_to_names_of_this_machine_only(client: FlaskClient, host: str) -> None:
    for path in ("/", "/play/live", "/play/static/play.js"):
        assert client.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/acme/shop/pull/1", "/play/static/play.css", "/play/live"])
def test_every_answer_has_a_strict_policy(hub: Sandbox, client: FlaskClient, path: str) -> None:
    open_pull(hub)
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer.close()


@pytest.mark.parametrize(
    "path",
    ["/acme/shop/pull/99", "/acme/nothing/pull/1", "/play/live?number=99", "/play/static/no.js"],
)
def test_what_is_not_there_is_a_404(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


# --- what it shows --------------------------------------------------------------------------------


def test_everything_foreign_is_escaped(hub: Sandbox, client: FlaskClient) -> None:
    number = press(
        client, "june", "open", title=PROBE, branch=BRANCH, message=f"{PROBE}\n\n{PROBE}"
    )["number"]
    for actor, move, field in [
        ("june", "label", "label"),
        ("ada", "comment", "body"),
        ("grace", "request-changes", "body"),
    ]:
        assert press(client, actor, move, number, **{field: PROBE})["status"] == 200
    press(client, "june", "edit", number, body=f'{PROBE}"><script>alert(1)</script>')
    sha = hub.pull(number)["head_sha"]
    hub.act(
        "olga", "report_check", repo=SHOP, name="senior-signoff", sha=sha, app="countersign",
        conclusion="failure", title=PROBE, summary=f"{PROBE}\n\n`{PROBE}`",
    )  # fmt: skip
    page = client.get(f"/acme/shop/pull/{number}").get_data(as_text=True)
    parts = client.get(f"/play/live?number={number}").get_json()["parts"]
    for html in (page, *parts.values()):
        assert "<img src=x" not in html
        assert "<img/src" not in html
        assert "<script>" not in html
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 8


def test_the_check_and_the_merge_box_follow_the_head(hub: Sandbox, client: FlaskClient) -> None:
    number = open_pull(hub)
    assert shown(hub, number) == ("pending", "waiting")
    sign(hub, number, "action_required")
    assert shown(hub, number) == ("action_required", "blocked")
    sign(hub, number)
    assert shown(hub, number) == ("success", "ready")
    press(client, "june", "push-ai", number)
    assert shown(hub, number) == ("pending", "waiting")
    sign(hub, number, "failure")
    assert shown(hub, number) == ("failure", "blocked")
    sign(hub, number)
    assert press(client, "june", "merge", number)["status"] == 200
    assert shown(hub, number) == ("success", "merged")


def shown(hub: Sandbox, number: int) -> tuple[str, str]:
    found = Page(hub.world, hub.courier, SHOP).pull(number)
    return found.check.state, found.merge.state


def test_a_check_of_another_app_is_not_taken_for_ours(hub: Sandbox) -> None:
    number = open_pull(hub)
    sha = hub.pull(number)["head_sha"]
    hub.act(
        "olga", "report_check", repo=SHOP, name="senior-signoff", sha=sha, app="github-actions",
        conclusion="success",
    )  # fmt: skip
    assert shown(hub, number) == ("pending", "waiting")


def test_it_says_when_nobody_listens(hub: Sandbox, client: FlaskClient) -> None:
    open_pull(hub)
    assert "No app listens" in client.get("/").get_data(as_text=True)


def test_live_answers_at_once_when_the_version_is_old(hub: Sandbox, client: FlaskClient) -> None:
    number = open_pull(hub)
    news = client.get(f"/play/live?number={number}&version={hub.world.version - 1}").get_json()
    assert news["version"] == hub.world.version
    assert news["number"] == number
    assert set(news["parts"]) == set(play.PARTS)


def test_a_commit_forced_away_can_still_be_looked_at(hub: Sandbox, client: FlaskClient) -> None:
    number = press(client, "june", "open", kind="claude")["number"]
    old = hub.pull(number)["head_sha"]
    press(client, "june", "force-push", number)
    html = client.get(f"/acme/shop/pull/{number}/commits/{old}").get_data(as_text=True)
    assert "no longer in this pull request" in html
    assert "noreply@anthropic.com" in html


@pytest.mark.parametrize(
    ("roster", "expected"),
    [
        pytest.param("people: {ada: principal, Kim: {level: mid}}\nunlisted: junior\n",
                     {"": "junior", "ada": "principal", "kim": "mid"}, id="both-forms"),
        pytest.param("people: [", {}, id="not-yaml"),
        pytest.param("- ada", {}, id="not-a-mapping"),
        pytest.param("people: ada", {}, id="people-not-a-mapping"),
        pytest.param("", {}, id="empty"),
        pytest.param(None, {}, id="gone"),
    ],
)  # fmt: skip
def test_levels_are_read_from_the_roster(
    hub: Sandbox, roster: str | None, expected: dict[str, str]
) -> None:
    hub.act("olga", "put_file", repo="acme/.github", path="reviewers.yaml", content=roster)
    assert levels(hub.world) == expected


# --- what the buttons do --------------------------------------------------------------------------


def test_every_button_of_the_templates_does_something(hub: Sandbox) -> None:
    folder = play.play.template_folder
    assert isinstance(folder, str)
    names = set()
    for template in hub.flask.jinja_env.list_templates(filter_func=lambda n: n.endswith(".html")):
        source, _, _ = hub.flask.jinja_env.loader.get_source(  # type: ignore[union-attr]  # there is a loader
            hub.flask.jinja_env, template
        )
        names |= set(re.findall(r'data-move="([\w-]+)"', source))
    assert names - {"review"} == set(moves.MOVES)


@pytest.mark.parametrize(
    ("kind", "author", "assisted"),
    [
        pytest.param("claude", "june", True, id="commit-by-claude-code"),
        pytest.param("plain", "june", False, id="plain-commit"),
        pytest.param("copilot", "copilot-swe-agent[bot]", True, id="opened-by-copilot"),
        pytest.param("footer", "june", True, id="footer-in-the-description"),
    ],
)
def test_opening(
    hub: Sandbox, client: FlaskClient, kind: str, author: str, *, assisted: bool
) -> None:
    number = press(client, "june", "open", kind=kind)["number"]
    found = hub.pull(number)
    text = found["body"] + "".join(
        f"{commit['message']} {commit['author']}" for commit in found["commits"]
    )
    assert found["author"] == author
    assert bool(re.search(r"noreply@anthropic\.com|Claude Code|\+Copilot@", text)) is assisted


def test_force_pushing_takes_the_trailers_away_and_keeps_the_files(
    hub: Sandbox, client: FlaskClient
) -> None:
    number = press(client, "june", "open", kind="claude")["number"]
    press(client, "june", "push-ai", number)
    before = hub.pull(number)
    assert press(client, "june", "force-push", number)["status"] == 200
    after = hub.pull(number)
    assert (len(before["commits"]), len(after["commits"])) == (2, 1)
    assert after["files"] == before["files"]
    assert "Claude" not in after["commits"][0]["message"]


def test_retargeting_makes_the_branch(hub: Sandbox, client: FlaskClient) -> None:
    number = open_pull(hub)
    assert press(client, "june", "retarget", number, base="release")["status"] == 200
    assert hub.pull(number)["base"] == "release"


def test_the_whole_life_of_a_pull_request(hub: Sandbox, client: FlaskClient) -> None:
    number = press(client, "june", "open", kind="plain")["number"]
    for actor, move, fields in [
        ("june", "label", {"label": "ai-assisted"}),
        ("june", "unlabel", {"label": "ai-assisted"}),
        ("june", "edit", {"title": "Better", "body": "Why"}),
        ("kim", "comment", {"body": "Nice"}),
        ("kim", "request-changes", {}),
        ("kim", "approve", {}),
        ("june", "push-plain", {}),
        ("june", "close", {}),
        ("june", "reopen", {}),
        ("olga", "switch-queue", {}),
    ]:
        assert press(client, actor, move, number, **fields)["status"] == 200, move
    found = hub.pull(number)
    assert (found["title"], found["body"], found["labels"]) == ("Better", "Why", [])
    assert [review["state"] for review in found["reviews"]] == ["CHANGES_REQUESTED", "APPROVED"]
    review = str(found["reviews"][0]["id"])
    assert press(client, "grace", "dismiss", number, review=review)["status"] == 200
    sign(hub, number)
    assert shown(hub, number) == ("success", "ready")
    assert press(client, "june", "merge", number)["status"] == 405
    assert press(client, "june", "enqueue", number)["status"] == 200
    assert shown(hub, number) == ("success", "queued")
    assert press(client, "june", "dequeue", number)["status"] == 200
    assert press(client, "olga", "switch-queue", number)["status"] == 200
    assert press(client, "june", "merge", number)["status"] == 200
    texts = [item.text for item in Page(hub.world, hub.courier, SHOP).pull(number).history]
    assert texts[:2] == ["pushed", "opened this pull request"]
    assert texts[-1] == "merged this into"


@pytest.mark.parametrize(
    ("actor", "move", "fields", "status", "words"),
    [
        pytest.param("june", "approve", {}, 422, "own pull request", id="approve-your-own"),
        pytest.param("june", "merge", {}, 405, "senior-signoff", id="merge-without-the-check"),
        pytest.param("june", "enqueue", {}, 422, "not enabled", id="queue-that-is-not-there"),
        pytest.param("kim", "switch-queue", {}, 403, "admin", id="rules-by-a-writer"),
        pytest.param("kim", "comment", {}, 422, "blank", id="empty-comment"),
        pytest.param("kim", "label", {"label": " "}, 422, "name", id="empty-label"),
        pytest.param("kim", "unlabel", {"label": "x"}, 404, "Not Found", id="label-not-there"),
        pytest.param("kim", "dismiss", {"review": "x"}, 404, "Not Found", id="review-not-there"),
        pytest.param("kim", "retarget", {"base": ""}, 422, "which", id="empty-base"),
        pytest.param("kim", "reopen", {}, 422, "state", id="reopen-what-is-open"),
        pytest.param("kim", "open", {"kind": "x"}, 422, "kind", id="unknown-kind"),
        pytest.param("kim", "open", {"branch": "main"}, 422, "branch", id="branch-taken"),
        pytest.param("kim", "comment", {"body": "x" * 20_001}, 422, "longer", id="too-long"),
        pytest.param("kim", "fly", {}, 404, "Not Found", id="unknown-move"),
        pytest.param("mallory", "approve", {}, 404, "Not Found", id="unknown-actor"),
    ],
)
def test_refusals_are_told_in_words(
    hub: Sandbox, client: FlaskClient, actor: str, move: str, fields: dict[str, str], status: int,
    words: str,
) -> None:  # fmt: skip
    number = open_pull(hub)
    answer = press(client, actor, move, number, **fields)
    assert answer["status"] == status
    assert words in answer["refused"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty"),
        pytest.param({"actor": "june", "move": "open", "number": "1", "fields": {}}, id="number"),
        pytest.param({"actor": "june", "move": "open", "number": 0, "fields": []}, id="fields"),
    ],
)
def test_malformed_moves_are_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = client.post("/play/move", json=body, headers={play.GUARD: "1"})
    assert answer.status_code in (400, 404)


# --- examples -------------------------------------------------------------------------------------


def test_marks_are_split_from_the_message() -> None:
    message = by_claude_code("Fix it\n\nBecause it broke.")["message"]
    lines, marks = split_marks(message)
    assert lines == ["Fix it", "", "Because it broke."]
    assert marks[-1] == CLAUDE_TRAILER
    assert without_marks(message) == "Fix it\n\nBecause it broke.\n"


@pytest.mark.parametrize("message", ["Signed-off-by: me", "Fix", "Fix: a thing", "", "\n\n"])
def test_a_first_line_is_never_a_mark(message: str) -> None:
    assert split_marks(message)[1] == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(Refused("No"), "No", id="message"),
        pytest.param(Refused("Rules\n\nOne\nTwo"), "Rules: One: Two", id="lines"),
        pytest.param(Refused("No", errors=["a", {"message": "b"}, {"field": "c", "code": "d"}]),
                     "No (a) (b) (c: d)", id="details"),
    ],
)  # fmt: skip
def test_a_refusal_in_one_line(error: Refused, words: str) -> None:
    assert error.words() == words
