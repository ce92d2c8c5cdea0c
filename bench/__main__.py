"""``make bench``: every measurement that needs no outside file, then all targets in one table."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from bench.databases import NOT_HERE
from bench.table import GATHERED, PREFIX, Figure, console, print_table

# Name -> the command line after ``python -m``. Each runs in a process of its own: they measure
# memory and CPU, and must not inherit another's.
BENCHES: dict[str, tuple[str, ...]] = {
    "judge": ("bench.judge",),
    "roster": ("bench.roster",),
    "detect": ("bench.detect",),
    "latency": ("bench.latency",),
    "latency-postgres": ("bench.latency", "--postgres"),
    "cost": ("bench.cost",),
    "sweep": ("bench.sweep",),
    "doctor": ("bench.doctor",),
    "throughput": ("bench.throughput",),
    "throughput-postgres": ("bench.throughput", "--postgres"),
    "store": ("bench.store",),
    "store-postgres": ("bench.store", "--postgres"),
    "chaos": ("bench.chaos",),
    "chaos-postgres": ("bench.chaos", "--postgres"),
}
ON_POSTGRES = "PostgreSQL: "
_CHOICE = click.Choice(list(BENCHES))


@click.command()
@click.option("--only", multiple=True, type=_CHOICE, help="Not the others.")
@click.option("--skip", multiple=True, type=_CHOICE, help="All but these.")
def main(only: tuple[str, ...], skip: tuple[str, ...]) -> None:
    """Measure everything. Exit code 1: a measurement broke off. A missed target is no failure.

    What was not measured is in the table too, with the reason.
    """
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        gathered = Path(folder) / "figures"
        for name, bench in BENCHES.items():
            if name in skip or (only and name not in only):
                missing[name] = "skipped"
                continue
            console.rule(name)
            code = measure(bench, gathered)
            if code:
                missing[name] = "not on this machine" if code == NOT_HERE else "broke off"
        figures = read(gathered)
    console.rule("all targets")
    wanted = [figure for figure in figures if figure.target is not None]
    print_table("Figures with a target", wanted, missing)
    sys.exit(1 if "broke off" in missing.values() else 0)


def measure(bench: Sequence[str], gathered: Path) -> int:
    """Run one bench; its figures are appended to ``gathered``. The exit code."""
    prefix = ON_POSTGRES if "--postgres" in bench else ""
    environment = {**os.environ, GATHERED: str(gathered), PREFIX: prefix}
    return subprocess.run([sys.executable, "-m", *bench], check=False, env=environment).returncode


def read(gathered: Path) -> list[Figure]:
    lines = gathered.read_text(encoding="utf-8").splitlines() if gathered.exists() else []
    return [Figure(**json.loads(line)) for line in lines]


if __name__ == "__main__":
    main()
