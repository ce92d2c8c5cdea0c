"""The rules of sign-off once more, as plainly as they can be said, and without the judge.

Written from the design alone (sections 3 to 5) and read off the sandbox's own state: slow, short,
and blind to how GitHub shows things. What it says is what the check must say in the end.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.git import Commit, diff
from sandbox.objects import Account, PullRequest, Review
from sandbox.world import World

AI_LABEL, CLEAR_LABEL = "ai-assisted", "not-ai-assisted"
TRAILER = "Co-Authored-By: Claude <noreply@anthropic.com>"
FOOTER = "Generated with [Claude Code](https://claude.com/claude-code)"
GREEN, WAITING, OBJECTED = "success", "action_required", "failure"
_WORST_FIRST = (OBJECTED, WAITING, GREEN)

# What speaks for AI, and when it was first seen (None: not yet).
Evidence = Mapping[str, datetime | None]


@dataclass(frozen=True)
class Law:
    """A roster, translated by hand. Ranks are 0 (junior) to 3 (principal)."""

    ranks: Mapping[str, int]
    level: int = 2
    approvals: int = 1
    exempt: int | None = 2
    level_on_easy: int = 0

    def rank(self, login: str) -> int:
        return self.ranks.get(login, -1)

    def needed_rank(self, pull: PullRequest) -> int:
        return max(self.level, self.level_on_easy if pull.base_ref == "easy" else 0)


def evidence_now(pull: PullRequest) -> set[str]:
    """Everything about the pull request that GitHub shows at this moment, its history included."""
    commits = [*pull.commits, *_forced_away(pull)]
    found = {f"commit {commit.sha}" for commit in commits if TRAILER in commit.message}
    labelled = [event for event in pull.timeline if event.kind == "LabeledEvent"]
    if any(event.data["label"].name == AI_LABEL for event in labelled):
        found.add("label")
    if any(FOOTER in text for text in (pull.body, *(edit.diff or "" for edit in pull.edits))):
        found.add("body")
    if pull.author.kind == "Bot":
        found.add("opener")
    return found


def _forced_away(pull: PullRequest) -> list[Commit]:
    """The timeline names each head that was forced away; those commits are still to be had."""
    home = pull.repository
    tip = home.branches[pull.base_ref]
    heads = [one.data["before"] for one in pull.timeline if one.kind == "HeadRefForcePushedEvent"]
    return [commit for head in heads for commit in home.store.between(tip, head)]


@dataclass(frozen=True)
class Latitude:
    """Where the design leaves it to what can be proven, so that either answer is right.

    ``carry``: approvals of older heads count as well where the change is the same. ``family``: who
    pushed to other pull requests whose commits came along, now or against another base, has a part
    in this one.
    """

    carry: bool
    family: bool


def verdict(
    world: World,
    pull: PullRequest,
    law: Law,
    evidence: Evidence,
    latitude: Latitude,
    ever: Collection[str],
) -> str:
    """The conclusion for this pull request alone; ``ever`` are the commits it ever had."""
    case = _Case(world, pull, law, latitude.family, ever)
    standing = _standing(case, evidence)
    if not standing:
        return GREEN
    opinions = _opinions(pull)
    for review in opinions.values():
        if _objects(case, review) and _rank(law, review.author) >= law.level:
            return OBJECTED
    if _exempt(case):
        return GREEN
    signed = {
        review.author.id
        for review in opinions.values()
        if review.state == "APPROVED"
        and (
            (review.commit_sha == pull.head_sha and _same_base(pull, review))
            or (latitude.carry and _same_change(pull, review))
        )
        and _rank(law, review.author) >= law.needed_rank(pull)
        and _may_push(world, review.author, pull)
        and review.author.login not in _contributors(case)
    }
    needed = law.approvals + (1 if _writer_is_hidden(case) else 0)
    return GREEN if len(signed) >= needed else WAITING


def worst(verdicts: Iterable[str]) -> str:
    return min(verdicts, key=_WORST_FIRST.index)


@dataclass(frozen=True)
class _Case:
    world: World
    pull: PullRequest
    law: Law
    family: bool
    ever: Collection[str]


def _objects(case: _Case, review: Review) -> bool:
    """Changes are requested, and neither they themselves nor a peer has dismissed that."""
    if review.state != "DISMISSED":
        return review.state == "CHANGES_REQUESTED"
    timeline = case.pull.timeline
    (gone,) = [event for event in timeline if event.data.get("review") is review]
    by = gone.actor
    if gone.data["previous_state"] != "CHANGES_REQUESTED" or by is review.author:
        return False
    return by is None or not _may_decide(case, by)


def _may_decide(case: _Case, by: Account) -> bool:
    """Whether they could have signed this off themselves, and nobody doubts whose work it is."""
    if _rank(case.law, by) < case.law.needed_rank(case.pull) or _writer_is_hidden(case):
        return False
    return by.login not in _contributors(case) and _may_push(case.world, by, case.pull)


def _contributors(case: _Case) -> set[str]:
    """Opener, everybody who ever pushed to the branch, and whoever a commit names."""
    named = {who for who in _named(case.world, case.pull) if who}
    return {case.pull.author.login, *_pushers(case), *named}


def _pushers(case: _Case) -> set[str]:
    return {account.login for account in _pushing(case)}


def _pushing(case: _Case) -> list[Account]:
    pull = case.pull
    commits = {commit.sha for commit in pull.commits} | {*case.ever}
    branches = {pull.head_ref}
    if case.family:
        relatives = pull.repository.pulls.values()
        branches |= {one.head_ref for one in relatives if one.head_sha in commits}
    refs = {f"refs/heads/{branch}" for branch in branches}
    return [
        one.actor
        for one in pull.repository.activities
        if one.ref in refs or (case.family and one.after in commits)
    ]


def _writer_is_hidden(case: _Case) -> bool:
    """A commit of nobody's, where a bot pushed too: nobody knows on whose behalf."""
    bot = any(account.kind != "User" for account in _pushing(case))
    return bot and None in _named(case.world, case.pull)


def _named(world: World, pull: PullRequest) -> list[str | None]:
    """The accounts behind the authors and committers of the commits; None for nobody's e-mail."""
    found: list[str | None] = []
    for commit in pull.commits:
        for identity in (commit.author, commit.committer):
            if identity.email != "noreply@github.com":
                account = world.by_email(identity.email)
                found.append(account.login if account else None)
    return found


def _rank(law: Law, account: Account) -> int:
    return law.rank(account.login) if account.kind == "User" else -1


def _may_push(world: World, account: Account, pull: PullRequest) -> bool:
    return world.permission(account, pull.repository) in ("write", "maintain", "admin")


def _same_change(pull: PullRequest, review: Review) -> bool:
    """The same files become the same, by the same commits, merges of the base apart."""
    old = review.commit_sha
    return old is not None and _change(pull, old) == _change(pull, pull.head_sha)


def _same_base(pull: PullRequest, review: Review) -> bool:
    """Whether the head left the base of that time at the same commit as that of now."""
    named = ("BaseRefChangedEvent", "AutomaticBaseChangeSucceededEvent")
    kinds = (*named, "BaseRefForcePushedEvent", "ReopenedEvent")
    later = [one for one in pull.timeline if one.kind in kinds and one.at >= review.submitted_at]
    if not later:
        return True
    home = pull.repository
    before = [one.data["previous"] for one in later if one.kind in named]
    base = before[0] if before else pull.base_ref
    moves = [one for one in home.activities if one.ref == f"refs/heads/{base}"]
    after = [one.before for one in moves if one.at > review.submitted_at]
    then = after[0] if after else home.branches[base]
    now = home.branches[pull.base_ref]
    head = pull.head_sha
    return home.store.merge_base(then, head) == home.store.merge_base(now, head)


def _change(pull: PullRequest, head: str) -> tuple[object, object]:
    store = pull.repository.store
    tip = pull.repository.branches[pull.base_ref]
    base = store.merge_base(tip, head)
    assert base is not None, "unrelated histories"
    work = [commit for commit in store.between(tip, head) if len(commit.parents) < 2]
    return (
        [
            (file.path, file.patch)
            for file in diff(store.commits[base].tree, store.commits[head].tree)
        ],
        sorted((one.message, one.author.name, one.author.email) for one in work),
    )


def _exempt(case: _Case) -> bool:
    law, pull = case.law, case.pull
    if law.exempt is None or pull.author.kind != "User":
        return False
    least = max(law.exempt, law.needed_rank(pull) if law.level_on_easy else 0)
    people = {pull.author.login, *_pushers(case), *_named(case.world, pull)}
    return all(who is not None and law.rank(who) >= least for who in people)


def _opinions(pull: PullRequest) -> dict[int, Review]:
    """The last approval, change request or dismissal of each account."""
    return {
        review.author.id: review
        for review in pull.reviews
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
    }


def _standing(case: _Case, evidence: Evidence) -> set[str]:
    """The evidence that nobody entitled set aside after it was seen."""
    pull = case.pull
    if all(label.name != CLEAR_LABEL for label in pull.labels):
        return set(evidence)
    applied = [
        event
        for event in pull.timeline
        if event.kind == "LabeledEvent" and event.data["label"].name == CLEAR_LABEL
    ]
    by, at = applied[-1].actor, applied[-1].at
    since = pull.timeline[pull.timeline.index(applied[-1]) + 1 :]
    said_anew = any(
        event.kind == "LabeledEvent" and event.data["label"].name == AI_LABEL for event in since
    )
    if by is None or not _may_decide(case, by):
        return set(evidence)
    return {
        what
        for what, seen in evidence.items()
        if seen is None or seen > at or (what == "label" and said_anew)
    }
