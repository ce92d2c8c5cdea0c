"""What we ask GitHub to register: the choices of a set-up, checked, and the manifest made of them.

Source of keys and addresses: GitHub docs, "Registering a GitHub App from a manifest".
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from github_app.judge.errors import CountersignError
from github_app.permissions import EXTRAS, Extra, events_of, permissions_of

NAME_LIMIT = 34  # GitHub's
# GitHub keeps deliveries only for an active webhook. This name is nobody's, ever (RFC 2606).
NOWHERE = "https://countersign.invalid"
WEBHOOK, CREATED = "/webhook", "/setup/created"
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")


class ChoiceError(CountersignError):
    """What was chosen cannot be registered. The message quotes nothing."""

    advice = "Change it, then try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is registered, for whom. ``organization`` empty: whoever is signed in on GitHub.

    ``address``: the public one, without a slash at its end; empty if GitHub cannot reach us, and
    deliveries are fetched. Made by ``choice``, so a value that exists can be registered.
    """

    organization: str
    name: str
    address: str
    extras: tuple[Extra, ...] = ()

    @property
    def pulls(self) -> bool:
        return not self.address


def choice(
    *, organization: str, name: str, address: str, extras: Iterable[str] = (), local: bool
) -> Choice:
    """Check what somebody typed. ``local``: GitHub runs on this machine, so loopback is reachable.

    Raises: ChoiceError.
    """
    organization, name, address = organization.strip(), name.strip(), address.strip().rstrip("/")
    if organization and not _LOGIN.fullmatch(organization):
        raise ChoiceError("The organisation is not a login: letters, digits and hyphens.")
    name = name or f"countersign-{organization}"[:NAME_LIMIT].rstrip("-")
    if not name.isprintable() or len(name) > NAME_LIMIT:
        raise ChoiceError(f"The name must be one line of at most {NAME_LIMIT} characters.")
    if address:
        _must_be_reachable(address, local=local)
    wanted = set(extras)
    chosen = tuple(extra for extra in EXTRAS if extra.name in wanted)
    return Choice(organization=organization, name=name, address=address, extras=chosen)


def manifest(chosen: Choice, *, web_url: str, base: str) -> dict[str, object]:
    """The manifest. ``base``: where the browser reaches this set-up, without a slash at its end.

    Its homepage is where a check's *Details* lead: the organisation's page, which exists.
    """
    return {
        "name": chosen.name,
        "description": "Holds AI-assisted pull requests until a senior engineer signed them off.",
        "url": f"{web_url}/{chosen.organization}".rstrip("/"),
        "hook_attributes": {"url": f"{chosen.address or NOWHERE}{WEBHOOK}", "active": True},
        "redirect_url": f"{base}{CREATED}",
        "public": False,
        "default_permissions": permissions(chosen),
        "default_events": events(chosen),
    }


def permissions(chosen: Choice) -> dict[str, str]:
    """Name -> level, the least that is needed and what was added."""
    needed = permissions_of(organization=bool(chosen.organization))
    asked = {name: level for name, (level, _) in needed.items()}
    return asked | {extra.name: extra.level for extra in chosen.extras}


def events(chosen: Choice) -> list[str]:
    needed = events_of(organization=bool(chosen.organization))
    return sorted(needed.union(*(extra.events for extra in chosen.extras)))


def form_address(chosen: Choice, *, web_url: str) -> str:
    """Where the manifest is posted; the state is added by whoever keeps it."""
    if not chosen.organization:
        return f"{web_url}/settings/apps/new"
    return f"{web_url}/organizations/{quote(chosen.organization, safe='')}/settings/apps/new"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _must_be_reachable(address: str, *, local: bool) -> None:
    """Raises: ChoiceError."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        whole = bool(host) and parts.port != 0 and address.isascii() and address.isprintable()
    except ValueError:
        whole, host = False, ""
    if not whole or " " in address or parts.query or parts.fragment or parts.username is not None:
        raise ChoiceError("The address must look like https://countersign.example.com.")
    if is_loopback(host):
        if not local:
            raise ChoiceError(
                "GitHub cannot reach this machine by that address. Leave it empty: "
                "events are then fetched."
            )
        return
    if parts.scheme != "https":
        raise ChoiceError("The address must be https: events hold private code.")
