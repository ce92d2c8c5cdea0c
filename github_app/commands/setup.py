"""``countersign setup``: a GitHub App in two clicks. A page on this machine asks GitHub for it and
stores its credentials; the door shuts behind it."""

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import click
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from github_app import credentials_file, logs
from github_app import settings as environment
from github_app.app_manifest import Choice, ChoiceError, choice, is_loopback
from github_app.commands.terminal import plain
from github_app.credentials_file import CredentialsFileError, reserved
from github_app.gateway.registration import Registered, register
from github_app.judge.errors import CountersignError
from github_app.web.setup import create_setup_app, install_address
from github_app.web.setup_desk import Desk, Made

# The door does not stand open for longer. Seconds.
LIFE = 3600.0
# Once the app is registered: until the last page is asked for; then its style is. Seconds.
LAST_PAGE, LINGER = 30.0, 3.0
POLL = 0.2


class NotSetUp(CountersignError):
    """No app was registered. ``advice``: what to do about it."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.advice = advice


@click.command("setup")
@click.option("--org", default="", metavar="ORG", help="For this organisation, not for yourself.")
@click.option("--url", default="", metavar="URL", help="Countersign's public address, if any.")
@click.option("--name", default="", help="Of the app; nobody else on GitHub may have it.")
@click.option("--port", type=click.IntRange(1, 65535), help="Of the page. Default: PORT, or 8000.")
@click.option(
    "--env",
    "as_environment",
    is_flag=True,
    help="Print the credentials on stdout, for a secrets manager; store no file.",
)
def setup(org: str, url: str, name: str, port: int | None, *, as_environment: bool) -> None:
    """Register a GitHub App in two clicks, and keep its credentials.

    Shows an address and a code that works once; the rest happens in the browser. Without --url
    GitHub cannot reach Countersign, which then fetches its events. For GitHub Enterprise Server
    set GITHUB_API_URL first.
    """
    logs.configure(level=logs.QUIET)
    env = os.environ
    host, usual_port = environment.listen_on(env)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    plan = plan_of(env, host, port or usual_port, org=org, url=url, name=name)
    made = run(plan, env, stop, printed=as_environment)
    tell_next(made, plan, place_of(env, printed=as_environment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the page listens, what it proposes, and which GitHub it is about."""

    host: str
    port: int
    choice: Choice
    bases: Mapping[str, str]  # ``Host`` header -> where such a browser reaches us
    api_url: str
    graphql_url: str
    web_url: str

    @property
    def address(self) -> str:
        return f"{next(iter(self.bases.values()))}/setup"


def plan_of(
    env: Mapping[str, str], host: str, port: int, *, org: str = "", url: str = "", name: str = ""
) -> Plan:
    """Raises: SettingsError, NotSetUp."""
    web_url = environment.web_url_from(env)
    local = is_loopback(urlsplit(web_url).hostname or "")
    if not org and not name:
        name = f"countersign-{secrets.token_hex(3)}"  # there is but one "countersign" on GitHub
    # A GitHub on this machine reaches us without any name of ours, where `serve` will listen.
    served = _origin(host, environment.listen_on(env)[1])
    address = url or (served if local and is_loopback(host) else "")
    try:
        chosen = choice(organization=org, name=name, address=address, local=local)
    except ChoiceError as error:
        raise NotSetUp(str(error), "Mend --org, --url or --name.") from None
    return Plan(
        host=host,
        port=port,
        choice=chosen,
        bases=_bases(host, port, url and chosen.address),
        api_url=environment.api_url_from(env),
        graphql_url=environment.graphql_url_from(env),
        web_url=web_url,
    )


def _origin(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _bases(host: str, port: int, public: str) -> dict[str, str]:
    """By which names a browser may come. Raises: NotSetUp if that would be in the clear."""
    found = {}
    if is_loopback(host):
        names = [urlsplit(_origin(host, port)).netloc, f"localhost:{port}"]
        found = {name: f"http://{name}" for name in names}
    elif not public:
        raise NotSetUp(
            f"the page would be on {host}, in the clear and for everybody",
            "Leave HOST as 127.0.0.1 (from afar: ssh -L), or run `countersign setup --url https://...`.",
        )
    if public and urlsplit(public).path == "":
        name = urlsplit(public).netloc.lower().removesuffix(":443")  # as browsers say it
        found.setdefault(name, f"{urlsplit(public).scheme}://{name}")
    if not found:
        raise NotSetUp(
            "--url has a path, so the page cannot be shown there",
            "Leave HOST as 127.0.0.1 while you set up.",
        )
    return found


def run(
    plan: Plan,
    env: Mapping[str, str],
    stop: threading.Event,
    *,
    printed: bool = False,
    serves: bool = False,
) -> Made:
    """Serve the page until the app is registered. ``serves``: Countersign itself comes next.

    Raises: NotSetUp, CredentialsFileError.
    """
    refuse_a_second(env)
    with _place(env, printed=printed) as keep:
        desk = Desk(
            plan.choice,
            register=partial(register, api_url=plan.api_url, graphql_url=plan.graphql_url),
            keep=keep,
            clock=time.monotonic,
        )
        app = create_setup_app(
            desk,
            bases=plan.bases,
            web_url=plan.web_url,
            place=place_of(env, printed=printed),
            serves=serves,
        )
        with serving(app, plan.host, plan.port):
            _invite(plan, desk)
            wait(desk, stop)
            while not desk.close():
                time.sleep(POLL)  # GitHub is being asked: what it answers is shown once
            stop.wait(LINGER)  # an answer may still be on its way
    if desk.made is None:
        if stop.is_set():
            raise NotSetUp("given up: no app was registered", "Run it again when you like.")
        raise NotSetUp(
            "too many wrong codes, or an hour has passed: no app was registered", "Run it again."
        )
    return desk.made


def wait(desk: Desk, stop: threading.Event) -> None:
    """Until the last page was sent, or nobody will ever ask for it."""
    ends = time.monotonic() + LIFE
    while desk.made is None and time.monotonic() < ends:
        if desk.shown.wait(POLL) or stop.is_set():
            return
    if desk.made is not None:
        desk.shown.wait(LAST_PAGE)


def refuse_a_second(env: Mapping[str, str]) -> None:
    """Raises: NotSetUp if there is an app already."""
    names = credentials_file.in_environment(env)
    if names:
        raise NotSetUp(
            f"an app is configured already: {', '.join(names)} in the environment",
            "To register another one, unset them first.",
        )
    path = credentials_file.path_in(env)
    if os.path.lexists(path):
        raise NotSetUp(
            f"an app is configured already: {plain(path)}",
            "`countersign serve` runs it. To register another one, move the file away, or set "
            "COUNTERSIGN_CREDENTIALS to another path.",
        )


@contextmanager
def _place(
    env: Mapping[str, str], *, printed: bool
) -> Iterator[Callable[[Registered, Choice], None]]:
    """Where the credentials go: known to be good before there are any."""
    if printed:
        yield partial(_print, env)
        return
    with reserved(credentials_file.path_in(env)) as place:
        yield lambda registered, chosen: place.keep(variables(registered, chosen, env))


def _print(env: Mapping[str, str], registered: Registered, chosen: Choice) -> None:
    text = credentials_file.as_assignments(variables(registered, chosen, env))
    try:
        click.echo(text, nl=False)
    except OSError as error:
        raise CredentialsFileError(f"stdout: {error.strerror}") from None


def place_of(env: Mapping[str, str], *, printed: bool) -> str:
    """Where the credentials will be, in words."""
    if printed:
        return "printed in the terminal, and stored in no file"
    return f"in {plain(credentials_file.path_in(env).absolute())}, for its owner only"


def variables(registered: Registered, chosen: Choice, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the app: also which GitHub it is on, where that is not github.com."""
    where = ("GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_WEB_URL")
    return {
        "GITHUB_APP_ID": str(registered.id),
        "GITHUB_APP_PRIVATE_KEY": registered.private_key.reveal(),
        "GITHUB_WEBHOOK_SECRET": registered.webhook_secret.reveal(),
        "GITHUB_CLIENT_ID": registered.client_id,
        "GITHUB_CLIENT_SECRET": registered.client_secret.reveal(),
        **({"COUNTERSIGN_PULL": "1"} if chosen.pulls else {}),
        **{name: env[name].strip() for name in where if env.get(name, "").strip()},
    }


class _Handler(WSGIRequestHandler):
    """Writes no line about a request (GitHub's code is in one) and waits for none without end."""

    timeout = 20

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 -- werkzeug's name
        del type, message, args

    def version_string(self) -> str:
        return "countersign"


@contextmanager
def serving(app: Flask, host: str, port: int) -> Iterator[BaseWSGIServer]:
    """One person, for a few minutes. Raises: NotSetUp if the port is taken."""
    try:
        server = make_server(host, port, app, threaded=True, request_handler=_Handler)
    except (OSError, SystemExit):  # werkzeug exits where a port is taken
        raise NotSetUp(
            f"cannot listen on {host}:{port}", "Is it in use? Give another --port."
        ) from None
    server.daemon_threads = True  # type: ignore[attr-defined] # of the threaded kind, which it is
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _invite(plan: Plan, desk: Desk) -> None:
    """The one place where the code is shown: never through a log."""
    lines = (
        "Countersign is not set up yet. Open this address in a browser:",
        "",
        f"    {plan.address}",
        "",
        f"and enter this code, which works once:  {desk.code}",
        "",
        "Ctrl-C gives up.",
    )
    click.echo("\n".join(lines), err=True)


def tell_next(made: Made, plan: Plan, place: str, *, serves: bool = False) -> None:
    """What was made and what is next; nothing secret, and on stderr."""
    app = made.registered
    lines = [
        f'The GitHub App "{plain(app.name)}" of {plain(app.owner)} is registered.',
        f"Its credentials are {place}.",
        "",
        f"  Install it:          {plain(install_address(app.page, plan.web_url))}",
        *([] if serves else ["  Run it:              countersign serve"]),
        f"  Is it protected?     countersign doctor {plain(app.owner)}",
        "",
    ]
    click.echo("\n".join(lines), err=True)
