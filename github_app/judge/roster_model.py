"""What may stand in ``reviewers.yaml``: the one table behind the loader and the JSON Schema."""

from dataclasses import replace

from github_app.judge.document import quoted
from github_app.judge.globs import PatternError, compile_glob
from github_app.judge.shape import (
    Choice,
    Complaint,
    Either,
    Flag,
    Listed,
    Named,
    Record,
    Shape,
    Text,
    Whole,
)
from github_app.judge.signals import Confidence

NOBODY = "nobody"
MAX_APPROVALS = 10
MAX_ID = 10**15


def _path(pattern: str) -> Complaint | None:
    try:
        compile_glob(pattern)
    except PatternError as error:
        return Complaint(f"{quoted(pattern)}: {error.found}", fix=error.fix)
    return None


def _repository(pattern: str) -> Complaint | None:
    if (complaint := _path(pattern)) is not None:
        return complaint
    owner, slash, name = pattern.partition("/")
    if slash and owner and name and "/" not in name:
        return None
    found = f"{quoted(pattern)} cannot be a repository"
    return Complaint(found, expected="owner/name, where * stands for any characters")


def _level(name: str) -> Complaint | None:
    if name.casefold() != NOBODY:
        return None
    return Complaint(f'"{NOBODY}" is not a level', fix="choose another name")


def _login(name: str) -> Complaint | None:
    if name.startswith("@"):
        return Complaint(f"the login {quoted(name)} has an @", fix=f"write {quoted(name[1:])}")
    if name.casefold().endswith("[bot]"):
        found = f"{quoted(name)} is a bot, and bots cannot sign off"
        return Complaint(found, fix="list it under detection.bots")
    return None


LEVEL = Text(
    what="level",
    pattern=r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?",
    longest=40,
    form="letters and digits, with spaces and . _ - between them",
    also=_level,
)
LOGIN = Text(
    what="login",
    pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    form="a GitHub login: ASCII letters, digits and hyphens",
    also=_login,
)
TEAM = Text(
    what="team",
    pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.-]+",
    longest=200,
    form="organisation/team, as in the address of the team's page",
)
BOT = Text(
    what="bot",
    pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\[bot\])?",
    form="the login of a bot, with or without [bot]",
)
REPOSITORY = Text(
    what="repository",
    longest=300,
    form="owner/name",
    also=_repository,
)
BRANCH = Text(
    what="branch",
    longest=300,
    about="A branch name from its beginning; * stands for any characters but a slash.",
    also=_path,
)
PATH = Text(
    what="path",
    longest=300,
    about="A pattern as in .gitignore; upper and lower case are the same.",
    also=_path,
)
ID = Whole(
    least=1,
    most=MAX_ID,
    about="The account's number, which a rename does not change. `countersign roster pin` adds it.",
)
APPROVALS = Whole(least=1, most=MAX_APPROVALS, about="How many of them must approve.")
FROM = Text(
    what="level",
    pattern=LEVEL.pattern,
    longest=LEVEL.longest,
    about="The lowest level whose approval counts.",
    also=_level,
)

PERSON = Either(
    short=LEVEL,
    full=Record(
        fields={
            "id": ID,
            "level": LEVEL,
            "away": Text(
                what="range of days",
                pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{4}-[0-9]{2}-[0-9]{2}",
                form="the first and the last day, such as 2026-12-20/2027-01-03",
                about="From the first to the last day others are named first.",
            ),
        },
        required=("level",),
    ),
    key="level",
    about="A level, or {id: ..., level: ...}.",
)

RULE = Record(
    fields={
        "name": Text(what="name", about="How the rule is called on the check."),
        "why": Text(
            what="reason", longest=500, flowing=True, about="What the author is told about it."
        ),
        "repositories": Listed(of=REPOSITORY, about="Without it: every repository."),
        "branches": Listed(of=BRANCH, about="The branch to merge into. Without it: every branch."),
        "paths": Listed(of=PATH, about="One changed file is enough. Without it: every change."),
        "from": FROM,
        "approvals": APPROVALS,
    },
    required=("name",),
    about="All rules that match apply; the strictest wins.",
)


def _address(text: str) -> Complaint | None:
    local, _, domain = text.casefold().partition("@")
    if local == "*" and domain.startswith("users.noreply."):
        return Complaint(f"{quoted(text)} is everybody on GitHub", fix="list the logins")
    return None


def _key(name: str) -> Complaint | None:
    if name.casefold() not in _PEOPLES_KEYS:
        return None
    return Complaint(f"{quoted(name)} is a trailer that people write", fix="list what it names")


_PEOPLES_KEYS = frozenset(
    {"acked-by", "cc", "change-id", "closes", "co-authored-by", "fixes", "helped-by", "refs"}
    | {"reported-by", "reviewed-by", "signed-off-by", "suggested-by", "tested-by"}
)
TOOL = Record(
    fields={
        "emails": Listed(
            of=Text(
                what="mail address",
                pattern=r"(?:\*|[^\s@*{}<>]+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*",
                longest=200,
                form="an address, or * before the @ for all of a domain",
                also=_address,
            ),
            about="Addresses it commits under; *@agents.example.com is every one of that domain.",
        ),
        "logins": Listed(of=BOT, about="Its accounts, bots or not."),
        "ids": Listed(of=ID, about="The numbers of its accounts."),
        "names": Listed(
            of=Text(what="name", pattern=r"[A-Za-z0-9].*[A-Za-z0-9]", form="two letters or more"),
            about="What it is called where somebody is credited. Not a name that people have.",
        ),
        "trailers": Listed(
            of=Text(
                what="trailer",
                pattern=r"[A-Za-z][A-Za-z0-9-]*",
                form="a key without its colon: letters, digits and hyphens",
                also=_key,
            ),
            about="Keys of trailers that nobody else writes.",
        ),
        "branches": Listed(
            of=Text(
                what="branch",
                pattern=r"[^\s{}*]{2,}",
                form="how the name begins, without *",
            ),
            about="How the names of its branches begin.",
        ),
    },
    about="How it is recognised.",
)

_SIGN_OFF = Record(
    fields={
        "from": FROM,
        "approvals": APPROVALS,
        "exempt": Text(
            what="level",
            pattern=LEVEL.pattern,
            longest=LEVEL.longest,
            about="A change needs no sign-off if every contributor has at least this level. "
            "Without it, or with nobody: every AI-assisted change needs one.",
        ),
    },
    required=("from",),
    about="What every AI-assisted pull request needs.",
)

_FIELDS: dict[str, Shape] = {
    "version": Whole(least=1, most=1, about="The version of this format."),
    "levels": Listed(of=LEVEL, distinct=True, about="The levels, lowest first."),
    "unlisted": Text(
        what="level",
        pattern=LEVEL.pattern,
        longest=LEVEL.longest,
        about="The level of everyone who is not named. Without it they have none.",
        also=_level,
    ),
    "people": Named(names=LOGIN, of=PERSON, about="Who has which level."),
    "teams": Named(names=TEAM, of=LEVEL, about="Every member, unless named under people."),
    "sign_off": _SIGN_OFF,
    "rules": Listed(of=RULE, about="Where more is needed. A rule can only tighten."),
    "detection": Record(
        fields={
            "labels": Listed(
                of=Text(what="label", longest=50), about="Labels that mark a change as AI."
            ),
            "bots": Record(
                fields={
                    "ai": Listed(of=BOT, about="Bots whose work is AI."),
                    "automation": Listed(of=BOT, about="Bots whose own verified work is not."),
                },
                about="Bots that Countersign does not know by itself.",
            ),
            "tools": Named(
                names=Text(
                    what="tool",
                    pattern=r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9])?",
                    longest=60,
                    form="letters and digits, with spaces and . _ - between them",
                ),
                of=TOOL,
                about="AI tools that Countersign does not know by itself, or not by these marks.",
            ),
            "confidence": Choice(
                values=tuple(confidence.value for confidence in Confidence),
                about="How sure a mark must make us.",
            ),
            "require_declaration": Flag(about="Wait until the author says whether AI was used."),
        },
        about="What counts as AI-assisted, in addition to what is known.",
    ),
    "rollout": Record(
        fields={
            "mode": Choice(values=("observe", "enforce"), about="observe never blocks."),
            "observe": Listed(of=REPOSITORY, about="Repositories that are only observed."),
        },
        about="How strictly the check works.",
    ),
}

ROSTER = Record(fields=_FIELDS, required=("version", "levels", "sign_off"))

# A repository's own layer: the same keys without the levels, and nothing but the version needed.
LAYER = Record(
    fields={
        **{key: shape for key, shape in _FIELDS.items() if key != "levels"},
        "sign_off": replace(_SIGN_OFF, required=()),
    },
    required=("version",),
    elsewhere={"levels": "the levels are the organisation's"},
)
