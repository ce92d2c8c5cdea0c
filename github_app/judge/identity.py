"""Who is named here: a tool, a model, automation, or a person?

Two questions: who stands behind a name and address (:meth:`Names.identify`), and whom does the
value of a trailer or the end of a footer credit (:meth:`Names.credit`). A tool is recognised by its
address, its account or its product name; a first name alone never is, for people are called
Claude, Devin and Jules.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
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
from github_app.judge.signals import Confidence
from github_app.judge.text import normalise

_REMEMBERED = 4096  # answers kept: identities and credits repeat within a history
_LONGEST = 200  # characters of a name, address or value that are read
_CERTAIN, _LIKELY, _WEAK = Confidence.CERTAIN, Confidence.LIKELY, Confidence.WEAK

_WORD = re.compile(r"[a-z0-9]++")
_ADDRESS = re.compile(r"[a-z0-9._%+'=\[\]-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)*+")
_GITHUB = re.compile(
    r"(?:(?P<id>[0-9]{1,20})\+)?(?P<login>[a-z0-9-]++)(?P<bot>\[bot\])?@users\.noreply\.github\.com"
)
_LINK = re.compile(r"https?://[^\s>)\]]++")
_SEGMENTS = re.compile(
    r"[,;+&|()\[\]<>*_`\"“”/]| via | and | with | using | plus | by |(?<=\s)-(?=\s)| [–—·] "  # noqa: RUF001
)
_KERNEL_FORM = re.compile(r"([a-z][a-z0-9_.+-]{0,40}):([a-z0-9][a-z0-9._/:@+-]{0,80})")
_VERSION = re.compile(r"v?[0-9][a-z0-9]{0,8}|[kmro][0-9]{1,2}")
_FREE_MAIL = re.compile(
    r"(?:gmail|googlemail|outlook|hotmail|live|yahoo|ymail|icloud|me|mac|proton|protonmail|pm|gmx|web"
    r"|qq|163|126|foxmail|mail|yandex|fastmail|hey|aol|zoho|posteo|mailbox|tutanota|users\.noreply)"
    r"\.[a-z.]++"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that may follow a product's name without making it part of a person's name.
_AFTER_A_NAME = _words(
    "ai cli code agent agents assistant bot app chat model llm mode auto max pro mini ultra plus "
    "web ide sdk desktop cloud high low medium fast opus sonnet haiku fable turbo thinking preview "
    "beta latest assisted for to on in at as the via from and or with session coding autonomous "
    "background reviewer subagent architect editor ask plan build default composer tab pair "
    "programmer"
)
_FILLERS = _words("the a an my our with by using via help of from assistance")
# Words that mean AI where somebody is credited: first in the credit, last in it, in a mailbox.
_AI_FIRST = _words("ai llm llms genai gpt chatbot chatbots aigc aigenerated")
_AI_LAST = _words("ai agent agents llm llms subagent copilot gpt chatbot")
_AI_PHRASES = frozenset(
    tuple(phrase.split("_"))
    for phrase in _words(
        "coding_agent code_agent coding_assistant language_model large_language generative_ai "
        "gen_ai autonomous_agent multiple_ais various_llms local_llm my_agent"
    )
)
_AI_HELP = _AI_LAST | _words("assistance help support tool tools model models")
# After "AI" or "GPT": a topic, not somebody to credit.
_NOT_A_TOOL = _words("style based like powered driven friendly ready search features sdk api apis")
_AGENT_BOXES = _words(
    "agent agents ai aibot llm gpt assistant copilot codegen subagent coder codingagent"
)
_NO_REPLY = _words("noreply no-reply no_reply donotreply do-not-reply")
_PRODUCT_DOMAINS = _words("ai dev sh app io")
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


@dataclass(frozen=True, slots=True)
class _Credit:
    named: Named
    is_model: bool = False


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
        self._names = _by_first_word(catalogue.marks(MarkKind.NAME))
        self._families = {
            word: family.tool for family in catalogue.generic.models for word in family.words
        }
        self._model = _model_pattern(self._families)
        self._identified = lru_cache(_REMEMBERED)(self._identify)
        self._credited = lru_cache(_REMEMBERED)(self._credits)
        self._opened = lru_cache(_REMEMBERED)(self._opening)

    # -- who stands behind a name and an address ------------------------------------------------

    def identify(self, name: str, email: str, role: Role) -> Named | None:
        """The tool behind ``name <email>``, or None for people and automation.

        Either may be any text, in any case. What is kept of it is short.
        """
        return self._identified(name[:_LONGEST], email[:_LONGEST], role)

    def _identify(self, name: str, email: str, role: Role) -> Named | None:
        shown = normalise(name)
        name, email = shown.lower().strip(), normalise(email).lower().strip()
        if name in self._automation and email in self._automation_emails:
            return None
        by_name = self._by_name(name)
        known = self._by_address(email, by_name, role)
        if known:
            return known
        ending = next((mark for mark in self._endings if name.endswith(mark.text)), None)
        if ending:
            return None if role is Role.COMMITTER else Named(ending.tool, ending.sure)
        if by_name:
            return self._named_person_or_tool(name, email, by_name)
        if self.is_automation(name, email):  # a workflow of an agent may run under its address
            odd = email in self._automation_emails and _names_ai(shown, _WORD.findall(name))
            return Named(UNKNOWN_TOOL, _LIKELY) if odd else None
        return self._by_form(shown, name, email, role)

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

    def _by_name(self, name: str) -> Mark | None:
        """The product whose name this is, but for a version, a model or brackets after it."""
        name = name.rpartition(" via ")[2]  # "MODEL via TOOL"
        words = tuple(_WORD.findall(name.removesuffix("[bot]")))
        found = self._longest(words)
        if not found:
            return self._model_mark(name)
        mark, length = found
        rest = words[length:]
        if all(self._may_follow(word) for word in rest):
            return mark
        return self._model_mark(name)

    def _model_mark(self, name: str) -> Mark | None:
        model = self._model.search(name)
        if not model:
            return None
        tool = self._families[model["family"]]
        return Mark(kind=MarkKind.NAME, text=name, tool=tool, sure=_LIKELY)

    def _named_person_or_tool(self, name: str, email: str, mark: Mark) -> Named | None:
        """A product's name before an address that is not the product's own."""
        if mark.namesake is Namesake.NOTHING or self._model.search(name):
            return Named(mark.tool, max(mark.sure, _LIKELY, key=_rank) if not email else _LIKELY)
        if len(_WORD.findall(name)) > len(_WORD.findall(mark.text)):
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
            or not _AGENT_BOXES.isdisjoint(_WORD.findall(local))
        )

    def _by_form(self, shown: str, name: str, email: str, role: Role) -> Named | None:
        """What an unlisted tool looks like: agent@…, "Acme Agent", noreply@acme.ai, acme[bot]."""
        words = _WORD.findall(name)
        local, _, domain = email.partition("@")
        account = _GITHUB.fullmatch(email)
        own_domain = bool(domain) and not account and not _FREE_MAIL.fullmatch(domain)
        boxes = _WORD.findall(account["login"] if account else local if own_domain else "")
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

    # -- whom a value credits -------------------------------------------------------------------

    def credit(self, value: str, *, strict: bool = False) -> tuple[Named, ...]:
        """The tools a trailer's value names, none if it names people.

        ``strict``: every word of the value must belong to a name, as in ``Model: GPT-5``.
        """
        return self._credited(value[: 2 * _LONGEST], strict)

    def _credits(self, value: str, strict: bool) -> tuple[Named, ...]:  # noqa: FBT001 - cached
        text = value.lower().strip()
        addresses = _ADDRESS.findall(text)[:8]
        if addresses:
            return self._credited_identities(value.strip(), text, addresses)
        kernel = _KERNEL_FORM.match(text)
        if kernel and not text.startswith(("http:", "https:")):
            return self._kernel_form(kernel, strict)
        link = _LINK.match(text)
        if link:
            ai = not _AI_FIRST.isdisjoint(_WORD.findall(link[0]))
            return (Named(UNKNOWN_TOOL, _LIKELY),) if ai else ()
        whole = self._segment(text, strict=True)
        if whole:
            return (whole.named,)
        if _is_path(text):
            return ()
        found = [
            credit for part in _SEGMENTS.split(text)[:12] if (credit := self._segment(part, strict))
        ]
        return _tools_before_models(found)

    def _credited_identities(
        self, shown: str, text: str, addresses: list[str]
    ) -> tuple[Named, ...]:
        found: list[Named] = []
        at = 0
        for address in addresses:
            start = text.find(address, at)
            name = _bare(shown[at:start]) if len(shown) == len(text) else _bare(text[at:start])
            at = start + len(address)
            clean = address.lstrip("[").rstrip(".-") if "]" not in address else address
            who = self.identify(name, clean, Role.CO_AUTHOR)
            who = who or self._credited_via(name.lower(), clean)
            if who and who not in found:
                found.append(who)
        return tuple(found)

    def _credited_via(self, name: str, email: str) -> Named | None:
        """``MODEL via TOOL <tool@…>``: people are not credited via somebody."""
        model, via, tool = name.partition(" via ")
        if not via or not model:
            return None
        if email.partition("@")[0] == tool.strip():
            return Named(UNKNOWN_TOOL, _LIKELY)
        credit = self._segment(tool, strict=False) or self._segment(model, strict=False)
        return credit.named if credit else None

    def _kernel_form(self, form: re.Match[str], strict: bool) -> tuple[Named, ...]:  # noqa: FBT001
        """``AGENT:MODEL``, as the Linux kernel writes it."""
        agent = self._segment(form[1], strict=True)
        if agent:
            return (Named(agent.named.tool, max(agent.named.sure, _LIKELY, key=_rank)),)
        model = self._model.search(form[2]) or any(c.isdigit() for c in form[2])
        return (Named(UNKNOWN_TOOL, _LIKELY),) if model and not strict else ()

    def _segment(self, text: str, strict: bool) -> _Credit | None:  # noqa: FBT001
        words = tuple(_WORD.findall(text[:80]))
        while words and words[0] in _FILLERS:
            words = words[1:]
        found = self._longest(words)
        if found:
            mark, length = found
            rest = words[length:]
            free = mark.namesake is Namesake.NOTHING and not strict
            if free or (all if strict else _first)(self._may_follow(word) for word in rest):
                model = self._model.search(text[:80])
                is_model = model is not None and self._families[model["family"]] == mark.tool
                return _Credit(Named(mark.tool, mark.sure), is_model)
        model = self._model.search(text[:80])
        if model and strict and not all(self._may_follow(word) for word in words):
            model = None
        if model or (
            len(words) == 1 and words[0] in self._families and self._families[words[0]] == "claude"
        ):
            family = model["family"] if model else words[0]
            return _Credit(Named(self._families[family], _LIKELY), is_model=True)
        if words[1:2] and words[1] in _NOT_A_TOOL:
            return None
        if words and (words[0] in _AI_FIRST or words[:2] in _AI_PHRASES):
            vague = strict and not all(w in _AI_HELP or self._may_follow(w) for w in words[1:])
            return None if vague else _Credit(Named(UNKNOWN_TOOL, _LIKELY))
        other = not self._generic.automation_words.isdisjoint(words)
        if not strict and not other and words and len(words) <= 4 and words[-1] in _AI_LAST:
            return _Credit(Named(UNKNOWN_TOOL, _LIKELY))
        return None

    def only(self, text: str) -> Named | None:
        """The tool or model that ``text`` names, if there is not a word more in it."""
        credit = self._segment(text.lower(), strict=True)
        return credit.named if credit else None

    def opening(self, text: str) -> Named | None:
        """The tool that ``text`` begins with, if nothing else is said in the same breath."""
        return self._opened(text[:_LONGEST])

    def _opening(self, text: str) -> Named | None:
        first = _SEGMENTS.split(text.lower(), maxsplit=1)[0]
        return next(iter(self.credit(text)), None) if self.only(first) else None

    def mentioned(self, text: str) -> Named | None:
        """The first product that ``text`` names anywhere. Only where AI is known to have helped."""
        words = tuple(_WORD.findall(text.lower()[: 2 * _LONGEST]))
        for start in range(len(words)):
            found = self._longest(words[start : start + 5])
            if found and found[0].sure is not _WEAK:
                return Named(found[0].tool, found[0].sure)
        return None

    def _longest(self, words: tuple[str, ...]) -> tuple[Mark, int] | None:
        """The longest product name that ``words`` begin with."""
        for name, mark in self._names.get(words[0], ()) if words else ():
            if words[: len(name)] == name:
                return mark, len(name)
        return None

    def _may_follow(self, word: str) -> bool:
        return (
            word in _AFTER_A_NAME or word in self._families or _VERSION.fullmatch(word) is not None
        )


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


def _by_first_word(marks: Iterable[Mark]) -> dict[str, tuple[tuple[tuple[str, ...], Mark], ...]]:
    found: defaultdict[str, list[tuple[tuple[str, ...], Mark]]] = defaultdict(list)
    for mark in marks:
        words = tuple(_WORD.findall(mark.text))
        if words:
            found[words[0]].append((words, mark))
    return {
        first: tuple(sorted(names, key=lambda name: (-len(name[0]), *_doubt(name[1]))))
        for first, names in found.items()
    }


def _doubt(mark: Mark) -> tuple[bool, int]:
    """Of two marks with one name the surer one comes first."""
    return mark.namesake is not Namesake.NOTHING, -mark.sure.rank


def _model_pattern(families: Iterable[str]) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, families), key=len, reverse=True))
    variants = "code|coder|pro|flash|chat|opus|sonnet|haiku|large|medium|small|max|turbo|next|oss"
    return re.compile(
        rf"(?<![a-z0-9])(?P<family>{words})[ ._:-]?(?:(?:{variants})[ ._-]?)?"
        rf"(?:[vkmrgo]?[0-9]|(?<=[ ._:-])(?:code|coder|cli)(?![a-z]))"
    )


def _tools_before_models(found: list[_Credit]) -> tuple[Named, ...]:
    """Where a tool is named, the model in its brackets is not another one."""
    tools = [credit for credit in found if not credit.is_model] or found
    named: dict[str, Named] = {}
    for credit in tools:
        named.setdefault(credit.named.tool, credit.named)
    if len(named) > 1:
        named.pop(UNKNOWN_TOOL, None)
    return tuple(named.values())


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


def _is_path(text: str) -> bool:
    """A script, a file or a command made it, which is no AI's mark."""
    first = text.split(maxsplit=1)[0] if text else ""
    return "://" not in first and (
        ("/" in first and ":" not in first)
        or re.search(r"\.(?:py|sh|js|ts|rb|pl|go|rs|yml|yaml|toml|json|mk)\b", first) is not None
    )


def _bare(name: str) -> str:
    text = name.replace("&lt;", " ").replace("&gt;", " ").strip()
    return text.strip(" \t,;<>()\"'`*_“”").removesuffix("[").strip()


def _first(answers: Iterable[bool]) -> bool:
    return next(iter(answers), True)


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
