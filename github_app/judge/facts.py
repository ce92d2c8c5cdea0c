"""The facts of one pull request: what GitHub said at one moment, as frozen values in its words.

The gateway makes these values and the judge reads them; nobody changes them. Where GitHub may
withhold something, the field says how: ``None`` means *not known*, never *no*.
Source: GitHub's GraphQL schema; field names follow it, in snake case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ActorKind(StrEnum):
    """GitHub's ``Actor.__typename``. Only a ``USER`` is a person; only a person can sign off."""

    USER = "User"
    BOT = "Bot"
    MANNEQUIN = "Mannequin"
    ORGANIZATION = "Organization"
    ENTERPRISE_USER = "EnterpriseUserAccount"
    UNKNOWN = "Unknown"  # a type GitHub added after this was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An authenticated account. ``id`` is the numeric database id and *is* the identity.

    ``login`` is as GitHub spells it; a bot's has no ``[bot]`` suffix here.
    """

    kind: ActorKind
    login: str
    id: int | None

    @property
    def key(self) -> str:
        """The login as GitHub compares it: without regard to case."""
        return self.login.casefold()

    @property
    def is_person(self) -> bool:
        return self.kind is ActorKind.USER


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """``id`` is the numeric database id: names change hands, ids do not.

    ``former_names`` (``owner/name``) are not GitHub's word: what it was called when we saw it.
    """

    id: int
    owner: str
    name: str
    private: bool = True
    default_branch: str | None = None
    former_names: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which a roster may mean it."""
        return (self.full_name, *self.former_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitIdentity:
    """A name and e-mail inside a commit: whatever the committer typed.

    ``user`` is the account GitHub ties to the e-mail; None for nobody *and* for bots.
    It can make somebody a contributor; it never grants anything.
    """

    name: str
    email: str
    user: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """GitHub's word on a commit's signature. ``state`` is ``GitSignatureState``."""

    valid: bool
    state: str
    by_github: bool = False  # signed with GitHub's own web-flow key
    signer: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of the pull request.

    ``authors`` is the git author first, then the co-authors GitHub resolved (at most what it
    listed: ``authors_complete`` says whether that was all). The times in a commit are whatever
    the committer typed: ``authored_at`` (aware, UTC) tells a copy of a commit and nothing else.
    ``additions``, ``deletions`` and ``changed_files`` are against the first parent; None: not said.
    """

    oid: str
    message: str
    author: GitIdentity
    committer: GitIdentity
    authors: tuple[GitIdentity, ...] = ()
    authors_complete: bool = True
    parents: tuple[str, ...] = ()
    signature: Signature | None = None
    committed_via_web: bool = False
    authored_at: datetime | None = None
    additions: int | None = None
    deletions: int | None = None
    changed_files: int | None = None
    tree_oid: str | None = None


class ReviewState(StrEnum):
    """``PullRequestReviewState``."""

    PENDING = "PENDING"
    COMMENTED = "COMMENTED"
    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A submitted review. ``commit_oid`` is the head the reviewer saw; None when GitHub lost it.

    ``can_push`` is the reviewer's right *now*; None when GitHub did not say.
    ``author`` None is a deleted account.
    """

    id: int
    author: Actor | None
    state: ReviewState
    commit_oid: str | None
    submitted_at: datetime | None
    can_push: bool | None = None


class FileKind(StrEnum):
    """What a changed file is, or becomes, that its path does not tell. In words for a sentence."""

    SYMLINK = "is a symbolic link"
    SUBMODULE = "is a submodule"
    LFS_POINTER = "is a Git LFS pointer, its content is elsewhere"
    BINARY = "is a binary file"
    HIDDEN = "is changed in a way that the diff does not show"
    MODE = "changes its mode"
    ODD_MODE = "has a mode that git does not use"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """``previous_path`` is None where unknown *or* not renamed; ``change`` tells a rename.

    ``kinds`` is what the diff showed of it (see ``PullRequest.diff_read``).
    """

    path: str
    change: str = "MODIFIED"  # PatchStatus: ADDED, DELETED, RENAMED, COPIED, MODIFIED, CHANGED
    additions: int = 0
    deletions: int = 0
    previous_path: str | None = None
    kinds: tuple[FileKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyEdit:
    """One revision of the PR's body, newest first in a pull request.

    ``text`` is the whole body after the edit; None when somebody blanked the revision.
    """

    edited_at: datetime
    editor: Actor | None
    text: str | None


class EventKind(StrEnum):
    """The timeline items that are read: GitHub's ``__typename``."""

    LABELED = "LabeledEvent"
    UNLABELED = "UnlabeledEvent"
    RENAMED_TITLE = "RenamedTitleEvent"
    FORCE_PUSHED = "HeadRefForcePushedEvent"
    HEAD_DELETED = "HeadRefDeletedEvent"
    HEAD_RESTORED = "HeadRefRestoredEvent"
    BASE_CHANGED = "BaseRefChangedEvent"
    BASE_FORCE_PUSHED = "BaseRefForcePushedEvent"
    BASE_CHANGED_BY_GITHUB = "AutomaticBaseChangeSucceededEvent"
    REVIEW_DISMISSED = "ReviewDismissedEvent"
    CONVERTED_TO_DRAFT = "ConvertToDraftEvent"
    READY_FOR_REVIEW = "ReadyForReviewEvent"
    QUEUED = "AddedToMergeQueueEvent"
    UNQUEUED = "RemovedFromMergeQueueEvent"
    AUTO_MERGE_ON = "AutoMergeEnabledEvent"
    AUTO_MERGE_OFF = "AutoMergeDisabledEvent"
    ASSIGNED = "AssignedEvent"
    REVIEW_REQUESTED = "ReviewRequestedEvent"
    CLOSED = "ClosedEvent"
    REOPENED = "ReopenedEvent"
    MERGED = "MergedEvent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One timeline item, oldest first in a pull request. Times are GitHub's own.

    ``before``/``after`` hold what changed, in the words of the kind: titles, branch names, or the
    commit ids of a force-push. ``subject`` is the assignee or requested reviewer.
    ``review_id`` is the review that was dismissed; None where GitHub has lost it.
    ``label`` is what the label is called *now*: anybody who can write may have renamed it since.
    """

    kind: EventKind
    id: str
    at: datetime
    actor: Actor | None
    label: str | None = None
    label_edited_at: datetime | None = None
    before: str | None = None
    after: str | None = None
    subject: Actor | None = None
    review_id: int | None = None
    previous_review_state: ReviewState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """An authenticated push to the head branch, from the repository's activity list."""

    actor: Actor | None
    before: str
    after: str
    at: datetime
    kind: str  # push, force_push, branch_creation, pr_merge, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """Our own latest check run on the head, as it stands on GitHub."""

    id: int
    status: str
    conclusion: str | None
    external_id: str | None
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """Another open pull request of this repository with the very same head commit."""

    number: int
    base_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """The pull request's place in a merge queue; ``head_oid`` is the group's commit."""

    head_oid: str | None
    base_oid: str | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """Everything the judge knows of one pull request, read at ``taken_at`` (aware, UTC).

    Every list is complete: the gateway refuses a snapshot that is not. The exceptions say so:
    ``files_complete`` False means rules on paths must assume that everything was touched;
    ``pushes`` None means that nobody asked, or that GitHub cannot know (a fork);
    ``diff_read`` None that nobody asked for the diff, which alone tells ``kinds`` and
    ``previous_path`` of the files, False that GitHub does not show all of it;
    ``former_commits`` are those that were forced away, None where nobody asked, and only some of
    them where ``former_complete`` is False;
    ``can_push`` has the accounts (by id) whose right to push was looked up, ``Review.can_push``
    that of reviewers.
    ``author`` None is a deleted account. ``pulls_from_base``: how many open pull requests have the
    base branch as their head, None where the base branch is gone.
    """

    repository: Repository
    number: int
    node_id: str
    title: str
    body: str
    state: str  # OPEN, CLOSED, MERGED
    draft: bool
    author: Actor | None
    base_ref: str
    base_oid: str
    head_ref: str
    head_oid: str
    head_repository: Repository | None
    cross_repository: bool
    maintainer_can_modify: bool
    updated_at: datetime
    taken_at: datetime
    labels: tuple[str, ...] = ()
    commits: tuple[Commit, ...] = ()
    reviews: tuple[Review, ...] = ()
    files: tuple[ChangedFile, ...] = ()
    files_complete: bool = True
    diff_read: bool | None = None
    body_edits: tuple[BodyEdit, ...] = ()
    timeline: tuple[Event, ...] = ()
    pushes: tuple[Push, ...] | None = None
    former_commits: tuple[Commit, ...] | None = None
    former_complete: bool = True
    can_push: Mapping[int, bool] = field(default_factory=dict, hash=False)
    siblings: tuple[Sibling, ...] = ()
    check: CheckRun | None = None
    queue_entry: QueueEntry | None = None
    merge_commit_oid: str | None = None
    merged_by: Actor | None = None
    pulls_from_base: int | None = None
