"""What a delivery tells beyond looking again: after which a green is in doubt, and old texts."""

import json
from typing import Any

import pytest

from github_app.store.inbox import StoredDelivery
from github_app.told import told_by

SHA = "a" * 40
PULL = {"number": 12, "head": {"sha": SHA}}


def stored(event: str, action: str, **payload: Any) -> StoredDelivery:
    body = json.dumps({"action": action, "pull_request": PULL, **payload}).encode()
    return StoredDelivery(
        guid="g", event=event, action=action, installation_id=5, body=body, processed=False
    )


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
