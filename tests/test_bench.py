"""Every bench runs to its end, at a size at which its figures mean nothing but its counts do."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import __main__ as everything
from bench import chaos, cost, doctor, judge, latency, replay, sweep, throughput
from bench.__main__ import BENCHES
from bench.databases import NOT_HERE
from bench.table import GATHERED, PREFIX, Figure, gather, number, show
from bench.throughput import PARTS, Size

pytestmark = pytest.mark.slow

CLAUDE = "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>"
HERE = Path(__file__).parent.parent / "bench"


def value(figures: Sequence[Figure], name: str) -> float:
    found = [figure.value for figure in figures if figure.name == name]
    assert len(found) == 1, [figure.name for figure in figures]
    return found[0]


def test_make_bench_runs_every_bench_that_needs_no_file() -> None:
    there = {path.stem for path in HERE.glob("*.py")}
    parts = {"__init__", "__main__", "app", "databases", "hub", "load", "table"}
    needs_a_file = {"replay"}
    run = {command[0].removeprefix("bench.") for command in BENCHES.values()}
    assert run == there - parts - needs_a_file


def test_what_was_not_measured_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    kept = [name for name in BENCHES if name != "judge"]
    skip = [word for name in kept for word in ("--skip", name)]
    with pytest.raises(SystemExit) as ended:
        everything.main(skip, standalone_mode=False)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.count("NOT MEASURED") == len(kept)
    assert "judge() of an ordinary pull request" in said


@pytest.mark.parametrize(
    ("code", "why", "ends"),
    [
        pytest.param(1, "broke off", 1, id="broken"),
        pytest.param(NOT_HERE, "not on this machine", 0, id="no-database"),
    ],
)
def test_what_ended_early_is_told(
    code: int,
    why: str,
    ends: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(everything, "measure", lambda bench, gathered: code)
    with pytest.raises(SystemExit) as ended:
        everything.main(["--only", "chaos-postgres"], standalone_mode=False)
    assert ended.value.code == ends
    said = capsys.readouterr().out.splitlines()
    row = next(line for line in said if line.startswith("chaos-postgres"))
    assert why in row


def test_figures_of_the_other_database_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GATHERED, str(tmp_path / "figures"))
    monkeypatch.setenv(PREFIX, everything.ON_POSTGRES)
    gather([Figure("put", 1, "ms", 3)])
    assert [figure.name for figure in everything.read(tmp_path / "figures")] == ["PostgreSQL: put"]


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        pytest.param(Figure("x", 5, target=5), True, id="at-most-met"),
        pytest.param(Figure("x", 5.1, target=5), False, id="at-most-missed"),
        pytest.param(Figure("x", 5, target=5, most=False), True, id="at-least-met"),
        pytest.param(Figure("x", 4.9, target=5, most=False), False, id="at-least-missed"),
        pytest.param(Figure("x", 1), None, id="no-target"),
    ],
)
def test_a_target_is_met_or_missed(figure: Figure, met: bool | None) -> None:
    assert figure.met is met


@pytest.mark.parametrize(
    ("given", "text"),
    [
        pytest.param(0, "0", id="none"),
        pytest.param(10_000, "10,000", id="whole"),
        pytest.param(0.123456, "0.123", id="small"),
        pytest.param(1234.5, "1,234", id="large"),
    ],
)
def test_numbers_are_short(given: float, text: str) -> None:
    assert number(given) == text


def test_figures_are_gathered_for_the_last_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = tmp_path / "figures"
    monkeypatch.setenv(GATHERED, str(gathered))
    figures = [Figure("one", 1, "ms", 2), Figure("two", 2)]
    show("title", figures)
    show("title", figures)
    lines = gathered.read_text().splitlines()
    assert [Figure(**json.loads(line)) for line in lines] == figures * 2


def test_judge() -> None:
    figures = judge.run(times=3, large=(20, 10, 30, 5))
    assert value(figures, "judge() of an ordinary pull request") > 0


def test_latency() -> None:
    figures = latency.run(count=1, latencies=(0,))
    assert value(figures, "review to verdict at 0 ms") > 0


def test_cost_counts_calls() -> None:
    figures = cost.run(events=3, latency_ms=0)
    assert value(figures, "one judgement: queries") == 1
    assert value(figures, "one judgement: writes") == 1
    assert value(figures, "nothing changed: calls") == 1
    assert value(figures, "nothing changed: writes") == 0
    assert value(figures, "tokens minted in that life") == 1
    assert value(figures, "life of a pull request: calls") <= 20


def test_sweep_judges_nothing_again() -> None:
    figures = sweep.run(pulls=5)
    assert value(figures, "sweep of 5 open pull requests: judged again") == 0
    assert value(figures, "sweep of 5 open pull requests: calls") > 0


def test_throughput_refuses_and_loses_nothing() -> None:
    size = Size(
        pulls=12, batches=1, batch=2, rate=50, rated=10, burst=20, events=20, idle=0.2, bare=1,
        latency_ms=0,
    )  # fmt: skip
    figures = throughput.run(size, tuple(PARTS))
    assert value(figures, "burst of 20: refused") == 0
    assert value(figures, "burst of 20: without a check") == 0
    assert value(figures, "webhooks at 50/s: refused") == 0


def test_chaos_ends_with_every_check_right() -> None:
    storm = chaos.Storm(
        kills=2, pulls=4, between=(0.3, 0.6), latency_ms=0, sweep_every=1, stays_right=0.5
    )
    figures = chaos.run(storm)
    assert value(figures, "kills -9") == 2
    assert value(figures, "checks lost") == 0
    assert value(figures, "wrongly green moments") == 0


def test_examples_are_posted_by_the_name_of_their_file(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "ping.json").write_text('{"zen": "Keep it logically awesome."}')
    (tmp_path / "below" / "pull_request.odd.json").write_text('{"action": "opened"}')
    figures = replay.replay_examples(tmp_path)
    assert value(figures, "examples posted") == 2
    # The second one lacks what every pull_request has.
    assert value(figures, "answered other than 202") == 1
    assert value(figures, "errors and tracebacks in the log") == 0


def rows(path: Path) -> Path:
    plain = {
        "repo": "acme/one", "tool": "", "tag": "plain", "why": "no attribution",
        "author_name": "June", "author_email": "june@acme.example", "committer_name": "June",
        "committer_email": "june@acme.example",
    }  # fmt: skip
    commits = [
        plain | {"label": "ai", "tool": "claude", "message": f"Add\n\n{CLAUDE}"},
        plain | {"label": "not_ai", "message": "Mend the till"},
        plain | {"label": "ambiguous", "message": "Whatever"},
    ]
    path.write_text("".join(json.dumps(commit) + "\n" for commit in commits))
    return path


def test_commits_become_pull_requests_that_are_judged(tmp_path: Path) -> None:
    figures = replay.replay_commits(rows(tmp_path / "commits"), count=4)
    assert value(figures, "pull requests judged") == 4
    assert value(figures, "AI-assisted, and not found") == 0
    assert value(figures, "not AI-assisted, and stopped") == 0


def test_a_wrong_verdict_on_commits_is_counted(tmp_path: Path) -> None:
    path = rows(tmp_path / "commits")
    swapped = path.read_text().replace('"not_ai"', '"x"').replace('"ai"', '"not_ai"')
    path.write_text(swapped.replace('"x"', '"ai"'))
    figures = replay.replay_commits(path, count=2)
    assert value(figures, "AI-assisted, and not found") == 1
    assert value(figures, "not AI-assisted, and stopped") == 1


def test_the_same_seed_chooses_the_same_commits(tmp_path: Path) -> None:
    commits = replay.labelled(rows(tmp_path / "commits"))
    assert len(commits) == 2
    assert replay.choose(commits, 9, 1) == replay.choose(commits, 9, 1)
    assert {any(c.assisted for c in chosen) for chosen in replay.choose(commits, 2, 1)} == {
        True,
        False,
    }


def test_the_doctor_asks_little_more_than_who_may_push() -> None:
    figures = doctor.run(repositories=40)
    calls = value(figures, "doctor of 40 repositories: calls")
    assert 40 < calls <= 40 + 25, "one a repository; the rest is for the account and for batches"
