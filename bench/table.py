"""Figures with their targets, printed side by side."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from types import MappingProxyType

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, width=118)
# A file that gathers the figures of several benches: see ``__main__``.
GATHERED = "BENCH_FIGURES"
PREFIX = "BENCH_PREFIX"  # what the names of the gathered figures begin with


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``target`` None: for information. ``most``: the target is an upper bound.

    ``remark`` says what the reader must know to judge the figure.
    """

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    most: bool = True
    remark: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.most else self.value >= self.target


def show(title: str, figures: Iterable[Figure]) -> list[Figure]:
    """Print the table, and gather its figures if somebody asked for that; gives them back."""
    found = list(figures)
    gather(found)
    print_table(title, found)
    return found


def gather(figures: Iterable[Figure]) -> None:
    """Append the figures to the file that somebody gathers them in, if there is one."""
    gathered, prefix = os.environ.get(GATHERED), os.environ.get(PREFIX, "")
    if gathered:
        named = [replace(figure, name=prefix + figure.name) for figure in figures]
        with Path(gathered).open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(figure)) + "\n" for figure in named)


def print_table(
    title: str, found: Sequence[Figure], missing: Mapping[str, str] = MappingProxyType({})
) -> None:
    """The figures in rows, the target beside what was measured; then what was not, and why."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("figure", "measured", "target", "", "remark"):
        right = heading in {"measured", "target"}
        table.add_column(heading, justify="right" if right else "left")
    for figure in found:
        verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
        target = "" if figure.target is None else f"{'≤' if figure.most else '≥'} {figure.target:g}"
        cells = (figure.name, f"{number(figure.value)} {figure.unit}", target, verdict)
        table.add_row(*(Text(cell) for cell in cells), Text(figure.remark))
    for name, why in missing.items():
        table.add_row(Text(name), "-", "", Text("NOT MEASURED"), Text(why))
    console.print(table)
    console.print()


def number(value: float) -> str:
    """Three digits are enough to compare."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percentile(values: Sequence[float], percent: int) -> float:
    """The ``percent``-th percentile; of a single value that value."""
    if len(values) < 2:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def milliseconds(values: Sequence[float]) -> float:
    """The median of seconds, in milliseconds."""
    return median(values) * 1000
