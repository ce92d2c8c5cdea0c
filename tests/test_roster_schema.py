"""The JSON Schema: it is the file in the repository, and it agrees with the loader."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from github_app.judge.document import plain
from github_app.judge.errors import RosterError
from github_app.judge.roster import Roster
from github_app.roster_schema import schema
from github_app.yaml_source import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_SCALAR,
    read_document,
)
from tests.judge.rosters import DATA, outcome, roster
from tests.judge.test_roster_properties import layers, rosters

FILE = DATA.parents[2] / "reviewers.schema.json"
ORG = jsonschema.Draft202012Validator(schema())
LAYER = jsonschema.Draft202012Validator(schema(layer=True))

# What a schema cannot say: that names refer to something, that numbers suffice, that a day exists.
LOADER_ONLY = {
    "bot-on-both-lists",
    "level-nobody",
    "levels-in-two-cases",
    "nobody-high-enough",
    "nobody-listed",
    "observe-without-owner",
    "rule-asks-for-nothing",
    "rule-excludes",
    "rule-loosens",
    "rule-names-twice",
    "same-id-twice",
    "same-login-in-other-case",
    "too-many-approvals",
    "two-needed-one-listed",
    "unknown-level",
    "unknown-level-shorthand",
    "unlisted-could-sign",
    "unlisted-would-be-exempt",
    "version-as-decimal",  # JSON has one kind of number
}
LAYER_LOADER_ONLY = {
    path.stem for path in (DATA / "layers" / "invalid").glob("*.yaml") if path.stem != "levels"
}


def said(path: Path) -> Any:
    """The data of a file; None for one that is no document in the first place."""
    try:
        return plain(read_document(path.read_bytes(), path.name))
    except RosterError:
        return None


def documents(folder: str) -> list[Any]:
    """The files of a folder that are documents: what they mean may still be wrong."""
    return [
        pytest.param(data, path.stem, id=path.stem)
        for path in sorted((DATA / folder).glob("*.yaml"))
        if (data := said(path)) is not None
    ]


def test_the_file_in_the_repository_is_generated() -> None:
    """After a change: ``countersign roster schema > reviewers.schema.json``."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize("layer", [False, True])
def test_it_is_a_schema(layer: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(layer=layer))


def test_every_key_is_explained() -> None:
    def unexplained(part: dict[str, Any], path: str) -> list[str]:
        found = []
        for key, value in part.get("properties", {}).items():
            here = f"{path}.{key}"
            found += [] if value.get("description") else [here]
            found += unexplained(value, here)
            found += unexplained(value.get("items", {}), f"{here}[]")
        return found

    assert unexplained(schema(), "") == []


@pytest.mark.parametrize(("data", "name"), documents("valid"))
def test_it_accepts_what_the_loader_accepts(data: Any, name: str) -> None:
    assert list(ORG.iter_errors(data)) == []


@pytest.mark.parametrize(("data", "name"), documents("invalid"))
def test_it_refuses_what_the_loader_refuses(data: Any, name: str) -> None:
    assert ORG.is_valid(data) is (name in LOADER_ONLY)


def test_the_exceptions_are_files() -> None:
    assert {path.stem for path in (DATA / "invalid").glob("*.yaml")} >= LOADER_ONLY


@pytest.mark.parametrize(("data", "name"), documents("layers/valid"))
def test_it_accepts_layers(data: Any, name: str) -> None:
    assert list(LAYER.iter_errors(data)) == []


@pytest.mark.parametrize(("data", "name"), documents("layers/invalid"))
def test_loosening_is_for_the_loader_to_see(data: Any, name: str) -> None:
    assert LAYER.is_valid(data) is (name in LAYER_LOADER_ONLY)


@given(data=rosters)
def test_it_accepts_every_roster(data: dict[str, Any]) -> None:
    if isinstance(outcome(json.dumps(data).encode()), Roster):
        assert ORG.is_valid(data)


@given(data=layers)
def test_it_accepts_every_layer(data: dict[str, Any]) -> None:
    base = roster((DATA / "layers" / "base.yaml").read_bytes())
    if isinstance(outcome(json.dumps(data).encode(), base), Roster):
        assert LAYER.is_valid(data)


def test_the_documentation_names_every_key_and_limit() -> None:
    text = (DATA.parents[2] / "docs" / "roster.md").read_text(encoding="utf-8")
    limits = (
        f"{MAX_BYTES // 1024} KiB",
        f"{MAX_DEPTH} levels",
        f"{MAX_NODES:,}",
        f"{MAX_SCALAR:,}",
    )
    assert [limit for limit in limits if limit not in text] == []
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    told = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", text))))
    assert {key for key in keys(schema()) if key not in told} == set()


def keys(part: dict[str, Any]) -> set[str]:
    inside = [
        *part.get("properties", {}).values(),
        *part.get("anyOf", []),
        part.get("items", {}),
        part.get("additionalProperties") or {},
    ]
    return set(part.get("properties", {})).union(*(keys(one) for one in inside if one))
