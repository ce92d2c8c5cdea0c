"""``countersign worker``: workers only, on the database that the web side fills."""

import gc
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from github_app import logs
from github_app.settings import SWEEP_EVERY, Settings

# They wait for GitHub most of the time: at 100 ms a call, 16 judge about 45 pull requests a second.
THREADS = 16

P = ParamSpec("P")
R = TypeVar("R")


def worker_options(command: Callable[P, R]) -> Callable[P, R]:
    """What can be said of the workers, by themselves or under ``countersign serve``."""
    for option in reversed(
        (
            click.option(
                "--threads",
                default=THREADS,
                show_default=True,
                type=click.IntRange(1, 64),
                help="How many pull requests are judged at once.",
            ),
            click.option("--no-sweep", is_flag=True, help="Do not look for what was missed."),
            click.option(
                "--sweep-every",
                default=SWEEP_EVERY,
                show_default=True,
                type=click.FloatRange(min=1),
                help="Seconds between two looks for what was missed.",
            ),
            click.option(
                "--pull",
                is_flag=True,
                help="Fetch deliveries from GitHub: for machines it cannot reach.",
            ),
        )
    ):
        command = option(command)
    return command


@click.command("worker")
@worker_options
def worker_command(threads: int, sweep_every: float, *, no_sweep: bool, pull: bool) -> None:
    """Run workers only: judge what the webhooks ask for."""
    gc.disable()  # a start makes no garbage, and looking for it takes a fifth of its time
    # Not at the top: `serve` reads this file, and has no use for 40 MB of what it imports.
    from github_app.running import Workers, on_signals
    from github_app.services import build
    from github_app.sweep import Timer

    logs.configure()
    parts = build(Settings.from_environment(os.environ))
    pull = pull or parts.settings.pull
    timer = None if no_sweep else Timer(parts.store, every=sweep_every, activity=parts.activity)
    workers = Workers(parts, threads=threads, timer=timer, pull=pull)
    on_signals(workers.stop)
    gc.freeze()
    gc.enable()
    try:
        workers.run()
    finally:
        parts.close()
