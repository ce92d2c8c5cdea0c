"""A pull request whose base holds its head already: never green, said once, asked no more."""

from tests.e2e.inline import CHECK, Inline


def without_commits(case: Inline) -> int:
    """A pull request whose branch was moved back to where the base is."""
    number = case.open()
    case.waiting(number)
    case.act("june", "force_push", branch="fix", onto="main")
    return number


def snapshots(case: Inline) -> int:
    return case.hub.calls.count("graphql:PullRequestSnapshot")


def test_it_is_said_once_and_asked_no_more(case: Inline) -> None:
    number = without_commits(case)
    case.expect(number, "failure", "CS080", title="Cannot judge: it has no commits")
    case.clock.skip(20)
    case.sweep()
    case.hub.calls.reset()
    for _ in range(3):
        case.clock.skip(20)
        case.sweep()
    assert snapshots(case) == 0


def test_a_sign_off_of_nothing_is_none(case: Inline) -> None:
    number = without_commits(case)
    case.act("grace", "approve", number=number)
    case.expect(number, "failure", "CS080")


def test_next_push_is_judged(case: Inline) -> None:
    number = without_commits(case)
    case.expect(number, "failure", "CS080")
    case.act("june", "push", branch="fix", commits=[{"message": "Fix it by hand"}])
    case.waiting(number, "CS012")  # what was seen before stays seen


def test_commits_that_appear_without_an_event_are_found(case: Inline) -> None:
    number = without_commits(case)
    case.expect(number, "failure", "CS080")
    with case.hub.world.quiet():
        case.act("june", "push", branch="fix", commits=[{"message": "Fix it by hand"}])
    case.sweep()
    case.waiting(number)


def test_it_holds_up_no_other_with_the_same_head(case: Inline) -> None:
    """The base of the one holds the head already, the base of the other does not."""
    number = case.open()
    case.waiting(number)
    case.act("olga", "push", branch="dev", commits=[{"message": "Begin"}])
    check = {"context": CHECK, "app": "countersign", "name": "check on dev"}
    case.act("olga", "require_check", branches=["dev"], **check)
    other = case.act("june", "open_pull_request", head="fix", base="dev", title="To dev")["number"]
    case.act("june", "force_push", branch="fix", onto="dev")
    case.waiting(number, "CS012")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=other, title="To dev again")
    case.signed(number, "grace")
    runs = len(list(case.runs()))
    for _ in range(3):
        case.clock.skip(20)
        case.sweep()
    assert len(list(case.runs())) == runs
