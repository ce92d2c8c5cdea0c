"""Processes that die or freeze at any instant: nothing acknowledged is lost, nothing is doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from github_app.store.audit import RecordKind
from github_app.store.claim import Limits
from github_app.store.database import Store, open_store
from tests.store.build import a_task, claimed, put
from tests.store.crash import LIMITS, judge

KILLS = 12


class Herd:
    """Processes of ours; each writes to a file, which outlives it."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._files: list[Path] = []
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, role: str) -> None:
        path = self._folder / f"{role}-{len(self._files)}.out"
        self._files.append(path)
        with path.open("wb") as out:
            command = [sys.executable, "-m", "tests.store.crash", role, self._url]
            process = subprocess.Popen(
                [*command, str(self._folder)], stdout=out, stderr=subprocess.STDOUT
            )
        self.running.append((role, process))

    def kill(self, number: int) -> str:
        role, process = self.running.pop(number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return role

    def kill_all(self) -> None:
        while self.running:
            self.kill(0)

    def lines(self, role: str) -> list[str]:
        """What was written, without a last line that was cut off."""
        texts = [path.read_text() for path in self._files if path.name.startswith(role)]
        return [line for text in texts for line in text.split("\n")[:-1]]


@pytest.fixture
def herd(url: str, tmp_path: Path) -> Iterator[Herd]:
    folder = tmp_path / "herd"
    folder.mkdir()
    herd = Herd(url, folder)
    yield herd
    herd.kill_all()


def drain(store: Store) -> None:
    """Work on until nothing is left; what dead workers held comes free when their leases end."""
    while store.queue.stats().counts:
        claim = store.queue.claim("last")
        if claim is None:
            store.queue.wait(1)
        else:
            judge(store, claim)


@pytest.mark.slow
def test_killed_processes_lose_nothing(url: str, herd: Herd) -> None:
    chance = random.Random(4711)
    open_store(url).close()
    for role in ("produce", "produce", "work", "work"):
        herd.start(role)
    while not herd.lines("produce"):
        time.sleep(0.05)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 0.4))
        herd.start(herd.kill(chance.randrange(len(herd.running))))
    time.sleep(1)
    herd.kill_all()
    acknowledged = herd.lines("produce")
    assert len(acknowledged) == len(set(acknowledged)) > 0
    with open_store(url, limits=LIMITS) as store:
        drain(store)
        assert store.inbox.knows(acknowledged) == set(acknowledged)
        assert store.queue.stats().unprocessed_deliveries == 0
        recorded = published(store)
        assert set(acknowledged) <= recorded, "each was behind a judgement that was published"
        assert store.audit.verify().ok
    assert herd.lines("work") == [], "two workers on one subject, or an error"


def published(store: Store) -> set[str]:
    return {
        guid
        for record in store.audit.records()
        if record.entry.kind is RecordKind.PUBLISHED
        for guid in record.entry.deliveries
    }


def test_frozen_worker_is_replaced_and_refused_when_it_wakes(url: str) -> None:
    """SIGSTOP between claim and settle: the classic way to judge with yesterday's state."""
    program = (
        "import os, signal, sys\n"
        "from github_app.store.database import open_store\n"
        "from github_app.store.claim import Limits\n"
        "with open_store(sys.argv[1], limits=Limits(lease=1)) as store:\n"
        "    claim = store.queue.claim('frozen')\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    print(store.queue.holds(claim, 0), store.queue.renew(claim),"
        " store.queue.settle(claim))\n"
    )
    with open_store(url, limits=Limits(lease=1)) as store:
        put(store, "guid-1")
        command = [sys.executable, "-c", program, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as frozen:
            os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            while (claim := store.queue.claim("next")) is None:
                store.queue.wait(5)
            assert claim.deliveries == ("guid-1",)
            assert store.queue.settle(claim)
            frozen.send_signal(signal.SIGCONT)
            said, _ = frozen.communicate()
        assert said.split() == ["False", "False", "False"]
        assert claimed(store).generation == 2, "its late settling asked for one more judgement"


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_client_frozen_inside_a_transaction_is_cut_off(url: str) -> None:
    """It holds the row that an event must raise; the webhook gets through all the same."""
    program = (
        "import os, signal, sys\n"
        "from sqlalchemy import text\n"
        "from github_app.store.database import open_store\n"
        "store = open_store(sys.argv[1])\n"
        "with store._database.write() as connection:\n"
        "    connection.execute(text('SELECT * FROM tasks FOR UPDATE'))\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    with open_store(url) as store:
        store.queue.add([a_task()])
        with subprocess.Popen([sys.executable, "-c", program, url]) as frozen:
            os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            assert store.queue.claim("worker-1") is None, "the row is skipped, not waited for"
            put(store, "guid-1")
            assert claimed(store).deliveries == ("guid-1",)
            frozen.kill()


def test_process_killed_inside_a_transaction_leaves_nothing_of_it(url: str) -> None:
    program = (
        "import os, signal, sys\n"
        "from github_app.store.database import open_store\n"
        "from tests.store.build import a_delivery, a_task\n"
        "store = open_store(sys.argv[1])\n"
        "with store._database.write() as connection:\n"
        "    store.inbox._store(connection, a_delivery('guid-1'), processed=False)\n"
        "    store.queue.request(connection, [a_task()])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with open_store(url) as store:
        done = subprocess.run([sys.executable, "-c", program, url], check=False)
        assert done.returncode == -signal.SIGKILL
        assert store.inbox.get("guid-1") is None
        assert store.queue.claim("worker-1") is None
        put(store, "guid-1")
        assert claimed(store).deliveries == ("guid-1",)
