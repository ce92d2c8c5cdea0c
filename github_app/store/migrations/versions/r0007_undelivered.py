"""Deliveries that GitHub lists and does not give."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "undelivered",
        sa.Column("guid", sa.Text, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("again_at", sa.Double, nullable=False),
        sa.Column("lost_at", sa.Double),
    )
