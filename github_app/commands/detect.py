"""``countersign detect``: which commits carry marks of AI tools, for a pipe or for a person."""

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import click

from github_app.catalogue_file import shipped_catalogue
from github_app.commands.terminal import plain
from github_app.judge.detection import CommitText, is_ai, reader
from github_app.judge.policy import DetectionPolicy
from github_app.judge.signals import Confidence, Signal

if TYPE_CHECKING:
    from rich.console import Console

# In the order of CommitText, after the id.
_FIELDS = ("message", "author_name", "author_email", "committer_name", "committer_email")
_GIT_FORMAT = "%H%x00%an%x00%ae%x00%cn%x00%ce%x00%B"
_GIT_FIELDS = _GIT_FORMAT.count("%x00") + 1
_CHUNK = 1 << 16  # bytes read from git at a time
_EXAMPLES = 2  # commits shown of each tool in the table
_EVERY = 500  # commits between two steps of the progress line

# A repository can ask git to run programs; reading its log must not.
_SAFE_GIT = (
    *("git", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false"),
    *("-c", "core.pager=cat", "-c", "log.mailmap=false"),
)


@click.command()
@click.option(
    "--git",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the history of this repository instead of standard input.",
)
@click.argument("revisions", metavar="[RANGE]", required=False)
@click.option("--human", is_flag=True, help="A table by tool. The default in a terminal.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines, even in a terminal.")
@click.option(
    "--confidence",
    type=click.Choice([one.value for one in Confidence]),
    default=Confidence.LIKELY.value,
    show_default=True,
    help="How sure a mark must make us.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if any commit is AI-assisted.")
def detect(
    *,
    directory: Path | None,
    revisions: str | None,
    human: bool,
    as_json: bool,
    confidence: str,
    exit_code: bool,
) -> None:
    """Find marks of AI tools in commits.

    Standard input is JSON Lines, one commit a line, with the keys id, message, author_name,
    author_email, committer_name and committer_email. One line of JSON is printed for each, in
    order. With --git, RANGE is what git log takes, such as main..HEAD; without it, all of HEAD.

    Exit codes: 0 done, 1 AI found and --exit-code given, 2 input that cannot be read.
    """
    if revisions and not directory:
        raise click.UsageError("RANGE needs --git DIR")
    policy = DetectionPolicy(confidence=Confidence(confidence))
    commits = _from_git(directory, revisions) if directory else _from_lines(sys.stdin.buffer)
    table = human or (sys.stdout.isatty() and not as_json)
    found = (_summarise if table else _print_lines)(commits, policy)
    if found and exit_code:
        sys.exit(1)


class _BadInput(click.ClickException):
    exit_code = 2


# -- where commits come from ------------------------------------------------------------------


def _from_lines(stream: Iterable[bytes]) -> Iterator[CommitText]:
    """One commit a line. Stops at the first line that is none, and says which and why."""
    decode = json.JSONDecoder().decode
    for number, line in enumerate(stream, start=1):
        if line.isspace():
            continue
        try:
            yield _commit(decode(line.decode("utf-8")))
        except (ValueError, RecursionError) as error:
            raise _BadInput(f"line {number}: {_why(error)}") from None


def _commit(data: object) -> CommitText:
    if not isinstance(data, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - one kind of error per line
    identity = data.get("id", data.get("sha"))
    if not isinstance(identity, str):
        raise ValueError("id: expected text")  # noqa: TRY004
    if "message" not in data:
        raise ValueError("message is missing")
    texts = [data.get(name) or "" for name in _FIELDS]
    if set(map(type, texts)) != {str}:
        wrong = next(n for n, text in zip(_FIELDS, texts, strict=True) if type(text) is not str)
        raise ValueError(f"{wrong}: expected text")
    return CommitText(identity, *texts)


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg}, column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _from_git(directory: Path, revisions: str | None) -> Iterator[CommitText]:
    command = [
        *(*_SAFE_GIT, "-C", str(directory), "log", "-z", "--no-show-signature"),
        *("--encoding=UTF-8", f"--format={_GIT_FORMAT}", "--end-of-options", revisions or "HEAD"),
        "--",
    ]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603 - no shell, and the range cannot be an option
            command, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as git,
    ):
        assert git.stdout is not None
        fields = _fields(git.stdout)
        while record := list(islice(fields, _GIT_FIELDS)):
            if len(record) < _GIT_FIELDS:
                break
            yield CommitText(
                id=record[0],
                author_name=record[1],
                author_email=record[2],
                committer_name=record[3],
                committer_email=record[4],
                message=record[5],
            )
        if git.wait():
            errors.seek(0)
            complaint = errors.read(_CHUNK).decode("utf-8", "replace").strip() or "failed"
            raise _BadInput(f"git log: {plain(complaint.splitlines()[0])}")


def _fields(stream: IO[bytes]) -> Iterator[str]:
    """What NUL characters separate in ``stream``, without holding more than one field."""
    rest: list[bytes] = []
    while chunk := stream.read(_CHUNK):
        head, *others = chunk.split(b"\0")
        rest.append(head)
        for part in others:
            yield b"".join(rest).decode("utf-8", "replace")
            rest = [part]
    if any(rest):
        yield b"".join(rest).decode("utf-8", "replace")


# -- for a pipe -------------------------------------------------------------------------------


def _print_lines(commits: Iterable[CommitText], policy: DetectionPolicy) -> int:
    """One line each, in order. Returns the number of AI-assisted commits."""
    read = reader(shipped_catalogue()).commit
    write = sys.stdout.write
    encode = json.JSONEncoder(separators=(", ", ": ")).encode
    gc.freeze()  # the catalogue stays: no need to look at it again and again
    gc.set_threshold(50_000)  # commits come and go without leaving cycles behind
    found = 0
    for commit in commits:
        signals = read(commit)
        if not signals:
            write(
                f'{{"id": {encode(commit.id)}, "ai_assisted": false, "tools": [], "signals": []}}\n'
            )
            continue
        ai = is_ai(signals, policy)
        found += ai
        write(encode(_line(commit.id, signals, policy, ai=ai)) + "\n")
    sys.stdout.flush()
    return found


def _line(
    identity: str, signals: tuple[Signal, ...], policy: DetectionPolicy, *, ai: bool
) -> dict[str, object]:
    return {
        "id": identity,
        "ai_assisted": ai,
        "tools": _tools(signals, policy),
        "signals": [
            {
                "tool": signal.tool,
                "kind": signal.kind,
                "confidence": signal.confidence,
                "where": signal.where,
                "evidence": signal.evidence,
            }
            for signal in signals
        ],
    }


def _tools(signals: tuple[Signal, ...], policy: DetectionPolicy) -> list[str]:
    """The tools that are surely enough there, in the order of their first mark."""
    enough = policy.confidence.rank
    return list(dict.fromkeys(s.tool for s in signals if s.confidence.rank >= enough))


# -- for a person -----------------------------------------------------------------------------


@dataclass(slots=True)
class _Summary:
    commits: int = 0
    assisted: int = 0
    by_tool: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, commit: CommitText, signals: tuple[Signal, ...], policy: DetectionPolicy) -> None:
        self.commits += 1
        if not is_ai(signals, policy):
            return
        self.assisted += 1
        for tool in _tools(signals, policy):
            self.by_tool[tool] += 1
            shown = self.examples.setdefault(tool, [])
            if len(shown) < _EXAMPLES:
                shown.append((commit.id, next(s.evidence for s in signals if s.tool == tool)))


class _Progress(Protocol):
    def update(self, status: str) -> None: ...


class _Silent:
    def update(self, status: str) -> None:
        pass


def _summarise(commits: Iterable[CommitText], policy: DetectionPolicy) -> int:
    """A table by tool: commits, share, examples. Holds a few lines of each tool, no more."""
    from rich.console import Console

    catalogue = shipped_catalogue()
    read = reader(catalogue).commit
    names = {tool.id: tool.name for tool in catalogue.tools}
    summary = _Summary()
    with _progress() as progress:
        for commit in commits:
            summary.add(commit, read(commit), policy)
            if summary.commits % _EVERY == 0:
                progress.update(f"{summary.commits:,} commits, {summary.assisted:,} AI-assisted")
    _table(Console(), summary, names)
    return summary.assisted


def _progress() -> AbstractContextManager[_Progress]:
    """A line on standard error that counts, if a person looks at it."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        return nullcontext(_Silent())
    return console.status("reading commits")


def _table(console: "Console", summary: _Summary, names: dict[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    share = summary.assisted / summary.commits if summary.commits else 0.0
    console.print(
        f"{summary.assisted:,} of {summary.commits:,} commits are AI-assisted ({share:.1%})."
    )
    if not summary.by_tool:
        return
    table = Table("tool", "commits", "share", "for example", show_edge=False, pad_edge=False)
    table.columns[1].justify = table.columns[2].justify = "right"
    for tool, count in summary.by_tool.most_common():
        lines = [f"{identity[:10]}  {evidence}" for identity, evidence in summary.examples[tool]]
        table.add_row(
            names.get(tool, "an unlisted tool"),
            f"{count:,}",
            f"{count / summary.commits:.1%}",
            Text("\n".join(map(plain, lines)), overflow="ellipsis", no_wrap=True),
        )
    console.print(table)


if __name__ == "__main__":
    detect()
