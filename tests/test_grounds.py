"""What a verdict rests on, as one name: another name for anything that may change a verdict."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from github_app import grounds
from github_app.grounds import ground, rules_of_this_version


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a", "b"), ("a", "c"), id="another-part"),
        pytest.param(("ab", "c"), ("a", "bc"), id="parts-do-not-run-together"),
        pytest.param(("a",), ("a", ""), id="an-empty-part-is-a-part"),
        pytest.param(("a", "b"), ("b", "a"), id="another-order"),
        pytest.param(("\ud800",), ("?",), id="text-that-is-no-unicode"),
    ],
)
def test_anything_else_has_another_name(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert ground(*one) != ground(*other)
    assert ground(*one) == ground(*one)


@pytest.mark.parametrize("changed", ["verdict.py", "signatures.yaml", "report/sentences.py"])
def test_rules_that_changed_have_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    source = str(files("github_app.judge"))
    shutil.copytree(source, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(grounds, "files", lambda _package: tmp_path)
    assert rules_of_this_version.__wrapped__() == rules_of_this_version()
    with (tmp_path / changed).open("a") as file:
        file.write("\n# another rule\n")
    assert rules_of_this_version.__wrapped__() != rules_of_this_version()
