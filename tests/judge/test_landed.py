"""When the check may stand on a merge itself: never in doubt, and a case for each of the doubts."""

from dataclasses import replace
from typing import Any

import pytest

from github_app.judge.facts import Commit
from github_app.judge.landed import DOUBTS, MAY_BRING_MORE, Landed, LastSaid, doubt, report
from github_app.judge.landing import Likeness
from github_app.judge.report import Conclusion
from tests.judge.build import HEAD, a_pull, commit
from tests.judge.rosters import layered, roster

BEFORE, UNDER, MERGE = "0" * 40, "1" * 40, "e" * 40
NOT_GREEN, STRICTER = "the check was not green", "no roster, or other branches are under"
SAID = LastSaid(outcome="SIGNED_OFF", green=True, observing=False, base="main")
PULL = replace(a_pull(), state="MERGED", base_ref="main", head_oid=HEAD, pulls_from_base=0)


def made(*parents: str, oid: str = MERGE, message: str = "Merge it") -> Commit:
    return commit(oid, message=message, parents=parents)


def landed(**fields: Any) -> Landed:
    """As it should be, but for ``fields``."""
    usual: dict[str, Any] = {
        "pull": PULL,
        "made": (made(BEFORE, HEAD),),
        "base": BEFORE,
        "likeness": Likeness.SAME,
        "then": True,
        "last": SAID,
        "marked": True,
        "held": True,
        "roster": roster(),
        "was_tip": lambda oid: oid == BEFORE,
    }
    return Landed(**(usual | fields))


def with_rule(branches: str) -> Any:
    more = f"rules: [{{name: it, why: so, branches: {branches}, from: principal}}]\n"
    return roster(more=more)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="a merge"),
        pytest.param({"made": (made(BEFORE),)}, id="a squash"),
        pytest.param({"base": None}, id="the very content of the head"),
        pytest.param({"last": replace(SAID, outcome="EXEMPT")}, id="exempt"),
        pytest.param(
            {"last": replace(SAID, outcome="NOT_AI"), "marked": False}, id="no AI, none remembered"
        ),
        pytest.param({"roster": with_rule("[main, release/*]")}, id="a rule here as well"),
        pytest.param(
            {
                "roster": roster(
                    more="rules: [{name: it, why: so, repositories: [acme/other], "
                    "branches: [release/*], from: principal}]\n"
                )
            },
            id="a rule of another repository",
        ),
    ],
)
def test_it_may(fields: dict[str, Any]) -> None:
    assert doubt(landed(**fields)) == ""


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param({"held": False}, "not known to be held", id="not held"),
        pytest.param({"then": None}, NOT_GREEN, id="nobody had judged it"),
        pytest.param({"then": False}, NOT_GREEN, id="not green at the merge"),
        pytest.param({"last": None}, NOT_GREEN, id="not published"),
        pytest.param({"last": replace(SAID, green=False)}, NOT_GREEN, id="no longer green"),
        pytest.param({"last": replace(SAID, observing=True)}, NOT_GREEN, id="only observed"),
        pytest.param({"last": replace(SAID, base="dev")}, NOT_GREEN, id="judged for elsewhere"),
        pytest.param({"last": replace(SAID, outcome="OVERRIDDEN")}, NOT_GREEN, id="an emergency"),
        pytest.param({"last": replace(SAID, outcome=None)}, NOT_GREEN, id="of an old version"),
        pytest.param({"likeness": Likeness.UNKNOWN}, "not proven", id="a diff not shown"),
        pytest.param({"likeness": Likeness.DIFFERENT}, "not proven", id="other lines"),
        pytest.param(
            {"last": replace(SAID, outcome="NOT_AI")}, "evidence", id="no AI, but remembered"
        ),
        pytest.param({"roster": None}, STRICTER, id="no roster"),
        pytest.param({"roster": roster(more="rollout: {mode: observe}\n")}, STRICTER, id="observe"),
        pytest.param({"roster": with_rule("[release/*]")}, STRICTER, id="stricter elsewhere"),
        pytest.param(
            {
                "roster": layered(
                    roster(),
                    "rules: [{name: it, why: so, branches: [release/*], from: principal}]\n",
                )
            },
            STRICTER,
            id="stricter elsewhere by its own roster",
        ),
        pytest.param({"pull": replace(PULL, pulls_from_base=1)}, "open pull", id="promoted"),
        pytest.param({"pull": replace(PULL, pulls_from_base=None)}, "open pull", id="base gone"),
        pytest.param({"base": UNDER}, MAY_BRING_MORE, id="on a commit that the branch never was"),
        pytest.param(
            {"base": None, "made": (made(UNDER, HEAD),)},
            MAY_BRING_MORE,
            id="the head's content, on such a commit",
        ),
        pytest.param(
            {"made": (made(BEFORE, UNDER),)}, MAY_BRING_MORE, id="of another head than was judged"
        ),
        pytest.param(
            {"made": (made(BEFORE, HEAD, UNDER),)}, MAY_BRING_MORE, id="of two heads at once"
        ),
    ],
)
def test_it_may_not(fields: dict[str, Any], why: str) -> None:
    assert why in doubt(landed(**fields))


def test_what_may_become_known_in_a_moment_is_asked_last() -> None:
    assert list(DOUBTS)[-1] == MAY_BRING_MORE


def test_what_is_said_names_the_pull_request_and_pings_nobody() -> None:
    said = report(replace(PULL, base_ref="release/`@ada`\u202e", number=12))
    assert said.conclusion is Conclusion.SUCCESS
    assert said.title == "Landed as judged in #12"
    assert "\u202e" not in said.summary
    assert "verdict of its own" in said.summary
