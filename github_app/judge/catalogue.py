"""The catalogue of AI tools and their marks: ``signatures.yaml`` after it was checked.

A :class:`Catalogue` exists only if the data is valid. It holds no patterns: marks are whole values,
prefixes and small templates, so that matching cannot backtrack and anybody can write one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from github_app.judge.errors import CatalogueError
from github_app.judge.policy import DetectionPolicy, OwnTool
from github_app.judge.signals import Confidence

UNKNOWN_TOOL = "unknown-ai"  # AI took part, and nothing says which
_MAX_TEXT = 200  # characters in one mark: longer ones are mistakes
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{(n|hex|uuid|id)\}")
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
    parts = _PLACEHOLDER.split(text)
    pattern = "".join(
        _PLACEHOLDERS[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
    return re.compile(pattern)


def parse_catalogue(data: object) -> Catalogue:
    """Check ``data``, the content of ``signatures.yaml`` as plain values, and build a catalogue.

    Raises :class:`CatalogueError` naming every problem and its place, not only the first.
    """
    checker = _Checker()
    catalogue = checker.catalogue(data)
    if checker.problems:
        raise CatalogueError("\n".join(checker.problems))
    return catalogue


class _Checker:
    """Collects problems. What it builds is only fit for use if there are none."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, where: str, text: str) -> None:
        self.problems.append(f"{where}: {text}")

    def catalogue(self, data: object) -> Catalogue:
        names = (
            "version",
            "sources",
            "tools",
            "automation",
            "reviewers",
            "review_blocks",
            "generic",
        )
        top = self._mapping("catalogue", data, needed=names)
        sources = frozenset(map(str, self._mapping("sources", top.get("sources"))))
        tools = tuple(
            self._tool(f"tools[{n}]", item, sources)
            for n, item in enumerate(self._list("tools", top.get("tools")))
        )
        self._unique("tools", (tool.id for tool in tools))
        if top.get("version") != 1:
            self.problem("version", f"expected 1, got {top.get('version')!r}")
        return Catalogue(
            version=1,
            tools=tools,
            automation=self._accounts("automation", top.get("automation")),
            reviewers=self._accounts("reviewers", top.get("reviewers")),
            review_blocks=self._blocks(top.get("review_blocks")),
            generic=self._generic(top.get("generic")),
        )

    def _tool(self, where: str, data: object, sources: frozenset[str]) -> Tool:
        item = self._mapping(where, data, needed=("id", "name", "vendor", "kind", "marks"))
        identity = self._text(f"{where}.id", item.get("id"))
        where = f"tools.{identity}" if _ID.fullmatch(identity) else where
        if not _ID.fullmatch(identity):
            self.problem(where, f"id: expected lower-case words joined by -, got {identity!r}")
        kind = item.get("kind")
        if kind not in ("agent", "assistant", "reviewer"):
            self.problem(where, f"kind: expected agent, assistant or reviewer, got {kind!r}")
        marks = tuple(
            mark
            for n, one in enumerate(self._list(f"{where}.marks", item.get("marks")))
            if (mark := self._mark(f"{where}.marks[{n}]", one, identity, sources))
        )
        self._unique(f"{where}.marks", (f"{mark.kind}: {mark.text}" for mark in marks))
        return Tool(
            id=identity,
            name=self._text(f"{where}.name", item.get("name")),
            vendor=self._text(f"{where}.vendor", item.get("vendor")),
            kind=str(kind),
            marks=marks,
        )

    def _mark(self, where: str, data: object, tool: str, sources: frozenset[str]) -> Mark | None:
        optional = {
            MarkKind.LOGIN: ("id", "account"),
            MarkKind.NAME: ("also",),
            MarkKind.EMAIL: ("needs",),
            MarkKind.TRAILER: ("value",),
        }
        item = self._mapping(where, data)
        kinds = [kind for kind in MarkKind if kind.value in item]
        if len(kinds) != 1:
            self.problem(where, f"expected exactly one of {', '.join(MarkKind)}")
            return None
        kind = kinds[0]
        self._keys(where, item, (kind, "sure", "source"), optional.get(kind, ()))
        named = self._list(f"{where}.source", item.get("source"))
        for name in named:
            if name not in sources:
                self.problem(f"{where}.source", f"{name!r} is not among the sources")
        if not named:
            self.problem(f"{where}.source", "say where the mark is known from")
        text = self._text(f"{where}.{kind}", item.get(kind)).casefold()
        if kind in (MarkKind.LINK, MarkKind.BRANCH) and "{" in _PLACEHOLDER.sub("", text):
            self.problem(f"{where}.{kind}", "a placeholder is {id}, {n}, {hex} or {uuid}")
        return Mark(
            kind=kind,
            text=text,
            tool=tool,
            sure=self._sure(where, item.get("sure")),
            source=tuple(map(str, named)),
            account_id=self._number(f"{where}.id", item.get("id")),
            by_person=self._one_of(where, item, "account", "user"),
            namesake=self._namesake(f"{where}.also", item.get("also", "")),
            needs_name=self._one_of(where, item, "needs", "name"),
            values=self._texts(f"{where}.value", item.get("value", ())),
        )

    def _generic(self, data: object) -> Generic:
        names = (
            *("credits", "keys", "labels", "models", "placeholder_domains"),
            *("plain_noreply_domains", "automation_words"),
        )
        item = self._mapping("generic", data, needed=names)
        labels = self._keyed("generic.labels", item.get("labels"), "label")
        return Generic(
            credits=self._keyed("generic.credits", item.get("credits"), "key"),
            keys=self._keyed("generic.keys", item.get("keys"), "key"),
            labels={label.key: label.sure for label in labels},
            models=tuple(
                self._family(f"generic.models[{n}]", one)
                for n, one in enumerate(self._list("generic.models", item.get("models")))
            ),
            placeholder_domains=self._set("generic", item, "placeholder_domains"),
            plain_noreply_domains=self._set("generic", item, "plain_noreply_domains"),
            automation_words=self._set("generic", item, "automation_words"),
        )

    def _family(self, where: str, data: object) -> ModelFamily:
        item = self._mapping(where, data, needed=("words", "tool"))
        return ModelFamily(
            words=self._texts(f"{where}.words", item.get("words")),
            tool=self._text(f"{where}.tool", item.get("tool")),
        )

    def _keyed(self, where: str, data: object, name: str) -> tuple[Key, ...]:
        found = []
        for n, one in enumerate(self._list(where, data)):
            item = self._mapping(f"{where}[{n}]", one, needed=(name, "sure"))
            text = self._text(f"{where}[{n}].{name}", item.get(name)).casefold()
            found.append(Key(key=text, sure=self._sure(f"{where}[{n}]", item.get("sure"))))
        self._unique(where, (one.key for one in found))
        return tuple(found)

    def _accounts(self, where: str, data: object) -> tuple[Account, ...]:
        found = []
        for n, one in enumerate(self._list(where, data)):
            at = f"{where}[{n}]"
            item = self._mapping(at, one, needed=("login",), optional=("id", "emails"))
            found.append(
                Account(
                    login=self._text(f"{at}.login", item.get("login")).casefold(),
                    id=self._number(f"{at}.id", item.get("id")),
                    emails=self._texts(f"{at}.emails", item.get("emails", ())),
                )
            )
        self._unique(where, (account.login for account in found))
        return tuple(found)

    def _blocks(self, data: object) -> tuple[tuple[str, str], ...]:
        found = []
        for n, one in enumerate(self._list("review_blocks", data)):
            pair = self._texts(f"review_blocks[{n}]", one)
            if len(pair) == 2:
                found.append((pair[0], pair[1]))
            else:
                self.problem(f"review_blocks[{n}]", "expected two texts: how it begins and ends")
        return tuple(found)

    def _mapping(
        self,
        where: str,
        data: object,
        needed: Sequence[str] | None = None,
        optional: Sequence[str] = (),
    ) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            self.problem(where, f"expected a mapping, got {_kind(data)}")
            return {}
        if needed is not None:
            self._keys(where, data, needed, optional)
        return data

    def _keys(
        self, where: str, item: Mapping[str, Any], needed: Sequence[str], optional: Sequence[str]
    ) -> None:
        for name in needed:
            if name not in item:
                self.problem(where, f"{name} is missing")
        for name in item:
            if name not in (*needed, *optional):
                self.problem(where, f"unknown key {name!r}")

    def _list(self, where: str, data: object) -> Sequence[object]:
        if isinstance(data, (list, tuple)):
            return data
        self.problem(where, f"expected a list, got {_kind(data)}")
        return ()

    def _text(self, where: str, data: object) -> str:
        if isinstance(data, str) and data.strip() and len(data) <= _MAX_TEXT:
            return data
        self.problem(where, f"expected text of 1 to {_MAX_TEXT} characters, got {_kind(data)}")
        return "?"

    def _texts(self, where: str, data: object) -> tuple[str, ...]:
        items = self._list(where, data)
        return tuple(self._text(f"{where}[{n}]", x).casefold() for n, x in enumerate(items))

    def _set(self, where: str, item: Mapping[str, Any], name: str) -> frozenset[str]:
        return frozenset(self._texts(f"{where}.{name}", item.get(name)))

    def _number(self, where: str, data: object) -> int | None:
        if data is None or (isinstance(data, int) and not isinstance(data, bool) and data > 0):
            return data
        self.problem(where, f"expected a whole number above 0, got {_kind(data)}")
        return None

    def _sure(self, where: str, data: object) -> Confidence:
        if isinstance(data, str) and data in list(Confidence):
            return Confidence(data)
        self.problem(where, f"sure: expected {', '.join(Confidence)}, got {data!r}")
        return Confidence.WEAK

    def _namesake(self, where: str, data: object) -> Namesake:
        if isinstance(data, str) and data in list(Namesake):
            return Namesake(data)
        self.problem(where, f"expected person or word, got {data!r}")
        return Namesake.PERSON

    def _one_of(self, where: str, item: Mapping[str, Any], name: str, only: str) -> bool:
        value = item.get(name)
        if value not in (None, only):
            self.problem(f"{where}.{name}", f"expected {only}, got {value!r}")
        return value == only

    def _unique(self, where: str, texts: Iterable[str]) -> None:
        seen: set[str] = set()
        for text in texts:
            if text in seen:
                self.problem(where, f"{text!r} is there twice")
            seen.add(text)


def _kind(data: object) -> str:
    return "nothing" if data is None else type(data).__name__
