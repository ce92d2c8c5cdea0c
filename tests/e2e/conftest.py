"""``case``: everything in one process, deterministic. ``live``: the real processes (live.py)."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.inline import CONCLUSIONS, Inline, inline


@pytest.fixture(scope="session", autouse=True)
def quick_collections() -> None:
    """Each test makes a world and drops it; what was imported need not be gone through for that."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Inline]:
    """A fresh world. Whatever a test does, no check run may end in a word that passes by itself."""
    with inline(tmp_path) as found:
        yield found
        for run in found.runs():
            assert run.conclusion in CONCLUSIONS, run.conclusion
