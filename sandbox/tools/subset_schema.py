"""Cuts ``sandbox/schema.graphql`` out of GitHub's official SDL: what our documents use.

    python -m sandbox.tools.subset_schema OFFICIAL.graphql DOCUMENT... > sandbox/schema.graphql

Kept whole: every argument of a kept field, every value of a kept enum, every field of a kept input.
Dropped: descriptions, directives, fields nobody asks for, and union members nobody names.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    parse,
    print_ast,
    visit,
)

NOTICE = """\
# GitHub's GraphQL schema, as far as the sandbox serves it. Made by sandbox/tools/subset_schema.py.
# NOTICE: cut from the schema published as @octokit/graphql-schema, Copyright (c) GitHub, MIT
# licence (the text is in sandbox/NOTICE). Types, arguments and nullability are unchanged.
"""
SWEEP = Path(__file__).with_name("sweep.graphql")
# Abstract types whose members are all served, whether or not a document names them.
WHOLE = ("Actor", "GitObject", "GitSignature", "RepositoryOwner", "Assignee", "RequestedReviewer")
DROPPED_MEMBERS = frozenset({"Tag"})


def official(sdl: str) -> GraphQLSchema:
    """Build GitHub's own SDL; it breaks two of graphql-core's rules, hence both switches."""
    return build_schema(sdl, assume_valid=True, assume_valid_sdl=True)


class _Collector(Visitor):
    def __init__(self, info: TypeInfo, used: dict[str, set[str]]) -> None:
        super().__init__()
        self.info, self.used = info, used

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self.info.get_parent_type()
        if parent is None:
            raise SystemExit(f"unknown parent of {node.name.value}")
        if not node.name.value.startswith("__"):
            self.used[parent.name].add(node.name.value)

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
        if node.type_condition:
            self.used[node.type_condition.name.value].update()

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        self.used[node.type_condition.name.value].update()


def used_fields(schema: GraphQLSchema, documents: list[DocumentNode]) -> dict[str, set[str]]:
    """Type name -> field names that the documents, and the interfaces behind them, need."""
    used: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        info = TypeInfo(schema)
        visit(document, TypeInfoVisitor(info, _Collector(info, used)))
    for name in WHOLE:
        union = schema.type_map[name]
        if isinstance(union, GraphQLUnionType | GraphQLInterfaceType):
            for member in schema.get_possible_types(union):
                if member.name not in DROPPED_MEMBERS:
                    used[member.name].update()
    while _close(schema, used):
        pass
    return used


def _close(schema: GraphQLSchema, used: dict[str, set[str]]) -> bool:
    before = (len(used), sum(map(len, used.values())))
    for name in list(used):
        kind = schema.type_map[name]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for interface in kind.interfaces:
                used[name] |= used.get(interface.name, set())
            for field in used[name]:
                _add(used, get_named_type(kind.fields[field].type))
                for argument in kind.fields[field].args.values():
                    _add(used, get_named_type(argument.type))
        if isinstance(kind, GraphQLInputObjectType):
            for value in kind.fields.values():
                _add(used, get_named_type(value.type))
    return before != (len(used), sum(map(len, used.values())))


def _add(used: dict[str, set[str]], kind: GraphQLNamedType) -> None:
    if not is_specified_scalar_type(kind):
        used[kind.name].update()


def _fields(kind: GraphQLObjectType | GraphQLInterfaceType, names: set[str]) -> list[str]:
    lines = []
    for name in sorted(names):
        node = kind.fields[name].ast_node
        if not isinstance(node, FieldDefinitionNode):
            raise SystemExit(f"{kind.name}.{name} has no definition")
        lines.append(f"  {name}{_arguments(kind, name)}: {kind.fields[name].type}")
    return lines


def _arguments(kind: GraphQLObjectType | GraphQLInterfaceType, name: str) -> str:
    parts = []
    for argument in kind.fields[name].args.values():
        if (node := argument.ast_node) is None:
            raise SystemExit(f"{kind.name}.{name} has no definition")
        default = f" = {print_ast(node.default_value)}" if node.default_value else ""
        parts.append(f"{node.name.value}: {print_ast(node.type)}{default}")
    return f"({', '.join(parts)})" if parts else ""


def printed(schema: GraphQLSchema, used: dict[str, set[str]]) -> str:
    """The subset as SDL text, types in alphabetical order."""
    return (
        NOTICE
        + "\n"
        + "\n\n".join(
            text for name in sorted(used) if (text := _print(schema.type_map[name], used))
        )
        + "\n"
    )


def _print(kind: GraphQLNamedType, used: dict[str, set[str]]) -> str:
    from graphql import GraphQLEnumType, GraphQLScalarType

    if isinstance(kind, GraphQLScalarType):
        return f"scalar {kind.name}"
    if isinstance(kind, GraphQLEnumType):
        return f"enum {kind.name} {{\n" + "\n".join(f"  {value}" for value in kind.values) + "\n}"
    if isinstance(kind, GraphQLUnionType):
        members = [member.name for member in kind.types if member.name in used]
        return f"union {kind.name} = " + " | ".join(members)
    if isinstance(kind, GraphQLInputObjectType):
        lines = [f"  {name}: {field.type}" for name, field in kind.fields.items()]
        return f"input {kind.name} {{\n" + "\n".join(lines) + "\n}"
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        if not used[kind.name]:
            return ""
        word = "type" if isinstance(kind, GraphQLObjectType) else "interface"
        parents = [i.name for i in kind.interfaces if used.get(i.name)]
        implements = f" implements {' & '.join(parents)}" if parents else ""
        return (
            f"{word} {kind.name}{implements} {{\n"
            + "\n".join(_fields(kind, used[kind.name]))
            + "\n}"
        )
    raise SystemExit(f"no rule for {kind.name}")


def main(arguments: list[str]) -> None:
    """Print the subset for the given official SDL and documents."""
    schema = official(Path(arguments[0]).read_text(encoding="utf-8"))
    paths = [*map(Path, arguments[1:]), SWEEP]
    documents = [parse(path.read_text(encoding="utf-8")) for path in paths]
    sys.stdout.write(printed(schema, used_fields(schema, documents)))


if __name__ == "__main__":
    main(sys.argv[1:])
