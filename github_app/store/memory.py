"""What was seen of a change and may since have been hidden. Only ever added to.

``Store.memory.read`` gives the judge everything that was ever seen of this pull request, and of
the same commits or patches in other pull requests of the repository. Read ``_carried``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select

from github_app.judge.facts import Actor, ActorKind, Push
from github_app.judge.memory import Memory, Remembered
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from github_app.store.clock import iso, iso_from_unix, now
from github_app.store.engine import Database
from github_app.store.queue_sql import insert
from github_app.store.tables import evidence, heads, patches, pushes
from github_app.store.text import canonical, clean, sha256

_OIDS_AT_ONCE = 500

_Words = TypeVar("_Words", bound=StrEnum)


class Memories:
    """The memory of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = {
            table.name: insert(database.dialect, table).on_conflict_do_nothing(
                index_elements=list(table.primary_key)
            )
            for table in (evidence, patches, pushes)
        }
        seen = insert(database.dialect, heads)
        self._see_head = seen.on_conflict_do_update(
            index_elements=list(heads.primary_key),
            set_={"last_seen": seen.excluded.last_seen},
            where=heads.c.last_seen < seen.excluded.last_seen,
        )

    def read(
        self,
        repository_id: int,
        number: int,
        commit_oids: Sequence[str],
        *,
        patch_ids: Sequence[str] = (),
    ) -> Memory:
        """All that was seen of the change made of these commits.

        ``commit_oids``: every commit of the pull request, the head among them. Evidence is sorted
        by when it was first seen; one seen at several places is listed once, from this pull
        request if it is there.
        """
        with self._database.read() as connection:
            found = [
                *connection.execute(_OF_PULL, _pull(repository_id, number)),
                *_in_parts(connection, _OF_COMMITS, repository_id, commit_oids),
                *_in_parts(connection, _CARRIED, repository_id, commit_oids),
                *_in_parts(connection, _OF_PATCHES, repository_id, patch_ids),
            ]
            pushed = [
                *connection.execute(_PUSHES_OF_PULL, _pull(repository_id, number)),
                *_in_parts(connection, _PUSHES_OF_COMMITS, repository_id, commit_oids),
                *_in_parts(connection, _PUSHES_CARRIED, repository_id, commit_oids),
            ]
        found.sort(key=lambda row: (row.number != number, row.first_seen, row.digest))
        once = {row.digest: _remembered(row) for row in reversed(found)}
        distinct = {row.digest: _push(json.loads(row.push)) for row in pushed}
        return Memory(
            evidence=tuple(
                sorted(once.values(), key=lambda seen: (seen.first_seen, digest(seen.signal)))
            ),
            pushes=tuple(distinct[key] for key in sorted(distinct)),
        )

    def add(
        self,
        repository_id: int,
        number: int,
        *,
        head_oid: str,
        signals: Iterable[Signal] = (),
        pushes: Iterable[Push] = (),
        patch_signals: Mapping[str, Iterable[Signal]] | None = None,
        seen_at: datetime | None = None,
    ) -> None:
        """Remember what was seen while the pull request's head was ``head_oid``. Durable.

        ``patch_signals``: patch id -> signals of the commit that made that patch. ``seen_at``
        (aware) is when the facts were read; the database's clock if it is not given. What is
        remembered already keeps its first time.
        """
        with self._database.write() as connection:
            at = iso(seen_at) if seen_at else _time(connection)
            place: dict[str, Any] = {"repository_id": repository_id, "number": number}
            seen: dict[str, Any] = {**place, "first_seen": at}
            connection.execute(self._see_head, place | {"oid": head_oid, "last_seen": at})
            self._insert_all(connection, "evidence", [_evidence(s) | seen for s in signals])
            self._insert_all(connection, "pushes", [_stored_push(p) | seen for p in pushes])
            of_patches = [
                {"patch_id": patch, "digest": digest(s), "signal": _stored(s)} | seen
                for patch, its_signals in (patch_signals or {}).items()
                for s in its_signals
            ]
            self._insert_all(connection, "patches", of_patches)

    def add_pushes(
        self, repository_id: int, pushed: Iterable[Push], *, number: int | None = None
    ) -> None:
        """Remember pushes as a webhook tells them; without ``number`` they are found by commit."""
        with self._database.write() as connection:
            seen = {
                "repository_id": repository_id,
                "number": number or 0,
                "first_seen": _time(connection),
            }
            self._insert_all(connection, "pushes", [_stored_push(push) | seen for push in pushed])

    def _insert_all(
        self, connection: Connection, table: str, rows: Sequence[dict[str, Any]]
    ) -> None:
        if rows:
            connection.execute(self._insert[table], rows)


def digest(signal: Signal) -> str:
    """The identity of a piece of evidence: 64 hex digits over all its fields."""
    return sha256(_stored(signal))


def _stored(signal: Signal) -> str:
    return canonical(asdict(signal))


def _evidence(signal: Signal) -> dict[str, Any]:
    in_commit = signal.place is Place.COMMIT and signal.ref
    return {
        "digest": digest(signal),
        "commit_oid": clean(signal.ref) if in_commit else None,
        "signal": _stored(signal),
    }


def _stored_push(push: Push) -> dict[str, Any]:
    actor = None if push.actor is None else asdict(push.actor)
    who_what = {"actor": actor, "before": push.before, "after": push.after, "kind": push.kind}
    return {
        # Without the time: the webhook and the activity list tell of one push at two times.
        "digest": sha256(canonical(who_what)),
        "after": clean(push.after),
        "push": canonical(who_what | {"at": iso(push.at)}),
    }


def _push(values: Mapping[str, Any]) -> Push:
    actor = values["actor"]
    return Push(
        actor=None
        if actor is None
        else Actor(
            kind=_word(ActorKind, actor["kind"], ActorKind.UNKNOWN),
            login=actor["login"],
            id=actor["id"],
        ),
        before=values["before"],
        after=values["after"],
        at=datetime.fromisoformat(values["at"]),
        kind=values["kind"],
    )


def _remembered(row: Row[Any]) -> Remembered:
    return Remembered(
        signal=_signal(json.loads(row.signal)),
        first_seen=datetime.fromisoformat(row.first_seen),
        origin=row.number,
    )


def _signal(values: Mapping[str, str]) -> Signal:
    """A word that a newer version stored is read as the strictest that this one knows."""
    return Signal(
        tool=values["tool"],
        kind=_word(SignalKind, values["kind"], SignalKind.TRAILER),
        confidence=_word(Confidence, values["confidence"], Confidence.CERTAIN),
        place=_word(Place, values["place"], Place.BODY),
        ref=values.get("ref", ""),
        evidence=values.get("evidence", ""),
    )


def _word(words: type[_Words], value: str, unknown: _Words) -> _Words:
    try:
        return words(value)
    except ValueError:
        return unknown


def _time(connection: Connection) -> str:
    return iso_from_unix(float(connection.execute(select(now())).scalar_one()))


def _pull(repository_id: int, number: int) -> dict[str, int]:
    return {"repository": repository_id, "its_number": number}


def _in_parts(
    connection: Connection, statement: Select[Any], repository_id: int, values: Sequence[str]
) -> Iterator[Row[Any]]:
    for start in range(0, len(values), _OIDS_AT_ONCE):
        some = list(values[start : start + _OIDS_AT_ONCE])
        yield from connection.execute(statement, {"repository": repository_id, "values": some})


_values: BindParameter[str] = bindparam("values", expanding=True)
_repository: BindParameter[int] = bindparam("repository")


def _carried(table: Any) -> Select[Any]:  # noqa: ANN401 - a Table
    """Rows of other pull requests that these commits were the head of, then or later.

    A commit that was a head *before* the evidence appeared does not carry it: whoever builds on
    the first, human half of a branch does not inherit what its second half did. After it, the
    evidence may have been amended away from exactly these commits, so it stays with them.
    """
    return (
        select(table)
        .join(
            heads,
            (heads.c.repository_id == table.c.repository_id) & (heads.c.number == table.c.number),
        )
        .where(
            heads.c.repository_id == _repository,
            heads.c.oid.in_(_values),
            heads.c.last_seen >= table.c.first_seen,
        )
    )


_OF_PULL = select(evidence).where(
    evidence.c.repository_id == _repository, evidence.c.number == bindparam("its_number")
)
_OF_COMMITS = select(evidence).where(
    evidence.c.repository_id == _repository, evidence.c.commit_oid.in_(_values)
)
_OF_PATCHES = select(patches).where(
    patches.c.repository_id == _repository, patches.c.patch_id.in_(_values)
)
_CARRIED = _carried(evidence)
_PUSHES_OF_PULL = select(pushes).where(
    pushes.c.repository_id == _repository, pushes.c.number == bindparam("its_number")
)
_PUSHES_OF_COMMITS = select(pushes).where(
    pushes.c.repository_id == _repository, pushes.c.after.in_(_values)
)
_PUSHES_CARRIED = _carried(pushes)
