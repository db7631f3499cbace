"""Cuts the vendor's full schema down to what our operations use, and writes down what was checked against it. Run it
after any change to an operation.

`python -m crossdock.connectors.shopify.tests.cut <the full introspection, .json.gz>` writes schema.graphql and
evidence.json beside the simulator. The full introspection is in the npm package @shopify/dev-mcp (1.16.0, ISC licence),
dist/data/admin_<version>.json.gz; it is not kept here.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from graphql import (
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    build_client_schema,
    lexicographic_sort_schema,
    parse,
    print_ast,
    print_schema,
    validate,
    visit,
)

from crossdock.connectors.shopify.client import DOCUMENTS
from crossdock.connectors.shopify.manifest import API_VERSION

SANDBOX = Path(__file__).parents[1] / "sandbox"
# Types that only answers name: what stands behind the interface Media.
BEHIND_INTERFACES = {"MediaImage": {"id", "preview"}}
_BUILT_IN = {"Int", "Float", "String", "Boolean", "ID"}
_HEAD = """# Shopify Admin GraphQL API, cut down to what ../documents.graphql uses; made by cut.py, never by hand. \
Derived from the npm package
# @shopify/dev-mcp (ISC licence). Output types keep the fields that we ask for, input types and enums are whole.
directive @idempotent(key: String!) on FIELD
schema { query: QueryRoot mutation: Mutation }
"""


def full_schema(path: Path) -> tuple[GraphQLSchema, str]:
    """The schema, and the SHA-256 of its unpacked JSON."""
    raw = gzip.decompress(path.read_bytes())
    return build_client_schema(json.loads(raw)["data"]), hashlib.sha256(raw).hexdigest()


def complaints(schema: GraphQLSchema) -> list[str]:
    """What the schema has against our operations; empty is right."""
    return [f"{name}: {error.message}" for name, text in DOCUMENTS.items() for error in validate(schema, parse(text))]


def cut(schema: GraphQLSchema) -> str:
    used = _used(schema)
    definitions = {
        node.name.value: node
        for node in parse(print_schema(lexicographic_sort_schema(schema)), no_location=True).definitions
        if hasattr(node, "name")
    }
    kept: dict[str, DefinitionNode] = {}
    waiting = sorted(used)
    while waiting:
        name = waiting.pop()
        if name in kept or name in _BUILT_IN:
            continue
        kept[name] = _trimmed(definitions[name], used)
        waiting += sorted(_named(kept[name]))
    return _HEAD + "\n".join(print_ast(_bare(kept[name])) for name in sorted(kept)) + "\n"


def _used(schema: GraphQLSchema) -> dict[str, set[str]]:
    """Output types with the fields that our operations ask for, and the types that they name."""
    used: dict[str, set[str]] = {name: set(fields) for name, fields in BEHIND_INTERFACES.items()}
    info = TypeInfo(schema)

    class Uses(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = info.get_parent_type()
            if parent is not None:
                used.setdefault(parent.name, set()).add(node.name.value)

        def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
            used.setdefault(node.type_condition.name.value, {"id"})

        def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
            used.update({name: used.get(name, set()) for name in _named(node.type) if name not in _BUILT_IN})

    for text in DOCUMENTS.values():
        visit(parse(text), TypeInfoVisitor(info, Uses()))
    return used


def _trimmed(node: DefinitionNode, used: dict[str, set[str]]) -> DefinitionNode:
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        wanted = used.get(node.name.value, set()) | {"id"}
        node.fields = tuple(field for field in node.fields if field.name.value in wanted)
        node.interfaces = tuple(
            face for face in node.interfaces if face.name.value in used or face.name.value == "Node"
        )
    return node


def _named(node: Any) -> set[str]:
    names: set[str] = set()

    class Names(Visitor):
        def enter_named_type(self, named: NamedTypeNode, *_: object) -> None:
            names.add(named.name.value)

    visit(node, Names())
    return names


def _bare(node: DefinitionNode) -> DefinitionNode:
    """Without descriptions and directives (deprecations, oneOf)."""

    class Bare(Visitor):
        def enter(self, part: Any, *_: object) -> None:
            if getattr(part, "description", None) is not None:
                part.description = None
            if not isinstance(part, DocumentNode) and getattr(part, "directives", None):
                part.directives = ()

    visit(node, Bare())
    kinds = (
        ObjectTypeDefinitionNode
        | InterfaceTypeDefinitionNode
        | InputObjectTypeDefinitionNode
        | EnumTypeDefinitionNode
        | ScalarTypeDefinitionNode
    )
    assert isinstance(node, kinds)
    return node


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main(path: str) -> None:
    schema, full = full_schema(Path(path))
    wrong = complaints(schema)
    if wrong:
        sys.exit("Shopify's schema refuses our operations:\n" + "\n".join(wrong))
    text = cut(schema)
    (SANDBOX / "schema.graphql").write_text(text)
    evidence = {
        "api_version": API_VERSION,
        "source": f"npm @shopify/dev-mcp 1.16.0, dist/data/admin_{API_VERSION}.json.gz",
        "full_schema_sha256": full,
        "cut_schema_sha256": digest(text),
        "documents_sha256": {name: digest(document) for name, document in sorted(DOCUMENTS.items())},
    }
    (SANDBOX / "evidence.json").write_text(json.dumps(evidence, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
