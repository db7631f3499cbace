"""Cuts the vendor's schema down to what our documents use, for the simulator. Run it after any change to a document.

`python -m crossdock.connectors.saleor.tests.cut <schema.graphql.gz>` writes schema.graphql and evidence.json beside the
simulator. The whole schema is saleor/graphql/schema.graphql of github saleor/saleor (BSD-3-Clause), 3.24.0-a.0 at
723cd4eba87d; it is not kept here. Output types keep the fields that we ask for, input types and enums are whole.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    validate,
    visit,
)

from crossdock.connectors.saleor.client import DOCUMENTS

SANDBOX = Path(__file__).parents[1] / "sandbox"
HEAD = "# Saleor's GraphQL schema (3.24.0-a.0, BSD-3-Clause), cut by tests/cut.py to what ../documents.graphql uses.\n"


def documents() -> dict[str, str]:
    """All that is sent: operations, and what the webhooks subscribe to."""
    return DOCUMENTS


def complaints(schema: GraphQLSchema) -> list[str]:
    return [f"{name}: {e.message}" for name, text in documents().items() for e in validate(schema, parse(text))]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def cut(schema: GraphQLSchema) -> str:
    fields: dict[str, set[str]] = {}
    inputs = {"ProductWhereInput", "OrderWhereInput"}

    class Uses(Visitor):
        def enter(self, node: Any, *_: Any) -> None:
            parent, there = info.get_parent_type(), info.get_field_def()
            if node.kind == "field" and parent is not None and there is not None:
                fields.setdefault(parent.name, set()).add(node.name.value)
                fields.setdefault(get_named_type(there.type).name, set())
                inputs.update(get_named_type(arg.type).name for arg in there.args.values())
            if node.kind == "inline_fragment" and parent is not None:
                fields.setdefault(node.type_condition.name.value, set())

    for text in documents().values():
        info = TypeInfo(schema)
        visit(parse(text), TypeInfoVisitor(info, Uses()))
    waiting, shown = sorted(inputs | fields.keys()), dict[str, str]()
    while waiting:
        name = waiting.pop()
        kind = schema.type_map[name]
        if name in shown or name in ("Int", "Float", "String", "Boolean", "ID"):
            continue
        shown[name], needed = _printed(kind, fields.get(name, set()))
        waiting += sorted(needed)
    return HEAD + "\n".join(shown[name] for name in sorted(shown) if shown[name])


def _printed(kind: GraphQLNamedType, used: set[str]) -> tuple[str, set[str]]:
    """The type as text, and the types that it names."""
    match kind:
        case GraphQLEnumType():
            return f"enum {kind.name} {{ {' '.join(kind.values)} }}\n", set()
        case GraphQLInputObjectType():
            rows = [f"  {name}: {field.type}" + _default(field) for name, field in kind.fields.items()]
            return f"input {kind.name} {{\n" + "\n".join(rows) + "\n}\n", _names(kind.fields.values())
        case GraphQLObjectType() | GraphQLInterfaceType():
            rows, needed = list[str](), set[str]()
            for name in sorted(used & kind.fields.keys()) or ["id" if "id" in kind.fields else next(iter(kind.fields))]:
                field = kind.fields[name]
                args = ", ".join(f"{arg}: {each.type}" + _default(each) for arg, each in field.args.items())
                rows.append(f"  {name}{f'({args})' if args else ''}: {field.type}")
                needed |= {get_named_type(field.type).name} | _names(field.args.values())
            word = "interface" if isinstance(kind, GraphQLInterfaceType) else "type"
            over = (
                " implements Event" if getattr(kind, "interfaces", ()) and "Event" in map(str, kind.interfaces) else ""
            )
            own = "" if not over or any(row.startswith("  issuedAt") for row in rows) else "  issuedAt: DateTime\n"
            return f"{word} {kind.name}{over} {{\n{own}" + "\n".join(rows) + "\n}\n", needed
        case GraphQLUnionType():
            return f"union {kind.name} = {' | '.join(map(str, kind.types))}\n", set(map(str, kind.types))
    return f"scalar {kind.name}\n", set()


def _names(fields: Any) -> set[str]:
    return {get_named_type(field.type).name for field in fields}


def _default(field: Any) -> str:
    if field.default_value is None or not field.ast_node or not field.ast_node.default_value:
        return ""
    from graphql import print_ast

    return f" = {print_ast(field.ast_node.default_value)}"


def main(path: Path) -> None:
    raw = gzip.decompress(path.read_bytes()).decode()
    schema = build_schema(raw)
    if wrong := complaints(schema):
        raise SystemExit("\n".join(wrong))
    text = cut(schema)
    if wrong := complaints(build_schema(text)):
        raise SystemExit("cut too deep:\n" + "\n".join(wrong))
    (SANDBOX / "schema.graphql").write_text(text)
    evidence = {
        "schema": "saleor/saleor@723cd4eba87d saleor/graphql/schema.graphql (3.24.0-a.0)",
        "full_schema_sha256": digest(raw),
        "cut_schema_sha256": digest(text),
        "documents_sha256": {name: digest(each) for name, each in sorted(documents().items())},
    }
    (SANDBOX / "evidence.json").write_text(json.dumps(evidence, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
