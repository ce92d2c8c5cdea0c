"""The names of products and models, and what may stand behind one without being part of a name."""

import re
from collections import defaultdict
from collections.abc import Iterable

from github_app.judge.catalogue import Catalogue, Mark, MarkKind, Namesake
from github_app.judge.signals import Confidence

WORD = re.compile(r"[a-z0-9]++")
_VERSION = re.compile(r"v?[0-9][a-z0-9]{0,8}|[kmro][0-9]{1,2}")


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as a sentence."""
    return frozenset(text.split())


# Words that may follow a product's name without making it part of a person's name.
_AFTER_A_NAME = word_set(
    "ai cli code agent agents assistant bot app chat model llm mode auto max pro mini ultra plus "
    "web ide sdk desktop cloud high low medium fast opus sonnet haiku fable turbo thinking preview "
    "beta latest assisted for to on in at as the via from and or with session coding autonomous "
    "background reviewer subagent architect editor ask plan build default composer tab pair "
    "programmer"
)


class Products:
    """The names of a catalogue's products and models, to be found by their words."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._names = _by_first_word(catalogue.marks(MarkKind.NAME))
        self.families = {
            word: family.tool for family in catalogue.generic.models for word in family.words
        }
        self.model = _model_pattern(self.families)

    def called(self, name: str) -> Mark | None:
        """The product whose name this is, but for a version, a model or brackets after it."""
        name = name.rpartition(" via ")[2]  # "MODEL via TOOL"
        words = tuple(WORD.findall(name.removesuffix("[bot]")))
        found = self.longest(words)
        if not found:
            return self._model_mark(name)
        mark, length = found
        rest = words[length:]
        if all(self.may_follow(word) for word in rest):
            return mark
        return self._model_mark(name)

    def _model_mark(self, name: str) -> Mark | None:
        model = self.model.search(name)
        if not model:
            return None
        tool = self.families[model["family"]]
        return Mark(kind=MarkKind.NAME, text=name, tool=tool, sure=Confidence.LIKELY)

    def longest(self, words: tuple[str, ...]) -> tuple[Mark, int] | None:
        """The longest product name that ``words`` begin with."""
        for name, mark in self._names.get(words[0], ()) if words else ():
            if words[: len(name)] == name:
                return mark, len(name)
        return None

    def may_follow(self, word: str) -> bool:
        """Whether a product's name is still itself with this word behind it."""
        return (
            word in _AFTER_A_NAME or word in self.families or _VERSION.fullmatch(word) is not None
        )


def _by_first_word(marks: Iterable[Mark]) -> dict[str, tuple[tuple[tuple[str, ...], Mark], ...]]:
    found: defaultdict[str, list[tuple[tuple[str, ...], Mark]]] = defaultdict(list)
    for mark in marks:
        words = tuple(WORD.findall(mark.text))
        if words:
            found[words[0]].append((words, mark))
    return {
        first: tuple(sorted(names, key=lambda name: (-len(name[0]), *_doubt(name[1]))))
        for first, names in found.items()
    }


def _doubt(mark: Mark) -> tuple[bool, int]:
    """Of two marks with one name the surer one comes first."""
    return mark.namesake is not Namesake.NOTHING, -mark.sure.rank


def _model_pattern(families: Iterable[str]) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, families), key=len, reverse=True))
    variants = "code|coder|pro|flash|chat|opus|sonnet|haiku|large|medium|small|max|turbo|next|oss"
    return re.compile(
        rf"(?<![a-z0-9])(?P<family>{words})[ ._:-]?(?:(?:{variants})[ ._-]?)?"
        rf"(?:[vkmrgo]?[0-9]|(?<=[ ._:-])(?:code|coder|cli)(?![a-z]))"
    )
