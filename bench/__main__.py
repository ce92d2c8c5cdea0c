"""``make bench``: every measurement that needs no outside file, then all targets in one table."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from bench.table import GATHERED, Figure, console, print_table

# Name -> the command line after ``python -m``. Each runs in a process of its own: they measure
# memory and CPU, and must not inherit another's.
BENCHES: dict[str, tuple[str, ...]] = {
    "judge": ("bench.judge",),
    "roster": ("bench.roster",),
    "detect": ("bench.detect",),
    "latency": ("bench.latency",),
    "cost": ("bench.cost",),
    "sweep": ("bench.sweep",),
    "doctor": ("bench.doctor",),
    "throughput": ("bench.throughput",),
    "store": ("bench.store",),
    "chaos": ("bench.chaos",),
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(BENCHES)), help="Not the others.")
def main(only: tuple[str, ...]) -> None:
    """Measure everything. Exit code 1: a measurement broke off. A missed target is no failure."""
    broken = []
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        gathered = Path(folder) / "figures"
        for name in only or tuple(BENCHES):
            console.rule(name)
            command = [sys.executable, "-m", *BENCHES[name]]
            environment = {**os.environ, GATHERED: str(gathered)}
            if subprocess.run(command, check=False, env=environment).returncode:
                broken.append(name)
        lines = gathered.read_text(encoding="utf-8").splitlines() if gathered.exists() else []
    figures = [Figure(**json.loads(line)) for line in lines]
    console.rule("all targets")
    print_table("Figures with a target", [one for one in figures if one.target is not None])
    for name in broken:
        console.print(f"broke off: {name}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
