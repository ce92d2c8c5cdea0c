"""Foreign text made safe to compare (:func:`normalise`) and safe to show (:func:`excerpt`).

Nothing here escapes for a medium: Markdown, HTML and terminals have rules of their own.
"""

import re
import unicodedata
from functools import lru_cache

# Every character of the category Cf, and those that draw nothing though they are letters or marks.
_INVISIBLE = re.compile(
    "["
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]++"
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e]")
_WIDE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_NOT_ASCII = re.compile("[^\x00-\x7f]++")
_SHORT = 16  # runs of characters that are worth keeping: dashes, quotes, pictures

# unicodedata sorts a run of combining marks by insertion, which takes time by the square of the
# run: a long text is normalised in pieces so that no run is long.
_PIECE = 128

_WHOLE_PHRASE = "\ufdfa"  # one character that NFKC makes eighteen of

# Letters of other scripts that cannot be told from Latin ones by eye.
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοаɡⅼ",  # noqa: RUF001
    "ABESIJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXoagl",
)
_OTHER_SCRIPTS = re.compile("[Ͱ-ԯɡⅼ]")


def normalise(text: str) -> str:
    """``text`` as it is compared: one form for what looks the same, and nothing invisible.

    Each run of characters outside ASCII becomes NFKC, look-alikes of Latin letters become Latin,
    and every line ends in ``\\n``.

    Takes time in proportion to the length of ``text``, whatever it holds. Case is kept.
    Source: Unicode Standard Annex 15; the line ends are those of ``str.splitlines``.
    """
    if not text.isascii():
        text = _NOT_ASCII.sub(_simplified, text)
    if "\r" in text or "\x0b" in text or "\x0c" in text or _has_separators(text):
        return _LINE_ENDS.sub("\n", text)
    return text


def _simplified(run: re.Match[str]) -> str:
    found = run[0]
    return _simplify_short(found) if len(found) <= _SHORT else _simplify(found)


@lru_cache(maxsize=4096)
def _simplify_short(run: str) -> str:
    return _simplify(run)


def _simplify(run: str) -> str:
    run = _INVISIBLE.sub("", _compose(run.replace(_WHOLE_PHRASE, " ")))
    if _OTHER_SCRIPTS.search(run):
        run = run.translate(_LOOKALIKES)
    return _WIDE_LINE_ENDS.sub("\n", run)


def _has_separators(text: str) -> bool:
    return "\x1c" in text or "\x1d" in text or "\x1e" in text


def excerpt(text: str, limit: int = 200) -> str:
    """One line of at most ``limit`` characters, with what the eye cannot see spelled out.

    Control, format, surrogate and private characters become ``\\u200b`` or ``\\U000e0041``; runs
    of white space become one space. The result is printable, and it is still foreign text.
    """
    shown = " ".join(text[: 4 * limit].split())
    if not shown.isprintable() or (not shown.isascii() and _INVISIBLE.search(shown)):
        shown = "".join(_visible(character) for character in shown)
    return shown if len(shown) <= limit and len(text) <= 4 * limit else shown[: limit - 1] + "…"


def _compose(text: str) -> str:
    if len(text) <= _PIECE:
        return unicodedata.normalize("NFKC", text)
    starts = range(0, len(text), _PIECE)
    return "".join(unicodedata.normalize("NFKC", text[at : at + _PIECE]) for at in starts)


def _visible(character: str) -> str:
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
