"""The one page of a shop with a feed: orders to enter in the shop, to ship, and what is wrong with the file.

Behind a password; a form is only taken from this page (its token), and for an order as it was shown (its number of
change), so that a second click or a second tab changes nothing.
"""

import argparse
import base64
import hashlib
import hmac
import os
import secrets
import threading
import time
from html import escape
from urllib.parse import parse_qs

from door import Door, No, serve
from shop import now

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
article, .wrong { border: 1px solid GrayText; border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
.wrong { border-width: 2px; }
h3 { margin: 0 0 .5rem; } address { font-style: normal; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-top: .75rem; }
input, button { font: inherit; padding: .4rem .6rem; max-width: 100%; }
"""


class Mailbox(Door):
    """The door for the marketplace's calls, and this page for a person, at one address."""

    password = ""

    def do_GET(self):
        self.body(0)
        if self.path != "/orders":
            return self.send_page(404, "<p>Your orders are at <a href='/orders'>/orders</a>.</p>")
        if self.known():
            with self.shop.lock:
                text = page(self.shop, self.token())
            self.send_page(200, text)  # whoever reads slowly holds up nobody

    def do_POST(self):
        if self.path != "/orders":
            return super().do_POST()
        body = self.body(100_000)  # also of a stranger: what is left of it would be taken for the next request
        if not self.known():
            return None
        if body is None:
            return self.send_page(400, "<p>This is too long. <a href='/orders'>Open the page again</a>.</p>")
        asked = {name: rows[0] for name, rows in parse_qs(body.decode(errors="replace")).items()}
        if not hmac.compare_digest(asked.get("token", "").encode(), self.token().encode()):
            return self.send_page(403, "<p>This form is not of this page. <a href='/orders'>Open it again</a>.</p>")
        try:
            with self.shop.transaction():
                done(self.shop, asked)
        except No as no:
            said = escape(no.body["message"])
            return self.send_page(409, f"<p>{said} <a href='/orders'>See the orders as they are now</a>.</p>")
        self.send_response(303)
        self.send_header("Location", "/orders")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def known(self):
        """Whether the password is right; asks for it otherwise."""
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        wanted = base64.b64encode(f"shop:{self.password}".encode()).decode()
        if kind.lower() == "basic" and hmac.compare_digest(given.encode(), wanted.encode()):
            return True
        self.send_page(401, "<p>The name is shop; the password was printed when this program was started.</p>")
        return False

    def token(self):
        return hmac.new(self.password.encode(), b"form of the mailbox", hashlib.sha256).hexdigest()

    def send_page(self, status, body):
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>Order mailbox</title><style>{STYLE}</style><h1>Order mailbox</h1>{body}"
        ).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(text)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
            "X-Frame-Options": "DENY",
            **({"Connection": "close"} if self.close_connection else {}),
            **({"WWW-Authenticate": 'Basic realm="Order mailbox", charset="UTF-8"'} if status == 401 else {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


def done(shop, asked):
    """What a person pressed. Raises No when the order is another one by now."""
    order = shop.get("order", asked.get("order", ""))
    if order is None or str(order["seq"]) != asked.get("seq"):
        raise No("conflict", "This order changed since the page was shown; nothing was done.")
    act = asked.get("act")
    if act == "enter":
        shop.enter(order, asked.get("number", "").strip())
    elif act == "ship":
        tracking = asked.get("tracking", "").strip()
        rows = [{"line_id": line, "units": n} for line, n in shop.left(order).items() if n]
        about = {"tracking_number": tracking, "carrier": asked.get("carrier", "").strip(), "shipped_at": now()}
        shop.ship(order, rows, **about)
    elif act == "seen":
        shop.keep({**order, "seen": True})
    elif act == "cancel" and order["state"] == "open" and not any(not p.get("cancelled") for p in order["parcels"]):
        shop.call_off(order, "Cancelled by the shop.", restock=asked.get("restock") == "yes")
    else:
        raise No("conflict", "That cannot be done with this order any more; nothing was done.")


def page(shop, token):
    orders = sorted(shop.every("order"), key=lambda doc: int(doc["number"]))
    going = [doc for doc in orders if doc["state"] == "open" and (to_enter(doc) or any(shop.left(doc).values()))]
    there = [doc for doc in orders if doc["state"] == "cancelled" and doc.get("entered_as") and not doc.get("seen")]
    ended = [doc for doc in orders if doc not in going and doc not in there]
    feed = shop.get("feed", "it")
    read = f"read {feed['read_at'][:16].replace('T', ' ')} UTC" if feed else "not read yet"
    parts = [f"<p>Your file: {read}. Orders that wait: {len(going)}.</p>", needs_a_look(shop)]
    for title, rows, always in (
        ("To enter in your shop", [doc for doc in going if to_enter(doc)], True),
        ("Cancelled: cancel it in your shop too", there, False),
        ("To ship", [doc for doc in going if doc.get("entered")], True),
        ("Done, the last 20", ended[:-21:-1], True),
    ):
        if rows or always:
            cards = "".join(card(shop, doc, token) for doc in rows) or "<p>None.</p>"
            parts.append(f"<section><h2>{title} ({len(rows)})</h2>{cards}</section>")
    return "".join(parts)


def to_enter(order):
    """Also what was shipped from the marketplace: its units are held back here until the shop counts them."""
    return order["state"] == "open" and not order.get("entered") and any(line["units"] for line in order["lines"])


def needs_a_look(shop):
    wrong = [shop.trouble] if shop.trouble else []
    wrong += shop.odd[:50] + ([f"... and {len(shop.odd) - 50} more rows."] if len(shop.odd) > 50 else [])
    said = "".join(f"<li>{escape(each)}</li>" for each in wrong)
    rows = "<p>What stands in these rows is not sold until they are mended.</p>" if shop.odd else ""
    return f"<section class=wrong><h2>Your file needs a look</h2>{rows}<ul>{said}</ul></section>" if said else ""


def card(shop, order, token):
    to = order.get("ship_to", {})
    where = "<br>".join(escape(str(value)) for value in to.values() if value)
    lines = "".join(
        f"<li>{line['units']} × {escape(title_of(shop, line['variant_id']))} at {escape(line['unit_price'])}</li>"
        for line in order["lines"]
        if line["units"]
    )
    sum_ = f"{order['total']} {order['currency']}, shipping {order['shipping']} of it"
    name = f"{order['number']} ({escape(order['reference'])})"
    state = f"<p>{escape(standing(shop, order))}</p>"
    parts = f"<ul>{lines}</ul><p>{escape(sum_)}; paid.</p><address>{where}</address>{state}"
    return f"<article><h3>Order {name}</h3>{parts}{forms(shop, order, token)}</article>"


def standing(shop, order):
    said = [f"Entered in your shop as {order['entered_as']}."] if order.get("entered_as") else []
    of = {line["id"]: line["variant_id"] for line in order["lines"]}
    taken = [row for each in order["cancellations"] for row in each["lines"]]
    if taken:
        units = ", ".join(f"{row['units']} × {title_of(shop, of[row['line_id']])}" for row in taken)
        said.append(f"Cancelled of it: {units}; do not ship that, and take it out in your shop if it stands there.")
    said += ["Cancelled."] if order["state"] == "cancelled" else []
    for parcel in order["parcels"]:
        if not parcel.get("cancelled"):
            carrier = f" with {parcel['carrier']}" if parcel.get("carrier") else ""
            said.append(f"Shipped{carrier}, {parcel['tracking_number'] or 'no tracking number'}.")
    return " ".join(said)


def forms(shop, order, token):
    hidden = "".join(
        f"<input type=hidden name={name} value='{escape(str(value))}'>"
        for name, value in (("token", token), ("order", order["id"]), ("seq", order["seq"]))
    )

    def form(act, fields, button):
        kind = f"<input type=hidden name=act value={act}>"
        return f"<form method=post>{hidden}{kind}{fields}<button>{button}</button></form>"

    entering = "<label>Its number in your shop<br><input name=number maxlength=60 required></label>"
    shipping = (
        "<label>Carrier<br><input name=carrier maxlength=60></label>"
        "<label>Tracking number<br><input name=tracking maxlength=100></label>"
    )
    refusing = "<label><input type=checkbox name=restock value=yes> The units can be sold again</label>"
    if order["state"] == "cancelled":
        return form("seen", "", "I cancelled it there") if order.get("entered_as") and not order.get("seen") else ""
    if to_enter(order):
        act = form("enter", entering, "Entered")
    else:
        act = form("ship", shipping, "Shipped, all of it") if any(shop.left(order).values()) else ""
    return act + ("" if order["parcels"] or not act else form("cancel", refusing, "Cannot be delivered: cancel it"))


def title_of(shop, variant_id):
    product, row = shop.variant(variant_id)
    return f"{product['title']} [{row['sku']}]" if row else variant_id


def main(make):
    words = argparse.ArgumentParser(description="A shop with a CSV feed and an order mailbox behind the open door.")
    words.add_argument("--csv", required=True, help="a file, or an https address")
    words.add_argument("--data", default="mailbox.sqlite", help="where orders are kept")
    words.add_argument("--currency", default="EUR")
    words.add_argument("--decimals", type=int, default=2, help="of the currency: 0 for JPY, 3 for KWD")
    words.add_argument("--name", default="Shop with a feed")
    words.add_argument("--every", type=float, default=60, help="seconds between two looks at the file")
    words.add_argument("--slack", type=float, default=600, help="seconds that an export may take to be written")
    words.add_argument("--port", type=int, default=8098)
    args = words.parse_args()
    if args.data != ":memory:":
        # Addresses of buyers and the password stand in it.
        os.close(os.open(args.data, os.O_CREAT | os.O_RDWR, 0o600))
    shop = make(args.data, args.csv, args.currency, args.name, args.decimals, args.slack)
    secret = shop.get("secret", "it")
    if secret is None:
        key = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        secret = {"id": "it", "key": key, "password": secrets.token_urlsafe(16)}
        shop.put("secret", secret)
    shop.refresh()

    def look():
        while True:
            time.sleep(args.every)
            shop.refresh()

    threading.Thread(target=look, daemon=True).start()
    server = serve(shop, secret["key"], args.port, type("Page", (Mailbox,), {"password": secret["password"]}))
    address = f"http://127.0.0.1:{server.server_port}"
    print(f"Address: {address}\nKey:     {secret['key']}")
    print(f"Orders:  {address}/orders (name shop, password {secret['password']})")
    print(shop.trouble or f"{len(shop.every('product'))} products were read.", flush=True)
    server.serve_forever()
