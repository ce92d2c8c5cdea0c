"""Check runs, suites and commit statuses, with the limits GitHub sets on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.actions.common import require
from sandbox.actions.merges import settle
from sandbox.actions.queue import advance
from sandbox.actions.refs import suite_for
from sandbox.actions.registry import action
from sandbox.errors import Forbidden, Invalid, NotFound, Refused
from sandbox.objects import App, CheckRun, CheckSuite, Repository, Status
from sandbox.world import World

MAX_TEXT, MAX_ANNOTATIONS, MAX_ACTIONS = 65535, 50, 3  # REST "Create a check run"
STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = (
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out",
)  # fmt: skip
_ACTION_LIMITS = {"label": 20, "description": 40, "identifier": 20}


def _wrong(field: str, message: str, code: str = "invalid") -> Invalid:
    return Invalid({"resource": "CheckRun", "field": field, "code": code, "message": message})


def _moment(value: Any, field: str) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise _wrong(field, f"{value} is not a date") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _checked_output(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _wrong("output", "output is not an object")
    for key in ("title", "summary"):
        if not isinstance(given.get(key), str):
            raise _wrong(f"output.{key}", f"{key} is missing", "missing_field")
    for key in ("summary", "text"):
        if len(given.get(key) or "") > MAX_TEXT:
            raise _wrong(key, f"{key} exceeds a maximum length of {MAX_TEXT}")
    annotations = given.get("annotations") or []
    if len(annotations) > MAX_ANNOTATIONS:
        raise _wrong("annotations", f"exceeds a maximum quantity of {MAX_ANNOTATIONS}")
    for note in annotations:
        _check_annotation(note)
    return given


def _check_annotation(note: dict[str, Any]) -> None:
    for key in ("path", "start_line", "end_line", "annotation_level", "message"):
        if key not in note:
            raise _wrong(f"annotations.{key}", f"{key} is missing", "missing_field")
    if note["annotation_level"] not in ("notice", "warning", "failure"):
        raise _wrong("annotation_level", "is not a level")
    too_long = len(note["message"].encode()) > 64 * 1024 or len(note.get("title") or "") > 255
    if too_long or note["end_line"] < note["start_line"]:
        raise _wrong("annotations", "message, title or lines are out of bounds")


def _checked_actions(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or len(given) > MAX_ACTIONS:
        raise _wrong("actions", f"exceeds a maximum quantity of {MAX_ACTIONS}")
    for button in given:
        for key, most in _ACTION_LIMITS.items():
            if not isinstance(button.get(key), str) or not 0 < len(button[key]) <= most:
                raise _wrong(f"actions.{key}", f"{key} must have 1 to {most} characters")
    return given


def _checked_state(body: dict[str, Any], status: str) -> tuple[str, str | None]:
    status, conclusion = body.get("status", status), body.get("conclusion")
    if status not in STATUSES:
        raise _wrong("status", f"{status} is not a status")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise _wrong("conclusion", f"{conclusion} is not a conclusion")
    if conclusion is not None:
        status = "completed"
    if status == "completed" and conclusion is None:
        raise _wrong("conclusion", "conclusion is required when completed", "missing_field")
    return status, conclusion


def _text(body: dict[str, Any], key: str, default: str = "") -> str:
    value = body.get(key, default)
    if value is not None and not isinstance(value, str):
        raise _wrong(key, f"{key} is not a string")
    return value or default


def create_run(world: World, app: App, repository: Repository, body: dict[str, Any]) -> CheckRun:
    """POST check-runs. Invalid (422) for bad fields or a commit the repository does not have."""
    name, sha = _text(body, "name"), _text(body, "head_sha")
    if not name:
        raise _wrong("name", "name is missing", "missing_field")
    if len(sha) != 40 or sha not in repository.store.commits:
        raise Refused("No commit found for SHA: " + sha[:80])
    status, conclusion = _checked_state(body, "queued")
    output = _checked_output(body["output"]) if body.get("output") else {}
    actions = _checked_actions(body.get("actions") or [])
    now = world.now()
    suite = suite_for(world, repository, app, sha)
    run = CheckRun(
        id=world.new_id(), suite=suite, name=name, status=status, conclusion=conclusion,
        external_id=_text(body, "external_id"),
        details_url=_text(body, "details_url", f"{world.web_url}/apps/{app.slug}"),
        started_at=_moment(body.get("started_at"), "started_at") or now,
        completed_at=_moment(body.get("completed_at"), "completed_at")
        or (now if status == "completed" else None),
        output=output, annotations=list(output.get("annotations") or []), actions=actions,
    )  # fmt: skip
    suite.runs.append(world.register(run))
    repository.runs[run.id] = run
    _announce(world, run, "created")
    return run


def update_run(
    world: World, app: App, repository: Repository, number: int, body: dict[str, Any]
) -> CheckRun:
    """PATCH check-runs/ID: only the app that made the run may change it."""
    run = repository.runs.get(number)
    if run is None:
        raise NotFound("check run")
    if run.app is not app:
        raise Forbidden(
            f"Invalid app_id `{app.id}` - check run can only be modified by the GitHub App "
            "that created it."
        )
    if "status" in body or "conclusion" in body:
        run.status, run.conclusion = _checked_state(body, run.status)
        if run.status == "completed":
            run.completed_at = _moment(body.get("completed_at"), "completed_at") or world.now()
        else:
            run.completed_at = None
    if body.get("output"):
        output = _checked_output(body["output"])
        run.annotations += output.get("annotations") or []
        run.output = {**run.output, **output}
    if "actions" in body:
        run.actions = _checked_actions(body["actions"])
    for key in ("name", "external_id", "details_url"):
        if key in body:
            setattr(run, key, _text(body, key))
    _announce(world, run, "completed" if run.status == "completed" else "")
    return run


def _announce(world: World, run: CheckRun, what: str) -> None:
    suite = run.suite
    suite.updated_at = world.now()
    repository = suite.repository
    if what:
        world.emit("check_run", what, repository=repository, sender=run.app.bot, run=run)
    if what == "created" and run.status == "completed":
        world.emit("check_run", "completed", repository=repository, sender=run.app.bot, run=run)
    if run.status == "completed" and suite.status == "completed":
        world.emit(
            "check_suite", "completed", repository=repository, sender=run.app.bot, suite=suite
        )
    _reported(world, repository, suite.sha)
    world.touched()


def _reported(world: World, repository: Repository, sha: str) -> None:
    advance(world, repository, sha)
    for number in sorted(repository.open_by_sha.get(sha, ())):
        settle(world, repository.pulls[number])


def _app(world: World, slug: str) -> App:
    for app in world.apps.values():
        if app.slug == slug:
            return app
    raise NotFound(f"app {slug}")


@action
def report_check(
    world: World, actor: str, repo: str, *, name: str, sha: str, conclusion: str = "success",
    status: str = "completed", app: str = "github-actions", title: str = "", summary: str = "",
) -> CheckRun:  # fmt: skip
    """Any app's check run on a commit: by default a workflow job's, under GitHub Actions."""
    world.account(actor)
    repository = world.repository(repo)
    full = repository.resolve(sha) or sha
    body: dict[str, Any] = {"name": name, "head_sha": full, "status": status}
    if status == "completed":
        body["conclusion"] = conclusion
    if title:
        body["output"] = {"title": title, "summary": summary}
    return create_run(world, _app(world, app), repository, body)


@action
def set_status(
    world: World, actor: str, repo: str, *, sha: str, context: str = "default",
    state: str = "success", description: str = "", target_url: str | None = None,
) -> Status:  # fmt: skip
    """A commit status, by anyone with write access."""
    by, repository = world.account(actor), world.repository(repo)
    if by.kind != "Bot":
        require(world, by, repository, "write")
    full = repository.resolve(sha)
    if full is None:
        raise Refused(f"No commit found for SHA: {sha[:80]}")
    if state not in ("error", "failure", "pending", "success"):
        raise Invalid({"resource": "Status", "field": "state", "code": "custom"})
    if len(description) > 140:
        raise Invalid({"resource": "Status", "field": "description", "code": "too_long"})
    made = Status(
        id=world.new_id(), sha=full, context=context, state=state, description=description,
        target_url=target_url, creator=by, at=world.now(),
    )  # fmt: skip
    repository.statuses.setdefault(full, []).append(world.register(made))
    world.emit("status", "", repository=repository, sender=by, status=made)
    _reported(world, repository, full)
    return made


def _run(world: World, repo: str, run: int | None, sha: str, name: str) -> CheckRun:
    repository = world.repository(repo)
    if run is not None:
        if run not in repository.runs:
            raise NotFound("check run")
        return repository.runs[run]
    full = repository.resolve(sha) or sha
    for suite in repository.suites.get(full, ()):
        for found in suite.latest():
            if found.name == name:
                return found
    raise NotFound("check run")


@action
def rerequest_check(
    world: World, actor: str, repo: str, *, run: int | None = None, sha: str = "", name: str = ""
) -> CheckRun:
    """The "Re-run" button of a check, found by id or by commit and name."""
    by, found = world.account(actor), _run(world, repo, run, sha, name)
    require(world, by, found.suite.repository, "write")
    world.emit("check_run", "rerequested", repository=found.suite.repository, sender=by, run=found)
    return found


@action
def press_button(
    world: World, actor: str, repo: str, *, identifier: str, run: int | None = None, sha: str = "",
    name: str = "",
) -> CheckRun:  # fmt: skip
    """Click one of a check run's buttons."""
    by, found = world.account(actor), _run(world, repo, run, sha, name)
    require(world, by, found.suite.repository, "write")
    if all(button["identifier"] != identifier for button in found.actions):
        raise NotFound("button")
    world.emit(
        "check_run", "requested_action",
        repository=found.suite.repository, sender=by, run=found, identifier=identifier,
    )  # fmt: skip
    return found


@action
def rerequest_suite(world: World, actor: str, repo: str, *, sha: str, app: str) -> CheckSuite:
    """The "Re-run all checks" button of an app's suite."""
    by, repository = world.account(actor), world.repository(repo)
    require(world, by, repository, "write")
    full = repository.resolve(sha) or sha
    for suite in repository.suites.get(full, ()):
        if suite.app.slug == app:
            world.emit("check_suite", "rerequested", repository=repository, sender=by, suite=suite)
            return suite
    raise NotFound("check suite")
