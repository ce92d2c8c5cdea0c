"""Reading from a real server: long pull requests, every kind of fact, and what faults become."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from github_app.gateway import app as the_app
from github_app.gateway import repository, supplements
from github_app.gateway.commit import check_on, file_at, repository_id
from github_app.gateway.errors import (
    ConnectionLost,
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    RateLimited,
    Suspended,
    TokenRefused,
    TooHeavy,
    Unavailable,
)
from github_app.judge.facts import Actor, ActorKind, EventKind, ReviewState, Sibling
from tests.e2e.inline import Clock
from tests.gateway.desk import CHECK, SHOP, SHOP_ID, Desk, at_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    with at_desk() as found:
        yield found


def test_an_ordinary_pull_request_is_one_query_of_one_point(desk: Desk) -> None:
    number = desk.open(labels=["ai-assisted"])
    desk.act("grace", "approve", number=number)
    desk.made()
    snapshot = desk.read(number)
    desk.read(number)
    mint = "POST /app/installations/{id}/access_tokens"
    assert desk.made() == [mint, "query PullRequestSnapshot", "query PullRequestSnapshot"]
    assert snapshot.cost == 1
    pull = snapshot.pull
    assert pull.head_oid == desk.hub.pull(number)["head_sha"]
    assert [(review.author and review.author.login, review.state) for review in pull.reviews] == [
        ("grace", ReviewState.APPROVED)
    ]
    assert pull.labels == ("ai-assisted",)
    assert (pull.siblings, pull.check) == ((), None)


def test_a_pull_request_of_600_commits_250_reviews_and_4000_files(desk: Desk) -> None:
    files = {f"shop/{name:04}.py": "x\n" for name in range(4000)}
    commits = [{"message": "Start", "files": files}]
    commits += [{"message": f"Step {step}", "files": {"a": f"{step}\n"}} for step in range(599)]
    with desk.hub.world.quiet():
        number = desk.open(commits=commits)
        for _ in range(250):
            desk.act("kim", "review", number=number, event="COMMENT", body="Hm")
    desk.made()
    snapshot = desk.read(number)
    pull = snapshot.pull
    assert len({commit.oid for commit in pull.commits}) == 600
    assert pull.commits[-1].oid == pull.head_oid
    assert pull.commits[0].message == "Start"
    assert len({review.id for review in pull.reviews}) == 250
    assert len({file.path for file in pull.files}) == 4001
    assert pull.files_complete
    pages = desk.made()
    assert pages == [
        "POST /app/installations/{id}/access_tokens",
        "query PullRequestSnapshot",
        *["query SnapshotPage"] * 40,
    ]


def test_a_story_with_every_kind_of_fact(desk: Desk) -> None:
    number = desk.open(
        commits=[{"message": "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com>"}]
    )
    desk.act("june", "edit_pull_request", number=number, title="Mend", body="Made with an agent")
    desk.act("june", "edit_pull_request", number=number, body="Mine")
    desk.act("june", "add_label", number=number, label="ai-assisted")
    desk.act("june", "remove_label", number=number, label="ai-assisted")
    desk.act("june", "assign", number=number, assignee="kim")
    desk.act("june", "request_review", number=number, reviewer="grace")
    desk.act("grace", "request_changes", number=number)
    desk.act("olga", "dismiss_review", number=number, author="grace", message="Away")
    desk.act("june", "mark_draft", number=number)
    before = desk.read(number).pull.head_oid
    desk.act("june", "force_push", branch="fix", commits=[{"message": "Fix"}], onto="main")
    pull = desk.read(number).pull
    kinds = [event.kind for event in pull.timeline]
    assert kinds == [
        EventKind.RENAMED_TITLE,
        EventKind.LABELED,
        EventKind.UNLABELED,
        EventKind.ASSIGNED,
        EventKind.REVIEW_REQUESTED,
        EventKind.REVIEW_DISMISSED,
        EventKind.CONVERTED_TO_DRAFT,
        EventKind.FORCE_PUSHED,
    ]
    renamed, *_, dismissed, _, forced = pull.timeline
    assert (renamed.before, renamed.after) == ("Fix", "Mend")
    assert dismissed.previous_review_state is ReviewState.CHANGES_REQUESTED
    assert [review.id for review in pull.reviews] == [dismissed.review_id]
    assert (forced.before, forced.after) == (before, pull.head_oid)
    assert "Made with an agent" in [edit.text for edit in pull.body_edits]
    assert [review.state for review in pull.reviews] == [ReviewState.DISMISSED]
    assert pull.reviews[0].commit_oid == before
    assert (pull.draft, pull.title, pull.body) == (True, "Mend", "Mine")


def test_bots_and_deleted_accounts(desk: Desk) -> None:
    number = desk.open("copilot/fix", "copilot-swe-agent[bot]")
    pull = desk.read(number).pull
    assert pull.author is not None
    assert (pull.author.kind, pull.author.login) == (ActorKind.BOT, "copilot-swe-agent")
    assert [commit.author.user for commit in pull.commits] == [None]
    desk.act("kim", "review", number=number, event="COMMENT", body="Hm")
    desk.hub.act("kim", "delete_user")
    assert [review.author for review in desk.read(number).pull.reviews] == [None]


def test_rosters_come_with_the_snapshot(desk: Desk) -> None:
    number = desk.open()
    desk.act(
        "olga", "put_file", path=".github/reviewers.yaml", content="version: 1\n", rules_too=False
    )
    found = desk.read(number).rosters
    assert found.org is not None
    assert (found.org.repository, found.org.path) == ("acme/.github", "reviewers.yaml")
    assert found.org.text is not None
    assert found.org.text.startswith("version: 1")
    assert found.repository is not None
    assert (found.repository.repository, found.repository.text) == (SHOP, "version: 1\n")
    branch = desk.hub.world.repository(SHOP).branches["main"]
    assert found.repository.commit_oid == branch


def test_pull_requests_of_one_head_know_of_each_other(desk: Desk) -> None:
    number = desk.open()
    desk.act("olga", "set_branch", branch="release", sha="main")
    head = desk.read(number).pull.head_oid
    desk.act("june", "set_branch", branch="same", sha=head)
    twin = desk.act("june", "open_pull_request", head="same", base="release", title="T")["number"]
    assert desk.read(number).pull.siblings == (Sibling(number=twin, base_ref="release"),)
    found = repository.pulls_with_head(
        desk.installation, "acme", "shop", head, repository_id=SHOP_ID
    )
    assert {one.number for one in found} == {number, twin}
    assert found == repository.among_open_heads(
        desk.installation, "acme", "shop", head, repository_id=SHOP_ID
    )
    desk.act("june", "close_pull_request", number=twin)
    assert desk.read(number).pull.siblings == ()
    main = desk.hub.world.repository(SHOP).branches["main"]
    for nothing in (main, "0" * 40):
        none = repository.pulls_with_head(
            desk.installation, "acme", "shop", nothing, repository_id=SHOP_ID
        )
        assert none == ()


def test_a_renamed_repository_and_a_missing_pull_request_are_not_found(desk: Desk) -> None:
    number = desk.open()
    with pytest.raises(NotFound):
        desk.read(number + 1)
    with pytest.raises(NotFound):
        desk.read(number, repository_id=SHOP_ID + 1)
    assert repository_id(desk.installation, "acme", "shop") == SHOP_ID
    desk.act("olga", "rename_repository", name="store")
    with pytest.raises(NotFound):
        desk.read(number)
    assert desk.read(number, "store").pull.repository.full_name == "acme/store"
    with pytest.raises(NotFound):
        repository_id(desk.installation, "acme", "shop")


def test_pushes_are_whole_or_unknown(desk: Desk) -> None:
    number = desk.open()
    desk.act("kim", "push", branch="fix", commits=[{"message": "More"}])
    desk.act("june", "force_push", branch="fix", commits=[{"message": "Other"}], onto="main")
    pull = desk.read(number).pull
    found = supplements.pushes(desk.installation, pull)
    assert found is not None
    assert [(push.actor and push.actor.login, push.kind) for push in found] == [
        ("june", "branch_creation"),
        ("kim", "push"),
        ("june", "force_push"),
    ]
    assert found[-1].after == pull.head_oid
    desk.act("june", "push", branch="fix", commits=[{"message": "Since the snapshot"}])
    assert supplements.pushes(desk.installation, pull) is None


def test_pushes_to_a_fork_are_unknown(desk: Desk) -> None:
    desk.hub.act("kim", "fork_repository", repo=SHOP)
    desk.hub.act("kim", "push", repo="kim/shop", branch="fix", commits=[{"message": "Fix"}])
    number = desk.act("kim", "open_pull_request", head="kim:fix", title="Fix")["number"]
    pull = desk.read(number).pull
    assert pull.cross_repository
    assert pull.head_repository is not None
    assert pull.head_repository.full_name == "kim/shop"
    desk.made()
    assert supplements.pushes(desk.installation, pull) is None
    assert desk.made() == []


def test_more_pushes_than_a_page(desk: Desk) -> None:
    number = desk.open()
    with desk.hub.world.quiet():
        for step in range(120):
            desk.act("june", "push", branch="fix", commits=[{"message": f"Step {step}"}])
    desk.made()
    found = supplements.pushes(desk.installation, desk.read(number).pull)
    assert found is not None
    assert len(found) == 121
    assert desk.made().count("GET /repos/{owner}/{repo}/activity") == 2


@pytest.mark.parametrize(
    ("permission", "may"),
    [("read", False), ("triage", False), ("write", True), ("maintain", True), ("admin", True)],
)
def test_who_may_push(desk: Desk, permission: str, *, may: bool) -> None:
    shop = desk.read(desk.open()).pull.repository
    desk.act("olga", "add_collaborator", login="kim", permission=permission)
    kim = Actor(kind=ActorKind.USER, login="KIM", id=2001)
    assert supplements.may_push(desk.installation, shop, kim) is may
    for other in (replace(kim, id=2002), replace(kim, login="nobody-at-all")):
        assert supplements.may_push(desk.installation, shop, other) is False


def test_where_a_branch_was() -> None:
    """At every moment since it was made; nothing is said of the time before."""
    clock = Clock(frozen=True)
    with at_desk(clock=clock.moment) as desk:
        shop = desk.read(desk.open()).pull.repository
        moments, tips = [clock.moment()], [""]
        for message in ("One", "Two", "Three"):
            clock.skip(5)
            desk.act("june", "push", branch="side", commits=[{"message": message}])
            tips.append(desk.hub.world.repository(SHOP).branches["side"])
            clock.skip(5)
            moments.append(clock.moment())
        clock.skip(5)
        desk.act("june", "delete_branch", branch="side")
        for when, tip in zip(moments, tips, strict=True):
            found = supplements.tips_at(desk.installation, shop, "side", when)
            assert found == (frozenset({tip}) if tip else frozenset())
        unmoved = supplements.tips_at(desk.installation, shop, "main", moments[0])
        assert unmoved == {desk.hub.world.repository(SHOP).branches["main"]}
        assert not supplements.tips_at(desk.installation, shop, "un/known", moments[0])
        assert supplements.tip(desk.installation, shop, "side") is None


def test_where_a_branch_was_in_a_second_of_many_moves() -> None:
    clock = Clock(frozen=True)
    with at_desk(clock=clock.moment) as desk:
        shop = desk.read(desk.open()).pull.repository
        tips = set()
        for message in ("One", "Two"):
            desk.act("june", "push", branch="side", commits=[{"message": message}])
            tips.add(desk.hub.world.repository(SHOP).branches["side"])
        assert supplements.tips_at(desk.installation, shop, "side", clock.moment()) == tips


def test_teams_and_people(desk: Desk) -> None:
    found = supplements.team_members(desk.installation, "acme/staff-engineers")
    assert {(one.login, one.id) for one in found} == {("ada", 1815), ("grace", 1906)}
    with pytest.raises(NotFound):
        supplements.team_members(desk.installation, "acme/no-such-team")
    for caller in (desk.installation, desk.github.anonymous()):
        assert supplements.public_user_id(caller, "Ada") == 1815
        assert supplements.public_user_id(caller, "nobody-here") is None
        assert supplements.public_user_id(caller, "acme") is None
        assert supplements.public_user_id(caller, "..") is None


def test_a_sweep_reads_a_hundred_pull_requests_a_call(desk: Desk) -> None:
    with desk.hub.world.quiet():
        numbers = [desk.open(f"b{index}") for index in range(120)]
    desk.act("kim", "comment", number=numbers[3], body="Hm")
    head = desk.read(numbers[5]).pull.head_oid
    desk.act("olga", "report_check", name=CHECK, sha=head, app="countersign")
    desk.made()
    found = list(
        repository.open_pull_requests(
            desk.installation,
            "acme",
            "shop",
            repository_id=SHOP_ID,
            check_name=CHECK,
            app_id=desk.app_id,
        )
    )
    assert desk.made()[-2:] == ["query OpenPullRequests"] * 2
    assert sorted(one.number for one in found) == numbers
    times = [one.updated_at for one in found]
    assert times == sorted(times, reverse=True)
    checked = {one.number: one.check for one in found if one.check}
    assert [(number, run.conclusion) for number, run in checked.items()] == [
        (numbers[5], "SUCCESS")
    ]


def test_repositories_of_the_installation(desk: Desk) -> None:
    with desk.hub.world.quiet():
        for index in range(110):
            desk.hub.act("olga", "create_repository", name=f"r{index}", owner="acme")
    desk.hub.act("olga", "archive_repository", repo="acme/r7")
    names = [one.name for one in repository.repositories(desk.installation)]
    assert len(names) == len(set(names)) == 111
    assert "r7" not in names


def test_the_app_and_its_installations(desk: Desk) -> None:
    app = desk.github.app()
    assert (the_app.identity(app).id, the_app.identity(app).slug) == (desk.app_id, "countersign")
    (installed,) = the_app.installations(app)
    assert (installed.id, installed.account) == (desk.installation.id, "acme")
    assert the_app.installation_for(app, "acme") == installed
    with pytest.raises(NotFound):
        the_app.installation_for(app, "acme", "no-such-repository")
    assert desk.installation.permissions["checks"] == "write"


def test_deliveries_are_listed_and_sent_again(desk: Desk) -> None:
    heard: list[str] = []

    def receive(headers: dict[str, str], body: bytes) -> int:
        heard.append(headers["X-GitHub-Delivery"])
        return 500 if len(heard) == 1 else 202

    desk.hub.courier.receiver = receive
    desk.hub.set_webhook_url("http://127.0.0.1:1/webhook")
    desk.open()
    desk.hub.drain()
    app = desk.github.app()
    failed = [one for one in the_app.deliveries(app) if not one.ok]
    assert [one.guid for one in failed] == [heard[0]]
    assert the_app.delivery_payload(app, failed[0].id)["repository"]["id"] == SHOP_ID
    the_app.redeliver(app, failed[0].id)
    desk.hub.drain()
    again = [one for one in the_app.deliveries(app) if one.guid == heard[0]]
    assert [(one.ok, one.redelivery) for one in again] == [(True, True), (False, False)]


def test_the_merge_queue(desk: Desk) -> None:
    ruleset = {
        "name": "queue",
        "target": "branch",
        "enforcement": "active",
        "rules": [{"type": "merge_queue", "parameters": {}}],
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
    }
    desk.act("olga", "set_ruleset", ruleset=ruleset)
    numbers = [desk.open("one"), desk.open("two")]
    for number in numbers:
        sha = desk.read(number).pull.head_oid
        desk.act("olga", "report_check", name=CHECK, sha=sha, app="countersign")
        desk.act("olga", "enqueue", number=number)
    groups = repository.merge_queue(
        desk.installation, "acme", "shop", "main", repository_id=SHOP_ID
    )
    assert [group.number for group in groups] == numbers
    assert groups[1].base_oid == groups[0].head_oid
    pull = desk.read(numbers[0]).pull
    assert pull.queue_entry is not None
    assert pull.queue_entry.head_oid == groups[0].head_oid
    assert groups[0].pull_head_oid == pull.head_oid
    none = repository.merge_queue(
        desk.installation, "acme", ".github", "main", repository_id=SHOP_ID + 1
    )
    assert none == ()


def test_a_file_and_our_check_at_one_commit(desk: Desk) -> None:
    pull = desk.read(desk.open(commits=[{"message": "x", "files": {"a/b.txt": "text\n"}}])).pull
    found = (desk.installation, pull.repository, pull.head_oid)
    assert file_at(*found, "a/b.txt") == "text\n"
    assert file_at(*found, "a") is None
    assert file_at(*found, "missing") is None
    assert check_on(*found, app_id=desk.app_id, check_name=CHECK) is None
    desk.act("olga", "report_check", name=CHECK, sha=pull.head_oid, app="countersign")
    run = check_on(*found, app_id=desk.app_id, check_name=CHECK)
    assert run is not None
    assert run.conclusion == "SUCCESS"
    with pytest.raises(NotFound):
        check_on(desk.installation, pull.repository, "0" * 40, app_id=1, check_name=CHECK)


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        pytest.param("error", {"status": 500}, Unavailable, id="500"),
        pytest.param("error", {"status": 503}, Unavailable, id="503"),
        pytest.param("error", {"status": 502}, TooHeavy, id="502"),
        pytest.param("reset", {}, ConnectionLost, id="reset"),
        pytest.param("after", {}, ConnectionLost, id="answer-lost"),
        pytest.param("secondary", {"seconds": 7}, RateLimited, id="secondary-limit"),
        pytest.param("too-many", {"seconds": 7}, RateLimited, id="429"),
        pytest.param("primary", {}, RateLimited, id="primary-limit"),
        pytest.param("partial", {"field": "reviews"}, TooHeavy, id="partial"),
        pytest.param("truncated", {}, IncompleteSnapshot, id="truncated"),
        pytest.param("empty", {}, IncompleteSnapshot, id="empty"),
        pytest.param("malformed", {}, Unavailable, id="malformed"),
        pytest.param("unauthorized", {}, TokenRefused, id="unauthorized"),
        pytest.param("suspended", {}, Suspended, id="suspended"),
    ],
)
def test_faults_are_named_and_nothing_is_read(
    desk: Desk, kind: str, options: dict[str, int | str], error: type[GitHubError]
) -> None:
    number = desk.open(commits=[{"message": "One"}, {"message": "Two"}])
    desk.hub.faults.add(kind, "graphql:PullRequestSnapshot", **options)
    asked = datetime.now(UTC)
    with pytest.raises(error) as caught:
        desk.read(number)
    assert type(caught.value) is error
    if isinstance(caught.value, RateLimited) and "seconds" in options:
        wait = timedelta(seconds=7)
        assert asked + wait <= caught.value.until <= datetime.now(UTC) + wait


def test_one_lost_connection_is_not_noticed(desk: Desk) -> None:
    number = desk.open()
    desk.hub.faults.add("reset", "graphql:*", times=1)
    assert desk.read(number).pull.number == number


def test_a_revoked_token_is_replaced(desk: Desk) -> None:
    number = desk.open()
    desk.read(number)
    desk.hub.door.revoke_all()
    desk.made()
    desk.read(number)
    mint = "POST /app/installations/{id}/access_tokens"
    assert desk.made() == ["query PullRequestSnapshot", mint, "query PullRequestSnapshot"]


def test_a_suspended_installation(desk: Desk) -> None:
    number = desk.open()
    desk.hub.act("olga", "suspend_installation", app="countersign", account="acme")
    with pytest.raises(Suspended):
        desk.read(number)


def test_threads_share_tokens_and_cross_nothing(desk: Desk) -> None:
    numbers = [desk.open(f"b{index}", title=f"Title {index}") for index in range(8)]
    desk.made()
    wrong: list[str] = []
    start = threading.Barrier(8)

    def work(index: int) -> None:
        start.wait()
        for _ in range(5):
            pull = desk.read(numbers[index]).pull
            if (pull.number, pull.title) != (numbers[index], f"Title {index}"):
                wrong.append(pull.title)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert desk.made().count("POST /app/installations/{id}/access_tokens") == 1


@pytest.mark.parametrize("base_path", ["/api/v3", "/github/api/v3"])
def test_an_enterprise_server_with_a_path(base_path: str) -> None:
    with at_desk(base_path=base_path) as desk:
        assert desk.read(desk.open()).pull.title == "Fix"
