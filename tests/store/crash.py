"""Programs that ``test_crashes.py`` starts and kills: a producer of events, and a worker."""

import fcntl
import os
import sys
from itertools import count
from pathlib import Path
from typing import TextIO

from github_app.store.audit import Entry, RecordKind
from github_app.store.claim import Claim, Limits
from github_app.store.database import Store, open_store
from tests.store.build import a_task, put

SUBJECTS = 12
LIMITS = Limits(lease=3, crashes=1_000)


def produce(store: Store) -> None:
    """Put events; each is told on stdout only after ``put`` has returned, as a 202 would be."""
    for number in count():
        guid = f"{os.getpid()}-{number}"
        put(store, guid, a_task(number % SUBJECTS))
        print(guid, flush=True)


def work(store: Store, folder: Path) -> None:
    """Judge for ever. Tells ``overlap`` if another process is at the same subject."""
    while True:
        claim = store.queue.claim(f"worker-{os.getpid()}")
        if claim is None:
            store.queue.wait(1)
            continue
        with (folder / claim.task.subject).open("w") as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"overlap {claim.task.subject}", flush=True)
            judge(store, claim, mark)


def judge(store: Store, claim: Claim, mark: TextIO | None = None) -> None:
    judged = store.audit.append(entry(claim, RecordKind.JUDGED))
    holds = store.queue.holds(claim, 1)
    if mark is not None:
        # Before settling: the moment it has settled, another may have the subject, and rightly.
        fcntl.flock(mark, fcntl.LOCK_UN)
    if holds:
        store.queue.settle(claim, records=[entry(claim, RecordKind.PUBLISHED, judged.seq)])


def entry(claim: Claim, kind: RecordKind, judged_seq: int | None = None) -> Entry:
    return Entry(
        kind=kind,
        repository_id=claim.task.repository_id,
        repository=claim.task.full_name,
        number=int(claim.task.subject),
        deliveries=claim.deliveries,
        judged_seq=judged_seq,
    )


def main(role: str, url: str, folder: str) -> None:
    with open_store(url, limits=LIMITS) as store:
        if role == "produce":
            produce(store)
        else:
            work(store, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
