"""Which branches people release from, by the names that are usual."""

import re

# What is in the middle of a name is not meant, nor names of topic branches: release-please--main.
_RELEASE = re.compile(r"(?:releases?|stable)/.+|(?:release|stable)-v?[0-9].*", re.DOTALL)
# Words that each of those names begins with: what GitHub can be asked for.
BEGINNINGS = ("release", "stable")
# For each kind of name the pattern that holds it in a ruleset, where ``*`` stops at a slash.
_PATTERNS = {
    "release/": "release/**/*",
    "releases/": "releases/**/*",
    "stable/": "stable/**/*",
}
_FLAT = {"release-": "release-*", "stable-": "stable-*"}
# With a slash further on. Narrow, so that topic branches such as release-notes/typo stay free.
_DEEP = {
    "release-v": "release-v[0-9]*/**/*",
    "release-": "release-[0-9]*/**/*",
    "stable-v": "stable-v[0-9]*/**/*",
    "stable-": "stable-[0-9]*/**/*",
}


def is_release(name: str) -> bool:
    """Whether a branch is one that is released from, by its name (without ``refs/heads/``)."""
    return _RELEASE.fullmatch(name) is not None


def pattern_for(name: str) -> str:
    """The pattern of a ruleset that holds such a branch; its own name for any other."""
    patterns = _PATTERNS | (_DEEP if "/" in name else _FLAT)
    found = [held for begins, held in patterns.items() if name.startswith(begins)]
    return found[0] if found else name
