"""When a verdict says something else although nothing has happened: what time alone changes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from github_app.judge.outcome import Verdict
from github_app.judge.people import Person

# What rests on somebody's right to push is judged again after so long. GitHub tells when it is
# taken away, but not always: of an organisation's base permission it tells nothing.
RIGHTS_AGE = timedelta(hours=12)


def look_again_at(verdict: Verdict) -> datetime | None:
    """The first moment at which one who could sign or dismiss leaves or comes back, or at which the
    rights of those who signed are too old to be relied on (aware, UTC); or None.

    The check names those who are there. Nothing else of a verdict depends on the time.
    """
    now = verdict.pull.taken_at.astimezone(UTC)
    days = [day for day in _turns((*verdict.signers, *verdict.lifters)) if day > now.date()]
    moments = [datetime.combine(day, time(), UTC) for day in days]
    if verdict.counted or verdict.cleared:
        # whole hours: not another moment to write down after each of many judgements
        moments.append(now.replace(minute=0, second=0, microsecond=0) + RIGHTS_AGE)
    return min(moments, default=None)


def _turns(people: Iterable[Person]) -> Iterable[date]:
    """The days on which somebody is away for the first time, or there again."""
    for person in people:
        if person.away is not None:
            first, last = person.away
            yield first
            if last < date.max:
                yield last + timedelta(days=1)
