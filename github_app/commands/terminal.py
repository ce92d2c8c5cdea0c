"""Text that others wrote, made harmless for a terminal."""

import unicodedata

# Control, format (bidi, zero width), surrogate, private use, unassigned, line and paragraph ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: object) -> str:
    """One line in which nothing moves the cursor, hides, or reorders: escapes are spelled out."""
    return "".join(
        character
        if unicodedata.category(character) not in _UNSAFE
        else character.encode("unicode_escape", "backslashreplace").decode()
        for character in str(text)
    )
