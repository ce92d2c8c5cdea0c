"""docs/protection.md tells every hole of the sandbox, and no code that does not exist."""

import re
from pathlib import Path

from tests.doctor.holes import HOLES

ROOT = Path(__file__).parents[2]


def test_every_hole_is_documented_and_nothing_that_does_not_exist() -> None:
    text = (ROOT / "docs/protection.md").read_text("utf-8")
    table = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    told = {code for cell in table for code in re.findall(r"`([a-z.-]+)`", cell)}
    source = (ROOT / "github_app/doctor/findings.py").read_text("utf-8")
    known = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', source))
    known |= {f"{code}-unknown" for code in known} | {"permission-..."}
    assert told <= known
    holes = {code for hole in HOLES.values() for code in hole.codes}
    assert {re.sub(r"^permission-.*", "permission-...", code) for code in holes} <= told
