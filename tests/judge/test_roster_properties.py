"""What holds for every roster: reading never fails oddly, tightening and adding never loosen."""

import json
import math
from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from github_app.judge.errors import Problem
from github_app.judge.facts import (
    Actor,
    ActorKind,
    ChangedFile,
    FileKind,
    PullRequest,
    Repository,
)
from github_app.judge.policy import Requirement
from github_app.judge.roster import Roster, raised_by
from tests.judge.build import a_pull
from tests.judge.rosters import PLAIN, outcome

LEVELS = ["junior", "mid", "senior", "principal"]
LOGINS = ["ada", "alan", "grace", "kim", "june", "bob"]
IDS = {login: number for number, login in enumerate(LOGINS, start=1)}

level = st.sampled_from(LEVELS)
pattern = st.sampled_from(
    ["a/**", "**/*.tf", "b", "/c/", "docs/*", "a/[b-d]", "*", "a/*/c", "?", "Straße/"]
)
path = st.sampled_from(
    ["a/b", "a/b/c", "x/y.tf", "b", "c/d", "docs/a", "STRASSE/x", "main.py", "B/q", "é"]
)
repository = st.sampled_from(["acme/*", "acme/shop", "acme/s??p", "other/*"])
branch = st.sampled_from(["main", "release/*", "*"])


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=3, unique=True)


def rule(name: str) -> st.SearchStrategy[dict[str, Any]]:
    asked = st.fixed_dictionaries(
        {"from": st.sampled_from(["senior", "principal"])},
        optional={
            "approvals": st.integers(2, 3),
            "repositories": some(repository),
            "branches": some(branch),
            "paths": some(pattern),
        },
    )
    return asked.map(lambda said: {"name": name, **said})


def rules(prefix: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.integers(1, 4).flatmap(
        lambda count: st.tuples(*(rule(f"{prefix}{number}") for number in range(count))).map(list)
    )


def people(levels: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    def person(login: str) -> st.SearchStrategy[Any]:
        full = st.fixed_dictionaries({"level": levels}, optional={"id": st.just(IDS[login])})
        return levels | full

    return st.fixed_dictionaries(
        {"ada": person("ada")}, optional={login: person(login) for login in LOGINS[1:]}
    )


def sign_off(unlisted: int) -> st.SearchStrategy[dict[str, Any]]:
    """Above what everybody has."""
    return st.fixed_dictionaries(
        {"from": st.sampled_from(LEVELS[unlisted + 1 : 3])},
        optional={
            "approvals": st.integers(1, 2),
            "exempt": st.sampled_from([*LEVELS[unlisted + 1 :], "nobody"]),
        },
    )


detection = st.fixed_dictionaries(
    {},
    optional={
        "labels": some(st.sampled_from(["ai", "robot"])),
        "bots": st.fixed_dictionaries(
            {},
            optional={
                "ai": some(st.sampled_from(["gen", "codex"])),
                "automation": some(st.sampled_from(["release", "deps"])),
            },
        ),
        "confidence": st.sampled_from(["weak", "likely", "certain"]),
        "require_declaration": st.booleans(),
    },
)

rosters = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "levels": st.just(LEVELS),
        "people": people(level),
        "teams": st.just({"acme/leads": "principal"}),  # so that few policies are impossible
    },
    optional={
        "rules": rules("org"),
        "detection": detection,
        "rollout": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["observe", "enforce"]),
                "observe": some(repository),
            },
        ),
    },
).flatmap(
    lambda said: st.integers(-1, 1).flatmap(
        lambda unlisted: sign_off(unlisted).map(
            lambda asked: {
                **said,
                "sign_off": asked,
                **({"unlisted": LEVELS[unlisted]} if unlisted >= 0 else {}),
            }
        )
    )
)
# Mostly tighter than what is above; what is not is refused, and left out by ``valid``.
low = st.sampled_from(["junior", "junior", "junior", "mid"])
layers = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        "unlisted": st.just("junior"),
        "people": people(low),
        "teams": st.fixed_dictionaries({"acme/leads": st.sampled_from(["senior", "principal"])}),
        "sign_off": st.fixed_dictionaries(
            {},
            optional={
                "from": st.sampled_from(["senior", "principal"]),
                "approvals": st.integers(2, 3),
                "exempt": st.sampled_from(["principal", "nobody"]),
            },
        ),
        "rules": rules("own").map(lambda many: [{**one, "from": "principal"} for one in many]),
        "detection": st.fixed_dictionaries(
            {},
            optional={
                "labels": some(st.sampled_from(["ai", "robot"])),
                "bots": st.fixed_dictionaries({"ai": some(st.sampled_from(["gen", "release"]))}),
                "tools": st.sampled_from([{"T": {"ids": [7]}}, {"T": {"logins": ["release"]}}]),
                "confidence": st.sampled_from(["weak", "weak", "likely"]),
                "require_declaration": st.just(True),
            },
        ),
        "rollout": st.just({"mode": "enforce"}),
    },
)
files = st.lists(
    st.builds(
        ChangedFile,
        path=path,
        change=st.sampled_from(["MODIFIED", "RENAMED"]),
        previous_path=st.none() | path,
        kinds=st.sampled_from([(), (), (), (FileKind.SYMLINK,)]),
    ),
    max_size=4,
).map(tuple)
pulls = st.builds(
    lambda files, complete, read, base, owner: a_pull(
        files=files,
        diff_read=read,
        files_complete=complete,
        base_ref=base,
        repository=Repository(id=77, owner=owner, name="shop"),
    ),
    files,
    st.booleans(),
    st.sampled_from([True, True, False, None]),
    st.sampled_from(["main", "release/1", "topic"]),
    st.sampled_from(["acme", "ACME", "other"]),
)
exact = st.sampled_from(LOGINS).map(
    lambda login: Actor(kind=ActorKind.USER, login=login.title(), id=IDS[login])
)
actors = exact | st.builds(
    Actor,
    kind=st.sampled_from([ActorKind.USER, ActorKind.USER, ActorKind.BOT]),
    login=st.sampled_from([*LOGINS, "mallory"]),
    id=st.none() | st.integers(1, 8),
)
members = st.frozensets(actors, max_size=3)


def valid(said: dict[str, Any], org: Roster | None = None) -> Roster:
    found = outcome(json.dumps(said).encode(), org)
    assume(isinstance(found, Roster))
    assert isinstance(found, Roster)
    return found


def as_strict(stricter: Requirement, looser: Requirement) -> bool:
    def exempt(requirement: Requirement) -> float:
        return math.inf if requirement.exempt is None else requirement.exempt

    return (
        stricter.rank >= looser.rank
        and stricter.approvals >= looser.approvals
        and exempt(stricter) >= exempt(looser)
    )


@settings(max_examples=200)
@given(org=rosters, layer=layers, pull=pulls, actor=actors, team=members)
def test_a_layer_never_loosens(
    org: dict[str, Any],
    layer: dict[str, Any],
    pull: PullRequest,
    actor: Actor,
    team: frozenset[Actor],
) -> None:
    above = valid(org).with_members({"acme/leads": team})
    both = valid(layer, above)
    assert as_strict(both.requirement(pull), above.requirement(pull))
    assert both.rank(actor) <= above.rank(actor)
    assert both.observes(pull.repository) <= above.observes(pull.repository)
    assert both.detection.labels >= above.detection.labels
    assert both.detection.ai_bots >= above.detection.ai_bots
    assert set(both.detection.tools) >= set(above.detection.tools)
    assert both.detection.automation_bots <= above.detection.automation_bots
    assert both.detection.confidence.rank <= above.detection.confidence.rank
    assert both.detection.require_declaration >= above.detection.require_declaration
    if both.person(actor) is not None and above.person(actor) is None:
        assert both.rank(actor) < both.sign_off.rank, "nobody new can sign off"


@given(said=rosters, added=rules("new"), pull=pulls)
def test_another_rule_never_loosens(
    said: dict[str, Any], added: list[dict[str, Any]], pull: PullRequest
) -> None:
    before = valid(said)
    after = valid({**said, "rules": [*said.get("rules", []), *added]})
    assert as_strict(after.requirement(pull), before.requirement(pull))


@given(said=rosters, pull=pulls, more=files)
def test_knowing_less_or_touching_more_never_loosens(
    said: dict[str, Any], pull: PullRequest, more: tuple[ChangedFile, ...]
) -> None:
    found = valid(said)
    needed = found.requirement(pull)
    wider = replace(pull, files=pull.files + more)
    forgotten = replace(pull, files=tuple(replace(file, previous_path=None) for file in pull.files))
    assert as_strict(found.requirement(wider), needed)
    assert as_strict(found.requirement(replace(pull, files_complete=False)), needed)
    assert as_strict(found.requirement(replace(pull, diff_read=False)), needed)
    renames = all(file.change == "RENAMED" for file in pull.files if file.previous_path)
    if renames:
        assert as_strict(found.requirement(forgotten), needed)
        kindless = tuple(replace(file, kinds=()) for file in forgotten.files)
        assert as_strict(
            found.requirement(replace(forgotten, files=kindless, diff_read=None)), needed
        )


@given(said=rosters, pull=pulls)
def test_no_wish_for_the_diff_means_it_asks_for_no_less(
    said: dict[str, Any], pull: PullRequest
) -> None:
    """What is asked before the diff is read is what would be asked whatever it showed."""
    found = valid(said)
    unread = replace(pull, diff_read=None)
    assume(not found.wants_diff(unread))
    plain = tuple(
        replace(file, previous_path=file.previous_path or "nowhere/at/all") for file in pull.files
    )
    for files in (plain, tuple(replace(file, kinds=(FileKind.SYMLINK,)) for file in plain)):
        read = found.requirement(replace(pull, files=files, diff_read=True))
        assert as_strict(found.requirement(unread), read)


@given(old=rosters, new=rosters)
def test_whoever_is_not_raised_stands_no_higher(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = valid(old), valid(new)
    raised = raised_by(before, after)
    for login, number in IDS.items():
        actor = Actor(kind=ActorKind.USER, login=login, id=number)
        if after.person(actor) is not None and login not in raised:
            assert before.person(actor) is not None
            assert after.rank(actor) <= before.rank(actor)


@given(said=rosters)
def test_a_roster_raises_nobody_over_itself(said: dict[str, Any]) -> None:
    found = valid(said)
    assert raised_by(found, found) == frozenset()


# --- any input ------------------------------------------------------------------------------------

KEYS = (
    st.sampled_from(["version", "levels", "unlisted", "people", "teams", "sign_off", "rules"])
    | st.sampled_from(["detection", "rollout", "from", "approvals", "exempt", "id", "level"])
    | st.sampled_from(["away", "name", "paths", "bots", "ai", "mode", "repositories", "labels"])
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | level
    | pattern
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)
OTHERS = ("levels", "people", "teams", "sign_off", "rules", "detection", "rollout")
SECTIONS = st.fixed_dictionaries(
    {"version": st.just(1) | TREES}, optional=dict.fromkeys(OTHERS, TREES)
)


def is_outcome(found: Roster | tuple[Problem, ...]) -> bool:
    if isinstance(found, Roster):
        return True
    return bool(found) and all(
        str(problem).isprintable() and problem.line > 0 and problem.column > 0 for problem in found
    )


@settings(max_examples=300)
@given(said=TREES | SECTIONS)
def test_any_data_is_a_roster_or_has_problems(said: Any) -> None:
    assert is_outcome(outcome(json.dumps(said).encode()))
    assert is_outcome(outcome(json.dumps(said).encode(), outcome_of_plain()))


def outcome_of_plain() -> Roster:
    found = outcome(PLAIN)
    assert isinstance(found, Roster)
    return found


@settings(max_examples=200)
@given(at=st.integers(0, len(PLAIN)), cut=st.integers(0, 30), put=st.text(max_size=5))
def test_any_damage_is_survived_or_named(at: int, cut: int, put: str) -> None:
    assert is_outcome(outcome(PLAIN[:at] + put + PLAIN[at + cut :]))
