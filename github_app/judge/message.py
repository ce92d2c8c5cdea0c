"""Reads one commit message, or one body of a pull request, for the marks of AI tools.

Every rule is a method that starts with a few plain substrings: a text without them costs next to
nothing. Patterns use possessive repetition, so that none backtracks and the cost of a text grows
with its length alone.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from github_app.judge.catalogue import UNKNOWN_TOOL, Catalogue, Mark, MarkKind, template
from github_app.judge.identity import Named, Names, Role
from github_app.judge.signals import Confidence, SignalKind
from github_app.judge.text import excerpt, normalise

_CERTAIN, _LIKELY, _WEAK = Confidence.CERTAIN, Confidence.LIKELY, Confidence.WEAK
_LOWER = {_CERTAIN: _LIKELY, _LIKELY: _WEAK, _WEAK: _WEAK}
_MOST = 500  # marks reported of one text

_KEY = re.compile(
    r"^(?P<lead>[ \t>*+•|\\_`\"'#-]*+)(?P<key>[a-z][a-z0-9]*+(?:[ -][a-z0-9]++){0,4}+)[*_`]{0,3}+[ \t]*+:(?!//)[*_]{0,3}+",
    re.MULTILINE,
)
# "...ed by", "written with": what was done by means of whom. Each pattern begins with plain letters,
# which the engine looks for much faster than for a choice of words.
_BY_MEANS_OF = (
    r"[ -](?:(?:entirely|mostly|largely|automatically|partly|in part|fully|primarily|solely|completely) )?"
    r"(?:with|by|using|via)(?![a-z])(?: the)?(?: (?:help|assistance|aid|support) (?:of|from))?[ \t]*+(?P<colon>:?)[ \t]*+"
)
_DONE = tuple(
    (stem, re.compile(stem + _BY_MEANS_OF)) for stem in ("ed", "written", "made", "built")
)
_VERB = re.compile(
    r"(?:(?<![\w-])|(?<=\\n))(?:(?P<credit>co-?author|assist|generat)|creat|implement|author|vibe[- ]cod|cod|develop|draft|produc|craft|power"
    r"|ultrawork|fix|refactor|translat|open|submitt|post)$"
)
_LONGEST_VERB = 14
_LINK = re.compile(r"https?://(?:www\.)?(?P<rest>(?P<host>[a-z0-9.-]++)(?P<path>[^\s)>\]\"'<`]*+))")
_BOX = re.compile(r"^[ \t>]*+[-*+] \[[x✓✔]\][ \t]*+(?P<text>[^\n]{1,300})", re.MULTILINE)
_HEADING = re.compile(
    r"^#{1,6}+ [^\n]{0,40}?\b(?:ai|llm|genai)\b[- ](?:disclosure|usage|use|assistance|assisted|tools|attribution|involvement)[^\n]*+\n\s*+(?P<text>[^\n]{1,300})",
    re.MULTILINE,
)
_AI_MADE = tuple(
    (word, re.compile(word + r"[- ](?:generated|assisted|written|authored|coded)(?![a-z])"))
    for word in ("ai", "llm", "vibe")
)
_HOW_MUCH = re.compile(
    r"(?:mostly|largely|predominantly|mainly|primarily|entirely|fully|partially|partly|completely|heavily|100%)[ -](?:gen)?$"
    r"|(?<![a-z])(?:this|the) (?:pr|pull request|commit|change|patch|code|mr|branch) (?:is|was|has been) [a-z ]{0,20}$"
    r"|[\[(](?:gen)?$"
)
_USED = re.compile(
    r"used (?:an? )?(?:ai|llm|claude|copilot|chatgpt|cursor|codex|gemini)[a-z ]{0,30} to (?:write|generate|create|implement|help|draft|assist|code|develop)"
)
_NO = re.compile(
    r"(?:no|none|false|never|0|not?|n/?a|-|nil|without|nope|not used|not applicable|unused)(?![a-z0-9/])"
    r"|no[,.;: ]|not |none[,.;: ]|did not|didn't"
)
_DENIES = re.compile(
    r"\b(?:no|not|without|never|none|neither|isn't|wasn't|didn't|doesn't|nothing)\b[^\n]{0,60}?\b(?:ai|llm|llms|genai|generat|assist|copilot|claude|chatgpt|tool)"
    r"|\b(?:ai|llm|genai)\b[^\n]{0,30}?\b(?:not|none|no|never|n/a)\b"
)
_ABOUT_RULES = re.compile(
    r"\b(?:polic|guideline|read|disclos|if |any |review|responsib|understand|agree|complies|comply|ensure|checked|labelled|labeled|documented|link)"
)
_CLAIMS = re.compile(
    r"\b(?:ai|llm|genai|copilot|claude|chatgpt|cursor|codex|gemini|agent|devin|jules|warp|windsurf|aider|gpt)\b"
)
_SAYS_MADE = re.compile(
    r"\b(?:generated|created|written|authored|assisted|assistance|implemented|used|using|made|coded|produced|drafted|helped|help|yes|via|by|tool|tools|with)\b"
)
_SUBJECT_OF_MADE = re.compile(
    r"(?:^|[\s*_\"'(>#-])(?:(?:this|the|these|all|some|most|unit|new|initial|and|of|both|e2e|integration|regression|parts?|its|a|first|docs?|pr|commit|change|changes|patch|code|tests?|"
    r"pull|request|file|files|implementation|fix|version|migration|script|documentation|description|draft|commits|feature|work|function|functions|series|mr|branch|project|app|"
    r"was|were|is|are|been|has|have|mostly|largely|predominantly|mainly|entirely|fully|partly|initially|originally|automatically|primarily|completely|everything|cases?|added|refactoring|100%)(?![a-z0-9])[ :]*+){1,12}+$"
)
_NOT_AI_MAKER = re.compile(
    r"`|\.(?:py|sh|js|ts|rb|pl|go|rs|ya?ml|toml|json|mk|proto|txt|md)\b|github actions?|release|mergify|renovate|dependabot|protoc|openapi|swagger|stainless|make\b|cargo|npm|script|love|❤|♥|cliff|changeset|semantic|weblate|crowdin"
    r"|hand\b|mistake|default|hugo|sphinx|doxygen|mkdocs|jekyll|gradle|maven|cmake|bazel|webpack|vite|rollup|typedoc|rustdoc|javadoc|snyk|sonar|pre-commit|whitesource|mend|pyup|transifex|poeditor"
)
_SESSION_KEYS = ("-session", "-session-id", "-session-url", "-thread-id", "-conversation-id")
_SESSION_ID = re.compile(r"https?://[^\s]{8,}|[a-z]{0,12}[_-]?(?=[a-z]*[0-9])[0-9a-z_-]{8,}")
_LEADS = " \t>*+•|\\_`\"'#-"  # what may stand before a trailer
_BOXES = ("- [", "* [", "+ [")
_SQUASHED = "squashed commit of the following"
_SESSION_PATH = re.compile(
    r"/(?:[a-z0-9_-]{1,40}/){0,3}?(?:sessions?|tasks?|threads?|conversations?|agents?|runs?|traces?|chats?)/[a-z0-9_-]{8,}"
)
_OF_PRODUCTS = ("powered", "built", "made", "opened", "submitted", "translated", "fixed")
_PRODUCT = re.compile(r"\[?[a-z][\w.]*+(?: [\w.]++){0,2}+(?:\]\(|[.!]?$)")
_CLAUSE_END = re.compile(r"[.!](?:\s|$)|\]\(|[;:—–]| - | for | to | in | on | and then ")
_PICTURED_LINE = re.compile(r"^[ \t>*_-]*+[^\x00-\x7f][^\n]{1,300}", re.MULTILINE)
_PICTURES = re.compile(r"[^\x00-\x7f]")
_FENCE = re.compile(r"^[ \t>]*+(?:```|~~~)", re.MULTILINE)
_DIFF = re.compile(r"^(?:diff --git |@@ -[0-9])", re.MULTILINE)
_LINE = 400  # characters of one line that are read, to either side of a mark


@dataclass(frozen=True, slots=True)
class Hit:
    """A mark in a text, before it is said where the text stands. ``at`` orders them."""

    kind: SignalKind
    tool: str
    sure: Confidence
    at: int
    evidence: str


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
        self._names = names
        self._keys = _key_rules(catalogue)
        self._links = _links(catalogue)
        self._homes = {mark.text: mark.tool for mark in catalogue.marks(MarkKind.HOME)}
        self._phrases = tuple(catalogue.marks(MarkKind.PHRASE))
        self._subjects = tuple(catalogue.marks(MarkKind.SUBJECT))
        self._review_blocks = catalogue.review_blocks

    def read(self, text: str) -> list[Hit]:
        """Every mark in ``text``, in the order of the text; at most the first 500."""
        page = _Page(normalise(text), self._review_blocks)
        hits: list[Hit] = []
        for rule in (
            self._phrases_in,
            self._subjects_of,
            self._trailers,
            self._makers,
            self._pictured_links,
            self._session_links,
            self._boxes,
            self._statements,
        ):
            hits.extend(islice(rule(page), _MOST))
        if not hits:
            return hits
        hits.sort(key=lambda hit: hit.at)
        return hits[:_MOST]

    def denies(self, text: str) -> bool:
        """Whether ``text`` declares that no AI took part. Never evidence, only an answer."""
        low = _Page(normalise(text), self._review_blocks).low
        ticked = any(
            _CLAIMS.search(box["text"]) and _DENIES.search(box["text"])
            for box in _BOX.finditer(low)
        )
        return ticked or self._says_no(low)

    def _says_no(self, low: str) -> bool:
        for found in _KEY.finditer(low):
            rule = self._keys.get(found["key"].replace(" ", "-"))
            value = low[found.end() : found.end() + 40].partition("\n")[0].strip()
            if rule and rule.any_value and rule.tool is None and value and _NO.match(value):
                return True
        answers = (found["text"] for found in _HEADING.finditer(low))
        return any(
            _NO.match(answer) or _DENIES.search(answer)
            for answer in answers
            if not answer.startswith(_BOXES)
        )

    def _phrases_in(self, page: "_Page") -> Iterator[Hit]:
        raw = page.raw
        for mark in self._phrases:
            if mark.text in raw:
                at = raw.find(mark.text)
                text = excerpt(raw[at : at + 120].partition("\n")[0])
                yield Hit(SignalKind.FOOTER, mark.tool, mark.sure, at, text)

    def _subjects_of(self, page: "_Page") -> Iterator[Hit]:
        for mark in self._subjects:
            if page.low.startswith(mark.text):
                yield page.hit(SignalKind.FOOTER, mark.tool, mark.sure, 0)

    def _trailers(self, page: "_Page") -> Iterator[Hit]:
        if ":" not in page.low:
            return
        keys = self._keys
        for found in _KEY.finditer(page.low):
            key = found["key"].replace(" ", "-")
            rule = keys.get(key)
            if rule is None:
                if key.endswith(_SESSION_KEYS):
                    yield from self._session_key(page, found.start("key"), found.end())
                continue
            if rule.strict and (found["lead"].strip() or not found.start()):
                continue  # "- agent: fix it", "model: fix it": a topic, not a trailer
            yield from self._trailer(page, rule, found.start("key"), found.end())

    def _session_key(self, page: "_Page", start: int, end: int) -> Iterator[Hit]:
        """``Anything-Session: <link or id>``: people do not leave such a line."""
        value = page.value(end).lower()
        if _SESSION_ID.fullmatch(value):
            yield page.hit(SignalKind.SESSION, UNKNOWN_TOOL, _LIKELY, start)

    def _trailer(self, page: "_Page", rule: _KeyRule, start: int, end: int) -> Iterator[Hit]:
        value = page.value(end)
        low = value.lower()
        if rule.values and not low.startswith(rule.values):
            return
        if rule.tool is not None:
            if low:
                yield page.hit(rule.kind, rule.tool, rule.sure, start)
            return
        named = self._names.credit(value, rule.strict)
        if rule.any_value:
            if not low or _NO.match(low) or low.startswith(("<", "{", "[ ]")) or "yes/no" in low:
                return
            for who in named or (Named(UNKNOWN_TOOL, rule.sure),):
                yield page.hit(rule.kind, who.tool, rule.sure, start)
            return
        for who in named:
            sure = _WEAK if rule.sure is _WEAK else _at_least_likely(who, value)
            yield page.hit(rule.kind, who.tool, sure, start)

    def _makers(self, page: "_Page") -> Iterator[Hit]:
        """``Generated with X``, as a footer of its own or as a statement about the change."""
        low = page.low
        for stem, pattern in _DONE:
            if stem not in low:
                continue
            for found in pattern.finditer(low):
                start = found.start()
                if stem == "ed":
                    verb = _VERB.search(low[max(start - _LONGEST_VERB, 0) : start])
                    if verb is None:
                        continue
                    start -= len(verb[0])
                    if found["colon"] and verb["credit"]:
                        yield from self._inline_trailer(page, start, found.end())
                        continue
                end = found.end()
                before = low[max(start - 120, 0) : start].rpartition("\n")[2]
                if found["colon"] and not before.strip(_LEADS):
                    continue  # read as a trailer
                after = low[end : end + 120].partition("\n")[0]
                sure, tool = self._maker(low[start:end], before, after)
                if tool:
                    yield page.hit(SignalKind.FOOTER, tool, sure, start)

    def _inline_trailer(self, page: "_Page", start: int, end: int) -> Iterator[Hit]:
        """A credit line that does not begin a line: joined to text, or several on one line."""
        low = page.low
        before = low[page.line_start(start) : start]
        if not before.strip(_LEADS):
            return  # it does: read as a trailer
        value = page.value(end, fold=False).split("\\n")[0]
        for who in self._names.credit(value):
            kind = SignalKind.CO_AUTHOR if low.startswith("co", start) else SignalKind.TRAILER
            sure = min(_at_least_likely(who, value), _LIKELY, key=lambda sure: sure.rank)
            yield page.hit(kind, who.tool, sure, start)

    def _maker(self, verb: str, before: str, after: str) -> tuple[Confidence, str]:
        footer = not any(c.isalnum() for c in before)
        if "[ ]" in before or (not footer and not _SUBJECT_OF_MADE.search(before)):
            return _WEAK, ""
        link = _LINK.search(after)
        home = self._home(link["rest"]) if link else None
        if home:
            return _CERTAIN, home
        who = self._named_at_start(after)
        if who and not (who.tool == UNKNOWN_TOOL and verb.startswith(_OF_PRODUCTS)):
            return (_CERTAIN if footer and who.sure is _CERTAIN else _LIKELY), who.tool
        if footer and not _NOT_AI_MAKER.search(after) and not verb.startswith(_OF_PRODUCTS):
            pictured = _PICTURES.search(before) is not None
            if (pictured and _PRODUCT.match(after)) or (link and link["host"].endswith(".ai")):
                return _LIKELY, UNKNOWN_TOOL
        return _WEAK, ""

    def _named_at_start(self, after: str) -> Named | None:
        """The tool that ``after`` begins with. A plain word must be all there is: "Made with Bolt"."""
        text = _CLAUSE_END.split(after.lstrip("[*_`\"'( @"), maxsplit=1)[0]
        for who in self._names.credit(text):
            if who.sure is not _WEAK or self._names.only(text):
                return who
        return None

    def _pictured_links(self, page: "_Page") -> Iterator[Hit]:
        """A line that opens with a picture and links to a tool's home page is its footer."""
        if page.low.isascii() or "://" not in page.low:
            return
        for line in _PICTURED_LINE.finditer(page.low):
            for link in _LINK.finditer(line[0]):
                home = self._home(link["rest"])
                if home and " " in line[0]:
                    yield page.hit(SignalKind.FOOTER, home, _LIKELY, line.start())
                    break

    def _home(self, rest: str) -> str | None:
        parts = rest.split("?")[0].split("#")[0].rstrip("/").split("/")
        for length in range(min(len(parts), 4), 0, -1):
            tool = self._homes.get("/".join(parts[:length]))
            if tool:
                return tool
        return None

    def _session_links(self, page: "_Page") -> Iterator[Hit]:
        if "://" not in page.low:
            return
        for found in _LINK.finditer(page.low):
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
            elif found["host"].endswith(".ai") and _SESSION_PATH.match(found["path"]):
                yield page.hit(SignalKind.SESSION, UNKNOWN_TOOL, _LIKELY, found.start())

    def _boxes(self, page: "_Page") -> Iterator[Hit]:
        if "[x]" not in page.low and "[✓]" not in page.low and "[✔]" not in page.low:
            return
        for found in _BOX.finditer(page.low):
            text = found["text"]
            if (
                _CLAIMS.search(text)
                and _SAYS_MADE.search(text)
                and not _DENIES.search(text)
                and not _ABOUT_RULES.search(text)
            ):
                who = self._named_in(text)
                yield page.hit(SignalKind.DECLARATION, who.tool, _LIKELY, found.start())

    def _stated(self, page: "_Page", word: str, found: re.Match[str]) -> Iterator[Hit]:
        start = found.start()
        line_start = page.line_start(start)
        before = page.low[max(line_start, start - 80) : start]
        line = page.low[max(line_start, start - 80) : found.end() + 60].partition("\n")[0]
        if word in ("ai", "llm") and not _HOW_MUCH.search(before):
            return
        if (
            word == "vibe"
            and before
            and not before.endswith((" was ", " is ", "fully ", "mostly ", "ly "))
        ):
            return
        if not _DENIES.search(line):
            yield page.hit(SignalKind.DECLARATION, UNKNOWN_TOOL, _LIKELY, start)

    def _named_in(self, text: str) -> Named:
        return self._names.mentioned(text) or Named(UNKNOWN_TOOL, _LIKELY)

    def _statements(self, page: "_Page") -> Iterator[Hit]:
        low = page.low
        for word, pattern in _AI_MADE:
            if word in low:
                for found in pattern.finditer(low):
                    yield from self._stated(page, word, found)
        if "i used" in low or "have used" in low:
            for found in _USED.finditer(low):
                if re.search(
                    r"(?<![a-z])i (?:have )?$", low[max(found.start() - 8, 0) : found.start()]
                ):
                    yield from self._stated(page, "", found)
        if "\n#" in low or low.startswith("#"):
            for found in _HEADING.finditer(low):
                text = found["text"]
                if (
                    not _NO.match(text)
                    and not _DENIES.search(text)
                    and _CLAIMS.search(text)
                    and not text.startswith(("<", *_BOXES))
                ):
                    yield page.hit(
                        SignalKind.DECLARATION,
                        self._named_in(text).tool,
                        _LIKELY,
                        found.start("text"),
                    )


class _Page:
    """One normalised text. What is known of its layout is worked out when it is first asked for."""

    __slots__ = ("_layout", "low", "raw", "text")

    def __init__(self, text: str, review_blocks: tuple[tuple[str, str], ...]) -> None:
        low = text.lower()
        self.text = text if len(low) == len(text) else low  # positions must agree
        self.raw = low
        if "<!--" in low:
            for opening, closing in review_blocks:
                low = _blanked(low, opening, closing)
            low = _blanked(low, "<!--", "-->")
        self.low = low
        self._layout: _Layout | None = None

    def hit(self, kind: SignalKind, tool: str, sure: Confidence, at: int) -> Hit:
        """A mark at ``at``; what is quoted proves less, or little."""
        start = self.line_start(at)
        quotation = self._quotation(start, at)
        if quotation is not _Quotation.NONE:
            sure = _LOWER[sure] if quotation is _Quotation.PERHAPS else _WEAK
        start = start if at - start < 160 else at
        line = self.text[start : start + _LINE].partition("\n")[0]
        return Hit(kind, tool, sure, at, excerpt(line.strip()))

    def line_start(self, at: int) -> int:
        """Where the line of ``at`` begins, or a point 400 characters before it in a long line."""
        back = max(at - _LINE, 0)
        found = self.low.rfind("\n", back, at)
        return found + 1 if found >= 0 else back

    def value(self, at: int, *, fold: bool = True) -> str:
        """The rest of the line at ``at``, with the indented line after it if that belongs to it."""
        line, newline, rest = self.text[at : at + 2 * _LINE].partition("\n")
        value = line[:_LINE].strip()
        if fold and newline and rest[:1] in (" ", "\t"):
            folded = rest.partition("\n")[0].strip()
            if not value or (folded.startswith("<") and "<" not in value):
                return f"{value} {folded}".strip()
        return value

    def _quotation(self, start: int, at: int) -> "_Quotation":
        before = self.low[start:at]
        layout = self._layout
        if layout is None:
            layout = self._layout = _Layout.of(self.low)
        if before:
            if before.startswith(("    ", "\t")) and not layout.squashed:
                return _Quotation.SURE
            if before.count("`") % 2 or before.rstrip().endswith(('"', "“", "'")):
                return _Quotation.SURE
        if (
            layout.own_from > at
            or (layout.fences and bisect_right(layout.fences, at) % 2)
            or (start > layout.diff_from and self.low[start : start + 1] in "+- ")
        ):
            return _Quotation.SURE
        return _Quotation.PERHAPS if before.lstrip().startswith(">") else _Quotation.NONE


class _Quotation(Enum):
    NONE = 0
    PERHAPS = 1
    SURE = 2


@dataclass(frozen=True, slots=True)
class _Layout:
    """What parts of a text are quoted."""

    squashed: bool  # `git merge --squash` indents the messages it joins: they are not quoted
    fences: tuple[int, ...]  # where fenced code begins and ends, by turns
    diff_from: int
    own_from: int  # a revert may quote what it reverts: only its last paragraph is its own

    @classmethod
    def of(cls, low: str) -> "_Layout":
        fences: tuple[int, ...] = ()
        if "```" in low or "~~~" in low:
            fences = tuple(found.start() for found in _FENCE.finditer(low))
            fences = fences[: len(fences) // 2 * 2]  # one that is never closed does not count
        diff = _DIFF.search(low) if "diff --git " in low or "@@ -" in low else None
        return cls(
            squashed=_SQUASHED in low,
            fences=fences,
            diff_from=diff.start() if diff else len(low),
            own_from=_last_paragraph(low) if _is_revert(low) else 0,
        )


def _is_revert(low: str) -> bool:
    return low.startswith(('revert "', "revert: ", "revert '")) or "this reverts commit" in low


def _last_paragraph(low: str) -> int:
    end = len(low.rstrip())
    return max(low.rfind("\n\n", 0, end), low.rfind("\n---", 0, end), 0)


def _at_least_likely(who: Named, value: str) -> Confidence:
    """A credit line says what a bare name does not; an address there speaks for itself."""
    return _LIKELY if who.sure is _WEAK and "@" not in value else who.sure


def _blanked(low: str, opening: str, closing: str) -> str:
    """``low`` with spaces for everything from each ``opening`` to its ``closing``."""
    parts: list[str] = []
    done = 0
    at = low.find(opening)
    while at >= 0:
        end = low.find(closing, at + len(opening))
        if end < 0:
            break
        end += len(closing)
        parts.append(low[done:at])
        parts.append("\n".join(" " * len(line) for line in low[at:end].split("\n")))
        done = end
        at = low.find(opening, end)
    return "".join((*parts, low[done:])) if done else low


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


__all__ = ["Hit", "Messages", "Role"]
