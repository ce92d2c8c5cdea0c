"""``python -m sandbox.demo``: the real app on a GitHub of its own plays a story, then you do.

Exit code 0 when every step came as it should, 1 when one did not or the app failed.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from sandbox import play as page
from sandbox.real_app import AppFailed, RealApp
from sandbox.seed import ORGANIZATION
from sandbox.server import Sandbox
from sandbox.story import Result, Story, play

PATIENCE = 20.0  # seconds a step may take
_MARKS = {
    "success": ("✓", "green"),
    "action_required": ("●", "yellow"),
    "failure": ("✗", "red"),
}
_WIDEST = len("action_required")


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


@click.command()
@click.option("--once", is_flag=True, help="End after the story; otherwise the page stays open.")
@click.option("--port", default=0, help="Of the page; a free one unless given.")
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play under this reviewers.yaml. The story says where it then differs.",
)
@click.option(
    "--patience", default=PATIENCE, show_default=True, help="Seconds that a step may take."
)
def main(port: int, roster: Path | None, patience: float, *, once: bool) -> None:
    """Play the story of a sign-off with the real app, and leave the page open."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: stop.set())
    try:
        good = run(stop, once=once, port=port, roster=roster, patience=patience)
    except AppFailed as failure:
        click.echo(f"\n{failure}", err=True)
        good = False
    except Stopped:
        click.echo("\nStopped before the end of the story.", err=True)
        good = False
    sys.exit(0 if good else 1)


def run(
    stop: threading.Event, *, once: bool, port: int, roster: Path | None, patience: float
) -> bool:
    """Everything from start to end; True if the story went as it should. Raises: AppFailed."""

    def go_on() -> None:
        """Raises: Stopped, AppFailed."""
        if stop.is_set():
            raise Stopped
        app.check_alive()

    with (
        tempfile.TemporaryDirectory(prefix="countersign-demo-") as directory,
        Sandbox(port=port, extend=page.install) as hub,
    ):
        if roster is not None:
            use_roster(hub, roster)
        click.echo(f"A GitHub on localhost: {hub.url}")
        app = RealApp(hub, Path(directory), while_waiting=go_on)
        with app:
            click.echo(f"Countersign beside it: {app.url} (countersign serve)\n")
            good = tell(hub, patience, go_on)
            if not good and (complaints := app.complaints()):
                click.echo(f"The app complained:\n{complaints}")
            if not once:
                leave_open(hub, app, stop)
    return good


def use_roster(hub: Sandbox, roster: Path) -> None:
    """Put the file where the organisation keeps its roster."""
    text = roster.read_text(encoding="utf-8")
    where = f"{ORGANIZATION}/.github"
    hub.act("olga", "put_file", repo=where, path="reviewers.yaml", content=text)


def tell(hub: Sandbox, patience: float, go_on: Callable[[], None]) -> bool:
    """Play every step and print it; True if none deviated."""
    story, started, about = Story(), time.monotonic(), 1
    deviations = 0
    for place, step in enumerate(story.steps, start=1):
        go_on()
        result = play(step, hub, about=about, patience=patience, go_on=go_on)
        about = result.number
        deviations += len(result.deviations)
        show(place, result)
    took = f"{time.monotonic() - started:.1f} s"
    if deviations:
        words = "1 thing was" if deviations == 1 else f"{deviations} things were"
        click.secho(f"\n{words} not as expected ({took}).", fg="red", bold=True)
        return False
    click.secho(f"\nAll {len(story.steps)} steps came as they should ({took}).", bold=True)
    return True


def show(place: int, result: Result) -> None:
    """One step: what was done, what GitHub said, the check, and why."""
    step, check = result.step, result.check or {}
    conclusion = check.get("conclusion") or "pending"
    mark, colour = _MARKS.get(conclusion, ("○", "white"))
    number = click.style(f"{place:>2}", dim=True)
    where = click.style(f"#{result.number}", dim=True)
    click.echo(f"{number}  {click.style(step.who, bold=True)} {step.what}  {where}")
    if result.refusal:
        click.echo(f"    {click.style('✗', fg='red')} GitHub refuses: {result.refusal}")
    if result.state == "merged":
        click.echo(f"    {click.style('✓', fg='magenta')} GitHub merges it")
    state = click.style(f"{mark} {conclusion:<{_WIDEST}}", fg=colour)
    click.echo(f"    {state}  {check.get('title') or 'no report'}")
    for reason in result.reasons:
        click.echo(f"      {'':<{_WIDEST}}  {click.style(reason, dim=True)}")
    for deviation in result.deviations:
        click.secho(f"    ! {deviation}", fg="red", bold=True)


def leave_open(hub: Sandbox, app: RealApp, stop: threading.Event) -> None:
    """Keep both running until a signal. Raises: AppFailed when the app ends by itself."""
    click.echo(f"\nNow you: {click.style(hub.url, bold=True, underline=True)}  (Ctrl-C ends it)")
    sys.stdout.flush()
    while not stop.wait(0.5):
        app.check_alive()
    click.echo("\nShutting down.")


if __name__ == "__main__":
    main()
