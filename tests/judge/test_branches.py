"""Which branches are released from, by their names, and which only look like it."""

import pytest

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
]


@pytest.mark.parametrize("name", RELEASES)
def test_is_released_from(name: str) -> None:
    assert is_release(name)
    assert name.startswith(BEGINNINGS), "else GitHub is not asked for it"
    assert matches(pattern_for(name), name), "else protect does not hold it"


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
