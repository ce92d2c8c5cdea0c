"""How a delivery gets in, whichever way it came: mapped to work and stored, in one transaction.

By webhook (``web/webhook.py``), or fetched from GitHub (``fetching.py``): the same from here on.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from github_app.events import RULES, Mapped, interpret
from github_app.logs import get_logger
from github_app.payload import MalformedPayload
from github_app.store.database import Store
from github_app.store.inbox import Delivery, Receipt

log = get_logger("intake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One delivery: its GUID, its event, and the JSON text it carries."""

    guid: str
    event: str
    body: bytes
    received_at: datetime


def take_in(store: Store, arrival: Arrival, *, app_id: int) -> Receipt:
    """Store a delivery and ask for its work. When this returns, both are on disk.

    Raises: MalformedPayload for a body that is not what the event must be; StoreUnavailable.
    """
    try:
        payload = json.loads(arrival.body)
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("the body is not JSON") from error
    mapped = interpret(arrival.event, payload, app_id=app_id, received_at=arrival.received_at)
    action = payload.get("action") if isinstance(payload, dict) else None
    delivery = Delivery(
        guid=arrival.guid,
        event=arrival.event,
        action=action if isinstance(action, str) else "",
        installation_id=mapped.tasks[0].installation_id if mapped.tasks else 0,
        body=arrival.body,
        received_at=arrival.received_at,
    )
    receipt = store.inbox.put(delivery, mapped.tasks, mapped.pushes, mapped.names)
    known = arrival.event if arrival.event in RULES else "other"
    store.counters.add("deliveries", {"event": known})
    _log(delivery, mapped, receipt)
    return receipt


def _log(delivery: Delivery, mapped: Mapped, receipt: Receipt) -> None:
    log.info(
        "delivery",
        delivery=delivery.guid,
        event_name=delivery.event,
        action=delivery.action,
        receipt=receipt.value,
        tasks=[f"{task.kind} {task.full_name} {task.subject}" for task in mapped.tasks],
        note=mapped.note,
    )
