"""The simulated Admin API: our documents executed against the cut-down schema.

What the schema does not have, the simulator refuses like the server does.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from crossdock.connectors.vendure.sandbox.books import SHIPPING, BadField, Books, Denied, Doc, NoSuchEntity, Stumbled
from crossdock.connectors.vendure.sandbox.places import levels, places
from crossdock.connectors.vendure.sandbox.shelves import Begun

MOST_TAKEN = 1000
FORBIDDEN = "You are not currently authorized to perform this action"
# What each root field asks of the role; the empty ones only of somebody signed in.
RIGHTS = {
    "activeChannel": "",
    "globalSettings": "",
    "products": "ReadProduct",
    "product": "ReadProduct",
    "productVariants": "ReadProduct",
    "stockLocations": "ReadStockLocation",
    "shippingMethods": "ReadShippingMethod",
    "countries": "ReadCountry",
    "orders": "ReadOrder",
    "order": "ReadOrder",
    "eligibleShippingMethodsForDraftOrder": "CreateOrder",
    "createDraftOrder": "CreateOrder",
    "setCustomerForDraftOrder": "CreateOrder",
    "setDraftOrderShippingAddress": "CreateOrder",
    "setDraftOrderBillingAddress": "CreateOrder",
    "unsetDraftOrderShippingAddress": "CreateOrder",
    "addItemToDraftOrder": "CreateOrder",
    "setDraftOrderShippingMethod": "CreateOrder",
    "deleteDraftOrder": "DeleteOrder",
    "addNoteToOrder": "UpdateOrder",
    "transitionOrderToState": "UpdateOrder",
    "addManualPaymentToOrder": "UpdateOrder",
    "cancelOrder": "UpdateOrder",
    "addFulfillmentToOrder": "UpdateOrder",
    "transitionFulfillmentToState": "UpdateOrder",
}
EVERY_RIGHT = frozenset(RIGHTS.values()) - {""}


@cache
def schema() -> GraphQLSchema:
    return build_schema(files(__package__).joinpath("schema.graphql").read_text("utf-8"))


@cache
def _checked(text: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    """The document and what is wrong with it; looked at once per text. Raises GraphQLError."""
    document = parse(text)
    return document, tuple(validate(schema(), document))


class Api:
    """Root of one request: its methods are the root fields. `rights` is None for somebody who is not signed in."""

    def __init__(self, books: Books, rights: frozenset[str] | None, begun: Begun | None = None) -> None:
        self._books = books
        self._rights = rights
        self._begun = begun

    def run(self, query: str, variables: Doc) -> tuple[int, Doc]:
        """HTTP status and body."""
        try:
            document, problems = _checked(query)
        except GraphQLError as error:
            return 400, {"errors": [_shown(error, "GRAPHQL_PARSE_FAILED")]}
        if problems:
            return 400, {"errors": [_shown(problem, "GRAPHQL_VALIDATION_FAILED") for problem in problems]}
        result: ExecutionResult = execute_sync(
            schema(), document, field_resolver=self._resolve, variable_values=variables
        )
        if result.errors and result.data is None and any(error.path is None for error in result.errors):
            return 400, {"errors": [_shown(error, "BAD_USER_INPUT") for error in result.errors]}
        body: Doc = {"data": result.data}
        return 200, {"errors": [_shown(error, "") for error in result.errors], **body} if result.errors else body

    def _resolve(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        if info.parent_type.name not in ("Query", "Mutation"):
            value = source.get(info.field_name)
            return value(**arguments) if callable(value) else value
        right = RIGHTS[info.field_name]
        if self._rights is None or (right and right not in self._rights):
            raise _error(FORBIDDEN, "FORBIDDEN")
        method: Callable[..., Any] = getattr(self, "do_" + info.field_name)
        try:
            with self._books.shelf.transaction():
                return method(**arguments)
        except NoSuchEntity as gone:
            raise _error(str(gone), "ENTITY_NOT_FOUND") from None
        except BadField as bad:
            raise _error(str(bad), "USER_INPUT_ERROR") from None
        except Stumbled as stumbled:
            raise _error(str(stumbled), "INTERNAL_SERVER_ERROR") from None

    # Reading

    def do_activeChannel(self) -> Doc:  # noqa: N802
        currency = self._books.settings["currency"]
        seller = {"name": "Simulated Vendure"}
        return {
            "id": "1",
            "code": "__default_channel__",
            "token": self._books.token(),
            "defaultCurrencyCode": currency,
            "seller": seller,
        }

    def do_globalSettings(self) -> Doc:  # noqa: N802
        settings = self._books.settings
        return {
            "trackInventory": settings["track"],
            "outOfStockThreshold": settings["threshold"],
            "serverConfig": {"moneyStrategyPrecision": 2},
        }

    def do_stockLocations(self, options: Doc | None = None) -> Doc:  # noqa: N802
        return {"items": places(self._books)}

    def do_shippingMethods(self, options: Doc | None = None) -> Doc:  # noqa: N802
        return {"totalItems": 1 if self._books.settings["methods"] else 0}

    def do_countries(self, options: Doc | None = None) -> Doc:
        rows = [{"id": n, "code": code, "enabled": True} for n, code in enumerate(self._books.settings["countries"], 1)]
        items, total = _listed(rows, options or {}, {})
        return {"items": items, "totalItems": total}

    def do_products(self, options: Doc | None = None) -> Doc:
        rows = [doc for doc in self._books.shelf.all("product") if not doc["deleted"]]
        items, total = _listed(rows, options or {}, {})
        return {"items": [self._product(doc) for doc in items], "totalItems": total}

    def do_product(self, id: str | None = None, slug: str | None = None) -> Doc | None:
        doc = self._books.shelf.get("product", id or "")
        return None if doc is None or doc["deleted"] else self._product(doc)

    def do_productVariants(self, options: Doc | None = None, productId: str | None = None) -> Doc:  # noqa: N802, N803
        rows = [doc for doc in self._books.shelf.all("variant") if not doc["deleted"]]
        items, total = _listed(rows, options or {}, {})
        return {"items": [self._variant(doc) for doc in items], "totalItems": total}

    def do_order(self, id: str) -> Doc | None:
        doc = self._books.shelf.get("order", id)
        return None if doc is None else self._order(doc)

    def do_orders(self, options: Doc | None = None) -> Doc:
        filters: dict[str, Callable[[Doc], Sequence[Any]]] = {
            "customerLastName": lambda doc: [doc["customer"]["lastName"]] if doc["customer"] else [],
            "transactionId": lambda doc: [paid["transactionId"] for paid in doc["payments"]],
        }
        items, total = _listed(self._books.shelf.all("order"), options or {}, filters)
        return {"items": [self._order(doc) for doc in items], "totalItems": total}

    def do_eligibleShippingMethodsForDraftOrder(self, orderId: str) -> list[Doc]:  # noqa: N802, N803
        self._books.order(orderId)
        return [{"id": "1", "code": "post", "priceWithTax": SHIPPING}] if self._books.settings["methods"] else []

    def _product(self, doc: Doc) -> Doc:
        picture = {"preview": doc["image"]} if doc["image"] else None
        variants = [each for each in self._books.shelf.by_key("variant", doc["id"]) if not each["deleted"]]
        shown = {
            "featuredAsset": picture,
            "assets": [picture] if picture else [],
            "facetValues": [{"name": value, "facet": {"name": name}} for name, value in doc.get("facets", ())],
            "collections": [{"name": name} for name in doc.get("collections", ())],
            "variants": [self._variant(each) for each in variants],
        }
        return doc | shown

    def _variant(self, doc: Doc) -> Doc:
        return doc | {
            "priceWithTax": self._books.gross(doc["price"]),
            "currencyCode": self._books.settings["currency"],
            "options": [{"name": doc["option"], "group": {"name": doc.get("group", "Kind")}}] if doc["option"] else [],
            "featuredAsset": None,
            "trackInventory": doc["track"],
            "outOfStockThreshold": doc["threshold"] or 0,
            "useGlobalOutOfStockThreshold": doc["threshold"] is None,
            "stockLevels": levels(doc),
            "stockMovements": lambda options: self._movements(doc["id"], options),
        }

    def _movements(self, variant_id: str, options: Doc) -> Doc:
        """Oldest first; there is no sorting to ask for. Corrections of the count are not kept here."""
        rows = [{**each, "__typename": each["type"].capitalize()} for each in self._books.movements(variant_id)]
        skip = options.get("skip") or 0
        return {"items": rows[skip : skip + options["take"]], "totalItems": len(rows)}

    def _order(self, doc: Doc) -> Doc:
        lines = [
            {
                "id": line["id"],
                "quantity": line["quantity"],
                "orderPlacedQuantity": line["placed"],
                "productVariant": self._variant(self._books.variant(line["variant"], deleted=True)),
            }
            for line in doc["lines"]
        ]
        parcels = [
            each | {"lines": [{"orderLineId": line, "quantity": units} for line, units in each["lines"]]}
            for each in doc["fulfillments"]
        ]
        total, currency = self._books.total(doc), self._books.settings["currency"]

        def history(options: Doc | None = None) -> Doc:
            items, total = _listed(doc["history"], options or {}, {})
            return {"items": items, "totalItems": total}

        more = {"lines": lines, "fulfillments": parcels, "totalWithTax": total, "currencyCode": currency}
        return doc | more | {"__typename": "Order", "history": history}

    # Doing

    def do_createDraftOrder(self) -> Doc:  # noqa: N802
        return self._order(self._books.draft())

    def do_deleteDraftOrder(self, orderId: str) -> Doc:  # noqa: N802, N803
        return self._books.drop(orderId)

    def do_setCustomerForDraftOrder(self, orderId: str, input: Doc, customerId: str | None = None) -> Doc:  # noqa: N802, N803
        if input["emailAddress"].lower() in self._books.settings.get("registered", ()):
            return Denied(
                "EmailAddressConflictError", "EMAIL_ADDRESS_CONFLICT_ERROR", "The email address is not available."
            ).answer
        return self._order(self._books.set_customer(orderId, dict(input)))

    def do_setDraftOrderShippingAddress(self, orderId: str, input: Doc) -> Doc:  # noqa: N802, N803
        return self._order(self._books.set_address(orderId, dict(input)))

    def do_setDraftOrderBillingAddress(self, orderId: str, input: Doc) -> Doc:  # noqa: N802, N803
        return self._order(self._books.set_address(orderId, dict(input)))

    def do_unsetDraftOrderShippingAddress(self, orderId: str) -> Doc:  # noqa: N802, N803
        return self._order(self._books.set_order(orderId, address=None))

    def do_addNoteToOrder(self, input: Doc) -> Doc:  # noqa: N802
        return self._order(self._books.add_note(input["id"], input["note"], public=input["isPublic"]))

    def do_addItemToDraftOrder(self, orderId: str, input: Doc) -> Doc:  # noqa: N802, N803
        return self._tried(lambda: self._books.add_item(orderId, input["productVariantId"], input["quantity"]))

    def do_setDraftOrderShippingMethod(self, orderId: str, shippingMethodId: str) -> Doc:  # noqa: N802, N803
        if shippingMethodId != "1" or not self._books.settings["methods"]:
            text = "This Order is not eligible for the selected ShippingMethod"
            return Denied("IneligibleShippingMethodError", "INELIGIBLE_SHIPPING_METHOD_ERROR", text).answer
        return self._tried(lambda: self._books.set_method(orderId, shippingMethodId))

    def do_transitionOrderToState(self, id: str, state: str) -> Doc:  # noqa: N802
        return self._tried(lambda: self._books.transition(id, state))

    def do_addManualPaymentToOrder(self, input: Doc) -> Doc:  # noqa: N802
        paid, reference = input["orderId"], input.get("transactionId") or ""
        return self._tried(lambda: self._books.pay(paid, input["method"], reference, self._begun))

    def do_cancelOrder(self, input: Doc) -> Doc:  # noqa: N802
        rows = input.get("lines")
        lines = None if rows is None else [(row["orderLineId"], row["quantity"]) for row in rows]
        return self._tried(
            lambda: self._books.cancel(
                input["orderId"], input.get("reason") or "", lines, shipping=bool(input.get("cancelShipping"))
            )
        )

    def do_addFulfillmentToOrder(self, input: Doc) -> Doc:  # noqa: N802
        """Packed from now on. The same twice is two, as long as there are units."""
        rows = [(row["orderLineId"], row["quantity"]) for row in input["lines"]]
        given = {each["name"]: each["value"] for each in input["handler"]["arguments"]}
        try:
            if input["handler"]["code"] != "manual-fulfillment":
                text = "The specified FulfillmentHandler does not exist"
                raise Denied("InvalidFulfillmentHandlerError", "INVALID_FULFILLMENT_HANDLER_ERROR", text)
            order = self._books.order_of_line(rows[0][0] if rows else "")
            made = self._books.fulfil(order, rows, given.get("method", ""), given.get("trackingCode", ""))
        except Denied as denied:
            return denied.answer
        return {"__typename": "Fulfillment", "id": made, "state": "Pending"}

    def do_transitionFulfillmentToState(self, id: str, state: str) -> Doc:  # noqa: N802
        try:
            self._books.move_parcel(self._books.order_of_parcel(id), id, state)
        except Denied as denied:
            return denied.answer
        return {"__typename": "Fulfillment", "id": id, "state": state}

    def _tried(self, work: Callable[[], Doc]) -> Doc:
        """A union result: the order, or why not. What was done before a refusal (a short line!) stays done."""
        try:
            return self._order(work())
        except Denied as denied:
            return denied.answer


def _error(message: str, code: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


def _shown(error: GraphQLError, code: str) -> Doc:
    shown: Doc = dict(error.formatted)
    return shown | {"extensions": shown.get("extensions") or {"code": code or "INTERNAL_SERVER_ERROR"}}


def _listed(rows: list[Doc], options: Doc, special: dict[str, Callable[[Doc], Sequence[Any]]]) -> tuple[list[Doc], int]:
    """One page, and how many there are in all."""
    take = options.get("take")
    if take is not None and take > MOST_TAKEN:
        raise BadField(f"Cannot take more than {MOST_TAKEN} results from a list query")
    kept = [row for row in rows if _matches(row, options.get("filter") or {}, special)]
    for field, way in reversed((options.get("sort") or {"id": "ASC"}).items()):
        kept.sort(key=lambda row: int(row["id"]) if field == "id" else row[field] or "", reverse=way == "DESC")
    skip = options.get("skip") or 0
    return kept[skip : skip + (100 if take is None else take)], len(kept)


def _matches(row: Doc, wanted: Doc, special: dict[str, Callable[[Doc], Sequence[Any]]]) -> bool:
    for field, operators in wanted.items():
        if field == "_or":
            if not any(_matches(row, each, special) for each in operators):
                return False
            continue
        values = special[field](row) if field in special else [row[field]]
        if not any(all(_holds(value, operator, given) for operator, given in operators.items()) for value in values):
            return False
    return True


def _holds(value: Any, operator: str, given: Any) -> bool:
    match operator:
        case "isNull":
            return (value is None) is bool(given)
        case _ if value is None:
            return False
        case "eq":
            return bool(value == given)
        case "in":
            return bool(value in given)
        case "contains":
            return str(given).lower() in str(value).lower()
        case "after":
            return bool(value > given)
        case "between":
            return bool(given["start"] <= value <= given["end"])
    raise BadField(f"There is no operator {operator}.")
