"""Git objects in memory: blobs, trees, commits with git's own SHA-1; ancestry, diff, merge."""

from __future__ import annotations

import difflib
import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

FILE, EXECUTABLE, SYMLINK, SUBMODULE, DIRECTORY = "100644", "100755", "120000", "160000", "40000"
EMPTY_SHA = "0" * 40
_SIMILAR = 0.5  # git's default rename threshold
MAX_PATCH_BYTES = 1024 * 1024  # GitHub shows no patch for a larger file diff
MAX_PATCH_LINES = 20_000
_RENAME_PAIRS = 400  # beyond this many pairs only identical files count as renamed


class MergeConflict(Exception):
    """Both sides changed one file in different ways; ``args[0]`` is its path."""


def _sha(kind: str, body: bytes) -> str:
    return hashlib.sha1(
        b"%s %d\0" % (kind.encode(), len(body)) + body, usedforsecurity=False
    ).hexdigest()


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's content."""

    sha: str
    data: bytes

    @classmethod
    def of(cls, data: bytes) -> Blob:
        return cls(_sha("blob", data), data)

    @property
    def is_binary(self) -> bool:
        return b"\0" in self.data[:8000]

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree: its mode and the object behind it."""

    mode: str
    node: Blob | Tree


class Tree:
    """A directory; never changed once made, so trees are shared between commits."""

    __slots__ = ("entries", "sha")

    def __init__(self, entries: dict[str, Entry]) -> None:
        self.entries = entries
        self.sha: str

        # git sorts directories as if their names ended in a slash
        def key(item: tuple[str, Entry]) -> bytes:
            return (item[0] + "/" if item[1].mode == DIRECTORY else item[0]).encode()

        body = b"".join(
            f"{entry.mode} {name}".encode() + b"\0" + bytes.fromhex(entry.node.sha)
            for name, entry in sorted(entries.items(), key=key)
        )
        self.sha = _sha("tree", body)

    def get(self, path: str) -> Entry | None:
        """The entry at a slash-separated path, or None."""
        here: Blob | Tree = self
        entry: Entry | None = None
        for part in path.split("/"):
            if not isinstance(here, Tree) or (entry := here.entries.get(part)) is None:
                return None
            here = entry.node
        return entry

    def files(self, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Every file below, with its whole path."""
        for name, entry in self.entries.items():
            if isinstance(entry.node, Tree):
                yield from entry.node.files(f"{prefix}{name}/")
            else:
                yield prefix + name, entry

    def updated(self, changes: dict[str, Entry | None]) -> Tree:
        """A copy with the paths of ``changes`` set, or removed where the value is None."""
        entries, below = dict(self.entries), dict[str, dict[str, Entry | None]]()
        for path, entry in changes.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            elif entry is None:
                entries.pop(name, None)
            else:
                entries[name] = entry
        for name, inner in below.items():
            old = entries.get(name)
            new = (old.node if old and isinstance(old.node, Tree) else Tree({})).updated(inner)
            if new.entries:
                entries[name] = Entry(DIRECTORY, new)
            else:
                entries.pop(name, None)
        return Tree(entries)


EMPTY_TREE = Tree({})


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, as typed into the commit: nothing here is authenticated."""

    name: str
    email: str
    date: datetime

    def line(self) -> str:
        return f"{self.name} <{self.email}> {int(self.date.timestamp())} +0000"


@dataclass(frozen=True, slots=True, eq=False)
class Commit:
    """A commit. ``signed_by``: "" unsigned, "web-flow" GitHub's key, else the signer's login."""

    sha: str
    tree: Tree
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str
    signed_by: str
    generation: int

    @property
    def headline(self) -> str:
        return self.message.split("\n", 1)[0]

    @property
    def by_web(self) -> bool:
        return self.committer.email == "noreply@github.com"


@dataclass(slots=True)
class Store:
    """The objects of one network: a repository and its forks share them, as on GitHub."""

    commits: dict[str, Commit] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def size(self, commit: Commit) -> tuple[int, int, int]:
        """Added lines, deleted lines and changed files, against the first parent."""
        if commit.sha not in self.sizes:
            parent = self.commits[commit.parents[0]].tree if commit.parents else EMPTY_TREE
            counts = [change.counts for change in diff(parent, commit.tree)]
            added, deleted = sum(one[0] for one in counts), sum(one[1] for one in counts)
            self.sizes[commit.sha] = added, deleted, len(counts)
        return self.sizes[commit.sha]

    def commit(
        self,
        tree: Tree,
        parents: Iterable[str],
        author: Signature,
        committer: Signature,
        message: str,
        signed_by: str = "",
    ) -> Commit:
        """Make (or find) the commit with this content."""
        parents = tuple(parents)
        lines = [f"tree {tree.sha}", *(f"parent {sha}" for sha in parents)]
        lines += [f"author {author.line()}", f"committer {committer.line()}"]
        if signed_by:
            lines.append(f"gpgsig -----BEGIN SANDBOX SIGNATURE----- {signed_by}")
        body = ("\n".join(lines) + "\n\n" + message).encode("utf-8", errors="surrogatepass")
        sha = _sha("commit", body)
        if sha not in self.commits:
            generation = 1 + max((self.commits[p].generation for p in parents), default=0)
            self.commits[sha] = Commit(
                sha, tree, parents, author, committer, message, signed_by, generation
            )
        return self.commits[sha]

    def find(self, prefix: str) -> Commit | None:
        """A commit by whole SHA or by an unambiguous prefix of at least 7 digits."""
        if len(prefix) == 40:
            return self.commits.get(prefix)
        if len(prefix) < 7:
            return None
        found = [sha for sha in self.commits if sha.startswith(prefix)]
        return self.commits[found[0]] if len(found) == 1 else None

    def history(self, sha: str) -> Iterator[Commit]:
        """The commit and its ancestors, children before parents."""
        heap, seen = [(-self.commits[sha].generation, sha)], {sha}
        while heap:
            commit = self.commits[heapq.heappop(heap)[1]]
            yield commit
            for parent in commit.parents:
                if parent not in seen:
                    seen.add(parent)
                    heapq.heappush(heap, (-self.commits[parent].generation, parent))

    def _painted(self, left: str, right: str) -> Iterator[tuple[Commit, int]]:
        """Walk down from both sides; 1 = only left reaches it, 2 = only right, 3 = both."""
        flags = {left: 1}
        flags[right] = flags.get(right, 0) | 2
        heap = [(-self.commits[sha].generation, sha) for sha in flags]
        heapq.heapify(heap)
        open_ones = sum(flag != 3 for flag in flags.values())
        while heap:
            sha = heapq.heappop(heap)[1]
            commit, flag = self.commits[sha], flags[sha]
            yield commit, flag
            open_ones -= flag != 3
            for parent in commit.parents:
                old = flags.get(parent)
                new = flags[parent] = (old or 0) | flag
                if old is None:
                    heapq.heappush(heap, (-self.commits[parent].generation, parent))
                open_ones += (new != 3) - (old is not None and old != 3)
            if not open_ones:
                for _, rest in heap:
                    yield self.commits[rest], flags[rest]
                return

    def between(self, base: str, head: str) -> list[Commit]:
        """``base..head``: what head has and base has not, parents before children."""
        found = [commit for commit, flag in self._painted(head, base) if flag == 1]
        found.reverse()
        return found

    def merge_base(self, left: str, right: str) -> str | None:
        """The best common ancestor, or None for unrelated histories."""
        both = [commit for commit, flag in self._painted(left, right) if flag == 3]
        return max(both, key=lambda commit: commit.generation).sha if both else None

    def is_ancestor(self, old: str, new: str) -> bool:
        return old == new or self.merge_base(old, new) == old


@dataclass(eq=False)
class FileChange:
    """One file of a diff. status: added, removed, modified, renamed (REST's words)."""

    path: str
    old_path: str
    status: str
    old: Entry | None
    new: Entry | None

    @property
    def is_binary(self) -> bool:
        return any(
            e and isinstance(e.node, Blob) and e.node.is_binary for e in (self.old, self.new)
        )

    @cached_property
    def _lines(self) -> tuple[list[str], list[str]]:
        return lines_of(self.old), lines_of(self.new)

    @cached_property
    def counts(self) -> tuple[int, int]:
        """Added and deleted lines; (0, 0) for binary files, as on GitHub."""
        old, new = self._lines
        if self.is_binary:
            return 0, 0
        if not old or not new:
            return len(new), len(old)
        added = deleted = 0
        for tag, a, b, c, d in difflib.SequenceMatcher(
            None, old, new, autojunk=False
        ).get_opcodes():
            if tag != "equal":
                added, deleted = added + d - c, deleted + b - a
        return added, deleted

    @cached_property
    def patch(self) -> str | None:
        """The hunks without file headers; None if binary, unchanged or too large to show."""
        if self.is_binary or (self.old and self.new and self.old.node.sha == self.new.node.sha):
            return None
        old, new = self._lines
        lines = list(difflib.unified_diff(old, new, lineterm=""))[2:]
        text = "\n".join(lines).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        too_large = len(lines) > MAX_PATCH_LINES or len(text.encode()) > MAX_PATCH_BYTES
        return None if too_large else text


def diff(old: Tree, new: Tree) -> list[FileChange]:
    """File changes from one tree to the other, sorted by path, renames found as git does."""
    changes = list(_walk(old, new, ""))
    removed = [c for c in changes if c.status == "removed"]
    added = [c for c in changes if c.status == "added"]
    for source, target in _renames(removed, added):
        changes.remove(source)
        target.status, target.old_path, target.old = "renamed", source.path, source.old
    return sorted(changes, key=lambda change: change.path)


def _walk(old: Tree, new: Tree, prefix: str) -> Iterator[FileChange]:
    if old.sha == new.sha:
        return
    for name in old.entries.keys() | new.entries.keys():
        was, now = old.entries.get(name), new.entries.get(name)
        if was and now and was.node.sha == now.node.sha and was.mode == now.mode:
            continue
        path = prefix + name
        was_tree = was.node if was and isinstance(was.node, Tree) else EMPTY_TREE
        now_tree = now.node if now and isinstance(now.node, Tree) else EMPTY_TREE
        yield from _walk(was_tree, now_tree, path + "/")
        was = was if was and isinstance(was.node, Blob) else None
        now = now if now and isinstance(now.node, Blob) else None
        if was or now:
            status = "modified" if was and now else "added" if now else "removed"
            yield FileChange(path, path, status, was, now)


def _renames(
    removed: list[FileChange], added: list[FileChange]
) -> Iterator[tuple[FileChange, FileChange]]:
    by_sha: dict[str, list[FileChange]] = {}
    for change in sorted(removed, key=lambda c: c.path, reverse=True):
        if change.old:
            by_sha.setdefault(change.old.node.sha, []).append(change)
    left = []
    for change in sorted(added, key=lambda c: c.path):
        twins = by_sha.get(change.new.node.sha) if change.new else None
        if twins:
            yield twins.pop(), change
        else:
            left.append(change)
    rest = [change for twins in by_sha.values() for change in twins]
    if len(rest) * len(left) > _RENAME_PAIRS:
        return
    for change in left:
        best = max(rest, key=lambda other: _similarity(other, change), default=None)
        if best and _similarity(best, change) >= _SIMILAR:
            rest.remove(best)
            yield best, change


def _similarity(removed: FileChange, added: FileChange) -> float:
    return similarity(removed.old, added.new)


def similarity(old: Entry | None, new: Entry | None) -> float:
    """How much of two files is alike, from 0 to 1."""
    if old and new and old.node.sha == new.node.sha:
        return 1.0
    before, after = lines_of(old), lines_of(new)
    if not before or not after:
        return 0.0
    return difflib.SequenceMatcher(None, before, after, autojunk=False).ratio()


def lines_of(entry: Entry | None) -> list[str]:
    """A file's lines, bytes that are no UTF-8 kept as they are (PEP 383). One that ends without a
    line feed says so, in git's words, on a line of its own."""
    if entry is None or not isinstance(entry.node, Blob) or not entry.node.data:
        return []
    lines = entry.node.data.decode("utf-8", "surrogateescape").split("\n")
    if lines[-1]:
        lines[-1] += "\n\\ No newline at end of file"
    else:
        lines.pop()
    return lines


def merge_trees(base: Tree, ours: Tree, theirs: Tree, prefix: str = "") -> Tree:
    """Three-way merge by whole files; raises MergeConflict where both sides changed one."""
    if ours.sha == theirs.sha or theirs.sha == base.sha:
        return ours
    if ours.sha == base.sha:
        return theirs
    entries: dict[str, Entry] = {}
    for name in ours.entries.keys() | theirs.entries.keys():
        sides = (base.entries.get(name), ours.entries.get(name), theirs.entries.get(name))
        merged = _merge_entry(*sides, prefix + name)
        if merged:
            entries[name] = merged
    return Tree(entries)


def _merge_entry(
    base: Entry | None, ours: Entry | None, theirs: Entry | None, path: str
) -> Entry | None:
    def same(a: Entry | None, b: Entry | None) -> bool:
        return (a and (a.mode, a.node.sha)) == (b and (b.mode, b.node.sha))

    if same(ours, theirs) or same(theirs, base):
        return ours
    if same(ours, base):
        return theirs
    if ours and theirs and isinstance(ours.node, Tree) and isinstance(theirs.node, Tree):
        old = base.node if base and isinstance(base.node, Tree) else EMPTY_TREE
        tree = merge_trees(old, ours.node, theirs.node, path + "/")
        return Entry(DIRECTORY, tree) if tree.entries else None
    raise MergeConflict(path)
