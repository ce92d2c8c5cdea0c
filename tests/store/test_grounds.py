"""What was judged by what: kept per pull request, compared by every process."""

import pytest

from github_app.store.database import Store
from github_app.store.grounds import Ground
from github_app.store.task import TaskKind
from tests.store.build import Clock, a_task, put
from tests.store.conftest import OpenStore


def a_ground(number: int = 7, digest: str = "d1", again_at: float | None = None) -> Ground:
    return Ground(
        repository_id=10, number=number, head_oid="a" * 40, digest=digest, again_at=again_at
    )


# --- generations ----------------------------------------------------------------------------------


def test_generation_begins_at_nothing(store: Store) -> None:
    assert store.grounds.generation(1) == 0


def test_change_is_seen_by_every_process(store: Store, open_another: OpenStore) -> None:
    other = open_another()
    store.grounds.changed(1)
    assert other.grounds.generation(1) == 1
    other.grounds.changed(1)
    assert store.grounds.generation(1) == 2


def test_change_of_one_installation_leaves_the_others(store: Store) -> None:
    store.grounds.changed(1)
    assert store.grounds.generation(2) == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(TaskKind.INSTALLATION, 1, id="a-team-changed"),
        pytest.param(TaskKind.REPOSITORY, 0, id="one-repository-changed"),
        pytest.param(TaskKind.PULL_REQUEST, 0, id="a-pull-request-changed"),
    ],
)
def test_delivery_about_the_whole_installation_raises_its_generation(
    store: Store, kind: TaskKind, expected: int
) -> None:
    put(store, "guid-1", a_task("", kind=kind))
    assert store.grounds.generation(1) == expected


# --- team lists -----------------------------------------------------------------------------------


def test_team_that_is_read_for_the_first_time_changed_nothing(store: Store) -> None:
    assert not store.grounds.team_read(1, "acme/staff", "list-1")
    assert store.grounds.generation(1) == 0


def test_same_list_again_changed_nothing(store: Store) -> None:
    store.grounds.team_read(1, "acme/staff", "list-1")
    assert not store.grounds.team_read(1, "acme/staff", "list-1")
    assert store.grounds.generation(1) == 0


def test_another_list_raises_the_generation(store: Store) -> None:
    store.grounds.team_read(1, "acme/staff", "list-1")
    assert store.grounds.team_read(1, "acme/staff", "list-2")
    assert store.grounds.generation(1) == 1


def test_teams_of_other_installations_are_their_own(store: Store) -> None:
    store.grounds.team_read(1, "acme/staff", "list-1")
    assert not store.grounds.team_read(2, "acme/staff", "list-2")


def test_teams_that_were_read_long_ago_are_told(store: Store, clock: Clock) -> None:
    store.grounds.team_read(1, "acme/old", "list")
    clock.advance(600)
    store.grounds.team_read(1, "acme/new", "list")
    assert store.grounds.teams(1, older_than=300) == ("acme/old",)
    assert store.grounds.teams(2, older_than=300) == ()


# --- grounds --------------------------------------------------------------------------------------


def test_ground_is_read_back(store: Store) -> None:
    store.grounds.keep([a_ground(again_at=1.5e9), a_ground(8)])
    assert store.grounds.of(10) == {7: a_ground(again_at=1.5e9), 8: a_ground(8)}
    assert store.grounds.of(11) == {}


def test_newer_ground_takes_the_place(store: Store) -> None:
    store.grounds.keep([a_ground(again_at=1.5e9)])
    store.grounds.keep([a_ground(digest="d2")])
    assert store.grounds.of(10) == {7: a_ground(digest="d2")}


def test_forgotten_are_gone_and_no_others(store: Store) -> None:
    store.grounds.keep([a_ground(number) for number in range(1, 1_002)])
    store.grounds.forget(10, range(2, 1_002))
    assert set(store.grounds.of(10)) == {1}
    store.grounds.forget(10, [])
    assert set(store.grounds.of(10)) == {1}
