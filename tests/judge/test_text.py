"""Foreign text: what it is compared as, and how it is shown."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_app.judge.text import excerpt, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Claude\n", "Claude\n", id="ascii-stays"),
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line-ends"),
        pytest.param("a\u2028b\x85c\x0bd", "a\nb\nc\nd", id="rare-line-ends"),
        pytest.param("Cla\u200bu\u200dde\ufeff", "Claude", id="zero-width"),
        pytest.param("\u202eClaude\u202c", "Claude", id="bidi"),
        pytest.param("\U000e0041Claude", "Claude", id="tag-characters"),
        pytest.param("Claude\ufe0f", "Claude", id="variation-selector"),
        pytest.param("Ｃｌａｕｄｅ", "Claude", id="full-width"),
        pytest.param("𝐂𝐥𝐚𝐮𝐝𝐞", "Claude", id="mathematical-letters"),
        pytest.param("Clаude", "Claude", id="cyrillic-a"),
        pytest.param("a\u00a0b", "a b", id="no-break-space"),
        pytest.param("Grüße, 世界", "Grüße, 世界", id="other-letters-stay"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_every_format_character_goes() -> None:
    formats = [chr(n) for n in range(sys.maxunicode) if unicodedata.category(chr(n)) == "Cf"]
    assert normalise("a" + "".join(formats) + "b") == "ab"


@given(st.text())
def test_normalise_is_stable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_long_runs_of_combining_marks_are_cut_in_pieces() -> None:
    """Sorting them all at once takes time by the square of their number."""
    run = "\u0301\u0316" * 5_000
    pieces = normalise(run)
    assert sorted(pieces) == sorted(run)
    assert pieces != unicodedata.normalize("NFKC", run)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  a \n\t b ", "a b", id="one-line"),
        pytest.param("a\u200bb", "a\\u200bb", id="zero-width-is-shown"),
        pytest.param("a\x1b[31mb", "a\\u001b[31mb", id="escape-is-shown"),
        pytest.param("\u202eabc", "\\u202eabc", id="bidi-is-shown"),
        pytest.param("\U000e0041", "\\U000e0041", id="tag-is-shown"),
        pytest.param("\ud800", "\\ud800", id="lone-surrogate-is-shown"),
        pytest.param("x" * 201, "x" * 199 + "…", id="cut"),
        pytest.param("x" * 200, "x" * 200, id="just-fits"),
        pytest.param("🤖 done", "🤖 done", id="pictures-stay"),
        pytest.param("", "", id="empty"),
    ],
)
def test_excerpt(text: str, expected: str) -> None:
    assert excerpt(text) == expected


@given(st.text(max_size=2000))
def test_excerpt_is_short_printable_and_one_line(text: str) -> None:
    shown = excerpt(text)
    assert len(shown) <= 200
    assert shown.isprintable()
    shown.encode()  # no surrogate is left
