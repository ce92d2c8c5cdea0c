"""Rosters for tests, from YAML, through the real loader."""

from textwrap import dedent

from github_app.judge.roster import Roster, RosterSource, parse_roster
from github_app.yaml_source import read_document

SOURCE = RosterSource(name="acme/.github", path="reviewers.yaml", commit_oid="c0ffee" + "0" * 34)

PEOPLE = """
version: 1
levels: [junior, mid, senior, principal]
unlisted: junior
people:
  ada: {id: 1815, level: principal}
  grace: {id: 1906, level: senior}
  alan: {id: 1912, level: senior}
  kim: {id: 31, level: mid}
  june: {id: 32, level: junior}
"""
SIGN_OFF = """
sign_off: {from: senior, approvals: 1, exempt: senior}
"""


def a_roster(more: str = SIGN_OFF, people: str = PEOPLE) -> Roster:
    """The usual people, and what else the test says."""
    text = dedent(people) + dedent(more)
    return parse_roster(read_document(text, SOURCE.path), source=SOURCE)
