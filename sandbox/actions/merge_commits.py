"""The commits that GitHub makes for a merge, a squash or a rebase; no branch moves here."""

from __future__ import annotations

import re

from sandbox.errors import MethodNotAllowed
from sandbox.git import EMPTY_TREE, Commit, MergeConflict, Signature, merge_trees
from sandbox.objects import WEB_FLOW, Account, PullRequest
from sandbox.world import World

_CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.+<[^<>]+>)\s*$", re.IGNORECASE | re.MULTILINE)


def merged_tip(
    world: World, pull: PullRequest, tip: str, by: Account, method: str, title: str = "",
    message: str = "",
) -> str:  # fmt: skip
    """The new tip of the base branch after merging the pull request onto ``tip`` by this method."""
    store = pull.repository.store
    if method == "rebase":
        return _rebased(world, pull, tip, by)
    base = store.merge_base(tip, pull.head_sha)
    try:
        tree = merge_trees(
            store.commits[base].tree if base else EMPTY_TREE,
            store.commits[tip].tree,
            store.commits[pull.head_sha].tree,
        )
    except MergeConflict as conflict:
        raise MethodNotAllowed("Pull Request is not mergeable") from conflict
    now = world.now()
    web = Signature(*WEB_FLOW, now)
    if method == "merge":
        source = f"{(pull.head_repository or pull.repository).owner.login}/{pull.head_ref}"
        text = title or f"Merge pull request #{pull.number} from {source}"
        body = message or pull.title
        author = Signature(by.name or by.rest_login, by.email, now)
        parents = [tip, pull.head_sha]
        return store.commit(tree, parents, author, web, f"{text}\n\n{body}", "web-flow").sha
    who = pull.author
    author = Signature(who.name or who.rest_login, who.email, now)
    text = squash_message(pull, title, message)
    return store.commit(tree, [tip], author, web, text, "web-flow").sha


def squash_message(pull: PullRequest, title: str = "", message: str = "") -> str:
    """GitHub's default: one commit keeps its message, several are listed; co-authors at the end."""
    commits = [c for c in pull.commits if len(c.parents) < 2]
    if len(commits) == 1:
        headline, _, body = commits[0].message.partition("\n")
        body = body.strip("\n")
    else:
        headline, body = pull.title, "\n\n".join(f"* {c.message.strip()}" for c in commits)
    body = message or body
    text = title or f"{headline} (#{pull.number})"
    others = [found for found in co_authors(pull, commits) if found not in body]
    trailers = "\n".join(f"Co-authored-by: {other}" for other in others)
    rule = "\n\n---------\n\n" if len(commits) > 1 else "\n\n"
    return text + (f"\n\n{body}" if body else "") + (f"{rule}{trailers}" if trailers else "")


def co_authors(pull: PullRequest, commits: list[Commit]) -> list[str]:
    """Everyone but the pull request's author who wrote a commit, in order, once each."""
    found: dict[str, str] = {}
    for commit in commits:
        lines = [
            f"{commit.author.name} <{commit.author.email}>",
            *_CO_AUTHOR.findall(commit.message),
        ]
        for line in lines:
            email = line.rsplit("<", 1)[1].rstrip(">").lower()
            if email not in (e.lower() for e in (*pull.author.emails, pull.author.noreply)):
                found.setdefault(email, line)
    return list(found.values())


def _rebased(world: World, pull: PullRequest, tip: str, by: Account) -> str:
    """Every commit again on top of ``tip``, with GitHub's committer: SHAs always change."""
    store = pull.repository.store
    now = world.now()
    committer = Signature(by.name or by.rest_login, by.email, now)
    for commit in pull.commits:
        if len(commit.parents) > 1:
            continue
        parent = store.commits[commit.parents[0]].tree if commit.parents else EMPTY_TREE
        try:
            tree = merge_trees(parent, store.commits[tip].tree, commit.tree)
        except MergeConflict as conflict:
            raise MethodNotAllowed("This branch can't be rebased") from conflict
        tip = store.commit(tree, [tip], commit.author, committer, commit.message).sha
    return tip
