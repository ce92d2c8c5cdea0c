"""Real input through the running app: GitHub's own webhook examples, and real labelled commits.

Both are read from where the command line says; nothing of them is kept.
"""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from bench.app import App
from bench.hub import SHOP, Hub
from bench.load import Webhook, headers
from bench.table import Figure, console, number, show
from github_app.store.database import open_store

MOST_COMMITS = 4
EXCERPT = 70


# --- webhook examples -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Example:
    """One example file: the event is its name up to the first dot."""

    path: Path
    webhook: Webhook

    @property
    def event(self) -> str:
        return self.webhook.event


def examples(folder: Path) -> list[Example]:
    """Every JSON file below; an array holds several payloads."""
    found: list[Example] = []
    for path in sorted(folder.rglob("*.json")):
        event = path.name.partition(".")[0]
        content = json.loads(path.read_text(encoding="utf-8"))
        payloads = content if isinstance(content, list) else [content]
        found += [Example(path, Webhook(event, payload)) for payload in payloads]
    return found


def replay_examples(folder: Path) -> list[Figure]:
    """Post them all, correctly signed, and wait until the work they asked for is settled."""
    found = examples(folder)
    with Hub() as hub, App(hub.env()) as app:
        hub.target = app.url
        secret = hub.env()["GITHUB_WEBHOOK_SECRET"]
        rows = [_post(hub, example, secret) for example in found]
        _settled(app)
        log, complaints = app.log(), app.complaints()
    stored = {line["delivery"]: line for line in log if line.get("event") == "delivery"}
    table = Table(box=None, pad_edge=False)
    for heading in ("example", "status", "mapped to"):
        table.add_column(heading)
    for example, guid, status in rows:
        line = stored.get(guid, {})
        work = ", ".join(line.get("tasks") or ()) or f"({line.get('note') or 'pushes remembered'})"
        table.add_row(Text(example.path.name), str(status), Text(work))
    console.print(table)
    console.print()
    for line in complaints:
        console.print(Text(json.dumps(line)))
    levels = Counter(str(line.get("level")) for line in log)
    said = Counter(str(line.get("event")) for line in log if line.get("part") == "worker")
    figures = [
        Figure("examples posted", len(rows), remark=f"of {len({e.event for e in found})} events"),
        Figure("answered other than 202", sum(status != 202 for *_, status in rows), target=0),
        Figure("asked for work", sum(bool(line.get("tasks")) for line in stored.values())),
        Figure("errors and tracebacks in the log", len(complaints), target=0),
        Figure("warnings in the log", levels["warning"], remark=_counts(said)),
    ]
    return show("GitHub's own webhook examples", figures)


def _post(hub: Hub, example: Example, secret: str) -> tuple[Example, str, int]:
    body = example.webhook.body()
    given = headers(example.event, body, secret)
    return example, given["X-GitHub-Delivery"], hub._deliver(given, body)


def _settled(app: App, *, seconds: float = 120.0) -> None:
    """Wait until all that was asked for is done. What seems to be gone is asked for again first."""
    deadline = time.monotonic() + seconds
    with open_store(app.database_url) as store:
        while store.queue.stats().counts:
            if time.monotonic() > deadline:
                raise TimeoutError("the work of the examples was not done")
            time.sleep(0.1)


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()))


# --- real commits ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Labelled:
    """A real commit, and whether an AI tool took part by the word of its metadata."""

    repository: str
    assisted: bool
    tool: str
    tag: str
    why: str
    message: str
    author: str
    committer: str

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Labelled":
        return cls(
            repository=line["repo"],
            assisted=line["label"] == "ai",
            tool=line["tool"],
            tag=line["tag"],
            why=line["why"],
            message=line["message"],
            author=_identity(line["author_name"], line["author_email"]),
            committer=_identity(line["committer_name"], line["committer_email"]),
        )

    def spec(self) -> dict[str, object]:
        return {"message": self.message, "author": self.author, "committer": self.committer}


def _identity(name: str, email: str) -> str:
    """``Name <email>``; angle brackets would end either, as in git."""
    clean = str.maketrans("", "", "<>\n")
    return f"{name.translate(clean)} <{email.translate(clean)}>"


def labelled(path: Path) -> list[Labelled]:
    """JSON Lines; those labelled ambiguous are left out."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    return [Labelled.read(row) for row in rows if row["label"] in {"ai", "not_ai"}]


def choose(commits: Sequence[Labelled], count: int, seed: int) -> list[tuple[Labelled, ...]]:
    """``count`` pull requests of 1 to 4 commits of one repository; about half hold an ``ai`` one.

    The same seed gives the same ones; a commit is used again only when all were used.
    """
    dice = random.Random(seed)
    pools: dict[tuple[str, bool], list[Labelled]] = defaultdict(list)
    for commit in commits:
        pools[commit.repository, commit.assisted].append(commit)
    drawers = {key: _endlessly(pool, dice) for key, pool in sorted(pools.items())}
    found = []
    for place in range(count):
        assisted = place % 2 == 0
        repository = dice.choice(sorted({name for name, label in drawers if label is assisted}))
        labels = [assisted] + [
            assisted and dice.random() < 0.3 for _ in range(dice.randrange(MOST_COMMITS))
        ]
        labels = [label if (repository, label) in drawers else assisted for label in labels]
        dice.shuffle(labels)
        found.append(tuple(next(drawers[repository, label]) for label in labels))
    return found


def _endlessly(pool: Sequence[Labelled], dice: random.Random) -> Iterator[Labelled]:
    while True:
        yield from dice.sample(pool, len(pool))


@dataclass(frozen=True, slots=True)
class Judged:
    commits: tuple[Labelled, ...]
    title: str
    conclusion: str | None

    @property
    def wanted(self) -> str:
        return "WAITING" if any(commit.assisted for commit in self.commits) else "NOT_AI"

    @property
    def outcome(self) -> str:
        if self.conclusion == "action_required":
            return "WAITING"
        if self.conclusion == "success" and self.title.startswith("No AI"):
            return "NOT_AI"
        return f"{self.conclusion}: {self.title}"


def replay_commits(path: Path, *, count: int = 300, seed: int = 1) -> list[Figure]:
    """Rebuild pull requests from the commits, have them judged through webhooks, compare."""
    chosen = choose(labelled(path), count, seed)
    with Hub() as hub, App(hub.env()) as app:
        hub.target = app.url
        started = time.monotonic()
        numbers = [_open(hub, place, commits) for place, commits in enumerate(chosen)]
        hub.wait_for(lambda: all(hub.check(one) for one in numbers), seconds=300)
        hub.settle(1.0)
        seconds = time.monotonic() - started
        found = [
            Judged(commits, _title(hub, one), hub.conclusion(one))
            for one, commits in zip(numbers, chosen, strict=True)
        ]
        complaints = app.complaints()
    for line in complaints:
        console.print(Text(json.dumps(line)))
    return _compare(found, len(complaints), seconds)


def _open(hub: Hub, place: int, commits: Sequence[Labelled]) -> int:
    branch = f"replay-{place}"
    specs = [commit.spec() for commit in commits]
    hub.act("june", "push", repo=SHOP, branch=branch, commits=specs)
    found = hub.act("june", "open_pull_request", repo=SHOP, head=branch, title=f"Replay {place}")
    return int(found["number"])


def _title(hub: Hub, pull: int) -> str:
    found = hub.check(pull)
    return found["title"] if found else ""


def _compare(found: Sequence[Judged], complaints: int, seconds: float) -> list[Figure]:
    table = Table(title="Real commits", title_justify="left", box=None, pad_edge=False)
    for heading in ("labels say", "judged", "pull requests"):
        table.add_column(heading)
    pairs = Counter((judged.wanted, judged.outcome) for judged in found)
    for (wanted, outcome), many in sorted(pairs.items()):
        table.add_row(wanted, Text(outcome), str(many))
    console.print(table)
    console.print()
    wrong = [judged for judged in found if judged.outcome != judged.wanted]
    for judged in wrong:
        console.print(Text(f"{judged.wanted} expected, {judged.outcome}:"))
        for commit in judged.commits:
            label = "ai" if commit.assisted else "not_ai"
            first = commit.message.partition("\n")[0][:EXCERPT]
            told = f"  {label} {commit.tool} [{commit.tag}] {commit.why} | {first!r}"
            console.print(Text(told))
    missed = sum(judged.wanted == "WAITING" for judged in wrong)
    commits = sum(len(judged.commits) for judged in found)
    remark = f"{commits} commits, in {number(seconds)} s"
    figures = [
        Figure("pull requests judged", len(found), remark=remark),
        Figure("AI-assisted, and not found", missed, target=0),
        Figure("not AI-assisted, and stopped", len(wrong) - missed, target=0),
        Figure("errors and tracebacks in the log", complaints, target=0),
    ]
    return show("Pull requests of real commits", figures)


@click.command()
@click.option("--examples", "folder", type=click.Path(exists=True, path_type=Path))
@click.option("--commits", "path", type=click.Path(exists=True, path_type=Path))
@click.option("--count", default=300, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
def main(folder: Path | None, path: Path | None, count: int, seed: int) -> None:
    """Post GitHub's webhook examples, or pull requests of real commits, to the running app."""
    if folder is None and path is None:
        raise click.UsageError("give --examples DIR, --commits FILE, or both")
    if folder is not None:
        replay_examples(folder)
    if path is not None:
        replay_commits(path, count=count, seed=seed)


if __name__ == "__main__":
    main()
