"""A verdict in words: what the author, the senior and the admin read. All wording is here.

The first two lines of the summary suffice: why, and what to do (``two_lines.py``). The rest is for
whoever wants to know more (``details.py``); every reason has its sentence in ``sentences.py``. The
explanation is made from the verdict, never computed a second time.
"""

from github_app.judge.report.check import (
    LIMIT,
    TITLE_LIMIT,
    Annotation,
    Conclusion,
    Report,
    conclusion,
)
from github_app.judge.report.compose import held, report, withdrawn
from github_app.judge.report.sentences import SENTENCES
from github_app.judge.report.titles import title

__all__ = [
    "LIMIT",
    "SENTENCES",
    "TITLE_LIMIT",
    "Annotation",
    "Conclusion",
    "Report",
    "conclusion",
    "held",
    "report",
    "title",
    "withdrawn",
]
