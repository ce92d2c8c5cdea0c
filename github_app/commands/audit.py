"""``countersign audit show|verify``: read the audit log, and prove that nobody rewrote it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from github_app.commands.database import CannotRead, database_option, existing
from github_app.commands.terminal import plain
from github_app.store.audit import (
    Anchor,
    AuditRecord,
    Filter,
    RecordKind,
    UnreadableRecord,
    Verification,
)

if TYPE_CHECKING:
    from github_app.commands.receipts import Receipt

_SHOWN = 50
_KINDS = [kind.value for kind in RecordKind if kind is not RecordKind.OTHER]


@click.group()
def audit() -> None:
    """Show the audit log, or verify its chain."""


@audit.command()
@database_option
@click.option("--repo", metavar="OWNER/NAME", help="Records of this repository.")
@click.option("--pr", type=click.IntRange(min=1), metavar="N", help="Records of this number.")
@click.option("--head", metavar="SHA", help="Records of this commit (the whole id).")
@click.option("--outcome", help="Records with this outcome, such as SIGNED_OFF.")
@click.option("--kind", type=click.Choice(_KINDS))
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Records from then on, in UTC.",
)
@click.option("--hash", "digest", metavar="HASH", help="The record with this hash.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=_SHOWN,
    show_default=True,
    help="Only so many of the last; 0 for all.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON record a line, oldest first.")
def show(
    *,
    database: str,
    repo: str | None,
    pr: int | None,
    head: str | None,
    outcome: str | None,
    kind: str | None,
    since: datetime | None,
    digest: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Print records, oldest first. Exit code 1 if there are none."""
    wanted = Filter(
        repository=repo,
        number=pr,
        head_sha=head,
        outcome=outcome,
        kind=None if kind is None else RecordKind(kind),
        since=None if since is None else since.replace(tzinfo=UTC),
        hash=digest,
    )
    found = 0
    with existing(database) as store:
        try:
            for record in store.audit.records(wanted, newest=limit or None):
                found += 1
                click.echo(_as_json(record) if as_json else "\n".join(_lines(record)))
        except UnreadableRecord as error:
            raise click.ClickException(f"{error}. {error.advice}") from error
    if not found:
        click.echo("No record matches.", err=True)
        raise SystemExit(1)


@audit.command()
@database_option
@click.option(
    "--anchor",
    "receipts",
    multiple=True,
    metavar="SEQ:HASH",
    help="A receipt kept outside the database, such as a check run's. May be repeated.",
)
@click.option(
    "--github",
    "place",
    metavar="OWNER[/REPO]",
    help="Compare with the receipts on GitHub: of every open pull request there.",
)
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def verify(*, database: str, receipts: tuple[str, ...], place: str | None, as_json: bool) -> None:
    """Walk the chain and name the first record that does not fit.

    Exit code 0 if all fit, 1 if one does not. Without an anchor, records that were cut off at the
    end cannot be missed: keep the last receipt, or compare with --github, which needs the settings
    of the app.
    """
    try:
        anchors = [Anchor.parse(receipt) for receipt in receipts]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--anchor") from None
    published = _published(place) if place is not None else []
    with existing(database) as store:
        result = store.audit.verify([*anchors, *(one.anchor for one in published)])
    lost = sorted({one.where for one in published if one.anchor.seq > result.records})
    if as_json:
        click.echo(_result_json(result, None if place is None else lost))
    else:
        click.echo(_result(result, anchored=bool(anchors or published)))
        if published:
            click.echo(f"Compared with {len(published)} checks on GitHub.")
        if lost:
            click.echo(f"Checks whose record was not reached: {', '.join(map(plain, lost))}")
    if not result.ok:
        raise SystemExit(1)


def _published(place: str) -> "list[Receipt]":
    from github_app.commands.receipts import receipts_on_github

    found = receipts_on_github(place)
    if not found:
        raise CannotRead("no open pull request there has a check of ours: nothing was compared")
    return found


def _as_json(record: AuditRecord) -> str:
    # ASCII only: control characters of others' text stay escaped on a terminal too.
    return json.dumps(json.loads(record.body) | {"hash": record.hash}, sort_keys=True)


def _lines(record: AuditRecord) -> Iterator[str]:
    entry = record.entry
    what = plain(entry.outcome) if entry.outcome else ""
    where = plain(entry.repository) + (f"#{entry.number}" if entry.number else "")
    yield f"{record.seq}  {record.at}  {entry.kind.value:<9}  {where}  {what}".rstrip()
    for name, value in _details(record):
        yield f"    {name}: {value}"
    yield f"    receipt: {record.receipt}"


def _details(record: AuditRecord) -> Iterator[tuple[str, str]]:
    entry = record.entry
    named = {
        "head": entry.head_sha,
        "judged": entry.judged_seq,
        "check run": entry.check_run_id,
        "deliveries": entry.deliveries,
    }
    for name, value in {**named, **entry.fields}.items():
        if value not in (None, "", [], (), {}):
            yield plain(name), _value(value)


def _value(value: object) -> str:
    if isinstance(value, str | int | float):
        return plain(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str | int) for item in value):
        return ", ".join(plain(item) for item in value)
    return plain(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _result(result: Verification, *, anchored: bool) -> str:
    if not result.ok:
        return f"Record {result.seq}: {result.problem}.\n{result.records} records before it fit."
    if result.last is None:
        return "The audit log is empty."
    lines = [f"{result.records} records, each fits the one before it.", f"Last: {result.last}"]
    if not anchored:
        lines.append("Keep that receipt: --anchor with it will show if records were cut off.")
    return "\n".join(lines)


def _result_json(result: Verification, lost: list[str] | None) -> str:
    return json.dumps(
        {
            "ok": result.ok,
            "records": result.records,
            "last": result.last,
            "seq": result.seq,
            "problem": result.problem,
            **({} if lost is None else {"checks_not_reached": lost}),
        }
    )
