"""The one tree of errors. Each says what went wrong and what a reader can do about it."""


class CountersignError(Exception):
    """Base of the tree.

    ``advice`` is one sentence a reader can act on. Neither it nor the message holds a secret,
    and the message is safe to log: text that others wrote is never put into it raw.
    """

    advice = "Look the delivery up in the audit log."


class CatalogueError(CountersignError):
    """``signatures.yaml``, or what a roster adds to it, cannot be used."""

    advice = "Fix the entry that is named; nothing is judged without a catalogue."
