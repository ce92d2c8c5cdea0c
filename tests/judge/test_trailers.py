"""Trailers by git's grammar: named rows, and the same answer as git itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from github_app.judge.facts import GitIdentity
from github_app.judge.trailers import Trailer, co_authors, parse

SCISSORS = "# ------------------------ >8 ------------------------\n"
CLAUDE = "Co-authored-by: Claude <noreply@anthropic.com>\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("Key: value\n", [], id="title-is-never-a-trailer"),
        pytest.param("s\n\nKey: value\n", [("Key", "value")], id="one"),
        pytest.param("s\n\nKey: value", [("Key", "value")], id="no-newline-at-the-end"),
        pytest.param("s\n\nA: 1\nA: 2\n", [("A", "1"), ("A", "2")], id="repeated-key"),
        pytest.param("s\n\nA: 1\n\nB: 2\n", [("B", "2")], id="last-paragraph-only"),
        pytest.param("s\n\nA: 1\ntext\n", [], id="not-all-are-trailers"),
        pytest.param(
            "s\n\ntext\nmore\nyet more\nSigned-off-by: a <b>\n",
            [("Signed-off-by", "a <b>")],
            id="a-quarter-with-one-of-gits-own",
        ),
        pytest.param(
            "s\n\n1\n2\n3\n4\nSigned-off-by: a <b>\n", [], id="less-than-a-quarter-with-gits-own"
        ),
        pytest.param(
            "s\n\n(cherry picked from commit 12)\nA: 1\n", [("A", "1")], id="cherry-pick-line"
        ),
        pytest.param("s\n\nA: 1\n  2\n\t3\n", [("A", "1 2 3")], id="folded"),
        pytest.param("s\n\n  folded\nA: 1\n", [], id="folded-onto-nothing"),
        pytest.param("s\r\n\r\nA: 1\r\n", [("A", "1")], id="crlf"),
        pytest.param("s\n\nA : 1\n", [("A", "1")], id="space-before-colon"),
        pytest.param("s\n\nA b: 1\n", [], id="space-inside-key"),
        pytest.param("s\n\nA_b: 1\n", [], id="underscore-in-key"),
        pytest.param("s\n\nÄ: 1\n", [], id="letters-beyond-ascii"),
        pytest.param("s\n\n: 1\n", [], id="no-key"),
        pytest.param("s\n\nA:\n", [("A", "")], id="no-value"),
        pytest.param("s\n\nA: 1\n# comment\nB: 2\n", [("A", "1"), ("B", "2")], id="comment"),
        pytest.param("s\n\nA: 1\n\n# Conflicts:\n#\tx\n", [("A", "1")], id="comments-at-the-end"),
        pytest.param("s\n\nA: 1\nConflicts:\n\tx\n", [("A", "1")], id="old-conflicts-block"),
        pytest.param("s\n\nA: 1\n---\n file | 1 +\n", [("A", "1")], id="patch"),
        pytest.param("s\n\nA: 1\n---x\n", [], id="three-dashes-and-more"),
        pytest.param("s\n\nA: 1\n" + SCISSORS + "B: 2\n", [("A", "1")], id="scissors"),
        pytest.param("s\n\nA: 1\0\nB: 2\n", [("A", "1")], id="nul-ends-a-c-string"),
        pytest.param("s\n\nCo-authored-by: A <a@b>\n", [("Co-authored-by", "A <a@b>")], id="usual"),
    ],
)
def test_parse(message: str, expected: list[tuple[str, str]]) -> None:
    assert parse(message) == tuple(Trailer(key, value) for key, value in expected)


PIECES = (
    *("subject\n", "\n", "\n", "Key: v\n", "Signed-off-by: a <b>\n", " folded\n", "\tx\n"),
    *("(cherry picked from commit 12)\n", "# c\n", "plain text\n", "a b: c\n", "a b\tc : d\n"),
    *(": x\n", "Conflicts:\n", "\tfile\n", "K:\n", "é: x\n", "K-1 : v\r\n", "\r\n", "  \n"),
    *("Key: v", "x_y: z\n", "-: a\n", "https://x\n", "\x0bK: v\n", "K:\x0c\n", "---\n", "--- a\n"),
    *("---x\n", SCISSORS, "Co-authored-by: A <a@b>\n", "Signed-off-by:x\n", "#\n"),
)


@pytest.mark.skipif(
    shutil.which("git") is None, reason="compares with the real git, which this machine lacks"
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_git_says_the_same(tmp_path: Path, message: str) -> None:
    assume(not _hangs_git(message))
    ours = "".join(f"{trailer.key}: {trailer.value}\n" for trailer in parse(message))
    assert ours == _git(message, tmp_path)


@pytest.mark.skipif(
    shutil.which("git") is None, reason="compares with the real git, which this machine lacks"
)
def test_git_says_the_same_of_whole_messages(tmp_path: Path) -> None:
    for message in (
        f"Tidy\n\nText: with a colon\nand more.\n\n{CLAUDE}",
        f"Tidy (#1)\n\n* one\n\n{CLAUDE}\n* two\n\n---------\n\n{CLAUDE}",
        f"Tidy\n\n{CLAUDE}Change-Id: I0123\n",
        f"Tidy\r\n\r\nText\r\n\r\n{CLAUDE}".replace("\n", "\r\n"),
    ):
        ours = "".join(f"{trailer.key}: {trailer.value}\n" for trailer in parse(message))
        assert ours == _git(message, tmp_path)


def _hangs_git(message: str) -> bool:
    """git 2.39 never ends on scissors after a patch has begun."""
    begun = min(message.find(mark) % (len(message) + 1) for mark in ("---\n", "--- a\n"))
    return message.rfind(SCISSORS) > begun


def _git(message: str, directory: Path) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "-c", "core.commentChar=#", "interpret-trailers", "--parse"],
        input=message.encode(),
        capture_output=True,
        cwd=directory,
        env=environment,
        timeout=20,
        check=True,
    )
    return done.stdout.decode()


@given(st.text(alphabet=st.sampled_from("aA:-# \t\n\r\0\x0b<>@é(>"), max_size=300))
def test_nothing_raises(message: str) -> None:
    parse(message)
    co_authors(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("s\n\nCo-authored-by: A B <a@b.c>\n", [("A B", "a@b.c")], id="usual"),
        pytest.param("s\n\nCO-AUTHORED-BY: A <a@b.c>\n", [("A", "a@b.c")], id="capitals"),
        pytest.param("s\n\nCoauthored-by: A <a@b.c>\n", [("A", "a@b.c")], id="one-hyphen"),
        pytest.param("s\n\n> Co-authored-by: A <a@b.c>\n", [("A", "a@b.c")], id="quoted-counts"),
        pytest.param("s\n\nCo-authored-by: A\n <a@b.c>\n", [("A", "a@b.c")], id="folded"),
        pytest.param(
            "s\n\nCo-authored-by: A <a@b.c> Co-authored-by: D <d@e.f>\n",
            [("A", "a@b.c"), ("D", "d@e.f")],
            id="two-on-a-line",
        ),
        pytest.param(
            "Co-authored-by: x[bot] <1+x[bot]@users.noreply.github.com>\n",
            [("x[bot]", "1+x[bot]@users.noreply.github.com")],
            id="bot",
        ),
        pytest.param("s\n\nCo-authored-by: A &lt;a@b.c&gt;\n", [("A", "a@b.c")], id="html"),
        pytest.param("s\n\nCo-authored-by: A\n", [], id="no-address-no-identity"),
        pytest.param("s\n\nReviewed-by: A <a@b.c>\n", [], id="another-key"),
    ],
)
def test_co_authors(message: str, expected: list[tuple[str, str]]) -> None:
    found = [(identity.name, identity.email) for identity in co_authors(message)]
    assert found == expected


def test_a_co_author_is_named_once() -> None:
    line = "Co-authored-by: A <a@b.c>\n"
    assert co_authors(f"s\n\n{line}{line}") == (GitIdentity(name="A", email="a@b.c"),)
