"""Who has which rank: people and teams of a roster, found by the identity of an account.

The numeric id is the identity. A login can be given up and taken by somebody else, so an account
that matches an entry by one and not by the other is nobody the roster vouches for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from github_app.judge.facts import Actor

NO_LEVEL = -1  # the rank of somebody whom the roster gives none; below every level


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An entry of ``people``, or a member of ``team``.

    ``login`` as the roster (or GitHub) spells it. ``id`` None: the entry is not pinned, and goes by
    the login alone. ``away`` is the first and the last day, both included.
    """

    login: str
    id: int | None
    rank: int
    away: tuple[date, date] | None = None
    team: str | None = None

    def is_away(self, today: date) -> bool:
        return self.away is not None and self.away[0] <= today <= self.away[1]

    def agrees(self, actor: Actor) -> bool:
        """Whether nothing speaks against the account being this person."""
        return self.login.casefold() == actor.key and self.id in (None, actor.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """``name`` is ``organisation/team``, case-folded."""

    name: str
    rank: int


@dataclass(frozen=True, kw_only=True)
class People:
    """Everybody a roster gives a rank. ``unlisted`` is everybody else's.

    ``members`` has the accounts of each team as GitHub lists them now, by the team's name; a team
    that is not in it could not be read, and gives nobody a rank.
    """

    named: tuple[Person, ...]
    teams: tuple[Team, ...]
    unlisted: int
    members: Mapping[str, frozenset[Actor]] = field(default_factory=dict)

    @property
    def teams_unread(self) -> tuple[str, ...]:
        return tuple(team.name for team in self.teams if team.name not in self.members)

    def person(self, actor: Actor) -> Person | None:
        """The person this account is. None for everybody unlisted, and whenever it is in doubt."""
        if not actor.is_person or actor.id is None:
            return None
        by_login, by_id = self._by_login.get(actor.key), self._by_id.get(actor.id)
        if by_login is None and by_id is None:
            return self._by_member.get(actor.id)
        if by_login is not None and by_login.agrees(actor) and by_id in (None, by_login):
            return by_login
        return None

    def entry(self, login: str) -> Person | None:
        """The entry that names this login, whoever has the login now."""
        return self._by_login.get(login.casefold())

    def mismatch(self, actor: Actor) -> Person | None:
        """The entry that matches the account by login or id, while the other one disagrees."""
        if not actor.is_person or self.person(actor) is not None:
            return None
        by_id = self._by_id.get(actor.id) if actor.id is not None else None
        return self._by_login.get(actor.key) or by_id

    def could_have(self, actor: Actor, rank: int) -> bool:
        """Whether the account may have this rank or more, where that would take a right away: a
        person who was renamed is the same one, and an unread team may hold anybody."""
        person = self.person(actor)
        if person is not None and (person.rank >= rank or person.team is None):
            return person.rank >= rank
        if not actor.is_person or actor.id is None:
            return False
        renamed = self._by_id.get(actor.id)
        if renamed is not None:
            return renamed.rank >= rank
        unread = set(self.teams_unread)
        of_team = any(team.rank >= rank for team in self.teams if team.name in unread)
        return of_team and not self._is_named(actor)

    def rank(self, actor: Actor) -> int:
        """The account's rank. In doubt the lowest that comes into question."""
        person = self.person(actor)
        if person is not None:
            return person.rank
        doubtful = [self._by_login.get(actor.key)]
        doubtful.append(self._by_id.get(actor.id) if actor.id is not None else None)
        return min([self._floor, *(entry.rank for entry in doubtful if entry is not None)])

    def at_least(self, rank: int) -> tuple[Person, ...]:
        """Everybody of this rank or above, in the order of the roster, members of teams last."""
        everybody = (*self.named, *self._by_member.values())
        return tuple(person for person in everybody if person.rank >= rank)

    @cached_property
    def _by_login(self) -> dict[str, Person]:
        return {person.login.casefold(): person for person in self.named}

    @cached_property
    def _by_id(self) -> dict[int, Person]:
        return {person.id: person for person in self.named if person.id is not None}

    @cached_property
    def _by_member(self) -> dict[int, Person]:
        """Members who are not named themselves; who is in several teams has the highest rank."""
        found: dict[int, Person] = {}
        for team in self.teams:
            for actor in sorted(self.members.get(team.name, ()), key=lambda actor: actor.key):
                if actor.id is None or not actor.is_person or self._is_named(actor):
                    continue
                known = found.get(actor.id)
                if known is None or known.rank < team.rank:
                    found[actor.id] = Person(
                        login=actor.login, id=actor.id, rank=team.rank, team=team.name
                    )
        return found

    @cached_property
    def _floor(self) -> int:
        """An unlisted account may belong to a team that could not be read: it is no higher."""
        unread = set(self.teams_unread)
        return min([self.unlisted, *(team.rank for team in self.teams if team.name in unread)])

    def _is_named(self, actor: Actor) -> bool:
        return actor.key in self._by_login or actor.id in self._by_id


def by_team(members: Mapping[str, Collection[Actor]]) -> dict[str, frozenset[Actor]]:
    """Members by the team's name as it is compared."""
    return {name.casefold(): frozenset(actors) for name, actors in members.items()}
