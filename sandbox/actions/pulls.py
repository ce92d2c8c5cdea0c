"""Pull requests and issues: opening, editing, labelling, drafts, assignment, closing."""

from __future__ import annotations

from sandbox.actions.common import (
    MAX_BODY,
    MAX_LABEL,
    MAX_TITLE,
    app_of,
    change_base,
    check_length,
    close,
    emit_pull,
    index_open,
    open_only,
    record,
    require,
)
from sandbox.actions.merges import settle
from sandbox.actions.refs import leave, update_ref
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, Invalid, NotFound, Refused
from sandbox.objects import (
    Account,
    BodyEdit,
    Comment,
    Issue,
    Label,
    PullRequest,
    Repository,
    at_least,
)
from sandbox.world import World


def _head(world: World, repository: Repository, head: str) -> tuple[Repository, str]:
    owner, colon, branch = head.partition(":")
    if not colon:
        return repository, head
    for candidate in (repository, *world.repositories.values()):
        if candidate.owner.login.lower() == owner.lower() and candidate.store is repository.store:
            return candidate, branch
    raise Invalid({"resource": "PullRequest", "field": "head", "code": "invalid"})


@action
def open_pull_request(
    world: World, actor: str, repo: str, *, head: str, base: str = "", title: str = "",
    body: str = "", draft: bool = False, maintainer_can_modify: bool = True,
    labels: list[str] | None = None,
    via_app: int | None = None,
) -> PullRequest:  # fmt: skip
    """Open from ``branch`` or ``owner:branch``. ``via_app``: by an app for a user."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "read")
    source, branch = _head(world, repository, head)
    base = base or repository.default_branch
    sha = source.branches.get(branch)
    if sha is None:
        raise Invalid({"resource": "PullRequest", "field": "head", "code": "invalid"})
    if base not in repository.branches:
        raise Invalid({"resource": "PullRequest", "field": "base", "code": "invalid"})
    _refuse_twin(repository, source, branch, base)
    check_length("title", title, MAX_TITLE)
    check_length("body", body, MAX_BODY)
    if not repository.store.between(repository.branches[base], sha):
        raise Invalid({"message": f"No commits between {base} and {branch}"})
    now = world.now()
    pull = PullRequest(
        id=world.new_id(), number=repository.next_number, repository=repository, author=by,
        title=title or repository.store.commits[sha].headline, body=body, draft=draft,
        created_at=now, updated_at=now, base_ref=base, base_sha=repository.branches[base],
        head_repository=source, head_ref=branch, head_sha=sha,
        maintainer_can_modify=maintainer_can_modify and source is not repository,
        via_app=world.apps[via_app] if via_app else app_of(by),
    )  # fmt: skip
    repository.next_number += 1
    world.register(pull)
    repository.pulls[pull.number] = repository.issues[pull.number] = pull
    index_open(pull)
    emit_pull(world, pull, "opened", by)
    for name in labels or ():
        _label(world, pull, name, by)
    return pull


def _refuse_twin(repository: Repository, source: Repository, branch: str, base: str) -> None:
    for number in repository.open_by_head.get((source.id, branch), ()):
        if repository.pulls[number].base_ref == base:
            head = f"{source.owner.login}:{branch}"
            raise Invalid({"message": f"A pull request already exists for {head}."})


def _may_edit(world: World, by: Account, pull: PullRequest) -> None:
    if by is not pull.author:
        require(world, by, pull.repository, "write")


@action
def edit_pull_request(
    world: World, actor: str, repo: str, *, number: int, title: str | None = None,
    body: str | None = None, base: str | None = None,
) -> PullRequest:  # fmt: skip
    """Change title, body or base branch: each with its own event, as on GitHub."""
    by, pull = world.account(actor), world.pull(repo, number)
    _may_edit(world, by, pull)
    check_length("title", title or "", MAX_TITLE)
    check_length("body", body or "", MAX_BODY)
    if title is not None and title != pull.title:
        old, pull.title = pull.title, title
        record(world, pull, "RenamedTitleEvent", by, previous=old, current=title)
        emit_pull(world, pull, "edited", by, changes={"title": {"from": old}})
    if body is not None and body != pull.body:
        old = _edit_body(world, pull, by, body)
        emit_pull(world, pull, "edited", by, changes={"body": {"from": old}})
    if base is not None and base != pull.base_ref:
        _retarget(world, pull, by, base)
    return pull


def _edit_body(world: World, pull: PullRequest, by: Account, body: str) -> str:
    old, now = pull.body, world.now()
    if not pull.edits:
        first = BodyEdit(id=world.new_id(), at=pull.created_at, editor=pull.author, diff=old)
        pull.edits.append(world.register(first))
    pull.edits.append(world.register(BodyEdit(id=world.new_id(), at=now, editor=by, diff=body)))
    pull.body, pull.editor, pull.last_edited_at, pull.updated_at = body, by, now, now
    return old


def _retarget(world: World, pull: PullRequest, by: Account, base: str) -> None:
    repository = pull.repository
    open_only(pull)
    if base not in repository.branches:
        raise Invalid({"resource": "PullRequest", "field": "base", "code": "invalid"})
    if pull.queue_entry:
        raise Refused("Cannot change the base branch while in the merge queue")
    change_base(world, pull, by, base, "BaseRefChangedEvent")


@action
def delete_edit(world: World, actor: str, repo: str, *, number: int, edit: int) -> PullRequest:
    """Blank one revision in the body's history (0 is the oldest): who and when remain."""
    by, pull = world.account(actor), world.pull(repo, number)
    _may_edit(world, by, pull)
    found = pull.edits[edit]
    found.diff, found.deleted_at, found.deleted_by = None, world.now(), by
    return pull


def label_named(world: World, repository: Repository, name: str) -> Label:
    """The repository's label, made on first use (names compare without case)."""
    check_length("name", name, MAX_LABEL)
    label = repository.labels.get(name.lower())
    if label is None:
        now = world.now()
        label = world.register(
            Label(
                id=world.new_id(), name=name, repository=repository, created_at=now, updated_at=now
            )
        )
        repository.labels[name.lower()] = label
    return label


def _label(world: World, pull: PullRequest, name: str, by: Account) -> None:
    label = label_named(world, pull.repository, name)
    if label not in pull.labels:
        pull.labels.append(label)
        record(world, pull, "LabeledEvent", by, label=label)
        emit_pull(world, pull, "labeled", by, label=label)


@action
def add_label(world: World, actor: str, repo: str, *, number: int, label: str) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "triage")
    _label(world, pull, label, by)
    return pull


@action
def remove_label(world: World, actor: str, repo: str, *, number: int, label: str) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "triage")
    found = pull.repository.labels.get(label.lower())
    if found is None or found not in pull.labels:
        raise NotFound(f"label {label}")
    pull.labels.remove(found)
    record(world, pull, "UnlabeledEvent", by, label=found)
    emit_pull(world, pull, "unlabeled", by, label=found)
    return pull


@action
def rename_label(world: World, actor: str, repo: str, *, label: str, name: str) -> Label:
    """Rename a label everywhere: one ``label.edited``, no event per pull request."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "write")
    found = repository.labels.pop(label.lower(), None)
    if found is None:
        raise NotFound(f"label {label}")
    found.name, found.updated_at = name, world.now()
    repository.labels[name.lower()] = found
    changes = {"name": {"from": label}}
    world.emit("label", "edited", repository=repository, sender=by, label=found, changes=changes)
    return found


@action
def delete_label(world: World, actor: str, repo: str, *, label: str) -> Label:
    """Delete a label: it leaves every pull request, and only ``label.deleted`` says so."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "write")
    found = repository.labels.pop(label.lower(), None)
    if found is None:
        raise NotFound(f"label {label}")
    for issue in repository.issues.values():
        if found in issue.labels:
            issue.labels.remove(found)
    world.emit("label", "deleted", repository=repository, sender=by, label=found)
    return found


@action
def mark_draft(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    _may_edit(world, by, pull)
    open_only(pull)
    if not pull.draft:
        pull.draft = True
        record(world, pull, "ConvertToDraftEvent", by)
        emit_pull(world, pull, "converted_to_draft", by)
    return pull


@action
def mark_ready(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    _may_edit(world, by, pull)
    open_only(pull)
    if pull.draft:
        pull.draft = False
        record(world, pull, "ReadyForReviewEvent", by)
        emit_pull(world, pull, "ready_for_review", by)
        settle(world, pull)
    return pull


@action
def close_pull_request(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    if by is not pull.author:
        require(world, by, pull.repository, "triage")
    open_only(pull)
    leave(world, pull, by, "Pull request was closed")
    close(world, pull, by)
    return pull


@action
def reopen_pull_request(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    """Reopen; refused when merged, when the branch is gone or was force-pushed meanwhile."""
    by, pull = world.account(actor), world.pull(repo, number)
    if by is not pull.author:
        require(world, by, pull.repository, "triage")
    if pull.merged or pull.state == "open":
        raise Invalid({"resource": "PullRequest", "field": "state", "code": "invalid"})
    head = pull.head_repository
    tip = head.branches.get(pull.head_ref) if head else None
    if tip is None:
        raise Invalid(
            {"message": f"state cannot be changed. The {pull.head_ref} branch was deleted."}
        )
    if not pull.repository.store.is_ancestor(pull.head_sha, tip):
        why = "branch was force-pushed or recreated."
        raise Invalid({"message": f"state cannot be changed. The {pull.head_ref} {why}"})
    pull.state, pull.closed_at, pull.head_sha = "open", None, tip
    pull.base_sha = pull.repository.branches.get(pull.base_ref, pull.base_sha)
    index_open(pull)
    record(world, pull, "ReopenedEvent", by)
    emit_pull(world, pull, "reopened", by)
    return pull


@action
def restore_branch(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    """The "Restore branch" button of a closed pull request whose head branch was deleted."""
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    head = pull.head_repository
    if head is None or pull.state == "open" or pull.head_ref in head.branches:
        raise Refused("There is no branch to restore.")
    update_ref(world, by, head, pull.head_ref, pull.head_sha)
    record(world, pull, "HeadRefRestoredEvent", by)
    return pull


@action
def assign(world: World, actor: str, repo: str, *, number: int, assignee: str) -> PullRequest:
    by, pull, who = world.account(actor), world.pull(repo, number), world.account(assignee)
    require(world, by, pull.repository, "triage")
    if who not in pull.assignees:
        pull.assignees.append(who)
        record(world, pull, "AssignedEvent", by, assignee=who)
        emit_pull(world, pull, "assigned", by, assignee=who)
    return pull


@action
def request_review(
    world: World, actor: str, repo: str, *, number: int, reviewer: str = "", team: str = ""
) -> PullRequest:
    """Ask a person or a team (slug) of the owner to review."""
    by, pull = world.account(actor), world.pull(repo, number)
    if by is not pull.author:
        require(world, by, pull.repository, "triage")
    if team:
        group = pull.repository.owner.teams.get(team)
        if group is None:
            raise NotFound(f"team {team}")
        pull.team_reviewers.append(group)
        record(world, pull, "ReviewRequestedEvent", by, reviewer=group)
        emit_pull(world, pull, "review_requested", by, requested_team=group)
        return pull
    who = world.account(reviewer)
    if who is pull.author:
        raise Refused("Review cannot be requested from pull request author.")
    if who not in pull.reviewers:
        pull.reviewers.append(who)
        record(world, pull, "ReviewRequestedEvent", by, reviewer=who)
        emit_pull(world, pull, "review_requested", by, requested_reviewer=who)
    return pull


@action
def lock_conversation(world: World, actor: str, repo: str, *, number: int) -> PullRequest:
    by, pull = world.account(actor), world.pull(repo, number)
    require(world, by, pull.repository, "write")
    pull.locked = True
    emit_pull(world, pull, "locked", by)
    return pull


@action
def comment(world: World, actor: str, repo: str, *, number: int, body: str) -> Comment:
    by, issue = world.account(actor), world.repository(repo).issues.get(int(number))
    if issue is None:
        raise NotFound(f"issue {number}")
    require(world, by, issue.repository, "read")
    locked = isinstance(issue, PullRequest) and issue.locked
    if locked and not at_least(world.permission(by, issue.repository), "write"):
        raise Forbidden("Unable to create comment because issue is locked.")
    now = world.now()
    made = Comment(
        id=world.new_id(), author=by, body=body, created_at=now, updated_at=now, via_app=app_of(by)
    )
    issue.comments.append(world.register(made))
    issue.updated_at = now
    world.emit(
        "issue_comment",
        "created",
        repository=issue.repository,
        sender=by,
        issue=issue,
        comment=made,
    )
    return made


@action
def open_issue(
    world: World,
    actor: str,
    repo: str,
    *,
    title: str,
    body: str = "",
    labels: list[str] | None = None,
) -> Issue:
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "read")
    now = world.now()
    issue = Issue(
        id=world.new_id(), number=repository.next_number, repository=repository, author=by,
        title=title, body=body, created_at=now, updated_at=now, via_app=app_of(by),
        labels=[label_named(world, repository, name) for name in labels or ()],
    )  # fmt: skip
    repository.next_number += 1
    repository.issues[issue.number] = world.register(issue)
    world.emit("issues", "opened", repository=repository, sender=by, issue=issue)
    return issue
