"""Whom does a text credit: the value of a trailer, the end of a footer, a few words?

A tool or a model by any form of its name, and nobody where only people are named.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from github_app.judge.catalogue import UNKNOWN_TOOL, Catalogue, Namesake
from github_app.judge.identity import LONGEST, REMEMBERED, Named, Names, Role
from github_app.judge.product_names import WORD, word_set
from github_app.judge.signals import Confidence

_LIKELY, _WEAK = Confidence.LIKELY, Confidence.WEAK

_ADDRESS = re.compile(r"[a-z0-9._%+'=\[\]-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)*+")
_LINK = re.compile(r"https?://[^\s>)\]]++")
_SEGMENTS = re.compile(
    r"[,;+&|()\[\]<>*_`\"“”/]| via | and | with | using | plus | by |(?<=\s)-(?=\s)| [–—·] "  # noqa: RUF001
)
_KERNEL_FORM = re.compile(r"([a-z][a-z0-9_.+-]{0,40}):([a-z0-9][a-z0-9._/:@+-]{0,80})")

_FILLERS = word_set("the a an my our with by using via help of from assistance")
# Words that mean AI where somebody is credited: first in the credit, or last in it.
_AI_FIRST = word_set("ai llm llms genai gpt chatbot chatbots aigc aigenerated")
_AI_LAST = word_set("ai agent agents llm llms subagent copilot gpt chatbot")
_AI_PHRASES = frozenset(
    tuple(phrase.split("_"))
    for phrase in word_set(
        "coding_agent code_agent coding_assistant language_model large_language generative_ai "
        "gen_ai autonomous_agent multiple_ais various_llms local_llm my_agent"
    )
)
_AI_HELP = _AI_LAST | word_set("assistance help support tool tools model models")
# After "AI" or "GPT": a topic, not somebody to credit.
_NOT_A_TOOL = word_set(
    "style based like powered driven friendly ready search features sdk api apis"
)


@dataclass(frozen=True, slots=True)
class _Credit:
    named: Named
    is_model: bool = False


class Credits:
    """Reads credits with a catalogue's names. Raises nothing on any text."""

    def __init__(self, catalogue: Catalogue, names: Names) -> None:
        self._names = names
        self._products = names.products
        self._automation_words = catalogue.generic.automation_words
        self._credited = lru_cache(REMEMBERED)(self._credits)
        self._opened = lru_cache(REMEMBERED)(self._opening)

    def credit(self, value: str, *, strict: bool = False) -> tuple[Named, ...]:
        """The tools a trailer's value names, none if it names people.

        ``strict``: every word of the value must belong to a name, as in ``Model: GPT-5``.
        """
        return self._credited(value[: 2 * LONGEST], strict)

    def only(self, text: str) -> Named | None:
        """The tool or model that ``text`` names, if there is not a word more in it."""
        credit = self._segment(text.lower(), strict=True)
        return credit.named if credit else None

    def opening(self, text: str) -> Named | None:
        """The tool that ``text`` begins with, if nothing else is said in the same breath."""
        return self._opened(text[:LONGEST])

    def mentioned(self, text: str) -> Named | None:
        """The first product that ``text`` names anywhere. Only where AI is known to have helped."""
        words = tuple(WORD.findall(text.lower()[: 2 * LONGEST]))
        for start in range(len(words)):
            found = self._products.longest(words[start : start + 5])
            if found and found[0].sure is not _WEAK:
                return Named(found[0].tool, found[0].sure)
        return None

    def _opening(self, text: str) -> Named | None:
        first = _SEGMENTS.split(text.lower(), maxsplit=1)[0]
        return next(iter(self.credit(text)), None) if self.only(first) else None

    def _credits(self, value: str, strict: bool) -> tuple[Named, ...]:  # noqa: FBT001 - cached
        text = value.lower().strip()
        addresses = _ADDRESS.findall(text)[:8]
        if addresses:
            return self._credited_identities(value.strip(), text, addresses)
        kernel = _KERNEL_FORM.match(text)
        if kernel and not text.startswith(("http:", "https:")):
            return self._kernel_form(kernel, strict)
        link = _LINK.match(text)
        if link:
            ai = not _AI_FIRST.isdisjoint(WORD.findall(link[0]))
            return (Named(UNKNOWN_TOOL, _LIKELY),) if ai else ()
        whole = self._segment(text, strict=True)
        if whole:
            return (whole.named,)
        if _is_path(text):
            return ()
        found = [
            credit for part in _SEGMENTS.split(text)[:12] if (credit := self._segment(part, strict))
        ]
        return _tools_before_models(found)

    def _credited_identities(
        self, shown: str, text: str, addresses: list[str]
    ) -> tuple[Named, ...]:
        found: list[Named] = []
        at = 0
        for address in addresses:
            start = text.find(address, at)
            name = _bare(shown[at:start]) if len(shown) == len(text) else _bare(text[at:start])
            at = start + len(address)
            clean = address.lstrip("[").rstrip(".-") if "]" not in address else address
            who = self._names.identify(name, clean, Role.CO_AUTHOR)
            who = who or self._credited_via(name.lower(), clean)
            if who and who not in found:
                found.append(who)
        return tuple(found)

    def _credited_via(self, name: str, email: str) -> Named | None:
        """``MODEL via TOOL <tool@…>``: people are not credited via somebody."""
        model, via, tool = name.partition(" via ")
        if not via or not model:
            return None
        if email.partition("@")[0] == tool.strip():
            return Named(UNKNOWN_TOOL, _LIKELY)
        credit = self._segment(tool, strict=False) or self._segment(model, strict=False)
        return credit.named if credit else None

    def _kernel_form(self, form: re.Match[str], strict: bool) -> tuple[Named, ...]:  # noqa: FBT001
        """``AGENT:MODEL``, as the Linux kernel writes it."""
        agent = self._segment(form[1], strict=True)
        if agent:
            sure = max(agent.named.sure, _LIKELY, key=lambda sure: sure.rank)
            return (Named(agent.named.tool, sure),)
        model = self._products.model.search(form[2]) or any(c.isdigit() for c in form[2])
        return (Named(UNKNOWN_TOOL, _LIKELY),) if model and not strict else ()

    def _segment(self, text: str, strict: bool) -> _Credit | None:  # noqa: FBT001
        words = tuple(WORD.findall(text[:80]))
        while words and words[0] in _FILLERS:
            words = words[1:]
        model = self._products.model.search(text[:80])
        product = self._product(words, model, strict)
        if product:
            return product
        may_follow, families = self._products.may_follow, self._products.families
        if model and strict and not all(may_follow(word) for word in words):
            model = None
        if model or (len(words) == 1 and families.get(words[0]) == "claude"):
            family = model["family"] if model else words[0]
            return _Credit(Named(families[family], _LIKELY), is_model=True)
        if words[1:2] and words[1] in _NOT_A_TOOL:
            return None
        if words and (words[0] in _AI_FIRST or words[:2] in _AI_PHRASES):
            vague = strict and not all(w in _AI_HELP or may_follow(w) for w in words[1:])
            return None if vague else _Credit(Named(UNKNOWN_TOOL, _LIKELY))
        other = not self._automation_words.isdisjoint(words)
        if not strict and not other and words and len(words) <= 4 and words[-1] in _AI_LAST:
            return _Credit(Named(UNKNOWN_TOOL, _LIKELY))
        return None

    def _product(
        self,
        words: tuple[str, ...],
        model: re.Match[str] | None,
        strict: bool,  # noqa: FBT001
    ) -> _Credit | None:
        found = self._products.longest(words)
        if not found:
            return None
        mark, length = found
        rest = words[length:]
        free = mark.namesake is Namesake.NOTHING and not strict
        if not free and not (all if strict else _first)(map(self._products.may_follow, rest)):
            return None
        of_model = model is not None and self._products.families[model["family"]] == mark.tool
        return _Credit(Named(mark.tool, mark.sure), of_model)


def _tools_before_models(found: list[_Credit]) -> tuple[Named, ...]:
    """Where a tool is named, the model in its brackets is not another one."""
    tools = [credit for credit in found if not credit.is_model] or found
    named: dict[str, Named] = {}
    for credit in tools:
        named.setdefault(credit.named.tool, credit.named)
    if len(named) > 1:
        named.pop(UNKNOWN_TOOL, None)
    return tuple(named.values())


def _is_path(text: str) -> bool:
    """A script, a file or a command made it, which is no AI's mark."""
    first = text.split(maxsplit=1)[0] if text else ""
    return "://" not in first and (
        ("/" in first and ":" not in first)
        or re.search(r"\.(?:py|sh|js|ts|rb|pl|go|rs|yml|yaml|toml|json|mk)\b", first) is not None
    )


def _bare(name: str) -> str:
    text = name.replace("&lt;", " ").replace("&gt;", " ").strip()
    return text.strip(" \t,;<>()\"'`*_“”").removesuffix("[").strip()


def _first(answers: Iterable[bool]) -> bool:
    return next(iter(answers), True)
