"""``countersign protect OWNER[/REPO]``: require the check by one ruleset; say what changes first.

It writes that one ruleset and nothing else, with a token that is given for the occasion.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from github_app import logs
from github_app.commands.doctor import ADMIN_TOKEN, split
from github_app.commands.terminal import plain
from github_app.doctor.repair import (
    difference,
    mended,
    mended_tags,
    ruleset_name,
    tags_ruleset_name,
)
from github_app.gateway import app as the_app
from github_app.gateway import protection
from github_app.gateway.client import Caller, GitHub
from github_app.gateway.errors import Forbidden, NotFound, TokenRefused
from github_app.gateway.protection import Place
from github_app.judge.errors import CountersignError
from github_app.settings import Secret, Settings

_WILDCARD = re.compile(r"\*+|\?|\[!?[^\[\]/!]+\]")


class NotProtected(CountersignError):
    """Nothing was written, or not what was meant. ``advice``: what to do about it."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.advice = advice


@click.command("protect")
@click.argument("target", metavar="OWNER[/REPO]")
@click.option("--dry-run", is_flag=True, help="Show the difference and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option("--tags", is_flag=True, help="Also hold release tags, by a second ruleset.")
@click.option(
    "--branches",
    "patterns",
    metavar="PATTERN",
    multiple=True,
    help="Also hold these branches, such as 'release-*'; may be given more than once.",
)
def protect(
    target: str, *, dry_run: bool, yes: bool, tags: bool, patterns: tuple[str, ...]
) -> None:
    """Require the check from this app on default and release branches, by one ruleset of its own.

    GITHUB_ADMIN_TOKEN: the token of somebody who may write rulesets there (Administration: write).
    Patterns are GitHub's: * stops at a slash, **/* does not. Rules of others are not touched. Exit
    code 0: all is as it should be; 1: something differs and was not written (with --dry-run: would
    be written), or may not be.
    """
    owner, name = split(target)
    branches = tuple(dict.fromkeys(ref_pattern(one) for one in patterns))
    logs.configure(level=logs.QUIET)
    settings = Settings.from_environment(os.environ)
    token = Secret(os.environ.get(ADMIN_TOKEN, ""))
    if not token.reveal():
        raise NotProtected(
            f"{ADMIN_TOKEN} is not set: the app itself may not change rules",
            f"Set {ADMIN_TOKEN} for this one command to a token with Administration: write.",
        )
    github = GitHub(settings)
    try:
        _must_be_installed(github, owner, name)
        place = Place(owner=owner, name=name)
        caller = protection.admin(github, token)
        wanted = _wanted(settings, branches, tags=tags)
        done = [_allowed(caller, place, one, ask=not yes, dry=dry_run) for one in wanted]
    finally:
        github.close()
    sys.exit(0 if all(done) else 1)


def ref_pattern(given: str) -> str:
    """A pattern of branches as rulesets have it: ``refs/heads/release-*``. Raises: UsageError."""
    name = given.removeprefix("refs/heads/")
    if not re.fullmatch(r"[\w./*?\[\]!-]{1,200}", name, re.ASCII) or name.startswith("refs/"):
        raise click.UsageError(
            "a pattern is letters, digits and . _ - / with * ? [a-z], such as 'release-*'"
        )
    if name.startswith(("*", "?", "[")):
        raise click.UsageError(
            "that may be nearly every branch: the check would be asked for before a topic branch "
            "can be made; begin with letters, such as 'release-*'"
        )
    if not _is_name(_WILDCARD.sub("x", name)):
        raise click.UsageError("that is no pattern of names that git allows for a branch")
    return f"refs/heads/{name}"


def _is_name(name: str) -> bool:
    """As far as our characters go. Source: git-check-ref-format."""
    return ".." not in name and not any(
        not part or part.startswith(".") or part.endswith((".", ".lock")) or set(part) & set("*?[]")
        for part in name.split("/")
    )


def _must_be_installed(github: GitHub, owner: str, name: str | None) -> None:
    """A check that nobody reports would stop every merge. Raises: NotProtected."""
    try:
        found = the_app.installation_for(github.app(), owner, name)
    except NotFound:
        raise NotProtected(
            f"the app is not installed on {owner}{f'/{name}' if name else ''}: no pull request "
            "could be merged",
            "Install the app first.",
        ) from None
    if found.suspended:
        raise NotProtected(
            "the installation is suspended: no pull request could be merged",
            "An owner lifts the suspension first.",
        )
    if name is None and found.account_type != "Organization":
        raise NotProtected(
            f"{owner} is a person: rulesets for many repositories are an organisation's",
            "Name each repository as OWNER/REPO.",
        )
    if name is None and not found.all_repositories:
        raise NotProtected(
            "the app is installed on selected repositories: in the others nothing could be merged",
            "Install it on all repositories, or name each repository as OWNER/REPO.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A ruleset of ours. ``mend``: from what is kept, and whether it is an organisation's."""

    name: str
    mend: Callable[[Mapping[str, object] | None, bool], dict[str, object]]
    does: str


def _wanted(settings: Settings, more: tuple[str, ...], *, tags: bool) -> list[_Wanted]:
    check, app_id = settings.check_name, settings.app_id
    branches = _Wanted(
        name=ruleset_name(check),
        mend=lambda kept, everywhere: mended(
            kept, check_name=check, app_id=app_id, organization=everywhere, branches=more
        ),
        does=f"requires {check}",
    )
    held = _Wanted(
        name=tags_ruleset_name(check),
        mend=lambda kept, everywhere: mended_tags(kept, check_name=check, organization=everywhere),
        does="holds release tags",
    )
    return [branches, held] if tags else [branches]


def _allowed(caller: Caller, place: Place, wanted: _Wanted, *, ask: bool, dry: bool) -> bool:
    """The same as ``_protect``; what GitHub refuses is told in words of the token and the plan."""
    try:
        return _protect(caller, place, wanted, ask=ask, dry=dry)
    except (Forbidden, NotFound, TokenRefused) as error:
        raise NotProtected(
            f"{error}: the token, or the plan of {place.owner}, does not let rulesets be written",
            "Use an owner's token. An organisation's rulesets need a paid plan: without one, name "
            "each repository (a private one needs a paid plan too).",
        ) from error


def _protect(caller: Caller, place: Place, wanted: _Wanted, *, ask: bool, dry: bool) -> bool:
    """Whether all is as wanted at the end. Raises: GitHubError, NotProtected."""
    name, everywhere = wanted.name, place.name is None
    kept = protection.ruleset_named(caller, place, name)
    body = wanted.mend(kept.body if kept else None, everywhere)
    where = plain(place.owner if place.name is None else f"{place.owner}/{place.name}")
    if kept is not None and kept.body == body:
        click.echo(f"{where}: nothing to do, the ruleset {name!r} is as it should be")
        return True
    for line in difference(kept.body if kept else None, body):
        click.echo(plain(line))
    if dry:
        click.echo("nothing was written (--dry-run)")
        return False
    if ask and not click.confirm(f"Write this ruleset to {where}?", err=True):
        click.echo("nothing was written")
        return False
    written = (
        protection.create_ruleset(caller, place, body)
        if kept is None
        else protection.update_ruleset(caller, place, kept.id, body)
    )
    if written.body != wanted.mend(written.body, everywhere):
        raise NotProtected(
            "GitHub keeps another ruleset than the one that was written",
            f"Look at the ruleset {name!r} on GitHub, then run the command again.",
        )
    click.echo(f"{where}: the ruleset {name!r} {wanted.does}")
    return True
