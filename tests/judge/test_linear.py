"""Reading takes time in proportion to length: no pattern backtracks, no rule starts over.

Nothing is timed here; the curve by length is in ``bench/detect.py``.
"""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from github_app.catalogue_file import shipped_catalogue
from github_app.judge import (
    credit,
    detection,
    identity,
    message,
    product_names,
    text,
    text_layout,
    trailers,
    wording,
)
from github_app.judge.catalogue import MarkKind, template
from github_app.judge.detection import CommitText, detect_commit
from github_app.judge.product_names import Products
from github_app.judge.trailers import co_authors, parse

CATALOGUE = shipped_catalogue()
_PARSER: Any = importlib.import_module("re._parser")
_MANY: Any = importlib.import_module("re._constants").MAXREPEAT
_WIDEST = 20_000  # steps a bounded repetition may take back, all of a pattern together


def patterns() -> Iterator[Any]:
    read = (
        wording,
        message,
        text_layout,
        credit,
        product_names,
        identity,
        text,
        trailers,
        detection,
    )
    for module in read:
        for name, value in vars(module).items():
            found = value if isinstance(value, tuple) else (value,)
            for n, one in enumerate(found):
                pattern = one[1] if isinstance(one, tuple) and len(one) == 2 else one
                if isinstance(pattern, re.Pattern):
                    yield pytest.param(pattern, id=f"{module.__name__.split('.')[-1]}-{name}-{n}")
    yield pytest.param(Products(CATALOGUE).model, id="models")
    for mark in CATALOGUE.marks(MarkKind.LINK, MarkKind.BRANCH, MarkKind.EMAIL):
        if "{" in mark.text:
            yield pytest.param(template(mark.text), id=f"mark-{mark.text}")


def takes_back(parsed: Any) -> float:
    """How many repetitions a pattern may take back, multiplied through nesting and sequence."""
    steps = 1.0
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            _, most, inner = argument
            wide = float("inf") if most is _MANY else float(most)
            steps *= max(wide, 1) * takes_back(inner)
        elif name == "SUBPATTERN":
            steps *= takes_back(argument[-1])
        elif name == "BRANCH":
            steps *= max(takes_back(branch) for branch in argument[1])
        elif name in ("ASSERT", "ASSERT_NOT"):
            steps *= takes_back(argument[1])
    return steps


@pytest.mark.parametrize("pattern", list(patterns()))
def test_no_pattern_takes_back_without_bound(pattern: re.Pattern[str]) -> None:
    assert takes_back(_PARSER.parse(pattern.pattern, pattern.flags)) <= _WIDEST


@pytest.mark.parametrize(
    ("pattern", "bounded"),
    [
        pytest.param(r"a++b", True, id="possessive"),
        pytest.param(r"a{1,40}b", True, id="limited"),
        pytest.param(r"a+b", False, id="greedy"),
        pytest.param(r"(?:a*)*", False, id="nested"),
        pytest.param(r"a{1,400}?b{1,400}c", False, id="limits-that-multiply"),
    ],
)
def test_the_check_itself(pattern: str, bounded: bool) -> None:
    assert (takes_back(_PARSER.parse(pattern)) <= _WIDEST) is bounded


PIECES = (
    *(" ", ":", "<", '"`', "Co-authored-by: x <a@b.c>\n", "co-authored-by:", "generated with "),
    *(
        "<!--",
        "<!-- -->",
        "https://claude.ai/code/session_",
        "- [x] ai used ",
        "```\n",
        "\u0301\u0316",
    ),
    *(
        "\U0001f916 ",
        "a@b.c ",
        "AI-Assisted: yes\n",
        "Key: v\n\tfold\n",
        "---\n",
        "# ai use\n",
        "\\n",
    ),
    *("revert ", "diff --git ", "mostly ai generated ", "used by claude ", "(via codex)\n"),
)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(
    "read",
    [
        pytest.param(
            lambda text: detect_commit(CATALOGUE, CommitText(id="1", message=text)), id="detect"
        ),
        pytest.param(parse, id="parse"),
        pytest.param(co_authors, id="co-authors"),
    ],
)
def test_work_grows_with_length_alone(piece: str, read: Callable[[str], object]) -> None:
    short, long = (calls(read, f"Tidy\n\n{piece * n}") for n in (250, 1_000))
    assert long <= 4.5 * short + 200


def calls(read: Callable[[str], object], text: str) -> int:
    """How many functions, ours and built-in ones, reading ``text`` calls."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    read(text)  # what is kept from one reading to the next does not count
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(text)
    finally:
        sys.setprofile(before)
    return counted
