"""What was last seen of the protection of each repository, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "protections",
        sa.Column("installation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("unprotected", sa.Integer, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("looked_at", sa.Double, nullable=False),
    )
