"""The seller's hand in a real Vendure, over the Admin API as its dashboard uses it.

Its questions are its own: nothing of the connector is used to check the connector.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import aiohttp

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked

DRAFTS = ("Created", "Draft", "AddingItems", "ArrangingPayment")
ADDRESS = {
    "fullName": "Walk In",
    "streetLine1": "1 Counter St",
    "city": "Springfield",
    "countryCode": "US",
    "postalCode": "12345",
}


class RealHand:
    """Signs in as the superadmin at the first call. `close()` it."""

    def __init__(self, address: str, password: str) -> None:
        self._url = f"{address}/admin-api"
        self._password = password
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._number = 0

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, query: str, **variables: Any) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession()
            await self._post(
                'mutation($p: String!) { login(username: "superadmin", password: $p) { __typename } }',
                {"p": self._password},
            )
        return await self._post(query, variables)

    async def _post(self, query: str, variables: dict[str, Any]) -> Any:
        assert self._session is not None
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self._session.post(
            self._url, json={"query": query, "variables": variables}, headers=headers
        ) as reply:
            answer = await reply.json()
            self._token = reply.headers.get("vendure-auth-token") or self._token
        if answer.get("errors"):
            raise LookupError(answer["errors"])
        for result in answer["data"].values():
            if isinstance(result, dict) and result.get("errorCode"):
                raise LookupError(f"{result['errorCode']}: {result.get('transitionError') or result['message']}")
        return answer["data"]

    async def products(self) -> Sequence[Stocked]:
        query = (
            "query($s: Int!) { productVariants(options: {take: 100, skip: $s, sort: {id: ASC}}) { items { id sku name"
            " priceWithTax productId product { name } stockLevels { stockOnHand stockAllocated } } } }"
        )
        rows: list[Any] = []
        while page := (await self.ask(query, s=len(rows)))["productVariants"]["items"]:
            rows += page
        return [_stocked(row) for row in rows]

    async def api_key(self, permissions: Sequence[str], name: str) -> str:
        """A key with a role of exactly these permissions."""
        role = await self.ask(
            "mutation($n: String!, $p: [Permission!]!) { createRole(input: {code: $n, description: $n, permissions: $p,"
            ' channelIds: ["1"]}) { id } }',
            n=name,
            p=list(permissions),
        )
        made = await self.ask(
            "mutation($r: ID!, $n: String!) { createApiKey(input: {roleIds: [$r], translations: [{languageCode: en,"
            " name: $n}]}) { apiKey } }",
            r=role["createRole"]["id"],
            n=name,
        )
        return str(made["createApiKey"]["apiKey"])

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        self._number += 1
        words = {
            "languageCode": "en",
            "name": title,
            "slug": f"p{self._number}-{variants[0][0]}".lower(),
            "description": description,
        }
        made = await self.ask(
            "mutation($w: [ProductTranslationInput!]!) { createProduct(input: {enabled: true, translations: $w}) {"
            " id } }",
            w=[words],
        )
        product = made["createProduct"]["id"]
        options = await self._options(product, [sku for sku, _, _ in variants]) if len(variants) > 1 else []
        rows = [
            {
                "productId": product,
                "sku": sku,
                "price": int(Decimal(price) * 100),
                "stockOnHand": count,
                "trackInventory": "TRUE",
                "optionIds": options[n : n + 1],
                "translations": [{"languageCode": "en", "name": f"{title} {sku}"}],
            }
            for n, (sku, price, count) in enumerate(variants)
        ]
        result = await self.ask(
            "mutation($r: [CreateProductVariantInput!]!) { createProductVariants(input: $r) { id } }", r=rows
        )
        return tuple(VariantRef(product, row["id"]) for row in result["createProductVariants"])

    async def _options(self, product: str, skus: Sequence[str]) -> list[str]:
        choices = [{"code": sku.lower(), "translations": [{"languageCode": "en", "name": sku}]} for sku in skus]
        made = await self.ask(
            "mutation($c: String!, $o: [CreateGroupOptionInput!]!) { createProductOptionGroup("
            'input: {code: $c, translations: [{languageCode: en, name: "Kind"}], options: $o}) { id options { id } } }',
            c=f"kind-{product}",
            o=choices,
        )
        group = made["createProductOptionGroup"]
        await self.ask(
            "mutation($p: ID!, $g: ID!) { addOptionGroupToProduct(productId: $p, optionGroupId: $g) { id } }",
            p=product,
            g=group["id"],
        )
        return [option["id"] for option in group["options"]]

    async def reprice(self, variant: VariantRef, price: str) -> None:
        await self.change_variant(variant, price=int(Decimal(price) * 100))

    async def change_variant(self, variant: VariantRef, **fields: Any) -> None:
        row = {"id": variant.variant_id, **fields}
        await self.ask(
            "mutation($r: [UpdateProductVariantInput!]!) { updateProductVariants(input: $r) { id } }", r=[row]
        )

    async def delete_product(self, product_id: str) -> None:
        await self.ask("mutation($p: ID!) { deleteProduct(id: $p) { result } }", p=product_id)

    async def recount(self, variant: VariantRef, count: int) -> None:
        """What can be sold is on hand minus allocated, so the open orders are added on top."""
        level = await self._level(variant)
        await self.change_variant(variant, stockOnHand=count + level["stockAllocated"])

    async def count(self, variant: VariantRef) -> int:
        level = await self._level(variant)
        return int(level["stockOnHand"]) - int(level["stockAllocated"])

    async def _level(self, variant: VariantRef) -> Any:
        data = await self.ask(
            "query($v: ID!) { productVariant(id: $v) { stockLevels { stockOnHand stockAllocated } } }",
            v=variant.variant_id,
        )
        (level,) = data["productVariant"]["stockLevels"]
        return level

    async def arranged(self, variant: VariantRef, quantity: int) -> str:
        """An order of the shop's own, all but paid."""
        self._number += 1
        order = (await self.ask("mutation { createDraftOrder { id } }"))["createDraftOrder"]["id"]
        await self.ask(
            "mutation($o: ID!, $c: CreateCustomerInput!, $a: CreateAddressInput!, $v: ID!, $q: Int!) {  customer:"
            " setCustomerForDraftOrder(orderId: $o, input: $c) { __typename ... on ErrorResult { errorCode message } } "
            " setDraftOrderShippingAddress(orderId: $o, input: $a) { id }  line: addItemToDraftOrder(orderId: $o,"
            " input: {productVariantId: $v, quantity: $q}) { __typename ... on ErrorResult { errorCode message } }}",
            o=order,
            c={"firstName": "Walk", "lastName": "In", "emailAddress": f"walkin{self._number}@shop.example"},
            a=ADDRESS,
            v=variant.variant_id,
            q=quantity,
        )
        await self.ask(
            'mutation($o: ID!) { setDraftOrderShippingMethod(orderId: $o, shippingMethodId: "1") { __typename ... on'
            ' ErrorResult { errorCode message } }  transitionOrderToState(id: $o, state: "ArrangingPayment") {'
            " __typename ... on OrderStateTransitionError { errorCode message transitionError } } }",
            o=order,
        )
        return str(order)

    async def pay(self, shop_id: str) -> None:
        await self.ask(
            'mutation($o: ID!) { addManualPaymentToOrder(input: {orderId: $o, method: "counter", transactionId: "",'
            " metadata: {}}) { __typename ... on ErrorResult { errorCode message } } }",
            o=shop_id,
        )

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        order = await self.arranged(variant, quantity)
        await self.pay(order)
        return order

    async def all_orders(self) -> list[Any]:
        """Every order entity, drafts and leftovers too."""
        query = (
            "query($s: Int!) { orders(options: {take: 100, skip: $s, sort: {id: ASC}}) { items { id code state active"
            " orderPlacedAt totalWithTax customer { firstName lastName emailAddress } payments { id transactionId"
            " method amount refunds { id state } } lines { id quantity orderPlacedQuantity productVariant { id } }"
            " fulfillments { id state trackingCode method nextStates lines { orderLineId quantity } } } } }"
        )
        found: list[Any] = []
        while page := (await self.ask(query, s=len(found)))["orders"]["items"]:
            found += page
        return found

    async def orders(self) -> Sequence[Standing]:
        return [_standing(order) for order in await self.all_orders() if order["orderPlacedAt"]]

    async def drafts(self) -> list[Any]:
        """Orders half made that could still become one."""
        return [order for order in await self.all_orders() if order["state"] in DRAFTS]

    async def _order(self, shop_id: str) -> Any:
        return next(order for order in await self.all_orders() if order["id"] == shop_id)

    async def pack(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        """A fulfilment that has not left yet (Pending)."""
        order = await self._order(shop_id)
        live = [each for each in order["fulfillments"] if each["state"] != "Cancelled"]
        packed = {line["id"]: 0 for line in order["lines"]}
        for each in live:
            for line in each["lines"]:
                packed[line["orderLineId"]] += line["quantity"]
        wanted = dict(lines)
        rows = []
        for line in order["lines"]:
            left = line["quantity"] - packed[line["id"]]
            units = min(left, wanted.get(line["productVariant"]["id"], 0)) if lines else left
            if units:
                rows.append({"orderLineId": line["id"], "quantity": units})
        return await self._fulfil(rows, tracking, carrier)

    async def _fulfil(self, rows: Sequence[dict[str, Any]], tracking: str, carrier: str) -> str:
        handler = {
            "code": "manual-fulfillment",
            "arguments": [
                {"name": "method", "value": carrier or "By hand"},
                {"name": "trackingCode", "value": tracking},
            ],
        }
        made = await self.ask(
            "mutation($l: [OrderLineInput!]!, $h: ConfigurableOperationInput!) { addFulfillmentToOrder(input: {lines:"
            " $l, handler: $h}) { __typename ... on Fulfillment { id } ... on ErrorResult { errorCode message } } }",
            l=rows,
            h=handler,
        )
        return str(made["addFulfillmentToOrder"]["id"])

    async def move(self, parcel_id: str, state: str) -> None:
        await self.ask(
            "mutation($f: ID!, $s: String!) { transitionFulfillmentToState(id: $f, state: $s)"
            " { __typename ... on FulfillmentStateTransitionError { errorCode message transitionError } } }",
            f=parcel_id,
            s=state,
        )

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        parcel = await self.pack(shop_id, tracking=tracking, carrier=carrier, lines=lines)
        await self.move(parcel, "Shipped")
        return parcel

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        """Vendure cannot: the seller cancels the fulfilment and makes the same again."""
        order = await self._order(shop_id)
        old = next(each for each in order["fulfillments"] if each["id"] == parcel_id)
        await self.move(parcel_id, "Cancelled")
        new = await self._fulfil(old["lines"], tracking, old["method"])
        await self.move(new, "Shipped")

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        """Vendure always restocks; a seller who does not want that takes the units out again."""
        order = await self._order(shop_id)
        await self.ask(
            'mutation($o: ID!) { cancelOrder(input: {orderId: $o, reason: "Cancelled by the shop", cancelShipping:'
            " true}) { __typename ... on ErrorResult { errorCode message } } }",
            o=shop_id,
        )
        for line in () if restock else order["lines"]:
            variant = VariantRef("", line["productVariant"]["id"])
            await self.recount(variant, await self.count(variant) - line["quantity"])

    async def refund(self, shop_id: str, amount: str) -> str:
        order = await self._order(shop_id)
        # Without shipping and adjustment, 3.7.3 fails on its own database ("NOT NULL constraint failed:
        # refund.shipping").
        row = {
            "amount": int(Decimal(amount) * 100),
            "lines": [],
            "shipping": 0,
            "adjustment": 0,
            "paymentId": order["payments"][0]["id"],
            "reason": "Refunded by the shop",
        }
        made = await self.ask(
            "mutation($r: RefundOrderInput!) { refundOrder(input: $r) { __typename ... on Refund { id } ... on"
            " ErrorResult { errorCode message } } }",
            r=row,
        )
        refund = made["refundOrder"]["id"]
        await self.ask(
            'mutation($i: ID!) { settleRefund(input: {id: $i, transactionId: "counter"}) { __typename ... on'
            " ErrorResult { errorCode message } } }",
            i=refund,
        )
        return str(refund)

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return await self._notes(shop_id, public=False)

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return await self._notes(shop_id, public=True)

    async def _notes(self, shop_id: str, *, public: bool) -> list[str]:
        query = (
            "query($i: ID!) { order(id: $i) { history(options: {sort: {id: ASC}}) { items { type isPublic data } } } }"
        )
        items = (await self.ask(query, i=shop_id))["order"]["history"]["items"]
        kept = [each for each in items if each["type"] == "ORDER_NOTE" and each["isPublic"] is public]
        return [str(each["data"]["note"]) for each in kept]


def _standing(order: Any) -> Standing:
    cancelled = order["state"] == "Cancelled"
    units = "orderPlacedQuantity" if cancelled else "quantity"
    ours = [pay["transactionId"] for pay in order["payments"] if pay["method"] == "crossdock"]
    return Standing(
        shop_id=order["id"],
        number=order["code"],
        reference=ours[0] if ours else "",
        buyer=f"{order['customer']['firstName']} <{order['customer']['emailAddress']}>",
        lines=tuple((line["productVariant"]["id"], line[units]) for line in order["lines"]),
        total=f"{Decimal(order['totalWithTax']).scaleb(-2):.2f}",
        cancelled=cancelled,
        parcels=sum(each["state"] in ("Shipped", "Delivered") for each in order["fulfillments"]),
    )


def _stocked(row: Any) -> Stocked:
    count = sum(level["stockOnHand"] - level["stockAllocated"] for level in row["stockLevels"])
    price = f"{Decimal(row['priceWithTax']).scaleb(-2):.2f}"
    return Stocked(row["productId"], row["id"], row["sku"], row["name"], count, price)
