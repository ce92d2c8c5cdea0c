"""``countersign serve``: web and worker together on one machine. They are two processes, so that
neither can take the other down; whichever ends is started again."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import click

from github_app import logs
from github_app.commands.worker import worker_options
from github_app.credentials_file import is_configured
from github_app.judge.errors import CountersignError
from github_app.logs import get_logger
from github_app.settings import Settings, listen_on

log = get_logger("serve")

WEB_THREADS = 8
# A process that ends at once is not started again at once; one that ran for so long is. Seconds.
FIRST_PAUSE, LONGEST_PAUSE, RAN = 0.2, 5.0, 5.0
# One that somebody killed did not fail: it need not have run for so long. Seconds.
RAN_UNTIL_KILLED = 1.0
GRACE = 30.0
POLL = 0.1
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
# GitHub waits ten seconds for an answer, and a judgement may wait: the web goes first.
YIELDING = 5


@click.command("serve")
@worker_options
def serve(threads: int, sweep_every: float, *, no_sweep: bool, pull: bool) -> None:
    """Run web and worker on this machine, on one database; nothing else is needed.

    Where no app is configured, and somebody sits at a terminal, the set-up comes first.
    """
    logs.configure()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    if not is_configured(os.environ):
        set_up_first(stop)
        # anew, and without what the set-up has brought along: 40 MB, and threads before a fork
        os.execv(sys.executable, [sys.executable, "-m", "github_app", *sys.argv[1:]])  # noqa: S606
    settings = Settings.from_environment(os.environ)  # refuses here, before anything starts
    for warning in settings.warnings:
        log.warning("setting", problem=warning)
    flags = [flag for flag, given in (("--no-sweep", no_sweep), ("--pull", pull)) if given]
    worker = ["worker", "--threads", str(threads), "--sweep-every", str(sweep_every), *flags]
    children = [
        Child("web", gunicorn(settings.host, settings.port)),
        Child("worker", [sys.executable, "-m", "github_app", *worker], niceness=YIELDING),
    ]
    refuse_what_cannot_work(settings)
    click.echo(f"Countersign listens on http://{settings.host}:{settings.port}", err=True)
    supervise(children, stop)


class CannotServeError(CountersignError):
    """Something outside makes serving impossible: said once, instead of by every restart."""

    advice = "Mend what is named, then start again."


def set_up_first(stop: threading.Event) -> None:
    """Ask for an app in the browser. Raises: CannotServeError where nobody sits at a terminal.

    A service whose settings were lost must not open a door instead: it refuses.
    """
    if not sys.stderr.isatty():
        raise CannotServeError(
            "no GitHub App is configured: run `countersign setup`, or set GITHUB_APP_ID, "
            "GITHUB_APP_PRIVATE_KEY and GITHUB_WEBHOOK_SECRET"
        )
    from github_app.commands import setup

    host, port = listen_on(os.environ)
    plan = setup.plan_of(os.environ, host, port)
    made = setup.run(plan, os.environ, stop, serves=True)
    place = setup.place_of(os.environ, printed=False)
    setup.tell_next(made, plan, place, serves=True)
    if stop.is_set():
        sys.exit(0)


def refuse_what_cannot_work(settings: Settings) -> None:
    """Raise CannotServeError if the port is taken or the database cannot be opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise CannotServeError(f"HOST and PORT: cannot listen on {where}: {error}") from None
    problem = database_problem(settings.database_url.reveal())
    if problem:
        raise CannotServeError(f"DATABASE_URL: {problem}")


def database_problem(url: str) -> str:
    """Why the database cannot be opened; empty if it can. It is created if it does not exist.

    Tried in a child, so that the supervisor never holds what it takes to talk to a database.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            from github_app.store.database import open_store

            open_store(url).close()
        except CountersignError as error:
            os.write(writer, f"{error}. {error.advice}".encode()[:2000])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        problem = said.read().decode("utf-8", "replace")
    os.waitpid(child, 0)
    return problem


def end_with_parent() -> None:
    """In a child: end when the supervisor is killed, or the port would stay taken. Linux only."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def gunicorn(host: str, port: int) -> list[str]:
    """The command line of the web side: one process, because SQLite has one writer; threads."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "app:app",
        "--bind",
        f"{host}:{port}",
        "--worker-class",
        "gthread",
        "--workers",
        "1",
        "--threads",
        str(WEB_THREADS),
        "--graceful-timeout",
        "20",
        # Nobody steers it but by signals; two of one user would also get into each other's way.
        "--no-control-socket",
        "--log-level",
        "warning",
    ]


def frugal() -> dict[str, str]:
    """The environment, where glibc keeps two heaps for all threads: it would keep eight a core,
    and none of them gives back what a burst has needed."""
    return {"MALLOC_ARENA_MAX": "2", **os.environ}


@dataclass(slots=True)
class Child:
    """A process that is started again when it ends."""

    name: str
    command: list[str]
    niceness: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    pause: float = FIRST_PAUSE
    started: float = 0.0
    next_start: float = field(default=0.0)

    def mind(self, now: float) -> None:
        """Start it if it is not running and its pause is over."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            code = self.process.returncode
            log.error("process ended", process=self.name, code=code)
            if now - self.started > (RAN_UNTIL_KILLED if code == -signal.SIGKILL else RAN):
                self.pause = FIRST_PAUSE
            self.process = None
            self.next_start = now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        if now >= self.next_start:
            self.process = subprocess.Popen(  # noqa: S603 -- our own command line
                self.command,
                env=frugal(),
                preexec_fn=end_with_parent,  # noqa: PLW1509 -- the supervisor has one thread
            )
            if self.niceness:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, self.process.pid, self.niceness)
            self.started = now

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def supervise(children: list[Child], stop: threading.Event) -> None:
    """Keep the children running until ``stop``; then end them in good order."""
    try:
        while not stop.is_set():
            for child in children:
                child.mind(time.monotonic())
            stop.wait(POLL)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(GRACE)
