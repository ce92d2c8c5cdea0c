"""Makes foreign text harmless in what we publish.

In Markdown every foreign piece goes into a code span: inside one GitHub renders nothing, links
nothing and notifies nobody. In a title, which GitHub shows as it is, it becomes one short line.
"""

import re
from urllib.parse import quote

from github_app.judge.text import excerpt

_RUNS = re.compile(r"`+")


def plain(text: str, limit: int = 120) -> str:
    """One line of at most ``limit`` characters in which nothing is hidden, for titles and logs."""
    return excerpt(text, limit)


def code(text: str, limit: int = 200) -> str:
    """A Markdown code span that shows ``text`` and cannot be left from inside."""
    line = plain(text, limit)
    if not line:
        return "(empty)"
    longest = max((len(run) for run in _RUNS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def person(login: str) -> str:
    """A login in Markdown: shown with its @, and nobody is notified."""
    return code(f"@{login}", 60)


def commit_link(web_url: str, full_name: str, number: int | None, oid: str) -> str:
    """A link to a commit, built from nothing but ids. ``number``: of the pull request it is in;
    None for one that is in none any more."""
    place = "commit" if number is None else f"pull/{number}/commits"
    path = f"{quote(full_name, safe='/')}/{place}/{quote(oid, safe='')}"
    return f"[{code(oid[:7])}]({web_url.rstrip('/')}/{path})"
