"""When a verdict says something else although nothing has happened: what time alone changes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from github_app.judge.people import Person
from github_app.judge.verdict import Verdict


def look_again_at(verdict: Verdict) -> datetime | None:
    """The first moment at which one who could sign leaves or comes back (aware, UTC); or None.

    The check names those who are there. Nothing else of a verdict depends on the time.
    """
    today = verdict.pull.taken_at.astimezone(UTC).date()
    days = [day for day in _turns(verdict.signers) if day > today]
    return datetime.combine(min(days), time(), UTC) if days else None


def _turns(people: Iterable[Person]) -> Iterable[date]:
    """The days on which somebody is away for the first time, or there again."""
    for person in people:
        if person.away is not None:
            first, last = person.away
            yield first
            if last < date.max:
                yield last + timedelta(days=1)
