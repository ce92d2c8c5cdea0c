"""The database: inbox and work queue, memory of evidence, audit log. Start at ``database.py``."""
