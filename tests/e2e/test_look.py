"""A webhook that was lost without a trace is noticed by the next quick look, for one call."""

from typing import Any

import pytest

from github_app.look import PACE, THE_APP, ask_for_looks
from github_app.store.claim import Limits
from github_app.store.task import Task, TaskKind
from sandbox.seed import ROSTER
from tests.e2e.inline import SHOP, Inline

LOOK = "graphql:RecentlyActive"
JUDGEMENT = "graphql:PullRequestSnapshot"
SOON = PACE.shortest + 0.5


@pytest.fixture
def quiet(case: Inline) -> Inline:
    """A sweep has been made, and what it found is done."""
    case.settle()
    case.clock.skip(5)
    case.sweep()
    look(case)
    return case


def installation(case: Inline) -> int:
    (found,) = (one.id for one in case.hub.world.installations.values() if one.app is case.hub.app)
    return found


def work(case: Inline) -> None:
    """Do what may be done now: unlike ``settle`` it does not wait for the rest."""
    assert case.hub.drain()
    while case.worker.step():
        pass


def look(case: Inline) -> dict[str, int]:
    """Let the next looks come due and have them; the calls that it took, by kind."""
    case.clock.skip(SOON)
    case.hub.calls.reset()
    ask_for_looks(case.parts.store, case.parts.activity)
    case.settle()
    kinds = case.hub.calls.summary()["by_kind"]
    return {kind: found["calls"] for kind, found in kinds.items()}


def test_nothing_happened(quiet: Inline) -> None:
    calls = look(quiet)
    assert calls[LOOK] == 1
    assert JUDGEMENT not in calls


def lost_approval(case: Inline) -> int:
    number = case.open()
    case.waiting(number)
    case.clock.skip(5)
    with case.hub.world.quiet():
        case.act("grace", "approve", number=number)
    return number


def test_lost_review(quiet: Inline) -> None:
    number = lost_approval(quiet)
    calls = look(quiet)
    quiet.signed(number, "grace")
    assert (calls[LOOK], calls[JUDGEMENT]) == (1, 1)
    assert JUDGEMENT not in look(quiet), "what was judged is not judged again"


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        pytest.param("dismiss_review", {"author": "grace"}, id="dismissal"),
        pytest.param("request_changes", {"body": "No"}, id="objection"),
        pytest.param("push", {"branch": "fix"}, id="push"),
    ],
)
def test_lost_withdrawal(quiet: Inline, action: str, parameters: dict[str, Any]) -> None:
    number = quiet.open()
    quiet.act("grace", "approve", number=number)
    quiet.signed(number, "grace")
    quiet.clock.skip(5)
    with quiet.hub.world.quiet():
        if action == "push":
            quiet.act("june", "push", **parameters)
        else:
            who = "grace" if action == "request_changes" else "olga"
            quiet.act(who, action, number=number, **parameters)
    look(quiet)
    seen = quiet.check(number)
    assert seen is not None
    assert not seen.green


def test_lost_opening(quiet: Inline) -> None:
    with quiet.hub.world.quiet():
        number = quiet.open()
    look(quiet)
    quiet.waiting(number)


def test_lost_change_of_the_roster(quiet: Inline) -> None:
    number = quiet.open()
    quiet.act("kim", "approve", number=number)
    quiet.waiting(number)
    with quiet.hub.world.quiet():
        quiet.roster(ROSTER.replace("level: mid", "level: senior"))
    look(quiet)
    quiet.signed(number, "kim")


def test_lost_change_of_a_repository_s_own_roster(quiet: Inline) -> None:
    number = quiet.open()
    quiet.act("grace", "approve", number=number)
    quiet.signed(number, "grace")
    stricter = "version: 1\nrules:\n  - name: all\n    paths: ['**']\n    from: principal\n"
    with quiet.hub.world.quiet():
        quiet.act("olga", "put_file", path=".github/reviewers.yaml", content=stricter)
    look(quiet)
    quiet.waiting(number)


def lose_one(case: Inline) -> None:
    """A webhook is lost, and a look notices."""
    with case.hub.world.quiet():
        number = case.open("lost")
    look(case)
    case.waiting(number)
    case.clock.skip(5)


def test_event_within_the_second_of_the_last_judgement(quiet: Inline) -> None:
    """The snapshot shows the same ``updatedAt`` as before: where webhooks are lost, it is made sure
    once, and only once."""
    lose_one(quiet)
    number = quiet.open()
    quiet.waiting(number)
    assert look(quiet)[JUDGEMENT] == 1
    assert JUDGEMENT not in look(quiet)


def test_where_no_webhook_is_lost_nothing_is_judged_twice(quiet: Inline) -> None:
    quiet.waiting(quiet.open())
    assert JUDGEMENT not in look(quiet)


def test_making_sure_has_a_budget(quiet: Inline) -> None:
    lose_one(quiet)
    keys = [key for key in quiet.hub.door.limits if "installation" in key]
    quiet.hub.door.set_limit(keys, 200, 0)  # 2.5 % of it is one judgement an hour
    look(quiet)
    for place in range(3):
        quiet.waiting(quiet.open(f"fix-{place}"))
    assert look(quiet)[JUDGEMENT] == 1
    assert JUDGEMENT not in look(quiet)


def test_many_changes_in_one_repository(quiet: Inline) -> None:
    """More than a look can list: the whole repository is looked through."""
    with quiet.hub.world.quiet():
        numbers = [quiet.open(f"fix-{place}") for place in range(14)]
    look(quiet)
    for number in numbers:
        quiet.waiting(number)


def test_what_failed_too_often_is_not_woken(quiet: Inline) -> None:
    with quiet.hub.world.quiet():
        number = quiet.open()
    queue = quiet.parts.store.queue
    queue.limits = Limits(failures=1)
    home = quiet.hub.world.repository(SHOP)
    task = Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=installation(quiet),
        repository_id=home.id,
        subject=str(number),
        full_name=SHOP,
    )
    queue.add([task])
    claim = queue.claim("broken")
    assert claim is not None
    queue.retry(claim, "broken")
    assert look(quiet)[LOOK] == 1
    assert quiet.check(number) is None
    assert queue.stats().parked == 1


def test_delivery_that_failed_is_fetched(quiet: Inline) -> None:
    receiver = quiet.hub.courier.receiver
    quiet.hub.courier.receiver = lambda _headers, _body: 503
    number = quiet.open()
    quiet.hub.drain()
    quiet.hub.courier.receiver = receiver
    quiet.clock.skip(SOON)
    ask_for_looks(quiet.parts.store, quiet.parts.activity)
    claim = quiet.parts.store.queue.claim("other", kinds={TaskKind.LOOK})
    while claim is not None and claim.task.installation_id != THE_APP:
        quiet.parts.store.queue.settle(claim)
        claim = quiet.parts.store.queue.claim("other", kinds={TaskKind.LOOK})
    assert claim is not None
    quiet.parts.store.queue.release(claim)
    quiet.settle()
    quiet.waiting(number)


def test_repository_that_no_sweep_has_seen_is_left_to_the_sweep(quiet: Inline) -> None:
    with quiet.hub.world.quiet():
        quiet.people("create_repository", name="new", owner="acme", private=True)
        quiet.people("add_collaborator", repo="acme/new", login="june", permission="write")
        number = quiet.open(repo="acme/new")
    look(quiet)
    assert quiet.check(number, "acme/new") is None
    quiet.sweep()
    quiet.waiting(number, repo="acme/new")


def test_suspended_installation_is_not_looked_at(quiet: Inline) -> None:
    (suspended,) = (
        one for one in quiet.hub.world.installations.values() if one.app is quiet.hub.app
    )
    with quiet.hub.world.quiet():
        suspended.suspended_at = quiet.clock.moment()
        number = quiet.open()
    quiet.sweep()
    assert LOOK not in look(quiet)
    suspended.suspended_at = None
    assert LOOK not in look(quiet)
    quiet.sweep()
    assert look(quiet)[LOOK] == 1
    quiet.waiting(number)


def test_event_makes_looks_frequent(quiet: Inline) -> None:
    quiet.parts.activity.take()
    quiet.open()
    quiet.settle()
    assert installation(quiet) in quiet.parts.activity.take()


def test_look_leaves_the_rest_of_the_limit_to_events(quiet: Inline) -> None:
    keys = [key for key in quiet.hub.door.limits if "installation" in key]
    quiet.hub.door.set_limit(keys, 5000, 4500)
    number = quiet.open()
    work(quiet)
    assert quiet.check(number) is not None
    quiet.clock.skip(SOON)
    quiet.hub.calls.reset()
    assert ask_for_looks(quiet.parts.store, quiet.parts.activity) == 2
    work(quiet)
    assert LOOK not in quiet.hub.calls.summary()["by_kind"]
