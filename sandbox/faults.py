"""Faults on purpose: slow, failing, throttled or half answers, chosen by route or operation."""

from __future__ import annotations

import fnmatch
import random
import threading
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.errors import Refused

KINDS = {
    "error": "an HTTP status (see status, default 500) with a short JSON body",
    "reset": "the connection is closed without an answer",
    "timeout": "no answer for `seconds`, then the connection is closed",
    "secondary": "403 secondary rate limit with Retry-After: `seconds`",
    "too-many": "429 with Retry-After: `seconds`",
    "primary": "the hourly limit is used up, for `seconds` if given (REST: 403; GraphQL: 200 with"
    " RATE_LIMITED)",
    "partial": "GraphQL: data without `field`, and a RESOURCE_LIMITS_EXCEEDED error",
    "truncated": "GraphQL: connections hold half of their page and say it is the end",
    "empty": "GraphQL: connections come back empty",
    "malformed": "200 with JSON that stops in the middle",
    "unauthorized": "401 Bad credentials",
    "suspended": "403 This installation has been suspended",
    "stale": "GraphQL: the answer of the same query before the last change",
    "half": "the call is carried out, then the connection closes in the middle of the answer",
    "after": "the call is carried out, then the connection is closed without an answer",
}


@dataclass
class Fault:
    """One fault. ``match``: a pattern on "GET /repos/..." or "graphql:Operation"."""

    kind: str
    match: str = "*"
    times: int | None = None  # hits left; None: for ever
    probability: float = 1.0
    status: int = 500
    seconds: float = 0.0
    field: str = ""
    id: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise Refused(f"unknown fault {self.kind!r}; there are: {', '.join(KINDS)}")


class Faults:
    """The faults in force, and the latency of every API call."""

    def __init__(self, seed: int = 0) -> None:
        self.latency = 0.0  # seconds added to each call
        self._faults: list[Fault] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._last = 0

    def seed(self, value: int) -> None:
        self._random = random.Random(value)

    def add(self, kind: str, match: str = "*", **options: Any) -> Fault:
        """Put a fault in force; ``Fault`` says what the options are."""
        try:
            fault = Fault(kind, match, **options)
        except TypeError as error:
            raise Refused(f"fault: {error}") from error
        with self._lock:
            self._last += 1
            fault.id = self._last
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self.latency = 0.0

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def hit(self, *names: str) -> Fault | None:
        """The first fault that strikes a call known by these names, if any."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.times == 0 or not any(_matches(name, fault.match) for name in names):
                    continue
                if self._random.random() < fault.probability:
                    fault.hits += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())
