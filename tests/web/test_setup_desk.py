"""The set-up's rules without HTTP: the code works once, a state works once and for an hour, GitHub
is asked once at a time, and the door shuts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from github_app.app_manifest import Choice, choice
from github_app.gateway.errors import NotFound
from github_app.gateway.registration import Registered
from github_app.settings import Secret
from github_app.web.setup_desk import MOST_STATES, MOST_TRIES, Desk, Phase, Refusal

CHOICE = choice(organization="acme", name="", address="", local=False)
APP = Registered(
    id=7,
    slug="countersign-acme",
    name="countersign-acme",
    owner="acme",
    page="https://github.com/apps/countersign-acme",
    client_id="Iv1",
    client_secret=Secret("client"),
    webhook_secret=Secret("hook"),
    private_key=Secret("pem"),
)


@dataclass
class World:
    """A desk whose GitHub knows one code, and what was stored."""

    now: float = 1000.0
    asked: list[str] = field(default_factory=list)
    kept: list[Registered] = field(default_factory=list)

    def desk(self) -> Desk:
        return Desk(CHOICE, register=self.register, keep=self.keep, clock=lambda: self.now)

    def register(self, code: str) -> Registered:
        self.asked.append(code)
        if code != "good":
            raise NotFound("no such code")
        return APP

    def keep(self, app: Registered, chosen: Choice) -> None:
        del chosen
        self.kept.append(app)


@pytest.fixture
def world() -> World:
    return World()


def test_from_the_code_to_the_end(world: World) -> None:
    desk = world.desk()
    session = desk.unlock(desk.code)
    assert desk.session(session.cookie) is session
    made = desk.register(desk.new_state(), "good")
    assert (made.registered, made.choice) == (APP, CHOICE)
    assert desk.phase is Phase.DONE
    assert world.kept == [APP]


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(lambda code: code.lower(), id="in-small-letters"),
        pytest.param(lambda code: code.replace("-", ""), id="without-hyphens"),
        pytest.param(lambda code: f" {code.replace('-', ' ')}\n", id="with-blanks"),
    ],
)
def test_a_code_as_people_type_it(world: World, typed: Callable[[str], str]) -> None:
    desk = world.desk()
    assert desk.unlock(typed(desk.code)).cookie


@pytest.mark.parametrize("typed", ["", "AAAA-AAAA-AAAA", "é", "\ud800", "x" * 10_000])
def test_a_wrong_code(world: World, typed: str) -> None:
    desk = world.desk()
    with pytest.raises(Refusal, match=r"not the code\. 9 more tries"):
        desk.unlock(typed)
    assert desk.unlock(desk.code).cookie


def test_the_code_works_once(world: World) -> None:
    desk = world.desk()
    desk.unlock(desk.code)
    with pytest.raises(Refusal, match="used already"):
        desk.unlock(desk.code)


def test_codes_cannot_be_tried_without_end(world: World) -> None:
    desk = world.desk()
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(Refusal, match="not the code"):
            desk.unlock("wrong")
    with pytest.raises(Refusal, match="Too many"):
        desk.unlock("wrong")
    assert desk.phase is Phase.CLOSED
    assert desk.shown.is_set()
    with pytest.raises(Refusal):
        desk.unlock(desk.code)


def test_each_desk_has_its_own_code(world: World) -> None:
    assert len({world.desk().code for _ in range(20)}) == 20


@pytest.mark.parametrize("cookie", ["", "wrong", "\ud800"])
def test_a_cookie_that_is_not_the_sessions(world: World, cookie: str) -> None:
    desk = world.desk()
    assert desk.session(cookie) is None
    desk.unlock(desk.code)
    assert desk.session(cookie) is None


@pytest.mark.parametrize("state", ["", "made-up", "\ud800"])
def test_a_state_that_was_never_given(world: World, state: str) -> None:
    desk = world.desk()
    desk.new_state()
    with pytest.raises(Refusal, match="does not belong"):
        desk.register(state, "good")
    assert world.asked == []


def test_a_state_works_once_even_if_github_refused(world: World) -> None:
    desk = world.desk()
    state = desk.new_state()
    with pytest.raises(NotFound):
        desk.register(state, "bad")
    with pytest.raises(Refusal):
        desk.register(state, "good")
    assert world.asked == ["bad"]
    assert desk.register(desk.new_state(), "good").registered is APP


def test_a_state_runs_out(world: World) -> None:
    desk = world.desk()
    early, late = desk.new_state(), desk.new_state()
    world.now += 3599
    in_time = desk.new_state()
    world.now += 2
    for state in (early, late):
        with pytest.raises(Refusal, match="more than an hour"):
            desk.register(state, "good")
    assert desk.register(in_time, "good").registered is APP


def test_of_many_forms_the_newest_are_good(world: World) -> None:
    desk = world.desk()
    first = desk.new_state()
    for _ in range(MOST_STATES):
        world.now += 1
        last = desk.new_state()
    with pytest.raises(Refusal):
        desk.register(first, "good")
    assert desk.register(last, "good").registered is APP


def test_a_form_for_what_is_not_chosen_any_more(world: World) -> None:
    desk = world.desk()
    state = desk.new_state()
    desk.choose(choice(organization="other", name="", address="", local=False))
    with pytest.raises(Refusal):
        desk.register(state, "good")


def test_github_is_asked_once_at_a_time_and_not_left_alone(world: World) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(code: str) -> Registered:
        asked.set()
        assert go_on.wait(60)
        return world.register(code)

    desk = Desk(CHOICE, register=slow, keep=world.keep, clock=lambda: world.now)
    first, second = desk.new_state(), desk.new_state()
    caller = threading.Thread(target=desk.register, args=(first, "good"))
    caller.start()
    try:
        assert asked.wait(60)
        for step in (lambda: desk.register(second, "good"), desk.new_state):
            with pytest.raises(Refusal, match="being asked"):
                step()
        assert not desk.close()
    finally:
        go_on.set()
        caller.join()
    assert desk.close()
    assert desk.made is not None
    assert world.asked == ["good"]


def test_after_the_end_nothing_begins(world: World) -> None:
    desk = world.desk()
    desk.unlock(desk.code)
    states = desk.new_state(), desk.new_state()
    desk.register(states[0], "good")
    for step in (
        lambda: desk.register(states[1], "good"),
        desk.new_state,
        lambda: desk.choose(CHOICE),
        lambda: desk.unlock(desk.code),
    ):
        with pytest.raises(Refusal):
            step()
    assert world.asked == ["good"]


def test_what_cannot_be_stored_is_not_called_done(world: World) -> None:
    def full(app: Registered, chosen: Choice) -> None:
        raise NotFound("the disk is full")

    desk = Desk(CHOICE, register=world.register, keep=full, clock=lambda: world.now)
    with pytest.raises(NotFound):
        desk.register(desk.new_state(), "good")
    assert desk.made is None
    assert desk.phase is Phase.OPEN
