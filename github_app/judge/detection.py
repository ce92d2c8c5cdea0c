"""Facts in, signals out: which marks of AI tools a commit or a pull request carries.

Read :func:`detect` first: it lists the sources. What a text says is found by ``message.py``, who is
behind a name by ``identity.py``, whom it credits by ``credit.py``; which marks exist is data:
``signatures.yaml``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from github_app.judge.catalogue import UNKNOWN_TOOL, Catalogue, Mark, MarkKind, template
from github_app.judge.facts import (
    Actor,
    ActorKind,
    Commit,
    Event,
    EventKind,
    GitIdentity,
    PullRequest,
)
from github_app.judge.identity import Named, Names, Role, account_of
from github_app.judge.memory import Memory, Remembered
from github_app.judge.message import Hit, Messages
from github_app.judge.policy import DetectionPolicy
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from github_app.judge.text import excerpt, normalise

CLEARING_LABEL = "not-ai-assisted"  # applied by a senior who may, it clears what was found


class CommitText(NamedTuple):
    """What git alone says of one commit, whatever host it is on."""

    id: str
    message: str
    author_name: str = ""
    author_email: str = ""
    committer_name: str = ""
    committer_email: str = ""

    @classmethod
    def of(cls, commit: Commit) -> "CommitText":
        return cls(
            id=commit.oid,
            message=commit.message,
            author_name=commit.author.name,
            author_email=commit.author.email,
            committer_name=commit.committer.name,
            committer_email=commit.committer.email,
        )


class Reader:
    """A catalogue made ready: keep one and use it for many commits."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.names = Names(catalogue)
        self.messages = Messages(catalogue, self.names)
        self.labels = _labels(catalogue)
        self.settings = {mark.text: mark for mark in catalogue.marks(MarkKind.SETTING)}
        self.branches = tuple(
            sorted(
                ((mark, template(mark.text)) for mark in catalogue.marks(MarkKind.BRANCH)),
                key=lambda one: -one[0].sure.rank,
            )
        )

    def commit(self, commit: CommitText) -> tuple[Signal, ...]:
        identify = self.names.identify
        author = identify(commit.author_name, commit.author_email, Role.AUTHOR)
        committer = identify(commit.committer_name, commit.committer_email, Role.COMMITTER)
        hits = self.messages.read(commit.message)
        if not (author or committer or hits):
            return ()
        signals = [_signal(hit, Place.COMMIT, commit.id) for hit in hits]
        if committer:
            signals.insert(0, _committed_by(commit, committer))
        if author:
            signals.insert(0, _written_by(commit, author))
        return merge(signals)

    def text(self, text: str, place: Place, ref: str = "") -> Iterator[Signal]:
        return (_signal(hit, place, ref) for hit in self.messages.read(text))


def _written_by(commit: CommitText, named: Named) -> Signal:
    return Signal(
        tool=named.tool, kind=SignalKind.AUTHOR, confidence=named.sure, place=Place.COMMIT,
        ref=commit.id, evidence=excerpt(f"{commit.author_name} <{commit.author_email}>"),
    )  # fmt: skip


def _committed_by(commit: CommitText, named: Named) -> Signal:
    """Rebased, cherry-picked or committed for somebody else: one step less sure."""
    certain = named.sure is Confidence.CERTAIN
    return Signal(
        tool=named.tool, kind=SignalKind.COMMITTER,
        confidence=Confidence.LIKELY if certain else Confidence.WEAK, place=Place.COMMIT,
        ref=commit.id, evidence=excerpt(f"{commit.committer_name} <{commit.committer_email}>"),
    )  # fmt: skip


@lru_cache(maxsize=8)
def reader(catalogue: Catalogue) -> Reader:
    """The reader of ``catalogue``, kept."""
    return Reader(catalogue)


@lru_cache(maxsize=32)
def _extended(catalogue: Catalogue, policy: DetectionPolicy) -> Catalogue:
    return catalogue.with_policy(policy)


def detect_commit(catalogue: Catalogue, commit: CommitText) -> tuple[Signal, ...]:
    """Every mark of AI in one commit: identities first, then the message from top to bottom.

    Takes time in proportion to the length of the message. Raises nothing, whatever the text.
    """
    return reader(catalogue).commit(commit)


def detect(pull: PullRequest, policy: DetectionPolicy, catalogue: Catalogue) -> tuple[Signal, ...]:
    """Every mark of AI that the facts show, now and in what the timeline tells of earlier.

    Identical signals are reported once; the order is that of the sources below, and within each
    that of the facts. What was seen in earlier snapshots is added by :func:`standing`.
    """
    read = reader(_extended(catalogue, policy))
    return merge(
        (
            *_opener(read.names, pull),
            *_commits(read, pull.commits),
            *_commits(read, pull.former_commits or ()),
            *_labels_ever(read, pull),
            *_titles_ever(read, pull),
            *_bodies_ever(read, pull),
            *_branch(read, pull),
            *_settings_touched(read, pull),
        )
    )


def is_ai(signals: Iterable[Signal], policy: DetectionPolicy) -> bool:
    """Whether these signals make a change AI-assisted at the configured confidence.

    Where ``likely`` is enough, two weak marks of one tool at two different places (a branch name
    and a label, say) are as good as one likely mark; two in one text are not, for whoever quotes a
    footer quotes the trailer below it.
    """
    found = tuple(signals)
    if any(signal.confidence.rank >= policy.confidence.rank for signal in found):
        return True
    return policy.confidence is Confidence.LIKELY and any(
        one.tool == other.tool and one.place is not other.place for one in found for other in found
    )


def is_tool_identity(identity: GitIdentity, catalogue: Catalogue, policy: DetectionPolicy) -> bool:
    """Whether an AI tool, and no person, says it is behind a name and e-mail inside a commit.

    Automation is not one: its identity is the easiest to borrow, and it brings no evidence of AI
    with it that would ask for a sign-off instead. Nor is a weak resemblance, or a tool's name over
    the address of somebody's account: who works with a tool is still who wrote it.
    """
    names = reader(_extended(catalogue, policy)).names
    name, email = normalise(identity.name), normalise(identity.email)
    if names.is_automation(name.lower(), email.lower()):
        return False
    account = _account(names, identity.user)
    of_person = identity.user is not None and identity.user.is_person and account is None
    if names.is_persons(name, email) or (of_person and not names.is_address(name, email)):
        return False
    named = names.identify(name, email, Role.AUTHOR) or account
    return named is not None and named.sure is not Confidence.WEAK


def tool_names(catalogue: Catalogue, policy: DetectionPolicy) -> Mapping[str, str]:
    """What people call each tool, by its id; those of the roster among them."""
    return _extended(catalogue, policy).names


class Declaration(StrEnum):
    """What the people of a pull request say of AI themselves."""

    YES = "yes"
    NO = "no"
    NONE = "none"


def declaration(pull: PullRequest, catalogue: Catalogue) -> Declaration:
    """What the body, as it is now, declares. A "no" beside a "yes" is a yes.

    It answers strict mode's question, whether somebody declared at all. It is never evidence
    against a signal.
    """
    messages = reader(catalogue).messages
    told = (SignalKind.DECLARATION, SignalKind.TRAILER, SignalKind.FOOTER, SignalKind.CO_AUTHOR)
    for hit in messages.read(pull.body):
        if hit.kind in told and hit.sure is not Confidence.WEAK:
            return Declaration.YES
    return Declaration.NO if messages.denies(pull.body) else Declaration.NONE


def is_tool_account(actor: Actor, catalogue: Catalogue, policy: DetectionPolicy) -> bool:
    """Whether an account that GitHub calls a user is known to be an AI tool's. A weak resemblance
    is not enough: it would take a right from whoever has the login."""
    named = reader(_extended(catalogue, policy)).names.person(actor.login, actor.id)
    return named is not None and named.sure is not Confidence.WEAK


def remember(memory: Memory, signals: Iterable[Signal], *, now: datetime, origin: int) -> Memory:
    """``memory`` and what it did not hold yet. Nothing is dropped; first sightings keep their time.

    ``now`` is aware, UTC, our clock; ``origin`` the number of the pull request they were seen in.
    """
    held = {one.signal for one in memory.evidence}
    new = tuple(
        Remembered(signal=signal, first_seen=now, origin=origin)
        for signal in dict.fromkeys(signals)
        if signal not in held
    )
    return replace(memory, evidence=memory.evidence + new) if new else memory


def standing(memory: Memory, signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """All that speaks for AI: what is seen now, then what was seen earlier and is gone."""
    return merge((*signals, *(one.signal for one in memory.evidence)))


def clear_events(pull: PullRequest) -> tuple[Event, ...]:
    """The events by which the clearing label, still on, was applied: oldest first.

    Who may clear is decided elsewhere, by the actor of each event. A label that was taken off and
    put on again counts only from the last time on.
    """
    if CLEARING_LABEL not in {label.casefold() for label in pull.labels}:
        return ()
    applied: list[Event] = []
    for event in pull.timeline:
        if event.label is None or event.label.casefold() != CLEARING_LABEL:
            continue
        if event.kind is EventKind.LABELED:
            applied.append(event)
        elif event.kind is EventKind.UNLABELED:
            applied.clear()
    return tuple(applied)


def merge(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Identical signals once, in the order of their first appearance."""
    found = tuple(signals)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else found


def _opener(names: Names, pull: PullRequest) -> Iterator[Signal]:
    actor = pull.author
    if actor is None:
        return
    known = names.bot(actor.login, actor.id) if _is_machine(actor) else None
    known = known or names.person(actor.login, actor.id)
    if known:  # not even a doubtful mark makes a bot's own pull request a person's
        sure = max(known.sure, Confidence.LIKELY, key=lambda one: one.rank)
        yield _opened_by(Named(known.tool, sure), actor.login)
    elif not _is_machine(actor):
        return
    elif not names.is_automation_login(actor.login):
        unknown = Named(UNKNOWN_TOOL, Confidence.LIKELY)
        yield _opened_by(unknown, f"{actor.login}: a bot that nobody has classified")
    else:
        foreign = next((c for c in pull.commits if not _verified_own(c, actor)), None)
        if foreign:
            why = f"{actor.login}: commit {foreign.oid[:12]} is not verifiably its own"
            yield _opened_by(Named(UNKNOWN_TOOL, Confidence.LIKELY), why)


def _opened_by(named: Named, evidence: str) -> Signal:
    return Signal(
        tool=named.tool, kind=SignalKind.OPENER, confidence=named.sure, place=Place.OPENER,
        evidence=excerpt(evidence),
    )  # fmt: skip


def _is_machine(actor: Actor) -> bool:
    """A bot or app, or a type of account that GitHub added after this was written."""
    return actor.kind in (ActorKind.BOT, ActorKind.UNKNOWN)


def _verified_own(commit: Commit, bot: Actor) -> bool:
    """By the bot's own noreply address, and signed by GitHub, as what a bot makes through the API
    is, or by the bot: anybody can sign what they commit under another author's name."""
    account = account_of(normalise(commit.author.email).lower())
    signature = commit.signature
    if signature is None or not signature.valid:
        return False
    by_bot = signature.signer is not None and signature.signer.id == bot.id is not None
    return (
        (signature.by_github or by_bot)
        and account is not None
        and account.login == bot.key
        and (account.id is None or bot.id is None or account.id == bot.id)
    )


def _commits(read: Reader, commits: tuple[Commit, ...]) -> Iterator[Signal]:
    for commit in commits:
        signals = read.commit(CommitText.of(commit))
        yield from signals
        yield from _resolved(read.names, commit, signals)
        yield from _unknown_bots(read.names, commit)


def _resolved(names: Names, commit: Commit, seen: tuple[Signal, ...]) -> Iterator[Signal]:
    """Accounts GitHub tied to the commit, where the text itself did not give the tool away."""
    tools = {signal.tool for signal in seen if signal.kind is not SignalKind.COMMITTER}
    for identity in commit.authors:
        named = names.identify(identity.name, identity.email, Role.CO_AUTHOR)
        named = named or _account(names, identity.user)
        if named and named.tool not in tools:
            tools.add(named.tool)
            evidence = f"{identity.name} <{identity.email}>"
            yield _of_commit(commit, SignalKind.CO_AUTHOR, named, evidence)
    signer = commit.signature.signer if commit.signature else None
    named = _account(names, signer)
    if signer and named and named.tool not in tools:
        yield _of_commit(commit, SignalKind.COMMITTER, named, f"signed by {signer.login}")


def _account(names: Names, actor: Actor | None) -> Named | None:
    if actor is None:
        return None
    if _is_machine(actor):
        return names.bot(actor.login, actor.id)
    return names.person(actor.login, actor.id)


def _unknown_bots(names: Names, commit: Commit) -> Iterator[Signal]:
    """In a pull request a bot that nobody classified is taken for AI, whatever its name says."""
    email = normalise(commit.author.email).lower()
    name = normalise(commit.author.name).lower()
    if not _is_bot(name, email) or names.is_automation(name, email):
        return
    named = names.identify(name, email, Role.AUTHOR)
    if named is None or named.sure is Confidence.WEAK:
        evidence = f"{commit.author.name} <{commit.author.email}>"
        yield _of_commit(
            commit, SignalKind.AUTHOR, Named(UNKNOWN_TOOL, Confidence.LIKELY), evidence
        )


def _is_bot(name: str, email: str) -> bool:
    return "[bot]@" in email or name.endswith("[bot]")


def _of_commit(commit: Commit, kind: SignalKind, named: Named, evidence: str) -> Signal:
    return Signal(
        tool=named.tool, kind=kind, confidence=named.sure, place=Place.COMMIT, ref=commit.oid,
        evidence=excerpt(evidence),
    )  # fmt: skip


def _labels_ever(read: Reader, pull: PullRequest) -> Iterator[Signal]:
    applied = [
        event.label for event in pull.timeline if event.kind is EventKind.LABELED and event.label
    ]
    for label in (*pull.labels, *applied):
        mark = read.labels.get(normalise(label).casefold())
        if mark:
            yield Signal(
                tool=mark.tool, kind=SignalKind.LABEL, confidence=mark.sure, place=Place.LABEL,
                ref=excerpt(label), evidence=excerpt(label),
            )  # fmt: skip


def _titles_ever(read: Reader, pull: PullRequest) -> Iterator[Signal]:
    renamed = [event for event in pull.timeline if event.kind is EventKind.RENAMED_TITLE]
    titles = [title for event in renamed for title in (event.before, event.after) if title]
    for title in (pull.title, *titles):
        yield from read.text(title, Place.TITLE)


def _bodies_ever(read: Reader, pull: PullRequest) -> Iterator[Signal]:
    for body in (pull.body, *(edit.text for edit in pull.body_edits)):
        if body:
            yield from read.text(body, Place.BODY)


def _branch(read: Reader, pull: PullRequest) -> Iterator[Signal]:
    branch = normalise(pull.head_ref).lower()
    mark = next((mark for mark, pattern in read.branches if pattern.match(branch)), None)
    if mark:
        yield Signal(
            tool=mark.tool, kind=SignalKind.BRANCH, confidence=mark.sure, place=Place.BRANCH,
            ref=excerpt(pull.head_ref), evidence=excerpt(pull.head_ref),
        )  # fmt: skip


def _settings_touched(read: Reader, pull: PullRequest) -> Iterator[Signal]:
    """A change to a file where a tool's attribution is switched; its text is not in the facts."""
    for changed in pull.files:
        mark = read.settings.get(changed.path.casefold())
        if mark:
            yield Signal(
                tool=mark.tool, kind=SignalKind.SWITCHED_OFF, confidence=mark.sure,
                place=Place.FILE, ref=excerpt(changed.path), evidence=excerpt(changed.path),
            )  # fmt: skip


def _labels(catalogue: Catalogue) -> dict[str, Mark]:
    generic = {
        label: Mark(kind=MarkKind.LABEL, text=label, tool=UNKNOWN_TOOL, sure=sure)
        for label, sure in catalogue.generic.labels.items()
    }
    return generic | {mark.text: mark for mark in catalogue.marks(MarkKind.LABEL)}


def _signal(hit: Hit, place: Place, ref: str) -> Signal:
    return Signal(
        tool=hit.tool, kind=hit.kind, confidence=hit.sure, place=place, ref=ref,
        evidence=hit.evidence,
    )  # fmt: skip
