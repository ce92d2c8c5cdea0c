"""``python -m sandbox.demo`` as its users run it: its story, its exit codes, how it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from sandbox.seed import ROSTER

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds for a whole demo, on a busy machine
STEPS = [
    "kim opens a pull request with a plain commit",
    "june opens a pull request whose commit Claude Code co-authored",
    "kim (mid) approves it",
    "june tries to merge",
    "june rewrites the commit without its marks, and force-pushes",
    "grace (senior) approves the head",
    "june pushes once more, after the approval",
    "grace approves the new head",
    "june merges",
]


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", Callable[[str], str]]]:
    """A demo under way, and a function that waits for a line with these words."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.demo", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stdout = process.stdout
    assert stdout is not None
    seen: list[str] = []

    def line_with(words: str) -> str:
        for line in stdout:
            seen.append(line)
            if words in line:
                return line
        raise AssertionError(f"no line with {words!r} in:\n{''.join(seen)}")

    watchdog = threading.Timer(PATIENCE, process.terminate)
    watchdog.start()
    try:
        yield process, line_with
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)
        stdout.close()


def demo(*arguments: str) -> tuple[int, str]:
    """Run a demo to its end: its exit code and all it printed."""
    with running("--once", *arguments) as (process, _):
        assert process.stdout is not None
        printed = process.stdout.read()
        return process.wait(PATIENCE), printed


def test_the_story_comes_as_it_should() -> None:
    code, printed = demo("--patience", "60")
    assert code == 0, printed
    told = [line for line in printed.splitlines() if re.match(r" ?\d+  ", line)]
    assert [re.sub(r"^ ?\d+  (.*)  #\d+$", r"\1", line) for line in told] == STEPS
    for words in (
        "success          No AI assistance found",
        "action_required  Waiting for a senior: @grace or @ada can sign off",
        "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
        "@kim is mid",
        'GitHub refuses: Repository rule violations found: Required status check "senior-signoff"',
        "success          Signed off by @grace (senior)",
        "1 commit before the head",
        "GitHub merges it",
        "All 9 steps came as they should",
    ):
        assert words in printed
    assert "\x1b" not in printed  # colours are for terminals


@pytest.mark.parametrize(
    ("roster", "expected", "came"),
    [
        pytest.param(
            ROSTER.replace("level: mid", "level: senior"),
            "expected “action_required”, got “success”",
            "Signed off by @kim (senior)",
            id="kim-is-senior",
        ),
        pytest.param(
            "version: 1\nlevels: [junior\n",
            "expected “success”, got “failure”",
            "Cannot judge",
            id="roster-is-broken",
        ),
    ],
)
def test_a_story_that_went_otherwise_says_where(
    tmp_path: Path, roster: str, expected: str, came: str
) -> None:
    file = tmp_path / "reviewers.yaml"
    file.write_text(roster, encoding="utf-8")
    code, printed = demo("--patience", "1", "--roster", str(file))
    assert code == 1
    assert expected in printed
    assert came in printed
    assert "not as expected" in printed


def family(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The app's processes: serve, gunicorn's two, the worker."""
    found: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stays_until_a_signal_and_leaves_nothing_behind(number: signal.Signals) -> None:
    with running() as (process, line_with):
        address = re.search(r"http://127\.0\.0\.1:\d+", line_with("Now you:"))
        assert address is not None
        with urllib.request.urlopen(address[0], timeout=10) as page:
            assert b"Give the cart a discount" in page.read()
        children = family(process)
        assert len(children) >= 3
        process.send_signal(number)
        line_with("Shutting down")
        assert process.wait(PATIENCE) == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_a_signal_in_the_middle_of_the_story_ends_it() -> None:
    with running("--roster", os.devnull, "--patience", "30") as (process, line_with):
        line_with("Countersign beside it")
        children = family(process)
        process.send_signal(signal.SIGTERM)
        line_with("Stopped before the end")
        assert process.wait(PATIENCE) == 1
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_when_the_app_ends_by_itself_the_end_of_its_log_is_shown() -> None:
    with running() as (process, line_with):
        line_with("Now you:")
        children = family(process)
        psutil.Process(process.pid).children()[0].kill()
        line_with("the app ended with exit code -9. Its last lines:")
        assert '"event"' in line_with("published")
        assert process.wait(PATIENCE) == 1
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
