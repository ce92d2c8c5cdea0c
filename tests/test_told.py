"""What a delivery tells beyond looking again: after which a green is in doubt, old texts, and who
may bypass a ruleset."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from github_app.store.claim import Seen
from github_app.store.inbox import StoredDelivery
from github_app.told import bypasses_told, newest, told_by

SHA = "a" * 40
PULL = {"number": 12, "head": {"sha": SHA}}


def stored(event: str, action: str, **payload: Any) -> StoredDelivery:
    body = json.dumps({"action": action, "pull_request": PULL, **payload}).encode()
    return StoredDelivery(
        guid="g", event=event, action=action, installation_id=5, body=body, processed=False
    )


NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "told_at", "seen", "news"),
    [
        pytest.param("pull_request", NOON, None, True, id="never-judged"),
        pytest.param("pull_request", NOON, (0, True), False, id="seen-surely"),
        pytest.param("pull_request", NOON, (0, False), True, id="in-the-very-second"),
        pytest.param("pull_request", NOON, (1, False), False, id="a-younger-one-was-seen"),
        pytest.param("pull_request", NOON, (-1, True), True, id="an-older-one-was-seen"),
        # Nobody says that a dismissal makes the pull request younger.
        pytest.param("pull_request_review", NOON, (0, True), True, id="review-of-that-second"),
        pytest.param("pull_request_review", NOON, (1, True), False, id="review-of-before"),
        pytest.param("pull_request", None, (9, True), True, id="no-moment"),
        pytest.param("pull_request", NOON.replace(tzinfo=None), (9, True), True, id="no-zone"),
    ],
)
def test_what_is_news_to_a_judgement(
    event: str, told_at: datetime | None, seen: tuple[int, bool] | None, news: bool
) -> None:
    pull = PULL if told_at is None else {**PULL, "updated_at": told_at.isoformat()}
    told = told_by(stored(event, "dismissed", pull_request=pull))
    judged = seen and Seen(updated_at=NOON + timedelta(seconds=seen[0]), surely=seen[1])
    assert told.is_news_to(judged) is news


@pytest.mark.parametrize(
    ("delivery", "doubtful"),
    [
        pytest.param(
            stored("pull_request", "edited", changes={"base": {"ref": {"from": "dev"}}}),
            SHA,
            id="another-base",
        ),
        pytest.param(stored("pull_request", "reopened"), SHA, id="reopened"),
        pytest.param(stored("pull_request", "opened"), SHA, id="opened"),
        pytest.param(stored("pull_request", "synchronize"), SHA, id="pushed"),
        pytest.param(stored("pull_request_review", "dismissed"), SHA, id="dismissed"),
        pytest.param(
            stored("pull_request_review", "submitted", review={"state": "changes_requested"}),
            SHA,
            id="changes-requested",
        ),
        pytest.param(
            stored("pull_request_review", "submitted", review={"state": "approved"}),
            None,
            id="approved",
        ),
        pytest.param(
            stored("pull_request", "edited", changes={"title": {"from": "x"}}), None, id="title"
        ),
        pytest.param(stored("pull_request", "labeled"), None, id="labeled"),
        pytest.param(stored("pull_request", "opened", pull_request=None), None, id="odd"),
    ],
)
def test_after_what_a_green_is_in_doubt(delivery: StoredDelivery, doubtful: str | None) -> None:
    assert told_by(delivery).doubtful == doubtful


def test_an_edited_body_is_told() -> None:
    edited = stored("pull_request", "edited", changes={"body": {"from": "before"}})
    assert told_by(edited).body == "before"
    assert told_by(stored("pull_request", "labeled")).body is None
    assert told_by(None).body is None


OWNERS = {"actor_type": "OrganizationAdmin", "actor_id": 1, "bypass_mode": "always"}
KEYS = {"actor_type": "DeployKey", "actor_id": None, "bypass_mode": "exempt"}


def ruleset(*actors: object, action: str = "edited", at: str = "10:00", **changes: Any) -> Any:
    body = {"id": 42, "bypass_actors": [*actors], "updated_at": f"2026-11-21T{at}:00Z"} | changes
    return stored("repository_ruleset", action, repository_ruleset=body)


@pytest.mark.parametrize(
    ("deliveries", "who"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([None, stored("push", "")], {}, id="of something else"),
        pytest.param([ruleset()], {42: ()}, id="nobody"),
        pytest.param(
            [ruleset(OWNERS, KEYS)],
            {42: ("deploy keys (exempt)", "organisation owners")},
            id="two",
        ),
        pytest.param([ruleset(OWNERS), ruleset(at="10:01")], {42: ()}, id="nobody any more"),
        pytest.param([ruleset(at="10:01"), ruleset(OWNERS)], {42: ()}, id="in the other order"),
        pytest.param(
            [ruleset(OWNERS, action="deleted"), ruleset(OWNERS, at="10:01")], {42: ()}, id="gone"
        ),
        pytest.param(
            [ruleset(OWNERS), ruleset(KEYS, id=7)],
            {42: ("organisation owners",), 7: ("deploy keys (exempt)",)},
            id="of two rulesets",
        ),
        pytest.param([ruleset(bypass_actors=None)], {}, id="not shown"),
        pytest.param([ruleset(id="42")], {}, id="odd number"),
        pytest.param([ruleset("ada", {"actor_type": 7})], {42: ("somebody",)}, id="odd actors"),
        pytest.param(
            [ruleset({"actor_type": "RepositoryRole", "actor_id": [5]})],
            {42: ("repository role None",)},
            id="odd role",
        ),
        pytest.param([stored("repository_ruleset", "edited")], {}, id="no ruleset"),
    ],
)
def test_who_may_bypass_a_ruleset(
    deliveries: list[StoredDelivery | None], who: dict[int, tuple[str, ...]]
) -> None:
    assert {number: one.who for number, one in bypasses_told(deliveries).items()} == who


@pytest.mark.parametrize(
    ("first", "second", "who"),
    [
        pytest.param(ruleset(), ruleset(OWNERS, at="10:01"), "organisation owners", id="in order"),
        pytest.param(ruleset(OWNERS, at="10:01"), ruleset(), "organisation owners", id="older"),
        pytest.param(ruleset(at="10:01"), ruleset(OWNERS), "", id="older, with a bypass"),
        pytest.param(ruleset(OWNERS, action="deleted"), ruleset(OWNERS, at="10:01"), "", id="gone"),
        pytest.param(
            ruleset(OWNERS), ruleset(updated_at=None), "organisation owners", id="undated"
        ),
        pytest.param(
            ruleset(OWNERS),
            ruleset(updated_at="0001-01-01T00:00:00+14:00"),
            "organisation owners",
            id="at no moment",
        ),
        pytest.param(
            ruleset(OWNERS, updated_at="2026-11-21T12:00:00.500+02:00"),
            ruleset(at="10:00"),
            "organisation owners",
            id="of another zone, half a second later",
        ),
    ],
)
def test_what_is_told_later_may_be_older(
    first: StoredDelivery, second: StoredDelivery, who: str
) -> None:
    found = newest(bypasses_told([first]), bypasses_told([second]))
    assert " ".join(found[42].who) == who
