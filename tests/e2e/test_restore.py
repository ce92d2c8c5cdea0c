"""The database is lost and an older copy takes its place: what comes back, and what is told."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from github_app.cli import countersign
from tests.e2e.inline import Inline, put_together


def command(case: Inline, tmp: Path, *arguments: str) -> Result:
    environment = case.hub.env() | {"DATABASE_URL": f"sqlite:///{tmp / 'countersign.db'}"}
    return CliRunner().invoke(countersign, arguments, env=environment)


def restore(case: Inline, tmp: Path, copy: Path) -> None:
    """As docs/deploying.md says: stop, move the old files away, all of them, and start."""
    case.parts.close()
    (tmp / "old").mkdir()
    for file in tmp.glob("countersign.db*"):
        file.rename(tmp / "old" / file.name)
    shutil.copy(copy, tmp / "countersign.db")
    fresh = put_together(case.hub, tmp, case.clock)
    case.web, case.parts = fresh.web, fresh.parts
    case.worker, case.sweeper = fresh.worker, fresh.sweeper


@pytest.fixture
def after(case: Inline, tmp_path: Path) -> Inline:
    """One pull request before the backup; afterwards it changes, and two more come."""
    case.waiting(case.open("before"))
    copied = command(case, tmp_path, "backup", str(tmp_path / "copy.db"))
    assert copied.exit_code == 0, copied.output
    case.act("grace", "approve", number=1)
    case.signed(1)
    case.waiting(case.open("later"))
    case.open("never-judged")
    assert case.hub.drain()  # accepted, and lost with the database before anybody judged it
    restore(case, tmp_path, tmp_path / "copy.db")
    return case


def test_what_came_after_the_backup_is_judged_anew(after: Inline) -> None:
    after.sweep()
    after.signed(1)
    after.waiting(2)
    after.waiting(3)
    after.act("june", "push", branch="before", commits=[{"message": "One more"}])
    after.refused(1, "CS032")


def test_a_forgotten_green_is_taken_down_all_the_same(after: Inline) -> None:
    """The restored queue never heard of the approval; its dismissal is heard of."""
    after.act("olga", "dismiss_review", number=1, author="grace")
    after.refused(1, "CS041")


def test_the_records_that_are_missing_are_told(after: Inline, tmp_path: Path) -> None:
    alone = command(after, tmp_path, "audit", "verify")
    assert alone.exit_code == 0, alone.output
    compared = command(after, tmp_path, "audit", "verify", "--github", "acme/shop")
    assert compared.exit_code == 1, compared.output
    assert "it is missing: the log ends before the anchor at record 3" in compared.output
    assert "acme/shop#1, acme/shop#2" in compared.output
    kept = CliRunner().invoke(
        countersign,
        ["audit", "verify", "--github", "acme"],
        env=after.hub.env() | {"DATABASE_URL": f"sqlite:///{tmp_path / 'old/countersign.db'}"},
    )
    assert kept.exit_code == 0, kept.output
    assert "Compared with 2 checks on GitHub" in kept.output


def test_nothing_to_compare_with_is_no_success(case: Inline, tmp_path: Path) -> None:
    result = command(case, tmp_path, "audit", "verify", "--github", "acme/shop")
    assert result.exit_code == 2
    assert "nothing was compared" in result.output
