"""A buyer's receipt of an order as a PDF."""

from datetime import UTC, datetime

from reportlab.platypus import Spacer

from crossdock.domain.labels import country_name
from crossdock.domain.values import Address
from crossdock.store.models import Order
from crossdock.web.papers.sheet import WIDE, paper, small, soft, table, title


def receipt(*, order: Order, marketplace: str, now: datetime) -> bytes:
    """What was paid, for what, to whom, and what of it went back."""
    code = order.currency
    rows: list[list[object]] = [["Item", "Units", "Each", "Amount"]]
    for line in order.lines.all():
        rows.append([small(line.title), str(line.quantity), str(line.unit_price), str(line.total)])
    rows += [["Shipping", "", "", str(order.shipping)], [f"Paid, in {code}", "", "", str(order.total)]]
    if order.credited_minor:
        rows.append(["Credited, by us or by your bank", "", "", str(-order.credited)])
        rows.append([f"Left, in {code}", "", "", str(order.total - order.credited)])
    story: list[object] = [
        title(f"Receipt of order #{order.number}"),
        soft(
            f"Paid on {order.placed_at.astimezone(UTC):%d %B %Y} through {marketplace}. As of {now:%d %B %Y}, in UTC.",
            f"Sold by {order.seller.name}, {country_name(order.seller.country)}.",
        ),
        Spacer(1, 12),
        small("Goes to", *_lines(order.address)),
        Spacer(1, 12),
        table(rows, [WIDE - 210, 50, 80, 80], last_bold=True),
        Spacer(1, 16),
    ]
    story.append(
        soft(
            "This says what you paid here. It is not an invoice with tax:"
            " ask the seller for one on the order’s page, under Questions."
        )
    )
    return paper(f"Receipt of order {order.number}", story)


def _lines(to: Address) -> list[str]:
    place = " ".join(part for part in (to.postal_code, to.city, to.region) if part)
    return [part for part in (to.name, to.company, to.line1, to.line2, place, country_name(to.country)) if part]
