"""Bugs to plant in what agents buy by and are told by (planted.py)."""

from collections.abc import Callable, Sequence
from typing import Any


def _refused_goes_on() -> None:
    """An agent is told of a line that its seller refused that it is on its way."""
    from dataclasses import replace

    from crossdock.usecases.checkout.agents import order

    good = order.bought_line

    def line(priced: Any, bought: Any) -> Any:
        found = good(priced, bought)
        return found if found.current else replace(found, current=1)

    setattr(order, "bought_line", line)  # noqa: B010


def _refund_charged() -> None:
    """By UCP what is given back is negative; here it reads as if it were charged."""
    from crossdock.usecases.checkout.agents.ucp import order_out as good
    from crossdock.web.agents.ucp import checkout_shape

    def order_out(*given: Any) -> Any:
        said = good(*given)
        for one in (total for adjustment in said["adjustments"] for total in adjustment["totals"]):
            one["amount"] = abs(one["amount"])
        return said

    setattr(checkout_shape, "order_out", order_out)  # noqa: B010


def _signed_too_early() -> None:
    """An agent's order update is signed before its body is final."""
    from dataclasses import replace

    from crossdock.kit.notify import Letter, Signed
    from crossdock.notify import universal_commerce

    def signed(letter: Letter, *, secrets: Sequence[str]) -> dict[str, str]:
        return universal_commerce.signed(replace(letter, body=letter.body + b"\n"), secrets=secrets)

    universal_commerce.notifier = Signed(signed)


def _another_id_each_try() -> None:
    """An order update that was not taken comes again as if it were another."""
    from uuid import uuid4

    from crossdock.engine import notify

    setattr(notify, "uuid5", lambda *_: uuid4())  # noqa: B010


def _uncounted_is_there() -> None:
    """Where nobody knows how many there are, the agents' feed says that there are some."""
    from crossdock.web.agents import goods

    good = goods.available

    def available(offer: Any) -> Any:
        return {"available": True, "status": "in_stock"} if offer.left is None else good(offer)

    setattr(goods, "available", available)  # noqa: B010


BUGS: dict[str, Callable[[], None]] = {
    "refused_goes_on": _refused_goes_on,
    "ucp_refused_goes_on": _refused_goes_on,
    "ucp_refund_charged": _refund_charged,
    "ucp_signed_too_early": _signed_too_early,
    "ucp_another_id_each_try": _another_id_each_try,
    "ucp_uncounted_is_there": _uncounted_is_there,
    "uncounted_is_there": _uncounted_is_there,
}
