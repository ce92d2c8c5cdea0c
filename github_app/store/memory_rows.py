"""What is remembered as it stands in the database, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row

from github_app.judge.facts import Actor, ActorKind, Push
from github_app.judge.memory import Remembered
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from github_app.store.clock import iso
from github_app.store.text import canonical, clean, sha256

_Words = TypeVar("_Words", bound=StrEnum)
_Values = dict[str, Any]


def digest(signal: Signal) -> str:
    """The identity of a piece of evidence: 64 hex digits over all its fields."""
    return sha256(canonical(asdict(signal)))


def signal_row(signal: Signal) -> _Values:
    return {"digest": digest(signal), "signal": canonical(asdict(signal))}


def evidence_row(seen: Remembered) -> _Values:
    """Without whose it is: the pull request is added by who writes it."""
    signal = seen.signal
    in_commit = signal.place is Place.COMMIT and signal.ref
    return signal_row(signal) | {
        "commit_oid": clean(signal.ref) if in_commit else None,
        "origin": seen.origin,
        "first_seen": iso(seen.first_seen),
    }


def remembered(row: Row[Any], since: str | None) -> Remembered:
    """``since``: when it came to this change, where that is not when it was first seen."""
    return Remembered(
        signal=_signal(json.loads(row.signal)),
        first_seen=datetime.fromisoformat(since or row.first_seen),
        origin=row.origin,
    )


def _signal(values: Mapping[str, str]) -> Signal:
    """A word that a newer version stored is read as the strictest that this one knows."""
    return Signal(
        tool=values["tool"],
        kind=_word(SignalKind, values["kind"], SignalKind.TRAILER),
        confidence=_word(Confidence, values["confidence"], Confidence.CERTAIN),
        place=_word(Place, values["place"], Place.BODY),
        ref=values["ref"],
        evidence=values["evidence"],
    )


def pusher_row(actor: Actor) -> _Values:
    # By id where there is one: a login may change hands, and a new one is not a new person.
    identity = str(actor.id) if actor.id is not None else f"{actor.kind.value}:{actor.key}"
    return {"digest": sha256(clean(identity)), "actor": canonical(asdict(actor))}


def actor_of(values: Mapping[str, Any]) -> Actor:
    return Actor(
        kind=_word(ActorKind, values["kind"], ActorKind.UNKNOWN),
        login=values["login"],
        id=values["id"],
    )


def push_row(repository_id: int, ref: str, push: Push) -> _Values:
    actor = None if push.actor is None else asdict(push.actor)
    what = {"actor": actor, "before": push.before, "after": push.after, "kind": push.kind}
    return {
        "repository_id": repository_id,
        "ref": clean(ref),
        # Without the time: the webhook and the activity list tell of one push at two times.
        "digest": sha256(canonical(what)),
        "after": clean(push.after),
        "push": canonical(what | {"at": iso(push.at)}),
    }


def push_of(row: Row[Any]) -> Push:
    values = json.loads(row.push)
    return Push(
        actor=None if values["actor"] is None else actor_of(values["actor"]),
        before=values["before"],
        after=values["after"],
        at=datetime.fromisoformat(values["at"]),
        kind=values["kind"],
    )


def _word(words: type[_Words], value: str, unknown: _Words) -> _Words:
    try:
        return words(value)
    except ValueError:
        return unknown
