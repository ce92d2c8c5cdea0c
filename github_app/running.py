"""Worker threads of one process: started, watched, and stopped without leaving work half done."""

import signal
import threading
from collections.abc import Callable

from github_app import services
from github_app.leases import LeaseKeeper
from github_app.logs import get_logger, trace
from github_app.services import Parts
from github_app.store.errors import StoreError
from github_app.store.stats import WorkState
from github_app.sweep import Timer

log = get_logger("running")

IDLE_SECONDS = 5.0
BROKEN_SECONDS = 1.0


class Workers:
    """``threads`` workers, the keeper of their leases, and the sweep's timer.

    ``pull``: deliveries are fetched too, because none are received.
    """

    def __init__(
        self, parts: Parts, *, threads: int, timer: Timer | None = None, pull: bool = False
    ) -> None:
        self._parts = parts
        self._leases = LeaseKeeper(parts.store.queue)
        self._timer = timer
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"worker-{number}")
            for number in range(threads)
        ]
        if pull:
            self._threads.append(
                threading.Thread(target=parts.fetcher.run, args=(self._stop,), name="fetcher")
            )

    def start(self) -> None:
        self._take_over()
        self._leases.start()
        for thread in self._threads:
            thread.start()
        log.info("workers started", threads=len(self._threads))

    def _take_over(self) -> None:
        """End the leases of this machine's dead workers now, instead of when they lapse."""
        queue = self._parts.store.queue
        names = {work.worker for work in queue.listing(state=WorkState.LEASED)}
        for name in names:
            if name is not None and services.is_dead(name):
                log.info("took over", worker=name, leases=queue.abandon(name))

    def run(self) -> None:
        """Work until ``stop``; the calling thread minds the timer of the sweep."""
        self.start()
        while not self._stop.is_set():
            if self._timer is None:
                self._stop.wait(IDLE_SECONDS)
            else:
                self._timer.run_when_due(self._stop)
        self.join()

    def stop(self) -> None:
        """Finish what is being judged, claim nothing more."""
        self._stop.set()
        self._parts.store.queue.interrupt()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._leases.stop()
        log.info("workers stopped")

    def _work(self, number: int) -> None:
        worker = services.worker(self._parts, self._leases, number)
        while not self._stop.is_set():
            try:
                if not worker.step():
                    self._parts.store.queue.wait(IDLE_SECONDS)
            except StoreError as error:
                # The database is away: the work is safe in it, and is taken up when it is back.
                log.error("database", reason=str(error), advice=error.advice)
                self._stop.wait(BROKEN_SECONDS)
            except Exception as error:  # noqa: BLE001 -- a thread that ended would judge no more
                log.error("fault", kind=type(error).__name__, trace=trace(error))
                self._stop.wait(BROKEN_SECONDS)


def on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT end the process in good order."""

    def handle(_signal: int, _frame: object) -> None:
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
