"""``POST /webhook``: verify over the raw bytes, store durably, answer. The door for events.

202 stored (also for a repeat), 400 malformed, 401 unsigned or forged, 413 too large, 503 when the
database cannot store it: GitHub then shows the delivery as failed, and the sweep asks for it again.
"""

import hashlib
import hmac
import re

from flask import Blueprint, request

from github_app.intake import Arrival, take_in
from github_app.logs import get_logger
from github_app.payload import MalformedPayload
from github_app.store.errors import StoreUnavailable
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
    return _take_in(Arrival(guid=delivery, event=event, body=body, received_at=services().now()))


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


def _take_in(arrival: Arrival) -> Answer:
    try:
        receipt = take_in(services().store, arrival, app_id=services().app_id)
    except MalformedPayload as error:
        return _malformed(arrival.guid, arrival.event, str(error))
    except StoreUnavailable as error:
        log.error("delivery not stored", delivery=arrival.guid, reason=str(error))
        return {"error": "not stored: try again"}, 503
    return {"delivery": receipt.value}, 202


def _malformed(delivery: str, event: str, reason: str) -> Answer:
    log.warning("delivery refused", delivery=delivery, event_name=event, reason=reason)
    return {"error": reason}, 400
