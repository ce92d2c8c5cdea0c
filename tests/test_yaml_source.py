"""Reading YAML: what comes out, where it stands, and that nothing hostile gets through."""

import tracemalloc
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from github_app.judge.document import Mapping, Node, Scalar, Sequence, place, plain, spell
from github_app.judge.errors import RosterError
from github_app.yaml_source import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_PROBLEMS,
    MAX_SCALAR,
    read_document,
)

DEFAULT: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LOADERS = [pytest.param(yaml.SafeLoader, id="python")]
if hasattr(yaml, "CSafeLoader"):
    LOADERS.append(pytest.param(yaml.CSafeLoader, id="libyaml"))


def read(text: str | bytes, loader: type = DEFAULT) -> Node | RosterError:
    """What comes of it; an error is a value here. Anything else that is raised fails the test."""
    try:
        return read_document(text, "r.yaml", loader=loader)
    except RosterError as error:
        return error


def problems(text: str | bytes, loader: type = DEFAULT) -> list[str]:
    error = read(text, loader)
    assert isinstance(error, RosterError)
    return [str(problem) for problem in error.problems]


def scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries:
            yield entry.key
            yield from scalars(entry.value)


# --- values and places ----------------------------------------------------------------------------


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("7", 7, id="number"),
        pytest.param("-7", -7, id="negative"),
        pytest.param("007", "007", id="leading-zeros-are-text"),
        pytest.param("0o17", "0o17", id="octal-is-text"),
        pytest.param("0x1F", "0x1F", id="hexadecimal-is-text"),
        pytest.param("1_000", "1_000", id="underscore-is-text"),
        pytest.param("12:30:45", "12:30:45", id="base-sixty-is-text"),
        pytest.param("9" * 18, int("9" * 18), id="large-number"),
        pytest.param("9" * 19, "9" * 19, id="too-large-number-is-text"),
        pytest.param("1.5", 1.5, id="decimal"),
        pytest.param("1e9", "1e9", id="exponent-is-text"),
        pytest.param(".inf", ".inf", id="infinity-is-text"),
        pytest.param("true", True, id="true"),
        pytest.param("False", False, id="false"),
        pytest.param("yes", "yes", id="yes-is-text"),
        pytest.param("off", "off", id="off-is-text"),
        pytest.param("no", "no", id="norway-is-text"),
        pytest.param("null", None, id="null"),
        pytest.param("~", None, id="tilde"),
        pytest.param("", None, id="nothing"),
        pytest.param("''", "", id="empty-text"),
        pytest.param("'7'", "7", id="quoted-number"),
        pytest.param('"true"', "true", id="quoted-word"),
        pytest.param("2026-12-20", "2026-12-20", id="date-is-text"),
        pytest.param("2026-12-20/2027-01-03", "2026-12-20/2027-01-03", id="range"),
        pytest.param("=", "=", id="equals-sign"),
    ],
)
def test_value(written: str, value: object, loader: type) -> None:
    node = read_document(f"key: {written}\n", "r.yaml", loader=loader)
    assert plain(node) == {"key": value}


@pytest.mark.parametrize("loader", LOADERS)
def test_places(loader: type) -> None:
    text = "a: 1\nlist:\n  - x\n  - {deep: 'y z'}\nblock:\n  key:  value  # why\n"
    root = read_document(text, "r.yaml", loader=loader)
    assert place(root, ("a",)) == (1, 4)
    assert place(root, ("list",)) == (2, 1), "a list is found at its key"
    assert place(root, ("list", 1, "deep")) == (4, 12)
    assert place(root, ("block", "key")) == (6, 9)
    assert place(root, ("block", "absent", "deeper")) == (5, 1), "the nearest thing above"
    assert place(root, ("list", 9)) == (2, 1)
    by_text = {scalar.text: scalar for scalar in scalars(root)}
    quoted, bare = by_text["y z"], by_text["value"]
    assert (quoted.line, quoted.column, quoted.end_line, quoted.end_column) == (4, 12, 4, 17)
    assert (bare.line, bare.column, bare.end_line, bare.end_column) == (6, 9, 6, 14)
    assert (quoted.style, bare.style) == ("'", "")


@pytest.mark.parametrize(
    ("path", "spelled"),
    [
        pytest.param((), "", id="empty"),
        pytest.param(("rules", 2, "from"), "rules[2].from", id="usual"),
        pytest.param(("teams", "acme/staff"), "teams.acme/staff", id="team"),
        pytest.param(("people", "a b\x1b[31m"), 'people."a b\\u001b[31m"', id="hostile-key"),
    ],
)
def test_spell(path: tuple[str | int, ...], spelled: str) -> None:
    assert spell(path) == spelled


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["line 1: the file is empty"], id="empty"),
        pytest.param("# only a comment\n", ["line 1: the file is empty"], id="empty-comment"),
        pytest.param("---\n...\n", ["line 1: the file is empty"], id="empty-document"),
        pytest.param("~\n", ["line 1: the file is empty"], id="empty-null"),
        pytest.param(b"\xef\xbb\xbfa: 1\n", ["line 1: a byte order mark"], id="bom"),
        pytest.param("a: 1\n".encode("utf-16"), ["line 1: the file is not UTF-8"], id="utf-16"),
        pytest.param(b"a: 1\nb: \xff\n", ["line 2: the file is not UTF-8"], id="not-utf-8"),
        pytest.param("a: \ud800\n", ["line 1: the file is not UTF-8"], id="surrogate"),
        pytest.param("a: b\x00c\n", ["line 1: the invisible character U+0000"], id="nul"),
        pytest.param("a:\n\t- b\n", ["line 2: a tab (use spaces)"], id="tab"),
        pytest.param("a: b\t# c\n", ["line 1: a tab (use spaces)"], id="tab-before-comment"),
        pytest.param("a: b\rc: d\n", ["line 1: a carriage return"], id="lone-carriage-return"),
        pytest.param("# a\u2028b: 1\n", ["line 1: the invisible character U+2028"], id="ls"),
        pytest.param("# a\u0085b: 1\n", ["line 1: the invisible character U+0085"], id="nel"),
        pytest.param("a: b # \u202ecba\n", ["line 1: the invisible character U+202E"], id="bidi"),
        pytest.param("a\u200b: 1\n", ["line 1: the invisible character U+200B"], id="zero-width"),
        pytest.param("a: &x 1\nb: *x\n", ["the anchor &x", "the alias *x"], id="alias"),
        pytest.param("a: *x\n", ["line 1: the alias *x"], id="alias-of-nothing"),
        pytest.param("<<: {a: 1}\n", ["line 1: the merge key <<"], id="merge-key"),
        pytest.param("a: !!python/name:os.system ''\n", ["line 1: the tag"], id="python-tag"),
        pytest.param("a: !!str 1\n", ["line 1: the tag"], id="harmless-tag"),
        pytest.param("a: ! b\n", ["line 1: the tag"], id="bare-tag"),
        pytest.param("!!map {a: 1}\n", ["line 1: the tag"], id="tag-on-the-root"),
        pytest.param("a: 1\na: 2\n", ['line 2: the key "a" a second time'], id="key-twice"),
        pytest.param("a: 1\n'a': 2\n", ['line 2: the key "a" a second time'], id="key-quoted"),
        pytest.param("{a: 1, a: 2}\n", ['line 1: the key "a" a second time'], id="key-in-braces"),
        pytest.param("? [a]\n: 1\n", ["line 1: a list or mapping as a key"], id="list-key"),
        pytest.param("? \n: 1\n", ["line 1: an empty key"], id="empty-key"),
        pytest.param("a: 1\n---\nb: 2\n", ["line 2: a second document"], id="documents"),
        pytest.param("a: [\n", ["line 2: not valid YAML"], id="not-closed"),
        pytest.param('a: "\\UFFFFFFFF"\n', ["line 1: not valid YAML"], id="impossible-escape"),
        pytest.param("%YAML 9.9\n---\na: 1\n", ["not valid YAML"], id="yaml-of-the-future"),
        pytest.param("a: @b\n", ["line 1: not valid YAML"], id="reserved-sign"),
        pytest.param(
            "x" * (MAX_SCALAR + 1), ["line 1: a text of 2,001 characters"], id="long-text"
        ),
    ],
)
def test_refused(text: str | bytes, expected: list[str], loader: type) -> None:
    found = problems(text, loader)
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert part in problem


def test_every_problem_is_reported() -> None:
    found = problems("a: &x 1\nb: *x\nc: !t 2\na: 3\n<<: {}\n")
    assert [problem.split(":")[0] for problem in found] == [
        "line 1",
        "line 2",
        "line 3",
        "line 4",
        "line 5",
    ]


def test_columns_are_those_of_an_editor() -> None:
    with pytest.raises(RosterError) as caught:
        read_document("a:\n  kräftig: \t\n", "r.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 12)


def test_a_bad_byte_is_found_where_it_stands() -> None:
    with pytest.raises(RosterError) as caught:
        read_document("a: 1\nkräftig: ".encode() + b"\xff", "r.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 10)


# --- bounds ---------------------------------------------------------------------------------------


def test_too_large() -> None:
    assert problems(b"#" * (MAX_BYTES + 1))[0].startswith("line 1: the file has 262,145 bytes")
    assert plain(read_document(b"a: 1\n" + b"#" * (MAX_BYTES - 5), "r.yaml")) == {"a": 1}


def test_size_is_counted_in_bytes() -> None:
    assert "bytes" in problems("#" + "ä" * (MAX_BYTES // 2))[0]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        pytest.param("[", "]", id="lists"),
        pytest.param("{a: ", "}", id="mappings"),
        pytest.param("- ", "", id="indented-lists"),
    ],
)
def test_too_deep(opening: str, closing: str, loader: type) -> None:
    allowed = opening * (MAX_DEPTH - 1) + "x" + closing * (MAX_DEPTH - 1)
    assert isinstance(read(allowed, loader), Mapping | Sequence)
    (problem,) = problems(opening * MAX_DEPTH + "x" + closing * MAX_DEPTH, loader)
    assert "nesting deeper than 12 levels" in problem


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * MAX_BYTES, id="brackets"),
        pytest.param("{a: " * (MAX_BYTES // 4), id="braces"),
        pytest.param("- " * (MAX_BYTES // 2), id="dashes"),
        pytest.param("? " * (MAX_BYTES // 2), id="question-marks"),
        pytest.param("a: [" + "x," * (MAX_BYTES // 2 - 4) + "]", id="many-values"),
        pytest.param("&a " * (MAX_BYTES // 3), id="anchors"),
        pytest.param('"' + "x" * (MAX_BYTES - 2) + '"', id="one-text"),
        pytest.param("x " * (MAX_BYTES // 2), id="one-plain-text"),
        pytest.param("a:\n" * (MAX_BYTES // 3), id="same-key"),
        pytest.param("\t" * MAX_BYTES, id="tabs"),
        pytest.param("[*a," * (MAX_BYTES // 4), id="aliases"),
        pytest.param("!a " * (MAX_BYTES // 3), id="tags"),
        pytest.param("'" * MAX_BYTES, id="quotes"),
    ],
)
def test_a_full_file_of_anything_is_refused_in_little_memory(text: str) -> None:
    tracemalloc.start()
    try:
        found = problems(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 1 <= len(found) <= MAX_PROBLEMS + 1
    assert peak < 64 * 1024 * 1024


def test_number_of_values_is_bounded() -> None:
    text = "[" + "1," * MAX_NODES + "]"
    assert "more than 50,000 values" in problems(text)[0]


def test_problems_quote_one_short_harmless_line() -> None:
    text = '? "\\e[31m' + "x" * 300 + '"\n: 1\n? "\\e[31m' + "x" * 300 + '"\n: 2\n'
    (problem,) = problems(text)
    assert problem.isprintable()
    assert len(problem) < 250


# --- any input ------------------------------------------------------------------------------------

YAML_PIECES = st.sampled_from(
    [
        *("a", "b: ", "\n", "  ", "- ", "? ", ": ", "[", "]", "{", "}", ", ", "&x ", "*x", "!t "),
        *("'", '"', "|\n", ">-\n", "# c\n", "---\n", "...\n", "%YAML 1.1\n", "<<: ", "1", "true"),
        *("\\", "\t", "\r", "\u2028", "ä", "🦊", "~", "@", "`", "\\x41", "\\UFFFFFFFF"),
    ]
)


@pytest.mark.parametrize("loader", LOADERS)
@given(text=st.lists(YAML_PIECES, max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(loader: type, text: str) -> None:
    found = read(text, loader)
    if not isinstance(found, RosterError):
        return
    assert found.problems
    last = text.count("\n") + 2
    assert all(1 <= problem.line <= last for problem in found.problems)
    assert all(str(problem).isprintable() for problem in found.problems)


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert isinstance(read(raw), Scalar | Sequence | Mapping | RosterError)


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML has no libyaml here")
@given(
    data=st.recursive(
        st.text("abc: -#", max_size=6) | st.integers(-999, 999) | st.booleans() | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=12,
    ).filter(lambda data: data is not None)
)
def test_both_parsers_read_the_same(data: object) -> None:
    text = yaml.safe_dump(data)
    by_python = read_document(text, "r.yaml", loader=yaml.SafeLoader)
    assert plain(by_python) == plain(read_document(text, "r.yaml", loader=yaml.CSafeLoader))
