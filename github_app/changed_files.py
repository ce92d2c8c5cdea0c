"""Asks GitHub for the diff of a pull request: what its files are, and were called.

One call a head. Only what the judge looks at is kept: diffs are private code.
"""

import threading
from collections import OrderedDict
from dataclasses import replace

from github_app.gateway.client import Installation
from github_app.gateway.diff import diff
from github_app.judge import file_kinds
from github_app.judge.facts import ChangedFile, FileKind, PullRequest

KEPT = 10_000  # heads
MOST_ODD = 200  # files of a head that are remembered; of one with more it is asked again

_Key = tuple[int, str, str]
_Odd = dict[str, tuple[tuple[FileKind, ...], str | None]]


class ChangedFiles:
    """One a process, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, _Odd] = OrderedDict()

    def read(self, installation: Installation, pull: PullRequest) -> PullRequest:
        """The pull request with ``diff_read`` and what the diff tells of each file.

        Raises: GitHubError; not where GitHub declines to show the diff.
        """
        key = (pull.repository.id, pull.base_oid, pull.head_oid)
        with self._lock:
            odd = self._known.get(key)
            if odd is not None:
                self._known.move_to_end(key)
        if odd is not None:
            files = tuple(_told(file, odd) for file in pull.files)
            return replace(pull, files=files, diff_read=True)
        text = diff(installation, pull.repository, pull.base_oid, pull.head_oid)
        read = None if text is None else file_kinds.read(text, pull.files)
        if read is None:
            return replace(pull, diff_read=False)
        self._keep(key, read)
        return replace(pull, files=read, diff_read=True)

    def _keep(self, key: _Key, files: tuple[ChangedFile, ...]) -> None:
        odd = {
            file.path: (file.kinds, file.previous_path)
            for file in files
            if file.kinds or file.previous_path is not None
        }
        if len(odd) > MOST_ODD:
            return
        with self._lock:
            self._known[key] = odd
            while len(self._known) > KEPT:
                self._known.popitem(last=False)


def _told(file: ChangedFile, odd: _Odd) -> ChangedFile:
    if file.path not in odd:
        return file
    kinds, before = odd[file.path]
    return replace(file, kinds=kinds, previous_path=before)
