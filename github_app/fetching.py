"""Deliveries fetched from GitHub instead of received: those that never arrived, or all of them.

GitHub keeps every delivery for three days (Enterprise Server: seven) and gives its payload on
request. So a day of downtime costs nothing, and a deployment behind a firewall needs no inbound
network at all (``countersign serve --pull``).
"""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from github_app.gateway import app as the_app
from github_app.gateway.app import Delivered
from github_app.gateway.client import GitHub
from github_app.gateway.errors import GitHubError, NotFound, RateLimited, Suspended, TokenRefused
from github_app.intake import Arrival, take_in
from github_app.logs import get_logger
from github_app.payload import MalformedPayload
from github_app.store.database import Store
from github_app.store.errors import StoreError
from github_app.store.undelivered import SET_ASIDE, Undelivered

log = get_logger("fetching")

KEPT = timedelta(days=3)
# The list is ordered by attempt, and GitHub's clocks differ: look further back than last time.
MARGIN = timedelta(minutes=10)
# The gauge that says up to when everything was fetched: Unix seconds.
FETCHED_AT = "deliveries_fetched_at"
# How often deliveries are asked for where none are received. Seconds; a call each.
PULL_EVERY = 2.0
LONGEST_PAUSE = 60.0
# After so many that were not to be had, one after the other, it is GitHub that is down.
DOWN = 10
_LOOKED_UP = 500


class Fetcher:
    """Fetches what is not in the inbox yet."""

    def __init__(
        self, *, github: GitHub, store: Store, app_id: int, now: Callable[[], datetime]
    ) -> None:
        self._github = github
        self._store = store
        self._app_id = app_id
        self._now = now

    def fetch(self, *, margin: timedelta = MARGIN) -> int:
        """Take in every delivery that GitHub has and the inbox has not, oldest first: how many
        were given, also those that are refused for their shape (and count as lost).

        Where it ends is written down, so that the next time begins there, or ``margin`` before.
        One that GitHub lists and does not give is passed over after a few times: it is on a list
        then, and is asked for by that, until it comes or is gone at GitHub.
        Raises: GitHubError, StoreError; what was taken in until then is safe.
        """
        began = self._now()
        newest, missing = self._missing(self._since(margin))
        taken, failed = self._take_all(self._due(missing))
        if failed is not None:
            raise failed
        if newest is not None:
            # Our clock may be wrong: were it ahead, what fails next would seem to be known already.
            until = min(max(began, newest), newest + MARGIN)
            self._store.counters.set(FETCHED_AT, {}, until.timestamp())
        return taken

    def _due(self, missing: list[Delivered]) -> list[Delivered | Undelivered]:
        """Those that are to be asked for now, with those that were passed over."""
        wanting = self._store.undelivered.every()
        came = self._store.inbox.knows(list(wanting))  # GitHub sent them again
        self._store.undelivered.came(came)
        aside = {guid: one for guid, one in wanting.items() if one.set_aside or one.lost}
        # A later attempt is another chance, also for one that was lost: somebody asked for it.
        listed = [one for one in missing if one.guid not in aside or one.id > aside[one.guid].id]
        asked = {one.guid for one in listed} | came
        late = [one for one in aside.values() if one.due and not one.lost and one.guid not in asked]
        return [*listed, *late]

    def _take_all(self, due: list[Delivered | Undelivered]) -> tuple[int, GitHubError | None]:
        """How many came, and why it cannot be gone on from here."""
        taken, in_a_row = 0, 0
        failed: GitHubError | None = None
        for one in due:
            try:
                self._take(one)
            except (RateLimited, TokenRefused, Suspended):
                raise  # about us, not about this one
            except GitHubError as error:
                # One that GitHub cannot or will not give does not hold up the others.
                if not self._passes_over(one, error):
                    failed = failed or error
                in_a_row += 1
                if in_a_row == DOWN:
                    return taken, failed or error
            else:
                taken, in_a_row = taken + 1, 0
        return taken, failed

    def _passes_over(self, one: Delivered | Undelivered, error: GitHubError) -> bool:
        """Write down that it was not to be had; whether that was often enough."""
        gone = isinstance(error, NotFound)
        failures = self._store.undelivered.failed(
            one.guid, one.id, one.event, str(error), gone=gone
        )
        about = {"delivery": one.guid, "event_name": one.event, "reason": str(error)}
        if failures.gone >= SET_ASIDE:
            self._store.undelivered.lose(one.guid)
            log.error("delivery lost", **about)
        elif failures.every == SET_ASIDE:
            log.warning("delivery passed over", **about)
        return failures.every >= SET_ASIDE

    def _since(self, margin: timedelta) -> datetime:
        last = self._store.counters.read().get((FETCHED_AT, ()))
        if last is None:
            return self._now() - KEPT
        return datetime.fromtimestamp(last, UTC) - margin

    def _missing(self, since: datetime) -> tuple[datetime | None, list[Delivered]]:
        """When GitHub last delivered anything; one attempt of each GUID that the inbox does not
        know."""
        newest = None
        attempts: dict[str, Delivered] = {}
        for delivered in the_app.deliveries(self._github.app()):
            newest = newest or delivered.delivered_at
            if delivered.delivered_at < since:
                break
            attempts.setdefault(delivered.guid, delivered)
        guids = list(attempts)
        known: set[str] = set()
        for start in range(0, len(guids), _LOOKED_UP):
            known |= self._store.inbox.knows(guids[start : start + _LOOKED_UP])
        return newest, [attempts[guid] for guid in reversed(guids) if guid not in known]

    def _take(self, one: Delivered | Undelivered) -> None:
        payload = the_app.delivery_payload(self._github.app(), one.id)
        arrival = Arrival(
            guid=one.guid,
            event=one.event,
            body=json.dumps(payload).encode(),
            received_at=self._now(),
        )
        try:
            take_in(self._store, arrival, app_id=self._app_id)
        except MalformedPayload as error:
            self._store.undelivered.failed(one.guid, one.id, one.event, str(error))
            self._store.undelivered.lose(one.guid)
            log.warning("delivery refused", delivery=one.guid, reason=str(error))

    def run(self, stop: threading.Event, *, every: float = PULL_EVERY) -> None:
        """Fetch again and again until ``stop``; more slowly while GitHub or the database fail."""
        pause = every
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.fetch()
                pause = every
            except RateLimited as error:
                pause = max((error.until - self._now()).total_seconds(), every)
                log.warning("rate limited", seconds=round(pause))
            except (GitHubError, StoreError) as error:
                pause = min(pause * 2, LONGEST_PAUSE)
                log.warning("not fetched", reason=str(error), advice=error.advice)
            stop.wait(max(pause - (time.monotonic() - began), 0.0))
