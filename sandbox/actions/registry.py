"""The table of actions: every function under ``@action`` can be called by name, also over HTTP."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sandbox.errors import Refused
from sandbox.world import World

P = ParamSpec("P")
R = TypeVar("R")
ACTIONS: dict[str, Callable[..., Any]] = {}


def action(function: Callable[Concatenate[World, P], R]) -> Callable[Concatenate[World, P], R]:
    """Register an action; it runs under the world's lock and wakes whoever waits for news."""

    @functools.wraps(function)
    def locked(world: World, *args: P.args, **kwargs: P.kwargs) -> R:
        with world.lock:
            result = function(world, *args, **kwargs)
            world.touched()
            return result

    ACTIONS[function.__name__] = locked
    return cast("Callable[Concatenate[World, P], R]", locked)


def perform(world: World, actor: str, name: str, parameters: dict[str, Any]) -> Any:
    """Run an action by name. Refused (422) for an unknown action or wrong parameters."""
    function = ACTIONS.get(name)
    if function is None:
        raise Refused(f"unknown action {name!r}; there are: {', '.join(sorted(ACTIONS))}")
    signature = inspect.signature(function)
    try:
        signature.bind(world, actor, **parameters)
    except TypeError as error:
        known = [f"{p}" for p in list(signature.parameters.values())[2:]]
        raise Refused(f"{name}: {error}; it takes: {', '.join(known) or 'nothing'}") from error
    return function(world, actor, **parameters)
