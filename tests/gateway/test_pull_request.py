"""The snapshot: what GitHub's JSON becomes, and everything that makes it no snapshot."""

import copy
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from github_app.gateway.client import Installation
from github_app.gateway.errors import (
    GitHubError,
    IncompleteSnapshot,
    NotFound,
    TooHeavy,
    Unavailable,
)
from github_app.gateway.pull_request import FIRST_COMMITS, MOST_ITEMS, RosterText, Snapshot, read
from github_app.judge.facts import (
    Actor,
    ActorKind,
    BodyEdit,
    ChangedFile,
    CheckRun,
    EventKind,
    GitIdentity,
    QueueEntry,
    Review,
    ReviewState,
    Sibling,
    Signature,
)
from tests.gateway import build
from tests.gateway.build import FIRST, HEAD, page
from tests.gateway.conftest import APP_ID, CHECK, REPO_ID, Hub, Reply, reply

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
JUNE = Actor(kind=ActorKind.USER, login="june", id=11)


def take(installation: Installation) -> Snapshot:
    return read(
        installation,
        "acme",
        "shop",
        7,
        repository_id=REPO_ID,
        check_name=CHECK,
        app_id=APP_ID,
        now=NOW,
    )


def taken(hub: Hub, installation: Installation, answer: dict[str, Any]) -> Snapshot:
    hub.answers(reply(answer))
    return take(installation)


def test_an_ordinary_pull_request_is_one_query(hub: Hub, installation: Installation) -> None:
    snapshot = taken(hub, installation, build.snapshot())
    assert len(hub.asked) == 1
    assert (snapshot.cost, snapshot.remaining) == (1, 4990)
    pull = snapshot.pull
    assert pull.repository.full_name == "acme/shop"
    assert (pull.repository.id, pull.repository.default_branch) == (REPO_ID, "main")
    assert (pull.number, pull.node_id, pull.state, pull.draft) == (7, "PR_1", "OPEN", False)
    assert (pull.title, pull.body, pull.author) == ("Add a shop", "As asked.", JUNE)
    assert (pull.base_ref, pull.base_oid, pull.head_ref, pull.head_oid) == (
        "main",
        "c" * 40,
        "shop",
        HEAD,
    )
    assert pull.updated_at == datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert pull.taken_at == NOW
    assert pull.labels == ("ai-assisted",)
    assert [commit.oid for commit in pull.commits] == [FIRST, HEAD]
    june = GitIdentity(name="June", email="june@acme.example", user=JUNE)
    assert pull.commits[0].author == june
    assert pull.commits[0].authors == (june,)
    assert pull.commits[0].authors_complete
    assert pull.commits[0].parents == ("0" * 39 + "1",)
    assert pull.reviews == (
        Review(
            id=501,
            author=Actor(kind=ActorKind.USER, login="grace", id=1906),
            state=ReviewState.APPROVED,
            commit_oid=HEAD,
            submitted_at=datetime(2026, 5, 1, 10, tzinfo=UTC),
            can_push=True,
        ),
    )
    assert pull.files == (ChangedFile(path="shop.py", additions=3, deletions=1),)
    assert pull.files_complete
    assert [(event.kind, event.label) for event in pull.timeline] == [
        (EventKind.LABELED, "ai-assisted")
    ]
    assert (pull.pushes, pull.siblings, pull.check, pull.queue_entry) == (None, (), None, None)
    assert (snapshot.rosters.org, snapshot.rosters.repository) == (None, None)


def test_what_is_asked(hub: Hub, installation: Installation) -> None:
    taken(hub, installation, build.snapshot())
    asked = hub.variables[0]
    assert (asked["size"], asked["commits"]) == (100, FIRST_COMMITS)
    assert asked["ownerRoster"] == "HEAD:reviewers.yaml"
    assert asked["repositoryRoster"] == "HEAD:.github/reviewers.yaml"
    assert len(asked["itemTypes"]) == len(EventKind)


Spoil = Callable[[dict[str, Any]], object]


def at(answer: dict[str, Any], *path: str | int) -> Any:
    found: Any = answer["data"]["repository"]["pullRequest"]
    for step in path:
        found = found[step]
    return found


def put(*path: str | int, value: object) -> Spoil:
    """Change one value of the pull request in an answer."""
    return lambda answer: at(answer, *path[:-1]).__setitem__(path[-1], value)


def drop(*path: str | int) -> Spoil:
    return lambda answer: at(answer, *path[:-1]).__delitem__(path[-1])


@pytest.mark.parametrize(
    ("spoil", "words", "retryable"),
    [
        pytest.param(put("labels", "totalCount", value=101), "1 of 101 labels", True, id="labels"),
        pytest.param(
            put("commits", "totalCount", value=3), "2 of 3 commits", True, id="commits-missing"
        ),
        pytest.param(
            put("commits", "nodes", 0, value=build.commit(HEAD)),
            "1 of 2 commits",
            True,
            id="commit-twice",
        ),
        pytest.param(
            put("commits", value=page(build.commit(HEAD), build.commit(FIRST))),
            "the head is not the last of the commits",
            True,
            id="head-not-last",
        ),
        pytest.param(
            put("headRefOid", value="e" * 40),
            "the head is not the last of the commits",
            True,
            id="commits-trail-the-head",
        ),
        pytest.param(
            put("commits", value=page()), "the head is not the last", True, id="commits-not-listed"
        ),
        pytest.param(
            put("headCommit", "nodes", 0, "commit", "oid", value=FIRST),
            "the head is not the last",
            True,
            id="head-commit-trails",
        ),
        pytest.param(
            put("headCommit", "nodes", value=[]), "the head is not the last", True, id="empty-head"
        ),
        pytest.param(
            put("reviews", "totalCount", value=2), "1 of 2 reviews", True, id="review-missing"
        ),
        pytest.param(
            put("reviews", value=page(build.review(1), build.review(1))),
            "1 of 2 reviews",
            True,
            id="review-twice",
        ),
        pytest.param(
            put("reviews", value=None), "GitHub withholds the reviews", True, id="null-reviews"
        ),
        pytest.param(put("commits", value=None), "withholds the commits", True, id="null-commits"),
        pytest.param(put("labels", value=None), "withholds the labels", True, id="null-labels"),
        pytest.param(
            lambda answer: at(answer).update(userContentEdits=None, lastEditedAt="2026-05-01"),
            "withholds the edits of the body",
            True,
            id="null-edits",
        ),
        pytest.param(
            put("userContentEdits", "totalCount", value=1),
            "0 of 1 edits of the body",
            True,
            id="edit-missing",
        ),
        pytest.param(
            put("timelineItems", value=None), "withholds the timeline", True, id="null-timeline"
        ),
        pytest.param(
            put("timelineItems", "pageInfo", value={"hasNextPage": True, "endCursor": None}),
            "unexpected shape",
            True,
            id="no-cursor",
        ),
        pytest.param(
            put("reviews", "nodes", 0, value=None), "unexpected shape", True, id="null-review"
        ),
        pytest.param(
            put("timelineItems", "nodes", 0, value=None), "unexpected shape", True, id="null-event"
        ),
        pytest.param(
            put("reviews", "nodes", 0, "state", value="ENDORSED"),
            "GitHub has a new review state, ENDORSED",
            False,
            id="new-review-state",
        ),
        pytest.param(
            put("reviews", "nodes", 0, "state", value="<script>"),
            "a new review state, of an unknown form",
            False,
            id="review-state-is-foreign",
        ),
        pytest.param(
            put("reviews", "nodes", 0, "fullDatabaseId", value=None),
            "unexpected shape",
            True,
            id="review-without-id",
        ),
        pytest.param(put("state", value="LIMBO"), "new state of pull requests", False, id="state"),
        pytest.param(
            put("timelineItems", "nodes", 0, "__typename", value="SurpriseEvent"),
            "unexpected shape",
            True,
            id="event-nobody-asked-for",
        ),
        pytest.param(
            put("commits", "nodes", 0, "commit", "parents", "totalCount", value=60),
            "a commit has 60 parents, 1 of them",
            False,
            id="parents-missing",
        ),
        pytest.param(put("title", value=7), "unexpected shape", True, id="title-no-text"),
        pytest.param(put("isDraft", value="no"), "unexpected shape", True, id="draft-no-flag"),
        pytest.param(put("number", value=True), "unexpected shape", True, id="number-a-flag"),
        pytest.param(drop("headRefOid"), "unexpected shape", True, id="field-missing"),
        pytest.param(
            put("updatedAt", value="2026-05-01T12:00:00"),
            "unexpected shape",
            True,
            id="time-without-zone",
        ),
        pytest.param(put("updatedAt", value="now"), "unexpected shape", True, id="time-no-time"),
        pytest.param(
            put("commits", "totalCount", value=MOST_ITEMS),
            "10,000 commits or more",
            False,
            id="more-commits-than-github-counts",
        ),
        pytest.param(
            put("reviews", value=page(build.review(), total=MOST_ITEMS, cursor="c")),
            "10,000 reviews or more",
            False,
            id="reviews-without-end",
        ),
    ],
)
def test_refused(
    hub: Hub, installation: Installation, spoil: Spoil, words: str, *, retryable: bool
) -> None:
    answer = build.snapshot()
    spoil(answer)
    if "10,000 commits" in words:
        at(answer, "commits")["pageInfo"] = {"hasNextPage": True, "endCursor": "c"}
    with pytest.raises(IncompleteSnapshot, match=words) as caught:
        taken(hub, installation, answer)
    assert caught.value.retryable is retryable
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(build.snapshot(repository=None), id="repository-null"),
        pytest.param(
            build.snapshot(repository=build.repository("shop", pullRequest=None)), id="pull-null"
        ),
        pytest.param(
            build.snapshot(repository=build.repository("shop", 9002, pullRequest=build.pull())),
            id="another-repository-took-the-name",
        ),
        pytest.param(
            build.snapshot() | {"errors": [{"type": "NOT_FOUND", "path": ["repository"]}]},
            id="not-found-error",
        ),
    ],
)
def test_gone(hub: Hub, installation: Installation, answer: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        taken(hub, installation, answer)


@pytest.mark.parametrize(
    ("node", "actor"),
    [
        pytest.param(None, None, id="deleted"),
        pytest.param(
            build.bot(),
            Actor(kind=ActorKind.BOT, login="dependabot", id=49699333),
            id="bot-without-suffix",
        ),
        pytest.param(
            {"__typename": "Mannequin", "login": "old", "databaseId": None},
            Actor(kind=ActorKind.MANNEQUIN, login="old", id=None),
            id="mannequin",
        ),
        pytest.param(
            {"__typename": "EnterpriseUserAccount", "login": "eve", "user": {"databaseId": 5}},
            Actor(kind=ActorKind.ENTERPRISE_USER, login="eve", id=5),
            id="enterprise-account",
        ),
        pytest.param(
            {"__typename": "EnterpriseUserAccount", "login": "eve", "user": None},
            Actor(kind=ActorKind.ENTERPRISE_USER, login="eve", id=None),
            id="enterprise-account-without-user",
        ),
        pytest.param(
            {"__typename": "Agent", "login": "hal"},
            Actor(kind=ActorKind.UNKNOWN, login="hal", id=None),
            id="type-of-tomorrow",
        ),
    ],
)
def test_actors(
    hub: Hub, installation: Installation, node: dict[str, Any] | None, actor: Actor | None
) -> None:
    found = taken(hub, installation, build.snapshot(build.pull(author=node))).pull.author
    assert found == actor
    assert found is None or found.is_person == (found.kind is ActorKind.USER)


def test_a_commit_in_every_detail(hub: Hub, installation: Installation) -> None:
    commit = build.commit(HEAD)
    commit["commit"] |= {
        "author": None,
        "committer": {"name": None, "email": None, "user": None},
        "authors": {"totalCount": 51, "nodes": [build.identity("Bot", None)]},
        "committedViaWeb": True,
        "signature": {
            "isValid": True,
            "state": "VALID",
            "wasSignedByGitHub": True,
            "signer": {"login": "web-flow", "databaseId": 19864447},
        },
    }
    (found,) = taken(
        hub, installation, build.snapshot(build.pull(commits=page(commit)))
    ).pull.commits
    assert found.author == found.committer == GitIdentity(name="", email="")
    assert [author.user for author in found.authors] == [None]
    assert not found.authors_complete
    assert found.committed_via_web
    signer = Actor(kind=ActorKind.USER, login="web-flow", id=19864447)
    assert found.signature == Signature(valid=True, state="VALID", by_github=True, signer=signer)


def test_the_size_and_time_of_a_commit(hub: Hub, installation: Installation) -> None:
    found = taken(hub, installation, build.snapshot()).pull.commits[-1]
    assert found.authored_at == datetime(2026, 5, 1, 9, tzinfo=UTC)
    assert (found.additions, found.deletions, found.changed_files) == (3, 1, 1)
    assert found.tree_oid == "7" * 40


@pytest.mark.parametrize("told", ["", "99999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none(hub: Hub, installation: Installation, told: str) -> None:
    """Anything can be typed into a commit; it must not keep the pull request from a verdict."""
    commit = build.commit(HEAD)
    commit["commit"] |= {"authoredDate": told, "changedFilesIfAvailable": None}
    (found,) = taken(
        hub, installation, build.snapshot(build.pull(commits=page(commit)))
    ).pull.commits
    assert (found.authored_at, found.changed_files) == (None, None)


def test_a_review_whose_commit_is_lost(hub: Hub, installation: Installation) -> None:
    lost = build.review(oid=None) | {"author": None, "submittedAt": None}
    (review,) = taken(
        hub, installation, build.snapshot(build.pull(reviews=page(lost)))
    ).pull.reviews
    assert (review.commit_oid, review.author, review.submitted_at) == (None, None, None)


EVENTS: list[tuple[dict[str, Any], str | None, str | None]] = [
    (build.event("LabeledEvent", label={"name": "x"}), None, None),
    (build.event("UnlabeledEvent", label={"name": "x"}), None, None),
    (build.event("RenamedTitleEvent", previousTitle="a", currentTitle="b"), "a", "b"),
    (
        build.event("HeadRefForcePushedEvent", beforeCommit={"oid": FIRST}, afterCommit=None),
        FIRST,
        None,
    ),
    (build.event("HeadRefDeletedEvent", headRefName="shop"), "shop", None),
    (build.event("HeadRefRestoredEvent"), None, None),
    (build.event("BaseRefChangedEvent", previousRefName="a", currentRefName="b"), "a", "b"),
    (
        build.event(
            "BaseRefForcePushedEvent", beforeCommit={"oid": FIRST}, afterCommit={"oid": HEAD}
        ),
        FIRST,
        HEAD,
    ),
    (build.event("AutomaticBaseChangeSucceededEvent", oldBase="a", newBase="b"), "a", "b"),
    (
        build.event(
            "ReviewDismissedEvent",
            previousReviewState="APPROVED",
            review={"fullDatabaseId": "501"},
        ),
        None,
        None,
    ),
    (build.event("ConvertToDraftEvent"), None, None),
    (build.event("ReadyForReviewEvent"), None, None),
    (build.event("AddedToMergeQueueEvent"), None, None),
    (build.event("RemovedFromMergeQueueEvent", beforeCommit={"oid": FIRST}), FIRST, None),
    (build.event("AutoMergeEnabledEvent"), None, None),
    (build.event("AutoMergeDisabledEvent"), None, None),
    (build.event("AssignedEvent", assignee=build.user()), None, None),
    (build.event("ReviewRequestedEvent", requestedReviewer=build.user()), None, None),
    (build.event("ClosedEvent"), None, None),
    (build.event("ReopenedEvent"), None, None),
    (build.event("MergedEvent", mergeRefName="main", commit={"oid": HEAD}), "main", HEAD),
]


def test_every_kind_of_event_is_tested() -> None:
    assert {node["__typename"] for node, _, _ in EVENTS} == set(EventKind)


@pytest.mark.parametrize(
    ("node", "before", "after"),
    [pytest.param(*row, id=row[0]["__typename"]) for row in EVENTS],
)
def test_events(
    hub: Hub,
    installation: Installation,
    node: dict[str, Any],
    before: str | None,
    after: str | None,
) -> None:
    answer = build.snapshot(build.pull(timelineItems=page(node)))
    (event,) = taken(hub, installation, answer).pull.timeline
    assert event.kind == node["__typename"]
    assert (event.actor, event.at) == (JUNE, datetime(2026, 5, 1, 9, tzinfo=UTC))
    assert (event.before, event.after) == (before, after)
    assert event.label == ("x" if "label" in node else None)
    if event.kind is EventKind.REVIEW_DISMISSED:
        assert event.previous_review_state is ReviewState.APPROVED
        assert event.review_id == 501
    asked = event.kind in {EventKind.ASSIGNED, EventKind.REVIEW_REQUESTED}
    assert event.subject == (JUNE if asked else None)


@pytest.mark.parametrize("who", [None, {"__typename": "Team"}])
def test_a_review_requested_of_a_team_or_of_nobody(
    hub: Hub, installation: Installation, who: object
) -> None:
    node = build.event("ReviewRequestedEvent", requestedReviewer=who)
    answer = build.snapshot(build.pull(timelineItems=page(node)))
    (event,) = taken(hub, installation, answer).pull.timeline
    assert event.subject is None


@pytest.mark.parametrize(
    ("node", "text"),
    [
        pytest.param(build.edit("Words"), "Words", id="whole-body"),
        pytest.param(build.edit(None), None, id="blanked"),
        pytest.param(build.edit("Words", deleted=True), None, id="deleted-revision"),
    ],
)
def test_edits_of_the_body(
    hub: Hub, installation: Installation, node: dict[str, Any], text: str | None
) -> None:
    answer = build.snapshot(build.pull(userContentEdits=page(node)))
    at = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
    assert taken(hub, installation, answer).pull.body_edits == (
        BodyEdit(edited_at=at, editor=JUNE, text=text),
    )


def test_a_body_that_was_never_edited(hub: Hub, installation: Installation) -> None:
    assert (
        taken(hub, installation, build.snapshot(build.pull(userContentEdits=None))).pull.body_edits
        == ()
    )


@pytest.mark.parametrize(
    ("fields", "complete", "count"),
    [
        pytest.param({}, True, 1, id="all"),
        pytest.param({"files": page(build.file()), "changedFiles": 2}, False, 1, id="short"),
        pytest.param({"files": None, "changedFiles": 2}, False, 0, id="withheld"),
        pytest.param({"files": None, "changedFiles": 0}, True, 0, id="none-changed"),
        pytest.param(
            {"files": page(build.file(), build.file()), "changedFiles": 2}, False, 2, id="twice"
        ),
        pytest.param(
            {"files": page(build.file(), total=20_000, cursor="c"), "changedFiles": 20_000},
            False,
            1,
            id="more-than-we-read",
        ),
    ],
)
def test_files(
    hub: Hub, installation: Installation, fields: dict[str, Any], *, complete: bool, count: int
) -> None:
    pull = taken(hub, installation, build.snapshot(build.pull(**fields))).pull
    assert (pull.files_complete, len(pull.files)) == (complete, count)
    assert len(hub.asked) == 1


def with_head(**fields: object) -> dict[str, Any]:
    node = build.pull()
    node["headCommit"]["nodes"][0]["commit"] |= fields
    return build.snapshot(node)


@pytest.mark.parametrize(
    ("suites", "found"),
    [
        pytest.param(build.suites([]), None, id="none"),
        pytest.param(
            build.suites([build.run(800)], [build.run(801, conclusion="SUCCESS", title=None)]),
            CheckRun(
                id=801,
                status="COMPLETED",
                conclusion="SUCCESS",
                external_id="digest.receipt",
                title=None,
            ),
            id="the-latest-of-several",
        ),
        pytest.param(build.suites([build.run()], total=11), None, id="suites-cut"),
        pytest.param(
            {"totalCount": 1, "nodes": [{"checkRuns": {"totalCount": 9, "nodes": [build.run()]}}]},
            None,
            id="runs-cut",
        ),
        pytest.param(None, None, id="withheld"),
    ],
)
def test_our_check(
    hub: Hub, installation: Installation, suites: object, found: CheckRun | None
) -> None:
    assert taken(hub, installation, with_head(checkSuites=suites)).pull.check == found


def test_the_queue_and_the_merge(hub: Hub, installation: Installation) -> None:
    node = build.pull(
        mergeQueueEntry={"state": "QUEUED", "headCommit": {"oid": "9" * 40}, "baseCommit": None},
        mergeCommit={"oid": "8" * 40},
        mergedBy=build.user(),
        headRepository=None,
        isCrossRepository=True,
    )
    pull = taken(hub, installation, build.snapshot(node)).pull
    assert pull.queue_entry == QueueEntry(head_oid="9" * 40, base_oid=None, state="QUEUED")
    assert (pull.merge_commit_oid, pull.merged_by) == ("8" * 40, JUNE)
    assert (pull.head_repository, pull.cross_repository) == (None, True)


def associated(*twins: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    connection = {"totalCount": len(twins) if total is None else total, "nodes": list(twins)}
    return with_head(associatedPullRequests=connection)


@pytest.mark.parametrize(
    ("twin", "found"),
    [
        pytest.param(build.twin(8), (Sibling(number=8, base_ref="main"),), id="twin"),
        pytest.param(build.twin(8, oid=FIRST), (), id="contains-the-commit-as-an-older-one"),
        pytest.param(build.twin(8, state="CLOSED"), (), id="closed"),
        pytest.param(build.twin(8, repo=9002), (), id="of-a-fork"),
    ],
)
def test_siblings(
    hub: Hub, installation: Installation, twin: dict[str, Any], found: tuple[Sibling, ...]
) -> None:
    answer = associated(build.twin(7), twin)
    assert taken(hub, installation, answer).pull.siblings == found
    assert len(hub.asked) == 1


def heads(*twins: dict[str, Any], cursor: str | None = None) -> Reply:
    """An answer to ``OpenHeads``."""
    found = {"databaseId": REPO_ID, "pullRequests": page(*twins, cursor=cursor)}
    return reply({"data": {"repository": found}})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(associated(build.twin(5, state="MERGED")), id="only-merged-ones"),
        pytest.param(associated(), id="empty"),
        pytest.param(associated(build.twin(7), total=60), id="cut"),
    ],
)
def test_when_githubs_list_of_siblings_proves_nothing_all_heads_are_read(
    hub: Hub, installation: Installation, answer: dict[str, Any]
) -> None:
    hub.answers(
        reply(answer),
        heads(build.twin(7), build.twin(8), build.twin(9, oid=FIRST), cursor="c1"),
        heads(build.twin(10)),
    )
    assert [one.number for one in take(installation).pull.siblings] == [8, 10]
    assert hub.variables[2]["after"] == "c1"


def test_a_closed_pull_request_has_no_siblings(hub: Hub, installation: Installation) -> None:
    answer = associated()
    answer["data"]["repository"]["pullRequest"]["state"] = "CLOSED"
    assert taken(hub, installation, answer).pull.siblings == ()


def org(name: str, roster: object) -> dict[str, Any]:
    return build.repository(name, 5, roster=roster)


def test_rosters(hub: Hub, installation: Installation) -> None:
    answer = build.snapshot(orgPublic=org(".github", build.blob("public")))
    answer["errors"].pop(0)
    answer["data"]["repository"]["roster"] = build.blob("own")
    rosters = taken(hub, installation, answer).rosters
    assert rosters.org == RosterText(
        repository="acme/.github",
        path="reviewers.yaml",
        commit_oid="c" * 40,
        blob_oid="d" * 40,
        text="public",
    )
    assert rosters.repository is not None
    assert (rosters.repository.path, rosters.repository.text) == (
        ".github/reviewers.yaml",
        "own",
    )


def test_the_private_roster_goes_before_the_public_one(
    hub: Hub, installation: Installation
) -> None:
    answer = build.snapshot(
        orgPublic=org(".github", build.blob("public")),
        orgPrivate=org(".github-private", build.blob("private")),
    )
    answer.pop("errors")
    rosters = taken(hub, installation, answer).rosters
    assert rosters.org is not None
    assert rosters.second is not None
    assert (rosters.org.repository, rosters.org.text) == ("acme/.github-private", "private")
    assert (rosters.second.repository, rosters.second.text) == ("acme/.github", "public")


@pytest.mark.parametrize(
    ("roster", "problem"),
    [
        pytest.param(build.blob(isBinary=True), "it is a binary file", id="binary"),
        pytest.param(build.blob(None), "it is a binary file", id="no-text"),
        pytest.param(build.blob(isTruncated=True), "GitHub shows only a part of it", id="cut"),
        pytest.param(build.blob(byteSize=262_145), "it is larger than 256 KiB", id="too-large"),
        pytest.param({"__typename": "Tree", "oid": "d" * 40}, "it is not a file", id="folder"),
    ],
)
def test_a_roster_that_cannot_be_read_is_not_a_missing_one(
    hub: Hub, installation: Installation, roster: object, problem: str
) -> None:
    """Nor does the public one stand in for a private one that is broken."""
    answer = build.snapshot(
        orgPrivate=org(".github-private", roster), orgPublic=org(".github", build.blob("loose"))
    )
    answer.pop("errors")
    found = taken(hub, installation, answer).rosters.org
    assert found is not None
    assert (found.text, found.problem) == (None, problem)


def long_pull() -> dict[str, Any]:
    """A first page with more of everything to come."""
    return build.pull(
        headRefOid="f" * 40,
        changedFiles=2,
        commits=page(build.commit(FIRST), total=2, cursor="c1"),
        reviews=page(build.review(1), total=3, cursor="r1"),
        files=page(build.file("a"), total=2, cursor="f1"),
        userContentEdits=page(build.edit("new"), total=2, cursor="e1"),
        timelineItems=page(build.event("ClosedEvent", 1), cursor="t1"),
        headCommit={
            "nodes": [
                {
                    "commit": {
                        "oid": "f" * 40,
                        "associatedPullRequests": {
                            "totalCount": 1,
                            "nodes": [build.twin(7, oid="f" * 40)],
                        },
                        "checkSuites": build.suites(),
                    }
                }
            ]
        },
    )


def second_page(**fields: object) -> dict[str, Any]:
    return build.next_page(
        **{
            "headRefOid": "f" * 40,
            "changedFiles": 2,
            "commits": page(build.commit("f" * 40), total=2),
            "reviews": page(build.review(2), total=3, cursor="r2"),
            "files": page(build.file("b"), total=2),
            "userContentEdits": page(build.edit("old"), total=2),
            "timelineItems": page(build.event("ReopenedEvent", 2)),
        }
        | fields
    )


def third_page(**fields: object) -> dict[str, Any]:
    anchor = {"headRefOid": "f" * 40, "changedFiles": 2}
    return build.next_page(**anchor | {"reviews": page(build.review(3), total=3)} | fields)


def test_long_lists_are_read_to_their_ends_together(hub: Hub, installation: Installation) -> None:
    hub.answers(reply(build.snapshot(long_pull())), reply(second_page()), reply(third_page()))
    snapshot = take(installation)
    pull = snapshot.pull
    assert [commit.oid[0] for commit in pull.commits] == ["a", "f"]
    assert [review.id for review in pull.reviews] == [1, 2, 3]
    assert [file.path for file in pull.files] == ["a", "b"]
    assert pull.files_complete
    assert [edit.text for edit in pull.body_edits] == ["new", "old"]
    assert [event.kind for event in pull.timeline] == [EventKind.CLOSED, EventKind.REOPENED]
    assert snapshot.cost == 5
    second, third = hub.variables[1:]
    cursors = {"commits": "c1", "reviews": "r1", "files": "f1", "edits": "e1", "timeline": "t1"}
    assert {name: second[name] for name in cursors} == cursors
    assert all(second[f"with{name.capitalize()}"] for name in cursors)
    wanted = [name for name in cursors if third[f"with{name.capitalize()}"]]
    assert (wanted, third["reviews"]) == (["reviews"], "r2")


def test_an_empty_page_is_not_the_end(hub: Hub, installation: Installation) -> None:
    """GitHub filters a timeline page after it was cut, so one may be empty with more behind it."""
    last = build.next_page(timelineItems=page(build.event("ClosedEvent")))
    hub.answers(reply(build.snapshot(build.pull(timelineItems=page(cursor="t1")))), reply(last))
    assert [event.kind for event in take(installation).pull.timeline] == [EventKind.CLOSED]


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        pytest.param([second_page(headRefOid="9" * 40)], "moved while it was read", id="pushed"),
        pytest.param([second_page(baseRefOid="9" * 40)], "moved while it was read", id="base"),
        pytest.param([second_page(changedFiles=3)], "moved while it was read", id="files-differ"),
        pytest.param([build.next_page() | {"data": {"node": None}}], "moved", id="gone"),
        pytest.param(
            [second_page(reviews=page(build.review(2), total=4))],
            "the reviews changed while they were read",
            id="count-differs",
        ),
        pytest.param(
            [second_page(), third_page(reviews=page(build.review(2), total=3))],
            "2 of 3 reviews",
            id="page-comes-twice",
        ),
        pytest.param(
            [second_page(reviews=page(build.review(2), total=3, cursor="r1"))],
            "the pages of reviews do not end",
            id="cursor-stands-still",
        ),
        pytest.param([second_page(reviews=None)], "withholds the reviews", id="page-withheld"),
        pytest.param(
            [second_page(commits=page(build.commit("9" * 40), total=2)), third_page()],
            "the head is not the last",
            id="other-commits",
        ),
    ],
)
def test_pages_that_do_not_fit_are_refused(
    hub: Hub, installation: Installation, pages: list[dict[str, Any]], words: str
) -> None:
    hub.answers(reply(build.snapshot(long_pull())), *[reply(one) for one in pages])
    with pytest.raises(IncompleteSnapshot, match=words):
        take(installation)


def test_base_that_holds_the_head_leaves_no_commits(hub: Hub, installation: Installation) -> None:
    answer = build.snapshot()
    empty = {"commits": page(), "headCommit": {"nodes": []}, "files": page(), "changedFiles": 0}
    answer["data"]["repository"]["pullRequest"] |= empty
    heads = {"data": {"repository": {"databaseId": 9001, "pullRequests": page()}}}
    hub.answers(reply(answer), reply(heads))
    pull = take(installation).pull
    assert (pull.commits, pull.files, pull.check, pull.siblings) == ((), (), None, ())


GAVE_UP = reply({"data": {"repository": None}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED"}]})


@pytest.mark.parametrize(
    "heavy",
    [
        pytest.param(GAVE_UP, id="resource-limits"),
        pytest.param(reply("<html>", 502), id="502"),
        pytest.param(reply("<html>", 504), id="504"),
        pytest.param(requests.ReadTimeout("late"), id="timeout"),
    ],
)
def test_when_github_gives_up_pages_become_smaller(
    hub: Hub, installation: Installation, heavy: Reply
) -> None:
    hub.answers(heavy, heavy, reply(build.snapshot()))
    take(installation)
    assert [(asked["size"], asked["commits"]) for asked in hub.variables] == [
        (100, 50),
        (50, 50),
        (25, 25),
    ]


def test_smaller_pages_stay_small(hub: Hub, installation: Installation) -> None:
    hub.answers(
        reply(build.snapshot(long_pull())), GAVE_UP, reply(second_page()), reply(third_page())
    )
    take(installation)
    assert [asked["size"] for asked in hub.variables] == [100, 100, 50, 50]


def test_there_is_an_end_to_asking(hub: Hub, installation: Installation) -> None:
    hub.answers(GAVE_UP, GAVE_UP, GAVE_UP)
    with pytest.raises(TooHeavy):
        take(installation)
    assert len(hub.asked) == 3


def test_a_plain_failure_is_not_asked_again(hub: Hub, installation: Installation) -> None:
    hub.answers(reply({}, 503))
    with pytest.raises(Unavailable):
        take(installation)
    assert len(hub.asked) == 1


def test_half_a_character_is_replaced(hub: Hub, installation: Installation) -> None:
    raw = json.dumps(build.snapshot(build.pull(title="@@"))).replace(
        "@@", "a\\ud83d \\ud83d\\ude00"
    )
    hub.answers(reply(raw))
    title = take(installation).pull.title
    assert title == "a\ufffd \U0001f600"
    assert title.encode()


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    entries = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    found = [path] if path else []
    return found + [deep for key, inner in entries for deep in _paths(inner, (*path, key))]


ODD: list[object] = [None, 0, -1, 1e400, True, "", "x", [], {}, [None], {"nodes": None}]
FULL = build.snapshot(
    build.pull(
        userContentEdits=page(build.edit()),
        timelineItems=page(*[node for node, _, _ in EVENTS]),
        mergeQueueEntry={"state": "QUEUED", "headCommit": {"oid": HEAD}, "baseCommit": None},
    ),
    orgPublic=org(".github", build.blob()),
)
FULL_PATHS = _paths(FULL["data"])


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_any_spoilt_answer_is_a_snapshot_or_a_named_refusal(
    hub: Hub, installation: Installation, seed: int
) -> None:
    """One or two values anywhere replaced by something odd, or taken away: nothing else raises."""
    chance = random.Random(seed)
    answer = copy.deepcopy(FULL)
    answer["errors"] = [{"type": "NOT_FOUND", "path": ["orgPrivate"]}]
    for _ in range(chance.choice([1, 1, 2])):
        path = chance.choice(FULL_PATHS)
        inner: Any = answer["data"]
        try:
            for step in path[:-1]:
                inner = inner[step]
            if chance.random() < 0.3:
                del inner[path[-1]]
            else:
                inner[path[-1]] = chance.choice(ODD)
        except (KeyError, IndexError, TypeError):
            continue  # the first change took the place of the second away
    hub.answers(reply(answer), *[reply({}, 503)] * 3)
    try:
        snapshot = take(installation)
    except GitHubError:
        pass
    else:
        assert snapshot.pull.commits[-1].oid == snapshot.pull.head_oid
        assert all(isinstance(review.state, ReviewState) for review in snapshot.pull.reviews)
    finally:
        hub.forget()
