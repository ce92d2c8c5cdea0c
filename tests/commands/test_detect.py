"""``countersign detect``: what it prints, what it refuses, from lines and from real git."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from github_app.commands.detect import _from_lines, detect

CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"
PLAIN = {
    "id": "0a1b",
    "message": "Tidy the parser\n",
    "author_name": "Nadia Sand",
    "author_email": "nadia@sand.example.edu",
    "committer_name": "GitHub",
    "committer_email": "noreply@github.com",
}
ASSISTED = PLAIN | {"id": "0c1d", "message": f"Tidy the parser\n\n{CLAUDE}\n"}
QUOTED = PLAIN | {"id": "0e1f", "message": f"Tidy the parser\n\n    {CLAUDE}\n"}


def run(*rows: object, args: tuple[str, ...] = ("--json",)) -> Result:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    return CliRunner().invoke(detect, args, input=text)


def printed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_line_each_in_order() -> None:
    assert printed(run(PLAIN, ASSISTED, PLAIN)) == [
        {"id": "0a1b", "ai_assisted": False, "tools": [], "signals": []},
        {
            "id": "0c1d",
            "ai_assisted": True,
            "tools": ["claude"],
            "signals": [
                {
                    "tool": "claude",
                    "kind": "co-author",
                    "confidence": "certain",
                    "where": "commit 0c1d",
                    "evidence": CLAUDE,
                }
            ],
        },
        {"id": "0a1b", "ai_assisted": False, "tools": [], "signals": []},
    ]


def test_nothing_in_nothing_out() -> None:
    assert printed(run()) == []


def test_weak_marks_are_shown_and_do_not_count() -> None:
    (line,) = printed(run(QUOTED))
    assert (line["ai_assisted"], line["tools"]) == (False, [])
    assert [one["confidence"] for one in line["signals"]] == ["weak"]


def test_confidence_can_be_chosen() -> None:
    (line,) = printed(run(QUOTED, args=("--json", "--confidence", "weak")))
    assert (line["ai_assisted"], line["tools"]) == (True, ["claude"])


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(PLAIN | {"repo": "acme/shop"}, id="unknown-keys-are-ignored"),
        pytest.param({"sha": "1", "message": "x"}, id="sha-names-the-commit-too"),
        pytest.param({"id": "1", "message": "x", "author_name": None}, id="null-is-empty"),
        pytest.param({"id": "1", "message": ""}, id="empty-message"),
        pytest.param({"id": 'a"b\n', "message": "\ud800"}, id="odd-characters"),
    ],
)
def test_input_that_is_read(row: dict[str, Any]) -> None:
    (line,) = printed(run(row))
    assert line["id"] == row.get("id", row.get("sha"))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param("{", "not JSON", id="broken"),
        pytest.param("[]", "expected a JSON object", id="list"),
        pytest.param("3", "expected a JSON object", id="number"),
        pytest.param({"message": "x"}, "id: expected text", id="no-id"),
        pytest.param({"id": 3, "message": "x"}, "id: expected text", id="id-is-a-number"),
        pytest.param({"id": "1"}, "message is missing", id="no-message"),
        pytest.param({"id": "1", "message": 3}, "message: expected text", id="message-is-a-number"),
        pytest.param(
            {"id": "1", "message": "x", "author_email": ["x"]},
            "author_email: expected text",
            id="address-is-a-list",
        ),
        pytest.param("[" * 100_000, "nested too deeply", id="nested"),
    ],
)
def test_input_that_is_refused(row: object, problem: str) -> None:
    result = run(PLAIN, "", row, PLAIN)
    assert result.exit_code == 2
    assert f"line 3: {problem}" in result.stderr
    assert "Traceback" not in result.stderr


def test_input_that_is_not_utf8() -> None:
    result = CliRunner().invoke(detect, ["--json"], input=b'{"id":"1","message":"\xff"}\n')
    assert result.exit_code == 2
    assert "line 1: not UTF-8" in result.stderr


def test_exit_code_on_demand() -> None:
    assert run(ASSISTED, args=("--json", "--exit-code")).exit_code == 1
    assert run(PLAIN, args=("--json", "--exit-code")).exit_code == 0


def test_a_range_needs_a_repository() -> None:
    assert run(args=("main..HEAD",)).exit_code == 2


def test_lines_are_read_one_at_a_time() -> None:
    """Streaming: the first commit is there before the second line is asked for."""
    asked = 0

    def lines() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield json.dumps(PLAIN).encode()

    assert next(_from_lines(lines())).id == "0a1b"
    assert asked == 1


def test_a_table_for_a_person() -> None:
    result = run(PLAIN, ASSISTED, ASSISTED, PLAIN, args=("--human",))
    assert result.exit_code == 0
    assert "2 of 4 commits are AI-assisted (50.0%)" in result.stdout
    assert "Claude Code" in result.stdout
    assert "0c1d" in result.stdout


def test_a_table_shows_no_escape_sequence() -> None:
    hostile = ASSISTED | {"message": f"x\n\n{CLAUDE} \x1b[31m[red]\x07\n"}
    result = run(hostile, args=("--human",))
    assert result.exit_code == 0
    assert "\x1b[31m" not in result.stdout
    assert "\x07" not in result.stdout


# -- a real repository ------------------------------------------------------------------------


def git(directory: Path, *args: str) -> None:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Nadia Sand",
        "GIT_AUTHOR_EMAIL": "nadia@sand.example.edu",
        "GIT_COMMITTER_NAME": "Nadia Sand",
        "GIT_COMMITTER_EMAIL": "nadia@sand.example.edu",
    }
    subprocess.run(["git", "-C", str(directory), *args], env=environment, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    git(directory, "init", "--quiet", "--initial-branch=main")
    for message in ("Start", f"Tidy\n\n{CLAUDE}", "Grüße 🤖 世界\n\nMade with Cursor", "Done"):
        git(directory, "commit", "--quiet", "--allow-empty", "--message", message)
    return directory


def test_a_history(repository: Path) -> None:
    result = CliRunner().invoke(detect, ["--json", "--git", str(repository)])
    assert [line["tools"] for line in printed(result)] == [[], ["cursor"], ["claude"], []]


def test_a_range(repository: Path) -> None:
    result = CliRunner().invoke(detect, ["--json", "--git", str(repository), "HEAD~2..HEAD"])
    assert [line["tools"] for line in printed(result)] == [[], ["cursor"]]


@pytest.mark.parametrize(
    "revisions",
    [
        pytest.param("no-such-branch", id="unknown-revision"),
        pytest.param("--output=stolen", id="not-taken-for-an-option"),
    ],
)
def test_a_range_git_refuses(repository: Path, revisions: str) -> None:
    result = CliRunner().invoke(detect, ["--json", "--git", str(repository), "--", revisions])
    assert result.exit_code == 2
    assert "git log:" in result.stderr
    assert not list(repository.glob("stolen*"))


def test_a_directory_that_is_no_repository(tmp_path: Path) -> None:
    result = CliRunner().invoke(detect, ["--json", "--git", str(tmp_path)])
    assert result.exit_code == 2


def test_a_repository_cannot_make_us_run_its_programs(repository: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = tmp_path / "program"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "gpg.program", "core.editor"):
        git(repository, "config", name, str(script))
    git(repository, "config", "log.showSignature", "true")
    result = CliRunner().invoke(detect, ["--json", "--git", str(repository)])
    assert len(printed(result)) == 4
    assert not mark.exists()


def test_memory_does_not_grow_with_the_input(tmp_path: Path) -> None:
    """The real command, 40,000 commits of many authors: far less than they would fill."""
    source = tmp_path / "commits.jsonl"
    with source.open("w", encoding="utf-8") as lines:
        for number in range(40_000):
            row = ASSISTED | {"id": f"{number:x}", "author_name": f"N{number}", "pad": "x" * 3_000}
            lines.write(json.dumps(row) + "\n")
    found = tmp_path / "found.jsonl"
    watched = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(peak, file=sys.stderr)"
    )
    command = [
        sys.executable,
        "-c",
        watched,
        sys.executable,
        "-m",
        "github_app",
        "detect",
        "--json",
    ]
    with source.open("rb") as stdin, found.open("wb") as stdout:
        done = subprocess.run(
            command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=True
        )
    assert len(found.read_bytes().splitlines()) == 40_000
    assert int(done.stderr) < 150 * 1024  # KiB; the input alone is 130 MB
