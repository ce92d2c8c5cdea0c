"""What was seen of a change and may since have been hidden. Only ever added to.

``Memories.read`` gives the judge everything that was ever seen of a pull request, and of the same
commits or patches in others of the repository. Which of those belong to it: ``memory_sql.py``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import Connection, Row, Select, select

from github_app.judge.facts import Push
from github_app.judge.likeness import Range, is_of_commit
from github_app.judge.memory import Lookalike, Memory, Remembered
from github_app.judge.signals import Signal
from github_app.store import memory_sql as sql
from github_app.store.clock import iso, iso_from_unix, now
from github_app.store.engine import Database
from github_app.store.memory_rows import (
    actor_of,
    evidence_row,
    push_of,
    push_row,
    pusher_row,
    remembered,
    signal_row,
)
from github_app.store.statement import insert, run
from github_app.store.tables import (
    evidence,
    heads,
    likenesses,
    merges,
    patches,
    pushers,
    pushes,
)
from github_app.store.text import clean

_OIDS_AT_ONCE = 500
_LOOKALIKES = 20  # newest first; each may cost two calls
_LOOKED_AT = 200
_Values = dict[str, Any]


class BranchPush(Protocol):
    """An authenticated push to a branch; ``ref`` is without ``refs/heads/``."""

    @property
    def repository_id(self) -> int: ...
    @property
    def ref(self) -> str: ...
    @property
    def push(self) -> Push: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The pull request whose memory is meant.

    ``commit_oids`` are all its commits, the head among them. ``head_repository_id`` and
    ``head_ref`` name its branch; None where the head repository is gone. ``patch_ids`` identify
    its content, where it is known. ``likenesses``: what it has in common with copies of it (judge/
    likeness.py). ``unmistakable``: those of them that need no proof if there can be none.
    """

    repository_id: int
    number: int
    head_oid: str
    commit_oids: Sequence[str] = ()
    head_repository_id: int | None = None
    head_ref: str | None = None
    patch_ids: Sequence[str] = ()
    likenesses: Mapping[str, Sequence[Range]] = field(default_factory=dict)
    unmistakable: frozenset[str] = frozenset()


class Memories:
    """The memory of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = {
            table.name: sql.keeping_first(database.dialect, table)
            for table in (evidence, likenesses, merges, patches, pushers, pushes)
        }
        seen = insert(database.dialect, heads)
        self._see_head = seen.on_conflict_do_update(
            index_elements=list(heads.primary_key),
            set_={"last_seen": seen.excluded.last_seen},
            where=heads.c.last_seen < seen.excluded.last_seen,
        )

    def read(self, change: Change) -> Memory:
        """All that was seen of the change. Evidence is sorted by when it was first seen.

        What was seen at several places is listed once: from this pull request if it was seen
        there. What was only seen in others counts as first seen now: nobody can have cleared it of
        this change before it came into it. Pushes are those that lead back from the head along its
        branch.
        """
        repository, commits = change.repository_id, [change.head_oid, *change.commit_oids]
        with self._database.read() as connection:
            found = [
                *run(connection, sql.EVIDENCE_OF_PULL, _pull(change)),
                *_in_parts(connection, sql.EVIDENCE_OF_COMMITS, repository, commits),
                *_in_parts(connection, sql.EVIDENCE_CARRIED, repository, commits),
                *_in_parts(connection, sql.EVIDENCE_OF_MERGES, repository, commits),
                *_of_others(connection, change),
            ]
            lookalikes = _lookalikes(connection, change, {row.digest for row in found})
            now_iso = _time(connection)
            people = [
                *run(connection, sql.PUSHERS_OF_PULL, _pull(change)),
                *_in_parts(connection, sql.PUSHERS_CARRIED, repository, commits),
            ]
            pushed = list(_in_parts(connection, sql.PUSHES_OF_COMMITS, repository, commits))
            branch = run(connection, sql.PUSHES_OF_BRANCH, _branch(change))
            judged = run(connection, sql.HEADS, _pull(change))
        actors = [actor_of(json.loads(row.actor)) for row in people]
        actors += [push.actor for push in map(push_of, pushed) if push.actor is not None]
        return Memory(
            evidence=_once(found, change.number, now_iso),
            pushers=tuple(sorted(set(actors), key=lambda who: (who.id or 0, who.key))),
            pushes=_leading_to(change.head_oid, [push_of(row) for row in branch]),
            lookalikes=lookalikes,
            heads=frozenset(row.oid for row in judged),
        )

    def add(
        self,
        change: Change,
        seen: Memory,
        *,
        patch_signals: Mapping[str, Iterable[Signal]] | None = None,
        likenesses: Iterable[tuple[str, Range]] = (),
        seen_at: datetime | None = None,
    ) -> bool:
        """Remember ``seen`` of the change, for ever. Durable; False: all of it was known.

        What is remembered keeps its first time. ``patch_signals``: patch id -> signals of the
        commit that made the patch. ``likenesses``: those of the change by which its evidence
        may follow. ``seen_at`` (aware): when the facts were read; the database's clock if it is not
        given.
        """
        rows = self._rows(change, seen, patch_signals or {}, likenesses)
        with self._database.read() as connection:
            if self._all_known(connection, change, rows):
                return False

        def write(connection: Connection) -> None:
            at = iso(seen_at) if seen_at else _time(connection)
            pull = {"repository_id": change.repository_id, "number": change.number}
            last_seen = max([at, *(row["first_seen"] for row in rows["evidence"])])
            run(connection, self._see_head, pull | {"oid": change.head_oid, "last_seen": last_seen})
            for table, values in rows.items():
                dated = [{"first_seen": at, **row} for row in values]
                self._write_all(connection, table, dated)

        self._database.together(write)
        return True

    def add_merge(self, repository_id: int, number: int, merge_oid: str) -> None:
        """Remember by which commit a pull request was merged: it carries its evidence. Durable."""
        row = {"repository_id": repository_id, "number": number, "merge_oid": clean(merge_oid)}
        with self._database.write() as connection:
            self._write_all(connection, "merges", [row | {"first_seen": _time(connection)}])

    def knows_push(self, repository_id: int, ref: str, after: str) -> bool:
        """Whether a push that brought the branch to this commit is remembered."""
        values = {"repository": repository_id, "its_ref": clean(ref), "its_after": after}
        with self._database.read() as connection:
            return connection.execute(sql.PUSH_TO, values).first() is not None

    def was_tip(self, repository_id: int, ref: str, oid: str) -> bool:
        """Whether the branch is known to have been at this commit, before or after some push."""
        values = {"repository": repository_id, "its_ref": clean(ref)}
        with self._database.read() as connection:
            rows = connection.execute(sql.PUSHES_OF_BRANCH, values).all()
        return any(oid in {row.after, push_of(row).before} for row in rows)

    def last_push(self, repository_id: int, ref: str) -> str | None:
        """The commit that the last push we were told of brought the branch to."""
        values = {"repository": repository_id, "its_ref": clean(ref)}
        with self._database.read() as connection:
            row = connection.execute(sql.PUSHES_OF_BRANCH.limit(1), values).first()
        return None if row is None else str(row.after)

    def add_pushes(self, pushed: Iterable[BranchPush]) -> None:
        """Remember pushes that webhooks told of. Durable."""
        pushed = list(pushed)
        if pushed:
            with self._database.write() as connection:
                self.add_pushes_within(connection, pushed)

    def add_pushes_within(self, connection: Connection, pushed: Iterable[BranchPush]) -> None:
        rows = [push_row(each.repository_id, each.ref, each.push) for each in pushed]
        at = _time(connection) if rows else ""
        self._write_all(connection, "pushes", [row | {"first_seen": at} for row in rows])

    def _rows(
        self,
        change: Change,
        seen: Memory,
        patch_signals: Mapping[str, Iterable[Signal]],
        alike: Iterable[tuple[str, Range]],
    ) -> dict[str, list[_Values]]:
        pull = {"repository_id": change.repository_id, "number": change.number}
        branch = (change.head_repository_id, change.head_ref)
        return {
            "evidence": [evidence_row(each) | pull for each in seen.evidence],
            "pushers": [pusher_row(actor) | pull for actor in seen.pushers],
            "pushes": []
            if branch[0] is None or branch[1] is None
            else [push_row(branch[0], branch[1], push) for push in seen.pushes],
            "patches": [
                signal_row(signal)
                | {"repository_id": change.repository_id, "patch_id": patch}
                | {"origin": change.number}
                for patch, signals in patch_signals.items()
                for signal in signals
            ],
            "likenesses": [
                pull | {"likeness": likeness, "base_oid": made.base_oid, "head_oid": made.head_oid}
                for likeness, made in alike
            ],
        }

    def _all_known(
        self, connection: Connection, change: Change, rows: Mapping[str, Sequence[_Values]]
    ) -> bool:
        """Whether a write would change nothing: then most judgements need none."""
        if not run(connection, sql.HEAD, _pull(change) | {"its_oid": change.head_oid}):
            return False
        of_pull, of_branch = _pull(change), _branch(change)
        patch_ids = sorted({row["patch_id"] for row in rows["patches"]})
        known: dict[str, Iterable[Any]] = {
            "evidence": run(connection, sql.DIGESTS_OF_PULL, of_pull),
            "pushers": run(connection, sql.PUSHERS_OF_PULL, of_pull),
            "pushes": run(connection, sql.PUSHES_OF_BRANCH, of_branch),
            "patches": _in_parts(connection, sql.PATCHES, change.repository_id, patch_ids),
            "likenesses": run(connection, sql.LIKENESSES_OF_PULL, of_pull),
        }
        return all(
            {_identity(row) for row in values} <= {_identity(row._asdict()) for row in known[table]}
            for table, values in rows.items()
        )

    def _write_all(self, connection: Connection, table: str, rows: Sequence[_Values]) -> None:
        # In one order everywhere, so that two writers never wait for each other.
        for row in sorted(rows, key=_identity):
            run(connection, self._write[table], row)


# --- which rows belong to a change -----------------------------------------------------------


def _pull(change: Change) -> dict[str, Any]:
    return {"repository": change.repository_id, "its_number": change.number}


def _branch(change: Change) -> dict[str, Any]:
    return {"repository": change.head_repository_id, "its_ref": clean(change.head_ref or "")}


def _in_parts(
    connection: Connection, statement: Select[Any], repository_id: int, values: Sequence[str]
) -> Iterator[Row[Any]]:
    for start in range(0, len(values), _OIDS_AT_ONCE):
        some = list(values[start : start + _OIDS_AT_ONCE])
        yield from run(connection, statement, {"repository": repository_id, "values": some})


def _identity(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells a row from others of its table and its pull request, repository or branch."""
    names = ("digest", "patch_id", "likeness", "head_oid", "merge_oid")
    return tuple(row[name] for name in names if name in row)


def _lookalikes(connection: Connection, change: Change, known: set[str]) -> tuple[Lookalike, ...]:
    """Other pull requests' patches that may be this one's, with evidence not known of it."""
    repository = change.repository_id
    own = {change.head_oid, *change.commit_oids}
    found: list[Lookalike] = []
    rows = _in_parts(connection, sql.ALIKE, repository, sorted(change.likenesses))
    for row in islice(rows, _LOOKED_AT):
        if row.number == change.number or row.head_oid in own or len(found) >= _LOOKALIKES:
            continue
        if is_of_commit(row.likeness):
            of_commit = {"repository": repository, "values": [row.head_oid]}
            its = run(connection, sql.EVIDENCE_OF_COMMITS, of_commit)
        else:
            of_pull = {"repository": repository, "its_number": row.number}
            its = run(connection, sql.EVIDENCE_OF_PULL, of_pull)
        new = [each for each in its if each.digest not in known]
        found += [
            Lookalike(
                ours=ours,
                theirs=Range(base_oid=row.base_oid, head_oid=row.head_oid),
                evidence=_once(new, change.number, row.first_seen),
                unmistakable=row.likeness in change.unmistakable,
            )
            for ours in change.likenesses[row.likeness]
            if new
        ]
    return tuple(found[:_LOOKALIKES])


def _of_others(connection: Connection, change: Change) -> Iterator[Row[Any]]:
    """Evidence of other pull requests with this content. Its own says nothing new of a change, and
    would hide where its evidence came from."""
    rows = _in_parts(connection, sql.EVIDENCE_OF_PATCHES, change.repository_id, change.patch_ids)
    return (row for row in rows if row.origin != change.number)


def _once(rows: Iterable[Row[Any]], number: int, now_iso: str) -> tuple[Remembered, ...]:
    """Each piece of evidence once. ``now_iso``: since when what is of others is of this one."""
    best: dict[str, Row[Any]] = {}
    for row in rows:
        known = best.get(row.digest)
        if known is None or _rank(row, number) < _rank(known, number):
            best[row.digest] = row
    ordered = sorted(best.values(), key=lambda row: (row.first_seen, row.digest))
    return tuple(remembered(row, None if _is_own(row, number) else now_iso) for row in ordered)


def _rank(row: Row[Any], number: int) -> tuple[bool, bool, str]:
    return (not _is_own(row, number), row.origin != number, row.first_seen)


def _is_own(row: Row[Any], number: int) -> bool:
    """Whether it was remembered of this very pull request."""
    return getattr(row, "number", None) == number


def _leading_to(head_oid: str, pushed: Sequence[Push]) -> tuple[Push, ...]:
    """The pushes along which the branch came to ``head_oid``, newest first.

    Not every push to a branch of that name: the name may have served another change before.
    """
    by_result: dict[str, list[Push]] = {}
    for push in pushed:
        by_result.setdefault(push.after, []).append(push)
    found: list[Push] = []
    to_follow = [head_oid]
    while to_follow:
        for push in by_result.pop(to_follow.pop(), ()):
            found.append(push)
            to_follow.append(push.before)
    return tuple(found)


def _time(connection: Connection) -> str:
    return iso_from_unix(float(run(connection, _NOW)[0][0]))


_NOW = select(now())
