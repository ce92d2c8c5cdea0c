"""The names that repositories had."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "repository_names",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("full_name", sa.Text, primary_key=True),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
