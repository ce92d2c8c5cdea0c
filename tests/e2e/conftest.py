"""``case``: everything in one process, deterministic. ``live``: the real processes (live.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.inline import CONCLUSIONS, Inline, inline


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Inline]:
    """A fresh world. Whatever a test does, no check run may end in a word that passes by itself."""
    with inline(tmp_path) as found:
        yield found
        for run in found.runs():
            assert run.conclusion in CONCLUSIONS, run.conclusion
