"""What a verdict rests on beside the pull request itself, as one short name.

Rosters, the rules and the catalogue of this version, and the installation's generation. The sweep
compares it with what each open pull request was judged by: where it differs, no event is needed.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


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
    found = _files_below(files("github_app.judge"))
    told = [
        f"{name}\0{path.read_text('utf-8')}"
        for name, path in found
        if name.endswith((".py", ".yaml"))
    ]
    return ground(*sorted(told))


def _files_below(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    for path in folder.iterdir():
        name = above + path.name
        if path.is_dir():
            yield from _files_below(path, f"{name}/")
        else:
            yield name, path
