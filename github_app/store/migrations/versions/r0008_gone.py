"""How often in a row GitHub said of a delivery that it has it no longer."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("undelivered", sa.Column("gone", sa.Integer, nullable=False, server_default="0"))
