"""Which webhooks an event makes, and their payloads in the shape of GitHub's own examples."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox import views
from sandbox.deliveries import Courier, Delivery
from sandbox.objects import Account, App, Installation, Repository, iso
from sandbox.views import Json
from sandbox.world import World

# Sent to every app whatever it subscribed to (documentation of webhook events).
ALWAYS = frozenset(
    {"ping", "installation", "installation_repositories", "github_app_authorization"}
)
# Sent to apps with checks: write without a subscription; only about their own runs and suites.
_OWN = frozenset({"rerequested", "requested_action", "requested"})
NEEDED = {
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "push": "contents",
    "merge_group": "merge_queues",
    "check_run": "checks",
    "check_suite": "checks",
    "status": "statuses",
    "member": "members",
    "membership": "members",
    "organization": "members",
    "team": "members",
    "issue_comment": "issues",
    "issues": "issues",
    "repository_ruleset": "administration",
    "branch_protection_rule": "administration",
}
MOST_BYTES = 25 * 1024 * 1024


class Dispatcher:
    """Turns what the actions emit into signed deliveries for the installed apps."""

    def __init__(self, world: World, courier: Courier) -> None:
        self.world, self.courier = world, courier
        world.emit = self.emit

    def emit(self, event: str, what: str, *, sender: Account, **parts: Any) -> None:
        """Called under the world's lock, so a payload shows the state at its own moment."""
        world = self.world
        if world.is_quiet:
            return
        targets = list(self._targets(event, what, parts))
        if not targets:
            return
        body = payload(world, event, what, sender, parts)
        repository: Repository | None = parts.get("repository")
        for app, installation in targets:
            block = _installation_block(world, event, installation)
            raw = json.dumps(body | block, ensure_ascii=False, separators=(",", ":"))
            data = raw.encode("utf-8", errors="replace")
            if len(data) > MOST_BYTES:
                continue  # GitHub never sends these
            self.courier.post(
                Delivery(
                    id=world.new_id(), guid=str(uuid.uuid4()), app=app, event=event,
                    action=what or None, installation_id=installation.id if installation else None,
                    repository_id=repository.id if repository else None, raw=data,
                    delivered_at=world.now(),
                )
            )  # fmt: skip

    def _targets(
        self, event: str, what: str, parts: dict[str, Any]
    ) -> list[tuple[App, Installation | None]]:
        if event == "ping":
            return [(parts["app"], None)]
        if "installation" in parts:
            found: Installation = parts["installation"]
            return [(found.app, found)] if found.app.webhook_url or self.courier.receiver else []
        repository: Repository | None = parts.get("repository")
        owner = repository.owner if repository else parts["org"]
        return [
            (installation.app, installation)
            for installation in self.world.installations.values()
            if installation.account is owner
            and (repository is None or installation.sees(repository))
            and not installation.suspended_at
            and (installation.app.webhook_url or self.courier.receiver)
            and _wants(installation, event, what, parts)
        ]


def _wants(installation: Installation, event: str, what: str, parts: dict[str, Any]) -> bool:
    if event in ALWAYS:
        return True
    level = installation.permissions.get(NEEDED.get(event, "metadata"), "")
    if event == "repository" or event == "label":
        level = "read"
    if not level:
        return False
    if event in ("check_run", "check_suite"):
        subject = parts.get("run") or parts["suite"]
        own = subject.app is installation.app
        if level == "write" and what in _OWN:
            return own
        # A suite is requested of, and re-requested from, its own app only.
        return event in installation.events and what not in _OWN
    return event in installation.events


def _installation_block(world: World, event: str, installation: Installation | None) -> Json:
    if installation is None:
        return {}
    if event.startswith("installation"):
        return {"installation": views.installation(world, installation)}
    return {"installation": {"id": installation.id, "node_id": installation.node_id}}


def payload(world: World, event: str, what: str, sender: Account, parts: dict[str, Any]) -> Json:
    """The JSON body without its ``installation`` block."""
    body: Json = {"action": what} if what else {}
    body |= _BODIES.get(event, _nothing)(world, parts)
    if "changes" in parts:
        body["changes"] = _plain(world, parts["changes"])
    for key in ("before", "after", "reason"):
        if key in parts and event != "push":
            body[key] = parts[key]
    repository: Repository | None = parts.get("repository")
    if repository:
        body["repository"] = views.repository(world, repository)
        if event == "push":
            body["repository"] |= _numeric_times(repository)
    owner = repository.owner if repository else parts.get("org")
    if owner and owner.kind == "Organization":
        body["organization"] = views.organization(world, owner)
    body["sender"] = views.user(world, sender)
    return body


def _numeric_times(repository: Repository) -> Json:
    """Push payloads alone give these as seconds since 1970."""
    return {
        "created_at": int(repository.created_at.timestamp()),
        "pushed_at": int(repository.pushed_at.timestamp()),
        "master_branch": repository.default_branch,
        "stargazers": 0,
    }


def _plain(world: World, value: Any) -> Any:
    if isinstance(value, Account):
        return views.user(world, value)
    if isinstance(value, dict):
        return {key: _plain(world, inner) for key, inner in value.items()}
    return value


def _nothing(world: World, parts: dict[str, Any]) -> Json:
    del world, parts
    return {}


def _pull_request(world: World, parts: dict[str, Any]) -> Json:
    pull = parts["pull"]
    body: Json = {"number": pull.number, "pull_request": views.full_pull(world, pull)}
    for key in ("assignee", "requested_reviewer"):
        if key in parts:
            body[key] = views.user(world, parts[key])
    if "label" in parts:
        body["label"] = views.label(world, parts["label"])
    if "requested_team" in parts:
        body["requested_team"] = views.team(world, parts["requested_team"])
    return body


def _review(world: World, parts: dict[str, Any]) -> Json:
    return {
        "review": views.review(world, parts["review"], webhook=True),
        "pull_request": views.simple_pull(world, parts["pull"]),
    }


def _check_run(world: World, parts: dict[str, Any]) -> Json:
    run = parts["run"]
    body: Json = {"check_run": views.check_run(world, run, webhook=True)}
    if "identifier" in parts:
        body["requested_action"] = {"identifier": parts["identifier"]}
    return body


def _check_suite(world: World, parts: dict[str, Any]) -> Json:
    return {"check_suite": views.check_suite(world, parts["suite"])}


def _push(world: World, parts: dict[str, Any]) -> Json:
    forced = bool(parts.get("forced"))
    return views.push(world, parts["repository"], parts["activity"], forced=forced)


def _status(world: World, parts: dict[str, Any]) -> Json:
    found, repository = parts["status"], parts["repository"]
    body = views.status(world, found)
    commit = repository.store.commits[found.sha]
    base = f"{world.api_url}/repos/{repository.full_name}"
    branches = [
        {
            "name": name,
            "commit": {"sha": sha, "url": f"{base}/commits/{sha}"},
            "protected": False,
        }
        for name, sha in repository.branches.items()
        if sha == found.sha
    ]  # fmt: skip
    keys = ("id", "avatar_url", "target_url", "context", "description", "state", "created_at")
    return {key: body[key] for key in (*keys, "updated_at")} | {
        "sha": found.sha,
        "name": repository.full_name,
        "commit": views.commit(world, repository, commit),
        "branches": branches,
    }


def _merge_group(world: World, parts: dict[str, Any]) -> Json:
    del world
    return {"merge_group": views.merge_group(parts["repository"], parts["entry"])}


def _member(world: World, parts: dict[str, Any]) -> Json:
    return {"member": views.user(world, parts["member"])}


def _membership(world: World, parts: dict[str, Any]) -> Json:
    member = views.user(world, parts["member"])
    return {"scope": "team", "member": member, "team": views.team(world, parts["team"])}


def _organization(world: World, parts: dict[str, Any]) -> Json:
    organization, who = parts["org"], parts["member"]
    url = f"{world.api_url}/orgs/{organization.login}"
    return {
        "membership": {
            "url": f"{url}/memberships/{who.rest_login}",
            "state": "active",
            "role": organization.members.get(who.id, "member"),
            "organization_url": url,
            "user": views.user(world, who),
        }
    }


def _team(world: World, parts: dict[str, Any]) -> Json:
    return {"team": views.team(world, parts["team"])}


def _label(world: World, parts: dict[str, Any]) -> Json:
    return {"label": views.label(world, parts["label"])}


def _issue(world: World, parts: dict[str, Any]) -> Json:
    body: Json = {"issue": views.issue(world, parts["issue"])}
    if "comment" in parts:
        body["comment"] = views.comment(world, parts["issue"], parts["comment"])
    return body


def _ruleset(world: World, parts: dict[str, Any]) -> Json:
    return {"repository_ruleset": views.ruleset(world, parts["ruleset"])}


def _protection(world: World, parts: dict[str, Any]) -> Json:
    rule = parts["rule"]
    settings = rule.settings
    checks = settings.get("required_status_checks") or {}
    reviews = settings.get("required_pull_request_reviews") or {}
    everyone = {True: "everyone", False: "off"}
    return {
        "rule": {
            "id": rule.id,
            "repository_id": rule.repository.id,
            "name": rule.pattern,
            "created_at": iso(world.now()),
            "updated_at": iso(world.now()),
            "pull_request_reviews_enforcement_level": everyone[bool(reviews)],
            "required_approving_review_count": reviews.get("required_approving_review_count", 0),
            "dismiss_stale_reviews_on_push": bool(reviews.get("dismiss_stale_reviews")),
            "require_code_owner_review": bool(reviews.get("require_code_owner_reviews")),
            "authorized_dismissal_actors_only": False,
            "ignore_approvals_from_contributors": False,
            "required_status_checks": [check["context"] for check in checks.get("checks", [])],
            "required_status_checks_enforcement_level": everyone[bool(checks)],
            "strict_required_status_checks_policy": bool(checks.get("strict")),
            "signature_requirement_enforcement_level": "off",
            "linear_history_requirement_enforcement_level": "off",
            "admin_enforced": bool(settings.get("enforce_admins")),
            "allow_force_pushes_enforcement_level": everyone[
                bool(settings.get("allow_force_pushes"))
            ],
            "allow_deletions_enforcement_level": everyone[bool(settings.get("allow_deletions"))],
            "lock_branch_enforcement_level": "off",
            "merge_queue_enforcement_level": "off",
            "required_deployments_enforcement_level": "off",
            "required_conversation_resolution_level": "off",
            "authorized_actors_only": False,
            "authorized_actor_names": [],
        }
    }


def _installation(world: World, parts: dict[str, Any]) -> Json:
    del world
    found: Installation = parts["installation"]
    repositories = [
        views.minimal_repository(repository)
        for repository in found.account.repositories.values()
        if found.sees(repository)
    ]
    return {"repositories": repositories, "requester": None}


def _installation_repositories(world: World, parts: dict[str, Any]) -> Json:
    del world
    found: Installation = parts["installation"]
    changed = [views.minimal_repository(repository) for repository in parts["repositories"]]
    added = found.sees(parts["repositories"][0])
    return {
        "repository_selection": found.selection,
        "repositories_added": changed if added else [],
        "repositories_removed": [] if added else changed,
        "requester": None,
    }


def _ping(world: World, parts: dict[str, Any]) -> Json:
    app: App = parts["app"]
    return {
        "zen": "Keep it logically awesome.",
        "hook_id": app.hook_id,
        "hook": {
            "type": "App",
            "id": app.hook_id,
            "name": "web",
            "active": True,
            "events": app.events,
            "config": {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": app.webhook_url},  # noqa: E501
            "updated_at": iso(world.now()),
            "created_at": iso(app.created_at),
            "app_id": app.id,
            "deliveries_url": f"{world.api_url}/app/hook/deliveries",
        },
    }  # fmt: skip


_BODIES = {
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "push": _push,
    "status": _status,
    "merge_group": _merge_group,
    "member": _member,
    "membership": _membership,
    "organization": _organization,
    "team": _team,
    "label": _label,
    "issues": _issue,
    "issue_comment": _issue,
    "repository_ruleset": _ruleset,
    "branch_protection_rule": _protection,
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "ping": _ping,
}
