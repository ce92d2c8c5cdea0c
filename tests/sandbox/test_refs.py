"""Refs: names by their beginning, and what tag rulesets demand of tags and of nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.kit import SHOP, Client, execute


@pytest.fixture
def client(server: Sandbox) -> Iterator[Client]:
    with Client(server) as found:
        yield found


def test_matching_refs_go_by_the_beginning(server: Sandbox, client: Client) -> None:
    for branch in ("release/1", "release-notes", "my/release/2"):
        server.act("olga", "push", repo=SHOP, branch=branch)
    server.act("olga", "create_tag", repo=SHOP, tag="release/1")
    found = client.call("GET", f"/repos/{SHOP}/git/matching-refs/heads/release").json()
    assert [one["ref"] for one in found] == ["refs/heads/release-notes", "refs/heads/release/1"]
    assert found[0]["object"]["type"] == "commit"
    tags = client.call("GET", f"/repos/{SHOP}/git/matching-refs/tags/release").json()
    assert [one["ref"] for one in tags] == ["refs/tags/release/1"]


RULES = """query($ref: String!) { repository(owner: "acme", name: "shop", followRenames: false) {
  ref(qualifiedName: $ref) { rules(first: 10) { nodes { type } } refUpdateRule { pattern } }
  tags: rulesets(first: 10, targets: [TAG]) { nodes { name } } } }"""


def rules(hub: Sandbox, ref: str) -> Any:
    found = execute(hub, RULES, ref=ref)["data"]["repository"]
    return [node["type"] for node in found["ref"]["rules"]["nodes"]], found["tags"]["nodes"]


def test_a_tag_ruleset_means_tags_only(hub: Sandbox) -> None:
    hub.act("olga", "create_tag", repo=SHOP, tag="main")
    before, _ = rules(hub, "refs/heads/main")
    body = {
        "name": "tags", "target": "tag", "enforcement": "active", "rules": [{"type": "deletion"}],
        "conditions": {"ref_name": {"include": ["refs/tags/*"], "exclude": []}},
    }  # fmt: skip
    hub.act("olga", "set_ruleset", repo=SHOP, ruleset=body)
    assert rules(hub, "refs/tags/main") == (["DELETION"], [{"name": "tags"}])
    assert rules(hub, "refs/heads/main")[0] == before
