"""``countersign doctor OWNER[/REPO]``: is this really protected? Reads only, changes nothing."""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from github_app import logs
from github_app.commands.database import CannotRead, database_option, existing
from github_app.commands.terminal import plain
from github_app.doctor.facts import AccountFacts, BranchFacts, RepositoryFacts
from github_app.doctor.findings import Finding, Level, of_account, of_repository
from github_app.doctor.read import Examination
from github_app.drift import known_bypasses
from github_app.gateway import protection
from github_app.gateway.client import GitHub
from github_app.gateway.protection import CHECK_RULE, QUEUE_RULE
from github_app.settings import Secret, Settings
from github_app.store.protections import Seen
from github_app.told import Bypass, newest

ADMIN_TOKEN = "GITHUB_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
TARGET = re.compile(r"(?P<owner>[\w.-]{1,100})(?:/(?P<name>[\w.-]{1,100}))?")
_SHOWN = 20  # repositories of which is said since when; --json has all
_STYLES = {Level.HOLE: "bold red", Level.WARNING: "yellow", Level.UNKNOWN: "cyan"}


@click.command("doctor")
@click.argument("target", metavar="OWNER[/REPO]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--pull", is_flag=True, help="The app fetches deliveries: leave the webhook alone.")
@database_option
def doctor(target: str, *, as_json: bool, pull: bool, database: str) -> None:
    """Say whether the check really stops what it should, and how to mend each hole.

    GITHUB_ADMIN_TOKEN, the token of an administrator, is optional: only with it can be seen who
    may bypass a ruleset. Exit code 1: there is a hole. What cannot be seen is "unknown". Since when
    a repository is not protected is read from the store, where there is one.
    """
    owner, name = split(target)
    logs.configure(level=logs.QUIET)
    settings = Settings.from_environment(os.environ)
    given = os.environ.get(ADMIN_TOKEN, "")
    github = GitHub(settings)
    try:
        administrator = protection.admin(github, Secret(given)) if given else None
        examination = Examination(
            github, settings, owner, name, administrator=administrator, pulls=pull or settings.pull
        )
        account = examination.account()
        seen = _seen(database, account.installation_id)
        examination.hear(_bypasses(seen))
        repositories = _examine(examination)
    finally:
        github.close()
    findings = [
        *of_account(account),
        *(found for one in repositories for found in of_repository(one, account)),
    ]
    since = {number: one.since for number, one in seen.items() if one.unprotected}
    if as_json:
        click.echo(json.dumps(_as_json(account, repositories, findings, since), indent=2))
    else:
        _print(account, repositories, findings, since)
    sys.exit(1 if any(one.level is Level.HOLE for one in findings) else 0)


def split(target: str) -> tuple[str, str | None]:
    """OWNER or OWNER/REPO. Raises: UsageError."""
    match = TARGET.fullmatch(target)
    if match is None:
        raise click.UsageError("name an account as OWNER or a repository as OWNER/REPO")
    return match["owner"], match["name"]


def _examine(examination: Examination) -> list[RepositoryFacts]:
    """With progress on stderr, where somebody looks at it."""
    console = Console(stderr=True)
    found = examination.repositories()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("repositories", total=len(found))
        return examination.examine(found, lambda: progress.advance(task))


def _seen(database: str, installation_id: int) -> dict[int, Seen]:
    """By repository id, what the service last saw; nothing without a store."""
    try:
        with existing(database) as store:
            return store.protections.of(installation_id)
    except CannotRead:
        return {}


def _bypasses(seen: Mapping[int, Seen]) -> dict[int, tuple[str, ...]]:
    """By ruleset, who may bypass it, as events told the service."""
    found: dict[int, Bypass] = {}
    for one in seen.values():
        found = newest(found, known_bypasses(one))
    return {number: bypass.who for number, bypass in found.items()}


def _print(
    account: AccountFacts,
    repositories: list[RepositoryFacts],
    findings: list[Finding],
    since: Mapping[int, str],
) -> None:
    console = Console()
    if len(repositories) == 1:
        console.print(_branches(repositories[0], account))
    if findings:
        console.print(_table(findings))
    for one in [one for one in repositories if one.id in since][:_SHOWN]:
        click.echo(f"{plain(one.full_name)}: not protected since {since[one.id]}")
    counted = Counter(one.level for one in findings)
    told = ", ".join(_so_many(counted[level], level) for level in Level if counted[level])
    looked = sum(len(one.branches) for one in repositories)
    click.echo(
        f"{plain(account.account)}: {len(repositories)} repositories, {looked} default and "
        f"release branches looked at: {told or 'no hole found'}"
    )


def _so_many(count: int, level: Level) -> str:
    word = level.value if level is Level.UNKNOWN or count == 1 else f"{level.value}s"
    return f"{count} {word}"


def _branches(repository: RepositoryFacts, account: AccountFacts) -> Table:
    table = Table(
        "branch", "check required by", "pinned", "up to date", "may dismiss reviews", "merge queue"
    )
    for branch in repository.branches:
        checks = [one for one in branch.demands if one.rule == CHECK_RULE]
        table.add_row(
            Text(plain(branch.name)),
            Text(plain(", ".join(one.source for one in checks) or "nothing")),
            "yes" if any(one.app_id == account.app_id for one in checks) else "no",
            "yes" if any(one.strict for one in checks) else "not asked",
            Text(_dismissals(branch)),
            Text(plain(_queue(branch) or "none")),
        )
    return table


def _dismissals(branch: BranchFacts) -> str:
    """Rules add up: one that restricts is enough."""
    told = {one.dismissals for one in branch.demands if one.dismissals}
    if told == {"everybody who writes"} and branch.pull_request_known:
        return "everybody who writes"
    return min(told - {"everybody who writes"}, default="unknown")


def _queue(branch: BranchFacts) -> str:
    return ", ".join(one.queue for one in branch.demands if one.rule == QUEUE_RULE)


def _table(findings: list[Finding]) -> Table:
    """One row for what is the same in many places: it is mended once, or in the same way."""
    table = Table("level", "where", "what", "mend", show_lines=True)
    grouped: dict[tuple[Level, str, str, str], list[str]] = {}
    for one in findings:
        grouped.setdefault((one.level, one.code, one.what, one.mend), []).append(one.where)
    order = list(Level)
    for (level, _, what, mend), places in sorted(
        grouped.items(), key=lambda item: order.index(item[0][0])
    ):
        where = plain(places[0]) + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        table.add_row(
            Text(level.value, style=_STYLES[level]), Text(where), Text(plain(what)), Text(mend)
        )
    return table


def _as_json(
    account: AccountFacts,
    repositories: list[RepositoryFacts],
    findings: list[Finding],
    since: Mapping[int, str],
) -> dict[str, Any]:
    return {
        "account": account.account,
        "app": account.app_slug,
        "installed": account.installed,
        "suspended": account.suspended,
        "clock_skew_seconds": account.skew,
        "roster": account.roster.source if account.roster else None,
        "can_sign": list(account.roster.signers) if account.roster else [],
        "protected": not any(one.level is Level.HOLE for one in findings),
        "findings": [_finding(one) for one in findings],
        "repositories": [
            {
                "repository": one.full_name,
                "asleep": one.asleep,
                "unprotected_since": since.get(one.id),
                "branches": [_branch(branch, account) for branch in one.branches],
            }
            for one in repositories
        ],
    }


def _finding(finding: Finding) -> Mapping[str, str]:
    return {
        "level": finding.level.value,
        "code": finding.code,
        "where": finding.where,
        "what": finding.what,
        "mend": finding.mend,
    }


def _branch(branch: BranchFacts, account: AccountFacts) -> dict[str, Any]:
    checks = [one for one in branch.demands if one.rule == CHECK_RULE]
    return {
        "branch": branch.name,
        "default": branch.default,
        "required_by": [
            {
                "source": one.source,
                "app_id": one.app_id,
                "strict": one.strict,
                "bypass": "unknown" if one.bypass is None else list(one.bypass),
            }
            for one in checks
        ],
        "pinned": any(one.app_id == account.app_id for one in checks),
        "dismissals": _dismissals(branch),
        "merge_queue": _queue(branch) or None,
    }
