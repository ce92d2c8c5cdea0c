"""``POST /webhook``: verify over the raw bytes, store durably, answer. The door for events.

202 stored (also for a repeat), 400 malformed, 401 unsigned or forged, 413 too large, 503 when the
database cannot store it: GitHub then shows the delivery as failed, and the sweep asks for it again.
"""

import hashlib
import hmac
import json
import re

from flask import Blueprint, request

from github_app.events import RULES, MalformedPayload, Mapped, interpret
from github_app.logs import get_logger
from github_app.store.errors import StoreUnavailable
from github_app.store.inbox import Delivery
from github_app.web.services import services

blueprint = Blueprint("webhook", __name__)
log = get_logger("webhook")

_DELIVERY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,99}")
_EVENT = re.compile(r"[a-z][a-z_]{0,99}")

Answer = tuple[dict[str, str], int]


@blueprint.post("/webhook")
def receive() -> Answer:
    """Store one delivery. Nothing is parsed before its signature is proven."""
    body = request.get_data(cache=False)
    if not signed(body, request.headers.get("X-Hub-Signature-256"), services().webhook_secrets):
        log.warning("delivery refused", reason="bad or missing signature", size=len(body))
        return {"error": "the signature is missing or wrong"}, 401
    delivery = request.headers.get("X-GitHub-Delivery", "")
    event = request.headers.get("X-GitHub-Event", "")
    if not _DELIVERY.fullmatch(delivery) or not _EVENT.fullmatch(event):
        return _malformed(delivery, event, "the X-GitHub-Delivery or -Event header is missing")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return _malformed(delivery, event, "the body is not JSON")
    try:
        mapped = interpret(event, payload, app_id=services().app_id, received_at=services().now())
    except MalformedPayload as error:
        return _malformed(delivery, event, str(error))
    return _store(delivery, event, payload, body, mapped)


def signed(body: bytes, header: str | None, secrets: tuple[bytes, ...]) -> bool:
    """Whether one of the secrets made this header for these bytes. Constant time per secret.

    Several secrets are right at once while they are rotated. An empty secret signs nothing.
    """
    given = (header or "").encode("utf-8", "surrogateescape")
    found = False
    for secret in secrets:
        wanted = b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        found |= bool(secret) and hmac.compare_digest(wanted, given)
    return found


def _store(delivery: str, event: str, payload: object, body: bytes, mapped: Mapped) -> Answer:
    action = payload.get("action", "") if isinstance(payload, dict) else ""
    store = services().store
    try:
        receipt = store.inbox.put(
            Delivery(
                guid=delivery,
                event=event,
                action=action if isinstance(action, str) else "",
                installation_id=mapped.tasks[0].installation_id if mapped.tasks else 0,
                body=body,
                received_at=services().now(),
            ),
            mapped.tasks,
            mapped.pushes,
        )
    except StoreUnavailable as error:
        log.error("delivery not stored", delivery=delivery, event_name=event, reason=str(error))
        return {"error": "not stored: try again"}, 503
    store.counters.add("deliveries", {"event": event if event in RULES else "other"})
    log.info(
        "delivery",
        delivery=delivery,
        event_name=event,
        action=action,
        receipt=receipt.value,
        tasks=[f"{task.kind} {task.full_name} {task.subject}" for task in mapped.tasks],
        note=mapped.note,
    )
    return {"delivery": receipt.value}, 202


def _malformed(delivery: str, event: str, reason: str) -> Answer:
    log.warning("delivery refused", delivery=delivery, event_name=event, reason=reason)
    return {"error": reason}, 400
