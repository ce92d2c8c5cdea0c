"""What may be seen again in another pull request, and what got into a base by which commit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "likenesses",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("likeness", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("head_oid", sa.Text, primary_key=True),
        sa.Column("base_oid", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
    op.create_table(
        "merges",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("merge_oid", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
    )
    op.create_index("merges_oid", "merges", ["repository_id", "merge_oid"])
