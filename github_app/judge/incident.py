"""Something reached a protected branch past the check: what an issue, or a failed check run, says.

Whoever reads it did not ask for it. So it says which commit, by whom, what was missing and what to
do; it pings nobody, and every foreign piece of text is in a code span.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from github_app.judge.facts import Actor, Repository
from github_app.judge.markup import code, commit_link, person, plain
from github_app.judge.reasons import Reason
from github_app.judge.report import LIMIT, SENTENCES, TITLE_LIMIT, Conclusion, Report

_MOST = 20  # reasons that are listed; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """``oid``: the commit that is on ``branch`` now. ``number``: of the pull request that was
    merged; None for a push. ``actor``: who did it, None if GitHub does not say. ``reasons``: what
    was missing, at least one. ``protected``: whether there was anything to get past: a rule that
    demands the check, or for a push any rule. Where not, it is written down and nobody is told."""

    repository: Repository
    oid: str
    branch: str
    number: int | None
    actor: Actor | None
    reasons: tuple[Reason, ...]
    protected: bool = True

    @property
    def key(self) -> str:
        """Names the incident: the same one found again has the same key. 16 hex digits."""
        text = f"{self.repository.id}:{self.number or 0}:{self.branch}:{self.oid}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def marker(self) -> str:
        """By which our own issue is found again: a comment that nobody sees."""
        return f"<!-- countersign incident {self.key} -->"


def title(incident: Incident) -> str:
    """One plain line."""
    short = incident.oid[:7]
    if incident.number is None:
        text = f"Pushed past the check: {short} on {plain(incident.branch, 80)}"
    else:
        where = plain(incident.branch, 80)
        text = f"Merged past the check: #{incident.number} into {where} ({short})"
    return plain(text, TITLE_LIMIT)


def body(incident: Incident, *, web_url: str, check_name: str, receipt: str) -> str:
    """Markdown, within GitHub's limit. ``receipt``: of the audit record (docs/audit.md)."""
    for most in (_MOST, 5, 1):
        text = "\n\n".join(_sections(incident, web_url, check_name, receipt, most))
        if len(text) <= LIMIT:
            return text
    raise AssertionError("one reason fits: every piece of it is short")


def check_report(incident: Incident, *, web_url: str, check_name: str, receipt: str) -> Report:
    """The same as a failed check run on the commit, where no issue may be written."""
    said = body(incident, web_url=web_url, check_name=check_name, receipt=receipt)
    return Report(conclusion=Conclusion.FAILURE, title=title(incident), summary=said)


def _sections(
    incident: Incident, web_url: str, check_name: str, receipt: str, most: int
) -> Iterator[str]:
    yield f"**What happened:** {_happened(incident, web_url)}."
    listed = [_sentence(incident, web_url, reason) for reason in incident.reasons]
    lines = [f"- {line}" for line in listed[:most]]
    if len(listed) > most:
        lines.append(f"- and {len(listed) - most} more")
    yield "\n".join(["**What was missing:**", "", *lines])
    yield (
        f"**Next:** somebody who could have signed it off reads the change, and takes it back if "
        f"it is not right. An administrator looks at who can pass by {code(check_name)}: "
        f"`countersign doctor {incident.repository.full_name}`. Then this can be closed; nothing "
        "waits for it."
    )
    codes = " ".join(dict.fromkeys(reason.code.value for reason in incident.reasons))
    yield f"Reasons: {codes}. Audit record: {code(receipt, 100)}."
    yield incident.marker


def _happened(incident: Incident, web_url: str) -> str:
    name = incident.repository.full_name
    link = commit_link(web_url, name, None, incident.oid)
    who = person(incident.actor.login) if incident.actor else "an unknown account"
    branch = code(incident.branch)
    if incident.number is None:
        return f"{who} pushed {link} to {branch}"
    page = f"{web_url.rstrip('/')}/{quote(name, safe='/')}/pull/{incident.number}"
    return f"{who} merged [pull request {incident.number}]({page}) into {branch} as {link}"


def _sentence(incident: Incident, web_url: str, reason: Reason) -> str:
    name = incident.repository.full_name
    sha = commit_link(web_url, name, None, reason.sha) if reason.sha else "an unknown commit"
    return SENTENCES[reason.code].format(
        who=person(reason.who) if reason.who else "an unknown account",
        sha=sha,
        detail=code(reason.detail, 300) if reason.detail else "(not known)",
    )
