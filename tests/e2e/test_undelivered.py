"""A delivery that GitHub lists and does not give holds up nothing, and is not forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from github_app.fetching import DOWN
from github_app.gateway.errors import GitHubError
from github_app.store.undelivered import SET_ASIDE, Wanting
from tests.e2e.inline import Inline, inline

HOURS = 3600.0


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inline]:
    """Its fetcher has begun, and nothing is delivered any more. The clock stands still; what it
    skips does not age the JWTs, which real time dates."""
    with inline(tmp_path, frozen=True) as found:
        monkeypatch.setattr(found.hub.door, "_check_times", lambda _claims: None)
        found.parts.fetcher.fetch()
        found.hub.courier.receiver = lambda _headers, _body: 503
        yield found


def fails(case: Inline, status: int) -> int:
    """A pull request whose ``opened`` cannot be had."""
    number = case.open()
    case.hub.drain()
    (opened,) = [one for one in case.hub.courier.log.values() if one.event == "pull_request"]
    case.hub.faults.add("error", match=f"GET /app/hook/deliveries/{opened.id}", status=status)
    return number


def pushes(case: Inline, many: int) -> int:
    """So many branches are pushed: how many deliveries that is."""
    before = len(case.hub.courier.log)
    for _ in range(many):
        branch = f"branch-{len(case.hub.courier.log)}"
        case.act("june", "push", branch=branch, commits=[{"message": "Go on"}])
        case.hub.drain()
    return len(case.hub.courier.log) - before


def fetch(case: Inline, times: int = 1) -> None:
    """It fails so often."""
    for _ in range(times):
        with pytest.raises(GitHubError):
            case.parts.fetcher.fetch()


def counts(case: Inline) -> tuple[int, int]:
    found = case.parts.store.undelivered.counts()
    return found[Wanting.WAITING], found[Wanting.LOST]


def listed(case: Inline) -> int:
    """How many pages of the list of deliveries a fetch reads."""
    case.hub.calls.reset()
    case.parts.fetcher.fetch()
    calls = case.hub.calls.summary()["by_kind"]
    return int(calls["GET /app/hook/deliveries"]["calls"])


@pytest.mark.parametrize("status", [500, 404, 502])
def test_it_is_tried_a_few_times_and_then_passed_over(case: Inline, status: int) -> None:
    fails(case, status)
    fetch(case, SET_ASIDE - 1)
    case.clock.skip(HOURS)
    pushes(case, 60)  # a page of deliveries at least
    case.clock.skip(HOURS)
    pushes(case, 1)
    case.parts.fetcher.fetch()
    case.clock.skip(HOURS)
    assert listed(case) == 1, "it begins where the last one ended"
    assert counts(case) == ((0, 1) if status == 404 else (1, 0))


def test_it_is_asked_for_until_it_comes(case: Inline) -> None:
    number = fails(case, 500)
    fetch(case, SET_ASIDE - 1)
    case.parts.fetcher.fetch()
    case.clock.skip(HOURS)
    case.parts.fetcher.fetch()
    assert counts(case) == (1, 0)
    case.hub.faults.clear()
    assert case.parts.fetcher.fetch() == 0, "not before it is its turn"
    case.clock.skip(2 * HOURS)
    assert case.parts.fetcher.fetch() == 1
    case.waiting(number)
    case.parts.fetcher.fetch()
    assert counts(case) == (0, 0)


def test_it_is_not_asked_for_when_it_was_sent_again(case: Inline) -> None:
    fails(case, 500)
    fetch(case, SET_ASIDE - 1)
    case.parts.fetcher.fetch()
    (guid,) = case.parts.store.undelivered.every()
    (sent,) = [one for one in case.hub.courier.log.values() if one.guid == guid]
    assert case.web.test_client().post(
        "/webhook", data=sent.body, headers=sent.headers()
    ).status_code == 202  # fmt: skip
    case.parts.fetcher.fetch()
    assert counts(case) == (0, 0)


def test_what_is_lost_is_not_asked_for(case: Inline) -> None:
    fails(case, 404)
    fetch(case, SET_ASIDE - 1)
    case.parts.fetcher.fetch()
    case.hub.calls.reset()
    case.parts.fetcher.fetch()
    assert list(case.hub.calls.summary()["by_kind"]) == ["GET /app/hook/deliveries"]
    assert counts(case) == (0, 1)


def test_while_github_gives_none_at_all_it_is_not_asked_for_each(case: Inline) -> None:
    """And what was not asked for is not passed over."""
    sent = pushes(case, 3 * DOWN)
    case.hub.faults.add("error", match="GET /app/hook/deliveries/*", status=500)
    case.hub.calls.reset()
    fetch(case)
    calls = case.hub.calls.summary()["by_kind"]
    assert calls["GET /app/hook/deliveries/{number}"]["calls"] == DOWN
    fetch(case, SET_ASIDE)
    case.hub.faults.clear()
    case.clock.skip(HOURS)
    assert case.parts.fetcher.fetch() == sent
    assert case.parts.fetcher.fetch() == 0
    assert counts(case) == (0, 0)
