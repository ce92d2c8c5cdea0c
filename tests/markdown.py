"""Reading our own Markdown: code, links, headings; for the tests of the documentation."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_TOP = ("README.md", "CONTRIBUTING.md", "sandbox/README.md", "bench/README.md")
PAGES = (*(ROOT / name for name in _TOP), *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(
    r"""!?\[[^\]]*\]\((?!https?://)([^)\s]+)\)|src(?:set)?="(?!https?://)([^"]+)\""""
)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(text: str, language: str | None = None) -> Iterator[str]:
    """Fenced code, whole; of one language, or of all."""
    for fence in _FENCE.finditer(text):
        if language in (None, fence["language"]):
            yield fence["code"]


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def code_lines(text: str) -> Iterator[str]:
    """Each line of fenced code, continued ones joined, and each code span as one line."""
    for block in blocks(text):
        yield from block.replace("\\\n", " ").splitlines()
    for span in _SPAN.findall(prose(text)):
        yield " ".join(span.split())


def links(text: str) -> Iterator[tuple[str, str]]:
    """Path and fragment of every link and picture that leads to no other site."""
    for markdown, html in _LINK.findall(prose(text)):
        target = markdown or html
        path, _, fragment = target.partition("#")
        yield path, fragment


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to the headings of a page."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+)$", prose(text), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(plain.replace(" ", "-"))
    return found
