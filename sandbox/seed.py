"""The world a sandbox starts with: an organisation, a shop, five people, bots, and the app."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.actions import accounts, apps, protection, repositories
from sandbox.objects import App, Repository
from sandbox.world import World

ORGANIZATION, REPOSITORY = "acme", "acme/shop"
CHECK = "senior-signoff"
APP_SLUG, ACTIONS_SLUG = "countersign", "github-actions"
# login, id, name, e-mail: the ids are those of the example roster
PEOPLE = (
    ("ada", 1815, "Ada Lovelace", "ada@acme.example"),
    ("grace", 1906, "Grace Hopper", "grace@acme.example"),
    ("kim", 2001, "Kim Mid", "kim@acme.example"),
    ("june", 2002, "June Junior", "june@acme.example"),
    ("olga", 2003, "Olga Admin", "olga@acme.example"),
)
BOTS = (
    ("dependabot", 49699333, ""),
    ("copilot-swe-agent", 198982749, "Copilot"),  # REST has another name for it than GraphQL
    ("acme-codegen", 2101, ""),
    ("acme-release", 2102, ""),
)
ROSTER = """\
version: 1
levels: [junior, mid, senior, principal]
unlisted: junior
people:
  ada: {id: 1815, level: principal}
  grace: {id: 1906, level: senior}
  kim: {id: 2001, level: mid}
  june: {id: 2002, level: junior}
sign_off:
  from: senior
  approvals: 1
  exempt: senior
detection:
  labels: [ai-assisted]
"""
FILES = {
    "README.md": "# shop\n\nA shop to practise on.\n",
    "shop/cart.py": "def total(prices: list[int]) -> int:\n    return sum(prices)\n",
    "shop/pay.py": "def pay(amount: int) -> str:\n    return f'paid {amount}'\n",
    "infra/main.tf": 'resource "null_resource" "shop" {}\n',
}


@dataclass(frozen=True)
class Seeded:
    """What the seed made, by name."""

    app: App | None
    shop: Repository


def seed(
    world: World, *, private: bool = True, webhook_url: str = "", with_app: bool = True
) -> Seeded:
    """Fill an empty world. No webhooks are sent.

    ``with_app``: the app is there, installed on all of ``acme``, and its check is required.
    """
    with world.quiet():
        for login, number, name, email in PEOPLE:
            accounts.create_user(world, "", login=login, id=number, name=name, email=email)
        for login, number, alias in BOTS:
            accounts.create_user(world, "", login=login, id=number, kind="Bot", alias=alias)
        accounts.create_organization(world, "olga", login=ORGANIZATION, id=2100)
        for login, *_ in PEOPLE[:4]:
            accounts.add_member(world, "olga", org=ORGANIZATION, login=login)
        accounts.create_team(
            world, "olga", org=ORGANIZATION, slug="staff-engineers", members=["ada", "grace"]
        )
        shop = repositories.create_repository(
            world, "olga", name="shop", owner=ORGANIZATION, private=private, files=FILES, id=3000
        )
        for login, *_ in PEOPLE[:4]:
            accounts.add_collaborator(world, "olga", REPOSITORY, login=login, permission="write")
        repositories.create_repository(
            world,
            "olga",
            name=".github",
            owner=ORGANIZATION,
            files={"reviewers.yaml": ROSTER},
            id=3001,
        )
        apps.create_app(
            world, "olga", slug=ACTIONS_SLUG, name="GitHub Actions", id=15368, bot_id=41898282,
            events=[], with_key=False, permissions={"checks": "write", "statuses": "write"},
        )  # fmt: skip
        for login in (*(login for login, *_ in BOTS), ACTIONS_SLUG):
            accounts.add_collaborator(world, "olga", REPOSITORY, login=f"{login}[bot]")
        app = _protected(world, webhook_url) if with_app else None
    return Seeded(app, shop)


def _protected(world: World, webhook_url: str) -> App:
    app = apps.create_app(
        world,
        "olga",
        owner=ORGANIZATION,
        slug=APP_SLUG,
        name="Countersign",
        id=4000,
        bot_id=4001,
    )
    app.webhook_url = webhook_url
    apps.install_app(world, "olga", app=APP_SLUG, account=ORGANIZATION)
    protection.require_check(world, "olga", REPOSITORY, context=CHECK, app=APP_SLUG)
    return app
