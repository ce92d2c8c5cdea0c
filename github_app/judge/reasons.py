"""The stable codes: every reason a verdict can give. A code is never renamed or reused.

``docs/reasons.md`` has a row for each; a test holds the two together.
"""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Code(StrEnum):
    """Grouped by ten. Audit records, tests and the docs speak of reasons by these."""

    # What the verdict rests on
    NO_AI_MARK = "CS001"  # nothing marks this change as AI-assisted
    AI_MARK = "CS002"  # something does: the signals say what
    EVIDENCE_CLEARED = "CS003"  # an entitled senior said that it is not AI-assisted
    ROSTER_CHANGED = "CS004"  # the change touches the roster: it needs a sign-off whoever wrote it
    DECLARATION_MISSING = "CS005"  # require_declaration, and nothing is declared
    FORCED_AWAY_UNREAD = "CS006"  # too much to look at: it takes a sign-off as if AI took part

    # Decisions
    EVERYONE_SENIOR = "CS010"
    SIGNED = "CS011"
    NOBODY_YET = "CS012"
    MORE_NEEDED = "CS013"
    NOBODY_CAN = "CS014"  # waiting, and nobody on the roster could sign
    CHANGES_REQUESTED = "CS015"
    WRITER_UNKNOWN = "CS016"  # a commit tied to no account asks for one more sign-off
    RULE_RAISED = "CS017"  # a rule of the roster asks for more than usual
    OVERRIDDEN = "CS018"
    FILE_AT_RISK = "CS019"  # a file whose path says too little: every rule on paths applies

    # Why an approval does not count
    NOT_A_PERSON = "CS030"
    NOT_LISTED = "CS031"
    OLDER_HEAD = "CS032"
    IDENTITY_MISMATCH = "CS033"
    CONTRIBUTOR = "CS034"
    CANNOT_PUSH = "CS035"
    WRONG_TEAM = "CS036"
    BELOW_LEVEL = "CS037"
    RAISED_BY_CHANGE = "CS038"
    COMMIT_LOST = "CS039"
    ACCOUNT_DELETED = "CS040"
    DISMISSED = "CS041"
    BASE_CHANGED = "CS042"  # of the head, against a base that gave another difference

    # Why a change is not exempt although its author is senior
    EXEMPT_OPENER = "CS050"
    EXEMPT_PUSHERS_UNKNOWN = "CS051"
    EXEMPT_PUSHER = "CS052"
    EXEMPT_COMMIT = "CS053"

    # Why nothing can be judged
    ROSTER_MISSING = "CS060"
    ROSTER_BROKEN = "CS061"
    INCOMPLETE = "CS062"
    GITHUB_FAILED = "CS063"
    TWIN_WORSE = "CS064"  # of the open pull requests with this head commit, the worst off
    GROUP_UNKNOWN = "CS065"  # a merge group that cannot be traced to its pull requests
    GROUP_STALE = "CS066"  # queued with another head than the one that was judged
    INTERNAL = "CS067"
    PROPOSED_ROSTER_BROKEN = "CS069"  # the change would leave a roster that cannot be used
    WITHDRAWN = "CS068"  # something happened that may take a green away: it is judged anew

    GROUP_AHEAD = "CS081"  # a pull request ahead of it in the merge queue may not be merged
    GROUP_STACKED = "CS082"  # a pull request of the group is not into the queue's branch
    GROUP_DIFFERS = "CS083"  # a merge group holds other changes than its pull requests
    NO_COMMITS = "CS080"  # the base holds the head already: there is nothing to judge or to merge

    # Said aloud, decides nothing
    ROSTER_STALE = "CS070"  # the roster is broken; the last valid one is in force
    ROSTER_WARNING = "CS071"
    CLEARING_IGNORED = "CS072"  # the label was set by somebody who is not entitled
    TEAM_UNREAD = "CS073"
    CARRIED_OVER = "CS074"  # an approval of an older head whose change is provably the same
    LABEL_EDITED = "CS075"  # the label that clears was renamed or edited after it was applied
    DISMISSAL_IGNORED = "CS076"  # of a request for changes, by somebody who is not entitled

    # What is wrong with something that reached a branch all the same
    MERGED_NOT_GREEN = "CS090"
    CONTENT_DIFFERS = "CS091"  # what was merged is not what was judged
    MARKED_AT_MERGE = "CS092"  # judged as human work, and the merge's own message marks it as AI
    PUSHED_PAST = "CS093"  # AI-assisted commits that came through no pull request
    PUSH_TOO_LONG = "CS094"  # more commits at once than are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A code and what completes its sentence. ``report/sentences.py`` has the wording.

    ``who`` and ``by`` are logins, ``sha`` a commit id, ``path`` a file's, ``detail`` text that may
    be foreign: each is escaped where it is shown, never here.
    """

    code: Code
    who: str = ""
    sha: str = ""
    detail: str = ""
    path: str = ""
    by: str = ""
