"""What a sweep asks of GitHub when nothing was missed: very many open pull requests, all judged.

That they were judged is put there without judging them: their check runs into the sandbox, their
settled rows into the database. The sweep itself is the app's own, at its start.
"""

import time
from collections import Counter

import click

from bench.app import App
from bench.hub import CHECK, SHOP, Hub
from bench.table import Figure, console, show
from github_app import services
from github_app.gateway import commit
from github_app.gateway import repository as gateway
from github_app.settings import Settings
from github_app.store.claim import Seen
from github_app.store.database import Store, open_store
from github_app.store.grounds import Ground
from github_app.store.task import Task, TaskKind

A_REPOSITORY = 2_500
PATIENCE = 300.0
# What has just changed is judged once more by the next sweep: all of it changed long ago. Seconds.
AGO = 3600.0


def repositories(hub: Hub, count: int) -> list[str]:
    """``acme/shop`` and more of its kind."""
    names = [SHOP]
    for place in range(1, count):
        hub.act("olga", "create_repository", name=f"shop-{place}", owner="acme", private=True)
        name = f"acme/shop-{place}"
        hub.act("olga", "add_collaborator", repo=name, login="june", permission="write")
        names.append(name)
    return names


def fill(hub: Hub, store: Store, pulls: int) -> tuple[int, list[str]]:
    """Open the pull requests, give each its check, and settle its row, all without an event.

    Returns the installation and the repositories.
    """
    world = hub.box.world
    installation = next(one for one in world.installations.values() if one.app is hub.box.app)
    names = repositories(hub, max(1, -(-pulls // A_REPOSITORY)))
    tasks = []
    for place in range(pulls):
        name, branch = names[place % len(names)], f"open-{place}"
        hub.act("june", "push", repo=name, branch=branch)
        found = hub.act("june", "open_pull_request", repo=name, head=branch)
        hub.act(
            "olga", "report_check", repo=name, name=CHECK, sha=found["head_sha"],
            app=hub.box.app.slug, conclusion="success", title="No AI assistance found",
        )  # fmt: skip
        task = Task(
            kind=TaskKind.PULL_REQUEST,
            installation_id=installation.id,
            repository_id=world.repository(name).id,
            subject=str(found["number"]),
            full_name=name,
        )
        tasks.append(task)
    store.queue.add(tasks)
    while (claim := store.queue.claim("bench")) is not None:
        changed_at = (
            world.repository(claim.task.full_name).pulls[int(claim.task.subject)].updated_at
        )
        saw = Seen(updated_at=changed_at, surely=True)
        store.queue.settle(claim.having_seen({claim.task.subject: saw}))
    return installation.id, names


def judged_by_now(app: App, store: Store, installation_id: int, names: list[str]) -> None:
    """Say of every open pull request that it was judged by the roster and the rules in force."""
    parts = services.build(Settings.from_environment(app.environment))
    try:
        installation = parts.github.installation(installation_id)
        for name in names:
            owner, _, short = name.partition("/")
            number = commit.repository_id(installation, owner, short)
            found = list(
                gateway.open_pull_requests(
                    installation,
                    owner,
                    short,
                    repository_id=number,
                    check_name=CHECK,
                    app_id=parts.settings.app_id,
                )
            )
            ground = parts.rosters.ground(installation_id, owner, found[0].rosters)
            store.grounds.keep(
                [
                    Ground(
                        repository_id=number,
                        number=pull.number,
                        head_oid=pull.head_oid,
                        digest=ground,
                    )
                    for pull in found
                ]
            )
    finally:
        parts.close()


def run(*, pulls: int = 10_000) -> list[Figure]:
    with Hub() as hub:
        app = App(hub.env(), options=())
        store = open_store(app.database_url)
        with hub.box.world.quiet():
            hub.box.world.skip(-AGO)
            installation_id, names = fill(hub, store, pulls)
            hub.box.world.skip(AGO)
        judged_by_now(app, store, installation_id, names)
        hub.target = app.url
        hub.calls.clear()
        started = time.monotonic()
        with app:
            _swept(app, store)
            seconds = time.monotonic() - started
        store.close()
        kinds = Counter(called.kind for called in hub.calls)
    remark = ", ".join(f"{many} x {kind}" for kind, many in kinds.most_common())
    judged = kinds["graphql:PullRequestSnapshot"]
    name = f"sweep of {pulls:,} open pull requests"
    return show(
        "A sweep that finds nothing (it is the app's first, so it has no cursor to go by)",
        [
            Figure(f"{name}: calls", kinds.total(), target=300, remark=remark),
            Figure(f"{name}: judged again", judged, target=0),
            Figure(f"{name}: from start to end", seconds, "s"),
        ],
    )


def _swept(app: App, store: Store) -> None:
    """Wait until the sweep was made and all that it asked for is done."""
    deadline = time.monotonic() + PATIENCE
    while not any(line.get("event") == "swept" for line in app.log()) or (
        store.queue.stats().counts
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("the sweep did not end")
        time.sleep(0.1)


@click.command()
@click.option("--pulls", default=10_000, show_default=True, type=click.IntRange(1))
def main(pulls: int) -> None:
    """Count the calls of a sweep."""
    console.print(f"opening {pulls:,} pull requests")
    run(pulls=pulls)


if __name__ == "__main__":
    main()
