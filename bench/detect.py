"""Measures detection: accuracy by tool and tag, what generic rules find alone, speed, growth.

``python -m bench.detect [--labelled FILE]``. Without a file, our own small set of examples is
used. A labelled file is JSON Lines: id (or sha), label (ai, not_ai, ambiguous), tool, tools, tag,
and the fields of ``countersign detect``. Ambiguous rows are left out of every figure.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.catalogue import Catalogue
from github_app.judge.detection import CommitText, detect_commit
from github_app.judge.signals import Confidence

OWN = Path(__file__).parent.parent / "tests" / "data" / "detect" / "commits.jsonl"
ROWS = 200_000  # for the speed measurement
FIELDS = ("message", "author_name", "author_email", "committer_name", "committer_email")
SIZES = (64 << 10, 256 << 10, 1 << 20)  # characters of one message
# Texts that make careless patterns slow: each is repeated up to the size.
HOSTILE = {
    "plain prose": "the parser reads every line twice ",
    "spaces": " ",
    "colons": ":",
    "angle brackets": "<",
    "nested quotes": "\"`'",
    "trailers": "Co-authored-by: x <a@b.c>\n",
    "half trailers": "co-authored-by:",
    "footers": "generated with ",
    "comments": "<!--",
    "closed comments": "<!-- -->",
    "links": "https://claude.ai/code/session_",
    "boxes": "- [x] ai used ",
    "fences": "```\n",
    "combining marks": "\u0301\u0316",
    "pictures": "\U0001f916 ",
    "addresses": "a@b.c ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    commit: CommitText
    ai: bool
    tools: tuple[str, ...]
    tag: str


@dataclass(slots=True)
class Tally:
    """Counts by some key: rows, rows found to be AI, rows with the right tool."""

    rows: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)


def labelled(path: Path) -> tuple[Row, ...]:
    """The rows of a labelled file that are not ambiguous."""
    return tuple(_rows(json.loads(line) for line in path.read_text("utf-8").splitlines()))


def _rows(items: Iterable[dict[str, object]]) -> Iterator[Row]:
    for item in items:
        if item["label"] == "ambiguous":
            continue
        texts = {name: str(item.get(name) or "") for name in FIELDS}
        tools = item.get("tools") or ([item["tool"]] if item.get("tool") else [])
        assert isinstance(tools, list)
        yield Row(
            commit=CommitText(id=str(item.get("id", item.get("sha"))), **texts),
            ai=item["label"] == "ai",
            tools=tuple(map(str, tools)),
            tag=str(item["tag"]),
        )


def tools_found(catalogue: Catalogue, row: Row) -> set[str]:
    """The tools found in a row, surely enough."""
    signals = detect_commit(catalogue, row.commit)
    return {s.tool for s in signals if s.confidence.rank >= Confidence.LIKELY.rank}


def accuracy(console: Console, rows: tuple[Row, ...]) -> None:
    catalogue = shipped_catalogue()
    tools, tags = Tally(), Tally()
    right = Counter[tuple[bool, bool]]()
    for row in rows:
        found = tools_found(catalogue, row)
        right[row.ai, bool(found)] += 1
        tags.rows[f"{'ai' if row.ai else 'not ai'}: {row.tag}"] += 1
        tags.found[f"{'ai' if row.ai else 'not ai'}: {row.tag}"] += bool(found)
        for tool in row.tools if row.ai else ():
            tools.rows[tool] += 1
            tools.found[tool] += bool(found)
            tools.named[tool] += tool in found
    hits, misses, alarms = right[True, True], right[True, False], right[False, True]
    console.print(
        f"{len(rows)} commits: {hits} found, {misses} missed, {alarms} false, "
        f"{right[False, False]} rightly silent\n"
        f"precision {ratio(hits, hits + alarms)}   recall {ratio(hits, hits + misses)}"
    )
    table = Table("tool", "commits", "found", "recall", "named right", title="By tool")
    for tool, count in tools.rows.most_common():
        found_of = tools.found[tool]
        share = ratio(found_of, count)
        table.add_row(tool, str(count), str(found_of), share, ratio(tools.named[tool], count))
    console.print(table)
    table = Table("label and tag", "commits", "taken for AI", title="By tag")
    for tag, count in sorted(tags.rows.items()):
        table.add_row(tag, str(count), str(tags.found[tag]))
    console.print(table)


def leave_one_out(console: Console, rows: tuple[Row, ...], least: int = 2) -> None:
    """Forget one tool at a time: what do the generic rules still find of its commits?"""
    catalogue = shipped_catalogue()
    known = {tool.id for tool in catalogue.tools}
    counts = Counter(tool for row in rows if row.ai for tool in row.tools)
    table = Table("forgotten tool", "its commits", "still found", "recall", title="Leave one out")
    total = still = 0
    for tool, count in counts.most_common():
        if tool not in known or count < least:
            continue
        fewer = catalogue.without(tool)
        found = sum(bool(tools_found(fewer, row)) for row in rows if row.ai and tool in row.tools)
        total, still = total + count, still + found
        table.add_row(tool, str(count), str(found), ratio(found, count))
    table.add_row("all", str(total), str(still), ratio(still, total))
    console.print(table)


def ratio(part: int, whole: int) -> str:
    return f"{part / whole:.4f}" if whole else "-"


def speed(console: Console, path: Path) -> None:
    """The command on ``ROWS`` rows in a process of its own, beside parsing the same lines."""
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if line.strip()]
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as repeated:
        for number in range(ROWS):
            repeated.write(lines[number % len(lines)])
        repeated.flush()
        parse = _child(
            [sys.executable, "-c", "import json,sys\nfor x in sys.stdin.buffer: json.loads(x)"],
            Path(repeated.name),
        )
        command = [sys.executable, "-m", "github_app", "detect", "--json"]
        run = _child(command, Path(repeated.name))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    console.print(
        f"{ROWS:,} commits in {run:.1f} s of processor time, {ROWS / run:,.0f} a second; "
        f"{run / parse:.1f} times the cost of parsing the lines ({parse:.1f} s); "
        f"peak memory {peak:.0f} MB"
    )


def _child(command: list[str], stdin: Path) -> float:
    """Processor seconds a command takes, start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with stdin.open("rb") as lines:
        subprocess.run(command, stdin=lines, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def growth(console: Console) -> None:
    """Milliseconds for one message, by its length and what it is made of."""
    catalogue = shipped_catalogue()
    sizes = [f"{size >> 10} K" for size in SIZES]
    table = Table("made of", *sizes, "last / first", title="One message, milliseconds")
    for name, piece in HOSTILE.items():
        took = []
        for size in SIZES:
            text = "Tidy the parser\n\n" + (piece * (size // len(piece) + 1))[:size]
            start = time.process_time()
            detect_commit(catalogue, CommitText(id="0" * 40, message=text))
            took.append(time.process_time() - start)
        growth_of = f"{took[-1] / max(took[0], 1e-9):.1f} (x{SIZES[-1] // SIZES[0]} longer)"
        table.add_row(name, *(f"{seconds * 1000:.1f}" for seconds in took), growth_of)
    console.print(table)


@click.command()
@click.option("--labelled", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fast", is_flag=True, help="Accuracy only.")
def main(*, path: Path | None, fast: bool) -> None:
    """Print every figure of detection."""
    console = Console(width=100)
    source = path or OWN
    rows = labelled(source)
    accuracy(console, rows)
    leave_one_out(console, rows)
    if not fast:
        speed(console, source)
        growth(console)


if __name__ == "__main__":
    main()
