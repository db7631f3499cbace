"""M10: the same purchase by the Universal Commerce Protocol: a program finds goods of two sellers in the catalog, buys
them with one payment, and reads which part was refused and which was sent. Its platform is told of each change, signed.
"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crossdock_lab.scenes.marketplace.agents import RULE, Said, amount, refused_whole
from crossdock_lab.scenes.marketplace.platform import CAPABILITIES, VERSION, Platform, hosted
from crossdock_lab.scenes.money import bank
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.scenes.together import hand_item, quiet
from crossdock_lab.stage import PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.store.models import Order, Variant


@dataclass
class UcpAgent:
    """Knows the marketplace's address, and learns the rest from its profile."""

    endpoint: str
    token: str = field(repr=False)
    profile: str

    def ask(self, method: str, path: str, body: Said | None = None, key: str = "") -> tuple[int, Said]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}{path}", method=method, data=data)  # noqa: S310 - our own server
        sent = {"Authorization": f"Bearer {self.token}", "UCP-Agent": f'profile="{self.profile}"'}
        for name, value in {**sent, "Content-Type": "application/json", "Idempotency-Key": key}.items():
            if value:
                request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server on this machine
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def _agent(stage: Stage, platform: Platform) -> UcpAgent:
    from crossdock.usecases.accounts.tokens import make_token

    _, secret = make_token(name="Agent", seller=None, actor=staff(), scopes="agents:change", now=now())
    where = f"http://127.0.0.1:{stage.trial.port}"
    with urllib.request.urlopen(f"{where}/.well-known/ucp", timeout=30) as answer:  # noqa: S310 - our own server
        said = json.loads(answer.read())
    ucp, platform.keys = said["ucp"], {key["kid"]: key for key in said["signing_keys"]}
    (service,) = [one for one in ucp["services"]["dev.ucp.shopping"] if one["transport"] == "rest"]
    stage.see(
        ucp["version"] == VERSION and set(ucp["capabilities"]) == {f"dev.ucp.shopping.{one}" for one in CAPABILITIES},
        RULE,
        f"UCP: the profile names {len(ucp['capabilities'])} capabilities of {ucp['version']}",
    )
    return UcpAgent(f"{where}{urlsplit(service['endpoint']).path}", secret, f"{platform.address}/profile")


def _wish(stage: Stage, *variants: "Variant") -> Said:
    address = {
        "id": "home",
        "first_name": "Zoë",
        "last_name": "Buyer",
        "street_address": "1 Elm Street",
        "address_locality": "Springfield",
        "address_region": "IL",
        "address_country": "US",
        "postal_code": "12345",
    }
    return {
        "line_items": [{"item": {"id": variant.public_id}, "quantity": 1} for variant in variants],
        "buyer": {"email": stage.buyer.email, "first_name": "Zoë", "last_name": "Buyer"},
        "fulfillment": {"methods": [{"type": "shipping", "destinations": [address]}]},
    }


def _payment(checkout: Said) -> Said:
    """By the first handler that the checkout offers, with the first of its test cards."""
    ((handler,), *_) = checkout["ucp"]["payment_handlers"].values()
    credential = {"type": "test", "token": handler["config"]["tokens"][0]}
    one = {"id": "card", "handler_id": handler["id"], "type": "test_card", "selected": True, "credential": credential}
    return {"payment": {"instruments": [one]}}


def bought_by_ucp(stage: Stage) -> None:
    """Catalog, checkout, one payment however often it is sent; then each seller's part goes its own way, and the
    agent's platform is told.
    """
    with hosted() as platform:
        _bought(stage, _agent(stage, platform), platform)


def _bought(stage: Stage, agent: UcpAgent, platform: Platform) -> None:
    from crossdock.store.models import Order, PaymentIntent

    _, synced = stage.item(3)
    hand = hand_item(stage, 2)
    _, found = agent.ask("POST", "/catalog/lookup", {"ids": [synced.public_id, hand.public_id]})
    offers = {one["id"]: one for product in found["products"] for one in product["variants"]}
    known = [offers.get(one.public_id, {}).get("availability", {}).get("status") for one in (synced, hand)]
    stage.see(
        known == ["in_stock"] * 2 and len({one["seller"]["name"] for one in offers.values()}) == 2,
        RULE,
        f"UCP: the catalog has both sellers' goods, each with its seller: {known}",
    )
    status, checkout = agent.ask("POST", "/checkout-sessions", _wish(stage, synced, hand))
    where = f"/checkout-sessions/{checkout.get('id')}"
    stage.see(
        status == 201 and checkout["status"] == "ready_for_complete" and amount(checkout) == 1000 + 499 + 733 + 201,
        RULE,
        f"UCP: one checkout for both sellers: {amount(checkout)} minor units in all",
    )
    paid = [agent.ask("POST", f"{where}/complete", _payment(checkout), key=f"pay-{checkout['id']}") for _ in range(2)]
    order = paid[0][1]["order"]
    intent = PaymentIntent.objects.get(public_id=order["id"])
    shop_order, hand_order = Order.objects.filter(intent=intent).select_related("seller__owner").order_by("pk")
    stage.see(
        [status for status, _ in paid] == [200, 200] and paid[0] == paid[1],
        RULE,
        "UCP: completed twice, paid once, and an order for each seller",
    )
    # Before anything changes, so that what it did not take is the same when it comes again.
    stage.trial.until(lambda: bool(platform.events or platform.forged), PATIENCE, "its platform to be told")
    stage.lands(shop_order)
    (standing,) = stage.standing(shop_order)
    refused_whole(hand_order)
    number = f"UCP-{shop_order.number}"
    stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking=number, carrier="UPS"))
    sent = shop_order.shipments.filter(tracking_number=number)
    stage.trial.until(
        lambda: sent.exists() and quiet(stage, intent) and bool(bank(stage, hand_order)),
        PATIENCE,
        "the parcel's number from the shop, and the bank's word for the part that was refused",
    )
    read = agent.ask("GET", f"/orders/{order['id']}")[1]
    _reads_what_came(stage, read, hand_order, number)
    _was_told(stage, read, platform)


def _reads_what_came(stage: Stage, order: Said, refused: "Order", number: str) -> None:
    lines = [(one["status"], one["quantity"]["total"]) for one in order["line_items"]]
    back = [(one["status"], amount(one), one["description"].split(":")[0]) for one in order["adjustments"]]
    numbers = [one.get("tracking_number") for one in order["fulfillment"]["events"]]
    stage.see(
        lines == [("fulfilled", 1), ("removed", 0)],
        RULE,
        f"UCP: the agent reads of the lines: {', '.join(f'{status} ({units})' for status, units in lines)}",
    )
    stage.see(
        back == [("completed", -934, refused.seller.name)] and bank(stage, refused) == [934] and numbers == [number],
        RULE,
        f"UCP: what came back, as the bank's books say, and the parcel's number: {back}, {numbers}",
    )


def _was_told(stage: Stage, order: Said, platform: Platform) -> None:
    """The same as it reads, each state of it once, and under the same id what it did not take the first time."""
    stage.trial.until(
        lambda: bool(platform.forged) or (bool(platform.events) and platform.events[-1][1] == order),
        PATIENCE,
        "the agent's platform to be told",
    )
    each = [json.dumps(event) for _, event in platform.events]
    ids = [id for id, _ in platform.events]
    stage.see(
        not platform.forged, RULE, f"UCP: each push is signed by a key that the profile publishes: {platform.forged}"
    )
    stage.see(
        len(set(each)) == len(each) == len(set(ids))
        and platform.lost == ids[:1]
        and platform.events[0][1]["line_items"][0]["status"] == "processing"
        and not any(stage.buyer.email in one or "Elm Street" in one for one in each),
        RULE,
        f"UCP: its platform was told whole, each state once, nothing of who bought: {len(each)} events,"
        f" {platform.tries} tries",
    )


def ucp_not_counted(stage: Stage) -> None:
    """Nothing says how many there are: the catalog does not claim any, and no money is taken."""
    from crossdock.store.models import PaymentIntent, VariantStock

    variant = hand_item(stage, 2)
    VariantStock.objects.filter(variant=variant).update(count=None)
    with hosted() as platform:
        agent = _agent(stage, platform)
        _, found = agent.ask("POST", "/catalog/product", {"id": variant.public_id})
        told = found["product"]["variants"][0]["availability"]
        _, checkout = agent.ask("POST", "/checkout-sessions", _wish(stage, variant))
        _, after = agent.ask("POST", f"/checkout-sessions/{checkout['id']}/complete", _payment(checkout))
    codes = [one["code"] for one in after["messages"] if one["type"] == "error"]
    stage.see(
        told == {"available": False, "status": "unknown"}
        and (codes, after["status"]) == (["stock_unknown"], "incomplete")
        and not PaymentIntent.objects.filter(agent_session__public_id=checkout["id"]).exists(),
        RULE,
        f"UCP, not counted: the catalog says {told['status']}, the checkout {codes} and takes no money",
    )


SCENES: tuple[Scene, ...] = (bought_by_ucp, ucp_not_counted)
BUGS: dict[str, tuple[Scene, ...]] = {
    "ucp_refused_goes_on": (bought_by_ucp,),
    "ucp_refund_charged": (bought_by_ucp,),
    "ucp_signed_too_early": (bought_by_ucp,),
    "ucp_another_id_each_try": (bought_by_ucp,),
    "ucp_uncounted_is_there": (ucp_not_counted,),
}
