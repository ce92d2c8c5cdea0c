"""Which open pull requests a sweep asks to be judged again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from github_app.expansion import MARGIN, MISSED, Expansion
from github_app.gateway import repository
from github_app.gateway.client import Installation
from github_app.gateway.repository import OpenPullRequest
from github_app.judge.facts import CheckRun
from github_app.store.database import Store, open_store
from github_app.store.task import Task, TaskKind

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DONE = CheckRun(id=1, status="COMPLETED", conclusion="SUCCESS", external_id="", title="")
RUNNING = CheckRun(id=1, status="IN_PROGRESS", conclusion=None, external_id="", title="")


@pytest.fixture
def clock() -> list[float]:
    """The moment at which the pull request is asked for: a list of one, to be set."""
    return [NOON.timestamp()]


@pytest.fixture
def store(tmp_path: Path, clock: list[float]) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/test.db", clock=lambda: clock[0]) as opened:
        yield opened


def a_task(kind: TaskKind, subject: str) -> Task:
    return Task(
        kind=kind, installation_id=1, repository_id=77, subject=subject, full_name="acme/shop"
    )


def found(store: Store, monkeypatch: pytest.MonkeyPatch, check: CheckRun | None) -> list[str]:
    """The numbers that are asked for, where #7 was last changed at noon and is the only one."""
    seven = OpenPullRequest(
        number=7, updated_at=NOON, head_oid="a" * 40, base_ref="main", check=check
    )
    monkeypatch.setattr(repository, "open_pull_requests", lambda *_, **__: iter([seven]))
    widening = Expansion(queue=store.queue, app_id=4000, check_name="senior-signoff")
    installation = Mock(spec=Installation, id=1)
    asked = widening.expand(installation, a_task(TaskKind.REPOSITORY, MISSED))
    return [task.subject for task in asked]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(-1.0, ["7"], id="asked-before-the-change"),
        pytest.param(0.5, ["7"], id="asked-within-the-same-second"),
        pytest.param(MARGIN - 0.5, ["7"], id="clocks-may-differ-that-much"),
        pytest.param(MARGIN + 0.5, [], id="asked-well-after-the-change"),
    ],
)
def test_asks_again_unless_it_was_asked_well_after_the_change(
    store: Store,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    expected: list[str],
) -> None:
    clock[0] = NOON.timestamp() + seconds
    store.queue.add([a_task(TaskKind.PULL_REQUEST, "7")])
    assert found(store, monkeypatch, DONE) == expected


@pytest.mark.parametrize(
    "check", [pytest.param(None, id="no-check"), pytest.param(RUNNING, id="not-completed")]
)
def test_asks_where_there_is_no_finished_check(
    store: Store, clock: list[float], monkeypatch: pytest.MonkeyPatch, check: CheckRun | None
) -> None:
    clock[0] = NOON.timestamp() + 3600
    store.queue.add([a_task(TaskKind.PULL_REQUEST, "7")])
    assert found(store, monkeypatch, check) == ["7"]


def test_asks_for_what_was_never_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(store, monkeypatch, DONE) == ["7"]
