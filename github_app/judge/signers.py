"""Who can be asked: who could sign a change now, who could dismiss what stands in its way."""

from github_app.judge.case import Case
from github_app.judge.facts import Actor, ActorKind, ReviewState
from github_app.judge.reasons import Code
from github_app.judge.roster import Person

# What an approval showed of its author that another approval would not change.
_CANNOT_SIGN = frozenset({Code.CANNOT_PUSH, Code.IDENTITY_MISMATCH, Code.NOT_A_PERSON})


def signers(case: Case) -> tuple[Person, ...]:
    """Who could sign this head now, and has not yet. The most available first."""
    signed = {review.author.id for review in case.counted if review.author is not None}
    return tuple(
        person
        for person in _able(case)
        if (person.id is None or person.id not in signed) and not _has_signed(person, case)
    )


def lifters(case: Case) -> tuple[Person, ...]:
    """Who could dismiss what stands in the way and is not who asked for it. Nobody, where all of
    it was dismissed before: GitHub does not dismiss a review twice. Nor where anybody may have
    written a part of it: their dismissal would be lost."""
    if any(note.code is Code.WRITER_UNKNOWN for note in case.notes):
        return ()
    stand = [one for one in case.objections.blocking if one.state is not ReviewState.DISMISSED]
    theirs = {review.author.key for review in stand if review.author is not None}
    return tuple(one for one in _able(case) if stand and one.login.casefold() not in theirs)


def _able(case: Case) -> tuple[Person, ...]:
    """Who could sign this change: listed, high enough, and without a part in it."""
    raised = case.change.raised if case.change else frozenset()
    unable = {
        reason.who.casefold()
        for item in case.ignored
        for reason in item.reasons
        if reason.code in _CANNOT_SIGN
    }
    people = case.roster.signers(case.requirement.rank, case.pull.taken_at.date())
    return tuple(
        person
        for person in people
        if case.contributors.part_of(login=person.login, account=person.id) is None
        and person.login.casefold() not in raised | unable
        and not case.is_tool_account(_account(person))
    )


def _account(person: Person) -> Actor:
    return Actor(kind=ActorKind.USER, login=person.login, id=person.id)


def _has_signed(person: Person, case: Case) -> bool:
    return any(
        review.author is not None and review.author.key == person.login.casefold()
        for review in case.counted
    )
