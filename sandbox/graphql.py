"""POST /graphql: parse, validate and price once per document, then execute against the world."""

from __future__ import annotations

import functools
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from sandbox.auth import AppCaller, Caller, Limits
from sandbox.connections import Price, Problem, price, price_variables
from sandbox.errors import Unauthorized
from sandbox.faults import Fault
from sandbox.objects import iso
from sandbox.resolvers import EVENT_FIELDS, FIELDS, Context, typename
from sandbox.world import World

SCHEMA = Path(__file__).with_name("schema.graphql")
DOCUMENTS_KEPT, ANSWERS_KEPT = 500, 500


def snake(name: str) -> str:
    """createdAt -> created_at."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


def _attribute(name: str) -> Callable[..., Any]:
    """The default: a key of a dict, else the attribute of that name in snake case."""
    attribute = "node_id" if name == "id" else snake(name)

    def resolve(source: Any, _info: Any, **_arguments: Any) -> Any:
        if isinstance(source, dict):
            return source.get(name)
        try:
            return getattr(source, attribute)
        except AttributeError:
            return getattr(source, name)

    return resolve


def _table(function: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        return function(source, info.context, **arguments)

    return resolve


def _event(function: Callable[[Any], Any], source: Any, _info: Any) -> Any:
    return function(source)


@functools.cache
def load_schema() -> GraphQLSchema:
    """The subset schema with a resolver on every field; built once a process."""
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, definition in kind.fields.items():
                own = FIELDS.get(f"{kind.name}.{name}")
                if own is not None:
                    definition.resolve = _table(own)
                elif kind.name.endswith("Event") and name in EVENT_FIELDS:
                    definition.resolve = functools.partial(_event, EVENT_FIELDS[name])
                else:
                    definition.resolve = _attribute(name)
        elif isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = typename
        elif isinstance(kind, GraphQLScalarType) and kind.name in ("DateTime", "GitTimestamp"):
            _serialize_as(kind, _moment)
    return schema


def _serialize_as(kind: GraphQLScalarType, function: Callable[[Any], Any]) -> None:
    """graphql-core 3.2 calls it serialize, 3.3 coerce_output_value as well: set what there is."""
    for name in ("serialize", "coerce_output_value"):
        if hasattr(kind, name):
            setattr(kind, name, function)


def _moment(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that parsed and validated; ``problem`` is the refusal if it did not."""

    document: DocumentNode | None
    operations: dict[str, OperationDefinitionNode]
    weights: tuple[str, ...] = ()  # the variables that the price depends on
    prices: dict[str, Price] = field(default_factory=dict)
    problem: dict[str, Any] | None = None


class Invalid(Exception):
    """A request that is answered with errors alone; ``body`` is the answer."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__("invalid request")
        self.body = body

    @classmethod
    def saying(cls, message: str) -> Invalid:
        return cls({"errors": [{"message": message}]})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be executed. ``key`` is equal for equal questions."""

    document: DocumentNode
    name: str | None
    variables: dict[str, Any]
    price: Price
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: HTTP status, JSON body, and what it cost."""

    status: int
    body: dict[str, Any]
    price: Price
    operation: str


class GraphQL:
    """Executes documents; the cache makes a repeated query cost execution alone."""

    def __init__(self, world: World) -> None:
        self.world, self.schema = world, load_schema()
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def prepare(self, query: str) -> Prepared:
        found = self._prepared.get(query)
        if found is None:
            found = self._prepared[query] = self._prepare(query)
            while len(self._prepared) > DOCUMENTS_KEPT:
                self._prepared.popitem(last=False)
        return found

    def _prepare(self, query: str) -> Prepared:
        try:
            document = parse(query)
        except GraphQLError as error:
            return Prepared(None, {}, problem={"errors": [_plain(error)]})
        errors = validate(self.schema, document)
        if errors:
            return Prepared(None, {}, problem={"errors": [_plain(error) for error in errors]})
        operations = {
            node.name.value if node.name else "": node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        return Prepared(document, operations, price_variables(document))

    def operation_name(self, body: dict[str, Any]) -> str:
        """What the counters and faults call this request."""
        query = body.get("query")
        prepared = self.prepare(query) if isinstance(query, str) else None
        wanted = body.get("operationName")
        if not prepared or not prepared.operations:
            return "invalid"
        names = list(prepared.operations)
        return str(wanted or names[0] or "anonymous")

    def execute(
        self, body: dict[str, Any], caller: Caller, limits: Limits, fault: Fault | None = None
    ) -> Answer:
        """Run one request; every outcome but missing credentials is HTTP 200, as on GitHub."""
        if isinstance(caller, AppCaller) or caller.viewer is None:
            raise Unauthorized("This endpoint requires you to be authenticated.")
        name = self.operation_name(body)
        try:
            asked = self._asked(body)
            self._charge(limits, asked.price, fault)
        except Invalid as invalid:
            return Answer(200, invalid.body, Price(1, 0), name)
        except Problem as problem:
            error = {"type": problem.kind, "message": str(problem)}
            return Answer(200, {"errors": [error]}, Price(1, 0), name)
        kind = fault.kind if fault else ""
        context = Context(
            self.world, caller, limits, asked.price, cut=kind == "truncated", empty=kind == "empty"
        )
        if kind == "stale" and asked.key in self._answers:
            return Answer(200, self._answers[asked.key], asked.price, name)
        answer = self._run(asked, context)
        if fault and kind == "partial":
            answer = _partial(answer, fault.field or "repository.pullRequest.reviews")
        else:
            self._keep(asked.key, answer)
        return Answer(200, answer, asked.price, name)

    def _charge(self, limits: Limits, cost: Price, fault: Fault | None) -> None:
        now = self.world.now()
        limits.roll(now)
        if fault and fault.kind == "primary":
            limits.exhaust("graphql", now, fault.seconds)
        if limits.remaining("graphql") < cost.points:
            raise Problem("RATE_LIMITED", "API rate limit exceeded for installation.")
        limits.spend("graphql", cost.points, now)

    def _asked(self, body: dict[str, Any]) -> Asked:
        """Check the request before anything is executed; Invalid or Problem if it is refused."""
        query, variables = body.get("query"), body.get("variables") or {}
        if not isinstance(query, str) or not query.strip():
            raise Invalid.saying("A query attribute must be specified and must be a string.")
        prepared = self.prepare(query)
        if prepared.problem or prepared.document is None:
            raise Invalid(prepared.problem or {})
        wanted = body.get("operationName")
        if wanted is None and len(prepared.operations) > 1:
            raise Invalid.saying("An operation name is required")
        operation = prepared.operations.get(wanted or next(iter(prepared.operations)))
        if operation is None or not isinstance(variables, dict):
            raise Invalid.saying("The operation or its variables are not usable")
        weighed = json.dumps([wanted, *(variables.get(name) for name in prepared.weights)])
        cost = prepared.prices.get(weighed)
        if cost is None:
            cost = prepared.prices[weighed] = price(prepared.document, operation, variables)
        key = json.dumps([query, wanted, variables], sort_keys=True, default=str)
        return Asked(prepared.document, wanted, variables, cost, key)

    def _keep(self, key: str, answer: dict[str, Any]) -> None:
        self._answers[key] = answer
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)

    def _run(self, asked: Asked, context: Context) -> dict[str, Any]:
        with self.world.lock:
            result = execute_sync(
                self.schema, asked.document, None, context, asked.variables,
                operation_name=asked.name,
            )  # fmt: skip
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [_plain(error) for error in result.errors]
        return body


def _plain(error: GraphQLError) -> dict[str, Any]:
    """An error in GitHub's shape: type first, then path, locations and message."""
    found: dict[str, Any] = {}
    if isinstance(error.original_error, Problem):
        found["type"] = error.original_error.kind
    if error.path:
        found["path"] = list(error.path)
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.original_error is not None and "type" not in found:
        raise error.original_error  # a bug of the sandbox must not look like an answer of GitHub
    return found | {"message": error.message}


def _partial(answer: dict[str, Any], path: str) -> dict[str, Any]:
    """Null one field and say that resources ran out, as a query that takes too long gets it."""
    steps = path.split(".")
    answer = json.loads(json.dumps(answer))
    here: Any = answer["data"]
    for step in steps[:-1]:
        here = (here or {}).get(step)
    if isinstance(here, dict):
        here[steps[-1]] = None
    message = "Resource limits for this query exceeded."
    error = {"type": "RESOURCE_LIMITS_EXCEEDED", "path": steps, "message": message}
    answer.setdefault("errors", []).append(error)
    return answer
