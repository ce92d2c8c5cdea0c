"""The processes of compose.yaml, by its own command lines, on a real PostgreSQL: tables are made by
one role, and the processes are another that may change none."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import yaml

from sandbox.server import Sandbox
from tests.e2e.inline import AI, CHECK, SHOP
from tests.e2e.live import free_port, until
from tests.store import postgres
from tests.store.conftest import postgres_binaries

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
PATIENCE = 90.0
RIGHTS = """\
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO countersign;
REVOKE UPDATE, DELETE ON audit FROM countersign;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM countersign;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO countersign;
"""


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    with postgres.server(postgres_binaries()) as running:
        yield running


def command(service: str, port: int) -> list[str]:
    """As in compose.yaml, from this environment's programs and on this port."""
    words = [word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in words_of(service)]
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]


def words_of(service: str) -> list[str]:
    return list(SERVICES[service]["command"])


@pytest.mark.postgres
def test_a_pull_request_is_judged(server: postgres.Server, tmp_path: Path) -> None:
    owner = server.new_database()
    database = owner.replace("tests@", "countersign@")
    port = free_port()
    with (
        Sandbox(webhook_url=f"http://127.0.0.1:{port}/webhook") as hub,
        (tmp_path / "log").open("wb") as log,
        ExitStack() as running,
    ):
        environment = os.environ | hub.env() | {"PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("DATABASE_URL", None)
        url = tmp_path / "database_url"
        environment |= {"DATABASE_URL_FILE": str(url), "COUNTERSIGN_ROSTER": str(tmp_path / "none")}
        url.write_text(owner)
        subprocess.run(command("migrate", port), check=True, env=environment, timeout=120)
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("CREATE ROLE countersign LOGIN")
            connection.execute(RIGHTS.encode())
        url.write_text(database)

        def start(service: str) -> None:
            line = command(service, port)
            child = running.enter_context(
                subprocess.Popen(line, env=environment, cwd=tmp_path, stdout=log, stderr=log)
            )
            running.callback(child.terminate)

        def told() -> str:
            return (tmp_path / "log").read_text()[-3000:]

        for service in ("worker", "web"):  # in any order
            start(service)

        def judged() -> list[object]:
            runs = hub.pull(number)["checks"]
            return [run["conclusion"] for run in runs if run["name"] == CHECK]

        hub.act("june", "push", repo=SHOP, branch="fix", commits=[{"message": AI}])
        number = hub.act("june", "open_pull_request", repo=SHOP, head="fix", title="Fix")["number"]
        until(lambda: judged() == ["action_required"], told, seconds=PATIENCE)
        hub.act("grace", "approve", repo=SHOP, number=number)
        until(lambda: judged() == ["success"], told, seconds=PATIENCE)
        with (
            psycopg.connect(database, autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("DELETE FROM audit")
    assert "InsufficientPrivilege" not in (tmp_path / "log").read_text()
    verified = subprocess.run(
        [*command("migrate", port)[:1], "audit", "verify", "--database", database],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "each fits the one before it" in verified.stdout


def test_the_rights_are_those_of_the_page() -> None:
    assert RIGHTS in (ROOT / "docs/deploying.md").read_text("utf-8")
