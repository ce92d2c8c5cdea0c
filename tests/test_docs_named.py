"""Whatever a page names is there: commands, options, settings, metrics, reasons, links, pictures.

And whatever the program has for its users is on a page. ``test_docs.py`` compares the tables.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from github_app.cli import countersign
from github_app.judge.reasons import Code
from github_app.settings import IN_FILES
from github_app.store.database import open_store
from github_app.web.metrics import StoreCollector
from tests.judge.rosters import roster
from tests.markdown import PAGES, ROOT, anchors, blocks, code_lines, links, named

DOCS = [page for page in PAGES if page.parent.name == "docs"]
each_page = pytest.mark.parametrize("page", PAGES, ids=named)
_CALL = re.compile(r"^(?:\$ )?(?:sudo )?(?:\S*/)?countersign +(?P<rest>[a-z].*)$")
_SETTING = re.compile(r"\b(?:GITHUB|COUNTERSIGN)_[A-Z_]+\b|\bDATABASE_URL\w*")
# In capitals too, but no variables: names of reasons.
NOT_SETTINGS = {code.name for code in Code}


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def calls(page: Path) -> Iterator[list[str]]:
    """Every ``countersign ...`` in code, as words without its comment."""
    for line in code_lines(text_of(page)):
        match = _CALL.match(line)
        if match:
            words = re.split(r"[|;<>]| # | {2,}", match["rest"])[0]
            yield shlex.split(words.replace("'", ""))


def resolved(words: list[str]) -> tuple[click.Command, list[str], list[str]]:
    """The command that the words call, its name, and the words after it."""
    found: click.Command = countersign
    name: list[str] = []
    rest = list(words)
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        inner = found.get_command(click.Context(found), rest[0])
        assert inner is not None, f"countersign {' '.join(words)}: no command {rest[0]!r}"
        found = inner
        name.append(rest.pop(0))
    return found, name, rest


def options(command: click.Command) -> set[str]:
    declared = [param.opts + param.secondary_opts for param in command.params]
    return {name for names in declared for name in names} | {"-h", "--help", "--version"}


def every_command() -> Iterator[tuple[str, ...]]:
    def below(group: click.Group, name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        context = click.Context(group)
        for word in group.list_commands(context):
            inner = group.get_command(context, word)
            if isinstance(inner, click.Group):
                yield from below(inner, (*name, word))
            else:
                yield (*name, word)

    yield from below(countersign, ())


def settings() -> set[str]:
    """The variables that the program reads, by the names in its own source."""
    wanted = re.compile(r'"((?:GITHUB|COUNTERSIGN)_[A-Z_]+|DATABASE_URL|HOST|PORT)"')
    found = {
        name
        for path in (ROOT / "github_app").rglob("*.py")
        for name in wanted.findall(text_of(path))
    }
    assert found >= {"GITHUB_APP_ID", "GITHUB_ADMIN_TOKEN", "PORT"}
    return (found | {f"{name}_FILE" for name in IN_FILES}) - NOT_SETTINGS


@each_page
def test_every_command_and_option_of_a_page_exists(page: Path) -> None:
    for words in calls(page):
        command, _, rest = resolved(words)
        used = {word.partition("=")[0] for word in rest if word.startswith("-")}
        assert used <= options(command), f"countersign {' '.join(words)}"


def test_every_command_is_on_a_page() -> None:
    told = {tuple(resolved(words)[1]) for page in PAGES for words in calls(page)}
    commands = set(every_command())
    assert commands >= {("serve",), ("roster", "check"), ("audit", "verify")}
    assert not commands - told


@each_page
def test_every_setting_of_a_page_exists(page: Path) -> None:
    used = set(_SETTING.findall(text_of(page)))
    assert used <= settings() | NOT_SETTINGS


@pytest.mark.parametrize("name", sorted(settings()))
def test_every_setting_is_on_a_page(name: str) -> None:
    pages = [text_of(ROOT / "README.md"), *(text_of(page) for page in DOCS)]
    assert any(re.search(rf"\b{name}\b", text) for text in pages)


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names that a scrape gives, of a new database."""
    file = tmp_path_factory.mktemp("metrics") / "countersign.db"
    with open_store(f"sqlite:///{file}") as store:
        families = list(StoreCollector(store).collect())
    found = {one.name + ("_total" if one.type == "counter" else "") for one in families}
    assert found >= {"countersign_work", "countersign_deliveries_total"}
    return found


@each_page
def test_every_metric_of_a_page_exists(page: Path, metrics: set[str]) -> None:
    assert set(re.findall(r"\bcountersign_[a-z_]+\b", text_of(page))) <= metrics


def test_every_metric_is_on_the_operators_page(metrics: set[str]) -> None:
    text = text_of(ROOT / "docs/operations.md")
    assert [name for name in sorted(metrics) if f"`{name}`" not in text] == []


@each_page
def test_every_reason_of_a_page_exists(page: Path) -> None:
    assert set(re.findall(r"\bCS\d{3}\b", text_of(page))) <= {code.value for code in Code}


@each_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for path, fragment in links(text_of(page)):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)} -> {path}"
        assert target.is_relative_to(ROOT), f"{named(page)} -> {path}"
        if fragment:
            assert fragment in anchors(text_of(target)), f"{named(page)} -> {path}#{fragment}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        todo += [(page.parent / path).resolve() for path, _ in links(text_of(page)) if path]
    assert {named(page) for page in set(PAGES) - reached} == set()


@each_page
def test_every_target_of_make_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert targets >= {"demo", "test"}
    for line in code_lines(text_of(page)):
        if line.startswith("make "):
            assert line.split()[1] in targets, f"{named(page)}: {line}"


@each_page
def test_every_path_of_the_repository_exists(page: Path) -> None:
    folders = "github_app|sandbox|tests|bench|docs|deploy"
    for line in code_lines(text_of(page)):
        for path in re.findall(rf"(?<![\w./-])(?:{folders})/[\w./-]*\w", line):
            assert (ROOT / path).exists(), f"{named(page)}: {path}"


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{named(page)}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(text_of(page), "yaml"))
        if block.startswith("version:")
    ],
)
def test_every_whole_roster_of_a_page_is_valid(block: str) -> None:
    assert roster(block).levels


def test_what_the_author_reads_is_what_the_check_says() -> None:
    source = "".join(text_of(path) for path in (ROOT / "github_app/judge/report").glob("*.py"))
    rows = re.findall(
        r"^\| (.+?) \| .+? \| .+? \|$", text_of(ROOT / "docs/author.md"), re.MULTILINE
    )
    titles = [row.removeprefix("@grace (senior)") for row in rows[1:]]  # the first is the heading
    assert len(titles) >= 8
    assert not [title for title in titles if title not in source]


@pytest.mark.parametrize("name", ["admin", "author", "senior", "threat-model", "deploying"])
def test_every_yaml_of_a_guide_is_yaml(name: str) -> None:
    for block in blocks(text_of(ROOT / f"docs/{name}.md"), "yaml"):
        assert yaml.safe_load(block)
