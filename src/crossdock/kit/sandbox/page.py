"""The page where a person plays the seller in the simulated shop.

Plain forms over the Hand and nothing else, so every platform has it.
"""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from aiohttp import web

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Hand, Standing, Stocked
from crossdock.kit.sandbox.remote import Played

_STYLE = """
:root{color-scheme:light dark}*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
.banner{background:#7a4b00;color:#fff;padding:.5rem 1rem;border-radius:.5rem}
.said{background:#0b5d2a;color:#fff;padding:.5rem 1rem;border-radius:.5rem}.said.bad{background:#8c1d18}
article{border:1px solid #8888;border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}
h3{margin:0 0 .25rem;font-size:1.05rem}p{margin:.25rem 0}
form{display:inline-flex;flex-wrap:wrap;gap:.4rem;margin:.4rem .8rem .2rem 0;align-items:end}
label{font-size:.85rem;display:flex;flex-direction:column}
input:not([type=checkbox]),button{font:inherit;padding:.35rem .5rem;min-height:2.6rem;
border-radius:.35rem;border:1px solid #888}
input[type=number]{width:6rem}label:has([type=checkbox]){min-height:2.6rem;justify-content:center}button{cursor:pointer;background:#1a4f8b;color:#fff;border-color:#1a4f8b}
.gone{opacity:.75}code{overflow-wrap:anywhere}
"""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

MOST_ORDERS = 100


class CannotDo(ValueError):
    """The form's input cannot be used; the message says why."""


def add_to(app: web.Application, sandbox: Played) -> None:
    """Add the page and its one form target."""

    async def show(request: web.Request) -> web.Response:
        orders, products = await sandbox.hand.orders(), await sandbox.hand.products()
        said = _said(request.query.get("said", ""), "bad" in request.query)
        text = _page(sandbox.label, said, _orders(orders, products), _products(products))
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def act(request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            said, bad = await _do(sandbox.hand, form), ""
        except (ValueError, LookupError, TypeError) as error:
            said, bad = f"That did not work: {error}", "&bad=1"
        raise web.HTTPSeeOther(f"/_shop?said={quote(said[:300])}{bad}")

    app.router.add_get("/_shop", show)
    app.router.add_post("/_shop", act)


async def _do(hand: Hand, form: Mapping[str, str]) -> str:
    """Do what a form asks and say what was done."""
    order = form.get("order", "")
    variant = VariantRef(form.get("product", ""), form.get("variant", ""))
    match form.get("do"):
        case "fulfil":
            lines = tuple(
                (name.removeprefix("units:"), _number(text, 0))
                for name, text in form.items()
                if name.startswith("units:") and text.strip()
            )
            wanted = tuple(line for line in lines if line[1] > 0)
            await hand.fulfil(
                order, tracking=form.get("tracking", "").strip(), carrier=form.get("carrier", "").strip(), lines=wanted
            )
            return f"Order {form.get('number', order)} was fulfilled."
        case "cancel":
            await hand.cancel(order, restock="restock" in form)
            return f"Order {form.get('number', order)} was cancelled."
        case "refund":
            await hand.refund(order, form.get("amount", "").strip())
            return f"A refund on order {form.get('number', order)} was recorded."
        case "recount":
            count = _number(form.get("count", ""), -(10**6))
            await hand.recount(variant, count)
            return f"The count is now {count}."
        case "sell":
            await hand.sell(variant, _number(form.get("quantity", ""), 1))
            return "Sold to a customer in the shop."
        case _:
            raise CannotDo("this page has no such form.")


def _number(text: str, lowest: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise CannotDo(f"{text!r} is no whole number.") from None
    if not lowest <= value <= 10**6:
        raise CannotDo(f"{value} is not between {lowest} and 1000000.")
    return value


def _page(label: str, said: str, orders: str, products: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width,initial-scale=1">'
        f"<title>{escape(label)}: orders and products</title><style>{_STYLE}</style></head><body>"
        '<p class="banner" role="note"><strong>Simulated shop.</strong> Nothing here is real: you play the seller in'
        " their own shop.</p>"
        f"<h1>{escape(label)}</h1>{said}<main><h2>Orders</h2>{orders}<h2>Products</h2>{products}</main></body></html>"
    )


def _said(text: str, bad: bool) -> str:
    return f'<p class="said{" bad" if bad else ""}" role="status">{escape(text)}</p>' if text else ""


def _orders(orders: Sequence[Standing], products: Sequence[Stocked]) -> str:
    titles = {item.variant_id: item.title for item in products}
    older = len(orders) - MOST_ORDERS
    more = f"<p>{older} older orders are not shown.</p>" if older > 0 else ""
    return "".join(_order(order, titles) for order in reversed(orders[-MOST_ORDERS:])) + more or "<p>No orders yet.</p>"


def _order(order: Standing, titles: Mapping[str, str]) -> str:
    lines = ", ".join(f"{units} × {escape(titles.get(variant, variant))}" for variant, units in order.lines)
    sent = f"{order.parcels} parcel{'' if order.parcels == 1 else 's'} sent" if order.parcels else "not shipped"
    state = "cancelled" if order.cancelled else sent
    reference = f"<p>Reference <code>{escape(order.reference)}</code></p>" if order.reference else ""
    head = (
        f"<article{' class=gone' if order.cancelled else ''}><h3>Order {escape(order.number)}</h3>"
        f"<p>{lines}</p><p>Total {escape(order.total)}, {escape(order.buyer)}, {state}</p>{reference}"
    )
    return head + ("" if order.cancelled else _order_forms(order, titles)) + "</article>"


def _order_forms(order: Standing, titles: Mapping[str, str]) -> str:
    hidden = _hidden(order=order.shop_id, number=order.number)
    parts = "".join(
        f'<label>Units of {escape(titles.get(variant, variant))}<input type="number" name="units:{escape(variant)}"'
        f' min="0" max="{units}" placeholder="rest"></label>'
        for variant, units in order.lines
    )
    return (
        f'{_form("fulfil", hidden)}{parts}<label>Tracking number<input name="tracking"'
        ' maxlength="80"></label><label>Carrier<input name="carrier"'
        f' maxlength="40"></label><button>Fulfil</button></form>{_form("cancel", hidden)}<label><span><input'
        ' type="checkbox" name="restock" checked> put the units back</span></label><button>Cancel'
        f' order</button></form>{_form("refund", hidden)}<label>Amount<input name="amount" inputmode="decimal" required'
        f' maxlength="20" value="{escape(order.total)}"></label><button>Refund</button></form>'
    )


def _products(products: Sequence[Stocked]) -> str:
    return "".join(_product(item) for item in products) or "<p>No products yet.</p>"


def _product(item: Stocked) -> str:
    hidden = _hidden(product=item.product_id, variant=item.variant_id)
    return (
        f"<article><h3>{escape(item.title)}</h3><p>{item.count} in stock at {escape(item.price)}"
        f" (<code>{escape(item.sku)}</code>)</p>"
        f'{_form("recount", hidden)}<label>New count<input type="number" name="count" required'
        f' value="{item.count}"></label><button>Recount</button></form>'
        f'{_form("sell", hidden)}<label>Units<input type="number" name="quantity" min="1" value="1"'
        " required></label><button>Sell here</button></form></article>"
    )


def _form(do: str, hidden: str) -> str:
    return f'<form method="post" action="/_shop"><input type="hidden" name="do" value="{do}">{hidden}'


def _hidden(**values: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())
