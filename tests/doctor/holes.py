"""Organisations in a sandbox that are protected in all but one way, and what that is called."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner, Result

from github_app.cli import countersign
from sandbox.seed import ROSTER
from sandbox.server import Sandbox

NAME = "Countersign: senior-signoff"
Body = dict[str, Any]


def ruleset(**changes: Any) -> Body:
    """The organisation's ruleset as it should be, but for ``changes``."""
    return {
        "name": NAME,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {
            "ref_name": {"include": ["~DEFAULT_BRANCH", "refs/heads/release/**/*"], "exclude": []},
            "repository_name": {"include": ["~ALL"], "exclude": [], "protected": True},
        },
        "rules": [checks(integration_id=4000), {"type": "pull_request", "parameters": {}}],
    } | changes


def checks(**source: int) -> Body:
    parameters = {
        "strict_required_status_checks_policy": False,
        "do_not_enforce_on_create": False,
        "required_status_checks": [{"context": "senior-signoff", **source}],
    }
    return {"type": "required_status_checks", "parameters": parameters}


@dataclass(frozen=True)
class Org:
    """``acme``, with one ruleset. ``run`` runs a command with an administrator's token or without.

    The webhooks arrive where ``answers`` says so.
    """

    hub: Sandbox
    ruleset_id: int

    def act(self, action: str, **parameters: Any) -> Any:
        return self.hub.act("olga", action, **parameters)

    def change(self, **changes: Any) -> None:
        self.act("set_ruleset", org="acme", id=self.ruleset_id, ruleset=ruleset(**changes))

    def main(self, path: str, text: str) -> None:
        """A file that is on the shop's default branch."""
        self.act("push", repo="acme/shop", branch="change", commits=[{"files": {path: text}}])
        branches = self.hub.world.repository("acme/shop").branches
        branches["main"] = branches.pop("change")

    def branch(self, name: str) -> None:
        """A branch of the shop that was there before any rule was."""
        branches = self.hub.world.repository("acme/shop").branches
        branches[name] = branches["main"]

    def rulesets(self) -> list[Body]:
        return [
            {"name": one.name, "rules": one.rules, "bypass_actors": one.bypass_actors}
            for one in self.hub.world.organization("acme").rulesets.values()
        ]

    def run(
        self, *arguments: str, token: str | None = "olga", typed: str = "", **env: str
    ) -> Result:
        given = {"GITHUB_ADMIN_TOKEN": self.hub.door.user_token(token) if token else ""}
        nowhere = {"DATABASE_URL": "sqlite:////nowhere/countersign.db"}
        return CliRunner().invoke(
            countersign, arguments, env=self.hub.env() | nowhere | given | env, input=typed
        )

    def findings(self, target: str = "acme", **options: Any) -> tuple[int, list[Body]]:
        """The exit code and what was found."""
        result = self.run("doctor", target, "--json", **options)
        assert result.stdout, repr(result.exception)
        found: list[Body] = json.loads(result.stdout)["findings"]
        return result.exit_code, found

    def codes(self, target: str = "acme", **options: Any) -> set[str]:
        return {one["code"] for one in self.findings(target, **options)[1]}


@contextmanager
def protected(**options: Any) -> Iterator[Org]:
    with Sandbox(**options) as hub:
        hub.courier.receiver = lambda _headers, _body: 202
        hub.app.webhook_url = "http://app.example/webhook"
        (seeded,) = hub.world.repository("acme/shop").rulesets
        hub.act("olga", "delete_ruleset", repo="acme/shop", id=seeded)
        hub.act("olga", "add_collaborator", repo="acme/.github", login="ada", permission="write")
        made = hub.act("olga", "set_ruleset", org="acme", ruleset=ruleset())
        hub.drain()
        yield Org(hub, made["id"])


@dataclass(frozen=True)
class Hole:
    """``make`` opens it. ``codes``: all that may be found. ``closed``: by ``protect acme``."""

    make: Callable[[Org], object]
    codes: frozenset[str]
    where: str
    mend: str
    closed: bool = False
    level: str = "hole"
    tags: bool = False  # closed by ``protect --tags``


def _protect(make: Callable[[Org], object], *codes: str, where: str = "acme/shop main") -> Hole:
    return Hole(make, frozenset(codes), where, "countersign protect", closed=True)


def _other(make: Callable[[Org], object], code: str, mend: str, where: str = "acme") -> Hole:
    return Hole(make, frozenset([code]), where, mend)


def _only_default(org: Org) -> None:
    org.branch("release/1.0")
    conditions = ruleset()["conditions"] | {
        "ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}
    }
    org.change(conditions=conditions)


def _new_branches_left_alone(org: Org, release: str = "release/1.0") -> None:
    if release:
        org.branch(release)
    lax = checks(integration_id=4000)
    lax["parameters"]["do_not_enforce_on_create"] = True
    org.change(rules=[lax, *ruleset()["rules"][1:]])


def _not_in_shop(org: Org) -> None:
    named = {"include": ["~ALL"], "exclude": ["shop"], "protected": True}
    org.change(conditions=ruleset()["conditions"] | {"repository_name": named})


def _without_permission(org: Org) -> None:
    (installed,) = org.hub.world.installations.values()
    left = {name: level for name, level in installed.permissions.items() if name != "members"}
    org.act("narrow_installation", app="countersign", account="acme", permissions=left)


def _without_events(org: Org) -> None:
    org.hub.app.events.remove("pull_request_review")


def _roster(text: str | None) -> Callable[[Org], object]:
    def put(org: Org) -> object:
        files = {"reviewers.yaml": text}
        org.act("push", repo="acme/.github", branch="change", commits=[{"files": files}])
        world = org.hub.world
        home = world.repository("acme/.github")
        home.branches["main"] = home.branches.pop("change")
        return home

    return put


def _free(org: Org) -> None:
    # The organisation's rulesets went with its plan.
    org.act("delete_ruleset", org="acme", id=org.ruleset_id)
    org.hub.act("olga", "set_ruleset", repo="acme/.github", ruleset=_of_repository())
    org.hub.world.organization("acme").plan = "free"


def _of_repository() -> Body:
    body = ruleset(name="ours")
    return body | {"conditions": {"ref_name": body["conditions"]["ref_name"]}}


def _deaf(org: Org) -> None:
    org.hub.courier.log.clear()
    org.hub.courier.receiver = lambda _headers, _body: 500
    org.hub.act("olga", "add_label", repo="acme/shop", number=_pull(org), label="x")
    org.hub.drain()


def _pull(org: Org) -> int:
    org.hub.act("june", "push", repo="acme/shop", branch="fix", commits=[{"message": "Fix"}])
    number: int = org.hub.act(
        "june", "open_pull_request", repo="acme/shop", head="fix", title="Fix"
    )["number"]
    return number


def _nobody_pushes(org: Org) -> None:
    org.act("remove_collaborator", repo="acme/.github", login="ada")


def _renamed_default(org: Org) -> None:
    """The ruleset names the branch; the default branch has another name by now."""
    conditions = ruleset()["conditions"] | {
        "ref_name": {"include": ["refs/heads/main"], "exclude": []}
    }
    org.change(conditions=conditions)
    shop = org.hub.world.repository("acme/shop")
    shop.branches["trunk"] = shop.branches.pop("main")
    shop.default_branch = "trunk"


def _branch_excluded(org: Org) -> None:
    conditions = ruleset()["conditions"] | {
        "ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/main"]}
    }
    org.change(conditions=conditions)


def _empty(org: Org) -> None:
    """Nothing was pushed yet, and nothing would be judged when it is."""
    org.act("create_repository", name="new", owner="acme")
    org.act("add_collaborator", repo="acme/new", login="ada")
    org.hub.world.repository("acme/new").branches.clear()
    named = {"include": ["~ALL"], "exclude": ["new"], "protected": True}
    org.change(conditions=ruleset()["conditions"] | {"repository_name": named})


def _classic_unpinned(org: Org) -> None:
    org.act("delete_ruleset", org="acme", id=org.ruleset_id)
    settings = {
        "required_status_checks": {"checks": [{"context": "senior-signoff", "app_id": None}]},
        "enforce_admins": True,
        "required_pull_request_reviews": {"required_approving_review_count": 1},
    }
    for name in ("acme/shop", "acme/.github"):
        org.act("protect_branch", repo=name, branch="main", settings=settings)


def _classic_releases(org: Org) -> None:
    """It holds the branches that are there; one that is being made may be anything."""
    _classic_unpinned(org)
    for name in ("acme/shop", "acme/.github"):
        (main,) = org.hub.world.repository(name).protections.values()
        main.settings["required_status_checks"]["checks"][0]["app_id"] = 4000
    org.branch("release/1.0")
    org.act("protect_branch", repo="acme/shop", branch="release/*", settings=main.settings)


def _agent_bypasses(org: Org) -> None:
    org.hub.world.apps[15368].slug = "copilot-swe-agent"
    org.change(bypass_actors=[{"actor_type": "Integration", "actor_id": 15368}])


def _team_bypasses(org: Org) -> None:
    team = next(iter(org.hub.world.organization("acme").teams.values()))
    org.change(bypass_actors=[{"actor_type": "Team", "actor_id": team.id}])


def _required_elsewhere(org: Org) -> None:
    body = ruleset(name="another app", rules=[checks(integration_id=15368)])
    org.act("set_ruleset", org="acme", ruleset=body)


def _loose_tags(org: Org) -> None:
    org.act("create_tag", repo="acme/shop", tag="v1.0")


def _late(org: Org) -> None:
    org.hub.world.skip(120)


_EVERYBODY_AWAY = ROSTER.replace(
    "level: principal", "level: principal, away: 2000-01-01/2999-01-01"
).replace("level: senior", "level: senior, away: 2000-01-01/2999-01-01")

HOLES = {
    "a repository is excluded": _protect(_not_in_shop, "not-required"),
    "the ruleset is disabled": _protect(
        lambda org: org.change(enforcement="disabled"), "not-required"
    ),
    "the ruleset is only evaluated": _protect(
        lambda org: org.change(enforcement="evaluate"), "not-required"
    ),
    "the ruleset is gone": _protect(
        lambda org: org.act("delete_ruleset", org="acme", id=org.ruleset_id), "not-required"
    ),
    "any source may report the check": _protect(
        lambda org: org.change(rules=[checks(), *ruleset()["rules"][1:]]), "not-pinned"
    ),
    "another app is pinned": _protect(
        lambda org: org.change(rules=[checks(integration_id=15368), *ruleset()["rules"][1:]]),
        "not-pinned",
    ),
    "owners may bypass": _protect(
        lambda org: org.change(bypass_actors=[{"actor_type": "OrganizationAdmin", "actor_id": 1}]),
        "bypass",
        "push-bypass",
    ),
    "deploy keys are exempt": _protect(
        lambda org: org.change(
            bypass_actors=[{"actor_type": "DeployKey", "bypass_mode": "exempt"}]
        ),
        "bypass",
        "push-bypass",
    ),
    "an agent may bypass": _protect(_agent_bypasses, "bypass", "push-bypass"),
    "a team may bypass": _protect(_team_bypasses, "bypass", "push-bypass"),
    "a person may bypass": _protect(
        lambda org: org.change(bypass_actors=[{"actor_type": "User", "actor_id": 5}]),
        "bypass",
        "push-bypass",
    ),
    "who maintains may bypass in a pull request": _protect(
        lambda org: org.change(
            bypass_actors=[
                {"actor_type": "RepositoryRole", "actor_id": 2, "bypass_mode": "pull_request"}
            ]
        ),
        "bypass",
    ),
    "the branch is excluded": _protect(_branch_excluded, "not-required"),
    "the default branch was renamed": _protect(
        _renamed_default, "not-required", where="acme/shop trunk"
    ),
    "a repository without a commit": _protect(_empty, "not-required", where="acme/new main"),
    "classic protection leaves new branches alone": _protect(
        _classic_releases, "not-when-made", where="acme/shop release/1.0"
    ),
    "classic protection of any source": _protect(_classic_unpinned, "not-pinned"),
    "release tags can be moved": Hole(
        _loose_tags,
        frozenset(["tags"]),
        "acme/shop",
        "countersign protect --tags",
        level="warning",
        tags=True,
    ),
    "another app must report the check as well": Hole(
        _required_elsewhere,
        frozenset(["also-elsewhere"]),
        "acme/shop main",
        "Take it out",
        level="warning",
    ),
    "who signs may not push": Hole(
        _nobody_pushes,
        frozenset(["no-push-right"]),
        "acme/.github",
        "write access",
        level="warning",
    ),
    "pushes need no pull request": _protect(
        lambda org: org.change(rules=ruleset()["rules"][:1]), "push"
    ),
    "a release branch is open": _protect(
        _only_default, "release-not-required", where="acme/shop release/1.0"
    ),
    "a release branch of another name is open": Hole(
        lambda org: org.branch("release-1.0"),
        frozenset(["release-not-required"]),
        "acme/shop release-1.0",
        "countersign protect --branches 'release-*'",
    ),
    "a repository's own roster is broken": Hole(
        lambda org: org.main(".github/reviewers.yaml", "version: 1\nlevls: []\n"),
        frozenset(["layer-broken"]),
        "acme/shop",
        "roster check",
        level="warning",
    ),
    "a first release branch can be made of anything": _protect(
        lambda org: _new_branches_left_alone(org, ""), "not-when-made"
    ),
    "a release branch can be made anew": _protect(
        _new_branches_left_alone, "not-when-made", where="acme/shop release/1.0"
    ),
    "private on Free": _other(_free, "plan", "Upgrade the plan", where="acme/shop"),
    "not installed": _other(
        lambda org: org.act("uninstall_app", app="countersign", account="acme"),
        "not-installed",
        "installs it",
    ),
    "suspended": _other(
        lambda org: org.act("suspend_installation", app="countersign", account="acme"),
        "suspended",
        "Unsuspend",
    ),
    "a permission is not accepted": _other(
        _without_permission, "permission-members", "Review request"
    ),
    "an event is not subscribed": _other(_without_events, "events", "Subscribe to events"),
    "the roster is broken": _other(
        _roster("version: 1\nlevls: []\n"), "roster-broken", "roster check"
    ),
    "the roster is a binary file": _other(_roster(ROSTER + "\0"), "roster-broken", "roster check"),
    "everybody who could sign is away": _other(_roster(_EVERYBODY_AWAY), "nobody-signs", "away"),
    "the roster observes a repository": _other(
        _roster(ROSTER + "rollout: {mode: enforce, observe: [acme/sh*]}\n"),
        "observed",
        "rollout.observe",
        where="acme/shop",
    ),
    "no webhook arrives": _other(_deaf, "webhook", "Recent Deliveries"),
    "the clock is wrong": _other(_late, "clock", "NTP"),
}
