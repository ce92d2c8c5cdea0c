"""Memory: what was seen stays, and follows the same commits into other pull requests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from github_app.judge.facts import Actor, ActorKind, Push
from github_app.judge.likeness import Range
from github_app.judge.memory import NOTHING_SEEN, Memory, Remembered
from github_app.judge.signals import Confidence, Place, Signal, SignalKind
from github_app.store.database import Store
from github_app.store.memory import Change
from github_app.store.memory_rows import digest
from tests.store.build import NOON, a_delivery

ADA = Actor(kind=ActorKind.USER, login="ada", id=1815)
KIM = Actor(kind=ActorKind.USER, login="kim", id=7)
MINUTE = timedelta(minutes=1)


def a_change(number: int = 1, *commits: str, head: str = "head", **fields: object) -> Change:
    base = Change(repository_id=10, number=number, head_oid=head, commit_oids=commits)
    return replace(base, **fields)  # type: ignore[arg-type]  # a test's own


def label(name: str = "ai-assisted") -> Signal:
    return Signal(
        tool="unknown-ai",
        kind=SignalKind.LABEL,
        confidence=Confidence.CERTAIN,
        place=Place.LABEL,
        ref=name,
    )


def trailer(oid: str, evidence: str = "Co-authored-by: Claude") -> Signal:
    return Signal(
        tool="claude-code",
        kind=SignalKind.CO_AUTHOR,
        confidence=Confidence.CERTAIN,
        place=Place.COMMIT,
        ref=oid,
        evidence=evidence,
    )


def seen(*signals: Signal, at: datetime = NOON, origin: int = 1) -> Memory:
    return Memory(
        evidence=tuple(
            Remembered(signal=signal, first_seen=at, origin=origin) for signal in signals
        )
    )


def signals(memory: Memory) -> list[Signal]:
    return [item.signal for item in memory.evidence]


def test_nothing_was_seen_of_a_new_change(store: Store) -> None:
    assert store.memory.read(a_change()) == NOTHING_SEEN


def test_what_was_seen_is_read_back(store: Store) -> None:
    memory = seen(label(), trailer("c1"))
    assert store.memory.add(a_change(), memory, seen_at=NOON)
    assert set(store.memory.read(a_change()).evidence) == set(memory.evidence)


def test_evidence_survives_a_force_push(store: Store) -> None:
    store.memory.add(a_change(1, "c1", head="c1"), seen(trailer("c1")), seen_at=NOON)
    assert signals(store.memory.read(a_change(1, "c2", head="c2"))) == [trailer("c1")]


def test_less_evidence_later_removes_nothing(store: Store) -> None:
    store.memory.add(a_change(), seen(label(), trailer("c1")), seen_at=NOON)
    store.memory.add(a_change(), NOTHING_SEEN, seen_at=NOON + MINUTE)
    assert len(store.memory.read(a_change()).evidence) == 2


def test_first_time_is_kept(store: Store) -> None:
    store.memory.add(a_change(), seen(label(), at=NOON + MINUTE), seen_at=NOON + MINUTE)
    store.memory.add(a_change(), seen(label(), trailer("c1"), at=NOON), seen_at=NOON)
    store.memory.add(a_change(), seen(label(), trailer("c2"), at=NOON + 2 * MINUTE))
    times = {item.signal: item.first_seen for item in store.memory.read(a_change()).evidence}
    assert times[label()] == NOON


def test_adding_what_is_known_writes_nothing(store: Store) -> None:
    memory = seen(label(), trailer("c1"))
    assert store.memory.add(a_change(), memory)
    assert not store.memory.add(a_change(), memory)
    assert store.memory.add(a_change(head="another"), memory), "a new head is news"


def test_same_commit_in_another_pull_request_brings_its_evidence(store: Store) -> None:
    store.memory.add(a_change(1, "c1", head="c9"), seen(trailer("c1")), seen_at=NOON)
    (found,) = store.memory.read(a_change(2, "c1", "c2", head="c2")).evidence
    assert (found.signal, found.origin) == (trailer("c1"), 1)
    assert store.memory.read(a_change(3, "c3", head="c3")) == NOTHING_SEEN


def test_label_follows_the_same_head_into_a_new_pull_request(store: Store) -> None:
    store.memory.add(a_change(1, head="h1"), seen(label()), seen_at=NOON)
    assert signals(store.memory.read(a_change(2, head="h1"))) == [label()]
    grown = a_change(3, "h1", head="h2")
    assert signals(store.memory.read(grown)) == [label()], "more on top of it is still it"


def test_stack_does_not_taint_what_it_stands_on(store: Store) -> None:
    store.memory.add(a_change(1, "base", head="base"), NOTHING_SEEN, seen_at=NOON)
    store.memory.add(a_change(2, "base", "top", head="top"), seen(label()), seen_at=NOON)
    assert store.memory.read(a_change(1, "base", head="base")) == Memory(heads=frozenset({"base"}))


def test_each_head_that_was_judged_is_known(store: Store) -> None:
    for head in ("h1", "h2"):
        store.memory.add(a_change(1, head=head), NOTHING_SEEN, seen_at=NOON)
    store.memory.add(a_change(2, head="h3"), NOTHING_SEEN, seen_at=NOON)
    assert store.memory.read(a_change(1, head="h4")).heads == {"h1", "h2"}


def test_human_half_does_not_inherit_what_came_after_it(store: Store) -> None:
    store.memory.add(a_change(1, "c1", head="c1"), NOTHING_SEEN, seen_at=NOON)
    later = NOON + MINUTE
    store.memory.add(a_change(1, "c1", "c2", head="c2"), seen(label(), at=later), seen_at=later)
    assert store.memory.read(a_change(2, "c1", head="c1")) == NOTHING_SEEN
    assert signals(store.memory.read(a_change(3, "c1", "c2", head="c2"))) == [label()]


def test_label_put_on_later_follows_the_head_it_was_put_on(store: Store) -> None:
    store.memory.add(a_change(1, head="h1"), NOTHING_SEEN, seen_at=NOON)
    later = NOON + MINUTE
    store.memory.add(a_change(1, head="h1"), seen(label(), at=later), seen_at=later)
    assert signals(store.memory.read(a_change(2, head="h1"))) == [label()]


def test_amended_commit_opened_anew_keeps_the_evidence(store: Store) -> None:
    store.memory.add(a_change(1, "c1", head="c1"), seen(trailer("c1")), seen_at=NOON)
    amended = a_change(1, "c1-amended", head="c1-amended")
    store.memory.add(amended, store.memory.read(amended), seen_at=NOON + MINUTE)
    assert signals(store.memory.read(replace(amended, number=2))) == [trailer("c1")]


def test_same_patch_brings_its_evidence(store: Store) -> None:
    store.memory.add(a_change(1), NOTHING_SEEN, patch_signals={"p1": [trailer("c1")]})
    (found,) = store.memory.read(a_change(2, patch_ids=["p0", "p1"], head="h2")).evidence
    assert (found.signal, found.origin) == (trailer("c1"), 1)


def test_another_repository_is_another_memory(store: Store) -> None:
    change = a_change(1, "c1", patch_ids=["p1"])
    store.memory.add(change, seen(label(), trailer("c1")), patch_signals={"p1": [label()]})
    assert store.memory.read(replace(change, repository_id=11)) == NOTHING_SEEN


def test_evidence_at_two_places_is_listed_once_from_here(store: Store) -> None:
    store.memory.add(a_change(1, "c1", head="c1"), seen(trailer("c1")), seen_at=NOON)
    here = a_change(2, "c1", head="c1")
    own = seen(trailer("c1"), at=NOON + MINUTE, origin=2)
    store.memory.add(here, own, seen_at=NOON + MINUTE)
    assert store.memory.read(here).evidence == own.evidence


def test_evidence_is_sorted_by_first_seen(store: Store) -> None:
    late, early = seen(label("b"), at=NOON + MINUTE), seen(label("c"), at=NOON)
    both = Memory(evidence=late.evidence + early.evidence)
    store.memory.add(a_change(), both)
    assert signals(store.memory.read(a_change())) == [label("c"), label("b")]


def test_thousands_of_commits_are_looked_up(store: Store) -> None:
    oids = [f"{number:040x}" for number in range(3_000)]
    store.memory.add(a_change(1, head=oids[0]), seen(trailer(oids[-1])), seen_at=NOON)
    assert signals(store.memory.read(a_change(2, *oids, head="h"))) == [trailer(oids[-1])]


def test_text_of_others_does_not_break_memory(store: Store) -> None:
    odd = trailer("c1", evidence="\x00 \ud800 \u202e '; --")
    store.memory.add(a_change(), seen(odd))
    (found,) = store.memory.read(a_change()).evidence
    assert found.signal.evidence == "\ufffd \ufffd \u202e '; --"
    assert digest(found.signal) == digest(odd)


@pytest.mark.parametrize(
    ("was", "becomes", "read_as"),
    [
        pytest.param('"certain"', '"proven"', trailer("c1"), id="confidence"),
        pytest.param(
            '"co-author"',
            '"telepathy"',
            replace(trailer("c1"), kind=SignalKind.TRAILER),
            id="kind",
        ),
        pytest.param('"commit"', '"dream"', replace(trailer("c1"), place=Place.BODY), id="place"),
    ],
)
def test_word_of_a_newer_version_loses_no_evidence(
    store: Store, was: str, becomes: str, read_as: Signal
) -> None:
    store.memory.add(a_change(), seen(trailer("c1")))
    with store._database.write() as connection:
        statement = text("UPDATE evidence SET signal = replace(signal, :was, :becomes)")
        connection.execute(statement, {"was": was, "becomes": becomes})
    assert signals(store.memory.read(a_change())) == [read_as]


# --- pushers and pushes ----------------------------------------------------------------------


class ABranchPush:
    """As the webhook's mapping makes them."""

    def __init__(self, push: Push, ref: str = "topic", repository_id: int = 10) -> None:
        self.push, self.ref, self.repository_id = push, ref, repository_id


def a_push(before: str, after: str, actor: Actor | None = ADA, at: datetime = NOON) -> Push:
    return Push(actor=actor, before=before, after=after, at=at, kind="push")


ON_TOPIC = {"head_repository_id": 10, "head_ref": "topic"}


def test_pushes_lead_back_from_the_head(store: Store) -> None:
    pushed = [a_push("000", "a"), a_push("a", "b", KIM), a_push("b", "c")]
    store.memory.add_pushes([ABranchPush(push) for push in pushed])
    found = store.memory.read(a_change(1, head="c", **ON_TOPIC)).pushes
    assert found == tuple(reversed(pushed))


def test_forced_away_pushes_are_among_them(store: Store) -> None:
    pushed = [a_push("000", "a", KIM), a_push("a", "b"), a_push("b", "a2")]
    store.memory.add_pushes([ABranchPush(push) for push in pushed])
    found = store.memory.read(a_change(1, "a2", head="a2", **ON_TOPIC)).pushes
    assert KIM in {push.actor for push in found}


def test_earlier_life_of_a_branch_name_is_left_out(store: Store) -> None:
    earlier, now = a_push("000", "old", KIM), a_push("000", "new")
    store.memory.add_pushes([ABranchPush(earlier), ABranchPush(now)])
    assert store.memory.read(a_change(1, head="new", **ON_TOPIC)).pushes == (now,)


def test_pushing_there_and_back_ends(store: Store) -> None:
    pushed = [a_push("a", "b"), a_push("b", "a")]
    store.memory.add_pushes([ABranchPush(push) for push in pushed])
    assert set(store.memory.read(a_change(1, head="a", **ON_TOPIC)).pushes) == set(pushed)


def test_one_push_told_twice_is_one(store: Store) -> None:
    store.memory.add_pushes([ABranchPush(a_push("a", "b", at=NOON))])
    store.memory.add_pushes([ABranchPush(a_push("a", "b", at=NOON + MINUTE))])
    (found,) = store.memory.read(a_change(1, head="b", **ON_TOPIC)).pushes
    assert found.at == NOON


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({"ref": "other"}, id="other-branch"),
        pytest.param({"repository_id": 11}, id="other-repository"),
    ],
)
def test_pushes_elsewhere_are_not_the_branchs(store: Store, where: dict[str, object]) -> None:
    store.memory.add_pushes([ABranchPush(a_push("a", "b"), **where)])  # type: ignore[arg-type]  # one field a case
    assert store.memory.read(a_change(1, head="b", **ON_TOPIC)).pushes == ()


@pytest.mark.parametrize(
    ("oid", "known"),
    [
        pytest.param("a", True, id="before the first"),
        pytest.param("b", True, id="between"),
        pytest.param("c", True, id="after the last"),
        pytest.param("d", False, id="another branch's"),
        pytest.param("e", False, id="another repository's"),
        pytest.param("f", False, id="nobody's"),
    ],
)
def test_where_a_branch_is_known_to_have_been(store: Store, oid: str, known: bool) -> None:
    pushed = [a_push("a", "b"), a_push("b", "c")]
    store.memory.add_pushes([ABranchPush(push) for push in pushed])
    store.memory.add_pushes([ABranchPush(a_push("c", "d"), ref="other")])
    store.memory.add_pushes([ABranchPush(a_push("c", "e"), repository_id=11)])
    assert store.memory.was_tip(10, "topic", oid) is known


def test_who_pushed_these_commits_to_another_branch_is_a_pusher(store: Store) -> None:
    store.memory.add_pushes([ABranchPush(a_push("a", "b", KIM), ref="other")])
    assert store.memory.read(a_change(1, "b", head="c", **ON_TOPIC)).pushers == (KIM,)


def test_push_without_an_actor_is_kept_as_a_gap(store: Store) -> None:
    gap = a_push("a", "b", None)
    store.memory.add_pushes([ABranchPush(gap)])
    memory = store.memory.read(a_change(1, head="b", **ON_TOPIC))
    assert (memory.pushes, memory.pushers) == ((gap,), ())


def test_pushes_of_a_delivery_are_stored_with_it(store: Store) -> None:
    store.inbox.put(a_delivery("guid-1"), [], [ABranchPush(a_push("a", "b"))])
    store.inbox.put(a_delivery("guid-1"), [], [ABranchPush(a_push("a", "x"))])
    assert len(store.memory.read(a_change(1, head="b", **ON_TOPIC)).pushes) == 1
    assert store.memory.read(a_change(1, head="x", **ON_TOPIC)).pushes == (), "a repeat"


def test_pushers_and_pushes_that_were_judged_are_remembered(store: Store) -> None:
    change = a_change(1, head="b", **ON_TOPIC)
    memory = Memory(pushers=(ADA, KIM), pushes=(a_push("a", "b"),))
    assert store.memory.add(change, memory)
    found = store.memory.read(change)
    assert set(found.pushers) == {ADA, KIM}
    assert found.pushes == memory.pushes
    assert not store.memory.add(change, memory)


def test_pushers_follow_the_head_into_another_pull_request(store: Store) -> None:
    store.memory.add(a_change(1, head="h1"), Memory(pushers=(KIM,)))
    assert store.memory.read(a_change(2, head="h1")).pushers == (KIM,)
    assert store.memory.read(a_change(3, head="h2")).pushers == ()


def test_pusher_who_was_renamed_is_one_person(store: Store) -> None:
    store.memory.add(a_change(1, head="h1"), Memory(pushers=(KIM,)))
    store.memory.add(a_change(1, head="h2"), Memory(pushers=(replace(KIM, login="kim2"),)))
    assert [actor.id for actor in store.memory.read(a_change()).pushers] == [7]


def test_pusher_without_an_id_is_known_by_kind_and_login(store: Store) -> None:
    bot = Actor(kind=ActorKind.BOT, login="Robot", id=None)
    store.memory.add(a_change(), Memory(pushers=(bot,)))
    assert store.memory.read(a_change()).pushers == (bot,)


def test_times_need_a_zone(store: Store) -> None:
    with pytest.raises(ValueError, match="zone"):
        store.memory.add(a_change(), seen(label()), seen_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_times_are_compared_as_moments(store: Store) -> None:
    elsewhere = NOON.astimezone(tz=None)
    store.memory.add(a_change(), seen(label(), at=elsewhere), seen_at=elsewhere)
    (found,) = store.memory.read(a_change()).evidence
    assert found.first_seen == NOON
    assert found.first_seen.tzinfo == UTC


# --- what may be the same patch in another pull request -------------------------------------------

THEIRS = Range(base_oid="b1", head_oid="h1")
OURS = Range(base_oid="b2", head_oid="h2")


def alike(number: int, likeness: str, made: Range, **fields: object) -> Change:
    return a_change(number, head=made.head_oid, likenesses={likeness: (made,)}, **fields)


def test_a_change_that_looks_like_a_remembered_one_is_told_with_its_evidence(store: Store) -> None:
    likeness = "change:1"
    store.memory.add(alike(1, likeness, THEIRS), seen(label()), likenesses=[(likeness, THEIRS)])
    memory = store.memory.read(alike(2, likeness, OURS))
    assert memory.evidence == ()
    (found,) = memory.lookalikes
    assert (found.ours, found.theirs, found.unmistakable) == (OURS, THEIRS, False)
    assert [(item.signal, item.origin) for item in found.evidence] == [(label(), 1)]
    unmistakable = alike(2, likeness, OURS, unmistakable=frozenset({likeness}))
    assert store.memory.read(unmistakable).lookalikes[0].unmistakable


def test_a_commit_that_looks_like_one_brings_the_evidence_of_that_commit_alone(
    store: Store,
) -> None:
    likeness = "commit:1"
    store.memory.add(
        a_change(1, "h1", "c2", head="c2"),
        seen(trailer("h1"), trailer("c2", "Co-authored-by: Devin"), label()),
        likenesses=[(likeness, THEIRS)],
    )
    (found,) = store.memory.read(alike(2, likeness, OURS)).lookalikes
    assert [item.signal for item in found.evidence] == [trailer("h1")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(alike(2, "change:2", OURS), id="another-likeness"),
        pytest.param(alike(1, "change:1", OURS), id="the-same-pull-request"),
        pytest.param(alike(2, "change:1", OURS, repository_id=11), id="another-repository"),
    ],
)
def test_what_looks_like_nothing(store: Store, change: Change) -> None:
    store.memory.add(a_change(1), seen(label()), likenesses=[("change:1", THEIRS)])
    assert store.memory.read(change).lookalikes == ()


def test_what_is_known_of_a_change_is_no_news(store: Store) -> None:
    store.memory.add(a_change(1), seen(label()), likenesses=[("change:1", THEIRS)])
    store.memory.add(a_change(2), seen(label()))
    assert store.memory.read(alike(2, "change:1", OURS)).lookalikes == ()


def test_a_new_likeness_is_written_and_an_old_one_is_not(store: Store) -> None:
    memory = seen(label())
    assert store.memory.add(a_change(1), memory, likenesses=[("change:1", THEIRS)])
    assert not store.memory.add(a_change(1), memory, likenesses=[("change:1", THEIRS)])
    assert store.memory.add(a_change(1), memory, likenesses=[("change:1", OURS)])
    assert store.memory.add(a_change(1), memory, patch_signals={"tree:1": [label()]})
    assert not store.memory.add(a_change(1), memory, patch_signals={"tree:1": [label()]})


def test_only_so_many_lookalikes_the_newest_first(store: Store) -> None:
    for step in range(25):
        made = Range(base_oid="b", head_oid=f"h{step}")
        at = NOON + step * MINUTE
        change = a_change(step + 10, head=made.head_oid)
        store.memory.add(
            change, seen(label(f"l{step}")), likenesses=[("change:1", made)], seen_at=at
        )
    found = store.memory.read(alike(2, "change:1", OURS)).lookalikes
    assert [one.theirs.head_oid for one in found] == [f"h{step}" for step in range(24, 4, -1)]


def test_the_commit_of_a_merge_carries_what_was_merged(store: Store) -> None:
    store.memory.add(a_change(1, "c1", head="c1"), seen(label()), seen_at=NOON)
    assert store.memory.read(a_change(2, "m1", head="m2")) == NOTHING_SEEN
    store.memory.add_merge(10, 1, "m1")
    store.memory.add_merge(10, 1, "m1")
    (found,) = store.memory.read(a_change(2, "m1", head="m2")).evidence
    assert (found.signal, found.origin) == (label(), 1)
    assert store.memory.read(a_change(2, "m3", head="m3")) == NOTHING_SEEN


def test_content_that_was_merged_is_the_bases_too(store: Store) -> None:
    memory = seen(label())
    store.memory.add(a_change(1), memory, patch_signals={"tree:1": [label()]})
    same = a_change(2, head="h2", patch_ids=("tree:1",))
    assert signals(store.memory.read(same)) == [label()]
    store.memory.add_merge(10, 1, "m1")
    assert store.memory.read(same) == NOTHING_SEEN


def test_what_came_from_elsewhere_is_first_seen_when_it_came(store: Store) -> None:
    """A clearing that was made before does not cover it."""
    store.memory.add(a_change(1, "c1", head="c1"), seen(trailer("c1"), at=NOON), seen_at=NOON)
    (found,) = store.memory.read(a_change(2, "c1", head="c2")).evidence
    assert found.first_seen > NOON
    later = NOON + MINUTE
    kept = replace(found, first_seen=later)
    store.memory.add(a_change(2, "c1", head="c2"), Memory(evidence=(kept,)), seen_at=later)
    assert store.memory.read(a_change(2, "c1", head="c2")).evidence == (kept,)
