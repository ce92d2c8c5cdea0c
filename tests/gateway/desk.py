"""A sandbox and a client of it: what the tests of this folder do with a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from github_app.gateway import pull_request
from github_app.gateway.app import installation_for
from github_app.gateway.client import Call, GitHub, Installation
from github_app.gateway.pull_request import Snapshot
from github_app.settings import Settings
from sandbox.server import Sandbox

SHOP = "acme/shop"
SHOP_ID = 3000
CHECK = "senior-signoff"


@dataclass
class Desk:
    hub: Sandbox
    github: GitHub
    installation: Installation
    calls: list[Call] = field(default_factory=list)

    @property
    def app_id(self) -> int:
        return self.hub.app.id

    def act(self, actor: str, action: str, **parameters: Any) -> Any:
        parameters.setdefault("repo", SHOP)
        return self.hub.act(actor, action, **parameters)

    def open(self, branch: str = "fix", actor: str = "june", **fields: Any) -> int:
        """Push a branch with one commit and open a pull request; its number."""
        commits = fields.pop("commits", [{"message": "Fix"}])
        self.act(actor, "push", branch=branch, commits=commits)
        fields.setdefault("title", "Fix")
        number: int = self.act(actor, "open_pull_request", head=branch, **fields)["number"]
        return number

    def read(self, number: int, name: str = "shop", repository_id: int = SHOP_ID) -> Snapshot:
        return pull_request.read(
            self.installation,
            "acme",
            name,
            number,
            repository_id=repository_id,
            check_name=CHECK,
            app_id=self.app_id,
            now=datetime.now(UTC),
        )

    def made(self) -> list[str]:
        """The kinds of the calls made since the last time."""
        kinds = [call.kind for call in self.calls]
        self.calls.clear()
        return kinds


@contextmanager
def at_desk(**options: Any) -> Iterator[Desk]:
    with Sandbox(**options) as hub:
        calls: list[Call] = []
        github = GitHub(Settings.from_environment(hub.env()), on_call=calls.append)
        installed = installation_for(github.app(), "acme", "shop")
        installation = github.installation(installed.id)
        try:
            yield Desk(hub, github, installation, calls)
        finally:
            github.close()
