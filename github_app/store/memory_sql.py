"""The statements of the memory: which rows belong to a change. Read ``_carried`` first."""

from typing import Any

from sqlalchemy import BindParameter, Select, Table, bindparam, exists, select

from github_app.store.statement import insert
from github_app.store.tables import (
    evidence,
    heads,
    likenesses,
    merges,
    patches,
    pushers,
    pushes,
)

_PUSHES_FOLLOWED = 2_000  # of a branch, newest first; a branch that long is no topic branch

_values: BindParameter[str] = bindparam("values", expanding=True)
_repository: BindParameter[int] = bindparam("repository")


def _of_pull(table: Table) -> Select[Any]:
    return select(table).where(
        table.c.repository_id == _repository, table.c.number == bindparam("its_number")
    )


def _carried(table: Table) -> Select[Any]:
    """Rows of other pull requests that these commits were the head of, then or later.

    A commit that was a head *before* the evidence appeared does not carry it: whoever builds on
    the first, human half of a branch does not inherit what its second half did. After it, the
    evidence may have been amended away from exactly these commits, so it stays with them.
    """
    same_pull = (heads.c.repository_id == table.c.repository_id) & (
        heads.c.number == table.c.number
    )
    return (
        select(table)
        .join(heads, same_pull)
        .where(
            heads.c.repository_id == _repository,
            heads.c.oid.in_(_values),
            heads.c.last_seen >= table.c.first_seen,
        )
    )


EVIDENCE_OF_PULL = _of_pull(evidence)
EVIDENCE_CARRIED = _carried(evidence)
EVIDENCE_OF_COMMITS = select(evidence).where(
    evidence.c.repository_id == _repository, evidence.c.commit_oid.in_(_values)
)
PATCHES = select(patches).where(
    patches.c.repository_id == _repository, patches.c.patch_id.in_(_values)
)
# What a merged pull request left behind is its base's content too: whoever takes back what came
# after it ends with the very same, and has nothing to do with it.
EVIDENCE_OF_PATCHES = PATCHES.where(
    ~exists().where(
        merges.c.repository_id == patches.c.repository_id, merges.c.number == patches.c.origin
    )
)
EVIDENCE_OF_MERGES = (
    select(evidence)
    .join(
        merges,
        (merges.c.repository_id == evidence.c.repository_id)
        & (merges.c.number == evidence.c.number),
    )
    .where(merges.c.repository_id == _repository, merges.c.merge_oid.in_(_values))
)
ALIKE = (
    select(likenesses)
    .where(likenesses.c.repository_id == _repository, likenesses.c.likeness.in_(_values))
    .order_by(likenesses.c.first_seen.desc(), likenesses.c.likeness, likenesses.c.head_oid)
)
LIKENESSES_OF_PULL = _of_pull(likenesses)
DIGESTS_OF_PULL = _of_pull(evidence).with_only_columns(evidence.c.digest)
PUSHERS_OF_PULL = _of_pull(pushers)
PUSHERS_CARRIED = _carried(pushers)
PUSHES_OF_COMMITS = select(pushes).where(
    pushes.c.repository_id == _repository, pushes.c.after.in_(_values)
)
PUSHES_OF_BRANCH = (
    select(pushes)
    .where(pushes.c.repository_id == _repository, pushes.c.ref == bindparam("its_ref"))
    .order_by(pushes.c.first_seen.desc(), pushes.c.digest)
    .limit(_PUSHES_FOLLOWED)
)
PUSH_TO = select(pushes.c.after).where(
    pushes.c.repository_id == _repository,
    pushes.c.after == bindparam("its_after"),
    pushes.c.ref == bindparam("its_ref"),
)
HEADS = _of_pull(heads)
HEAD = _of_pull(heads).where(heads.c.oid == bindparam("its_oid"))


def keeping_first(dialect: str, table: Table) -> Any:  # noqa: ANN401 - an Insert of either dialect
    new = insert(dialect, table)
    return new.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={"first_seen": new.excluded.first_seen},
        where=table.c.first_seen > new.excluded.first_seen,
    )
