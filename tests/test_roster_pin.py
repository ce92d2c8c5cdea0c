"""Adding ids to a roster: every layout of a person, and not one character beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_app.judge.document import Mapping, plain
from github_app.roster_pin import PinError, people_without_id, pin, pinned_ids
from github_app.yaml_source import read_document

REST = """\
sign_off: {from: senior}   # the least
rules:
- {name:   a, approvals: 2}

"""


def around(people: str) -> str:
    return f"# a roster\nversion: 1\nlevels: [mid, senior]\n\npeople:   # us\n{people}{REST}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("  kim: mid\n", "  kim: {id: 31, level: mid}\n", id="shorthand"),
        pytest.param(
            "  kim:   mid   # since May\n",
            "  kim:   {id: 31, level: mid}   # since May\n",
            id="shorthand-with-comment",
        ),
        pytest.param("  kim: 'mid'\n", "  kim: {id: 31, level: 'mid'}\n", id="single-quotes"),
        pytest.param('  kim: "mid"\n', '  kim: {id: 31, level: "mid"}\n', id="double-quotes"),
        pytest.param('  "kim": mid\n', '  "kim": {id: 31, level: mid}\n', id="quoted-login"),
        pytest.param(
            "  kim:\n    mid\n", "  kim:\n    {id: 31, level: mid}\n", id="on-the-next-line"
        ),
        pytest.param("  kim: {level: mid}\n", "  kim: {id: 31, level: mid}\n", id="braces"),
        pytest.param("  kim: { level: mid }\n", "  kim: {id: 31, level: mid }\n", id="wide-braces"),
        pytest.param(
            "  kim: {\n    level: mid,\n  }\n",
            "  kim: {id: 31,\n    level: mid,\n  }\n",
            id="braces-over-lines",
        ),
        pytest.param(
            "  kim: {? level : mid}\n",
            "  kim: {id: 31, ? level : mid}\n",
            id="braces-with-question",
        ),
        pytest.param(
            "  kim:\n    level: mid\n", "  kim:\n    id: 31\n    level: mid\n", id="indented"
        ),
        pytest.param(
            "  kim: # boss\n\n      # her level\n      level: mid # yes\n"
            "      away: 2026-01-01/2026-01-02\n",
            "  kim: # boss\n      id: 31\n\n      # her level\n      level: mid # yes\n"
            "      away: 2026-01-01/2026-01-02\n",
            id="indented-with-comments",
        ),
        pytest.param(
            "  ? kim\n  : mid\n", "  ? kim\n  : {id: 31, level: mid}\n", id="question-mark"
        ),
        pytest.param(
            "  grace: mid\n  kim: mid\n  ada: mid\n",
            "  grace: mid\n  kim: {id: 31, level: mid}\n  ada: mid\n",
            id="one-of-several",
        ),
        pytest.param(
            "  {kim: mid, ada: mid}\n",
            "  {kim: {id: 31, level: mid}, ada: mid}\n",
            id="people-in-braces",
        ),
    ],
)
def test_layouts(before: str, after: str) -> None:
    assert pin(around(before), "r.yaml", {"kim": 31}) == around(after)


def test_line_ends_stay() -> None:
    text = around("  kim:\n    level: mid\n  ada: mid\n").replace("\n", "\r\n")
    expected = around("  kim:\n    id: 31\n    level: mid\n  ada: {id: 7, level: mid}\n")
    assert pin(text, "r.yaml", {"kim": 31, "ada": 7}) == expected.replace("\n", "\r\n")


def test_no_line_end_at_the_end() -> None:
    text = "sign_off: {from: mid}\npeople:\n  kim: mid"
    assert pin(text, "r.yaml", {"kim": 31}).endswith("\n  kim: {id: 31, level: mid}")


def test_nothing_to_add() -> None:
    assert pin(around("  kim: mid\n"), "r.yaml", {}) == around("  kim: mid\n")


@pytest.mark.parametrize(
    "people",
    [
        pytest.param("  ? kim\n  : level: mid\n", id="compact-under-a-question-mark"),
        pytest.param("  kim: |-\n    mid\n", id="block-text"),
        pytest.param("  kim: >-\n    mid\n  ada: mid\n", id="folded-text"),
    ],
)
def test_layouts_without_a_place(people: str) -> None:
    """Refused with advice; what would come out does not say the same, so it never comes out."""
    with pytest.raises(PinError, match=r"r\.yaml: the ids cannot be added") as caught:
        pin(around(people), "r.yaml", {"kim": 31})
    assert "on one line" in caught.value.advice


def test_who_is_pinned() -> None:
    text = around("  kim: mid\n  ada: {id: 1815, level: senior}\n  Bob:\n    level: mid\n")
    document = read_document(text, "r.yaml")
    assert people_without_id(document) == ("kim", "Bob")
    assert pinned_ids(document) == {"ada": 1815}


# --- always ---------------------------------------------------------------------------------------

COMMENT = st.sampled_from(["", "  # why", " # {a: b}"])


def layout(login: str) -> st.SearchStrategy[str]:
    forms = [
        f"  {login}: mid{{}}\n",
        f"  {login}:   'mid'{{}}\n",
        f"  {login}: {{{{level: mid}}}}{{}}\n",
        f"  {login}: {{{{ level: mid, away: 2026-01-01/2026-01-02 }}}}{{}}\n",
        f"  {login}:{{}}\n    level: mid\n",
        f"  {login}:{{}}\n\n        # note\n        level: mid\n",
        f"  {login}: {{{{id: 99, level: mid}}}}{{}}\n",
        f"  # {login} comes next\n  {login}: mid{{}}\n",
    ]
    return st.builds(lambda form, comment: form.format(comment), st.sampled_from(forms), COMMENT)


PEOPLE = st.tuples(*(layout(login) for login in ("kim", "ada", "grace"))).map("".join)


@given(people=PEOPLE, crlf=st.booleans())
def test_only_lines_of_people_change_and_only_ids_are_added(people: str, crlf: bool) -> None:
    text = around(people).replace("\n", "\r\n") if crlf else around(people)
    document = read_document(text, "r.yaml")
    ids = {login: 1_000 + at for at, login in enumerate(people_without_id(document))}
    pinned = pin(text, "r.yaml", ids)
    begin, end = text.index("people:"), text.index("sign_off:")
    assert pinned[:begin] == text[:begin]
    assert pinned.endswith(text[end:])
    assert is_subsequence(text, pinned), "nothing is taken away or moved"
    after = read_document(pinned, "r.yaml")
    assert isinstance(after, Mapping)
    assert people_without_id(after) == ()
    assert pinned_ids(after) == {**pinned_ids(document), **ids}
    assert pin(pinned, "r.yaml", {}) == pinned
    said, before = plain(after), plain(document)
    assert isinstance(said, dict)
    assert isinstance(before, dict)
    assert {**said, "people": None} == {**before, "people": None}


def is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(character in rest for character in short)
