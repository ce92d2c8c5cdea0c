"""What may be spent within a window of time, counted for all processes together."""

from sqlalchemy import Double, bindparam, case, select, update

from github_app.store.clock import now
from github_app.store.engine import Database
from github_app.store.statement import insert
from github_app.store.tables import spending


class Spending:
    """By installation and purpose: so much in the current window, which begins with a spending."""

    def __init__(self, database: Database) -> None:
        self._database = database
        first = insert(database.dialect, spending).values(began_at=now(), spent=0)
        self._know = first.on_conflict_do_nothing(index_elements=["installation_id", "purpose"])

    def take(
        self, installation_id: int, purpose: str, wanted: int, *, most: int, window: float
    ) -> int:
        """Spend ``wanted``, or what is left of ``most`` in this window (seconds): how much."""
        its = {"its_installation": installation_id, "its_purpose": purpose}
        with self._database.write(durable=False) as connection:
            key = {"installation_id": installation_id, "purpose": purpose}
            connection.execute(self._know, key)
            connection.execute(_ROLL, its | {"window": window})
            spent = int(connection.execute(_SPENT, its).scalar_one())
            granted = max(min(wanted, most - spent), 0)
            connection.execute(_SPEND, its | {"more": granted})
        return granted

    def wait(self, installation_id: int, purpose: str, *, most: int, window: float) -> float:
        """Seconds until something may be spent; 0 if it may be now."""
        its = {"its_installation": installation_id, "its_purpose": purpose}
        with self._database.read() as connection:
            row = connection.execute(_LEFT, its | {"window": window}).first()
        if row is None or row.spent < most:
            return 0.0
        return max(float(row.left), 0.0)


_its_row = (spending.c.installation_id == bindparam("its_installation")) & (
    spending.c.purpose == bindparam("its_purpose")
)
_over = spending.c.began_at <= now() - bindparam("window", type_=Double)
_ROLL = update(spending).where(_its_row, _over).values(began_at=now(), spent=0)
_SPENT = select(spending.c.spent).where(_its_row).with_for_update()
_SPEND = (
    update(spending)
    .where(_its_row)
    .values(spent=spending.c.spent + bindparam("more", type_=Double))
)
_LEFT = select(
    case((_over, 0.0), else_=spending.c.spent).label("spent"),
    (spending.c.began_at + bindparam("window", type_=Double) - now()).label("left"),
).where(_its_row)
