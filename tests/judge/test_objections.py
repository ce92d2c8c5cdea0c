"""Changes requested: what lifts them, and whose dismissal of them is worth anything."""

from dataclasses import replace
from typing import Any

import pytest

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.facts import Actor, ActorKind, Event, PullRequest, Review, ReviewState
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome, RosterChange, Verdict
from github_app.judge.reasons import Code
from github_app.judge.report import report
from github_app.judge.roster import Roster
from github_app.judge.verdict import judge
from github_app.judge.wants import Want
from tests.judge.build import (
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
    identity,
    push,
    stranger,
    user,
    with_commits,
)
from tests.judge.usual_roster import a_roster

ROSTER = a_roster()
PRINCIPALS = a_roster("sign_off: {from: senior, approvals: 1, exempt: nobody}\nrules:\n"
                      "  - {name: all, from: principal}\n")  # fmt: skip
ALAN_MAY = {1912: True}


def judged(pull: PullRequest, **more: Any) -> Verdict:
    return judge(pull, more.pop("roster", ROSTER), Memory(), shipped_catalogue(), **more)


def gone(by: str | Actor | None, *others: Review, **more: Any) -> PullRequest:
    """June's change: grace asked for changes, ``by`` dismissed that, and ada approves."""
    theirs = replace(dismissed("grace"), submitted_at=at(1))
    was = more.pop("was", ReviewState.CHANGES_REQUESTED)
    values: dict[str, Any] = {"timeline": (dismissal(theirs, by, was),), "can_push": ALAN_MAY}
    return a_pull(theirs, approval("ada"), *others, **(values | more))


HIDDEN = (ai_commit(by=stranger()),)


@pytest.mark.parametrize(
    ("pull", "outcome"),
    [
        pytest.param(gone("june"), Outcome.OBJECTED, id="by-the-author"),
        pytest.param(gone("kim"), Outcome.OBJECTED, id="by-somebody-below-the-level"),
        pytest.param(gone("bob"), Outcome.OBJECTED, id="by-somebody-unlisted"),
        pytest.param(gone("grace"), Outcome.SIGNED_OFF, id="by-herself"),
        pytest.param(gone("Grace"), Outcome.SIGNED_OFF, id="by-herself-in-odd-case"),
        pytest.param(gone("alan"), Outcome.SIGNED_OFF, id="by-a-peer"),
        pytest.param(gone("ada"), Outcome.SIGNED_OFF, id="by-the-one-who-approves"),
        pytest.param(gone(user("grace", 666)), Outcome.OBJECTED, id="by-a-stranger-of-her-name"),
        pytest.param(gone(bot("grace", 1906)), Outcome.OBJECTED, id="by-a-bot-of-her-name"),
        pytest.param(gone(bot("github-actions")), Outcome.OBJECTED, id="by-a-workflow"),
        pytest.param(
            gone(Actor(kind=ActorKind.MANNEQUIN, login="alan", id=1912)),
            Outcome.OBJECTED,
            id="by-a-mannequin",
        ),
        pytest.param(gone(None), Outcome.OBJECTED, id="by-a-deleted-account"),
        pytest.param(gone("alan", can_push={1912: False}), Outcome.OBJECTED, id="lost-access"),
        pytest.param(gone("alan", can_push={}), Outcome.OBJECTED, id="access-unknown"),
        pytest.param(
            gone("alan", comment("alan"), can_push={}),
            Outcome.SIGNED_OFF,
            id="access-is-known-of-a-reviewer",
        ),
        pytest.param(
            gone("alan", commits=(ai_commit(committer=identity("alan")),)),
            Outcome.OBJECTED,
            id="by-a-contributor",
        ),
        pytest.param(
            gone("alan", pushes=(push("alan"),)), Outcome.OBJECTED, id="by-one-who-pushed"
        ),
        pytest.param(gone("alan", author=user("alan")), Outcome.OBJECTED, id="by-a-senior-author"),
        pytest.param(
            gone("alan", commits=HIDDEN, pushes=()),
            Outcome.OBJECTED,
            id="by-who-may-have-written-it",
        ),
        pytest.param(
            gone("alan", commits=HIDDEN), Outcome.SIGNED_OFF, id="who-pushed-rules-that-out"
        ),
        pytest.param(
            gone("june", was=ReviewState.APPROVED), Outcome.SIGNED_OFF, id="only-an-approval"
        ),
        pytest.param(gone("alan", was=None), Outcome.OBJECTED, id="of-nobody-knows-what"),
        pytest.param(gone("alan", timeline=()), Outcome.OBJECTED, id="nobody-knows-by-whom"),
        pytest.param(gone("june", approval("grace")), Outcome.SIGNED_OFF, id="she-approves-later"),
        pytest.param(
            gone("june", approval("grace", OLD)), Outcome.SIGNED_OFF, id="she-approved-then-a-push"
        ),
        pytest.param(gone("june", comment("grace")), Outcome.OBJECTED, id="she-only-comments"),
        pytest.param(gone("alan", changes("grace")), Outcome.OBJECTED, id="she-asks-again"),
        pytest.param(gone("june", approval("alan")), Outcome.OBJECTED, id="however-many-approve"),
    ],
)
def test_dismissing_somebody_elses_objection(pull: PullRequest, outcome: Outcome) -> None:
    verdict = judged(pull)
    assert verdict.outcome is outcome
    codes = [reason.code for reason in verdict.reasons]
    objected = outcome is Outcome.OBJECTED
    assert (codes[0] is Code.CHANGES_REQUESTED) == objected


@pytest.mark.parametrize(
    ("reviewer", "outcome"),
    [
        pytest.param("kim", Outcome.SIGNED_OFF, id="below-the-level"),
        pytest.param("bob", Outcome.SIGNED_OFF, id="not-on-the-roster-any-more"),
        pytest.param(bot("grace", 1906), Outcome.SIGNED_OFF, id="a-bot"),
        pytest.param(None, Outcome.SIGNED_OFF, id="a-deleted-account"),
        pytest.param("alan", Outcome.OBJECTED, id="a-senior"),
    ],
)
def test_only_the_objection_of_a_senior_outlives_its_dismissal(
    reviewer: str | Actor | None, outcome: Outcome
) -> None:
    theirs = dismissed(reviewer)
    pull = a_pull(theirs, approval("ada"), timeline=(dismissal(theirs, "june"),))
    assert judged(pull).outcome is outcome


TEAM = a_roster("teams: {acme/staff: senior, acme/everybody: junior}\n"
                "sign_off: {from: senior, approvals: 1, exempt: nobody}\n")  # fmt: skip
READ = TEAM.with_members({"acme/everybody": [user("bob")], "acme/staff": []})
UNREAD = TEAM.with_members({"acme/everybody": [user("bob")]})


@pytest.mark.parametrize(
    ("reviewer", "roster", "outcome"),
    [
        pytest.param(user("hopper", 1906), ROSTER, Outcome.OBJECTED, id="a-senior-who-was-renamed"),
        pytest.param(user("newname", 31), ROSTER, Outcome.SIGNED_OFF, id="a-mid-who-was-renamed"),
        pytest.param(user("grace", 666), ROSTER, Outcome.SIGNED_OFF, id="who-took-her-name"),
        pytest.param("bob", UNREAD, Outcome.OBJECTED, id="perhaps-of-a-team-that-is-not-read"),
        pytest.param("bob", READ, Outcome.SIGNED_OFF, id="not-of-the-team"),
        pytest.param("kim", UNREAD, Outcome.SIGNED_OFF, id="named-so-the-team-does-not-matter"),
        pytest.param(bot("bob"), UNREAD, Outcome.SIGNED_OFF, id="no-person"),
    ],
)
def test_in_doubt_an_objection_is_a_seniors(
    reviewer: str | Actor, roster: Roster, outcome: Outcome
) -> None:
    verdict = judged(a_pull(changes(reviewer), approval("ada")), roster=roster)
    assert verdict.outcome is outcome
    if outcome is Outcome.OBJECTED:
        said = report(verdict, web_url="https://github.example")
        assert said.title.endswith("(level not certain) asked for changes")
    stranger_here = replace(changes(reviewer), can_push=False)
    without = judged(a_pull(stranger_here, approval("ada")), roster=roster)
    assert without.outcome is Outcome.SIGNED_OFF


def test_the_newest_of_several_objections_decides() -> None:
    """The dismissal of an older one lifts nothing, and a lifted one revives no older one."""
    older, newer = dismissed("grace"), dismissed("grace")
    both = dismissal(older, "alan"), dismissal(newer, "june")
    pull = a_pull(older, newer, approval("ada"), timeline=both, can_push=ALAN_MAY)
    assert judged(pull).outcome is Outcome.OBJECTED
    both = dismissal(older, "june"), dismissal(newer, "alan")
    assert judged(replace(pull, timeline=both)).outcome is Outcome.SIGNED_OFF
    still = a_pull(older, changes("grace"), approval("ada"), timeline=both, can_push=ALAN_MAY)
    assert judged(still).outcome is Outcome.OBJECTED


def test_it_takes_the_level_that_the_change_needs() -> None:
    verdict = judged(gone("alan"), roster=PRINCIPALS)
    assert verdict.outcome is Outcome.OBJECTED
    assert judged(gone("ada"), roster=PRINCIPALS).outcome is Outcome.SIGNED_OFF


def test_not_by_somebody_whom_the_change_itself_would_raise() -> None:
    raised = RosterChange(raised=frozenset({"alan"}))
    assert judged(gone("alan"), change=raised).outcome is Outcome.OBJECTED
    other = RosterChange(raised=frozenset({"june"}))
    assert judged(gone("alan"), change=other).outcome is Outcome.SIGNED_OFF


def test_without_a_mark_of_ai_no_objection_counts() -> None:
    assert judged(gone("june", commits=(commit(),))).outcome is Outcome.NOT_AI


class TestWhatIsAsked:
    def test_whether_a_peer_may_push(self) -> None:
        verdict = judged(gone("alan", can_push={}))
        assert set(verdict.wants) == {Want.MAY_PUSH}
        assert verdict.unsure == (user("alan"),)

    def test_who_pushed(self) -> None:
        """Before it lifts anything: they may have pushed it themselves."""
        assert set(judged(gone("alan", pushes=None)).wants) == {Want.PUSHES}
        hidden = judged(gone("alan", pushes=None, commits=HIDDEN))
        assert (hidden.outcome, set(hidden.wants)) == (Outcome.OBJECTED, {Want.PUSHES})

    @pytest.mark.parametrize("by", ["june", "kim", "bob", None, bot("alan", 1912)])
    def test_nothing_of_who_may_not_anyway(self, by: str | Actor | None) -> None:
        verdict = judged(gone(by, can_push={}))
        assert verdict.unsure == ()
        assert verdict.wants == frozenset()

    def test_nothing_of_who_lifts_their_own(self) -> None:
        assert judged(gone("grace", can_push={})).wants == frozenset()


class TestWhatIsSaid:
    def test_the_dismissal_does_not_lift_it(self) -> None:
        said = report(judged(gone("june")), web_url="https://github.example")
        assert said.title == (
            "@grace (senior) asked for changes; the dismissal by @june does not lift it"
        )
        next_line = said.summary.splitlines()[2]
        assert next_line == (
            "**Next:** make the changes, then ask `@grace` to review again: no other approval "
            "lifts it, and GitHub dismisses no review twice."
        )
        assert (
            "- a review of `@grace` was dismissed. If it asked for changes, only `@grace` lifts "
            "that, or somebody who could sign this change off: `@june` is not on the roster at "
            "the level that this change needs."
        ) in said.summary
        assert "CS015 CS076" in said.summary

    @pytest.mark.parametrize(
        ("pull", "why"),
        [
            pytest.param(gone(None), "an account that does not exist any more did it.", id="ghost"),
            pytest.param(
                gone("alan", timeline=()), "GitHub does not tell what it said.", id="lost"
            ),
        ],
    )
    def test_nobody_knows_by_whom(self, pull: PullRequest, why: str) -> None:
        said = report(judged(pull), web_url="https://github.example")
        assert said.title == "@grace (senior) asked for changes; its dismissal does not lift it"
        assert why in said.summary

    def test_who_can_dismiss_what_stands(self) -> None:
        said = report(judged(a_pull(changes("grace"))), web_url="https://github.example")
        assert said.title == "@grace (senior) asked for changes"
        assert said.summary.splitlines()[2] == (
            "**Next:** make the changes, then ask `@grace` to review again: no other approval "
            "lifts it, but `@alan` or `@ada` can dismiss that review."
        )

    def test_nobody_else_can_dismiss_it(self) -> None:
        alone = a_roster(people="version: 1\nlevels: [junior, senior]\nunlisted: junior\n"
                         "people: {grace: senior}\n")  # fmt: skip
        said = report(
            judged(a_pull(changes("grace")), roster=alone), web_url="https://github.example"
        )
        assert said.summary.splitlines()[2].endswith("no other approval lifts it.")

    def test_foreign_logins_are_escaped(self) -> None:
        hostile = replace(user("alan"), login="al`an](x)<b>")
        verdict = judged(gone(hostile))
        said = report(verdict, web_url="https://github.example")
        assert any(reason.by == hostile.login for reason in verdict.reasons)
        assert "``@al`an](x)<b>``" in said.summary


def test_a_timeline_event_of_another_review_says_nothing_of_this_one() -> None:
    theirs, other = dismissed("grace"), dismissed("kim")
    events: tuple[Event, ...] = (dismissal(other, "alan"),)
    pull = a_pull(theirs, other, approval("ada"), timeline=events, can_push=ALAN_MAY)
    assert judged(pull).outcome is Outcome.OBJECTED
    lost = replace(dismissal(theirs, "alan"), review_id=None)
    assert judged(replace(pull, timeline=(lost,))).outcome is Outcome.OBJECTED


def test_a_dismissal_lifts_it_whatever_is_pushed_later() -> None:
    pull = with_commits(gone("alan"), [commit(OLD), ai_commit(HEAD)])
    assert judged(replace(pull, updated_at=at(90))).outcome is Outcome.SIGNED_OFF
