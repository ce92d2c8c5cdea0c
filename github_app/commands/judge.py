"""``countersign judge OWNER/REPO#N``: the worker's path without its last step, for who asks why.

It reads GitHub and the memory of this deployment, publishes nothing and records nothing.
"""

import dataclasses
import json
import os
import re
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from github_app import logs
from github_app.gateway import app as the_app
from github_app.gateway import supplements
from github_app.gateway.check_run import stands
from github_app.gateway.client import GitHub, Installation
from github_app.gateway.commit import repository_id
from github_app.gateway.pull_request import RosterTexts, Snapshot
from github_app.judge.facts import Actor, ActorKind, Review, ReviewState
from github_app.judge.markup import plain
from github_app.judge.outcome import Verdict
from github_app.judge.report import Report, report
from github_app.judgement import Judged, Judgement, Subject
from github_app.rosters import RosterDesk
from github_app.services import judges, utc_now
from github_app.settings import Settings
from github_app.store.database import open_store
from github_app.store.rosters import Rosters, SavedRoster
from github_app.teams import Teams

# What a report writes: a link around a code span, and a code span alone.
_LINK = re.compile(r"\[(`+) ?([^`\]]*?) ?\1\]\([^)\s]*\)")
_SPAN = re.compile(r"(`+) ?(.*?) ?\1(?!`)")
_NAME = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)#(?P<number>\d{1,9})")


class Untouched:
    """The rosters that were kept, to be read only; none of them where a file was given."""

    def __init__(self, kept: Rosters | None) -> None:
        self._kept = kept

    def last(self, scope: str) -> SavedRoster | None:
        return self._kept.last(scope) if self._kept else None

    def remember(self, scope: str, **_roster: object) -> None:
        """A dry run writes nothing down."""


class Unnoticed:
    """Teams are read for this one time, and nobody else hears of it."""

    def generation(self, _installation_id: int) -> int:
        return 0

    def team_read(self, _installation_id: int, _team: str, _digest: str) -> bool:
        return False

    def teams(self, _installation_id: int, **_age: float) -> tuple[str, ...]:
        return ()


@click.command("judge")
@click.argument("pull_request", metavar="OWNER/REPO#N")
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Judge by this file instead of the roster in force.",
)
@click.option("--approve-as", metavar="LOGIN", help="What if this person approved the head?")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def judge_command(
    pull_request: str, roster: Path | None, approve_as: str | None, *, as_json: bool
) -> None:
    """Judge a pull request and say why; publish nothing.

    Exit code 0: the check is or would be green. 1: it is not.
    """
    match = _NAME.fullmatch(pull_request)
    if match is None:
        raise click.UsageError("name the pull request as OWNER/REPO#N, for example acme/shop#12")
    logs.configure(level=logs.QUIET)
    settings = Settings.from_environment(os.environ)
    if roster is not None:
        settings = dataclasses.replace(settings, roster=roster)
    judged = _judge(settings, match, approve_as, only_deployment=roster is not None)
    said = report(judged.verdict, web_url=settings.web_url, annotations=judged.annotations)
    if as_json:
        click.echo(json.dumps(_as_json(judged, said), indent=2, sort_keys=True))
    else:
        _print(judged, said)
    sys.exit(0 if said.conclusion.value == "success" else 1)


def _judge(
    settings: Settings, match: re.Match[str], approve_as: str | None, *, only_deployment: bool
) -> Judged:
    store = open_store(settings.database_url.reveal())
    github = GitHub(settings)
    try:
        installed = the_app.installation_for(github.app(), match["owner"], match["name"])
        installation = github.installation(installed.id)
        subject = Subject(
            repository_id=repository_id(installation, match["owner"], match["name"]),
            owner=match["owner"],
            name=match["name"],
            number=int(match["number"]),
        )
        rosters = RosterDesk(
            deployment=settings.roster,
            kept=Untouched(None if only_deployment else store.rosters),
            teams=Teams(noticed=Unnoticed(), monotonic=time.monotonic),
            rules="",
            now=utc_now,
        )
        judgement = judges(settings, store, rosters)
        snapshot = judgement.read(installation, subject)
        if only_deployment:
            nothing = RosterTexts(org=None, repository=None)
            snapshot = dataclasses.replace(snapshot, rosters=nothing)
        if approve_as is not None:
            snapshot = _approved(installation, snapshot, approve_as)
        return judgement.judge(installation, snapshot)
    finally:
        github.close()
        store.close()


def _approved(installation: Installation, snapshot: Snapshot, login: str) -> Snapshot:
    """The same facts with one more approval: of the head, by this person, who may push."""
    number = supplements.public_user_id(installation, login)
    review = Review(
        id=0,
        author=Actor(kind=ActorKind.USER, login=login, id=number),
        state=ReviewState.APPROVED,
        commit_oid=snapshot.pull.head_oid,
        submitted_at=snapshot.pull.taken_at + timedelta(seconds=0),
        can_push=True,
    )
    pull = dataclasses.replace(snapshot.pull, reviews=(*snapshot.pull.reviews, review))
    return dataclasses.replace(snapshot, pull=pull)


def _print(judged: Judged, said: Report) -> None:
    verdict = judged.verdict
    pull = verdict.pull
    click.echo(f"{pull.repository.full_name}#{pull.number} at {pull.head_oid[:12]}")
    click.echo(f"{verdict.outcome.value} ({said.conclusion.value}): {plain(said.title, 255)}")
    click.echo()
    click.echo("\n".join(as_text(line) for line in said.summary.splitlines()))
    click.echo()
    click.echo(_difference(judged, said))


def as_text(line: str) -> str:
    """A line of the summary for a terminal: without its Markdown, and nothing invisible in it."""
    line = _LINK.sub(r"\2", line)
    line = _SPAN.sub(r"\2", line)
    return plain(line.replace("**", "").removeprefix("#### "), 400)


def _difference(judged: Judged, said: Report) -> str:
    check = judged.snapshot.pull.check
    if check is None:
        return "On GitHub: no check yet. This verdict would be published."
    if stands(check, said):
        return "On GitHub: the same. Nothing would be published."
    return (
        f"On GitHub: {plain(check.conclusion or check.status)}, {plain(check.title or '')!r}. "
        "This verdict would replace it."
    )


def _as_json(judged: Judged, said: Report) -> dict[str, Any]:
    verdict = judged.verdict
    pull = verdict.pull
    return {
        "pull_request": f"{pull.repository.full_name}#{pull.number}",
        "head": pull.head_oid,
        "outcome": verdict.outcome.value,
        "conclusion": said.conclusion.value,
        "title": said.title,
        "summary": said.summary,
        "reasons": [dataclasses.asdict(reason) for reason in verdict.reasons],
        "evidence": [dataclasses.asdict(item.signal) for item in verdict.evidence],
        "can_sign": [person.login for person in verdict.signers],
        "counted": _reviewers(verdict),
        "not_counted": [
            {
                "by": item.review.author.login if item.review.author else None,
                "reasons": [dataclasses.asdict(reason) for reason in item.reasons],
            }
            for item in verdict.ignored
        ],
        "would_publish": not stands(judged.snapshot.pull.check, said),
    }


def _reviewers(verdict: Verdict) -> list[str]:
    return [review.author.login for review in verdict.counted if review.author is not None]


__all__ = ["Judgement", "judge_command"]
