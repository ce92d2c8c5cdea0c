"""Migrations: they make what the code expects, once, and leave newer databases alone."""

import threading
from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from github_app.store import migrate, migrations
from github_app.store.database import Store, open_store
from github_app.store.tables import metadata
from tests.store.build import claimed, put
from tests.store.test_audit import an_entry


def test_head_is_the_newest_revision() -> None:
    (location,) = migrations.__path__
    assert ScriptDirectory(location).get_heads() == [migrate.HEAD]


def test_migrations_only_add() -> None:
    (location,) = migrations.__path__
    for path in Path(location, "versions").glob("r*.py"):
        source = path.read_text()
        assert "drop_" not in source, f"{path.name}: the version before is still running"
        assert "rename_table" not in source
        assert "def downgrade" not in source


def test_migrated_database_is_what_the_code_expects(empty_url: str) -> None:
    with open_store(empty_url) as store, store._database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_starting_together_migrates_once(empty_url: str) -> None:
    stores: list[Store] = []
    threads = [
        threading.Thread(target=lambda: stores.append(open_store(empty_url))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 6
    for number, store in enumerate(stores):
        put(store, f"guid-{number}")
    assert len(claimed(stores[0]).deliveries) == 6
    for store in stores:
        store.close()


def test_opening_again_keeps_everything(url: str) -> None:
    with open_store(url) as store:
        put(store, "guid-1")
    with open_store(url) as store:
        assert claimed(store).deliveries == ("guid-1",)


def test_database_of_a_newer_version_is_used_as_it_is(url: str) -> None:
    with open_store(url) as store, store._database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("ALTER TABLE tasks ADD COLUMN invented_later TEXT"))
        connection.execute(text("ALTER TABLE deliveries ADD COLUMN invented_later TEXT"))
        connection.execute(text("ALTER TABLE audit ADD COLUMN invented_later TEXT"))
    with open_store(url) as store:
        put(store, "guid-1")
        claim = claimed(store)
        assert store.queue.settle(claim, records=[an_entry()])
        assert store.audit.verify().ok, "a column that a newer version added is not a forgery"
        with store._database.read() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        assert found == "9999"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_migration_that_fails_leaves_nothing_behind(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = op.create_index
    calls = []

    def fails_late(*arguments: object, **keywords: object) -> None:
        calls.append(arguments)
        if arguments[0] == "audit_head":
            raise OSError("disk full")
        made(*arguments, **keywords)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(op, "create_index", fails_late)
    with pytest.raises(OSError, match="disk full"):
        open_store(url)
    monkeypatch.undo()
    with open_store(url) as store:
        put(store, "guid-1")
    assert calls
