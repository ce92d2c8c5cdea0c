"""What each pull request was judged by, and what we last wrote on each commit."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "generations",
        sa.Column("installation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "team_lists",
        sa.Column("installation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("read_at", sa.Double, nullable=False),
    )
    op.create_table(
        "grounds",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("head_oid", sa.Text, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("again_at", sa.Double),
    )
    op.create_table(
        "written_checks",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("oid", sa.Text, primary_key=True),
        sa.Column("check_name", sa.Text, primary_key=True),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("written_at", sa.Double, nullable=False),
    )
    op.create_index("written_checks_age", "written_checks", ["written_at"])
