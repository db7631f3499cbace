"""Cuts the simulator's schema out of the real server's: what our documents use, and nothing else. Run by hand when
Vendure's version changes.

.venv/bin/python -m crossdock.connectors.vendure.tests.real.cut_schema INTROSPECTION.json
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    parse,
    visit,
)

from crossdock.connectors.vendure import client
from crossdock.connectors.vendure.client import document

FOLDER = Path(client.__file__).parent
# Inputs that reach the documents as variables, with the fields that the connector writes.
WRITTEN = {
    "ProductListOptions": "take skip sort filter",
    "ProductVariantListOptions": "take skip sort filter",
    "OrderListOptions": "take skip sort filter",
    "ProductSortParameter": "id updatedAt",
    "ProductVariantSortParameter": "id updatedAt",
    "OrderSortParameter": "id updatedAt orderPlacedAt createdAt",
    "ProductFilterParameter": "id updatedAt",
    "ProductVariantFilterParameter": "id updatedAt",
    "OrderFilterParameter": "updatedAt orderPlacedAt state customerLastName transactionId _or",
    "DateOperators": "after between isNull",
    "IDOperators": "in eq",
    "StringOperators": "eq in contains",
    "DateRange": "start end",
    "OrderLineInput": "orderLineId quantity",
    "CreateCustomerInput": "firstName lastName emailAddress",
    "CreateAddressInput": "fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber",
}


def operations() -> list[str]:
    return re.findall(r"^(?:query|mutation) (\w+)", (FOLDER / "documents.graphql").read_text(), flags=re.M)


class _Used(Visitor):
    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.fields: dict[str, set[str]] = {}
        self.types: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, kind = self.info.get_parent_type(), self.info.get_type()
        assert parent is not None and kind is not None
        self.fields.setdefault(parent.name, set()).add(node.name.value)
        self.types |= {parent.name, get_named_type(kind).name}

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        kind = self.info.get_parent_input_type()
        self.fields.setdefault(get_named_type(kind).name, set()).add(node.name.value)


def cut(schema: GraphQLSchema) -> str:
    used = _Used(TypeInfo(schema))
    for name in operations():
        visit(parse(document(name, 1)), TypeInfoVisitor(used.info, used))
    for name, fields in WRITTEN.items():
        used.fields.setdefault(name, set()).update(fields.split())
    return (
        "\n\n".join(
            _type(schema, schema.type_map[name], used)
            for name in sorted(_reached(schema, used))
            if not name.startswith("__")
        )
        + "\n"
    )


def _reached(schema: GraphQLSchema, used: _Used) -> set[str]:
    """Types that can be met: by a field, as an argument, as a member of a union."""
    waiting, found = {"Query", "Mutation"} | used.types, set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        kind = schema.type_map[name]
        near: set[GraphQLNamedType] = set()
        if isinstance(kind, GraphQLUnionType):
            near |= set(kind.types)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field in _kept(kind, used):
                near |= {
                    get_named_type(kind.fields[field].type),
                    *(get_named_type(argument.type) for argument in kind.fields[field].args.values()),
                }
        if isinstance(kind, GraphQLInputObjectType):
            near |= {get_named_type(kind.fields[field].type) for field in _kept(kind, used)}
        waiting |= {each.name for each in near} - found
    return {name for name in found if name not in ("String", "Int", "Float", "Boolean", "ID")}


def _kept(kind: GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType, used: _Used) -> list[str]:
    wanted = set(used.fields.get(kind.name, ()))
    if isinstance(kind, GraphQLObjectType):
        for interface in kind.interfaces:
            wanted |= used.fields.get(interface.name, set())
        wanted |= (
            {"errorCode", "message"} & set(kind.fields)
            if any(each.name == "ErrorResult" for each in kind.interfaces)
            else set()
        )
    if isinstance(kind, GraphQLInputObjectType):
        wanted |= {name for name, field in kind.fields.items() if str(field.type).endswith("!")}
    return [name for name in kind.fields if name in wanted] or [
        "id" if "id" in kind.fields else next(iter(kind.fields))
    ]


def _type(schema: GraphQLSchema, kind: GraphQLNamedType, used: _Used) -> str:
    if isinstance(kind, GraphQLUnionType):
        return f"union {kind.name} = {' | '.join(member.name for member in kind.types)}"
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        rows = []
        for name in _kept(kind, used):
            field = kind.fields[name]
            arguments = ", ".join(f"{key}: {argument.type}" for key, argument in field.args.items())
            rows.append(f"  {name}{f'({arguments})' if arguments else ''}: {field.type}")
        word = "interface" if isinstance(kind, GraphQLInterfaceType) else "type"
        above = [each.name for each in kind.interfaces if each.name == "ErrorResult"]
        return f"{word} {kind.name}{' implements ' + above[0] if above else ''} {{\n" + "\n".join(rows) + "\n}"
    if isinstance(kind, GraphQLInputObjectType):
        return (
            f"input {kind.name} {{\n"
            + "\n".join(f"  {name}: {kind.fields[name].type}" for name in _kept(kind, used))
            + "\n}"
        )
    if hasattr(kind, "values"):
        return f"enum {kind.name} {{ {' '.join(kind.values)} }}"
    return f"scalar {kind.name}"


def main() -> None:
    text = Path(sys.argv[1]).read_text()
    answer = json.loads(text)
    schema = build_client_schema(answer.get("data", answer))
    digest = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()
    head = (
        "# Cut by tests/real/cut_schema.py from the Admin API's answer to introspection of an unmodified @vendure/core"
        f" {client.API_VERSION}.3\n"
        f"# (what the connector uses of it, without descriptions; sha256 of the answer as sorted JSON: {digest}).\n\n"
    )
    (Path(__file__).parents[2] / "sandbox" / "schema.graphql").write_text(head + cut(schema))


if __name__ == "__main__":
    main()
