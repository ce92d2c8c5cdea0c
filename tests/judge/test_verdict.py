"""The outcomes: a row for each way to get there, and the properties that no row may break."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.detection import CLEARING_LABEL, detect
from github_app.judge.facts import (
    BodyEdit,
    EventKind,
    GitIdentity,
    PullRequest,
    Repository,
    Review,
    ReviewState,
)
from github_app.judge.forced import MOST
from github_app.judge.memory import Memory, Remembered
from github_app.judge.outcome import SEVERITY, Outcome, Verdict, cannot_judge, worst
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import report
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from github_app.judge.verdict import judge, remember
from github_app.judge.wants import Want
from tests.judge.build import (
    HEAD,
    IDS,
    OLD,
    a_pull,
    ai_commit,
    approval,
    at,
    bot,
    changes,
    comment,
    commit,
    dismissal,
    event,
    identity,
    labeled,
    push,
    review,
    stranger,
    user,
    with_commits,
)
from tests.judge.usual_roster import a_roster

ROSTER = a_roster()
CATALOGUE = shipped_catalogue()
NOTHING = Memory()


def judged(pull: PullRequest, memory: Memory = NOTHING) -> Verdict:
    return judge(pull, ROSTER, memory, CATALOGUE)


HUMAN = (commit(),)


@pytest.mark.parametrize(
    ("pull", "outcome", "code"),
    [
        pytest.param(a_pull(commits=HUMAN), Outcome.NOT_AI, Code.NO_AI_MARK, id="no-mark"),
        pytest.param(a_pull(), Outcome.WAITING, Code.NOBODY_YET, id="trailer"),
        pytest.param(
            a_pull(
                commits=HUMAN, labels=("ai-assisted",), timeline=(labeled("ai-assisted", "kim"),)
            ),
            Outcome.WAITING,
            Code.NOBODY_YET,
            id="label",
        ),
        pytest.param(
            a_pull(commits=HUMAN, author=bot("copilot-swe-agent", 198982749)),
            Outcome.WAITING,
            Code.NOBODY_YET,
            id="agent-as-opener",
        ),
        pytest.param(
            a_pull(commits=HUMAN, author=bot("brand-new-thing")),
            Outcome.WAITING,
            Code.NOBODY_YET,
            id="unknown-bot-as-opener",
        ),
        pytest.param(
            a_pull(
                commits=HUMAN,
                body="Fix.\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)",
            ),
            Outcome.WAITING,
            Code.NOBODY_YET,
            id="footer-in-the-body",
        ),
        pytest.param(a_pull(approval("grace")), Outcome.SIGNED_OFF, Code.SIGNED, id="signed"),
        pytest.param(
            a_pull(changes("grace")), Outcome.OBJECTED, Code.CHANGES_REQUESTED, id="objected"
        ),
        pytest.param(
            a_pull(changes("grace"), commits=HUMAN),
            Outcome.NOT_AI,
            Code.NO_AI_MARK,
            id="no-ai-no-business-of-ours",
        ),
        pytest.param(
            a_pull(author=user("grace"), commits=(ai_commit(by="grace"),), pushes=(push("grace"),)),
            Outcome.EXEMPT,
            Code.EVERYONE_SENIOR,
            id="everyone-senior",
        ),
        pytest.param(a_pull(draft=True), Outcome.WAITING, Code.NOBODY_YET, id="drafts-are-judged"),
    ],
)
def test_outcome(pull: PullRequest, outcome: Outcome, code: Code) -> None:
    verdict = judged(pull)
    assert (verdict.outcome, verdict.reasons[0].code) == (outcome, code)


SENIOR = a_pull(author=user("grace"), commits=(ai_commit(by="grace"),), pushes=(push("grace"),))


@pytest.mark.parametrize(
    ("pull", "code"),
    [
        pytest.param(replace(SENIOR, pushes=()), Code.EXEMPT_PUSHERS_UNKNOWN, id="empty-pushes"),
        pytest.param(replace(SENIOR, pushes=None), Code.EXEMPT_PUSHERS_UNKNOWN, id="not-asked"),
        pytest.param(replace(SENIOR, pushes=(push("june"),)), Code.EXEMPT_PUSHER, id="pusher"),
        pytest.param(
            replace(SENIOR, pushes=(push("grace"), push("june", OLD))),
            Code.EXEMPT_PUSHER,
            id="an-earlier-pusher",
        ),
        pytest.param(
            replace(SENIOR, commits=(ai_commit(by="june"),)), Code.EXEMPT_COMMIT, id="author"
        ),
        pytest.param(
            replace(SENIOR, commits=(ai_commit(by=stranger()),)), Code.EXEMPT_COMMIT, id="stranger"
        ),
    ],
)
def test_what_speaks_against_an_exemption(pull: PullRequest, code: Code) -> None:
    verdict = judged(pull)
    assert verdict.outcome is Outcome.WAITING
    assert code in codes(verdict)


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(replace(SENIOR, author=user("june")), id="junior-opener"),
        pytest.param(replace(SENIOR, author=user("bob")), id="unlisted-opener"),
        pytest.param(replace(SENIOR, author=None), id="deleted-opener"),
        pytest.param(replace(SENIOR, author=bot("acme-codegen")), id="bot-opener"),
        pytest.param(replace(SENIOR, author=user("grace", 9)), id="reused-login"),
        pytest.param(replace(SENIOR, cross_repository=True), id="fork"),
    ],
)
def test_openers_that_are_never_exempt(pull: PullRequest) -> None:
    assert judged(pull).outcome is Outcome.WAITING


def codes(verdict: Verdict) -> list[Code]:
    return [reason.code for reason in verdict.reasons]


def test_a_tool_as_author_does_not_speak_against_an_exemption() -> None:
    tool = GitIdentity(name="Claude", email="noreply@anthropic.com")
    assert judged(replace(SENIOR, commits=(ai_commit(by=tool),))).outcome is Outcome.EXEMPT


def test_nobody_turns_the_exemption_off() -> None:
    roster = a_roster("sign_off: {from: senior, approvals: 1, exempt: nobody}\n")
    assert judge(SENIOR, roster, NOTHING, CATALOGUE).outcome is Outcome.WAITING


def test_who_pushed_is_asked_for_where_it_matters_and_not_elsewhere() -> None:
    unasked = a_pull(pushes=None)
    assert judged(unasked).wants == frozenset()
    assert judged(replace(unasked, reviews=(approval("grace"),))).wants == {Want.PUSHES}
    assert judged(replace(SENIOR, pushes=None)).wants == {Want.PUSHES}
    assert judged(replace(SENIOR, pushes=None, cross_repository=True)).wants == frozenset()


class TestWaiting:
    def test_names_who_can_sign_and_nobody_else(self) -> None:
        assert [person.login for person in judged(a_pull()).signers] == ["grace", "alan", "ada"]

    def test_a_contributor_is_not_named(self) -> None:
        pull = with_commits(a_pull(), [commit(OLD, "grace"), ai_commit(HEAD)])
        assert "grace" not in [person.login for person in judged(pull).signers]

    def test_says_when_nobody_can(self) -> None:
        commits = [commit(str(n) * 40, who) for n, who in enumerate(("grace", "alan", "ada"))]
        verdict = judged(with_commits(a_pull(), [*commits, ai_commit(HEAD)]))
        assert (verdict.outcome, codes(verdict)[0]) == (Outcome.WAITING, Code.NOBODY_CAN)
        assert verdict.signers == ()

    def test_counts_what_is_there(self) -> None:
        roster = a_roster("sign_off: {from: senior, approvals: 2, exempt: nobody}\n")
        verdict = judge(a_pull(approval("grace")), roster, NOTHING, CATALOGUE)
        assert codes(verdict)[0] is Code.MORE_NEEDED
        assert [person.login for person in verdict.signers] == ["alan", "ada"]


class TestClearing:
    """``not-ai-assisted``, set by an entitled senior, after the evidence was seen."""

    seen = remember(a_pull(), ROSTER.detection, NOTHING, CATALOGUE)
    everybody = dict.fromkeys(IDS.values(), True)
    early = replace(seen, evidence=tuple(replace(item, first_seen=at(1)) for item in seen.evidence))

    def cleared_by(self, who: str, **more: object) -> Verdict:
        event = labeled(CLEARING_LABEL, who)
        pull = a_pull(labels=(CLEARING_LABEL,), timeline=(event,), can_push=self.everybody)
        return judged(replace(pull, **more), self.early)  # type: ignore[arg-type] # fields

    def test_by_a_senior(self) -> None:
        verdict = self.cleared_by("grace")
        assert (verdict.outcome, codes(verdict)[0]) == (Outcome.NOT_AI, Code.EVIDENCE_CLEARED)
        assert verdict.cleared
        assert not verdict.evidence

    @pytest.mark.parametrize("who", ["kim", "june", "bob"])
    def test_not_by_anybody_below(self, who: str) -> None:
        verdict = self.cleared_by(who)
        assert verdict.outcome is Outcome.WAITING
        assert Code.CLEARING_IGNORED in codes(verdict)

    def test_not_by_a_contributor(self) -> None:
        assert self.cleared_by("grace", pushes=(push("grace"),)).outcome is Outcome.WAITING

    def test_not_by_a_bot_of_the_same_name(self) -> None:
        timeline = (labeled(CLEARING_LABEL, bot("grace", 1906)),)
        assert self.cleared_by("grace", timeline=timeline).outcome is Outcome.WAITING

    def test_not_below_the_level_that_a_rule_asks_for(self) -> None:
        roster = a_roster(
            """
            sign_off: {from: senior, approvals: 1, exempt: senior}
            rules: [{name: money, paths: ["shop/**"], from: principal}]
            """
        )
        for who, outcome in (("grace", Outcome.WAITING), ("ada", Outcome.NOT_AI)):
            event = labeled(CLEARING_LABEL, who)
            pull = a_pull(labels=(CLEARING_LABEL,), timeline=(event,), can_push=self.everybody)
            assert judge(pull, roster, self.early, CATALOGUE).outcome is outcome

    def test_not_by_somebody_who_may_have_written_it(self) -> None:
        hidden = (ai_commit(by=stranger()),)
        verdict = self.cleared_by("grace", commits=hidden, pushes=None, cross_repository=True)
        assert verdict.outcome is Outcome.WAITING
        assert Code.CLEARING_IGNORED in codes(verdict)
        assert Want.PUSHES not in verdict.wants

    def test_who_pushed_is_asked_for_before_it_is_refused(self) -> None:
        """A commit of nobody's: the pushers may show that it is not the clearer's."""
        hidden = (ai_commit(by=stranger()),)
        unasked = self.cleared_by("grace", commits=hidden, pushes=None)
        assert (unasked.outcome, set(unasked.wants)) == (Outcome.WAITING, {Want.PUSHES})
        told = self.cleared_by("grace", commits=hidden, pushes=(push("june"),))
        assert told.outcome is Outcome.NOT_AI
        gap = self.cleared_by("grace", commits=hidden, pushes=())
        assert gap.outcome is Outcome.WAITING
        assert Code.CLEARING_IGNORED in codes(gap)

    def test_who_pushed_is_asked_for_before_it_counts(self) -> None:
        assert self.cleared_by("grace", pushes=None).wants == {Want.PUSHES}

    @pytest.mark.parametrize(
        ("may", "outcome"),
        [
            pytest.param({}, Outcome.WAITING, id="not-known"),
            pytest.param({1906: False}, Outcome.WAITING, id="no"),
            pytest.param({1815: True}, Outcome.WAITING, id="of-another"),
            pytest.param({1906: True}, Outcome.NOT_AI, id="yes"),
        ],
    )
    def test_not_by_somebody_who_may_not_push(self, may: dict[int, bool], outcome: Outcome) -> None:
        verdict = self.cleared_by("grace", can_push=may)
        assert verdict.outcome is outcome
        assert (Want.MAY_PUSH in verdict.wants) == (1906 not in may)

    @pytest.mark.parametrize("can_push", [True, False])
    def test_the_right_to_push_is_known_of_a_reviewer(self, *, can_push: bool) -> None:
        reviews = (review("grace", ReviewState.COMMENTED, can_push=can_push),)
        verdict = self.cleared_by("grace", can_push={}, reviews=reviews)
        assert (verdict.outcome is Outcome.NOT_AI) == can_push
        assert Want.MAY_PUSH not in verdict.wants

    def test_nobody_is_asked_about_who_may_not_anyway(self) -> None:
        for who in ("kim", "june", "bob"):
            assert self.cleared_by(who, can_push={}, pushes=None).wants == frozenset()

    def test_an_objection_does_not_outlive_the_clearing(self) -> None:
        verdict = self.cleared_by("grace", reviews=(changes("ada"),), can_push={})
        assert (verdict.outcome, set(verdict.wants)) == (Outcome.OBJECTED, {Want.MAY_PUSH})
        assert self.cleared_by("grace", reviews=(changes("ada"),)).outcome is Outcome.NOT_AI

    def test_not_once_the_label_is_gone(self) -> None:
        assert self.cleared_by("grace", labels=()).outcome is Outcome.WAITING

    def test_not_when_somebody_else_put_it_back(self) -> None:
        timeline = (
            labeled(CLEARING_LABEL, "grace", minutes=10),
            event(EventKind.UNLABELED, "june", minutes=11, label=CLEARING_LABEL),
            labeled(CLEARING_LABEL, "june", minutes=12),
        )
        assert self.cleared_by("grace", timeline=timeline).outcome is Outcome.WAITING

    @pytest.mark.parametrize(
        ("edited", "cleared"),
        [
            pytest.param(9, True, id="edited before"),
            pytest.param(10, False, id="edited in the same second"),
            pytest.param(11, False, id="edited after"),
            pytest.param(None, False, id="not known"),
        ],
    )
    def test_not_by_a_label_renamed_into_it(self, edited: float | None, *, cleared: bool) -> None:
        when = None if edited is None else at(edited)
        event = replace(labeled(CLEARING_LABEL, "grace", minutes=10), label_edited_at=when)
        verdict = self.cleared_by("grace", timeline=(event,))
        assert (verdict.outcome is Outcome.NOT_AI) == cleared
        assert (Code.LABEL_EDITED in codes(verdict)) == (not cleared)

    def test_not_what_came_later(self) -> None:
        pull = a_pull(labels=(CLEARING_LABEL,), timeline=(labeled(CLEARING_LABEL, "grace"),))
        assert judged(pull, NOTHING).outcome is Outcome.WAITING

    def test_a_label_without_its_event_clears_nothing(self) -> None:
        assert self.cleared_by("grace", timeline=()).outcome is Outcome.WAITING


class TestMemory:
    def test_evidence_seen_once_stays(self) -> None:
        memory = remember(a_pull(), ROSTER.detection, NOTHING, CATALOGUE)
        verdict = judged(a_pull(commits=HUMAN), memory)
        assert verdict.outcome is Outcome.WAITING

    def test_a_removed_label_stays_through_the_timeline(self) -> None:
        timeline = (
            labeled("ai-assisted", "kim"),
            event(EventKind.UNLABELED, "june", minutes=11, label="ai-assisted"),
        )
        assert judged(a_pull(commits=HUMAN, timeline=timeline)).outcome is Outcome.WAITING

    def test_an_edited_body_stays_through_its_history(self) -> None:
        edits = (
            BodyEdit(edited_at=at(2), editor=user("june"), text="A fix."),
            BodyEdit(
                edited_at=at(0),
                editor=user("june"),
                text="A fix.\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)",
            ),
        )
        assert judged(a_pull(commits=HUMAN, body="A fix.", body_edits=edits)).outcome is (
            Outcome.WAITING
        )


def test_strict_mode_waits_for_a_declaration() -> None:
    roster = a_roster(
        "sign_off: {from: senior, approvals: 1, exempt: senior}\n"
        "detection: {require_declaration: true}\n"
    )
    silent = judge(a_pull(commits=HUMAN), roster, NOTHING, CATALOGUE)
    assert (silent.outcome, codes(silent)) == (Outcome.WAITING, [Code.DECLARATION_MISSING])
    declared = a_pull(commits=HUMAN, body="AI-assisted: no")
    assert judge(declared, roster, NOTHING, CATALOGUE).outcome is Outcome.NOT_AI
    contradicted = a_pull(body="AI-assisted: no")
    assert judge(contradicted, roster, NOTHING, CATALOGUE).outcome is Outcome.WAITING


def test_a_rule_raises_what_is_needed() -> None:
    roster = a_roster(
        """
        sign_off: {from: senior, approvals: 1, exempt: senior}
        rules:
          - name: money
            why: it is other people's
            paths: ["shop/**"]
            from: principal
        """
    )
    verdict = judge(a_pull(approval("grace")), roster, NOTHING, CATALOGUE)
    assert verdict.outcome is Outcome.WAITING
    assert [person.login for person in verdict.signers] == ["ada"]
    assert Code.RULE_RAISED in codes(verdict)
    assert judge(a_pull(approval("ada")), roster, NOTHING, CATALOGUE).outcome is Outcome.SIGNED_OFF


def test_the_worst_verdict_of_a_commit_wins() -> None:
    clean = judged(a_pull(commits=HUMAN, number=7))
    waiting = judged(a_pull(number=8))
    verdict = worst(clean, (waiting,))
    assert verdict.outcome is Outcome.WAITING
    assert verdict.reasons[-1] == Reason(code=Code.TWIN_WORSE, detail="#8")


def test_the_worst_verdict_is_the_same_whichever_was_judged() -> None:
    """Each of them is read on the other's page, and a change of words is another check run."""
    clean = judged(a_pull(commits=HUMAN, number=7))
    waiting = judged(a_pull(number=8))
    waiting_too = judged(a_pull(number=9))
    said = worst(clean, (waiting, waiting_too))
    assert worst(waiting, (clean, waiting_too)) == said
    assert worst(waiting_too, (waiting, clean)) == said


def test_equal_verdicts_are_each_one_s_own() -> None:
    one, other = judged(a_pull(number=8)), judged(a_pull(number=9))
    assert worst(other, (one,)) is other


def test_every_outcome_has_its_severity() -> None:
    assert set(SEVERITY) == set(Outcome)
    first_green = next(i for i, outcome in enumerate(SEVERITY) if outcome.green)
    assert not any(outcome.green for outcome in SEVERITY[:first_green])
    assert all(outcome.green for outcome in SEVERITY[first_green:])


def test_cannot_judge_is_not_green() -> None:
    verdict = cannot_judge(a_pull(), Reason(code=Code.ROSTER_MISSING))
    assert not verdict.outcome.green


def test_observing_is_by_repository() -> None:
    roster = a_roster(
        "sign_off: {from: senior, approvals: 1, exempt: senior}\n"
        "rollout: {mode: enforce, observe: [acme/legacy-*]}\n"
    )
    legacy = Repository(id=78, owner="acme", name="legacy-shop", default_branch="main")
    assert not judge(a_pull(), roster, NOTHING, CATALOGUE).observing
    assert judge(a_pull(repository=legacy), roster, NOTHING, CATALOGUE).observing


# --- properties ----------------------------------------------------------------------------------

BELOW = ["kim", "june", "bob", "mallory"]
_reviews = st.builds(
    review,
    st.sampled_from([*BELOW, "grace", "ada", "alan"]),
    st.sampled_from(list(ReviewState)),
    st.sampled_from([HEAD, OLD, None]),
    can_push=st.sampled_from([True, False, None]),
)
_below = st.builds(
    review,
    st.sampled_from([user(name) for name in BELOW] + [bot("grace", 1906), user("grace", 9), None]),
    st.sampled_from(list(ReviewState)),
    st.sampled_from([HEAD, OLD, None]),
)


@given(reviews=st.lists(_reviews, max_size=8), more=_below, place=st.integers(0, 8))
@settings(deadline=None)
def test_a_review_from_below_never_turns_a_verdict_green(
    reviews: list[Review], more: Review, place: int
) -> None:
    before = judged(a_pull(*reviews))
    with_more = [*reviews[:place], more, *reviews[place:]]
    after = judged(a_pull(*with_more))
    assert before.outcome.green or not after.outcome.green


@given(reviews=st.lists(_reviews, max_size=6), by=st.sampled_from(BELOW))
@settings(deadline=None)
def test_dismissing_never_turns_a_verdict_green(reviews: list[Review], by: str) -> None:
    """Not by somebody who could not sign, whatever it was, and whoever has approved."""
    before = judged(a_pull(*reviews))
    for which, gone in enumerate(reviews):
        if gone.state not in {ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED}:
            continue
        left = list(reviews)
        left[which] = replace(gone, state=ReviewState.DISMISSED)
        events = (dismissal(gone, by, gone.state),)
        after = judged(a_pull(*left, timeline=events))
        assert before.outcome.green or not after.outcome.green


@given(body=st.booleans(), label=st.booleans(), trailer=st.booleans(), branch=st.booleans())
@settings(deadline=None)
def test_taking_a_source_away_never_loses_what_memory_holds(
    body: bool, label: bool, trailer: bool, branch: bool
) -> None:
    full = a_pull(
        body="🤖 Generated with [Claude Code](https://claude.com/claude-code)",
        labels=("ai-assisted",),
        head_ref="claude/fix-a1B2c3",
    )
    memory = remember(full, ROSTER.detection, NOTHING, CATALOGUE)
    stripped = replace(
        full,
        body=full.body if body else "",
        labels=full.labels if label else (),
        commits=full.commits if trailer else HUMAN,
        head_ref=full.head_ref if branch else "fix",
    )
    verdict = judged(stripped, memory)
    assert verdict.outcome is Outcome.WAITING
    assert {item.signal for item in verdict.evidence} >= {i.signal for i in memory.evidence}


@given(st.permutations(list(detect(a_pull(labels=("ai-assisted",)), ROSTER.detection, CATALOGUE))))
@settings(deadline=None)
def test_the_order_of_memory_does_not_change_the_verdict(signals: list[Signal]) -> None:
    evidence = tuple(Remembered(signal=s, first_seen=at(1), origin=12) for s in signals)
    verdict = judged(a_pull(labels=("ai-assisted",)), Memory(evidence=evidence))
    again = judged(a_pull(labels=("ai-assisted",)), Memory(evidence=evidence[::-1]))
    assert verdict == again


def test_weak_evidence_alone_is_not_enough() -> None:
    weak = Signal(
        tool="claude", kind=SignalKind.BRANCH, confidence=Confidence.WEAK, place=Place.BRANCH
    )
    memory = Memory(evidence=(Remembered(signal=weak, first_seen=at(1), origin=12),))
    assert judged(a_pull(commits=HUMAN), memory).outcome is Outcome.NOT_AI


def test_comments_change_nothing() -> None:
    pull = a_pull(approval("grace"))
    with_comments = replace(pull, reviews=(comment("ada"), *pull.reviews, comment("grace")))
    assert judged(with_comments).outcome is judged(pull).outcome


def test_identity_is_not_the_name() -> None:
    named = GitIdentity(name="Claude Monet", email="claude@monet.example", user=user("monet", 77))
    assert judged(a_pull(commits=(commit(by=named),))).outcome is Outcome.NOT_AI
    assert identity("june").user == user("june")


def test_nothing_to_merge_is_not_green() -> None:
    """An approval of it is none of anything."""
    pull = replace(a_pull(approval("grace")), commits=(), files=())
    verdict = judge(pull, ROSTER, Memory(), CATALOGUE)
    assert verdict.outcome is Outcome.CANNOT_JUDGE
    assert [reason.code for reason in verdict.reasons] == [Code.NO_COMMITS]


class TestForcedAway:
    """Commits that were there before a force-push, read where the change looks clean."""

    pushed = event(EventKind.FORCE_PUSHED, "june", before=OLD, after=HEAD)
    clean = a_pull(commits=(commit(),), timeline=(pushed,))

    def test_asked_for_where_nothing_marks_the_change(self) -> None:
        assert judged(self.clean).wants == {Want.FORMER}
        assert judged(replace(self.clean, commits=(ai_commit(),))).wants == frozenset()

    def test_not_where_nothing_was_forced_away(self) -> None:
        for before in (None, HEAD):
            event = replace(self.pushed, before=before)
            assert judged(replace(self.clean, timeline=(event,))).wants == frozenset()

    def test_a_mark_in_one_of_them(self) -> None:
        verdict = judged(replace(self.clean, former_commits=(ai_commit(OLD),)))
        assert verdict.outcome is Outcome.WAITING
        assert verdict.evidence[0].signal.ref == OLD

    def test_no_mark_in_any(self) -> None:
        verdict = judged(replace(self.clean, former_commits=(commit(OLD),)))
        assert (verdict.outcome, set(verdict.wants)) == (Outcome.NOT_AI, set())

    @pytest.mark.parametrize(
        ("number", "judged_before", "outcome"),
        [
            pytest.param(MOST, 0, Outcome.NOT_AI, id="as-many-as-are-read"),
            pytest.param(MOST + 1, 0, Outcome.WAITING, id="one-more"),
            pytest.param(MOST + 1, 1, Outcome.NOT_AI, id="one-of-them-was-judged"),
            pytest.param(300, 300, Outcome.NOT_AI, id="all-of-them-were"),
        ],
    )
    def test_more_than_can_be_read_may_have_been_anything(
        self, number: int, judged_before: int, outcome: Outcome
    ) -> None:
        oids = [f"{count:040x}" for count in range(number)]
        timeline = tuple(replace(self.pushed, before=oid) for oid in oids)
        known = Memory(heads=frozenset(oids[:judged_before]))
        asked = judged(replace(self.clean, timeline=timeline), known)
        read = judged(replace(self.clean, timeline=timeline, former_commits=()), known)
        assert read.outcome is outcome
        if outcome is Outcome.NOT_AI:
            assert len(asked.forced_away) == min(number, MOST)
            unseen = set(oids[judged_before:])
            assert unseen <= set(asked.forced_away)
            return
        assert Code.FORCED_AWAY_UNREAD in codes(read)
        said = report(read, web_url="https://github.example")
        assert said.summary.startswith("**Too much was forced away unseen to know that no AI took")
        signed = judged(replace(read.pull, reviews=(approval("grace"),)), known)
        assert signed.outcome is Outcome.SIGNED_OFF

    def test_only_some_of_them_are_listed(self) -> None:
        some = replace(self.clean, former_commits=(commit(OLD),), former_complete=False)
        verdict = judged(some)
        assert (verdict.outcome, set(verdict.wants)) == (Outcome.WAITING, set())
        assert Code.FORCED_AWAY_UNREAD in codes(verdict)

    @pytest.mark.parametrize(
        ("minutes", "wants"),
        [
            pytest.param(19, set(), id="gone-before"),
            pytest.param(20, {Want.FORMER}, id="in-that-second"),
            pytest.param(21, {Want.FORMER}, id="gone-since"),
        ],
    )
    def test_what_was_gone_when_it_was_set_aside_is_not_asked_for(
        self, minutes: float, wants: set[Want]
    ) -> None:
        pull = replace(
            self.clean,
            labels=(CLEARING_LABEL,),
            timeline=(
                labeled(CLEARING_LABEL, "grace", minutes=20),
                replace(self.pushed, at=at(minutes)),
            ),
            can_push={IDS["grace"]: True},
            pushes=(push("june"),),
        )
        seen = remember(replace(pull, commits=(ai_commit(),)), ROSTER.detection, NOTHING, CATALOGUE)
        memory = replace(
            seen, evidence=tuple(replace(item, first_seen=at(1)) for item in seen.evidence)
        )
        verdict = judged(pull, memory)
        assert verdict.reasons[0].code is Code.EVIDENCE_CLEARED
        assert set(verdict.wants) == wants
        assert verdict.forced_away == ((OLD,) if wants else ())
