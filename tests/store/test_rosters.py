"""The last valid roster: kept per owner, and never replaced by an older reading."""

from datetime import timedelta

from github_app.store.database import Store
from tests.store.build import NOON

MINUTE = timedelta(minutes=1)


def remember(store: Store, text: str, *, scope: str = "owner/1", minutes: int = 0) -> None:
    store.rosters.remember(
        scope,
        text=text,
        source="acme/.github\nreviewers.yaml",
        commit_oid="c1",
        read_at=NOON + minutes * MINUTE,
    )


def test_nothing_is_kept_of_a_new_owner(store: Store) -> None:
    assert store.rosters.last("owner/1") is None


def test_kept_roster_is_read_back(store: Store) -> None:
    remember(store, "version: 1\npeople: {}\n")
    saved = store.rosters.last("owner/1")
    assert saved is not None
    assert saved.text == "version: 1\npeople: {}\n"
    assert (saved.source, saved.commit_oid) == ("acme/.github\nreviewers.yaml", "c1")
    assert saved.read_at == NOON
    assert saved.saved_at.tzinfo is not None


def test_newer_reading_replaces_an_older_one(store: Store) -> None:
    remember(store, "old")
    remember(store, "new", minutes=1)
    saved = store.rosters.last("owner/1")
    assert saved is not None
    assert saved.text == "new"


def test_older_reading_that_comes_late_is_dropped(store: Store) -> None:
    remember(store, "new", minutes=1)
    remember(store, "old")
    saved = store.rosters.last("owner/1")
    assert saved is not None
    assert saved.text == "new"


def test_owners_do_not_share(store: Store) -> None:
    remember(store, "theirs", scope="owner/2")
    assert store.rosters.last("owner/1") is None
