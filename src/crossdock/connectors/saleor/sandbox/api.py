"""The simulated API: documents executed against Saleor's own schema, cut down to what we use. What the schema does not
have is refused, and so is what costs too much or asks for more than 100 rows.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from crossdock.connectors.saleor.sandbox import shapes
from crossdock.connectors.saleor.sandbox.books import CHANNEL, Books, Broke, No, gid
from crossdock.connectors.saleor.sandbox.cost import MOST_COST, cost_of
from crossdock.kit.sandbox import Doc

MOST_ROWS = 100
INTERNAL = "Internal Server Error"
# What each root field asks of the app; the empty ones only of an app, and `shop` of nobody.
RIGHTS = {
    "app": "",
    "channels": "",
    "product": "",
    "products": "",
    "productVariants": "",
    "webhookCreate": "",
    "webhookUpdate": "",
    "webhookDelete": "",
    "taxExemptionManage": "MANAGE_TAXES",
}


@cache
def schema() -> GraphQLSchema:
    return build_schema(files(__package__).joinpath("schema.graphql").read_text("utf-8"))


@cache
def _checked(text: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    document = parse(text)
    return document, tuple(validate(schema(), document))


class Api:
    """Root of one request: its methods are the root fields. `rights` is None for somebody who is no app."""

    def __init__(self, books: Books, rights: Sequence[str] | None) -> None:
        self._books, self._rights = books, rights

    def run(self, query: str, variables: Doc) -> tuple[int, Doc]:
        """HTTP status and body."""
        try:
            document, wrong = _checked(query)
        except GraphQLError as error:
            return 400, {"errors": [_shown(error, "GraphQLSyntaxError")]}
        if wrong:
            self._books.shelf.note("not as documented", wrong=wrong[0].message)
            return 400, {"errors": [_shown(each, "GraphQLError") for each in wrong]}
        cost = cost_of(schema(), document, variables)
        about = {"cost": {"requestedQueryCost": cost, "maximumAvailable": MOST_COST}}
        if cost > MOST_COST:
            said = f"The query exceeds the maximum cost of {MOST_COST}. Actual cost is {cost}"
            return 400, {"errors": [_shown(GraphQLError(said), "QueryCostError")], "extensions": about}
        result = execute_sync(schema(), document, field_resolver=self._resolve, variable_values=variables)
        if result.errors and result.data is None and any(error.path is None for error in result.errors):
            return 400, {"errors": [_shown(error, "GraphQLError") for error in result.errors]}
        body: Doc = {"data": result.data, "extensions": about}
        return 200, {"errors": [_shown(error) for error in result.errors], **body} if result.errors else body

    def _resolve(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        name = info.field_name
        if info.parent_type.name not in ("Query", "Mutation"):
            return source.get(name)
        right = RIGHTS.get(name, "MANAGE_ORDERS")
        if name != "shop" and (self._rights is None or (right and right not in self._rights)):
            said = f"To access this path, you need one of the following permissions: {right or 'AUTHENTICATED_APP'}"
            raise _error(said, "PermissionDenied")
        method: Callable[..., Any] = getattr(self, "do_" + name)
        try:
            with self._books.shelf.transaction():
                return method(**arguments)
        except No as no:
            return {"errors": [no.row]}
        except Broke as broke:
            raise _error(INTERNAL, str(broke)) from None

    # Reading

    def do_app(self) -> Doc:
        hooks = [
            {**hook, "asyncEvents": [{"eventType": name} for name in hook["events"]]}
            for hook in self._books.shelf.all("hook")
        ]
        for hook in hooks:
            hook["subscriptionQuery"] = hook["query"] or None
        rights = [{"code": name} for name in self._rights or ()]
        return {"id": gid("App", 1), "name": "Crossdock", "permissions": rights, "webhooks": hooks}

    def do_shop(self) -> Doc:
        return {"name": "Simulated Saleor", "version": self._books.settings["version"]}

    def do_channels(self) -> list[Doc]:
        settings = self._books.settings
        taxes = {
            "chargeTaxes": settings["charge_taxes"],
            "displayGrossPrices": settings["show_gross"],
            "pricesEnteredWithTax": settings["with_tax"],
        }
        zone = {"edges": [{"node": {"id": gid("ShippingZone", 1)}}]}
        places = [
            {
                "id": place["id"],
                "name": place["name"],
                "clickAndCollectOption": place.get("pick_up", "DISABLED"),
                "shippingZones": {"edges": []} if place.get("pick_up") else zone,
            }
            for place in self._books.shelf.all("warehouse")
        ]
        return [
            {
                "id": CHANNEL if number == 0 else gid("Channel", number + 1),
                "slug": slug,
                "name": slug,
                "isActive": True,
                "currencyCode": settings["currency"],
                "countries": [{"code": code} for code in settings["countries"]],
                "taxConfiguration": taxes,
                "warehouses": places,
            }
            for number, slug in enumerate(settings["channels"])
        ]

    def do_products(self, first: int | None = None, after: str | None = None, **asked: Any) -> Doc:
        docs = [doc for doc in self._books.shelf.all("product") if doc["listed"]]
        wanted = ((asked.get("where") or {}).get("updatedAt") or {}).get("range") or {}
        docs = [doc for doc in docs if doc["updated"] >= wanted.get("gte", "")]
        by = "updated" if asked["sortBy"]["field"] == "LAST_MODIFIED_AT" else "created"
        return _page("products", docs, by, first, after, lambda doc: shapes.product(self._books, doc))

    def do_product(self, id: str | None = None, **asked: Any) -> Doc | None:
        doc = self._books.shelf.get("product", _typed(id or "", "Product"))
        return shapes.product(self._books, doc) if doc is not None and doc["listed"] else None

    def do_productVariants(self, first: int | None = None, after: str | None = None, **asked: Any) -> Doc:  # noqa: N802
        wanted = {_typed(id_, "ProductVariant") for id_ in asked["ids"]}
        rows = []
        for id_ in wanted:
            try:
                doc, row = self._books.variant(None, id_)
            except LookupError:
                continue
            if doc["listed"]:
                rows.append({**shapes.variant(self._books, doc, row), "created": doc["created"]})
        return _page("productVariants", rows, "created", first, after, lambda row: row)

    def do_order(self, id: str | None = None, externalReference: str | None = None) -> Doc | None:  # noqa: N803
        if externalReference is not None:
            found = self._books.shelf.by_key("order", externalReference)
            return self._order(found[0]) if found else None
        doc = self._books.shelf.get("order", _typed(id or "", "Order"))
        return None if doc is None else self._order(doc)

    def do_orders(self, first: int | None = None, after: str | None = None, **asked: Any) -> Doc:
        """Drafts have a list of their own."""
        where = asked.get("where") or {}
        docs = [doc for doc in self._books.shelf.all("order") if doc["status"] != "DRAFT" and _fits(doc, where)]
        by = "updated" if asked["sortBy"]["field"] == "LAST_MODIFIED_AT" else "created"
        return _page("orders", docs, by, first, after, self._order)

    def _order(self, doc: Doc) -> Doc:
        return shapes.order(self._books, doc)

    def _done(self, doc: Doc) -> Doc:
        return {"order": self._order(doc), "errors": []}

    # Doing

    def do_draftOrderCreate(self, input: Doc) -> Doc:  # noqa: N802
        for line in input["lines"]:
            if line.get("price") is not None:
                _decimal(line["price"])
        return self._done(self._books.draft(input))

    def do_orderLineDiscountRemove(self, orderLineId: str) -> Doc:  # noqa: N802, N803
        return self._done(self._books.undiscount(orderLineId))

    def do_taxExemptionManage(self, id: str, taxExemption: bool) -> Doc:  # noqa: N802, N803
        doc = self._books.editable(id)
        self._books.keep("order", {**doc, "exempt": taxExemption}, "")
        return {"errors": []}

    def do_draftOrderUpdate(self, input: Doc, id: str | None = None, **asked: Any) -> Doc:  # noqa: N802
        doc, names = self._books.editable(id or ""), self._books.settings["methods"]
        name = base64.b64decode(input["shippingMethod"]).decode().partition(":")[2]
        if name not in names:
            raise No("NOT_FOUND", "Couldn't resolve to a node", "shippingMethod")
        return self._done(self._books.keep("order", {**doc, "method": name, "shipping": names[name]}, ""))

    def do_orderDiscountAdd(self, orderId: str, input: Doc) -> Doc:  # noqa: N802, N803
        return self._done(self._books.discount(orderId, _decimal(input["value"])))

    def do_draftOrderComplete(self, id: str) -> Doc:  # noqa: N802
        return self._done(self._books.complete(id))

    def do_draftOrderDelete(self, id: str | None = None, **asked: Any) -> Doc:  # noqa: N802
        self._books.drop(id or "")
        return {"errors": []}

    def do_orderMarkAsPaid(self, id: str, transactionReference: str | None = None) -> Doc:  # noqa: N802, N803
        return self._done(self._books.pay(id, transactionReference or ""))

    def do_orderCancel(self, id: str) -> Doc:  # noqa: N802
        return self._done(self._books.cancel_it(id))

    def do_orderNoteAdd(self, order: str, input: Doc) -> Doc:  # noqa: N802
        doc = self._books.order_or_no(order)
        doc["events"].append({"type": "NOTE_ADDED", "message": input["message"]})
        return self._done(self._books.keep("order", doc, "updated", touch=False))

    def do_orderFulfill(self, input: Doc, order: str | None = None) -> Doc:  # noqa: N802
        doc = self._books.order_or_no(order or "")
        rows = [
            (line["orderLineId"], stock["warehouse"], stock["quantity"])
            for line in input["lines"]
            for stock in line["stocks"]
        ]
        made = self._books.fulfil(
            doc,
            rows,
            tracking=input.get("trackingNumber") or "",
            beyond=bool(input.get("allowStockToBeExceeded")),
            notify=input.get("notifyCustomer") is not False,
        )
        return {"fulfillments": [{"id": each["id"], "status": each["status"]} for each in made], "errors": []}

    def do_orderFulfillmentReturnProducts(self, order: str, input: Doc) -> Doc:  # noqa: N802
        doc = self._books.order_or_no(order)
        rows = [(row["orderLineId"], row["quantity"]) for row in input.get("orderLines") or ()]
        self._books.give_back(doc, rows, input.get("reason") or "")
        return {"errors": []}

    def do_orderFulfillmentApprove(self, id: str, notifyCustomer: bool, **asked: Any) -> Doc:  # noqa: N802, N803
        self._books.approve(*self._books.parcel_of(id))
        return {"errors": []}

    def do_orderFulfillmentUpdateTracking(self, id: str, input: Doc) -> Doc:  # noqa: N802
        doc, _ = self._books.parcel_of(id)
        self._books.renumber(doc, id, input.get("trackingNumber") or "")
        return {"errors": []}

    def do_orderFulfillmentCancel(self, id: str, input: Doc | None = None) -> Doc:  # noqa: N802
        self._books.undo(*self._books.parcel_of(id), (input or {}).get("warehouseId"))
        return {"errors": []}

    def do_updatePrivateMetadata(self, id: str, input: list[Doc]) -> Doc:  # noqa: N802
        doc, made = self._books.parcel_of(id)
        made["private"] |= {row["key"]: row["value"] for row in input}
        self._books.keep("order", doc, "", touch=False)
        return {"errors": []}

    def do_webhookCreate(self, input: Doc) -> Doc:  # noqa: N802
        return self._hook({"id": gid("Webhook", self._books.shelf.next_number("hook"))}, input)

    def do_webhookUpdate(self, input: Doc, id: str | None = None, **asked: Any) -> Doc:  # noqa: N802
        return self._hook(self._hook_of(id), input)

    def do_webhookDelete(self, id: str | None = None, **asked: Any) -> Doc:  # noqa: N802
        self._books.shelf.delete("hook", self._hook_of(id)["id"])
        return {"errors": []}

    def _hook_of(self, id_: str | None) -> Doc:
        if (hook := self._books.shelf.get("hook", id_ or "")) is None:
            raise No("NOT_FOUND", f"Couldn't resolve to a node: {id_}", "id")
        return hook

    def _hook(self, hook: Doc, given: Doc) -> Doc:
        """A subscription is parsed when it is saved."""
        if given.get("query") and (wrong := validate(schema(), parse(given["query"]))):
            raise No("INVALID", wrong[0].message, "query")
        kept = {"name": given.get("name"), "targetUrl": given["targetUrl"], "isActive": given.get("isActive", True)}
        kept |= {"events": list(given.get("asyncEvents") or ()), "query": given.get("query") or ""}
        self._books.shelf.put("hook", hook["id"], {**hook, **kept})
        return {"webhook": {"id": hook["id"]}, "errors": []}


def _typed(id_: str, kind: str) -> str:
    """An id that is none, or one of another kind, is an error beside the data (saleor/graphql/core/utils)."""
    try:
        there = base64.b64decode(id_, validate=True).decode().partition(":")[0]
    except ValueError:
        raise _error(f"Invalid ID: {id_}. Expected: {kind}.", "GraphQLError") from None
    if there != kind:
        raise _error(f"Invalid ID: {id_}. Expected: {kind}, received: {there}.", "GraphQLError")
    return id_


def _decimal(value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise _error("PositiveDecimal cannot represent that value.", "GraphQLError") from None
    if found < 0:
        raise _error("PositiveDecimal cannot represent that value.", "GraphQLError")
    return found


def _fits(doc: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    if len(where) > 1 and {"AND", "OR"} & where.keys():
        raise _error("Cannot mix operators with other filter inputs.", "GraphQLError")
    for name, wanted in where.items():
        match name:
            case "updatedAt" | "createdAt":
                fits = doc["updated" if name == "updatedAt" else "created"] >= wanted["gte"]
            case "metadata":
                fits = wanted["key"] in doc["metadata"]
            case "status":
                fits = doc["status"] in wanted["oneOf"]
            case "AND":
                fits = all(_fits(doc, each) for each in wanted)
            case "OR":
                fits = any(_fits(doc, each) for each in wanted)
            case _:
                raise _error(f"The simulated shop has no filter {name}.", "GraphQLError")
        if not fits:
            return False
    return True


def _page(name: str, docs: list[Doc], by: str, first: int | None, after: str | None, show: Callable[[Doc], Doc]) -> Doc:
    """A cursor holds the values that its row is sorted by, so it stays true when rows move."""
    if not first:
        raise _error(
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.", "GraphQLError"
        )
    if first > MOST_ROWS:
        raise _error(
            f"Requesting {first} records on the `{name}` connection exceeds the `first` limit of {MOST_ROWS} records.",
            "AssertionError",
        )
    place = json.loads(base64.b64decode(after)) if after else ["", ""]
    left = sorted((doc for doc in docs if [doc[by], doc["id"]] > place), key=lambda doc: (doc[by], doc["id"]))
    shown = left[:first]
    end = base64.b64encode(json.dumps([shown[-1][by], shown[-1]["id"]]).encode()).decode() if shown else None
    return {
        "edges": [{"node": show(doc)} for doc in shown],
        "pageInfo": {"hasNextPage": len(left) > first, "endCursor": end},
    }


def _error(message: str, code: str) -> GraphQLError:
    return GraphQLError(message, extensions={"exception": {"code": code}})


def _shown(error: GraphQLError, code: str = "") -> Doc:
    """Saleor names the class of the error, and hides the words of those that it did not expect."""
    shown: Doc = dict(error.formatted)
    known = (shown.get("extensions") or {}).get("exception", {}).get("code")
    if not known and not code:
        shown["message"] = INTERNAL
    return shown | {"extensions": {"exception": {"code": known or code or type(error.original_error).__name__}}}
