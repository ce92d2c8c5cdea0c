"""Posts signed webhooks from a process of its own, as fast as it can or at a steady rate."""

import hashlib
import hmac
import http.client
import json
import multiprocessing
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CONNECTIONS = 16
# At a steady rate nothing waits for an answer to the one before: what is late has a line free.
STEADY_CONNECTIONS = 64
# GitHub's own pull_request payloads are about this large.
USUAL_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Webhook:
    event: str
    payload: Mapping[str, Any]

    def body(self) -> bytes:
        return json.dumps(self.payload, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Posted:
    """``seconds`` from when it was due to its answer; of these it waited ``late`` seconds for its
    turn here, which is not the app's. ``status`` 0: there was no answer."""

    seconds: float
    status: int
    late: float


def labeled(template: Mapping[str, Any], number: int, head: str) -> Webhook:
    """A ``pull_request`` event about that pull request, of the usual size."""
    pull = dict(template["pull_request"])
    pull |= {"number": number, "head": {**pull["head"], "sha": head}}
    payload = {**template, "number": number, "pull_request": pull}
    missing = USUAL_BYTES - len(json.dumps(payload))
    pull["body"] = "x" * max(missing, 0)
    return Webhook("pull_request", payload)


def headers(event: str, body: bytes, secret: str) -> dict[str, str]:
    """What GitHub sends along, with a delivery id of its own."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/bench",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def post(
    url: str, webhooks: Sequence[Webhook], secret: str, count: int, *, rate: float = 0.0
) -> list[Posted]:
    """Post ``count`` deliveries, going round the webhooks; ``rate`` a second, 0: unthrottled."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_post_all, (url, webhooks, secret, count, rate))


def _post_all(
    url: str, webhooks: Sequence[Webhook], secret: str, count: int, rate: float
) -> list[Posted]:
    bodies = [(webhook.event, webhook.body()) for webhook in webhooks]
    numbers = iter(range(count))
    lock = threading.Lock()
    found: list[Posted] = []
    started = time.monotonic() + 0.5

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            due = started + number / rate if rate else time.monotonic()
            event, body = bodies[number % len(bodies)]
            given = headers(event, body, secret)
            time.sleep(max(due - time.monotonic(), 0))
            late = time.monotonic() - due
            status = _post_one(connection, body, given)
            found.append(Posted(time.monotonic() - due, status, late))
        connection.close()

    connections = STEADY_CONNECTIONS if rate else CONNECTIONS
    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _post_one(connection: http.client.HTTPConnection, body: bytes, given: dict[str, str]) -> int:
    for _ in range(2):  # a kept-alive connection may have been closed by the other side
        try:
            connection.request("POST", "/webhook", body, given)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
        else:
            return answer.status
    return 0
