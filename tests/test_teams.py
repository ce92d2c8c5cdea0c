"""Who is in a team: kept while nothing says otherwise, and noticed when the list has changed."""

from collections.abc import Collection
from dataclasses import dataclass, field
from unittest.mock import Mock

import pytest

from github_app import teams
from github_app.gateway import supplements
from github_app.gateway.client import Installation
from github_app.gateway.errors import Forbidden, GitHubError, NotFound, Unavailable
from github_app.judge.facts import Actor
from github_app.store.database import Store, open_store
from github_app.teams import MEMBERS_AGE, MOST_AT_ONCE, Teams
from tests.judge.build import user

STAFF = "acme/staff"
Answer = Collection[Actor] | GitHubError


@dataclass
class Hub:
    """GitHub's list of every team, and how often it was asked for."""

    answer: Answer = (user("grace"),)
    asked: list[str] = field(default_factory=list)

    def members(self, _installation: Installation, team: str) -> frozenset[Actor]:
        self.asked.append(team)
        if isinstance(self.answer, GitHubError):
            raise self.answer
        return frozenset(self.answer)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub()
    monkeypatch.setattr(supplements, "team_members", found.members)
    return found


@pytest.fixture
def clock() -> list[float]:
    return [1_000.0]


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory, clock: list[float]) -> Store:
    path = tmp_path_factory.mktemp("store") / "test.db"
    return open_store(f"sqlite:///{path}", clock=lambda: clock[0])


@pytest.fixture
def desk(store: Store, clock: list[float]) -> Teams:
    return Teams(noticed=store.grounds, monotonic=lambda: clock[0])


@pytest.fixture(autouse=True)
def closed(store: Store) -> object:
    yield store
    store.close()


INSTALLATION = Mock(spec=Installation, id=1)


def ask(desk: Teams) -> set[str] | None:
    found = desk.members(INSTALLATION, STAFF, desk.generation(1))
    return None if found is None else {actor.login for actor in found}


def test_members_are_read_once(desk: Teams, hub: Hub) -> None:
    assert ask(desk) == {"grace"}
    assert ask(desk) == {"grace"}
    assert hub.asked == [STAFF]


def test_members_are_read_again_after_a_while(desk: Teams, hub: Hub, clock: list[float]) -> None:
    ask(desk)
    hub.answer = ()
    clock[0] += MEMBERS_AGE
    assert ask(desk) == set()


def test_change_that_any_process_heard_of_is_read_at_once(
    desk: Teams, hub: Hub, store: Store
) -> None:
    ask(desk)
    hub.answer = ()
    store.grounds.changed(1)
    assert ask(desk) == set()


def test_change_elsewhere_costs_nothing(desk: Teams, hub: Hub, store: Store) -> None:
    ask(desk)
    store.grounds.changed(2)
    ask(desk)
    assert hub.asked == [STAFF]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(NotFound("no such team"), id="deleted-renamed-or-secret"),
        pytest.param(Forbidden("members: read is missing"), id="no-right-to-read-it"),
    ],
)
def test_team_that_is_not_shown_gives_nobody_and_is_not_asked_for_all_the_time(
    desk: Teams, hub: Hub, error: GitHubError
) -> None:
    hub.answer = error
    assert ask(desk) is None
    assert ask(desk) is None
    assert hub.asked == [STAFF]


def test_error_that_passes_is_not_taken_for_an_empty_team(desk: Teams, hub: Hub) -> None:
    hub.answer = Unavailable("GitHub is down", status=502)
    with pytest.raises(Unavailable):
        ask(desk)
    hub.answer = (user("grace"),)
    assert ask(desk) == {"grace"}


@pytest.mark.parametrize(
    ("after", "raised"),
    [
        pytest.param((user("grace"),), 0, id="the-same"),
        pytest.param((), 1, id="she-left"),
        pytest.param((user("grace"), user("ada")), 1, id="somebody-came"),
        pytest.param((user("grace", 666),), 1, id="her-login-is-somebody-elses"),
        pytest.param(NotFound("no such team"), 1, id="it-is-gone"),
    ],
)
def test_sweep_notices_a_list_that_changed(
    desk: Teams, hub: Hub, clock: list[float], after: Answer, raised: int
) -> None:
    ask(desk)
    clock[0] += MEMBERS_AGE
    hub.answer = after
    assert desk.look_again(INSTALLATION) == raised
    assert desk.generation(1) == raised


def test_sweep_reads_only_what_nobody_has_read_for_a_while(
    desk: Teams, hub: Hub, clock: list[float]
) -> None:
    ask(desk)
    clock[0] += MEMBERS_AGE - 1
    desk.look_again(INSTALLATION)
    assert hub.asked == [STAFF]


def test_sweep_reads_a_bounded_number(
    desk: Teams, hub: Hub, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teams, "MOST_AT_ONCE", 2)
    assert MOST_AT_ONCE > 2
    for name in ("acme/a", "acme/b", "acme/c"):
        desk.members(INSTALLATION, name, 0)
    clock[0] += MEMBERS_AGE
    hub.asked.clear()
    desk.look_again(INSTALLATION)
    assert len(hub.asked) == 2


def test_team_that_cannot_be_read_for_the_moment_holds_nothing_up(
    desk: Teams, hub: Hub, clock: list[float]
) -> None:
    for name in ("acme/a", "acme/b"):
        desk.members(INSTALLATION, name, 0)
    clock[0] += MEMBERS_AGE
    hub.asked.clear()
    hub.answer = Unavailable("GitHub is down", status=502)
    assert desk.look_again(INSTALLATION) == 0
    hub.answer = ()
    assert desk.look_again(INSTALLATION) == 2
    assert hub.asked == ["acme/a", "acme/b"] * 2
