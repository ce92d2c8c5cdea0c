"""The first tables, and the triggers that keep the audit log append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_DUE = sa.text("due_at IS NOT NULL")

_SQLITE_TRIGGERS = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    # REPLACE deletes without asking the trigger above, so it must not find what to replace.
    """CREATE TRIGGER audit_next_only BEFORE INSERT ON audit
       WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
         OR EXISTS (SELECT 1 FROM audit WHERE hash = NEW.hash)
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)

_POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION countersign_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
       FOR EACH ROW EXECUTE FUNCTION countersign_audit_append_only()""",
    """CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
       FOR EACH STATEMENT EXECUTE FUNCTION countersign_audit_append_only()""",
)


def upgrade() -> None:
    _create_queue()
    _create_memory()
    _create_audit()
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("labels", sa.Text, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )


def _create_queue() -> None:
    op.create_table(
        "deliveries",
        sa.Column("guid", sa.Text, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("processed_at", sa.Double),
    )
    op.create_index("deliveries_processed", "deliveries", ["processed_at"])
    op.create_table(
        "tasks",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("installation_id", sa.BigInteger, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("hinted_at", sa.Text, nullable=False),
        sa.Column("requested", sa.BigInteger, nullable=False),
        sa.Column("judged", sa.BigInteger, nullable=False),
        sa.Column("requested_at", sa.Double, nullable=False),
        sa.Column("waiting_since", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double),
        sa.Column("token", sa.Text),
        sa.Column("worker", sa.Text),
        sa.Column("claimed_at", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("crashes", sa.Integer, nullable=False),
        sa.Column("parked_at", sa.Double),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint(
            "kind", "installation_id", "repository_id", "subject", name="tasks_key"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "tasks_turn",
        "tasks",
        ["installation_id", "priority", "requested_at", "id"],
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    )
    op.create_index(
        "tasks_next",
        "tasks",
        ["installation_id", "due_at"],
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    )
    op.create_index(
        "tasks_token",
        "tasks",
        ["token"],
        sqlite_where=sa.text("token IS NOT NULL"),
        postgresql_where=sa.text("token IS NOT NULL"),
    )
    op.create_table(
        "delivery_tasks",
        sa.Column("task_id", _ROW_ID, sa.ForeignKey("tasks.id"), primary_key=True),
        sa.Column("guid", sa.Text, sa.ForeignKey("deliveries.guid"), primary_key=True),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    op.create_index("delivery_tasks_guid", "delivery_tasks", ["guid"])
    op.create_table(
        "installations",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("blocked_until", sa.Double, nullable=False),
        sa.Column("served_at", sa.Double, nullable=False),
    )


def _create_memory() -> None:
    op.create_table(
        "evidence",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("commit_oid", sa.Text),
        sa.Column("origin", sa.Integer, nullable=False),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
    op.create_index("evidence_commit", "evidence", ["repository_id", "commit_oid"])
    op.create_table(
        "heads",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("oid", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_seen", sa.Text, nullable=False),
    )
    op.create_table(
        "patches",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("patch_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("origin", sa.Integer, nullable=False),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
    op.create_table(
        "pushers",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
    op.create_table(
        "pushes",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("push", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
    op.create_index("pushes_after", "pushes", ["repository_id", "after"])
    op.create_table(
        "rosters",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("commit_oid", sa.Text, nullable=False),
        sa.Column("read_at", sa.Text, nullable=False),
        sa.Column("saved_at", sa.Text, nullable=False),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("head_sha", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.CheckConstraint("seq > 0", name="audit_seq_positive"),
    )
    op.create_index("audit_pull_request", "audit", ["repository_id", "number", "seq"])
    op.create_index("audit_head", "audit", ["head_sha"])
    triggers = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRESQL_TRIGGERS}
    for statement in triggers[op.get_bind().dialect.name]:
        op.execute(statement)
