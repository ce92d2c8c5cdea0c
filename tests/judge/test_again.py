"""When time alone changes what a check says: somebody who could sign leaves, or comes back, or what
is known of who may push is old."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from github_app.judge.again import RIGHTS_AGE, look_again_at
from github_app.judge.outcome import Outcome, Verdict
from github_app.judge.people import Person
from github_app.judge.reasons import Code, Reason
from tests.judge.build import a_pull, approval

TODAY = date(2026, 12, 24)
Away = tuple[date, date] | None


def waiting(*away: Away, hour: int = 12) -> Verdict:
    people = [
        Person(login=f"senior{number}", id=number, rank=2, away=one)
        for number, one in enumerate(away)
    ]
    taken_at = datetime(TODAY.year, TODAY.month, TODAY.day, hour, tzinfo=UTC)
    return Verdict(
        outcome=Outcome.WAITING,
        pull=replace(a_pull(), taken_at=taken_at),
        reasons=(Reason(code=Code.NOBODY_YET),),
        signers=tuple(people),
    )


def december(first: int, last: int) -> Away:
    return date(2026, 12, first), date(2026, 12, last)


def midnight(day: int, month: int = 12) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        pytest.param([], None, id="nobody-can-sign"),
        pytest.param([None], None, id="never-away"),
        pytest.param([december(1, 5)], None, id="back-long-ago"),
        pytest.param([december(20, 26)], midnight(27), id="comes-back"),
        pytest.param([december(20, 24)], midnight(25), id="comes-back-tomorrow"),
        pytest.param([december(24, 24)], midnight(25), id="away-today-only"),
        pytest.param([december(26, 30)], midnight(26), id="will-leave"),
        pytest.param([december(20, 29), december(26, 30)], midnight(26), id="the-first-of-several"),
        pytest.param([None, december(20, 26)], midnight(27), id="others-are-there"),
        pytest.param([(TODAY, date.max)], None, id="never-comes-back"),
    ],
)
def test_next_moment(away: list[Away], expected: datetime | None) -> None:
    assert look_again_at(waiting(*away)) == expected


def test_who_could_dismiss_leaves() -> None:
    found = waiting(december(26, 30))
    objected = replace(found, signers=(), lifters=found.signers)
    assert look_again_at(objected) == midnight(26)


@pytest.mark.parametrize("hour", [0, 23])
def test_the_hour_of_the_day_does_not_matter(hour: int) -> None:
    assert look_again_at(waiting(december(20, 24), hour=hour)) == midnight(25)


def test_who_signed_is_looked_at_again_half_a_day_later() -> None:
    verdict = waiting(december(26, 30))
    signed = replace(verdict, outcome=Outcome.SIGNED_OFF, counted=(approval("grace"),))
    again = look_again_at(signed)
    assert again == verdict.pull.taken_at + RIGHTS_AGE
    later = replace(signed.pull, taken_at=signed.pull.taken_at + timedelta(minutes=59))
    assert look_again_at(replace(signed, pull=later)) == again, "not another moment every time"


def test_who_comes_back_sooner_is_not_forgotten_for_it() -> None:
    verdict = replace(waiting(december(20, 24), hour=23), counted=(approval("grace"),))
    assert look_again_at(verdict) == midnight(25)
