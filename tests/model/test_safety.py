"""The safety property: a green check is always one that the plain rules would give too.

Whatever order people push, review, label, edit, retarget and merge in, and whatever is lost,
repeated or fails on the way: while things happen, a green on a head implies that the rules said
green at some moment since the system last came to rest; at rest, the check is what the rules say.

    MODEL_STEPS=50000 pytest tests/model       the long profile; the usual one takes seconds
"""

import os
import tempfile
from contextlib import ExitStack, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from sandbox.errors import Refused
from sandbox.objects import PullRequest
from sandbox.seed import CHECK, ROSTER
from tests.e2e.inline import SHOP, Inline, inline
from tests.model import naive
from tests.model.naive import AI_LABEL, CLEAR_LABEL, FOOTER, GREEN, TRAILER, Latitude, Law

STEPS_AN_EXAMPLE = 40
PHASES = [Phase.explicit, Phase.reuse, Phase.generate] + (
    [Phase.shrink] if "MODEL_SHRINK" in os.environ else []
)
STEPS = int(os.environ.get("MODEL_STEPS", "200"))

RANKS = {"ada": 3, "grace": 2, "kim": 1, "june": 0}
DEMOTED = ROSTER.replace("id: 1906, level: senior", "id: 1906, level: mid")
TWO = ROSTER.replace("approvals: 1", "approvals: 2").replace("exempt: senior", "exempt: nobody")
RULE = "rules:\n  - name: easy\n    branches: [easy]\n    from: principal\n"
LAWS: dict[str, Law | None] = {
    ROSTER: Law(RANKS),
    DEMOTED: Law(RANKS | {"grace": 1}),
    TWO: Law(RANKS, approvals=2, exempt=None),
    ROSTER + RULE: Law(RANKS, level_on_easy=3),
    "levels: [broken": None,  # the last valid one stays in force
}
BRANCHES, BASES = ["one", "two"], ["main", "easy"]
PEOPLE = st.sampled_from(["june", "june", "kim", "grace", "ada"])
SENIORS = st.sampled_from(["grace", "ada", "grace", "ada", "kim", "acme-codegen[bot]"])
COMMITS = st.sampled_from(["human", "human", "ai", "ai", "ghost", "framed"])
LATITUDES = [Latitude(carry, family) for carry in (False, True) for family in (False, True)]
PULLS = st.integers(0, 5)
CHANGES = [
    *("push", "push", "force_push", "amend", "retarget"),
    *("dismiss", "objection", "lift", "permission", "twin"),
    *(DEMOTED, TWO, ROSTER + RULE),
]
FAULTS = st.sampled_from(
    [
        ("error", "graphql:*"),
        ("error", "POST */check-runs"),
        ("after", "POST */check-runs"),
        ("reset", "*"),
        ("partial", "graphql:PullRequestSnapshot"),
        ("truncated", "graphql:PullRequestSnapshot"),
        ("empty", "graphql:PullRequestSnapshot"),
        ("malformed", "graphql:PullRequestSnapshot"),
        ("stale", "graphql:PullRequestSnapshot"),
        ("error", "GET */activity*"),
        ("unauthorized", "*"),
    ]
)


class Gate(RuleBasedStateMachine):
    """One world. ``allowed``: what the rules said of each head since all was last at rest."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        tmp = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="model-")))
        self.case: Inline = self.stack.enter_context(inline(tmp, frozen=True))
        self.law = Law(RANKS)
        self.seen: dict[int, dict[str, datetime]] = {}  # evidence that was judged, by number
        self.perhaps: dict[int, dict[str, datetime]] = {}  # evidence that may have been judged
        self.allowed: dict[str, set[str]] = {}  # by head: a check belongs to a commit
        self.lost = False
        self.ever: dict[int, set[str]] = {}  # the commits that each pull request ever had
        self.merged: set[int] = set()

    @initialize(queue=st.booleans(), kind=COMMITS, who=PEOPLE)
    def world(self, kind: str, who: str, *, queue: bool) -> None:
        self.queue = queue
        case = self.case
        case.act("olga", "push", branch="easy", commits=[])
        check = {"context": CHECK, "app": "countersign", "name": "easy"}
        case.act("olga", "require_check", branches=["easy"], **check)
        case.act("olga", "open_issue", title="Labels", labels=[CLEAR_LABEL, AI_LABEL])
        if queue:
            rules = [{"type": "merge_queue", "parameters": {"grouping_strategy": "ALLGREEN"}}]
            conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
            ruleset = {"name": "queue", "enforcement": "active"}
            ruleset |= {"rules": rules, "conditions": conditions}  # type: ignore[dict-item]  # JSON
            case.act("olga", "set_ruleset", ruleset=ruleset)
        self.open("one", "main", who, kind, footer=False)

    # --- what people do

    def act(self, actor: str, action: str, **parameters: Any) -> None:
        """Try it; GitHub may refuse. Every act has a second of its own, as GitHub counts them."""
        self.case.clock.skip(1)
        try:
            self.case.act(actor, action, **parameters)
        except Refused:
            return

    def pulls(self) -> list[PullRequest]:
        return list(self.case.hub.world.repository(SHOP).pulls.values())

    def open_pulls(self) -> list[PullRequest]:
        return [pull for pull in self.pulls() if pull.state == "open"]

    def on_one(self, which: int, actor: str, action: str, **parameters: Any) -> None:
        if pulls := self.open_pulls() or self.pulls():
            self.act(actor, action, number=pulls[which % len(pulls)].number, **parameters)

    def commit(self, kind: str) -> dict[str, Any]:
        match kind:
            case "ai":
                return {"message": f"Fix\n\n{TRAILER}"}
            case "ghost":
                return {"message": f"Fix\n\n{TRAILER}", "author": "Ghost <ghost@nowhere.example>"}
            case "framed":
                return {"message": "Fix", "author": "grace"}
            case "framed-ai":
                return {"message": f"Fix\n\n{TRAILER}", "author": "grace"}
            case _:
                return {"message": "Fix"}

    @rule(
        branch=st.sampled_from(BRANCHES),
        who=PEOPLE,
        kind=COMMITS,
        how=st.sampled_from(["push", "push", "force_push", "amend"]),
    )
    def push(self, branch: str, who: str, kind: str, how: str) -> None:
        if how == "amend" and branch in self.case.hub.world.repository(SHOP).branches:
            self.act(who, "amend", branch=branch, message="Fix")
        elif how != "amend":
            self.act(who, how, branch=branch, commits=[self.commit(kind)])

    @rule(
        branch=st.sampled_from(BRANCHES),
        base=st.sampled_from(BASES),
        who=st.sampled_from(["june", "kim", "grace", "acme-codegen[bot]"]),
        kind=COMMITS,
        footer=st.booleans(),
    )
    def open(self, branch: str, base: str, who: str, kind: str, *, footer: bool) -> None:
        if branch not in self.case.hub.world.repository(SHOP).branches:
            self.act(who, "push", branch=branch, commits=[self.commit(kind)])
        body = FOOTER if footer else ""
        self.act(who, "open_pull_request", head=branch, base=base, title="Fix", body=body)

    @rule(pusher=PEOPLE, silent=st.booleans())
    def in_a_seniors_name(self, pusher: str, *, silent: bool) -> None:
        """A senior's commit, in a senior's pull request; only the push says whose it is, and there
        may have been no news of it, as before the app was installed."""
        self.rest()
        branch = f"own-{len(self.pulls())}"
        with self.case.hub.world.quiet() if silent else nullcontext():
            self.act(pusher, "push", branch=branch, commits=[self.commit("framed-ai")])
        self.act("grace", "open_pull_request", head=branch, base="main", title="Fix")
        self.rest()

    @rule(which=PULLS, who=SENIORS, then_rest=st.booleans())
    def approve(self, which: int, who: str, *, then_rest: bool) -> None:
        self.on_one(which, who, "approve")
        if then_rest:
            self.rest()

    @rule(
        which=PULLS,
        who=st.sampled_from(["grace", "ada"]),
        pusher=PEOPLE,
        kind=COMMITS,
        change=st.sampled_from(CHANGES),
        at_rest=st.booleans(),
    )
    def sign_then_change(
        self, which: int, who: str, pusher: str, kind: str, change: str, *, at_rest: bool
    ) -> None:
        """The heart of the matter: a pull request is signed off, and then something happens."""
        if not (pulls := self.open_pulls()):
            self.open("two", "easy", pusher, kind, footer=True)
            return
        pull = pulls[which % len(pulls)]
        if at_rest:
            self.act("olga", "add_collaborator", login=who, permission="write")
            self.rest()
        self.act(who, "approve", number=pull.number)
        self.rest()
        match change:
            case "push" | "force_push" | "amend":
                self.push(pull.head_ref, pusher, kind, change)
            case "retarget":
                self.change_base(pull, "main" if pull.base_ref == "easy" else "easy")
            case "dismiss":
                self.act(pusher, "dismiss_review", number=pull.number, author=who)
            case "objection":
                self.act("ada", "request_changes", number=pull.number)
            case "lift":
                other = "ada" if who == "grace" else "grace"
                self.act(other, "request_changes", number=pull.number)
                self.act(pusher, "dismiss_review", number=pull.number, author=other)
            case "permission":
                self.act("olga", "remove_collaborator", login=who)
            case "twin":
                base = "main" if pull.base_ref == "easy" else "easy"
                self.open(pull.head_ref, base, "june", kind, footer=True)
            case _:
                self.roster(change)

    @rule(which=PULLS, who=SENIORS, how=st.sampled_from(["twice", "changes", "comment"]))
    def review(self, which: int, who: str, how: str) -> None:
        match how:
            case "twice":
                self.on_one(which, who, "approve")
                self.on_one(which, who, "approve")
            case "changes":
                self.on_one(which, who, "request_changes")
            case _:
                self.on_one(which, who, "review", event="COMMENT", body="LGTM, approved")

    @rule(which=PULLS, whose=SENIORS, who=PEOPLE)
    def dismiss(self, which: int, whose: str, who: str) -> None:
        self.on_one(which, who, "dismiss_review", author=whose)

    @rule(which=PULLS, on=st.booleans())
    def label(self, which: int, *, on: bool) -> None:
        self.on_one(which, "june", "add_label" if on else "remove_label", label=AI_LABEL)

    @rule(which=PULLS, who=st.sampled_from(["june", "kim", "grace", "ada"]), on=st.booleans())
    def set_aside(self, which: int, who: str, *, on: bool) -> None:
        self.rest()  # whatever is there was seen: what a clearing covers is then certain
        self.on_one(which, who, "add_label" if on else "remove_label", label=CLEAR_LABEL)

    @rule(which=PULLS, footer=st.booleans())
    def edit_body(self, which: int, *, footer: bool) -> None:
        self.on_one(which, "june", "edit_pull_request", body=FOOTER if footer else "No AI used.")

    @rule(which=PULLS, base=st.sampled_from(BASES))
    def retarget(self, which: int, base: str) -> None:
        if pulls := self.open_pulls():
            self.change_base(pulls[which % len(pulls)], base)

    def change_base(self, pull: PullRequest, base: str) -> None:
        """GitHub refuses a base that holds the head already: nothing would be left of it."""
        home = pull.repository
        if not home.store.is_ancestor(pull.head_sha, home.branches[base]):
            self.act("kim", "edit_pull_request", number=pull.number, base=base)

    @rule(which=PULLS, who=PEOPLE)
    def update_branch(self, which: int, who: str) -> None:
        self.on_one(which, who, "update_branch")

    @rule(which=PULLS, what=st.sampled_from(["draft", "ready", "close", "reopen", "rerun"]))
    def housekeeping(self, which: int, what: str) -> None:
        match what:
            case "draft" | "ready":
                self.on_one(which, "kim", f"mark_{what}")
            case "rerun":
                if pulls := self.pulls():
                    sha = pulls[which % len(pulls)].head_sha
                    self.act("june", "rerequest_check", sha=sha, name=CHECK)
            case _:
                self.on_one(which, "kim", "close_pull_request")
                if what == "reopen" and (pulls := [one for one in self.pulls() if one.commits]):
                    self.act("kim", "reopen_pull_request", number=pulls[-1].number)

    @rule(who=st.sampled_from(["grace", "ada"]), may=st.booleans())
    def permission(self, who: str, *, may: bool) -> None:
        if may:
            self.act("olga", "add_collaborator", login=who, permission="write")
        else:
            self.act("olga", "remove_collaborator", login=who)

    @rule(text=st.sampled_from(list(LAWS)))
    def roster(self, text: str) -> None:
        law = LAWS[text]
        if law is None:
            self.rest()
            if not self.open_pulls():
                return  # a valid roster that was never read cannot stay in force
        self.law = law or self.law
        self.case.clock.skip(1)
        self.case.roster(text)

    @rule(which=PULLS)
    def merge(self, which: int) -> None:
        self.on_one(which, "kim", "enqueue" if self.queue else "merge")

    # --- what goes wrong

    @rule(fault=FAULTS, times=st.integers(1, 4))
    def fault(self, fault: tuple[str, str], times: int) -> None:
        self.case.hub.faults.add(*fault, times=times, field="reviews")

    @rule(lose=st.booleans(), duplicate=st.booleans())
    def weather(self, *, lose: bool, duplicate: bool) -> None:
        weather = self.case.hub.courier.weather
        weather.lose, weather.duplicate = float(lose), float(duplicate)
        self.lost |= lose

    @rule(which=st.integers(0, 200))
    def late_delivery(self, which: int) -> None:
        if known := list(self.case.hub.courier.log):
            self.case.hub.courier.redeliver(known[which % len(known)])

    # --- what we do

    @rule(steps=st.integers(1, 4))
    def work(self, steps: int) -> None:
        """Some of the work, so that the next act falls into the middle of it."""
        assert self.case.hub.drain()
        now = self.case.clock.moment()
        for pull in self.open_pulls():
            for what in naive.evidence_now(pull):
                self.perhaps.setdefault(pull.number, {}).setdefault(what, now)
        for _ in range(steps):
            self.case.worker.step()

    @rule()
    def rest(self) -> None:
        """Nothing fails any more: the check must become what the rules say."""
        case = self.case
        case.hub.faults.clear()
        case.hub.courier.weather.lose = case.hub.courier.weather.duplicate = 0.0
        if self.lost:
            assert case.hub.drain()
            case.clock.skip(1)
            case.sweep()
            case.sweep()
        case.settle()
        self.merged_is_never_wrong()
        self.lost = False
        self.see()
        # A commit that is no head now keeps its check; whoever opens it anew begins with that.
        judged = {pull.head_sha for pull in self.open_pulls()}
        self.allowed = {oid: said for oid, said in self.allowed.items() if oid not in judged}
        self.note()
        for pull in self.open_pulls():
            seen = case.check(pull.number)
            wanted = self.allowed[pull.head_sha]
            assert seen is not None, f"#{pull.number} was never judged"
            told = f"#{pull.number}: {seen.title}\n{seen.summary}\nthe rules: {wanted}"
            assert seen.conclusion in wanted, told

    def see(self) -> None:
        now = self.case.clock.moment()
        for pull in self.open_pulls():
            mine = self.seen.setdefault(pull.number, {})
            for what in naive.evidence_now(pull):
                mine.setdefault(what, self.perhaps.get(pull.number, {}).get(what, now))

    # --- what the rules say

    def verdicts(self, pull: PullRequest) -> set[str]:
        """The worst over the head: with the evidence that was surely seen, and with all of it."""
        world = self.case.hub.world
        twins = [one for one in self.open_pulls() if one.head_sha == pull.head_sha]
        return {
            naive.worst(
                naive.verdict(
                    world, twin, self.law, known, latitude, self.ever.get(twin.number, ())
                )
                for twin, known in zip(twins, each, strict=True)
            )
            for each in zip(*map(self.evidence, twins), strict=True)
            for latitude in LATITUDES
        }

    def evidence(self, pull: PullRequest) -> list[dict[str, datetime | None]]:
        """What speaks for AI: as is certain; with all that was ever on its branch and may have been
        seen; and that again, as if it were seen only now, for what followed the same patches."""
        now: dict[str, datetime | None] = dict.fromkeys(naive.evidence_now(pull))
        surely, ever = dict(now), dict(now)
        commits = {commit.sha for commit in pull.commits}
        relatives = [one for one in self.pulls() if one is not pull]
        for one in [*relatives, pull]:  # the same mark seen here counts from when it was seen here
            if one.head_ref == pull.head_ref or one.head_sha in commits:
                seen = self.seen.get(one.number, {})
                ever |= seen | self.perhaps.get(one.number, {})
                surely |= seen if one.state == "open" and one.head_sha == pull.head_sha else {}
        return [surely, ever, dict.fromkeys(ever)]

    def note(self) -> None:
        with self.case.hub.world.lock:
            for pull in self.open_pulls():
                commits = {commit.sha for commit in pull.commits}
                self.ever.setdefault(pull.number, set()).update(commits)
                self.allowed.setdefault(pull.head_sha, set()).update(self.verdicts(pull))

    @invariant()
    def green_is_never_wrong(self) -> None:
        self.note()
        for pull in self.open_pulls():
            seen = self.case.check(pull.number)
            if seen is not None and seen.green:
                assert GREEN in self.allowed[pull.head_sha], f"{pull.number}: {seen}"

    @invariant()
    def merged_is_never_wrong(self) -> None:
        for pull in self.pulls():
            if pull.merged and pull.number not in self.merged:
                self.merged.add(pull.number)
                said = self.allowed.get(pull.head_sha, set())
                assert GREEN in said, f"#{pull.number} was merged"

    def teardown(self) -> None:
        try:
            self.rest()
        finally:
            self.stack.close()


@pytest.mark.timeout(max(300, STEPS))
def test_green_is_never_wrong_and_the_check_ends_right() -> None:
    profile = settings(
        max_examples=max(STEPS // STEPS_AN_EXAMPLE, 1),
        stateful_step_count=STEPS_AN_EXAMPLE,
        deadline=None,
        derandomize="MODEL_STEPS" not in os.environ,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
        print_blob=True,
    )
    run_state_machine_as_test(Gate, settings=profile)
