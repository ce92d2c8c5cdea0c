"""What a verdict rests on beside the pull request itself, as one short name.

Rosters, the rules and the catalogue of this version, and the installation's generation. The sweep
compares it with what each open pull request was judged by: where it differs, no event is needed.
"""

import hashlib
from functools import cache
from importlib.resources import files


def ground(*parts: str) -> str:
    """Name what these parts say: 32 hex digits. Any other part gives another name."""
    told = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        told.update(len(data).to_bytes(8, "big") + data)
    return told.hexdigest()[:32]


@cache
def rules_of_this_version() -> str:
    """Name the rules and the catalogue by the content of their files.

    Not a number that somebody has to raise: one that was forgotten would leave every verdict of
    the version before standing.
    """
    found = [
        path
        for path in files("github_app.judge").iterdir()
        if path.is_file() and path.name.endswith((".py", ".yaml"))
    ]
    told = [f"{path.name}\0{path.read_text('utf-8')}" for path in found]
    return ground(*sorted(told))
