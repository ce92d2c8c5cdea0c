"""What the author reads: exact wording, and foreign text that must stay text."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.facts import PullRequest
from github_app.judge.markup import code, plain
from github_app.judge.memory import Memory
from github_app.judge.outcome import Outcome, cannot_judge
from github_app.judge.policy import Rollout, RolloutMode
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import (
    LIMIT,
    SENTENCES,
    TITLE_LIMIT,
    Conclusion,
    Report,
    report,
    withdrawn,
)
from github_app.judge.verdict import judge
from tests.judge.build import (
    CLAUDE,
    HEAD,
    OLD,
    a_pull,
    ai_commit,
    approval,
    at,
    changes,
    commit,
    push,
    stranger,
    user,
    with_commits,
)
from tests.judge.usual_roster import PEOPLE, a_roster

WEB = "https://github.com"
CATALOGUE = shipped_catalogue()


def said(pull: PullRequest, more: str | None = None, people: str = PEOPLE) -> Report:
    roster = a_roster(people=people) if more is None else a_roster(more, people)
    return report(judge(pull, roster, Memory(), CATALOGUE), web_url=WEB)


def link(oid: str) -> str:
    return f"[`{oid[:7]}`](https://github.com/acme/shop/pull/12/commits/{oid})"


HUMAN = (commit(),)
SENIOR = a_pull(author=user("grace"), commits=(ai_commit(by="grace"),), pushes=(push("grace"),))


@pytest.mark.parametrize(
    ("pull", "conclusion", "title"),
    [
        pytest.param(
            a_pull(commits=HUMAN), Conclusion.SUCCESS, "No AI assistance found", id="not-ai"
        ),
        pytest.param(
            SENIOR, Conclusion.SUCCESS, "AI-assisted; every contributor is senior", id="exempt"
        ),
        pytest.param(
            a_pull(approval("grace")),
            Conclusion.SUCCESS,
            "Signed off by @grace (senior)",
            id="signed",
        ),
        pytest.param(
            a_pull(approval("grace"), approval("ada")),
            Conclusion.SUCCESS,
            "Signed off by @grace (senior) and @ada (principal)",
            id="signed-twice",
        ),
        pytest.param(
            a_pull(),
            Conclusion.ACTION_REQUIRED,
            "Waiting for a senior: @grace, @alan or @ada can sign off",
            id="waiting",
        ),
        pytest.param(
            a_pull(changes("grace")),
            Conclusion.FAILURE,
            "@grace (senior) asked for changes",
            id="objected",
        ),
    ],
)
def test_title_and_conclusion(pull: PullRequest, conclusion: Conclusion, title: str) -> None:
    result = said(pull)
    assert (result.conclusion, result.title) == (conclusion, title)


def test_two_lines_suffice() -> None:
    why, _, following, *_ = said(a_pull()).summary.split("\n")
    assert why == (
        f"**AI-assisted (`Claude Code`, commit {link(HEAD)}): "
        "needs 1 approval from a `senior` or above.**"
    )
    assert following == (
        f"**Next:** ask `@grace`, `@alan` or `@ada` to review and approve commit {link(HEAD)}."
    )


def test_the_whole_summary() -> None:
    pull = with_commits(
        a_pull(approval("kim", OLD), approval("grace", OLD)),
        [commit(OLD, "june"), ai_commit(HEAD, "june")],
    )
    cause = f"AI-assisted (`Claude Code`, commit {link(HEAD)})"
    why = f"{cause}: needs 1 approval from a `senior` or above."
    roster = "Roster: `acme/.github`, `reviewers.yaml` at `c0ffee0`."
    assert said(pull).summary == "\n".join(
        [
            f"**{why}**",
            "",
            f"**Next:** ask `@grace`, `@alan` or `@ada` to review and approve commit {link(HEAD)}.",
            "",
            "#### Why this is AI-assisted",
            "",
            f"- `Claude Code`, certain (co-author, commit {link(HEAD)}): `{CLAUDE}`",
            "",
            "#### What is needed",
            "",
            "- 1 approval of the head from a `senior` or above who has no part in the change",
            "",
            "#### Who can give it",
            "",
            "- `@grace` (`senior`)",
            "- `@alan` (`senior`)",
            "- `@ada` (`principal`)",
            "",
            "#### Approvals that do not count",
            "",
            f"- `@kim` is `mid`; `@kim` approved {link(OLD)}, 1 commit before the head",
            f"- `@grace` approved {link(OLD)}, 1 commit before the head",
            "",
            f"Reasons: CS012 CS002 CS037 CS032. {roster}",
        ]
    )


def test_own_work_names_the_commit() -> None:
    pull = with_commits(a_pull(approval("grace")), [commit(OLD, "grace"), ai_commit(HEAD)])
    assert f"- `@grace` wrote commit {link(OLD)}" in said(pull).summary


def test_a_push_that_only_memory_tells_of_is_said_in_a_whole_sentence() -> None:
    memory = Memory(pushers=(user("grace"),))
    verdict = judge(a_pull(approval("grace")), a_roster(), memory, CATALOGUE)
    assert ("- `@grace` pushed to it, or pushed one of its commits to another branch") in report(
        verdict, web_url=WEB
    ).summary


def test_people_who_are_away_come_last_and_say_so() -> None:
    away = PEOPLE.replace(
        "grace: {id: 1906, level: senior}",
        "grace: {id: 1906, level: senior, away: 2026-11-01/2026-11-30}",
    )
    result = said(a_pull(), people=away)
    assert result.title == "Waiting for a senior: @alan or @ada can sign off"
    assert "- `@grace` (`senior`), away until 2026-11-30" in result.summary
    assert at(0).date() == date(2026, 11, 2)


def test_when_nobody_can_sign_it_says_who_can_change_that() -> None:
    people = PEOPLE.replace("  ada: {id: 1815, level: principal}\n", "").replace(
        "  alan: {id: 1912, level: senior}\n", ""
    )
    pull = with_commits(a_pull(), [commit(OLD, "grace"), ai_commit(HEAD)])
    result = said(pull, people=people)
    assert result.title == "Waiting for a senior, but too few on the roster can sign off"
    assert (
        "**Next:** ask an administrator to list another `senior` in "
        "`acme/.github: reviewers.yaml`; nobody else can be asked."
    ) in result.summary


def test_a_rule_says_which_and_why() -> None:
    more = """
    sign_off: {from: senior, approvals: 1, exempt: senior}
    rules:
      - {name: money, why: other people's, paths: ["shop/**"], from: principal}
    """
    result = said(a_pull(), more)
    assert result.title == "Waiting for a principal: @ada can sign off"
    assert "- rule `money` applies: `other people's`" in result.summary


def test_two_sign_offs_are_asked_for_as_two() -> None:
    more = "sign_off: {from: senior, approvals: 2, exempt: nobody}\n"
    result = said(a_pull(), more)
    assert result.title == (
        "Waiting for 2 sign-offs by a senior: @grace, @alan and @ada can sign off"
    )
    assert "**Next:** ask 2 of `@grace`, `@alan` and `@ada` to review" in result.summary
    assert said(a_pull(approval("grace")), more).title == (
        "Waiting for 1 more sign-off by a senior: @alan or @ada can sign off"
    )


def test_an_objection_does_not_hide_what_will_be_needed() -> None:
    result = said(a_pull(changes("grace"), commits=(ai_commit(by=stranger()),), pushes=()))
    assert result.title == "@grace (senior) asked for changes"
    assert "- 2 approvals of the head" in result.summary
    assert "is tied to no account" in result.summary


def test_as_many_are_named_as_have_to_be_asked() -> None:
    """Also those who are away, where the others are too few."""
    people = PEOPLE.replace(
        "ada: {id: 1815, level: principal}",
        "ada: {id: 1815, level: principal, away: 2026-11-01/2026-11-30}",
    )
    more = "sign_off: {from: senior, approvals: 3, exempt: nobody}\n"
    result = said(a_pull(), more, people)
    assert result.title == (
        "Waiting for 3 sign-offs by a senior: @grace, @alan and @ada can sign off"
    )
    assert "**Next:** ask `@grace`, `@alan` and `@ada` to review" in result.summary


def test_a_writer_that_nobody_knows_can_be_made_known() -> None:
    result = said(a_pull(commits=(ai_commit(by=stranger()),), pushes=()))
    assert (
        f"- commit {link(HEAD)} is tied to no account, so its writer might be the one who "
        "approves: one more sign-off is needed, unless the writer adds its e-mail address to their "
        "GitHub account and this check is run again"
    ) in result.summary


class TestObserving:
    def observed(self, pull: PullRequest) -> Report:
        roster = replace(a_roster(), rollout=Rollout(mode=RolloutMode.OBSERVE))
        return report(judge(pull, roster, Memory(), CATALOGUE), web_url=WEB)

    def test_is_green_and_says_what_would_have_been(self) -> None:
        result = self.observed(a_pull())
        assert result.conclusion is Conclusion.SUCCESS
        assert result.title == (
            "Observing: Waiting for a senior: @grace, @alan or @ada can sign off"
        )
        assert "**If it were enforced:** ask" in result.summary

    def test_a_missing_roster_is_not_observed(self) -> None:
        verdict = cannot_judge(a_pull(), Reason(code=Code.ROSTER_MISSING))
        assert report(verdict, web_url=WEB).conclusion is Conclusion.FAILURE


def test_cannot_judge_says_why_and_what_to_do() -> None:
    reason = Reason(code=Code.ROSTER_BROKEN, detail='reviewers.yaml line 12: unknown level "snr"')
    result = report(cannot_judge(a_pull(), reason), web_url=WEB)
    assert result.title == ('Cannot judge: reviewers.yaml line 12: unknown level "snr"')
    assert "countersign roster check" in result.summary


def test_withdrawn_is_never_green() -> None:
    for reason_code in SENTENCES:
        result = withdrawn(Reason(code=reason_code, who="x", sha=HEAD, detail="y"))
        assert result.conclusion is Conclusion.FAILURE


def test_every_code_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Code)


HOSTILE = [
    pytest.param("](https://evil.example) [click", id="link"),
    pytest.param("<img src=x onerror=alert(1)>", id="html"),
    pytest.param("@everyone #1 GH-2 acme/shop#3", id="mentions"),
    pytest.param("`` ` ``` code", id="backticks"),
    pytest.param("a\n\n# heading\n- list\n> quote", id="lines"),
    pytest.param("\u202egnp.exe\u2066\u200b", id="bidi"),
    pytest.param("\x1b[31mred\x1b]8;;http://evil.example\x07", id="ansi"),
    pytest.param("![x](http://evil.example/a.png)", id="image"),
    pytest.param("x" * 100_000, id="long"),
    pytest.param("{who} {0} %s", id="format"),
    pytest.param("\ud800", id="surrogate"),
    pytest.param("", id="empty"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stays_inside_one_code_span(text: str) -> None:
    span = code(text)
    assert "\n" not in span
    assert len(span) < 300
    if not text:
        assert span == "(empty)"
        return
    fence = span[: len(span) - len(span.lstrip("`"))]
    inner = span[len(fence) : -len(fence)]
    assert span.endswith(fence)
    assert fence not in inner.split() or len(fence) == 0
    assert not any(run == fence for run in _runs(inner))
    assert inner.isprintable()


def _runs(text: str) -> list[str]:
    runs, current = [], ""
    for character in text:
        if character == "`":
            current += character
        elif current:
            runs.append(current)
            current = ""
    return [*runs, current] if current else runs


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_commit_message_is_text_in_the_summary(text: str) -> None:
    name = " ".join(text[:50].split())
    message = f"{text}\n\nCo-Authored-By: Claude {name} <noreply@anthropic.com>"
    result = said(a_pull(commits=(commit(message=message),)))
    assert result.conclusion is Conclusion.ACTION_REQUIRED
    outside = _outside_code(result.summary)
    for dangerous in ("evil.example", "<img", "@everyone", "onerror", "\x1b", "\u202e"):
        assert dangerous not in outside
    assert len(result.summary) <= LIMIT


def _outside_code(markdown: str) -> str:
    """What is left when every code span is taken out, by Markdown's own rule for them."""
    out, index = "", 0
    while index < len(markdown):
        if markdown[index] != "`":
            out += markdown[index]
            index += 1
            continue
        end = index
        while end < len(markdown) and markdown[end] == "`":
            end += 1
        fence = markdown[index:end]
        close = end
        while True:
            close = markdown.find(fence, close)
            if close < 0:
                return out + markdown[index:]
            after = close + len(fence)
            alone = markdown[close - 1] != "`" and (
                after == len(markdown) or markdown[after] != "`"
            )
            if alone:
                break
            close += 1
        index = close + len(fence)
    return out


@given(st.text(max_size=400), st.integers(1, 300))
@settings(deadline=None)
def test_plain_is_one_visible_line(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert line.isprintable()


def test_long_lists_are_summarised_and_never_cut() -> None:
    commits = [ai_commit(f"{number:040x}") for number in range(2_000)]
    result = said(with_commits(a_pull(), commits))
    assert len(result.summary) <= LIMIT
    assert "- and 1970 more" in result.summary
    assert result.summary.count("`") % 2 == 0
    assert len(result.title) <= TITLE_LIMIT


def test_no_outcome_is_neutral_or_skipped() -> None:
    assert {conclusion.value for conclusion in Conclusion} == {
        "success",
        "failure",
        "action_required",
    }
    assert len(Outcome) == 7
