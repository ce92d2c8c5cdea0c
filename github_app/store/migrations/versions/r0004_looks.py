"""What a judgement saw, when to have a quick look, and how much bulk work has written."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Empty: not noted, by this version's forebears or by one that still runs beside it.
    op.add_column("tasks", sa.Column("seen", sa.Text, server_default=""))
    op.add_column("tasks", sa.Column("seen_surely", sa.Integer, server_default="0"))
    op.add_column(
        "installations",
        sa.Column("bulk_after", sa.Double, nullable=False, server_default="0"),
    )
    op.create_table(
        "looks",
        sa.Column("installation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("active_at", sa.Double, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("rosters", sa.Text, nullable=False),
    )
    op.create_table(
        "spending",
        sa.Column("installation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("spent", sa.Double, nullable=False),
    )
