"""The roster: reading a large one, refusing hostile ones, finding the rules for many files."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from statistics import median

import click
import yaml

from bench.table import Figure, show
from github_app.judge.errors import RosterError
from github_app.judge.facts import ChangedFile, PullRequest, Repository
from github_app.judge.globs import compile_glob
from github_app.judge.roster import Roster, RosterSource, parse_roster
from github_app.yaml_source import MAX_BYTES, read_document

RULES = 200
FILES = 3_000
SOURCE = RosterSource(name="bench", path="reviewers.yaml")

HEAD = """\
version: 1
levels: [junior, mid, senior, principal]
people:
  ada: {id: 1815, level: principal}
  grace: {id: 1906, level: senior}
sign_off: {from: senior}
rules:
"""
RULE = """\
  - name: service {n}
    why: its customers asked for two pairs of eyes, and got them
    repositories: [acme/*]
    branches: [main, release/*]
    paths: [services/s{n}/**, "**/*.x{n}", "deploy/*/s{n}-?.yaml", "src/*/mod{n}*/**"]
    approvals: 2
"""
HOSTILE = {
    "brackets": "[" * MAX_BYTES,
    "values": "a: [" + "x," * (MAX_BYTES // 2 - 4) + "]",
    "the same key": "a:\n" * (MAX_BYTES // 3),
    "one text": '"' + "x" * (MAX_BYTES - 2) + '"',
    "aliases": "[*a," * (MAX_BYTES // 4),
    "tabs": "\t" * MAX_BYTES,
    "unknown keys": "".join(f"k{n:x}: [{n}]\n" for n in range(14_000)),
    "unknown levels": HEAD.partition("people:")[0]
    + "people:\n"
    + "".join(f" p{n:x}: lvl{n:x}\n" for n in range(14_000))
    + "sign_off: {from: senior}\n",
    "people without a level": "people:\n" + "".join(f" p{n:x}: {{}}\n" for n in range(15_000)),
}


def pull(files: tuple[ChangedFile, ...]) -> PullRequest:
    shop = Repository(id=1, owner="acme", name="shop")
    now = datetime(2026, 11, 2, tzinfo=UTC)
    return PullRequest(
        repository=shop,
        number=1,
        node_id="PR_1",
        title="",
        body="",
        state="OPEN",
        draft=False,
        author=None,
        base_ref="main",
        base_oid="0" * 40,
        head_ref="topic",
        head_oid="a" * 40,
        head_repository=shop,
        cross_repository=False,
        maintainer_can_modify=False,
        updated_at=now,
        taken_at=now,
        files=files,
    )


def many_files() -> tuple[ChangedFile, ...]:
    """None of them matches a rule, so every rule has to look at every one."""
    half = FILES // 2
    first = (f"services/other{n % 100}/pkg{n % 30}/File{n}.py" for n in range(half))
    second = (f"src/x/mods/{n}/a.ts" for n in range(half))
    return tuple(ChangedFile(path=path) for path in (*first, *second))


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median processor time of one round: other work on the machine does not count."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return median(times)


def refuse(text: str) -> None:
    try:
        parse_roster(read_document(text, "r.yaml"), source=SOURCE)
    except RosterError:
        return
    raise AssertionError("a hostile file was taken for a roster")


def read(text: str) -> Roster:
    compile_glob.cache_clear()
    return parse_roster(read_document(text, "r.yaml"), source=SOURCE)


def reading(text: str) -> list[Figure]:
    plain = seconds(
        lambda: yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), 15
    )
    whole = seconds(lambda: read(text), 15)
    slow = seconds(lambda: read_document(text, "r.yaml", loader=yaml.SafeLoader), 5)
    size = f"{len(text) // 1024} KiB"
    return [
        Figure(f"read and check {RULES} rules", whole * 1000, "ms", target=100, remark=size),
        Figure(
            "  beside PyYAML alone", whole / plain, "x", remark="values without places or checks"
        ),
        Figure("  its YAML without libyaml", slow * 1000, "ms", remark="where PyYAML has none"),
    ]


def matching(text: str) -> list[Figure]:
    found, many, few = read(text), pull(many_files()), pull(many_files()[:5])
    found.requirement(few)  # compiles
    return [
        Figure(
            f"requirement of {FILES:,} files, {RULES} rules",
            seconds(lambda: found.requirement(many), 9) * 1000,
            "ms",
            target=50,
            remark="no file matches",
        ),
        Figure(
            f"requirement of 5 files, {RULES} rules",
            seconds(lambda: found.requirement(few), 99) * 1000,
            "ms",
            target=1,
        ),
    ]


def hostile() -> Iterator[Figure]:
    for name, text in HOSTILE.items():
        taken = seconds(partial(refuse, text), 3) * 1000
        yield Figure(f"refuse a full file of {name}", taken, "ms", target=1000)


@click.command()
def main() -> None:
    """Measure the roster; exits 1 where a target is missed."""
    text = HEAD + "".join(RULE.format(n=n) for n in range(RULES))
    figures = show("Roster", [*reading(text), *matching(text), *hostile()])
    if any(figure.met is False for figure in figures):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
