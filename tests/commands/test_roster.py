"""``countersign roster check|pin|schema``, as somebody at a terminal (or a script) sees it."""

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from github_app.commands import roster as command
from github_app.judge.errors import RosterError
from github_app.roster_schema import schema
from sandbox.server import Sandbox
from tests.judge.rosters import DATA, LEVELS, PLAIN, SIGN_OFF

BASE = DATA / "layers" / "base.yaml"
UNPINNED = LEVELS + "people:\n  grace: senior # here\n  kim:\n    level: mid\n" + SIGN_OFF


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command.roster, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reviewers.yaml"


# --- check ----------------------------------------------------------------------------------------


def test_check_valid(file: Path) -> None:
    file.write_text(PLAIN)
    result = run("check", file)
    assert result.output == f"{file}: valid (4 levels, 5 people, 0 teams, 0 rules)\n"
    assert result.exit_code == 0


def test_check_names_every_problem_by_its_place(file: Path) -> None:
    file.write_text(PLAIN.replace("level: mid", "level: mdi") + "rollout: {mode: on}\n")
    result = run("check", file)
    first, second, last = result.output.splitlines()
    assert first == (
        f'{file}:7:24: error: people.kim.level: unknown level "mdi"; expected one of junior, mid, '
        'senior, principal (did you mean "mid"?)'
    )
    expected = 'rollout.mode: the text "on"; expected one of observe, enforce'
    assert second == f"{file}:10:17: error: {expected}"
    assert last == f"{file}: 2 problems; it cannot be used"
    assert result.exit_code == 1


def test_check_shows_warnings_and_passes(file: Path) -> None:
    file.write_text(UNPINNED)
    result = run("check", file)
    lines = result.output.splitlines()
    assert lines[0].startswith(f'{file}:4:10: warning: people.grace: no id for "grace", "kim"')
    assert lines[-1] == f"{file}: valid (4 levels, 2 people, 0 teams, 0 rules)"
    assert result.exit_code == 0


def test_check_json(file: Path) -> None:
    file.write_text(PLAIN.replace("level: mid", "level: mdi"))
    result = run("check", "--json", file)
    said = json.loads(result.output)
    assert (said["file"], said["valid"], said["warnings"]) == (str(file), False, [])
    assert said["problems"] == [
        {
            "path": "people.kim.level",
            "line": 7,
            "column": 24,
            "found": 'unknown level "mdi"',
            "expected": "one of junior, mid, senior, principal",
            "fix": 'did you mean "mid"?',
            "message": 'unknown level "mdi"; expected one of junior, mid, senior, principal '
            '(did you mean "mid"?)',
        }
    ]
    assert result.exit_code == 1


def test_check_json_of_a_valid_file(file: Path) -> None:
    file.write_text(UNPINNED)
    said = json.loads(run("check", "--json", file).output)
    assert (said["valid"], said["problems"], len(said["warnings"])) == (True, [], 2)


def test_check_a_layer(file: Path) -> None:
    file.write_text("version: 1\nsign_off: {from: mid}\n")
    result = run("check", file, "--over", BASE)
    assert 'sign-off from "mid", not "senior"' in result.output
    assert result.exit_code == 1
    file.write_text("version: 1\nsign_off: {from: principal}\n")
    assert run("check", file, "--over", BASE).exit_code == 0


def test_check_a_layer_over_a_broken_roster(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "org.yaml"
    broken.write_text("version: 1\n")
    file.write_text("version: 1\n")
    result = run("check", file, "--over", broken)
    assert result.output.startswith(f'{broken}:1:1: error: "levels" is missing')
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\xff\xfe", "the file is not UTF-8 text", id="not-text"),
        pytest.param(b"#" * 300_000, "the file has 262,145 bytes", id="too-large"),
    ],
)
def test_check_refuses(file: Path, content: bytes, found: str) -> None:
    file.write_bytes(content)
    result = run("check", file)
    assert found in result.output
    assert result.exit_code == 1


def test_check_prints_nothing_that_moves_the_cursor(tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2J.yaml"
    file.write_text(PLAIN.replace("level: mid", 'level: "\\e[31m\\u202e"'))
    output = run("check", file).output
    assert all(line.isprintable() for line in output.splitlines())
    assert "\\u001b[31m" in output


@pytest.mark.parametrize("arguments", [("check",), ("check", "/no/such/file"), ("pin", "/no/such")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


# --- pin ------------------------------------------------------------------------------------------

GITHUB = {"grace": 1906, "kim": 31, "ada": 1815, "alan": 1912, "june": 32}


def pinned(
    file: Path, capsys: pytest.CaptureFixture[str], github: dict[str, int], *, dry_run: bool = False
) -> tuple[int, list[str], list[str]]:
    code = command.pin_file(file, github.get, dry_run=dry_run)
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err.splitlines()


def test_pin(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(UNPINNED)
    code, out, err = pinned(file, capsys, GITHUB)
    assert (code, err) == (0, [])
    assert out == ["added id 1906 to grace", "added id 31 to kim"]
    assert file.read_text() == UNPINNED.replace(
        "grace: senior", "grace: {id: 1906, level: senior}"
    ).replace("    level: mid", "    id: 31\n    level: mid")


def test_pin_twice_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(PLAIN)
    code, out, err = pinned(file, capsys, GITHUB)
    assert (code, out, err) == (0, [f"{file}: everybody is pinned"], [])
    assert file.read_text() == PLAIN


def test_pin_dry_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(UNPINNED)
    code, out, _ = pinned(file, capsys, GITHUB, dry_run=True)
    assert (code, out[0]) == (0, "would add id 1906 to grace")
    assert file.read_text() == UNPINNED


def test_pin_never_replaces_an_id(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(PLAIN)
    code, _, err = pinned(file, capsys, {**GITHUB, "kim": 666})
    assert code == 1
    (line,) = err
    assert line == (
        f"{file}: kim has id 31, but on GitHub the login belongs to id 666: it has changed hands, "
        "or the id is wrong; nothing was replaced"
    )
    assert file.read_text() == PLAIN


@pytest.mark.parametrize(
    ("text", "github", "complaint"),
    [
        pytest.param(
            UNPINNED, {"grace": 1906}, "nobody on GitHub has the login kim", id="no-such-person"
        ),
        pytest.param(
            UNPINNED,
            {"grace": 31, "kim": 31},
            "kim is id 31, which grace has already",
            id="id-twice",
        ),
        pytest.param(
            PLAIN,
            {login: number for login, number in GITHUB.items() if login != "kim"},
            "kim has id 31, but nobody on GitHub has that login now",
            id="pinned-person-gone",
        ),
    ],
)
def test_pin_says_what_does_not_fit(
    file: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    github: dict[str, int],
    complaint: str,
) -> None:
    file.write_text(text)
    code, _, err = pinned(file, capsys, github)
    assert (code, err) == (1, [f"{file}: {complaint}"])


def test_pin_adds_the_others_all_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(UNPINNED)
    pinned(file, capsys, {"grace": 1906})
    assert "grace: {id: 1906, level: senior}" in file.read_text()


def test_pin_refuses_an_invalid_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("version: 1\n")
    with pytest.raises(RosterError):
        pinned(file, capsys, GITHUB)
    assert file.read_text() == "version: 1\n"


def test_pin_keeps_mode_line_ends_and_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    target.write_bytes(UNPINNED.replace("\n", "\r\n").encode())
    target.chmod(0o640)
    link.symlink_to(target)
    command.pin_file(link, GITHUB.get, dry_run=False)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    content = target.read_bytes()
    assert b"id: 31\r\n" in content
    assert content.count(b"\n") == content.count(b"\r\n")
    assert list(tmp_path.glob(".*")) == [], "nothing is left behind"


def test_a_failed_write_leaves_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        command.replace_file(file, b"new")
    assert [path.read_text() for path in file.parent.iterdir()] == ["old"]


# --- pin, of a repository's own layer -------------------------------------------------------------

LAYER = (
    "version: 1\n# who may not\npeople:\n  kim: junior # for now\nsign_off:\n  from: principal\n"
)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / ".github").mkdir()
    return tmp_path / ".github" / "reviewers.yaml"


def test_pin_a_layer_by_itself(layer: Path) -> None:
    layer.write_text(LAYER)
    assert command.pin_file(layer, GITHUB.get, dry_run=False) == 0
    number = GITHUB["kim"]
    expected = LAYER.replace("kim: junior", f"kim: {{id: {number}, level: junior}}")
    assert layer.read_text() == expected


def test_pin_a_layer_over_its_roster(file: Path) -> None:
    file.write_text(LAYER)
    assert command.pin_file(file, {"kim": 31}.get, over=BASE, dry_run=False) == 0
    assert "id: 31" in file.read_text()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("version: 1\npeople: {kim: principal}\n", "would loosen", id="loosens"),
        pytest.param("version: 1\nlevels: [a]\n", "levels", id="brings-its-own-levels"),
    ],
)
def test_pin_refuses_a_layer_that_does_not_fit(file: Path, text: str, found: str) -> None:
    file.write_text(text)
    with pytest.raises(RosterError) as caught:
        command.pin_file(file, GITHUB.get, over=BASE, dry_run=False)
    assert found in str(caught.value)
    assert file.read_text() == text


def test_pin_leaves_a_layer_alone_that_ids_would_break(file: Path, tmp_path: Path) -> None:
    """The organisation knows kim by another id than GitHub does."""
    roster = tmp_path / "organisation.yaml"
    roster.write_text(UNPINNED.replace("  kim:\n    level: mid\n", "  kim: {id: 7, level: mid}\n"))
    text = LAYER.partition("sign_off")[0]
    file.write_text(text)
    with pytest.raises(RosterError, match="the organisation has 7"):
        command.pin_file(file, {"kim": 31}.get, over=roster, dry_run=False)
    assert file.read_text() == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("version: 1\npeople: {kim: {id: one}}\n", id="wrong-type"),
        pytest.param("version: 1\npeople: {kim: {id: 5}, bob: {id: 5}}\n", id="id-twice"),
        pytest.param("version: 1\npeopel: {}\n", id="unknown-key"),
    ],
)
def test_pin_refuses_a_layer_that_is_wrong_by_itself(layer: Path, text: str) -> None:
    layer.write_text(text)
    with pytest.raises(RosterError):
        command.pin_file(layer, GITHUB.get, dry_run=False)
    assert layer.read_text() == text


def test_pin_takes_the_roster_of_a_clone_of_dot_github_for_what_it_is(layer: Path) -> None:
    layer.write_text(UNPINNED.replace("level: mid", "level: mdi"))
    with pytest.raises(RosterError, match="mdi"):
        command.pin_file(layer, GITHUB.get, dry_run=False)


def test_pin_command_asks_github(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    @contextmanager
    def accounts() -> Iterator[Callable[[str], int | None]]:
        def lookup(login: str) -> int | None:
            asked.append(login)
            return GITHUB.get(login)

        yield lookup

    monkeypatch.setattr(command, "accounts", accounts)
    file.write_text(UNPINNED)
    result = run("pin", file)
    assert (result.exit_code, asked) == (0, ["grace", "kim"])


@pytest.mark.parametrize("as_app", [True, False], ids=["as-the-app", "as-nobody"])
def test_pin_against_a_server(file: Path, monkeypatch: pytest.MonkeyPatch, *, as_app: bool) -> None:
    with Sandbox() as hub:
        monkeypatch.delenv("GITHUB_APP_ID", raising=False)
        needed = hub.env() if as_app else {"GITHUB_API_URL": hub.api_url}
        for name, value in needed.items():
            monkeypatch.setenv(name, value)
        file.write_text(UNPINNED.replace("kim:", "nobody-here:"))
        result = run("pin", file)
    assert "added id 1906 to grace" in result.output
    assert "nobody on GitHub has the login nobody-here" in result.output
    assert result.exit_code == 1
    assert "grace: {id: 1906, level: senior} # here" in file.read_text()


# --- schema ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [False, True])
def test_schema(layer: bool) -> None:
    result = run("schema", *(["--layer"] if layer else []))
    assert json.loads(result.output) == schema(layer=layer)
    assert result.exit_code == 0
