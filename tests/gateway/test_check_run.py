"""What is written, and above all when nothing is."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import requests

from github_app.gateway.check_run import Published, digest, external_id, hold, publish, stands
from github_app.gateway.client import Installation
from github_app.gateway.errors import ConnectionLost, GitHubError, Refused, TooHeavy, Unavailable
from github_app.judge.facts import CheckRun, Repository
from github_app.judge.report import Annotation, Conclusion, Report
from tests.gateway.build import HEAD
from tests.gateway.conftest import CHECK, REPO_ID, Hub, Reply, reply

SHOP = Repository(id=REPO_ID, owner="acme", name="shop")
RUNS = "/repos/acme/shop/check-runs"
RECEIPT = "f" * 64
WAITING = Report(conclusion=Conclusion.ACTION_REQUIRED, title="Waiting", summary="Why")
REMARK = Annotation(path="reviewers.yaml", start_line=3, end_line=4, level="failure", message="No")


def standing(report: Report, **changes: Any) -> CheckRun:
    """The run that a report became, as GraphQL shows it."""
    run = CheckRun(
        id=800,
        status="COMPLETED",
        conclusion=report.conclusion.upper(),
        external_id=external_id(report, RECEIPT),
        title=report.title,
    )
    return replace(run, **changes)


def put(installation: Installation, existing: CheckRun | None, report: Report) -> Published:
    return publish(
        installation,
        SHOP,
        HEAD,
        existing,
        report,
        external_id=external_id(report, RECEIPT),
        name=CHECK,
        details_url="https://countersign.acme.example/1",
    )


def test_a_first_run_is_one_post(hub: Hub, installation: Installation) -> None:
    hub.on("POST", RUNS, reply({"id": 801}, 201))
    assert put(installation, None, WAITING) == Published(check_run_id=801, written=True)
    ((_, _, body),) = hub.asked
    assert body == {
        "name": CHECK,
        "head_sha": HEAD,
        "status": "completed",
        "conclusion": "action_required",
        "external_id": f"{digest(WAITING)}.{RECEIPT}",
        "details_url": "https://countersign.acme.example/1",
        "output": {"title": "Waiting", "summary": "Why"},
    }


def test_what_stands_is_not_written_again(hub: Hub, installation: Installation) -> None:
    existing = standing(WAITING, external_id=f"{digest(WAITING)}.another-receipt")
    assert stands(existing, WAITING)
    assert put(installation, existing, WAITING) == Published(check_run_id=800, written=False)
    assert hub.asked == []
    assert hub.mints == 0


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"conclusion": "SUCCESS"}, id="conclusion"),
        pytest.param({"conclusion": None}, id="no-conclusion"),
        pytest.param({"status": "QUEUED"}, id="rerequested"),
        pytest.param({"title": "Waiting."}, id="title"),
        pytest.param({"title": None}, id="no-title"),
        pytest.param({"external_id": None}, id="no-digest"),
        pytest.param({"external_id": ""}, id="empty-digest"),
        pytest.param({"external_id": "0" * 32 + "." + RECEIPT}, id="other-content"),
        pytest.param({"external_id": digest(WAITING)[:-1]}, id="digest-cut"),
    ],
)
def test_what_differs_is_updated_in_place(
    hub: Hub, installation: Installation, changes: dict[str, Any]
) -> None:
    hub.on("PATCH", f"{RUNS}/800", reply({"id": 800}))
    existing = standing(WAITING, **changes)
    assert not stands(existing, WAITING)
    assert put(installation, existing, WAITING) == Published(check_run_id=800, written=True)
    ((_, _, body),) = hub.asked
    assert "head_sha" not in body
    assert body["conclusion"] == "action_required"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(WAITING, summary="Why else"), id="summary"),
        pytest.param(replace(WAITING, text="More"), id="text"),
        pytest.param(replace(WAITING, title="waiting"), id="title"),
        pytest.param(replace(WAITING, conclusion=Conclusion.FAILURE), id="conclusion"),
        pytest.param(replace(WAITING, annotations=(REMARK,)), id="annotation"),
    ],
)
def test_every_part_of_a_report_counts(changed: Report) -> None:
    assert digest(changed) != digest(WAITING)
    assert not stands(standing(WAITING), changed)


def test_a_digest_is_stable() -> None:
    assert digest(WAITING) == digest(replace(WAITING))
    canonical = (
        b'{"annotations":[],"conclusion":"action_required","summary":"Why","text":"",'
        b'"title":"Waiting"}'
    )
    assert digest(WAITING) == hashlib.sha256(canonical).hexdigest()[:32]


def test_a_run_that_github_deleted_is_made_anew(hub: Hub, installation: Installation) -> None:
    hub.on("PATCH", f"{RUNS}/800", reply({}, 404))
    hub.on("POST", RUNS, reply({"id": 801}, 201))
    existing = standing(WAITING, conclusion="SUCCESS")
    assert put(installation, existing, WAITING).check_run_id == 801


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(reply("", 502), TooHeavy, id="502"),
        pytest.param(reply({}, 500), Unavailable, id="500"),
        pytest.param(requests.ConnectionError("reset"), ConnectionLost, id="reset"),
        pytest.param(requests.ReadTimeout("late"), TooHeavy, id="timeout"),
        pytest.param(reply({}, 422), Refused, id="422"),
    ],
)
@pytest.mark.parametrize("existing", [None, standing(WAITING, conclusion="SUCCESS")])
def test_nobody_knows_whether_it_was_written_so_it_is_not_sent_again(
    hub: Hub,
    installation: Installation,
    existing: CheckRun | None,
    answer: Reply,
    error: type[GitHubError],
) -> None:
    for verb, path in (("POST", RUNS), ("PATCH", f"{RUNS}/800")):
        hub.on(verb, path, answer)
    with pytest.raises(error):
        put(installation, existing, WAITING)
    assert len(hub.asked) == 1


def remarks(count: int) -> Report:
    return replace(WAITING, annotations=(REMARK,) * count)


def test_annotations(hub: Hub, installation: Installation) -> None:
    hub.on("POST", RUNS, reply({"id": 801}, 201))
    titled = replace(REMARK, title="Level")
    put(installation, None, replace(WAITING, annotations=(REMARK, titled)))
    plain = {
        "path": "reviewers.yaml",
        "start_line": 3,
        "end_line": 4,
        "annotation_level": "failure",
        "message": "No",
    }
    ((_, _, body),) = hub.asked
    assert body["output"]["annotations"] == [plain, plain | {"title": "Level"}]


def test_github_only_adds_annotations_so_such_a_run_is_replaced(
    hub: Hub, installation: Installation
) -> None:
    hub.on("POST", RUNS, reply({"id": 801}, 201), reply({"id": 802}, 201))
    assert put(installation, standing(WAITING), remarks(1)).check_run_id == 801
    assert put(installation, standing(remarks(1)), WAITING).check_run_id == 802


def test_more_annotations_than_a_call_takes(hub: Hub, installation: Installation) -> None:
    hub.on("POST", RUNS, reply({"id": 801}, 201))
    hub.on("PATCH", f"{RUNS}/801", reply({}), reply({}))
    put(installation, None, remarks(120))
    bodies = [body for _, _, body in hub.asked]
    assert [len(body["output"]["annotations"]) for body in bodies] == [50, 50, 20]
    assert [body.get("external_id") for body in bodies] == [
        "",
        None,
        external_id(remarks(120), RECEIPT),
    ]


def test_a_run_cut_short_does_not_stand(hub: Hub, installation: Installation) -> None:
    hub.on("POST", RUNS, reply({"id": 801}, 201))
    hub.on("PATCH", f"{RUNS}/801", reply({}, 500))
    with pytest.raises(Unavailable):
        put(installation, None, remarks(60))
    written = hub.asked[0][2]["external_id"]
    assert not stands(standing(remarks(60), external_id=written), remarks(60))


def test_held_run_is_not_finished(hub: Hub, installation: Installation) -> None:
    hub.on("POST", RUNS, reply({"id": 802}, 201))
    run = hold(
        installation, SHOP, HEAD, WAITING, external_id=external_id(WAITING, RECEIPT), name=CHECK
    )
    assert run == 802
    ((_, _, body),) = hub.asked
    assert body == {
        "name": CHECK,
        "head_sha": HEAD,
        "status": "in_progress",
        "external_id": f"{digest(WAITING)}.{RECEIPT}",
        "output": {"title": "Waiting", "summary": "Why"},
    }


def test_held_run_is_finished_in_place(hub: Hub, installation: Installation) -> None:
    """That it says the same already does not matter: it is not finished."""
    held = standing(WAITING, status="IN_PROGRESS", conclusion=None)
    hub.on("PATCH", f"{RUNS}/{held.id}", reply({"id": held.id}))
    assert put(installation, held, WAITING) == Published(check_run_id=held.id, written=True)
    ((_, _, body),) = hub.asked
    assert (body["status"], body["conclusion"]) == ("completed", "action_required")
