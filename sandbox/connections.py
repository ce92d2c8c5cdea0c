"""GraphQL connections: slices with cursors, and what a query costs by GitHub's formula."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    Visitor,
    visit,
)

NODE_LIMIT = 500_000
PAGE_LIMIT = 100


class Problem(Exception):
    """A GraphQL error as GitHub words it; ``kind`` goes into ``errors[].type``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def cursor(place: int) -> str:
    return base64.b64encode(f"cursor:v2:{place}".encode()).decode()


def _place(text: str) -> int:
    try:
        return int(base64.b64decode(text, validate=True).decode().rpartition(":")[2])
    except (binascii.Error, ValueError) as error:
        raise Problem(
            "INVALID_CURSOR_ARGUMENTS", f"`{text}` does not appear to be a valid cursor."
        ) from error


class Connection:
    """A slice of a list. Attributes are named as in GraphQL, so the default resolver finds them."""

    __slots__ = ("end", "filteredCount", "items", "start", "totalCount", "whole")

    def __init__(
        self, whole: Sequence[Any], *, first: int | None = None, last: int | None = None,
        after: str | None = None, before: str | None = None,
    ) -> None:  # fmt: skip
        total = len(whole)
        start = _place(after) + 1 if after else 0
        end = _place(before) if before else total
        start, end = min(max(start, 0), total), min(end, total)
        if first is not None:
            end = min(end, start + first)
        if last is not None:
            start = max(start, end - last)
        self.whole, self.start, self.end = whole, start, end
        self.totalCount = self.filteredCount = total
        self.items = list(whole[start:end])

    @property
    def nodes(self) -> list[Any]:
        return self.items

    @property
    def edges(self) -> list[dict[str, Any]]:
        return [
            {"cursor": cursor(self.start + place), "node": item}
            for place, item in enumerate(self.items)
        ]

    @property
    def pageInfo(self) -> dict[str, Any]:  # noqa: N802 - GraphQL's name
        return {
            "hasNextPage": self.end < len(self.whole),
            "hasPreviousPage": self.start > 0,
            "startCursor": cursor(self.start) if self.items else None,
            "endCursor": cursor(self.end - 1) if self.items else None,
        }


@dataclass(frozen=True, slots=True)
class Price:
    """points: what the call costs; nodes: how many it may return at most."""

    points: int
    nodes: int


@dataclass(slots=True)
class _Bill:
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    requests: int = 0
    nodes: int = 0


def price(
    document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
) -> Price:
    """GitHub's formula: connections asked for, as if every page were full, divided by 100.

    Source: "Rate limits and query limits for the GraphQL API". Problem for a page that is missing
    or above 100, or for more than 500,000 nodes: such a query is refused as a whole.
    """
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    defaults = {
        definition.variable.name.value: _literal(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    bill = _Bill(fragments, defaults | variables)
    _walk(operation.selection_set, 1, bill)
    if bill.nodes > NODE_LIMIT:
        raise Problem(
            "MAX_NODE_LIMIT_EXCEEDED",
            f"This query requests up to {bill.nodes:,} possible nodes which exceeds the maximum limit of {NODE_LIMIT:,}.",  # noqa: E501
        )
    return Price(max(1, round(bill.requests / 100)), bill.nodes)


def price_variables(document: DocumentNode) -> tuple[str, ...]:
    """The variables that the price depends on: page sizes, ids and conditions."""
    found = _Weights()
    visit(document, found)
    return tuple(sorted(found.names))


class _Weights(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        if node.name.value in ("first", "last", "ids", "if") and isinstance(
            node.value, VariableNode
        ):
            self.names.add(node.value.name.value)


def _literal(node: ValueNode) -> Any:
    return int(node.value) if isinstance(node, IntValueNode) else getattr(node, "value", None)


def _walk(selection: SelectionSetNode | None, parents: int, bill: _Bill) -> None:
    for node in selection.selections if selection else ():
        if _left_out(node, bill):
            continue
        if isinstance(node, FragmentSpreadNode):
            _walk(bill.fragments[node.name.value].selection_set, parents, bill)
        elif isinstance(node, InlineFragmentNode):
            _walk(node.selection_set, parents, bill)
        elif isinstance(node, FieldNode):
            _walk(node.selection_set, parents * _field(node, parents, bill), bill)


def _left_out(node: Any, bill: _Bill) -> bool:
    for directive in node.directives or ():
        if directive.name.value in ("include", "skip"):
            argument = next(a for a in directive.arguments if a.name.value == "if")
            value = _value(argument.value, bill)
            if value is (directive.name.value == "skip"):
                return True
    return False


def _value(node: ValueNode, bill: _Bill) -> Any:
    if isinstance(node, VariableNode):
        return bill.variables.get(node.name.value)
    if isinstance(node, ListValueNode):
        return list(node.values)
    return _literal(node)


def _field(node: FieldNode, parents: int, bill: _Bill) -> int:
    """How many of the field there may be for each parent; books it if it is a connection."""
    name = node.name.value
    arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
    if name == "nodes" and "ids" in arguments:
        ids = _value(arguments["ids"], bill)
        bill.nodes += len(ids or ())
        return max(1, len(ids or ()))
    inner = {n.name.value for n in _fields(node.selection_set, bill)}
    if not inner & {"nodes", "edges", "totalCount", "pageInfo"}:
        return 1
    bounds = {k: _value(arguments[k], bill) for k in ("first", "last") if k in arguments}
    bounds = {key: value for key, value in bounds.items() if value is not None}
    if not bounds:
        if inner & {"nodes", "edges"}:
            raise Problem(
                "MISSING_PAGINATION_BOUNDARIES",
                f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",  # noqa: E501
            )
        bill.requests += parents
        return 1
    for key, value in bounds.items():
        if not isinstance(value, int) or not 1 <= value <= PAGE_LIMIT:
            raise Problem(
                "EXCESSIVE_PAGINATION",
                f"Requesting {value} records on the `{name}` connection exceeds the `{key}` limit of {PAGE_LIMIT} records.",  # noqa: E501
            )
    size = min(bounds.values())
    bill.requests += parents
    bill.nodes += parents * size
    return int(size)


def _fields(selection: SelectionSetNode | None, bill: _Bill) -> list[FieldNode]:
    found: list[FieldNode] = []
    for node in selection.selections if selection else ():
        if isinstance(node, FieldNode):
            found.append(node)
        elif isinstance(node, FragmentSpreadNode):
            found += _fields(bill.fragments[node.name.value].selection_set, bill)
        elif isinstance(node, InlineFragmentNode):
            found += _fields(node.selection_set, bill)
    return found
