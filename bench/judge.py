"""What ``judge()`` itself costs: an ordinary pull request, and one at the limits of GitHub."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import click

from bench.table import Figure, console, show
from github_app.catalogue_file import shipped_catalogue
from github_app.judge.facts import (
    Actor,
    ActorKind,
    ChangedFile,
    Commit,
    GitIdentity,
    PullRequest,
    Push,
    Repository,
    Review,
    ReviewState,
)
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome
from github_app.judge.report import report
from github_app.judge.roster import Roster, RosterSource, parse_roster
from github_app.judge.verdict import judge
from github_app.yaml_source import read_document

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOP = Repository(id=77, owner="acme", name="shop", default_branch="main")
CLAUDE = "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>"
PEOPLE = {"ada": 1815, "grace": 1906, "kim": 2001, "june": 2002}
_REVIEWERS, _LATE = 40, timedelta(minutes=5)


def person(login: str) -> Actor:
    number = PEOPLE.get(login) or 10_000 + sum(login.encode())
    return Actor(kind=ActorKind.USER, login=login, id=number)


def oid(number: int) -> str:
    return f"{number + 1:040x}"


def commit(number: int, *, assisted: bool) -> Commit:
    june = GitIdentity(name="June", email="june@acme.example", user=person("june"))
    body = "Tell why in a few lines,\nas people do.\n\nSigned-off-by: June <june@acme.example>"
    return Commit(
        oid=oid(number),
        message=f"Change number {number}\n\n{body}" + (f"\n{CLAUDE}" if assisted else ""),
        author=june,
        committer=june,
        authors=(june,),
        parents=(oid(number - 1) if number else "0f" * 20,),
    )


def review(number: int, head: str) -> Review:
    """Most are of people who may not sign and of old commits; the last one counts."""
    last = number == 0
    return Review(
        id=number + 1,
        author=person("grace" if last else f"reviewer-{number % _REVIEWERS}"),
        state=ReviewState.APPROVED if number % 3 == 0 else ReviewState.COMMENTED,
        commit_oid=head if last else oid(number),
        submitted_at=NOON + _LATE - timedelta(seconds=number),
        can_push=True,
    )


def a_pull(commits: int, reviews: int, files: int) -> PullRequest:
    """An AI-assisted pull request of june's, approved by grace; every 20th commit tells of it."""
    made = tuple(commit(n, assisted=n % 20 == 0) for n in range(commits))
    head = made[-1].oid
    return PullRequest(
        repository=SHOP,
        number=12,
        node_id="PR_12",
        title="Add coupons",
        body="What it does, in a few sentences.\n\n- [x] tested\n- [ ] documented\n",
        state="OPEN",
        draft=False,
        author=person("june"),
        base_ref="main",
        base_oid="0f" * 20,
        head_ref="coupons",
        head_oid=head,
        head_repository=SHOP,
        cross_repository=False,
        maintainer_can_modify=False,
        updated_at=NOON + _LATE,
        taken_at=NOON + 2 * _LATE,
        commits=made,
        reviews=tuple(review(n, head) for n in reversed(range(reviews))),
        files=tuple(ChangedFile(path=f"part{n % 40}/f{n}.py", additions=3) for n in range(files)),
        pushes=(Push(actor=person("june"), before="0" * 40, after=head, at=NOON, kind="push"),),
    )


def a_roster(rules: int) -> Roster:
    """Four people, and rules of which every tenth matches a path of the large pull request."""
    lines = [
        "version: 1",
        "levels: [junior, mid, senior, principal]",
        "unlisted: junior",
        "people:",
        "  ada: {id: 1815, level: principal}",
        "  grace: {id: 1906, level: senior}",
        "  kim: {id: 2001, level: mid}",
        "sign_off: {from: senior, approvals: 1, exempt: senior}",
    ]
    if rules:
        lines.append("rules:")
    for number in range(rules):
        place = f"part{number % 40}" if number % 10 == 0 else f"elsewhere{number}"
        lines.append(f'  - {{name: rule {number}, paths: ["{place}/**/*.py"], from: senior}}')
    document = read_document("\n".join(lines) + "\n", "reviewers.yaml")
    return parse_roster(document, source=RosterSource(name="acme/.github", path="reviewers.yaml"))


def seconds(work: Callable[[], object], times: int) -> float:
    """The median time of one call."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return median(found)


def measure(pull: PullRequest, roster: Roster, times: int) -> Mapping[str, float]:
    """Milliseconds of the judgement and of its report. Each call has commits of its own text, so
    that nothing which was read before helps."""
    catalogue = shipped_catalogue()
    verdict = judge(pull, roster, Memory(), catalogue)
    if verdict.outcome is not Outcome.SIGNED_OFF:
        raise RuntimeError(f"the example is {verdict.outcome}, and should be signed off")
    fresh = iter([_reworded(pull, number) for number in range(times)])
    judging = seconds(lambda: judge(next(fresh), roster, Memory(), catalogue), times)
    again = seconds(lambda: judge(pull, roster, Memory(), catalogue), times)
    wording = seconds(lambda: report(verdict, web_url="https://github.example"), times)
    return {"judge": judging * 1000, "again": again * 1000, "report": wording * 1000}


def _reworded(pull: PullRequest, number: int) -> PullRequest:
    changed: dict[str, Any] = {
        "commits": tuple(replace(c, message=f"Try {number}: {c.message}") for c in pull.commits)
    }
    return replace(pull, **changed)


def run(
    *, times: int = 50, large: tuple[int, int, int, int] = (1000, 300, 3000, 200)
) -> list[Figure]:
    commits, reviews, files, rules = large
    ordinary = measure(a_pull(3, 2, 8), a_roster(3), times)
    heavy = measure(a_pull(commits, reviews, files), a_roster(rules), max(times // 10, 3))
    size = f"{commits:,} commits, {reviews} reviews, {files:,} files, {rules} rules"
    return show(
        "The judgement alone (median)",
        [
            Figure("judge() of an ordinary pull request", ordinary["judge"], "ms", 1),
            Figure("the same once more", ordinary["again"], "ms"),
            Figure("report() of it", ordinary["report"], "ms"),
            Figure("judge() of a very large one", heavy["judge"], "ms", 100, remark=size),
            Figure("the same once more", heavy["again"], "ms"),
            Figure("report() of it", heavy["report"], "ms"),
        ],
    )


@click.command()
@click.option("--times", default=50, show_default=True, type=click.IntRange(3))
def main(times: int) -> None:
    """Measure the pure part."""
    console.print("judging")
    run(times=times)


if __name__ == "__main__":
    main()
