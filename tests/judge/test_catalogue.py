"""The catalogue: what a valid one holds, every way to be invalid, an example of every mark."""

import json
import re
from copy import deepcopy
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from github_app.catalogue_file import read_catalogue, shipped_catalogue
from github_app.judge.catalogue import (
    UNKNOWN_TOOL,
    Catalogue,
    Mark,
    MarkKind,
    template,
)
from github_app.judge.catalogue_reader import parse_catalogue
from github_app.judge.detection import CommitText, detect, detect_commit
from github_app.judge.errors import CatalogueError
from github_app.judge.facts import ChangedFile
from github_app.judge.policy import DetectionPolicy
from github_app.judge.signals import Confidence, Signal
from tests.judge.build import a_pull, bot, commit, identity, user
from tests.judge.rosters import PLAIN, roster

EXAMPLES = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "detect" / "tools.yaml").read_text("utf-8")
)
SHIPPED = shipped_catalogue()
MINIMAL: dict[str, Any] = {
    "version": 1,
    "sources": {"vendor": "its documentation"},
    "tools": [
        {
            "id": "pen",
            "name": "Pen",
            "vendor": "Acme",
            "kind": "agent",
            "marks": [{"email": "Pen@Acme.ai", "sure": "certain", "source": ["vendor"]}],
        }
    ],
    "automation": [{"login": "sweeper", "id": 7, "emails": ["sweeper@acme.ai"]}],
    "reviewers": [{"login": "reader"}],
    "review_blocks": [["<!-- a -->", "<!-- b -->"]],
    "generic": {
        "credits": [{"key": "Assisted-by", "sure": "likely"}],
        "keys": [{"key": "AI-Tool", "sure": "likely"}],
        "labels": [{"label": "ai", "sure": "weak"}],
        "models": [{"words": ["pengpt"], "tool": "pen"}],
        "placeholder_domains": ["example.com"],
        "plain_noreply_domains": ["github.com"],
        "automation_words": ["release"],
    },
}


def with_value(path: str, value: object) -> dict[str, Any]:
    """The minimal catalogue with ``value`` at a path such as ``tools.0.kind``."""
    data = deepcopy(MINIMAL)
    *steps, last = path.split(".")
    place: Any = data
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    if last.isdigit():
        place[int(last)] = value
    else:
        place[last] = value
    return data


@cache
def schema() -> Any:
    text = files("github_app.judge").joinpath("signatures.schema.json").read_text("utf-8")
    return json.loads(text)


def test_a_valid_catalogue() -> None:
    catalogue = parse_catalogue(MINIMAL)
    jsonschema.validate(MINIMAL, schema())
    (tool,) = catalogue.tools
    assert tool.marks == (
        Mark(
            kind=MarkKind.EMAIL,
            text="pen@acme.ai",
            tool="pen",
            sure=Confidence.CERTAIN,
            source=("vendor",),
        ),
    )


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        pytest.param("version", 2, "version: expected 1, got 2", id="version"),
        pytest.param("tools", {}, "tools: expected a list, got dict", id="tools-type"),
        pytest.param("tools.0", 3, "tools[0]: expected a mapping, got int", id="tool-type"),
        pytest.param("tools.0.id", "Pen!", "tools[0]: id: expected lower-case", id="tool-id"),
        pytest.param("tools.0.kind", "robot", "tools.pen: kind: expected agent", id="tool-kind"),
        pytest.param("tools.0.name", "", "tools.pen.name: expected text", id="empty-name"),
        pytest.param("tools.0.colour", "red", "tools[0]: unknown key 'colour'", id="unknown-key"),
        pytest.param("tools.0.marks.0.sure", "sure", "marks[0]: sure: expected", id="confidence"),
        pytest.param("tools.0.marks.0.source", [], "source: say where", id="empty-source"),
        pytest.param("tools.0.marks.0.source", ["x"], "'x' is not among", id="unknown-source"),
        pytest.param("tools.0.marks.0.name", "Pen", "expected exactly one of", id="two-kinds"),
        pytest.param("tools.0.marks.0.also", "word", "unknown key 'also'", id="option-elsewhere"),
        pytest.param("tools.0.marks.0.needs", "luck", "needs: expected name", id="needs-what"),
        pytest.param("tools.0.marks.0.email", "x" * 201, "1 to 200 characters", id="too-long"),
        pytest.param("automation.0.id", -1, "above 0", id="negative-id"),
        pytest.param("automation.0.id", True, "above 0", id="boolean-id"),
        pytest.param("review_blocks.0", ["a"], "expected two texts", id="half-a-block"),
        pytest.param("generic", None, "generic: expected a mapping, got nothing", id="nothing"),
        pytest.param("generic.models.0.words", "x", "expected a list", id="words-type"),
        pytest.param("sources", [], "sources: expected a mapping", id="sources-type"),
    ],
)
def test_an_invalid_catalogue(path: str, value: object, problem: str) -> None:
    data = with_value(path, value)
    with pytest.raises(CatalogueError, match=re.escape(problem)):
        parse_catalogue(data)
    if problem != "'x' is not among":  # what a schema cannot say
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, schema())


@pytest.mark.parametrize("data", [None, [], "x", {}, 3], ids=["none", "list", "text", "empty", "n"])
def test_not_even_a_catalogue(data: object) -> None:
    with pytest.raises(CatalogueError):
        parse_catalogue(data)


def test_bad_templates_and_repeats_are_problems() -> None:
    mark = {"link": "acme.ai/{what}", "sure": "certain", "source": ["vendor"]}
    with pytest.raises(CatalogueError, match="a placeholder is"):
        parse_catalogue(with_value("tools.0.marks.0", mark))
    twice = with_value("tools", [MINIMAL["tools"][0], MINIMAL["tools"][0]])
    with pytest.raises(CatalogueError, match="'pen' is there twice"):
        parse_catalogue(twice)


def test_all_problems_are_told_at_once() -> None:
    data = with_value("tools.0.kind", "robot")
    data["version"] = 9
    with pytest.raises(CatalogueError) as caught:
        parse_catalogue(data)
    assert len(str(caught.value).splitlines()) == 2


def test_text_that_is_no_yaml() -> None:
    with pytest.raises(CatalogueError, match="not YAML, line"):
        read_catalogue("tools: [")


def test_the_shipped_file_fits_the_schema() -> None:
    text = files("github_app.judge").joinpath("signatures.yaml").read_text("utf-8")
    jsonschema.validate(yaml.safe_load(text), schema())


def test_the_example_in_the_docs_is_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "detection.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    own = roster(PLAIN, blocks[0]).detection.tools
    assert [(tool.name, len(tool.emails)) for tool in own] == [("Acme Pilot", 2)]
    tool, example = map(yaml.safe_load, blocks[1:])
    data = MINIMAL | {"tools": tool, "sources": {"vendor": "docs", "observed": "seen"}}
    jsonschema.validate(data, schema())
    catalogue = parse_catalogue(data)
    assert found(example_of(example["brightpen"]["ai"]), catalogue) == {"brightpen"}
    assert found(example_of(example["brightpen"]["not"]), catalogue) == set()


def test_a_template_matches_a_beginning() -> None:
    pattern = template("claude/issue-{n}-{hex}")
    assert pattern.match("claude/issue-12-beef-and-more")
    assert not pattern.match("claude/issue-x-beef")
    assert not pattern.match("x/claude/issue-12-beef")


# -- an example of every tool and of every mark -----------------------------------------------


def found(commit: CommitText, catalogue: Catalogue = SHIPPED) -> set[str]:
    return _enough(detect_commit(catalogue, commit))


def _enough(signals: tuple[Signal, ...]) -> set[str]:
    return {s.tool for s in signals if s.confidence is not Confidence.WEAK}


def example_of(text: str) -> CommitText:
    if text.startswith("author: "):
        name, _, email = text.removeprefix("author: ").rpartition(" <")
        return CommitText(
            id="1", message="Tidy the parser\n", author_name=name, author_email=email[:-1]
        )
    return CommitText(id="1", message=f"Tidy the parser\n\n{text}\n")


def test_every_tool_has_an_example_and_a_near_miss() -> None:
    assert set(EXAMPLES) == {tool.id for tool in SHIPPED.tools}


@pytest.mark.parametrize("tool", sorted(EXAMPLES))
def test_the_example_of_a_tool_is_found(tool: str) -> None:
    assert tool in found(example_of(EXAMPLES[tool]["ai"]))


@pytest.mark.parametrize("tool", sorted(EXAMPLES))
def test_the_near_miss_of_a_tool_is_not(tool: str) -> None:
    assert found(example_of(EXAMPLES[tool]["not"])) == set()


def filled(text: str) -> str:
    values = {"id": "a1b2c3d4", "n": "1234567890", "hex": "beef", "uuid": f"{'ab' * 4}-{'c' * 27}"}
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def signals_of(mark: Mark, text: str) -> tuple[Signal, ...]:
    """What is seen where marks of this kind are looked for."""
    match mark.kind:
        case MarkKind.EMAIL:
            name = "" if not mark.needs_name else _name_of(mark.tool)
            return detect_commit(SHIPPED, example_of(f"author: {name} <{text}>"))
        case MarkKind.LOGIN:
            opener = user(text, 999_999) if mark.by_person else bot(text, 999_999)
            quiet = commit(by=identity("june"))
            pull = a_pull(author=opener, commits=(quiet,), head_ref="tidy", body="", title="Tidy")
            return detect(pull, DetectionPolicy(), SHIPPED)
        case MarkKind.NAME:
            return detect_commit(SHIPPED, example_of(f"Co-authored-by: {text}"))
        case MarkKind.NAME_END:
            return detect_commit(SHIPPED, example_of(f"author: Nadia{text} <nadia@x.example.edu>"))
        case MarkKind.TRAILER:
            value = mark.values[0] if mark.values else "a1b2c3d4"
            return detect_commit(SHIPPED, example_of(f"{text}: {value}"))
        case MarkKind.LINK:
            return detect_commit(SHIPPED, example_of(f"See https://{text}"))
        case MarkKind.HOME:
            return detect_commit(SHIPPED, example_of(f"Generated with [it](https://{text})"))
        case MarkKind.PHRASE:
            return detect_commit(SHIPPED, example_of(text))
        case MarkKind.SUBJECT:
            return detect_commit(SHIPPED, CommitText(id="1", message=f"{text}tidy the parser"))
        case _:
            return _of_a_pull(mark, text)


def _of_a_pull(mark: Mark, text: str) -> tuple[Signal, ...]:
    values: dict[str, Any] = {"commits": (commit(),), "body": "", "title": "Tidy"}
    values["head_ref"] = f"{text}x" if mark.kind is MarkKind.BRANCH else "tidy"
    values["labels"] = (text,) if mark.kind is MarkKind.LABEL else ()
    values["files"] = (ChangedFile(path=text),) if mark.kind is MarkKind.SETTING else ()
    return detect(a_pull(**values), DetectionPolicy(labels=frozenset()), SHIPPED)


def _name_of(tool: str) -> str:
    return next(m.text for m in SHIPPED.marks(MarkKind.NAME) if m.tool == tool)


def near_miss(mark: Mark) -> str:
    """Almost the mark: one letter more where it is compared as a whole, or the front cut off."""
    text = filled(mark.text)
    match mark.kind:
        case MarkKind.EMAIL:
            local, _, domain = text.partition("@")
            return f"{local.partition('+')[0]}x@x{domain.replace('users.noreply.', '')}".replace(
                "[bot]", ""
            )
        case MarkKind.LINK | MarkKind.HOME:
            return f"not-{text}"
        case MarkKind.BRANCH | MarkKind.SUBJECT | MarkKind.PHRASE:
            return f"zz{text[1:]}"
        case MarkKind.NAME_END:
            return f"{text}x"
        case _:
            return f"z{text}z"


ALL_MARKS = [
    pytest.param(mark, id=f"{mark.tool}-{mark.kind}-{mark.text}")
    for mark in SHIPPED.marks(*MarkKind)
]


@pytest.mark.parametrize("mark", ALL_MARKS)
def test_every_mark_is_found_where_it_belongs(mark: Mark) -> None:
    assert mark.tool in {signal.tool for signal in signals_of(mark, filled(mark.text))}


@pytest.mark.parametrize("mark", ALL_MARKS)
def test_almost_a_mark_is_not_that_tool(mark: Mark) -> None:
    if mark.needs_name:
        signals = detect_commit(SHIPPED, example_of(f"author: Nadia Sand <{mark.text}>"))
    else:
        signals = signals_of(mark, near_miss(mark))
    assert mark.tool not in _enough(signals)


# -- what a roster adds -----------------------------------------------------------------------


def test_a_roster_adds_bots_and_labels() -> None:
    policy = DetectionPolicy(
        labels=frozenset({"robot"}),
        ai_bots=frozenset({"acme-codegen"}),
        automation_bots=frozenset({"acme-mover"}),
    )
    ours = SHIPPED.with_policy(policy)
    author = "author: {0}[bot] <900000009+{0}[bot]@users.noreply.github.com>"
    assert found(example_of(author.format("acme-codegen")), ours) == {UNKNOWN_TOOL}
    assert found(example_of(author.format("acme-mover"))) == {UNKNOWN_TOOL}
    assert found(example_of(author.format("acme-mover")), ours) == set()


def test_a_roster_cannot_make_an_ai_bot_automation() -> None:
    policy = DetectionPolicy(automation_bots=frozenset({"claude", "devin-ai-integration"}))
    ours = SHIPPED.with_policy(policy)
    assert found(example_of(EXAMPLES["devin"]["ai"]), ours) == {"devin"}
    author = "author: claude[bot] <209825114+claude[bot]@users.noreply.github.com>"
    assert found(example_of(author), ours) == {"claude"}


def test_a_roster_can_say_that_listed_automation_is_ai() -> None:
    ours = SHIPPED.with_policy(DetectionPolicy(ai_bots=frozenset({"dependabot"})))
    author = "author: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
    assert found(example_of(author)) == set()
    assert found(example_of(author), ours) == {UNKNOWN_TOOL}
