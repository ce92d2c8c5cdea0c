"""``countersign judge``: the same verdict as the check, printed for a person or a program."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from github_app.cli import countersign
from github_app.commands.judge import as_text
from github_app.judge.errors import CountersignError
from sandbox.server import Sandbox
from tests.e2e.inline import Inline, inline


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Inline]:
    with inline(tmp_path) as found:
        yield found


def run(case: Inline, tmp: Path, *arguments: str) -> Result:
    hub: Sandbox = case.hub
    env = hub.env() | {"DATABASE_URL": f"sqlite:///{tmp / 'countersign.db'}"}
    return CliRunner().invoke(countersign, ["judge", *arguments], env=env)


def test_it_says_why_and_publishes_nothing(world: Inline, tmp_path: Path) -> None:
    number = world.open()
    before = list(world.runs())
    result = run(world, tmp_path, f"acme/shop#{number}")
    assert result.exit_code == 1, result.output
    assert "WAITING (action_required): Waiting for a senior" in result.output
    assert "Claude Code, certain (co-author, commit" in result.output
    assert "This verdict would be published." in result.output
    assert list(world.runs()) == before


def test_what_if_somebody_approved(world: Inline, tmp_path: Path) -> None:
    number = world.open()
    for login, code in (("grace", 0), ("kim", 1), ("june", 1), ("nobody-like-this", 1)):
        result = run(world, tmp_path, f"acme/shop#{number}", "--approve-as", login)
        assert result.exit_code == code, result.output


def test_json_has_codes_and_people(world: Inline, tmp_path: Path) -> None:
    number = world.open()
    world.waiting(number)
    result = run(world, tmp_path, f"acme/shop#{number}", "--json")
    found = json.loads(result.output)
    assert found["outcome"] == "WAITING"
    assert found["reasons"][0]["code"] == "CS012"
    assert found["can_sign"] == ["grace", "ada"]
    assert found["would_publish"] is False


def test_another_roster_can_be_tried(world: Inline, tmp_path: Path) -> None:
    number = world.open()
    world.waiting(number)
    roster = tmp_path / "other.yaml"
    roster.write_text(
        "version: 1\nlevels: [junior, boss]\nunlisted: junior\n"
        "people:\n  olga: {id: 2003, level: boss}\n"
        "sign_off: {from: boss, approvals: 1, exempt: nobody}\n"
    )
    result = run(world, tmp_path, f"acme/shop#{number}", "--roster", str(roster))
    assert "Waiting for a boss: @olga can sign off" in result.output


@pytest.mark.parametrize("name", ["acme/shop", "shop#1", "acme/shop#x", "acme/shop#1 --x", ""])
def test_a_name_it_cannot_read_is_wrong_usage(world: Inline, tmp_path: Path, name: str) -> None:
    assert run(world, tmp_path, name).exit_code == 2


@pytest.mark.parametrize("name", ["acme/shop#999", "acme/none#1", "nobody/none#1"])
def test_what_is_not_there_is_said_in_one_line(world: Inline, tmp_path: Path, name: str) -> None:
    result = run(world, tmp_path, name)
    assert result.exit_code == 1
    assert isinstance(result.exception, CountersignError)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("**Next:** ask `@grace`.", "Next: ask @grace.", id="bold-and-code"),
        pytest.param("see [`1a2b3c4`](https://x/y)", "see 1a2b3c4", id="link"),
        pytest.param("- `` a`b ``", "- a`b", id="code-with-a-backtick"),
        pytest.param("#### Why", "Why", id="heading"),
    ],
)
def test_markdown_becomes_text(markdown: str, text: str) -> None:
    assert as_text(markdown) == text
