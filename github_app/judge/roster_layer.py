"""What a repository's own ``.github/reviewers.yaml`` may change: it can only tighten.

The organisation's roster is the base. Each function gives the base with the layer applied, and
names every attempt to loosen. What the layer does not mention stays as it is.
"""

from dataclasses import replace

from github_app.judge.document import Path, quoted
from github_app.judge.people import People, Person, Team
from github_app.judge.policy import DetectionPolicy, Rollout, RolloutMode, SignOffPolicy
from github_app.judge.roster_model import NOBODY
from github_app.judge.roster_reader import (
    Reader,
    bot_key,
    read_detection,
    read_exempt,
    read_people,
    read_teams,
)
from github_app.judge.signals import Confidence

_ONLY = "only the organisation's roster can do that; a repository's can only tighten"


def tighten_people(reader: Reader, base: People) -> People:
    """Levels can be lowered, and people may be named who get nothing by it."""
    unlisted = _lower_unlisted(reader, base.unlisted)
    layer = {person.login.casefold(): person for person in read_people(reader)}
    holders = {person.id: person for person in base.named if person.id is not None}
    named = [
        _lower(reader, person, layer.pop(person.login.casefold(), person)) for person in base.named
    ]
    for person in layer.values():
        path: Path = ("people", person.login)
        level = f"the level {quoted(reader.level(person.rank))}"
        if person.rank > base.unlisted:
            _refuse(reader, (*path, "level"), f"{quoted(person.login)} would get {level}")
        if person.id is not None and person.id in holders:
            owner = quoted(holders[person.id].login)
            reader.problems.add((*path, "id"), f"{person.id} is the id of {owner}", fix="remove it")
        named.append(person)
    return People(
        named=tuple(named),
        teams=_lower_teams(reader, base.teams),
        unlisted=unlisted,
        members=base.members,
    )


def _lower(reader: Reader, base: Person, layer: Person) -> Person:
    path: Path = ("people", layer.login)
    if layer.rank > base.rank:
        levels = f"{quoted(reader.level(base.rank))} to {quoted(reader.level(layer.rank))}"
        _refuse(reader, (*path, "level"), f"{quoted(layer.login)} would rise from {levels}")
    if None not in (base.id, layer.id) and base.id != layer.id:
        reader.problems.add(
            (*path, "id"),
            f"the id {layer.id}, where the organisation has {base.id}",
            fix="remove it",
        )
    return replace(
        base,
        id=base.id if base.id is not None else layer.id,
        rank=min(base.rank, layer.rank),
        away=layer.away or base.away,
    )


def _lower_teams(reader: Reader, base: tuple[Team, ...]) -> tuple[Team, ...]:
    spelled = {name.casefold(): name for name in reader.keys("teams")}
    layer = {team.name: team for team in read_teams(reader)}
    teams: list[Team] = []
    for team in base:
        rank = layer.pop(team.name, team).rank
        if rank > team.rank:
            found = f"{quoted(team.name)} would rise to {quoted(reader.level(rank))}"
            _refuse(reader, ("teams", spelled[team.name]), found)
        teams.append(replace(team, rank=min(rank, team.rank)))
    for name in layer:
        _refuse(reader, ("teams", spelled[name]), f"the team {quoted(name)} would get a level")
    return tuple(teams)


def _lower_unlisted(reader: Reader, base: int) -> int:
    rank = reader.rank("unlisted")
    if rank is None:
        return base
    if rank > base:
        _refuse(reader, ("unlisted",), f"everybody unlisted would be {quoted(reader.level(rank))}")
    return min(rank, base)


def tighten_sign_off(reader: Reader, base: SignOffPolicy) -> SignOffPolicy:
    rank = reader.rank("sign_off", "from")
    approvals = reader.number("sign_off", "approvals")
    if rank is not None and rank < base.rank:
        found = f"sign-off from {quoted(reader.level(rank))}, not {quoted(reader.level(base.rank))}"
        _refuse(reader, ("sign_off", "from"), found)
    if approvals is not None and approvals < base.approvals:
        found = f"{approvals} approvals instead of {base.approvals}"
        _refuse(reader, ("sign_off", "approvals"), found)
    return SignOffPolicy(
        rank=max(base.rank, base.rank if rank is None else rank),
        approvals=max(base.approvals, approvals or 1),
        exempt=_tighten_exempt(reader, base.exempt),
    )


def _tighten_exempt(reader: Reader, base: int | None) -> int | None:
    if reader.text("sign_off", "exempt") == NOBODY:
        return None
    rank = read_exempt(reader)
    if rank is None:
        return base
    if base is None or rank < base:
        above = NOBODY if base is None else quoted(reader.level(base))
        found = f"{quoted(reader.level(rank))} would be exempt, not {above}"
        _refuse(reader, ("sign_off", "exempt"), found)
    return None if base is None else max(rank, base)


def tighten_detection(reader: Reader, base: DetectionPolicy) -> DetectionPolicy:
    for number, name in enumerate(reader.texts("detection", "bots", "automation")):
        if bot_key(name) not in base.automation_bots:
            path: Path = ("detection", "bots", "automation", number)
            _refuse(reader, path, f"{quoted(name)} would no longer be taken for AI")
    confidence = reader.text("detection", "confidence")
    if confidence is not None and Confidence(confidence).rank > base.confidence.rank:
        found = f"{quoted(confidence)} would let pass what is {quoted(base.confidence)}"
        _refuse(reader, ("detection", "confidence"), found)
    if base.require_declaration and reader.value("detection", "require_declaration") is False:
        found = "declarations would no longer be required"
        _refuse(reader, ("detection", "require_declaration"), found)
    return read_detection(reader, base)


def tighten_rollout(reader: Reader, base: Rollout) -> Rollout:
    """A repository can ask to be enforced before its organisation is; never the reverse."""
    if reader.has("rollout", "observe"):
        _refuse(reader, ("rollout", "observe"), "a repository would only be observed")
    mode = reader.text("rollout", "mode")
    if mode == RolloutMode.OBSERVE and base.mode is RolloutMode.ENFORCE:
        _refuse(reader, ("rollout", "mode"), "the repository would only be observed")
    return Rollout() if mode == RolloutMode.ENFORCE else base


def _refuse(reader: Reader, path: Path, found: str) -> None:
    reader.problems.add(path, f"this would loosen: {found}", fix=_ONLY)
