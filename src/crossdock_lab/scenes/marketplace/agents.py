"""M10: a program buys for a person by the Agentic Commerce Protocol, over HTTP alone: of two sellers with one payment;
one of them refuses, and the program reads exactly that, and the number of the parcel that the other one's shop sent.

What a shop has not counted is neither in stock nor sold out, and it cannot be bought.
"""

import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from crossdock_lab.scenes.money import bank
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.scenes.together import hand_item, quiet
from crossdock_lab.serving import serving
from crossdock_lab.stage import PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.store.models import Order, Variant

RULE = "M10"
VERSION = "2026-04-17"
SHARED = "what-only-the-two-know"
Said = dict[str, Any]


@dataclass
class Agent:
    """Speaks HTTP to the marketplace and knows nothing else of it. What is refused comes back as it was said."""

    base: str
    token: str = field(repr=False)

    def read(self, path: str) -> str:
        return self._asked("GET", path, None)[1]

    def get(self, path: str) -> Said:
        found: Said = json.loads(self.read(path))
        return found

    def post(self, path: str, body: Said, key: str = "") -> tuple[int, Said]:
        status, said = self._asked("POST", path, body, key or secrets.token_hex(8))
        return status, json.loads(said)

    def offers(self) -> dict[str, Said]:
        """The variants of the feed, by their id."""
        products = map(json.loads, self.read("/feed/products.jsonl").splitlines())
        return {variant["id"]: variant for product in products for variant in product["variants"]}

    def _asked(self, method: str, path: str, body: Said | None, key: str = "") -> tuple[int, str]:
        where, data = f"{self.base}/agents/acp{path}", None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(where, method=method, data=data)  # noqa: S310 - our own server
        sent = {"Authorization": f"Bearer {self.token}", "API-Version": VERSION, "Content-Type": "application/json"}
        for name, value in {**sent, **({"Idempotency-Key": key} if key else {})}.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server on this machine
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@dataclass
class Told:
    """What came to the agent's own program, in its order. The second delivery is answered with a 503."""

    url: str = ""
    events: list[Said] = field(default_factory=list)
    tries: int = 0
    forged: int = 0

    def take(self, body: bytes, signature: str) -> int:
        stamp, _, given = signature.partition(",v1=")
        signed = hmac.new(SHARED.encode(), stamp.removeprefix("t=").encode() + b"." + body, hashlib.sha256)
        self.tries += 1
        self.forged += given != signed.hexdigest()
        if self.tries == 2:
            return 503
        self.events.append(json.loads(body))
        return 200


@contextmanager
def _listening() -> Iterator[Told]:
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(told.take(body, self.headers.get("Merchant-Signature", "")))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The facts say it."""

    with serving(Handler) as address:
        told.url = f"{address}/order_events"
        yield told


def _agent(stage: Stage, told_at: str = "") -> Agent:
    from crossdock.usecases.accounts.tokens import make_token
    from crossdock.usecases.outcomes.agents_told import tell_agent_at

    token, secret = make_token(name="Agent", seller=None, actor=staff(), scopes="agents:change", now=now())
    if told_at:
        tell_agent_at(token=token, actor=staff(), url=told_at, secret=SHARED, now=now())
    return Agent(f"http://127.0.0.1:{stage.trial.port}", secret)


def _wish(stage: Stage, *variants: "Variant") -> Said:
    address = {
        "name": "Zoë Buyer",
        "line_one": "1 Elm Street",
        "city": "Springfield",
        "state": "IL",
        "country": "US",
        "postal_code": "12345",
    }
    return {
        "line_items": [{"id": variant.public_id} for variant in variants],
        "currency": "usd",
        "capabilities": {},
        "buyer": {"email": stage.buyer.email, "full_name": "Zoë Buyer"},
        "fulfillment_details": {"address": address},
    }


def _payment(session: Said) -> Said:
    """By the first handler that the session offers, with the first of its test cards."""
    (handler, *_) = session["capabilities"]["payment"]["handlers"]
    credential = {"type": "test", "token": handler["config"]["tokens"][0]}
    return {
        "payment_data": {
            "handler_id": handler["id"],
            "instrument": {"type": "test_card", "credential": credential},
        }
    }


def amount(said: Said, kind: str = "total") -> int:
    return sum(one["amount"] for one in said["totals"] if one["type"] == kind)


def refused_whole(order: "Order") -> None:
    """By its seller, whole."""
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order

    reject_order(
        order=order,
        reason=CancelReason.NOT_AVAILABLE,
        actor=order.seller.owner,
        expected_total=order.total - order.credited,
        now=now(),
    )


def bought_by_an_agent(stage: Stage) -> None:
    """Feed, session, one payment however often it is sent; then each seller's part goes its own way, and the agent's
    program is told.
    """
    with _listening() as told:
        _bought(stage, told)


def _bought(stage: Stage, told: Told) -> None:
    from crossdock.store.models import Order, PaymentIntent

    _, synced = stage.item(3)
    hand, agent = hand_item(stage, 2), _agent(stage, told.url)
    offers = agent.offers()
    found = [offers.get(variant.public_id, {}).get("availability", {}).get("status") for variant in (synced, hand)]
    prices = [offers[variant.public_id]["price"]["amount"] for variant in (synced, hand)]
    stage.see(found == ["in_stock"] * 2 and prices == [1000, 733], RULE, f"the feed has both sellers' goods: {found}")
    status, session = agent.post("/checkout_sessions", _wish(stage, synced, hand))
    where = f"/checkout_sessions/{session.get('id')}"
    stage.see(
        status == 201 and session["status"] == "ready_for_payment" and amount(session) == 1000 + 499 + 733 + 201,
        RULE,
        f"one session for both sellers: {amount(session)} minor units in all",
    )
    paid = [agent.post(f"{where}/complete", _payment(session), key=f"pay-{session['id']}") for _ in range(2)]
    order = paid[0][1]["order"]
    intent = PaymentIntent.objects.get(public_id=order["id"])
    mine = list(Order.objects.filter(intent=intent).select_related("seller__owner").order_by("pk"))
    stage.see(
        [status for status, _ in paid] == [200, 200] and paid[0] == paid[1] and len(mine) == 2,
        RULE,
        f"completed twice, paid once: the agent's order {order['order_number']} is an order for each seller",
    )
    shop_order, hand_order = mine
    stage.lands(shop_order)
    (standing,) = stage.standing(shop_order)
    refused_whole(hand_order)
    number = f"M10-{shop_order.number}"
    stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking=number, carrier="UPS"))
    sent = shop_order.shipments.filter(tracking_number=number)
    stage.trial.until(
        lambda: sent.exists() and quiet(stage, intent) and bool(bank(stage, hand_order)),
        PATIENCE,
        "the parcel's number from the shop, and the bank's word for the part that was refused",
    )
    session = agent.get(where)
    _reads_what_came(stage, session, order, hand_order, number)
    _was_told(stage, session["order"], told)


def _reads_what_came(stage: Stage, session: Said, before: Said, refused: "Order", number: str) -> None:
    """Whatever the agent is told, it is told of each line: which one goes on, and which does not."""
    order = session["order"]
    lines = [(one["status"], one["quantity"]["current"]) for one in order["line_items"]]
    back = [(one["status"], one["amount"], one["description"].split(":")[0]) for one in order["adjustments"]]
    numbers = [one["tracking_number"] for one in order["fulfillments"]]
    stage.see(
        lines == [("fulfilled", 1), ("removed", 0)],
        RULE,
        f"the agent reads of the lines: {', '.join(f'{status} ({units})' for status, units in lines)}",
    )
    stage.see(
        back == [("completed", 934, refused.seller.name)]
        and bank(stage, refused) == [934]
        and (amount(order), amount(order, "amount_refunded")) == (amount(before), 934),
        RULE,
        f"of {amount(order)} came back {amount(order, 'amount_refunded')}, as the bank's books say: {back}",
    )
    stage.see(numbers == [number] and order["status"] == "shipped", RULE, f"the parcel's number came to it: {numbers}")


def _was_told(stage: Stage, order: Said, told: Told) -> None:
    """The same as it reads, each state of it once, though one delivery was not taken."""
    stage.trial.until(
        lambda: bool(told.events) and told.events[-1]["data"] == order, PATIENCE, "the agent's program to be told"
    )
    kinds, each = [event["type"] for event in told.events], [json.dumps(event["data"]) for event in told.events]
    stage.see(
        kinds == ["order_create", *["order_update"] * (len(kinds) - 1)]
        and len(set(each)) == len(each)
        and not told.forged
        and not any(stage.buyer.email in one or "Elm Street" in one for one in each),
        RULE,
        f"its program was told, signed, each state once, nothing of who bought: {len(each)} events, {told.tries} tries",
    )


def not_counted(stage: Stage) -> None:
    """Nothing says how many there are: the feed does not claim any, and no money is taken."""
    from crossdock.store.models import PaymentIntent, VariantStock

    variant, agent = hand_item(stage, 2), _agent(stage)
    stock = VariantStock.objects.filter(variant=variant)
    stock.update(count=None)
    told = agent.offers()[variant.public_id]["availability"]
    _, session = agent.post("/checkout_sessions", _wish(stage, variant))
    _, after = agent.post(f"/checkout_sessions/{session['id']}/complete", _payment(session))
    codes = [one.get("code") for one in after["messages"]]
    stage.see(
        told == {"available": False, "status": "unknown"}
        and (codes, after["status"]) == (["conflict"], "not_ready_for_payment")
        and not PaymentIntent.objects.filter(agent_session__public_id=session["id"]).exists(),
        RULE,
        f"not counted: the feed says {told['status']}, the session {codes} and takes no money",
    )


SCENES: tuple[Scene, ...] = (bought_by_an_agent, not_counted)
BUGS: dict[str, tuple[Scene, ...]] = {
    "refused_goes_on": (bought_by_an_agent,),
    "uncounted_is_there": (not_counted,),
}
