"""Puts a report together, and keeps it within GitHub's limits."""

from github_app.judge.markup import code, plain
from github_app.judge.outcome import Verdict
from github_app.judge.reasons import Reason
from github_app.judge.report.check import (
    LIMIT,
    TITLE_LIMIT,
    Annotation,
    Conclusion,
    Report,
    conclusion,
)
from github_app.judge.report.details import sections
from github_app.judge.report.page import Page
from github_app.judge.report.sentences import plain_sentence
from github_app.judge.report.titles import title
from github_app.judge.report.two_lines import advice, two_lines

_MOST = 30  # of each list; the rest is counted, and the audit log has all of it


def report(verdict: Verdict, *, web_url: str, annotations: tuple[Annotation, ...] = ()) -> Report:
    """Word a verdict.

    Shapes:  ``web_url`` is the base of GitHub's pages, without a path of its own.
    Returns: a report within GitHub's limits; what is too long is summarised, never cut.
    Errors:  none.
    """
    page = Page(verdict, web_url)
    prefix = "Observing: " if verdict.observing else ""
    return Report(
        conclusion=conclusion(verdict),
        title=plain(prefix + title(verdict), TITLE_LIMIT),
        summary=_fitting(page),
        annotations=annotations,
    )


def withdrawn(reason: Reason) -> Report:
    """What is said on a commit when there is no snapshot to judge: never green, and why."""
    return _in_short("Cannot judge", reason)


def held(reason: Reason) -> Report:
    """What is said on a commit while its check is held: it is not finished, and so not green."""
    return _in_short("Held", reason)


def _in_short(what: str, reason: Reason) -> Report:
    text = plain_sentence(reason)
    return Report(
        conclusion=Conclusion.FAILURE,
        title=plain(f"{what}: {text}", TITLE_LIMIT),
        summary="\n\n".join(
            [
                f"**{what}: {code(text)}**",
                f"**Next:** {advice(reason.code)}",
                f"Reasons: {reason.code.value}.",
            ]
        ),
    )


def _fitting(page: Page) -> str:
    """The longest form that is within GitHub's limit: shorter lists, never a cut in the markup."""
    for most in (_MOST, 10, 3, 1):
        text = "\n\n".join([*two_lines(page), *sections(page, most)])
        if len(text) <= LIMIT:
            return text
    return "\n\n".join(two_lines(page))
