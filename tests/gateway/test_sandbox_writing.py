"""Publishing to a real server: one call or none, and what stands there afterwards."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from github_app.gateway.check_run import Published, external_id, publish
from github_app.gateway.errors import ConnectionLost, Forbidden, NotFound, Refused
from github_app.judge.report import Annotation, Conclusion, Report
from tests.gateway.desk import CHECK, Desk, at_desk

WAITING = Report(conclusion=Conclusion.ACTION_REQUIRED, title="Waiting", summary="Why")
GREEN = Report(conclusion=Conclusion.SUCCESS, title="Signed off", summary="By whom")
POST = "POST /repos/{owner}/{repo}/check-runs"
PATCH = "PATCH /repos/{owner}/{repo}/check-runs/{id}"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with at_desk() as found:
        yield found


def put(desk: Desk, number: int, report: Report, receipt: str = "r" * 64) -> Published:
    """Read, then publish: what a judgement does."""
    pull = desk.read(number).pull
    desk.made()
    return publish(
        desk.installation,
        pull.repository,
        pull.head_oid,
        pull.check,
        report,
        external_id=external_id(report, receipt),
        name=CHECK,
        details_url=desk.hub.url,
    )


def test_one_call_or_none(desk: Desk) -> None:
    number = desk.open()
    first = put(desk, number, WAITING)
    assert (first.written, desk.made()) == (True, [POST])
    assert put(desk, number, WAITING, "another receipt") == replace(first, written=False)
    assert desk.made() == []
    assert put(desk, number, GREEN) == first
    assert desk.made() == [PATCH]
    check = desk.read(number).pull.check
    assert check is not None
    assert (check.id, check.conclusion, check.title) == (
        first.check_run_id,
        "SUCCESS",
        "Signed off",
    )
    assert check.external_id == external_id(GREEN, "r" * 64)


def test_a_new_head_starts_without_a_check(desk: Desk) -> None:
    number = desk.open()
    put(desk, number, GREEN)
    desk.act("june", "push", branch="fix", commits=[{"message": "More"}])
    assert desk.read(number).pull.check is None
    put(desk, number, WAITING)
    assert desk.made() == [POST]


def test_a_check_of_our_name_by_another_app_is_not_ours(desk: Desk) -> None:
    number = desk.open()
    head = desk.read(number).pull.head_oid
    desk.act("june", "report_check", name=CHECK, sha=head)
    assert desk.read(number).pull.check is None
    put(desk, number, WAITING)
    assert desk.made() == [POST]


def test_a_rerequested_check_is_written_again(desk: Desk) -> None:
    number = desk.open()
    run = put(desk, number, GREEN).check_run_id
    desk.act("june", "rerequest_check", run=run)
    found = desk.read(number).pull.check
    assert found is not None
    put(desk, number, GREEN)
    again = desk.read(number).pull.check
    assert again is not None
    assert (again.status, again.conclusion) == ("COMPLETED", "SUCCESS")


def test_when_the_answer_to_a_post_is_lost_the_next_judgement_sees_the_run(desk: Desk) -> None:
    number = desk.open()
    desk.hub.faults.add("after", "POST /repos/*/check-runs", times=1)
    with pytest.raises(ConnectionLost):
        put(desk, number, WAITING)
    assert desk.made() == [POST]
    assert not put(desk, number, WAITING).written


def test_when_a_post_did_not_arrive_the_next_judgement_writes_it(desk: Desk) -> None:
    number = desk.open()
    desk.hub.faults.add("reset", "POST /repos/*/check-runs", times=1)
    with pytest.raises(ConnectionLost):
        put(desk, number, WAITING)
    assert put(desk, number, WAITING).written


def test_without_the_permission_github_names_it(desk: Desk) -> None:
    number = desk.open()
    rights = {"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "read"}
    desk.hub.act(
        "olga", "narrow_installation", app="countersign", account="acme", permissions=rights
    )
    with pytest.raises(Forbidden, match="checks=write") as caught:
        put(desk, number, WAITING)
    assert caught.value.missing == "checks=write"


def test_what_github_declines(desk: Desk) -> None:
    number = desk.open()
    with pytest.raises(Refused):
        put(desk, number, replace(WAITING, summary="x" * 65_536))
    assert desk.read(number).pull.check is None


def test_a_commit_that_is_not_there(desk: Desk) -> None:
    pull = desk.read(desk.open()).pull
    with pytest.raises((Refused, NotFound)):
        publish(
            desk.installation,
            pull.repository,
            "0" * 40,
            None,
            WAITING,
            external_id=external_id(WAITING, "r"),
            name=CHECK,
        )


def test_annotations_are_replaced_and_never_pile_up(desk: Desk) -> None:
    number = desk.open()
    remark = Annotation(path="a", start_line=1, end_line=1, level="failure", message="No")
    many = replace(WAITING, annotations=(remark,) * 60)
    first = put(desk, number, many)
    assert desk.made() == [POST, PATCH]
    assert not put(desk, number, many).written
    second = put(desk, number, replace(WAITING, annotations=(remark,)))
    assert (desk.made(), second.check_run_id > first.check_run_id) == ([POST], True)
    third = put(desk, number, GREEN)
    found = desk.read(number).pull.check
    assert found is not None
    assert (found.id, found.conclusion) == (third.check_run_id, "SUCCESS")
