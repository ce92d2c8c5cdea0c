"""Who is named: tools and models, by any form of their names; people and automation, never."""

import pytest

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.catalogue import UNKNOWN_TOOL
from github_app.judge.identity import Names, Role, account_of
from github_app.judge.signals import Confidence

NAMES = Names(shipped_catalogue())
CERTAIN, LIKELY, WEAK = Confidence.CERTAIN, Confidence.LIKELY, Confidence.WEAK
FORGE = "users.noreply.github.com"


@pytest.mark.parametrize(
    ("name", "email", "tool", "sure"),
    [
        pytest.param("Claude", "noreply@anthropic.com", "claude", CERTAIN, id="address"),
        pytest.param("Codex", "noreply@anthropic.com", "codex", CERTAIN, id="name-beats-address"),
        pytest.param(
            "Copilot Autofix", f"175728472+Copilot@{FORGE}", "copilot", CERTAIN, id="same-maker"
        ),
        pytest.param("x", f"198982749+Copilot@{FORGE}", "copilot", CERTAIN, id="numeric-address"),
        pytest.param("x", f"158243242+renamed[bot]@{FORGE}", "devin", LIKELY, id="id-new-login"),
        pytest.param("x", f"1+claude[bot]@{FORGE}", "claude", CERTAIN, id="bot-login-other-id"),
        pytest.param(
            "x", f"41898282+claude[bot]@{FORGE}", "claude", CERTAIN, id="claude-under-the-id-of-ci"
        ),
        pytest.param("Nadia Sand (aider)", "n@s.example.edu", "aider", CERTAIN, id="name-ending"),
        pytest.param("nadia via Copilot", "n@s.example.edu", "copilot", CERTAIN, id="via"),
        pytest.param("Claude Opus 4.6", "n@s.example.edu", "claude", LIKELY, id="model-in-name"),
        pytest.param("GitHub Copilot", "n@s.example.edu", "copilot", LIKELY, id="product-name"),
        pytest.param("Claude", "", "claude", LIKELY, id="first-name-no-address"),
        pytest.param("Claude", "bot@localhost", "claude", LIKELY, id="first-name-placeholder"),
        pytest.param("Claude", "claude@gmail.com", "claude", WEAK, id="first-name-free-mail"),
        pytest.param("Kiro AI", "kiro@acme.example.edu", "kiro", LIKELY, id="name-and-AI"),
        pytest.param("Gemini Agent", "g@a.example.edu", "gemini", LIKELY, id="name-and-agent"),
        pytest.param("Ezra", "agent-ab@letta.com", UNKNOWN_TOOL, LIKELY, id="agent-address"),
        pytest.param("Pen", f"9+pen-x[bot]@{FORGE}", UNKNOWN_TOOL, LIKELY, id="unclassified-bot"),
        pytest.param("Nadia (Agent) Sand", "n@s.io", UNKNOWN_TOOL, LIKELY, id="agent-in-brackets"),
        pytest.param("Pen Agent", "n@s.io", UNKNOWN_TOOL, WEAK, id="called-an-agent"),
        pytest.param("Pen Agent", "pen@s.io", UNKNOWN_TOOL, LIKELY, id="called-so-in-both"),
        pytest.param(
            "AI fixer", f"41898282+github-actions[bot]@{FORGE}", UNKNOWN_TOOL, LIKELY, id="workflow"
        ),
    ],
)
def test_an_author_who_is_a_tool(name: str, email: str, tool: str, sure: Confidence) -> None:
    named = NAMES.identify(name, email, Role.AUTHOR)
    assert named is not None
    assert (named.tool, named.sure) == (tool, sure)


@pytest.mark.parametrize(
    ("name", "email"),
    [
        pytest.param("Claude Monteux", "claude@monteux.example.edu", id="claude"),
        pytest.param("Jean-Claude Petit", "jc@gmail.com", id="jean-claude"),
        pytest.param("Devin Okafor", "devin@okafor.example.edu", id="devin"),
        pytest.param("Jules Fontaine", "jules@gmail.com", id="jules"),
        pytest.param("Kiro Tanaka", "kiro@tanaka.example.edu", id="kiro"),
        pytest.param("Cody Larsen", "cody@gmail.com", id="cody"),
        pytest.param("Gemini Alvarez", "gemini@alvarez.example.edu", id="gemini"),
        pytest.param("Warp Factory", "w@warp.dev", id="two-product-words"),
        pytest.param("Ai Nakamura", "ai@nakamura.example.edu", id="given-name-ai"),
        pytest.param("Margaux Petit", "margaux@anthropic.com", id="staff-of-a-vendor"),
        pytest.param("Uma Rao", "uma@pens.ai", id="staff-of-an-ai-company"),
        pytest.param("devinsand", f"12+devinsand@{FORGE}", id="login-like-a-tool"),
        pytest.param("dependabot[bot]", f"49699333+dependabot[bot]@{FORGE}", id="dependencies"),
        pytest.param("acme-release[bot]", f"9+acme-release[bot]@{FORGE}", id="release-bot"),
        pytest.param(
            "gemini-cli-robot", "gemini-cli-robot@google.com", id="ai-sounding-automation"
        ),
        pytest.param("git-ai", "git-ai@local", id="bookkeeping"),
        pytest.param("GitHub", "noreply@github.com", id="web-flow"),
        pytest.param("buildkite-agent", "agent@ci.example.edu", id="build-agent"),
        pytest.param("Mr Sargent", "sargent@gmail.com", id="surname"),
        pytest.param("", "", id="nothing"),
        pytest.param("@", "@", id="only-signs"),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_people_and_automation(name: str, email: str, role: Role) -> None:
    named = NAMES.identify(name, email, role)
    assert named is None or named.sure is WEAK


def test_a_co_author_without_a_mailbox_is_a_tool_and_an_author_perhaps() -> None:
    pen = ("Brightpen", "noreply@brightpen.example.edu")
    co_author, author = (NAMES.identify(*pen, role) for role in (Role.CO_AUTHOR, Role.AUTHOR))
    assert co_author is not None
    assert author is not None
    assert (co_author.sure, author.sure) == (LIKELY, WEAK)


@pytest.mark.parametrize(
    ("name", "email", "found"),
    [
        pytest.param("Acme Pen", "pen@acme.ai", True, id="maker-and-product"),
        pytest.param("Pen", "pen@pen.dev", True, id="product"),
        pytest.param("Ana Pen", "ana@pen.ai", False, id="person-at-a-company"),
        pytest.param("Ana", "ana@pen.ai", False, id="first-name-at-a-company"),
        pytest.param("Acme Pen", "pen@acme.example.edu", False, id="host-of-another-kind"),
    ],
)
def test_a_co_author_named_as_its_mailbox(name: str, email: str, found: bool) -> None:
    assert (NAMES.identify(name, email, Role.CO_AUTHOR) is not None) is found


def test_account_of() -> None:
    found = account_of(f"49699333+dependabot[bot]@{FORGE}")
    assert found is not None
    assert (found.login, found.id) == ("dependabot", 49699333)
    assert account_of("support@github.com") is None
