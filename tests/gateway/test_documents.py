"""Our GraphQL documents: valid against GitHub's schema, complete, and as cheap as they say."""

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from github_app.gateway.documents import document
from github_app.gateway.recent import PULLS
from github_app.gateway.survey import BATCH, RULESETS
from github_app.judge.facts import EventKind

QUERIES = files("github_app.gateway") / "queries"
NAMES = sorted(
    file.name.removesuffix(".graphql")
    for file in QUERIES.iterdir()
    if file.name != "fragments.graphql"
)
SUBSET = Path(__file__).parents[2] / "sandbox" / "schema.graphql"


@pytest.fixture(scope="module", params=["subset", "official"])
def schema(request: pytest.FixtureRequest) -> GraphQLSchema:
    if request.param == "subset":
        return build_schema(SUBSET.read_text())
    path = os.environ.get("COUNTERSIGN_GITHUB_SDL")
    if not path:
        pytest.skip("COUNTERSIGN_GITHUB_SDL names no copy of GitHub's own schema")
    # GitHub's own file breaks two of graphql-core's rules for schemas
    return build_schema(Path(path).read_text(), assume_valid=True, assume_valid_sdl=True)


def test_there_are_documents() -> None:
    assert "PullRequestSnapshot" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_valid(schema: GraphQLSchema, name: str) -> None:
    assert [error.message for error in validate(schema, parse(document(name)))] == []


@pytest.mark.parametrize("name", NAMES)
def test_one_operation_of_the_file_s_name(name: str) -> None:
    """PyGithub sends no operationName, and metrics are kept by it."""
    parsed = parse(document(name))
    operations = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    assert [node.name and node.name.value for node in operations] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_every_list_is_bounded_as_github_demands(name: str) -> None:
    for bound in re.findall(r"\b(?:first|last): (\d+)", document(name)):
        assert 1 <= int(bound) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_renames_are_never_followed(name: str) -> None:
    asked = re.findall(r"\brepository\([^)]*\)", document(name))
    assert all("followRenames: false" in one for one in asked)


def test_no_fragment_is_left_over() -> None:
    """An unused one would be refused where it is sent, and misleads where it is not."""
    defined = {
        node.name.value
        for node in parse((QUERIES / "fragments.graphql").read_text()).definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    used = set(re.findall(r"fragment (\w+) on", " ".join(document(name) for name in NAMES)))
    assert used == defined


def test_the_timeline_asks_for_every_kind_that_facts_know() -> None:
    fragment = re.search(r"fragment TimelineItem on .*", document("SnapshotPage"))
    assert fragment is not None
    asked = set(re.findall(r"\.\.\. on (\w+Event)\b", fragment[0]))
    assert asked == set(EventKind)


class Price:
    """GitHub's own count of a query: for each list, how many parents it is asked for."""

    def __init__(self, name: str, sizes: dict[str, int]) -> None:
        definitions = parse(document(name)).definitions
        self.sizes = sizes
        self.fragments = {
            node.name.value: node
            for node in definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        (operation,) = (node for node in definitions if isinstance(node, OperationDefinitionNode))
        self.requests = self._below(operation, 1)

    def _below(self, node: Any, parents: int) -> int:
        total = 0
        for inner in node.selection_set.selections if node.selection_set else ():
            if isinstance(inner, FragmentSpreadNode):
                total += self._below(self.fragments[inner.name.value], parents)
                continue
            size, ids = self._size(inner), self._ids(inner)
            total += (parents if size else 0) + self._below(inner, parents * (size or ids))
        return total

    def _ids(self, node: Any) -> int:
        """``nodes`` is no list to GitHub's count, but what is below is asked of each."""
        given = getattr(node, "arguments", None) or ()
        return self.sizes["ids"] if any(one.name.value == "ids" for one in given) else 1

    def _size(self, node: Any) -> int:
        for argument in getattr(node, "arguments", None) or ():
            if argument.name.value in {"first", "last"}:
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                return self.sizes[argument.value.name.value]
        return 0


@pytest.mark.parametrize(
    ("name", "points"),
    [
        pytest.param("PullRequestSnapshot", 1, id="snapshot"),
        pytest.param("SnapshotPage", 2, id="page"),
        pytest.param("OpenPullRequests", 4, id="sweep"),
        pytest.param("OpenHeads", 1, id="heads"),
        pytest.param("CheckOn", 1, id="check"),
        pytest.param("PullRequestsWithHead", 1, id="head"),
        pytest.param("MergeQueueEntries", 1, id="queue"),
        pytest.param("FileAt", 1, id="file"),
        pytest.param("ProtectionSurvey", 4, id="25 repositories"),
        pytest.param("RulesetBypass", 1, id="50 rulesets"),
        pytest.param("MergedThrough", 1, id="merged-through"),
        pytest.param("Rosters", 1, id="rosters"),
        pytest.param("RecentlyActive", 1, id="look"),
    ],
)
def test_what_a_query_costs(name: str, points: int) -> None:
    """Source: GitHub docs, "Rate limits and query limits for the GraphQL API"."""
    ids = RULESETS if name == "RulesetBypass" else BATCH
    price = Price(name, {"size": 100, "commits": 50, "ids": ids, "pulls": PULLS})
    assert max(1, round(price.requests / 100)) == points


def test_every_document_is_priced() -> None:
    marks = test_what_a_query_costs.pytestmark  # type: ignore[attr-defined]  # pytest adds it; a function's type has no such name
    assert {param.values[0] for param in marks[0].args[1]} == set(NAMES)
