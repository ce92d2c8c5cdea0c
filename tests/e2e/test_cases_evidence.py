"""Tricks that hide, disguise or wash away the marks of AI. Each test is named after one."""

import pytest

from sandbox.seed import ROSTER
from tests.e2e.inline import AI, Inline

FOOTER = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"
CLEAR = "not-ai-assisted"
HUMAN = "Fix the total"


def test_nothing_marks_the_change(case: Inline) -> None:
    number = case.open(message=HUMAN)
    case.expect(number, "success", "CS001", title="No AI assistance found")
    assert case.may_merge(number)


def test_remove_the_label(case: Inline) -> None:
    number = case.open(message=HUMAN, labels=["ai-assisted"])
    case.refused(number, "CS012")
    case.act("june", "remove_label", number=number, label="ai-assisted")
    case.refused(number, "CS012")


def test_remove_the_label_before_anybody_looks(case: Inline) -> None:
    """The timeline tells of it, also when no webhook ever arrived."""
    with case.hub.world.quiet():
        number = case.open(message=HUMAN, labels=["ai-assisted"])
        case.act("june", "remove_label", number=number, label="ai-assisted")
    case.sweep()
    case.refused(number, "CS012")


@pytest.mark.parametrize("how", ["rename_label", "delete_label"])
def test_make_the_label_vanish_everywhere(case: Inline, how: str) -> None:
    number = case.open(message=HUMAN, labels=["ai-assisted"])
    case.refused(number, "CS012")
    more = {"name": "done"} if how == "rename_label" else {}
    case.act("june", how, label="ai-assisted", **more)
    case.refused(number, "CS012")


def test_label_in_another_case(case: Inline) -> None:
    case.refused(case.open(message=HUMAN, labels=["AI-Assisted"]), "CS012")


@pytest.mark.parametrize("how", ["amend", "force_push"])
def test_rewrite_the_trailer_away(case: Inline, how: str) -> None:
    number = case.open()
    case.refused(number, "CS012")
    if how == "amend":
        case.act("june", "amend", branch="fix", message=HUMAN)
    else:
        case.act("june", "force_push", branch="fix", commits=[{"message": HUMAN}])
    case.refused(number, "CS012")


def unheard(case: Inline) -> None:
    """From here on no webhook arrives."""
    case.settle()
    case.hub.courier.weather.lose = 1.0


def heard_again(case: Inline) -> None:
    assert case.hub.drain()
    case.hub.courier.weather.lose = 0.0
    case.clock.skip(60)
    case.sweep()


@pytest.mark.parametrize("times", [1, 3])
def test_rewrite_the_trailer_away_before_anybody_looks(case: Inline, times: int) -> None:
    """Only the timeline tells that there was another head; its commits are read from GitHub."""
    unheard(case)
    number = case.open(commits=[{"message": AI}, {"message": HUMAN}])
    for turn in range(times):
        commits = [{"message": HUMAN, "files": {"shop/new.py": f"{turn}\n"}}]
        case.act("june", "force_push", branch="fix", commits=commits)
    heard_again(case)
    seen = case.refused(number, "CS012")
    assert "Claude" in seen.summary


@pytest.mark.parametrize("times", [24, 60])
def test_rewrite_the_trailer_away_many_times_before_anybody_looks(case: Inline, times: int) -> None:
    """So often that not every head is read: then nobody knows."""
    number = case.open()
    for count in range(times):
        case.act("june", "amend", branch="fix", message=f"Fix the total {count}")
    case.refused(number, "CS012", "CS002" if times < 50 else "CS006")
    case.act("grace", "approve", number=number)
    case.signed(number)


def test_rewrite_the_trailer_away_among_more_commits_than_github_lists(case: Inline) -> None:
    case.act("june", "push", branch="fix", commits=[{"message": "Fix the total"}])
    number = int(case.act("june", "open_pull_request", head="fix", title="Fix")["number"])
    many = [{"message": f"Step {count}"} for count in range(260)]
    case.act("june", "push", branch="fix", commits=[*many[:255], {"message": AI}, *many[255:]])
    case.act("june", "force_push", branch="fix", commits=[{"message": "Fix the total"}])
    case.refused(number, "CS012", "CS006")


def test_a_long_branch_that_was_judged_may_be_rewritten(case: Inline) -> None:
    long = [{"message": f"Step {count}: {'why ' * 30}"} for count in range(260)]
    number = case.open(commits=long)
    case.expect(number, "success", "CS001")
    case.act("june", "force_push", branch="fix", commits=[{"message": "Squashed"}])
    case.expect(number, "success", "CS001")


def test_a_long_branch_of_a_fork_that_was_judged_may_be_rewritten(case: Inline) -> None:
    """Of a fork nothing is told but the pull request itself."""
    case.act("june", "fork_repository")
    fork = {"repo": "june/shop", "branch": "fix"}
    long = [{"message": f"Step {count}: {'why ' * 30}"} for count in range(260)]
    case.act("june", "push", **fork, commits=long)
    number = int(case.act("june", "open_pull_request", head="june:fix", title="Fix")["number"])
    case.expect(number, "success", "CS001")
    case.act("june", "force_push", **fork, commits=[{"message": "Squashed"}])
    case.expect(number, "success", "CS001")


def test_a_senior_who_rewrites_often_is_exempt_and_told_why(case: Inline) -> None:
    number = case.open(actor="grace", message="Fix the total")
    for count in range(60):
        case.act("grace", "amend", branch="fix", message=f"Fix the total {count}")
    seen = case.expect(number, "success", "CS006", "CS010", title="Every contributor is senior")
    assert "AI-assisted" not in seen.title + seen.summary


def test_a_clean_branch_that_was_rewritten_is_clean(case: Inline) -> None:
    """One call for a head that nobody has judged, none for one that was."""

    def compared() -> int:
        return sum("/compare/" in call.kind for call in case.hub.calls.recent)

    unheard(case)
    number = case.open(message=HUMAN)
    case.act("june", "amend", branch="fix", message="Fix it")
    heard_again(case)
    case.expect(number, "success", "CS001")
    assert compared() == 1
    case.act("june", "amend", branch="fix", message="Fix it well")
    case.expect(number, "success", "CS001")
    case.act("june", "comment", number=number, body="?")
    case.expect(number, "success", "CS001")
    assert compared() == 1


def test_approve_then_rewrite_the_trailer_away(case: Inline) -> None:
    number = case.open()
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("june", "amend", branch="fix", message=HUMAN)
    case.refused(number, "CS032")


def test_edit_the_disclosure_out_of_the_body(case: Inline) -> None:
    number = case.open(message=HUMAN, body=f"Fixes it.\n\n{FOOTER}")
    case.act("grace", "approve", number=number)
    case.signed(number, "grace")
    case.act("june", "edit_pull_request", number=number, body="Fixes it.")
    case.signed(number, "grace")
    case.act("june", "push", branch="fix")
    case.refused(number, "CS032")


def test_edit_the_body_before_anybody_looks(case: Inline) -> None:
    with case.hub.world.quiet():
        number = case.open(message=HUMAN, body=f"Fixes it.\n\n{FOOTER}")
        case.act("june", "edit_pull_request", number=number, body="Fixes it.")
    case.sweep()
    case.refused(number, "CS012")


def test_edit_the_body_and_delete_its_history(case: Inline) -> None:
    number = case.open(message=HUMAN, body=f"Fixes it.\n\n{FOOTER}")
    case.refused(number, "CS012")
    case.act("june", "edit_pull_request", number=number, body="Fixes it.")
    case.act("june", "delete_edit", number=number, edit=0)
    case.act("june", "push", branch="fix")
    case.refused(number, "CS012")


def test_change_the_title(case: Inline) -> None:
    with case.hub.world.quiet():
        number = case.open(message=HUMAN, title=FOOTER)
        case.act("june", "edit_pull_request", number=number, title="Fix")
    case.sweep()
    case.refused(number, "CS012")


@pytest.mark.parametrize(
    "branch", [pytest.param("fix", id="same-branch"), pytest.param("clean", id="same-commits")]
)
def test_close_and_open_a_new_pull_request(case: Inline, branch: str) -> None:
    """The mark is in the first body only; the commits carry it along."""
    first = case.open(message=HUMAN, body=FOOTER)
    case.refused(first, "CS012")
    case.act("june", "close_pull_request", number=first)
    if branch == "clean":
        case.act("june", "push", branch="clean", start=case.head(first), commits=[])
    second = case.act("june", "open_pull_request", head=branch, title="Fix")
    seen = case.refused(int(second["number"]), "CS012")
    assert f"seen in pull request {first}" in seen.summary


def test_close_and_open_with_one_more_commit(case: Inline) -> None:
    first = case.open(message=HUMAN, body=FOOTER)
    case.refused(first, "CS012")
    case.act("june", "close_pull_request", number=first)
    case.act("june", "push", branch="clean", start=case.head(first))
    second = case.act("june", "open_pull_request", head="clean", title="Fix")
    case.refused(int(second["number"]), "CS012")


def test_close_and_reopen(case: Inline) -> None:
    number = case.open(message=HUMAN, labels=["ai-assisted"])
    case.refused(number, "CS012")
    case.act("june", "remove_label", number=number, label="ai-assisted")
    case.act("june", "close_pull_request", number=number)
    case.act("june", "reopen_pull_request", number=number)
    case.refused(number, "CS012")


def test_launder_through_an_unprotected_branch(case: Inline) -> None:
    """Merged into another branch first; its commits still come along."""
    case.act("olga", "push", branch="develop", commits=[])
    number = case.open(base="develop")
    case.act("june", "merge", number=number)
    second = case.act("june", "open_pull_request", head="develop", title="Release")
    case.refused(int(second["number"]), "CS012")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Fix\n\nCO-AUTHORED-BY: CLAUDE <NOREPLY@ANTHROPIC.COM>", id="upper-case"),
        pytest.param(
            "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n\nThat is all.",
            id="mid-message",
        ),
        pytest.param(
            "Fix\n\nCo-Au\u200bthored-By: Claude <noreply@anthropic.com>", id="zero-width"
        ),
        pytest.param("Fix\n\nCo-Authored-By: Claude\n <noreply@anthropic.com>", id="folded"),
        pytest.param("Fix\r\n\r\nCo-Authored-By: Claude <noreply@anthropic.com>\r\n", id="crlf"),
        pytest.param(
            "Fix\n\nCo-Authored-By: \u202eClaude\u202c <noreply@anthropic.com>", id="bidi"
        ),
        pytest.param(
            "Fix\n\nＣｏ－Ａｕｔｈｏｒｅｄ－Ｂｙ： Claude <noreply@anthropic.com>", id="full-width"
        ),
        pytest.param("Fix\n\nCo-Authored-By : Claude <noreply@anthropic.com>", id="space"),
        pytest.param("Co-Authored-By: Claude <noreply@anthropic.com>", id="subject"),
        pytest.param(f"Fix\n\n{FOOTER}", id="footer"),
        pytest.param("Fix\n\n[skip ci]\n\nCo-Authored-By: Claude <noreply@anthropic.com>", id="ci"),
    ],
)
def test_trailer_in_disguise(case: Inline, message: str) -> None:
    case.refused(case.open(message=message), "CS012")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(
            "Thank Claude Monet\n\nReviewed-by: Claude <claude@painters.example>", id="name"
        ),
        pytest.param("Document the trailer `Co-Authored-By: Claude`", id="mention"),
    ],
)
def test_people_are_called_claude(case: Inline, message: str) -> None:
    case.expect(case.open(message=message), "success", "CS001")


def test_turn_attribution_off(case: Inline) -> None:
    case.roster(
        ROSTER.replace("labels: [ai-assisted]", "labels: [ai-assisted]\n  confidence: weak")
    )
    files = {".claude/settings.json": '{"includeCoAuthoredBy": false}\n'}
    case.refused(case.open(commits=[{"message": HUMAN, "files": files}]), "CS012")


@pytest.mark.parametrize("login", ["fancy-coder", "dependabot-preview2", "renovate-ai"])
def test_new_bot_that_nobody_listed(case: Inline, login: str) -> None:
    case.people("create_user", login=login, kind="Bot")
    case.act("olga", "add_collaborator", login=f"{login}[bot]", permission="write")
    case.refused(case.open(actor=f"{login}[bot]", message=HUMAN), "CS012")


def test_bots_commit_under_a_human_opener(case: Inline) -> None:
    commit = {"message": HUMAN, "author": "fancy[bot] <77+fancy[bot]@users.noreply.github.com>"}
    case.refused(case.open(commits=[commit]), "CS012")


def test_automation_that_carries_somebody_elses_commit(case: Inline) -> None:
    """Its own signed commits need nothing; one foreign commit on its branch and it does."""
    bot = "dependabot[bot]"
    own = {"message": "Bump x", "signed_by": "web-flow", "author": bot, "web": True}
    number = case.open("dependabot/x", actor=bot, commits=[own])
    case.expect(number, "success", "CS001")
    case.act("june", "push", branch="dependabot/x", commits=[{"message": "More"}])
    case.refused(number, "CS012")


def test_sign_a_commit_in_the_name_of_the_automation(case: Inline) -> None:
    """A person's own valid signature, over a commit that says that the bot wrote it."""
    bot = "dependabot[bot]"
    own = {"message": "Bump x", "signed_by": "web-flow", "author": bot, "web": True}
    number = case.open("dependabot/x", actor=bot, commits=[own])
    case.expect(number, "success", "CS001")
    forged = {"message": "Bump y", "author": bot, "committer": "june", "signed_by": "june"}
    case.act("june", "push", branch="dependabot/x", commits=[forged])
    case.refused(number, "CS012")


@pytest.mark.parametrize("where", ["author", "committer", "co-author"])
def test_agent_behind_a_human(case: Inline, where: str) -> None:
    agent = "Claude <noreply@anthropic.com>"
    commit = {"message": HUMAN}
    match where:
        case "author":
            commit |= {"author": agent, "committer": "june"}
        case "committer":
            commit |= {"author": "june", "committer": agent}
        case _:
            commit["message"] += f"\n\nCo-authored-by: {agent}"
    case.refused(case.open(commits=[commit]), "CS012")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("- [x] No AI was used", id="box"),
        pytest.param("AI-assisted: no", id="line"),
        pytest.param("I did not use AI for this.", id="words"),
    ],
)
def test_false_declaration(case: Inline, body: str) -> None:
    case.refused(case.open(body=body), "CS012")


def test_no_declaration_in_strict_mode(case: Inline) -> None:
    strict = "labels: [ai-assisted]\n  require_declaration: true"
    case.roster(ROSTER.replace("labels: [ai-assisted]", strict))
    number = case.open(message=HUMAN)
    case.refused(number, "CS005", why="Waiting for a declaration")
    case.act("june", "edit_pull_request", number=number, body="AI-assisted: no")
    case.expect(number, "success", "CS001")


@pytest.mark.parametrize("place", [0, 49, 50, 99, 100, 119])
def test_bury_the_ai_commit(case: Inline, place: int) -> None:
    """On whatever page of the commits it is."""
    commits: list[dict[str, object]] = [
        {"message": f"Step {step}", "files": {"a": f"{step}\n"}} for step in range(120)
    ]
    commits[place]["message"] = AI
    case.refused(case.open(commits=commits), "CS012")


def test_bury_the_ai_commit_in_a_merged_branch(case: Inline) -> None:
    """Every parent is read, not the first ones only."""
    case.act("june", "push", branch="side", commits=[{"message": AI}])
    commits = [{"message": HUMAN}, {"message": "Merge side", "merge": "side"}]
    case.refused(case.open(commits=commits), "CS012")


def test_tool_that_only_the_organisation_knows(case: Inline) -> None:
    by_pilot = [{"message": HUMAN, "author": "Pat <x7@agents.acme.example>"}]
    number = case.open(commits=by_pilot)
    case.expect(number, "success", "CS001")
    own = "  tools:\n    Acme Pilot: {emails: ['*@agents.acme.example']}\n"
    case.roster(ROSTER + own)
    seen = case.refused(number, "CS012")
    assert "`Acme Pilot`" in seen.summary


# --- setting evidence aside -----------------------------------------------------------------------


def ready_to_clear(case: Inline) -> None:
    """The evidence was seen, and the label exists, more than GitHub's one second ago."""
    case.act("olga", "open_issue", title="Labels", labels=[CLEAR])
    case.settle()
    case.clock.skip(2)


def test_senior_sets_the_evidence_aside(case: Inline) -> None:
    number = case.open()
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003", title="Not AI-assisted, says @grace")


@pytest.mark.parametrize("who", ["june", "kim", "acme-codegen[bot]"])
def test_evidence_set_aside_by_somebody_who_may_not(case: Inline, who: str) -> None:
    number = case.open()
    ready_to_clear(case)
    case.act(who, "add_label", number=number, label=CLEAR)
    case.refused(number, "CS072")


def test_evidence_set_aside_by_a_senior_who_wrote_it(case: Inline) -> None:
    number = case.open()
    case.act("grace", "push", branch="fix")
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.refused(number, "CS072")


def test_evidence_set_aside_by_a_senior_who_may_not_push(case: Inline) -> None:
    """Labels take no more than triage."""
    number = case.open()
    ready_to_clear(case)
    case.act("olga", "add_collaborator", login="grace", permission="triage")
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.refused(number, "CS072")
    case.act("olga", "add_collaborator", login="grace", permission="write")
    case.expect(number, "success", "CS003")


def test_evidence_set_aside_by_a_senior_who_left(case: Inline) -> None:
    number = case.open()
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")
    case.act("olga", "remove_collaborator", login="grace")
    case.refused(number, "CS072")


def test_evidence_of_an_unknown_writer_set_aside(case: Inline) -> None:
    """Who pushed shows that it was not the one who sets it aside."""
    ghost = {"message": AI, "author": "Ghost <ghost@nowhere.example>"}
    number = case.open(commits=[ghost])
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")


def test_evidence_of_an_unknown_writer_set_aside_where_a_bot_pushed(case: Inline) -> None:
    ghost = {"message": AI, "author": "Ghost <ghost@nowhere.example>"}
    number = case.open(commits=[ghost], pusher="acme-codegen[bot]")
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.refused(number, "CS072")


def test_evidence_set_aside_although_somebody_objected(case: Inline) -> None:
    number = case.open()
    ready_to_clear(case)
    case.act("ada", "request_changes", number=number)
    case.refused(number, "CS015", why="asked for changes")
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")


def test_evidence_set_aside_below_a_rule_that_only_seems_to_apply(case: Inline) -> None:
    """Until the diff is read every rule on paths is taken to match: it is read before a refusal."""
    rule = "rules:\n  - {name: infra, paths: [infra/**], from: principal}\n"
    case.roster(ROSTER + rule)
    number = case.open(commits=[{"message": AI, "files": {"shop/a.py": "x\n"}}])
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")


def test_new_evidence_after_it_was_set_aside(case: Inline) -> None:
    number = case.open()
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")
    case.act("june", "push", branch="fix", commits=[{"message": AI}])
    case.refused(number, "CS012")


def test_label_that_was_set_aside_is_put_on_again(case: Inline) -> None:
    number = case.open(message=HUMAN)
    case.act("june", "add_label", number=number, label="ai-assisted")
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")
    case.act("june", "remove_label", number=number, label="ai-assisted")
    case.expect(number, "success", "CS003")
    case.act("june", "add_label", number=number, label="ai-assisted")
    case.refused(number, "CS012")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param(AI, "CS012", id="marked"),
        pytest.param(HUMAN, "CS003", id="not-marked"),
    ],
)
def test_new_commit_after_it_was_set_aside_is_rewritten_before_anybody_looks(
    case: Inline, message: str, code: str
) -> None:
    """Whoever set it aside has seen what there was then, and nothing of this."""
    number = case.open()
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")
    unheard(case)
    case.clock.skip(2)
    case.act("june", "push", branch="fix", commits=[{"message": message}])
    case.act("june", "amend", branch="fix", message=HUMAN)
    heard_again(case)
    case.expect(number, "action_required" if message is AI else "success", code)


def test_label_set_aside_again_by_a_junior(case: Inline) -> None:
    """A senior's clearing does not lend itself to whoever puts the label on again."""
    number = case.open()
    ready_to_clear(case)
    case.act("grace", "add_label", number=number, label=CLEAR)
    case.expect(number, "success", "CS003")
    case.act("grace", "remove_label", number=number, label=CLEAR)
    case.refused(number, "CS012")
    case.act("june", "add_label", number=number, label=CLEAR)
    case.refused(number, "CS072")


@pytest.mark.parametrize("later", [0, 30])
def test_another_label_is_renamed_into_the_one_that_clears(case: Inline, later: float) -> None:
    """A label somebody else put on, renamed into the one that clears."""
    number = case.open()
    case.settle()
    case.act("grace", "add_label", number=number, label="bug")
    case.clock.skip(later)
    case.act("june", "rename_label", label="bug", name=CLEAR)
    case.refused(number, "CS075")
