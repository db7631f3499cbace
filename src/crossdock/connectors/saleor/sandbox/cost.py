"""What a request costs at Saleor, which refuses one that costs too much (core/validators/query_cost.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
)

MOST_COST = 50_000
# saleor/graphql/query_cost_map.py: 1 for each of these, times the rows of the lists around it.
COSTS = {
    "Query": {"app", "channels", "order", "orders", "product", "products", "productVariants"},
    "Allocation": {"warehouse"},
    "App": {"webhooks"},
    "Fulfillment": {"lines", "warehouse"},
    "Order": {"events", "fulfillments", "lines", "payments", "shippingMethods", "transactions"},
    "OrderLine": {"allocations", "variant"},
    "Payment": {"transactions"},
    "Product": {"attributes", "category", "channelListings", "collections", "description", "media", "variants"},
    "ProductVariant": {"attributes", "media", "pricing", "product"},
}


def cost_of(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    parts = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}

    def of(selections: Sequence[Any], kind: Any, rows: int) -> int:
        total = 0
        for node in selections:
            if isinstance(node, FragmentSpreadNode):
                total += of(parts[node.name.value].selection_set.selections, kind, rows)
            elif isinstance(node, InlineFragmentNode):
                total += of(node.selection_set.selections, kind, rows)
            elif isinstance(node, FieldNode) and (field := getattr(kind, "fields", {}).get(node.name.value)):
                inner = rows
                if node.name.value in COSTS.get(kind.name, ()):
                    inner = rows * _first(node, variables)
                    total += inner
                if node.selection_set:
                    total += of(node.selection_set.selections, get_named_type(field.type), inner)
        return total

    roots = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return sum(of(each.selection_set.selections, schema.get_root_type(each.operation), 1) for each in roots)


def _first(node: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in node.arguments:
        if argument.name.value == "first":
            name = getattr(getattr(argument.value, "name", None), "value", "")
            return int(variables.get(name, 1) if name else getattr(argument.value, "value", 1))
    return 1
