"""Patterns for paths and names, as in a .gitignore file, without regard to case.

``*`` and ``?`` stop at a slash, ``**`` between slashes does not, ``[a-z]`` is one character. A
pattern with a slash inside starts at the top, one without matches at any depth, and both match
everything below what they name. Where git is strict about what is a directory, this is not:
``infra/`` also covers a file, link or submodule of that name, because rules only ever tighten.

Matching never goes back: a component takes time in proportion to its length times that of the
pattern, whatever either holds. Source: gitignore(5); git's wildmatch.c for the corners.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_LENGTH = 300


class PatternError(ValueError):
    """A pattern that could not match what its author meant. ``fix`` says what to write."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(found)
        self.found, self.fix = found, fix


@dataclass(frozen=True, slots=True)
class _Class:
    """``[a-z]``: one character inside (or outside) of these ranges, in either case."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def __contains__(self, character: str) -> bool:
        forms = {character, character.lower(), character.upper()}
        inside = any(low <= form <= high for low, high in self.ranges for form in forms)
        return inside is not self.negated


@dataclass(frozen=True, slots=True)
class _Anything:
    """``?``."""

    def __contains__(self, character: str) -> bool:
        return True


_Token = str | _Class | _Anything
Fold = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Run:
    """What stands between two stars: every token is one character wide."""

    tokens: tuple[_Token, ...]
    literal: str | None  # the whole run, when it is nothing but characters

    def at(self, text: str, start: int) -> bool:
        if self.literal is not None:
            return text.startswith(self.literal, start)
        return start + len(self.tokens) <= len(text) and all(
            character == token if isinstance(token, str) else character in token
            for token, character in zip(
                self.tokens, text[start : start + len(self.tokens)], strict=True
            )
        )

    def find(self, text: str, start: int, end: int) -> int:
        """The first place in ``text[start:end]`` where the run fits; -1 if nowhere."""
        if self.literal is not None:
            return text.find(self.literal, start, end)
        last = end - len(self.tokens)
        return next((at for at in range(start, last + 1) if self.at(text, at)), -1)


@dataclass(frozen=True, slots=True)
class _Component:
    """A pattern for what stands between two slashes."""

    runs: tuple[_Run, ...]

    @property
    def literal(self) -> str | None:
        return self.runs[0].literal if len(self.runs) == 1 else None

    def matches(self, text: str) -> bool:
        first, last = self.runs[0], self.runs[-1]
        if len(self.runs) == 1:
            return len(text) == len(first.tokens) and first.at(text, 0)
        end = len(text) - len(last.tokens)
        at = len(first.tokens)
        if end < at or not first.at(text, 0) or not last.at(text, end):
            return False
        for run in self.runs[1:-1]:
            at = run.find(text, at, end)
            if at < 0:
                return False
            at += len(run.tokens)
        return True


@dataclass(frozen=True, slots=True)
class _Form:
    """A pattern in one way of folding case: groups of components, with ``**`` between them."""

    groups: tuple[tuple[_Component, ...], ...]
    floating: bool  # begins with **

    def matches(self, parts: list[str]) -> bool:
        at = 0
        for number, group in enumerate(self.groups):
            last = len(parts) - len(group) if number or self.floating else at
            at = self._find(group, parts, at, last)
            if at < 0:
                return False
            at += len(group)
        return True

    @staticmethod
    def _find(group: tuple[_Component, ...], parts: list[str], first: int, last: int) -> int:
        for at in range(first, min(last, len(parts) - len(group)) + 1):
            here = zip(group, parts[at : at + len(group)], strict=True)
            if all(component.matches(part) for component, part in here):
                return at
        return -1


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern. Make it with ``compile_glob``."""

    pattern: str
    forms: tuple[_Form, ...]

    def matches(self, name: str) -> bool:
        """Whether ``name`` (slashes between its parts), or something it lies below, matches."""
        return any(form.matches(parts) for parts in split_folded(name) for form in self.forms)


@lru_cache(maxsize=4096)
def compile_glob(pattern: str, *, anchored: bool = False) -> Glob:
    """``pattern`` made ready for matching.

    ``anchored`` makes a pattern without a slash start at the top too: for names of branches.
    Errors: PatternError for one that is no pattern, would exclude, or could never match.
    """
    _refuse_useless(pattern)
    normal = unicodedata.normalize("NFC", pattern)
    foldings = (_simple,) if normal.isascii() else (_simple, str.casefold)
    forms = (_compile(normal, anchored=anchored, fold=fold) for fold in foldings)
    return Glob(pattern, tuple(dict.fromkeys(forms)))


def split_folded(name: str) -> list[list[str]]:
    """The parts of a name with case folded; in both ways of folding where they could differ."""
    if name.isascii():
        return [name.lower().split("/")]
    normal = unicodedata.normalize("NFC", name)
    folded = dict.fromkeys(("".join(map(_simple, normal)), normal.casefold()))
    return [text.split("/") for text in folded]


class GlobIndex:
    """Many patterns, each with the number of its owner, asked at once about many names.

    The patterns are merged by their components, so that folders are looked at once for all of
    them and for all the files inside.
    """

    def __init__(self, globs: Iterable[tuple[int, Glob]]) -> None:
        self._root = _Node()
        for owner, glob in globs:
            for form in glob.forms:
                self._add(form, owner)

    def owners(self, names: Iterable[str]) -> set[int]:
        """Whose patterns match at least one of the names."""
        walk = _Walk()
        for name in names:
            for parts in split_folded(name):
                state = walk.state(self._root.reached())
                for part in parts:
                    state = walk.step(state, part)
        return walk.found

    def _add(self, form: _Form, owner: int) -> None:
        node = self._root
        for number, group in enumerate(form.groups):
            node = node.below() if number or form.floating else node
            for component in group:
                node = node.child(component)
        node.owners.add(owner)


class _Node:
    """A place in the merged patterns: what may come next, and whose pattern is complete here."""

    __slots__ = ("_gap", "_literal", "_loops", "_others", "_prefixes", "_suffixes", "owners")

    def __init__(self, *, loops: bool = False) -> None:
        self.owners: set[int] = set()
        self._loops = loops  # stays where it is for any number of components: **
        self._gap: _Node | None = None
        self._literal: dict[str, _Node] = {}
        self._suffixes: dict[str, dict[_Component, _Node]] = {}
        self._prefixes: dict[str, dict[_Component, _Node]] = {}
        self._others: dict[_Component, _Node] = {}

    def below(self) -> "_Node":
        """Where a ``**`` leads from here."""
        if self._loops:
            return self
        self._gap = self._gap or _Node(loops=True)
        return self._gap

    def child(self, component: _Component) -> "_Node":
        if component.literal is not None:
            return self._literal.setdefault(component.literal, _Node())
        return self._shelf(component).setdefault(component, _Node())

    def _shelf(self, component: _Component) -> dict[_Component, "_Node"]:
        """Where a component with wildcards is kept: by its most telling end."""
        suffix = component.runs[-1].literal or ""
        if len(component.runs) > 1 and "." in suffix:
            return self._suffixes.setdefault(suffix[suffix.rfind(".") :], {})
        prefix = component.runs[0].literal or ""
        if len(prefix) > 1:
            return self._prefixes.setdefault(prefix[:2], {})
        return self._others

    def reached(self) -> tuple["_Node", ...]:
        """What is looked at from here on: this, and where a ``**`` for nothing leads."""
        return (self,) if self._gap is None else (self, self._gap)

    def after(self, part: str) -> "Iterator[_Node]":
        """What is reached by a component of this text."""
        if self._loops:
            yield self
        if part in self._literal:
            yield from self._literal[part].reached()
        shelves = [self._others]
        if self._suffixes:
            shelves.append(self._suffixes.get(part[part.rfind(".") :], {}))
        if self._prefixes:
            shelves.append(self._prefixes.get(part[:2], {}))
        for shelf in shelves:
            for component, node in shelf.items():
                if component.matches(part):
                    yield from node.reached()


class _State:
    """A set of nodes, and where it leads by each component that was met."""

    __slots__ = ("following", "nodes")

    def __init__(self, nodes: tuple[_Node, ...]) -> None:
        self.nodes = nodes
        self.following: dict[str, _State] = {}


class _Walk:
    """One walk over many names; ``found`` has the owners of every pattern that was completed."""

    def __init__(self) -> None:
        self.found: set[int] = set()
        self._states: dict[tuple[_Node, ...], _State] = {}

    def state(self, nodes: tuple[_Node, ...]) -> _State:
        known = self._states.get(nodes)
        if known is None:
            known = self._states[nodes] = _State(nodes)
            for node in nodes:
                self.found |= node.owners
        return known

    def step(self, state: _State, part: str) -> _State:
        known = state.following.get(part)
        if known is None:
            reached = (after for node in state.nodes for after in node.after(part))
            known = state.following[part] = self.state(tuple(dict.fromkeys(reached)))
        return known


def _simple(character: str) -> str:
    """Folded character by character, so that ``?`` stays as wide as what it stands for."""
    folded = character.casefold()
    return folded if len(folded) == 1 else character.lower()[:1]


def _refuse_useless(pattern: str) -> None:
    if not pattern:
        raise PatternError("an empty pattern", "write what it should match")
    if len(pattern) > MAX_LENGTH:
        found = f"a pattern of {len(pattern)} characters"
        raise PatternError(found, f"use at most {MAX_LENGTH}")
    if pattern != pattern.strip():
        raise PatternError("a pattern with white space around it", "remove the white space")
    if pattern.startswith("!"):
        raise PatternError(
            "a pattern that excludes: rules may only tighten",
            "write patterns for what the rule covers, without !",
        )
    parts = pattern.strip("/").split("/") if pattern.strip("/") else [""]
    if "" in parts or pattern.startswith("//") or pattern.endswith("//"):
        raise PatternError("a slash with nothing beside it", "remove it; ** matches everything")
    if "." in parts or ".." in parts:
        raise PatternError("a pattern with . or .. in it", "write paths from the repository's top")


def _compile(pattern: str, *, anchored: bool, fold: Fold) -> _Form:
    top = anchored or "/" in pattern.rstrip("/")
    texts = pattern.strip("/").split("/")
    groups: list[list[_Component]] = [[]]
    for text in texts:
        if text == "**":
            groups.append([])
        else:
            groups[-1].append(_component(text, fold))
    floating = not top or texts[0] == "**"
    return _Form(tuple(tuple(group) for group in groups if group), floating)


def _component(text: str, fold: Fold) -> _Component:
    runs: list[list[_Token]] = [[]]
    at = 0
    while at < len(text):
        token, at = _token(text, at)
        if token is None:
            if text[at : at + 1] == "*":  # git reads a**/b in two ways, by what stands before it
                raise PatternError("two stars beside something else", "write *, or **/ alone")
            runs.append([])
        elif isinstance(token, str):
            runs[-1] += fold(token)
        else:
            runs[-1].append(token)
    inner = [run for run in runs[1:-1] if run]
    kept = [runs[0], *inner, runs[-1]] if len(runs) > 1 else runs
    return _Component(tuple(_run(tokens) for tokens in kept))


def _run(tokens: list[_Token]) -> _Run:
    characters = [token for token in tokens if isinstance(token, str)]
    literal = "".join(characters) if len(characters) == len(tokens) else None
    return _Run(tuple(tokens), literal)


def _token(text: str, at: int) -> tuple[_Token | None, int]:
    """The token that starts at ``at`` (None for a star), and where the next one starts."""
    character = text[at]
    if character == "*":
        return None, at + 1
    if character == "?":
        return _Anything(), at + 1
    if character == "[":
        return _class(text, at + 1)
    if character == "\\":
        if at + 1 == len(text):
            raise PatternError("a backslash with nothing after it", "write \\\\ for a backslash")
        return text[at + 1], at + 2
    return character, at + 1


def _class(text: str, at: int) -> tuple[_Class, int]:
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    ranges: list[tuple[str, str]] = []
    first = at
    while text[at : at + 1] != "]" or at == first:
        if text.startswith("[:", at):
            raise PatternError("a named class such as [:alpha:]", "write the characters: [a-z]")
        low, at = _class_character(text, at)
        high = low
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            high, at = _class_character(text, at + 1)
        if low > high:
            raise PatternError("a range that runs backwards", f"write [{high}-{low}]")
        ranges.append((low, high))
    return _Class(tuple(ranges), negated), at + 1


def _class_character(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] == "\\":
        at += 1
    if at >= len(text):
        raise PatternError("a [ without its ]", "close it, or write \\[ for the character")
    return text[at], at + 1
