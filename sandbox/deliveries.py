"""Sends webhooks from background threads, and can lose, repeat, delay and reorder them."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import random
import threading
import time
import urllib.parse
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.objects import App, iso
from sandbox.world import World

TIMEOUT = 10.0  # seconds; GitHub waits no longer
KEPT = 50_000  # attempts remembered; what is delivered is kept packed
LISTED_FOR = timedelta(days=3)  # GitHub.com forgets older deliveries
Headers = dict[str, str]
Receiver = Callable[[Headers, bytes], int]


@dataclass(eq=False, kw_only=True)
class Delivery:
    """One attempt to deliver one event; attempts of one event share the GUID."""

    id: int
    guid: str
    app: App
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    raw: bytes  # empty once packed
    packed: bytes = b""
    delivered_at: datetime
    redelivery: bool = False
    duration: float = 0.0
    status: str = "pending"  # GitHub's words: "OK", or why it failed
    status_code: int = 0
    response: str = ""

    @property
    def body(self) -> bytes:
        return self.raw or zlib.decompress(self.packed)

    def pack(self) -> None:
        """Keep the body small once it is delivered."""
        if self.raw:  # in this order: a second attempt may be reading
            self.packed = zlib.compress(self.raw, 1)
            self.raw = b""

    def headers(self, body: bytes | None = None) -> Headers:
        """What GitHub sends along; the signature is over exactly ``body``."""
        sent = self.body if body is None else body
        digest = hmac.new(self.app.webhook_secret.encode(), sent, hashlib.sha256).hexdigest()
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/5a11db0",
            "X-GitHub-Delivery": self.guid,
            "X-GitHub-Event": self.event,
            "X-GitHub-Hook-ID": str(self.app.hook_id),
            "X-GitHub-Hook-Installation-Target-ID": str(self.app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": f"sha256={digest}",
        }

    def summary(self) -> dict[str, Any]:
        """A row of GET /app/hook/deliveries."""
        return {
            "id": self.id,
            "guid": self.guid,
            "delivered_at": iso(self.delivered_at),
            "redelivery": self.redelivery,
            "duration": round(self.duration, 2),
            "status": self.status,
            "status_code": self.status_code,
            "event": self.event,
            "action": self.action,
            "installation_id": self.installation_id,
            "repository_id": self.repository_id,
            "throttled_at": None,
        }


@dataclass
class Weather:
    """What goes wrong on the way. Probabilities are 0 to 1, the delay a range of seconds."""

    lose: float = 0.0  # never sent; listed as failed, unless ``silently``
    silently: bool = False  # a lost event leaves no trace in the deliveries API either
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)


@dataclass
class _Queue:
    heap: list[tuple[float, int, Delivery]] = field(default_factory=list)
    under_way: int = 0


class Courier:
    """Delivers to each app's webhook URL. ``receiver``, if set, is called instead of HTTP."""

    def __init__(self, world: World, *, threads: int = 4, seed: int = 0) -> None:
        self.world = world
        self.weather = Weather()
        self.receiver: Receiver | None = None
        self.log: OrderedDict[int, Delivery] = OrderedDict()  # oldest first
        self._random = random.Random(seed)
        self._queue = _Queue()
        self._ready = threading.Condition()
        self.by_hand = False  # deliver only while somebody drains
        self._paused = self._stopped = False
        self._draining = 0
        self._wanted, self._threads = threads, list[threading.Thread]()

    def seed(self, value: int) -> None:
        self._random = random.Random(value)

    def post(self, delivery: Delivery) -> None:
        """Take an event; it leaves at once, later, twice or never, as the weather has it."""
        with self._ready:
            weather, dice = self.weather, self._random
            lost = dice.random() < weather.lose
            if lost and weather.silently:
                return
            self._remember(delivery)
            if lost:
                delivery.status, delivery.status_code = "failed to connect to host", 502
                return
            self._push(delivery)
            if dice.random() < weather.duplicate:
                self._push(delivery)

    def _remember(self, delivery: Delivery) -> None:
        self.log[delivery.id] = delivery
        while len(self.log) > KEPT:
            self.log.popitem(last=False)

    def _push(self, delivery: Delivery) -> None:
        weather, dice = self.weather, self._random
        wait = dice.uniform(*weather.delay)
        if dice.random() < weather.reorder:
            wait += dice.uniform(0.05, 0.5)
        number = delivery.id * 2 + len(self._queue.heap) % 2
        heapq.heappush(self._queue.heap, (time.monotonic() + wait, number, delivery))
        self._start()
        self._ready.notify()

    def _start(self) -> None:
        while len(self._threads) < self._wanted:
            name = f"courier-{len(self._threads)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def listed(self, app: App) -> list[Delivery]:
        """The app's deliveries that GitHub would still list, newest first."""
        oldest = self.world.now() - LISTED_FOR
        with self._ready:
            found = [d for d in self.log.values() if d.app is app and d.delivered_at >= oldest]
        return found[::-1]

    def redeliver(self, number: int) -> Delivery | None:
        """A new attempt of a known delivery, with its GUID; None if it is unknown."""
        with self._ready:
            old = self.log.get(number)
            if old is None:
                return None
            again = Delivery(
                id=self.world.new_id(), guid=old.guid, app=old.app, event=old.event,
                action=old.action, installation_id=old.installation_id,
                repository_id=old.repository_id, raw=old.body,
                packed=old.packed,
                delivered_at=self.world.now(), redelivery=True,
            )  # fmt: skip
            self._remember(again)
            self._push(again)
            return again

    def pause(self) -> None:
        """Hold everything back (events are kept, not lost)."""
        with self._ready:
            self._paused = True

    def resume(self) -> None:
        with self._ready:
            self._paused = False
            self._ready.notify_all()

    @property
    def waiting(self) -> int:
        """Events not delivered yet."""
        with self._ready:
            return len(self._queue.heap) + self._queue.under_way

    def drain(self, timeout: float = 30.0) -> bool:
        """Wait until nothing is waiting; False if it took longer than ``timeout`` seconds."""
        with self._ready:
            self._draining += 1
            self._ready.notify_all()
            try:
                return self._ready.wait_for(lambda: not self.waiting, timeout)
            finally:
                self._draining -= 1

    def stop(self) -> None:
        """Stop the threads; what waits is dropped."""
        with self._ready:
            self._stopped = True
            self._queue.heap.clear()
            self._ready.notify_all()
        for thread in self._threads:
            thread.join(TIMEOUT + 1)

    def _open(self) -> bool:
        return not self._paused and (self._draining > 0 or not self.by_hand)

    def _next(self) -> Delivery | None:
        with self._ready:
            while not self._stopped:
                heap = self._queue.heap
                if heap and self._open():
                    wait = heap[0][0] - time.monotonic()
                    if wait <= 0:
                        self._queue.under_way += 1
                        return heapq.heappop(heap)[2]
                    self._ready.wait(wait)
                else:
                    self._ready.wait()
            return None

    def _run(self) -> None:
        connections: dict[str, http.client.HTTPConnection] = {}
        while delivery := self._next():
            try:
                self._deliver(delivery, connections)
            finally:
                with self._ready:
                    self._queue.under_way -= 1
                    self._ready.notify_all()
        for connection in connections.values():
            connection.close()

    def _deliver(
        self, delivery: Delivery, connections: dict[str, http.client.HTTPConnection]
    ) -> None:
        start = time.monotonic()
        try:
            code, text = self._send(delivery, connections)
        except TimeoutError:
            code, text, status = 504, "", "timed out"
        except (OSError, http.client.HTTPException):
            code, text, status = 502, "", "failed to connect to host"
        else:
            status = "OK" if 200 <= code < 300 else "Invalid HTTP Response: " + str(code)
        delivery.duration = time.monotonic() - start
        if delivery.status != "OK":  # a duplicate that failed does not undo a success
            delivery.status, delivery.status_code, delivery.response = status, code, text
        delivery.pack()

    def _send(
        self, delivery: Delivery, connections: dict[str, http.client.HTTPConnection]
    ) -> tuple[int, str]:
        body = delivery.body
        headers = delivery.headers(body)
        if self.receiver is not None:
            return self.receiver(headers, body), ""
        url = delivery.app.webhook_url
        parts = urllib.parse.urlsplit(url)
        for attempt in (1, 2):  # a kept-alive connection may have been closed by the other side
            connection = connections.get(parts.netloc)
            fresh = connection is None
            if connection is None:
                connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
                connections[parts.netloc] = connection
            try:
                connection.request("POST", parts.path or "/", body, headers)
                answer = connection.getresponse()
                text = answer.read(2000).decode("utf-8", errors="replace")
                if answer.read():
                    text += "..."
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                del connections[parts.netloc]
                if fresh or attempt == 2 or isinstance(error, TimeoutError):
                    raise
            else:
                return answer.status, text
        raise OSError("unreachable")
