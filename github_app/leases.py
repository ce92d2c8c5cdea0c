"""Keeps the leases of this process alive while their work is done, from one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from github_app.logs import get_logger
from github_app.store.claim import Claim
from github_app.store.errors import StoreError
from github_app.store.queue import Queue

log = get_logger("leases")


class LeaseKeeper:
    """Renews every claim it was given at a third of the lease's length, until it is let go.

    A lease that could not be renewed is not an error here: whoever publishes asks the database
    whether it still holds.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._claims: set[Claim] = set()
        self._lock = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def kept(self, claim: Claim) -> Iterator[None]:
        """The lease is renewed while the block runs."""
        self.keep(claim)
        try:
            yield
        finally:
            self.let_go(claim)

    def keep(self, claim: Claim) -> None:
        with self._lock:
            self._claims.add(claim)

    def let_go(self, claim: Claim) -> None:
        """Also of whatever else was leased under the same token."""
        with self._lock:
            self._claims = {kept for kept in self._claims if kept.token != claim.token}

    def _run(self) -> None:
        while not self._stop.wait(self._queue.limits.lease / 3):
            with self._lock:
                claims = tuple(self._claims)
            for claim in claims:
                self._renew(claim)

    def _renew(self, claim: Claim) -> None:
        try:
            if not self._queue.renew(claim):
                log.warning("lease lost", task=claim.key.subject, kind=claim.key.kind.value)
                self.let_go(claim)
        except StoreError as error:
            log.warning("lease not renewed", reason=str(error))
