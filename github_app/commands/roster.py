"""``countersign roster ...``: check a reviewers.yaml, add account ids to it, print its schema."""

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from github_app import settings as environment
from github_app.commands.terminal import plain
from github_app.credentials_file import is_configured
from github_app.judge.document import Mapping, Node
from github_app.judge.errors import Problem, RosterError
from github_app.judge.roster import (
    LAYER_PATH,
    Roster,
    RosterSource,
    check_layer,
    parse_roster,
    tighten,
)
from github_app.roster_pin import people_without_id, pin, pinned_ids
from github_app.roster_schema import schema
from github_app.yaml_source import MAX_BYTES, read_document

FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

Lookup = Callable[[str], int | None]


@click.group()
def roster() -> None:
    """Check reviewers.yaml, pin its ids, print its schema."""


# --- check ----------------------------------------------------------------------------------------


@roster.command()
@click.argument("file", type=FILE)
@click.option(
    "--over",
    type=FILE,
    metavar="FILE",
    help="Check FILE as a repository's own layer over this roster, which it may only tighten.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file: Path, over: Path | None, *, as_json: bool) -> None:
    """Name everything that is wrong with a roster, each with its place and what to do.

    Exit code 0: it can be used, even if there are warnings. 1: it cannot.
    """
    problems: Sequence[Problem] = ()
    found: Roster | None = None
    name = str(file)
    try:
        below = None if over is None else _parse(over, None)
        name = str(file)
        found = _parse(file, below)
    except RosterError as error:
        name, problems = error.name, error.problems
    warnings = (
        [remark.problem for remark in found.remarks if remark.source.path == name] if found else []
    )
    if as_json:
        click.echo(json.dumps(_as_json(name, problems, warnings), indent=2))
    else:
        _print(name, problems, warnings, found)
    sys.exit(1 if problems else 0)


def _parse(file: Path, below: Roster | None) -> Roster:
    document = read_document(_bytes(file), str(file))
    source = RosterSource(name="this machine", path=str(file))
    if below is not None:
        return tighten(below, document, source=source)
    return parse_roster(document, source=source)


def _bytes(file: Path) -> bytes:
    """As much of the file as it takes to see that it is too large."""
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def _as_json(
    name: str, problems: Sequence[Problem], warnings: Sequence[Problem]
) -> dict[str, object]:
    def listed(found: Sequence[Problem]) -> list[dict[str, object]]:
        return [{**dataclasses.asdict(one), "message": one.message} for one in found]

    return {
        "file": name,
        "valid": not problems,
        "problems": listed(problems),
        "warnings": listed(warnings),
    }


def _print(
    name: str, problems: Sequence[Problem], warnings: Sequence[Problem], found: Roster | None
) -> None:
    for kind, several in (("error", problems), ("warning", warnings)):
        for one in several:
            path = f"{one.path}: " if one.path else ""
            where = f"{name}:{one.line}:{one.column}"
            click.echo(plain(f"{where}: {kind}: {path}{one.message}"))
    if found is None:
        count = _count(len(problems), "problem", "problems")
        click.echo(plain(f"{name}: {count}; it cannot be used"))
    else:
        parts = (
            _count(len(found.levels), "level", "levels"),
            _count(len(found.people.named), "person", "people"),
            _count(len(found.teams), "team", "teams"),
            _count(len(found.rules), "rule", "rules"),
        )
        click.echo(plain(f"{name}: valid ({', '.join(parts)})"))


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


# --- pin ------------------------------------------------------------------------------------------


@roster.command("pin")
@click.argument("file", type=FILE)
@click.option(
    "--over",
    type=FILE,
    metavar="FILE",
    help="Take FILE for a repository's own layer over this roster, and check it against it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be added; leave the file alone.")
def pin_command(file: Path, over: Path | None, *, dry_run: bool) -> None:
    """Add the account id of everybody in the file who has none.

    A repository's own .github/reviewers.yaml, which has no levels, is known by that.
    Only the lines of these people change. An id that is there is never replaced: where GitHub says
    another one, the login has changed hands, and somebody has to look. Reads GITHUB_API_URL; with
    the App's credentials in the environment it asks as the App, else as nobody (60 people an hour).

    Exit code 0: everybody is pinned. 1: somebody is not, or has another id.
    """
    with accounts() as lookup:
        sys.exit(pin_file(file, lookup, over=over, dry_run=dry_run))


def pin_file(file: Path, lookup: Lookup, *, over: Path | None = None, dry_run: bool) -> int:
    """Pin the people in ``file``; print what was done and what somebody has to look at.

    ``lookup`` gives the id of a login, None where there is no such person. ``over``: the roster
    that ``file`` is a layer of. Gives the exit code.
    Errors: RosterError for a file that is not valid, as it is or with the ids (then it is left as
    it is); whatever ``lookup`` raises.
    """
    raw, name = _bytes(file), str(file)
    below = None if over is None else _parse(over, None)
    document = read_document(raw, name)
    _check(document, file, below)
    added, complaints = _compare(document, lookup)
    for line in complaints:
        click.echo(plain(f"{name}: {line}"), err=True)
    if added:
        text = pin(raw.decode(), name, added)
        _check(read_document(text, name), file, below)
        if not dry_run:
            replace_file(file, text.encode())
    for login, number in added.items():
        click.echo(plain(f"{'would add' if dry_run else 'added'} id {number} to {login}"))
    if not added and not complaints:
        click.echo(plain(f"{name}: everybody is pinned"))
    return 1 if complaints else 0


def _check(document: Node, file: Path, below: Roster | None) -> None:
    """Raises: RosterError for what is not valid as the kind of roster that it is."""
    source = RosterSource(name="this machine", path=str(file))
    if below is not None:
        tighten(below, document, source=source)
    elif _is_layer(document, file):
        check_layer(document, source=source)
    else:
        parse_roster(document, source=source)


def _is_layer(document: Node, file: Path) -> bool:
    """Whether it is a repository's own: it lies where these lie, and has no levels, which every
    organisation's roster has. (A clone of the repository ``.github`` has its file there too.)"""
    there = file.absolute().as_posix().endswith(f"/{LAYER_PATH}")
    return there and isinstance(document, Mapping) and document.entry("levels") is None


def _compare(document: Node, lookup: Lookup) -> tuple[dict[str, int], list[str]]:
    """The ids to add, and what does not fit."""
    complaints = []
    for login, pinned in pinned_ids(document).items():
        number = lookup(login)
        if number is None:
            complaints.append(f"{login} has id {pinned}, but nobody on GitHub has that login now")
        elif number != pinned:
            complaints.append(
                f"{login} has id {pinned}, but on GitHub the login belongs to id {number}: it has "
                "changed hands, or the id is wrong; nothing was replaced"
            )
    found = {login: lookup(login) for login in people_without_id(document)}
    owners = {number: login for login, number in pinned_ids(document).items()}
    added: dict[str, int] = {}
    for login, number in found.items():
        if number is None:
            complaints.append(f"nobody on GitHub has the login {login}")
        elif owners.setdefault(number, login) != login:
            complaints.append(f"{login} is id {number}, which {owners[number]} has already")
        else:
            added[login] = number
    return added, complaints


def replace_file(file: Path, content: bytes) -> None:
    """Put ``content`` in the place of a file, whole or not at all; its mode stays."""
    target = file.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def accounts() -> Iterator[Lookup]:
    """Asks GitHub for ids: as the App where its credentials are set, else as nobody."""
    from github_app.gateway import app, supplements
    from github_app.gateway.client import GitHub

    credentials = is_configured(os.environ)
    known = environment.Settings.from_environment(os.environ) if credentials else _nobody()
    github = GitHub(known)
    try:
        installed = next(app.installations(github.app()), None) if credentials else None
        caller = github.anonymous() if installed is None else github.installation(installed.id)
        yield lambda login: supplements.public_user_id(caller, login)
    finally:
        github.close()


def _nobody() -> environment.Settings:
    """Where GitHub is, and no credentials: whatever needs one would fail."""
    nothing = environment.Secret("none")
    return environment.Settings(
        app_id=0,
        private_key=nothing,
        webhook_secrets=(),
        api_url=environment.api_url_from(os.environ),
        graphql_url=environment.graphql_url_from(os.environ),
        web_url=environment.web_url_from(os.environ),
        database_url=nothing,
        roster=environment.roster_path(os.environ),
        check_name=environment.check_name(os.environ),
        host="",
        port=0,
    )


# --- schema ---------------------------------------------------------------------------------------


@roster.command("schema")
@click.option("--layer", is_flag=True, help="For a repository's own .github/reviewers.yaml.")
def schema_command(*, layer: bool) -> None:
    """Print the JSON Schema by which editors complete and check reviewers.yaml."""
    click.echo(json.dumps(schema(layer=layer), indent=2))
