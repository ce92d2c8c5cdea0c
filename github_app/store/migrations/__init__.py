"""Alembic's place for the migrations; see ``store/migrate.py``."""
