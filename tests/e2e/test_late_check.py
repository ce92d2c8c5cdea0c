"""GitHub shows a check run late: what it shows is believed only if it is what was last written."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from github_app.gateway.errors import Unavailable
from github_app.gateway.pull_request import Snapshot
from github_app.judge.facts import CheckRun
from github_app.worker import Worker
from tests.e2e.inline import Inline
from tests.e2e.processes import another_process


def writes(case: Inline) -> int:
    """Check runs made or updated since the calls were last reset."""
    kinds = case.hub.calls.summary()["by_kind"]
    return sum(row["calls"] for kind, row in kinds.items() if "/check-runs" in kind)


def check_shown(case: Inline, number: int) -> CheckRun | None:
    """What a snapshot shows of our check now."""
    found: list[Snapshot] = []
    with _reading(case.worker, found.append):
        case.act("june", "edit_pull_request", number=number, title=f"Look {case.clock.seconds()}")
        case.settle()
    return found[-1].pull.check


@contextmanager
def _reading(worker: Worker, note: Any) -> Iterator[None]:
    judgement = worker._judgement
    read = type(judgement).read

    def reads(self: object, *arguments: Any) -> Snapshot:
        snapshot = read(self, *arguments)  # type: ignore[arg-type] # the patched method passes its own arguments on
        changed = note(snapshot)
        return snapshot if changed is None else changed

    with patch.object(type(judgement), "read", reads):
        yield


@contextmanager
def showing(worker: Worker, check: CheckRun | None) -> Iterator[None]:
    """GitHub shows this check run on every head, whatever stands there."""

    def late(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, pull=replace(snapshot.pull, check=check))

    with _reading(worker, late):
        yield


def approve(case: Inline, number: int) -> None:
    case.act("grace", "approve", number=number)


def demote(case: Inline) -> None:
    """Grace may not push any more, so that her approval does not count."""
    case.act("olga", "remove_collaborator", login="grace")


def restore(case: Inline) -> None:
    case.act("olga", "add_collaborator", login="grace")


def test_old_check_that_says_the_right_thing_does_not_keep_a_green(case: Inline) -> None:
    """Waiting, green, and waiting again: GitHub still shows the first."""
    number = case.open()
    approve(case, number)
    case.signed(number, "grace")
    demote(case)
    case.refused(number, "CS035")
    waiting = check_shown(case, number)
    restore(case)
    case.signed(number, "grace")
    demote(case)
    with showing(case.worker, waiting):
        case.refused(number, "CS035")


def test_old_green_does_not_keep_a_signed_change_waiting(case: Inline) -> None:
    number = case.open()
    approve(case, number)
    case.signed(number, "grace")
    green = check_shown(case, number)
    demote(case)
    case.refused(number, "CS035")
    restore(case)
    with showing(case.worker, green):
        case.signed(number, "grace")


def test_two_processes_know_what_either_wrote(case: Inline) -> None:
    number = case.open()
    approve(case, number)
    with another_process(case) as other:
        case.hub.drain()
        while other.step():
            pass
        case.signed(number, "grace")
        green = check_shown(case, number)
        demote(case)
        case.hub.drain()
        while other.step():
            pass
        case.refused(number, "CS035")
        restore(case)
        with showing(case.worker, green):
            case.settle()
        case.signed(number, "grace")


def test_what_stands_is_not_written_again(case: Inline) -> None:
    number = case.open()
    approve(case, number)
    case.signed(number, "grace")
    case.hub.calls.reset()
    case.act("june", "edit_pull_request", number=number, title="Fix it")
    case.signed(number, "grace")
    case.sweep()
    assert writes(case) == 0


def test_one_change_is_one_write(case: Inline) -> None:
    number = case.open()
    case.waiting(number)
    case.hub.calls.reset()
    approve(case, number)
    case.signed(number, "grace")
    assert writes(case) == 1


@pytest.mark.parametrize("arrived", [True, False], ids=["it-arrived", "it-did-not"])
def test_write_of_which_nobody_knows_is_made_again(case: Inline, *, arrived: bool) -> None:
    number = case.open()
    case.waiting(number)
    installation = type(case.parts.github.installation(1))
    rest = installation.rest
    broken: list[str] = []

    def breaks(self: object, method: str, *arguments: Any, **more: Any) -> Any:
        if method in {"POST", "PATCH"} and not broken:
            broken.append(method)
            if arrived:
                rest(self, method, *arguments, **more)  # type: ignore[arg-type] # the patched method passes its arguments on
            raise Unavailable("no answer", status=502)
        return rest(self, method, *arguments, **more)  # type: ignore[arg-type] # the patched method passes its arguments on

    with patch.object(installation, "rest", breaks):
        approve(case, number)
        case.signed(number, "grace")
    assert broken
    case.hub.calls.reset()
    case.act("june", "edit_pull_request", number=number, title="Fix it")
    case.signed(number, "grace")
    assert writes(case) == 0
