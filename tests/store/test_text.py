"""Text and canonical JSON: both databases give back what went in, and equal is equal in bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_app.store.text import Json, canonical, clean, sha256


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("", "", id="empty"),
        pytest.param("a\x00b", "a\ufffdb", id="nul"),
        pytest.param("\ud800", "\ufffd", id="lone-high-surrogate"),
        pytest.param("x\udc00y", "x\ufffdy", id="lone-low-surrogate"),
        pytest.param("\ud834\udd1e", "𝄞", id="pair-of-surrogates"),
        pytest.param("\u202e\x1b", "\u202e\x1b", id="others-stay"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.characters(codec=None)))
def test_clean_text_can_be_stored_and_is_stable(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert "\x00" not in cleaned
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}', id="sorted-and-tight"),
        pytest.param({"é": "\u2028"}, '{"é":"\u2028"}', id="not-escaped"),
        pytest.param(("x", ()), '["x",[]]', id="tuples"),
        pytest.param("\x00\ud800", '"\ufffd\ufffd"', id="cleaned"),
        pytest.param({}, "{}", id="empty"),
    ],
)
def test_canonical(value: Json, text: str) -> None:
    assert canonical(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_what_json_cannot_say_is_refused(value: Json) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(value)


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical(object())  # type: ignore[arg-type]  # wrong on purpose


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON)
def test_canonical_survives_being_read(value: Json) -> None:
    once = canonical(value)
    assert canonical(json.loads(once)) == once
    assert sha256(once) == sha256(canonical(value))
