"""A connector that is listened to: what it was asked, which calls that took, and what it made of the answers.

Without that nobody can play a case again.
"""

import inspect
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from pydantic_core import to_jsonable_python

from crossdock.domain.redact import redact_value
from crossdock.kit.aside import SMALL, Aside
from crossdock.kit.connector import Connector, Shop
from crossdock.kit.held import HELD
from crossdock.kit.snapshot import cut_snapshot, snapshot, snapshot_of_error

# What changes a shop or reads it for good. Signing in, testing and webhooks are seen as plain exchanges.
WATCHED = frozenset(
    {
        "create",
        "confirm",
        "cancel",
        "cancel_lines",
        "adjust",
        "write_risk",
        "write_fulfilment",
        "find",
        "order",
        "orders",
        "product",
        "products",
        "counts",
        "note",
    }
)
_READS = frozenset({"find", "order", "orders", "product", "products", "counts"})
Made = Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Asking:
    """One call of a connector while it runs. `subject` is our order's reference once it is known."""

    operation: str
    subject: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    given: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    about: list[str] = field(default_factory=list)


# The call that an exchange is made for; tasks inherit it.
ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)
# The key of the call that ended last, for whoever keeps what came of it.
LAST: ContextVar[str] = ContextVar("last call", default="")
Listener = Callable[[Shop, Asking], None]


def watched(connector: Connector, listen: Listener, aside: Aside) -> Connector:
    """The same connector; `listen` gets each call when it has ended, however it ended. What was read may be large, so
    that is looked through aside.
    """
    return cast(Connector, _Watched(connector, listen, aside))


class _Watched:
    def __init__(self, connector: Connector, listen: Listener, aside: Aside) -> None:
        self._connector, self._listen, self._aside = connector, listen, aside

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connector, name)
        if name not in WATCHED:
            return method
        names = [*inspect.signature(method).parameters]

        async def call(shop: Shop, *args: Any, **kwargs: Any) -> Any:
            given = {**dict(zip(names[1:], args, strict=False)), **kwargs}
            asking = Asking(name, subject=_reference(given))
            before = ASKING.set(asking)
            try:
                result = await method(shop, *args, **kwargs)
            except BaseException as error:
                asking.about = [given[name] for name in ("shop_id", "product_id") if given.get(name)]
                trouble = snapshot_of_error(error)
                self._tell(shop, asking, given, lambda: trouble, lambda: trouble)
                raise
            else:
                asking.subject = asking.subject or _reference({"it": result})
                asking.about = _ids(result)
                self._tell(shop, asking, given, lambda: snapshot(result), lambda: cut_snapshot(result))
            finally:
                ASKING.reset(before)
                LAST.set(asking.key)
            return result

        return call

    def _tell(self, shop: Shop, asking: Asking, given: dict[str, Any], made: Made, instead: Made) -> None:
        def hand_over(found: tuple[dict[str, Any], dict[str, Any]]) -> None:
            asking.made, asking.given = found
            self._listen(shop, asking)

        def looked(made: Made) -> Callable[[], tuple[dict[str, Any], dict[str, Any]]]:
            return lambda: (_written(made), redact_value(_written(lambda: to_jsonable_python(given))))

        reads = asking.operation in _READS
        record = partial(
            self._aside.run, SMALL + 1 if reads else 0, looked(made), then=hand_over, instead=looked(instead)
        )
        held = HELD.get()
        if held is None or not reads:
            record()
        else:
            held.add(record)


def _written(made: Made) -> dict[str, Any]:
    """Evidence never stops what it is evidence of: odd text that cannot be written down is left out of it."""
    try:
        return made()
    except Exception as error:
        return {"type": type(error).__name__, "cut": True}


def _reference(given: dict[str, Any]) -> str:
    for name, value in given.items():
        if name == "reference" and isinstance(value, str):
            return value
        reference = getattr(value, "reference", None)
        if isinstance(reference, str) and reference:
            return reference
    return ""


def _ids(result: Any) -> list[str]:
    """The shop's ids of what came back: orders, products, variants that were counted."""
    items = result if isinstance(result, list | tuple) else getattr(result, "items", None)
    found = [
        str(id)
        for item in (items if isinstance(items, list | tuple) else [result])
        for name in ("shop_id", "product_id", "variant_id", "entity_id")
        if (id := getattr(item, name, ""))
    ]
    return list(dict.fromkeys(found))[:300]
