"""The roster: who may sign off, and what a pull request needs. A ``Roster`` exists only if valid.

``parse_roster`` reads the organisation's (or the deployment's) ``reviewers.yaml``, ``tighten`` lays
a repository's own file over it. Both report every problem at once, each with its line.
Source: design section 4.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from github_app.judge import roster_layer
from github_app.judge import roster_reader as read
from github_app.judge.document import Node
from github_app.judge.errors import Problem, RosterError
from github_app.judge.facts import Actor, PullRequest, Repository
from github_app.judge.globs import Glob
from github_app.judge.people import NO_LEVEL, People, Person, Team, by_team
from github_app.judge.policy import (
    DetectionPolicy,
    Requirement,
    Rollout,
    RolloutMode,
    Rule,
    SignOffPolicy,
)
from github_app.judge.roster_model import LAYER, ROSTER
from github_app.judge.rules import (
    RuleBook,
    changed_paths,
    compile_names,
    unknown_rename,
)

ROSTER_PATH = "reviewers.yaml"
LAYER_PATH = ".github/reviewers.yaml"
ROSTER_REPOSITORIES = (".github-private", ".github")  # where both have one: docs/roster.md


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSource:
    """Where a roster was read: ``name`` is a repository's full name or "this deployment".

    ``commit_oid`` is the commit of the default branch it was read at; None for a file.
    """

    name: str
    path: str
    commit_oid: str | None = None

    def __str__(self) -> str:
        at = f" at {self.commit_oid[:7]}" if self.commit_oid else ""
        return f"{self.name}: {self.path}{at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something in a valid file that its owner should look at."""

    source: RosterSource
    problem: Problem

    def __str__(self) -> str:
        return f"{self.source.path} {self.problem}"


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A checked roster. Made by ``parse_roster`` and ``tighten``, never by hand.

    ``sources`` has the organisation's file first, then the repository's if there is one; ``below``
    is the organisation's roster when there is.
    """

    levels: tuple[str, ...]
    people: People
    book: RuleBook
    detection: DetectionPolicy
    rollout: Rollout
    sources: tuple[RosterSource, ...]
    remarks: tuple[Remark, ...] = ()
    below: "Roster | None" = None

    @property
    def organisation(self) -> "Roster":
        """The roster without the repository's own layer: what a changed layer is laid over."""
        return self.below or self

    @property
    def source(self) -> RosterSource:
        return self.sources[0]

    @property
    def sign_off(self) -> SignOffPolicy:
        return self.book.sign_off

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.book.rules

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(map(str, self.remarks))

    # --- people

    @property
    def teams(self) -> tuple[Team, ...]:
        return self.people.teams

    @property
    def teams_unread(self) -> tuple[str, ...]:
        """Teams whose members are not known: nobody has a level through them."""
        return self.people.teams_unread

    def with_members(self, members: Mapping[str, Collection[Actor]]) -> "Roster":
        """The roster with the members of its teams as GitHub lists them now, by ``org/team``."""
        below = self.below.with_members(members) if self.below else None
        people = replace(self.people, members=by_team(members))
        return replace(self, people=people, below=below)

    def level_name(self, rank: int) -> str:
        return self.levels[rank] if 0 <= rank < len(self.levels) else "unlisted"

    def person(self, actor: Actor) -> Person | None:
        """The person this account is. None for everybody unlisted, and whenever it is in doubt."""
        return self.people.person(actor)

    def could_have(self, actor: Actor, rank: int) -> bool:
        """Whether the account may have this rank or more, where that would take a right away."""
        return self.people.could_have(actor, rank)

    def mismatch(self, actor: Actor) -> Person | None:
        """The entry that matches the account by login or id, while the other one disagrees."""
        return self.people.mismatch(actor)

    def rank(self, actor: Actor) -> int:
        """The account's rank; ``people.NO_LEVEL`` where the roster gives none."""
        return self.people.rank(actor)

    def signers(self, rank: int, today: date) -> tuple[Person, ...]:
        """Everybody of this rank or above: who is there first, then who is away; among them the
        lowest sufficient level first, so that the highest are not asked for everything."""
        able = self.people.at_least(rank)
        return tuple(sorted(able, key=lambda person: (person.is_away(today), person.rank)))

    # --- what is asked

    def requirement(self, pull: PullRequest) -> Requirement:
        """What this pull request needs, and which rules made it so."""
        return self.book.requirement(pull)

    def wants_diff(self, pull: PullRequest) -> bool:
        """Whether what files are, or were called, could change what is needed."""
        moved = pull.files_complete and any(map(unknown_rename, pull.files))
        asked = pull.diff_read is not None
        return self.book.wants_diff(pull) or (
            moved and not asked and _holds_roster(pull.repository, self.sources)
        )

    def observes(self, repository: Repository) -> bool:
        """Whether the check never blocks in this repository. One that was renamed into a pattern
        is not observed before the pattern is given its earlier names, too."""
        if self.rollout.mode is RolloutMode.OBSERVE:
            return True
        return all(any(glob.matches(name) for glob in self._observed) for name in repository.names)

    @cached_property
    def _observed(self) -> tuple[Glob, ...]:
        return compile_names(self.rollout.observe)


# --- making one ---------------------------------------------------------------------------------


def parse_roster(document: Node, *, source: RosterSource) -> Roster:
    """The roster of an organisation or of this deployment.

    Errors: RosterError with every problem of the file, in the order of its lines.
    """
    reader = read.Reader(document, ROSTER)
    named = read.read_people(reader)
    sign_off = read.read_sign_off(reader)
    rules = read.read_rules(reader, sign_off, frozenset())
    people = People(named=named, teams=read.read_teams(reader), unlisted=read.read_unlisted(reader))
    detection = read.read_detection(reader, DetectionPolicy())
    rollout = read.read_rollout(reader)
    if not reader.problems.found:
        read.check_levels(reader, people.unlisted, sign_off)
        read.check_possible(reader, people, sign_off, rules)
    read.warn_of_unpinned(reader, named)
    return Roster(
        levels=reader.levels,
        people=people,
        book=RuleBook(sign_off=sign_off, rules=rules),
        detection=detection,
        rollout=rollout,
        sources=(source,),
        remarks=_settle(reader, source),
    )


def tighten(org: Roster, document: Node, *, source: RosterSource) -> Roster:
    """``org`` with a repository's own file laid over it.

    Errors: RosterError with every problem of the file; each attempt to loosen is one.
    """
    reader = read.Reader(document, LAYER, org.levels)
    people = roster_layer.tighten_people(reader, org.people)
    sign_off = roster_layer.tighten_sign_off(reader, org.sign_off)
    taken = frozenset(rule.name.casefold() for rule in org.rules)
    added = read.read_rules(reader, sign_off, taken)
    detection = roster_layer.tighten_detection(reader, org.detection)
    rollout = roster_layer.tighten_rollout(reader, org.rollout)
    if not reader.problems.found:
        read.check_possible(reader, people, sign_off, added)
    return Roster(
        levels=org.levels,
        people=people,
        book=RuleBook(sign_off=sign_off, rules=org.rules + added),
        detection=detection,
        rollout=rollout,
        sources=(*org.sources, source),
        remarks=org.remarks + _settle(reader, source),
        below=org,
    )


def check_layer(document: Node, *, source: RosterSource) -> None:
    """A repository's own file by itself, where the roster that it tightens is not at hand.

    Errors: RosterError with what is wrong whatever it is laid over. Its levels are not looked at.
    """
    reader = read.Reader(document, LAYER, ())
    read.read_people(reader)
    _settle(reader, source)


def _settle(reader: read.Reader, source: RosterSource) -> tuple[Remark, ...]:
    """The remarks, if there are no problems."""
    if reader.problems.found:
        raise RosterError(source.path, reader.problems.in_order())
    return tuple(Remark(source=source, problem=problem) for problem in reader.warnings.in_order())


# --- pull requests that change one ----------------------------------------------------------------


def touches_roster(pull: PullRequest, sources: Iterable[RosterSource] = ()) -> bool:
    """Whether a pull request changes a roster, or ``.github/`` of a repository that holds one.

    ``sources`` are those of the roster in force; leave them out when there is none. When the
    changed paths are not all known it is taken to do so, unless nothing is there to be changed.
    """
    known = tuple(sources)
    holds = _holds_roster(pull.repository, known)
    if not pull.files_complete:
        return True
    if any(map(unknown_rename, pull.files)) and (holds or not known):
        return True
    own = {one.path.casefold() for one in known if _same(one.name, pull.repository)}
    rosters = {ROSTER_PATH, LAYER_PATH, *own}
    folded = (path.casefold() for path in changed_paths(pull.files))
    return any(path in rosters or (holds and path.split("/")[0] == ".github") for path in folded)


def _holds_roster(repository: Repository, sources: tuple[RosterSource, ...]) -> bool:
    return repository.name.casefold() in ROSTER_REPOSITORIES or any(
        _same(source.name, repository) for source in sources
    )


def _same(name: str, repository: Repository) -> bool:
    return name.casefold() == repository.full_name.casefold()


def raised_by(old: Roster, new: Roster) -> frozenset[str]:
    """The case-folded logins of everybody who stands higher in ``new``, or is newly in it.

    Members of teams are those that GitHub listed for ``old``, and for ``new`` where it has them. A
    team that could not be read may raise anybody who is not named beside it.
    """
    lent = new.with_members({**old.people.members, **new.people.members})
    before = {person.login.casefold(): person for person in old.people.at_least(NO_LEVEL)}
    after = {person.login.casefold(): person for person in lent.people.at_least(NO_LEVEL)}
    raised = {login for login, now in after.items() if _rises(old, before.get(login), lent, now)}
    unread = [team for team in lent.teams if team.name in lent.teams_unread]
    for team in unread:
        raised |= {
            login
            for login, was in before.items()
            if lent.people.entry(login) is None and _higher(old, was.rank, lent, team.rank)
        }
    return frozenset(raised)


def _rises(old: Roster, was: Person | None, new: Roster, now: Person) -> bool:
    if was is None or (None not in (was.id, now.id) and was.id != now.id):
        return True
    return _higher(old, was.rank, new, now.rank)


def _higher(old: Roster, was: int, new: Roster, now: int) -> bool:
    """Whether one stands above a level that one did not stand above before.

    Levels are compared by name, since the list may have grown. A new name is compared by its
    place, from below and from above.
    """
    below = set(new.levels[: max(now, 0)]) & set(old.levels)
    if below - set(old.levels[: max(was, 0)]):
        return True
    if now == NO_LEVEL or new.level_name(now) in old.levels:
        return was == NO_LEVEL and now > NO_LEVEL
    return now > was or len(new.levels) - now < len(old.levels) - was


__all__ = [
    "LAYER_PATH",
    "ROSTER_PATH",
    "ROSTER_REPOSITORIES",
    "People",
    "Person",
    "Remark",
    "Roster",
    "RosterSource",
    "Team",
    "check_layer",
    "parse_roster",
    "raised_by",
    "tighten",
    "touches_roster",
]
