"""``countersign audit`` and ``countersign work``: what they print, and their exit codes."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from github_app.cli import countersign
from github_app.commands.terminal import plain
from github_app.store.audit import Entry, RecordKind
from github_app.store.claim import Limits
from github_app.store.database import Store, open_store
from github_app.store.task import Task, TaskKind


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "countersign.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{path}", limits=Limits(failures=1)) as store:
        yield store


@pytest.fixture
def log(store: Store) -> list[str]:
    """Three records; their receipts."""
    return [
        store.audit.append(entry).receipt
        for entry in (
            an_entry(1, outcome="WAITING"),
            an_entry(2, outcome="SIGNED_OFF"),
            an_entry(2, outcome="SIGNED_OFF", kind=RecordKind.PUBLISHED),
        )
    ]


def an_entry(
    number: int,
    *,
    outcome: str,
    kind: RecordKind = RecordKind.JUDGED,
    repository: str = "acme/shop",
    title: str = "Waiting for a senior",
) -> Entry:
    return Entry(
        kind=kind,
        repository_id=10,
        repository=repository,
        number=number,
        head_sha="ab" * 20,
        outcome=outcome,
        deliveries=("guid-1", "guid-2"),
        fields={"title": title, "reasons": ["CS001", "CS030"], "counted": [{"by": "ada"}]},
    )


def run(path: Path, *arguments: str) -> Result:
    url = f"sqlite:///{path}"
    return CliRunner(env={"DATABASE_URL": url}).invoke(countersign, arguments)


def tamper(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute(
            "UPDATE audit SET body = replace(body, 'SIGNED_OFF', 'NOT_AI') WHERE seq = 2"
        )
        connection.commit()


# --- verify ----------------------------------------------------------------------------------


def test_verify_of_a_log_that_fits(path: Path, log: list[str]) -> None:
    result = run(path, "audit", "verify")
    assert result.exit_code == 0
    assert "3 records" in result.stdout
    assert log[-1] in result.stdout


def test_verify_of_an_empty_log(path: Path, store: Store) -> None:
    result = run(path, "audit", "verify")
    assert (result.exit_code, result.stdout) == (0, "The audit log is empty.\n")


def test_verify_names_the_record_that_was_edited(path: Path, log: list[str]) -> None:
    tamper(path)
    result = run(path, "audit", "verify")
    assert result.exit_code == 1
    assert "Record 2" in result.stdout
    assert "edited" in result.stdout


def test_verify_as_json(path: Path, log: list[str]) -> None:
    fits = run(path, "audit", "verify", "--json")
    assert json.loads(fits.stdout) == {
        "ok": True,
        "records": 3,
        "last": log[-1],
        "seq": None,
        "problem": None,
    }
    tamper(path)
    edited = json.loads(run(path, "audit", "verify", "--json").stdout)
    assert (edited["ok"], edited["seq"], edited["records"]) == (False, 2, 1)


def test_verify_with_an_anchor_finds_a_log_that_was_cut_off(path: Path, log: list[str]) -> None:
    assert run(path, "audit", "verify", "--anchor", log[2], "--anchor", log[0]).exit_code == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE seq > 1")
        connection.commit()
    assert run(path, "audit", "verify").exit_code == 0, "nothing in the database can tell"
    assert run(path, "audit", "verify", "--anchor", log[2]).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["audit", "verify", "--anchor", "nonsense"], id="anchor"),
        pytest.param(["audit", "show", "--pr", "zero"], id="number"),
        pytest.param(["audit", "show", "--since", "yesterday"], id="since"),
        pytest.param(["audit", "show", "--kind", "invented"], id="kind"),
        pytest.param(["audit", "nonsense"], id="command"),
        pytest.param(["work", "--state", "invented"], id="state"),
    ],
)
def test_wrong_usage_is_two(path: Path, store: Store, arguments: list[str]) -> None:
    assert run(path, *arguments).exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["audit", "verify"], ["audit", "show"], ["work"]], ids=" ".join
)
def test_database_that_is_not_there_is_two_and_is_not_made(
    path: Path, arguments: list[str]
) -> None:
    result = run(path, *arguments)
    assert result.exit_code == 2, "not found out is neither fine nor a finding"
    assert "no database" in result.stderr
    assert not path.exists()


def test_url_that_cannot_be_used_is_not_printed() -> None:
    url = "mysql://root:hunter2@db/x"
    result = CliRunner().invoke(countersign, ["audit", "verify", "--database", url])
    assert result.exit_code == 2
    assert "hunter2" not in result.output


# --- show ------------------------------------------------------------------------------------


def test_show_prints_what_was_recorded(path: Path, log: list[str]) -> None:
    result = run(path, "audit", "show")
    assert result.exit_code == 0
    for said in ("acme/shop#1", "WAITING", "CS001, CS030", "guid-1, guid-2", '{"by": "ada"}', *log):
        assert said in result.stdout


@pytest.mark.parametrize(
    ("arguments", "seqs"),
    [
        pytest.param([], [1, 2, 3], id="all"),
        pytest.param(["--repo", "ACME/shop"], [1, 2, 3], id="repository"),
        pytest.param(["--pr", "2"], [2, 3], id="pull-request"),
        pytest.param(["--outcome", "waiting"], [1], id="outcome"),
        pytest.param(["--kind", "published"], [3], id="kind"),
        pytest.param(["--head", "ab" * 20], [1, 2, 3], id="head"),
        pytest.param(["--since", "2000-01-01"], [1, 2, 3], id="since"),
        pytest.param(["--limit", "2"], [2, 3], id="last-two"),
        pytest.param(["--limit", "0"], [1, 2, 3], id="no-limit"),
        pytest.param(["--pr", "2", "--kind", "judged"], [2], id="both"),
    ],
)
def test_show_as_json_is_one_record_a_line(
    path: Path, log: list[str], arguments: list[str], seqs: list[int]
) -> None:
    result = run(path, "audit", "show", "--json", *arguments)
    assert result.exit_code == 0
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["seq"] for record in records] == seqs
    assert [f"{record['seq']}:{record['hash']}" for record in records] == [log[n - 1] for n in seqs]


def test_show_by_the_hash_on_a_check_run(path: Path, log: list[str]) -> None:
    result = run(path, "audit", "show", "--json", "--hash", log[1].partition(":")[2].upper())
    assert json.loads(result.stdout)["seq"] == 2


def test_show_of_nothing_is_one(path: Path, log: list[str]) -> None:
    result = run(path, "audit", "show", "--pr", "99")
    assert (result.exit_code, result.stdout) == (1, "")


def test_show_of_a_record_that_cannot_be_read_points_to_verify(path: Path, log: list[str]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET body = '[]' WHERE seq = 2")
        connection.commit()
    result = run(path, "audit", "show")
    assert result.exit_code == 1
    assert "audit verify" in result.stderr


HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \u2066x\u2069 \r\nRecord 9: fine \x9b31m \x00"


def test_text_of_others_cannot_drive_the_terminal(path: Path, store: Store) -> None:
    store.audit.append(an_entry(1, outcome="WAITING", repository=f"a/{HOSTILE}", title=HOSTILE))
    for arguments in (["audit", "show"], ["audit", "show", "--json"], ["audit", "verify"]):
        printed = run(path, *arguments).stdout
        assert not {"\x1b", "\x07", "\x9b", "\r", "\x00", "\u202e", "\u2066"} & set(printed)
    lines = run(path, "audit", "show").stdout.splitlines()
    assert not any(line.startswith("Record 9") for line in lines)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain é 漢 𝄞 🦊", "plain é 漢 𝄞 🦊", id="letters-stay"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="escape"),
        pytest.param("a\nb\tc", "a\\nb\\tc", id="lines-and-tabs"),
        pytest.param("\u202e\u200b", "\\u202e\\u200b", id="bidi-and-zero-width"),
        pytest.param("\u2028", "\\u2028", id="line-separator"),
        pytest.param("\ud800", "\\ud800", id="surrogate"),
        pytest.param("\x85\x9b", "\\x85\\x9b", id="c1-controls"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


# --- work ------------------------------------------------------------------------------------


def a_task(subject: str, full_name: str = "acme/shop") -> Task:
    return Task(
        kind=TaskKind.PULL_REQUEST,
        installation_id=1,
        repository_id=10,
        subject=subject,
        full_name=full_name,
    )


def park(store: Store, task: Task, error: str) -> None:
    store.queue.add([task])
    claim = store.queue.claim("worker")
    assert claim is not None
    assert store.queue.retry(claim, error)


def test_work_of_an_empty_queue(path: Path, store: Store) -> None:
    result = run(path, "work")
    assert (result.exit_code, result.stdout) == (0, "Nothing is waiting.\n")
    assert run(path, "work", "--json").stdout == ""


def test_work_shows_what_waits(path: Path, store: Store) -> None:
    store.queue.add([a_task("7"), a_task("8")])
    assert store.queue.claim("worker")
    result = run(path, "work")
    assert result.exit_code == 0
    assert "pull-request acme/shop 7" in result.stdout
    assert "1 ready, 1 leased" in result.stdout


def test_parked_work_is_a_finding(path: Path, store: Store) -> None:
    park(store, a_task("7"), "KeyError")
    result = run(path, "work")
    assert result.exit_code == 1
    assert "parked" in result.stdout
    assert "KeyError" in result.stdout


def test_work_as_json(path: Path, store: Store) -> None:
    park(store, a_task("7"), "KeyError")
    store.queue.add([a_task("8")])
    result = run(path, "work", "--json", "--state", "parked")
    (row,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (row["key"]["subject"], row["state"], row["error"]) == ("7", "parked", "KeyError")


def test_work_cannot_drive_the_terminal_or_the_table(path: Path, store: Store) -> None:
    park(store, a_task("7", full_name=f"a/[red]{HOSTILE}"), HOSTILE)
    for arguments in (["work"], ["work", "--json"]):
        printed = run(path, *arguments).stdout
        assert not {"\x1b", "\x07", "\x9b", "\r", "\x00", "\u202e"} & set(printed)
    assert "[red]" in run(path, "work").stdout


def test_the_database_may_be_named_in_a_file(log: list[str], path: Path, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"sqlite:///{path}\n")
    runner = CliRunner(env={"DATABASE_URL": "", "DATABASE_URL_FILE": str(tmp_path / "url")})
    result = runner.invoke(countersign, ["audit", "verify"])
    assert result.exit_code == 0, result.output
    assert log[-1] in result.output
    (tmp_path / "url").unlink()
    result = runner.invoke(countersign, ["audit", "verify"])
    assert result.exit_code == 2
    assert "DATABASE_URL_FILE: the file cannot be read" in result.output


def test_help_never_shows_where_the_database_is() -> None:
    url = "postgresql://u:hunter2@db/x"
    result = CliRunner(env={"DATABASE_URL": url}).invoke(countersign, ["work", "--help"])
    assert "hunter2" not in result.output
