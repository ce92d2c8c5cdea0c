"""Both databases: every test that asks for ``store`` or ``url`` runs on each of them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from github_app.store.claim import Limits
from github_app.store.database import Store, open_store
from tests.store import postgres
from tests.store.build import Clock

OpenStore = Callable[..., Store]


def postgres_binaries() -> Path:
    """Where PostgreSQL is. Without it the test is skipped; in CI it must be there."""
    binary = postgres.binaries()
    if binary is not None:
        return binary
    problem = "no PostgreSQL on this machine: initdb is neither in PATH nor where Debian has it"
    if os.environ.get("CI") == "true":
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    with postgres.server(postgres_binaries()) as running:
        open_store(running.new_database()).close()  # test_1: migrated, the template of all others
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database; on PostgreSQL with its tables, to be quick."""
    if dialect == "sqlite":
        return f"sqlite:///{tmp_path}/countersign.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new_database(template="test_1")


@pytest.fixture
def empty_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any tables."""
    if dialect == "sqlite":
        return f"sqlite:///{tmp_path}/countersign.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
def clock(dialect: str) -> Clock:
    return Clock(dialect)


@pytest.fixture
def open_another(url: str, clock: Clock) -> Iterator[OpenStore]:
    """Opens the same database again, as another process would."""
    opened: list[Store] = []

    def opens(limits: Limits | None = None) -> Store:
        store = open_store(url, limits=limits, clock=clock.time)
        opened.append(store)
        clock.stores.append(store)
        return store

    yield opens
    for store in opened:
        store.close()


@pytest.fixture
def store(open_another: OpenStore) -> Store:
    return open_another()
