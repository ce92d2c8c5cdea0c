"""Counts every API call by kind, with its primary cost and secondary points."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

# Secondary points ("Rate limits for the REST API"): what a call weighs in the per-minute limits.
WRITE_POINTS, READ_POINTS, QUERY_POINTS = 5, 1, 1
KEPT = 2000  # calls remembered one by one


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``kind``: "GET /repos/{owner}/{repo}" or "graphql:Operation"; seconds of work."""

    kind: str
    status: int
    cost: int
    points: int
    seconds: float


class Calls:
    """The counters behind ``GET /_sandbox/calls``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._count: Counter[str] = Counter()
            self._cost: Counter[str] = Counter()
            self._points: Counter[str] = Counter()
            self._status: Counter[str] = Counter()
            self.recent: deque[Call] = deque(maxlen=KEPT)

    def add(self, call: Call) -> None:
        with self._lock:
            self._count[call.kind] += 1
            self._cost[call.kind] += call.cost
            self._points[call.kind] += call.points
            self._status[str(call.status)] += 1
            self.recent.append(call)

    def count(self, kind: str = "") -> int:
        """How many calls there were, of one kind or in all."""
        with self._lock:
            return self._count[kind] if kind else self._count.total()

    def summary(self) -> dict[str, Any]:
        """Totals and a row per kind."""
        with self._lock:
            return {
                "calls": self._count.total(),
                "cost": self._cost.total(),
                "secondary_points": self._points.total(),
                "by_status": dict(self._status),
                "by_kind": {
                    kind: {
                        "calls": number,
                        "cost": self._cost[kind],
                        "secondary_points": self._points[kind],
                    }
                    for kind, number in sorted(self._count.items())
                },
            }
