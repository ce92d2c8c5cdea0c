"""What the doctor asks of GitHub for an organisation of thousands of repositories, and how long.

The command runs in a process of its own; every call takes as long as GitHub takes to answer.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter

import click

from bench.hub import CHECK, Hub
from bench.table import Figure, console, show

LATENCY = 0.1  # seconds a call
PATIENCE = 900.0
FIRST_ID = 1_000_000  # apart from the ids that the sandbox starts with


def fill(hub: Hub, count: int) -> None:
    """``count`` repositories in all, each under a ruleset of its own: the most there is to read.

    Everybody in the organisation may write, and nobody who signs is an owner of it, so that of each
    repository must be asked who may push there.
    """
    hub.box.world.organization("acme").base_permission = "write"
    check = {"context": CHECK, "integration_id": hub.box.app.id}
    rules = [
        {"type": "required_status_checks", "parameters": {"required_status_checks": [check]}},
        {"type": "pull_request", "parameters": {}},
    ]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"]}}
    ruleset = {"name": "all", "enforcement": "active", "conditions": conditions, "rules": rules}
    with hub.box.world.quiet():
        for place in range(2, count):
            hub.act(
                "olga", "create_repository", name=f"shop-{place}", owner="acme", private=True,
                id=FIRST_ID + place,
            )  # fmt: skip
        for name in hub.box.world.repositories.values():
            hub.act("olga", "set_ruleset", repo=name.full_name, ruleset=ruleset)


def run(*, repositories: int = 2_000) -> list[Figure]:
    with Hub() as hub:
        fill(hub, repositories)
        hub.box.faults.latency = LATENCY
        hub.calls.clear()
        token = hub.box.door.user_token("olga")
        environment = {**os.environ, **hub.env(), "GITHUB_ADMIN_TOKEN": token}
        command = [sys.executable, "-m", "github_app", "doctor", "acme", "--pull", "--json"]
        started = time.monotonic()
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, check=False, timeout=PATIENCE
        )
        seconds = time.monotonic() - started
        kinds = Counter(called.kind for called in hub.calls)
    found = json.loads(done.stdout)
    if len(found["repositories"]) != repositories or found["findings"]:
        looked = len(found["repositories"])
        raise RuntimeError(f"wrong: {looked} repositories, {found['findings'][:3]}")
    remark = ", ".join(f"{many} x {kind}" for kind, many in kinds.most_common(4))
    name = f"doctor of {repositories:,} repositories"
    return show(
        f"The doctor, GitHub answering after {LATENCY * 1000:.0f} ms",
        [
            Figure(f"{name}: calls", kinds.total(), target=6_000, remark=remark),
            Figure(f"{name}: from start to end", seconds, "s", target=120),
        ],
    )


@click.command()
@click.option("--repositories", default=2_000, show_default=True, type=click.IntRange(3))
def main(repositories: int) -> None:
    """Count the calls of a doctor and take its time."""
    console.print(f"making {repositories:,} repositories")
    run(repositories=repositories)


if __name__ == "__main__":
    main()
