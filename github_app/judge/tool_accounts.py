"""Accounts of AI tools that GitHub calls users: nobody's, so they are bots to every rule.

Some agents work with an ordinary user account. In a team, or on the roster by mistake, it would
pass for a person: sign off, be exempt, lift what a senior asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from github_app.judge.facts import Actor, ActorKind, PullRequest, Push
from github_app.judge.memory import Memory

IsToolAccount = Callable[[Actor], bool]


def as_bots(
    pull: PullRequest, memory: Memory, is_tool: IsToolAccount
) -> tuple[PullRequest, Memory]:
    """The same facts and memory, with each such account as the bot that it is."""
    everybody = {actor for actor in _actors(pull, memory) if actor is not None}
    tools = {
        actor: replace(actor, kind=ActorKind.BOT)
        for actor in everybody
        if actor.is_person and is_tool(actor)
    }
    if not tools:
        return pull, memory
    known = memory.pushers, memory.pushes
    pushers = tuple(tools.get(actor, actor) for actor in known[0])
    return _renamed(pull, tools), replace(memory, pushers=pushers, pushes=_pushes(known[1], tools))


def _actors(pull: PullRequest, memory: Memory) -> Iterator[Actor | None]:
    yield pull.author
    yield from memory.pushers
    for review in pull.reviews:
        yield review.author
    for event in pull.timeline:
        yield event.actor
        yield event.subject
    for push in (*memory.pushes, *(pull.pushes or ())):
        yield push.actor


def _renamed(pull: PullRequest, tools: Mapping[Actor, Actor]) -> PullRequest:
    def bot(actor: Actor | None) -> Actor | None:
        return tools.get(actor, actor) if actor is not None else None

    return replace(
        pull,
        author=bot(pull.author),
        reviews=tuple(replace(one, author=bot(one.author)) for one in pull.reviews),
        timeline=tuple(
            replace(one, actor=bot(one.actor), subject=bot(one.subject)) for one in pull.timeline
        ),
        pushes=None if pull.pushes is None else _pushes(pull.pushes, tools),
    )


def _pushes(pushes: tuple[Push, ...], tools: Mapping[Actor, Actor]) -> tuple[Push, ...]:
    return tuple(
        replace(push, actor=tools.get(push.actor, push.actor) if push.actor else None)
        for push in pushes
    )
