"""Patterns: what they cover, what is refused, and that git reads them the same way."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import SupportsIndex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_app.judge.globs import (
    Glob,
    GlobIndex,
    PatternError,
    compile_glob,
    split_folded,
)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("infra/**", "infra/main.tf", id="below"),
        pytest.param("infra/**", "infra/eu/west/main.tf", id="far-below"),
        pytest.param("infra/**", "infra", id="a-link-or-submodule-in-its-place"),
        pytest.param("infra/", "infra", id="slash-at-the-end-file-of-that-name"),
        pytest.param("infra/", "live/infra/a", id="slash-at-the-end-at-any-depth"),
        pytest.param("infra", "live/infra/a", id="bare-name-at-any-depth"),
        pytest.param("/infra", "infra/a", id="slash-at-the-start"),
        pytest.param("live/infra", "live/infra/a/b", id="slash-inside-starts-at-the-top"),
        pytest.param("**/*.tf", "main.tf", id="two-stars-at-the-top"),
        pytest.param("**/*.tf", "a/b/main.tf", id="two-stars-deep"),
        pytest.param("*.tf", "a/b/main.tf", id="bare-star-at-any-depth"),
        pytest.param("a/**/b", "a/b", id="two-stars-for-nothing"),
        pytest.param("a/**/b", "a/x/y/b", id="two-stars-for-several"),
        pytest.param("a/**/b/**/c", "a/b/x/b/y/c", id="two-stars-twice"),
        pytest.param("**", "anything/at all", id="everything"),
        pytest.param("INFRA/**", "infra/a", id="case-of-the-pattern"),
        pytest.param("infra/**", "InFrA/a", id="case-of-the-path"),
        pytest.param("straße/", "STRASSE/x", id="case-of-other-alphabets"),
        pytest.param("strasse/", "Straße/x", id="one-letter-for-two"),
        pytest.param("a" * 300, "a" * 300, id="as-long-as-allowed"),
        pytest.param("?.sql", "ß.sql", id="one-character-that-folds-to-two"),
        pytest.param("?ß.sql", "ßß.sql", id="both-kinds-of-folding"),
        pytest.param("caf\u00e9/", "cafe\u0301/menu", id="accent-composed-or-not"),
        pytest.param("İ.txt", "i.txt", id="dotted-capital-i"),
        pytest.param("[a-c]x", "Bx", id="class"),
        pytest.param("[A-C]x", "bx", id="class-in-capitals"),
        pytest.param("[!a]x", "bx", id="class-negated"),
        pytest.param("[^a]x", "bx", id="class-negated-by-caret"),
        pytest.param("[]a]x", "]x", id="class-with-bracket"),
        pytest.param("[a-]x", "-x", id="class-with-hyphen"),
        pytest.param("[\\]]x", "]x", id="class-with-escape"),
        pytest.param("\\*.md", "*.md", id="escaped-star"),
        pytest.param("\\**", "*x", id="escaped-star-then-star"),
        pytest.param("[**]", "*", id="stars-in-a-class"),
        pytest.param("\\!x", "!x", id="escaped-exclamation-mark"),
        pytest.param("#x", "#x", id="hash"),
        pytest.param("*a*b*", "xxaxxbxx", id="stars"),
        pytest.param("a*a", "aa", id="star-for-nothing"),
        pytest.param("a b/*", "a b/\n", id="any-character-in-a-path"),
    ],
)
def test_matches(pattern: str, path: str) -> None:
    assert compile_glob(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        pytest.param("infra/**", "live/infra/a", id="slash-inside-not-deeper"),
        pytest.param("infra/**", "infrared/a", id="name-that-begins-alike"),
        pytest.param("/infra", "live/infra", id="slash-at-the-start-not-deeper"),
        pytest.param("*.tf", "main.tfx", id="suffix-that-begins-alike"),
        pytest.param("a/*/b", "a/x/y/b", id="star-stops-at-a-slash"),
        pytest.param("a?b", "a/b", id="question-mark-is-no-slash"),
        pytest.param("a[!x]b", "a/b", id="class-is-no-slash"),
        pytest.param("a/**/b", "ab", id="two-stars-need-their-slashes"),
        pytest.param("a*a", "a", id="one-character-is-not-two"),
        pytest.param("[!a]x", "Ax", id="negated-class-knows-no-case"),
        pytest.param("ab", "a", id="longer-than-the-path"),
        pytest.param("a/b", "a", id="deeper-than-the-path"),
        pytest.param("*ab*ba*", "aba", id="runs-do-not-overlap"),
        pytest.param("?", "", id="empty-path"),
    ],
)
def test_does_not_match(pattern: str, path: str) -> None:
    assert not compile_glob(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "branch", "covered"),
    [
        pytest.param("main", "main", True, id="the-branch"),
        pytest.param("main", "feature/main", False, id="not-deeper"),
        pytest.param("main", "maintenance", False, id="not-longer"),
        pytest.param("release/*", "release/1.2", True, id="star"),
        pytest.param("release/*", "release/1.2/hotfix", True, id="below"),
        pytest.param("release/*", "old/release/1.2", False, id="not-elsewhere"),
    ],
)
def test_anchored(pattern: str, branch: str, covered: bool) -> None:
    assert compile_glob(pattern, anchored=True).matches(branch) is covered


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param("", "an empty pattern", id="empty"),
        pytest.param("/", "a slash with nothing beside it", id="empty-slash"),
        pytest.param("a//b", "a slash with nothing beside it", id="empty-part"),
        pytest.param("//a", "a slash with nothing beside it", id="empty-first-part"),
        pytest.param("!a", "a pattern that excludes: rules may only tighten", id="excludes"),
        pytest.param(" a", "a pattern with white space around it", id="space"),
        pytest.param("./a", "a pattern with . or .. in it", id="dot"),
        pytest.param("a/../b", "a pattern with . or .. in it", id="dot-dot"),
        pytest.param("**.tf", "two stars beside something else", id="stars-before-a-name"),
        pytest.param("a**/b", "two stars beside something else", id="stars-after-a-name"),
        pytest.param("***", "two stars beside something else", id="three-stars"),
        pytest.param("a[b", "a [ without its ]", id="open-class"),
        pytest.param("[a/b]", "a [ without its ]", id="slash-in-a-class"),
        pytest.param("[]", "a [ without its ]", id="empty-class"),
        pytest.param("[[:alpha:]]", "a named class such as [:alpha:]", id="named-class"),
        pytest.param("[z-a]", "a range that runs backwards", id="backwards"),
        pytest.param("a\\", "a backslash with nothing after it", id="backslash"),
        pytest.param("a\\/b", "a backslash with nothing after it", id="backslash-before-slash"),
        pytest.param("a" * 301, "a pattern of 301 characters", id="long"),
    ],
)
def test_refused(pattern: str, found: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_glob(pattern)
    assert caught.value.found == found
    assert caught.value.fix


# --- against git ----------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "ab", "A", "aB", "x.tf", "infra", "a-b", "ba"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(
    ["a", "b", "B", "*", "?", "ab", "[ab]", "[!a]", "[a-c]", "[A-C]", "[^b-z]", ".tf", "\\a"]
)
PARTS = st.just("**") | st.lists(PIECES, min_size=1, max_size=3).map("".join).filter(
    lambda part: "**" not in part
)
PATTERNS = st.builds(
    lambda head, parts, tail: head + "/".join(parts) + tail,
    st.sampled_from(["", "/"]),
    st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "", "/", "/**"]),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    path = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "--quiet", path], check=True, env=plain_git())
    return path


def plain_git() -> dict[str, str]:
    return {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def ignored(repository: Path, pattern: str, paths: list[str]) -> set[str]:
    """The paths git ignores by the pattern, where what it says of directories holds for files."""
    lines = [pattern.rstrip("/")]
    while (above := re.sub(r"/\*\*$", "", lines[-1])) not in ("", lines[-1]):
        lines.append("/" + above.lstrip("/"))
    (repository / ".git" / "info" / "exclude").write_text("\n".join(lines))
    asked = subprocess.run(
        ["git", "-c", "core.ignorecase=true", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=repository,
        env=plain_git(),
        input="\0".join(paths).encode(),
        capture_output=True,
        check=False,
    )
    assert asked.returncode in (0, 1), asked.stderr
    return set(asked.stdout.decode().split("\0")) - {""}


@settings(deadline=None)
@given(pattern=PATTERNS, paths=st.lists(PATHS, min_size=1, max_size=30, unique=True))
def test_as_git_reads_it(repository: Path, pattern: str, paths: list[str]) -> None:
    glob = compile_glob(pattern)
    assert {path for path in paths if glob.matches(path)} == ignored(repository, pattern, paths)


# --- many at once ---------------------------------------------------------------------------------


@given(
    patterns=st.lists(PATTERNS, max_size=20),
    paths=st.lists(PATHS | st.text(max_size=8), max_size=20),
)
def test_index_agrees_with_each_pattern(patterns: list[str], paths: list[str]) -> None:
    globs = [compile_glob(pattern) for pattern in patterns]
    one_by_one = {
        number for number, glob in enumerate(globs) if any(glob.matches(path) for path in paths)
    }
    assert GlobIndex(enumerate(globs)).owners(paths) == one_by_one


@given(pattern=st.text(max_size=40), path=st.text(max_size=40))
def test_any_text_is_a_pattern_or_refused(pattern: str, path: str) -> None:
    try:
        glob = compile_glob(pattern)
    except PatternError:
        return
    assert isinstance(glob.matches(path), bool)


@given(path=st.text(min_size=1, max_size=60))
def test_a_path_matches_itself_written_as_a_pattern(path: str) -> None:
    escaped = "".join("\\" + c if c in "*?[\\!" else c for c in path)
    try:
        glob = compile_glob("/" + escaped)
    except PatternError:
        return
    assert glob.matches(path.strip("/"))


class CountingText(str):
    """Counts how often somebody takes a piece of it."""

    looks = 0

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        self.looks += 1
        return super().__getitem__(key)


def test_work_grows_with_the_length_not_with_the_stars() -> None:
    """Twenty stars before a letter that never comes: a matcher that goes back needs ages."""
    glob = compile_glob("*[ab]" * 20 + "*[c]*a")

    def looks(length: int) -> int:
        component = glob.forms[0].groups[0][0]
        text = CountingText("a" * length)
        assert not component.matches(text)
        return text.looks

    assert 3_900 <= looks(4_000) <= 2 * looks(2_000) + 100


def test_folding_of_plain_names_is_done_once() -> None:
    assert split_folded("Infra/Main.TF") == [["infra", "main.tf"]]
    assert isinstance(compile_glob("a"), Glob)
