"""Tools that a roster adds to the catalogue: each way to be recognised, and what it must not do."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.catalogue import UNKNOWN_TOOL
from github_app.judge.detection import detect, is_tool_identity
from github_app.judge.errors import Problem
from github_app.judge.facts import Commit, GitIdentity, PullRequest
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome
from github_app.judge.policy import DetectionPolicy, OwnTool
from github_app.judge.report import report
from github_app.judge.signals import Confidence
from github_app.judge.verdict import judge
from tests.judge.build import a_pull, bot, commit, identity, push, stranger, user
from tests.judge.rosters import PLAIN, layered, outcome, roster

CATALOGUE = shipped_catalogue()
PILOT = """\
detection:
  tools:
    Acme Pilot:
      emails: [pilot@acme.dev, "*@agents.acme.dev"]
      logins: ["acme-pilot[bot]", pilot-user]
      ids: [4242]
      trailers: [Pilot-Session]
      names: [Acme Pilot]
      branches: [pilot/]
"""
WITH, WITHOUT = roster(PLAIN, PILOT), roster()


def plain(**more: object) -> PullRequest:
    return replace(a_pull(commits=(commit(),)), **more)  # type: ignore[arg-type] # fields


def by(name: str, email: str) -> tuple[Commit, ...]:
    return (commit(by=GitIdentity(name=name, email=email)),)


@pytest.mark.parametrize(
    ("pull", "found"),
    [
        pytest.param(plain(commits=by("Someone", "Pilot@ACME.dev")), True, id="address"),
        pytest.param(plain(commits=by("x", "a.b+7@agents.acme.dev")), True, id="domain"),
        pytest.param(plain(commits=by("x", "a@sub.agents.acme.dev")), False, id="domain-below"),
        pytest.param(plain(commits=by("x", "a@acme.dev")), False, id="domain-above"),
        pytest.param(plain(commits=by("x", "notpilot@acme.dev")), False, id="longer-address"),
        pytest.param(
            plain(commits=by("x", "77+acme-pilot[bot]@users.noreply.github.com")), True, id="bot"
        ),
        pytest.param(
            plain(commits=by("x", "4242+any@users.noreply.github.com")), True, id="number"
        ),
        pytest.param(
            plain(commits=by("x", "4243+any@users.noreply.github.com")), False, id="other-number"
        ),
        pytest.param(plain(author=bot("acme-pilot")), True, id="opened-by-its-bot"),
        pytest.param(plain(author=user("Pilot-User", 9)), True, id="opened-by-its-account"),
        pytest.param(plain(author=user("renamed", 4242)), True, id="opened-after-a-rename"),
        pytest.param(plain(author=user("pilot", 9)), False, id="opened-by-another"),
        pytest.param(
            plain(commits=(commit(message="Fix\n\npilot-session: 17\n"),)), True, id="trailer"
        ),
        pytest.param(
            plain(commits=(commit(message="Fix\n\nCo-authored-by: Acme Pilot <x@y.example>\n"),)),
            True,
            id="credited",
        ),
        pytest.param(plain(head_ref="Pilot/fix"), True, id="branch"),
        pytest.param(plain(head_ref="my/pilot/fix"), False, id="branch-inside"),
        pytest.param(plain(), False, id="nothing"),
    ],
)
def test_a_tool_of_the_roster(pull: PullRequest, *, found: bool) -> None:
    tools = {signal.tool for signal in detect(pull, WITH.detection, CATALOGUE)}
    assert ("acme-pilot" in tools) is found
    assert "acme-pilot" not in {
        signal.tool for signal in detect(pull, WITHOUT.detection, CATALOGUE)
    }


def test_the_check_calls_it_by_its_name() -> None:
    verdict = judge(plain(head_ref="pilot/fix"), WITH, Memory(), CATALOGUE)
    assert verdict.outcome is Outcome.WAITING
    assert "AI-assisted (`Acme Pilot`, " in report(verdict, web_url="https://x").summary


@pytest.mark.parametrize("name", ["Claude Code", "claude", "CLAUDE CODE"])
def test_a_known_tool_gets_more_marks(name: str) -> None:
    text = PILOT.replace("Acme Pilot:", f"{name}:")
    signals = detect(
        plain(commits=by("x", "pilot@acme.dev")), roster(PLAIN, text).detection, CATALOGUE
    )
    known = {tool.id for tool in CATALOGUE.tools}
    assert {signal.tool for signal in signals} <= known - {UNKNOWN_TOOL}


def problems(text: str) -> list[str]:
    found = outcome(PLAIN + "detection:\n  tools:\n" + text)
    assert isinstance(found, tuple)
    assert all(isinstance(problem, Problem) for problem in found)
    return [f"{problem.line}:{problem.column} {problem.path}: {problem.found}" for problem in found]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "    A: {}\n", "12:5 detection.tools.A: a tool that nothing tells", id="empty"
        ),
        pytest.param("    A: {emails: []}\n", "an empty list", id="empty-list"),
        pytest.param(
            "    A: {emails: [acme.dev]}\n", '"acme.dev" cannot be a mail address', id="no-at"
        ),
        pytest.param("    A: {emails: ['*@*.dev']}\n", '"*@*.dev" cannot be', id="star-in-domain"),
        pytest.param("    A: {emails: ['a*@x.dev']}\n", '"a*@x.dev" cannot be', id="star-inside"),
        pytest.param("    A: {emails: ['{id}@x.dev']}\n", "cannot be", id="placeholder"),
        pytest.param(
            "    A: {emails: ['*@users.noreply.github.com']}\n", "everybody on GitHub", id="all"
        ),
        pytest.param("    A: {trailers: [Signed-off-by]}\n", "trailer that people", id="sign-off"),
        pytest.param("    A: {trailers: ['X: y']}\n", "cannot be a trailer", id="colon"),
        pytest.param("    A: {branches: ['x*']}\n", "cannot be a branch", id="star-branch"),
        pytest.param("    A: {branches: ['{id}/']}\n", "cannot be a branch", id="braces"),
        pytest.param("    A: {ids: [0]}\n", "detection.tools.A.ids[0]: 0", id="no-id"),
        pytest.param("    A: {regex: ['.*']}\n", 'unknown key "regex"', id="unknown-key"),
        pytest.param("    'é': {ids: [1]}\n", "cannot be a tool", id="name"),
        pytest.param("    A: {ids: [1]}\n    a: {ids: [2]}\n", 'the tool "a" twice', id="twice"),
        pytest.param("    A: [x]\n", "a list", id="wrong-type"),
        pytest.param(
            "    A: {logins: [rel]}\n  bots: {automation: [rel]}\n",
            '"rel" is also under bots.automation',
            id="automation-too",
        ),
    ],
)
def test_what_is_refused(text: str, told: str) -> None:
    assert told in "\n".join(problems(text))


def test_a_layer_adds_tools_and_takes_nothing_away() -> None:
    both = layered(WITH, "detection: {tools: {Other: {branches: [other/]}}}\n")
    assert [tool.name for tool in both.detection.tools] == ["Acme Pilot", "Other"]
    again = layered(WITH, "detection: {tools: {acme pilot: {branches: [p/]}}}\n")
    for branch in ("pilot/x", "p/x"):
        assert detect(plain(head_ref=branch), again.detection, CATALOGUE)


def test_a_layer_says_of_nobody_that_they_have_no_part() -> None:
    """A tool is nobody to hold to the work. What a repository says must not free a person of it."""
    mine = "detection: {tools: {Mine: {emails: [june@example.com]}}}\n"
    june = (commit(by=identity("june")),)
    pull = a_pull(author=user("grace"), pushes=(push("grace"),), commits=june, head_ref="pilot/x")
    text = PLAIN.replace("{from: senior}", "{from: senior, exempt: senior}") + PILOT
    own = layered(roster(text), mine)
    assert judge(pull, roster(text), Memory(), CATALOGUE).outcome is Outcome.WAITING
    assert judge(pull, own, Memory(), CATALOGUE).outcome is Outcome.WAITING
    ghost = a_pull(commits=(commit(by=stranger(email="ghost@a.example")),), pushes=())
    hidden = layered(roster(text), mine.replace("june@example.com", "'*@a.example'"))
    assert judge(ghost, hidden, Memory(), CATALOGUE).needed == 2


def test_an_organisations_tool_is_nobody_who_could_approve() -> None:
    pilot = GitIdentity(name="Pilot", email="x@agents.acme.dev")
    assert is_tool_identity(pilot, CATALOGUE, WITH.detection)
    assert not is_tool_identity(pilot, CATALOGUE, WITHOUT.detection)


WORDS = st.sampled_from(
    ["claude", "claude code", "opus", "cursor", "copilot", "gpt-5", "jules", "acme pilot", "kim"]
)
ADDRESSES = st.sampled_from(
    [
        "noreply@anthropic.com",
        "198982749+copilot@users.noreply.github.com",
        "49699333+dependabot[bot]@users.noreply.github.com",
        "cursoragent@cursor.com",
        "june@example.com",
    ]
)
OWN = st.lists(
    st.builds(
        OwnTool,
        name=WORDS,
        emails=st.lists(
            ADDRESSES | ADDRESSES.map(lambda one: "@" + one.partition("@")[2]), max_size=2
        ).map(tuple),
        logins=st.lists(st.sampled_from(["claude", "copilot", "dependabot"]), max_size=1).map(
            tuple
        ),
        ids=st.lists(st.sampled_from([198982749, 49699333]), max_size=1).map(tuple),
        names=st.lists(WORDS, max_size=2).map(tuple),
        trailers=st.lists(st.sampled_from(["ai-model", "assisted-by", "x"]), max_size=1).map(tuple),
        branches=st.lists(st.sampled_from(["c", "copilot/"]), max_size=1).map(tuple),
    ),
    min_size=1,
    max_size=2,
).map(tuple)


@settings(max_examples=150)
@given(
    tools=OWN,
    name=WORDS,
    email=ADDRESSES,
    key=st.sampled_from(["Co-Authored-By", "Assisted-by", "AI-Model", "Generated with", "x"]),
    value=WORDS,
    address=ADDRESSES,
    branch=st.sampled_from(["copilot/fix", "claude/x", "fix"]),
)
def test_no_tool_makes_a_mark_less_sure(
    tools: tuple[OwnTool, ...],
    name: str,
    email: str,
    key: str,
    value: str,
    address: str,
    branch: str,
) -> None:
    message = f"Fix\n\n{key}: {value} <{address}>\n{key}: {value}\n"
    pull = plain(
        commits=(commit(by=GitIdentity(name=name, email=email), message=message),),
        head_ref=branch,
    )

    def sure(policy: DetectionPolicy) -> Confidence:
        signals = detect(pull, policy, CATALOGUE)
        return max((one.confidence for one in signals), key=lambda one: one.rank, default=weakest)

    weakest = min(Confidence, key=lambda one: one.rank)
    before, after = sure(DetectionPolicy()), sure(DetectionPolicy(tools=tools))
    assert after.rank >= before.rank
