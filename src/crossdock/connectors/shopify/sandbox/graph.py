"""Executes GraphQL against the cut-down schema of the vendor: what its types refuse is refused here.

Costs points, like the real one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)
from graphql.execution.values import get_argument_values, get_directive_values, get_variable_values

# "Each combination of app and store is given a bucket": 100 points a second on the smallest plan. This shop is on
# Plus, so that the demo is quick.
RESTORE_RATE, BUCKET = 1000.0, 20_000.0
MOST_POINTS = 1000
MUTATION_POINTS, CONNECTION_POINTS = 10, 2


@cache
def schema() -> GraphQLSchema:
    return build_schema(files(__package__).joinpath("schema.graphql").read_text("utf-8"))


@cache
def _parsed(text: str) -> DocumentNode:
    """Raises GraphQLError; checked once per text."""
    document = parse(text)
    for error in validate(schema(), document):
        raise error
    return document


@dataclass
class Bucket:
    """The points of one app in this shop."""

    restore: float = RESTORE_RATE
    size: float = BUCKET
    level: float = BUCKET
    at: float = 0.0

    def fill(self, now: float) -> None:
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.restore)
        self.at = now

    def status(self) -> dict[str, float]:
        return {"maximumAvailable": self.size, "currentlyAvailable": int(self.level), "restoreRate": self.restore}


Resolvers = Callable[[str], Mapping[str, Any]]


def answer(body: bytes, roots: Resolvers, bucket: Bucket, now: float) -> dict[str, Any]:
    """The answer to one request. `roots("query" | "mutation")` gives the root fields' resolvers."""
    try:
        sent = json.loads(body)
        document = _parsed(sent["query"])
        operation = _operation(document, sent.get("operationName"))
    except GraphQLError as error:
        return {"errors": [error.formatted]}
    except (ValueError, KeyError, TypeError):
        return {"errors": [{"message": "Bad request"}]}
    variables = get_variable_values(schema(), operation.variable_definitions, sent.get("variables") or {})
    if isinstance(variables, list):
        return {"errors": [error.formatted | {"extensions": {"code": "INVALID_VARIABLE"}} for error in variables]}
    bucket.fill(now)
    asked = _Costs(document, variables).of(operation)
    if asked > MOST_POINTS:
        words = f"Query cost is {asked}, which exceeds the single query max cost limit ({MOST_POINTS})."
        return {"errors": [{"message": words, "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
    if asked > bucket.level:
        return throttled(asked, bucket)
    result = execute_sync(
        schema(),
        document,
        root_value=roots(operation.operation.value),
        variable_values=sent.get("variables"),
        operation_name=sent.get("operationName"),
    )
    return _finished(result, asked, operation, bucket)


def throttled(asked: int, bucket: Bucket) -> dict[str, Any]:
    cost = {"requestedQueryCost": asked, "actualQueryCost": None, "throttleStatus": bucket.status()}
    return {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": {"cost": cost}}


def _finished(
    result: ExecutionResult, asked: int, operation: OperationDefinitionNode, bucket: Bucket
) -> dict[str, Any]:
    real = _objects(result.data) + (MUTATION_POINTS if operation.operation.value == "mutation" else 0)
    bucket.level -= min(real, asked)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    body["extensions"] = {
        "cost": {"requestedQueryCost": asked, "actualQueryCost": real, "throttleStatus": bucket.status()}
    }
    return body


def _objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_objects(part) for part in value.values())
    return sum(_objects(part) for part in value) if isinstance(value, list) else 0


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and (name is None or (node.name and node.name.value == name)):
            return node
    raise GraphQLError(f"No operation named {name!r}")


def requested(text: str, variables: Mapping[str, Any]) -> int:
    """What a request would cost at most, in points."""
    document = _parsed(text)
    return _Costs(document, variables).of(_operation(document, None))


class _Costs:
    """Counted from the sizes asked for: an object 1, a connection 2 and its nodes, a list argument its length, a
    mutation 10.
    """

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._variables = dict(variables)
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def of(self, operation: OperationDefinitionNode) -> int:
        mutation = operation.operation.value == "mutation"
        root = schema().mutation_type if mutation else schema().query_type
        return self._selected(operation.selection_set, root) + (MUTATION_POINTS if mutation else 0)

    def _selected(self, selected: SelectionSetNode | None, parent: Any, first: int = 1) -> int:
        """`first` is the size of the connection that `parent` is: it counts for its nodes, not for its pageInfo."""
        return sum(self._one(node, parent, first) for node in (selected.selections if selected else ()))

    def _one(self, node: Any, parent: Any, first: int) -> int:
        for name, skips in (("skip", True), ("include", False)):
            directive = schema().get_directive(name)
            values = get_directive_values(directive, node, self._variables) if directive else None
            if values is not None and values["if"] is skips:
                return 0
        if isinstance(node, FragmentSpreadNode):
            return self._selected(self._fragments[node.name.value].selection_set, parent, first)
        if isinstance(node, InlineFragmentNode):
            return self._selected(node.selection_set, schema().get_type(node.type_condition.name.value))
        return self._field(node, parent, first)

    def _field(self, node: FieldNode, parent: Any, first: int) -> int:
        definition = parent.fields[node.name.value]
        kind = get_named_type(definition.type)
        if is_leaf_type(kind):
            return 0
        arguments = get_argument_values(definition, node, self._variables)
        if kind.name.endswith("Connection"):
            return CONNECTION_POINTS + self._selected(node.selection_set, kind, arguments.get("first") or 250)
        inside = self._selected(node.selection_set, kind)
        if parent.name.endswith("Connection") and node.name.value == "nodes":
            return first * (1 + inside)
        many = arguments.get("first") or len(arguments.get("ids") or arguments.get("names") or [None])
        return int(many * (1 + inside))
