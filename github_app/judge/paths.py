"""What else a path may be: on another file system, and to the eye of a reader.

Two names that differ for git can be one file where case, Unicode forms or trailing dots do not
count, and letters of two alphabets can look the same. A rule must hold for all of them.
"""

import re
import unicodedata

# Beyond this a name is what it seems. A colon and a backslash mean something to Windows.
_UNUSUAL = re.compile(r"[^ -~]|[\\:]|[ .](?:/|\Z)")
_UNKNOWN = "\ufffd"  # what stands for bytes that are not UTF-8: nobody knows the name
# Letters that look like one of ASCII, after folding case. Source: Unicode's confusables.txt, those
# of living alphabets that need no imagination.
_TWINS = str.maketrans(
    "аԁеһіјԛорсԝхуѕкмнтвгпзьӏ"  # Cyrillic
    "αιοκνρτυχωγη"  # Greek
    "ոսօցհ"  # noqa: RUF001 - Armenian
    "ıɑɡɩʏ",  # noqa: RUF001 - Latin
    "adehijqopcwxyskmhtbrn3blaiokvptuxwynnuoghiagiy",
)
# Shown as nothing, though they are letters or marks: fillers and joiners.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_LEFT_OUT = frozenset({"Mn", "Me", "Cf", "Cc"})


def seeming(path: str) -> str:
    """The plain lower-case path that ``path`` could be taken for, by a file system or a reader.

    Linear in its length; the same again for what it returns.
    """
    if not _UNUSUAL.search(path):
        return path.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", path).casefold())
    shown = "".join(
        character
        for character in folded
        if unicodedata.category(character) not in _LEFT_OUT and character not in _INVISIBLE
    )
    parts = shown.translate(_TWINS).replace("\\", "/").split("/")
    return "/".join(_on_windows(part) for part in parts)


def _on_windows(part: str) -> str:
    """Without the stream behind a colon, and without dots and spaces at the end."""
    name = part.partition(":")[0].rstrip(" .")
    return name or part


def is_unknown(path: str) -> bool:
    """Whether GitHub could not show the name: it is not UTF-8."""
    return _UNKNOWN in path
