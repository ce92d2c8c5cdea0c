"""Who somebody is to the roster: identity by id and login, teams, availability."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_app.judge.facts import Actor, ActorKind
from github_app.judge.people import NO_LEVEL, People, Person, Team
from github_app.judge.roster import Roster
from tests.judge.build import bot, user
from tests.judge.rosters import LEVELS, PEOPLE, SIGN_OFF, roster

DAY = date(2026, 12, 24)


def account(login: str, number: int | None, kind: ActorKind = ActorKind.USER) -> Actor:
    return Actor(kind=kind, login=login, id=number)


PINNED = roster(LEVELS + "unlisted: junior\n" + PEOPLE + SIGN_OFF)
UNPINNED = roster(LEVELS + "unlisted: junior\npeople: {grace: senior, kim: mid}\n" + SIGN_OFF)
SHOUTED = roster(LEVELS + "people: {GRACE: {id: 1906, level: senior}}\n" + SIGN_OFF)
LOW = roster(
    LEVELS + "unlisted: mid\npeople: {ada: principal, june: {id: 32, level: junior}}\n" + SIGN_OFF
)


@pytest.mark.parametrize(
    ("found", "actor", "login", "rank"),
    [
        pytest.param(PINNED, account("grace", 1906), "grace", 2, id="login-and-id"),
        pytest.param(PINNED, account("GRACE", 1906), "grace", 2, id="login-in-other-case"),
        pytest.param(PINNED, account("grace", 666), None, 0, id="renamed-login-reused"),
        pytest.param(PINNED, account("gracie", 1906), None, 0, id="person-renamed"),
        pytest.param(PINNED, account("grace", None), None, 0, id="id-unknown"),
        pytest.param(PINNED, account("kim", 1906), None, 0, id="login-of-one-id-of-another"),
        pytest.param(PINNED, account("mallory", 34), None, 0, id="unlisted"),
        pytest.param(PINNED, bot("grace", 1906), None, 0, id="bot-of-that-name-and-id"),
        pytest.param(PINNED, account("grace", 1906, ActorKind.MANNEQUIN), None, 0, id="mannequin"),
        pytest.param(
            PINNED, account("grace", 1906, ActorKind.ENTERPRISE_USER), None, 0, id="not-a-user"
        ),
        pytest.param(PINNED, account("grace", 1906, ActorKind.UNKNOWN), None, 0, id="new-type"),
        pytest.param(UNPINNED, account("grace", 5), "grace", 2, id="not-pinned-goes-by-login"),
        pytest.param(UNPINNED, account("grace", None), None, 0, id="not-pinned-id-unknown"),
        pytest.param(SHOUTED, account("grace", 1906), "GRACE", 2, id="entry-in-other-case"),
        pytest.param(
            SHOUTED, account("grace", 7), None, NO_LEVEL, id="entry-in-other-case-other-id"
        ),
        pytest.param(LOW, account("june", 32), "june", 0, id="below-the-unlisted"),
        pytest.param(LOW, account("june2", 32), None, 0, id="renamed-to-escape-a-low-level"),
        pytest.param(LOW, account("june", 99), None, 0, id="in-doubt-the-lower-level"),
        pytest.param(LOW, bot("june", 5), None, 0, id="bot-in-doubt-the-lower-level"),
        pytest.param(LOW, account("mallory", 34), None, 1, id="unlisted-has-that-level"),
    ],
)
def test_person_and_rank(found: Roster, actor: Actor, login: str | None, rank: int) -> None:
    person = found.person(actor)
    assert (person.login if person else None) == login
    assert found.rank(actor) == rank


@pytest.mark.parametrize(
    ("found", "actor", "entry"),
    [
        pytest.param(PINNED, account("grace", 1906), None, id="same"),
        pytest.param(PINNED, account("grace", 666), "grace", id="another-id"),
        pytest.param(PINNED, account("gracie", 1906), "grace", id="another-login"),
        pytest.param(PINNED, account("grace", None), "grace", id="id-unknown"),
        pytest.param(PINNED, account("kim", 1906), "kim", id="two-entries"),
        pytest.param(PINNED, account("mallory", 34), None, id="unlisted"),
        pytest.param(PINNED, bot("grace", 1906), None, id="bot"),
        pytest.param(SHOUTED, account("grace", 666), "GRACE", id="entry-in-other-case"),
        pytest.param(UNPINNED, account("grace", 5), None, id="not-pinned"),
    ],
)
def test_mismatch(found: Roster, actor: Actor, entry: str | None) -> None:
    mismatch = found.mismatch(actor)
    assert (mismatch.login if mismatch else None) == entry


def test_unpinned_login_with_the_id_of_another_entry() -> None:
    found = roster(LEVELS + "people: {kim: mid, ada: {id: 1815, level: principal}}\n" + SIGN_OFF)
    both = account("kim", 1815)
    assert found.person(both) is None
    assert found.mismatch(both) == found.people.entry("kim")
    assert found.rank(both) == NO_LEVEL


# --- teams ----------------------------------------------------------------------------------------

TEAMS = roster(
    LEVELS
    + "unlisted: junior\n"
    + "people: {kim: mid, ada: {id: 1815, level: principal}}\n"
    + "teams: {Acme/Staff: senior, acme/leads: principal, acme/guests: junior}\n"
    + SIGN_OFF
)


def members(**teams: Iterable[Actor]) -> Roster:
    filled: dict[str, tuple[Actor, ...]] = {
        f"acme/{name}": () for name in ("staff", "leads", "guests")
    }
    return TEAMS.with_members(filled | {f"acme/{name}": tuple(who) for name, who in teams.items()})


@pytest.mark.parametrize(
    ("found", "actor", "rank", "team"),
    [
        pytest.param(members(staff=[user("bob")]), user("bob"), 2, "acme/staff", id="member"),
        pytest.param(
            members(staff=[user("bob")]), account("robert", 33), 2, "acme/staff", id="by-id-alone"
        ),
        pytest.param(
            members(staff=[user("bob")]), account("bob", 1), 0, None, id="login-is-nothing"
        ),
        pytest.param(members(), user("bob"), 0, None, id="empty-team"),
        pytest.param(
            members(staff=[user("bob")], leads=[user("bob")]),
            user("bob"),
            3,
            "acme/leads",
            id="highest-of-two",
        ),
        pytest.param(
            members(leads=[user("bob")], guests=[user("bob")]),
            user("bob"),
            3,
            "acme/leads",
            id="lower-team-takes-nothing",
        ),
        pytest.param(members(leads=[user("kim")]), user("kim"), 1, None, id="named-above"),
        pytest.param(
            members(leads=[account("ada", 7)]), account("ada", 7), 0, None, id="named-with-other-id"
        ),
        pytest.param(
            members(leads=[account("lovelace", 1815)]),
            account("lovelace", 1815),
            0,
            None,
            id="named-with-other-login",
        ),
        pytest.param(members(staff=[bot("bob")]), bot("bob"), 0, None, id="bot-in-a-team"),
        pytest.param(
            members(staff=[account("bob", None)]), account("bob", None), 0, None, id="no-id"
        ),
        pytest.param(TEAMS, user("bob"), 0, None, id="unread"),
    ],
)
def test_team(found: Roster, actor: Actor, rank: int, team: str | None) -> None:
    assert found.rank(actor) == rank
    person = found.person(actor)
    assert (person.team if person else None) == team


def test_teams_unread() -> None:
    assert TEAMS.teams_unread == ("acme/staff", "acme/leads", "acme/guests")
    partly = TEAMS.with_members({"ACME/Staff": [user("bob")]})
    assert partly.teams_unread == ("acme/leads", "acme/guests")
    assert partly.rank(user("bob")) == 2


def test_an_unread_team_below_the_unlisted_holds_everybody_down() -> None:
    low = roster(
        LEVELS + "unlisted: mid\npeople: {ada: principal}\nteams: {acme/new: junior}\n" + SIGN_OFF
    )
    assert low.rank(user("bob")) == 0
    assert low.with_members({"acme/new": []}).rank(user("bob")) == 1
    assert low.with_members({"acme/new": [user("bob")]}).rank(user("bob")) == 0


# --- who can sign ---------------------------------------------------------------------------------

SIGNERS = roster(
    LEVELS
    + """\
people:
  ada: {id: 1815, level: principal}
  grace: {id: 1906, level: senior, away: 2026-12-20/2027-01-03}
  alan: {id: 1912, level: senior}
  bob: {id: 33, level: senior}
  kim: {id: 31, level: mid}
teams: {acme/staff: senior}
"""
    + SIGN_OFF
).with_members({"acme/staff": [user("zoe", 50), user("yan", 51), user("kim")]})


@pytest.mark.parametrize(
    ("rank", "today", "logins"),
    [
        pytest.param(2, DAY, "alan bob yan zoe ada grace", id="present-then-lowest-then-away"),
        pytest.param(2, date(2026, 12, 19), "grace alan bob yan zoe ada", id="day-before"),
        pytest.param(2, date(2026, 12, 20), "alan bob yan zoe ada grace", id="first-day"),
        pytest.param(2, date(2027, 1, 3), "alan bob yan zoe ada grace", id="last-day"),
        pytest.param(2, date(2027, 1, 4), "grace alan bob yan zoe ada", id="day-after"),
        pytest.param(3, DAY, "ada", id="higher-rank"),
        pytest.param(1, DAY, "kim alan bob yan zoe ada grace", id="lower-rank"),
    ],
)
def test_signers(rank: int, today: date, logins: str) -> None:
    assert [person.login for person in SIGNERS.signers(rank, today)] == logins.split()


def test_only_people_sign_for_a_team() -> None:
    many = [bot("robot", 60), account("ghost", None), account("zoe", 50, ActorKind.MANNEQUIN)]
    found = members(staff=many)
    assert [person.login for person in found.signers(2, DAY)] == ["ada"]


def test_who_is_in_two_teams_of_a_level_signs_once() -> None:
    text = LEVELS + "teams: {acme/a: senior, acme/b: senior}\n" + SIGN_OFF
    found = roster(text).with_members({"acme/a": [user("bob")], "acme/b": [user("bob")]})
    assert [(one.login, one.team) for one in found.signers(2, DAY)] == [("bob", "acme/a")]


def test_nobody_can_sign() -> None:
    assert roster().signers(4, DAY) == ()


# --- always ---------------------------------------------------------------------------------------

LOGINS = st.sampled_from(["ada", "Ada", "kim", "bob"])
IDS = st.none() | st.integers(1, 4)
ACTORS = st.builds(
    Actor, kind=st.sampled_from([ActorKind.USER, ActorKind.BOT]), login=LOGINS, id=IDS
)
ENTRIES = st.lists(
    st.builds(Person, login=LOGINS, id=IDS, rank=st.integers(0, 3)),
    max_size=3,
    unique_by=(lambda person: person.login.casefold(), lambda person: person.id or object()),
).map(tuple)
TEAM = Team(name="acme/staff", rank=2)


@given(
    named=ENTRIES,
    unlisted=st.integers(-1, 2),
    actor=ACTORS,
    team=st.none() | st.frozensets(ACTORS, max_size=3),
)
def test_doubt_never_raises(
    named: tuple[Person, ...], unlisted: int, actor: Actor, team: frozenset[Actor] | None
) -> None:
    """An account is above the unlisted only if an entry fits it whole, or a team has its id."""
    known = {} if team is None else {TEAM.name: team}
    people = People(named=named, teams=(TEAM,), unlisted=unlisted, members=known)
    person, rank = people.person(actor), people.rank(actor)
    assert rank == person.rank if person else rank <= unlisted
    if person is None:
        return
    assert actor.kind is ActorKind.USER
    assert actor.id is not None
    assert person.id in (None, actor.id)
    if person.team is None:
        assert person in named
        assert person.login.casefold() == actor.key
    else:
        assert any(member.id == actor.id for member in team or ())
        touching = [one for one in named if one.id == actor.id or one.login.casefold() == actor.key]
        assert not touching
