"""A lease that is still ours, but too short to publish under: what was not written is not done."""

from unittest.mock import patch

from github_app.store.claim import Claim
from github_app.store.queue import Queue
from tests.e2e.inline import Inline


def test_what_was_not_published_for_want_of_time_is_judged_once_more(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("grace", "request_changes", number=number)
    holds = Queue.holds
    refused: list[Claim] = []

    def too_short_once(queue: Queue, claim: Claim, seconds: float) -> bool:
        if not refused:
            refused.append(claim)
            return False
        return holds(queue, claim, seconds)

    with patch.object(Queue, "holds", too_short_once):
        case.expect(number, "failure", title="@grace")
    assert refused
