"""Reads one commit message, or one body of a pull request, for the marks of AI tools.

:meth:`Messages.read` lists the rules, each a method. Most begin with a few plain substrings, so
that a text without them costs next to nothing; what they look for stands in ``wording.py``.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from github_app.judge import wording
from github_app.judge.catalogue import UNKNOWN_TOOL, Catalogue, Mark, MarkKind, template
from github_app.judge.credit import Credits
from github_app.judge.identity import Named, Names
from github_app.judge.signals import Confidence, SignalKind
from github_app.judge.text import excerpt, normalise
from github_app.judge.text_layout import Hit, Page

_CERTAIN, _LIKELY, _WEAK = Confidence.CERTAIN, Confidence.LIKELY, Confidence.WEAK
_MOST = 500  # marks reported of one text

_POSITION = attrgetter("at")


@dataclass(frozen=True, slots=True)
class _KeyRule:
    """What a trailer key means. ``tool`` None: the value decides."""

    tool: str | None
    sure: Confidence
    kind: SignalKind
    any_value: bool
    strict: bool = False
    values: tuple[str, ...] = ()


class Messages:
    """The marks of a catalogue, ready to be looked for in texts. Raises nothing on any text."""

    def __init__(self, catalogue: Catalogue, names: Names) -> None:
        self._credits = Credits(catalogue, names)
        self._keys = _key_rules(catalogue)
        self._links = _links(catalogue)
        self._homes = {mark.text: mark.tool for mark in catalogue.marks(MarkKind.HOME)}
        self._phrases = tuple(catalogue.marks(MarkKind.PHRASE))
        self._visible_phrases = tuple(m for m in self._phrases if not m.text.startswith("<!--"))
        self._subjects = tuple(catalogue.marks(MarkKind.SUBJECT))
        self._openings = frozenset(mark.text[0] for mark in self._subjects)
        self._review_blocks = catalogue.review_blocks

    def read(self, text: str) -> list[Hit]:
        """Every mark in ``text``, in the order of the text; at most the first 500."""
        page = Page(normalise(text), self._review_blocks)
        low = page.low
        hits: list[Hit] = []
        hits += self._phrases_in(page)
        if text[:1].lower() in self._openings:
            hits += self._subjects_of(page)
        if ":" in low:
            hits += self._trailers(page)
        hits += self._makers(page)
        if "(via " in low or "[via " in low or "[with " in low:
            hits += self._tags(page)
        if "://" in low:
            hits += self._session_links(page)
            if wording.PICTURE in low:
                hits += self._pictured_links(page)
        if "[x]" in low:
            hits += self._boxes(page)
        hits += self._statements(page)
        if "\n#" in low or low.startswith("#"):
            hits += self._disclosures(page)
        if len(hits) > 1:
            hits.sort(key=_POSITION)
        return hits[:_MOST]

    def denies(self, text: str) -> bool:
        """Whether ``text`` declares that no AI took part. Never evidence, only an answer."""
        low = Page(normalise(text), self._review_blocks).low
        ticked = any(
            wording.CLAIMS.search(box["text"]) and wording.DENIES.search(box["text"])
            for box in wording.BOX.finditer(low)
        )
        return ticked or self._says_no(low)

    def _says_no(self, low: str) -> bool:
        for found in wording.KEY.finditer(low):
            rule = self._keys.get(found["key"].replace(" ", "-"))
            value = low[found.end() : found.end() + 40].partition("\n")[0].strip()
            if rule and rule.any_value and rule.tool is None and value and wording.NO.match(value):
                return True
        answers = (found["text"] for found in wording.HEADING.finditer(low))
        return any(
            wording.NO.match(answer) or wording.DENIES.search(answer)
            for answer in answers
            if not answer.startswith(wording.BOXES)
        )

    def _phrases_in(self, page: Page) -> Iterator[Hit]:
        phrases = self._phrases if "<!--" in page.raw else self._visible_phrases
        for mark in phrases:
            if mark.text in page.raw:
                at = page.raw.find(mark.text)
                text = excerpt(page.raw[at : at + 120].partition("\n")[0])
                yield Hit(SignalKind.FOOTER, mark.tool, mark.sure, at, text)

    def _subjects_of(self, page: Page) -> Iterator[Hit]:
        for mark in self._subjects:
            if page.text[: len(mark.text)].lower() == mark.text:
                yield page.hit(SignalKind.FOOTER, mark.tool, mark.sure, 0)

    def _trailers(self, page: Page) -> Iterator[Hit]:
        keys = self._keys
        for found in wording.KEY.finditer(page.low):
            key = found["key"].replace(" ", "-")
            rule = keys.get(key)
            if rule is None:
                if found["key"].endswith(wording.SESSION_KEYS):
                    yield from self._session_key(page, found.start("key"), found.end())
                continue
            if rule.strict and (found["lead"].strip() or not found.start()):
                continue  # "- agent: fix it", "model: fix it": a topic, not a trailer
            yield from self._trailer(page, rule, found.start("key"), found.end())

    def _session_key(self, page: Page, start: int, end: int) -> Iterator[Hit]:
        """``Anything-Session: <link or id>``: people do not leave such a line."""
        value = page.value(end).lower()
        if wording.SESSION_ID.fullmatch(value):
            yield page.hit(SignalKind.SESSION, UNKNOWN_TOOL, _LIKELY, start)

    def _trailer(self, page: Page, rule: _KeyRule, start: int, end: int) -> Iterator[Hit]:
        value = page.value(end)
        low = value.lower()
        if rule.values and not low.startswith(rule.values):
            return
        if rule.tool is not None:
            if low:
                yield page.hit(rule.kind, rule.tool, rule.sure, start)
            return
        named = self._credits.credit(value, strict=rule.strict)
        if rule.any_value:
            if (
                not low
                or wording.NO.match(low)
                or low.startswith(("<", "{", "[ ]"))
                or "yes/no" in low
            ):
                return
            for who in named or (Named(UNKNOWN_TOOL, rule.sure),):
                yield page.hit(rule.kind, who.tool, rule.sure, start)
            return
        for who in named:
            sure = _WEAK if rule.sure is _WEAK else _at_least_likely(who, value)
            yield page.hit(rule.kind, who.tool, sure, start)

    def _makers(self, page: Page) -> Iterator[Hit]:
        """``Generated with X``, as a footer of its own or as a statement about the change."""
        low = page.low
        for stem, pattern in wording.BY_MEANS_OF:
            if stem not in low:
                continue
            for found in pattern.finditer(low):
                start = found.start()
                if stem == "ed":
                    verb = wording.VERB.search(low[max(start - wording.VERB_LENGTH, 0) : start])
                    if verb is None:
                        continue
                    start -= len(verb[0])
                    if found["colon"] and verb["credit"]:
                        yield from self._inline_trailer(page, start, found.end())
                        continue
                end = found.end()
                before = page.before(start)
                if found["colon"] and not before.strip(wording.LEADS):
                    continue  # read as a trailer
                after = low[end : end + 120].partition("\n")[0]
                sure, tool = self._maker(low[start:end], before, after)
                if tool:
                    yield page.hit(SignalKind.FOOTER, tool, sure, start)

    def _inline_trailer(self, page: Page, start: int, end: int) -> Iterator[Hit]:
        """A credit line that does not begin a line: joined to text, or several on one line."""
        low = page.low
        before = low[page.line_start(start) : start]
        if not before.strip(wording.LEADS):
            return  # it does: read as a trailer
        value = page.value(end, fold=False).split("\\n")[0]
        for who in self._credits.credit(value):
            kind = SignalKind.CO_AUTHOR if low.startswith("co", start) else SignalKind.TRAILER
            sure = min(_at_least_likely(who, value), _LIKELY, key=lambda sure: sure.rank)
            yield page.hit(kind, who.tool, sure, start)

    def _maker(self, verb: str, before: str, after: str) -> tuple[Confidence, str]:
        footer = not any(c.isalnum() for c in before)
        if "[ ]" in before or (not footer and not wording.SUBJECT_OF_MADE.search(before)):
            return _WEAK, ""
        link = wording.LINK.search(after)
        home = self._home(link["rest"]) if link else None
        if home:
            return _CERTAIN, home
        pictured = footer and wording.PICTURE in before
        who = self._named_at_start(verb, after, pictured=pictured)
        if who and not (who.tool == UNKNOWN_TOOL and verb.startswith(wording.OF_PRODUCTS)):
            return (_CERTAIN if footer and who.sure is _CERTAIN else _LIKELY), who.tool
        if not footer or wording.NOT_AI_MAKER.search(after) or verb.startswith(wording.OF_PRODUCTS):
            return _WEAK, ""
        looks_so = pictured and wording.PRODUCT.match(after)
        linked = link is not None and link["host"].endswith(".ai")
        return (_LIKELY, UNKNOWN_TOOL) if looks_so or linked else (_WEAK, "")

    def _named_at_start(self, verb: str, after: str, *, pictured: bool) -> Named | None:
        """The tool ``after`` begins with. Prose may go on about it only behind a picture, and a
        plain word must be all there is: not "Made with Bolt and nuts".
        """
        text = wording.CLAUSE_END.split(after.lstrip("[*_`\"'( @"), maxsplit=1)[0]
        who = self._credits.opening(text)
        if who is None and pictured:
            who = next(iter(self._credits.credit(text)), None)
        if who and who.sure is _WEAK and not pictured:
            alone = verb.startswith(wording.OF_TOOLS) and self._credits.only(text)
            return who if alone and not after.startswith("@") else None
        return who

    def _pictured_links(self, page: Page) -> Iterator[Hit]:
        """A line that opens with a picture and links to a tool's home page is its footer."""
        for line in wording.PICTURED_LINE.finditer(page.low):
            for link in wording.LINK.finditer(line[0]):
                home = self._home(link["rest"])
                if home and " " in line[0]:
                    yield page.hit(SignalKind.FOOTER, home, _LIKELY, line.start())
                    break

    def _tags(self, page: Page) -> Iterator[Hit]:
        """``(via Codex)`` at the end of a line: nothing but a product in the brackets."""
        for found in wording.TAG.finditer(page.low):
            named = self._credits.only(found["name"])
            if named:
                yield page.hit(SignalKind.FOOTER, named.tool, _LIKELY, found.start())

    def _home(self, rest: str) -> str | None:
        parts = re.split("[?#]", rest, maxsplit=1)[0].rstrip("/").split("/")
        for length in range(min(len(parts), 4), 0, -1):
            tool = self._homes.get("/".join(parts[:length]))
            if tool:
                return tool
        return None

    def _session_links(self, page: Page) -> Iterator[Hit]:
        for found in wording.LINK.finditer(page.low):
            rest = found["rest"]
            known = next(
                (
                    mark
                    for mark, pattern in self._links.get(found["host"], ())
                    if pattern.match(rest)
                ),
                None,
            )
            if known:
                yield page.hit(SignalKind.SESSION, known.tool, known.sure, found.start())
            elif found["host"].endswith(".ai") and wording.SESSION_PATH.search(found["path"]):
                yield page.hit(SignalKind.SESSION, UNKNOWN_TOOL, _LIKELY, found.start())

    def _boxes(self, page: Page) -> Iterator[Hit]:
        """Ticked boxes that say that AI helped, and neither that it did not nor speak of rules."""
        for found in wording.BOX.finditer(page.low):
            text = found["text"]
            claimed = wording.CLAIMS.search(text) and wording.SAYS_MADE.search(text)
            if claimed and not wording.DENIES.search(text) and not wording.ABOUT_RULES.search(text):
                yield self._declared(page, text, found.start())

    def _statements(self, page: Page) -> Iterator[Hit]:
        """``Mostly AI-generated``, ``I used Claude to write ...``: of the change, not a topic."""
        low = page.low
        for word, pattern in wording.AI_MADE:
            if word in low:
                for found in pattern.finditer(low):
                    before = page.before(found.start())
                    vibed = not before or before.endswith(wording.VIBED)
                    if vibed if word == "vibe" else wording.HOW_MUCH.search(before):
                        yield from self._stated(page, found)
        if "i used" in low or "have used" in low:
            for found in wording.USED.finditer(low):
                if wording.I_USED.search(page.before(found.start())):
                    yield from self._stated(page, found)

    def _stated(self, page: Page, found: re.Match[str]) -> Iterator[Hit]:
        around = page.before(found.start()) + page.low[found.start() : found.end() + 60]
        if not wording.DENIES.search(around.partition("\n")[0]):
            yield page.hit(SignalKind.DECLARATION, UNKNOWN_TOOL, _LIKELY, found.start())

    def _disclosures(self, page: Page) -> Iterator[Hit]:
        """What stands below a heading such as ``## AI disclosure``."""
        for found in wording.HEADING.finditer(page.low):
            text = found["text"]
            denied = wording.NO.match(text) or wording.DENIES.search(text)
            if (
                wording.CLAIMS.search(text)
                and not denied
                and not text.startswith(("<", *wording.BOXES))
            ):
                yield self._declared(page, text, found.start("text"))

    def _declared(self, page: Page, text: str, at: int) -> Hit:
        named = self._credits.mentioned(text)
        tool = named.tool if named else UNKNOWN_TOOL
        return page.hit(SignalKind.DECLARATION, tool, _LIKELY, at)


def _at_least_likely(who: Named, value: str) -> Confidence:
    """A credit line says what a bare name does not; an address there speaks for itself."""
    return _LIKELY if who.sure is _WEAK and "@" not in value else who.sure


def _key_rules(catalogue: Catalogue) -> dict[str, _KeyRule]:
    rules: dict[str, _KeyRule] = {}
    for key in ("co-authored-by", "coauthored-by", "co-authored", "co-author", "coauthor"):
        rules[key] = _KeyRule(None, _CERTAIN, SignalKind.CO_AUTHOR, any_value=False)
    for one in catalogue.generic.credits:
        name = one.key.replace(" ", "-")
        alone = name in ("agent", "tool", "tools", "model", "coding-agent")
        rules.setdefault(
            name, _KeyRule(None, one.sure, SignalKind.TRAILER, any_value=False, strict=alone)
        )
    for one in catalogue.generic.keys:
        name = one.key.replace(" ", "-")
        rules.setdefault(name, _KeyRule(None, one.sure, _kind_of(name), any_value=True))
    for mark in catalogue.marks(MarkKind.TRAILER):
        name = mark.text.replace(" ", "-")
        rules[name] = _KeyRule(
            mark.tool, mark.sure, _kind_of(name), any_value=True, values=mark.values
        )
    return rules


def _kind_of(key: str) -> SignalKind:
    session = any(
        word in key for word in ("session", "thread", "-run", "task", "url", "checkpoint")
    )
    if key.startswith(("ai-", "llm-", "genai-")):
        return SignalKind.DECLARATION
    return SignalKind.SESSION if session else SignalKind.TRAILER


def _links(catalogue: Catalogue) -> dict[str, tuple[tuple[Mark, re.Pattern[str]], ...]]:
    found: defaultdict[str, list[tuple[Mark, re.Pattern[str]]]] = defaultdict(list)
    for mark in catalogue.marks(MarkKind.LINK):
        host = re.split(r"[/?]", mark.text, maxsplit=1)[0]
        found[host].append((mark, template(mark.text)))
    return {
        host: tuple(sorted(marks, key=lambda one: -one[0].sure.rank))
        for host, marks in found.items()
    }


__all__ = ["Hit", "Messages"]
