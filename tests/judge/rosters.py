"""Rosters for tests: from text, or from the files in ``tests/data/rosters``."""

from pathlib import Path

from github_app.judge.errors import Problem, RosterError
from github_app.judge.roster import Roster, RosterSource, parse_roster, tighten
from github_app.yaml_source import read_document

DATA = Path(__file__).parents[1] / "data" / "rosters"
ORG = RosterSource(name="acme/.github", path="reviewers.yaml", commit_oid="c" * 40)
OWN = RosterSource(name="acme/shop", path=".github/reviewers.yaml", commit_oid="d" * 40)

LEVELS = "version: 1\nlevels: [junior, mid, senior, principal]\n"
PEOPLE = """\
people:
  ada: {id: 1815, level: principal}
  alan: {id: 1912, level: principal}
  grace: {id: 1906, level: senior}
  kim: {id: 31, level: mid}
  june: {id: 32, level: junior}
"""
SIGN_OFF = "sign_off: {from: senior}\n"
PLAIN = LEVELS + PEOPLE + SIGN_OFF


def roster(text: str | bytes = PLAIN, more: str = "", source: RosterSource = ORG) -> Roster:
    """The roster of a text; ``more`` is put behind it."""
    whole = text + more if isinstance(text, str) else text
    return parse_roster(read_document(whole, source.path), source=source)


def layered(org: Roster, text: str | bytes) -> Roster:
    """``org`` with a repository's layer on it; the version is put before it if it is text."""
    whole = f"version: 1\n{text}" if isinstance(text, str) else text
    return tighten(org, read_document(whole, OWN.path), source=OWN)


def outcome(text: str | bytes, org: Roster | None = None) -> Roster | tuple[Problem, ...]:
    """What comes of a text: a roster, or its problems. Anything else that is raised is a bug."""
    try:
        return roster(text) if org is None else layered(org, text)
    except RosterError as error:
        return error.problems


def expected_problems(folder: str) -> dict[str, list[str]]:
    """``problems.txt`` of a folder: for each file its problems, a column before each."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (DATA / folder / "problems.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line.removeprefix("== "), [])
        else:
            lines.append(line)
    return found
