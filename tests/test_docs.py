"""What the docs say exists, exists: reasons, settings, commands, metrics, routes."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from github_app.cli import COMMANDS, countersign
from github_app.judge.outcome import Outcome
from github_app.judge.reasons import Code
from github_app.permissions import EVENTS, EXTRAS, PERMISSIONS
from github_app.settings import Settings
from github_app.web.metrics import COUNTERS, GAUGES, UNDELIVERED, UNPROTECTED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_every_reason_has_its_row_and_no_row_is_left_over() -> None:
    text = (ROOT / "docs/reasons.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (CS\d{3}) \| (\w+) \|", text, re.MULTILINE))
    assert rows == {code.value: code.name for code in Code}


def test_every_outcome_is_in_the_readme() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)) >= {
        o.value for o in Outcome
    }


def test_every_setting_is_in_the_readme() -> None:
    source = (ROOT / "github_app/settings.py").read_text("utf-8")
    names = set(re.findall(r'"((?:GITHUB|COUNTERSIGN)_[A-Z_]+|DATABASE_URL|HOST|PORT)"', source))
    assert names >= {"GITHUB_APP_ID", "PORT"}
    later = {"GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"}  # for signing in, which is not there yet
    assert not [name for name in names - later if f"`{name}`" not in README]
    assert Settings.__doc__


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_help(name: str) -> None:
    result = CliRunner().invoke(countersign, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_every_metric_is_in_the_operators_page() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    names = [f"countersign_{name}_total" for name in COUNTERS]
    names += [f"countersign_{name}" for name in (*GAUGES, *UNDELIVERED, *UNPROTECTED)]
    names += ["countersign_work", "countersign_oldest_work_seconds"]
    assert not [name for name in names if name not in text]
    dashboard = (ROOT / "docs/grafana-dashboard.json").read_text("utf-8")
    for used in set(re.findall(r"countersign_\w+", dashboard + text)):
        assert used in names, used


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[>=<;]", one)[0].lower() for one in wanted}
    text = (ROOT / "docs/dependencies.md").read_text("utf-8").lower()
    assert not [name for name in names if f"| {name} |" not in text]


# Where GitHub's settings page has another word than its API.
_PAGE_NAMES = {"statuses": "Commit statuses", "members": "Members (organisation)"}


def test_every_permission_is_in_the_readme_and_no_other() -> None:
    _, _, section = README.partition("### Permissions")
    rows = re.findall(r"^\| ([A-Z][^|]+) \| (read|write) \|", section, re.MULTILINE)
    wanted = {name: level for name, (level, _) in PERMISSIONS.items()}
    wanted |= {extra.name: extra.level for extra in EXTRAS}
    assert dict(rows) == {
        _PAGE_NAMES.get(name, name.replace("_", " ").capitalize()): level
        for name, level in wanted.items()
    }


def test_every_event_is_in_the_readme_and_no_other() -> None:
    (told,) = re.findall(r"^Events: ((?:.+\n)+)", README, re.MULTILINE)
    told = " ".join(told.partition(".")[0].replace("with *Administration*:", ",").split())
    events = EVENTS.union(*(extra.events for extra in EXTRAS))
    found = {word.strip() for word in re.split(r"[,;]", told)} - {""}
    assert found == {name.replace("_", " ") for name in events}
