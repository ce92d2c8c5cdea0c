"""What is published as a check run, within GitHub's limits, and in GitHub's words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from github_app.judge.outcome import Outcome, Verdict

# Source: the REST description of checks: summary and text 65,535 characters each; the title's
# length is not documented, 255 is what the annotations' titles have.
LIMIT = 65_535
TITLE_LIMIT = 255


class Conclusion(StrEnum):
    """The conclusions we use. ``neutral`` and ``skipped`` pass a required check: never those."""

    SUCCESS = "success"
    FAILURE = "failure"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark on lines of a file. ``level`` is notice, warning or failure."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is published as the check run. Equal reports are not published twice."""

    conclusion: Conclusion
    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()


def conclusion(verdict: Verdict) -> Conclusion:
    """The one place where an outcome becomes GitHub's word."""
    if verdict.observing:
        return Conclusion.SUCCESS
    match verdict.outcome:
        case Outcome.NOT_AI | Outcome.EXEMPT | Outcome.SIGNED_OFF | Outcome.OVERRIDDEN:
            return Conclusion.SUCCESS
        case Outcome.WAITING:
            return Conclusion.ACTION_REQUIRED
        case Outcome.OBJECTED | Outcome.CANNOT_JUDGE:
            return Conclusion.FAILURE
        case _:
            assert_never(verdict.outcome)
