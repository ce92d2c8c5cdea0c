"""Files whose path says too little: where one is touched, every rule on paths applies.

A rule on paths trusts that a change does what its path suggests. ``RISKS`` is the table of what
breaks that trust. To add one: write a function, put it into the table, and its test rows.
Source: gitattributes(5), gitmodules(5); each service's documentation for its file.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain

from github_app.judge.facts import ChangedFile, PullRequest
from github_app.judge.globs import GlobIndex, compile_glob
from github_app.judge.paths import is_unknown, seeming
from github_app.judge.policy import Risk

DELETED, TYPE_CHANGED = "DELETED", "CHANGED"

# Files that decide what runs, what is shown, and whose work is whose.
PATHS: dict[str, str] = {
    **dict.fromkeys(
        (
            "/.github/**",
            "/.gitlab-ci.yml",
            "/.gitlab/**",
            "/.circleci/**",
            "/.buildkite/**",
            "/.teamcity/**",
            "/.semaphore/**",
            "/.tekton/**",
            "/.woodpecker/**",
            "/.woodpecker.y*ml",
            "/.drone.y*ml",
            "/.travis.yml",
            "/.cirrus.yml",
            "/.appveyor.yml",
            "/appveyor.yml",
            "/azure-pipelines*.y*ml",
            "/.azure-pipelines/**",
            "/bitbucket-pipelines.yml",
            "/buildspec*.y*ml",
            "/cloudbuild*.y*ml",
            "/.mergify.yml",
            "/.mergify/**",
            "Jenkinsfile*",
        ),
        "decides what is checked and deployed",
    ),
    "/CODEOWNERS": "decides who is asked for a review",
    "/docs/CODEOWNERS": "decides who is asked for a review",
    ".gitattributes": "decides what of other files is shown",
    ".gitmodules": "decides where submodules come from",
    ".lfsconfig": "decides where Git LFS content comes from",
}
_KINDS = tuple(PATHS.items())
_INDEX = GlobIndex((number, compile_glob(pattern)) for number, (pattern, _) in enumerate(_KINDS))


def _of_a_kind(file: ChangedFile) -> Iterator[str]:
    yield from (kind.value for kind in file.kinds)


def _another_type(file: ChangedFile) -> Iterator[str]:
    if file.change == TYPE_CHANGED and not file.kinds:
        yield "becomes another type of file"


def _unknown_name(file: ChangedFile) -> Iterator[str]:
    if any(map(is_unknown, names(file))):
        yield "has a name that is not UTF-8, so nobody can say what it is"


def _decisive(file: ChangedFile) -> Iterator[str]:
    found = _INDEX.owners(names(file))
    yield from (_KINDS[number][1] for number in sorted(found)[:1])


RISKS: tuple[Callable[[ChangedFile], Iterator[str]], ...] = (
    _of_a_kind,
    _another_type,
    _unknown_name,
    _decisive,
)


def risks(pull: PullRequest) -> Iterator[Risk]:
    """Why rules on paths cannot be trusted with this change; in the order of the files.

    What nobody asked for yet (``diff_read`` None) is not among them.
    """
    if not pull.files_complete:
        yield Risk(path="", why="not all changed files are known")
    elif pull.diff_read is False:
        yield Risk(path="", why="GitHub does not show the whole diff")
    twice = _one_to_the_eye(pull)
    for file in filter(_Suspect(pull.files), pull.files):
        for risk in RISKS:
            yield from (Risk(path=file.path, why=why) for why in risk(file))
    for file in pull.files if twice else ():
        if file.change != DELETED and seeming(file.path) in twice:
            yield Risk(path=file.path, why="looks like another file of this change")


class _Suspect:
    """Whether it is worth asking the table: paths are looked at once for all the files."""

    def __init__(self, files: tuple[ChangedFile, ...]) -> None:
        self._decisive = bool(_INDEX.owners(chain.from_iterable(map(names, files))))

    def __call__(self, file: ChangedFile) -> bool:
        return (
            self._decisive
            or bool(file.kinds)
            or file.change == TYPE_CHANGED
            or not file.path.isascii()
            or file.previous_path is not None
        )


def names(file: ChangedFile) -> Iterator[str]:
    """Every path that the change touches here: the new and the old one, and what each seems."""
    for path in (file.path,) if file.previous_path is None else (file.path, file.previous_path):
        yield path
        seems = seeming(path)
        if seems != path.lower():
            yield seems


def _one_to_the_eye(pull: PullRequest) -> frozenset[str]:
    """What two files that are there after the change look like, or are to some file system."""
    there = Counter(seeming(file.path) for file in pull.files if file.change != DELETED)
    return frozenset(path for path, count in there.items() if count > 1)
