"""Which approvals count: a row for each rule, and one for each that it must refuse."""

from dataclasses import replace

import pytest

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.facts import (
    Actor,
    ActorKind,
    Commit,
    EventKind,
    GitIdentity,
    PullRequest,
    Review,
    ReviewState,
)
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome, RosterChange, Verdict
from github_app.judge.reasons import Code
from github_app.judge.signoff import standing_opinions
from github_app.judge.verdict import judge
from github_app.judge.wants import Want
from tests.judge.build import (
    BASE,
    HEAD,
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
    dismissed,
    event,
    identity,
    push,
    stranger,
    user,
    with_commits,
)
from tests.judge.usual_roster import PEOPLE, a_roster

ROSTER = a_roster()


def judged(pull: PullRequest, memory: Memory | None = None, **more: object) -> Verdict:
    change = more.get("change")
    assert change is None or isinstance(change, RosterChange)
    return judge(pull, ROSTER, memory or Memory(), shipped_catalogue(), change=change)


def objections(verdict: Verdict) -> list[Code]:
    return [reason.code for item in verdict.ignored for reason in item.reasons]


@pytest.mark.parametrize(
    ("reviews", "outcome"),
    [
        pytest.param([approval("grace")], Outcome.SIGNED_OFF, id="a-senior-on-the-head"),
        pytest.param([approval("ada")], Outcome.SIGNED_OFF, id="a-principal-is-senior-enough"),
        pytest.param([approval("GRACE")], Outcome.SIGNED_OFF, id="logins-ignore-case"),
        pytest.param([], Outcome.WAITING, id="empty-no-review"),
        pytest.param([approval("grace"), comment("grace")], Outcome.SIGNED_OFF, id="comment-after"),
        pytest.param([comment("grace")], Outcome.WAITING, id="a-comment-is-no-approval"),
        pytest.param([changes("grace")], Outcome.OBJECTED, id="changes-requested"),
        pytest.param([changes("grace"), comment("grace")], Outcome.OBJECTED, id="comment-lifts-no"),
        pytest.param([changes("grace"), approval("grace")], Outcome.SIGNED_OFF, id="lifted"),
        pytest.param([approval("grace"), changes("grace")], Outcome.OBJECTED, id="withdrawn"),
        pytest.param(
            [changes("grace"), approval("ada")], Outcome.OBJECTED, id="ada-lifts-no-other"
        ),
        pytest.param([changes("grace", OLD), approval("ada")], Outcome.OBJECTED, id="blocks-later"),
        pytest.param([changes("kim"), approval("ada")], Outcome.SIGNED_OFF, id="mid-cannot-block"),
        pytest.param(
            [changes("bob"), approval("ada")], Outcome.SIGNED_OFF, id="unlisted-blocks-no"
        ),
        pytest.param(
            [changes(bot("grace")), approval("ada")], Outcome.SIGNED_OFF, id="bot-blocks-no"
        ),
        pytest.param(
            [dismissed("grace"), approval("grace")], Outcome.SIGNED_OFF, id="approved-anew"
        ),
    ],
)
def test_outcome_of_reviews(reviews: list[Review], outcome: Outcome) -> None:
    assert judged(a_pull(*reviews)).outcome is outcome


@pytest.mark.parametrize(
    ("review", "codes"),
    [
        pytest.param(approval("kim"), [Code.BELOW_LEVEL], id="mid"),
        pytest.param(approval("bob"), [Code.NOT_LISTED], id="drive-by"),
        pytest.param(approval("grace", OLD), [Code.OLDER_HEAD], id="approve-then-push"),
        pytest.param(approval("grace", None), [Code.COMMIT_LOST], id="commit-lost"),
        pytest.param(approval(bot("grace", 1906)), [Code.NOT_A_PERSON], id="bot-with-her-name"),
        pytest.param(approval(bot("github-actions")), [Code.NOT_A_PERSON], id="actions"),
        pytest.param(
            approval(Actor(kind=ActorKind.MANNEQUIN, login="grace", id=1906)),
            [Code.NOT_A_PERSON],
            id="mannequin",
        ),
        pytest.param(
            approval(Actor(kind=ActorKind.UNKNOWN, login="grace", id=1906)),
            [Code.NOT_A_PERSON],
            id="a-type-of-the-future",
        ),
        pytest.param(approval(user("grace", 666)), [Code.IDENTITY_MISMATCH], id="reused-login"),
        pytest.param(approval(user("newname", 1906)), [Code.IDENTITY_MISMATCH], id="renamed"),
        pytest.param(
            approval(Actor(kind=ActorKind.USER, login="grace", id=None)),
            [Code.IDENTITY_MISMATCH],
            id="no-id",
        ),
        pytest.param(approval("grace", can_push=False), [Code.CANNOT_PUSH], id="lost-access"),
        pytest.param(approval("grace", can_push=None), [Code.CANNOT_PUSH], id="access-unknown"),
        pytest.param(approval(None), [Code.ACCOUNT_DELETED], id="deleted-account"),
        pytest.param(dismissed("kim"), [Code.DISMISSED], id="dismissed"),
        pytest.param(
            approval("kim", OLD), [Code.BELOW_LEVEL, Code.OLDER_HEAD], id="every-reason-is-told"
        ),
    ],
)
def test_objection(review: Review, codes: list[Code]) -> None:
    verdict = judged(a_pull(review))
    assert verdict.outcome is Outcome.WAITING
    assert objections(verdict) == codes


@pytest.mark.parametrize("was", [ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED])
def test_dismissing_the_newest_does_not_revive_an_older_approval(was: ReviewState) -> None:
    reviews = approval("grace"), changes("grace"), dismissed("grace")
    verdict = judged(a_pull(*reviews, timeline=(dismissal(reviews[-1], "grace", was),)))
    assert verdict.outcome is Outcome.WAITING
    assert objections(verdict) == [Code.DISMISSED]


def test_dismissing_the_newest_does_not_revive_older_changes_requested() -> None:
    reviews = changes("grace"), dismissed("grace"), approval("ada")
    events = (dismissal(reviews[1], "june", ReviewState.APPROVED),)
    verdict = judged(a_pull(*reviews, timeline=events))
    assert verdict.outcome is Outcome.SIGNED_OFF


AGENTS = {"cursoragent": 199161495, "codex": 700, "robo": 701}
WITH_AGENTS = a_roster(
    "sign_off: {from: senior, approvals: 1, exempt: senior}\n"
    "detection:\n  tools:\n    Robo: {logins: [robo]}\n",
    people=PEOPLE
    + "".join(f"  {who}: {{id: {id}, level: senior}}\n" for who, id in AGENTS.items()),
)


@pytest.mark.parametrize(
    ("who", "outcome"),
    [
        pytest.param(user("cursoragent", 199161495), Outcome.WAITING, id="a-known-agent"),
        pytest.param(user("robo", 701), Outcome.WAITING, id="one-that-the-organisation-knows"),
        pytest.param(user("codex", 700), Outcome.SIGNED_OFF, id="a-person-with-such-a-name"),
    ],
)
def test_an_agent_with_a_users_account_is_nobody_who_signs(who: Actor, outcome: Outcome) -> None:
    def found(pull: PullRequest, memory: Memory | None = None) -> Verdict:
        return judge(pull, WITH_AGENTS, memory or Memory(), shipped_catalogue())

    signed = found(a_pull(approval(who)))
    assert signed.outcome is outcome
    green = outcome is Outcome.SIGNED_OFF
    assert green or objections(signed) == [Code.NOT_A_PERSON]
    names = {person.login for person in found(a_pull()).signers}
    assert (who.login in names) == green
    theirs = {"author": who, "commits": (ai_commit(),), "pushes": (push(who),)}
    june_left_out = (ai_commit(by=identity("grace")),)
    exempt = found(a_pull(**theirs | {"commits": june_left_out}))
    assert (exempt.outcome is Outcome.EXEMPT) == green
    remembered = Memory(pushers=(who,), pushes=(push(who),))
    by_grace = a_pull(author=user("grace"), commits=june_left_out, pushes=None)
    assert (found(by_grace, remembered).outcome is Outcome.EXEMPT) == green


def test_one_person_counts_once() -> None:
    roster = a_roster("sign_off: {from: senior, approvals: 2, exempt: nobody}\n")
    pull = a_pull(approval("grace"), approval("Grace"))
    verdict = judge(pull, roster, Memory(), shipped_catalogue())
    assert verdict.outcome is Outcome.WAITING
    assert len(verdict.counted) == 1


def test_two_seniors_where_two_are_needed() -> None:
    roster = a_roster("sign_off: {from: senior, approvals: 2, exempt: nobody}\n")
    pull = a_pull(approval("grace"), approval("ada"))
    assert judge(pull, roster, Memory(), shipped_catalogue()).outcome is Outcome.SIGNED_OFF


GRACE_NOREPLY = "1906+grace@users.noreply.github.com"


@pytest.mark.parametrize(
    "pull",
    [
        pytest.param(a_pull(approval("grace"), author=user("grace")), id="opener"),
        pytest.param(a_pull(approval("grace"), commits=(ai_commit(by="grace"),)), id="author"),
        pytest.param(
            with_commits(
                a_pull(approval("grace")), [commit(OLD, "grace"), ai_commit(HEAD, "june")]
            ),
            id="author-of-an-earlier-commit",
        ),
        pytest.param(
            a_pull(approval("grace"), commits=(ai_commit(committer=identity("grace")),)),
            id="committer",
        ),
        pytest.param(
            a_pull(
                approval("grace"),
                commits=(ai_commit(authors=(identity("june"), identity("grace"))),),
            ),
            id="co-author-that-github-resolved",
        ),
        pytest.param(
            a_pull(
                approval("grace"),
                commits=(
                    commit(
                        message="x\n\nCo-authored-by: Claude <noreply@anthropic.com>\n"
                        f"co-authored-by: G <{GRACE_NOREPLY}>"
                    ),
                ),
            ),
            id="co-author-by-trailer",
        ),
        pytest.param(
            a_pull(
                approval("grace"),
                commits=(ai_commit(by=stranger("G", GRACE_NOREPLY.upper())),),
                pushes=(push("june"),),
            ),
            id="noreply-address-in-odd-case",
        ),
        pytest.param(a_pull(approval("grace"), pushes=(push("grace"),)), id="pusher"),
        pytest.param(
            a_pull(
                approval("grace"),
                timeline=(event(EventKind.FORCE_PUSHED, "grace", before=OLD, after=HEAD),),
            ),
            id="force-pusher",
        ),
        pytest.param(
            a_pull(
                approval("grace"),
                author=bot("copilot-swe-agent", 198982749),
                timeline=(
                    event(EventKind.ASSIGNED, bot("copilot-swe-agent"), subject=user("grace")),
                ),
            ),
            id="asker-of-an-agent-by-assignment",
        ),
        pytest.param(
            a_pull(
                approval("grace"),
                author=bot("copilot-swe-agent", 198982749),
                timeline=(
                    event(
                        EventKind.REVIEW_REQUESTED, bot("copilot-swe-agent"), subject=user("grace")
                    ),
                ),
            ),
            id="asker-of-an-agent-by-review-request",
        ),
    ],
)
def test_a_contributor_never_signs(pull: PullRequest) -> None:
    verdict = judged(pull)
    assert verdict.outcome is not Outcome.SIGNED_OFF
    assert Code.CONTRIBUTOR in objections(verdict)


def test_a_pusher_in_memory_never_signs() -> None:
    memory = Memory(pushers=(user("grace"),))
    verdict = judged(a_pull(approval("grace")), memory)
    assert objections(verdict) == [Code.CONTRIBUTOR]


@pytest.mark.parametrize(
    "timeline",
    [
        pytest.param(
            (event(EventKind.REVIEW_REQUESTED, "kim", subject=user("grace")),),
            id="a-colleague-asks-for-the-review-of-an-agents-work",
        ),
        pytest.param(
            (event(EventKind.ASSIGNED, "june", subject=user("grace")),),
            id="somebody-assigns-a-senior-to-take-them-out",
        ),
        pytest.param((), id="nobody-was-asked"),
    ],
)
def test_a_senior_who_was_only_asked_to_review_may_sign(timeline: tuple[object, ...]) -> None:
    pull = a_pull(approval("grace"), author=bot("copilot-swe-agent", 198982749))
    verdict = judged(replace(pull, timeline=timeline))  # type: ignore[arg-type] # events
    assert verdict.outcome is Outcome.SIGNED_OFF


WEB_SITE = GitIdentity(name="GitHub", email="noreply@github.com", user=user("web-flow", 19864447))


@pytest.mark.parametrize(
    ("author", "counts"),
    [
        pytest.param(stranger("Claude", "noreply@anthropic.com"), True, id="a-tool-by-its-address"),
        pytest.param(stranger("Aider", "aider@aider.chat"), True, id="another-tool"),
        pytest.param(stranger("Cursor Agent", "me@home.example"), True, id="a-tool-by-its-name"),
        pytest.param(
            stranger("Grace (aider)", "me@home.example"), False, id="somebody-with-a-tool"
        ),
        pytest.param(identity("june"), True, id="a-person"),
        pytest.param(
            replace(identity("june"), name="June (aider)"), True, id="a-person-with-a-tool"
        ),
        pytest.param(WEB_SITE, False, id="the-web-sites-address"),
        pytest.param(stranger(), False, id="nobody"),
    ],
)
def test_one_more_sign_off_where_the_writer_may_be_the_approver(
    author: GitIdentity, *, counts: bool
) -> None:
    """Who works with a tool is still who wrote it; and anybody can type GitHub's own address."""
    pull = a_pull(approval("grace"), commits=(ai_commit(by=author),), cross_repository=True)
    verdict = judged(replace(pull, pushes=None))
    assert (verdict.outcome is Outcome.SIGNED_OFF) == counts
    assert (Code.WRITER_UNKNOWN in [reason.code for reason in verdict.reasons]) != counts


@pytest.mark.parametrize("name", ["June (aider)", "Claude Code", "June"])
def test_a_juniors_commit_is_not_exempt_under_a_tools_name(name: str) -> None:
    work = replace(identity("june"), name=name)
    theirs = a_pull(author=user("grace"), commits=(ai_commit(by=work),), pushes=(push("grace"),))
    assert judged(theirs).outcome is Outcome.WAITING
    tool = stranger("Claude", "noreply@anthropic.com")
    exempt = replace(theirs, commits=(ai_commit(by=tool, committer=identity("grace")),))
    assert judged(exempt).outcome is Outcome.EXEMPT


HOME = "june@home.example"
CREDIT = (
    "Add a coupon field\n\nCo-authored-by: Claude <noreply@anthropic.com>\n"
    f"Co-authored-by: J <{HOME}>"
)


@pytest.mark.parametrize(
    ("work", "exempt"),
    [
        pytest.param(ai_commit(by="grace"), True, id="a-tool-helped"),
        pytest.param(commit(by="grace", message=CREDIT), False, id="somebody-by-trailer"),
        pytest.param(
            ai_commit(by="grace", authors=(identity("grace"), stranger("J", HOME))),
            False,
            id="somebody-whom-github-lists-without-an-account",
        ),
        pytest.param(
            commit(
                by="grace",
                message=CREDIT,
                authors=(identity("grace"), replace(identity("ada"), email=HOME.upper())),
            ),
            True,
            id="a-senior-whom-github-knows-by-that-address",
        ),
        pytest.param(
            ai_commit(by="grace", authors_complete=False), False, id="more-than-github-lists"
        ),
    ],
)
def test_every_co_author_must_be_known_for_an_exemption(work: Commit, *, exempt: bool) -> None:
    pull = a_pull(author=user("grace"), commits=(work,), pushes=(push("grace"),))
    verdict = judged(pull)
    assert (verdict.outcome is Outcome.EXEMPT) == exempt
    codes = [reason.code for reason in verdict.reasons]
    assert (Code.EXEMPT_COMMIT in codes) != exempt
    assert Code.WRITER_UNKNOWN not in codes


def test_the_web_site_as_committer_is_nobodys_work() -> None:
    web = stranger("GitHub", "noreply@github.com")
    pull = a_pull(approval("grace"), commits=(ai_commit(committer=web, committed_via_web=True),))
    assert judged(pull).outcome is Outcome.SIGNED_OFF


class TestUnknownWriter:
    """A commit that is tied to no account may be the approver's own."""

    hidden = ai_commit(by=stranger())

    def test_one_more_sign_off_where_the_pushers_are_unknown(self) -> None:
        pull = a_pull(approval("grace"), commits=(self.hidden,), pushes=None, cross_repository=True)
        verdict = judged(pull)
        assert verdict.outcome is Outcome.WAITING
        assert verdict.needed == 2
        assert Code.WRITER_UNKNOWN in [reason.code for reason in verdict.reasons]

    def test_two_sign_offs_are_enough(self) -> None:
        pull = a_pull(
            approval("grace"),
            approval("ada"),
            commits=(self.hidden,),
            pushes=None,
            cross_repository=True,
        )
        assert judged(pull).outcome is Outcome.SIGNED_OFF

    def test_known_pushers_rule_it_out(self) -> None:
        pull = a_pull(approval("grace"), commits=(self.hidden,), pushes=(push("june"),))
        assert judged(pull).outcome is Outcome.SIGNED_OFF

    @pytest.mark.parametrize(
        "pushes",
        [
            pytest.param((), id="empty-list"),
            pytest.param((push(None),), id="a-push-by-nobody"),
            pytest.param((push("june", OLD),), id="not-up-to-the-head"),
            pytest.param((push("june", HEAD, before=HEAD),), id="a-circle"),
            pytest.param((push("june", HEAD, before=OLD),), id="over-something-unheard-of"),
            pytest.param((push(bot("github-actions"), HEAD),), id="by-a-bot-for-anybody"),
        ],
    )
    def test_pushes_with_a_gap_do_not(self, pushes: tuple[object, ...]) -> None:
        pull = a_pull(approval("grace"), commits=(self.hidden,))
        verdict = judged(replace(pull, pushes=pushes))  # type: ignore[arg-type] # pushes
        assert verdict.outcome is Outcome.WAITING

    def test_a_branch_may_begin_at_a_commit_of_the_base(self) -> None:
        pull = a_pull(approval("grace"), commits=(self.hidden,), pushes=(push("june", HEAD, BASE),))
        assert judged(pull).outcome is Outcome.SIGNED_OFF

    def test_what_was_forced_away_is_followed_to_its_beginning(self) -> None:
        pushes = (push("june", HEAD, before=OLD), push("kim", OLD))
        pull = a_pull(approval("grace"), commits=(self.hidden,), pushes=pushes)
        assert judged(pull).outcome is Outcome.SIGNED_OFF

    def test_a_gap_in_the_middle_does_not(self) -> None:
        middle = "d" * 40
        pull = with_commits(
            a_pull(approval("grace")),
            [commit(OLD, stranger()), commit(middle), ai_commit(HEAD)],
        )
        pull = replace(pull, pushes=(push("june", HEAD, before=middle), push("june", OLD, BASE)))
        assert judged(pull).outcome is Outcome.WAITING


def test_who_a_roster_change_would_raise_does_not_sign_it() -> None:
    pull = a_pull(approval("grace"))
    verdict = judged(pull, change=RosterChange(raised=frozenset({"grace"})))
    assert verdict.outcome is Outcome.WAITING
    assert objections(verdict) == [Code.RAISED_BY_CHANGE]


def test_a_roster_change_needs_a_sign_off_without_any_ai() -> None:
    pull = a_pull(commits=(commit(),))
    assert judged(pull).outcome is Outcome.NOT_AI
    assert judged(pull, change=RosterChange()).outcome is Outcome.WAITING
    signed = replace(pull, reviews=(approval("grace"),))
    assert judged(signed, change=RosterChange()).outcome is Outcome.SIGNED_OFF


def test_standing_opinions_are_by_account_and_in_order() -> None:
    first, second, last = approval("grace"), approval("ada"), changes("grace")
    assert standing_opinions([first, comment("ada"), second, last]) == (second, last)


def test_the_opinion_that_was_submitted_last_stands_whenever_it_was_begun() -> None:
    """A review that was begun first and kept as a draft comes first in GitHub's list."""
    draft = replace(changes("grace"), submitted_at=at(60))
    verdict = judged(a_pull(draft, approval("grace")))
    assert verdict.outcome is Outcome.OBJECTED
    again = replace(approval("grace"), submitted_at=at(90))
    assert judged(a_pull(again, draft)).outcome is Outcome.SIGNED_OFF


LATER = 10_000  # minutes: after every approval that is made here
RETARGETED = event(EventKind.BASE_CHANGED, "june", minutes=LATER, before="easy", after="main")


@pytest.mark.parametrize(
    ("pull", "counts"),
    [
        pytest.param(a_pull(approval("grace")), True, id="never"),
        pytest.param(a_pull(approval("grace"), timeline=(RETARGETED,)), False, id="later"),
        pytest.param(
            a_pull(approval("grace"), timeline=(replace(RETARGETED, at=at(1)),)), True, id="earlier"
        ),
        pytest.param(
            a_pull(replace(approval("grace"), submitted_at=at(LATER)), timeline=(RETARGETED,)),
            False,
            id="in-the-same-second",
        ),
        pytest.param(
            a_pull(replace(approval("grace"), submitted_at=None), timeline=(RETARGETED,)),
            False,
            id="nobody-knows-when",
        ),
        pytest.param(
            a_pull(
                approval("grace"), timeline=(replace(RETARGETED, kind=EventKind.BASE_FORCE_PUSHED),)
            ),
            False,
            id="base-rewritten",
        ),
        pytest.param(
            a_pull(
                approval("grace"),
                timeline=(replace(RETARGETED, kind=EventKind.BASE_CHANGED_BY_GITHUB),),
            ),
            False,
            id="by-github",
        ),
        pytest.param(
            a_pull(approval("grace"), timeline=(replace(RETARGETED, kind=EventKind.REOPENED),)),
            False,
            id="reopened-perhaps-on-a-base-made-anew",
        ),
        pytest.param(
            a_pull(approval("grace"), timeline=(replace(RETARGETED, kind=EventKind.CLOSED),)),
            True,
            id="something-else",
        ),
    ],
)
def test_an_approval_is_of_a_change_to_one_base(pull: PullRequest, *, counts: bool) -> None:
    verdict = judged(pull)
    assert bool(verdict.counted) is counts
    assert objections(verdict) == ([] if counts else [Code.BASE_CHANGED])
    assert (Want.BASE in verdict.wants) is (not counts)
    assert verdict.moved == (() if counts else pull.reviews)
    proven = judge(
        pull,
        ROSTER,
        Memory(),
        shipped_catalogue(),
        same_base=frozenset({pull.reviews[0].id}),
    )
    assert proven.outcome is Outcome.SIGNED_OFF


def test_a_base_is_not_asked_about_for_an_approval_that_counts_for_nothing() -> None:
    verdict = judged(a_pull(approval("kim"), timeline=(RETARGETED,)))
    assert Code.BASE_CHANGED in objections(verdict)
    assert Want.BASE not in verdict.wants
