"""Puts the parts together, once per process: settings -> store, GitHub, judgement, workers."""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from github_app.branch_rules import ProtectedBranches
from github_app.catalogue_file import shipped_catalogue
from github_app.content import Contents
from github_app.fetching import Fetcher
from github_app.gateway import app as the_app
from github_app.gateway.client import Call, GitHub
from github_app.gateway.errors import GitHubError
from github_app.grounds import ground, rules_of_this_version
from github_app.judge.facts import PullRequest
from github_app.judge.memory import Memory
from github_app.judgement import Judgement, change_of
from github_app.leases import LeaseKeeper
from github_app.look import Activity, Looker
from github_app.rosters import RosterDesk
from github_app.settings import Settings
from github_app.store.claim import Limits
from github_app.store.counters import Counters
from github_app.store.database import Store, open_store
from github_app.sweep import Sweeper
from github_app.teams import Teams
from github_app.worker import Worker

if TYPE_CHECKING:
    from github_app.web.services import Services

# GitHub is asked at most so often whether it still accepts us, however often /readyz is. Seconds.
CREDENTIALS_AGE = 60.0
# A pull request is judged at most this often. Fifty events in a second are then five judgements,
# and nobody reviews faster. Seconds.
CALM = 0.3


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the entry points work with. Close the store when done."""

    settings: Settings
    store: Store
    github: GitHub
    teams: Teams
    rosters: RosterDesk
    judgement: Judgement
    fetcher: Fetcher
    protected: ProtectedBranches
    contents: Contents
    activity: Activity = field(default_factory=Activity)

    def close(self) -> None:
        self.github.close()
        self.store.close()


def build(settings: Settings) -> Parts:
    """Open everything. Raises: StoreError, CatalogueError."""
    store = open_store(settings.database_url.reveal(), limits=Limits(calm=CALM))
    teams = Teams(noticed=store.grounds, monotonic=time.monotonic)
    rosters = RosterDesk(
        deployment=settings.roster,
        kept=store.rosters,
        teams=teams,
        rules=ground(rules_of_this_version(), settings.web_url),
        now=utc_now,
    )
    github = GitHub(settings, on_call=counts_calls(store.counters))
    fetcher = Fetcher(github=github, store=store, app_id=settings.app_id, now=utc_now)
    return Parts(
        settings=settings,
        store=store,
        github=github,
        teams=teams,
        rosters=rosters,
        judgement=judges(settings, store, rosters),
        fetcher=fetcher,
        protected=ProtectedBranches(),
        contents=Contents(),
    )


def judges(settings: Settings, store: Store, rosters: RosterDesk) -> Judgement:
    """The judgement of this deployment, by these rosters and by what the store remembers."""
    return Judgement(
        app_id=settings.app_id,
        check_name=settings.check_name,
        catalogue=shipped_catalogue(),
        rosters=rosters,
        memory=reads_memory(store),
        now=utc_now,
    )


def reads_memory(store: Store) -> Callable[[PullRequest], Memory]:
    """What the store remembers of a pull request, of its commits and of its repository."""

    def read(pull: PullRequest) -> Memory:
        names = store.names.of(pull.repository.id)
        return replace(store.memory.read(change_of(pull)), names=names)

    return read


def counts_calls(counters: Counters) -> Callable[[Call], None]:
    """Each call to GitHub, for the metrics: no names, only kinds and installation numbers."""

    def count(call: Call) -> None:
        installation = str(call.installation_id or 0)
        limit = {"installation": installation, "resource": call.resource}
        counters.add("api_calls", {"installation": installation, "kind": call.kind})
        counters.add("api_points", limit, call.cost)
        if call.remaining is not None:
            counters.set("api_remaining", limit, call.remaining)

    return count


def web_services(parts: Parts) -> "Services":
    # Not at the top: a worker has no use for Flask and all that comes with it.
    from github_app.web.services import Services

    return Services(
        app_id=parts.settings.app_id,
        webhook_secrets=tuple(
            secret.reveal().encode() for secret in parts.settings.webhook_secrets
        ),
        store=parts.store,
        check_credentials=checks_credentials(parts.github),
        now=utc_now,
    )


def checks_credentials(github: GitHub) -> Callable[[], str | None]:
    """Whether GitHub accepts the app's key: asked once a minute at most. While it is slow to say so
    others are told what it said last: they would take all threads that webhooks need."""
    lock = threading.Lock()
    last: tuple[float, str | None] | None = None

    def ask() -> str | None:
        nonlocal last
        if last is not None and time.monotonic() - last[0] < CREDENTIALS_AGE:
            return last[1]
        try:
            the_app.identity(github.app())
            problem = None
        except GitHubError as error:
            problem = f"{error}. {error.advice}"
        last = (time.monotonic(), problem)
        return problem

    def check() -> str | None:
        known = last
        if not lock.acquire(blocking=known is None):
            return None if known is None else known[1]
        try:
            return ask()
        finally:
            lock.release()

    return check


def sweeper(parts: Parts) -> Sweeper:
    return Sweeper(
        github=parts.github,
        store=parts.store,
        fetcher=parts.fetcher,
        teams=parts.teams,
        protection_every=parts.settings.protection_every,
    )


def looker(parts: Parts) -> Looker:
    return Looker(
        github=parts.github,
        store=parts.store,
        fetcher=parts.fetcher,
        activity=parts.activity,
        now=utc_now,
    )


def worker_name(pid: int, number: int) -> str:
    """Names a worker thread across the fleet."""
    return f"{_machine()}/{pid}/{number}"


def _machine() -> str:
    """This machine, and on Linux this container: process ids mean nothing outside of it."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}:{namespace}"


def is_dead(name: str) -> bool:
    """Whether the process behind a worker's name ended, as far as this machine can tell."""
    host, _, rest = name.rpartition("/")[0].rpartition("/")
    if host != _machine() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def worker(parts: Parts, leases: LeaseKeeper, number: int) -> Worker:
    return Worker(
        name=worker_name(os.getpid(), number),
        github=parts.github,
        store=parts.store,
        judgement=parts.judgement,
        rosters=parts.rosters,
        leases=leases,
        sweeper=sweeper(parts),
        looker=looker(parts),
        activity=parts.activity,
        web_url=parts.settings.web_url,
        protected=parts.protected,
        contents=parts.contents,
        now=utc_now,
    )
