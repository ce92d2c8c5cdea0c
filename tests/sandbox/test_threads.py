"""Many at once: nothing is lost, doubled or stuck when people, apps and webhooks run together."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, Inbox, document

PEOPLE = ("ada", "grace", "kim", "june")
EACH = 8


def together(*jobs: Callable[[], None]) -> None:
    """Run all jobs at once; the first exception of any is raised here."""
    failed: list[BaseException] = []

    def guard(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    threads = [threading.Thread(target=guard, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "stuck"
    if failed:
        raise failed[0]


def test_people_apps_and_webhooks_together(server: Sandbox) -> None:
    inbox = Inbox()
    answered: list[int] = []

    def receive(headers: dict[str, str], body: bytes) -> int:
        """The app in the webhook's thread: it reads the state while others write it."""
        server.world.repository(SHOP).open_pulls.copy()
        return inbox.receive(headers, body)

    server.courier.receiver = receive

    def work(login: str) -> None:
        for n in range(EACH):
            branch = f"{login}-{n}"
            server.act(login, "push", repo=SHOP, branch=branch)
            number = server.act(login, "open_pull_request", repo=SHOP, head=branch)["number"]
            server.act("olga", "approve", repo=SHOP, number=number)

    def ask() -> None:
        with Client(server) as client:
            for _ in range(EACH):
                answer = client.call("GET", f"/repos/{SHOP}/pulls?per_page=100")
                answered.append(answer.status_code)
                found = client.query(
                    document("MergeQueueEntries"), owner="acme", name="shop", branch="main"
                )
                assert "errors" not in found

    together(*(lambda login=login: work(login) for login in PEOPLE), ask, ask)
    assert server.drain()
    pulls = server.world.repository(SHOP).pulls
    assert sorted(pulls) == list(range(1, len(PEOPLE) * EACH + 1))
    assert set(answered) == {200}
    opened = [body["number"] for body in inbox.bodies("pull_request.opened")]
    assert sorted(opened) == sorted(pulls)
    guids = [headers["X-GitHub-Delivery"] for headers, _ in inbox.got]
    assert len(set(guids)) == len(guids) == len(server.courier.log)
