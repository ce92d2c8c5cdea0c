"""Our GraphQL documents: ``queries/<Operation>.graphql`` plus the fragments it names.

Each is sent with one operation and no unused fragment: PyGithub sends no ``operationName``, and
GitHub refuses both otherwise.
"""

import re
from functools import cache
from importlib.resources import files

_SPREAD = re.compile(r"\.\.\.\s*(?!on\b)([A-Za-z_]\w*)")
_FRAGMENT = re.compile(r"^fragment (\w+) on .*?^}$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"#.*")


@cache
def document(operation: str) -> str:
    """Return the text to send for an operation, such as ``PullRequestSnapshot``."""
    text = _read(operation)
    fragments = {found[1]: found[0] for found in _FRAGMENT.finditer(_read("fragments"))}
    named: dict[str, str] = {}
    wanted = _SPREAD.findall(text)
    while wanted:
        name = wanted.pop()
        if name not in named:
            named[name] = fragments[name]
            wanted += _SPREAD.findall(fragments[name])
    return " ".join("\n".join([text, *named.values()]).split())


def _read(name: str) -> str:
    file = files("github_app.gateway") / "queries" / f"{name}.graphql"
    return _COMMENT.sub("", file.read_text(encoding="utf-8"))
