"""What an incident says: who, what, where, what to do; and nothing of it pings or renders."""

import re
from dataclasses import replace

import pytest

from github_app.judge.incident import Incident, body, check_report, title
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import LIMIT, TITLE_LIMIT, Conclusion
from tests.judge.build import SHOP, user

OID = "5" * 40
MERGED = Incident(
    repository=SHOP,
    oid=OID,
    branch="main",
    number=12,
    actor=user("olga"),
    reasons=(Reason(code=Code.MERGED_NOT_GREEN, detail="Waiting for a senior: @grace"),),
)
PUSHED = replace(
    MERGED, number=None, reasons=(Reason(code=Code.PUSHED_PAST, sha=OID, detail="Claude Code"),)
)
RECEIPT = "7:" + "a" * 64


def said(incident: Incident) -> str:
    return body(
        incident, web_url="https://github.com/", check_name="senior-signoff", receipt=RECEIPT
    )


def outside_of_code(text: str) -> str:
    """What GitHub would render: everything that is in no code span."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_a_merge() -> None:
    assert title(MERGED) == "Merged past the check: #12 into main (5555555)"
    text = said(MERGED)
    assert (
        "`@olga` merged [pull request 12](https://github.com/acme/shop/pull/12) into `main` as "
        f"[`5555555`](https://github.com/acme/shop/commit/{OID})."
    ) in text
    assert "- the check was not green: `Waiting for a senior: @grace`" in text
    assert "`countersign doctor acme/shop`" in text
    assert "Reasons: CS090." in text
    assert RECEIPT in text
    assert text.endswith(MERGED.marker)


def test_a_push() -> None:
    assert title(PUSHED) == "Pushed past the check: 5555555 on main"
    assert f"`@olga` pushed [`5555555`](https://github.com/acme/shop/commit/{OID})" in said(PUSHED)
    assert "marked as AI-assisted (`Claude Code`)" in said(PUSHED)


def test_an_unknown_account() -> None:
    assert "an unknown account merged" in said(replace(MERGED, actor=None))


def test_the_check_run_says_the_same_and_fails() -> None:
    report = check_report(MERGED, web_url="https://github.com", check_name="x", receipt=RECEIPT)
    assert report.conclusion is Conclusion.FAILURE
    assert report.title == title(MERGED)
    assert "What was missing" in report.summary


HOSTILE = "@grace `x` ``y`` <img src=x> #1 \u202e[a](http://evil) \x1b[31m --> " + "z" * 500


@pytest.mark.parametrize(
    "incident",
    [
        pytest.param(replace(MERGED, branch=HOSTILE), id="branch"),
        pytest.param(replace(PUSHED, branch=HOSTILE), id="branch-of-a-push"),
        pytest.param(replace(MERGED, actor=user(HOSTILE)), id="login"),
        pytest.param(
            replace(MERGED, reasons=(Reason(code=Code.CONTENT_DIFFERS, detail=HOSTILE),)),
            id="paths",
        ),
    ],
)
def test_foreign_text_is_shown_and_nothing_more(incident: Incident) -> None:
    text = said(incident)
    rendered = outside_of_code(text)
    for harm in ("@grace", "<img", "evil", "#1 "):
        assert harm not in rendered
    assert "\u202e" not in text + title(incident)
    assert "\x1b" not in text + title(incident)
    assert len(title(incident)) <= TITLE_LIMIT
    assert len(text) <= LIMIT


def test_many_reasons_are_counted_and_not_cut() -> None:
    reasons = tuple(
        Reason(code=Code.PUSHED_PAST, sha=f"{number:040x}", detail="z" * 300)
        for number in range(1000)
    )
    text = said(replace(PUSHED, reasons=reasons))
    assert "- and 980 more" in text
    assert len(text) <= LIMIT


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(MERGED, oid="6" * 40), id="another-commit"),
        pytest.param(replace(MERGED, number=13), id="another-pull-request"),
        pytest.param(replace(MERGED, branch="dev"), id="another-branch"),
        pytest.param(replace(MERGED, repository=replace(SHOP, id=78)), id="another-repository"),
    ],
)
def test_another_incident_has_another_name(other: Incident) -> None:
    assert other.key != MERGED.key


def test_the_same_incident_has_the_same_name_whatever_was_missing() -> None:
    found_later = replace(MERGED, reasons=PUSHED.reasons, actor=None)
    assert found_later.marker == MERGED.marker
