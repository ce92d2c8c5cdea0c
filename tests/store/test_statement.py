"""Statements that are given to the driver as they are: the same rows and errors as SQLAlchemy's."""

import pytest
from sqlalchemy import bindparam, literal, select, text

from github_app.store.database import Store
from github_app.store.errors import StoreUnavailable
from github_app.store.statement import run
from github_app.store.tables import counters
from tests.store.build import put

_SOME = (
    select(counters.c.name, (counters.c.value * bindparam("times")).label("much"))
    .where(counters.c.name.in_(bindparam("names", expanding=True)))
    .where(counters.c.labels.in_(["{}", "also"]), literal(1) == 1)
    .order_by(counters.c.name)
)


@pytest.fixture
def counted(store: Store) -> Store:
    for place, name in enumerate("abcdefg"):
        store.counters.add(name, amount=place)
    store.counters.flush()
    return store


@pytest.mark.parametrize(
    "names",
    [
        pytest.param("c", id="one"),
        pytest.param("bd", id="two"),
        pytest.param("abc", id="three-in-four-places"),
        pytest.param("abcdefg", id="seven-in-eight-places"),
        pytest.param("x", id="none-found"),
    ],
)
def test_rows_are_those_of_sqlalchemy(counted: Store, names: str) -> None:
    values = {"names": list(names), "times": 2.0}
    with counted._database.read() as connection:
        expected = connection.execute(_SOME, values).all()
        found = run(connection, _SOME, values)
    assert [(row.name, row.much) for row in found] == [(row.name, row.much) for row in expected]
    assert len(found) == sum(name in "abcdefg" for name in names)


def test_values_are_never_text_of_the_statement(counted: Store) -> None:
    values = {"names": ["a') OR ('1'='1", "%s", "?"], "times": 1.0}
    with counted._database.read() as connection:
        assert run(connection, _SOME, values) == []


def test_statement_without_rows_gives_none(counted: Store) -> None:
    with counted._database.write() as connection:
        assert run(connection, counters.delete().where(counters.c.name == "a")) == []
        left = run(connection, select(counters.c.name))
    assert [row.name for row in left if row.name == "a"] == []
    assert len(left) == 6


def test_it_is_part_of_the_transaction(counted: Store) -> None:
    def clear_and_fail() -> None:
        with counted._database.write() as connection:
            run(connection, counters.delete())
            raise KeyError

    with pytest.raises(KeyError):
        clear_and_fail()
    assert len(counted.counters.read()) == 7


def test_error_is_the_store_s_own_and_tells_no_value(store: Store) -> None:
    statement = text("INSERT INTO nowhere VALUES (:secret)")
    with pytest.raises(StoreUnavailable) as caught, store._database.write() as connection:
        run(connection, statement, {"secret": "hunter2"})
    assert "hunter2" not in str(caught.value) + str(caught.value.__cause__)
    put(store, "guid-1")
    assert store.queue.claim("worker-1") is not None, "and the store goes on"
