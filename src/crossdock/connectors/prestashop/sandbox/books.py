"""The simulated shop's own books. Which status takes the units and which gives them back is PrestaShop's own rule
(classes/order/OrderHistory.php, OrderDetail.php, classes/PaymentModule.php); the statuses are the installed ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crossdock.domain.currencies import CURRENCIES, minor_units
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id, Rows

CANCELED, REFUNDED, ERROR, PAID, SHIPPED, PREPARATION, DELIVERED, WAITING, BY_MODULE = 6, 7, 8, 2, 4, 3, 5, 1, 11
BACKORDER = 12
# id: name, logable, shipped, mails the customer
STATES = {
    WAITING: ("Awaiting check payment", 0, 0, 1),
    PAID: ("Payment accepted", 1, 0, 1),
    PREPARATION: ("Processing in progress", 1, 0, 1),
    SHIPPED: ("Shipped", 1, 1, 1),
    DELIVERED: ("Delivered", 1, 1, 0),
    CANCELED: ("Canceled", 0, 0, 1),
    REFUNDED: ("Refunded", 0, 0, 1),
    ERROR: ("Payment error", 0, 0, 1),
    9: ("On backorder (paid)", 0, 0, 1),
    10: ("Awaiting bank wire payment", 0, 0, 1),
    BACKORDER: ("On backorder (not paid)", 0, 0, 1),
    BY_MODULE: ("Remote payment accepted", 1, 0, 1),
}
GIVEN_BACK = (CANCELED, ERROR)
FIRST = {"product": 20, "attribute": 40, "order": 5, "customer": 2, "address": 6, "cart": 5}
PAYMENT, TAKEN_BACK = "Crossdock ", " (taken back)"
CARRIERS = {
    "1": ("0", ""),
    "2": ("My carrier", ""),
    "3": ("USPS", "https://tools.usps.com/go/TrackConfirmAction?tLabels=@"),
    "4": ("DHL", "https://www.dhl.com/en/express/tracking.html?AWB=@"),
    "5": ("UPS", "https://www.ups.com/track?tracknum=@"),
}
DEFAULTS: Doc = {
    "currency": "USD",
    "zone": "Europe/Paris",
    # In per cent, within the prices that the shop shows.
    "tax": "20",
    # What the cheapest carrier costs, as the shop works it out for itself.
    "carriage": "7.00",
    "counts": True,
    "backorders": False,
    "version": "8.1.7",
    "on": True,
    # Rights that the key lacks, as in "GET products".
    "without": [],
    # Whether what one cart holds leaves from several warehouses.
    "splits": False,
    # Whether an order keeps an internal note (from 1.7.8 on).
    "notes": True,
    "closed": ["XX"],
    "shops": 1,
    # Whether the installed status of paid orders counts as a sale.
    "paid_is_logable": True,
    "several_languages": False,
    # Files for sale, packs and the like, by product: fields that a product has instead.
    "fields": {},
}


class Books(books.Books):
    """The shop's rules about stock, statuses and mails."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        super().__init__(
            shelf, clock, lambda *_: None, ids=books.numbered(shelf, FIRST), stamp=self.stamped, settings=DEFAULTS
        )

    @property
    def coins(self) -> dict[str, str]:
        """Numbers of currencies, each with its code: the one that came with the installation, and today's default."""
        first, today = str(DEFAULTS["currency"]), str(self.settings["currency"])
        return {"1": first} | ({} if today == first else {str(2 + sorted(CURRENCIES).index(today)): today})

    @property
    def coin(self) -> str:
        """The default's number, which each cart of the shop's own has."""
        return next(number for number, code in self.coins.items() if code == self.settings["currency"])

    def stamped(self, moment: datetime) -> str:
        """The shop's own time, without a zone."""
        return moment.astimezone(ZoneInfo(self.settings["zone"])).strftime("%Y-%m-%d %H:%M:%S")

    # Products

    def add_product(self, title: str, rows: Iterable[tuple[str, str, int]], *, place: str = "", **fields: Any) -> Doc:
        """One row is a product without combinations: its attribute is 0."""
        rows = list(rows)
        doc = {"id": self.new_id("product"), "title": title, "created": self.now(), **fields}
        doc["variants"] = [
            {
                "id": f"{doc['id']}-{self.new_id('attribute') if len(rows) > 1 else 0}",
                "sku": sku,
                "price": price,
                "option": sku if len(rows) > 1 else "",
                "stock": {place: count},
            }
            for sku, price, count in rows
        ]
        return self.keep("product", doc, "created")

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """A row of its own, which moves no date of the product."""
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, "", touch=False)

    def move(self, line: Mapping[str, Any], delta: int) -> None:
        """StockAvailable::updateQuantity: no floor. What was deleted has no row any more."""
        try:
            doc, row = self.variant(line["product_id"], line["variant_id"])
        except LookupError:
            return
        self.put_stock(doc["id"], row["id"], "", row["stock"][""] + delta)

    def rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-minor_units(self.settings["currency"])), rounding=ROUND_HALF_UP)

    # Orders

    def validate(self, cart: Mapping[str, Any], module: str, payment: str, paid: Decimal) -> list[Doc]:
        """PaymentModule::validateOrder: prices of the catalogue, the cart's whole total against what was paid, one
        order for each package. What is not in the catalogue any more is not in the order.
        """
        rows = []
        for row in cart["rows"]:
            try:
                product, variant = self.variant(row["id_product"], f"{row['id_product']}-{row['id_product_attribute']}")
            except LookupError:
                continue
            rows.append((product, variant, int(row["quantity"])))
        goods = sum((Decimal(variant["price"]) * units for _, variant, units in rows), Decimal(0))
        whole = self.rounded(goods + Decimal(self.settings["carriage"]))
        state = BY_MODULE if whole == self.rounded(paid) else ERROR
        packages = [[row] for row in rows] if self.settings["splits"] else [rows] if rows else []
        with self.at_once():
            made = [self._order(cart, package, module, payment, state) for package in packages]
            # Booked whatever the status became: the one that was asked for counts as a sale.
            for doc in made[-1:]:
                doc |= {"payments": [str(paid)], "invoiced": str(paid if state != ERROR else 0), "paid": str(paid)}
                self.keep("order", doc, "")
        return made

    def _order(self, cart: Mapping[str, Any], package: list[Any], module: str, payment: str, state: int) -> Doc:
        lines = [self.line(product, variant, units) for product, variant, units in package]
        doc = self.new_order(lines, shipping=self.settings["carriage"], cart=cart["id"], customer=cart["id_customer"])
        doc |= {"state": state, "module": module, "payment": payment, "note": "", "named": {}}
        doc |= {"paid": "0", "payments": [], "invoiced": "0"}
        doc |= {"code": "".join(chr(65 + int(digit)) for digit in f"{doc['id'] * 7919:09d}"), "carriers": []}
        doc["address"], doc["coin"] = cart["id_address_delivery"], str(cart.get("id_currency", self.coin))
        doc["carriers"].append({"id": self.new_id("order_carrier"), "id_carrier": "1", "tracking": ""})
        self.keep("order", doc, "")
        if state not in GIVEN_BACK:
            for line in lines:
                self.move(line, -line["quantity"])
            self.mail(doc, "order_conf")
        self.mail(doc, STATES[state][0])
        self.shelf.note("order", id=doc["id"], payment=payment)
        if state == ERROR and any(sum(variant["stock"].values()) < 0 for _, variant, _ in package):
            # It moves no units, and no later status takes them.
            doc["state"] = BACKORDER
            self.keep("order", doc, "")
        return doc

    def mail(self, doc: Mapping[str, Any], about: str) -> None:
        customer = self.shelf.need("customer", doc["customer"])
        self.shelf.note("mail", to=customer["email"], about=about, order=doc["id"])

    def change_state(self, doc: Doc, state: int, *, mail: bool) -> None:
        """OrderHistory::changeIdOrderState. Any status may follow any other."""
        old = doc["state"]
        was, will = self.logable(old), self.logable(state)
        for line in doc["lines"]:
            if will and not was and old in GIVEN_BACK:
                self.move(line, -line["quantity"])
            elif not will and state in GIVEN_BACK and (was or old not in GIVEN_BACK):
                self.move(line, line["quantity"])
        doc["state"] = state
        if will:
            self._book(doc)
        self.keep("order", doc)
        self.shelf.note("state", id=doc["id"], state=state)
        if mail and STATES[state][3]:
            self.mail(doc, STATES[state][0])

    def _book(self, doc: Doc) -> None:
        """The rest of the invoice as a payment; one from before the invoice is overlooked. Each installed status that
        counts as a sale is `paid` too.
        """
        rest = self.total(doc) - Decimal(doc["invoiced"])
        if rest > 0:
            doc["payments"].append(str(rest))
            doc["paid"], doc["invoiced"] = str(Decimal(doc["paid"]) + rest), str(self.total(doc))

    def logable(self, state: int) -> bool:
        if state == BY_MODULE and not self.settings["paid_is_logable"]:
            return False
        return bool(STATES.get(state, ("", 0, 0, 0))[1])

    def total(self, doc: Mapping[str, Any]) -> Decimal:
        """What was written into the order since it was made wins."""
        named = doc["named"].get("total_paid_tax_incl")
        return self.rounded(Decimal(named) if named is not None else books.total(doc))

    # What the seller does in the back office (kit/sandbox/merchant.py)

    def left(self, doc: Doc) -> Mapping[Any, int]:
        sent = STATES[doc["state"]][2] or any(row["tracking"] for row in doc["carriers"])
        return {} if sent else books.left(doc)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        """To a customer of its own, at its own checkout, which sells only what is there."""
        _, row = self.variant(product_id, variant_id)
        if (there := sum(row["stock"].values())) < units:
            raise Refusal(f"there are only {there} left")
        customer = self.new_id("customer")
        who = {"firstname": "Own", "lastname": "Customer", "email": "customer@example.test", "note": ""}
        self.shelf.put("customer", customer, {"id": customer, **who})
        rows = [{"id_product": product_id, "id_product_attribute": variant_id.partition("-")[2], "quantity": units}]
        cart = {"id": self.new_id("cart"), "id_customer": customer, "id_address_delivery": 0, "rows": rows}
        cost = Decimal(row["price"]) * units + Decimal(self.settings["carriage"])
        return str(self.validate(cart, "ps_wirepayment", "Bank wire", cost)[0]["id"])

    def standing(self, doc: Doc) -> Standing:
        customer = self.shelf.need("customer", doc["customer"])
        ours = doc["payment"].startswith(PAYMENT)
        reference = doc["payment"].removeprefix(PAYMENT)
        numbers = sum(1 for row in doc["carriers"] if row["tracking"])
        closed = doc["state"] in (CANCELED, REFUNDED)
        shown = books.standing(
            doc,
            number=doc["code"],
            reference=reference.removesuffix(TAKEN_BACK) if ours else "",
            buyer=" ".join(customer[name] for name in ("firstname", "lastname", "email", "note")),
            total=str(self.total(doc)),
            cancelled=closed,
            parcels=numbers or STATES[doc["state"]][2],
            taken_back=reference.endswith(TAKEN_BACK),
        )
        return shown if closed or self.logable(doc["state"]) else replace(shown, untaken=shown.lines)

    def ship(self, doc: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        """The whole order or nothing. A number that is entered is mailed (UpdateOrderShippingDetailsHandler)."""
        if doc["state"] in (CANCELED, REFUNDED):
            raise Refusal("the order is closed")
        if dict(rows) != dict(self.left(doc)):
            raise Refusal("PrestaShop ships an order as a whole")
        row = doc["carriers"][0]
        row["id_carrier"] = next((id_ for id_, (name, _) in CARRIERS.items() if name == carrier), row["id_carrier"])
        self.keep("order", doc, "")
        if tracking:
            self.renumber(doc, str(row["id"]), tracking)
        self.change_state(doc, SHIPPED, mail=True)
        return str(row["id"])

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        row = next((row for row in doc["carriers"] if str(row["id"]) == parcel_id), None)
        if row is None:
            raise LookupError("the order has no such carrier")
        row["tracking"] = tracking
        self.keep("order", doc)
        self.mail(doc, "in_transit")

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        """The status puts the units back by itself; who does not want that sets it to refunded."""
        self.change_state(doc, CANCELED if restock else REFUNDED, mail=True)

    def refund(self, doc: Doc, amount: Decimal) -> str:
        """A credit slip, which moves no date of its order (OrderSlip::create)."""
        made = self.add_refund(doc, amount)
        made["amount"] = str(self.rounded(amount))
        self.keep("order", doc, touch=False)
        return str(made["id"])
