"""What each webhook asks for: a table from event and action to work. The payload is only a hint.

Nothing of a payload is believed but ids and names to look again at; the one exception are pushes,
whose sender GitHub has authenticated and which no query shows afterwards for free. Every event of
GitHub's list is here: mapped, or ignored on purpose with the reason. What is not here is accepted
and ignored, because GitHub adds events at any time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from github_app.judge.branches import is_release
from github_app.judge.facts import Push
from github_app.judge.roster import LAYER_PATH, ROSTER_PATH, ROSTER_REPOSITORIES
from github_app.payload import (
    MalformedPayload,
    Payload,
    actor_of,
    id_at,
    inner_text,
    mapping_at,
    text_at,
)
from github_app.store.task import BULK, ORDINARY, PERSON_WAITS, Task, TaskKind

# A push that touches one of these judges anew.
ROSTER_FILES = frozenset({ROSTER_PATH, LAYER_PATH})
# GitHub lists at most this many commits in a push; at the limit some may be missing.
# Source: webhook "push" in GitHub's documentation.
PUSH_COMMITS = 2048
# Branches that only the merge queue writes, each on its way to being merged.
_QUEUE = "gh-readonly-queue/"


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPush:
    """An authenticated push to a branch, as a webhook told it."""

    repository_id: int
    ref: str  # without refs/heads/
    push: Push


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What a delivery asks for. ``note`` says why there is nothing to do, where there is not.
    ``names`` are those that repositories (by id) had before."""

    tasks: tuple[Task, ...] = ()
    pushes: tuple[BranchPush, ...] = ()
    names: tuple[tuple[int, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One delivery, as the mapping functions see it."""

    event: str
    action: str
    payload: Payload
    app_id: int
    received_at: datetime

    @property
    def installation_id(self) -> int:
        """0 where the payload names none: the worker finds it by the repository's name."""
        installation = self.payload.get("installation")
        return id_at(installation, "id") if isinstance(installation, Mapping) else 0

    @property
    def repository(self) -> Mapping[str, Any]:
        return mapping_at(self.payload, "repository")

    def task(
        self,
        kind: TaskKind,
        subject: str = "",
        *,
        priority: int = ORDINARY,
        repository: Mapping[str, Any] | None = None,
        **hint: str,
    ) -> Task:
        repository = self.repository if repository is None else repository
        return Task(
            kind=kind,
            installation_id=self.installation_id,
            repository_id=id_at(repository, "id"),
            subject=subject,
            full_name=str(repository.get("full_name") or ""),
            priority=priority,
            hint=hint,
        )


def interpret(event: str, payload: object, *, app_id: int, received_at: datetime) -> Mapped:
    """Turn a delivery into work.

    Shapes:  ``payload`` is parsed JSON of any shape; ``event`` the X-GitHub-Event header.
    Errors:  MalformedPayload where a mapped event lacks what it must have.
    Source:  github-platform section 10.
    """
    rule = RULES.get(event)
    if rule is None:
        return Mapped(note="unknown event")
    if not isinstance(payload, Mapping):
        raise MalformedPayload(f"{event}: expected an object, got {type(payload).__name__}")
    action = payload.get("action", "")
    if not isinstance(action, str):
        raise MalformedPayload(f"{event}: action is not text")
    context = Context(
        event=event, action=action, payload=payload, app_id=app_id, received_at=received_at
    )
    return rule(context)


# --- the mapping functions -----------------------------------------------------------------------

# Actions of pull_request that cannot change a verdict. Any other, known or new, judges again.
_IDLE_ACTIONS = frozenset(
    {"locked", "unlocked", "milestoned", "demilestoned", "review_request_removed", "unassigned"}
)
_WAITED_FOR = frozenset({"opened", "reopened", "synchronize", "labeled", "unlabeled", "edited"})


def pull_request(context: Context) -> Mapped:
    if context.action in _IDLE_ACTIONS:
        return Mapped(note=f"{context.action} cannot change a verdict")
    pull = mapping_at(context.payload, "pull_request")
    number = id_at(pull, "number")
    head = mapping_at(pull, "head")
    priority = PERSON_WAITS if context.action in _WAITED_FOR else ORDINARY
    merged = context.action == "closed" and bool(pull.get("merged"))
    task = context.task(
        TaskKind.MERGED if merged else TaskKind.PULL_REQUEST,
        str(number),
        priority=priority,
        head_sha=text_at(head, "sha"),
        updated_at=str(pull.get("updated_at") or ""),
    )
    tasks = [task]
    if context.action == "closed":
        # Pull requests that share its head are no longer held back by this one.
        tasks.append(context.task(TaskKind.HEAD, text_at(head, "sha")))
    pushes = tuple(_synchronised(context, head)) if context.action == "synchronize" else ()
    return Mapped(tasks=tuple(tasks), pushes=pushes)


def pull_request_review(context: Context) -> Mapped:
    pull = mapping_at(context.payload, "pull_request")
    task = context.task(
        TaskKind.PULL_REQUEST,
        str(id_at(pull, "number")),
        priority=PERSON_WAITS,
        head_sha=text_at(mapping_at(pull, "head"), "sha"),
        updated_at=str(pull.get("updated_at") or ""),
    )
    return Mapped(tasks=(task,))


def merge_group(context: Context) -> Mapped:
    if context.action == "destroyed":
        return Mapped(note="the group is gone, and its commit with it")
    group = mapping_at(context.payload, "merge_group")
    task = context.task(
        TaskKind.MERGE_GROUP,
        text_at(group, "head_sha"),
        priority=PERSON_WAITS,
        head_ref=text_at(group, "head_ref"),
        base_sha=text_at(group, "base_sha"),
        base_ref=text_at(group, "base_ref"),
    )
    return Mapped(tasks=(task,))


def check_run(context: Context) -> Mapped:
    run = mapping_at(context.payload, "check_run")
    app = run.get("app")
    if context.action not in {"rerequested", "requested_action"}:
        return Mapped(note="our own check runs are no news")
    if not isinstance(app, Mapping) or app.get("id") != context.app_id:
        return Mapped(note="another app's check run")
    task = context.task(TaskKind.HEAD, text_at(run, "head_sha"), priority=PERSON_WAITS)
    return Mapped(tasks=(task,))


def check_suite(context: Context) -> Mapped:
    if context.action not in {"requested", "rerequested"}:
        return Mapped(note="a finished suite is no news")
    suite = mapping_at(context.payload, "check_suite")
    listed = [pull for pull in suite.get("pull_requests") or () if isinstance(pull, Mapping)]
    if listed and context.action == "requested":
        # A push to a pull request: synchronize comes too, and both are one judgement.
        tasks = [context.task(TaskKind.PULL_REQUEST, str(id_at(pull, "number"))) for pull in listed]
        return Mapped(tasks=tuple(tasks))
    priority = PERSON_WAITS if context.action == "rerequested" else BULK
    task = context.task(TaskKind.HEAD, text_at(suite, "head_sha"), priority=priority)
    return Mapped(tasks=(task,))


def push(context: Context) -> Mapped:
    ref = text_at(context.payload, "ref")
    if not ref.startswith("refs/heads/"):
        return Mapped(note="a tag")
    branch = ref.removeprefix("refs/heads/")
    default = context.repository.get("default_branch")
    tasks: list[Task] = []
    if branch == default and _touches_roster(context):
        tasks.append(_roster_scope(context))
    if not context.payload.get("deleted") and not branch.startswith(_QUEUE):
        tasks.append(_landed(context, branch))
    if is_release(branch) and context.payload.get("created"):
        tasks += _look_at_repository(context)  # whatever is demanded of it
    return Mapped(tasks=tuple(tasks), pushes=tuple(_pushed(context, branch)))


def whole_repository(context: Context) -> Mapped:
    """Something changed that may matter to every open pull request of the repository.

    To list them is not bulk work: one of them may be green and has to go, however little is left of
    the limit; it takes a point for fifty of them, and who can bring it about administers them.
    """
    return Mapped(tasks=(context.task(TaskKind.REPOSITORY),))


def whole_installation(context: Context) -> Mapped:
    """Something changed that may matter to every open pull request of the organisation."""
    nowhere: Mapping[str, Any] = {"id": 0, "full_name": ""}
    task = context.task(TaskKind.INSTALLATION, priority=BULK, repository=nowhere)
    return Mapped(tasks=(task,))


def team(context: Context) -> Mapped:
    if context.action == "created":
        return Mapped(note="a new team has no members yet")
    return whole_installation(context)


def label(context: Context) -> Mapped:
    if context.action == "created":
        return Mapped(note="nothing carries a new label")
    # Whoever may write can do so all day long.
    return Mapped(tasks=(context.task(TaskKind.REPOSITORY, priority=BULK),))


# Whether anything is demanded of a branch may depend on these; a repository that is gone is noted.
_PROTECTION_ACTIONS = frozenset(
    {
        "archived",
        "created",
        "deleted",
        "edited",
        "privatized",
        "publicized",
        "renamed",
        "transferred",
        "unarchived",
    }
)


def repository(context: Context) -> Mapped:
    looks = _look_at_repository(context) if context.action in _PROTECTION_ACTIONS else ()
    if context.action not in {"renamed", "transferred", "archived", "unarchived", "edited"}:
        return Mapped(tasks=looks, note="" if looks else "nothing open depends on it")
    if context.repository.get("name") in ROSTER_REPOSITORIES:
        found = whole_installation(context)  # its default branch holds everybody's roster
    else:
        found = whole_repository(context)
    return replace(found, tasks=(*found.tasks, *looks), names=tuple(_name_before(context)))


def _name_before(context: Context) -> Iterator[tuple[int, str]]:
    """What the repository was called, as a rule of the roster may still call it."""
    owner, _, name = str(context.repository.get("full_name") or "").partition("/")
    changes = context.payload.get("changes")
    renamed = inner_text(changes, "repository", "name", "from")
    moved = inner_text(changes, "owner", "from", "organization", "login")
    moved = moved or inner_text(changes, "owner", "from", "user", "login")
    if owner and name and (renamed or moved):
        yield id_at(context.repository, "id"), f"{moved or owner}/{renamed or name}"


def protection(context: Context) -> Mapped:
    """Rules changed: look whether the check is still required, there or everywhere."""
    if isinstance(context.payload.get("repository"), Mapping):
        return Mapped(tasks=_look_at_repository(context))
    return Mapped(tasks=_look_at_installation(context))


def _look_at_repository(context: Context) -> tuple[Task, ...]:
    return (context.task(TaskKind.DOCTOR),)


def _look_at_installation(context: Context) -> tuple[Task, ...]:
    """One look at everything the installation covers, and at the installation itself."""
    nowhere: Mapping[str, Any] = {"id": 0, "full_name": ""}
    subject = str(context.installation_id)
    return (context.task(TaskKind.DOCTOR, subject, priority=BULK, repository=nowhere),)


def installation(context: Context) -> Mapped:
    looks = _look_at_installation(context)
    if context.action in {"deleted", "suspend"}:
        return Mapped(tasks=looks)  # nothing is judged: GitHub refuses both ways
    everywhere = whole_installation(context)
    return replace(everywhere, tasks=(*everywhere.tasks, *looks))


def installation_repositories(context: Context) -> Mapped:
    added = context.payload.get("repositories_added") or ()
    tasks = [
        context.task(TaskKind.REPOSITORY, priority=BULK, repository=one)
        for one in added
        if isinstance(one, Mapping)
    ]
    return Mapped(tasks=(*tasks, *_look_at_installation(context)))


def ignored(reason: str) -> Callable[[Context], Mapped]:
    def rule(_context: Context) -> Mapped:
        return Mapped(note=reason)

    return rule


RULES: dict[str, Callable[[Context], Mapped]] = {
    "pull_request": pull_request,
    "pull_request_review": pull_request_review,
    "merge_group": merge_group,
    "check_run": check_run,
    "check_suite": check_suite,
    "push": push,
    "member": whole_repository,
    "organization": whole_installation,
    "membership": whole_installation,
    "team": team,
    "label": label,
    "repository": repository,
    "repository_ruleset": protection,
    "branch_protection_rule": protection,
    "branch_protection_configuration": protection,
    "installation": installation,
    "installation_repositories": installation_repositories,
    "installation_target": ignored("names are looked up by id"),
    "deployment_protection_rule": ignored("no production door: the deployment stays waiting"),
    "deployment_status": ignored("deployments are not judged"),
    "issue_comment": ignored("comments are never a sign-off"),
    "pull_request_review_comment": ignored("comments are never a sign-off"),
    "pull_request_review_thread": ignored("comments are never a sign-off"),
    "status": ignored("statuses of others are not read"),
    "ping": ignored("GitHub says hello"),
    "meta": ignored("the webhook itself was deleted"),
    "github_app_authorization": ignored("nobody signs in"),
}


# --- pushes --------------------------------------------------------------------------------------


def _touches_roster(context: Context) -> bool:
    """Whether a push to the default branch may have changed a roster. In doubt: yes."""
    commits = context.payload.get("commits")
    if context.payload.get("forced") or not isinstance(commits, list):
        return True
    if len(commits) >= PUSH_COMMITS:
        return True
    return any(not ROSTER_FILES.isdisjoint(_paths(commit)) for commit in commits)


def _paths(commit: object) -> Iterator[str]:
    if not isinstance(commit, Mapping):
        return
    for key in ("added", "modified", "removed"):
        for path in commit.get(key) or ():
            if isinstance(path, str):
                yield path


def _roster_scope(context: Context) -> Task:
    """A roster repository speaks for the whole installation, any other for itself."""
    if text_at(context.repository, "name") in ROSTER_REPOSITORIES:
        return whole_installation(context).tasks[0]
    return whole_repository(context).tasks[0]


def _landed(context: Context, branch: str) -> Task:
    """Look at what was pushed, in case the branch is a protected one."""
    return context.task(
        TaskKind.PUSH,
        f"{branch}:{text_at(context.payload, 'after')}",
        priority=BULK,
        before=text_at(context.payload, "before"),
        default_branch=str(context.repository.get("default_branch") or ""),
    )


def _synchronised(context: Context, head: Mapping[str, Any]) -> Iterator[BranchPush]:
    """A push to a pull request's branch, in the repository itself or in a fork."""
    before, after = context.payload.get("before"), context.payload.get("after")
    source = head.get("repo")
    if isinstance(source, Mapping) and isinstance(before, str) and isinstance(after, str):
        yield _branch_push(context, text_at(head, "ref"), before, after, repository=source)


def _pushed(context: Context, branch: str) -> Iterator[BranchPush]:
    if not context.payload.get("deleted"):
        before, after = text_at(context.payload, "before"), text_at(context.payload, "after")
        yield _branch_push(context, branch, before, after)


def _branch_push(
    context: Context,
    ref: str,
    before: str,
    after: str,
    *,
    repository: Mapping[str, Any] | None = None,
) -> BranchPush:
    return BranchPush(
        repository_id=id_at(repository or context.repository, "id"),
        ref=ref,
        push=Push(
            actor=actor_of(context.payload.get("sender")),
            before=before,
            after=after,
            at=context.received_at,
            kind="push",
        ),
    )
