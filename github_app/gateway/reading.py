"""How any list is read from GraphQL: to its end, in pages as large as GitHub can bear."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from github_app.gateway.client import Installation
from github_app.gateway.errors import IncompleteSnapshot, NotFound, TooHeavy
from github_app.gateway.nodes import Node, Surprise, child, flag, number, text

MOST_PAGES = 1_000  # 100,000 open pull requests
PAGE_SIZES = (100, 50, 25)  # the next one when GitHub gives up on a query; 100 is its limit


class Reading:
    """Several queries that belong together: their page size, and what they cost in all."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._sizes = list(PAGE_SIZES)
        self.cost = 0
        self.remaining: int | None = None

    def ask(
        self,
        operation: str,
        variables: Mapping[str, object],
        *,
        tolerate: tuple[str, ...] = (),
        most: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """Ask, with ``$size`` set; in smaller pages when GitHub gives up, never for fewer facts.

        ``most``: further size variables and their own upper bounds. Raises: GitHubError.
        """
        while True:
            size = self._sizes[0]
            sizes = {name: min(bound, size) for name, bound in (most or {}).items()}
            try:
                result = self._installation.query(
                    operation, {**variables, "size": size, **sizes}, tolerate=tolerate
                )
            except TooHeavy:
                if len(self._sizes) == 1:
                    raise
                self._sizes.pop(0)
                continue
            self.cost += result.cost
            self.remaining = result.remaining
            return result.data


class Cursor:
    """Where the next page of one list begins. A cursor that comes again would never end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[str] = set()
        self.next: str | None = None
        self.done = False

    def advance(self, connection: Node) -> None:
        """Read a page's ``pageInfo``. Raises: IncompleteSnapshot where it leads nowhere."""
        info = child(connection, "pageInfo")
        self.done = not flag(info, "hasNextPage")
        if self.done:
            return
        self.next = text(info, "endCursor")
        if self.next in self._seen or len(self._seen) == MOST_PAGES:
            raise IncompleteSnapshot(f"the pages of {self._what} do not end")
        self._seen.add(self.next)


def home(data: Mapping[str, Any], repository_id: int) -> Node:
    """The repository of an answer. Raises: NotFound if another one has this name by now."""
    node: Node | None = data["repository"]
    if node is None:
        raise NotFound("there is no such repository, or the app may not see it")
    if number(node, "databaseId") != repository_id:
        raise NotFound("another repository has this name now")
    return node


@contextmanager
def refusing_surprises() -> Iterator[None]:
    """Turn what GitHub's schema does not promise into a refusal."""
    try:
        yield
    except (Surprise, KeyError, TypeError, ValueError, OverflowError) as error:
        raise IncompleteSnapshot("GitHub's answer has an unexpected shape") from error
