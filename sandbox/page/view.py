"""What the page shows: plain values made from the world for the templates, which escape them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml
from markupsafe import Markup

from sandbox import rules
from sandbox.deliveries import Courier
from sandbox.errors import NotFound
from sandbox.examples import COPILOT, split_marks
from sandbox.git import Blob, Commit
from sandbox.objects import Account, Activity, CheckRun, Event, PullRequest, Repository, Review, iso
from sandbox.page.markdown import render
from sandbox.seed import CHECK, ORGANIZATION
from sandbox.world import World

CAST = ("june", "kim", "grace", "ada", COPILOT, "olga")  # who can be played
_MOST_COMMITS, _MOST_ROWS = 60, 50
_TONES = 6  # colours of avatars in the style sheet
_HEADINGS = {
    "success": "Passed",
    "action_required": "Action required",
    "failure": "Failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts. ``level`` is the roster's word, "bot" for bots and "" if nobody can say."""

    login: str
    name: str
    initial: str
    level: str
    tone: int
    is_bot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitView:
    sha: str
    headline: str
    lines: list[str]
    marks: list[str]  # trailers and footers
    by: Person
    author: str  # Name <email>, as git has it
    here: bool  # still part of the pull request
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """The required check on the head. ``state`` is a conclusion, or "pending"."""

    state: str
    heading: str
    title: str
    summary: Markup
    sha: str
    at: str
    trouble: str  # why no report may come; empty if nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    id: int
    by: Person
    state: str
    sha: str
    on_head: bool
    standing: bool  # can be dismissed
    body: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the history. ``text`` says what ``by`` did; ``detail`` is foreign."""

    at: str
    when: datetime
    icon: str
    by: Person
    text: str
    detail: str = ""
    sha: str = ""
    body: Markup = field(default_factory=Markup)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeView:
    """GitHub's merge box. ``state``: ready, blocked, waiting, queued, merged or closed."""

    state: str
    heading: str
    lines: list[str]
    queue_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A pull request in the list."""

    number: int
    title: str
    by: str
    state: str
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullView:
    number: int
    title: str
    body: str
    description: Markup
    state: str
    by: Person
    base: str
    head: str
    sha: str
    labels: list[str]
    opened: str
    commits: list[CommitView]
    more_commits: int
    check: CheckView
    merge: MergeView
    reviews: list[ReviewView]
    history: list[Item]


class Page:
    """Reads the world for one request, under its lock."""

    def __init__(self, world: World, courier: Courier, full_name: str) -> None:
        self.world, self.courier = world, courier
        self.repository = world.repository(full_name)
        self._levels = levels(world)

    def person(self, account: Account) -> Person:
        login = account.rest_login
        return Person(
            login=login,
            name=account.name or login,
            initial=login[:1].upper(),
            level="bot" if account.kind == "Bot" else self._level(account),
            tone=CAST.index(login) if login in CAST else account.id % _TONES,
            is_bot=account.kind == "Bot",
        )

    def _level(self, account: Account) -> str:
        return self._levels.get(account.login.lower(), self._levels.get("", ""))

    def cast(self) -> list[Person]:
        return [self.person(self.world.account(login)) for login in CAST]

    def rows(self) -> list[Row]:
        """The newest pull requests first."""
        newest = sorted(self.repository.pulls.values(), key=lambda pull: -pull.number)
        return [self._row(pull) for pull in newest[:_MOST_ROWS]]

    def _row(self, pull: PullRequest) -> Row:
        run = self._run(pull)
        return Row(
            number=pull.number,
            title=pull.title,
            by=pull.author.rest_login,
            state=_state(pull),
            check=_conclusion(run),
        )

    def newest(self) -> int:
        """The number of the newest pull request; 0 if there is none."""
        return max(self.repository.pulls, default=0)

    def pull(self, number: int, selected: str = "") -> PullView:
        """Everything about one. Raises: NotFound."""
        found = self.world.pull(self.repository.full_name, number)
        commits = found.commits[-_MOST_COMMITS:]
        shown = [self._commit(each, here=True, selected=selected) for each in commits]
        known = {each.sha for each in found.commits}
        extra = found.repository.store.commits.get(selected)
        if extra is not None and selected not in known:
            shown.append(self._commit(extra, here=False, selected=selected))
        return PullView(
            number=number,
            title=found.title,
            body=found.body,
            description=self._render(found.body),
            state=_state(found),
            by=self.person(found.author),
            base=found.base_ref,
            head=found.head_ref,
            sha=found.head_sha,
            labels=[label.name for label in found.labels],
            opened=iso(found.created_at),
            commits=shown,
            more_commits=len(found.commits) - len(commits),
            check=self._check(found),
            merge=self._merge(found),
            reviews=[self._review(each) for each in found.reviews],
            history=sorted(self._history(found), key=lambda item: item.when),
        )

    def _render(self, text: str) -> Markup:
        return render(text, self.world.web_url)

    def _commit(self, found: Commit, *, here: bool, selected: str) -> CommitView:
        (headline, *lines), marks = split_marks(found.message)
        account = self.world.by_email(found.author.email)
        name = found.author.name
        unknown = Person(
            login=name, name=name, initial=name[:1].upper(), level="", tone=0, is_bot=False
        )
        return CommitView(
            sha=found.sha,
            headline=headline,
            lines="\n".join(lines).strip().split("\n") if any(lines) else [],
            marks=marks,
            by=self.person(account) if account else unknown,
            author=f"{found.author.name} <{found.author.email}>",
            here=here,
            selected=found.sha == selected,
        )

    # --- the check and the merge box --------------------------------------------------------------

    def _run(self, pull: PullRequest) -> CheckRun | None:
        """The newest run that GitHub would look at: of the required name, by the pinned app."""
        required = rules.required_checks(self.repository, self.repository.default_branch)
        apps = {each.app_id for each in required if each.context == CHECK} - {None}
        runs = [
            run
            for suite in self.repository.suites.get(pull.head_sha, ())
            for run in suite.latest()
            if run.name == CHECK and (not apps or run.app.id in apps)
        ]
        return max(runs, key=lambda run: run.id, default=None)

    def _check(self, pull: PullRequest) -> CheckView:
        run = self._run(pull)
        state = _conclusion(run)
        if run is None or state == "pending":
            return CheckView(
                state="pending",
                heading="Waiting for a report",
                title="Nobody has reported on this commit yet",
                summary=Markup(),
                sha=pull.head_sha,
                at="",
                trouble=self._trouble(),
            )
        return CheckView(
            state=state,
            heading=_HEADINGS.get(state, state),
            title=run.output.get("title") or "",
            summary=self._render(run.output.get("summary") or ""),
            sha=pull.head_sha,
            at=iso(run.completed_at) if run.completed_at else "",
            trouble="",
        )

    def _trouble(self) -> str:
        apps = [app for app in self.world.apps.values() if app.public_key]
        if not any(app.webhook_url for app in apps):
            return "No app listens: this sandbox was started without --webhook-url."
        last = next(reversed(self.courier.log.values()), None)
        if last is not None and last.status not in ("OK", "pending"):
            return f"The last webhook did not arrive ({last.status}): is the app running?"
        return ""

    def _merge(self, pull: PullRequest) -> MergeView:
        queue_on = any(
            rule["type"] == "merge_queue"
            for _, rule in rules.rules_for(pull.repository, pull.base_ref)
        )
        state, heading, lines = self._merge_words(pull, queue_on=queue_on)
        return MergeView(state=state, heading=heading, lines=lines, queue_on=queue_on)

    def _merge_words(self, pull: PullRequest, *, queue_on: bool) -> tuple[str, str, list[str]]:
        if pull.merged:
            by = pull.merged_by.rest_login if pull.merged_by else "somebody"
            return "merged", "Merged", [f"{by} merged this into {pull.base_ref}."]
        if pull.state != "open":
            return "closed", "Closed", ["This pull request is closed; nothing was merged."]
        if pull.queue_entry:
            return "queued", "In the merge queue", ["Waiting for the checks of its group."]
        if rules.has_conflict(pull):
            return "blocked", "Merging is blocked", ["This branch has conflicts."]
        required = rules.required_checks(pull.repository, pull.base_ref)
        states = {
            each.context: rules.check_state(pull.repository, pull.head_sha, each)
            for each in required
        }
        lines = [_required(name, state) for name, state in states.items()]
        problems = rules.merge_problems(self.world, pull, self.world.ghost)
        others = [p for p in problems if not p.startswith("Required status check")]
        if problems and not (queue_on and _only_queue(problems)):
            waits = not others and set(states.values()) <= {"expected", "pending", "success"}
            state = "waiting" if waits else "blocked"
            return state, "Merging is blocked", lines + [p for p in others if "queue" not in p]
        if not required:
            return "ready", "Ready to merge", [f"No check is required on {pull.base_ref}."]
        return "ready", "Ready for the merge queue" if queue_on else "Ready to merge", lines

    # --- reviews and history ----------------------------------------------------------------------

    def _review(self, found: Review) -> ReviewView:
        return ReviewView(
            id=found.id,
            by=self.person(found.author),
            state=found.state,
            sha=found.commit_sha or "",
            on_head=found.commit_sha == found.pull.head_sha,
            standing=found.state in ("APPROVED", "CHANGES_REQUESTED"),
            body=self._render(found.body),
        )

    def _history(self, pull: PullRequest) -> Iterator[Item]:
        yield self._item(pull.created_at, "open", pull.author, "opened this pull request")
        yield from self._pushes(pull)
        for comment in pull.comments:
            body = self._render(comment.body)
            yield self._item(comment.created_at, "talk", comment.author, "commented", body=body)
        for review in pull.reviews:
            yield self._reviewed(review)
        for event in pull.timeline:
            if not (
                pull.merged
                and event.kind == "ClosedEvent"
                and event.at >= (pull.merged_at or event.at)
            ):
                yield from self._event(event)

    def _item(
        self, when: datetime, icon: str, by: Account | None, text: str, detail: str = "",
        sha: str = "", body: Markup | None = None,
    ) -> Item:  # fmt: skip
        return Item(
            at=iso(when), when=when, icon=icon, by=self.person(by or self.world.ghost), text=text,
            detail=detail, sha=sha, body=body or Markup(),
        )  # fmt: skip

    def _reviewed(self, found: Review) -> Item:
        words = {
            "APPROVED": ("approve", "approved"),
            "CHANGES_REQUESTED": ("refuse", "asked for changes on"),
            "COMMENTED": ("talk", "reviewed"),
            "DISMISSED": ("quiet", "reviewed (dismissed since)"),
        }
        icon, text = words.get(found.state, ("talk", "reviewed"))
        return self._item(
            found.submitted_at, icon, found.author, text,
            sha=found.commit_sha or "", body=self._render(found.body),
        )  # fmt: skip

    def _pushes(self, pull: PullRequest) -> Iterator[Item]:
        head = pull.head_repository
        if head is None:
            return
        ref = f"refs/heads/{pull.head_ref}"
        for activity in head.activities:
            if activity.ref == ref and activity.before != activity.after:
                yield from self._pushed(head, activity)

    def _pushed(self, head: Repository, activity: Activity) -> Iterator[Item]:
        commit = head.store.commits.get(activity.after)
        if commit is None:
            return
        forced = activity.kind == "force_push"
        text = "force-pushed" if forced else "pushed"
        # what began the branch comes before the pull request, even within the same millisecond
        when = activity.at - timedelta(milliseconds=1) if not forced else activity.at
        headline = commit.message.split("\n", 1)[0]
        icon = "force" if forced else "push"
        yield self._item(when, icon, activity.actor, text, headline, commit.sha)

    def _event(self, found: Event) -> Iterator[Item]:
        words = _EVENTS.get(found.kind)
        if words is not None:
            icon, text, key = words
            detail = found.data.get(key)
            name = getattr(detail, "name", detail)
            yield self._item(found.at, icon, found.actor, text, str(name) if name else "")


# timeline event -> icon, what was done, and the field of the event that says to what
_EVENTS: Mapping[str, tuple[str, str, str]] = {
    "LabeledEvent": ("label", "added the label", "label"),
    "UnlabeledEvent": ("label", "removed the label", "label"),
    "RenamedTitleEvent": ("quiet", "changed the title to", "current"),
    "BaseRefChangedEvent": ("push", "changed the base branch to", "current"),
    "ReviewDismissedEvent": ("refuse", "dismissed a review", ""),
    "ReopenedEvent": ("open", "reopened this", ""),
    "ClosedEvent": ("close", "closed this", ""),
    "MergedEvent": ("merge", "merged this into", "ref_name"),
    "AddedToMergeQueueEvent": ("merge", "added this to the merge queue", ""),
    "RemovedFromMergeQueueEvent": ("quiet", "took this out of the merge queue", ""),
}


def levels(world: World) -> dict[str, str]:
    """Login -> level as the organisation's roster has it; "" is everybody else.

    Only to show: who may sign off is for the app to say. Empty if the roster cannot be read.
    """
    try:
        repository = world.repository(f"{ORGANIZATION}/.github")
        entry = repository.tree(repository.default_branch).get("reviewers.yaml")
        blob = entry.node if entry else None
        found = yaml.safe_load(blob.data) if isinstance(blob, Blob) else None
    except (NotFound, KeyError, yaml.YAMLError):
        return {}
    if not isinstance(found, dict) or not isinstance(found.get("people"), dict):
        return {}
    named = {str(login).lower(): _level_in(entry) for login, entry in found["people"].items()}
    return {"": str(found.get("unlisted") or "")} | named


def _level_in(entry: Any) -> str:
    return str(entry.get("level", "")) if isinstance(entry, dict) else str(entry)


def _state(pull: PullRequest) -> str:
    if pull.merged:
        return "merged"
    return "draft" if pull.draft and pull.state == "open" else pull.state


def _conclusion(run: CheckRun | None) -> str:
    if run is None or run.status != "completed":
        return "pending"
    return run.conclusion or "pending"


def _required(name: str, state: str) -> str:
    words = {
        "success": "has passed",
        "pending": "is running",
        "expected": "is expected: nobody has reported yet",
    }
    return f"The required check {name} {words.get(state, 'has not passed')}."


def _only_queue(problems: list[str]) -> bool:
    return all("merge queue" in problem for problem in problems)
