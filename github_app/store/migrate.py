"""Bring a database's tables up to date at start, whoever else is starting at the same moment.

Migrations only ever add (expand): a process of the version before keeps working on the new tables,
and so does one that is started after a newer version has been here.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from github_app.store.engine import Database

HEAD = "0008"  # the newest revision in migrations/versions
_OUR_LOCK = 0x636F756E  # an advisory lock's number: any that nobody else uses


def migrate(database: Database) -> None:
    """Run what is missing, in one transaction, one process at a time.

    A revision that this version does not know was made by a newer one: it is left alone.
    Raises StoreUnavailable.
    """
    with database.read() as connection:
        if _revision(connection) == HEAD:
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _OUR_LOCK})
        _upgrade(connection, _revision(connection))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection, revision: str | None) -> None:
    # Not at the top: needed once in a database's life, and it costs every start 10 MB.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is None or revision in known:
        command.upgrade(config, "head")
