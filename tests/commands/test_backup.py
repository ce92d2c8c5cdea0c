"""``countersign backup`` and ``countersign migrate``: what they print, and their exit codes."""

import json
import re
from pathlib import Path

from click.testing import CliRunner, Result

from github_app.cli import countersign
from github_app.store.database import open_store
from tests.commands.test_audit import an_entry


def run(database: Path, *arguments: str) -> Result:
    return CliRunner(env={"DATABASE_URL": f"sqlite:///{database}"}).invoke(countersign, arguments)


def test_tables_are_made_and_stay_as_they_are(tmp_path: Path) -> None:
    for _ in range(2):
        result = run(tmp_path / "c.db", "migrate")
        assert (result.exit_code, result.output) == (0, "The tables are up to date.\n")
    with open_store(f"sqlite:///{tmp_path / 'c.db'}") as store:
        assert store.audit.verify().ok


def test_tables_cannot_be_made(tmp_path: Path) -> None:
    result = run(tmp_path / "none" / "c.db", "migrate")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_folder_gets_a_file_named_by_the_time(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'c.db'}") as store:
        receipt = store.audit.append(an_entry(1, outcome="WAITING")).receipt
    folder = tmp_path / "backups"
    folder.mkdir()
    result = run(tmp_path / "c.db", "backup", str(folder))
    assert result.exit_code == 0, result.output
    (copy,) = folder.iterdir()
    assert re.fullmatch(r"countersign-\d{4}-\d\d-\d\dT\d{6}Z\.db", copy.name)
    assert f"{copy}: 1 audit records" in result.output
    assert f"Last: {receipt}" in result.output
    verified = run(copy, "audit", "verify", "--anchor", receipt)
    assert verified.exit_code == 0, verified.output


def test_an_empty_log_as_json(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path / 'c.db'}").close()
    target = tmp_path / "copy.db"
    result = run(tmp_path / "c.db", "backup", str(target), "--json")
    assert json.loads(result.output) == {"file": str(target), "records": 0, "last": None}
    again = run(tmp_path / "c.db", "backup", str(target))
    assert again.exit_code == 2
    assert "there is a file already" in again.output
