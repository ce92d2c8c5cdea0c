"""The playground's own API under /_sandbox: act as anyone, read the state, cause trouble, count.

No authentication at all: the sandbox is a toy that listens on the loopback interface only.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from sandbox import summaries
from sandbox.actions import ACTIONS, perform
from sandbox.api import as_json, body, services
from sandbox.errors import Refused
from sandbox.faults import KINDS
from sandbox.manifest import new_code
from sandbox.objects import iso
from sandbox.world import World

control = Blueprint("control", __name__, url_prefix="/_sandbox")


def act(world: World, actor: str, action: str, parameters: dict[str, Any]) -> Any:
    """Run an action; its result as JSON. Used by HTTP and in process alike."""
    with world.lock:
        return summaries.describe(world, perform(world, actor, action, parameters))


@control.before_request
def only_this_machine() -> Response | None:
    """A page elsewhere whose name points here (DNS rebinding) gets nothing."""
    host = request.host.rsplit(":", 1)[0]
    if host in ("127.0.0.1", "localhost"):
        return None
    return as_json({"message": "The sandbox answers to 127.0.0.1 only."}, 403)


@control.post("/act")
def post_act() -> Response:
    """{"actor", "action", ...parameters}: 200 with ``result``, else GitHub's refusal."""
    given = body()
    try:
        actor, action = given.pop("actor"), given.pop("action")
    except KeyError as error:
        raise Refused(f"missing: {error.args[0]}") from error
    return as_json({"result": act(services().world, str(actor), str(action), given)})


@control.get("/actions")
def get_actions() -> Response:
    """Every action with its parameters and what it does."""
    return as_json(
        {
            name: {
                "parameters": [str(p) for p in list(inspect.signature(f).parameters.values())[2:]],
                "does": inspect.cleandoc(f.__doc__ or "").split("\n")[0],
            }
            for name, f in sorted(ACTIONS.items())
        }
    )


@control.get("/state")
def get_state() -> Response:
    with services().world.lock:
        return as_json(summaries.world_state(services().world))


@control.get("/repos/<owner>/<repo>")
def get_repository(owner: str, repo: str) -> Response:
    world = services().world
    with world.lock:
        return as_json(summaries.repository(world, world.repository(f"{owner}/{repo}")))


@control.get("/repos/<owner>/<repo>/pulls/<int:number>")
def get_pull(owner: str, repo: str, number: int) -> Response:
    world = services().world
    with world.lock:
        return as_json(summaries.pull(world, world.pull(f"{owner}/{repo}", number)))


@control.get("/repos/<owner>/<repo>/commits/<ref>/checks")
def get_checks(owner: str, repo: str, ref: str) -> Response:
    """The latest check runs on a commit, branch or merge-group SHA."""
    world = services().world
    with world.lock:
        repository = world.repository(f"{owner}/{repo}")
        return as_json(summaries.checks(repository, repository.resolve(ref) or ref))


@control.get("/wait")
def wait() -> Response:
    """Answer when the world's version differs from ``version``, or after ``timeout`` seconds."""
    world = services().world
    seen = int(request.args.get("version", "-1"))
    timeout = min(float(request.args.get("timeout", "20")), 60.0)
    with world.changed:
        world.changed.wait_for(lambda: world.version != seen, timeout)
        return as_json({"version": world.version})


@control.get("/calls")
def get_calls() -> Response:
    return as_json(services().calls.summary())


@control.delete("/calls")
@control.post("/calls/reset")
def reset_calls() -> Response:
    services().calls.reset()
    return as_json(services().calls.summary())


@control.get("/faults")
def get_faults() -> Response:
    found = services().faults
    latency = int(found.latency * 1000)
    return as_json({"latency_ms": latency, "faults": found.listed(), "kinds": KINDS})


@control.post("/faults")
def add_fault() -> Response:
    """{"kind", "match", "times", "probability", "status", "seconds", "field"} or {"latency_ms"}."""
    given = body()
    if "latency_ms" in given:
        services().faults.latency = float(given.pop("latency_ms")) / 1000
    if "seed" in given:
        services().faults.seed(int(given.pop("seed")))
    if given:
        services().faults.add(**given)
    return get_faults()


@control.delete("/faults")
def clear_faults() -> Response:
    services().faults.clear()
    return get_faults()


@control.post("/limits")
def set_limits() -> Response:
    """{"account": "acme", "limit": 5000, "used": 0}: the hourly allowance of its installations."""
    given = body()
    door, world = services().door, services().world
    keys = [
        f"installation:{found.id}"
        for found in world.installations.values()
        if found.account.login == given.get("account", found.account.login)
    ]
    door.set_limit(keys, given.get("limit"), given.get("used"))
    return as_json({"callers": keys})


@control.post("/tokens/revoke")
def revoke_tokens() -> Response:
    services().door.revoke_all()
    return as_json({"revoked": True})


@control.post("/tokens/user")
def user_token() -> Response:
    """{"login": "olga"}: a personal access token that may do what the person may do."""
    return as_json({"token": services().door.user_token(str(body().get("login", "")))})


@control.get("/webhooks")
def get_webhooks() -> Response:
    """The weather of the deliveries, how many wait, and the last 100."""
    courier = services().courier
    recent = list(courier.log.values())[-100:]
    return as_json(
        {
            "weather": asdict(courier.weather),
            "waiting": courier.waiting,
            "deliveries": [delivery.summary() for delivery in reversed(recent)],
        }
    )


@control.post("/webhooks")
def set_webhooks() -> Response:
    """{"lose", "silently", "duplicate", "reorder", "delay", "seed", "paused", "url"}."""
    given, courier = body(), services().courier
    if "seed" in given:
        courier.seed(int(given.pop("seed")))
    if "paused" in given:
        (courier.pause if given.pop("paused") else courier.resume)()
    if "url" in given:
        url = given.pop("url")
        for app in services().world.apps.values():
            if app.public_key:
                app.webhook_url = url
    for key, value in given.items():
        if not hasattr(courier.weather, key):
            raise Refused(f"unknown: {key}")
        setattr(courier.weather, key, tuple(value) if key == "delay" else value)
    return get_webhooks()


@control.post("/webhooks/drain")
def drain() -> Response:
    """Wait until every webhook is delivered: {"drained": true}, false after ``timeout`` seconds."""
    timeout = float(request.args.get("timeout", "30"))
    return as_json({"drained": services().courier.drain(timeout)})


@control.post("/clock")
def set_clock() -> Response:
    """{"seconds": 3600}: move the sandbox's clock on (tokens run out, limits reset)."""
    world = services().world
    world.skip(float(body().get("seconds", 0)))
    return as_json({"now": iso(world.now())})


@control.post("/manifests")
def register_manifest() -> Response:
    """{"manifest", "owner", "by"}: what submitting GitHub's form gives, a code."""
    given, world = body(), services().world
    by = str(given.get("by", ""))
    owner = str(given.get("owner") or by)
    if "manifest" not in given:
        raise Refused("missing: manifest")
    world.account(by)
    world.account(owner)
    code = new_code(world, given["manifest"], owner=owner, by=by)
    return as_json({"code": code})
