"""Whom a text credits: tools and models by any form of their names, and never people."""

import pytest

from github_app.catalogue_file import shipped_catalogue
from github_app.judge.catalogue import UNKNOWN_TOOL
from github_app.judge.credit import Credits
from github_app.judge.identity import Names

CREDITS = Credits(shipped_catalogue(), Names(shipped_catalogue()))


@pytest.mark.parametrize(
    ("value", "tools"),
    [
        pytest.param("Claude Code (Sonnet 4.5)", ["claude"], id="model-in-brackets"),
        pytest.param("OpenCode (Claude Opus 4.6)", ["opencode"], id="tool-before-model"),
        pytest.param("GitLab Duo, OpenCode", ["gitlab-duo", "opencode"], id="two"),
        pytest.param("Crush:kimi-k2.6 coccinelle", ["crush"], id="kernel-form"),
        pytest.param("Brightpen:pen-2", [UNKNOWN_TOOL], id="kernel-form-unknown"),
        pytest.param("Claude Sonnet 4.5 via Crush <crush@charm.land>", ["crush"], id="via"),
        pytest.param("GPT-5.2", ["chatgpt"], id="model"),
        pytest.param("qwen3-coder", ["qwen"], id="model-without-dash"),
        pytest.param("AI (with a few tweaks)", [UNKNOWN_TOOL], id="ai"),
        pytest.param("https://acme.example.edu/notes#llms", [UNKNOWN_TOOL], id="link-to-a-note"),
        pytest.param("Seer by Sentry", ["sentry-junior"], id="by-in-a-name"),
        pytest.param("Jules Fontaine", [], id="person"),
        pytest.param("Devin Okafor <devin@gmail.com>", [], id="person-with-address"),
        pytest.param("Claude, my colleague", ["claude"], id="nobody-else-to-credit"),
        pytest.param("tools/claude/schema.py", [], id="path"),
        pytest.param("https://acme.example.edu/notes", [], id="plain-link"),
        pytest.param("the release script", [], id="script"),
        pytest.param("", [], id="empty"),
        pytest.param("<", [], id="bracket"),
        pytest.param(":::::", [], id="colons"),
    ],
)
def test_credit(value: str, tools: list[str]) -> None:
    assert [named.tool for named in CREDITS.credit(value)] == tools


@pytest.mark.parametrize(
    ("value", "tools"),
    [
        pytest.param("GPT-5", ["chatgpt"], id="model"),
        pytest.param("Claude Code", ["claude"], id="tool"),
        pytest.param("use gpt-5 for summaries", [], id="sentence"),
        pytest.param("buffer the signatures", [], id="topic"),
    ],
)
def test_strict_credit_wants_nothing_but_the_name(value: str, tools: list[str]) -> None:
    assert [named.tool for named in CREDITS.credit(value, strict=True)] == tools
