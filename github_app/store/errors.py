"""What can go wrong with the database, in the one tree of errors."""

from github_app.judge.errors import CountersignError


class StoreError(CountersignError):
    """The database cannot be used as it is configured."""

    advice = "Check DATABASE_URL and the database it names; nothing is judged without it."


class StoreUnavailable(StoreError):
    """The database did not do what was asked: down, locked too long, disk full.

    The transaction was rolled back: nothing of it happened, and it may be tried again.
    """

    advice = "Nothing was changed; try again once the database answers."
