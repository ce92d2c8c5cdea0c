"""The trailers of a commit message, by the grammar of git itself.

Written after the behaviour of ``git interpret-trailers --parse`` (git 2.39, default settings),
and tested against it. Marks that git would not call a trailer are found by ``detection.py``.
"""

import re
from dataclasses import dataclass

from github_app.judge.facts import GitIdentity
from github_app.judge.text import normalise

_SPACE = " \t\n\r"  # what git calls white space
_KEY = re.compile(r"[A-Za-z0-9-]++[ \t]*+:")
_MADE_BY_GIT = ("Signed-off-by: ", "(cherry picked from commit ")
_SCISSORS = "# ------------------------ >8 ------------------------\n"
_CO_AUTHOR = re.compile(r"(?i)\bco-?authored?(?:[- ]by)?[ \t]*+:[ \t]*+\n?[ \t]*+")
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'=-]++(?:\[bot\])?@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)*+")
_LONGEST = 400  # characters of one line that are read
_UNFOLD = re.compile(r"\n[ \t\n\r]*+")


@dataclass(frozen=True, slots=True)
class Trailer:
    """``key: value``, unfolded and trimmed. The key keeps its case; git compares it without."""

    key: str
    value: str


def parse(message: str) -> tuple[Trailer, ...]:
    """The trailers git finds in ``message``, in order, repeated keys included.

    Raises nothing. Takes time in proportion to the length of the message.
    Source: ``git help interpret-trailers``, and ``trailer.c``.
    """
    lines = _lines(message)
    first = _first_line_of_block(lines)
    found: list[str] = []
    folding = False
    for line in lines[first:]:
        if folding and line[:1] in _SPACE:
            found[-1] += line
            continue
        folding = _is_trailer(line)
        if folding:
            found.append(line)
    return tuple(_trailer(text) for text in found)


def _lines(message: str) -> list[str]:
    """Every line with its end, up to where a patch, scissors or trailing comments begin."""
    text = message.partition("\0")[0]  # a C string
    lines = [line + "\n" for line in text.split("\n")]
    if lines and lines[-1] == "\n":
        lines.pop()
    for number, line in enumerate(lines):
        if line.startswith("---") and line[3] in _SPACE:
            del lines[number:]
            break
    return lines[: _end_of_text(lines)]


def _end_of_text(lines: list[str]) -> int:
    """The number of lines before the comments, blank lines and ``Conflicts:`` at the end."""
    cut = next((n for n, line in enumerate(lines) if line == _SCISSORS), len(lines))
    ignored_from = 0
    in_conflicts = False
    for number in range(cut):
        line = lines[number]
        if line[0] in "#\n":
            ignored_from = ignored_from or number
        elif line == "Conflicts:\n":
            in_conflicts = True
            ignored_from = ignored_from or number
        elif in_conflicts and line[0] == "\t":
            pass
        elif ignored_from:
            ignored_from, in_conflicts = 0, False
    return ignored_from or cut


def _first_line_of_block(lines: list[str]) -> int:
    """Where the last paragraph begins, if git takes it for trailers, else ``len(lines)``.

    A paragraph is taken if every line is a trailer, or if one line is of git's own making and at
    least a quarter of them are trailers. The first paragraph is the title and never taken.
    """
    title_ends = next(
        (n for n, line in enumerate(lines) if line[0] != "#" and not line.strip(_SPACE)), len(lines)
    )
    trailers = others = folded = 0
    made_by_git = False
    seen_text = False
    for number in range(len(lines) - 1, title_ends - 1, -1):
        line = lines[number]
        if line[0] == "#":
            others, folded = others + folded, 0
        elif not line.strip(_SPACE):
            if not seen_text:
                continue
            others += folded
            enough = trailers * 3 >= others if made_by_git else trailers and not others
            return number + 1 if enough else len(lines)
        else:
            seen_text = True
            if line.startswith(_MADE_BY_GIT):
                made_by_git = True
                trailers, folded = trailers + 1, 0
            elif _is_trailer(line):
                trailers, folded = trailers + 1, 0
            elif line[0] in _SPACE:
                folded += 1
            else:
                others, folded = others + 1 + folded, 0
    return len(lines)


def _is_trailer(line: str) -> bool:
    return _KEY.match(line) is not None


def _trailer(text: str) -> Trailer:
    key, _, value = text.partition(":")
    return Trailer(key.strip(_SPACE), _UNFOLD.sub(" ", value.strip(_SPACE)))


def co_authors(message: str) -> tuple[GitIdentity, ...]:
    """Everybody a co-author line names, wherever it stands in the message, each once.

    More is found than git or GitHub would: odd case, quotation, several lines on one. Being named
    can only take the right to sign off away, so doubt counts. An e-mail alone makes an identity.
    """
    found: dict[GitIdentity, None] = {}
    text = normalise(message)
    for line in _CO_AUTHOR.finditer(text):
        value, _, after = text[line.end() : line.end() + _LONGEST].partition("\n")
        if after[:1] in (" ", "\t"):
            value += after.partition("\n")[0]
        value = _CO_AUTHOR.split(value)[0].replace("&lt;", "<").replace("&gt;", ">")
        address = _ADDRESS.search(value)
        if address:
            name = value[: address.start()].strip(" \t<([\"'`*,;")
            found[GitIdentity(name=name, email=address[0])] = None
    return tuple(found)
