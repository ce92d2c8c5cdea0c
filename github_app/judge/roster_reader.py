"""Reads the parts of a roster file: what each key means, and what of it cannot be meant.

Every function takes the reader and gives a value; what is wrong goes to ``reader.problems``, so
that one pass reports everything. The values are of use only when there are no problems.
"""

from datetime import date

from github_app.judge.document import Node, Path, quoted
from github_app.judge.people import NO_LEVEL, People, Person, Team
from github_app.judge.policy import (
    DetectionPolicy,
    OwnTool,
    Rollout,
    RolloutMode,
    Rule,
    SignOffPolicy,
)
from github_app.judge.roster_model import NOBODY
from github_app.judge.shape import Problems, Record, Value, nearest, sift
from github_app.judge.signals import Confidence


class Reader:
    """The values of a document by their path, as far as they have the shape.

    ``levels`` are those of the layer above; None where the document brings its own.
    """

    def __init__(
        self, document: Node, shape: Record, levels: tuple[str, ...] | None = None
    ) -> None:
        self.problems = Problems(document)
        self.warnings = Problems(document)
        self._data = sift(shape, document, self.problems)
        self.levels = levels if levels is not None else self.texts("levels")

    def value(self, *path: str | int) -> Value:
        value = self._data
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                return None
        return value

    def has(self, *path: str | int) -> bool:
        return self.value(*path) is not None

    def text(self, *path: str | int) -> str | None:
        value = self.value(*path)
        return value if isinstance(value, str) else None

    def number(self, *path: str | int) -> int | None:
        value = self.value(*path)
        return value if isinstance(value, int) else None

    def texts(self, *path: str | int) -> tuple[str, ...]:
        value = self.value(*path)
        return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()

    def numbers(self, *path: str | int) -> tuple[int, ...]:
        value = self.value(*path)
        return tuple(v for v in value if isinstance(v, int)) if isinstance(value, list) else ()

    def keys(self, *path: str | int) -> tuple[str, ...]:
        value = self.value(*path)
        return tuple(value) if isinstance(value, dict) else ()

    def length(self, *path: str | int) -> int:
        value = self.value(*path)
        return len(value) if isinstance(value, list) else 0

    def rank(self, *path: str | int) -> int | None:
        """The rank of the level that is named there; an unknown one is a problem."""
        name = self.text(*path)
        if name is None or not self.levels:
            return None
        if name in self.levels:
            return self.levels.index(name)
        if self.problems.full:
            return None
        expected = f"one of {', '.join(self.levels)}"
        self.problems.add(
            path, f"unknown level {quoted(name)}", expected=expected, fix=nearest(name, self.levels)
        )
        return None

    def level(self, rank: int) -> str:
        return self.levels[rank] if 0 <= rank < len(self.levels) else "no level"


def read_people(reader: Reader) -> tuple[Person, ...]:
    people: list[Person] = []
    owner: dict[int, str] = {}
    for login in reader.keys("people"):
        path: Path = ("people", login)
        number = reader.number(*path, "id")
        if number is not None and (first := owner.setdefault(number, login)) != login:
            reader.problems.add(
                (*path, "id"),
                f"the id {number} a second time",
                fix=f"{quoted(first)} has it; an id is one account",
            )
        rank = reader.rank(*path, "level")
        away = _away(reader, (*path, "away"))
        people.append(
            Person(login=login, id=number, rank=NO_LEVEL if rank is None else rank, away=away)
        )
    return tuple(people)


def _away(reader: Reader, path: Path) -> tuple[date, date] | None:
    text = reader.text(*path)
    if text is None:
        return None
    first, _, last = text.partition("/")
    try:
        days = (date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        reader.problems.add(
            path, f"{quoted(text)} has a day that does not exist", fix="check the calendar"
        )
        return None
    if days[0] > days[1]:
        reader.problems.add(path, f"{quoted(text)} ends before it begins", fix=f"{last}/{first}")
        return None
    return days


def read_teams(reader: Reader) -> tuple[Team, ...]:
    ranks = ((name, reader.rank("teams", name)) for name in reader.keys("teams"))
    return tuple(
        Team(name=name.casefold(), rank=NO_LEVEL if rank is None else rank) for name, rank in ranks
    )


def read_unlisted(reader: Reader) -> int:
    rank = reader.rank("unlisted")
    return NO_LEVEL if rank is None else rank


def read_sign_off(reader: Reader) -> SignOffPolicy:
    rank = reader.rank("sign_off", "from")
    return SignOffPolicy(
        rank=0 if rank is None else rank,
        approvals=reader.number("sign_off", "approvals") or 1,
        exempt=read_exempt(reader),
    )


def read_exempt(reader: Reader) -> int | None:
    nobody = reader.text("sign_off", "exempt") == NOBODY
    return None if nobody else reader.rank("sign_off", "exempt")


def read_rules(reader: Reader, sign_off: SignOffPolicy, taken: frozenset[str]) -> tuple[Rule, ...]:
    """``taken`` are the case-folded names of the rules in the layer above."""
    rules: list[Rule] = []
    names: set[str] = set(taken)
    for number in range(reader.length("rules")):
        path: Path = ("rules", number)
        rule = Rule(
            name=reader.text(*path, "name") or "",
            why=reader.text(*path, "why") or "",
            repositories=reader.texts(*path, "repositories"),
            branches=reader.texts(*path, "branches"),
            paths=reader.texts(*path, "paths"),
            rank=reader.rank(*path, "from"),
            approvals=reader.number(*path, "approvals"),
        )
        _check_rule(reader, path, rule, sign_off)
        if rule.name.casefold() in names:
            found = f"a second rule {quoted(rule.name)}"
            reader.problems.add((*path, "name"), found, fix="give each its own name")
        names.add(rule.name.casefold())
        rules.append(rule)
    return tuple(rules)


def _check_rule(reader: Reader, path: Path, rule: Rule, sign_off: SignOffPolicy) -> None:
    if not reader.has(*path, "from") and not reader.has(*path, "approvals"):
        reader.problems.add(path, "a rule that asks for nothing", fix="add from: or approvals:")
    if rule.rank is not None and rule.rank < sign_off.rank:
        least = reader.level(sign_off.rank)
        reader.problems.add(
            (*path, "from"),
            f"{quoted(reader.level(rule.rank))} would loosen: sign_off asks for {quoted(least)}",
            expected=f"{quoted(least)} or above",
            fix="a rule can only tighten",
        )
    if rule.approvals is not None and rule.approvals < sign_off.approvals:
        reader.problems.add(
            (*path, "approvals"),
            f"{rule.approvals} would loosen: sign_off asks for {sign_off.approvals}",
            expected=f"{sign_off.approvals} or more",
            fix="a rule can only tighten",
        )
    if not (rule.repositories or rule.branches or rule.paths):
        reader.warnings.add(path, "a rule for every pull request", fix="say it in sign_off")


def read_detection(reader: Reader, above: DetectionPolicy) -> DetectionPolicy:
    """``above`` with what the file adds. What it may add is checked by the caller."""
    ai = _bots(reader, "ai")
    automation = _bots(reader, "automation")
    for number, name in enumerate(reader.texts("detection", "bots", "automation")):
        if bot_key(name) in ai:
            reader.problems.add(
                ("detection", "bots", "automation", number),
                f"{quoted(name)} is also under ai",
                fix="keep one of them",
            )
    tools = _tools(reader)
    automation_now = (above.automation_bots | automation) - ai
    confidence = reader.text("detection", "confidence")
    declaration = reader.value("detection", "require_declaration")
    labels = (label.casefold() for label in reader.texts("detection", "labels"))
    return DetectionPolicy(
        labels=above.labels | frozenset(labels),
        ai_bots=above.ai_bots | ai,
        automation_bots=automation_now - {login for tool in tools for login in tool.logins},
        tools=tuple(dict.fromkeys((*above.tools, *tools))),
        confidence=Confidence(confidence) if confidence else above.confidence,
        require_declaration=above.require_declaration if declaration is None else bool(declaration),
    )


def _tools(reader: Reader) -> tuple[OwnTool, ...]:
    found: list[OwnTool] = []
    automation = _bots(reader, "automation")
    for name in reader.keys("detection", "tools"):
        path: Path = ("detection", "tools", name)

        def texts(key: str, path: Path = path) -> tuple[str, ...]:
            return tuple(text.casefold() for text in reader.texts(*path, key))

        tool = OwnTool(
            name=name,
            emails=tuple(text.removeprefix("*") for text in texts("emails")),
            logins=tuple(map(bot_key, texts("logins"))),
            ids=reader.numbers(*path, "ids"),
            names=texts("names"),
            trailers=texts("trailers"),
            branches=texts("branches"),
        )
        if not reader.keys(*path):
            reader.problems.add(path, "a tool that nothing tells", fix="add emails: or logins:")
        for number, login in enumerate(tool.logins):
            if login in automation:
                reader.problems.add(
                    (*path, "logins", number),
                    f"{quoted(login)} is also under bots.automation",
                    fix="keep one of them",
                )
        found.append(tool)
    return tuple(found)


def bot_key(login: str) -> str:
    """A bot's login as it is compared: GraphQL leaves the ``[bot]`` of REST out."""
    return login.casefold().removesuffix("[bot]")


def _bots(reader: Reader, kind: str) -> frozenset[str]:
    return frozenset(bot_key(name) for name in reader.texts("detection", "bots", kind))


def read_rollout(reader: Reader) -> Rollout:
    mode = reader.text("rollout", "mode")
    return Rollout(
        mode=RolloutMode(mode) if mode else RolloutMode.ENFORCE,
        observe=reader.texts("rollout", "observe"),
    )


def check_levels(reader: Reader, unlisted: int, sign_off: SignOffPolicy) -> None:
    """Being nobody in particular must not be enough."""
    if unlisted == NO_LEVEL:
        return
    name = quoted(reader.level(unlisted))
    if unlisted >= sign_off.rank:
        reader.problems.add(
            ("unlisted",),
            f"everybody on GitHub would be {name} and could sign off",
            expected=f"a level below {quoted(reader.level(sign_off.rank))}",
            fix="lower it or leave it out",
        )
    elif sign_off.exempt is not None and unlisted >= sign_off.exempt:
        reader.problems.add(
            ("sign_off", "exempt"),
            f"everybody is at least {name}, so nothing would need a sign-off",
            expected=f"a level above {name}, or {NOBODY}",
        )


def check_possible(
    reader: Reader, people: People, sign_off: SignOffPolicy, rules: tuple[Rule, ...]
) -> None:
    """There must be enough people for what is asked. Members of teams are not known here."""
    _check_enough(reader, people, sign_off.rank, sign_off.approvals, ("sign_off",))
    for number, rule in enumerate(rules):
        rank = max(sign_off.rank, -1 if rule.rank is None else rule.rank)
        approvals = max(sign_off.approvals, rule.approvals or 0)
        _check_enough(reader, people, rank, approvals, ("rules", number))
    if not reader.problems.found:
        _warn_of_scarcity(reader, people, sign_off, rules)


def _check_enough(reader: Reader, people: People, rank: int, needed: int, path: Path) -> None:
    listed = people.at_least(rank)
    if len(listed) >= needed or any(team.rank >= rank for team in people.teams):
        return
    names = f": {', '.join(quoted(person.login) for person in listed)}" if listed else ""
    level = reader.level(rank)
    key = "approvals" if reader.has(*path, "approvals") else "from"
    reader.problems.add(
        (*path, key),
        f"nobody could meet this: {needed} of level {quoted(level)} or above needed, "
        f"{len(listed)} listed{names}",
        fix="list more people or ask for less",
    )


def _warn_of_scarcity(
    reader: Reader, people: People, sign_off: SignOffPolicy, rules: tuple[Rule, ...]
) -> None:
    rank = max([sign_off.rank, *(rule.rank for rule in rules if rule.rank is not None)])
    needed = max([sign_off.approvals, *(rule.approvals or 0 for rule in rules)])
    if any(team.rank >= rank for team in people.teams):
        return
    listed = people.at_least(rank)
    level = quoted(reader.level(rank))
    if len(listed) < needed:
        reader.warnings.add(
            ("rules",),
            f"where all rules match, {needed} of level {level} are needed and {len(listed)} listed",
            fix="list more people, or make sure that the rules never meet",
        )
    able = people.at_least(sign_off.rank)
    if len(able) == sign_off.approvals and not any(t.rank >= sign_off.rank for t in people.teams):
        names = ", ".join(quoted(person.login) for person in able)
        reader.warnings.add(
            ("sign_off",),
            f"only {names} can sign off, and nobody instead of them",
            fix="list one person more, for their own changes and for holidays",
        )


def warn_of_unpinned(reader: Reader, named: tuple[Person, ...]) -> None:
    unpinned = [person.login for person in named if person.id is None]
    if unpinned:
        shown = ", ".join(quoted(login) for login in unpinned[:5])
        more = f" and {len(unpinned) - 5} more" if len(unpinned) > 5 else ""
        reader.warnings.add(
            ("people", unpinned[0]),
            f"no id for {shown}{more}: whoever takes over such a login takes over the level",
            fix="run countersign roster pin",
        )
