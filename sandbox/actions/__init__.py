"""Everything that can happen on GitHub, as functions: check the right, change the state, tell.

Every action takes the world and the login of who acts first. ``perform`` runs one by name.
"""

from sandbox.actions import (
    accounts,
    apps,
    checks,
    merges,
    protection,
    pulls,
    pushes,
    queue,
    repositories,
    reviews,
)
from sandbox.actions.registry import ACTIONS, perform

__all__ = [
    "ACTIONS",
    "accounts",
    "apps",
    "checks",
    "merges",
    "perform",
    "protection",
    "pulls",
    "pushes",
    "queue",
    "repositories",
    "reviews",
]
