"""What each GraphQL field answers. A field not in the table is the attribute of the same name.

One module for each subject: importing it enters its fields in the table.
"""

from sandbox.resolvers import (
    checks,
    commits,
    organizations,
    protection,
    pulls,
    query,
    queue,
    repositories,
    timeline,
)
from sandbox.resolvers.commits import associated
from sandbox.resolvers.core import FIELDS, Context, typename
from sandbox.resolvers.timeline import EVENT_FIELDS

__all__ = ["EVENT_FIELDS", "FIELDS", "Context", "associated", "typename"]
SUBJECTS = (checks, commits, organizations, protection, pulls, query, queue, repositories, timeline)
