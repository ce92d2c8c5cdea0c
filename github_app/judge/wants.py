"""Facts that cost an extra call: the judge says which of them could change its verdict."""

from enum import StrEnum


class Want(StrEnum):
    """Asked for only where it may matter; until then the verdict is on the safe side of it."""

    PUSHES = "pushes"
    DIFF = "what the changed files are, and were called"
    MAY_PUSH = "whether who set the evidence aside or lifted an objection may push"
    CARRY = "whether the change is that of an older head"
    BASE = "whether the change to the base is what it was before the base changed"
    FORMER = "what was in the commits that were forced away"
    LOOKALIKES = "whether the change is that of another pull request"
