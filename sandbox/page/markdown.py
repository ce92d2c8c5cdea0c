"""Markdown to HTML that cannot harm: no HTML, no images, links to this sandbox only."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

_NO_REFERRER = "nofollow noopener noreferrer"


def render(text: str, web_url: str) -> Markup:
    """Render text that anybody may have written.

    Shapes:  ``web_url`` is the sandbox's own address; only links below it become links, the rest
    stays the text it was. Returns: HTML in which every character of ``text`` is escaped.
    """
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False})
    reader.enable(["table", "strikethrough"]).disable(["image", "html_inline", "html_block"])
    reader.validateLink = lambda url: url.startswith(f"{web_url}/")  # type: ignore[method-assign]  # its documented hook
    reader.add_render_rule("link_open", _link_open)
    reader.core.ruler.push("demote", _demote)
    return Markup(reader.render(text))  # noqa: S704 -- the reader escapes: html is off


def _demote(state: StateCore) -> None:
    """Headings come below the page's own."""
    for token in state.tokens:
        if token.type.startswith("heading_"):
            token.tag = max(token.tag, "h4")


def _link_open(
    self: RendererHTML,
    tokens: Sequence[Token],
    place: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    tokens[place].attrSet("rel", _NO_REFERRER)
    return self.renderToken(tokens, place, options, env)
