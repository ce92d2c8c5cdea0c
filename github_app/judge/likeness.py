"""What tells, for nothing, that a change may have been seen before: grounds to ask for the proof.

A rebase, a cherry-pick and an amended message keep who wrote a commit, to the second, and how many
lines it changed. A squash keeps which files the whole change touches, and by how many lines each.
Two unlike changes can share all that, so by itself a likeness says nothing: ``patch.patch_id`` of
both diffs does.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from github_app.judge.facts import ChangedFile, Commit, PullRequest

# So many changed lines are in the same files by the same numbers twice only if they are the same.
_NO_COINCIDENCE = 1_000
_COMMIT, _CHANGE, _TREE = "commit:", "change:", "tree:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What ``head_oid`` changes since its merge base with ``base_oid``."""

    base_oid: str
    head_oid: str


def likenesses(pull: PullRequest) -> Mapping[str, tuple[Range, ...]]:
    """Each likeness of the pull request and of its commits, with all that it is a likeness of."""
    found = {_change(pull): (Range(base_oid=pull.base_oid, head_oid=pull.head_oid),)}
    for commit in pull.commits:
        base = commit.parents[0] if commit.parents else ""
        key, of_commit = _commit(commit), Range(base_oid=base, head_oid=commit.oid)
        found[key] = (*found.get(key, ()), of_commit)
    return {key: ranges for key, ranges in found.items() if key}


def is_of_commit(likeness: str) -> bool:
    """Whether it is one commit that is alike, and not the whole change."""
    return likeness.startswith(_COMMIT)


def is_unmistakable(likeness: str, pull: PullRequest) -> bool:
    """Whether it can do without proof, where GitHub shows no diff: it does not for very large
    changes, and for binary files. The same second and size of one author is no accident."""
    return is_of_commit(likeness) or _lines(pull.files) >= _NO_COINCIDENCE


def tree(pull: PullRequest) -> str:
    """The whole content at the head, as an identity; empty where it is the base's or not known.

    The head of another pull request with this very content made the same of it.
    """
    head = pull.commits[-1] if pull.commits else None
    if head is None or not head.tree_oid or not pull.files:
        return ""
    return _TREE + head.tree_oid


def _change(pull: PullRequest) -> str:
    if not pull.files or not pull.files_complete:
        return ""
    rows = sorted((file.path, file.additions, file.deletions) for file in pull.files)
    return _CHANGE + _digest(*rows)


def _commit(commit: Commit) -> str:
    sizes = (commit.additions, commit.deletions, commit.changed_files)
    if commit.authored_at is None or not commit.author.email or len(commit.parents) != 1:
        return ""
    if not any(sizes):
        return ""  # an empty commit is like any other
    second = commit.authored_at.replace(microsecond=0).isoformat()
    return _COMMIT + _digest(commit.author.email.casefold(), second, *sizes)


def _lines(files: tuple[ChangedFile, ...]) -> int:
    return sum(file.additions + file.deletions for file in files)


def _digest(*parts: object) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
