"""What was last written on a commit, for every process that looks at it."""

from github_app.store.checks import FIRST, Place, Written
from github_app.store.database import Store
from tests.store.build import Clock
from tests.store.conftest import OpenStore

HEAD = Place(repository_id=10, oid="a" * 40, check_name="senior-signoff")


def test_nothing_is_known_of_a_new_commit(store: Store) -> None:
    assert store.checks.last(HEAD) is None


def test_write_is_known_to_every_process(store: Store, open_another: OpenStore) -> None:
    other = open_another()
    store.checks.done(HEAD, Written(run_id=5, digest="d1"))
    assert other.checks.last(HEAD) == Written(run_id=5, digest="d1")
    other.checks.done(HEAD, Written(run_id=6, digest="d2"))
    assert store.checks.last(HEAD) == Written(run_id=6, digest="d2")


def test_write_that_was_begun_makes_what_was_there_doubtful(store: Store) -> None:
    store.checks.done(HEAD, Written(run_id=5, digest="d1"))
    store.checks.begin(HEAD)
    assert store.checks.last(HEAD) == Written(run_id=None, digest="")


def test_places_do_not_share(store: Store) -> None:
    store.checks.done(HEAD, Written(run_id=5, digest="d1"))
    for other in (
        Place(repository_id=11, oid=HEAD.oid, check_name=HEAD.check_name),
        Place(repository_id=10, oid="b" * 40, check_name=HEAD.check_name),
        Place(repository_id=10, oid=HEAD.oid, check_name="another"),
    ):
        assert store.checks.last(other) is None


def test_old_ones_are_forgotten(store: Store, clock: Clock) -> None:
    store.checks.done(HEAD, Written(run_id=5, digest="d1"))
    assert store.checks.prune(kept_seconds=60) == 0
    clock.advance(61)
    assert store.checks.prune(kept_seconds=60) == 1
    assert store.checks.last(HEAD) is None


def test_a_first_write_is_the_first(store: Store) -> None:
    assert store.checks.begin_first(HEAD)
    assert store.checks.last(HEAD) == FIRST
    assert store.checks.done_first(HEAD, Written(run_id=5, digest="d1"))
    assert store.checks.last(HEAD) == Written(run_id=5, digest="d1")
    assert not store.checks.begin_first(HEAD)
    assert not store.checks.done_first(HEAD, Written(run_id=6, digest="d2"))


def test_a_first_write_is_none_where_anybody_began(store: Store, open_another: OpenStore) -> None:
    open_another().checks.begin(HEAD)
    assert not store.checks.begin_first(HEAD)


def test_a_first_write_that_died_is_taken_up(store: Store, open_another: OpenStore) -> None:
    assert open_another().checks.begin_first(HEAD)
    assert store.checks.begin_first(HEAD)


def test_a_first_write_knows_of_another_one_meanwhile(
    store: Store, open_another: OpenStore
) -> None:
    assert store.checks.begin_first(HEAD)
    open_another().checks.begin(HEAD)
    assert not store.checks.done_first(HEAD, Written(run_id=5, digest="d1"))
    assert store.checks.last(HEAD) == Written(run_id=None, digest="")
