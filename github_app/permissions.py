"""What the app asks GitHub for, each with its reason: told at the set-up, checked by the doctor."""

from collections.abc import Mapping
from dataclasses import dataclass

# Least privilege: without one of these Countersign cannot do its work. Name -> level and reason.
PERMISSIONS: Mapping[str, tuple[str, str]] = {
    "checks": ("write", "publish the check"),
    "contents": ("read", "read commits and the roster"),
    "members": ("read", "read the teams of the roster"),
    "merge_queues": ("read", "judge merge groups"),
    "metadata": ("read", "read the rules of branches"),
    "pull_requests": ("read", "read pull requests and reviews"),
    "statuses": ("write", "be accepted as the pinned source of a required check"),
}
# check_run and check_suite come with checks: write, without a subscription.
EVENTS = frozenset(
    [
        "label",
        "member",
        "membership",
        "merge_group",
        "organization",
        "pull_request",
        "pull_request_review",
        "push",
        "repository",
        "team",
    ]
)
# A person's account has no members and no teams: GitHub grants it neither of these.
_OF_ORGANIZATIONS = frozenset({"members"})
_EVENTS_OF_ORGANIZATIONS = frozenset({"member", "membership", "organization", "team"})


def permissions_of(*, organization: bool) -> Mapping[str, tuple[str, str]]:
    """What is needed on an organisation, or on a person's account: name -> level and reason."""
    left = frozenset[str]() if organization else _OF_ORGANIZATIONS
    return {name: told for name, told in PERMISSIONS.items() if name not in left}


def events_of(*, organization: bool) -> frozenset[str]:
    """The events that are needed there."""
    return EVENTS if organization else EVENTS - _EVENTS_OF_ORGANIZATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A permission that somebody may grant or leave out. ``events`` come with it."""

    name: str
    level: str
    gain: str
    without: str
    events: tuple[str, ...] = ()


EXTRAS = (
    Extra(
        name="administration",
        level="read",
        gain="hear at once when a ruleset or branch protection changes, and see classic protection",
        without="such changes are noticed later, and the doctor says unknown",
        events=(
            "branch_protection_configuration",
            "branch_protection_rule",
            "repository_ruleset",
        ),
    ),
    Extra(
        name="issues",
        level="write",
        gain="open an issue when a merge got past the check",
        without="the bypass is in the audit log, in the metrics and on the merged commit only",
    ),
)
# For people who wonder; a test holds it against the lists above.
NEVER = ("contents: write", "administration: write", "workflows", "secrets")
