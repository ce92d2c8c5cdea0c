"""What reached a branch, and issues: read from and written to a real server."""

from collections.abc import Iterator

import pytest

from github_app.gateway import issues, landing
from github_app.gateway.errors import NotFound, Refused
from github_app.judge.facts import ActorKind, Repository
from github_app.judge.landing import MergedPull
from tests.gateway.desk import SHOP, SHOP_ID, Desk, at_desk

WHERE = Repository(id=SHOP_ID, owner="acme", name="shop", default_branch="main")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """olga may push past the rules."""
    actors = [{"actor_type": "OrganizationAdmin", "bypass_mode": "always"}]
    with at_desk() as found:
        (number,) = found.hub.world.repository(SHOP).rulesets
        found.act("olga", "set_ruleset", id=number, ruleset={"bypass_actors": actors})
        yield found


def main(desk: Desk) -> str:
    return str(desk.hub.world.repository(SHOP).branches["main"])


def push(desk: Desk, count: int) -> None:
    commits = [{"message": f"Step {step}", "files": {"a": f"{step}\n"}} for step in range(count)]
    with desk.hub.world.quiet():
        desk.act("olga", "push", branch="main", commits=commits)


def test_a_short_push_is_one_call(desk: Desk) -> None:
    before = main(desk)
    push(desk, 3)
    desk.made()
    found = landing.reached(desk.installation, WHERE, before, main(desk))
    assert found is not None
    assert ([commit.message for commit in found.commits], found.complete) == (
        ["Step 0", "Step 1", "Step 2"],
        True,
    )
    assert found.commits[-1].oid == main(desk)
    assert len([call for call in desk.made() if "compare" in call]) == 1


def test_a_long_push_is_read_to_its_end(desk: Desk) -> None:
    before = main(desk)
    push(desk, 310)
    found = landing.reached(desk.installation, WHERE, before, main(desk))
    assert found is not None
    assert (len(found.commits), found.complete) == (310, True)


def test_an_endless_push_is_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "MOST_COMMITS", 200)
    before = main(desk)
    push(desk, 201)
    found = landing.reached(desk.installation, WHERE, before, main(desk))
    assert found is not None
    assert (len(found.commits), found.complete) == (200, False)


def test_a_push_from_what_is_gone(desk: Desk) -> None:
    assert landing.reached(desk.installation, WHERE, "9" * 40, main(desk)) is None


def test_by_which_pull_request_commits_came(desk: Desk) -> None:
    number = desk.open(commits=[{"message": "One"}, {"message": "Two"}])
    desk.act("olga", "delete_ruleset", id=next(iter(desk.hub.world.repository(SHOP).rulesets)))
    head = desk.hub.pull(number)["head_sha"]
    desk.act("olga", "merge", number=number)
    merge = main(desk)
    push(desk, 1)
    oids = [head, merge, main(desk)]
    found = landing.merged_through(desk.installation, WHERE, main(desk), oids)
    mine = (MergedPull(number=number, base_ref="main", merge_oid=merge),)
    assert found == {head: mine, merge: mine, main(desk): ()}


def test_an_open_pull_request_is_no_merged_one(desk: Desk) -> None:
    number = desk.open()
    head = desk.hub.pull(number)["head_sha"]
    assert landing.merged_through(desk.installation, WHERE, head, [head]) == {head: ()}


def test_history_of_a_commit(desk: Desk) -> None:
    before = main(desk)
    push(desk, 2)
    found = landing.history(desk.installation, WHERE, main(desk), 3)
    assert [commit.message for commit in found[:2]] == ["Step 1", "Step 0"]
    assert (found[2].oid, found[0].parents) == (before, (found[1].oid,))
    assert found[0].tree_oid
    with pytest.raises((NotFound, Refused)):
        landing.history(desk.installation, WHERE, "9" * 40, 1)


def test_who_pushed(desk: Desk) -> None:
    push(desk, 1)
    who = landing.pushed_by(desk.installation, WHERE, "main", main(desk))
    assert who is not None
    assert (who.login, who.kind) == ("olga", ActorKind.USER)
    assert landing.pushed_by(desk.installation, WHERE, "main", "9" * 40) is None


def test_protected_branches(desk: Desk) -> None:
    desk.act("olga", "push", branch="play", commits=[])
    assert landing.protected_branches(desk.installation, WHERE) == {"main"}


def test_the_roster_files_without_a_pull_request(desk: Desk) -> None:
    texts = landing.rosters(desk.installation, WHERE)
    assert texts.org is not None
    assert (texts.org.repository, texts.repository) == ("acme/.github", None)
    assert "sign_off" in (texts.org.text or "")


def may_write_issues(desk: Desk) -> None:
    for installation in desk.hub.world.installations.values():
        installation.permissions = {**installation.permissions, "issues": "write"}


def test_issues_take_a_permission(desk: Desk) -> None:
    assert not issues.may_write(desk.installation)


def test_an_issue_is_found_again_by_its_marker_and_only_ours(desk: Desk) -> None:
    may_write_issues(desk)
    assert issues.may_write(desk.installation)
    desk.act("kim", "open_issue", title="Fake", body="MARK")
    long_ago = "2020-01-01T00:00:00Z"

    def find(marker: str) -> int | None:
        return issues.find(desk.installation, WHERE, marker, app_id=desk.hub.app.id, since=long_ago)

    assert find("MARK") is None
    number = issues.create(desk.installation, WHERE, "Ours", "text MARK")
    assert find("MARK") == number
    assert find("OTHER") is None
