"""The mutation side: what an app may change in the simulated shop.

Complaints are user errors, with the codes of the schema.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from graphql import GraphQLError, get_directive_values

from crossdock.connectors.shopify.sandbox import graph
from crossdock.connectors.shopify.sandbox.books import Books, Complaint, unfulfilled
from crossdock.connectors.shopify.sandbox.fields import Fields, denied, gid, number
from crossdock.connectors.shopify.sandbox.fulfil import FulfilmentOrders
from crossdock.connectors.shopify.sandbox.reads import Reads, subscription
from crossdock.kit.sandbox import Doc

ORDERS_A_MINUTE_ON_TRIAL = 5
MOST_FACTS, LONGEST_FACT = 20, 256


class Writes:
    """Resolvers of Mutation over the books, for one app with its rights."""

    def __init__(self, books: Books, reads: Reads, scopes: set[str], app: str, job_seconds: float) -> None:
        self.books, self.shelf, self._reads, self._scopes, self._app = books, books.shelf, reads, scopes, app
        self._job_seconds = job_seconds

    def roots(self) -> Fields:
        return {
            "orderCreate": self._may("orderCreate", "write_orders", self._create),
            "orderCancel": self._may("orderCancel", "write_orders", self._cancel),
            "refundCreate": self._may("refundCreate", "write_orders", self._refund),
            "orderRiskAssessmentCreate": self._may("orderRiskAssessmentCreate", "write_orders", self._assess),
            "inventoryAdjustQuantities": self._may("inventoryAdjustQuantities", "write_inventory", self._adjust),
            "metafieldDefinitionCreate": self._may("metafieldDefinitionCreate", "write_orders", self._define),
            **FulfilmentOrders(self.books, self._scopes).roots(),
            "webhookSubscriptionCreate": self._subscribe,
            "webhookSubscriptionUpdate": self._resubscribe,
            "webhookSubscriptionDelete": self._unsubscribe,
        }

    def _may(self, field: str, scope: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
        return resolve if scope in self._scopes else denied(field, scope)

    # Orders

    def _create(self, info: Any, order: Doc, options: Doc | None = None) -> Fields:
        chosen = options or {}
        try:
            with self.books.at_once():
                made = self._placed(order, chosen.get("inventoryBehaviour", "BYPASS"))
        except Complaint as wrong:
            return {"order": None, "userErrors": [complaint(wrong)]}
        if chosen.get("sendReceipt") and order.get("email"):
            self.shelf.note("mail", to=order["email"], about="order confirmation")
        return {"order": self._reads.order(made), "userErrors": []}

    def _placed(self, order: Doc, behaviour: str) -> Doc:
        if self.books.trial and self.books.orders_in_last_minute() >= ORDERS_A_MINUTE_ON_TRIAL:
            raise Complaint(
                None,
                (),
                "Exceeded order API rate limit, please try again in a minute. Upgrade to a paid account to remove this"
                " limit.",
            )
        if not order.get("lineItems"):
            raise Complaint("INVALID", ("order", "lineItems"), "Line items can't be blank")
        address = order.get("shippingAddress") or {}
        doc: Doc = {
            "reference": self._custom_id(order.get("metafields") or []),
            "source_identifier": order.get("sourceIdentifier"),
            "by_api": True,
            "tags": list(order.get("tags") or []),
            "email": order.get("email") or "",
            "note": order.get("note") or "",
            "ship_to": address,
            "buyer": _buyer(order, address),
            "lines": [self._line(line, place) for place, line in enumerate(order["lineItems"])],
            "shipping": str(
                sum(
                    (Decimal(line["priceSet"]["shopMoney"]["amount"]) for line in order.get("shippingLines") or []),
                    Decimal(0),
                )
            ),
            "financial_status": order.get("financialStatus"),
            "charged": "0.00",
        }
        return self.books.place(doc, behaviour)

    def _line(self, line: Doc, place: int) -> Doc:
        variant = (
            self.shelf.get("variant", number(line["variantId"], "ProductVariant")) if line.get("variantId") else None
        )
        if variant is None:
            raise Complaint(
                "INVALID", ("order", "lineItems", str(place), "variantId"), "Product variant does not exist"
            )
        if line["quantity"] < 1:
            raise Complaint(
                "INVALID", ("order", "lineItems", str(place), "quantity"), "Quantity must be greater than 0"
            )
        price = (
            line["priceSet"]["shopMoney"]
            if line.get("priceSet")
            else {"amount": variant["price"], "currencyCode": self.books.shop["currency"]}
        )
        if price["currencyCode"] != self.books.shop["currency"]:
            raise Complaint(
                "INVALID", ("order", "lineItems", str(place), "priceSet"), "Currency must be the shop's currency"
            )
        made = self.books.line(variant, line["quantity"], str(price["amount"]))
        return {**made, "requires_shipping": bool(line.get("requiresShipping"))}

    def _custom_id(self, metafields: list[Doc]) -> str:
        """A value of the type id needs its definition, and is unique in the shop."""
        for place, field in enumerate(metafields):
            if field.get("type") != "id":
                continue
            path = ("order", "metafields", str(place), "value")
            if self.shelf.get("definition", f"{field['namespace']}.{field['key']}") is None:
                raise Complaint("INVALID", path, "Owner subtype does not match the metafield definition's constraints")
            if self.shelf.by_key("order", field["value"]):
                raise Complaint("INVALID", path, "Value has already been assigned to another owner")
            return str(field["value"])
        return ""

    def _cancel(self, info: Any, orderId: str, reason: str, restock: bool, **rest: Any) -> Fields:  # noqa: N803
        """Checked at once, done later by a job."""
        method = rest.get("refundMethod")
        if method is not None and len(method) != 1:
            raise GraphQLError("OneOf Input Object 'OrderCancelRefundMethodInput' must specify exactly one key.")
        order = self.shelf.get("order", number(orderId, "Order"))
        wrong: tuple[str, str] | None = None
        if order is None:
            wrong = ("NOT_FOUND", "Order does not exist")
        elif order["cancelled"] or any(not job["done"] for job in self.shelf.by_key("job", order["id"])):
            wrong = ("INVALID", "Order has already been canceled")
        elif any(part["status"] == "SUCCESS" for part in order["fulfillments"]):
            wrong = ("INVALID", "Cannot cancel an order with outstanding fulfillments that can't be canceled")
        if wrong or order is None:
            return {
                "job": None,
                "orderCancelUserErrors": [
                    complaint(Complaint(wrong[0] if wrong else None, ("orderId",), wrong[1] if wrong else ""))
                ],
            }
        due = self.books.clock() + timedelta(seconds=self._job_seconds)
        job: Doc = {
            "id": self.books.new_id(),
            "order": order["id"],
            "due": due.timestamp(),
            "done": False,
            "reason": reason,
            "restock": restock,
            "note": rest.get("staffNote"),
        }
        self.shelf.put("job", job["id"], job, key=order["id"])
        if rest.get("notifyCustomer") and order["email"]:
            self.shelf.note("mail", to=order["email"], about="order cancelled")
        if method and method.get("originalPaymentMethodsRefund"):
            self.shelf.note("money_back", order=order["id"])
        return {"job": {"id": gid("Job", job["id"]), "done": False}, "orderCancelUserErrors": []}

    def _refund(self, info: Any, input: Doc) -> Fields:
        """Units out of the order, with no money: what is paid back needs a transaction."""
        try:
            made = self._once(info, input, lambda: self._taken_out(input))
        except Complaint as wrong:
            return {"refund": None, "userErrors": [complaint(wrong)]}
        return {"refund": {"id": gid("Refund", made["id"])}, "userErrors": []}

    def _taken_out(self, input: Doc) -> Doc:
        order = self.shelf.get("order", number(input["orderId"], "Order"))
        if order is None:
            raise Complaint(None, ("orderId",), "Order does not exist")
        rows = [
            (
                number(row["lineItemId"], "LineItem"),
                row["quantity"],
                row.get("restockType") or "NO_RESTOCK",
                number(row["locationId"], "Location") if row.get("locationId") else "",
            )
            for row in input.get("refundLineItems") or []
        ]
        if input.get("notify") and order["email"]:
            self.shelf.note("mail", to=order["email"], about="refund notification")
        for paid in input.get("transactions") or []:
            self.shelf.note("money_back", order=order["id"], amount=str(paid["amount"]))
        return self.books.take_out(order, rows, note=input.get("note") or "")

    def _assess(self, info: Any, orderRiskAssessmentInput: Doc) -> Fields:  # noqa: N803
        """Another one each time; what is too long is cut without a word."""
        given, payload = orderRiskAssessmentInput, "orderRiskAssessmentInput"
        order = self.shelf.get("order", number(given["orderId"], "Order"))
        wrong = None
        if order is None:
            wrong = Complaint("NOT_FOUND", (payload, "orderId"), "The order could not be found.")
        elif order["fulfillments"] and not any(unfulfilled(order).values()):
            words = "The order is already fulfilled and can no longer accept new risk assessments."
            wrong = Complaint("ORDER_ALREADY_FULFILLED", (payload, "orderId"), words)
        elif len(given["facts"]) > MOST_FACTS:
            wrong = Complaint("TOO_MANY_FACTS", (payload, "facts"), f"A maximum of {MOST_FACTS} facts is allowed.")
        if wrong or order is None:
            return {"orderRiskAssessment": None, "userErrors": [complaint(wrong)] if wrong else []}
        facts = [fact | {"description": fact["description"][:LONGEST_FACT]} for fact in given["facts"]]
        made: Doc = {"riskLevel": given["riskLevel"], "facts": facts, "app": self._app, "order": order["id"]}
        self.shelf.put("risk", self.books.new_id(), made, key=order["id"])
        self.shelf.note(
            "risk", order=order["id"], level=made["riskLevel"], facts=[fact["description"] for fact in facts]
        )
        return {"orderRiskAssessment": made, "userErrors": []}

    # Stock

    def _adjust(self, info: Any, input: Doc) -> Fields:
        try:
            made = self._once(info, input, lambda: self._apply(input))
        except Complaint as wrong:
            return {"inventoryAdjustmentGroup": None, "userErrors": [complaint(wrong)]}
        return {"inventoryAdjustmentGroup": {"id": gid("InventoryAdjustmentGroup", made["id"])}, "userErrors": []}

    def _once(self, info: Any, input: Doc, work: Callable[[], Doc]) -> Doc:
        """The same key does its work once, and answers with what was made then. Raises Complaint."""
        directive = graph.schema().get_directive("idempotent")
        assert directive is not None
        given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
        if given is None:
            raise GraphQLError("The @idempotent directive is required for this mutation.")
        key, print_ = str(given["key"]), hashlib.sha256(json.dumps(input, sort_keys=True).encode()).hexdigest()
        before = self.shelf.get("idempotent", key)
        if before is not None:
            return self._replayed(before, print_)
        try:
            with self.books.at_once():
                made = work()
        except Complaint:
            self.shelf.put("idempotent", key, {"print": print_, "failed": True})
            raise
        self.shelf.put("idempotent", key, {"print": print_, "failed": False, "made": {"id": made["id"]}})
        return made

    def _replayed(self, before: Doc, print_: str) -> Doc:
        if before["print"] != print_:
            raise Complaint(
                "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
                (),
                "The same idempotency key cannot be used with different operation parameters.",
            )
        if before["failed"]:
            raise Complaint(
                "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
                (),
                "A previous request with this idempotency key failed. Retry with a new idempotency key.",
            )
        return dict(before["made"])

    def _apply(self, input: Doc) -> Doc:
        if input["name"] != "available":
            raise Complaint("INVALID_QUANTITY_NAME", ("input", "name"), "The specified quantity name is invalid.")
        for place, change in enumerate(input["changes"]):
            path = ("input", "changes", str(place))
            if "changeFromQuantity" not in change:
                raise GraphQLError("changeFromQuantity is required; send null to make no comparison.")
            found = self.shelf.by_key("variant", number(change["inventoryItemId"], "InventoryItem"))
            if not found:
                raise Complaint(
                    "INVALID_INVENTORY_ITEM",
                    (*path, "inventoryItemId"),
                    "The specified inventory item could not be found.",
                )
            location = number(change["locationId"], "Location")
            if location not in found[0]["levels"]:
                raise Complaint("INVALID_LOCATION", (*path, "locationId"), "The specified location could not be found.")
            expected = change["changeFromQuantity"]
            if expected is not None and expected != found[0]["levels"][location]:
                raise Complaint(
                    "CHANGE_FROM_QUANTITY_STALE",
                    (*path, "changeFromQuantity"),
                    "The changeFromQuantity argument no longer matches the persisted quantity.",
                )
            self.books.move(found[0], location, change["delta"], "adjusted by an app")
        return {"id": self.books.new_id()}

    # Definitions and webhooks

    def _define(self, info: Any, definition: Doc) -> Fields:
        name = f"{definition['namespace']}.{definition['key']}"
        if self.shelf.get("definition", name) is not None:
            wrong = Complaint(
                "TAKEN", ("definition", "key"), "Key is in use for Order metafields on the 'crossdock' namespace."
            )
            return {"createdDefinition": None, "userErrors": [complaint(wrong)]}
        made = {"id": self.books.new_id(), "type": definition["type"]}
        self.shelf.put("definition", name, made)
        return {"createdDefinition": {"id": gid("MetafieldDefinition", made["id"])}, "userErrors": []}

    def _subscribe(self, info: Any, topic: str, webhookSubscription: Doc) -> Fields:  # noqa: N803
        uri = webhookSubscription.get("uri") or ""
        if any((row["topic"], row["uri"]) == (topic, uri) for row in self.shelf.all("hook")):
            wrong = Complaint(
                None, ("webhookSubscription", "callbackUrl"), "Address for this topic has already been taken"
            )
            return {"webhookSubscription": None, "userErrors": [complaint(wrong)]}
        row: Doc = {
            "id": self.books.new_id(),
            "topic": topic,
            "uri": uri,
            "fields": webhookSubscription.get("includeFields") or [],
            "app": self._app,
            "failures": 0,
        }
        self.shelf.put("hook", row["id"], row)
        return {"webhookSubscription": subscription(row), "userErrors": []}

    def _resubscribe(self, info: Any, id: str, webhookSubscription: Doc) -> Fields:  # noqa: N803
        row = self.shelf.get("hook", number(id, "WebhookSubscription"))
        if row is None:
            return {
                "webhookSubscription": None,
                "userErrors": [complaint(Complaint(None, ("id",), "Webhook subscription does not exist"))],
            }
        row |= {
            "uri": webhookSubscription.get("uri", row["uri"]),
            "fields": webhookSubscription.get("includeFields", row["fields"]),
        }
        self.shelf.put("hook", row["id"], row)
        return {"webhookSubscription": subscription(row), "userErrors": []}

    def _unsubscribe(self, info: Any, id: str) -> Fields:
        if not self.shelf.delete("hook", number(id, "WebhookSubscription")):
            return {
                "deletedWebhookSubscriptionId": None,
                "userErrors": [complaint(Complaint(None, ("id",), "Webhook subscription does not exist"))],
            }
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def complaint(wrong: Complaint) -> Fields:
    return {"code": wrong.code, "field": list(wrong.field) or None, "message": wrong.message}


def _buyer(order: Doc, address: Doc) -> str:
    """Who it is for, as the seller reads it on the order's page: name, address of mail, additional details."""
    details = [attribute["value"] for attribute in order.get("customAttributes") or []]
    return " ".join(
        part for part in (address.get("firstName"), address.get("lastName"), order.get("email"), *details) if part
    )
