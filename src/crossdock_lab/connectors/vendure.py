"""The bug that the story plants here: a line that the shop shortened silently is taken for the whole."""

from collections.abc import Callable
from typing import Any

from crossdock.connectors.vendure import orders
from crossdock.domain.commands import Done, Why


class _Anything:
    """Equal to whatever it is compared with."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


def _short_line() -> None:
    fill = orders.fill_draft

    async def blind(*given: Any) -> None:
        try:
            await fill(*given)
        except orders.Stop as stop:
            if stop.refused.why is not Why.NO_STOCK:
                raise

    async def believing(client: Any, command: Any, node: Any, *, already: bool) -> Done:
        return Done(node.id("id"), node.str("code"), stock_taken=True, already=already)

    orders.fill_draft = blind  # type: ignore[assignment]
    orders.units_held = lambda _: _Anything()  # type: ignore[assignment, return-value]
    orders.settle_draft = believing


BUGS: dict[str, Callable[[], None]] = {"short_line": _short_line}
