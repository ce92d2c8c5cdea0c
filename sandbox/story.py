"""The demo's story: who does what, and what the check and GitHub must say to it.

A step is an act and an expectation. The act runs on the sandbox; the expectation is met by the real
app, through its webhooks and its check run, or the story says what came instead.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.errors import Refused
from sandbox.examples import CART, by_claude_code, by_hand, without_marks
from sandbox.seed import CHECK, REPOSITORY
from sandbox.server import Sandbox

Check = dict[str, Any]
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_EVIDENCE = r"^Claude Code, certain .*Co-Authored-By: Claude Opus 4\.6"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a step must lead to; what is left empty is not looked at.

    ``reasons`` are patterns, each found in a line of the summary read as plain text. ``refusal`` is
    a part of the words GitHub refuses the act with: without it, GitHub must let the act through.
    """

    conclusion: str = ""
    title: str = ""
    reasons: tuple[str, ...] = ()
    refusal: str = ""
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``act`` does it and returns the number of the pull request it is about."""

    who: str
    what: str
    act: Callable[[Sandbox], int]
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came. ``deviations`` is empty when everything was as expected."""

    step: Step
    number: int
    state: str
    check: Check | None
    refusal: str
    deviations: tuple[str, ...]
    seconds: float

    @property
    def reasons(self) -> list[str]:
        """The lines of the summary that tell this step from others: expected ones, as they came."""
        lines = plain_lines(self.check)
        wanted = self.step.expected.reasons
        found = (line for pattern in wanted for line in lines if re.search(pattern, line))
        return list(dict.fromkeys(found))


def plain_lines(check: Check | None) -> list[str]:
    """The summary as a person reads it: links, code marks, bold and bullets taken away."""
    text = _LINK.sub(r"\1", (check or {}).get("summary") or "")
    lines = [re.sub(r"[`*]", "", line).lstrip("#- ").strip() for line in text.splitlines()]
    return [line for line in lines if line]


class Story:
    """The steps, in order. They share one pull request by june, and one by kim before it."""

    def __init__(self) -> None:
        self.number = 0
        self.steps = tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        waiting = "Waiting for a senior: @grace or @ada can sign off"
        yield Step(
            who="kim", what="opens a pull request with a plain commit", act=self._by_hand,
            expected=Expected(conclusion="success", title="No AI assistance found"),
        )  # fmt: skip
        yield Step(
            who="june", what="opens a pull request whose commit Claude Code co-authored",
            act=self._by_claude,
            expected=Expected(
                conclusion="action_required", title=waiting,
                reasons=(_EVIDENCE,),
            ),
        )  # fmt: skip
        yield Step(
            who="kim", what="(mid) approves it", act=self._approve("kim"),
            expected=Expected(
                conclusion="action_required", title=waiting, reasons=("^@kim is mid",),
            ),
        )  # fmt: skip
        yield Step(
            who="june", what="tries to merge", act=self._merge,
            expected=Expected(
                conclusion="action_required", title=waiting,
                refusal=f'Required status check "{CHECK}"',
            ),
        )  # fmt: skip
        yield Step(
            who="june", what="rewrites the commit without its marks, and force-pushes",
            act=self._hide,
            expected=Expected(
                conclusion="action_required", title=waiting,
                reasons=(_EVIDENCE,),
            ),
        )  # fmt: skip
        yield Step(
            who="grace", what="(senior) approves the head", act=self._approve("grace"),
            expected=Expected(conclusion="success", title="Signed off by @grace (senior)"),
        )  # fmt: skip
        yield Step(
            who="june", what="pushes once more, after the approval", act=self._push,
            expected=Expected(
                conclusion="action_required", title=waiting,
                reasons=("@grace approved [0-9a-f]{7}, 1 commit before the head",),
            ),
        )  # fmt: skip
        yield Step(
            who="grace", what="approves the new head", act=self._approve("grace"),
            expected=Expected(conclusion="success", title="Signed off by @grace (senior)"),
        )  # fmt: skip
        yield Step(
            who="june", what="merges", act=self._merge,
            expected=Expected(
                conclusion="success", title="Signed off by @grace (senior)", state="merged"
            ),
        )  # fmt: skip

    def _by_hand(self, hub: Sandbox) -> int:
        spec = by_hand("Round prices to whole cents", {"shop/money.py": "CENTS = 100\n"})
        return _open(hub, "kim", "round-prices", spec)

    def _by_claude(self, hub: Sandbox) -> int:
        spec = by_claude_code("Give the cart a discount", {"shop/cart.py": CART})
        self.number = _open(hub, "june", "cart-discount", spec)
        return self.number

    def _approve(self, who: str) -> Callable[[Sandbox], int]:
        def act(hub: Sandbox) -> int:
            hub.act(who, "approve", repo=REPOSITORY, number=self.number)
            return self.number

        return act

    def _hide(self, hub: Sandbox) -> int:
        message = hub.pull(self.number)["commits"][-1]["message"]
        branch = hub.pull(self.number)["head"]
        text = without_marks(message)
        hub.act("june", "amend", repo=REPOSITORY, branch=branch, message=text)
        return self.number

    def _push(self, hub: Sandbox) -> int:
        branch = hub.pull(self.number)["head"]
        spec = by_hand("Test the discount", {"tests/test_cart.py": "def test_total(): ...\n"})
        hub.act("june", "push", repo=REPOSITORY, branch=branch, commits=[spec])
        return self.number

    def _merge(self, hub: Sandbox) -> int:
        hub.act("june", "merge", repo=REPOSITORY, number=self.number)
        return self.number


def _open(hub: Sandbox, who: str, branch: str, spec: dict[str, Any]) -> int:
    hub.act(who, "push", repo=REPOSITORY, branch=branch, commits=[spec])
    found = hub.act(who, "open_pull_request", repo=REPOSITORY, head=branch)
    return int(found["number"])


def play(
    step: Step, hub: Sandbox, *, about: int, patience: float, go_on: Callable[[], None]
) -> Result:
    """Do one step and wait until it is as expected, ``patience`` seconds at most.

    ``about`` is the pull request to look at when the act is refused. ``go_on`` is called
    while waiting, and raises to give up.
    """
    started, refusal, number = time.monotonic(), "", about
    try:
        number = step.act(hub)
    except Refused as error:
        refusal = error.words()
    while True:
        version = hub.world.version
        found = hub.pull(number)
        check = _check(found)
        deviations = tuple(_deviations(step.expected, found["state"], check, refusal))
        left = started + patience - time.monotonic()
        if not deviations or left <= 0:
            return Result(
                step=step, number=number, state=found["state"], check=check, refusal=refusal,
                deviations=deviations, seconds=time.monotonic() - started,
            )  # fmt: skip
        go_on()
        _wait_for_news(hub, version, min(left, 0.5))


def _check(pull: dict[str, Any]) -> Check | None:
    return next((found for found in pull["checks"] if found["name"] == CHECK), None)


def _wait_for_news(hub: Sandbox, version: int, seconds: float) -> None:
    with hub.world.changed:
        hub.world.changed.wait_for(lambda: hub.world.version != version, seconds)


def _deviations(expected: Expected, state: str, check: Check | None, refusal: str) -> Iterator[str]:
    conclusion = (check or {}).get("conclusion") or "no conclusion yet"
    title = (check or {}).get("title") or "no title"
    if expected.refusal and expected.refusal not in refusal:
        yield _differs("a refusal by GitHub", expected.refusal, refusal or "GitHub let it through")
    if refusal and not expected.refusal:
        yield _differs("the act", "GitHub lets it through", refusal)
    if state != expected.state:
        yield _differs("the pull request", expected.state, state)
    if expected.conclusion and conclusion != expected.conclusion:
        yield _differs("the check", expected.conclusion, conclusion)
    if expected.title and title != expected.title:
        yield _differs("its title", expected.title, title)
    lines = plain_lines(check)
    for pattern in expected.reasons:
        if not any(re.search(pattern, line) for line in lines):
            yield _differs("its summary", pattern, " / ".join(lines) or "nothing")


def _differs(what: str, wanted: str, came: str) -> str:
    return f"{what}: expected “{wanted}”, got “{came}”"
