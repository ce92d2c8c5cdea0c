"""The table of webhooks: what each asks for, and what it ignores on purpose."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_app.events import RULES, Mapped, interpret
from github_app.judge.facts import ActorKind
from github_app.payload import MalformedPayload
from github_app.store.task import BULK, ORDINARY, PERSON_WAITS, TaskKind

APP = 4000
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SHA, OTHER = "a" * 40, "b" * 40
REPOSITORY = {"id": 77, "full_name": "acme/shop", "name": "shop", "default_branch": "main"}
BASE = {"installation": {"id": 5}, "repository": REPOSITORY}
PULL = {
    "number": 12,
    "head": {"sha": SHA, "ref": "fix", "repo": {"id": 77}},
    "updated_at": "2026-11-02T08:59:00Z",
    "merged": False,
}
JUNE = {"login": "june", "id": 32, "type": "User"}


def mapped(event: str, **payload: Any) -> Mapped:
    return interpret(event, {**BASE, **payload}, app_id=APP, received_at=NOW)


def tasks(found: Mapped) -> list[tuple[TaskKind, str]]:
    return [(task.kind, task.subject) for task in found.tasks]


@pytest.mark.parametrize(
    "action",
    [
        "opened",
        "reopened",
        "synchronize",
        "edited",
        "labeled",
        "unlabeled",
        "ready_for_review",
        "converted_to_draft",
        "enqueued",
        "dequeued",
        "auto_merge_enabled",
        "stacked",
        "review_requested",
        "assigned",
        "closed",
        "an_action_of_next_year",
    ],
)
def test_a_pull_request_is_judged_again(action: str) -> None:
    found = mapped("pull_request", action=action, pull_request=PULL)
    assert (TaskKind.PULL_REQUEST, "12") in tasks(found)
    task = found.tasks[0]
    assert (task.installation_id, task.repository_id, task.full_name) == (5, 77, "acme/shop")
    assert task.hint["head_sha"] == SHA
    assert task.hint["updated_at"] == PULL["updated_at"]


THE_PULL, ITS_HEAD = (TaskKind.PULL_REQUEST, "12"), (TaskKind.HEAD, SHA)
ITS_MERGE, ITS_GROUP = (TaskKind.MERGED, "12"), (TaskKind.MERGE_GROUP, SHA)
ALL_HERE, ALL_THERE_IS = (TaskKind.REPOSITORY, ""), (TaskKind.INSTALLATION, "")
A_LOOK, A_LOOK_AT_ALL = (TaskKind.DOCTOR, ""), (TaskKind.DOCTOR, "5")


def row(id_: str, event: str, action: str, *expected: tuple[TaskKind, str], **payload: Any) -> Any:
    """A webhook, and the work that it asks for."""
    return pytest.param(event, {"action": action, **payload}, list(expected), id=id_)


@pytest.mark.parametrize(
    ("event", "payload", "expected"),
    [
        row(
            "closed-frees-its-twins",
            "pull_request",
            "closed",
            THE_PULL,
            ITS_HEAD,
            pull_request=PULL,
        ),
        row(
            "merged-frees-its-twins",
            "pull_request",
            "closed",
            ITS_MERGE,
            ITS_HEAD,
            pull_request={**PULL, "merged": True},
        ),
        row("locked-is-idle", "pull_request", "locked", pull_request=PULL),
        row("review", "pull_request_review", "submitted", THE_PULL, pull_request=PULL),
        row("dismissal", "pull_request_review", "dismissed", THE_PULL, pull_request=PULL),
        row(
            "merge-group",
            "merge_group",
            "checks_requested",
            ITS_GROUP,
            merge_group={
                "head_sha": SHA,
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-12-abc",
                "base_sha": OTHER,
                "base_ref": "refs/heads/main",
            },
        ),
        row("merge-group-gone", "merge_group", "destroyed"),
        row(
            "re-run",
            "check_run",
            "rerequested",
            ITS_HEAD,
            check_run={"head_sha": SHA, "app": {"id": APP}},
        ),
        row(
            "re-run-of-another-app",
            "check_run",
            "rerequested",
            check_run={"head_sha": SHA, "app": {"id": 1}},
        ),
        row(
            "our-own-completion-loops-not",
            "check_run",
            "completed",
            check_run={"head_sha": SHA, "app": {"id": APP}},
        ),
        row(
            "suite-with-its-pull-request",
            "check_suite",
            "requested",
            THE_PULL,
            check_suite={"head_sha": SHA, "pull_requests": [{"number": 12}]},
        ),
        row(
            "suite-without",
            "check_suite",
            "requested",
            ITS_HEAD,
            check_suite={"head_sha": SHA, "pull_requests": []},
        ),
        row(
            "suite-again",
            "check_suite",
            "rerequested",
            ITS_HEAD,
            check_suite={"head_sha": SHA, "pull_requests": [{"number": 12}]},
        ),
        row("suite-done", "check_suite", "completed"),
        row("member", "member", "removed", ALL_HERE),
        row("organization", "organization", "member_removed", ALL_THERE_IS),
        row("membership", "membership", "added", ALL_THERE_IS),
        row("team", "team", "deleted", ALL_THERE_IS),
        row("new-team", "team", "created"),
        row("label", "label", "deleted", ALL_HERE),
        row("new-label", "label", "created"),
        row("renamed", "repository", "renamed", ALL_HERE, A_LOOK),
        row(
            "the-roster-repositorys-default-branch",
            "repository",
            "edited",
            ALL_THERE_IS,
            A_LOOK,
            repository={**REPOSITORY, "name": ".github"},
        ),
        row("repository-deleted", "repository", "deleted", A_LOOK),
        row("repository-made-public", "repository", "publicized", A_LOOK),
        row("repository-made-private", "repository", "privatized", A_LOOK),
        row("repository-created", "repository", "created", A_LOOK),
        row("repository-else", "repository", "pinned"),
        row("ruleset", "repository_ruleset", "deleted", A_LOOK),
        row("classic", "branch_protection_rule", "edited", A_LOOK),
        row(
            "ruleset-of-the-organisation",
            "repository_ruleset",
            "edited",
            A_LOOK_AT_ALL,
            repository=None,
        ),
        row("installed", "installation", "created", ALL_THERE_IS, A_LOOK_AT_ALL),
        row("permissions", "installation", "new_permissions_accepted", ALL_THERE_IS, A_LOOK_AT_ALL),
        row("suspended", "installation", "suspend", A_LOOK_AT_ALL),
        row("uninstalled", "installation", "deleted", A_LOOK_AT_ALL),
        row(
            "repository-added",
            "installation_repositories",
            "added",
            ALL_HERE,
            A_LOOK_AT_ALL,
            repositories_added=[{"id": 9, "full_name": "acme/new"}],
        ),
        row("removed", "installation_repositories", "removed", A_LOOK_AT_ALL),
        row("comment", "issue_comment", "created"),
        row("ping", "ping", ""),
        row("unknown", "a_new_event", "whatever"),
    ],
)
def test_table(event: str, payload: dict[str, Any], expected: list[tuple[TaskKind, str]]) -> None:
    found = mapped(event, **payload)
    assert tasks(found) == expected
    assert found.tasks or found.note


ROSTER_PUSH = {
    "ref": "refs/heads/main",
    "before": "a" * 40,
    "after": "b" * 40,
    "commits": [{"modified": [".github/reviewers.yaml"]}],
}


@pytest.mark.parametrize(
    ("event", "payload", "priority"),
    [
        pytest.param(
            "pull_request_review", {"action": "submitted", "pull_request": PULL}, PERSON_WAITS,
            id="a-review",
        ),
        pytest.param("member", {"action": "removed"}, ORDINARY, id="a-member-of-one-repository"),
        pytest.param("push", ROSTER_PUSH, ORDINARY, id="the-roster-of-one-repository"),
        pytest.param("label", {"action": "edited"}, BULK, id="a-label-as-often-as-anybody-likes"),
        pytest.param("membership", {"action": "removed"}, BULK, id="a-whole-organisation"),
    ],
)  # fmt: skip
def test_who_goes_first(event: str, payload: dict[str, Any], priority: int) -> None:
    """What is ordinary goes on while little is left of the limit; bulk work does not."""
    assert priority in {task.priority for task in mapped(event, **payload).tasks}


class TestPush:
    def pushed(self, **more: Any) -> Mapped:
        payload = {
            "ref": "refs/heads/main",
            "before": OTHER,
            "after": SHA,
            "sender": JUNE,
            "commits": [{"added": [], "modified": ["shop/cart.py"], "removed": []}],
        }
        return mapped("push", **{**payload, **more})

    def judged_again(self, **more: Any) -> list[tuple[TaskKind, str]]:
        return [one for one in tasks(self.pushed(**more)) if one[0] is not TaskKind.PUSH]

    def test_code_on_the_default_branch_judges_nothing_again(self) -> None:
        assert self.judged_again() == []

    def test_what_was_pushed_is_looked_at(self) -> None:
        (task,) = self.pushed(ref="refs/heads/release/1").tasks
        assert (task.kind, task.subject) == (TaskKind.PUSH, f"release/1:{SHA}")
        assert task.hint == {"before": OTHER, "default_branch": "main"}

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param({"deleted": True}, id="deleted"),
            pytest.param({"ref": "refs/tags/v1"}, id="tag"),
            pytest.param(
                {"ref": f"refs/heads/gh-readonly-queue/main/pr-1-{SHA}"}, id="merge-queue"
            ),
        ],
    )
    def test_what_reached_no_branch_of_people_is_not(self, more: dict[str, Any]) -> None:
        assert self.pushed(**more).tasks == ()

    @pytest.mark.parametrize("key", ["added", "modified", "removed"])
    def test_a_roster_file_judges_the_repository_again(self, key: str) -> None:
        found = self.judged_again(commits=[{key: [".github/reviewers.yaml"]}])
        assert found == [(TaskKind.REPOSITORY, "")]

    def test_the_roster_repository_speaks_for_the_installation(self) -> None:
        repository = {**REPOSITORY, "name": ".github", "full_name": "acme/.github"}
        changed = [{"modified": ["reviewers.yaml"]}]
        found = self.judged_again(commits=changed, repository=repository)
        assert found == [(TaskKind.INSTALLATION, "")]

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param({"forced": True}, id="forced"),
            pytest.param({"commits": None}, id="no-list"),
            pytest.param({"commits": [{}] * 2048}, id="a-list-at-its-limit"),
        ],
    )
    def test_in_doubt_the_roster_may_have_changed(self, more: dict[str, Any]) -> None:
        assert self.judged_again(**more) == [(TaskKind.REPOSITORY, "")]

    def test_the_pusher_is_remembered(self) -> None:
        found = self.pushed(ref="refs/heads/fix/deep")
        (pushed,) = found.pushes
        assert (pushed.repository_id, pushed.ref) == (77, "fix/deep")
        assert pushed.push.actor is not None
        assert (pushed.push.actor.id, pushed.push.actor.kind) == (32, ActorKind.USER)
        assert (pushed.push.before, pushed.push.after) == (OTHER, SHA)

    def test_a_bot_keeps_its_kind(self) -> None:
        bot = {"login": "copilot-swe-agent[bot]", "id": 198982749, "type": "Bot"}
        actor = self.pushed(sender=bot).pushes[0].push.actor
        assert actor is not None
        assert (actor.kind, actor.login) == (ActorKind.BOT, "copilot-swe-agent")

    @pytest.mark.parametrize("sender", [None, {}, {"login": "x"}, {"id": 1}, "june"])
    def test_an_unknown_pusher_stays_unknown(self, sender: object) -> None:
        assert self.pushed(sender=sender).pushes[0].push.actor is None

    def test_a_deleted_branch_and_a_tag_are_no_pushes(self) -> None:
        assert self.pushed(deleted=True).pushes == ()
        assert self.pushed(ref="refs/tags/v1").pushes == ()


def test_synchronize_tells_who_pushed() -> None:
    found = mapped(
        "pull_request",
        action="synchronize",
        pull_request=PULL,
        before=OTHER,
        after=SHA,
        sender=JUNE,
    )
    assert found.pushes[0].ref == "fix"


def test_synchronize_of_a_fork_tells_who_pushed_there() -> None:
    head = {"sha": SHA, "ref": "fix", "repo": {"id": 99}}
    found = mapped(
        "pull_request",
        action="synchronize",
        pull_request={**PULL, "head": head},
        before=OTHER,
        after=SHA,
        sender=JUNE,
    )
    (pushed,) = found.pushes
    assert (pushed.repository_id, pushed.ref) == (99, "fix")
    assert pushed.push.actor is not None
    assert pushed.push.actor.login == "june"


def test_without_an_installation_the_worker_has_to_look() -> None:
    found = interpret(
        "pull_request",
        {"action": "opened", "repository": REPOSITORY, "pull_request": PULL},
        app_id=APP,
        received_at=NOW,
    )
    assert found.tasks[0].installation_id == 0


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        pytest.param("pull_request", [], id="a-list"),
        pytest.param("pull_request", None, id="null"),
        pytest.param("pull_request", {}, id="empty"),
        pytest.param("pull_request", {**BASE, "action": 7, "pull_request": PULL}, id="action-7"),
        pytest.param(
            "pull_request",
            {**BASE, "action": "opened", "pull_request": {**PULL, "number": "12"}},
            id="number-as-text",
        ),
        pytest.param(
            "pull_request",
            {**BASE, "action": "opened", "pull_request": {**PULL, "number": 10**30}},
            id="number-too-large",
        ),
        pytest.param(
            "pull_request",
            {**BASE, "action": "opened", "pull_request": {**PULL, "head": None}},
            id="no-head",
        ),
        pytest.param("push", {**BASE, "ref": None}, id="push-without-ref"),
        pytest.param("merge_group", {**BASE, "action": "checks_requested"}, id="no-group"),
    ],
)
def test_what_lacks_what_it_must_have_is_malformed(event: str, payload: object) -> None:
    with pytest.raises(MalformedPayload):
        interpret(event, payload, app_id=APP, received_at=NOW)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["action", "repository", "pull_request", "head", "id", "number", "sha", "ref",
             "commits", "installation", "sender", "check_run", "check_suite", "merge_group"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(event=st.sampled_from([*RULES, "unknown"]), payload=_json)
@settings(deadline=None)
def test_no_payload_raises_anything_else(event: str, payload: object) -> None:
    try:
        found = interpret(event, payload, app_id=APP, received_at=NOW)
    except MalformedPayload:
        return
    assert isinstance(found, Mapped)


@pytest.mark.parametrize(
    ("action", "changes", "before"),
    [
        pytest.param("renamed", {"repository": {"name": {"from": "till"}}}, "acme/till", id="name"),
        pytest.param(
            "transferred",
            {"owner": {"from": {"organization": {"login": "emca"}}}},
            "emca/shop",
            id="organisation",
        ),
        pytest.param(
            "transferred", {"owner": {"from": {"user": {"login": "june"}}}}, "june/shop", id="user"
        ),
        pytest.param("edited", {"default_branch": {"from": "x"}}, None, id="branch"),
        pytest.param("renamed", {"repository": {"name": {"from": 7}}}, None, id="no-text"),
        pytest.param("renamed", [], None, id="no-changes"),
    ],
)
def test_the_name_before_is_kept(action: str, changes: object, before: str | None) -> None:
    payload = {"action": action, "repository": REPOSITORY, "changes": changes}
    found = interpret("repository", payload, app_id=1, received_at=NOW)
    assert found.names == (((REPOSITORY["id"], before),) if before else ())
