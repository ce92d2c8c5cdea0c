"""Who stands behind a name and an address, or an account: a tool, automation, or a person?

A tool is recognised by its address, its account or its product name; a first name alone never is,
for people are called Claude, Devin and Jules. Whom a text credits is told by ``credit.py``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from github_app.judge.catalogue import (
    UNKNOWN_TOOL,
    Account,
    Catalogue,
    Mark,
    MarkKind,
    Namesake,
    template,
)
from github_app.judge.product_names import WORD, Products, word_set
from github_app.judge.signals import Confidence
from github_app.judge.text import normalise

REMEMBERED = 4096  # answers kept: identities and credits repeat within a history
LONGEST = 200  # characters of a name, address or value that are read
_CERTAIN, _LIKELY, _WEAK = Confidence.CERTAIN, Confidence.LIKELY, Confidence.WEAK

_GITHUB = re.compile(
    r"(?:(?P<id>[0-9]{1,20})\+)?(?P<login>[a-z0-9-]++)(?P<bot>\[bot\])?@users\.noreply\.github\.com"
)
_FREE_MAIL = re.compile(
    r"(?:gmail|googlemail|outlook|hotmail|live|yahoo|ymail|icloud|me|mac|proton|protonmail|pm|gmx|web"
    r"|qq|163|126|foxmail|mail|yandex|fastmail|hey|aol|zoho|posteo|mailbox|tutanota|users\.noreply)"
    r"\.[a-z.]++"
)

_AGENT_BOXES = word_set(
    "agent agents ai aibot llm gpt assistant copilot codegen subagent coder codingagent"
)
_NO_REPLY = word_set("noreply no-reply no_reply donotreply do-not-reply")
_PRODUCT_DOMAINS = word_set("ai dev sh app io")
_AI_DOMAINS = (".ai", ".agent")


class Role(StrEnum):
    AUTHOR = "author"
    COMMITTER = "committer"
    CO_AUTHOR = "co-author"


@dataclass(frozen=True, slots=True)
class Named:
    """A tool that was recognised, and how surely."""

    tool: str
    sure: Confidence


class Names:
    """The names and addresses of a catalogue, ready to be asked. Raises nothing on any text."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._generic = catalogue.generic
        self._emails = {mark.text: mark for mark in catalogue.marks(MarkKind.EMAIL)}
        self._email_forms = tuple(
            (mark.text.rpartition("@")[2], template(mark.text), mark)
            for mark in catalogue.marks(MarkKind.EMAIL)
            if "{" in mark.text
        )
        self._logins, self._ids = _accounts(catalogue)
        self._automation = {account.login for account in catalogue.automation}
        self._automation_emails = {e for account in catalogue.automation for e in account.emails}
        self._reviewers = {account.login for account in catalogue.reviewers}
        self._vendors = {tool.id: tool.vendor for tool in catalogue.tools}
        self._endings = tuple(catalogue.marks(MarkKind.NAME_END))
        self.products = Products(catalogue)
        self._identified = lru_cache(REMEMBERED)(self._identify)

    def identify(self, name: str, email: str, role: Role) -> Named | None:
        """The tool behind ``name <email>``, or None for people and automation.

        Either may be any text, in any case. What is kept of it is short.
        """
        return self._identified(name[:LONGEST], email[:LONGEST], role)

    def _identify(self, name: str, email: str, role: Role) -> Named | None:
        shown = normalise(name)
        name, email = shown.lower().strip(), normalise(email).lower().strip()
        if name in self._automation and email in self._automation_emails:
            return None
        by_name = self.products.called(name)
        known = self._by_address(email, by_name, role)
        if known:
            return known
        ending = next((mark for mark in self._endings if name.endswith(mark.text)), None)
        if ending:
            return None if role is Role.COMMITTER else Named(ending.tool, ending.sure)
        if by_name:
            return self._named_person_or_tool(name, email, by_name)
        if self.is_automation(name, email):  # a workflow of an agent may run under its address
            odd = email in self._automation_emails and _names_ai(shown, WORD.findall(name))
            return Named(UNKNOWN_TOOL, _LIKELY) if odd else None
        return self._by_form(shown, name, email, role)

    def is_address(self, name: str, email: str) -> bool:
        """Whether the address says that it is a tool's, whatever the name."""
        name, email = name.lower().strip(), email.lower().strip()
        return self._by_address(email, self.products.called(name), Role.AUTHOR) is not None

    def is_persons(self, name: str, email: str) -> bool:
        """Whether it is somebody's identity although a tool's name is in it: the tool has put its
        own behind theirs, "Grace (aider)", or the address is that of their account.

        Not where the address itself is a tool's.
        """
        name, email = name.lower().strip(), email.lower().strip()
        if self.is_address(name, email):
            return False
        account = _GITHUB.fullmatch(email)
        return bool(account and not account["bot"]) or any(
            name.endswith(mark.text) for mark in self._endings
        )

    def is_automation(self, name: str, email: str) -> bool:
        """Whether this is a listed bot that is not AI. Both in lower case."""
        account = _GITHUB.fullmatch(email)
        login = account["login"] if account else name.removesuffix("[bot]").strip()
        return email in self._automation_emails or (
            login in self._automation and (bool(account) or name.endswith("[bot]") or not email)
        )

    def bot(self, login: str, account_id: int | None) -> Named | None:
        """The tool behind an authenticated bot account; None if unknown or automation."""
        return self._account(self._logins.get(login.casefold()), account_id)

    def person(self, login: str, account_id: int | None) -> Named | None:
        """The tool behind an ordinary user account that a tool is known to use."""
        mark = self._logins.get(login.casefold())
        return self._account(mark if mark and mark.by_person else None, account_id)

    def _account(self, by_login: Mark | None, account_id: int | None) -> Named | None:
        """Ids of accounts are never used twice; logins are, by a bot and a person at once."""
        mark = self._ids.get(account_id) if account_id else None
        mark = mark or by_login
        return Named(mark.tool, mark.sure) if mark else None

    def is_automation_login(self, login: str) -> bool:
        return login.casefold() in self._automation

    def is_reviewer_login(self, login: str) -> bool:
        return login.casefold() in self._reviewers

    def _by_address(self, email: str, by_name: Mark | None, role: Role) -> Named | None:
        unread = role is Role.CO_AUTHOR and email.partition("@")[0] in _NO_REPLY
        least = _LIKELY if by_name or unread else _WEAK
        mark = self._emails.get(email) or self._emails.get("@" + email.partition("@")[2])
        mark = mark or next(
            (
                mark
                for domain, form, mark in self._email_forms
                if email.endswith(domain) and form.fullmatch(email)
            ),
            None,
        )
        if mark and not (mark.needs_name and not by_name):
            tool = mark.tool
            if by_name and self._vendors.get(by_name.tool) != self._vendors.get(tool):
                tool = by_name.tool  # other makers' tools write the addresses of this one
            return Named(tool, max(mark.sure, least, key=_rank))
        account = _GITHUB.fullmatch(email)
        if not account:
            return None
        known = self._ids.get(int(account["id"])) if account["id"] else None
        login = self._logins.get(account["login"])
        if account["bot"] and login:
            return Named(login.tool, login.sure)
        if known:
            return Named(known.tool, min(known.sure, _LIKELY, key=_rank))
        if login and login.by_person and not account["id"]:
            return Named(login.tool, min(login.sure, _LIKELY, key=_rank))
        return None

    def _named_person_or_tool(self, name: str, email: str, mark: Mark) -> Named | None:
        """A product's name before an address that is not the product's own."""
        if mark.namesake is Namesake.NOTHING or self.products.model.search(name):
            return Named(mark.tool, max(mark.sure, _LIKELY, key=_rank) if not email else _LIKELY)
        if len(WORD.findall(name)) > len(WORD.findall(mark.text)):
            return Named(mark.tool, _LIKELY)  # "Gemini Agent", "Kiro AI": more than a first name
        if self._impersonal(name, email):
            return Named(mark.tool, _LIKELY)
        own_box = email.partition("@")[0] in (mark.text, mark.text.replace(" ", ""))
        if (
            own_box
            and mark.namesake is Namesake.WORD
            and not _FREE_MAIL.fullmatch(email.partition("@")[2])
        ):
            return Named(mark.tool, _LIKELY)
        return Named(mark.tool, _WEAK)

    def _impersonal(self, name: str, email: str) -> bool:
        local, _, domain = email.partition("@")
        account = _GITHUB.fullmatch(email)
        return (
            not domain
            or local.split("+")[0] in _NO_REPLY
            or bool(account and account["bot"])
            or name.endswith("[bot]")
            or any(
                domain == d or domain.endswith("." + d) for d in self._generic.placeholder_domains
            )
            or email in self._automation_emails
            or not _AGENT_BOXES.isdisjoint(WORD.findall(local))
        )

    def _by_form(self, shown: str, name: str, email: str, role: Role) -> Named | None:
        """What an unlisted tool looks like: agent@…, "Acme Agent", noreply@acme.ai, acme[bot]."""
        words = WORD.findall(name)
        local, _, domain = email.partition("@")
        account = _GITHUB.fullmatch(email)
        own_domain = bool(domain) and not account and not _FREE_MAIL.fullmatch(domain)
        boxes = WORD.findall(account["login"] if account else local if own_domain else "")
        if self._says_automation(words) or self._says_automation(boxes):
            return None
        if name.endswith("[bot]") or (account and account["bot"]):
            return Named(UNKNOWN_TOOL, _LIKELY)  # a bot, and nobody has said what it is
        if "(agent)" in name or (own_domain and any(box.endswith("agent") for box in boxes)):
            return Named(UNKNOWN_TOOL, _LIKELY)
        sure = None
        if "agent" in words or "subagent" in words:
            credited = role is Role.CO_AUTHOR or not email or not set(words).isdisjoint(boxes)
            sure = _LIKELY if credited else _WEAK
        if role is Role.CO_AUTHOR and own_domain and _is_products_box(words, local, domain):
            return Named(UNKNOWN_TOOL, _LIKELY)
        if sure is None and own_domain:
            sure = self._mailbox(local, domain, len(words), role)
        if sure is None and _names_ai(shown, words):
            credited = role is Role.CO_AUTHOR and (own_domain or not email)
            sure = _LIKELY if credited else _WEAK
        return Named(UNKNOWN_TOOL, sure) if sure else None

    def _says_automation(self, words: list[str]) -> bool:
        return not self._generic.automation_words.isdisjoint(words)

    def _mailbox(self, local: str, domain: str, words: int, role: Role) -> Confidence | None:
        """Mailboxes that nobody reads, or that say what they are for."""
        if local.split("+", maxsplit=1)[0] in _NO_REPLY:
            if self._plain_noreply(domain):
                return None
            return _LIKELY if role is Role.CO_AUTHOR or domain.endswith(_AI_DOMAINS) else _WEAK
        if local in _AGENT_BOXES and not (local == "ai" and words > 1):  # Ai is a given name, too
            credited = role is Role.CO_AUTHOR or domain.endswith((*_AI_DOMAINS, ".local"))
            return _LIKELY if credited else _WEAK
        return None

    def _plain_noreply(self, domain: str) -> bool:
        plain = self._generic.plain_noreply_domains | self._generic.placeholder_domains
        return any(domain == known or domain.endswith("." + known) for known in plain)


def _accounts(catalogue: Catalogue) -> tuple[dict[str, Mark], dict[int, Mark]]:
    shared = {account.id for account in catalogue.automation if account.id}
    logins: dict[str, Mark] = {}
    ids: dict[int, Mark] = {}
    for mark in catalogue.marks(MarkKind.EMAIL, MarkKind.LOGIN):
        account = _GITHUB.fullmatch(mark.text) if mark.kind is MarkKind.EMAIL else None
        if mark.kind is MarkKind.LOGIN:
            logins[mark.text] = mark
        elif account and account["bot"]:
            logins.setdefault(account["login"], mark)
        number = mark.account_id or (int(account["id"]) if account and account["id"] else None)
        if number and number not in shared:
            ids[number] = max(ids.get(number, mark), mark, key=lambda one: one.sure.rank)
    return logins, ids


def _names_ai(shown: str, words: list[str]) -> bool:
    """ "AI" in capitals or joined by a hyphen: Ai alone is a given name and a surname."""
    return (
        re.search(r"(?<![A-Za-z])AI(?![A-Za-z])|[a-z]-ai(?![a-z])|(?<![a-z])ai-[a-z]|\(ai\)", shown)
        is not None
        or not {"llm", "gpt", "chatgpt", "copilot", "chatbot"}.isdisjoint(words)
        or (len(words) > 1 and words[-1] == "assistant")
    )


def _is_products_box(words: list[str], local: str, domain: str) -> bool:
    """``Acme Pen <pen@acme.ai>``, ``Pen <pen@pen.dev>``: named as its maker's host and mailbox."""
    label, _, rest = domain.partition(".")
    return rest in _PRODUCT_DOMAINS and words in ([label, local], [label]) and local in words


def _rank(sure: Confidence) -> int:
    return sure.rank


def account_of(email: str) -> Account | None:
    """The GitHub account behind a noreply address, in lower case; None for other addresses."""
    found = _GITHUB.fullmatch(email)
    return (
        Account(login=found["login"], id=int(found["id"]) if found["id"] else None)
        if found
        else None
    )
