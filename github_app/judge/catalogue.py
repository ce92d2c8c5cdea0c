"""The catalogue of AI tools and their marks: ``signatures.yaml`` after it was checked.

A :class:`Catalogue` exists only if the data is valid: ``catalogue_reader.py`` makes it. It holds no
patterns: marks are whole values, prefixes and small templates, so that matching cannot backtrack
and anybody can write one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from github_app.judge.policy import DetectionPolicy, OwnTool
from github_app.judge.signals import Confidence

UNKNOWN_TOOL = "unknown-ai"  # AI took part, and nothing says which
PLACEHOLDER = re.compile(r"\{(n|hex|uuid|id)\}")
_PLACEHOLDERS = {
    "n": "[0-9]++",
    "hex": "[0-9a-f]++",
    "uuid": "[0-9a-f]{8}-[0-9a-f-]{27}",
    "id": r"[\w.-]++",
}


class MarkKind(StrEnum):
    """What a mark is matched against. Everything is compared without regard to case."""

    EMAIL = "email"  # a whole address, of an author, committer or co-author
    LOGIN = "login"  # of a bot or app, without "[bot]"; of a person's account if `account: user`
    NAME = "name"  # the product's name, where somebody is credited
    NAME_END = "name_end"  # how the name of an author ends
    TRAILER = "trailer"  # a key that only this tool writes
    LINK = "link"  # to one session, without the scheme: host/path, with {id} {n} {hex} {uuid}
    HOME = "home"  # the page a footer links to: host/path
    PHRASE = "phrase"  # anywhere in a message or body
    SUBJECT = "subject"  # how the first line, or the title, begins
    BRANCH = "branch"  # how the name of the head branch begins, with {id} {n} {hex}
    LABEL = "label"
    SETTING = "setting"  # a file of the repository in which its attribution is switched


class Namesake(StrEnum):
    """What else a name may be. Such a name alone, before a person's address, proves little."""

    NOTHING = ""
    PERSON = "person"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark of one tool. ``text`` is case-folded and never empty."""

    kind: MarkKind
    text: str
    tool: str
    sure: Confidence
    source: tuple[str, ...] = ()
    account_id: int | None = None  # login: the numeric id of the account
    by_person: bool = False  # login: an ordinary user account, not a bot
    namesake: Namesake = Namesake.NOTHING  # name
    needs_name: bool = False  # email: proves something only beside the tool's name
    values: tuple[str, ...] = ()  # trailer: how its value must begin; empty: anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A product. ``kind`` is ``agent``, ``assistant`` or ``reviewer``."""

    id: str
    name: str
    vendor: str
    kind: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that is not AI (``automation``), or that only reviews (``reviewers``)."""

    login: str
    id: int | None = None
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A trailer key that no single tool owns."""

    key: str
    sure: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """Words that name a model when a version follows them, and the tool they then stand for."""

    words: tuple[str, ...]
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generic:
    """What gives an unlisted tool away, and what does not."""

    credits: tuple[Key, ...]
    keys: tuple[Key, ...]
    labels: Mapping[str, Confidence]
    models: tuple[ModelFamily, ...]
    placeholder_domains: frozenset[str]
    plain_noreply_domains: frozenset[str]
    automation_words: frozenset[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """Every tool, checked. Compared by identity, so that readers of it can be kept."""

    version: int
    tools: tuple[Tool, ...]
    automation: tuple[Account, ...]
    reviewers: tuple[Account, ...]
    review_blocks: tuple[tuple[str, str], ...]
    generic: Generic

    @property
    def names(self) -> dict[str, str]:
        """What people call each tool, by its id."""
        return {tool.id: tool.name for tool in self.tools}

    def marks(self, *kinds: MarkKind) -> Iterator[Mark]:
        """All marks of these kinds, in the order of the file."""
        return (mark for tool in self.tools for mark in tool.marks if mark.kind in kinds)

    def without(self, tool: str) -> "Catalogue":
        """The same catalogue, not knowing ``tool``: shows what the generic rules find alone."""
        return replace(self, tools=tuple(known for known in self.tools if known.id != tool))

    def with_policy(self, policy: DetectionPolicy) -> "Catalogue":
        """This catalogue and the tools, bots and labels a roster adds. Nothing known is taken away:
        a roster's automation that the catalogue knows as AI stays AI.
        """
        ours = Tool(
            id=UNKNOWN_TOOL,
            name="named in the roster",
            vendor="",
            kind="agent",
            marks=tuple(
                Mark(
                    kind=kind, text=text, tool=UNKNOWN_TOOL, sure=Confidence.CERTAIN, by_person=True
                )
                for kind, texts in (
                    (MarkKind.LOGIN, policy.ai_bots),
                    (MarkKind.LABEL, policy.labels),
                )
                for text in sorted(texts)
            ),
        )
        own = tuple(_own_tool(tool, self.tools) for tool in policy.tools)
        logins = {mark.text for tool in own for mark in tool.marks if mark.kind is MarkKind.LOGIN}
        ai = policy.ai_bots | logins
        known = {mark.text for mark in self.marks(MarkKind.LOGIN)}
        added = tuple(Account(login=bot) for bot in sorted(policy.automation_bots - ai - known))
        automation = tuple(a for a in self.automation if a.login not in ai)
        # Of a mark that two tools have, the last is believed: the roster is as sure as can be.
        return replace(self, tools=(*self.tools, ours, *own), automation=(*automation, *added))


def _own_tool(tool: OwnTool, tools: Iterable[Tool]) -> Tool:
    """A tool of the roster. One that the catalogue has by this name gets more marks by it."""
    slug = "-".join(re.findall("[a-z0-9]+", tool.name.lower()))
    said = {slug, tool.name.casefold()}
    same = next((one for one in tools if not said.isdisjoint((one.id, one.name.casefold()))), None)
    identity = same.id if same else slug

    # no login holds a space: an account without one is found by its id alone
    accounts: list[tuple[str, int | None]] = [(login, None) for login in tool.logins]
    accounts += [(f"account {number}", number) for number in tool.ids]
    marks = [
        *((MarkKind.EMAIL, text, None) for text in tool.emails),
        *((MarkKind.LOGIN, login, number) for login, number in accounts),
        *((MarkKind.TRAILER, text, None) for text in tool.trailers),
        *((MarkKind.NAME, text, None) for text in tool.names),
        *((MarkKind.BRANCH, text, None) for text in tool.branches),
    ]
    return Tool(
        id=identity,
        name=same.name if same else tool.name,
        vendor=same.vendor if same else "",
        kind="agent",
        marks=tuple(
            Mark(
                kind=kind,
                text=text,
                tool=identity,
                sure=Confidence.CERTAIN,
                account_id=number,
                by_person=kind is MarkKind.LOGIN,
            )
            for kind, text, number in marks
        ),
    )


def template(text: str) -> re.Pattern[str]:
    """A mark with placeholders as a pattern that never backtracks. It matches a beginning."""
    parts = PLACEHOLDER.split(text)
    pattern = "".join(
        _PLACEHOLDERS[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
    return re.compile(pattern)
