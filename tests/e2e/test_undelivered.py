"""A delivery that GitHub lists and does not give holds up nothing, and is not forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from github_app.fetching import DOWN
from github_app.gateway import app as the_app
from github_app.gateway.client import Caller
from github_app.gateway.errors import (
    GitHubError,
    IncompleteSnapshot,
    RateLimited,
    Suspended,
    TokenRefused,
)
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


def attempts(case: Inline, guid: str) -> list[int]:
    """Their ids, the oldest first."""
    return sorted(one.id for one in case.hub.courier.log.values() if one.guid == guid)


def guids(case: Inline) -> set[str]:
    return {one.guid for one in case.hub.courier.log.values()}


def redelivered(case: Inline) -> int:
    """Somebody asks GitHub to send the one on the list again, in vain; the id of that attempt."""
    (guid,) = case.parts.store.undelivered.every()
    before = attempts(case, guid)
    the_app.redeliver(case.parts.github.app(), before[-1])
    case.hub.drain()
    (new,) = set(attempts(case, guid)) - set(before)
    assert new > before[-1]
    return new


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


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_what_github_declines_holds_up_nothing(case: Inline, status: int) -> None:
    fails(case, status)
    (held,) = {one.guid for one in case.hub.courier.log.values() if one.event == "pull_request"}
    pushes(case, 3)
    fetch(case)
    assert set(case.parts.store.inbox.knows(list(guids(case)))) == guids(case) - {held}
    fetch(case, SET_ASIDE - 2)
    case.parts.fetcher.fetch()
    assert counts(case) == (1, 0)


def test_answer_of_an_odd_shape_holds_up_nothing(
    case: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.open()
    case.hub.drain()
    (odd,) = [one for one in case.hub.courier.log.values() if one.event == "pull_request"]
    pushes(case, 3)
    really = the_app.delivery_payload

    def payload(app: Caller, number: int) -> dict[str, Any]:
        if number == odd.id:
            raise IncompleteSnapshot("GitHub's answer has an unexpected shape")
        return really(app, number)

    monkeypatch.setattr(the_app, "delivery_payload", payload)
    fetch(case)
    assert set(case.parts.store.inbox.knows(list(guids(case)))) == guids(case) - {odd.guid}
    fetch(case, SET_ASIDE - 2)
    case.parts.fetcher.fetch()
    assert counts(case) == (1, 0)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(RateLimited("no", until=datetime(2027, 1, 1, tzinfo=UTC)), id="limited"),
        pytest.param(TokenRefused("no"), id="token"),
        pytest.param(Suspended("no"), id="suspended"),
    ],
)
def test_what_is_wrong_with_us_is_not_held_against_a_delivery(
    case: Inline, error: GitHubError, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes(case, 2)

    def refused(_app: Caller, _number: int) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(the_app, "delivery_payload", refused)
    for _ in range(SET_ASIDE + 1):
        with pytest.raises(type(error)):
            case.parts.fetcher.fetch()
    assert counts(case) == (0, 0)


def test_it_is_not_lost_because_it_was_gone_once(case: Inline) -> None:
    """Four other failures before it say nothing about whether GitHub still has it."""
    fails(case, 500)
    fetch(case, SET_ASIDE - 1)
    case.hub.faults.clear()
    case.hub.faults.add("error", match="GET /app/hook/deliveries/*", status=404)
    case.parts.fetcher.fetch()
    assert counts(case) == (1, 0)
    case.hub.faults.clear()
    case.clock.skip(HOURS)
    assert case.parts.fetcher.fetch() == 1


@pytest.mark.parametrize(
    ("status", "before"),
    [pytest.param(500, (1, 0), id="waiting"), pytest.param(404, (0, 1), id="lost")],
)
def test_what_was_sent_again_in_vain_is_asked_for_at_once(
    case: Inline, status: int, before: tuple[int, int]
) -> None:
    number = fails(case, status)  # of the first attempt; the second can be had
    fetch(case, SET_ASIDE - 1)
    case.parts.fetcher.fetch()
    assert counts(case) == before
    redelivered(case)
    assert case.parts.fetcher.fetch() == 1
    case.waiting(number)
    case.parts.fetcher.fetch()
    assert counts(case) == (0, 0)


def test_what_was_sent_again_is_asked_for_by_its_new_attempt_only(case: Inline) -> None:
    fails(case, 404)
    fetch(case, SET_ASIDE - 1)
    case.parts.fetcher.fetch()
    new = redelivered(case)
    case.hub.faults.add("error", match=f"GET /app/hook/deliveries/{new}", status=500)
    case.parts.fetcher.fetch()
    assert counts(case) == (1, 0), "lost no longer"
    case.hub.faults.clear()
    assert case.parts.fetcher.fetch() == 0, "not before it is its turn"
    case.clock.skip(HOURS)
    assert case.parts.fetcher.fetch() == 1
