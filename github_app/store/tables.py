"""The tables, as the code uses them. What exists in a database is made by ``migrations/``.

Times of the inbox and the queue are Unix time in seconds by the database's clock (``clock.now``);
times of the audit and of memory are ISO 8601 text in UTC, because they are read by people.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

deliveries = Table(
    "deliveries",
    metadata,
    Column("guid", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("body", LargeBinary),  # null once processed
    Column("received_at", Double, nullable=False),
    Column("processed_at", Double),
)
Index("deliveries_processed", deliveries.c.processed_at)

tasks = Table(
    "tasks",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("hint", Text, nullable=False),
    Column("hinted_at", Text, nullable=False),  # the payload's updated_at, to keep the newest hint
    Column("requested", BigInteger, nullable=False),  # the generation asked for
    Column("judged", BigInteger, nullable=False),  # the generation that was seen and judged
    Column("requested_at", Double, nullable=False),  # when it was last asked for
    Column("waiting_since", Double, nullable=False),  # since when something is not judged
    # When it may be claimed; while leased, when the lease ends. Null: nothing to do.
    Column("due_at", Double),
    Column("token", Text),  # of the lease; random, so that no two leases ever share one
    Column("worker", Text),
    Column("claimed_at", Double),
    Column("attempts", Integer, nullable=False),  # failures in a row
    Column("crashes", Integer, nullable=False),  # leases in a row that ran out
    Column("parked_at", Double),
    Column("error", Text),
    # Of a pull request: GitHub's ``updatedAt`` in the snapshot that was last judged, and whether
    # nothing else can have happened within that same second. Null: never judged; empty: not noted.
    Column("seen", Text, server_default=""),
    Column("seen_surely", Integer, server_default="0"),
    UniqueConstraint("kind", "installation_id", "repository_id", "subject", name="tasks_key"),
    sqlite_autoincrement=True,  # a pruned row's id must never come back to a late worker
)
_DUE = text("due_at IS NOT NULL")
Index(
    "tasks_turn",
    tasks.c.installation_id,
    tasks.c.priority,
    tasks.c.requested_at,
    tasks.c.id,
    sqlite_where=_DUE,
    postgresql_where=_DUE,
)
Index(
    "tasks_next",
    tasks.c.installation_id,
    tasks.c.due_at,
    sqlite_where=_DUE,
    postgresql_where=_DUE,
)
_LEASED = text("token IS NOT NULL")
Index("tasks_token", tasks.c.token, sqlite_where=_LEASED, postgresql_where=_LEASED)

delivery_tasks = Table(
    "delivery_tasks",
    metadata,
    Column("task_id", _ROW_ID, ForeignKey("tasks.id"), primary_key=True),
    Column("guid", Text, ForeignKey("deliveries.guid"), primary_key=True),
    Column("generation", BigInteger, nullable=False),
)
Index("delivery_tasks_guid", delivery_tasks.c.guid)

installations = Table(
    "installations",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("blocked_until", Double, nullable=False),
    Column("served_at", Double, nullable=False),
    # Bulk work of it is not claimed before.
    Column("bulk_after", Double, nullable=False, server_default="0"),
)

# When to have a quick look at an installation; 0 stands for the app itself, and its deliveries.
looks = Table(
    "looks",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("active_at", Double, nullable=False),  # when something last happened there
    Column("cursor", Text),  # where the repositories begin that are looked at in turn
    Column("rosters", Text, nullable=False),  # canonical JSON: the roster files as last seen
)

# Deliveries that GitHub lists and does not give; see ``undelivered.py``.
undelivered = Table(
    "undelivered",
    metadata,
    Column("guid", Text, primary_key=True),
    Column("id", BigInteger, nullable=False),  # of GitHub's latest attempt
    Column("event", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("again_at", Double, nullable=False),
    Column("lost_at", Double),
    Column("gone", Integer, nullable=False, server_default="0"),  # so often in a row
)

# What is paced: so much was spent on a purpose since its window began.
spending = Table(
    "spending",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("purpose", Text, primary_key=True),
    Column("began_at", Double, nullable=False),
    Column("spent", Double, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),
    Column("commit_oid", Text),  # of a signal in a commit
    Column("origin", Integer, nullable=False),  # the pull request it was first seen in
    Column("signal", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)
Index("evidence_commit", evidence.c.repository_id, evidence.c.commit_oid)

heads = Table(
    "heads",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("oid", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("last_seen", Text, nullable=False),
)

patches = Table(
    "patches",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("patch_id", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("origin", Integer, nullable=False),
    Column("signal", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)

# What may be seen again in another pull request: grounds to compare the two diffs.
likenesses = Table(
    "likenesses",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("likeness", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("head_oid", Text, primary_key=True),
    Column("base_oid", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)

# The commit by which a pull request got into its base: it stands for all that was in it.
merges = Table(
    "merges",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("merge_oid", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)
Index("merges_oid", merges.c.repository_id, merges.c.merge_oid)

pushers = Table(
    "pushers",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)

pushes = Table(
    "pushes",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),  # of the branch
    Column("ref", Text, primary_key=True),  # without refs/heads/
    Column("digest", Text, primary_key=True),
    Column("after", Text, nullable=False),
    Column("push", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)
Index("pushes_after", pushes.c.repository_id, pushes.c.after)

repository_names = Table(
    "repository_names",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("full_name", Text, primary_key=True),  # case-folded
    Column("first_seen", Text, nullable=False),
)

rosters = Table(
    "rosters",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("commit_oid", Text, nullable=False),
    Column("read_at", Text, nullable=False),
    Column("saved_at", Text, nullable=False),
)

# Raised by whatever may matter to every open pull request of an installation: a team, the
# installation itself. What was read or judged under an older one is read and judged again.
generations = Table(
    "generations",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)

# The members of a team as they were last read, by any process: only to see that they changed.
team_lists = Table(
    "team_lists",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("team", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("read_at", Double, nullable=False),
)

# By what an open pull request was last judged, beside what GitHub says of itself: a digest.
grounds = Table(
    "grounds",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("head_oid", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("again_at", Double),  # when time alone changes what is said; Unix seconds
)

written_checks = Table(
    "written_checks",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("oid", Text, primary_key=True),
    Column("check_name", Text, primary_key=True),
    Column("run_id", BigInteger),  # null while it is not known whether the write arrived
    Column("digest", Text, nullable=False),
    Column("written_at", Double, nullable=False),
)
Index("written_checks_age", written_checks.c.written_at)

# What was last seen of the protection of each repository; repository_id 0 is the installation.
protections = Table(
    "protections",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("full_name", Text, nullable=False),
    Column("state", Text, nullable=False),  # canonical JSON
    Column("unprotected", Integer, nullable=False),
    Column("since", Text, nullable=False),
    Column("looked_at", Double, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _ROW_ID, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("previous", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("repository", Text, nullable=False),
    Column("number", Integer),
    Column("head_sha", Text),
    Column("outcome", Text),
    Column("body", Text, nullable=False),  # canonical JSON; ``hash`` is over exactly this text
    CheckConstraint("seq > 0", name="audit_seq_positive"),
)
Index("audit_pull_request", audit.c.repository_id, audit.c.number, audit.c.seq)
Index("audit_head", audit.c.head_sha)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Text, primary_key=True),  # canonical JSON
    Column("value", Double, nullable=False),
)
