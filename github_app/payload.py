"""Reads the payload of a webhook: every value has the type it must have, or is refused.

Errors: MalformedPayload, by those that do not say otherwise.
"""

from collections.abc import Mapping
from typing import Any

from github_app.judge.errors import CountersignError
from github_app.judge.facts import Actor, ActorKind

Payload = Mapping[str, Any]


class MalformedPayload(CountersignError):
    """A delivery that is signed but not of the event's shape."""

    advice = "Look at the delivery in the app's settings; GitHub or a proxy sent something odd."


def mapping_at(payload: Payload, key: str) -> Mapping[str, Any]:
    """The object at ``key``."""
    value = payload.get(key)
    if not isinstance(value, Mapping):
        raise MalformedPayload(f"{key}: expected an object, got {type(value).__name__}")
    return value


def text_at(payload: Payload, key: str) -> str:
    """The text at ``key``; an empty one is none."""
    value = payload.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedPayload(f"{key}: expected text, got {type(value).__name__}")
    return value


def id_at(payload: Payload, key: str) -> int:
    """The number at ``key``, as GitHub counts: from 0, below 2 to the power of 63."""
    value = payload.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise MalformedPayload(f"{key}: expected an id, got {type(value).__name__}")
    return value


def inner_text(value: object, *keys: str) -> str:
    """The text at the end of these keys; empty where there is none. Errors: none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def actor_of(sender: object) -> Actor | None:
    """Who sent it, None if that cannot be told. Errors: none."""
    if not isinstance(sender, Mapping):
        return None
    login, number, kind = sender.get("login"), sender.get("id"), sender.get("type")
    if not isinstance(login, str) or not isinstance(number, int):
        return None
    known = ActorKind(kind) if kind in set(ActorKind) else ActorKind.UNKNOWN
    return Actor(kind=known, login=login.removesuffix("[bot]"), id=number)
