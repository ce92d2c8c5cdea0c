"""The wheel that an image installs holds everything that the program reads."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Read by editors and tests, not by the program.
NOT_SHIPPED = {"github_app/judge/signatures.schema.json"}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: setuptools leaves its work beside what it builds.
    source = folder / "source"
    for file in tracked():
        target = source / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / file).read_bytes())
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], check=True, cwd=source, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def tracked() -> list[str]:
    wanted = ["pyproject.toml", "README.md", "app.py"]
    found = [path for path in (ROOT / "github_app").rglob("*") if path.is_file()]
    return wanted + [
        str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts
    ]


def test_nothing_is_left_out(names: set[str]) -> None:
    wanted = {file for file in tracked() if file.startswith(("github_app/", "app.py"))}
    assert wanted >= {"app.py", "github_app/judge/signatures.yaml"}
    assert wanted - names == NOT_SHIPPED


def test_nothing_else_comes_along(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "app.py",
        "github_app",
    }
