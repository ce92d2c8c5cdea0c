"""The file that the set-up leaves: who can read it, what it never overwrites, who wins over it."""

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from github_app.credentials_file import (
    CredentialsFileError,
    as_assignments,
    completed,
    is_configured,
    path_in,
    read,
    reserved,
)
from github_app.settings import Settings, SettingsError
from tests.keys import pem

VALUES = {
    "GITHUB_APP_ID": "4711",
    "GITHUB_APP_PRIVATE_KEY": pem(),
    "GITHUB_WEBHOOK_SECRET": "a-long-enough-webhook-secret",
    "GITHUB_CLIENT_ID": "Iv23liABC",
    "GITHUB_CLIENT_SECRET": 'it\'s $HOME `quoted` "here"',
}


def keep(path: Path, values: dict[str, str] | None = None) -> None:
    with reserved(path) as place:
        place.keep(VALUES if values is None else values)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "countersign.env"


def test_what_is_kept_is_read_again_and_only_its_owner_can(file: Path) -> None:
    previous = os.umask(0)
    try:
        keep(file)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = read(file)
    assert found.pop("GITHUB_APP_PRIVATE_KEY").replace("\\n", "\n") == pem().strip()
    assert found == {k: v for k, v in VALUES.items() if k != "GITHUB_APP_PRIVATE_KEY"}
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_shell_reads_the_same(file: Path) -> None:
    keep(file)
    script = f'. {shlex.quote(str(file))}; printf %s "$GITHUB_CLIENT_SECRET"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == VALUES["GITHUB_CLIENT_SECRET"]


@pytest.mark.parametrize("kind", ["file", "dangling-link"])
def test_nothing_is_overwritten(file: Path, kind: str) -> None:
    if kind == "file":
        file.write_text("GITHUB_APP_ID=1\n")
    else:
        file.symlink_to(file.parent / "elsewhere")
    with pytest.raises(CredentialsFileError, match="is there already"):
        keep(file)
    assert kind == "dangling-link" or file.read_text() == "GITHUB_APP_ID=1\n"
    assert not (file.parent / "elsewhere").exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten(file: Path) -> None:
    with reserved(file) as place:
        file.write_text("GITHUB_APP_ID=1\n")
        with pytest.raises(CredentialsFileError, match="is there already"):
            place.keep(VALUES)
    assert file.read_text() == "GITHUB_APP_ID=1\n"
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_place_that_cannot_be_written_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(CredentialsFileError, match="No such file"), reserved(tmp_path / "a" / "b"):
        pass


def test_nothing_is_left_of_a_set_up_that_was_given_up(file: Path) -> None:
    with reserved(file):
        pass
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("PATH=/tmp\n", "line 1: a variable does not belong", id="foreign-variable"),
        pytest.param("GITHUB_APP_ID=1\nGITHUB_APP_ID=2\n", "line 2: a variable is there twice",
                     id="twice"),
        pytest.param("GITHUB_APP_ID=1 2\n", "line 1: expected NAME='value'", id="two-words"),
        pytest.param("GITHUB_APP_ID\n", "line 1: expected NAME='value'", id="no-value"),
        pytest.param("GITHUB_APP_ID='1\n", "line 1: expected NAME='value'", id="open-quotation"),
        pytest.param("#" * 70_000, "larger than 64 KiB", id="too-large"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(CredentialsFileError, match=problem):
        read(file)


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"GITHUB_APP_ID=\xff")
    with pytest.raises(CredentialsFileError, match="not UTF-8"):
        read(file)


def test_a_file_that_others_can_write_is_refused(file: Path) -> None:
    keep(file)
    file.chmod(0o620)
    with pytest.raises(CredentialsFileError, match="can be written by others"):
        read(file)


def test_a_refusal_quotes_no_value(file: Path) -> None:
    file.write_text("GITHUB_WEBHOOK_SECRET=hunter2 hunter3\n")
    with pytest.raises(CredentialsFileError) as caught:
        read(file)
    assert "hunter" not in str(caught.value)


# --- what the settings make of it ---


def env(file: Path, **more: str) -> dict[str, str]:
    return {"COUNTERSIGN_CREDENTIALS": str(file), **more}


def test_the_settings_find_it_by_themselves(file: Path) -> None:
    keep(file, VALUES | {"GITHUB_API_URL": "https://ghe.acme.example/api/v3"})
    settings = Settings.from_environment(env(file))
    assert settings.app_id == 4711
    assert settings.private_key.reveal() == pem().strip()
    assert settings.client_id == "Iv23liABC"
    assert settings.web_url == "https://ghe.acme.example"
    assert settings.warnings == ()


def test_in_the_working_directory_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keep(Path("countersign.env"))
    assert path_in({"COUNTERSIGN_CREDENTIALS": " "}) == Path("countersign.env")
    assert Settings.from_environment({}).app_id == 4711


def test_the_environment_wins(file: Path) -> None:
    keep(file)
    found = completed(env(file, GITHUB_WEBHOOK_SECRET="from-the-environment"))
    assert found["GITHUB_WEBHOOK_SECRET"] == "from-the-environment"
    assert found["GITHUB_APP_ID"] == "4711"


def test_an_empty_variable_is_refused_all_the_same(file: Path) -> None:
    keep(file)
    with pytest.raises(SettingsError, match="GITHUB_WEBHOOK_SECRET is empty"):
        Settings.from_environment(env(file, GITHUB_WEBHOOK_SECRET=""))


def test_a_variable_given_as_a_file_wins_too(file: Path) -> None:
    keep(file)
    assert "GITHUB_WEBHOOK_SECRET" not in completed(env(file, GITHUB_WEBHOOK_SECRET_FILE="/x"))


def test_another_app_in_the_environment_takes_nothing_of_the_file(file: Path) -> None:
    keep(file)
    other = env(file, GITHUB_APP_ID="1")
    assert completed(other) == other
    with pytest.raises(SettingsError, match="GITHUB_APP_PRIVATE_KEY is not set"):
        Settings.from_environment(other)


def test_a_broken_file_is_a_problem_of_the_settings(file: Path) -> None:
    file.write_text("HOST=0.0.0.0\n")
    with pytest.raises(SettingsError, match=r"COUNTERSIGN_CREDENTIALS: .*does not belong there"):
        Settings.from_environment(env(file))


def test_a_file_that_others_can_read_is_warned_of(file: Path) -> None:
    keep(file)
    file.chmod(0o644)
    (warning,) = Settings.from_environment(env(file)).warnings
    assert warning.startswith("COUNTERSIGN_CREDENTIALS: others on this machine can read")


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"GITHUB_APP_ID": ""}, True, id="empty-is-a-sign-too"),
        pytest.param({"GITHUB_WEBHOOK_SECRET_FILE": "/run/secret"}, True, id="by-file"),
        pytest.param({"GITHUB_API_URL": "https://ghe.example/api/v3"}, False, id="only-where"),
    ],
)
def test_whether_there_is_an_app_at_all(file: Path, more: dict[str, str], *, wanted: bool) -> None:
    assert is_configured(env(file, **more)) is wanted
    keep(file)
    assert is_configured(env(file, **more))


def test_assignments_are_one_line_each() -> None:
    assert len(as_assignments(VALUES).splitlines()) == len(VALUES)
