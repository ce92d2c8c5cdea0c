"""Checks the content of ``signatures.yaml``, and builds a catalogue if nothing is wrong with it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from github_app.judge.catalogue import (
    PLACEHOLDER,
    Account,
    Catalogue,
    Generic,
    Key,
    Mark,
    MarkKind,
    ModelFamily,
    Namesake,
    Tool,
)
from github_app.judge.errors import CatalogueError
from github_app.judge.signals import Confidence

_MAX_TEXT = 200  # characters in one mark: longer ones are mistakes
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


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
        if kind in (MarkKind.LINK, MarkKind.BRANCH) and "{" in PLACEHOLDER.sub("", text):
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
