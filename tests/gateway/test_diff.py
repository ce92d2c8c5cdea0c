"""Raw diffs from a real server: to the byte, from the merge base, or not at all."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from github_app.gateway.diff import commits, diff, merge_base
from github_app.gateway.errors import Refused, Unavailable
from github_app.gateway.failures import failure
from github_app.gateway.transport import Answer
from github_app.judge.facts import Repository
from github_app.judge.patch import is_whole, patch_id
from tests.gateway.desk import SHOP_ID, Desk, at_desk

REPOSITORY = Repository(id=SHOP_ID, owner="acme", name="shop")


@pytest.fixture
def desk() -> Iterator[Desk]:
    with at_desk() as found:
        yield found


def of(desk: Desk, number: int) -> str | None:
    pull = desk.read(number).pull
    return diff(desk.installation, REPOSITORY, pull.base_oid, pull.head_oid)


def test_only_what_the_pull_request_changes(desk: Desk) -> None:
    """From the merge base: what the base has got since is not in it."""
    number = desk.open(commits=[{"message": "Fix", "files": {"f.py": "one\ntwo\n"}}])
    desk.act("olga", "put_file", path="other.py", content="x\n")
    desk.act("june", "update_branch", number=number)
    desk.act("olga", "put_file", path="later.py", content="x\n")
    pull = desk.read(number).pull
    desk.made()
    found = of(desk, number)
    assert desk.made()[-1] == "GET /repos/{owner}/{repo}/compare/{base}...{head}"
    assert found is not None
    assert found.startswith("diff --git a/f.py b/f.py\nnew file mode 100644\n")
    assert found.endswith("+one\n+two\n")
    assert found.count("diff --git") == 1
    assert is_whole(found, pull.files)
    assert patch_id(found) is not None


def test_bytes_that_are_no_utf8_stay_apart(desk: Desk) -> None:
    texts = []
    for byte in ("\xe8", "\xe9"):
        content = {"base64": base64.b64encode(byte.encode("latin-1")).decode()}
        commits = [{"message": "Fix", "files": {"f": content}}]
        texts.append(of(desk, desk.open(f"b{ord(byte)}", commits=commits)))
    ids = {patch_id(text or "") for text in texts}
    assert len(ids) == 2
    assert None not in ids


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({f"f{number}": "x\n" for number in range(301)}, id="files"),
        pytest.param({"f": "x\n" * 20_001}, id="lines"),
    ],
)
def test_what_github_declines_is_not_known(desk: Desk, files: dict[str, str]) -> None:
    assert of(desk, desk.open(commits=[{"message": "Fix", "files": files}])) is None


def test_an_answer_that_is_no_diff_is_asked_for_again(desk: Desk) -> None:
    """It does not mean that there is none to be had: what is not known counts as alike."""
    pull = desk.read(desk.open()).pull
    desk.hub.faults.add("malformed", match="GET *compare*", times=1)
    with pytest.raises(Unavailable):
        diff(desk.installation, REPOSITORY, pull.base_oid, pull.head_oid)
    assert diff(desk.installation, REPOSITORY, pull.base_oid, pull.head_oid) is not None


def test_a_commit_that_is_gone_is_not_known(desk: Desk) -> None:
    pull = desk.read(desk.open()).pull
    assert diff(desk.installation, REPOSITORY, pull.base_oid, "1" * 40) is None
    assert merge_base(desk.installation, REPOSITORY, pull.base_oid, "1" * 40) is None


def test_a_diff_that_takes_too_long_will_never_be_there() -> None:
    said = {"message": "Server Error: Sorry, this diff is taking too long to generate."}
    found = failure(Answer(500, {}, said), "GET compare", datetime.now(UTC))
    assert isinstance(found, Refused)
    assert not found.retryable


def test_a_failure_is_not_taken_for_an_answer(desk: Desk) -> None:
    pull = desk.read(desk.open()).pull
    desk.hub.faults.add("error", "GET */compare/*", status=503)
    with pytest.raises(Unavailable):
        diff(desk.installation, REPOSITORY, pull.base_oid, pull.head_oid)


def test_merge_base(desk: Desk) -> None:
    start = desk.hub.world.repository("acme/shop").branches["main"]
    number = desk.open()
    desk.act("olga", "put_file", path="other.py", content="x\n")
    pull = desk.read(number).pull
    tip = desk.hub.world.repository("acme/shop").branches["main"]
    assert merge_base(desk.installation, REPOSITORY, tip, pull.head_oid) == start
    desk.act("june", "update_branch", number=number)
    pull = desk.read(number).pull
    assert merge_base(desk.installation, REPOSITORY, tip, pull.head_oid) == tip


def test_the_commits_of_a_head_that_was_left(desk: Desk) -> None:
    message = "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    number = desk.open(commits=[{"message": message}, {"message": "More", "author": "Al <a@b>"}])
    before = desk.read(number).pull
    desk.act("olga", "put_file", path="other.py", content="x\n")
    desk.act("june", "force_push", branch="fix", commits=[{"message": "Gone"}])
    found = commits(desk.installation, REPOSITORY, desk.read(number).pull.base_oid, before.head_oid)
    assert found is not None
    assert [(one.oid, one.message, one.parents) for one in found] == [
        (one.oid, one.message, one.parents) for one in before.commits
    ]
    assert (found[1].author.name, found[1].author.email) == ("Al", "a@b")


def test_more_commits_than_are_listed_are_not_known(desk: Desk) -> None:
    made = [{"message": f"Step {step}", "files": {"f": f"{step}\n"}} for step in range(251)]
    with desk.hub.world.quiet():
        number = desk.open(commits=made)
    pull = desk.read(number).pull
    assert commits(desk.installation, REPOSITORY, pull.base_oid, pull.head_oid) is None
    assert commits(desk.installation, REPOSITORY, pull.base_oid, "1" * 40) is None
