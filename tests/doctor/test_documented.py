"""docs/protection.md tells every code that the doctor may find, and none that does not exist."""

import re
from pathlib import Path

from tests.doctor.holes import HOLES

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "github_app/doctor/findings.py").read_text("utf-8")
# Made of a word and a name, or chosen between two.
CHOSEN = {"permission-...", "not-required", "release-not-required"}
CHOSEN |= {"bypass", "push-bypass", "bypass-unknown", "push-bypass-unknown"}


def told() -> set[str]:
    text = (ROOT / "docs/protection.md").read_text("utf-8")
    table = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for cell in table for code in re.findall(r"`([a-z.-]+)`", cell)}


def found() -> set[str]:
    literal = set(re.findall(r'_finding\(\s*(?:Level\.\w+|level), "([a-z-]+)"', SOURCE))
    assert len(literal) > 15, "the pattern no longer fits the source"
    return literal | CHOSEN


def test_every_code_is_documented_and_nothing_that_does_not_exist() -> None:
    assert told() == found()


def test_every_chosen_code_is_in_the_source() -> None:
    parts = {"permission-", "not-required", "release-not-required", "bypass", "push-bypass"}
    assert all(f'"{part}' in SOURCE for part in parts)
    assert '"{code}-unknown"' in SOURCE


def test_every_hole_of_the_sandbox_is_one_of_them() -> None:
    holes = {code for hole in HOLES.values() for code in hole.codes}
    assert {re.sub(r"^permission-.*", "permission-...", code) for code in holes} <= found()


def test_every_hole_that_protect_would_mend_has_its_organisation() -> None:
    holes = {code for hole in HOLES.values() for code in hole.codes}
    mended = {"not-required", "release-not-required", "not-pinned", "bypass", "push-bypass", "push"}
    mended |= {"not-when-made"}
    assert mended | {"tags"} <= holes
