"""What the page's buttons do: each move is one thing a person does on GitHub, in their name.

A move takes the world, who acts, the repository, the number of the pull request (0: none) and the
fields of the form. It returns one sentence, or is refused as GitHub would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import rules
from sandbox.actions import protection, pulls, pushes, queue, reviews
from sandbox.actions.merges import merge
from sandbox.errors import NotFound, Refused
from sandbox.examples import (
    CLAUDE_FOOTER,
    COPILOT,
    Spec,
    by_claude_code,
    by_copilot,
    by_hand,
    without_marks,
)
from sandbox.objects import PullRequest, Repository
from sandbox.world import World

LONGEST = 20_000  # characters of one field
_IDEAS = (
    "Give the cart a discount",
    "Round prices to whole cents",
    "Show when an order will arrive",
    "Remember the last basket",
    "Refund to the card that paid",
    "Say why a card was declined",
)
_NEXT = (
    "Test the edge cases",
    "Name things after what they are",
    "Handle an empty cart",
    "Say more in the error message",
)
QUEUE_RULES = "merge queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A move under way: who does what, where, with the fields of the form."""

    world: World
    actor: str
    repo: str
    number: int
    fields: Mapping[str, str]

    @property
    def pull(self) -> PullRequest:
        return self.world.pull(self.repo, self.number)

    @property
    def where(self) -> dict[str, Any]:
        return {"repo": self.repo, "number": self.number}

    def field(self, name: str, default: str = "") -> str:
        """A field without the blanks around it, or ``default`` if it is empty."""
        return self.fields.get(name, "").strip() or default


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One sentence, and the pull request to look at now."""

    said: str
    number: int


Move = Callable[[Deed], Done | str]
MOVES: dict[str, Move] = {}


def move(name: str) -> Callable[[Move], Move]:
    def enter(function: Move) -> Move:
        MOVES[name] = function
        return function

    return enter


def perform(
    world: World, actor: str, name: str, repo: str, number: int, fields: Mapping[str, str]
) -> Done:
    """Do one move. Raises: Refused, in GitHub's words."""
    function = MOVES.get(name)
    if function is None:
        raise NotFound(f"move {name}")
    if any(len(value) > LONGEST for value in fields.values()):
        raise Refused(f"a field is longer than {LONGEST} characters")
    with world.lock:
        deed = Deed(world=world, actor=actor, repo=repo, number=number, fields=fields)
        done = function(deed)
    return done if isinstance(done, Done) else Done(said=done, number=number)


# --- code -----------------------------------------------------------------------------------------


@move("open")
def open_pull(deed: Deed) -> Done:
    """A branch with one commit, and a pull request from it. ``kind`` says who wrote it, and how."""
    kind = deed.field("kind", "claude")
    if kind not in OPENINGS:
        raise Refused(f"unknown kind {kind!r}")
    repository = deed.world.repository(deed.repo)
    return OPENINGS[kind](deed, repository)


def _claude(deed: Deed, repository: Repository) -> Done:
    return _open(deed, repository, deed.actor, by_claude_code(_subject(deed, repository)))


def _plain(deed: Deed, repository: Repository) -> Done:
    return _open(deed, repository, deed.actor, by_hand(_subject(deed, repository)))


def _footer(deed: Deed, repository: Repository) -> Done:
    spec, body = by_hand(_subject(deed, repository)), f"A small step.\n\n{CLAUDE_FOOTER}\n"
    return _open(deed, repository, deed.actor, spec, body=body)


def _copilot(deed: Deed, repository: Repository) -> Done:
    """Copilot's agent commits, pushes and opens; whoever asked it is co-author and assignee."""
    who = deed.world.account(deed.actor)
    asked_by = f"{who.name or who.rest_login} <{who.email}>"
    spec = by_copilot(_subject(deed, repository), asked_by)
    done = _open(deed, repository, COPILOT, spec, prefix="copilot")
    pulls.assign(deed.world, COPILOT, deed.repo, number=done.number, assignee=deed.actor)
    return Done(said=f"{COPILOT} opened #{done.number} for {deed.actor}.", number=done.number)


OPENINGS: dict[str, Callable[[Deed, Repository], Done]] = {
    "claude": _claude,
    "plain": _plain,
    "copilot": _copilot,
    "footer": _footer,
}


def _subject(deed: Deed, repository: Repository) -> str:
    return deed.field("message", _IDEAS[repository.next_number % len(_IDEAS)])


def _open(
    deed: Deed, repository: Repository, by: str, spec: Spec, *, body: str = "", prefix: str = ""
) -> Done:
    """``spec`` gets a file of its own, so that pull requests do not conflict."""
    world, number = deed.world, repository.next_number
    headline = spec["message"].split("\n", 1)[0]
    branch = deed.field("branch") or f"{prefix or by}/{_slug(headline)}-{number}"
    if branch in repository.branches:
        raise Refused(f"the branch {branch} is there already: choose another name")
    pushes.push(world, by, deed.repo, branch=branch, commits=[_with_file(world, spec)])
    title = deed.field("title", headline)
    made = pulls.open_pull_request(world, by, deed.repo, head=branch, title=title, body=body)
    return Done(said=f"{by} opened #{made.number}.", number=made.number)


def _slug(text: str) -> str:
    """The first words of ASCII letters and digits, joined: part of a branch's name."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in text)
    return "-".join(plain.lower().split()[:4])[:40] or "change"


def _with_file(world: World, spec: Spec) -> Spec:
    number = world.new_id()
    return spec | {"files": {f"shop/part_{number}.py": f"PART = {number}\n"}}


@move("push-ai")
def push_ai(deed: Deed) -> str:
    return _push(deed, by_claude_code(_next(deed)))


@move("push-plain")
def push_plain(deed: Deed) -> str:
    return _push(deed, by_hand(_next(deed)))


def _next(deed: Deed) -> str:
    return _NEXT[len(deed.pull.commits) % len(_NEXT)]


def _push(deed: Deed, spec: Spec) -> str:
    head, branch = _head(deed)
    spec = _with_file(deed.world, spec)
    made = pushes.push(deed.world, deed.actor, head.full_name, branch=branch, commits=[spec])
    return f"{deed.actor} pushed {made.after[:7]} to {branch}."


def _head(deed: Deed) -> tuple[Repository, str]:
    pull = deed.pull
    if pull.head_repository is None or pull.head_ref not in pull.head_repository.branches:
        raise Refused(f"the branch {pull.head_ref} is gone")
    return pull.head_repository, pull.head_ref


@move("force-push")
def force_push(deed: Deed) -> str:
    """One commit in place of all of the branch's, with the same files and no trailers."""
    head, branch = _head(deed)
    pull, store = deed.pull, head.store
    tip = store.commits[head.branches[branch]]
    base = store.merge_base(pull.base_sha, tip.sha)
    if base is None or not pull.commits:
        raise Refused("the branch has no commits of its own")
    first = pull.commits[0]
    who = pushes.signature_of(deed.world, deed.actor, deed.world.now())
    message = without_marks(first.message)
    made = store.commit(tip.tree, [base], who, who, message)
    pushes.set_branch(deed.world, deed.actor, head.full_name, branch=branch, sha=made.sha)
    return f"{deed.actor} force-pushed {branch}: its trailers are gone."


# --- reviews --------------------------------------------------------------------------------------


@move("approve")
def approve(deed: Deed) -> str:
    reviews.approve(deed.world, deed.actor, body=deed.field("body"), **deed.where)
    return f"{deed.actor} approved {deed.pull.head_sha[:7]}."


@move("request-changes")
def request_changes(deed: Deed) -> str:
    body = deed.field("body", "Please change this.")
    reviews.request_changes(deed.world, deed.actor, body=body, **deed.where)
    return f"{deed.actor} asked for changes."


@move("comment")
def comment(deed: Deed) -> str:
    if not deed.field("body"):
        raise Refused("Body can't be blank")
    pulls.comment(deed.world, deed.actor, body=deed.field("body"), **deed.where)
    return f"{deed.actor} commented."


@move("dismiss")
def dismiss(deed: Deed) -> str:
    review = deed.field("review")
    if not review.isdecimal():
        raise NotFound("review")
    found = reviews.dismiss_review(
        deed.world, deed.actor, review_id=int(review), message="Dismissed by hand", **deed.where
    )
    return f"{deed.actor} dismissed the review of {found.author.rest_login}."


# --- the pull request -----------------------------------------------------------------------------


@move("label")
def label(deed: Deed) -> str:
    name = deed.field("label")
    if not name:
        raise Refused("a label needs a name")
    pulls.add_label(deed.world, deed.actor, label=name, **deed.where)
    return f"{deed.actor} added the label {name}."


@move("unlabel")
def unlabel(deed: Deed) -> str:
    name = deed.field("label")
    pulls.remove_label(deed.world, deed.actor, label=name, **deed.where)
    return f"{deed.actor} removed the label {name}."


@move("edit")
def edit(deed: Deed) -> str:
    """The title and the description, as the form has them."""
    body = deed.fields.get("body", deed.pull.body)
    title = deed.field("title", deed.pull.title)
    pulls.edit_pull_request(deed.world, deed.actor, title=title, body=body, **deed.where)
    return f"{deed.actor} edited title and description."


@move("retarget")
def retarget(deed: Deed) -> str:
    """Another base branch, made from the default branch if there is none of that name."""
    base, repository = deed.field("base"), deed.world.repository(deed.repo)
    if not base:
        raise Refused("which branch?")
    if base not in repository.branches:
        pushes.push(deed.world, deed.actor, deed.repo, branch=base, commits=[])
    pulls.edit_pull_request(deed.world, deed.actor, base=base, **deed.where)
    return f"{deed.actor} changed the base branch to {base}."


@move("close")
def close(deed: Deed) -> str:
    pulls.close_pull_request(deed.world, deed.actor, **deed.where)
    return f"{deed.actor} closed #{deed.number}."


@move("reopen")
def reopen(deed: Deed) -> str:
    pulls.reopen_pull_request(deed.world, deed.actor, **deed.where)
    return f"{deed.actor} reopened #{deed.number}."


# --- merging --------------------------------------------------------------------------------------


@move("merge")
def merge_pull(deed: Deed) -> str:
    merge(deed.world, deed.actor, **deed.where)
    return f"{deed.actor} merged #{deed.number}."


@move("enqueue")
def enqueue(deed: Deed) -> str:
    queue.enqueue(deed.world, deed.actor, **deed.where)
    return f"{deed.actor} added #{deed.number} to the merge queue."


@move("dequeue")
def dequeue(deed: Deed) -> str:
    queue.dequeue(deed.world, deed.actor, **deed.where)
    return f"{deed.actor} took #{deed.number} out of the merge queue."


@move("switch-queue")
def switch_queue(deed: Deed) -> str:
    """Turn the merge queue of the default branch on or off: for those who may change rules."""
    repository = deed.world.repository(deed.repo)
    for ruleset, rule in rules.rules_for(repository, repository.default_branch):
        if rule["type"] == "merge_queue":
            protection.delete_ruleset(deed.world, deed.actor, repo=deed.repo, id=ruleset.id)
            return f"{deed.actor} turned the merge queue off."
    protection.set_ruleset(deed.world, deed.actor, repo=deed.repo, ruleset=_queue_rules())
    return f"{deed.actor} turned the merge queue on."


def _queue_rules() -> dict[str, Any]:
    return {
        "name": QUEUE_RULES,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "merge_queue", "parameters": {"merge_method": "MERGE"}}],
    }
