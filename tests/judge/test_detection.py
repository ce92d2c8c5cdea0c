"""Every source of evidence in a pull request, what is not evidence, memory and declarations."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.catalogue import UNKNOWN_TOOL
from github_app.judge.detection import (
    CLEARING_LABEL,
    CommitText,
    Declaration,
    clear_events,
    declaration,
    detect,
    detect_commit,
    is_ai,
    is_tool_identity,
    remember,
    standing,
)
from github_app.judge.facts import (
    Actor,
    ActorKind,
    BodyEdit,
    ChangedFile,
    EventKind,
    GitIdentity,
    PullRequest,
    Signature,
)
from github_app.judge.memory import NOTHING_SEEN
from github_app.judge.policy import DetectionPolicy
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from tests.judge.build import (
    HEAD,
    OLD,
    T0,
    a_pull,
    ai_commit,
    at,
    bot,
    commit,
    event,
    identity,
    labeled,
    stranger,
    user,
)

CATALOGUE = shipped_catalogue()
POLICY = DetectionPolicy()
CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"
ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "detect" / "commits.jsonl")
    .read_text("utf-8")
    .splitlines()
]
FIELDS = ("id", "message", "author_name", "author_email", "committer_name", "committer_email")


def plain(**more: Any) -> PullRequest:
    """A pull request by june without a trace of AI."""
    return a_pull(**({"commits": (commit(),)} | more))


def seen(pull: PullRequest, policy: DetectionPolicy = POLICY) -> set[tuple[SignalKind, str]]:
    signals = detect(pull, policy, CATALOGUE)
    return {(s.kind, s.tool) for s in signals if s.confidence is not Confidence.WEAK}


# -- commits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['tag']}-{n}") for n, row in enumerate(ROWS, 1)]
)
def test_our_examples(row: dict[str, str]) -> None:
    signals = detect_commit(CATALOGUE, CommitText(**{name: row[name] for name in FIELDS}))
    assert is_ai(signals, POLICY) is (row["label"] == "ai")
    if row["tool"]:
        sure = {s.tool for s in signals if s.confidence is not Confidence.WEAK}
        assert row["tool"] in sure


def test_a_signal_says_where_and_shows_the_text() -> None:
    (signal,) = detect_commit(CATALOGUE, CommitText(id=HEAD, message=f"Tidy\n\n{CLAUDE}\n"))
    assert signal == Signal(
        tool="claude",
        kind=SignalKind.CO_AUTHOR,
        confidence=Confidence.CERTAIN,
        place=Place.COMMIT,
        ref=HEAD,
        evidence=CLAUDE,
    )


def test_identical_signals_are_one() -> None:
    message = f"Tidy\n\n* a\n\n{CLAUDE}\n\n* b\n\n{CLAUDE}\n"
    assert len(detect_commit(CATALOGUE, CommitText(id=HEAD, message=message))) == 1


# -- sources of a pull request ----------------------------------------------------------------

AIDER = GitIdentity(name="June (aider)", email="june@example.com", user=user("june"))
UNKNOWN_BOT = GitIdentity(name="pen[bot]", email="9+pen[bot]@users.noreply.github.com")
OTHER_BOT = GitIdentity(name="pen-ci[bot]", email="9+pen-ci[bot]@users.noreply.github.com")


@pytest.mark.parametrize(
    ("more", "kind", "tool"),
    [
        pytest.param({"commits": (ai_commit(),)}, SignalKind.CO_AUTHOR, "claude", id="trailer"),
        pytest.param(
            {"commits": (ai_commit(OLD), commit())}, SignalKind.CO_AUTHOR, "claude", id="any-commit"
        ),
        pytest.param({"commits": (commit(by=AIDER),)}, SignalKind.AUTHOR, "aider", id="author"),
        pytest.param(
            {"commits": (commit(committer=stranger("Oz", "oz-agent@warp.dev")),)},
            SignalKind.COMMITTER,
            "warp",
            id="committer",
        ),
        pytest.param(
            {
                "commits": (
                    commit(authors=(identity("june"), stranger("x", "noreply@anthropic.com"))),
                )
            },
            SignalKind.CO_AUTHOR,
            "claude",
            id="co-author-github-resolved",
        ),
        pytest.param(
            {"commits": (commit(by=UNKNOWN_BOT),)},
            SignalKind.AUTHOR,
            UNKNOWN_TOOL,
            id="unknown-bot",
        ),
        pytest.param(
            {"commits": (commit(by=OTHER_BOT),)},
            SignalKind.AUTHOR,
            UNKNOWN_TOOL,
            id="unknown-bot-that-sounds-harmless",
        ),
        pytest.param({"author": bot("claude")}, SignalKind.OPENER, "claude", id="opener"),
        pytest.param({"author": bot("pen")}, SignalKind.OPENER, UNKNOWN_TOOL, id="unknown-opener"),
        pytest.param(
            {"author": Actor(kind=ActorKind.UNKNOWN, login="x", id=1)},
            SignalKind.OPENER,
            UNKNOWN_TOOL,
            id="opener-of-a-new-kind",
        ),
        pytest.param(
            {"author": user("cursoragent", 199161495)}, SignalKind.OPENER, "cursor", id="agent-user"
        ),
        pytest.param(
            {"author": bot("coderabbitai")}, SignalKind.OPENER, "coderabbit", id="reviewer-opens"
        ),
        pytest.param({"labels": ("AI-Assisted",)}, SignalKind.LABEL, UNKNOWN_TOOL, id="label"),
        pytest.param({"labels": ("codex",)}, SignalKind.LABEL, "codex", id="label-of-a-tool"),
        pytest.param(
            {"timeline": (labeled("ai-assisted", "june"),)},
            SignalKind.LABEL,
            UNKNOWN_TOOL,
            id="label-that-was-removed",
        ),
        pytest.param(
            {"body": "🤖 Generated with [Claude Code](https://claude.com/claude-code)"},
            SignalKind.FOOTER,
            "claude",
            id="body",
        ),
        pytest.param(
            {"body_edits": (BodyEdit(edited_at=T0, editor=user("june"), text="Made with Cursor"),)},
            SignalKind.FOOTER,
            "cursor",
            id="body-that-was-edited",
        ),
        pytest.param(
            {"title": "[AI-assisted] Add"}, SignalKind.DECLARATION, UNKNOWN_TOOL, id="title"
        ),
        pytest.param(
            {"timeline": (event(EventKind.RENAMED_TITLE, "june", before="Add (ai-generated)"),)},
            SignalKind.DECLARATION,
            UNKNOWN_TOOL,
            id="title-that-was-renamed",
        ),
        pytest.param({"head_ref": "claude/add-aB3dE"}, SignalKind.BRANCH, "claude", id="branch"),
    ],
)
def test_source(more: dict[str, Any], kind: SignalKind, tool: str) -> None:
    assert (kind, tool) in seen(plain(**more))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"author": None}, id="deleted-opener"),
        pytest.param({"author": user("claude")}, id="person-called-claude"),
        pytest.param({"author": user("devin", 12)}, id="person-called-devin"),
        pytest.param({"labels": ("copilot",)}, id="label-that-only-asks"),
        pytest.param({"head_ref": "feature/claude-support"}, id="branch-about-a-tool"),
        pytest.param({"title": "Support Claude in the picker"}, id="title-about-a-tool"),
        pytest.param({"body": "- [ ] AI helped\n- [x] Tests added"}, id="box-not-ticked"),
        pytest.param(
            {"timeline": (event(EventKind.UNLABELED, "june", label="bug"),)}, id="other-label"
        ),
        pytest.param(
            {"body_edits": (BodyEdit(edited_at=T0, editor=None, text=None),)}, id="blanked-revision"
        ),
        pytest.param(
            {
                "commits": (
                    commit(message="Merge branch 'main' into claude/x", parents=(OLD, HEAD)),
                )
            },
            id="merge-of-the-base",
        ),
    ],
)
def test_no_source(more: dict[str, Any]) -> None:
    assert seen(plain(**more)) == set()


def test_an_attribution_setting_is_a_weak_sign() -> None:
    pull = plain(files=(ChangedFile(path=".claude/settings.json"),))
    (signal,) = detect(pull, POLICY, CATALOGUE)
    assert (signal.kind, signal.confidence) == (SignalKind.SWITCHED_OFF, Confidence.WEAK)


DEPENDABOT = bot("dependabot", 49699333)
BY_DEPENDABOT = GitIdentity(
    name="dependabot[bot]", email="49699333+dependabot[bot]@users.noreply.github.com"
)
SIGNED = Signature(valid=True, state="VALID", by_github=True)
UNSIGNED = Signature(valid=False, state="UNSIGNED")
BY_JUNE = Signature(valid=True, state="VALID", signer=user("june"))
BY_ITSELF = Signature(valid=True, state="VALID", signer=DEPENDABOT)


@pytest.mark.parametrize(
    ("commits", "ai"),
    [
        pytest.param((commit(by=BY_DEPENDABOT, signature=SIGNED),), False, id="its-own-verified"),
        pytest.param((commit(by=BY_DEPENDABOT, signature=UNSIGNED),), True, id="not-verified"),
        pytest.param((commit(by=BY_DEPENDABOT),), True, id="no-signature"),
        pytest.param((commit(by=BY_DEPENDABOT, signature=BY_JUNE),), True, id="anothers-signature"),
        pytest.param(
            (commit(by=BY_DEPENDABOT, signature=BY_ITSELF),), False, id="with-its-own-key"
        ),
        pytest.param(
            (commit(OLD, BY_DEPENDABOT, signature=SIGNED), commit(by="june", signature=SIGNED)),
            True,
            id="with-a-commit-of-somebody",
        ),
        pytest.param(
            (commit(by=replace(BY_DEPENDABOT, email="support@github.com"), signature=SIGNED),),
            True,
            id="address-anybody-can-write",
        ),
        pytest.param(
            (commit(by=BY_DEPENDABOT, message=f"Bump\n\n{CLAUDE}", signature=SIGNED),),
            True,
            id="with-a-mark",
        ),
    ],
)
def test_automation_is_believed_of_its_own_verified_commits(
    commits: tuple[Any, ...], ai: bool
) -> None:
    pull = plain(author=DEPENDABOT, commits=commits)
    assert is_ai(detect(pull, POLICY, CATALOGUE), POLICY) is ai


def test_a_roster_classifies_bots() -> None:
    policy = replace(
        POLICY, automation_bots=frozenset({"acme-mover"}), ai_bots=frozenset({"acme-codegen"})
    )
    mover = GitIdentity(name="acme-mover[bot]", email="7+acme-mover[bot]@users.noreply.github.com")
    moved = plain(author=bot("acme-mover", 7), commits=(commit(by=mover, signature=SIGNED),))
    assert seen(moved, policy) == set()
    assert seen(moved) == {(SignalKind.OPENER, UNKNOWN_TOOL), (SignalKind.AUTHOR, UNKNOWN_TOOL)}
    assert seen(plain(author=bot("acme-codegen")), policy) == {(SignalKind.OPENER, UNKNOWN_TOOL)}
    assert seen(plain(author=user("acme-codegen")), policy) == {(SignalKind.OPENER, UNKNOWN_TOOL)}


def test_the_order_is_that_of_the_sources() -> None:
    pull = a_pull(
        author=bot("claude"), labels=("ai-assisted",), body="Made with Cursor", head_ref="codex/add"
    )
    places = [signal.place for signal in detect(pull, POLICY, CATALOGUE)]
    assert places == [Place.OPENER, Place.COMMIT, Place.LABEL, Place.BODY, Place.BRANCH]


# -- how much is enough -----------------------------------------------------------------------


def signal(
    sure: Confidence = Confidence.WEAK, place: Place = Place.COMMIT, tool: str = "claude"
) -> Signal:
    return Signal(tool=tool, kind=SignalKind.TRAILER, confidence=sure, place=place)


@pytest.mark.parametrize(
    ("signals", "confidence", "ai"),
    [
        pytest.param((), Confidence.WEAK, False, id="empty"),
        pytest.param((signal(),), Confidence.WEAK, True, id="weak-is-enough-for-weak"),
        pytest.param((signal(),), Confidence.LIKELY, False, id="one-weak"),
        pytest.param((signal(), signal()), Confidence.LIKELY, False, id="two-weak-in-one-place"),
        pytest.param(
            (signal(), signal(place=Place.BRANCH)), Confidence.LIKELY, True, id="two-places"
        ),
        pytest.param(
            (signal(), signal(place=Place.BRANCH, tool="codex")),
            Confidence.LIKELY,
            False,
            id="two-tools",
        ),
        pytest.param(
            (signal(), signal(place=Place.BRANCH)), Confidence.CERTAIN, False, id="never-certain"
        ),
        pytest.param((signal(Confidence.LIKELY),), Confidence.LIKELY, True, id="likely"),
        pytest.param((signal(Confidence.LIKELY),), Confidence.CERTAIN, False, id="not-certain"),
        pytest.param((signal(Confidence.CERTAIN),), Confidence.CERTAIN, True, id="certain"),
    ],
)
def test_is_ai(signals: tuple[Signal, ...], confidence: Confidence, ai: bool) -> None:
    assert is_ai(signals, DetectionPolicy(confidence=confidence)) is ai


# -- declarations -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("", Declaration.NONE, id="empty"),
        pytest.param("Adds coupons.", Declaration.NONE, id="silent"),
        pytest.param("AI-assisted: yes (Claude Code)", Declaration.YES, id="key-yes"),
        pytest.param("Generated with Claude Code", Declaration.YES, id="footer"),
        pytest.param("- [x] Written with the help of AI", Declaration.YES, id="box-yes"),
        pytest.param("AI-assisted: no", Declaration.NO, id="key-no"),
        pytest.param("- [x] No AI was used", Declaration.NO, id="box-no"),
        pytest.param("- [ ] Written with AI\n- [ ] No AI was used", Declaration.NONE, id="no-tick"),
        pytest.param("- [x] Written with AI\n- [x] No AI was used", Declaration.YES, id="both"),
        pytest.param("## AI disclosure\n\nNone.", Declaration.NO, id="heading-none"),
        pytest.param("## AI disclosure\n\nCopilot wrote it", Declaration.YES, id="heading-tool"),
    ],
)
def test_declaration(body: str, expected: Declaration) -> None:
    assert declaration(plain(body=body), CATALOGUE) is expected


def test_the_template_we_ship_declares_by_its_boxes_alone() -> None:
    template = (Path(__file__).parents[2] / "docs" / "pull_request_template.md").read_text("utf-8")
    yes, no = (line for line in template.splitlines() if line.startswith("- [ ]"))
    assert declaration(plain(body=template), CATALOGUE) is Declaration.NONE
    assert seen(plain(body=template)) == set()
    for line, expected in ((yes, Declaration.YES), (no, Declaration.NO)):
        body = template.replace(line, line.replace("[ ]", "[x]"))
        assert declaration(plain(body=body), CATALOGUE) is expected


def test_a_denial_cancels_no_evidence() -> None:
    pull = a_pull(body="- [x] No AI was used")
    assert is_ai(detect(pull, POLICY, CATALOGUE), POLICY)


# -- memory -----------------------------------------------------------------------------------

FOUND = detect(a_pull(), POLICY, CATALOGUE)


def test_what_was_seen_stays() -> None:
    memory = remember(NOTHING_SEEN, FOUND, now=at(1), origin=12)
    assert standing(memory, ()) == FOUND
    assert is_ai(standing(memory, detect(plain(), POLICY, CATALOGUE)), POLICY)


def test_what_is_seen_again_keeps_its_first_time() -> None:
    memory = remember(NOTHING_SEEN, FOUND, now=at(1), origin=12)
    assert remember(memory, FOUND, now=at(2), origin=13) == memory


def test_new_evidence_joins_the_old() -> None:
    memory = remember(NOTHING_SEEN, FOUND, now=at(1), origin=12)
    other = signal(Confidence.LIKELY, Place.BODY)
    both = remember(memory, (other,), now=at(2), origin=12)
    assert [one.signal for one in both.evidence] == [*FOUND, other]
    assert [one.first_seen for one in both.evidence] == [at(1)] * len(FOUND) + [at(2)]


@given(
    st.lists(
        st.builds(signal, st.sampled_from(Confidence), st.sampled_from(Place), st.text(max_size=3))
    )
)
def test_remembering_never_loses(signals: list[Signal]) -> None:
    memory = remember(NOTHING_SEEN, FOUND, now=at(1), origin=12)
    after = remember(memory, signals, now=at(2), origin=13)
    assert {*FOUND, *signals} == set(standing(after, ()))


# -- clearing ---------------------------------------------------------------------------------


def test_the_clearing_label_counts_from_the_last_time_it_was_put_on() -> None:
    first = labeled(CLEARING_LABEL, "grace", minutes=1)
    off = event(EventKind.UNLABELED, "grace", minutes=2, label=CLEARING_LABEL)
    again = labeled(CLEARING_LABEL.upper(), "june", minutes=3)
    pull = plain(labels=(CLEARING_LABEL,), timeline=(first, off, again))
    assert clear_events(pull) == (again,)
    assert clear_events(replace(pull, labels=(), timeline=(first, off))) == ()
    assert clear_events(replace(pull, timeline=())) == ()


# -- who is a tool ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "tool"),
    [
        pytest.param(GitIdentity(name="Claude", email="noreply@anthropic.com"), True, id="tool"),
        pytest.param(UNKNOWN_BOT, True, id="unclassified-bot"),
        pytest.param(BY_DEPENDABOT, False, id="automation-is-easy-to-imitate"),
        pytest.param(GitIdentity(name="Claude", email="claude@gmail.com"), False, id="namesake"),
        pytest.param(identity("june"), False, id="person"),
        pytest.param(stranger(), False, id="stranger"),
    ],
)
def test_is_tool_identity(who: GitIdentity, tool: bool) -> None:
    assert is_tool_identity(who, CATALOGUE, POLICY) is tool


# -- work grows with length -------------------------------------------------------------------


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=60))
def test_nothing_raises(message: str, name: str, email: str) -> None:
    text = CommitText(
        id="1", message=message, author_name=name, author_email=email, committer_name=name
    )
    detect_commit(CATALOGUE, text)
